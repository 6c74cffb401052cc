"""Names change: rm, mv, mkdir, rmdir, mv of a folder and setfattr, by the tools that people use; what
the tree shows then, at once and when the server has answered, and what went over the wire."""

import contextlib
import errno
import json
import os
import re
import shutil
import subprocess
import threading
import time

import pytest

from tests.conftest import needs
from tests.support import SLOW, eventually, lists

BODY = b'From: a@example.org\r\nSubject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\nText %d\r\n'
CHANGING = (rb'^\S+ (UID )?(STORE|EXPUNGE|MOVE|COPY|REPLACE|APPEND|CREATE|DELETE|RENAME|'
            rb'SUBSCRIBE|UNSUBSCRIBE)\b')
NOREPLACE = 1


def body(number):
    return BODY % (number, number, number)


def run(*arguments, code=0):
    """A program; what it wrote to both outputs."""
    done = subprocess.run(list(map(str, arguments)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, 'LC_ALL': 'C'})
    assert done.returncode == code, done.stdout
    return done.stdout


def settle(path):
    """fsync(2) of a directory."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def changes(server):
    """The commands that changed something, without their tags."""
    return [entry.line.split(b' ', 1)[1].decode().strip() for entry in server.lines(CHANGING)]


def texts(server, name='INBOX'):
    box = server.mailboxes[name.encode()]
    return [box.message(uid).body for uid in box.uids()]


def fails_with(code, call, *arguments):
    with pytest.raises(OSError) as failure:
        call(*arguments)
    assert errno.errorcode[failure.value.errno] == errno.errorcode[code]


@contextlib.contextmanager
def held(server, pattern):
    """The server answers no such command before the end of this."""
    release = threading.Event()
    rule = server.on(pattern, lambda session, command: release.wait(60 * SLOW) and False)
    try:
        yield
    finally:
        server.rules.remove(rule)
        release.set()


@contextlib.contextmanager
def refused(server, mail, pattern, words, code):
    """What is changed within this is refused. The server says so when somebody waits in INBOX, who
    gets the error: of what was refused before, nothing but the journal tells."""
    asked, failures = threading.Event(), []
    server.on(pattern, lambda session, command: asked.wait(60 * SLOW) and
              session.tagged(command, 'NO', words))

    def wait():
        try:
            settle(mail.inbox)
        except OSError as failure:
            failures.append(errno.errorcode[failure.errno])

    def waits():
        status = json.loads((mail / '.imapfs/status').read_bytes())
        assert status['requests']['waiting'] > 0
    waiting = threading.Thread(target=wait)
    try:
        yield
        waiting.start()
        eventually(waits)
    finally:
        asked.set()
    waiting.join()
    assert failures == [errno.errorcode[code]]


@pytest.fixture
def account(fake, mount):
    """account(INBOX=3, Archive=2, ..., options={}) -> (server, mount)."""
    def start(options=None, **boxes):
        server = fake()
        for name, count in boxes.items():
            box = server.inbox if name == 'INBOX' else server.add(name)
            first = 1000 * list(boxes).index(name)
            box.extend(body(first + uid) for uid in range(1, count + 1))
            if name in ('Drafts', 'Trash'):
                box.special = [f'\\{name}']
        return server, mount(server, **(options or {}))
    return start


# ---- rm

@needs('UIDPLUS')
def test_rm(account):
    server, mail = account(INBOX=3)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    run('rm', mail.inbox / '2.eml')
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml']
    fails_with(errno.ENOENT, os.stat, mail.inbox / '2.eml')
    settle(mail.inbox)
    assert server.inbox.uids() == [1, 3]
    assert changes(server) == ['UID STORE 2 +FLAGS.SILENT (\\Deleted)', 'UID EXPUNGE 2']
    lists(mail.inbox, ['1.eml', '3.eml'])


@needs('UIDPLUS')
def test_rm_of_many_is_a_few_commands(account):
    server, mail = account(INBOX=300)
    start = time.monotonic()
    run('sh', '-c', 'rm -- "$0"/*.eml', mail.inbox)
    took = time.monotonic() - start
    assert os.listdir(mail.inbox) == []
    settle(mail.inbox)
    assert server.inbox.uids() == []
    # Two for what is gathered in each 200 ms.
    assert len(changes(server)) <= 20 + 10 * took


def test_rm_that_is_refused(account):
    """The file is back, with the link that it had, and the journal of events says why."""
    server, mail = account(INBOX=2, options={'expect': ['refused', 'INBOX']})
    reader = open(mail.inbox / '2.eml', 'rb')
    with refused(server, mail, rb'UID STORE', '[NOPERM] not here', errno.EACCES):
        os.unlink(mail.inbox / '2.eml')
    eventually(lambda: os.stat(mail.inbox / '2.eml'))
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml']
    assert os.stat(mail.inbox / '2.eml').st_nlink == os.fstat(reader.fileno()).st_nlink == 1
    with reader:
        assert reader.read() == body(2)

    def told():
        assert re.search(r'"kind": ?"refused", ?"change": ?"remove", ?"folder": ?"INBOX", ?'
                         r'"uid": ?2, ?"why": ?".*not here', (mail / '.imapfs/events').read_text())
    eventually(told)


def test_rm_with_sync_waits(account):
    server, mail = account(INBOX=2, options={'sync': True, 'expect': ['refused']})
    os.unlink(mail.inbox / '1.eml')
    assert server.inbox.uids() == [2]
    server.deny(rb'UID STORE', '[NOPERM] not here')
    fails_with(errno.EACCES, os.unlink, mail.inbox / '2.eml')
    assert os.listdir(mail.inbox) == ['2.eml']
    assert (mail.inbox / '2.eml').read_bytes() == body(2)


@needs('SPECIAL-USE')
def test_rm_to_the_trash(account):
    server, mail = account(INBOX=2, Trash=1, options={'delete': 'trash'})
    run('rm', mail.inbox / '1.eml')
    settle(mail.inbox)
    assert server.inbox.uids() == [2]
    assert texts(server, 'Trash') == [body(1001), body(1)]
    lists(mail / 'Trash', ['1.eml', '2.eml'])
    run('rm', mail / 'Trash/2.eml')
    settle(mail / 'Trash')
    assert texts(server, 'Trash') == [body(1001)]


def test_rm_that_marks(account):
    server, mail = account(INBOX=2, options={'delete': 'mark'})
    run('rm', mail.inbox / '1.eml')
    assert os.listdir(mail.inbox) == ['2.eml']
    settle(mail.inbox)
    assert server.inbox.message(1).flags == {'\\Deleted'}
    assert changes(server) == ['UID STORE 1 +FLAGS.SILENT (\\Deleted)']
    lists(mail.inbox, ['2.eml'])


def test_an_open_file_is_read_on(account):
    server, mail = account(INBOX=1, Archive=0)
    with open(mail.inbox / '1.eml', 'rb') as reader:
        assert reader.read(10) == body(1)[:10]
        run('mv', mail.inbox / '1.eml', mail / 'Archive')
        settle(mail.inbox)
        assert reader.read() == body(1)[10:]


# ---- mv of messages

@needs('MOVE', 'UIDPLUS')
def test_mv(account):
    server, mail = account(INBOX=3, Archive=1)
    assert os.listdir(mail / 'Archive') == ['1.eml']
    before = os.stat(mail.inbox / '3.eml')
    with held(server, rb'UID MOVE'):
        run('mv', mail.inbox / '3.eml', mail / 'Archive')
        assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml']
        assert sorted(os.listdir(mail / 'Archive')) == ['1.eml', '3.eml']
        after = os.stat(mail / 'Archive/3.eml')
        assert (after.st_size, after.st_mtime, after.st_ino) == (
            before.st_size, before.st_mtime, before.st_ino)
    settle(mail.inbox)
    assert changes(server) == ['UID MOVE 3 "Archive"']
    assert texts(server, 'Archive') == [body(1001), body(3)]
    lists(mail / 'Archive', ['1.eml', '2.eml'])
    for name in ('2.eml', '3.eml'):
        assert (mail / 'Archive' / name).read_bytes() == body(3)
    assert os.stat(mail / 'Archive/2.eml').st_ino == os.stat(mail / 'Archive/3.eml').st_ino


@pytest.mark.parametrize('sync', [False, True])
def test_mv_to_a_name_that_another_message_has(account, sync):
    """Both stay, whatever the name is while the change waits and after it."""
    server, mail = account(INBOX=3, Archive=2, options={'sync': sync or None})
    assert sorted(os.listdir(mail / 'Archive')) == ['1.eml', '2.eml']
    other = os.stat(mail / 'Archive/2.eml').st_ino
    with contextlib.nullcontext() if sync else held(server, rb'UID (MOVE|COPY)'):
        run('mv', mail.inbox / '2.eml', mail / 'Archive')
        assert sorted(os.listdir(mail / 'Archive')) == (
            ['1.eml', '2.eml', '3.eml'] if sync else ['1.eml', '2 (2).eml', '2.eml'])
        assert (mail / 'Archive/2.eml').read_bytes() == body(1002)
        assert (mail / 'Archive/2 (2).eml').read_bytes() == body(2)
    settle(mail / 'Archive')
    lists(mail / 'Archive', ['1.eml', '2.eml', '3.eml'])
    assert (mail / 'Archive/2.eml').read_bytes() == body(1002)
    assert (os.stat(mail / 'Archive/2.eml').st_ino, os.stat(mail / 'Archive/2.eml').st_nlink) == (
        other, 1)
    assert (mail / 'Archive/3.eml').read_bytes() == body(2)
    assert texts(server, 'Archive') == [body(1001), body(1002), body(2)]


def test_mv_that_must_not_replace(account):
    server, mail = account(INBOX=2, Archive=1)
    run('mv', '-n', mail.inbox / '1.eml', mail / 'Archive')
    assert changes(server) == []
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml']


def test_a_name_that_becomes_another_messages(account):
    """3.eml came as a given name, and later is the name of a message by its UID."""
    server, mail = account(INBOX=5, Archive=1, options={'poll': 1})
    run('mv', mail.inbox / '5.eml', mail / 'Archive/3.eml')
    settle(mail / 'Archive')
    assert (mail / 'Archive/3.eml').read_bytes() == body(5)
    server.mailboxes[b'Archive'].append(body(77))
    os.listdir(mail / 'Archive')
    run('mv', mail.inbox / '4.eml', mail / 'Archive/x.eml')
    settle(mail / 'Archive')
    seen_all = [body(1001), body(5), body(77), body(4)]
    assert texts(server, 'Archive') == seen_all

    def all_there():
        names = sorted(os.listdir(mail / 'Archive'))
        assert names == ['1.eml', '2.eml', '3.eml', '4.eml']
        assert [(mail / 'Archive' / name).read_bytes() for name in names] == seen_all
    eventually(all_there)


def test_mv_that_is_refused(account):
    server, mail = account(INBOX=2, Archive=0, options={'expect': ['refused', 'INBOX']})
    with refused(server, mail, rb'UID (MOVE|COPY)', '[OVERQUOTA] full', errno.EDQUOT):
        os.rename(mail.inbox / '2.eml', mail / 'Archive/2.eml')

    def back():
        assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml']
        assert os.listdir(mail / 'Archive') == []
        assert (mail.inbox / '2.eml').read_bytes() == body(2)
        assert not os.path.exists(mail / 'Archive/2.eml')
    eventually(back)


def test_mv_twice_before_the_server_answers(account):
    server, mail = account(INBOX=2, Archive=1, Other=1)
    with held(server, rb'UID (MOVE|COPY)'):
        run('mv', mail.inbox / '2.eml', mail / 'Archive')
        run('mv', mail / 'Archive/2.eml', mail / 'Other/letter')
        assert os.listdir(mail / 'Archive') == ['1.eml']
        assert sorted(os.listdir(mail / 'Other')) == ['1.eml', 'letter']
        assert (mail / 'Other/letter').read_bytes() == body(2)
    settle(mail / 'Other')
    settle(mail / 'Archive')
    settle(mail.inbox)
    assert (texts(server), texts(server, 'Archive'), texts(server, 'Other')) == (
        [body(1)], [body(1001)], [body(2001), body(2)])
    lists(mail / 'Archive', ['1.eml'])
    lists(mail / 'Other', ['1.eml', '2.eml'])
    assert (mail / 'Other/letter').read_bytes() == body(2)


def test_mv_there_and_back(account):
    server, mail = account(INBOX=2, Archive=0)
    with held(server, rb'UID (MOVE|COPY)'):
        run('mv', mail.inbox / '2.eml', mail / 'Archive')
        run('mv', mail / 'Archive/2.eml', mail.inbox)
        assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml']
        assert os.listdir(mail / 'Archive') == []
    settle(mail.inbox)
    settle(mail / 'Archive')
    assert (texts(server), texts(server, 'Archive')) == ([body(1), body(2)], [])
    lists(mail.inbox, ['1.eml', '3.eml'])
    assert (mail.inbox / '2.eml').read_bytes() == body(2)


def test_rm_of_what_is_on_its_way(account):
    server, mail = account(INBOX=2, Archive=0)
    with held(server, rb'UID (MOVE|COPY)'):
        run('mv', mail.inbox / '2.eml', mail / 'Archive')
        run('rm', mail / 'Archive/2.eml')
        assert os.listdir(mail / 'Archive') == []
    settle(mail / 'Archive')
    settle(mail.inbox)
    assert (texts(server), texts(server, 'Archive')) == ([body(1)], [])
    lists(mail / 'Archive', [])


def test_mv_twice_of_an_open_file(account):
    """Also after it arrived, under whatever name, an open file is the message."""
    server, mail = account(INBOX=1, Archive=0)
    with open(mail.inbox / '1.eml', 'rb') as file:
        for name in ('Archive/x', 'Archive/y', 'Archive/1.eml', 'Archive/z'):
            source = mail.inbox / '1.eml' if name == 'Archive/x' else latest
            latest = mail / name
            os.rename(source, latest)
            settle(mail / 'Archive')
            lists(mail / 'Archive', [latest.name if name != 'Archive/x' else '1.eml'])
            assert os.fstat(file.fileno()).st_size == len(body(1))
        assert file.read() == body(1)


# ---- names within a mailbox

def test_mv_within_a_mailbox(account):
    server, mail = account(INBOX=3)
    before = os.stat(mail.inbox / '2.eml')
    run('mv', mail.inbox / '2.eml', mail.inbox / 'letter')
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml', 'letter']
    fails_with(errno.ENOENT, os.stat, mail.inbox / '2.eml')
    assert os.stat(mail.inbox / 'letter').st_ino == before.st_ino
    assert (mail.inbox / 'letter').read_bytes() == body(2)
    run('mv', mail.inbox / 'letter', mail.inbox / 'Brief von Käthe.eml')
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml', 'Brief von Käthe.eml']
    fails_with(errno.ENOENT, os.stat, mail.inbox / 'letter')
    run('mv', mail.inbox / 'Brief von Käthe.eml', mail.inbox / '2.eml')
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    fails_with(errno.ENOENT, os.stat, mail.inbox / 'Brief von Käthe.eml')
    assert os.stat(mail.inbox / '2.eml').st_ino == before.st_ino
    run('mv', mail.inbox / '2.eml', mail.inbox / 'x')
    run('rm', mail.inbox / 'x')
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml']
    settle(mail.inbox)
    assert texts(server) == [body(1), body(3)]
    assert not server.lines(rb'MOVE|COPY')


def test_names_that_are_swapped(account):
    server, mail = account(INBOX=3)
    for source, target in (('1.eml', 'x'), ('2.eml', '1.eml'), ('x', '2.eml')):
        run('mv', mail.inbox / source, mail.inbox / target)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    assert (mail.inbox / '1.eml').read_bytes() == body(2)
    assert (mail.inbox / '2.eml').read_bytes() == body(1)
    run('rm', mail.inbox / '1.eml')
    settle(mail.inbox)
    assert texts(server) == [body(1), body(3)]
    assert changes(server)[-1] in ('UID EXPUNGE 2', 'EXPUNGE')
    lists(mail.inbox, ['2.eml', '3.eml'])


def test_a_name_of_a_message_to_come(account):
    """4.eml is given to a message, and then one comes whose name it is: both are shown."""
    server, mail = account(INBOX=3)
    run('mv', mail.inbox / '2.eml', mail.inbox / '4.eml')
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml', '4.eml']
    assert (mail.inbox / '4.eml').read_bytes() == body(2)
    server.inbox.append(body(4))

    def seen():
        assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml', '4.eml']
        assert (mail.inbox / '4.eml').read_bytes() == body(4)
        assert (mail.inbox / '2.eml').read_bytes() == body(2)
    eventually(seen)


def test_a_renamed_message_that_somebody_else_removes(account):
    server, mail = account(INBOX=3)
    os.rename(mail.inbox / '2.eml', mail.inbox / 'letter')
    assert (mail.inbox / 'letter').read_bytes() == body(2)
    server.inbox.expunge(2)

    def gone():
        assert sorted(os.listdir(mail.inbox)) == ['1.eml', '3.eml']
        assert not os.path.exists(mail.inbox / 'letter')
    eventually(gone)


@needs('SPECIAL-USE')
def test_replacing_is_for_drafts_only(account):
    server, mail = account(INBOX=2, Drafts=3)
    for folder, code in (('INBOX', errno.EPERM),):
        fails_with(code, os.rename, mail / folder / '1.eml', mail / folder / '2.eml')
        fails_with(code, os.rename, mail / folder / '1.eml', mail / folder / '1.eml~')
    assert changes(server) == []
    os.rename(mail / 'Drafts/1.eml', mail / 'Drafts/2.eml')
    assert sorted(os.listdir(mail / 'Drafts')) == ['2.eml', '3.eml']
    assert (mail / 'Drafts/2.eml').read_bytes() == body(1001)
    settle(mail / 'Drafts')
    assert texts(server, 'Drafts') == [body(1001), body(1003)]
    assert (mail / 'Drafts/2.eml').read_bytes() == body(1001)
    os.rename(mail / 'Drafts/3.eml', mail / 'Drafts/3.eml~')
    assert sorted(os.listdir(mail / 'Drafts')) == ['2.eml', '3.eml~']


def test_names_last_until_unmount(fake, mount):
    server = fake()
    server.inbox.extend([body(1), body(2)])
    server.add('Archive')
    mail = mount(server)
    os.rename(mail.inbox / '1.eml', mail.inbox / 'letter')
    os.rename(mail.inbox / '2.eml', mail / 'Archive/other')
    settle(mail / 'Archive')
    assert (mail / 'Archive/other').read_bytes() == body(2)
    mail.unmount()
    mail = mount(server)
    lists(mail.inbox, ['1.eml'])
    lists(mail / 'Archive', ['1.eml'])
    fails_with(errno.ENOENT, os.stat, mail.inbox / 'letter')
    fails_with(errno.ENOENT, os.stat, mail / 'Archive/other')


AWAY = ['away', 'connect', 'offline', 'lost', 'broke', 'known until']


def test_what_waits_at_the_next_mount(fake, mount):
    """Unmounted while the server is away: the next mount shows what was done, and does it."""
    server = fake()
    server.inbox.extend([body(1), body(2), body(3)])
    server.add('Archive').extend([body(1001)])
    mail = mount(server, expect=AWAY)
    for folder in (mail.inbox, mail / 'Archive'):
        assert all((folder / name).read_bytes() for name in os.listdir(folder))
    server.refuse = True
    server.kill()
    run('mv', mail.inbox / '1.eml', mail / 'Archive')
    run('mv', mail.inbox / '2.eml', mail / 'Archive/letter')
    run('mv', mail / 'Archive/letter', mail / 'Archive/brief')
    mail.unmount()
    mail = mount(server, expect=AWAY)
    assert os.listdir(mail.inbox) == ['3.eml']
    assert sorted(os.listdir(mail / 'Archive')) == ['1 (2).eml', '1.eml', 'letter']
    assert os.stat(mail / 'Archive/letter').st_size == len(body(2))
    assert (mail / 'Archive/1 (2).eml').read_bytes() == body(1)
    assert (mail / 'Archive/1.eml').read_bytes() == body(1001)
    server.refuse = False

    def arrived():
        settle(mail / 'Archive')
        assert sorted(texts(server, 'Archive')) == [body(1), body(1001), body(2)]
        assert (mail / 'Archive/letter').read_bytes() == body(2)
    eventually(arrived)
    assert texts(server) == [body(3)]
    lists(mail / 'Archive', ['1.eml', '2.eml', '3.eml'])


def test_names_of_messages_that_are_others_now(account):
    """A new UIDVALIDITY: no name of before means anything."""
    server, mail = account(INBOX=2, Archive=1)
    run('mv', mail.inbox / '2.eml', mail / 'Archive/letter')
    os.rename(mail / 'Archive/1.eml', mail / 'Archive/other')
    settle(mail / 'Archive')
    assert (mail / 'Archive/letter').read_bytes() == body(2)
    server.mailboxes[b'Archive'].reset(2000, [body(7), body(8)])
    server.kill()

    def others():
        os.listdir(mail / 'Archive')
        assert not os.path.exists(mail / 'Archive/letter')
        assert not os.path.exists(mail / 'Archive/other')
        assert sorted(os.listdir(mail / 'Archive')) == ['1.eml', '2.eml']
        assert (mail / 'Archive/1.eml').read_bytes() == body(7)
    eventually(others)


# ---- cp

@needs('UIDPLUS')
def test_cp_while_the_server_is_slow(account):
    """A copy is a file of its own from the beginning."""
    server, mail = account(INBOX=2, Archive=0)
    os.setxattr(mail.inbox / '2.eml', 'user.imap.flags', b'\\Seen a')
    settle(mail.inbox)
    with held(server, rb'UID COPY|APPEND'):
        run('cp', mail.inbox / '2.eml', mail / 'Archive/copy.eml')
        assert os.listdir(mail / 'Archive') == ['copy.eml']
        source, copy = os.stat(mail.inbox / '2.eml'), os.stat(mail / 'Archive/copy.eml')
        assert copy.st_size == source.st_size and copy.st_ino != source.st_ino
        assert (mail / 'Archive/copy.eml').read_bytes() == body(2)
        os.setxattr(mail.inbox / '2.eml', 'user.imap.flags', b'\\Answered')
        assert flags(mail / 'Archive/copy.eml') == '\\Seen a'
        os.setxattr(mail / 'Archive/copy.eml', 'user.imap.flags', b'\\Flagged a b')
        assert flags(mail / 'Archive/copy.eml') == '\\Flagged a b'
        assert flags(mail.inbox / '2.eml') == '\\Answered'
        assert os.listxattr(mail / 'Archive/copy.eml') == [
            'user.imap.flags', 'user.xdg.tags', 'user.mime_type']
        fails_with(errno.ENODATA, os.getxattr, mail / 'Archive/copy.eml', 'user.imap.uid')
    settle(mail / 'Archive')
    settle(mail.inbox)
    assert changes(server)[1] == 'UID COPY 2 "Archive"'
    assert texts(server) == [body(1), body(2)] and texts(server, 'Archive') == [body(2)]
    lists(mail / 'Archive', ['1.eml'])
    assert (mail / 'Archive/copy.eml').read_bytes() == body(2)
    assert server.inbox.message(2).flags == {'\\Answered'}
    assert server.mailboxes[b'Archive'].message(1).flags == {'\\Flagged', 'a', 'b'}
    assert flags(mail / 'Archive/copy.eml') == '\\Flagged a b'
    assert os.getxattr(mail / 'Archive/copy.eml', 'user.imap.uid') == b'1'


# ---- editors

SED = ('sed', '-i', 's/Text/Other text/')
VIM = ('vim', '-es', '-u', 'NONE', '-c', 'set nomodeline', '-c', '%s/Text/Other text/', '-c', 'wq')


@needs('SPECIAL-USE')
@pytest.mark.parametrize('editor', [SED, VIM], ids=['sed', 'vim'])
def test_editor(account, editor):
    """Of a draft there is one message, with the new text and under its name; another message
    cannot be edited."""
    server, mail = account(INBOX=2, Drafts=2)
    new = body(1001).replace(b'Text', b'Other text')
    run(*editor, mail / 'Drafts/1.eml')
    settle(mail / 'Drafts')
    assert texts(server, 'Drafts') == [body(1002), new]
    assert (mail / 'Drafts/1.eml').read_bytes() == new
    listed = [name for name in os.listdir(mail / 'Drafts') if name[0] != '.' and name[-1] != '~']
    assert sorted(listed) == ['2.eml', '3.eml']
    before = len(changes(server))
    done = subprocess.run([*editor, mail.inbox / '1.eml'], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60 * SLOW)
    assert done.returncode != 0
    settle(mail.inbox)
    assert len(changes(server)) == before
    assert texts(server) == [body(1), body(2)]
    assert [name for name in os.listdir(mail.inbox) if name.endswith('.eml')] == ['1.eml', '2.eml']


@needs('SPECIAL-USE')
def test_saved_again_and_again_while_the_server_is_away(account):
    """The last text is the message, and it has the name."""
    server, mail = account(INBOX=1, Drafts=2, options={'expect': AWAY})
    assert (mail / 'Drafts/1.eml').read_bytes() == body(1001)
    server.refuse = True
    server.kill()
    for number in range(3):
        scratch = mail / 'Drafts/.save'
        scratch.write_bytes(body(100 + number))
        os.rename(scratch, mail / 'Drafts/1.eml')
        assert sorted(os.listdir(mail / 'Drafts')) == ['1.eml', '2.eml']
        assert (mail / 'Drafts/1.eml').read_bytes() == body(100 + number)
    server.refuse = False

    def arrived():
        settle(mail / 'Drafts')
        assert texts(server, 'Drafts') == [body(1002), body(102)]
    eventually(arrived)
    assert (mail / 'Drafts/1.eml').read_bytes() == body(102)
    assert len(os.listdir(mail / 'Drafts')) == 2


# ---- folders

def test_mkdir_and_rmdir(account):
    server, mail = account(INBOX=1, Archive=0)
    run('mkdir', '-p', mail / 'Lists/Über uns/R&D')
    names = [b'Lists', b'Lists/&ANw-ber uns', b'Lists/&ANw-ber uns/R&-D']
    assert all(name in server.mailboxes and name in server.subscribed for name in names)
    assert os.listdir(mail / 'Lists') == ['Über uns']
    assert os.stat(mail / 'Lists/Über uns').st_nlink == 3
    fails_with(errno.ENOTEMPTY, os.rmdir, mail / 'Lists')
    run('mv', mail.inbox / '1.eml', mail / 'Lists/Über uns/R&D')
    fails_with(errno.ENOTEMPTY, os.rmdir, mail / 'Lists/Über uns/R&D')
    run('rm', '-r', mail / 'Lists')
    assert not any(name in server.mailboxes for name in names)
    assert not any(name in server.subscribed for name in names)
    assert sorted(os.listdir(mail.path)) == ['.imapfs', 'Archive', 'INBOX']


def test_a_new_folder_is_used_at_once(account):
    server, mail = account(INBOX=2)
    os.mkdir(mail / 'New')
    made = os.stat(mail / 'New').st_ino
    run('mv', mail.inbox / '2.eml', mail / 'New')
    assert os.stat(mail / 'New').st_ino == made
    settle(mail / 'New')
    assert texts(server, 'New') == [body(2)]
    os.rename(mail / 'New', mail / 'Newer')
    assert os.stat(mail / 'Newer').st_ino == made
    assert (mail / 'Newer/2.eml').read_bytes() == body(2)
    assert os.listdir(mail / 'Newer') == ['1.eml']
    assert (mail / 'Newer/1.eml').read_bytes() == body(2)
    fails_with(errno.ENOENT, os.stat, mail / 'New')
    os.mkdir(mail / 'New')
    assert os.stat(mail / 'New').st_ino != made
    assert os.listdir(mail / 'New') == []


def test_mv_of_a_folder(account):
    server, mail = account(**{'INBOX': 1, 'Archive': 1, 'Archive/2026': 2, 'Plain/Box': 0})
    with open(mail / 'Archive/2026/2.eml', 'rb') as reader:
        inner = os.stat(mail / 'Archive/2026')
        run('mv', mail / 'Archive', mail / 'Plain')
        assert sorted(os.listdir(mail.path)) == ['.imapfs', 'INBOX', 'Plain']
        assert sorted(os.listdir(mail / 'Plain')) == ['Archive', 'Box']
        assert sorted(os.listdir(mail / 'Plain/Archive')) == ['1.eml', '2026']
        assert os.stat(mail / 'Plain/Archive/2026').st_ino == inner.st_ino
        assert reader.read() == body(2002)
    assert b'Plain/Archive/2026' in server.mailboxes
    assert [line for line in changes(server) if line.startswith('RENAME')] == [
        'RENAME "Archive" "Plain/Archive"']
    run('mv', mail / 'Plain/Archive/2026/1.eml', mail.inbox)
    settle(mail.inbox)
    settle(mail / 'Plain/Archive/2026')
    assert texts(server) == [body(1), body(2001)]
    fails_with(errno.EPERM, os.rename, mail / 'Plain', mail / 'Other')
    fails_with(errno.EEXIST, os.rename, mail / 'Plain/Archive', mail / 'Plain/Box')


def test_a_folder_that_cannot_be_made(account):
    server, mail = account(INBOX=1, options={'expect': ['CREATE']})
    server.deny(rb'CREATE', '[NOPERM] not here')
    fails_with(errno.EACCES, os.mkdir, mail / 'New')
    fails_with(errno.ENOENT, os.stat, mail / 'New')
    assert os.listdir(mail.path) == ['INBOX', '.imapfs']


def test_a_folder_that_cannot_be_renamed(account):
    server, mail = account(INBOX=1, Archive=1, options={'expect': ['RENAME']})
    server.deny(rb'RENAME', '[NOPERM] not here', times=1)
    ino = os.stat(mail / 'Archive').st_ino
    fails_with(errno.EACCES, os.rename, mail / 'Archive', mail / 'Newer')
    assert sorted(os.listdir(mail.path)) == ['.imapfs', 'Archive', 'INBOX']
    os.rename(mail / 'Archive', mail / 'Newest')
    assert os.stat(mail / 'Newest').st_ino == ino
    os.mkdir(mail / 'Newer')
    assert os.stat(mail / 'Newer').st_ino != ino
    assert (mail / 'Newest/1.eml').read_bytes() == body(1001)


# ---- flags

def flags(path):
    return os.getxattr(path, 'user.imap.flags').decode()


def test_setfattr(account):
    server, mail = account(INBOX=2)
    server.inbox.set_flags(1, {'\\Answered', 'old', 'a,b'})
    message = mail.inbox / '1.eml'

    def known():
        assert flags(message) == '\\Answered a,b old'
    eventually(known)
    run('setfattr', '-n', 'user.imap.flags', '-v', '\\\\SEEN \\\\flagged old new \\\\Recent', message)
    assert flags(message) == '\\Seen \\Flagged new old'
    settle(mail.inbox)
    assert server.inbox.message(1).flags == {'\\Seen', '\\Flagged', 'old', 'new'}
    assert sorted(changes(server)) == [
        'UID STORE 1 +FLAGS.SILENT (\\Seen \\Flagged new)',
        'UID STORE 1 -FLAGS.SILENT (\\Answered a,b)']
    run('setfattr', '-n', 'user.xdg.tags', '-v', 'new,x%2Cy', message)
    assert flags(message) == '\\Seen \\Flagged new x,y'
    assert os.getxattr(message, 'user.xdg.tags') == b'new,x%2Cy'
    run('setfattr', '-x', 'user.xdg.tags', message)
    settle(mail.inbox)
    assert server.inbox.message(1).flags == {'\\Seen', '\\Flagged'}
    os.removexattr(message, 'user.imap.flags')
    settle(mail.inbox)
    assert server.inbox.message(1).flags == set() and flags(message) == ''
    before = len(changes(server))
    os.removexattr(message, 'user.imap.flags')
    os.setxattr(message, 'user.imap.flags', b'', os.XATTR_REPLACE)
    settle(mail.inbox)
    assert len(changes(server)) == before


def test_flags_of_what_is_on_its_way(account):
    server, mail = account(INBOX=2, Archive=0)
    moved = mail / 'Archive/2.eml'
    with held(server, rb'UID (MOVE|COPY)'):
        run('mv', mail.inbox / '2.eml', mail / 'Archive')
        os.setxattr(moved, 'user.imap.flags', b'\\Flagged \\Seen work')
        assert flags(moved) == '\\Seen \\Flagged work'
        os.setxattr(moved, 'user.imap.flags', b'\\Seen more')
        assert flags(moved) == '\\Seen more'
        assert 'user.imap.uid' not in os.listxattr(moved)
    settle(mail / 'Archive')
    assert server.mailboxes[b'Archive'].message(1).flags == {'\\Seen', 'more'}
    lists(mail / 'Archive', ['1.eml'])
    assert flags(moved) == flags(mail / 'Archive/1.eml') == '\\Seen more'
    assert os.getxattr(moved, 'user.imap.uid') == b'1'


def test_flags_of_a_text_on_its_way(account):
    """It is no message of the server's yet, but will be, wherever it is moved meanwhile."""
    server, mail = account(INBOX=1, Archive=0)
    path, moved = mail.inbox / 'new.eml', mail / 'Archive/new.eml'
    with held(server, rb'APPEND'):
        writer = subprocess.Popen(['dd', f'of={path}', 'status=none'], stdin=subprocess.PIPE)
        writer.stdin.write(body(7))
        writer.stdin.flush()
        eventually(lambda: os.stat(path))
        fails_with(errno.EOPNOTSUPP, os.setxattr, path, 'user.imap.flags', b'\\Seen')
        assert os.listxattr(path) == []
        writer.stdin.close()
        eventually(lambda: os.setxattr(path, 'user.imap.flags', b'\\Flagged \\Seen work'))
        assert flags(path) == '\\Seen \\Flagged work'
        os.setxattr(path, 'user.xdg.tags', b'more')
        assert os.listxattr(path) == ['user.imap.flags', 'user.xdg.tags', 'user.mime_type']
        os.rename(path, moved)
        assert flags(moved) == '\\Seen \\Flagged more'
        os.setxattr(moved, 'user.imap.flags', b'\\Seen other')
    assert writer.wait() == 0
    settle(mail.inbox)
    settle(mail / 'Archive')
    assert texts(server, 'Archive') == [body(7)]
    assert server.mailboxes[b'Archive'].message(1).flags == {'\\Seen', 'other'}
    lists(mail / 'Archive', ['1.eml'])
    assert flags(moved) == flags(mail / 'Archive/1.eml') == '\\Seen other'


