"""What POSIX says of each operation, and where a mailbox has it otherwise: every refusal with its
errno, and that nothing came of it, in the tree or on the wire."""

import ctypes
import errno
import os
import stat
import time

import pytest

from tests.support import eventually

BODY = b'From: a@example.org\r\nSubject: %d\r\n\r\nText %d\r\n'
LETTER = b'Subject: new\n\nText\n'
LONG = 'x' * 256
CHANGING = (rb'^\S+ (UID )?(STORE|EXPUNGE|MOVE|COPY|REPLACE|APPEND|CREATE|DELETE|RENAME|'
            rb'SUBSCRIBE|UNSUBSCRIBE)\b')
# In `.imapfs` nothing has permission to write: only who has all of them gets to us.
OURS = errno.EPERM if os.geteuid() == 0 else errno.EACCES
NOREPLACE, EXCHANGE = 1, 2
LIBC = ctypes.CDLL(None, use_errno=True)


# ---- what is called

def renameat2(source, target, flags):
    where = -100  # AT_FDCWD
    if LIBC.renameat2(where, os.fsencode(source), where, os.fsencode(target), flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def opened(path, flags, mode=0o600):
    os.close(os.open(path, flags, mode))


def written(path, flags, data=LETTER):
    """write(2) and close(2), each with its error."""
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, data)
    except OSError:
        os.close(fd)
        raise
    os.close(fd)


