"""Files that are open when their message goes: what is whole in the cache is read on, and fstat(2)
says what it said before; the rest is ESTALE. Nobody gets there by a name any more."""

import base64
import errno
import os
import random

import pytest

from tests.support import eventually, lists

DATA = random.Random(5).randbytes(6_000_000)
LETTER = (b'From: Alice <alice@example.org>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n'
          b'Content-Type: multipart/mixed; boundary=b\r\n\r\n'
          b'--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n%s\r\n'
          b'--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;'
          b' filename=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n')
SMALL = LETTER % (b'T\xe4xt', b'JVBERg==')
LARGE = LETTER % (b'T\xe4xt\r\n' * 300_000,
                  base64.encodebytes(DATA).replace(b'\n', b'\r\n').rstrip())
FILES = ['2.eml', '.text/2.txt', '.parts/2/header', '.parts/2/1.txt', '.parts/2/2-report.pdf']


@pytest.fixture
def elsewhere(imap):
    """elsewhere(mail): another client expunges the second message."""
    def expunge(mail):
        imap.select('INBOX')
        imap.uid('STORE', '2', '+FLAGS.SILENT', '(\\Deleted)')
        imap.uid('EXPUNGE', '2')
    return expunge


@pytest.fixture
def here():
    def remove(mail):
        os.unlink(mail.inbox / '2.eml')
        mail.settle()
    return remove


@pytest.fixture
def opened():
    """opened(path) -> a descriptor."""
    fds = []

    def start(path):
        fds.append(os.open(path, os.O_RDONLY))
        return fds[-1]
    yield start
    for fd in fds:
        os.close(fd)


def facts(fd):
    found = os.fstat(fd)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime, found.st_uid


def drop_pages(fd):
    """So that the next read(2) asks the program."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def fails_with(code, call, *arguments):
    with pytest.raises(OSError) as failure:
        call(*arguments)
    assert errno.errorcode[failure.value.errno] == errno.errorcode[code]


def assert_nobody_gets_there(mail, path):
    lists(mail.inbox, ['1.eml', '3.eml'])
    lists(mail.inbox / '.text', ['1.txt', '3.txt'])
    lists(mail.inbox / '.parts', ['1', '3'])
    eventually(lambda: fails_with(errno.ENOENT, os.stat, mail.inbox / path))
    fails_with(errno.ENOENT, os.open, mail.inbox / path, os.O_RDONLY)


@pytest.mark.parametrize('whole', [True, False], ids=['message', 'sections'])
@pytest.mark.parametrize('path', FILES)
@pytest.mark.parametrize('goes', ['elsewhere', 'here'])
def test_whole(dovecot, mount, opened, request, goes, path, whole):
    dovecot.append(SMALL, SMALL, SMALL)
    mail = mount(dovecot)
    if whole:
        (mail.inbox / '2.eml').read_bytes()
    fd = opened(mail.inbox / path)
    text = os.pread(fd, 10_000, 0)
    assert text
    before = facts(fd)
    request.getfixturevalue(goes)(mail)
    assert_nobody_gets_there(mail, path)
    for _ in range(2):
        drop_pages(fd)
        assert os.pread(fd, 10_000, 0) == text
        assert os.pread(fd, 10_000, len(text)) == b''
        assert facts(fd) == before
    assert os.fstat(fd).st_nlink == 0
    assert_nobody_gets_there(mail, path)


@pytest.mark.parametrize('path', ['2.eml', '.parts/2/2-report.pdf'])
def test_in_part(dovecot, mount, opened, elsewhere, path):
    """What was read is in the kernel still, the rest nowhere."""
    dovecot.append(SMALL, LARGE, SMALL)
    mail = mount(dovecot)
    fd = opened(mail.inbox / path)
    assert len(os.pread(fd, 1000, 0)) == 1000
    elsewhere(mail)
    assert_nobody_gets_there(mail, path)
    fails_with(errno.ESTALE, os.pread, fd, 1000, 5_000_000)


@pytest.mark.parametrize('path', ['.text/2.txt', '.parts/2/1.txt'])
def test_never_read(dovecot, mount, opened, elsewhere, path):
    """Of a text that is too long to be measured when it is looked at nothing is here."""
    dovecot.append(SMALL, LARGE, SMALL)
    mail = mount(dovecot)
    fd = opened(mail.inbox / path)
    elsewhere(mail)
    assert_nobody_gets_there(mail, path)
    fails_with(errno.ESTALE, os.pread, fd, 1000, 0)
