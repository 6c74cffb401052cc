"""Changes that are interrupted as in test_change_crash, on a real server: at each line that is said
from the first command of a change on the connection ends, or with all of its processes the server,
or the program. IMAPFS_LONG=1 takes all lines; else some, the same each time."""

import itertools
import re
import signal

import pytest

from tests.fake.mailbox import Message
from tests.mount.test_change_crash import FOREIGN, LONG, Changes, wire
from tests.support.dovecot import Account
from tests.support.relay import Relay

OPERATIONS = ['remove', 'move', 'copy', 'create', 'replace']
MAILBOXES = {'INBOX': ['one', 'two', FOREIGN, 'three', 'four'], 'Archive': ['older'],
             'Drafts': ['draft']}
NUMBERS = itertools.count(1)


class BehindRelay(Relay):
    """An account of its own that the program reaches through a relay."""

    def __init__(self, dovecot):
        super().__init__(dovecot.clear_port)
        self.account = Account(dovecot, f'interrupted{next(NUMBERS)}')
        self.password, self.ca = self.account.password, self.account.ca
        self.source = f'imap://{self.account.user}@localhost:{self.port}'
        self.options = {'tls': 'none', 'edit': 'all'}


class RealChanges(Changes):
    step = 1 if LONG else 5
    firsts = [1] if LONG else [2]
    ways = ({'how': 'drop'}, {'how': 'torn'})

    def __init__(self, dovecot, program, directory):
        super().__init__(None, program, directory)
        self.dovecot = dovecot

    def close(self):
        if self.server:
            self.server.close()

    def reset(self):
        self.close()
        self.server = BehindRelay(self.dovecot)
        self.uids = {}
        for mailbox, names in MAILBOXES.items():
            self.server.account.deliver(map(wire, names), '' if mailbox == 'INBOX' else mailbox)
            self.uids.update((name, uid) for uid, name in enumerate(names, 1))
        client = self.server.account.imap()
        client.select('INBOX')
        client.uid('STORE', str(self.uids[FOREIGN]), '+FLAGS', '(\\Deleted)')
        client.logout()
        self.before, self.changes = self.state(), []

    def wait_until_quiet(self):
        self.server.wait_until_quiet()

    def held(self):
        self.server.wait_until_cut()
        client, found = self.server.account.imap(), {}
        for mailbox in MAILBOXES:
            client.select(mailbox, readonly=True)
            found[mailbox] = list(messages(client))
        client.logout()
        return found

    def lose_server(self, number):
        """Whether there was such a point."""
        self.ways = ({'how': self.kill_server},)
        return self.lose_connection(number)

    def kill_server(self):
        self.dovecot.stop(signal.SIGKILL)
        self.dovecot.start()


def messages(client):
    """All in the mailbox that is selected."""
    for part in client.uid('FETCH', '1:*', '(UID FLAGS BODY.PEEK[])')[1]:
        if isinstance(part, tuple):
            uid = re.search(rb'UID (\d+)', part[0])[1]
            flags = re.search(rb'FLAGS \(([^)]*)\)', part[0])[1]
            yield Message(int(uid), part[1], flags.decode().split())


@pytest.fixture(params=OPERATIONS)
def run(dovecot_server, program, tmp_path, request):
    one, before = RealChanges(dovecot_server, program, tmp_path), len(dovecot_server.log)
    one.operation = getattr(one, request.param)
    yield one
    one.close()
    print(''.join(dovecot_server.log[before:]))
    print(f'{request.param}: {one.interrupted} interruptions in {one.runs} runs')


@pytest.mark.limit(3600 if LONG else 120)
@pytest.mark.parametrize('end', ['lose_connection', 'lose_server', 'kill_at_point'])
def test_interrupted(fatal, run, end):
    run.walk(getattr(run, end))
    assert run.interrupted
