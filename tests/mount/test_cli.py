"""The command line: what is accepted, refused, and said."""

import fcntl
import json
import os
import re
import select
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.conftest import needs
from tests.support import SLOW, eventually
from tests.support.mounting import binary, is_mounted, wait_mounted

BODY = b'Subject: x\r\n\r\nbody\r\n'


def test_help_and_version(program):
    run = program.run('--help')
    assert run.returncode == 0
    for word in ('SOURCE', 'MOUNTPOINT', 'passcmd', 'cafile', 'check'):
        assert word in run.stdout
    assert re.search(r'imapfs check \[options\] SOURCE {2,}log in', run.stdout)
    assert re.search(r'cache_size=SIZE.*at least 1M', run.stdout)
    run = program.run('--version')
    assert run.returncode == 0
    assert re.match(r'imapfs \d+\.\d+\.\d+', run.stdout)


def test_help_goes_to_standard_output_and_errors_do_not(program):
    def streams(*words):
        return subprocess.run([binary(), *words], capture_output=True, text=True, env=program.env)
    assert streams('--help').stderr == ''
    assert streams('--nonsense').stdout == ''
    assert streams('--nonsense').stderr != ''


@pytest.mark.parametrize('words,why', [
    ([], 'usage|SOURCE'),
    (['imaps://user@localhost'], 'MOUNTPOINT|mountpoint|usage'),
    (['--nonsense'], 'nonsense'),
    (['-x'], 'x'),
    (['imaps://user@localhost', '/', 'more'], 'more'),
    (['imaps://user@localhost', '/nonexistent/place'], '/nonexistent/place'),
    (['imaps://user@localhost', '/etc/passwd'], 'directory'),
    (['imaps://', '/'], 'imaps://|host'),
    (['imaps://user@', '/'], 'host|source'),
    (['imaps://localhost', '/'], 'user'),
    (['imaps://user@localhost:0', '/'], 'port'),
    (['imaps://user@localhost:65536', '/'], 'port|valid URL'),
    (['imaps://user@localhost:x', '/'], 'port|valid URL'),
    (['pop3://user@localhost', '/'], 'pop3|imaps?://'),
    (['imaps://user:word@localhost', '/'], 'password'),
    (['no-such-account', '/'], 'no-such-account'),
    (['imaps://user@localhost', '/', '-o', 'nonsense=1'], 'nonsense'),
    (['imaps://user@localhost', '/', '-o', 'tls=maybe'], 'tls'),
    (['imaps://user@localhost', '/', '-o', 'timeout=0'], 'timeout'),
    (['imaps://user@localhost', '/', '-o', 'timeout=soon'], 'timeout'),
    (['imaps://user@localhost', '/', '-o', 'timeout=99999999999999999999'], 'timeout'),
    (['imaps://user@localhost', '/', '-o', 'connections=0'], 'connections'),
    (['imaps://user@localhost', '/', '-o', 'connections=-1'], 'connections'),
    (['imaps://user@localhost', '/', '-o', 'cache_size=big'], 'cache_size'),
    (['imaps://user@localhost', '/', '-o', 'fmask=9'], 'fmask'),
    (['check', 'imaps://user@localhost', '-o', 'passfile=x,fingerprint=abc'], 'fingerprint'),
    (['imaps://user@localhost', '/', '-o', 'password=abc'], 'password'),
    (['imaps://user@localhost', '/', '-o', 'passfile'], 'passfile'),
    (['imaps://user@localhost', '/', '-o'], 'o'),
    (['check', 'imaps://user@localhost', '-o', 'passfile=x,cafile=/nonexistent'],
     'cafile /nonexistent .*: No such file or directory'),
    (['imaps://user@localhost', '/', '-o', 'passcmd=a,tokencmd=b'], 'passcmd|tokencmd'),
    (['check'], 'SOURCE|usage'),
    (['check', 'imaps://user@localhost', 'more'], 'more'),
])
def test_what_is_wrong_is_named(program, words, why):
    run = program.run(*words)
    assert run.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT)
    assert re.search(why, run.stdout), run.stdout
    assert len(run.stdout.splitlines()) <= 6 or 'usage' in run.stdout.lower()


@pytest.mark.skipif(os.getuid() == 0, reason='root needs no fusermount3')
def test_reason_of_fusermount_is_said_once(fake, program):
    server = fake()
    run = program.run('-f', server.source, '/mnt', '-o', program.options(server))
    assert run.returncode == 1
    theirs, ours = run.stdout.splitlines()
    assert re.match('fusermount3: .*/mnt', theirs)
    assert re.fullmatch('imapfs: cannot mount on /mnt: fusermount3 .*above', ours)


