"""Each way to change mail, by the tools that people use, against Dovecot with and without UIDPLUS and
MOVE: the commands that went over the wire, and what an independent client finds then."""

import itertools
import os
import re
import subprocess

import pytest

from tests.conftest import needs, start_dovecot
from tests.support import MASK, eventually, lists, reads, sample
from tests.support.dovecot import Account

# With what the server lacks; all other tests have a complete one.
WITHOUT = pytest.mark.parametrize(
    'server', [(), ('UIDPLUS',), ('MOVE',), ('UIDPLUS', 'MOVE')], indirect=True, scope='module',
    ids=lambda absent: '-'.join(absent) or 'all')
USERS = itertools.count(1)
CHANGING = (r'C: \S+ ((?:UID )?(?:STORE|EXPUNGE|MOVE|COPY|APPEND|CREATE|DELETE|RENAME|SUBSCRIBE|'
            r'UNSUBSCRIBE)\b.*)')
APPENDED = '" 1-Jan-2026 12:00:00 +0000" {%d}'


class World:
    """An account with mail in it, mounted with a transcript."""

    def __init__(self, account, mount, absent):
        self.account, self.start, self.absent = account, mount, absent
        client = account.imap()
        for name in ('Archive', 'Drafts', 'Trash'):
            client.create(name)
        client.logout()
        account.append(*[sample.numbered(number) for number in range(1, 6)])

    def mount(self, **options):
        self.mail = self.start(self.account, arguments=['-d'], expect=['.'], **options)
        return self.mail

    def run(self, *arguments, code=0):
        done = subprocess.run(list(map(str, arguments)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=self.mail.path,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, 'LC_ALL': 'C', 'TERM': 'dumb'})
        assert done.returncode == code, done.stdout
        return done.stdout

    def said(self, *commands):
        """These and no others changed something, in this order."""
        self.mail.settle('')

        def look():
            assert re.findall(CHANGING, self.mail.output()) == list(commands)
        eventually(look, 10)

    def said_that(self, pattern):
        return re.search(r'C: \S+ ' + pattern, self.mail.output())

    def removed(self, uid):
        """What removes one message."""
        gone = f'UID EXPUNGE {uid}' if 'UIDPLUS' not in self.absent else 'EXPUNGE'
        return f'UID STORE {uid} +FLAGS.SILENT (\\Deleted)', gone

    def moved(self, uid, target):
        if 'MOVE' not in self.absent:
            return (f'UID MOVE {uid} "{target}"',)
        return f'UID COPY {uid} "{target}"', *self.removed(uid)

    def texts(self, mailbox):
        """{UID: text} of a mailbox, as an independent client sees it."""
        client = self.account.imap()
        client.select(mailbox, readonly=True)
        found = {}
        for item in client.uid('FETCH', '1:*', '(UID BODY.PEEK[])')[1]:
            if isinstance(item, tuple):
                found[int(re.search(rb'UID (\d+)', item[0])[1])] = item[1]
        client.logout()
        return found

    def dates(self, mailbox):
        client = self.account.imap()
        client.select(mailbox, readonly=True)
        found = re.findall(r'INTERNALDATE "([^"]*)"',
                           str(client.uid('FETCH', '1:*', '(INTERNALDATE)')[1]))
        client.logout()
        return found


@pytest.fixture(scope='module')
def server(request, tmp_path_factory, certs):
    absent = {*MASK, *getattr(request, 'param', ())}
    one = start_dovecot(tmp_path_factory, certs, mask=absent)
    one.absent = absent
    yield one
    one.stop()


@pytest.fixture
def world(server, mount):
    return World(Account(server, f'user{next(USERS)}'), mount, server.absent)


def numbers(texts):
    return sorted(int(re.search(rb'Notice (\d+)', text)[1]) for text in texts.values())


# ---- rm

@WITHOUT
def test_rm(world):
    world.mount()
    world.run('rm', 'INBOX/2.eml')
    world.said(*world.removed(2))
    assert set(world.texts('INBOX')) == {1, 3, 4, 5}


@needs('SPECIAL-USE')
@WITHOUT
def test_rm_to_the_trash(world):
    world.mount(delete='trash')
    world.run('rm', 'INBOX/2.eml')
    world.said(*world.moved(2, 'Trash'))
    assert world.texts('Trash') == {1: sample.numbered(2)}
    world.run('sh', '-c', 'rm Trash/*')
    world.said(*world.moved(2, 'Trash'), *world.removed(1))
    assert world.texts('Trash') == {} and set(world.texts('INBOX')) == {1, 3, 4, 5}


