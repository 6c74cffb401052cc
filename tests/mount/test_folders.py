"""Folders are made, renamed and removed, whatever the connection does meanwhile; what may be done
there, and how much the account may hold."""

import errno
import os
import subprocess
import threading

import pytest

from tests.conftest import needs
from tests.support import eventually

BODY = b'From: a@example.org\r\nSubject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\nText %d\r\n'
FOLDERS = rb'^\S+ (CREATE|DELETE|RENAME|SUBSCRIBE|UNSUBSCRIBE)\b'


def body(number):
    return BODY % (number, number, number)


def commands(server, pattern=FOLDERS):
    return [entry.line.split(b' ', 1)[1].decode().strip() for entry in server.lines(pattern)]


def fails_with(code, call, *arguments):
    with pytest.raises(OSError) as failure:
        call(*arguments)
    assert errno.errorcode[failure.value.errno] == errno.errorcode[code]


def test_subscriptions_follow(fake, mount):
    server = fake()
    for name in ('Lists', 'Lists/a', 'Lists/b', 'Listsb'):
        server.add(name)
    server.subscribed = {b'INBOX', b'Lists', b'Lists/b', b'Listsb'}
    mail = mount(server)
    os.rename(mail / 'Lists', mail / 'Old')
    assert server.subscribed == {b'INBOX', b'Old', b'Old/b', b'Listsb'}
    assert sorted(os.listdir(mail / 'Old')) == ['a', 'b']


def test_renamed_folder_is_not_fetched_again(fake, mount):
    server = fake()
    server.add('Work').extend([body(1), body(2)])
    mail = mount(server)
    assert [(mail / f'Work/{n}.eml').read_bytes() for n in (1, 2)] == [body(1), body(2)]
    fetched = len(server.lines(rb'FETCH'))
    os.rename(mail / 'Work', mail / 'Done')
    assert [(mail / f'Done/{n}.eml').read_bytes() for n in (1, 2)] == [body(1), body(2)]
    assert len(server.lines(rb'FETCH')) == fetched


@needs('UIDPLUS')
@pytest.mark.parametrize('unselect', [True, False])
def test_folder_that_was_looked_at_goes(fake, mount, unselect):
    """Nothing has it selected then; what is marked in it stays, too."""
    server = fake()
    if not unselect:
        server.mask('UNSELECT', 'IMAP4rev2')
    server.add('Work').extend([body(1), body(2)])
    server.mailboxes[b'Work'].set_flags(2, {'\\Deleted'})
    selected = []
    server.on(rb'(DELETE|RENAME) ', lambda session, command: selected.extend(
        box.name for box in [other.mailbox for other in server.open_sessions()] if box))
    mail = mount(server)
    assert os.listdir(mail / 'Work') == ['1.eml']
    os.unlink(mail / 'Work/1.eml')
    fails_with(errno.ENOTEMPTY, os.rmdir, mail / 'Work')
    assert server.mailboxes[b'Work'].message(2).body == body(2)
    os.rename(mail / 'Work', mail / 'Done')
    server.mailboxes[b'Done'].expunge(2)
    assert os.listdir(mail / 'Done') == []
    os.rmdir(mail / 'Done')
    assert b'Done' not in server.mailboxes
    assert not {'Work', 'Done', b'Work', b'Done'} & set(selected)
    assert not server.lines(rb' CLOSE')


CUTS = [('mkdir', lambda mail: os.mkdir(mail / 'New')),
        ('rmdir', lambda mail: os.rmdir(mail / 'Work')),
        ('rename', lambda mail: os.rename(mail / 'Work', mail / 'New'))]


@pytest.mark.parametrize('name, call', CUTS)
def test_connection_is_lost(fake, mount, name, call):
    """At each point of each command in turn: what the caller is told is what is the case."""
    for number in range(1, 40):
        server = fake()
        for box in ('Work', 'Other') if name == 'rmdir' else ('Work', 'Work/a'):
            server.add(box)
        mail = mount(server, expect=['reconnecting', 'closed', 'broke'])
        os.listdir(mail / 'Work')
        cut = server.cut(rb'CREATE|DELETE|RENAME|SUBSCRIBE|\(SUBSCRIBED\)|STATUS|UNSELECT|LIST',
                         number=number, how='reset' if number % 2 else 'drop')
        try:
            call(mail)
            done = True
        except OSError as failure:
            assert failure.errno == errno.EAGAIN
            done = False
        assert done == (b'New' in server.mailboxes if name != 'rmdir'
                        else b'Work' not in server.mailboxes)
        assert done == ('New' in os.listdir(mail.path) if name != 'rmdir'
                        else 'Work' not in os.listdir(mail.path))
        if done and name == 'rename':
            assert os.listdir(mail / 'New') == ['a']
            assert server.subscribed >= {b'New', b'New/a'} and b'Work' not in server.subscribed
        mail.unmount()
        if not cut.done:
            break
    assert 8 < number < 39


