"""Reading a real server's mail with the tools that people use."""

import email.utils
import errno
import hashlib
import imaplib
import os
import signal
import stat
import subprocess
import time

import pytest

from tests.support import SLOW, eventually, nasty

TEXT = b'From: a@example.org\r\nSubject: %d\r\n\r\nThis is message %d of the test.\r\n'


def texts(count):
    return [TEXT % (n, n) for n in range(1, count + 1)]


def tool(*words, **more):
    run = subprocess.run(list(map(str, words)), capture_output=True, **more)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout


def listed(folder, uids):
    assert sorted(os.listdir(folder)) == sorted(f'{uid}.eml' for uid in uids)


def test_tree_of_nested_mailboxes(dovecot, mount):
    dovecot.deliver(texts(2))
    dovecot.deliver(texts(1), mailbox='INBOX/Lists')
    dovecot.deliver(texts(1), mailbox='Archive/2026')
    mail = mount(dovecot)
    found = sorted(os.path.relpath(os.path.join(root, name), mail.path)
                   for root, dirs, files in mail.walk() for name in dirs + files)
    assert found == ['Archive', 'Archive/2026', 'Archive/2026/1.eml', 'INBOX', 'INBOX/1.eml',
                     'INBOX/2.eml', 'INBOX/Lists', 'INBOX/Lists/1.eml']


def test_folders_come_before_messages_in_uid_order(dovecot, mount):
    dovecot.deliver(texts(12))
    dovecot.deliver(texts(1), mailbox='INBOX/child')
    names = tool('ls', '-f', mount(dovecot).inbox).decode().split()
    assert [name for name in names if name not in ('.', '..')] == \
        ['child', *(f'{uid}.eml' for uid in range(1, 13))]


