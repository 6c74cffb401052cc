"""Views of a folder, the hidden directories: what is in them, that nobody gets there unasked, and
that they follow what happens to the messages."""

import collections
import errno
import os
import pathlib
import stat

import pytest

from tests.conftest import needs
from tests.support import SLOW, eventually, lists

VIEWS = ['.names', '.parts', '.search', '.text']
OURS = errno.EPERM if os.geteuid() == 0 else errno.EACCES


def letter(subject='Hello', body=b'Text\r\n', more=''):
    return (f'From: Alice <alice@example.org>\r\nTo: bob@example.org\r\n'
            f'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nSubject: {subject}\r\n{more}\r\n'
            ).encode() + body


@pytest.fixture
def three(dovecot):
    dovecot.deliver([letter(f'Number {n}') for n in range(3)])
    return dovecot


def times(pid):
    """The name of each kind of thread to the nanoseconds of the processor that they had."""
    spent = collections.Counter()
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        time = int((task / 'schedstat').read_text().split()[0])
        spent[(task / 'comm').read_text().strip()] += time
    return spent


def refused(operation, *arguments):
    with pytest.raises(OSError) as caught:
        operation(*arguments)
    return caught.value.errno


def gone(path):
    def look():
        assert not path.exists()
    eventually(look)


# ---- where they are

def test_views_resolve_in_every_mailbox_and_are_not_listed(three, imap, mount):
    imap.create('Archive/2026')
    mail = mount(three)
    for folder in (mail.inbox, mail.inbox.parent / 'Archive' / '2026'):
        assert not {name for name in os.listdir(folder) if name.startswith('.')}
        for view in VIEWS:
            assert (folder / view).is_dir()
    assert sorted(os.listdir(mail.inbox.parent)) == ['.imapfs', 'Archive', 'INBOX']


def test_of_the_views_a_directory_without_messages_has_search_at_most(dovecot, fake, mount):
    server = fake()
    server.add('Plain/child')
    mail = mount(server)
    for view in VIEWS:
        assert (mail.inbox.parent / view).exists() == (view == '.search')
        assert not (mail.inbox.parent / 'Plain' / view).exists()


def test_views_are_listed_when_asked_for(three, mount):
    mail = mount(three, views=True)
    assert sorted(os.listdir(mail.inbox)) == [*VIEWS, '1.eml', '2.eml', '3.eml']
    found = {entry.name: entry for entry in os.scandir(mail.inbox)}
    for view in VIEWS:
        assert found[view].is_dir()
        assert found[view].inode() == (mail.inbox / view).stat().st_ino
    assert '.search' in os.listdir(mail.inbox.parent)
    assert '.text' not in os.listdir(mail.inbox.parent)


def test_what_is_in_text_and_parts(three, mount):
    mail = mount(three)
    assert sorted(os.listdir(mail.inbox / '.text')) == ['1.txt', '2.txt', '3.txt']
    assert sorted(os.listdir(mail.inbox / '.parts')) == ['1', '2', '3']
    for entry in os.scandir(mail.inbox / '.text'):
        assert entry.is_file() and entry.inode() == os.stat(entry.path).st_ino
    for entry in os.scandir(mail.inbox / '.parts'):
        assert entry.is_dir() and entry.inode() == os.stat(entry.path).st_ino
    assert (mail.inbox / '.parts').stat().st_nlink == 2 + 3
    numbers = {path.stat().st_ino for view in VIEWS for path in
               (mail.inbox / view, *(mail.inbox / view).iterdir())}
    assert len(numbers) == len(VIEWS) + 3 + 3 + len(os.listdir(mail.inbox / '.names'))


@pytest.mark.parametrize('name', ['4.txt', '1', '01.txt', '1.eml', '1.txt.', 'x', '.text'])
def test_no_other_name_is_in_text(three, mount, name):
    assert refused(os.stat, mount(three).inbox / '.text' / name) == errno.ENOENT


@pytest.mark.parametrize('name', ['4', '1.txt', '01', '1.eml', '.parts', '.text'])
def test_no_other_name_is_in_parts(three, mount, name):
    assert refused(os.stat, mount(three).inbox / '.parts' / name) == errno.ENOENT