def settle(path):
    """fsync(2) of a directory."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def tagged(path, name, flags=0):
    os.setxattr(path, name, b'x', flags)


# ---- where

@pytest.fixture
def world(fake, mount):
    """world(**options) -> (server, mount) of an account with one of each: a mailbox with messages
    and one below it, one that is empty, one whose only message is hidden, drafts, and a directory
    that is no mailbox."""
    def start(**options):
        server = fake()
        for name, count in (('INBOX', 3), ('Archive', 2), ('Archive/2026', 1), ('Empty', 0),
                            ('Parent', 0), ('Parent/Child', 0), ('Plain/Box', 1), ('Drafts', 2),
                            ('Hidden', 1)):
            box = server.inbox if name == 'INBOX' else server.add(name)
            box.extend(BODY % (uid, uid) for uid in range(1, count + 1))
        server.mailboxes[b'Drafts'].special = ['\\Drafts']
        server.mailboxes[b'Hidden'].set_flags(1, {'\\Deleted'})
        mail = mount(server, **options)
        return server, mail
    return start


def tree(mail):
    """Every path with what stat tells of it."""
    found = {}
    for root, dirs, files in mail.walk():
        for name in dirs + files:
            path = os.path.join(root, name)
            facts = os.lstat(path)
            found[os.path.relpath(path, mail.path)] = (
                facts.st_ino, facts.st_mode, facts.st_size, facts.st_nlink, facts.st_mtime)
    return found


def refused(world, call, expected, **options):
    """The call fails with one of these; neither the tree nor the server has changed."""
    server, mail = world(**options)
    before = tree(mail)
    with pytest.raises(OSError) as failure:
        call(mail.path)
    assert errno.errorcode[failure.value.errno] == errno.errorcode[expected]
    assert tree(mail) == before
    assert not server.lines(CHANGING)


def ids(table):
    return [case[0] for case in table]


# ---- refusals: (what, call with the mount's path, errno)

PATHS = [
    ('stat of nothing', lambda m: os.stat(m / 'INBOX/9.eml'), errno.ENOENT),
    ('stat of another spelling', lambda m: os.stat(m / 'INBOX/01.eml'), errno.ENOENT),
    ('stat in another case', lambda m: os.stat(m / 'inbox'), errno.ENOENT),
    ('stat below a message', lambda m: os.stat(m / 'INBOX/1.eml/x'), errno.ENOTDIR),
    ('stat of a message as directory', lambda m: os.stat(f'{m}/INBOX/1.eml/'), errno.ENOTDIR),
    ('stat of a long path', lambda m: os.stat(f'{m}/' + 'INBOX/' * 1000), errno.ENAMETOOLONG),
    ('list a message', lambda m: os.listdir(m / 'INBOX/1.eml'), errno.ENOTDIR),
    ('read a directory', lambda m: read(m / 'INBOX'), errno.EISDIR),
]

OPEN = [
    ('O_EXCL of a message', lambda m: opened(m / 'INBOX/1.eml', os.O_CREAT | os.O_EXCL),
     errno.EEXIST),
    ('O_EXCL of a directory', lambda m: opened(m / 'INBOX', os.O_CREAT | os.O_EXCL), errno.EEXIST),
    ('O_CREAT of a directory', lambda m: opened(m / 'INBOX', os.O_CREAT), errno.EISDIR),
    ('O_CREAT below nothing', lambda m: opened(m / 'Nope/x.eml', os.O_CREAT), errno.ENOENT),
    ('O_CREAT below a message', lambda m: opened(m / 'INBOX/1.eml/x', os.O_CREAT), errno.ENOTDIR),
    ('O_CREAT of a directory\'s name', lambda m: opened(f'{m}/INBOX/x/', os.O_CREAT | os.O_WRONLY),
     errno.EISDIR),
    ('O_CREAT of a long name', lambda m: opened(m / 'INBOX' / LONG, os.O_CREAT | os.O_WRONLY),
     errno.ENAMETOOLONG),
    ('O_CREAT in the root', lambda m: opened(m / 'x.eml', os.O_CREAT | os.O_WRONLY), errno.EPERM),
    ('O_CREAT in no mailbox', lambda m: opened(m / 'Plain/x.eml', os.O_CREAT | os.O_WRONLY),
     errno.EPERM),
    ('O_CREAT in our own', lambda m: opened(m / '.imapfs/x', os.O_CREAT | os.O_WRONLY), OURS),
    ('O_WRONLY of a directory', lambda m: opened(m / 'INBOX', os.O_WRONLY), errno.EISDIR),
    ('O_DIRECTORY of a message', lambda m: opened(m / 'INBOX/1.eml', os.O_DIRECTORY),
     errno.ENOTDIR),
    ('O_NOFOLLOW of our link', lambda m: opened(m / '.imapfs/events', os.O_NOFOLLOW), errno.ELOOP),
    ('O_TMPFILE', lambda m: opened(m / 'INBOX', os.O_TMPFILE | os.O_WRONLY), errno.EOPNOTSUPP),
    ('O_TRUNC of a message', lambda m: opened(m / 'INBOX/1.eml', os.O_WRONLY | os.O_TRUNC),
     errno.EPERM),
    ('write into a message', lambda m: written(m / 'INBOX/1.eml', os.O_WRONLY), errno.EPERM),
    ('O_APPEND to a message', lambda m: written(m / 'INBOX/1.eml', os.O_WRONLY | os.O_APPEND),
     errno.EPERM),
    ('O_RDWR and write', lambda m: written(m / 'INBOX/1.eml', os.O_RDWR), errno.EPERM),
    ('write into the status', lambda m: written(m / '.imapfs/status', os.O_WRONLY), OURS),
    ('truncate a message', lambda m: os.truncate(m / 'INBOX/1.eml', 3), errno.EPERM),
    ('lengthen it', lambda m: os.truncate(m / 'INBOX/1.eml', 1 << 20), errno.EPERM),
    ('truncate to less than nothing', lambda m: os.truncate(m / 'INBOX/1.eml', -1), errno.EINVAL),
    ('truncate a directory', lambda m: os.truncate(m / 'INBOX', 0), errno.EISDIR),
    ('truncate nothing', lambda m: os.truncate(m / 'INBOX/9.eml', 0), errno.ENOENT),
]

MKDIR = [
    ('there already', lambda m: os.mkdir(m / 'Archive'), errno.EEXIST),
    ('a message', lambda m: os.mkdir(m / 'INBOX/1.eml'), errno.EEXIST),
    ('the root', os.mkdir, errno.EEXIST),
    ('below nothing', lambda m: os.mkdir(m / 'Nope/x'), errno.ENOENT),
    ('below a message', lambda m: os.mkdir(m / 'INBOX/1.eml/x'), errno.ENOTDIR),
    ('the name of our own', lambda m: os.mkdir(m / '.imapfs'), errno.EEXIST),
    ('below our own', lambda m: os.mkdir(m / '.imapfs/x'), OURS),
    ('a dot name', lambda m: os.mkdir(m / '.Trash-1000'), errno.EPERM),
    ('a dot name in a mailbox', lambda m: os.mkdir(m / 'INBOX/.x'), errno.EPERM),
    ('a view', lambda m: os.mkdir(m / 'INBOX/.search'), errno.EEXIST),
    ('a name like a message\'s', lambda m: os.mkdir(m / 'INBOX/57.eml'), errno.EINVAL),
    ('a percent sign', lambda m: os.mkdir(m / '100%'), errno.EINVAL),
    ('a control character', lambda m: os.mkdir(m / 'a\nb'), errno.EINVAL),
    ('a command', lambda m: os.mkdir(m / 'a\r\nA1 DELETE INBOX'), errno.EINVAL),
    ('not UTF-8', lambda m: os.mkdir(os.fsencode(m / 'a') + b'\xff'), errno.EINVAL),
    ('a long name', lambda m: os.mkdir(m / LONG), errno.ENAMETOOLONG),
]

RMDIR = [
    ('nothing', lambda m: os.rmdir(m / 'Nope'), errno.ENOENT),
    ('a message', lambda m: os.rmdir(m / 'INBOX/1.eml'), errno.ENOTDIR),
    ('below a message', lambda m: os.rmdir(m / 'INBOX/1.eml/x'), errno.ENOTDIR),
    ('a mailbox with messages', lambda m: os.rmdir(m / 'Archive/2026'), errno.ENOTEMPTY),
    ('a mailbox with mailboxes', lambda m: os.rmdir(m / 'Parent'), errno.ENOTEMPTY),
    ('a mailbox with a hidden message', lambda m: os.rmdir(m / 'Hidden'), errno.ENOTEMPTY),
    ('no mailbox', lambda m: os.rmdir(m / 'Plain'), errno.ENOTEMPTY),
    ('INBOX', lambda m: os.rmdir(m / 'INBOX'), errno.EBUSY),
    ('the root', os.rmdir, errno.EBUSY),
    ('our own', lambda m: os.rmdir(m / '.imapfs'), errno.EPERM),
    ('.', lambda m: os.rmdir(f'{m}/Empty/.'), errno.EINVAL),
    ('..', lambda m: os.rmdir(f'{m}/Parent/Child/..'), errno.ENOTEMPTY),
]

UNLINK = [
    ('nothing', lambda m: os.unlink(m / 'INBOX/9.eml'), errno.ENOENT),
    ('a mailbox', lambda m: os.unlink(m / 'Empty'), errno.EISDIR),
    ('our own', lambda m: os.unlink(m / '.imapfs'), errno.EISDIR),
    ('below a message', lambda m: os.unlink(m / 'INBOX/1.eml/x'), errno.ENOTDIR),
    ('a message as directory', lambda m: os.unlink(f'{m}/INBOX/1.eml/'), errno.ENOTDIR),
    ('the status', lambda m: os.unlink(m / '.imapfs/status'), OURS),
    ('the events', lambda m: os.unlink(m / '.imapfs/events'), OURS),
    ('a hidden message', lambda m: os.unlink(m / 'Hidden/1.eml'), errno.ENOENT),
]

RENAME = [
    ('nothing', lambda m: os.rename(m / 'INBOX/9.eml', m / 'Archive/x.eml'), errno.ENOENT),
    ('into nothing', lambda m: os.rename(m / 'INBOX/1.eml', m / 'Nope/1.eml'), errno.ENOENT),
    ('below a message', lambda m: os.rename(m / 'INBOX/1.eml', m / 'Archive/1.eml/x'),
     errno.ENOTDIR),
    ('a message onto a mailbox', lambda m: os.rename(m / 'INBOX/1.eml', m / 'Empty'),
     errno.EISDIR),
    ('a mailbox onto a message', lambda m: os.rename(m / 'Empty', m / 'INBOX/1.eml'),
     errno.ENOTDIR),
    ('a message to a directory\'s name', lambda m: os.rename(m / 'INBOX/1.eml', f'{m}/Archive/x/'),
     errno.ENOTDIR),
    ('to a long name', lambda m: os.rename(m / 'INBOX/1.eml', m / 'Archive' / LONG),
     errno.ENAMETOOLONG),
    ('a message into the root', lambda m: os.rename(m / 'INBOX/1.eml', m / '1.eml'), errno.EPERM),
    ('a message into no mailbox', lambda m: os.rename(m / 'INBOX/1.eml', m / 'Plain/1.eml'),
     errno.EPERM),
    ('a message into our own', lambda m: os.rename(m / 'INBOX/1.eml', m / '.imapfs/1.eml'), OURS),
    ('the status', lambda m: os.rename(m / '.imapfs/status', m / 'INBOX/x.eml'), OURS),
    ('a message to a scratch name', lambda m: os.rename(m / 'INBOX/1.eml', m / 'INBOX/1.eml~'),
     errno.EPERM),
    ('a message onto its neighbour', lambda m: os.rename(m / 'INBOX/1.eml', m / 'INBOX/2.eml'),
     errno.EPERM),
    ('NOREPLACE onto a message',
     lambda m: renameat2(m / 'INBOX/1.eml', m / 'Archive/1.eml', NOREPLACE), errno.EEXIST),
    ('NOREPLACE onto a mailbox', lambda m: renameat2(m / 'Empty', m / 'Parent', NOREPLACE),
     errno.EEXIST),
    ('EXCHANGE', lambda m: renameat2(m / 'INBOX/1.eml', m / 'Archive/1.eml', EXCHANGE),
     errno.EINVAL),
    ('EXCHANGE of mailboxes', lambda m: renameat2(m / 'Empty', m / 'Archive', EXCHANGE),
     errno.EINVAL),
    ('INBOX', lambda m: os.rename(m / 'INBOX', m / 'Elsewhere'), errno.EBUSY),
    ('our own', lambda m: os.rename(m / '.imapfs', m / 'Elsewhere'), errno.EPERM),
    ('a mailbox into our own', lambda m: os.rename(m / 'Empty', m / '.imapfs/x'), OURS),
    ('a mailbox into itself', lambda m: os.rename(m / 'Archive', m / 'Archive/2026/x'),
     errno.EINVAL),
    ('a mailbox onto one with messages', lambda m: os.rename(m / 'Empty', m / 'Archive'),
     errno.ENOTEMPTY),
    ('a mailbox to a dot name', lambda m: os.rename(m / 'Empty', m / '.Empty'), errno.EPERM),
    ('a mailbox to a message\'s name', lambda m: os.rename(m / 'Empty', m / 'INBOX/57.eml'),
     errno.EINVAL),
    ('a mailbox to a name that cannot be', lambda m: os.rename(m / 'Empty', m / 'a\tb'),
     errno.EINVAL),
    ('a mailbox to a long name', lambda m: os.rename(m / 'Empty', m / LONG), errno.ENAMETOOLONG),
    ('the root', lambda m: os.rename(m, m / 'Empty/x'), errno.EXDEV),
    ('to another file system', lambda m: os.rename(m / 'INBOX/1.eml', m.parent / '1.eml'),
     errno.EXDEV),
]

OTHERS = [
    ('link', lambda m: os.link(m / 'INBOX/1.eml', m / 'INBOX/x.eml'), errno.EPERM),
    ('link into another mailbox', lambda m: os.link(m / 'INBOX/1.eml', m / 'Archive/x.eml'),
     errno.EPERM),
    ('link onto a message', lambda m: os.link(m / 'INBOX/1.eml', m / 'INBOX/2.eml'), errno.EEXIST),
    ('link of a mailbox', lambda m: os.link(m / 'Empty', m / 'x'), errno.EPERM),
    ('symlink', lambda m: os.symlink('1.eml', m / 'INBOX/x.eml'), errno.EPERM),
    ('symlink of a scratch name', lambda m: os.symlink('x', m / 'INBOX/.#x'), errno.EPERM),
    ('symlink onto a message', lambda m: os.symlink('x', m / 'INBOX/1.eml'), errno.EEXIST),
    ('pipe', lambda m: os.mkfifo(m / 'INBOX/x.eml'), errno.EPERM),
    ('socket', lambda m: os.mknod(m / 'INBOX/x', stat.S_IFSOCK | 0o600), errno.EPERM),
    ('chmod', lambda m: os.chmod(m / 'INBOX/1.eml', 0o640), errno.EPERM),
    ('chmod of a mailbox', lambda m: os.chmod(m / 'INBOX', 0o500), errno.EPERM),
    ('times of a mailbox', lambda m: os.utime(m / 'INBOX', (1, 1)), errno.EPERM),
    ('chmod of nothing', lambda m: os.chmod(m / 'INBOX/9.eml', 0o600), errno.ENOENT),
    ('times of a message', lambda m: os.utime(m / 'INBOX/1.eml', (1, 1)), errno.EPERM),
    ('a foreign attribute', lambda m: tagged(m / 'INBOX/1.eml', 'user.other'), errno.EOPNOTSUPP),
    ('the removal of a foreign attribute',
     lambda m: os.removexattr(m / 'INBOX/1.eml', 'user.other'), errno.ENODATA),
    ('an attribute that is given', lambda m: tagged(m / 'INBOX/1.eml', 'user.imap.uid'),
     errno.EPERM),
    ('its removal', lambda m: os.removexattr(m / 'INBOX/1.eml', 'user.imap.uid'), errno.EPERM),
    ('a trusted attribute', lambda m: tagged(m / 'INBOX/1.eml', 'trusted.x'),
     errno.EOPNOTSUPP if os.geteuid() == 0 else errno.EPERM),
    ('flags that are there', lambda m: tagged(m / 'INBOX/1.eml', 'user.imap.flags',
                                              os.XATTR_CREATE), errno.EEXIST),
    ('flags of a mailbox', lambda m: tagged(m / 'INBOX', 'user.imap.flags'), errno.EOPNOTSUPP),
    ('a flag that is none', lambda m: os.setxattr(m / 'INBOX/1.eml', 'user.imap.flags', b'a(b'),
     errno.EINVAL),
    ('a system flag that is none',
     lambda m: os.setxattr(m / 'INBOX/1.eml', 'user.imap.flags', b'\\Nonsense'), errno.EINVAL),
    ('a command as a flag',
     lambda m: os.setxattr(m / 'INBOX/1.eml', 'user.imap.flags', b'x\r\nA1 DELETE INBOX'),
     errno.EINVAL),
]

TABLES = {'path': PATHS, 'open': OPEN, 'mkdir': MKDIR, 'rmdir': RMDIR, 'unlink': UNLINK,
          'rename': RENAME, 'other': OTHERS}
ALL = [(f'{table}: {what}', call, code)
       for table, cases in TABLES.items() for what, call, code in cases]


@pytest.mark.parametrize('what,call,code', ALL, ids=ids(ALL))
def test_refused(world, what, call, code):
    refused(world, call, code)


def owned_by_another(path):
    """chown(2) that changes something, for whoever runs this."""
    os.chown(path, -1, os.stat(path).st_gid + 1)


@pytest.mark.skipif(os.geteuid() != 0, reason='the kernel refuses it to all but root')
def test_owner_is_refused(world):
    refused(world, lambda m: owned_by_another(m / 'INBOX/1.eml'), errno.EPERM)


@pytest.mark.skipif(os.geteuid() != 0, reason='the kernel refuses it to all but root')
def test_device_is_refused(world):
    refused(world, lambda m: os.mknod(m / 'INBOX/x', stat.S_IFCHR | 0o600, os.makedev(1, 3)),
            errno.EPERM)


# what, call, errno, options
POLICIES = [
    ('delete=deny: rm', lambda m: os.unlink(m / 'INBOX/1.eml'), errno.EPERM, {'delete': 'deny'}),
    ('delete=deny: rmdir', lambda m: os.rmdir(m / 'Empty'), errno.EPERM, {'delete': 'deny'}),
    ('delete=trash without one', lambda m: os.unlink(m / 'INBOX/1.eml'), errno.EPERM,
     {'delete': 'trash'}),
    ('edit=none: truncate', lambda m: os.truncate(m / 'Drafts/1.eml', 9), errno.EPERM,
     {'edit': 'none'}),
    ('edit=none: write', lambda m: written(m / 'Drafts/1.eml', os.O_WRONLY), errno.EPERM,
     {'edit': 'none'}),
    ('edit=none: replace', lambda m: os.rename(m / 'Drafts/1.eml', m / 'Drafts/2.eml'),
     errno.EPERM, {'edit': 'none'}),
    ('edit=drafts: write elsewhere', lambda m: written(m / 'Archive/1.eml', os.O_WRONLY),
     errno.EPERM, {'edit': 'drafts'}),
]


@pytest.mark.parametrize('what,call,code,options', POLICIES, ids=ids(POLICIES))
def test_refused_by_option(world, what, call, code, options):
    refused(world, call, code, expect=['trash'], **options)


CHANGES = [
    ('rm', lambda m: os.unlink(m / 'INBOX/1.eml')),
    ('mv', lambda m: os.rename(m / 'INBOX/1.eml', m / 'Archive/x.eml')),
    ('create', lambda m: opened(m / 'INBOX/x.eml', os.O_CREAT | os.O_WRONLY)),
    ('write', lambda m: opened(m / 'Drafts/1.eml', os.O_WRONLY)),
    ('truncate', lambda m: os.truncate(m / 'Drafts/1.eml', 0)),
    ('mkdir', lambda m: os.mkdir(m / 'New')),
    ('rmdir', lambda m: os.rmdir(m / 'Empty')),
    ('mv of a mailbox', lambda m: os.rename(m / 'Empty', m / 'New')),
    ('chmod', lambda m: os.chmod(m / 'INBOX/1.eml', 0o640)),
    ('utime', lambda m: os.utime(m / 'INBOX/1.eml')),
    ('link', lambda m: os.link(m / 'INBOX/1.eml', m / 'INBOX/x')),
    ('symlink', lambda m: os.symlink('x', m / 'INBOX/x')),
    ('setxattr', lambda m: os.setxattr(m / 'INBOX/1.eml', 'user.imap.flags', b'\\Seen')),
    ('removexattr', lambda m: os.removexattr(m / 'INBOX/1.eml', 'user.imap.flags')),
]


@pytest.mark.parametrize('what,call', CHANGES, ids=ids(CHANGES))
def test_read_only(world, what, call):
    refused(world, call, errno.EROFS, ro=True)


# ---- what the server refuses, as `sync` tells it: (its answer, errno)

ANSWERS = [
    ('[NONEXISTENT] no', errno.ENOENT),
    ('[ALREADYEXISTS] no', errno.EEXIST),
    ('[NOPERM] no', errno.EACCES),
    ('[AUTHORIZATIONFAILED] no', errno.EACCES),
    ('[OVERQUOTA] no', errno.EDQUOT),
    ('[LIMIT] no', errno.EAGAIN),
    ('[INUSE] no', errno.EBUSY),
    ('[EXPUNGEISSUED] no', errno.ESTALE),
    ('[READ-ONLY] no', errno.EROFS),
    ('[TOOBIG] no', errno.EFBIG),
    ('[CANNOT] no', errno.EINVAL),
    ('no', errno.EIO),
]


@pytest.mark.parametrize('answer,code', ANSWERS, ids=ids(ANSWERS))
def test_refused_by_the_server(world, answer, code):
    """The message that would be moved, and the mailbox that would be made."""
    server, mail = world(sync=True, expect=['refused', 'INBOX', 'Archive', 'CREATE'])
    server.deny(rb'UID (MOVE|COPY)|CREATE', answer)
    before = tree(mail)
    for call in (lambda: os.rename(mail / 'INBOX/1.eml', mail / 'Archive/x.eml'),
                 lambda: os.mkdir(mail / 'New')):
        with pytest.raises(OSError) as failure:
            call()
        assert errno.errorcode[failure.value.errno] == errno.errorcode[code]
    eventually(lambda: compare(tree(mail), before))
    assert server.inbox.uids() == [1, 2, 3]
    assert not server.lines(rb'UID STORE|EXPUNGE')


def compare(now, before):
    assert now == before


# ---- what succeeds, as POSIX has it

def test_trailing_slashes_of_directories(world):
    server, mail = world()
    os.mkdir(f'{mail.path}/New/')
    os.rename(f'{mail.path}/New/', f'{mail.path}/Newer/')
    assert b'Newer' in server.mailboxes and b'New' not in server.mailboxes
    os.rmdir(f'{mail.path}/Newer/')
    assert b'Newer' not in server.mailboxes


def test_renamed_directory_is_the_same(world):
    server, mail = world()
    before = os.stat(mail / 'Archive')
    with open(mail / 'Archive/1.eml', 'rb') as reader:
        inner = os.fstat(reader.fileno()).st_ino
        os.rename(mail / 'Archive', mail / 'Empty/Kept')
        assert reader.read() == BODY % (1, 1)
    assert os.stat(mail / 'Empty/Kept').st_ino == before.st_ino
    assert os.stat(mail / 'Empty/Kept/1.eml').st_ino == inner
    assert sorted(os.listdir(mail / 'Empty/Kept')) == ['1.eml', '2.eml', '2026']
    assert not os.path.exists(mail / 'Archive')
    assert b'Empty/Kept/2026' in server.mailboxes


def test_rename_onto_itself(world):
    server, mail = world()
    before = tree(mail)
    os.rename(mail / 'INBOX/1.eml', mail / 'INBOX/1.eml')
    os.rename(mail / 'Archive', mail / 'Archive')
    assert tree(mail) == before
    assert not server.lines(CHANGING)


def test_counts_of_links(world):
    _, mail = world()
    before = os.stat(mail / 'Empty').st_nlink
    os.mkdir(mail / 'Empty/a')
    assert os.stat(mail / 'Empty').st_nlink == before + 1
    os.rmdir(mail / 'Empty/a')
    assert os.stat(mail / 'Empty').st_nlink == before
    assert os.stat(mail / 'INBOX/1.eml').st_nlink == 1


def test_same_mode_owner_and_attributes(world):
    """What tools that copy attributes set without need."""
    server, mail = world()
    for path in (mail / 'INBOX/1.eml', mail / 'INBOX'):
        facts = os.stat(path)
        os.chmod(path, stat.S_IMODE(facts.st_mode))
        os.chown(path, facts.st_uid, facts.st_gid)
    facts = os.stat(mail / 'INBOX/1.eml')
    os.utime(mail / 'INBOX/1.eml', (facts.st_atime, facts.st_mtime))
    assert not server.lines(CHANGING)


def test_copied_attributes_of_a_directory(world):
    """`cp -a` and `rsync -a` give a new one permissions and times; what cannot be kept is
    forgotten."""
    _, mail = world()
    os.mkdir(mail / 'New')
    before = tree(mail)
    os.chmod(mail / 'New', 0o755)
    os.utime(mail / 'New', (1, 1))
    assert tree(mail) == before


def test_scratch_file_is_a_file(world):
    """All of it local: holes, truncation, appending, replacing, reading what was written."""
    server, mail = world()
    path, other = mail / 'INBOX/.scratch', mail / 'INBOX/other~'
    with open(path, 'xb') as file:
        file.write(b'0123456789')
    with pytest.raises(FileExistsError):
        open(path, 'xb')
    with open(path, 'ab') as file:
        file.write(b'abc')
    with open(path, 'r+b') as file:
        file.seek(20)
        file.write(b'z')
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        assert file.read() == b'0123456789abc' + bytes(7) + b'z'
        file.truncate(4)
        file.truncate(6)
    assert path.read_bytes() == b'0123\0\0' and path.stat().st_size == 6
    other.write_bytes(b'gone')
    os.rename(path, other)
    assert other.read_bytes() == b'0123\0\0' and not path.exists()
    assert 'other~' in os.listdir(mail / 'INBOX')
    os.utime(other, (5, 7))
    assert other.stat().st_mtime == 7
    with open(other, 'wb') as file:
        assert other.stat().st_size == 0
        os.unlink(other)
        file.write(b'still here')
        assert os.fstat(file.fileno()).st_size == 0  # in the buffer of Python
    assert not other.exists()
    assert not server.lines(CHANGING)


def test_unlinked_file_is_open_still(world):
    server, mail = world()
    fd = os.open(mail / 'INBOX/x~', os.O_CREAT | os.O_RDWR)
    os.write(fd, LETTER)
    os.unlink(mail / 'INBOX/x~')
    os.write(fd, b'more')
    assert os.pread(fd, 100, 0) == LETTER + b'more'
    os.close(fd)
    assert 'x~' not in os.listdir(mail / 'INBOX')
    assert not server.lines(CHANGING)


def test_directory_can_be_synced(world):
    server, mail = world()
    os.unlink(mail / 'INBOX/1.eml')
    settle(mail.inbox)
    assert server.inbox.uids() == [2, 3]


def test_listing_while_all_of_it_goes(world):
    """As `rm -r` does: entries go while they are listed; each is seen once, and none is left."""
    server, mail = world()
    server.inbox.extend(BODY % (uid, uid) for uid in range(4, 500))
    eventually(lambda: compare(len(os.listdir(mail.inbox)), 499))
    seen = []
    with os.scandir(mail.inbox) as entries:
        for entry in entries:
            seen.append(entry.name)
            os.unlink(entry.path)
    assert sorted(seen, key=lambda name: int(name[:-4])) == [f'{n}.eml' for n in range(1, 500)]
    assert os.listdir(mail.inbox) == []
    settle(mail.inbox)
    assert server.inbox.uids() == []


def test_times_of_a_new_message(world):
    """cp -p and rsync -a set them when the message is closed already."""
    server, mail = world()
    path = mail / 'Archive/new.eml'
    path.write_bytes(LETTER)
    now = time.time()
    os.utime(path, (now, now))
    os.chmod(path, stat.S_IMODE(path.stat().st_mode))
    os.chown(path, os.getuid(), os.getgid())
    assert len(server.lines(rb' APPEND ')) == 1


def test_name_max(world):
    _, mail = world()
    longest = os.statvfs(mail.path).f_namemax
    assert longest == 255
    assert os.pathconf(mail.path, 'PC_NAME_MAX') == longest
    (mail / 'INBOX' / ('x' * 254 + '~')).write_bytes(b'x')
    assert (mail / 'INBOX' / ('x' * 254 + '~')).read_bytes() == b'x'
