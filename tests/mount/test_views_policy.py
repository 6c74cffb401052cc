"""What may be done by way of the views: nothing with -o ro, all but removing with delete=deny, and
without them it is done to the message, once."""

import errno
import os
import re
import shutil

import pytest

from tests.conftest import needs
from tests.support import eventually, lists

CHANGING = (r'C: \S+ ((?:UID )?(?:STORE|EXPUNGE|MOVE|COPY|REPLACE|APPEND|CREATE|DELETE|RENAME|'
            r'SUBSCRIBE|UNSUBSCRIBE)\b.*)')
# In `.text` and `.parts` nothing has permission to write: only who has all of them gets to us.
OURS = errno.EPERM if os.geteuid() == 0 else errno.EACCES
LETTER = (b'From: Alice <alice@example.org>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n'
          b'Content-Type: multipart/mixed; boundary=b\r\n\r\n'
          b'--b\r\nContent-Type: text/plain\r\n\r\nText\r\n'
          b'--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;'
          b' filename=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n')
NAME = '2026-11-02 Alice - Report [1].eml'

# What shows the message itself, and what is made of it.
SHOWN = ['INBOX/.search/all/1.eml', '.search/all/INBOX:1.eml', f'INBOX/.names/{NAME}']
MADE = ['INBOX/.text/1.txt', 'INBOX/.parts/1/header', 'INBOX/.parts/1/1.txt',
        'INBOX/.parts/1/2-report.pdf']
DIRS = ['INBOX/.text', 'INBOX/.parts', 'INBOX/.parts/1', 'INBOX/.search', 'INBOX/.search/all',
        '.search/all', 'INBOX/.names']


class World:
    """INBOX with three messages, and an empty Archive, mounted with a transcript."""

    def __init__(self, account, client, mount, options):
        self.client = client
        client.create('Archive')
        account.append(LETTER, LETTER, LETTER, date='"02-Nov-2026 10:00:00 +0000"')
        self.mail = mount(account, arguments=['-d'], expect=['.'], **options)
        self.before = self.seen()

    def seen(self):
        """What lists and reads how by every way to the first message."""
        reads = {path: (self.mail / path).read_bytes() for path in [*SHOWN, *MADE]}
        listed = {path: sorted(os.listdir(self.mail / path))
                  for path in ['INBOX', 'Archive', *DIRS]}
        return reads, listed

    def refuses(self, expected, what, call, *arguments, **more):
        try:
            call(*arguments, **more)
        except OSError as failure:
            found = errno.errorcode[failure.errno]
        else:
            found = 'no error'
        assert (what, found) == (what, errno.errorcode[expected])

    def said(self):
        """The commands that change something, once all is done."""
        self.mail.settle('')
        return re.findall(CHANGING, self.mail.output())

    def uids(self, mailbox):
        """As an independent client sees it."""
        self.client.select(mailbox, readonly=True)
        found = self.client.uid('SEARCH', 'ALL')[1][0].split()
        flags = self.client.uid('FETCH', '1:*', '(FLAGS)')[1] if found else []
        assert not re.search(rb'Deleted|Flagged|work', repr(flags).encode())
        return [int(uid) for uid in found]

    def assert_gone(self):
        for path in [*SHOWN, *MADE, 'INBOX/1.eml']:
            self.refuses(errno.ENOENT, path, os.stat, self.mail / path)

    def assert_untouched(self):
        assert self.said() == []
        assert self.seen() == self.before
        assert self.uids('INBOX') == [1, 2, 3] and self.uids('Archive') == []


@pytest.fixture
def world(dovecot, imap, mount):
    """world(**options) -> a World."""
    return lambda **options: World(dovecot, imap, mount, options)


def write(path, flags=0):
    fd = os.open(path, os.O_WRONLY | flags)
    try:
        os.write(fd, b'Subject: other\n\nother\n')
    finally:
        os.close(fd)


