"""Secrets, permissions and threads, as other programs of the machine see them."""

import base64
import errno
import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from tests.conftest import needs
from tests.support import SILENCE_S, SLOW, eventually
from tests.support.mounting import binary, is_mounted
from tests.support.stuck import Readers, answers_at_once

PASSWORD = 'geheim-7b1f'
TOKEN = 'ya29.token-51c0'
BODY = b'Subject: secret plans\r\n\r\nthe quick brown body\r\n'


def forms(secret, user='user'):
    """A secret as it stands and as logins carry it."""
    raw = secret.encode()
    return [raw, base64.b64encode(raw), base64.b64encode(b'\0' + user.encode() + b'\0' + raw),
            base64.b64encode(b'user=%s\1auth=Bearer %s\1\1' % (user.encode(), raw))]


def holds(data, secret):
    return any(form in data for form in forms(secret))


@pytest.mark.parametrize('mechs,options', [
    (['PLAIN'], {}), (['LOGIN'], {}), ([], {}), (['SCRAM-SHA-256'], {}),
    (['XOAUTH2'], {'passfile': None, 'tokencmd': f'printf %s%s {TOKEN[:5]} {TOKEN[5:]}'}),
    (['OAUTHBEARER'], {'passfile': None, 'tokencmd': f'printf %s%s {TOKEN[:5]} {TOKEN[5:]}'}),
    (['PLAIN'], {'passfile': None, 'passcmd': f'printf %s%s {PASSWORD[:5]} {PASSWORD[5:]}'}),
])
def test_no_secret_in_arguments_environment_log_or_cache(fake, mount, program, mechs, options):
    server = fake()
    server.mechs = mechs
    server.inbox.append(BODY)
    mail = mount(server, arguments=['-d'], expect=['.'], **options)
    assert (mail.inbox / '1.eml').read_bytes() == BODY
    seen = b''
    for pid in [str(mail.pid), *children(mail.pid)]:
        for name in ('cmdline', 'environ'):
            try:
                seen += Path('/proc', pid, name).read_bytes()
            except OSError:
                pass  # not ours to read: better still
    mail.unmount()
    assert 'EXAMINE' in mail.output(), 'the transcript of -d is missing'
    seen += mail.output().encode()
    for path in program.home.rglob('*'):
        if path.is_file():
            seen += path.read_bytes()
    assert not holds(seen, PASSWORD)
    assert not holds(seen, TOKEN)


def children(pid):
    return subprocess.run(['pgrep', '-P', str(pid)], capture_output=True, text=True).stdout.split()


def test_log_holds_no_message_text(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server, arguments=['-d'], expect=['.'])
    assert (mail.inbox / '1.eml').read_bytes() == BODY
    mail.unmount()
    assert 'quick brown' not in mail.output()
    assert 'secret plans' not in mail.output()


def test_wrong_password_is_not_in_the_message(fake, program):
    server = fake()
    server.password = 'falsch-33c9'
    run = program.run('-d', server.source, program.mountpoint, '-o', program.options(server))
    assert run.returncode == 1
    assert not holds(run.stdout.encode(), 'falsch-33c9')


def test_process_cannot_be_dumped(fake, mount):
    """PR_SET_DUMPABLE 0: the files of /proc/PID belong to root, and no core is written."""
    if b'__asan_init' in binary().read_bytes():
        pytest.skip('the leak checker of this build must attach to the process')
    mail = mount(fake())
    os.listdir(mail.path)
    if os.getuid() == 0:
        # What root sees of its own processes does not tell; ptrace_may_access would still pass.
        assert 'PR_SET_DUMPABLE' in trace_of_start(mail)
    else:
        assert os.stat(f'/proc/{mail.pid}/environ').st_uid == 0
        with pytest.raises(PermissionError):
            Path(f'/proc/{mail.pid}/environ').read_bytes()


def trace_of_start(mail):
    """System calls of a short run of the same program."""
    run = subprocess.run(['strace', '-f', '-e', 'trace=prctl', f'/proc/{mail.pid}/exe', 'check',
                          'imaps://user@localhost:1', '-o', 'passfile=/dev/null'],
                         capture_output=True, text=True)
    return run.stderr


