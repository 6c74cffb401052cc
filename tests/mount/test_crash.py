"""The program ends, as by a power switch, before each single change of its cache, and the next
mount must be as if nothing had been: no wrong byte, nothing fetched again that had been kept,
nothing left behind. IMAPFS_LONG=1 ends it at every change; else at some, the same each time."""

import errno
import itertools
import os
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

from tests.fake.mailbox import ranges
from tests.support import SLOW
from tests.support.cachefiles import CacheFiles
from tests.support.mounting import Mount, abort, wait_mounted

LONG = os.environ.get('IMAPFS_LONG') == '1'
STEP = 1 if LONG else 11     # of the numbers of fault points
SECOND_KILL = 3              # every so many of them the mount that recovers is ended, too
FETCH = re.compile(rb'UID FETCH (\S+) .*BODY\.PEEK\[\]', re.I | re.S)
LARGE = {11: 1_500_000, 12: 2_700_000}  # both do not fit with all else into CACHE_SIZE
CACHE_SIZE = '4M'


class Dead(Exception):
    """The fault point was reached."""


class Wrong(Exception):
    """No matter when: bytes that the server does not have."""


class FaultyMount(Mount):
    """One that may die at any time. A request that nobody had read by then waits for as long as its
    maker lives (src/fs/channel.c), which is this process: so it is made to fail."""

    def _start(self, program, *arguments):
        ours, theirs = os.pipe()
        try:
            process = program.start(*arguments, pass_fds=[theirs])
        finally:
            os.close(theirs)
        self.guard = threading.Thread(target=self._abort_after_death, args=(ours,))
        self.guard.start()
        return process

    def _abort_after_death(self, ours):
        """All threads have the pipe open but for the one that may be waiting for that request."""
        path = os.path.realpath(self.path)
        with open(ours, 'rb') as end:
            end.read()
        abort(path)

    def finish(self, *more):
        super().finish(*more)
        self.guard.join()

    def destroy(self):
        super().destroy()
        self.guard.join()

    def _wait_until_mounted(self):
        wait_mounted(self.path, self.process.pid, 30 * SLOW)

    def dies(self, wait_s):
        """Whether it died within that time, or long ago."""
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True


@pytest.fixture
def crashes(fatal, fake, program, tmp_path):
    """What one run after the other needs."""
    return Crashes(fake(tls='none'), program, tmp_path)


