"""A folder is selected again after others changed it: by QRESYNC, by CONDSTORE, or by counting."""

import json
import os

import pytest

from tests.conftest import needs, start_dovecot
from tests.support import MASK, eventually
from tests.support.dovecot import Account

BODY = b'Subject: x\r\n\r\nThis is a message.\r\n'

# What is masked, what EXAMINE asks for, and whether the changed folder must be listed.
MODES = {
    'qresync': ([], r' \(QRESYNC \(\d+ \d+\)\)', False),
    'condstore': (['QRESYNC'], r' \(CONDSTORE\)', True),
    'plain': (['QRESYNC', 'CONDSTORE'], '', True),
}
QRESYNC = needs('ENABLE', 'QRESYNC')
NAMED = [pytest.param('qresync', marks=QRESYNC),
         pytest.param('condstore', marks=needs('CONDSTORE')), 'plain']
# Mailboxes to look at in between; each is enough for once.
NAMES = [f'Other{number}' for number in range(4)]
MODE = pytest.mark.parametrize('mode', NAMED)


def names(uids):
    return sorted(f'{uid}.eml' for uid in uids)


def listing(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith('.eml'))


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def flags(path):
    return os.getxattr(path, 'user.imap.flags').decode()


def start(mount, server, **more):
    mail = mount(server, connections=1, poll=1, **more)
    mail.others = list(NAMES)
    return mail


def leave(mail):
    """Takes the one connection of the mount to a mailbox that it never listed: what others do in
    INBOX from here on is told by its next selection alone, not by IDLE."""
    os.listdir(mail / mail.others.pop())


def come_back(mail, expected):
    """INBOX has to be selected anew."""
    def check():
        assert listing(mail.inbox) == names(expected)
    eventually(check)


@pytest.fixture
def server(fake):
    one = fake()
    for name in NAMES:
        one.add(name)
    one.inbox.extend([BODY] * 50)
    return one


def commands(server):
    """Those about INBOX since the last EXAMINE of it."""
    log = [entry.line.partition(b' ')[2].decode() for entry in server.lines(b'')]
    start = max(at for at, line in enumerate(log) if line.startswith('EXAMINE "INBOX"'))
    return log[start:]


@MODE
def test_changes_elsewhere(server, mount, mode):
    masked, parameter, listed = MODES[mode]
    server.mask(*masked, 'IMAP4rev2')
    mail = start(mount, server)
    assert listing(mail.inbox) == names(range(1, 51))
    assert os.stat(mail.inbox / '7.eml').st_size == len(BODY)
    leave(mail)
    for uid in (3, 4, 50):
        server.inbox.expunge(uid)
    server.inbox.set_flags(9, ['\\Deleted'])
    server.inbox.set_flags(10, ['\\Seen'])
    server.inbox.extend([BODY + b'more'] * 2)
    left = set(range(1, 53)) - {3, 4, 9, 50}
    come_back(mail, left)
    assert os.stat(mail.inbox / '52.eml').st_size == len(BODY) + 4
    said = commands(server)
    assert said[0] == 'EXAMINE "INBOX"' + (
        f' (QRESYNC ({server.inbox.uidvalidity} 2))' if mode == 'qresync'
        else ' (CONDSTORE)' if mode == 'condstore' else '')
    assert any(line.endswith(' ALL') for line in said) == listed
    assert any('CHANGEDSINCE' in line for line in said) == (mode == 'condstore')
    # And what did not change is not asked for.
    before = len(server.lines(b'EXAMINE "INBOX"'))
    leave(mail)

    def selected_again():
        assert listing(mail.inbox) == names(left)
        assert len(server.lines(b'EXAMINE "INBOX"')) > before
    eventually(selected_again)
    again = commands(server)
    assert not any(line.endswith(' ALL') or 'FETCH' in line for line in again)
    assert any(line.endswith(' DELETED') for line in again) == (mode == 'plain')