# ---- what stat shows

def test_dates_and_permissions(three, mount):
    mail = mount(three)
    text, parts = mail.inbox / '.text' / '2.txt', mail.inbox / '.parts' / '2'
    for path in (text, parts):
        assert path.stat().st_mtime == (mail.inbox / '2.eml').stat().st_mtime == 1500000002
        assert path.stat().st_uid == os.getuid()
    assert stat.filemode(text.stat().st_mode) == '-r--------'
    assert stat.filemode(parts.stat().st_mode) == 'dr-x------'
    assert stat.filemode(text.parent.stat().st_mode) == 'dr-x------'


def test_a_view_that_was_never_listed_resolves_its_messages(three, mount):
    assert (mount(three).inbox / '.text' / '3.txt').is_file()


# ---- nothing can be changed in them

def test_text_and_parts_cannot_be_changed(three, mount):
    mail = mount(three)
    for view, entry in (('.text', '1.txt'), ('.parts', '1')):
        path = mail.inbox / view
        assert refused(os.unlink, path / '1.txt') in (OURS, errno.ENOENT)
        assert refused(os.mkdir, path / 'new') == OURS
        assert refused(os.rename, path / entry, path / 'x') == OURS
        assert refused(os.rename, path / entry, mail.inbox / 'x') == OURS
        assert refused(os.rename, mail.inbox / '1.eml', path / 'x') == OURS
        assert refused(os.open, path / 'new', os.O_CREAT | os.O_WRONLY) == OURS
        assert refused(os.chmod, path / entry, 0o777) == errno.EPERM
        assert refused(os.utime, path / entry, (1, 1)) == errno.EPERM
    assert refused(os.rmdir, mail.inbox / '.parts' / '1') == OURS
    assert refused(os.truncate, mail.inbox / '.text' / '1.txt', 0) == OURS
    assert sorted(os.listdir(mail.inbox / '.text')) == ['1.txt', '2.txt', '3.txt']
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']


def test_the_views_themselves_cannot_be_changed(three, mount):
    mail = mount(three)
    for view in VIEWS:
        assert refused(os.rmdir, mail.inbox / view) == errno.EPERM
        assert refused(os.mkdir, mail.inbox / view) == errno.EEXIST
        assert refused(os.rename, mail.inbox / view, mail.inbox / 'x') == errno.EPERM
        assert refused(os.chmod, mail.inbox / view, 0o777) == errno.EPERM
        assert refused(os.unlink, mail.inbox / view) == errno.EISDIR
        assert refused(os.rename, mail.inbox / '1.eml', mail.inbox / view) == errno.EISDIR


# ---- they follow the messages

def test_what_comes_and_goes_elsewhere_does_so_here(three, imap, mount):
    mail = mount(three)
    text, parts = mail.inbox / '.text', mail.inbox / '.parts'
    assert [len(os.listdir(path)) for path in (text, parts)] == [3, 3]
    assert (text / '2.txt').exists() and (parts / '2').exists()
    imap.select('INBOX')
    imap.uid('STORE', '2', '+FLAGS.SILENT', '(\\Deleted)')
    imap.uid('EXPUNGE', '2')
    lists(text, ['1.txt', '3.txt'])
    lists(parts, ['1', '3'])
    gone(text / '2.txt')
    gone(parts / '2')
    three.append(letter('new'))
    lists(text, ['1.txt', '3.txt', '4.txt'])
    lists(parts, ['1', '3', '4'])
    assert (text / '4.txt').exists()


def test_what_is_removed_here_goes_from_the_views_at_once(three, mount):
    mail = mount(three)
    text = mail.inbox / '.text'
    assert (text / '2.txt').exists() and len(os.listdir(text)) == 3
    os.unlink(mail.inbox / '2.eml')
    lists(text, ['1.txt', '3.txt'])
    gone(text / '2.txt')


def test_a_folder_that_is_renamed_keeps_its_views(three, imap, mount):
    imap.create('Old')
    three.append(letter(), mailbox='Old')
    mail = mount(three)
    old, new = mail.inbox.parent / 'Old', mail.inbox.parent / 'New'
    assert os.listdir(old / '.text') == ['1.txt']
    os.rename(old, new)
    assert os.listdir(new / '.text') == ['1.txt']
    assert (new / '.text' / '1.txt').exists()
    assert not (old / '.text').exists()


