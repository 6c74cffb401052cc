"""Readers and a second client that changes the mailboxes at random, now and then while nothing is
mounted; at every quiet point the tree is what the server has. IMAPFS_SOAK=SECONDS makes it longer."""

import errno
import hashlib
import imaplib
import os
import random
import threading
import time
import traceback

import pytest

from tests.conftest import start_dovecot
from tests.support import SLOW, eventually
from tests.support.dovecot import Account

SECONDS = float(os.environ.get('IMAPFS_SOAK', 10))
ROUND_S = 1.5
QUIET_S = 20
REMOUNT = 4  # of so many rounds one is without a mount
PASSING = (errno.ENOENT, errno.ESTALE, errno.EIO, errno.ENOTDIR, errno.EAGAIN)


SENT = {}  # messages by their serial


def message(serial, rng):
    """A message that says itself whether it is whole."""
    text = b''.join(b'%d line %d of message %d\r\n' % (rng.getrandbits(64), n, serial)
                    for n in range(rng.choice((1, 5, 50, 500, 5000))))
    SENT[serial] = b'Subject: %d\r\nX-Sum: %s\r\n\r\n%s' % (
        serial, hashlib.sha256(text).hexdigest().encode(), text)
    return SENT[serial]


def is_whole(data):
    head, _, text = data.partition(b'\r\n\r\n')
    return head.endswith(hashlib.sha256(text).hexdigest().encode())


def verdict(data):
    """How a message that is not whole differs from the one that was sent."""
    serial = data.split(b'\r\n', 1)[0].rpartition(b' ')[2]
    sent = SENT.get(int(serial) if serial.isdigit() else 0, b'')
    same = len(os.path.commonprefix([data, sent]))
    return f'{len(data)} bytes of {len(sent)}, the same up to {same}: {data[same:same + 60]!r}'


def content(path):
    with open(path, 'rb') as file:
        data = file.read()
    if data is None:
        # What Python makes of EAGAIN: the connection went, and went again.
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), path)
    return data


class Readers:
    """Threads that list, stat and read whatever there is, and check what they get."""

    def __init__(self, root, count=4):
        self.root, self.faults, self.reads = root, [], 0
        self.go, self.end = threading.Event(), threading.Event()
        self.resting = threading.Barrier(count + 1)
        self.threads = [threading.Thread(target=self._run, args=(seed,), daemon=True)
                        for seed in range(count)]
        for thread in self.threads:
            thread.start()

    def _run(self, seed):
        rng = random.Random(seed)
        while True:
            self.go.wait()
            if self.end.is_set():
                return
            while self.go.is_set():
                self._look(rng)
            self.resting.wait(60 * SLOW)

    def _look(self, rng):
        try:
            folders = [entry for entry in os.scandir(self.root)
                       if entry.is_dir() and not entry.name.startswith('.')]
            if not folders:
                return
            folder = rng.choice(folders)
            names = [name for name in os.listdir(folder) if name.endswith('.eml')]
            for name in rng.sample(names, min(len(names), 5)):
                path = os.path.join(folder, name)
                os.stat(path)
                data = content(path)
                self.reads += 1
                if not is_whole(data):
                    self.faults.append(f'{path}: {verdict(data)}')
        except OSError as error:
            if error.errno not in PASSING:
                self.faults.append(f'{error} at {time.monotonic():.3f}, {traceback.format_exc()}')

    def rest(self):
        self.go.clear()
        self.resting.wait(60 * SLOW)

    def stop(self):
        self.end.set()
        self.go.set()
        for thread in self.threads:
            thread.join(60 * SLOW)