def create(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def flag(path, value=b'\\Flagged'):
    os.setxattr(path, 'user.imap.flags', value)


# ---- ro

@pytest.mark.parametrize('path', [*SHOWN, *MADE])
def test_read_only_files(world, path):
    one = world(ro=True)
    mail, entry = one.mail, one.mail / path
    for what, call, *arguments in [
            ('rm', os.unlink, entry),
            ('mv', os.rename, entry, mail / 'Archive/x.eml'),
            ('mv in its directory', os.rename, entry, entry.parent / 'x.eml'),
            ('mv onto it', os.rename, mail / 'INBOX/2.eml', entry),
            ('cp', shutil.copyfile, entry, mail / 'Archive/x.eml'),
            ('ln', os.link, entry, mail / 'Archive/x.eml'),
            ('write', write, entry),
            ('write anew', write, entry, os.O_TRUNC),
            ('append', write, entry, os.O_APPEND),
            ('truncate', os.truncate, entry, 0),
            ('lengthen', os.truncate, entry, 100_000),
            ('touch', os.utime, entry),
            ('touch -d', os.utime, entry, (1, 1)),
            ('chmod', os.chmod, entry, 0o644),
            ('setfattr', flag, entry),
            ('setfattr -x', os.removexattr, entry, 'user.imap.flags')]:
        one.refuses(errno.EROFS, what, call, *arguments)
    one.assert_untouched()


@pytest.mark.parametrize('path', DIRS)
def test_read_only_directories(world, path):
    one = world(ro=True)
    mail, entry = one.mail, one.mail / path
    # In `.search` each name that is a query is there.
    new = entry / ('.new' if path.endswith('.search') else 'new')
    for what, call, *arguments in [
            ('rmdir', os.rmdir, entry),
            ('mv', os.rename, entry, mail / 'Archive/x'),
            ('mkdir', os.mkdir, new),
            ('create', create, new),
            ('mv into it', os.rename, mail / 'INBOX/2.eml', new),
            ('ln -s', os.symlink, 'x', new),
            ('touch', os.utime, entry),
            ('chmod', os.chmod, entry, 0o755)]:
        one.refuses(errno.EROFS, what, call, *arguments)
    one.assert_untouched()


# ---- delete=deny

@pytest.mark.parametrize('path', SHOWN)
def test_denied_removal_of_what_is_shown(world, path):
    """Nor is there another way to have it removed, or written over."""
    one = world(delete='deny')
    entry = one.mail / path
    for what, call, *arguments in [
            ('rm', os.unlink, entry),
            ('rmdir', os.rmdir, entry.parent),
            ('setfattr', flag, entry, b'\\Deleted'),
            ('mv onto another', os.rename, entry, one.mail / 'INBOX/2.eml'),
            ('mv onto it', os.rename, one.mail / 'INBOX/2.eml', entry),
            ('write', write, entry),
            ('write anew', write, entry, os.O_TRUNC),
            ('append', write, entry, os.O_APPEND),
            ('truncate', os.truncate, entry, 5),
            ('touch', os.utime, entry),
            ('chmod', os.chmod, entry, 0o644)]:
        one.refuses(errno.EPERM, what, call, *arguments)
    one.assert_untouched()


@pytest.mark.parametrize('path', MADE)
def test_denied_removal_of_what_is_made(world, path):
    one = world(delete='deny')
    entry = one.mail / path
    for what, call, *arguments in [
            ('rm', os.unlink, entry),
            ('rmdir', os.rmdir, entry.parent),
            ('mv', os.rename, entry, one.mail / 'Archive/x.eml'),
            ('write', write, entry),
            ('truncate', os.truncate, entry, 0)]:
        wanted = errno.EPERM if what == 'rmdir' and path.startswith('INBOX/.text') else OURS
        one.refuses(wanted, what, call, *arguments)
    one.refuses(errno.EPERM, 'touch', os.utime, entry)
    one.refuses(errno.EOPNOTSUPP if os.geteuid() == 0 else errno.EACCES, 'setfattr', flag, entry,
                b'\\Deleted')
    one.assert_untouched()


@needs('MOVE', 'UIDPLUS')
@pytest.mark.parametrize('path', SHOWN)
def test_denied_removal_lets_messages_be_moved(world, path):
    one = world(delete='deny')
    os.rename(one.mail / path, one.mail / 'Archive/x.eml')
    assert one.said() == ['UID MOVE 1 "Archive"']
    assert one.uids('INBOX') == [2, 3] and one.uids('Archive') == [1]


# ---- without options

@needs('UIDPLUS')
@pytest.mark.parametrize('path', SHOWN)
def test_removed_once(world, path):
    """And it is gone by every way to it, all of which the kernel knows."""
    one = world()
    os.unlink(one.mail / path)
    eventually(one.assert_gone)
    one.refuses(errno.ENOENT, 'again', os.unlink, one.mail / path)
    assert one.said() == ['UID STORE 1 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 1']
    assert one.uids('INBOX') == [2, 3]
    assert sorted(os.listdir(one.mail / 'INBOX/.text')) == ['2.txt', '3.txt']


@needs('MOVE', 'UIDPLUS')
@pytest.mark.parametrize('path', SHOWN)
def test_moved_once(world, path):
    one = world()
    os.rename(one.mail / path, one.mail / 'Archive/x.eml')
    eventually(one.assert_gone)
    one.refuses(errno.ENOENT, 'again', os.rename, one.mail / path, one.mail / 'Archive/y.eml')
    assert one.said() == ['UID MOVE 1 "Archive"']
    assert (one.mail / 'Archive/x.eml').read_bytes() == LETTER
    assert one.uids('INBOX') == [2, 3] and one.uids('Archive') == [1]
    lists(one.mail / 'Archive/.search/all', ['1.eml'])