def test_password_in_the_source_is_refused_and_not_repeated(program):
    run = program.run('-f', 'imaps://user:hush-hush@localhost', '/')
    assert run.returncode != 0
    assert 'hush-hush' not in run.stdout


@needs('ESEARCH')
def test_check_tells_what_the_server_offers(fake, program):
    server = fake()
    server.inbox.append(BODY)
    server.add('Sent', special=['\\Sent'])
    run = program.run('check', server.source, '-o', program.options(server))
    assert run.returncode == 0, run.stdout
    assert 'TLS' in run.stdout
    assert re.search('ESEARCH', run.stdout)
    assert re.search(r'\b2\b.*(mailbox|folder)|(mailbox|folder).*\b2\b', run.stdout)


@needs('ESEARCH', 'SPECIAL-USE')
def test_check_tells_what_it_means(fake, program):
    server = fake(tls='none')
    server.add('Sent', special=['\\Sent'])
    server.mask('IMAP4rev2', 'MOVE', 'UIDPLUS', 'IDLE', 'NOTIFY')
    server.capabilities.append('APPENDLIMIT=1000')
    run = program.run('check', server.source, '-o', program.options(server))
    assert run.returncode == 0, run.stdout
    for line in ('^new mail: the server reports nothing', '^large folders: .*(ESEARCH)',
                 '^deleting: .*UIDPLUS is missing', '^moving: by copying', '^rewriting: ',
                 '^new messages: ', '^rights: ', '^quota: ', '^largest message: 1000 bytes',
                 '^warning: .*clear text', r'^special folders: Sent \(sent\)$'):
        assert re.search(line, run.stdout, re.M), (line, run.stdout)


def test_check_works_with_dovecot(dovecot, program):
    for source in (dovecot.source, dovecot.clear_source):
        run = program.run('check', source, '-o', program.options(dovecot))
        assert run.returncode == 0, run.stdout
        # What was said before STARTTLS is not shown.
        assert ('greeting:' in run.stdout) == (source == dovecot.source)


def test_options_in_any_place(fake, mount, program, tmp_path):
    """As mount(8) calls its helpers: source, directory, then -o, several times, and flags."""
    server = fake()
    server.inbox.append(BODY)
    (tmp_path / 'a').mkdir()
    first, *rest = program.options(server).split(',')
    process = program.start('-o', first, server.source, tmp_path / 'a', '-f', '-o',
                            ','.join([*rest, 'rw', 'nosuid', 'nodev', 'noatime', 'dev', 'suid']))
    try:
        assert wait_mounted(tmp_path / 'a', process.pid, 20 * SLOW), process.stdout.read()
        assert (tmp_path / 'a' / 'INBOX' / '1.eml').read_bytes() == BODY
    finally:
        subprocess.run(['fusermount3', '-u', tmp_path / 'a'])
        assert process.wait(20 * SLOW) == 0
        process.stdout.close()


def daemon_pid(path):
    """The process whose command line ends in this mountpoint, however it names itself."""
    run = subprocess.run(['pgrep', '-f', f'imapfs.* {re.escape(str(path))}'], capture_output=True,
                         text=True)
    return [int(word) for word in run.stdout.split()]


def wait_gone(pids):
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(20_000 * SLOW), 'the daemon does not end'
        os.close(descriptor)


def test_check_finds_the_root_as_a_mount_does(fake, mount, program, tmp_path):
    server = fake()
    server.add('Lists/a')
    words = ['-o', program.options(server)]
    (tmp_path / 'mnt').mkdir()
    said = "imapfs: the account has no mailbox \"Nope\""
    for command in (['check', f'{server.source}/Nope', *words],
                    ['-f', f'{server.source}/Nope', tmp_path / 'mnt', *words]):
        run = program.run(*command)
        assert run.returncode == 1 and said in run.stdout.splitlines(), run.stdout
    for root in ('', '/', '/Lists', '/Lists/a', '/INBOX'):
        run = program.run('check', f'{server.source}{root}', *words)
        assert run.returncode == 0, run.stdout


def test_output_that_is_lost_is_an_error(fake, mount, program):
    server = fake()
    mail = mount(server)
    for words in (['status', mail.path], ['status', '--json', mail.path],
                  ['check', '-o', program.options(server), server.source], ['--help'],
                  ['--version']):
        with open('/dev/full', 'w') as full:
            run = subprocess.run([binary(), *words], env=program.env, stdout=full,
                                 stderr=subprocess.PIPE, text=True, timeout=60 * SLOW)
        assert run.returncode == 1, words
        assert 'standard output: No space left on device' in run.stderr, words