class Changer:
    """The second client."""

    def __init__(self, login, seed):
        self.login, self.imap, self.rng = login, login(), random.Random(seed)
        self.folders, self.serial, self.changes = {'INBOX', 'A', 'B', 'C'}, 0, {}
        for name in sorted(self.folders - {'INBOX'}):
            self.imap.create(name)
        for _ in range(40):
            self.append(self.rng.choice(sorted(self.folders)))

    def append(self, folder):
        self.serial += 1
        self.imap.append(folder, self.rng.choice(('', r'(\Flagged)')), None,
                         message(self.serial, self.rng))

    def some(self, folder, most=8):
        """A few UIDs of a folder, which is selected then."""
        self.select(folder)
        uids = self.imap.uid('SEARCH', 'ALL')[1][0].split()
        chosen = self.rng.sample(uids, min(len(uids), self.rng.randint(1, most)))
        return b','.join(chosen).decode()

    def again(self):
        """Begins anew. A Dovecot process that had a folder open when it was deleted may never get
        at the one that was made in its place, or give up in the middle of a command."""
        self.imap.shutdown()
        self.imap = self.login()
        self.folders = {line.decode().split()[-1] for line in self.imap.list()[1]}

    def select(self, folder, readonly=False):
        def attempt():
            status, words = self.imap.select(folder, readonly)
            if status != 'OK':
                self.again()
            if folder not in self.folders:
                raise imaplib.IMAP4.abort(f'{folder} is gone')
            assert status == 'OK', (folder, words)
        eventually(attempt)

    def leave(self):
        if self.imap.state == 'SELECTED':
            self.imap.unselect()

    def expunge(self, folder):
        uids = self.some(folder)
        if uids:
            self.imap.uid('STORE', uids, '+FLAGS.SILENT', r'(\Deleted)')
            self.imap.expunge()

    def mark(self, folder):
        uids = self.some(folder)
        if uids:
            self.imap.uid('STORE', uids, self.rng.choice('+-') + 'FLAGS.SILENT',
                          self.rng.choice((r'(\Seen)', r'(\Flagged)', '(tag)', r'(\Deleted)')))

    def copy(self, folder):
        uids = self.some(folder)
        if uids:
            self.imap.uid('COPY', uids, self.rng.choice(sorted(self.folders)))

    def move(self, folder):
        uids = self.some(folder)
        others = sorted(self.folders - {folder})
        if uids and others:
            self.imap.uid('MOVE', uids, self.rng.choice(others))

    def rename(self, folder):
        if folder != 'INBOX':
            self.leave()
            name = f'{folder[0]}{self.serial}'
            if name not in self.folders:
                self.imap.rename(folder, name)
                self.again()

    def reset(self, folder):
        """The same name, another UIDVALIDITY, the same UIDs."""
        if folder != 'INBOX':
            self.leave()
            self.imap.delete(folder)
            self.imap.create(folder)
            for _ in range(self.rng.randint(0, 5)):
                self.append(folder)

    def change(self):
        what, weight = zip(*((self.append, 8), (self.expunge, 4), (self.mark, 4), (self.copy, 2),
                             (self.move, 2), (self.rename, 1), (self.reset, 1)))
        kind = self.rng.choices(what, weight)[0]
        self.changes[kind.__name__] = self.changes.get(kind.__name__, 0) + 1
        try:
            kind(self.rng.choice(sorted(self.folders)))
        except imaplib.IMAP4.abort:
            self.again()

    def go_on(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.change()


def on_server(changer):
    """{folder: {name: (flags, bytes)}} as the server has them. Dovecot may end a session within FETCH, since a
    folder that was deleted had the same name."""
    def attempt():
        try:
            return fetch_all(changer)
        except imaplib.IMAP4.abort as error:
            raise AssertionError(error) from error
    return eventually(attempt)


def fetch_all(changer):
    changer.again()
    found = {}
    for folder in sorted(changer.folders):
        changer.select(folder, readonly=True)
        answer = changer.imap.uid('FETCH', '1:*', '(FLAGS BODY.PEEK[])')[1]
        found[folder] = {
            head.split(b'UID ')[1].split()[0].decode() + '.eml': (
                {flag.decode() for flag in imaplib.ParseFlags(head)} - {r'\Recent'}, body)
            for head, body in (pair for pair in answer if isinstance(pair, tuple))
            if rb'\Deleted' not in head}
    return found


def in_tree(root):
    found = {}
    for entry in os.scandir(root):
        if entry.name.startswith('.'):
            continue
        found[entry.name] = {}
        for name in os.listdir(entry):
            path = os.path.join(entry, name)
            flags = set(os.getxattr(path, 'user.imap.flags').decode().split())
            data = content(path)
            found[entry.name][name] = flags, data
            assert os.stat(path).st_size == len(data), path
    return found


def difference(tree, server):
    """What is not as it should be, in words; '' when all is."""
    if tree.keys() != server.keys():
        return f'folders {sorted(tree)} instead of {sorted(server)}'
    for folder, messages in server.items():
        if tree[folder].keys() != messages.keys():
            return (f'{folder}: too many {sorted(tree[folder].keys() - messages.keys())}, '
                    f'missing {sorted(messages.keys() - tree[folder].keys())}')
        for name, (flags, data) in messages.items():
            if tree[folder][name][1] != data:
                return f'{folder}/{name}: other bytes'
            if tree[folder][name][0] != flags:
                return f'{folder}/{name}: {tree[folder][name][0]} instead of {flags}'
    return ''


def settle(root, server):
    """Waits until the tree is as the server; returns how long that took."""
    start = time.monotonic()

    def agree():
        wrong = difference(in_tree(root), server)
        assert not wrong, wrong
    eventually(agree, QUIET_S)
    return time.monotonic() - start


@pytest.fixture
def account(tmp_path_factory, certs):
    server = start_dovecot(tmp_path_factory, certs, list_index=False)
    yield Account(server, 'soak')
    server.stop()


@pytest.mark.limit(SECONDS * 3 + 120)
def test_soak(account, mount):
    changer = Changer(account.imap, seed=int(os.environ.get('IMAPFS_SEED', 1)))
    m = mount(account, poll=2)
    readers = Readers(m.path)
    end, rounds, slowest = time.monotonic() + SECONDS, 0, 0
    while time.monotonic() < end or rounds < REMOUNT:
        mounted = rounds % REMOUNT != REMOUNT - 1
        if mounted:
            readers.go.set()
        else:
            m.unmount()
        changer.go_on(ROUND_S)
        if mounted:
            readers.rest()
        else:
            m = mount(account, poll=2, mountpoint=m.path)
        assert not readers.faults, (readers.faults[:3], m.output()[-4000:])
        slowest = max(slowest, settle(m.path, on_server(changer)))
        rounds += 1
    readers.stop()
    assert not readers.faults, (readers.faults[:3], m.output()[-4000:])
    assert readers.reads > 10
    print(f'{sum(changer.changes.values())} changes {changer.changes}, {readers.reads} reads, '
          f'{rounds} comparisons, of these {rounds // REMOUNT} after changes without a mount, '
          f'the slowest after {slowest:.1f} s')