def test_flags_of_a_text_that_is_moved_on_and_on(account):
    server, mail = account(INBOX=1, Archive=0)
    with held(server, rb'APPEND'):
        writer = subprocess.Popen(['dd', f'of={mail.inbox / "new.eml"}', 'status=none'],
                                  stdin=subprocess.PIPE)
        writer.stdin.write(body(7))
        writer.stdin.close()
        eventually(lambda: os.setxattr(mail.inbox / 'new.eml', 'user.imap.flags', b'work'))
        before = 'INBOX/new.eml'
        for name in ('INBOX/b.eml', 'Archive/b.eml', 'INBOX/c.eml', 'Archive/d.eml'):
            os.rename(mail / before, mail / name)
            before = name
            assert flags(mail / name) == 'work'
            assert (mail / name).read_bytes() == body(7)
    assert writer.wait() == 0
    settle(mail.inbox)
    settle(mail / 'Archive')
    assert texts(server, 'Archive') == [body(7)]
    assert flags(mail / 'Archive/d.eml') == 'work'


@pytest.mark.parametrize('how', ['cp', 'mv'])
def test_flags_of_what_has_arrived(account, how):
    """They are those of the server, which may have been others than were known here."""
    server, mail = account(INBOX=1, Archive=0)
    assert flags(mail.inbox / '1.eml') == ''
    server.inbox.message(1).flags.add('\\Flagged')
    run(how, mail.inbox / '1.eml', mail / 'Archive/other.eml')
    settle(mail / 'Archive')
    assert server.mailboxes[b'Archive'].message(1).flags == {'\\Flagged'}
    assert flags(mail / 'Archive/other.eml') == '\\Flagged'