def test_background_returns_once_the_mount_is_usable(fake, mount, program, tmp_path):
    server = fake()
    server.inbox.append(BODY)
    path = tmp_path / 'background'
    path.mkdir()
    run = program.run(server.source, path, '-o', program.options(server))
    assert run.returncode == 0, run.stdout
    pids = daemon_pid(path)
    try:
        assert is_mounted(path)
        assert server.lines(rb'LIST')
        assert pids
        # Detached: a session of its own, no working directory, no terminal of the caller.
        assert os.getsid(pids[0]) != os.getsid(0)
        server.black_hole()
        assert os.listdir(path) == ['INBOX', '.imapfs']
        server.black_hole(False)
        assert (path / 'INBOX' / '1.eml').read_bytes() == BODY
    finally:
        subprocess.run(['fusermount3', '-u', path])
    wait_gone(pids)


def known_account(server, mount):
    """A cache that has the folders of the account, with nothing mounted."""
    server.inbox.append(BODY)
    mail = mount(server)
    (mail.inbox / '1.eml').read_bytes()
    mail.unmount()


def test_background_does_not_wait_long_for_a_server_that_is_known(fake, mount, program):
    server = fake()
    known_account(server, mount)
    server.black_hole()
    path = program.mountpoint
    start = time.monotonic()
    run = program.run(server.source, path, '-o', program.options(server, timeout=100))
    assert run.returncode == 0, run.stdout
    assert time.monotonic() - start < 50
    assert run.stdout == ('imapfs: no answer from localhost yet; showing what is known until the '
                          'server is there\n')
    pids = daemon_pid(path)
    try:
        assert (path / 'INBOX' / '1.eml').read_bytes() == BODY
    finally:
        subprocess.run(['fusermount3', '-u', path])
    wait_gone(pids)


@contextmanager
def cache_in_use(program):
    """As by a mount whose end is not over yet."""
    lock, = (program.cache / 'imapfs').glob('*/lock')
    with open(lock) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def test_mount_waits_for_the_end_of_the_one_before(fake, mount, program):
    server = fake()
    known_account(server, mount)
    path = program.mountpoint
    with cache_in_use(program):
        process = program.start('-f', server.source, path, '-o', program.options(server))
        assert re.search('has not ended yet', process.stdout.readline())
        assert not is_mounted(path)
    try:
        assert wait_mounted(path, process.pid, 20 * SLOW), process.stdout.read()
        assert (path / 'INBOX' / '1.eml').read_bytes() == BODY
    finally:
        subprocess.run(['fusermount3', '-u', path])
        assert process.wait(20 * SLOW) == 0
        assert 'has not ended' not in process.stdout.read(), 'it is told twice'
        process.stdout.close()


def test_mount_that_does_not_end_is_not_waited_for_long(fake, mount, program):
    server = fake()
    known_account(server, mount)
    path = program.mountpoint
    with cache_in_use(program):
        start = time.monotonic()
        run = program.run(server.source, path, '-o', program.options(server))
        assert time.monotonic() - start > 4.5
        assert run.returncode == 1
        assert re.search('waited 5 seconds: cache directory .*: another mount is using it',
                         run.stdout), run.stdout
        assert not is_mounted(path)

        process = program.start('-f', server.source, path, '-o', program.options(server))
        process.stdout.readline()
        process.terminate()
        assert process.wait(20 * SLOW) == 1
        assert 'waited' not in process.stdout.read(), 'it waits although it shall end'
        process.stdout.close()


def test_login_that_is_refused_when_nobody_waits_is_said(fake, mount):
    server = fake()
    known_account(server, mount)
    server.black_hole()
    mail = mount(server, timeout=100)
    mail.wait_for_output('no answer from localhost yet')
    server.quirks.login = '[AUTHENTICATIONFAILED] go away'
    server.black_hole(False)
    mail.wait_for_output('go away')
    mail.expect('go away')
    assert (mail.inbox / '1.eml').read_bytes() == BODY


def test_background_waits_for_the_password_command(fake, mount, program):
    """However long it takes: one that is refused then is told."""
    server = fake()
    known_account(server, mount)
    path = program.mountpoint
    run = program.run(server.source, path, '-o', program.options(
        server, passfile=None, passcmd='sleep 6; echo wrong'))
    assert run.returncode == 1 and 'login' in run.stdout, run.stdout
    assert not is_mounted(path)
    assert not daemon_pid(path)


def test_background_fails_before_it_leaves(fake, mount, program, tmp_path):
    server = fake()
    server.password = 'wrong'
    path = tmp_path / 'background'
    path.mkdir()
    run = program.run(server.source, path, '-o', program.options(server))
    assert run.returncode == 1
    assert not is_mounted(path)
    assert not daemon_pid(path)


