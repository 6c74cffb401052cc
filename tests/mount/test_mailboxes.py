"""Mailboxes that come and go, and take each other's names, below a mount."""

import errno
import json
import os

import pytest

from tests.conftest import needs
from tests.support import eventually

OLD, NEW = (b'Subject: %s\r\n\r\nThe %s one.\r\n' % (word, word) for word in (b'old', b'new'))


@pytest.fixture
def do(imap):
    """do(command, *arguments): as an independent client."""
    def run(command, *arguments):
        status, answer = getattr(imap, command)(*arguments)
        assert status == 'OK', answer
    return run


def wait_for(path, there=True):
    """Until the directory is listed, or is not any more."""
    def look():
        assert (path.name in os.listdir(path.parent)) == there
    eventually(look)


def wait_to_read(path, body):
    def look():
        assert path.read_bytes() == body
    eventually(look)


def test_deleted_and_made_again(dovecot, do, mount):
    do('create', 'Once')
    do('append', 'Once', None, None, OLD)
    mail = mount(dovecot, poll=3)
    message = mail / 'Once' / '1.eml'
    assert message.read_bytes() == OLD
    do('delete', 'Once')
    wait_for(message.parent, there=False)
    do('create', 'Once')
    do('append', 'Once', None, None, NEW)
    wait_for(message.parent)
    assert message.read_bytes() == NEW


@needs('IDLE')
def test_made_again_at_once(dovecot, imap, do, mount):
    """Under IDLE, where Dovecot does not tell: nobody sees it go and come."""
    do('create', 'Once')
    do('append', 'Once', None, None, OLD)
    mail = mount(dovecot, poll=6)
    mail.expect('.')
    message = mail / 'Once' / '1.eml'
    assert message.read_bytes() == OLD

    def idle():
        status = json.loads((mail / '.imapfs' / 'status').read_bytes())
        assert all(one['idle'] for one in status['connections'])
    eventually(idle)
    do('delete', 'Once')
    do('create', 'Once')
    do('append', 'Once', None, None, NEW)
    wait_to_read(message, NEW)


def test_renamed_and_made_again(dovecot, do, mount):
    """As archives are rotated: the name was never away."""
    do('create', 'Archive')
    do('append', 'Archive', None, None, OLD)
    mail = mount(dovecot, poll=3)
    message, moved = mail / 'Archive' / '1.eml', mail / 'Archive-1' / '1.eml'
    assert message.read_bytes() == OLD
    do('rename', 'Archive', 'Archive-1')
    do('create', 'Archive')
    do('append', 'Archive', None, None, NEW)
    wait_for(moved.parent)
    assert moved.read_bytes() == OLD
    wait_to_read(message, NEW)


def test_two_change_their_names(dovecot, do, mount):
    """Neither is ever missing, and what is open is read on."""
    for name, body in (('One', OLD), ('Two', NEW)):
        do('create', name)
        do('append', name, None, None, body)
    mail = mount(dovecot, poll=3)
    one, two = mail / 'One' / '1.eml', mail / 'Two' / '1.eml'
    assert (one.read_bytes(), two.read_bytes()) == (OLD, NEW)
    with open(one, 'rb') as file:
        for names in (('One', 'Other'), ('Two', 'One'), ('Other', 'Two'), ('Two', 'Last')):
            do('rename', *names)
        wait_for(mail / 'Last')
        wait_to_read(one, NEW)
        wait_to_read(mail / 'Last' / '1.eml', OLD)
        assert file.read() == OLD


def test_refused_after_others_came(fake, mount):
    """What its name stood for before is not shown in its place."""
    server = fake()
    server.add('Box').append(OLD)
    mail = mount(server, poll=3, expect=['not you'])
    message = mail / 'Box' / '1.eml'
    assert message.read_bytes() == OLD
    server.on(rb'EXAMINE "?Box', lambda session, command:
              session.tagged(command, 'NO', '[NOPERM] not you'))
    server.add('Later')
    wait_for(mail / 'Later')

    def refused():
        try:
            message.read_bytes()
        except PermissionError:
            return
        raise AssertionError('it is still read')
    eventually(refused)


def test_a_folder_that_one_mount_leaves_out_is_kept(fake, mount):
    server = fake()
    server.add('Other').extend([OLD])
    mail = mount(server)
    assert (mail / 'Other' / '1.eml').read_bytes() == OLD
    mail.unmount()
    for _ in range(2):
        mail = mount(server, folders='INBOX')
        wait_for(mail / 'Other', there=False)
        mail.unmount()
    before = len(server.log)
    mail = mount(server)
    wait_for(mail / 'Other')
    assert (mail / 'Other' / '1.eml').read_bytes() == OLD
    assert not [entry for entry in server.log[before:] if b'BODY.PEEK' in entry.line]


def test_open_in_a_folder_that_is_renamed_away(dovecot, do, mount):
    """Nobody can name it any more, and what is not here cannot come."""
    do('create', 'Stay')
    for body in (OLD, NEW):
        do('append', 'Stay', None, None, body)
    mail = mount(dovecot, poll=3)
    with open(mail / 'Stay' / '1.eml', 'rb') as here, open(mail / 'Stay' / '2.eml', 'rb') as away:
        assert here.read() == OLD
        do('rename', 'Stay', 'Gone')
        with pytest.raises(OSError) as caught:
            away.read()
        assert caught.value.errno == errno.ESTALE
        here.seek(0)
        assert here.read() == OLD