def test_listed_while_one_of_that_name_is_on_its_way(account):
    """The name by UID of what came is told by a listing; who has it meanwhile waits under another."""
    server, mail = account(INBOX=2, Archive=0)
    os.rename(mail.inbox / '1.eml', mail / 'Archive/a.eml')
    settle(mail / 'Archive')
    with held(server, rb'UID (MOVE|COPY)'):
        os.rename(mail.inbox / '2.eml', mail / 'Archive/1.eml')
        assert sorted(os.listdir(mail / 'Archive')) == ['1 (2).eml', '1.eml']
    settle(mail / 'Archive')
    assert texts(server, 'Archive') == [body(1), body(2)]


def test_flags_that_are_refused(account):
    server, mail = account(INBOX=1, options={'expect': ['refused']})
    with refused(server, mail, rb'UID STORE', '[NOPERM] not here', errno.EACCES):
        os.setxattr(mail.inbox / '1.eml', 'user.imap.flags', b'\\Seen')
        assert flags(mail.inbox / '1.eml') == '\\Seen'

    def back():
        assert flags(mail.inbox / '1.eml') == ''
    eventually(back)


def test_flags_as_delete(account):
    """\\Deleted hides a message: with delete=deny it is not set, else the message is hidden."""
    server, mail = account(INBOX=2, options={'delete': 'deny'})
    fails_with(errno.EPERM, os.setxattr, mail.inbox / '1.eml', 'user.imap.flags', b'\\Deleted')
    assert changes(server) == []