def test_rm_that_marks(world):
    mail = world.mount(delete='mark')
    world.run('rm', 'INBOX/2.eml')
    world.said('UID STORE 2 +FLAGS.SILENT (\\Deleted)')
    assert world.account.flags()[2] == ['\\Deleted']
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml', '4.eml', '5.eml']


def test_rm_that_is_denied(world):
    world.mount(delete='deny')
    assert 'Operation not permitted' in world.run('rm', '-f', 'INBOX/2.eml', code=1)
    assert 'Operation not permitted' in world.run('rmdir', 'Archive', code=1)
    world.said()
    assert set(world.texts('INBOX')) == {1, 2, 3, 4, 5}


# ---- mv and cp

@WITHOUT
def test_mv(world):
    world.mount()
    assert 'Notice 2' in world.run('cat', 'INBOX/2.eml')
    world.mail.wait_for_output('BODY.PEEK')
    world.run('mv', 'INBOX/2.eml', 'Archive/')
    world.said(*world.moved(2, 'Archive'))
    assert world.texts('Archive') == {1: sample.numbered(2)}
    assert set(world.texts('INBOX')) == {1, 3, 4, 5}
    lists(world.mail / 'Archive', ['1.eml'])
    for name in ('1.eml', '2.eml'):
        assert (world.mail / 'Archive' / name).read_bytes() == sample.numbered(2)
    assert world.mail.output().count('BODY.PEEK') == 1


@WITHOUT
def test_mv_to_a_uid_that_is_taken(world):
    world.account.append(sample.numbered(11), mailbox='Archive')
    world.mount()
    world.run('mv', '-f', 'INBOX/1.eml', 'Archive/')
    world.said(*world.moved(1, 'Archive'))
    assert world.texts('Archive') == {1: sample.numbered(11), 2: sample.numbered(1)}
    assert '2.eml' in world.run('ls', 'Archive')
    world.run('mv', '-n', 'INBOX/2.eml', 'Archive/')
    world.said(*world.moved(1, 'Archive'))
    assert 2 in world.texts('INBOX')


@WITHOUT
def test_cp(world):
    world.mount()
    world.run('cp', 'INBOX/2.eml', 'INBOX/4.eml', 'Archive/')
    world.mail.settle('Archive')
    assert numbers(world.texts('Archive')) == [2, 4]
    assert set(world.texts('INBOX')) == {1, 2, 3, 4, 5}
    assert world.said_that('UID COPY') and not world.said_that('(APPEND|UID STORE|.*BODY)')


# ---- new messages

def test_create(world, tmp_path):
    letter = tmp_path / 'letter'
    letter.write_bytes(sample.numbered(7).replace(b'\r\n', b'\n'))
    world.mount()
    world.run('cp', letter, 'Archive/letter.eml')
    size = len(sample.numbered(7))
    world.said('APPEND "Archive" ' + APPENDED % size)
    assert world.texts('Archive') == {1: sample.numbered(7)}
    assert world.dates('Archive') == ['01-Jan-2026 12:00:00 +0000']
    assert 'This is notice' not in world.mail.output()
    reads(world.mail / 'Archive/letter.eml', sample.numbered(7))


def test_create_with_a_time(world, tmp_path):
    letter = tmp_path / 'letter'
    letter.write_bytes(sample.numbered(7))
    os.utime(letter, (1234567890, 1234567890))
    world.mount()
    world.run('rsync', '-t', letter, 'Archive/letter.eml')
    world.mail.settle('Archive')
    assert world.dates('Archive') == ['13-Feb-2009 23:31:30 +0000']


def test_create_of_two_parts(world, tmp_path):
    text = sample.numbered(7)
    (tmp_path / 'a').write_bytes(text[:50])
    (tmp_path / 'b').write_bytes(text[50:])
    world.mount()
    world.run('sh', '-c', '(cat "$1/a"; cat "$1/b") > Drafts/x.eml', 'sh', tmp_path)
    world.said('APPEND "Drafts" ' + APPENDED % len(text))
    assert world.texts('Drafts') == {1: text}


# ---- folders

