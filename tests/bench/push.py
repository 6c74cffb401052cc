"""Measures how long it takes until a change made by another client shows in a mounted folder.

    python3 -m tests.bench.push [TRIES]

Wants IMAPFS_BUILD. Beside each figure is what a bare client on a connection of its own is told:
Dovecot keeps news back for half a second to tell more at once, the scripted server does not."""

import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.drain import Drain
from tests.fake import Certs, Server
from tests.support.dovecot import Account, Dovecot
from tests.support.mounting import Mount, Program

BODY = b'Subject: x\r\n\r\nhello\r\n'
PAUSE_S = 0.2  # between two changes: nothing of the last one is under way any more
LIMIT_S = 10


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

    def close(self):
        self.server.stop()


class Real:
    """Dovecot; a change is made when its command was answered."""

    def __init__(self, directory, notify):
        caps = '' if notify else '\nimap_capability = IMAP4rev1 SASL-IR LITERAL+ ID IDLE ESEARCH\n'
        self.server = Dovecot(directory / 'dovecot', Certs(directory / 'certs'), caps)
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

    def close(self):
        self.client.logout()
        self.server.stop()


class Bare:
    """A client that idles on one mailbox and notes when it is told something."""

    def __init__(self, server, name):
        self.wire = Drain(server.port, server.user, server.password, server.ca)
        self.wire.run(f'EXAMINE {name}')
        self.told = threading.Event()
        self.wire.wire.settimeout(None)
        self.wire.wire.sendall(b'idle IDLE\r\n')
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while data := self.wire.wire.recv(65536):
            if b' EXISTS' in data or b' EXPUNGE' in data:
                self.at = time.monotonic()
                self.told.set()


def wait(holds):
    """Seconds until it holds."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > LIMIT_S:
            raise TimeoutError
        time.sleep(0.0005)


def measure(server, mail, names, tries):
    """([seconds until it shows], [seconds until a bare client is told]), of mail that comes and of
    mail that goes, in these mailboxes in turn."""
    bares = {name: Bare(server, name) for name in names}
    comes, goes, told = [], [], []
    for at in range(tries):
        for shown, took in (True, comes), (False, goes):
            name = names[(at + (not shown)) % len(names)]
            folder, bare = mail / name, bares[name]
            before = set(os.listdir(folder))
            time.sleep(PAUSE_S)
            bare.told.clear()
            if shown:
                server.append(name)
            else:
                server.expunge(name, min(int(one.split('.')[0]) for one in before))
            start = time.monotonic()
            wait(lambda: set(os.listdir(folder)) != before)
            took.append(time.monotonic() - start)
            bare.told.wait(LIMIT_S)
            told.append(bare.at - start)
    return comes, goes, told


def show(what, seconds):
    print(f'{what:56} median {statistics.median(seconds) * 1000:6.1f} ms'
          f'   worst {max(seconds) * 1000:6.1f} ms', flush=True)


def run(kind, notify, tries):
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
            time.sleep(1.5)
            whole = [('INBOX',), ('Other', 'INBOX')] if notify else [('INBOX',), ('Other',)]
            for names in whole:
                comes, goes, told = measure(server, mail, names, tries)
                how = f'{kind.__name__}, {"NOTIFY" if notify else "IDLE"}, {" and ".join(names)}'
                show(f'{how}: a message comes', comes)
                show(f'{how}: a message goes', goes)
                show(f'{"":4}a bare client in IDLE is told', told)
        finally:
            mail.unmount()
            server.close()


def main():
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for kind in (Scripted, Real):
        for notify in (False, True):
            run(kind, notify, tries)


if __name__ == '__main__':
    main()