# ---- against Dovecot

def count(imap, mailbox):
    return int(imap.select(mailbox, readonly=True)[1][0])


def test_of_a_real_server(dovecot, imap, mount):
    dovecot.deliver([body(n) for n in range(1, 6)])
    mail = mount(dovecot)
    run('mkdir', mail / 'Archive', mail / 'Entwürfe & mehr')
    run('mv', mail.inbox / '1.eml', mail.inbox / '2.eml', mail / 'Archive')
    run('rm', mail.inbox / '3.eml')
    run('mv', mail.inbox / '4.eml', mail / 'Entwürfe & mehr/letter.eml')
    os.setxattr(mail.inbox / '5.eml', 'user.imap.flags', b'\\Flagged work')
    assert os.listdir(mail.inbox) == ['5.eml']
    settle(mail.path)
    assert [count(imap, box) for box in ('INBOX', 'Archive', '"Entw&APw-rfe &- mehr"')] == [1, 2, 1]
    assert dovecot.flags() == {5: ['\\Flagged', 'work']}
    lists(mail / 'Archive', ['1.eml', '2.eml'])
    for uid in (1, 2):
        assert (mail / 'Archive' / f'{uid}.eml').read_bytes() == body(uid)
    assert (mail / 'Entwürfe & mehr/letter.eml').read_bytes() == body(4)
    run('mv', mail / 'Entwürfe & mehr', mail / 'Archive/Drafts')
    lists(mail / 'Archive/Drafts', ['1.eml'])
    assert (mail / 'Archive/Drafts/1.eml').read_bytes() == body(4)
    run('rm', '-r', mail / 'Archive')
    assert os.listdir(mail.path) == ['INBOX', '.imapfs']
    assert shutil.disk_usage(mail.path).total > 0