@MODE
def test_flags_changed_between_two_mounts(server, mount, mode):
    """What the first mount knew of a message is on disk only when the second hears of it."""
    server.mask(*MODES[mode][0], 'IMAP4rev2')
    server.inbox.set_flags(3, ['\\Seen', 'Old'])
    mail = start(mount, server)
    assert listing(mail.inbox) == names(range(1, 51))
    assert flags(mail.inbox / '3.eml') == '\\Seen Old'
    os.stat(mail.inbox / '2.eml')
    mail.unmount()
    server.inbox.set_flags(2, ['\\Flagged'])
    server.inbox.set_flags(3, ['New'])
    mail = start(mount, server)
    assert listing(mail.inbox) == names(range(1, 51))

    def confirmed():
        status = json.loads((mail / '.imapfs' / 'status').read_bytes())
        assert status['folders'][0]['path'] == 'INBOX'
        assert status['folders'][0]['confirmed_ms'] is not None
    eventually(confirmed)
    new = ['', '\\Flagged', 'New']

    def shown():
        assert [flags(mail.inbox / f'{uid}.eml') for uid in (1, 2, 3)] == new
    eventually(shown)

    def told():
        lines = [json.loads(line) for line in (mail / '.imapfs' / 'events').read_text().splitlines()]
        assert {line['uid'] for line in lines if line['kind'] == 'flags'} == {2, 3}
    eventually(told)
    mail.unmount()
    mail = start(mount, server)
    assert [flags(mail.inbox / f'{uid}.eml') for uid in (1, 2, 3)] == new


@MODE
def test_uidvalidity_changes_meanwhile(server, mount, mode):
    server.mask(*MODES[mode][0], 'IMAP4rev2')
    mail = start(mount, server)
    assert listing(mail.inbox) == names(range(1, 51))
    assert read(mail.inbox / '2.eml') == BODY
    leave(mail)
    server.inbox.reset(2000, [b'Subject: other\r\n\r\nother\r\n'] * 3)
    come_back(mail, {1, 2, 3})

    def other():
        assert b'other' in read(mail.inbox / '2.eml')
    eventually(other)


@QRESYNC
@pytest.mark.parametrize('changes', [
    lambda vanished, changed: (range(1, 60), []),
    lambda vanished, changed: ([], []),
    lambda vanished, changed: (vanished, changed[:1]),
    lambda vanished, changed: ([*vanished, 20], changed),
], ids=['all-vanished', 'nothing-vanished', 'arrivals-missing', 'one-too-many'])
def test_wrong_answers_evict_nothing(server, mount, changes):
    server.quirks.changes = changes
    mail = start(mount, server)
    mail.expect('QRESYNC is not used any more')
    assert listing(mail.inbox) == names(range(1, 51))
    for turn in range(3):
        leave(mail)
        server.inbox.expunge(3 + turn)
        server.inbox.extend([BODY] * 2)
        come_back(mail, set(range(1, 53 + 2 * turn)) - set(range(3, 4 + turn)))
    asked = server.lines(b'EXAMINE "INBOX" \\(QRESYNC')
    assert len(asked) == 2
    mail.wait_for_output('QRESYNC is not used any more')


@pytest.fixture(params=NAMED)
def real(request, tmp_path_factory, certs):
    """(account on a Dovecot that offers no more than the mode, mode)."""
    server = start_dovecot(tmp_path_factory, certs, mask=[*MASK, *MODES[request.param][0]])
    yield Account(server, 'u'), request.param
    server.stop()


def test_changes_elsewhere_on_a_real_server(real, mount):
    account, mode = real
    account.append(*[BODY] * 20)
    client = account.imap()
    for name in NAMES:
        client.create(name)
    mail = start(mount, account, arguments=['-d'])
    mail.expect('.')
    assert listing(mail.inbox) == names(range(1, 21))
    leave(mail)
    # NOTIFY has it selected as soon as the first change is told: the rest would come by IDLE.
    with mail.stopped():
        client.select('INBOX')
        client.uid('STORE', '4,5,20', '+FLAGS', '(\\Deleted)')
        client.expunge()
        client.uid('STORE', '7', '+FLAGS', '(\\Deleted)')
        client.uid('STORE', '8', '+FLAGS', '(\\Seen)')
        account.append(BODY, BODY)
    left = set(range(1, 23)) - {4, 5, 7, 20}
    come_back(mail, left)
    leave(mail)
    with mail.stopped():
        client.uid('STORE', '7', '-FLAGS', '(\\Deleted)')
        account.append(BODY)
    client.logout()
    come_back(mail, left | {7, 23})
    mail.wait_for_output(r'EXAMINE "INBOX"' + MODES[mode][1] + r'\n')
    selections = [part for part in mail.output().split('EXAMINE "') if part.startswith('INBOX')]
    assert len(selections) > 2
    assert any(' ALL\n' in part for part in selections[1:]) == MODES[mode][2]