@pytest.mark.parametrize('umask', [0o000, 0o022, 0o777])
def test_cache_is_private_under_any_umask(fake, mount, program, tmp_path, umask):
    server = fake()
    server.inbox.extend([BODY + b'x' * 300_000] * 3)
    # What this test itself makes must not suffer from the umask.
    program.passfile(server.password)
    (tmp_path / 'under umask').mkdir()
    before = os.umask(umask)
    try:
        mail = mount(server, mountpoint=tmp_path / 'under umask')
    finally:
        os.umask(before)
    for uid in (1, 2, 3):
        (mail.inbox / f'{uid}.eml').read_bytes()
    found = list((program.cache / 'imapfs').rglob('*'))
    for path in [program.cache / 'imapfs', *found]:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue  # the mount goes on
        assert not stat.S_ISLNK(mode)
        assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), path


@pytest.mark.parametrize('kind', ['link', 'open', 'foreign'])
def test_cache_of_an_account_that_is_not_ours_alone_is_refused(fake, program, tmp_path, kind):
    if kind == 'foreign' and os.getuid() != 0:
        pytest.skip('only root can make a directory that is someone else\'s')
    server = fake()
    base = tmp_path / 'base'
    base.mkdir(mode=0o700)
    own = base / f'user@localhost:{server.port}'
    if kind == 'link':
        (tmp_path / 'real').mkdir(mode=0o700)
        own.symlink_to(tmp_path / 'real')
    else:
        own.mkdir()
        own.chmod(0o777 if kind == 'open' else 0o700)
    if kind == 'foreign':
        os.chown(own, 65534, 65534)
    run = program.run('-f', server.source, program.mountpoint, '-o',
                      program.options(server, cachedir=base))
    assert run.returncode == 1
    assert str(own) in run.stdout


def test_cache_inside_the_mountpoint_is_refused(fake, program, tmp_path):
    server = fake()
    (tmp_path / 'mnt').mkdir()
    run = program.run('-f', server.source, tmp_path / 'mnt', '-o',
                      program.options(server, cachedir=tmp_path / 'mnt' / 'cache'))
    assert run.returncode == 1
    assert 'mountpoint' in run.stdout


def test_second_mount_on_one_cache_is_refused(fake, mount, program, tmp_path):
    server = fake()
    mount(server)
    (tmp_path / 'second').mkdir()
    run = program.run('-f', server.source, tmp_path / 'second', '-o', program.options(server))
    assert run.returncode == 1
    assert re.search('in use|another', run.stdout)


def test_cache_bound_is_kept(fake, mount, program):
    server = fake()
    server.inbox.extend(b'Subject: %d\r\n\r\n' % n + b'x' * 500_000 for n in range(40))
    mail = mount(server, cache_size='4M')
    for uid in range(1, 41):
        assert len((mail.inbox / f'{uid}.eml').read_bytes()) > 500_000

    def used():
        return sum(path.stat().st_blocks * 512 for path in program.cache.rglob('*')
                   if path.is_file())
    assert eventually(used) < 8 << 20  # else a file went meanwhile
    assert (mail.inbox / '1.eml').read_bytes().startswith(b'Subject: 0\r\n')


