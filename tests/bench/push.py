"""Measures how long it takes until a change made by another client shows in a mounted folder.

    python3 -m tests.bench.push [TRIES]

Wants IMAPFS_BUILD. Beside each figure is what a bare client on a connection of its own is told:
Dovecot keeps news back for half a second to tell more at once, the scripted server does not. On a
machine that many mounts come and go on, inotify itself stalls for seconds, and Dovecot with it.

Each is measured on a server of its own: with NOTIFY Dovecot 2.3 goes on watching the log of its list
index that it rotated, after some 480 changes here, and from then on looks every 30 seconds."""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.drain import Drain
from tests.fake import Certs, Server
from tests.support import eventually
from tests.support.dovecot import Account, Dovecot
from tests.support.mounting import Mount, Program

BODY = b'Subject: x\r\n\r\nhello\r\n'
PAUSE_S = 0.1  # between two changes: nothing of the last one is under way any more
LIMIT_S = 60


class Scripted:
    """The scripted server; changes happen at once."""

    def __init__(self, directory, notify):
        certs = Certs(directory / 'certs')
        self.server = Server('implicit', certs.context('good'))
        if notify:
            self.server.capabilities.append('NOTIFY')
        self.server.add('Other')
        self.ca = certs.ca
        self.port, self.user = self.server.port, 'user'
        self.password = self.server.users['user']
        self.options, self.source = {}, f'imaps://user@localhost:{self.port}'

    def box(self, name):
        return self.server.mailboxes[name.encode()]

    def append(self, name):
        self.box(name).append(BODY)

    def expunge(self, name, uid):
        self.box(name).expunge(uid)

    def flag(self, name, uid):
        self.box(name).set_flags(uid, {r'\Flagged'})

    def close(self):
        self.server.stop()


class Real:
    """Dovecot; a change is made when its command was answered."""

    def __init__(self, directory, notify):
        self.server = Dovecot(directory / 'dovecot', Certs(directory / 'certs'),
                              [] if notify else ['NOTIFY'])
        self.account = Account(self.server, 'bench')
        self.client = self.account.imap()
        self.client.create('Other')
        self.ca, self.port = self.account.ca, self.account.port
        self.user, self.password = self.account.user, self.account.password
        self.options, self.source = {}, self.account.source

    def append(self, name):
        self.client.append(name, None, None, BODY)

    def expunge(self, name, uid):
        self.client.select(name)
        self.client.uid('STORE', str(uid), '+FLAGS', '\\Deleted')
        self.client.expunge()
        self.client.unselect()

    def flag(self, name, uid):
        self.client.select(name)
        self.client.uid('STORE', str(uid), '+FLAGS', '\\Flagged')
        self.client.unselect()

    def close(self):
        self.client.logout()
        self.server.stop()


class Bare:
    """A client that idles on one mailbox and notes when it is told something."""

    def __init__(self, server, name):
        self.wire = Drain(server.port, server.user, server.password, server.ca)
        self.wire.run(f'EXAMINE {name}')
        self.told, self.idles = threading.Event(), threading.Event()
        self.wire.wire.settimeout(None)
        self.wire.wire.sendall(b'idle IDLE\r\n')
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.idles.wait(LIMIT_S):
            raise TimeoutError

    def _read(self):
        while data := self.wire.wire.recv(65536):
            if data.startswith(b'+'):
                self.idles.set()
            if b' EXISTS' in data or b' EXPUNGE' in data:
                self.at = time.monotonic()
                self.told.set()


def wait(*conditions):
    """Seconds until each of them holds."""
    start, took = time.monotonic(), [None] * len(conditions)
    while None in took:
        for at, holds in enumerate(conditions):
            if took[at] is None and holds():
                took[at] = time.monotonic() - start
        if time.monotonic() - start > LIMIT_S:
            raise TimeoutError
        time.sleep(0.0005)
    return took


def is_watched(mail, names):
    """Fails unless the server tells the mount of changes there, and nothing else is under way."""
    status = json.loads((mail / '.imapfs' / 'status').read_bytes())
    assert {one['path'] for one in status['folders'] if one['pushed']} >= set(names)
    assert not any(one['under_way'] for one in status['connections'])


def uids(folder):
    return sorted(int(name.split('.')[0]) for name in os.listdir(folder))


def flags(folder, uid):
    return os.getxattr(folder / f'{uid}.eml', 'user.imap.flags')


def comes(server, name, folder):
    """Makes the change; returns what tells that it shows. So do the next two."""
    before = uids(folder)
    server.append(name)
    return lambda: uids(folder) != before


def is_flagged(server, name, folder):
    uid = uids(folder)[-1]
    before = flags(folder, uid)
    server.flag(name, uid)
    return lambda: flags(folder, uid) != before


def goes(server, name, folder):
    before = uids(folder)
    server.expunge(name, before[0])
    return lambda: uids(folder) != before


def measure(server, mail, names, tries):
    """What is measured -> [seconds], over changes to these mailboxes in turn."""
    bares = {name: Bare(server, name) for name in names}
    events = Path(os.path.realpath(mail / '.imapfs' / 'events'))
    seconds = {}
    for at in range(tries):
        for change in comes, is_flagged, goes:
            name = names[at % len(names)]
            bare = bares[name]
            time.sleep(PAUSE_S)
            journal = events.stat().st_size
            bare.told.clear()
            shows = change(server, name, mail / name)
            start = time.monotonic()
            tree, line = wait(shows, lambda: events.stat().st_size != journal)
            what = change.__name__.replace('_', ' ')
            took = {f'a message {what}: in the tree': tree, f'a message {what}: in events': line}
            # Of flags it need not be told, since it never asked for any.
            if change is not is_flagged and bare.told.wait(LIMIT_S):
                took['  a bare client in IDLE is told'] = max(bare.at - start, 0)
                took['  the tree shows it after that'] = max(start + tree - bare.at, 0)
            for key, value in took.items():
                seconds.setdefault(key, []).append(value)
    return seconds


def show(what, seconds):
    print(f'    {what:40} median {statistics.median(seconds) * 1000:6.1f} ms'
          f'   worst {max(seconds) * 1000:6.1f} ms', flush=True)


def run(kind, notify, names, tries):
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        directory.chmod(0o711)
        server = kind(directory, notify)
        program = Program(directory)
        # On one connection the mailbox that is changed is never the one selected, with NOTIFY.
        mail = Mount(program, server.source, directory / 'Mail',
                     program.options(server, poll=3600, connections=1 if notify else 4))
        try:
            for name in ('INBOX', 'Other'):
                server.append(name)
                server.append(name)
                os.listdir(mail / name)
            eventually(lambda: is_watched(mail, ('INBOX', 'Other')))
            how = f'{kind.__name__}, {"NOTIFY" if notify else "IDLE"}, {" and ".join(names)}'
            print(f'{how}: {tries} tries each')
            for what, seconds in measure(server, mail, names, tries).items():
                show(what, seconds)
        finally:
            mail.unmount()
            server.close()


def main():
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for kind in (Scripted, Real):
        for notify, names in ((False, ('INBOX',)), (False, ('Other',)),
                              (True, ('INBOX',)), (True, ('Other', 'INBOX'))):
            run(kind, notify, names, tries)


if __name__ == '__main__':
    main()
