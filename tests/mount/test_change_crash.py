"""Changes that are interrupted: the connection or the server ends at each point of each command that
a change sends, the program is killed there and before each change of its own files. Whatever was
said to be done is done in the end, what was not is either done or not; each message is there exactly
once, in its source or in its target. IMAPFS_LONG=1 takes all points; else some, the same each time,
and of those fewer in a build without fault points, which is not the one for it."""

import itertools
import os
import random
import re
import shutil
import subprocess
import zlib

import pytest

from tests.mount.test_crash import LONG, Crashes, Dead
from tests.support import MASK
from tests.support.mounting import has_fault_points

CHANGING = re.compile(rb'\S+ (UID )?(STORE|EXPUNGE|COPY|MOVE|APPEND|REPLACE|CREATE|DELETE|RENAME|'
                      rb'SUBSCRIBE|UNSUBSCRIBE)\b', re.I)
POINT_STEP = 1 if LONG else 3    # of the points of commands
FEW_STEP = 1 if LONG else 9      # likewise, in a build without fault points
FAULT_STEP = 1 if LONG else 19   # of the numbers of fault points
SECOND_KILL = 3                  # every so many deaths the mount that recovers is killed, too
FOREIGN = 'foreign'              # marked \Deleted by somebody else
SHOWN_FLAGS = {'\\Deleted', '\\Flagged', 'work'}


def text(name):
    """A message as programs write it."""
    return f'Subject: {name}\nMessage-ID: <{name}@example.org>\n\n{name} again\n'.encode()


def wire(name):
    return text(name).replace(b'\n', b'\r\n')


class Change:
    """What becomes of some messages and mailboxes, step by step. Each state: {key: places}."""

    def __init__(self, states):
        self.states = states
        self.tried = self.done = 0

    def attempt(self, action, *arguments):
        """One step, unless the one before failed: it is done, or it may or may not be."""
        if self.tried > self.done:
            return
        self.tried += 1
        try:
            action(*arguments)
        except OSError:
            return
        self.done += 1

    def allowed(self):
        return self.states[self.done:self.tried + 1]