@needs('ACL')
def test_missing_rights(fake, mount):
    """What is known is refused without asking."""
    server = fake()
    server.capabilities.append('ACL')
    server.add('Shared')
    server.mailboxes[b'Shared'].rights = 'lrs'
    mail = mount(server)
    assert os.listdir(mail / 'Shared') == []
    fails_with(errno.EACCES, os.mkdir, mail / 'Shared/New')
    fails_with(errno.EACCES, os.rmdir, mail / 'Shared')
    fails_with(errno.EACCES, os.rename, mail / 'Shared', mail / 'Mine')
    assert commands(server) == []
    assert len(server.lines(rb'MYRIGHTS "Shared"')) == 1


@needs('QUOTA')
def test_df_is_the_quota(fake, mount):
    server = fake()
    server.capabilities.append('QUOTA')
    server.quota = {'STORAGE': 4096, 'MESSAGE': 10}
    server.inbox.extend([b'Subject: x\r\n\r\n' + b'x' * (1 << 20), body(2)])
    mail = mount(server, poll=5)

    def told():
        assert os.statvfs(mail.path).f_files == 10
    eventually(told)
    figures = os.statvfs(mail.path)
    assert figures.f_blocks * figures.f_frsize == 4 << 20
    assert (figures.f_files, figures.f_ffree) == (10, 8)
    assert 0 < (3 << 20) - figures.f_bavail * figures.f_frsize < 3 * 4096
    os.unlink(mail.inbox / '1.eml')

    def freed():
        now = os.statvfs(mail.path)
        assert (now.f_ffree, now.f_bavail) == (9, figures.f_blocks - 1)
    eventually(freed)

    def not_asked():
        """By df, that is: what a change left in doubt may be asked for once more."""
        asked = len(server.lines(rb'GETQUOTAROOT'))
        subprocess.run(['df', mail.path], check=True, stdout=subprocess.DEVNULL)
        assert len(server.lines(rb'GETQUOTAROOT')) == asked
    eventually(not_asked)


def test_many_at_a_time(fake, mount):
    server = fake()
    mail = mount(server)
    made = [mail / f'New{n}' for n in range(20)]
    for call in (os.mkdir, os.rmdir):
        threads = [threading.Thread(target=call, args=(path,)) for path in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        there = {name for name in server.mailboxes if name.startswith(b'New')}
        assert there == ({os.path.basename(os.fsencode(path)) for path in made}
                         if call is os.mkdir else set())
        assert {name for name in os.listdir(mail.path) if name.startswith('New')} == {
            os.fsdecode(name) for name in there}


def test_of_a_real_server(dovecot, imap, mount):
    mail = mount(dovecot)
    os.makedirs(mail / 'Lists/a')
    assert {line.split()[-1] for line in imap.lsub()[1]} == {b'Lists', b'Lists/a'}
    os.rename(mail / 'Lists', mail / 'Old')
    assert {line.split()[-1] for line in imap.lsub()[1]} == {b'Old', b'Old/a'}
    imap.append('Old/a', None, None, body(1))
    fails_with(errno.ENOTEMPTY, os.rmdir, mail / 'Old/a')
    fails_with(errno.ENOTEMPTY, os.rmdir, mail / 'Old')

    def arrived():
        assert os.listdir(mail / 'Old/a') == ['1.eml']
    eventually(arrived)
    os.unlink(mail / 'Old/a/1.eml')
    os.rmdir(mail / 'Old/a')
    os.rmdir(mail / 'Old')
    assert imap.lsub()[1] == [None]
    assert os.listdir(mail.path) == ['INBOX', '.imapfs']
