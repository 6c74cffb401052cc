"""Files that are written become messages when they are closed: exactly one each, with all that was
written, and whoever closes is told what became of it."""

import errno
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.conftest import needs
from tests.support import MASK, SLOW, eventually, lists, reads, sample

LETTER = (b'From: Ada Example <ada@harbour.example>\nSubject: Written\n'
          b'Date: Wed, 17 Jul 1996 02:44:25 -0700\nMessage-ID: <written@harbour.example>\n\n'
          b'First line.\nSecond line.\n')
WIRE = LETTER.replace(b'\n', b'\r\n')
# Without it what a name means is not known when its UID is another message's.
NAMES_TOLD = needs('UIDPLUS')
REFUSED = ['refused', 'not sent', 'unsent', 'x.eml', 'APPEND']


@pytest.fixture
def world(fake, mount):
    """world(**options) -> (server, mount) of an account with some mailboxes; offers: further
    capabilities of its server."""
    def start(expect=REFUSED, offers=(), **options):
        server = fake()
        server.capabilities.extend(offers)
        server.add('Archive')
        server.add('Drafts', special=['\\Drafts'])
        server.inbox.extend(sample.numbered(number) for number in (1, 2))
        mail = mount(server, expect=expect, **options)
        return server, mail
    return start


def bodies(server, name=b'Archive'):
    box = server.mailboxes[name]
    return [box.message(uid).body for uid in box.uids()]


def appends(server):
    return server.lines(rb' APPEND ')


def failure(call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return errno.errorcode[caught.value.errno]


def write(path, data=LETTER, flags=os.O_CREAT | os.O_WRONLY | os.O_TRUNC):
    """write(2) and close(2), each with its error."""
    fd = os.open(path, flags, 0o666)
    try:
        os.write(fd, data)
    except OSError:
        os.close(fd)
        raise
    os.close(fd)


# ---- one message

def test_one_message(world):
    server, mail = world()
    path = mail / 'Archive/x.eml'
    write(path)
    assert bodies(server) == [WIRE]
    assert server.mailboxes[b'Archive'].message(1).date == '17-Jul-1996 09:44:25 +0000'
    # The message under both names, as the server has it; no byte of it was fetched.
    lists(mail / 'Archive', ['1.eml'])
    assert path.read_bytes() == WIRE == (mail / 'Archive/1.eml').read_bytes()
    assert path.stat().st_ino == (mail / 'Archive/1.eml').stat().st_ino
    assert path.stat().st_mtime == 837596665
    assert len(appends(server)) == 1
    assert 'UIDPLUS' in MASK or not server.lines(rb'BODY(.PEEK)?\[\]')


IN_PYTHON = {
    'dup': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
other = os.dup(fd)
os.write(fd, one); os.close(fd)
os.write(other, two); os.close(other)''',
    'fork': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one)
if os.fork() == 0:
    os.close(fd)
    os._exit(0)
os.wait()
os.write(fd, two); os.close(fd)''',
    'child is the last': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
reader, writer = os.pipe()
os.write(fd, one)
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    os.write(fd, two); os.close(fd)
    os._exit(0)
os.close(fd)
os.close(writer)
os.wait()''',
    'threads': '''
import threading
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one + two)
copies = [os.dup(fd) for _ in range(8)]
threads = [threading.Thread(target=os.close, args=(copy,)) for copy in copies + [fd]]
for thread in threads: thread.start()
for thread in threads: thread.join()''',
    'fsync': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one + two); os.fsync(fd); os.fsync(fd); os.close(fd)''',
    'fsync in between': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one); os.fsync(fd); os.write(fd, two); os.close(fd)''',
    'second process': '''
import subprocess
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one)
subprocess.run(['sh', '-c', 'cat two'], stdout=fd, check=True)
os.close(fd)''',
    'no close at all': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one + two)''',
    'killed': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.write(fd, one + two)
os.kill(os.getpid(), 9)''',
    'mapped': '''