class Crashes:
    def __init__(self, server, program, directory):
        self.server = server
        self.program = program
        self.directory = directory
        self.cache = CacheFiles(directory / 'cache')
        self.kept = set()  # bodies that the index was seen to have, and that nothing evicts
        self.bodies = {}

    # ---- the server

    def content(self, mailbox, uidvalidity, uid, size):
        """The same bytes for the same message in every run."""
        key = mailbox, uidvalidity, uid
        if key not in self.bodies:
            header = b'Subject: %s %d %d\r\n\r\n' % (mailbox, uidvalidity, uid)
            self.bodies[key] = header + random.Random(repr(key)).randbytes(size)
        return self.bodies[key]

    def append(self, mailbox, size, **more):
        uid = mailbox.uidnext
        mailbox.append(self.content(mailbox.name, mailbox.uidvalidity, uid, size),
                       date=f'{uid:2}-Jul-2025 02:44:25 +0000', **more)

    def wait_until_quiet(self):
        """Until the server has carried out whatever a mount that died had said."""
        self.server.wait_for(lambda: not self.server.open_sessions())

    def reset(self):
        """Back to the beginning; nobody is connected."""
        server = self.server
        server.mailboxes.clear()
        inbox = server.add('INBOX')
        for uid in range(1, 13):
            self.append(inbox, LARGE.get(uid, 700 + uid * 900))
        other = server.add('Other', uidvalidity=2000)
        for uid in range(1, 7):
            self.append(other, uid * 1100)
        self.kept = set()

    def change(self):
        """What happens elsewhere meanwhile."""
        inbox, other = self.server.inbox, self.server.mailboxes[b'Other']
        inbox.expunge(3)
        inbox.expunge(11)
        inbox.set_flags(5, ['\\Deleted'])
        inbox.set_flags(6, ['\\Flagged'])
        self.append(inbox, 5000)
        self.append(inbox, 123)
        other.reset(2001)
        for uid in range(1, 5):
            self.append(other, uid * 1300)
        self.server.kill()

    def expected(self, folder):
        """{name: message} as `ls` must show them."""
        mailbox = self.server.mailboxes[folder.encode()]
        messages = [mailbox.message(uid) for uid in mailbox.uids()]
        return {f'{message.uid}.eml': message for message in messages
                if '\\Deleted' not in message.flags}

    # ---- mounts

    def start(self, fault_at=None, cache_size='1G'):
        """A mount that dies before the change of that number."""
        self.program.env.pop('IMAPFS_FAULT_AT', None)
        if fault_at:
            self.program.env['IMAPFS_FAULT_AT'] = str(fault_at)
        options = self.program.options(self.server, cachedir=self.cache.directory, connections=2,
                                       cache_size=cache_size, poll=1)
        return FaultyMount(self.program, self.server.source, self.directory / 'Mail', options)

    def run_and_kill(self, fault_at, work, cache_size='1G'):
        """Whether the program died before work(mount) was done and it was unmounted."""
        mail = self.start(fault_at, cache_size)
        try:
            if not mail.dies(0):
                work(mail)
                mail.unmount()
                self.wait_until_quiet()
                return False
        except (Dead, AssertionError):
            if not mail.dies(20 * SLOW):
                mail.destroy()
                raise
        except BaseException:
            mail.destroy()
            raise
        assert mail.process.wait(20 * SLOW) == -9, mail.output()
        mail.destroy()
        mail.judge()
        self.wait_until_quiet()
        return True

    # ---- what is done in one

    def patiently(self, mail, action, limit_s=20):
        """Repeats action() until it does not fail; Dead when the program died."""
        deadline = time.monotonic() + limit_s * SLOW
        while True:
            try:
                return action()
            except (OSError, AssertionError) as failure:
                gone = getattr(failure, 'errno', 0) in (errno.ENOTCONN, errno.ECONNABORTED)
                if mail.dies(5 if gone else 0.01):
                    raise Dead() from failure
                if time.monotonic() > deadline:
                    raise

    def check_listing(self, mail, folder):
        expected = self.expected(folder)
        assert sorted(os.listdir(mail / folder)) == sorted([*expected])
        for name, message in expected.items():
            found = os.stat(mail / folder / name)
            assert found.st_size == len(message.body)
            assert time.gmtime(found.st_mtime).tm_mday == message.uid
            shown = os.getxattr(mail / folder / name, 'user.imap.flags').decode().split()
            assert set(shown) == set(message.flags), (folder, name)

    def check_bytes(self, mail, folder, name, message):
        if (mail / folder / name).read_bytes() != message.body:
            raise Wrong(f'{folder}/{name}')

    def read(self, mail, folder):
        """The whole folder; whatever else it is: right."""
        self.patiently(mail, lambda: self.check_listing(mail, folder))
        for name, message in self.expected(folder).items():
            self.patiently(mail, lambda: self.check_bytes(mail, folder, name, message))

    def wait_saved(self, mail, folder, uids):
        """Until the index has these bodies; from then on they are kept."""
        mailbox = self.server.mailboxes[folder.encode()]
        wanted = {(mailbox.name, mailbox.uidvalidity, uid) for uid in uids}

        def saved():
            assert wanted <= self.intact()
        self.patiently(mail, saved)
        self.kept |= wanted

    def use(self, mail):
        """Reads all, and evicts some: reading goes ahead of the reader, but in one folder."""
        self.read(mail, 'Other')
        self.wait_saved(mail, 'Other', self.uids('Other'))
        self.patiently(mail, lambda: self.read_parts(mail, 12))
        self.kept = set()
        self.read(mail, 'INBOX')
        self.wait_saved(mail, 'INBOX', {12})

    def use_and_change(self, mail):
        self.use(mail)
        before = self.uids('INBOX')
        self.kept = set()
        self.change()
        self.read(mail, 'INBOX')
        self.read(mail, 'Other')
        self.wait_saved(mail, 'INBOX', self.uids('INBOX') - before)
        self.wait_saved(mail, 'Other', self.uids('Other'))

    def uids(self, folder):
        return {message.uid for message in self.expected(folder).values()}

    def read_parts(self, mail, uid):
        message = self.server.inbox.message(uid)
        with open(mail.inbox / f'{uid}.eml', 'rb', buffering=0) as file:
            for offset in (2_000_000, 1_000_000):
                if os.pread(file.fileno(), 1000, offset) != message.body[offset:offset + 1000]:
                    raise Wrong(f'{uid}.eml')

    # ---- what must be true after it

    def intact(self):
        """Bodies that the index names and whose bytes are where it says."""
        found = set()
        for body in self.cache.index().bodies:
            mailbox = self.server.mailboxes.get(body.mailbox)
            message = mailbox and mailbox.message(body.uid)
            if body.whole and message and mailbox.uidvalidity == body.uidvalidity and \
                    self.cache.bytes_of(body) == message.body:
                found.add((body.mailbox, body.uidvalidity, body.uid))
        return found

    def fetched(self):
        """Bodies that were asked for since the log was emptied."""
        found = set()
        for command in self.server.lines(FETCH.pattern):
            mailbox = self.server.mailboxes[command.mailbox]
            for low, high in ranges(FETCH.search(command.line)[1].decode(), mailbox.uidnext - 1):
                found |= {(mailbox.name, mailbox.uidvalidity, uid)
                          for uid in range(low, high + 1)}
        return found

    def look(self, kept, swept):
        """A mount that shows what is and fetches nothing of what is kept. swept: and of what was
        before it there is nothing but that."""
        with self.server.cond:
            self.server.log.clear()
        mail = self.start()
        try:
            for folder in ('INBOX', 'Other'):
                self.read(mail, folder)
            assert not kept & self.fetched(), 'fetched again'
            if swept:
                self.patiently(mail, self.check_swept)
        finally:
            mail.unmount()

    def check_swept(self):
        assert not self.cache.left_over()

    def recover(self):
        """After the last death: all is right at once, and from then on all is as ever."""
        intact = self.intact()
        assert self.kept <= intact, 'lost what had been saved'
        # What was expunged meanwhile may be read on for as long as this one runs.
        self.look(intact, swept=False)
        everything = {(name, mailbox.uidvalidity, message.uid)
                      for name, mailbox in self.server.mailboxes.items()
                      for message in self.expected(name.decode()).values()}
        self.look(everything, swept=True)

    # ---- all of it

    def run(self, prepare, work):
        """Ends the program at one change after the other until it outlives its work: the number of
        times it died."""
        some = random.Random(38)
        deaths = 0
        for fault_at in itertools.count(1 if LONG else some.randrange(1, STEP), STEP):
            shutil.rmtree(self.cache.directory, ignore_errors=True)
            self.reset()
            prepare()
            try:
                if not self.run_and_kill(fault_at, work, CACHE_SIZE):
                    return deaths
                deaths += 1
                if deaths % SECOND_KILL == 0:
                    self.kept = set()
                    second = some.randrange(1, 60)
                    deaths += self.run_and_kill(second, self.use)
                self.recover()
            except BaseException:
                print(f'at fault point {fault_at}')
                raise


@pytest.mark.limit(7200 if LONG else 120)
def test_first_mount(crashes):
    """From nothing, and with changes by others while it runs."""
    deaths = crashes.run(lambda: None, crashes.use_and_change)
    print(f'{deaths} deaths')
    assert deaths > 150 / STEP


@pytest.mark.limit(7200 if LONG else 120)
def test_further_mount(crashes):
    """Over a full cache, which the changes come to while nothing is mounted."""
    kept = crashes.directory / 'kept'
    crashes.reset()
    assert not crashes.run_and_kill(None, crashes.use)
    shutil.copytree(crashes.cache.directory, kept)

    def prepare():
        shutil.copytree(kept, crashes.cache.directory)
        crashes.change()
    deaths = crashes.run(prepare, crashes.use)
    print(f'{deaths} deaths')
    assert deaths > 50 / STEP
