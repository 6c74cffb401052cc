"""What others do to the account shows without being asked for."""

import itertools
import os
import time

import pytest

from tests.conftest import needs, start_dovecot
from tests.support import MASK, SLOW, eventually
from tests.support.dovecot import Account

BODY = b'Subject: x\r\n\r\nhello\r\n'
NUMBERS = itertools.count(1)

# With IDLE nothing of this is due to `poll`; without it all is to come by that.
ALONE, POLL = ('poll', 5) if 'IDLE' in MASK else ('idle', 3600)
WAYS = [pytest.param('notify', marks=needs('NOTIFY')), ALONE]


def until(holds):
    """Waits for a state that nobody announces to us."""
    def look():
        assert holds()
    eventually(look, 20)


def until_listed_anew(account):
    """Dovecot's list index takes what changes in the second of the last change for known, in every
    session and for good: waits for that second's end."""
    changed = int(account.maildir.stat().st_mtime)
    until(lambda: time.time() >= changed + 1.1)


@pytest.fixture(scope='module', params=WAYS)
def real(request, tmp_path_factory, certs):
    masked = [] if request.param == 'notify' else ['NOTIFY']
    one = start_dovecot(tmp_path_factory, certs, mask=[*MASK, *masked])
    yield one
    print(''.join(one.log))
    one.stop()


@pytest.fixture
def account(real):
    one = Account(real, f'push{next(NUMBERS)}')
    client = one.imap()
    client.create('Other')
    client.create('Third')
    client.logout()
    for name in ('INBOX', 'Other', 'Third'):
        one.append(BODY, BODY, mailbox=name)
    return one


def show(mail, *names):
    for name in names:
        assert sorted(os.listdir(mail / name)) == ['1.eml', '2.eml']


@pytest.mark.parametrize('name', ['INBOX', 'Other'])
def test_mail_comes_and_goes(account, mount, name):
    """Of the two that were looked at neither, or both, are selected."""
    mail = mount(account, poll=POLL)
    show(mail, 'INBOX', 'Other')
    account.append(BODY, mailbox=name)
    until(lambda: '3.eml' in os.listdir(mail / name))
    assert os.stat(mail / name / '3.eml').st_size == len(BODY)
    client = account.imap()
    client.select(name)
    client.uid('STORE', '2', '+FLAGS', '\\Deleted')
    client.expunge()
    until(lambda: sorted(os.listdir(mail / name)) == ['1.eml', '3.eml'])
    with pytest.raises(FileNotFoundError):
        os.stat(mail / name / '2.eml')
    client.logout()