import mmap
fd = os.open(path, os.O_CREAT | os.O_RDWR)
os.ftruncate(fd, len(one + two))
memory = mmap.mmap(fd, 0)
memory[:] = one + two
memory.close()
os.close(fd)''',
    'appended': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
os.write(fd, one); os.write(fd, two); os.close(fd)''',
    'holes filled': '''
fd = os.open(path, os.O_CREAT | os.O_WRONLY)
os.pwrite(fd, two, len(one)); os.pwrite(fd, one, 0); os.close(fd)''',
}


@pytest.mark.parametrize('how', IN_PYTHON)
def test_closed_often(world, tmp_path, how):
    server, mail = world()
    one, two = LETTER[:70], LETTER[70:]
    (tmp_path / 'two').write_bytes(two)
    path = mail / 'Archive/x.eml'
    run = subprocess.run([sys.executable, '-c', f'import os\npath, one, two = {str(path)!r}, '
                          f'{one!r}, {two!r}\n{IN_PYTHON[how]}'], cwd=tmp_path,
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (-signal.SIGKILL if how == 'killed' else 0, '')
    eventually(lambda: equal(bodies(server), [WIRE]))
    eventually(lambda: equal(len(os.listdir(mail / 'Archive')), 1))
    # Who closes it first may have been the last.
    if how not in ('dup', 'fsync in between', 'child is the last'):
        assert len(appends(server)) == 1


def equal(found, expected):
    assert found == expected


IN_SHELL = {
    'subshell': '(cat one; cat two) > x.eml',
    'braces': '{ cat one; cat two; } > x.eml',
    'exec': 'exec 3> x.eml; cat one >&3; cat two >&3; exec 3>&-',
    'append': 'cat one > .x; cat two >> .x; mv .x x.eml',
    'pipe': 'cat one two | tee x.eml > /dev/null',
    'touch': 'touch x.eml; cat one two > x.eml',
    'empty first': ': > x.eml; cat one two > x.eml',
    'noclobber': 'set -C; cat one two > x.eml',
    'dd': 'cat one two | dd of=x.eml bs=7 conv=fsync status=none',
    'cp': 'cat one two > .x~; cp .x~ x.eml; rm .x~',
    'sparse': 'cat one two > /dev/shm/t.$$; cp --sparse=always /dev/shm/t.$$ x.eml; rm /dev/shm/t.$$',
    'install': 'cat one two > .x; install -m 640 -p .x x.eml; rm .x',
    'sed': 'cat one two > .x; sed s/Second/Second/ .x > x.eml; rm .x',
    'tar': 'cat one two > x.eml~; tar cf .t --transform s/~// x.eml~; tar xf .t; rm .t x.eml~',
    'mv': 'cat one two > /dev/shm/t.$$; mv /dev/shm/t.$$ x.eml',
    'background': '(sleep 0.3; cat one; cat two) > x.eml & wait',
}


@pytest.mark.parametrize('how', IN_SHELL)
def test_written_in_the_shell(world, tmp_path, how):
    server, mail = world()
    (tmp_path / 'one').write_bytes(LETTER[:70])
    (tmp_path / 'two').write_bytes(LETTER[70:])
    script = re.sub(r'\b(one|two)\b', lambda word: str(tmp_path / word[0]), IN_SHELL[how])
    run = subprocess.run(['bash', '-ec', script], cwd=mail / 'Archive', capture_output=True,
                         text=True)
    assert (run.returncode, run.stderr) == (0, '')
    assert bodies(server) == [WIRE]
    lists(mail / 'Archive', ['1.eml'])
    reads(mail / 'Archive/x.eml', WIRE)
    assert len(appends(server)) == 1


def test_a_server_that_drops_carriage_returns(world):
    """Dovecot does, of those that end no line; its answer is lost, and the message is found."""
    server, mail = world()
    text = b'Subject: old\r\rmac\r\r\n\r\nx\r'
    archive = server.mailboxes[b'Archive']

    def drop():
        archive.message(1).body = text.replace(b'\r\r\n', b'\r\n')[:-1]
    server.cut(rb'APPEND', 'after', how=drop)
    write(mail / 'Archive/x.eml', text)
    assert bodies(server) == [b'Subject: old\r\rmac\r\n\r\nx']
    assert len(appends(server)) == 1
    reads(mail / 'Archive/x.eml', bodies(server)[0])


COPIES = {
    'cp': ['cp'], 'cp -p': ['cp', '-p'], 'cp -a': ['cp', '-a'], 'rsync': ['rsync'],
    'rsync -a': ['rsync', '-a'], 'rsync --inplace': ['rsync', '-a', '--inplace'],
    'install': ['install', '-p', '-m', '755'],
}


@pytest.mark.parametrize('tool', COPIES)
def test_copied_in(world, tmp_path, tool):
    """With times and permissions that a message cannot have; the time becomes its date."""
    server, mail = world()
    (tmp_path / 'files').mkdir()
    names = [f'm{number}.eml' for number in range(5)]
    for number, name in enumerate(names):
        path = tmp_path / 'files' / name
        path.write_bytes(sample.numbered(number))
        path.chmod(0o644 if number % 2 else 0o440)
        os.utime(path, (1000000000 + number, 1100000000 + number))
    run = subprocess.run([*COPIES[tool], *[tmp_path / 'files' / name for name in names],
                          mail / 'Archive/'], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, '')
    assert sorted(bodies(server)) == [sample.numbered(number) for number in range(5)]
    assert len(appends(server)) == 5
    kept = tool not in ('cp', 'rsync', 'rsync --inplace')
    times = sorted((mail / 'Archive' / name).stat().st_mtime for name in names)
    assert times == ([1100000000 + number for number in range(5)] if kept else [1767268800] * 5)


def test_directory_copied_in(world, tmp_path):
    server, mail = world()
    (tmp_path / 'New').mkdir(mode=0o755)
    (tmp_path / 'New/a.eml').write_bytes(LETTER)
    os.utime(tmp_path / 'New', (5, 7))
    run = subprocess.run(['cp', '-a', tmp_path / 'New', mail.path], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, '')
    assert bodies(server, b'New') == [WIRE]


# ---- what is not sent

def test_empty_file_is_not_sent(world):
    server, mail = world()
    path = mail / 'Archive/x.eml'
    path.touch()
    assert os.listdir(mail / 'Archive') == ['x.eml']
    assert path.stat().st_size == 0 and path.read_bytes() == b''
    os.utime(path, (5, 7))
    assert path.stat().st_mtime == 7
    os.rename(path, mail / 'Archive/y.eml')
    path = mail / 'Archive/y.eml'
    assert not appends(server)
    write(path, flags=os.O_WRONLY)
    assert bodies(server) == [WIRE]
    lists(mail / 'Archive', ['1.eml'])
    # Its name and nothing else is left of an empty one.
    (mail / 'Archive/z.eml').touch()
    os.unlink(mail / 'Archive/z.eml')
    lists(mail / 'Archive', ['1.eml'])


@pytest.mark.parametrize('text', [b'no header\n', b'From ada@harbour.example Mon\nFrom: a\n\nx\n',
                                  b'\n' + LETTER, bytes(100), b'Sch\xc3\xb6n: x\n'])
def test_what_is_no_message(world, text):
    server, mail = world()
    path = mail / 'Archive/x.eml'
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(fd, text)
    assert failure(os.fsync, fd) == 'EINVAL'
    assert failure(os.close, fd) == 'EINVAL'
    assert os.listdir(mail / 'Archive') == ['x.eml']
    assert path.read_bytes() == text
    assert not appends(server)
    write(path)
    assert bodies(server) == [WIRE]
    lists(mail / 'Archive', ['1.eml'])


def test_scratch_files_are_not_sent(world):
    server, mail = world()
    for name in ('.x.eml.aX03', 'x.eml~', '.#x.eml', 'sedAb12Cd'):
        path = mail / 'Archive' / name
        write(path)
        fd = os.open(path, os.O_RDWR)
        os.fsync(fd)
        os.close(fd)
        assert path.read_bytes() == LETTER
    assert len(os.listdir(mail / 'Archive')) == 4
    assert not appends(server)
    mail.unmount()
    assert not appends(server)


def test_renamed_while_it_is_written(world):
    server, mail = world()
    path = mail / 'Archive/.x'
    with open(path, 'wb') as file:
        file.write(LETTER[:70])
        file.flush()
        os.rename(path, mail / 'Archive/x.eml')
        assert not appends(server)
        file.write(LETTER[70:])
    assert bodies(server) == [WIRE]
    assert len(appends(server)) == 1


# ---- refusals

@pytest.mark.parametrize('answer,code', [('[OVERQUOTA] no', 'EDQUOT'), ('[TOOBIG] no', 'EFBIG'),
                                         ('[NOPERM] no', 'EACCES'), ('[LIMIT] no', 'EAGAIN'),
                                         ('[CANNOT] no', 'EINVAL'), ('no', 'EIO'),
                                         ('[TRYCREATE] no', 'ENOENT')])
@pytest.mark.parametrize('sync', [None, True], ids=['journal', 'sync'])
def test_refused(world, answer, code, sync):
    """Whoever closes is told, and the text is there still, to be saved elsewhere or again."""
    server, mail = world(sync=sync)
    server.deny(rb' APPEND ', answer)
    path = mail / 'Archive/x.eml'
    assert failure(write, path) == code
    assert os.listdir(mail / 'Archive') == ['x.eml']
    assert path.read_bytes() == LETTER
    assert len(appends(server)) == 1
    server.rules.clear()
    fd = os.open(path, os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    assert bodies(server) == [WIRE]
    lists(mail / 'Archive', ['1.eml'])
    assert unsent(mail) == []


def unsent(mail):
    """What is kept of texts."""
    return [path for path in (mail.path.parent / 'home').rglob('unsent/*')]


def test_refused_and_unlinked(world):
    server, mail = world()
    server.deny(rb' APPEND ', '[OVERQUOTA] no')
    path = mail / 'Archive/x.eml'
    assert failure(write, path) == 'EDQUOT'
    assert len(unsent(mail)) == 1
    os.unlink(path)
    assert os.listdir(mail / 'Archive') == []
    assert unsent(mail) == []


def test_over_the_limit(fake, mount):
    """Known in advance, so that nothing is sent."""
    server = fake()
    server.capabilities.append('APPENDLIMIT=1000')
    server.add('Archive')
    mail = mount(server, expect=REFUSED)
    assert failure(write, mail / 'Archive/x.eml', LETTER + b'x' * 1000) == 'EFBIG'
    assert not appends(server)
    write(mail / 'Archive/y.eml')
    assert bodies(server) == [WIRE]


@pytest.mark.parametrize('binary', [True, False])
def test_nul(world, fake, mount, binary):
    server = fake()
    if not binary:
        server.mask('BINARY', 'IMAP4rev2')
    elif 'BINARY' not in server.capabilities:
        server.capabilities.append('BINARY')
    server.add('Archive')
    mail = mount(server, expect=REFUSED)
    path = mail / 'Archive/x.eml'
    text = LETTER + b'a\0b\n'
    if binary:
        write(path, text)
        assert bodies(server) == [text.replace(b'\n', b'\r\n')]
    else:
        assert failure(write, path, text) == 'EINVAL'
        assert path.read_bytes() == text
        assert not appends(server)


def test_disk_full(world, tmp_path):
    if os.geteuid() != 0:
        pytest.skip('only root can mount a small disk')
    disk = tmp_path / 'disk'
    disk.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m,mode=700', 'none', disk], check=True)
    try:
        server, mail = world(cachedir=disk, expect=[*REFUSED, 'space', 'cannot be written'])
        path = mail / 'Archive/x.eml'
        fd = os.open(path, os.O_CREAT | os.O_WRONLY)
        os.write(fd, LETTER)
        with pytest.raises(OSError) as caught:
            for _ in range(64):
                os.write(fd, b'x' * 65536)
        assert caught.value.errno == errno.ENOSPC
        os.ftruncate(fd, len(LETTER))
        os.close(fd)
        assert bodies(server) == [WIRE]
        mail.unmount()
    finally:
        subprocess.run(['umount', '-l', disk], check=True)


def test_memory_full(world):
    """Without a cache directory."""
    server, mail = world(cachedir='/proc/imapfs', expect=[*REFUSED, 'cache', 'memory'])
    path = mail / 'Archive/x.eml'
    with open(path, 'wb', buffering=0) as file, open(mail / 'Archive/.other', 'wb') as other:
        file.write(LETTER)
        assert failure(file.truncate, (64 << 20) + 1) == 'ENOSPC'
        other.truncate((64 << 20) - len(LETTER) - 99)
        assert failure(file.write, b'x' * 100) == 'ENOSPC'
        other.truncate(0)
        file.write(b'x' * 100)
    assert bodies(server) == [WIRE + b'x' * 100]


def test_too_long(world):
    server, mail = world()
    fd = os.open(mail / 'Archive/.x', os.O_CREAT | os.O_RDWR)
    assert failure(os.pwrite, fd, b'x', 1 << 31) == 'EFBIG'
    assert failure(os.ftruncate, fd, 1 << 40) == 'EFBIG'
    os.ftruncate(fd, (1 << 31) - 1)
    assert os.fstat(fd).st_size == (1 << 31) - 1
    os.close(fd)


# ---- attributes

def test_attributes_while_it_is_written(world):
    server, mail = world()
    path = mail / 'Archive/x.eml'
    with open(path, 'wb') as file:
        fd = file.fileno()
        os.fchmod(fd, 0o644)
        os.fchown(fd, os.getuid(), os.getgid())
        os.write(fd, LETTER)
        os.utime(fd, ns=(5, 1234567890 * 10 ** 9 + 5))
        facts = os.fstat(fd)
        assert (facts.st_size, facts.st_mtime, facts.st_nlink) == (len(LETTER), 1234567890.000000005, 1)
        assert facts.st_mode & 0o777 == 0o600
    assert path.stat().st_mtime == 1234567890
    # A moment after it may be said again, and is forgotten.
    os.utime(path, (5, 7))
    os.chmod(path, 0o640)
    assert path.stat().st_mtime == 1234567890 and path.stat().st_mode & 0o777 == 0o600
    assert len(appends(server)) == 1


def test_attributes_of_messages(world):
    server, mail = world()
    path = mail / 'INBOX/1.eml'
    facts = path.stat()
    assert failure(os.utime, path, (5, 7)) == 'EPERM'
    assert failure(os.utime, path) == 'EPERM'
    assert failure(os.chmod, path, 0o644) == 'EPERM'
    assert failure(os.truncate, path, 10) == 'EPERM'
    assert failure(write, path, LETTER, os.O_WRONLY) == 'EPERM'
    os.utime(path, (facts.st_atime, facts.st_mtime))
    os.chmod(path, facts.st_mode & 0o777)
    assert path.stat() == facts
    assert path.read_bytes() == sample.numbered(1)


# ---- copies

def test_copy_moves_no_bytes(world):
    server, mail = world()
    run = subprocess.run(['cp', '-a', mail / 'INBOX/1.eml', mail / 'INBOX/2.eml',
                          mail / 'Archive/'], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, '')
    mail.settle('INBOX')
    eventually(lambda: equal(sorted(bodies(server)), [sample.numbered(1), sample.numbered(2)]))
    assert not appends(server)
    assert not server.lines(rb'BODY(.PEEK)?\[\]')
    lists(mail / 'Archive', ['1.eml', '2.eml'])
    assert (mail / 'Archive/1.eml').read_bytes() in bodies(server)


@NAMES_TOLD
def test_copies_onto_names_that_are_taken(world):
    """`cp INBOX/*.eml Archive/` finds the names taken, before or by what it has copied itself: all
    stay, as with mv."""
    server, mail = world(edit='none')
    server.inbox.extend(sample.numbered(number) for number in range(3, 301))
    server.mailboxes[b'Archive'].extend(sample.numbered(number) for number in range(301, 401))
    assert len(os.listdir(mail / 'Archive')) == 100
    assert len(os.listdir(mail.inbox)) == 300
    run = subprocess.run(f'cp -p {mail.inbox}/*.eml {mail.path}/Archive/', shell=True,
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, '')
    mail.settle('INBOX')
    assert sorted(bodies(server)) == sorted(sample.numbered(n) for n in range(1, 401))
    assert not server.lines(rb' APPEND |UID STORE|BODY(.PEEK)?\[\]')
    eventually(lambda: equal(len(os.listdir(mail / 'Archive')), 400))
    for uid in (1, 50, 100, 101, 250, 400):
        expected = server.mailboxes[b'Archive'].message(uid).body
        eventually(lambda: equal((mail / f'Archive/{uid}.eml').read_bytes(), expected))


@NAMES_TOLD
def test_names_like_uids(world, tmp_path):
    """A backup of a mailbox is copied back: what was written already is in nobody's way."""
    server, mail = world()
    for number in range(1, 31):
        (tmp_path / f'{number}.eml').write_bytes(sample.numbered(number))
    run = subprocess.run(f'cp {tmp_path}/*.eml {mail.path}/Archive/', shell=True,
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, '')
    assert sorted(bodies(server)) == sorted(sample.numbered(n) for n in range(1, 31))
    assert sorted(os.listdir(mail / 'Archive')) == sorted(f'{n}.eml' for n in range(1, 31))
    for uid in range(1, 31):
        expected = server.mailboxes[b'Archive'].message(uid).body
        assert (mail / f'Archive/{uid}.eml').read_bytes() == expected


@NAMES_TOLD
@pytest.mark.parametrize('how', ['written', 'renamed', 'moved'])
def test_names_like_uids_mean_what_they_were_given(world, how):
    """Until they are listed, whatever UID another message got: to whoever reads and whoever
    changes. rsync sets times by the name, tar unlinks what it is to replace, and mv -n says nothing
    of what it leaves."""
    server, mail = world(edit='none')
    server.inbox.extend(sample.numbered(number) for number in range(3, 21))
    archive = mail / 'Archive'
    for number in range(20, 0, -1):
        path = archive / f'{number}.eml'
        if how == 'written':
            write(path, sample.numbered(number))
            os.utime(path)
        elif how == 'renamed':
            write(archive / '.tmp', sample.numbered(number))
            os.rename(archive / '.tmp', path)
            os.utime(path)
        else:
            subprocess.run(['mv', '-n', mail / f'INBOX/{number}.eml', path], check=True)
            mail.settle('Archive')
        assert path.read_bytes() == sample.numbered(number)
    assert {(archive / f'{n}.eml').read_bytes() for n in range(1, 21)} == set(bodies(server))
    os.unlink(archive / '19.eml')
    os.rename(archive / '18.eml', mail / 'Drafts/18.eml')
    mail.settle('Archive')
    assert bodies(server, b'Drafts') == [sample.numbered(18)]
    left = [sample.numbered(n) for n in range(20, 0, -1) if n not in (18, 19)]
    assert bodies(server) == left
    uids = server.mailboxes[b'Archive'].uids()
    lists(archive, [f'{uid}.eml' for uid in uids])
    # From now on they are the names of others.
    for uid in uids:
        expected = server.mailboxes[b'Archive'].message(uid).body
        eventually(lambda: equal((archive / f'{uid}.eml').read_bytes(), expected))
    os.unlink(archive / '4.eml')
    mail.settle('Archive')
    left.remove(sample.numbered(17))
    assert bodies(server) == left


@NAMES_TOLD
def test_names_given_crosswise(world):
    """They arrive together, each with the UID that is the name of the other."""
    server, mail = world()
    archive = mail / 'Archive'
    os.rename(mail / 'INBOX/1.eml', archive / '2.eml')
    os.rename(mail / 'INBOX/2.eml', archive / '1.eml')
    mail.settle('Archive')
    assert bodies(server) == [sample.numbered(1), sample.numbered(2)]
    assert (archive / '2.eml').read_bytes() == sample.numbered(1)
    assert (archive / '1.eml').read_bytes() == sample.numbered(2)
    os.unlink(archive / '2.eml')
    mail.settle('Archive')
    assert bodies(server) == [sample.numbered(2)]
    lists(archive, ['2.eml'])
    eventually(lambda: equal((archive / '2.eml').read_bytes(), sample.numbered(2)))


def test_emptied_where_nothing_may_be_written(world):
    """Truncating is how cp begins; closing then says that nothing came of it."""
    server, mail = world()
    path = mail / 'INBOX/1.eml'
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    assert failure(os.write, fd, LETTER) == 'EPERM'
    assert failure(os.ftruncate, fd, 10) == 'EPERM'
    assert failure(os.close, fd) == 'EPERM'
    assert path.stat().st_size == len(sample.numbered(1))
    assert path.read_bytes() == sample.numbered(1)
    os.truncate(path, 0)
    eventually(lambda: equal(path.read_bytes(), sample.numbered(1)))
    source = mail.path.parent / 'new.eml'
    source.write_bytes(LETTER)
    run = subprocess.run(['cp', source, path], capture_output=True, text=True)
    assert run.returncode == 1 and 'Operation not permitted' in run.stderr
    eventually(lambda: equal(path.read_bytes(), sample.numbered(1)))
    assert not server.lines(rb' APPEND |UID STORE')


def copied(mail, name='Archive/x.eml', flags=os.O_CREAT | os.O_RDWR):
    """Descriptors of a message and of a copy of it that is not closed."""
    source = os.open(mail / 'INBOX/1.eml', os.O_RDONLY)
    target = os.open(mail / name, flags, 0o600)
    size = len(sample.numbered(1))
    assert os.copy_file_range(source, target, 1 << 20) == size
    assert os.fstat(target).st_size == size
    return source, target


def test_copy_is_read_before_it_is_closed(world):
    server, mail = world()
    source, target = copied(mail)
    assert os.pread(target, 1000, 0) == sample.numbered(1)
    assert (mail / 'Archive/x.eml').read_bytes() == sample.numbered(1)
    os.close(target)
    os.close(source)
    mail.settle('INBOX')
    eventually(lambda: equal(bodies(server), [sample.numbered(1)]))
    assert not appends(server)


@pytest.mark.parametrize('how', ['write', 'truncate', 'empty'])
def test_copy_is_changed_before_it_is_closed(world, how):
    server, mail = world()
    source, target = copied(mail)
    body = sample.numbered(1)
    if how == 'write':
        os.pwrite(target, b'more\r\n', len(body))
        body += b'more\r\n'
    elif how == 'truncate':
        os.ftruncate(target, 50)
        body = body[:50]
    else:
        os.ftruncate(target, 0)
        os.pwrite(target, LETTER, 0)
        body = WIRE
    os.close(target)
    os.close(source)
    assert bodies(server) == [body]
    assert not server.lines(rb' COPY ')


def test_copy_of_a_part_and_to_a_scratch_name(world):
    server, mail = world()
    source = os.open(mail / 'INBOX/1.eml', os.O_RDONLY)
    for name, length in (('x.eml', 60), ('.x', 1 << 20)):
        target = os.open(mail / 'Archive' / name, os.O_CREAT | os.O_RDWR)
        done = 0
        while done < min(length, len(sample.numbered(1))):
            done += os.copy_file_range(source, target, length - done, done, done)
        os.close(target)
        expected = sample.numbered(1)[:length]
        assert (mail / 'Archive' / name).read_bytes() == expected
    os.close(source)
    assert bodies(server) == [sample.numbered(1)[:60]]
    assert not server.lines(rb' COPY ')


# ---- written again, away, ended

def test_written_after_it_was_sent(world):
    server, mail = world()
    with open(mail / 'Archive/x.eml', 'wb', buffering=0) as file:
        file.write(LETTER)
        os.fsync(file.fileno())
        assert bodies(server) == [WIRE]
        file.write(b'More.\n')
        os.fsync(file.fileno())
        mail.settle('Archive')
        assert bodies(server) == [WIRE + b'More.\r\n']
        file.write(b'And more.\n')
    mail.settle('Archive')
    assert bodies(server) == [WIRE + b'More.\r\nAnd more.\r\n']
    reads(mail / 'Archive/x.eml', bodies(server)[0])
    eventually(lambda: equal(len(os.listdir(mail / 'Archive')), 1))


def test_while_the_server_is_away(world):
    server, mail = world(expect=[*REFUSED, 'away', 'connect', 'offline', 'lost', 'broke'])
    os.listdir(mail / 'Archive')
    server.refuse = True
    server.kill()
    path = mail / 'Archive/x.eml'
    with open(path, 'wb', buffering=0) as file:
        file.write(LETTER)
        os.fsync(file.fileno())
        file.write(b'More.\n')
    assert os.listdir(mail / 'Archive') == ['x.eml']
    assert len(path.read_bytes()) >= len(LETTER)
    server.refuse = False
    eventually(lambda: equal(bodies(server), [WIRE + b'More.\r\n']))
    eventually(lambda: equal(len(os.listdir(mail / 'Archive')), 1))
    reads(path, WIRE + b'More.\r\n')


def test_open_when_the_mount_ends(world):
    """What nobody closed is sent then."""
    server, mail = world()
    fd = os.open(mail / 'Archive/x.eml', os.O_CREAT | os.O_WRONLY)
    os.write(fd, LETTER)
    mail.terminate()
    with pytest.raises(OSError):
        os.close(fd)
    assert bodies(server) == [WIRE]
    assert unsent(mail) == []


def test_writer_killed_while_it_waits(world):
    """Whoever waits for the server can be ended; the text goes on its way."""
    server, mail = world(timeout=30)
    server.black_hole()
    writer = subprocess.Popen(['dd', f'of={mail.path}/Archive/x.eml', 'status=none'],
                              stdin=subprocess.PIPE)
    writer.stdin.write(LETTER)
    writer.stdin.close()
    eventually(lambda: equal(len(unsent(mail)), 1))
    with pytest.raises(subprocess.TimeoutExpired):
        writer.wait(0.3)
    writer.kill()
    assert writer.wait(20 * SLOW) == -signal.SIGKILL
    server.black_hole(False)
    eventually(lambda: equal(bodies(server), [WIRE]))


# ---- with a real server

def test_dovecot(dovecot, imap, mount):
    imap.create('Archive')
    mail = mount(dovecot)
    for number in range(20):
        (mail / f'Archive/m{number}.eml').write_bytes(sample.numbered(number))
    subprocess.run(['cp', *sorted((mail / 'Archive').iterdir()), mail.inbox], check=True)
    mail.settle('Archive')
    mail.settle('INBOX')
    for folder in ('Archive', 'INBOX'):
        found = sorted(path.read_bytes() for path in (mail / folder).iterdir())
        assert found == sorted(sample.numbered(number) for number in range(20))
