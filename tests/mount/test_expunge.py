"""Expunging in many turns: a real server that says OK is not always done."""

import os

import pytest

from tests.conftest import needs

SETS = [
    ((1, 3), (4, 997), (998, 1000)),
    ((1, 100), (101, 999), (1000, 1000)),
    ((1, 500), (501, 1000)),
    ((1, 1000),),
]


def settle(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@pytest.mark.parametrize('groups', SETS, ids=str)
def test_what_is_removed_is_gone(dovecot, imap, mount, groups):
    """Dovecot 2.3 answers OK to a UID EXPUNGE that it gets in one flight with the STORE, and removes
    nothing, when it writes its index anew meanwhile: as after many others were removed."""
    dovecot.deliver(b'Subject: %d\r\n\r\nText\r\n' % number for number in range(1, 1001))
    mail = mount(dovecot)
    assert len(os.listdir(mail.inbox)) == 1000
    for first, last in groups:
        for uid in range(first, last + 1):
            os.unlink(mail.inbox / f'{uid}.eml')
        settle(mail.inbox)
    assert os.listdir(mail.inbox) == []
    imap.select()
    assert imap.uid('SEARCH', 'ALL') == ('OK', [b''])


@needs('UIDPLUS')
def test_expunge_that_was_not_done(fake, mount):
    """It is asked for once more, and only then."""
    server = fake()
    server.inbox.extend(b'Subject: %d\r\n\r\nText\r\n' % number for number in range(1, 4))
    mail = mount(server)
    assert len(os.listdir(mail.inbox)) == 3
    server.on(rb'UID EXPUNGE', lambda session, command: session.tagged(command, 'OK', 'done'),
              times=1)
    os.unlink(mail.inbox / '2.eml')
    settle(mail.inbox)
    assert server.inbox.uids() == [1, 3]
    assert len(server.lines(rb'UID EXPUNGE 2\b')) == 2
    assert len(server.lines(rb'UID STORE')) == 1
    os.unlink(mail.inbox / '1.eml')
    settle(mail.inbox)
    assert len(server.lines(rb'UID EXPUNGE 1\b')) == 1
    assert os.listdir(mail.inbox) == ['3.eml']