def test_a_marked_message_goes_and_comes_back(account, mount):
    mail = mount(account, poll=POLL)
    show(mail, 'INBOX')
    client = account.imap()
    client.select('INBOX')
    client.uid('STORE', '2', '+FLAGS', '\\Deleted')
    until(lambda: os.listdir(mail.inbox) == ['1.eml'])
    client.uid('STORE', '2', '-FLAGS', '\\Deleted')
    until(lambda: sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml'])
    client.logout()


def test_folders_come_and_go(account, mount):
    """NOTIFY tells of them, if the server does not lose it; LIST does in any case."""
    mail = mount(account, poll=5)
    show(mail, 'INBOX')
    assert sorted(mail.names()) == ['INBOX', 'Other', 'Third']
    client = account.imap()
    client.create('New')
    until(lambda: 'New' in os.listdir(mail.path))
    until_listed_anew(account)
    client.rename('New', 'Newer')
    until(lambda: 'Newer' in os.listdir(mail.path) and 'New' not in os.listdir(mail.path))
    until_listed_anew(account)
    client.delete('Third')
    until(lambda: 'Third' not in os.listdir(mail.path))
    client.logout()


def test_what_no_push_covers_is_compared(account, mount):
    """More folders than connections."""
    mail = mount(account, poll=5, connections=1)
    show(mail, 'INBOX', 'Third', 'Other')
    account.append(BODY, mailbox='Third')
    until(lambda: '3.eml' in os.listdir(mail / 'Third'))


@pytest.fixture
def server(fake):
    one = fake()
    for name in ('INBOX', 'Other', 'Third', 'Fourth', 'Fifth', 'Sixth'):
        mailbox = one.inbox if name == 'INBOX' else one.add(name)
        mailbox.extend([BODY] * 2)
    return one


def test_many_folders_cost_one_command(server, mount):
    """Or one each, where the server has no such command; none is selected again for it."""
    together = 'LIST-STATUS' not in MASK
    # All are looked at before the first one is due.
    mail = mount(server, poll=int(5 * SLOW), connections=2)
    show(mail, 'Third', 'Fourth', 'Fifth', 'Sixth', 'Other', 'INBOX')
    asked = rb'LIST "" "\*" RETURN \(.*STATUS \(' if together else rb' STATUS "Third"'
    server.wait_for(lambda: server.lines(asked), 20 * SLOW)
    server.mailboxes[b'Third'].append(BODY)
    server.mailboxes[b'Fourth'].set_flags(2, ['\\Deleted'])
    until(lambda: '3.eml' in os.listdir(mail / 'Third'))
    assert together == (not server.lines(rb'i\d+ STATUS'))
    assert len(server.lines(rb'EXAMINE "Fifth"')) == 1
    # Only HIGHESTMODSEQ tells of flags. Without it they are looked at every tenth time.
    if not {'CONDSTORE', 'QRESYNC'} <= set(MASK):
        until(lambda: os.listdir(mail / 'Fourth') == ['1.eml'])


@needs('SPECIAL-USE')
def test_uses_stay_known(server, mount):
    """The LIST that polls many folders together tells of uses only if it is asked for them."""
    server.mailboxes[b'Sixth'].special = ['\\Trash']
    mail = mount(server, poll=5, connections=2, delete='trash')
    show(mail, 'Third', 'Fourth', 'Fifth', 'Sixth', 'Other', 'INBOX')
    # When the second one goes out, the first is answered.
    asked = rb' LIST .* RETURN \(.*STATUS \(' if 'LIST-STATUS' not in MASK else rb' LIST '
    server.wait_for(lambda: len(server.lines(asked)) > 1, 30 * SLOW)
    os.unlink(mail / 'Third/1.eml')
    mail.settle('Third')
    assert len(server.mailboxes[b'Sixth'].uids()) == 3


@needs('IDLE')
def test_nothing_is_asked_while_push_covers(server, mount):
    """Neither listing nor stat costs anything while nothing happens."""
    mail = mount(server, poll=1)
    show(mail, 'INBOX', 'Other')

    def costs_nothing():
        time_up = time.monotonic() + 2.5
        until(lambda: time.monotonic() > time_up)
        before = len(server.log)
        show(mail, 'INBOX', 'Other')
        assert [str(line) for line in server.log[before:]] == []
    # Every five seconds push is put to the proof, which may be just then.
    eventually(costs_nothing)


@pytest.mark.parametrize('way', WAYS)
def test_a_server_that_comes_back_is_found(server, mount, way):
    """Nobody asks; what came meanwhile shows."""
    if way == 'notify':
        server.capabilities.append('NOTIFY')
        server.mask('IDLE')
    mail = mount(server, poll=POLL)
    mail.expect('.')
    show(mail, 'INBOX', 'Other')
    server.refuse = True
    server.kill()
    attempts = len(server.sessions)
    server.wait_for(lambda: len(server.sessions) >= attempts + 3, 30 * SLOW)
    server.inbox.append(BODY)
    server.refuse = False
    back = time.monotonic()
    server.wait_for(server.open_sessions, 20 * SLOW)
    assert time.monotonic() - back < 5 * SLOW
    until(lambda: '3.eml' in os.listdir(mail.inbox))