def test_unwritable_cache_is_no_reason_to_fail(fake, mount):
    server = fake()
    server.inbox.extend(b'Subject: %d\r\n\r\n' % n + b'x' * 500_000 for n in range(5))
    mail = mount(server, expect=['cache'])
    os.listdir(mail.inbox)
    # Permissions would not keep root from writing.
    resource.prlimit(mail.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    for uid in range(1, 6):
        assert len((mail.inbox / f'{uid}.eml').read_bytes()) > 500_000
    mail.wait_for_output('cannot write to the cache directory')
    assert mail.output().count('cannot write to the cache directory') == 1

    def told():
        cache = cache_of(mail)
        assert cache['memory_bytes'] == cache['bytes'] > 2_500_000
        assert cache['unwritable'] == 'File too large' and cache['unwritable_since']
    eventually(told)


def cache_of(mail):
    return json.loads((mail / '.imapfs' / 'status').read_bytes())['cache']


def test_status_tells_what_the_cache_cannot_keep(fake, mount, program):
    server = fake()
    for mailbox in (server.inbox, server.add('other')):
        mailbox.append(b'Subject: x\r\n\r\n' + b'x' * 500_000)
    mail = mount(server, expect=['cache'])
    (mail.inbox / '1.eml').read_bytes()

    def nothing_told():
        cache = cache_of(mail)
        assert (cache['memory_bytes'], cache['unwritable'], cache['unwritable_since']) == (
            0, None, None)
        assert cache['bytes'] > 500_000
    eventually(nothing_told)
    resource.prlimit(mail.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    (mail / 'other' / '1.eml').read_bytes()

    def told():
        cache = cache_of(mail)
        assert 500_000 < cache['memory_bytes'] < 502_000 < cache['bytes']
        assert cache['unwritable']
    eventually(told)
    run = program.run('status', mail.path)
    assert re.search(r'\n +488\.\d KiB of that in memory only\n +cannot be written since [\d:]+: '
                     r'File too large\n', run.stdout), run.stdout


def test_a_deleted_cache_is_noticed(fake, mount, program):
    server = fake()
    for name in ('other', 'third'):
        server.add(name).append(BODY)
    server.inbox.append(BODY)
    mail = mount(server)
    (mail.inbox / '1.eml').read_bytes()
    assert cache_of(mail)['unwritable'] is None
    mail.expect('cache directory')

    def delete():
        """While the mount writes there."""
        if program.cache.exists():
            shutil.rmtree(program.cache)
    eventually(delete)
    for name in ('other', 'third'):
        assert (mail / name / '1.eml').read_bytes() == BODY
    directory = cache_of(mail)['directory']
    mail.wait_for_output(f'cannot write to the cache directory: {directory} was deleted')

    def told():
        assert f'{directory} was deleted' in cache_of(mail)['unwritable']
    eventually(told)
    mail.unmount()
    assert mail.output().count('cannot write to the cache directory') == 1
    assert not program.cache.exists()


def test_no_link_is_made_from_what_a_server_says(fake, mount):
    server = fake()
    for name in ('a', 'b/c', '-> /etc/passwd', '/etc/passwd'):
        server.add(name)
    mail = mount(server)
    for root, dirs, files in mail.walk():
        for name in dirs + files:
            mode = os.lstat(os.path.join(root, name)).st_mode
            assert stat.S_ISDIR(mode) or stat.S_ISREG(mode)


@pytest.mark.skipif(os.getuid() != 0, reason='needs a second user, and so root')
def test_other_users_see_nothing(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    words = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    for path in (mail.path, mail.inbox / '1.eml'):
        for parent in (mail.path.parent, *mail.path.parent.parents):
            if parent.name.startswith(('pytest', 'test_')):
                parent.chmod(0o711)
        run = subprocess.run([*words, 'stat', path], capture_output=True, text=True)
        assert run.returncode != 0
        assert 'denied' in run.stderr
    shared = mount(server, allow_other=True, cachedir=mail.path.parent / 'other cache')
    assert subprocess.run([*words, 'cat', shared.inbox / '1.eml'], capture_output=True).returncode
    opened = mount(server, allow_other=True, cachedir=mail.path.parent / 'third', fmask='0022',
                   dmask='0022')
    run = subprocess.run([*words, 'cat', opened.inbox / '1.eml'], capture_output=True)
    assert run.stdout == BODY


def test_owner_group_and_masks(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server, fmask='0277', dmask='0077', uid=str(os.getuid()), gid=str(os.getgid()))
    shown = os.stat(mail.inbox / '1.eml')
    assert stat.S_IMODE(shown.st_mode) == 0o400 & ~0o277
    assert (shown.st_uid, shown.st_gid) == (os.getuid(), os.getgid())


def test_more_stuck_reads_than_threads(fake, mount):
    """What needs no server is answered while more reads wait than the program has threads."""
    server = fake()
    server.inbox.extend([BODY] * 120)
    mail = mount(server, timeout=SILENCE_S, expect=['.'])
    os.listdir(mail.inbox)
    for uid in range(1, 121):
        os.stat(mail.inbox / f'{uid}.eml')
    server.black_hole()
    readers = Readers([mail.inbox / f'{uid}.eml' for uid in range(1, 101)])
    readers.wait_until_stuck()
    count = int(re.search(r'Threads:\s+(\d+)', Path(f'/proc/{mail.pid}/status').read_text())[1])
    assert count < 50
    answers_at_once(mail.inbox)
    assert os.stat(mail.inbox / '120.eml').st_size == len(BODY)
    assert 0 not in readers.join(SILENCE_S + 60 * SLOW)
    server.black_hole(False)


def room(mail):
    status = Path(f'/proc/{mail.pid}/status').read_text()
    return int(re.search(r'VmSize:\s+(\d+)', status)[1]) << 10


def is_at_rest(mail):
    """Fails while a thread works: it may be about to take memory, or to start another one."""
    for stat_file in Path(f'/proc/{mail.pid}/task').glob('*/stat'):
        assert stat_file.read_text().rpartition(')')[2].split()[0] == 'S'


def leave_no_room_for_threads(mail):
    """A stack takes 8 MiB, and a thread of libfuse that reads for the first time one. Returns how to
    give the room back."""
    _, most = resource.prlimit(mail.pid, resource.RLIMIT_AS)

    def leave():
        is_at_rest(mail)
        size = room(mail)
        resource.prlimit(mail.pid, resource.RLIMIT_AS, (size + (7 << 20), most))
        assert room(mail) <= size
    eventually(leave)
    return lambda: resource.prlimit(mail.pid, resource.RLIMIT_AS, (most, most))


def test_login_without_a_further_thread(fake, mount):
    """It fails, and the mount stays."""
    server = fake()
    server.inbox.extend([BODY, BODY])
    # By its address: to look up a name GLib makes a thread.
    mail = mount(server, source=f'imaps://user@127.0.0.1:{server.port}',
                 expect=['fuse', 'password'])
    assert (mail.inbox / '1.eml').read_bytes() == BODY
    give_back = leave_no_room_for_threads(mail)
    server.kill()
    with pytest.raises(OSError):
        (mail.inbox / '2.eml').read_bytes()
    mail.wait_for_output('asking for the password: ')
    give_back()
    assert eventually((mail.inbox / '2.eml').read_bytes) == BODY


def test_end_without_a_further_thread(fake, mount):
    if SLOW > 2:
        return  # a sanitizer cannot live with the memory that is left
    mail = mount(fake(), expect=['fuse'])
    assert mail.names() == ['INBOX']
    leave_no_room_for_threads(mail)
    mail.terminate()


def waiting_news(pid):
    """The thread that tells the kernel of changes, while it waits there and no signal reaches it."""
    for stat_file in Path(f'/proc/{pid}/task').glob('*/stat'):
        if '(fs-news) D ' in stat_file.read_text():
            return stat_file.parent
    raise AssertionError('it does not wait')


# For it INBOX has a connection of its own, on which LIST passes the EXAMINE that is not answered.
@needs('IDLE')
def test_killed_while_news_waits_for_a_reader(fake, mount):
    """Who looks something up holds the lock of its folder in the kernel until it is answered, and news of that
    folder waits for the lock: what is killed in this moment must end, and its mount go."""
    server = fake()
    server.add('Box').append(BODY)
    mail = mount(server, poll=1, timeout=60, connections=2)
    server.on(rb'EXAMINE "?Box', lambda session, command: session.stall())
    ended = []

    def read():
        try:
            os.stat(mail / 'Box' / '1.eml')
        except OSError as error:
            ended.append(error.errno)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        server.wait_for(lambda: server.lines(rb'EXAMINE "?Box'))
        server.add('Box/New')
        listed = len(server.lines(rb' LIST '))
        server.wait_for(lambda: len(server.lines(rb' LIST ')) > listed)
        thread = eventually(lambda: waiting_news(mail.pid), 20)
        if os.getuid() == 0:
            # Neither the lock of the cache nor a connection: what others close is closed.
            assert len(os.listdir(thread / 'fd')) == 4
        mail.process.kill()
        assert mail.process.wait(20 * SLOW) == -9
    except BaseException:
        subprocess.run(['umount', '-f', mail.path], capture_output=True)  # nothing less helps
        raise
    reader.join(20 * SLOW)
    assert ended == [errno.ECONNABORTED]
    mail.destroy()
    assert not is_mounted(mail.path)


@needs('IDLE')
def test_stopped_while_news_waits_for_a_request_that_nobody_reads(fake, mount, program, tmp_path):
    """A request that comes when the last worker has left holds its folder's lock, and news of that folder
    waits for it: the program ends all the same, and who asked is answered."""
    shim, held = binary().parent.parent / 'tests' / 'preload' / 'loop-end.so', tmp_path / 'held'
    if not shim.exists() or b'__asan_init' in binary().read_bytes():
        pytest.skip('nothing can be loaded before libfuse here')
    server = fake()
    server.inbox.extend([BODY] * 9000)
    program.env |= {'LD_PRELOAD': str(shim), 'IMAPFS_LOOP_END': str(held)}
    mail = mount(server, poll=1)
    os.stat(mail.inbox / '1.eml')
    mail.ended = True
    mail.process.send_signal(signal.SIGTERM)
    eventually(held.stat, 20)
    reader = subprocess.Popen(['stat', mail.inbox / '9999.eml'], stderr=subprocess.PIPE, text=True)
    uids = iter(range(1, 9000))  # one for each look, so that there is more news until then

    def news_waits():
        server.inbox.expunge(next(uids))
        waiting_news(mail.pid)
    try:
        eventually(news_waits, 20)
        held.unlink()
        mail.finish(20)
    finally:
        reader.kill()
    assert 'No such file' in reader.communicate()[1]