@needs('IDLE')
def test_uidvalidity_change_never_mixes(dovecot, imap, mount):
    imap.create('Box')
    dovecot.append(*[letter(body=b'old %d\r\n' % n) for n in range(5)], mailbox='Box')
    mail = mount(dovecot, poll=1)
    box = mail.inbox.parent / 'Box'
    assert (box / '.text' / '3.txt').read_bytes().endswith(b'\nold 2\n')
    assert (box / '.parts' / '3' / '1.txt').read_bytes() == b'old 2\n'
    assert len(os.listdir(box / '.text')) == 5
    # By RENAME: what is made while the mount selects it anew can get damaged in Dovecot, and
    # without IDLE that damages it as well.
    imap.create('New')
    dovecot.append(*[letter(body=b'new %d\r\n' % n) for n in range(4)], mailbox='New')
    imap.delete('Box')
    imap.rename('New', 'Box')
    lists(box / '.text', [f'{uid}.txt' for uid in range(1, 5)])
    lists(box / '.parts', ['1', '2', '3', '4'])
    for uid in range(1, 5):
        assert (box / '.text' / f'{uid}.txt').read_bytes().endswith(b'\nnew %d\n' % (uid - 1))
        assert (box / '.parts' / f'{uid}' / '1.txt').read_bytes() == b'new %d\n' % (uid - 1)


def test_uidvalidity_change_never_mixes_what_is_whole(fake, mount):
    server = fake()
    server.inbox.extend([letter(body=b'old %d\r\n' % n) for n in range(5)])
    mail = mount(server, poll=1, expect=['connection', 'reset', 'lost', 'closed'])
    assert (mail.inbox / '.text' / '3.txt').read_bytes().endswith(b'\nold 2\n')
    assert (mail.inbox / '.parts' / '3' / '1.txt').read_bytes() == b'old 2\n'
    assert len(os.listdir(mail.inbox / '.text')) == 5
    server.inbox.reset(2000, [letter(body=b'new %d\r\n' % n) for n in range(4)])
    server.kill()
    lists(mail.inbox / '.text', [f'{uid}.txt' for uid in range(1, 5)])
    lists(mail.inbox / '.parts', ['1', '2', '3', '4'])
    for uid in range(1, 5):
        text = (mail.inbox / '.text' / f'{uid}.txt').read_bytes()
        assert text.endswith(b'\nnew %d\n' % (uid - 1))
        part = (mail.inbox / '.parts' / f'{uid}' / '1.txt').read_bytes()
        assert part == b'new %d\n' % (uid - 1)


def test_what_is_open_is_read_on_when_the_message_goes(three, imap, mount):
    mail = mount(three)
    with open(mail.inbox / '.text' / '2.txt', 'rb', buffering=0) as file:
        assert file.read(5) == b'From:'
        imap.select('INBOX')
        imap.uid('STORE', '2', '+FLAGS.SILENT', '(\\Deleted)')
        imap.uid('EXPUNGE', '2')
        lists(mail.inbox / '.text', ['1.txt', '3.txt'])
        assert file.read().endswith(b'\nText\n')


def test_the_thread_of_the_engine_takes_no_message_apart(dovecot, mount):
    """Here: many lines that might be a boundary, in a message that an earlier mount left. Each of
    them is a look at all that follows to sanitizers."""
    lines = 3_000_000 if SLOW <= 2 else 200_000
    head = letter(more='MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n')
    dovecot.deliver([head + b'--b\r\n\r\nText\r\n--b\r\nContent-Type: a/b\r\n\r\n' +
                     b'--x\r\n' * lines + b'--b--\r\n'])
    mail = mount(dovecot)
    assert (mail.inbox / '1.eml').read_bytes().endswith(b'--b--\r\n')
    mail.unmount()
    mail = mount(dovecot)
    before = times(mail.pid)
    assert (mail.inbox / '.text' / '1.txt').stat().st_size > 0
    spent = {name: time - before.get(name, 0) for name, time in times(mail.pid).items()}
    assert spent['engine'] < sum(spent.values()) / 2