def test_sizes_dates_and_modes_are_the_servers(dovecot, mount):
    bodies = texts(5) + [nasty.large(300_001)]
    dovecot.deliver(bodies)
    client = dovecot.imap()
    client.select('INBOX', readonly=True)
    mail = mount(dovecot)
    for uid, body in enumerate(bodies, 1):
        shown = os.stat(mail.inbox / f'{uid}.eml')
        assert shown.st_size == len(body)
        assert shown.st_blocks == -(-len(body) // 512)
        assert stat.S_IMODE(shown.st_mode) == 0o600
        assert stat.S_ISREG(shown.st_mode)
        assert (shown.st_uid, shown.st_gid) == (os.getuid(), os.getgid())
        date = client.uid('FETCH', str(uid), '(INTERNALDATE)')[1][0]
        assert shown.st_mtime == shown.st_ctime == time.mktime(imaplib.Internaldate2tuple(date))
    folder = os.stat(mail.inbox)
    assert stat.S_ISDIR(folder.st_mode) and stat.S_IMODE(folder.st_mode) == 0o700
    client.logout()


def test_mount_flags(dovecot, mount):
    mail = mount(dovecot)
    line = tool('findmnt', '-n', '-o', 'FSTYPE,OPTIONS', mail.path).decode()
    kind, options = line.split()
    assert kind == 'fuse.imapfs'
    assert {'nosuid', 'nodev', 'noexec', 'default_permissions'} - set(options.split(',')) == set()


def test_tools_read_the_bytes(dovecot, mount, tmp_path):
    bodies = texts(30)
    dovecot.deliver(bodies)
    mail = mount(dovecot)
    assert tool('cat', mail.inbox / '7.eml') == bodies[6]
    assert tool('grep', '-rl', 'message 17 of', mail.path).decode().split() == \
        [str(mail.inbox / '17.eml')]
    tool('cp', '-r', mail.inbox, tmp_path / 'copy')
    assert [(tmp_path / 'copy' / f'{uid}.eml').read_bytes() for uid in range(1, 31)] == bodies
    found = tool('find', mail.path, '-name', '*.eml', '-size', '-1', '-o', '-name', '3.eml')
    assert found.decode().split() == [str(mail.inbox / '3.eml')]
    assert tool('tail', '-c', '10', mail.inbox / '9.eml') == bodies[8][-10:]
    assert tool('wc', '-c', mail.inbox / '30.eml').split()[0] == b'%d' % len(bodies[29])


def test_flags_stay_as_they_are(dovecot, mount, imap):
    dovecot.deliver(texts(10))
    imap.select('INBOX')
    imap.uid('STORE', '3', '+FLAGS', '(\\Flagged $Label1)')
    imap.uid('STORE', '4', '+FLAGS', '(\\Seen)')
    before = dovecot.flags()
    assert before[1] == []
    mail = mount(dovecot)
    tool('grep', '-rc', 'message', mail.path)
    tool('cp', '-r', mail.inbox, mail.path.parent / 'copy')
    assert dovecot.flags() == before


def test_deleted_messages_are_not_listed(dovecot, mount, imap):
    dovecot.deliver(texts(4))
    imap.select('INBOX')
    imap.uid('STORE', '2', '+FLAGS', '(\\Deleted)')
    mail = mount(dovecot)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml', '4.eml']
    with pytest.raises(FileNotFoundError):
        os.stat(mail.inbox / '2.eml')
    mail.unmount()
    shown = mount(dovecot, show_deleted=True)
    assert sorted(os.listdir(shown.inbox)) == ['1.eml', '2.eml', '3.eml', '4.eml']


@pytest.mark.parametrize('name', ['0.eml', '5.eml', '01.eml', '1.EML', '1', '1.eml~', '-1.eml',
                                  '4294967296.eml', '1.txt', '.hidden', 'x' * 255])
def test_names_that_are_no_message(dovecot, mount, name):
    dovecot.deliver(texts(4))
    with pytest.raises(FileNotFoundError):
        os.stat(mount(dovecot).inbox / name)


def test_nothing_can_be_changed_read_only(dovecot, mount):
    dovecot.deliver(texts(1))
    mail = mount(dovecot, ro=True)
    assert stat.S_IMODE(os.stat(mail.inbox / '1.eml').st_mode) == 0o400
    assert stat.S_IMODE(os.stat(mail.inbox).st_mode) == 0o500
    for change in (lambda: os.unlink(mail.inbox / '1.eml'),
                   lambda: os.rename(mail.inbox / '1.eml', mail.inbox / '2.eml'),
                   lambda: os.mkdir(mail / 'new'),
                   lambda: os.rmdir(mail.inbox),
                   lambda: open(mail.inbox / '1.eml', 'ab'),
                   lambda: open(mail.inbox / 'new.eml', 'wb'),
                   lambda: os.truncate(mail.inbox / '1.eml', 0),
                   lambda: os.chmod(mail.inbox / '1.eml', 0o666),
                   lambda: os.symlink('x', mail.inbox / 'link')):
        with pytest.raises(OSError) as refusal:
            change()
        assert refusal.value.errno == errno.EROFS
    assert tool('cat', mail.inbox / '1.eml') == texts(1)[0]
    assert dovecot.flags() == {1: []}


def test_inodes_differ_and_stay(dovecot, mount):
    dovecot.deliver(texts(3))
    dovecot.deliver(texts(3), mailbox='Other')
    mail = mount(dovecot)

    def inodes():
        return [os.stat(mail / folder / f'{uid}.eml').st_ino
                for folder in ('INBOX', 'Other') for uid in (1, 2, 3)]
    first = inodes()
    assert len(set(first)) == 6
    assert inodes() == first
    listed = {entry.name: entry.inode() for entry in os.scandir(mail.inbox)}
    assert [listed[f'{uid}.eml'] for uid in (1, 2, 3)] == first[:3]


def test_empty_mailbox(dovecot, mount):
    dovecot.deliver([], mailbox='Empty')
    assert os.listdir(mount(dovecot) / 'Empty') == []


def test_statfs_answers(dovecot, mount):
    mail = mount(dovecot)
    figures = os.statvfs(mail.path)
    assert figures.f_namemax == 255
    assert 0 < figures.f_bavail <= figures.f_blocks
    tool('df', mail.path)


def test_number_of_files_has_no_bound(dovecot, mount):
    dovecot.deliver(texts(3))
    mail = mount(dovecot)
    assert len(os.listdir(mail.inbox)) == 3
    assert tool('df', '--output=itotal,iused,ipcent', mail.path).split()[-3:] == [b'0', b'0', b'-']


def test_du_and_find_fetch_no_body(fake, mount):
    server = fake()
    server.inbox.extend(texts(500))
    mail = mount(server)
    tool('find', mail.path, '-mtime', '+1', '-size', '+0')
    tool('du', '-s', mail.path)
    assert len(tool('ls', '-l', mail.inbox).splitlines()) == 501
    assert server.lines(rb'UID FETCH')
    assert not server.lines(rb'BODY|RFC822[^.]|BINARY')


def test_every_fetch_is_a_peek_and_nothing_changes(fake, mount):
    server = fake()
    server.inbox.extend(texts(50))
    mail = mount(server)
    tool('grep', '-rc', 'message', mail.path)
    assert server.lines(rb'BODY\.PEEK\[')
    assert not server.lines(rb'BODY\[|\bRFC822[ )]|RFC822\.TEXT')
    allowed = {'CAPABILITY', 'NOOP', 'ID', 'LOGIN', 'AUTHENTICATE', 'ENABLE', 'NAMESPACE', 'LIST',
               'LSUB', 'STATUS', 'EXAMINE', 'UNSELECT', 'IDLE', 'UID SEARCH', 'UID FETCH', 'LOGOUT',
               'COMPRESS', 'NOTIFY', ''}
    assert {line.name for line in server.log} <= allowed
    assert all(not message.flags for message in map(server.inbox.message, server.inbox.uids()))


def test_a_warm_grep_asks_the_server_for_nothing(fake, mount):
    server = fake()
    server.inbox.extend(texts(200))
    mail = mount(server, poll=600)
    first = tool('grep', '-rc', 'message', mail.path)
    asked = len(server.lines(rb'UID |SELECT|EXAMINE|STATUS'))
    assert asked > 0
    assert tool('grep', '-rc', 'message', mail.path) == first
    assert len(server.lines(rb'UID |SELECT|EXAMINE|STATUS')) == asked


def test_a_warm_read_only_mount_is_asked_for_nothing(fake, mount):
    """Not even what closing a file told: there is nothing that it could tell."""
    server = fake()
    server.inbox.extend(texts(3))
    mail = mount(server, ro=True, poll=600)
    first = tool('grep', '-c', 'message', *sorted(mail.inbox.iterdir()))
    paths = [mail.inbox / f'{uid}.eml' for uid in (1, 2, 3)]
    os.kill(mail.pid, signal.SIGSTOP)
    again = subprocess.Popen(['grep', '-c', 'message', *paths], stdout=subprocess.PIPE)
    try:
        again.wait(10 * SLOW)
    finally:
        os.kill(mail.pid, signal.SIGCONT)
    assert again.communicate()[0] == first


def test_a_walk_needs_few_commands(fake, mount):
    server = fake()
    server.inbox.extend(texts(2000))
    mail = mount(server)
    assert len(tool('grep', '-rl', 'message', mail.inbox).splitlines()) == 2000
    assert len(server.lines(rb'UID FETCH')) < 400


def test_new_mail_and_expunged_mail_appear(fake, mount):
    server = fake()
    server.inbox.extend(texts(3))
    mail = mount(server, poll=1)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    server.inbox.expunge(2)
    server.inbox.append(TEXT % (4, 4))
    eventually(lambda: listed(mail.inbox, [1, 3, 4]))
    assert (mail.inbox / '4.eml').read_bytes() == TEXT % (4, 4)
    with pytest.raises(OSError):
        (mail.inbox / '2.eml').read_bytes()


def test_open_file_survives_an_expunge(fake, mount):
    server = fake()
    server.inbox.extend(texts(3))
    mail = mount(server, poll=1)
    with open(mail.inbox / '2.eml', 'rb') as file:
        assert file.read() == TEXT % (2, 2)
        server.inbox.expunge(2)
        eventually(lambda: listed(mail.inbox, [1, 3]))
        file.seek(0)
        assert file.read() == TEXT % (2, 2)


def test_uidvalidity_change_never_mixes(fake, mount):
    server = fake()
    server.inbox.extend(b'Subject: old\r\n\r\n%d\r\n' % n for n in range(20))
    mail = mount(server, poll=1)
    assert (mail.inbox / '5.eml').read_bytes() == b'Subject: old\r\n\r\n4\r\n'
    inode = os.stat(mail.inbox / '5.eml').st_ino
    server.inbox.reset(2000, [b'Subject: new\r\n\r\n%d!\r\n' % n for n in range(10)])
    server.kill()
    mail.expect('connection', 'reset', 'lost', 'closed')
    eventually(lambda: listed(mail.inbox, range(1, 11)))
    for uid in range(1, 11):
        new = b'Subject: new\r\n\r\n%d!\r\n' % (uid - 1)
        assert (mail.inbox / f'{uid}.eml').read_bytes() == new
    assert os.stat(mail.inbox / '5.eml').st_ino != inode


def test_uidvalidity_change_of_many(fake, mount):
    """Who has listed the new messages never reads an old one, however many the kernel must forget."""
    server, n = fake(), 3000
    server.inbox.extend(b'Subject: old\r\n\r\n%d\r\n' % n for n in range(n))
    mail = mount(server, expect=['connection', 'reset', 'lost', 'closed'])
    for entry in os.scandir(mail.inbox):
        entry.stat()
    last = mail.inbox / f'{n - 1}.eml'
    assert b'old' in last.read_bytes()
    server.inbox.reset(2000, [b'Subject: new\r\n\r\n%d!\r\n' % n for n in range(n - 1)])
    server.kill()

    def is_new():
        assert f'{n}.eml' not in os.listdir(mail.inbox)
        return last.read_bytes()
    assert b'new' in eventually(is_new)


def test_uidvalidity_change_within_a_listing(fake, mount):
    """Nor does the kernel go on with what another reader listed after the change."""
    server, n = fake(), 3000
    server.inbox.extend(texts(n))
    mail = mount(server, poll=1, expect=['connection', 'reset', 'lost', 'closed'])
    os.listdir(mail.inbox)
    with os.scandir(mail.inbox) as before:
        next(before)
        server.inbox.reset(2000, [TEXT % (1, 1)] * (n + 1))
        server.kill()

        def is_new():
            assert f'{n + 1}.eml' in os.listdir(mail.inbox)
        eventually(is_new)
        is_new()
        with pytest.raises(OSError) as stale:
            assert f'{n + 1}.eml' not in [entry.name for entry in before]
    assert stale.value.errno == errno.ESTALE


def test_many_readers_of_one_message_share_one_fetch(fake, mount):
    server = fake()
    body = nasty.large(100_000)
    server.inbox.append(body)
    server.inbox.extend(texts(3))
    mail = mount(server)
    readers = [subprocess.Popen(['sha256sum', mail.inbox / '1.eml'], stdout=subprocess.PIPE)
               for _ in range(20)]
    wanted = hashlib.sha256(body).hexdigest().encode()
    assert all(reader.communicate()[0].startswith(wanted) for reader in readers)
    assert len(server.lines(rb'UID FETCH .*BODY\.PEEK')) == 1


@pytest.mark.parametrize('masked', [
    (), ('ESEARCH',), ('LIST-EXTENDED', 'LIST-STATUS'), ('SPECIAL-USE', 'NAMESPACE'),
    ('IMAP4rev2', 'UNSELECT'), ('LITERAL+', 'SASL-IR', 'ID', 'ENABLE', 'IDLE'),
    tuple(name for name in
          ('IMAP4rev2', 'ID', 'ENABLE', 'IDLE', 'LITERAL+', 'NAMESPACE', 'UNSELECT', 'UIDPLUS',
           'ESEARCH', 'LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE', 'CHILDREN', 'MOVE',
           'SASL-IR'))])
@pytest.mark.parametrize('told', [True, False])
def test_whatever_is_not_offered(fake, mount, masked, told):
    server = fake()
    server.mask(*masked)
    server.capability_in_greeting = server.capability_in_login = told
    server.inbox.extend(texts(5))
    server.add('Other').extend(texts(2))
    mail = mount(server)
    assert sorted(mail.names()) == ['INBOX', 'Other']
    assert tool('cat', mail.inbox / '5.eml') == TEXT % (5, 5)
    assert tool('cat', mail / 'Other' / '2.eml') == TEXT % (2, 2)
    assert server.refusals == []


def test_odd_dates(fake, mount):
    server = fake()
    for date in (' 1-Feb-2024 00:00:00 +0000', '31-Dec-1969 23:59:59 +0000',
                 '17-Jul-2025 02:44:25 -0700', '29-Feb-2024 23:59:60 +1400'):
        server.inbox.append(TEXT % (1, 1), date=date)
    server.quirks.date = lambda message: None if message.uid == 5 else message.date
    server.inbox.append(TEXT % (1, 1))
    mail = mount(server)
    assert os.stat(mail.inbox / '1.eml').st_mtime == 1706745600
    assert os.stat(mail.inbox / '3.eml').st_mtime == \
        email.utils.parsedate_to_datetime('17 Jul 2025 02:44:25 -0700').timestamp()
    for uid in (2, 4, 5):
        assert (mail.inbox / f'{uid}.eml').read_bytes() == TEXT % (1, 1)