@pytest.mark.skipif(os.getuid() != 0, reason='mount(8) needs root')
def test_form_of_fstab(fake, mount, program, tmp_path):
    """`mount -t fuse.imapfs SOURCE DIR -o ...` as fstab does it."""
    server = fake()
    server.inbox.append(BODY)
    path = tmp_path / 'fstab'
    path.mkdir()
    place = tmp_path / 'bin'
    place.mkdir()
    (place / 'imapfs').symlink_to(binary())
    env = {**program.env, 'PATH': f'{place}:/usr/sbin:/usr/bin:/sbin:/bin'}
    run = subprocess.run(['mount.fuse3', f'imapfs#{server.source}', path, '-o',
                          program.options(server) + ',rw,noauto,_netdev,x-systemd.automount'],
                         env=env, capture_output=True, text=True, timeout=60 * SLOW)
    assert run.returncode == 0, run.stderr
    pids = daemon_pid(path)
    assert (path / 'INBOX' / '1.eml').read_bytes() == BODY
    subprocess.run(['umount', path])
    wait_gone(pids)


def test_account_from_the_configuration_file(fake, mount, program, tmp_path):
    server = fake()
    server.inbox.append(BODY)
    place = program.home / '.config' / 'imapfs'
    place.mkdir(parents=True)
    (place / 'config').write_text(
        f'[work]\nsource={server.source}\npassfile={program.passfile(server.password)}\n'
        f'cafile={server.ca}\n')
    run = program.run('check', 'work')
    assert run.returncode == 0, run.stdout
    run = program.run('check', 'play')
    assert run.returncode == 1
    assert 'play' in run.stdout


def test_relative_xdg_directories_are_ignored(fake, mount, program, tmp_path, monkeypatch):
    """As their specification demands: what is there depends on where the program was started."""
    server = fake()
    server.inbox.append(BODY)
    place = program.home / '.config' / 'imapfs'
    place.mkdir(parents=True)
    (place / 'config').write_text(f'[work]\nsource={server.source}\n')
    here = tmp_path / 'here'
    here.mkdir()
    monkeypatch.chdir(here)
    program.env |= {'XDG_CONFIG_HOME': 'config', 'XDG_CACHE_HOME': './cache'}
    assert (mount(server, source='work').inbox / '1.eml').read_bytes() == BODY
    assert os.listdir(program.home / '.cache' / 'imapfs')
    assert os.listdir(here) == []


def test_folders_are_chosen(fake, mount):
    server = fake()
    for name in ('Lists/a', 'Lists/b', 'Spam', 'Work'):
        server.add(name)
    mail = mount(server, folders='*:!Lists/b:!Spam')
    found = sorted(os.path.relpath(os.path.join(root, name), mail.path)
                   for root, dirs, _ in mail.walk() for name in dirs)
    assert found == ['INBOX', 'Lists', 'Lists/a', 'Work']


def test_subscribed_only(fake, mount):
    server = fake()
    server.add('Yes')
    server.add('No', subscribed=False)
    assert sorted(mount(server, subscribed=True).names()) == ['INBOX', 'Yes']


def test_mount_over_a_folder_in_use_ends_cleanly(fake, mount):
    """Unmounting a busy file system is refused, and SIGTERM ends it all the same."""
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    file = os.open(mail.inbox / '1.eml', os.O_RDONLY)
    assert os.read(file, 1000) == BODY
    run = subprocess.run(['fusermount3', '-u', mail.path], capture_output=True, text=True)
    assert run.returncode != 0 and 'busy' in run.stderr
    mail.terminate()
    with pytest.raises(OSError, match='not connected'):
        os.close(file)


def test_mounts_one_after_another_leave_nothing(fake, mount):
    server = fake()
    for number in range(5):
        mail = mount(server)
        os.listdir(mail.path)
        # From the second on the tree is there before the login is.
        server.wait_for(lambda: len(server.lines(rb'LIST')) > number)

        def at_rest():
            """What has yet to be answered is not waited for at the end, nor LOGOUT behind it."""
            found = json.loads((mail / '.imapfs' / 'status').read_bytes())['connections']
            assert found and all(one['idle'] or not one['under_way'] for one in found), found
        eventually(at_rest)
        mail.unmount()
    server.wait_for(lambda: not server.open_sessions())
    assert len(server.lines(rb'LOGOUT')) == 5


def test_connections_are_bounded(fake, mount):
    server = fake()
    for number in range(20):
        server.add(f'box{number}').append(BODY)
    mail = mount(server, connections=2)
    readers = [subprocess.Popen(['cat', mail / f'box{number}' / '1.eml'], stdout=subprocess.PIPE)
               for number in range(20)]
    assert all(reader.communicate()[0] == BODY for reader in readers)
    assert len(server.sessions) <= 2


def test_nothing_is_said_when_all_is_well(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    (mail.inbox / '1.eml').read_bytes()
    mail.unmount()
    assert len(mail.output().splitlines()) <= 3, mail.output()