class Changes(Crashes):
    """What one run after the other needs, and how each is judged."""

    operation = None     # function(run, mail)
    before = {}
    changes = ()
    runs = interrupted = 0
    step = POINT_STEP
    firsts = range(1, POINT_STEP + 1)
    ways = ({'how': 'drop'}, {'how': 'reset'}, {'how': 'drop', 'everyone': True})

    # ---- the server

    def reset(self):
        server = self.server
        server.mailboxes.clear()
        server.subscribed.clear()
        server.cuts.clear()
        self.uids = {}
        for name, more in (('INBOX', {}), ('Archive', {'uidvalidity': 2000}), ('Empty', {}),
                           ('Drafts', {'special': ['\\Drafts']}), ('Folder', {})):
            server.add(name, **more)
        for name in ('one', 'two', FOREIGN, 'three', 'four'):
            self.put('INBOX', name)
        server.inbox.set_flags(self.uids[FOREIGN], ['\\Deleted'])
        self.put('Archive', 'older')
        self.put('Drafts', 'draft')
        self.put('Folder', 'inside')
        self.before, self.changes = self.state(), []

    def put(self, mailbox, name):
        self.uids[name] = self.server.mailboxes[mailbox.encode()].append(wire(name))

    def held(self):
        """{name of a mailbox: its messages}."""
        return {name.decode(): [mailbox.message(uid) for uid in mailbox.uids()]
                for name, mailbox in self.server.mailboxes.items()}

    def state(self):
        """{name of a message: its places, `/` and a mailbox: there}."""
        found = {}
        for name, messages in self.held().items():
            found[f'/{name}'] = ('there',)
            for message in messages:
                subject = re.match(rb'Subject: (\S+)', message.body)[1].decode()
                assert message.body == wire(subject), message.body
                if '\\Deleted' in message.flags and subject != FOREIGN:
                    continue
                flags = SHOWN_FLAGS & message.flags
                found.setdefault(subject, []).append(' '.join([name, *sorted(flags)]))
        return {key: tuple(sorted(places)) for key, places in found.items()}

    # ---- an operation

    def change(self, *states):
        """Of what is in the first of them; before it is as it was."""
        before = {key: self.before.get(key, ()) for key in states[0]}
        self.changes.append(Change([before, *states]))
        return self.changes[-1]

    def message(self, mail, folder, name):
        return mail / folder / f'{self.uids[name]}.eml'

    def work(self, mail, prepare=lambda mail: None):
        """The operation of this run, until its outcome is known."""
        self.patiently(mail, lambda: self.check_tree(mail))
        prepare(mail)
        self.operation(mail)
        self.settle(mail)
        self.server.cuts.clear()

    def settle(self, mail):
        """Until all that was asked for is done; an error tells of what was refused, or of the
        server that is away: what is killed may leave a lock for which the next one is silent longer
        than `timeout`."""
        def settled():
            descriptor = os.open(mail.path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self.patiently(mail, settled, 60)

    # ---- what must be true after it

    def check_tree(self, mail):
        """It shows what the server has."""
        for name, messages in self.held().items():
            bodies = sorted(message.body for message in messages
                            if '\\Deleted' not in message.flags)
            shown = [entry for entry in os.listdir(mail / name) if entry.endswith('.eml')]
            assert sorted((mail / name / entry).read_bytes() for entry in shown) == bodies, name

    def check(self):
        """Each change went as far as was said, or a step further; nothing else happened."""
        now, concerned = self.state(), set()
        for change in self.changes:
            concerned |= set(change.states[0])
            found = {key: now.get(key, ()) for key in change.states[0]}
            assert found in change.allowed(), f'{found} is none of {change.allowed()}'
        keys = (set(now) | set(self.before)) - concerned
        assert {key: now.get(key) for key in keys} == {key: self.before.get(key) for key in keys}

    def recover(self):
        """A mount that finishes what was begun."""
        mail = self.start()
        try:
            self.settle(mail)
            self.check()
        finally:
            mail.unmount()
        self.look()

    def look(self):
        """A mount that finds nothing to do."""
        with self.server.cond:
            self.server.log.clear()
        mail = self.start()
        try:
            self.patiently(mail, lambda: self.check_tree(mail))
            self.settle(mail)
        finally:
            mail.unmount()
        self.check()
        assert not self.server.lines(CHANGING.pattern), 'done again'
        if all(change.done == change.tried for change in self.changes):
            assert not list(self.cache.account.glob('unsent/*')), 'a text that was sent'

    # ---- ways to interrupt it

    def prepare_run(self):
        shutil.rmtree(self.cache.directory, ignore_errors=True)
        self.reset()
        self.runs += 1

    def walk(self, interrupt):
        """interrupt(number) for one point after the other until there is none left."""
        some = random.Random(zlib.crc32(self.operation.__name__.encode()))
        for number in itertools.count(some.choice(self.firsts), self.step):
            self.prepare_run()
            try:
                if not interrupt(number):
                    return
                self.interrupted += 1
            except BaseException:
                print(f'at point {number} of {self.operation.__name__}')
                print(*self.server.log[-30:], sep='\n')
                raise

    def cut(self, number, **more):
        return self.server.cut(CHANGING.pattern, number=number, **more)

    def lose_connection(self, number):
        """Whether there was such a point; the mount goes on."""
        how = random.Random(number).choice(self.ways)
        cuts = []
        assert not self.run_and_kill(
            None, lambda mail: self.work(mail, lambda mail: cuts.append(self.cut(number, **how))))
        self.check()
        self.look()
        return cuts[0].done

    def kill_at_point(self, number):
        """Whether there was such a point; the program ended there."""
        def kill(mail):
            self.cut(number, how=mail.process.kill)
        died = self.run_and_kill(None, lambda mail: self.work(mail, kill))
        self.recover_anyhow(number)
        return died

    def kill_at_fault(self, number):
        """Whether it passed so many fault points."""
        died = self.run_and_kill(number, self.work)
        self.recover_anyhow(number)
        return died

    def offline(self, killed):
        """The operation while the server is away; it comes back to this mount, or to the next."""
        def work(mail):
            self.patiently(mail, lambda: self.check_tree(mail))
            self.server.refuse = True
            self.server.kill()
            self.operation(mail)
            assert self.state() == self.before
            if killed:
                mail.process.kill()
                raise Dead()
            self.server.refuse = False
            self.settle(mail)
        self.prepare_run()
        assert self.run_and_kill(None, work) == killed
        assert all(change.done == change.tried for change in self.changes)
        self.interrupted += 1
        self.server.refuse = False
        self.recover()

    def recover_anyhow(self, number):
        self.server.cuts.clear()
        if number % SECOND_KILL == 0:
            self.interrupted += self.run_and_kill(number // SECOND_KILL, self.settle)
        self.recover()

    # ---- operations

    def remove(self, mail):
        for name in ('one', 'two', 'four'):
            self.change({name: ()}).attempt(os.unlink, self.message(mail, 'INBOX', name))

    def move(self, mail):
        for name in ('one', 'two', 'four'):
            self.change({name: ('Archive',)}).attempt(
                os.rename, self.message(mail, 'INBOX', name), mail / 'Archive' / f'{name}.eml')

    def move_on(self, mail):
        """One message, changed again before the server heard of the last change."""
        change = self.change({'one': ('INBOX \\Flagged work',)},
                             {'one': ('Archive \\Flagged work',)},
                             {'one': ('Folder \\Flagged work',)}, {'one': ()})
        archived, folded = mail / 'Archive' / 'one.eml', mail / 'Folder' / 'one.eml'
        change.attempt(os.setxattr, self.message(mail, 'INBOX', 'one'), 'user.imap.flags',
                       b'\\Flagged work')
        change.attempt(os.rename, self.message(mail, 'INBOX', 'one'), archived)
        change.attempt(os.rename, archived, folded)
        change.attempt(os.unlink, folded)

    def copy(self, mail):
        for name in ('one', 'two'):
            self.change({name: ('Archive', 'INBOX')}).attempt(
                copy_file, self.message(mail, 'INBOX', name), mail / 'Archive' / f'{name}.eml')

    def create(self, mail):
        for name in ('new', 'newer'):
            self.change({name: ('Archive',)}).attempt(
                write_file, mail / 'Archive' / f'{name}.eml', text(name))

    def rewrite(self, mail):
        """In place, as `sed > file` does."""
        self.change({'draft': (), 'redraft': ('Drafts',)}).attempt(
            write_file, self.message(mail, 'Drafts', 'draft'), text('redraft'))

    def replace(self, mail):
        """By a scratch file that is renamed, as editors do."""
        scratch = mail / 'Drafts' / '.draft.tmp'

        def save():
            write_file(scratch, text('redraft'))
            os.rename(scratch, self.message(mail, 'Drafts', 'draft'))
        self.change({'draft': (), 'redraft': ('Drafts',)}).attempt(save)

    def folders(self, mail):
        self.change({'/New': ('there',)}).attempt(os.mkdir, mail / 'New')
        self.change({'/Empty': ()}).attempt(os.rmdir, mail / 'Empty')
        self.change({'/Folder': (), '/Moved': ('there',), 'inside': ('Moved',)}).attempt(
            os.rename, mail / 'Folder', mail / 'Moved')


def write_file(path, content):
    with open(path, 'wb', buffering=0) as file:
        file.write(content)


def copy_file(source, target):
    run = subprocess.run(['cp', source, target], capture_output=True)
    if run.returncode:
        raise OSError(run.stderr)


OPERATIONS = ['remove', 'move', 'move_on', 'copy', 'create', 'rewrite', 'replace', 'folders']
LACKING = [[], ['UIDPLUS'], ['MOVE'], ['MOVE', 'UIDPLUS'], ['QRESYNC', 'CONDSTORE', 'ESEARCH']]


@pytest.fixture
def run(fake, program, tmp_path, request):
    """Changes, of one operation on a server that lacks some capabilities."""
    operation, masked = request.param
    if masked and set(masked) <= set(MASK):
        pytest.skip('masked anyhow')
    if operation in ('rewrite', 'replace') and 'SPECIAL-USE' in MASK:
        pytest.skip('masked: SPECIAL-USE')
    server = fake(tls='none')
    server.mask(*masked, *(['IMAP4rev2'] if masked else []))
    if not masked:
        server.capabilities.append('REPLACE')
    one = Changes(server, program, tmp_path)
    one.step = POINT_STEP if has_fault_points() else FEW_STEP
    one.operation = getattr(one, operation)
    yield one
    print(f'{operation}: {one.interrupted} interruptions in {one.runs} runs, 0 lost, 0 doubled')


def every(operations, lacking):
    cases = list(itertools.product(operations, lacking))
    return pytest.mark.parametrize('run', cases, indirect=True, ids=[
        f'{operation}-{"-".join(masked) or "all"}' for operation, masked in cases])


@every(OPERATIONS, LACKING if LONG else [[], ['MOVE', 'UIDPLUS']])
@pytest.mark.limit(7200 if LONG else 120)
def test_connection_lost(run):
    run.walk(run.lose_connection)
    assert run.interrupted


@every(OPERATIONS, LACKING if LONG else [[], ['MOVE', 'UIDPLUS']])
@pytest.mark.limit(7200 if LONG else 120)
def test_program_killed_while_the_server_works(fatal, run):
    run.walk(run.kill_at_point)
    assert run.interrupted


@every(OPERATIONS, [[], ['MOVE', 'UIDPLUS']] if LONG else [[]])
@pytest.mark.limit(7200 if LONG else 120)
def test_program_killed_while_it_writes(fatal, run):
    run.step = FAULT_STEP
    run.walk(run.kill_at_fault)
    assert run.interrupted


OFFLINE = [name for name in OPERATIONS if name != 'folders']


@every(OFFLINE, [[], ['MOVE', 'UIDPLUS']])
def test_server_away(run):
    run.offline(killed=False)


@every(OFFLINE, [[], ['MOVE', 'UIDPLUS']])
def test_server_away_and_program_killed(fatal, run):
    run.offline(killed=True)
