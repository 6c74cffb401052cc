"""`.imapfs`: what a mount says of itself, and the command that shows it."""

import fcntl
import json
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import termios
import threading
import time

import pytest

from tests.conftest import needs
from tests.support import SLOW, eventually
from tests.support.mounting import binary
from tests.support.stuck import takes


def body(number):
    return b'Subject: %d\r\n\r\nThis is message %d.\r\n' % (number, number)


@pytest.fixture
def server(fake):
    one = fake()
    one.inbox.extend(map(body, range(1, 4)))
    return one


def status(mail):
    return json.loads((mail / '.imapfs' / 'status').read_bytes())


def folder(mail, path):
    return next(one for one in status(mail)['folders'] if one['path'] == path)


class Follower:
    """Reads the journal as `tail -F` does: lines as they come."""

    def __init__(self, mail):
        self.process = subprocess.Popen(['tail', '-n', '+1', '-F', mail / '.imapfs' / 'events'],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.lines = []
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(json.loads(line))
                self.news.notify_all()

    def wait_for(self, timeout=20, **wanted):
        def found():
            return [line for line in self.lines if wanted.items() <= line.items()]
        with self.news:
            assert self.news.wait_for(found, timeout * SLOW), (wanted, self.lines)
            return found()[0]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


@pytest.fixture
def follow():
    all_of_them = []

    def start(mail):
        all_of_them.append(Follower(mail))
        return all_of_them[-1]
    yield start
    for one in all_of_them:
        one.close()


# ---- the directory ----

def test_the_directory(server, mount, program):
    mail = mount(server)
    own = mail / '.imapfs'
    assert '.imapfs' in os.listdir(mail.path)
    assert sorted(os.listdir(own)) == ['events', 'status']
    assert sorted(os.listdir(own)) == ['events', 'status']
    assert stat.S_IMODE(os.stat(own).st_mode) == 0o500
    found = os.stat(own / 'status')
    assert stat.S_IMODE(found.st_mode) == 0o400 and stat.S_ISREG(found.st_mode)

    def whole():
        assert os.stat(own / 'status').st_size == len((own / 'status').read_bytes())
    eventually(whole)
    target = os.readlink(own / 'events')
    assert target.startswith(f'{program.cache}/imapfs/')
    assert os.lstat(own / 'events').st_size == len(target)
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    assert os.stat(own / '..').st_ino == os.stat(mail.path).st_ino
    with pytest.raises(FileNotFoundError):
        os.stat(own / 'other')
    with pytest.raises(NotADirectoryError):
        os.stat(own / 'status' / 'other')
    with pytest.raises(OSError, match='not permitted|Permission'):
        (own / 'status').write_text('x')
    assert subprocess.run(['find', mail.path, '-name', 'status'], capture_output=True,
                          text=True).stdout.splitlines() == [f'{own}/status']


def test_the_directory_of_a_mailbox_as_root(server, mount):
    mail = mount(server, source=f'{server.source}/INBOX')
    assert sorted(os.listdir(mail.path)) == ['.imapfs', '1.eml', '2.eml', '3.eml']

    def look():
        assert [one['path'] for one in status(mail)['folders']] == ['.']
    eventually(look)


def test_a_mailbox_of_that_name_has_another(server, mount):
    server.add('.imapfs')
    mail = mount(server)
    assert {'.imapfs', '%2Eimapfs'} <= set(os.listdir(mail.path))
    assert os.listdir(mail / '%2Eimapfs') == []


def test_without_a_cache_directory_there_are_no_events(server, mount, program):
    (program.cache / 'imapfs').write_text('a file in the way')
    mail = mount(server, expect=['cache'])
    assert os.listdir(mail / '.imapfs') == ['status']
    with pytest.raises(FileNotFoundError):
        os.lstat(mail / '.imapfs' / 'events')
    cache = status(mail)['cache']
    assert cache['directory'] is None and 'cache directory' in cache['unwritable']


# ---- status ----

def test_status_is_json(server, mount):
    mail = mount(server)
    (mail.inbox / '1.eml').read_bytes()
    run = subprocess.run(f'cat "{mail.path}/.imapfs/status" | python3 -m json.tool', shell=True,
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert re.fullmatch(r'\d+\.\d+\.\d+', found['imapfs'])
    assert found['state'] == 'online' and found['error'] is None
    assert found['account'] == f'user@localhost:{server.port}'
    assert [(one['path'], one['messages']) for one in found['folders']] == [('INBOX', 3)]
    assert 0 <= found['folders'][0]['confirmed_ms'] < 30_000 * SLOW
    assert found['cache']['bytes'] >= len(body(1)) and found['cache']['bodies'] >= 1
    assert found['cache']['directory'].endswith(f'user@localhost:{server.port}')

    def idle():
        assert status(mail)['requests'] == {'waiting': 0, 'oldest_ms': None}
    eventually(idle)


def test_status_follows_what_happens(server, mount):
    mail = mount(server)
    before = status(mail)
    assert before['folders'] == []
    (mail.inbox / '1.eml').read_bytes()

    def after():
        now = status(mail)
        assert now['connections'][0]['folder'] == 'INBOX'
        assert now['connections'][0]['state'] == 'ready'
        for name in ('received', 'sent', 'commands'):
            assert now['traffic'][name] > before['traffic'][name]
            assert now['connections'][0][name] <= now['traffic'][name]
        assert now['traffic']['logins'] == now['traffic']['attempts'] == 1
    eventually(after)


@pytest.mark.parametrize('capability', [pytest.param('IDLE', marks=needs('IDLE')), 'NOTIFY'])
def test_status_tells_what_is_pushed(server, mount, capability):
    """By IDLE what is selected, by NOTIFY all."""
    server.add('Other')
    server.capabilities.append('NOTIFY')
    server.mask('NOTIFY' if capability == 'IDLE' else 'IDLE')
    mail = mount(server, connections=1)
    for name in ('Other', 'INBOX'):
        os.listdir(mail / name)

    def pushed():
        assert folder(mail, 'INBOX')['pushed']
        assert folder(mail, 'Other')['pushed'] == (capability == 'NOTIFY')
        assert folder(mail, 'Other')['confirmed_ms'] is not None
    eventually(pushed)


def test_each_reading_is_whole_and_new(server, mount):
    """An open file stays what it was; whoever opens it anew sees the present."""
    mail = mount(server)
    path = mail / '.imapfs' / 'status'
    with open(path, 'rb') as early:
        os.listdir(mail.inbox)
        assert json.loads(early.read())['folders'] == []
        assert folder(mail, 'INBOX')['messages'] == 3
        early.seek(0)
        assert json.loads(early.read())['folders'] == []
    texts = set()

    def read_many():
        for _ in range(50):
            texts.add(json.loads(path.read_bytes())['state'])
    threads = [threading.Thread(target=read_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {'online'}


@pytest.mark.parametrize('command', [
    'cp "$1" "$2"', 'cp -p "$1" "$2"', 'cp --sparse=always "$1" "$2"', 'cat "$1" > "$2"',
    'dd if="$1" of="$2" bs=7 status=none', 'rsync -t "$1" "$2"',
    'tar cf - -C "${1%/*}" status | tar xOf - > "$2"', 'python3 -m json.tool "$1" "$2"',
])
def test_every_program_can_copy_it(server, mount, tmp_path, command):
    mail = mount(server)
    copy = tmp_path / 'copy'
    if not shutil.which(command.split()[0]):
        pytest.skip(f'{command.split()[0]} is missing')
    for number in range(5):
        (mail.inbox / f'{number % 3 + 1}.eml').read_bytes()
        run = subprocess.run(['sh', '-c', command, 'sh', mail / '.imapfs' / 'status', copy],
                             capture_output=True, text=True)
        assert run.returncode == 0 and not run.stderr, run.stderr
        assert json.loads(copy.read_bytes())['state'] == 'online'
        copy.unlink()


def test_it_tells_what_just_was(fake, mount):
    server, uids = fake(), iter(range(1, 51))
    for number in range(8):
        server.add(f'box{number}').extend([b'Subject: x\r\n\r\n' + b'x' * 10_000] * 50)
    mail = mount(server)

    def one_after_the_other():
        uid = next(uids)
        received = status(mail)['traffic']['received']
        for number in range(8):
            (mail / f'box{number}' / f'{uid}.eml').read_bytes()
            now = status(mail)
            assert now['traffic']['received'] > received + 10_000
            assert now['requests']['waiting'] == 0
            received = now['traffic']['received']
    # Who asks waits for an engine that is busy no longer than 50 ms.
    eventually(one_after_the_other)


def test_it_is_one_file(server, mount):
    mail = mount(server)
    path = mail / '.imapfs' / 'status'
    number = os.stat(path).st_ino
    assert [entry.inode() for entry in os.scandir(mail / '.imapfs')
            if entry.name == 'status'] == [number]
    for _ in range(10):
        with open(path, 'rb') as file:
            assert os.fstat(file.fileno()).st_ino == os.stat(path).st_ino == number
            assert os.fstat(file.fileno()).st_size == len(file.read())


def test_snapshots_are_bounded(server, mount):
    mail = mount(server)
    path = mail / '.imapfs' / 'status'
    files = [open(path, 'rb', buffering=0) for _ in range(200)]
    try:
        assert json.loads(files[-1].read())['state'] == 'online'
        with pytest.raises(OSError):
            files[0].read()
    finally:
        for file in files:
            file.close()
    assert status(mail)['state'] == 'online'


def test_those_that_were_closed_go_first(server, mount):
    """The kernel says which snapshots nobody has any more."""
    mail = mount(server)
    with open(mail / '.imapfs' / 'status', 'rb', buffering=0) as file:
        for _ in range(200):
            status(mail)
        assert json.loads(file.read())['state'] == 'online'


def test_no_secret_in_the_status(server, mount):
    mail = mount(server)
    os.listdir(mail.inbox)
    assert server.password.encode() not in (mail / '.imapfs' / 'status').read_bytes()


def quiet(mail):
    now = status(mail)
    assert all(one['quiet_ms'] > 300 for one in now['connections'])
    return now


def test_status_while_the_server_is_a_black_hole(server, mount):
    mail = mount(server, timeout=8)
    mail.expect('.')
    os.listdir(mail.inbox)
    os.stat(mail.inbox / '2.eml')
    before = eventually(lambda: quiet(mail))['traffic']
    server.black_hole()
    readers = [subprocess.Popen(['cat', mail.inbox / f'{uid}.eml'], stderr=subprocess.DEVNULL)
               for uid in (1, 2, 3)]

    def waiting():
        now = status(mail)
        assert now['requests']['waiting'] >= 1
        assert now['requests']['oldest_ms'] > 0
    eventually(waiting)
    takes(lambda: status(mail), 0.05 * SLOW)
    for reader in readers:
        reader.wait(30 * SLOW)

    def offline():
        now = status(mail)
        assert now['state'] == 'offline' and 'no answer' in now['error']['text']
        assert now['traffic']['failures'] >= 1
    eventually(offline)
    server.black_hole(False)
    eventually(lambda: os.stat(mail.inbox / '1.eml') and (mail.inbox / '1.eml').read_bytes())

    def back():
        now = status(mail)
        assert now['state'] == 'online' and now['error']
        assert now['traffic']['failures'] == 0 and now['traffic']['logins'] == 2
        new = now['connections'][0]
        assert now['traffic']['received'] >= before['received'] + new['received']
    eventually(back)


def test_what_is_on_the_way_comes_nearer(fake, mount, program):
    """Of a body that stops in its middle the rest is to come."""
    server, size = fake(), 50_000
    server.inbox.append(b'Subject: x\r\n\r\n' + b'x' * size)
    server.on(rb'BODY\.PEEK', lambda session, command: setattr(session.wire, 'stall_at',
                                                               session.wire.sent + 20_000), times=1)
    mail = mount(server, expect=['.'])
    with subprocess.Popen(['cat', mail.inbox / '1.eml'], stdout=subprocess.DEVNULL) as reader:
        def rest():
            return sum(one['fetching_bytes'] for one in status(mail)['connections'])

        def arrives():
            assert 0 < rest() < size - 10_000
        eventually(arrives)
        run = program.run('status', mail.path)
        assert re.search(r'1 message on the way, [23]\d\.\d KiB to come', run.stdout), run.stdout
        reader.kill()


# ---- events ----

def test_an_arrival_is_an_event(server, mount, follow):
    mail = mount(server, poll=5)
    os.listdir(mail.inbox)
    (mail.inbox / '1.eml').read_bytes()
    journal = follow(mail)
    journal.wait_for(kind='online')
    server.inbox.extend([body(4), body(5)])
    os.listdir(mail.inbox)
    line = journal.wait_for(kind='new', folder='INBOX', uid=4)
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', line['time'])
    journal.wait_for(kind='new', folder='INBOX', uid=5)
    assert not [one for one in journal.lines if one['kind'] == 'new' and one['uid'] < 4], \
        'the first listing is no news'


def test_changes_by_another_client_are_events(dovecot, imap, mount, follow):
    dovecot.deliver([body(number) for number in range(1, 5)])
    imap.create('Other')
    mail = mount(dovecot, poll=5)
    assert len(os.listdir(mail.inbox)) == 4
    for uid in (1, 2, 3, 4):
        os.stat(mail.inbox / f'{uid}.eml')
    journal = follow(mail)
    imap.select('INBOX')
    imap.uid('STORE', '1', '+FLAGS', '(\\Flagged $Work)')
    imap.uid('STORE', '2', '+FLAGS', '(\\Deleted)')
    imap.uid('EXPUNGE', '2')
    journal.wait_for(kind='flags', folder='INBOX', uid=1)
    journal.wait_for(kind='gone', folder='INBOX', uid=2)
    # Not before: INBOX is selected anew then, and without CONDSTORE nothing tells what changed.
    imap.create('Fresh')
    imap.delete('Other')
    journal.wait_for(kind='folder-new', folder='Fresh')
    journal.wait_for(kind='folder-gone', folder='Other')
    assert [one['kind'] for one in journal.lines if one.get('uid') == 2] == ['gone']


def test_a_new_folder_ends_no_events(dovecot, imap, mount, follow):
    """All listings are in doubt then, and nobody looks."""
    dovecot.append(body(1))
    mail = mount(dovecot, poll=5)
    assert len(os.listdir(mail.inbox)) == 1
    journal = follow(mail)
    imap.create('Fresh')
    journal.wait_for(kind='folder-new', folder='Fresh')
    dovecot.append(body(2))
    journal.wait_for(kind='new', folder='INBOX', uid=2)


def test_folders_that_come_and_go_between_mounts_are_events(server, mount, follow):
    server.add('Old')
    server.add('Stay')
    mail = mount(server, poll=5)
    mail.unmount()
    server.remove('Old')
    server.add('Fresh')
    mail = mount(server, poll=5)
    journal = follow(mail)
    journal.wait_for(kind='folder-new', folder='Fresh')
    journal.wait_for(kind='folder-gone', folder='Old')
    mail.unmount()
    mail = mount(server, poll=5)
    server.add('Last')
    journal.wait_for(kind='folder-new', folder='Last')
    folders = [(one['kind'], one['folder']) for one in journal.lines if 'folder' in one]
    assert sorted(folders) == [('folder-gone', 'Old'), ('folder-new', 'Fresh'),
                               ('folder-new', 'Last')], 'the first list is no news'


def test_a_large_change_is_counted(server, mount, follow):
    mail = mount(server, poll=5)
    os.listdir(mail.inbox)
    journal = follow(mail)
    server.inbox.extend([body(7)] * 1500)
    journal.wait_for(kind='new', folder='INBOX', more=500)
    assert len([one for one in journal.lines if 'uid' in one]) == 1000


def test_a_large_change_in_a_deep_folder_is_bounded(server, mount, follow):
    name = '/'.join(['"' * 200] * 15)
    deep = server.add(name)
    deep.append(body(1))
    mail = mount(server, poll=5)
    os.listdir(mail / name)
    journal = follow(mail)
    deep.extend([body(7)] * 1000)
    lines = [journal.wait_for(kind='new', folder=name)]

    def counted():
        lines[:] = [one for one in journal.lines if one['kind'] == 'new']
        assert 'more' in lines[-1]
    eventually(counted)
    assert lines[-1]['more'] + len(lines) - 1 == 1000
    assert os.stat(mail / '.imapfs' / 'events').st_size < 2 << 20


def test_a_server_that_falls_silent_is_noticed_by_itself(server, mount, follow):
    """Nobody asks for anything, and TCP goes on: the command that comes every `poll` seconds, 5 at
    least, is not answered."""
    mail = mount(server, timeout=6, poll=1)
    mail.expect('.')
    os.listdir(mail.inbox)
    journal = follow(mail)
    eventually(lambda: quiet(mail))
    server.black_hole()
    now = status(mail)
    assert now['state'] == 'online' and now['error'] is None and len(now['connections']) == 1
    assert 'no answer' in journal.wait_for(kind='offline')['why']
    now = status(mail)
    assert now['state'] == 'offline' and 'no answer' in now['error']['text']
    assert not [one for one in now['connections'] if one['state'] == 'ready']


def test_going_and_coming_are_events(server, mount, follow):
    mail = mount(server, timeout=6)
    mail.expect('.')
    os.listdir(mail.inbox)
    journal = follow(mail)
    server.black_hole()
    subprocess.run(['cat', mail.inbox / '1.eml'], capture_output=True)
    assert 'no answer' in journal.wait_for(kind='offline')['why']
    count = len(journal.lines)
    server.black_hole(False)
    eventually(lambda: (mail.inbox / '1.eml').read_bytes())

    def back():
        assert 'online' in [one['kind'] for one in journal.lines[count:]]
    eventually(back)


def test_no_mail_in_the_events(server, mount, follow):
    mail = mount(server, poll=5)
    os.listdir(mail.inbox)
    journal = follow(mail)
    server.inbox.append(b'Subject: secret plans\r\nFrom: eve@example.org\r\n\r\nquick brown\r\n')
    journal.wait_for(kind='new', uid=4)
    with open(mail / '.imapfs' / 'events') as file:
        text = file.read()
    assert not re.search('secret plans|eve@|quick', text)
    assert set().union(*(json.loads(line) for line in text.splitlines())) <= {
        'time', 'kind', 'folder', 'uid', 'why'}


# ---- imapfs status ----

def test_command(server, mount, program):
    mail = mount(server)
    (mail.inbox / '1.eml').read_bytes()

    def look():
        run = program.run('status', mail.path)
        assert run.returncode == 0, run.stdout
        assert re.search(rf'^account +user@localhost:{server.port}, online since ', run.stdout,
                         re.M)
        assert re.search(r'^folders +3  INBOX, right [\d.]+ s ago(, changes are told)?$',
                         run.stdout, re.M)
    eventually(look)
    run = program.run('status', '--json', mail.path)
    assert run.returncode == 0
    assert json.loads(run.stdout)['state'] == 'online'


def test_command_for_any_path_in_a_mount(server, mount, program, tmp_path):
    server.add('Lists/a')
    mail = mount(server)
    (tmp_path / 'link').symlink_to(mail.inbox)
    for path in (mail.inbox, mail.inbox / '1.eml', mail / 'Lists' / 'a', mail / '.imapfs',
                 mail / '.imapfs' / 'status', mail / '.imapfs' / 'events', tmp_path / 'link',
                 f'{mail.path}/Lists/..'):
        run = program.run('status', path)
        assert run.returncode == 0, run.stdout
        assert f'user@localhost:{server.port}, online' in run.stdout
    run = program.run('status', mail / 'Nope')
    assert run.returncode == 1 and 'Nope: No such file or directory' in run.stdout
    (tmp_path / 'dangling').symlink_to('nowhere')
    run = program.run('status', tmp_path / 'dangling')
    assert run.returncode == 1 and 'dangling: No such file or directory' in run.stdout


def test_command_where_the_program_is_gone(server, mount, program):
    mail = mount(server)
    os.kill(mail.pid, signal.SIGKILL)
    eventually(lambda: gone(mail.path))
    said = set()
    for words in (['status'], ['status', '--json'], ['-f', '-o', program.options(server),
                                                    server.source]):
        run = program.run(*words, mail.path)
        assert run.returncode == 1
        said.add(run.stdout)
    mail.destroy()
    assert said == {f'imapfs: the program behind the mount on {mail.path} is gone; end it with '
                    'fusermount3 -u\n'}


def gone(path):
    with pytest.raises(OSError, match='not connected'):
        os.statvfs(path)


def test_command_on_a_terminal_refreshes_in_place(server, mount):
    mail = mount(server)
    master, slave = os.openpty()
    viewer = subprocess.Popen([binary(), 'status', mail.path], stdin=subprocess.DEVNULL,
                              stdout=slave, stderr=slave,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    os.close(slave)
    try:
        text = read_until(master, b'', rb'none was looked at yet')
        lines = len(text.split(b'\x1b[K\r\n')) - 1
        os.listdir(mail.inbox)
        text = read_until(master, text, rb'3  INBOX, right')
        assert f'\x1b[{lines}A'.encode() in text
        viewer.send_signal(signal.SIGINT)
        assert viewer.wait(20 * SLOW) == -signal.SIGINT
    finally:
        viewer.kill()
        viewer.wait()
        os.close(master)


def test_command_says_what_a_terminal_has_no_room_for(fake, mount, viewer):
    server = fake()
    for number in range(8):
        server.add(f'box{number}').append(body(number))
    mail = mount(server)
    for number in range(8):
        os.listdir(mail / f'box{number}')

    def look():
        text = viewer(mail, rows=10)(rb'lines\x1b\[K\r\n\x1b\[J').split(b'\r\n')[:-1]
        assert len(text) == 9
        left_out = int(re.fullmatch(rb'\.\.\. and (\d+) more lines\x1b\[K', text[-1])[1])
        whole = viewer(mail, rows=40)(rb'box7.*\r\n\x1b\[J').split(b'\r\n')[:-1]
        assert len(whole) == 8 + left_out
    eventually(look)


@pytest.fixture
def viewer():
    """viewer(mail, rows=...) -> a function that reads the terminal until a pattern comes."""
    open_ones = []

    def start(mail, rows):
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', rows, 80, 0, 0))
        process = subprocess.Popen([binary(), 'status', mail.path], stdin=subprocess.DEVNULL,
                                   stdout=slave, stderr=slave)
        os.close(slave)
        open_ones.append((process, master))
        return lambda pattern: read_until(master, b'', pattern)
    yield start
    for process, master in open_ones:
        process.kill()
        process.wait()
        os.close(master)


def read_until(terminal, text, pattern):
    while not re.search(pattern, text):
        text += os.read(terminal, 4096)
    return text


def test_command_where_nothing_is_mounted(program, tmp_path):
    (tmp_path / 'imposter' / '.imapfs').mkdir(parents=True)
    (tmp_path / 'imposter' / '.imapfs' / 'status').write_text('{"state": "online"}')
    (tmp_path / 'file').write_text('')
    for name in ('', 'file', 'imposter'):
        run = program.run('status', tmp_path / name)
        assert run.returncode == 1
        assert 'imapfs is not mounted here' in run.stdout, name
    for name, why in (('missing', 'No such file or directory'), ('file/x', 'Not a directory')):
        run = program.run('status', tmp_path / name)
        assert run.returncode == 1
        assert run.stdout == f'imapfs: {tmp_path / name}: {why}\n'
    for words in (['status'], ['status', 'a', 'b'], ['status', '-o', 'ro', 'a'],
                  ['--json', 'imaps://a@b', 'c']):
        assert program.run(*words).returncode == 1


def test_command_while_the_process_is_stopped(server, mount, program):
    mail = mount(server)
    os.kill(mail.pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        run = program.run('status', mail.path)
        assert time.monotonic() - start < 5 * SLOW
        assert run.returncode == 1 and 'does not answer' in run.stdout
    finally:
        os.kill(mail.pid, signal.SIGCONT)
    assert program.run('status', mail.path).returncode == 0