def test_folders(world):
    world.mount()
    world.run('mkdir', '-p', 'Lists/a')
    world.run('mv', 'Lists', 'Old')
    world.run('rmdir', 'Old/a', 'Old')
    world.said(
        'CREATE "Lists"', 'SUBSCRIBE "Lists"', 'CREATE "Lists/a"', 'SUBSCRIBE "Lists/a"',
        'RENAME "Lists" "Old"', 'UNSUBSCRIBE "Lists"', 'SUBSCRIBE "Old"',
        'UNSUBSCRIBE "Lists/a"', 'SUBSCRIBE "Old/a"',
        'DELETE "Old/a"', 'UNSUBSCRIBE "Old/a"', 'DELETE "Old"', 'UNSUBSCRIBE "Old"')


def test_folders_that_stay(world):
    world.account.append(sample.numbered(6), mailbox='Archive')
    world.mount()
    assert 'Directory not empty' in world.run('rmdir', 'Archive', code=1)
    assert 'busy' in world.run('rmdir', 'INBOX', code=1)
    assert 'busy' in world.run('mv', 'INBOX', 'Other', code=1)
    assert 'not permitted' in world.run('mkdir', '.Trash-1000', code=1)
    for name in ('a\r\nA1 DELETE INBOX', 'a\nb'):
        assert 'Invalid argument' in world.run('mkdir', name, code=1)
    world.said()


def test_folder_names_are_one_argument(world):
    """Whatever looks like syntax arrives as the name."""
    names = ['x {5+}', 'say "hi"', 'a) (b', 'NIL', '%d%s', 'Entwürfe & mehr']
    world.mount()
    world.run('mkdir', *[name for name in names if '%' not in name])
    assert 'Invalid argument' in world.run('mkdir', '%d%s', code=1)
    there = set(os.listdir(world.account.maildir)) & {
        'x {5+}', 'say "hi"', 'a) (b', 'NIL', 'Entw&APw-rfe &- mehr'}
    assert len(there) == 5


# ---- flags

def test_flags(world):
    mail = world.mount()
    world.run('setfattr', '-n', 'user.imap.flags', '-v', '\\Flagged work', 'INBOX/3.eml')
    world.said('UID STORE 3 +FLAGS.SILENT (\\Flagged work)')
    assert world.account.flags()[3] == ['\\Flagged', 'work']
    world.run('setfattr', '-n', 'user.xdg.tags', '-v', 'home', 'INBOX/3.eml')
    mail.settle()
    assert world.account.flags()[3] == ['\\Flagged', 'home']


def test_flags_that_are_none(world):
    """None of them ends the command, or begins another one."""
    mail = world.mount()
    for flag in ('x\r\nA1 DELETE INBOX', 'x\n', 'x\0y', 'a(b', '{5+}', 'x) (y', '"x"', '\\Nope',
                 'x\\'):
        with pytest.raises(OSError, match='Invalid argument'):
            os.setxattr(mail.inbox / '3.eml', 'user.imap.flags', os.fsencode(flag))
    world.said()
    assert world.account.flags()[3] == []


# ---- drafts

EDITORS = {
    'sed': ('sed', '-i', 's/This is notice/This was notice/'),
    'vim': ('vim', '-n', '-es', '-u', 'NONE', '-c', '%s/This is notice/This was notice/', '-c', 'wq'),
    'vim-backup': ('vim', '-es', '-u', 'NONE', '-c', 'set backup', '-c',
                   '%s/This is notice/This was notice/', '-c', 'wq'),
}


@needs('SPECIAL-USE')
@WITHOUT
@pytest.mark.parametrize('editor', EDITORS)
def test_draft_is_rewritten(world, editor):
    text = sample.numbered(7)
    world.account.append(text, sample.numbered(8), mailbox='Drafts')
    mail = world.mount()
    world.run(*EDITORS[editor], 'Drafts/1.eml')
    new = text.replace(b'This is', b'This was')
    world.said('APPEND "Drafts" ' + APPENDED % len(new), *world.removed(1))
    assert world.texts('Drafts') == {2: sample.numbered(8), 3: new}
    reads(mail / 'Drafts/1.eml', new)
    listed = [name for name in os.listdir(mail / 'Drafts') if name[0] != '.' and name[-1] != '~']
    assert len(listed) == 2


@pytest.mark.parametrize('editor', EDITORS)
def test_message_is_not_rewritten(world, editor):
    world.mount()
    subprocess.run([*EDITORS[editor], 'INBOX/1.eml'], cwd=world.mail.path, capture_output=True,
                   stdin=subprocess.DEVNULL, env={**os.environ, 'TERM': 'dumb'}, check=False)
    world.said()
    assert world.texts('INBOX')[1] == sample.numbered(1)
    assert (world.mail / 'INBOX/1.eml').read_bytes() == sample.numbered(1)
