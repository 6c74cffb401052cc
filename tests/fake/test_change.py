"""The scripted server when its messages are changed."""

import pytest

from tests.fake.client import BODY, content, fill

DATE = b'"01-Feb-2024 03:04:05 +0100"'


# ---- STORE


def test_store_adds_takes_and_replaces(server, connect):
    fill(server)
    imap = connect()
    assert imap.ask(rb'UID STORE 2:3 +FLAGS (\seen work)') == [
        rb'* FLAGS (\Answered \Flagged \Deleted \Seen \Draft work)',
        rb'* OK [PERMANENTFLAGS (\Answered \Deleted \Draft \Flagged \Seen work \*)] limited',
        rb'* 2 FETCH (UID 2 FLAGS (\Seen work))', rb'* 3 FETCH (UID 3 FLAGS (\Seen work))',
        b'x OK done']
    assert imap.ask(rb'STORE 2 -FLAGS.SILENT WORK') == [b'x OK done']
    assert imap.ask(rb'UID STORE 3 FLAGS.SILENT (\Deleted)') == [
        rb'* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)',
        rb'* OK [PERMANENTFLAGS (\Answered \Deleted \Draft \Flagged \Seen \*)] limited',
        b'x OK done']
    assert [server.inbox.message(uid).flags for uid in (1, 2, 3)] == [
        set(), {'\\Seen'}, {'\\Deleted'}]


def test_store_since_a_modification_sequence(server, connect):
    fill(server)
    since = server.inbox.modseq
    server.inbox.set_flags(3, ['\\Seen'])
    imap = connect()
    command = rb'UID STORE 2:3 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\Deleted)' % since
    assert imap.ask(command) == [b'* 2 FETCH (UID 2 MODSEQ (%d))' % (since + 2),
                                 b'x OK [MODIFIED 3] done']
    assert server.inbox.matching('\\Deleted') == [2]
    server.inbox.expunge(1)
    imap.ask(b'NOOP')
    assert imap.ask(rb'STORE 1:2 (UNCHANGEDSINCE %d) -FLAGS (\Seen)' % since) == [
        b'x OK [MODIFIED 1:2] done']


@pytest.mark.parametrize('words', [
    rb'1 FLAG (\Seen)', b'1 +FLAGS', rb'1 (CHANGEDSINCE 1) +FLAGS (\Seen)', rb'0 +FLAGS (\Seen)',
    rb'1:x +FLAGS (\Seen)', rb'1 (UNCHANGEDSINCE x) +FLAGS (\Seen)'])
def test_store_in_other_words(server, connect, words):
    fill(server)
    assert b'x BAD ' in connect().ask(b'UID STORE ' + words)[-1]
    assert len(server.errors) == 1 and not server.inbox.message(1).flags
    server.errors.clear()


def test_news_come_with_commands_that_name_uids(server, connect):
    fill(server)
    imap = connect()
    server.inbox.append(BODY)
    server.inbox.expunge(1)
    assert imap.ask(rb'STORE 2 +FLAGS.SILENT (\Seen)') == [b'x OK done']
    assert server.inbox.message(2).flags == {'\\Seen'}
    assert imap.ask(rb'UID STORE 2 +FLAGS.SILENT (\Seen)')[:2] == [b'* 1 EXPUNGE', b'* 4 EXISTS']
    assert imap.ask(b'UID COPY 2 INBOX')[0] == b'* 5 EXISTS'


def test_another_session_hears_of_all(server, connect):
    fill(server)
    imap, other = connect(), connect()
    other.ask(b'UID FETCH 1:* FLAGS')
    imap.ask(rb'UID STORE 2 +FLAGS.SILENT \Deleted')
    assert other.ask(b'NOOP')[0] == rb'* 2 FETCH (UID 2 FLAGS (\Deleted))'
    imap.ask(b'UID EXPUNGE 2')
    other.send(b'x IDLE\r\n')
    assert [other.line(), other.line()] == [b'+ idling', b'* 2 EXPUNGE']
    imap.append(b'APPEND INBOX')
    assert other.line() == b'* 4 EXISTS'


@pytest.mark.parametrize('flag', [rb'\Recent', rb'\*', b'a"b', b'a]', b'()'])
def test_flags_that_are_none(server, connect, flag):
    fill(server)
    assert b' BAD ' in connect().ask(b'UID STORE 1 +FLAGS (%s)' % flag)[-1]
    assert len(server.errors) == 1
    server.errors.clear()


def test_only_permanent_flags_last(server, connect):
    fill(server)
    server.inbox.permanent = ['\\Seen', 'known']
    imap = connect(None)
    assert rb'* OK [PERMANENTFLAGS (\Seen)] limited' in imap.ask(b'SELECT INBOX')
    imap.ask(rb'UID STORE 1 +FLAGS (\Seen \Flagged Known new)')
    assert server.inbox.message(1).flags == {'\\Seen', 'known'}
    server.inbox.rights = 'lr'
    lines = imap.ask(b'SELECT INBOX')
    assert lines[-1] == b'x OK [READ-ONLY] selected'
    assert rb'* OK [PERMANENTFLAGS ()] limited' in lines


@pytest.mark.parametrize('command', [rb'UID STORE 1 +FLAGS \Seen', b'UID EXPUNGE 1', b'EXPUNGE',
                                     b'UID MOVE 1 Archive'])
def test_nothing_changes_what_is_read_only(server, connect, command):
    fill(server)
    server.inbox.set_flags(1, ['\\Deleted'])
    imap = connect(None)
    imap.ask(b'EXAMINE INBOX')
    assert b'x BAD ' in imap.ask(command)[-1]
    assert 'EXAMINE' in server.errors.pop()
    server.inbox.read_only = True
    assert imap.ask(b'SELECT INBOX')[-1] == b'x OK [READ-ONLY] selected'
    assert imap.ask(command)[-1].startswith(b'x NO [READ-ONLY]')
    imap.ask(b'CLOSE')
    assert len(server.inbox.uids()) == 4 and server.inbox.message(1).flags == {'\\Deleted'}


# ---- EXPUNGE, CLOSE


def test_expunge_of_some_and_of_all(server, connect):
    fill(server)
    imap = connect()
    imap.ask(rb'UID STORE 1:3 +FLAGS.SILENT \Deleted')
    assert imap.ask(b'UID EXPUNGE 2,4') == [b'* 2 EXPUNGE', b'x OK done']
    assert imap.ask(b'EXPUNGE') == [b'* 2 EXPUNGE', b'* 1 EXPUNGE', b'x OK done']
    assert list(server.inbox.uids()) == [4]


def test_expunge_with_qresync_says_vanished(server, connect):
    fill(server)
    imap = connect(None)
    imap.ask(b'ENABLE QRESYNC')
    imap.ask(b'SELECT INBOX')
    assert b'MODSEQ' in imap.ask(rb'UID STORE 1:3 +FLAGS.SILENT \Deleted')[0]
    assert imap.ask(b'UID EXPUNGE 1:2') == [
        b'* VANISHED 1:2', b'x OK [HIGHESTMODSEQ %d] done' % server.inbox.modseq]
    assert imap.ask(b'UID EXPUNGE 1:2') == [b'x OK done']


@pytest.mark.parametrize('leave,left', [(b'CLOSE', [1]), (b'UNSELECT', [1, 2]),
                                        (b'SELECT Archive', [1, 2]), (b'LOGOUT', [1, 2]),
                                        (b'SELECT Nowhere', [1, 2])])
def test_only_close_expunges(server, connect, leave, left):
    fill(server, 2)
    server.inbox.set_flags(2, ['\\Deleted'])
    imap = connect()
    imap.ask(leave)
    assert list(server.inbox.uids()) == left
    if leave in (b'CLOSE', b'UNSELECT', b'SELECT Nowhere'):
        assert imap.ask(b'SEARCH ALL')[-1] == b'x BAD SEARCH in state auth'


# ---- COPY, MOVE


def test_copy_keeps_flags_and_date(server, connect):
    fill(server)
    archive = server.mailboxes[b'Archive']
    server.inbox.append(BODY, ['\\Flagged', 'work'], '01-Jan-2020 00:00:00 +0000')
    imap = connect()
    assert imap.ask(b'UID COPY 4:5 Archive') == [b'x OK [COPYUID 2000 4:5 50:51] done']
    assert imap.ask(b'COPY 1 "Archive"') == [b'x OK [COPYUID 2000 1 52] done']
    assert imap.ask(b'UID COPY 99 Archive') == [b'x OK done']
    message = archive.message(51)
    assert (message.body, message.flags, message.date) == (
        BODY, {'\\Flagged', 'work'}, '01-Jan-2020 00:00:00 +0000')
    assert imap.ask(b'UID COPY 1 Nowhere') == [b'x NO [TRYCREATE] no such mailbox']
    imap.ask(rb'UID STORE 5 FLAGS ()')
    assert message.flags == {'\\Flagged', 'work'}
    assert len(server.inbox.uids()) == 5


def test_move(server, connect):
    fill(server)
    before = content(server.inbox)
    imap = connect()
    assert imap.ask(b'UID MOVE 2:3 Archive') == [
        b'* OK [COPYUID 2000 2:3 50:51] moved', b'* 3 EXPUNGE', b'* 2 EXPUNGE', b'x OK done']
    assert imap.ask(b'MOVE 2 Archive')[0] == b'* OK [COPYUID 2000 4 52] moved'
    assert content(server.inbox) == before[:1]
    assert content(server.mailboxes[b'Archive']) == before[1:]
    assert imap.ask(b'UID MOVE 1 Nowhere') == [b'x NO [TRYCREATE] no such mailbox']
    imap.ask(b'ENABLE QRESYNC')
    assert imap.ask(b'UID MOVE 1 Archive')[1:] == [
        b'* VANISHED 1', b'x OK [HIGHESTMODSEQ %d] done' % server.inbox.modseq]


@pytest.mark.parametrize('move,lines', [
    ('cannot', [b'x NO [CANNOT] not from here']), ('bare', [b'* 1 EXPUNGE', b'x OK done']),
    ('tagged', [b'* 1 EXPUNGE', b'x OK [COPYUID 2000 1 50] done'])])
def test_ways_to_move(server, connect, move, lines):
    fill(server)
    server.quirks.move = move
    assert connect().ask(b'UID MOVE 1 Archive') == lines
    assert len(server.inbox.uids()) == (4 if move == 'cannot' else 3)


def test_codes_are_left_out_and_bent(server, connect):
    fill(server)
    imap = connect()
    server.quirks.copyuid = server.quirks.appenduid = 'missing'
    assert imap.ask(b'UID COPY 1 Archive') == [b'x OK done']
    assert imap.append(b'APPEND Archive') == [b'x OK done']
    server.quirks.copyuid = lambda words: words.replace('2000', '7')
    server.quirks.appenduid = lambda words: 'APPENDUID 0 4294967296'
    assert imap.ask(b'UID MOVE 1 Archive')[0] == b'* OK [COPYUID 7 1 52] moved'
    assert imap.append(b'APPEND Archive') == [b'x OK [APPENDUID 0 4294967296] done']
    server.mask('UIDPLUS')
    assert imap.append(b'APPEND Archive') == [b'x OK done']


@pytest.mark.parametrize('capability,command', [
    ('UIDPLUS', b'UID EXPUNGE 1'), ('MOVE', b'UID MOVE 1 Archive'), ('REPLACE', b'UID REPLACE 1 a'),
    ('CONDSTORE', rb'UID STORE 1 (UNCHANGEDSINCE 1) +FLAGS \Seen')])
def test_what_is_not_offered_is_not_used(server, connect, capability, command):
    fill(server)
    server.mask(capability, 'QRESYNC')
    imap = connect()
    answer = imap.append(command) if b'REPLACE' in command else imap.ask(command)
    assert answer == [b'x BAD %s is not offered' % capability.encode()]
    assert server.errors.pop().startswith(f'{capability} is not offered') and not server.errors


# ---- APPEND, REPLACE


def test_append(server, connect):
    imap = connect()
    assert imap.append(rb'APPEND INBOX (\Seen work) ' + DATE) == [
        b'* 1 EXISTS', b'x OK [APPENDUID 1000 1] done']
    message = server.inbox.message(1)
    assert (message.body, message.flags, message.date) == (
        BODY, {'\\Seen', 'work'}, DATE.decode().strip('"'))
    imap.send(b'x APPEND "INBOX" {%d+}\r\n%s\r\n' % (len(BODY), BODY))
    assert imap.answer()[-1] == b'x OK [APPENDUID 1000 2] done'
    assert connect(None).append(b'APPEND Archive')[-1] == b'x OK [APPENDUID 2000 50] done'


def refused(imap, words):
    """Whether it was refused both ways: before the literal, and after one that does not wait."""
    early = imap.append(words)
    imap.send(b'x %s {%d+}\r\n%s\r\n' % (words, len(BODY), BODY))
    assert early == imap.answer()
    assert imap.ask(b'NOOP')[-1] == b'x OK done'
    return early[-1]


def test_append_is_refused(server, connect):
    imap = connect()
    assert refused(imap, b'APPEND Nowhere') == b'x NO [TRYCREATE] no such mailbox'
    server.quota = {'STORAGE': 0}
    assert refused(imap, b'APPEND INBOX').startswith(b'x NO [OVERQUOTA]')
    server.quota = {'MESSAGE': 0}
    assert refused(imap, b'APPEND INBOX').startswith(b'x NO [OVERQUOTA]')
    server.quota = {}
    server.capabilities.append('APPENDLIMIT=%d' % (len(BODY) - 1))
    assert refused(imap, b'APPEND INBOX').startswith(b'x NO [TOOBIG]')
    server.inbox.append_limit = len(BODY)
    assert imap.append(b'APPEND INBOX')[-1].startswith(b'x OK')
    server.inbox.rights = 'lr'
    assert refused(imap, b'APPEND INBOX').startswith(b'x NO [NOPERM]')
    server.quirks.late = True
    assert imap.append(b'APPEND INBOX')[-1].startswith(b'x NO [NOPERM]')
    assert b'body' in server.lines(b'APPEND')[-1].line
    assert len(server.inbox.uids()) == 1


@pytest.mark.parametrize('words,body,fault', [
    (b'APPEND INBOX', b'a: b\n\n', 'bare LF'), (b'APPEND INBOX', b'a: b\r\n\0', 'NUL'),
    (b'APPEND INBOX', b'', 'empty'), (b'APPEND INBOX "1-Feb-2024 00:00:00 +0000"', BODY, 'date'),
    (rb'APPEND INBOX (\Recent)', BODY, 'flag'), (b'APPEND INBOX ~', b'a', 'BINARY')])
def test_appends_that_no_client_may_send(server, connect, words, body, fault):
    imap = connect()
    literal = b'%s%s{%d}' % (words, b'' if words.endswith(b'~') else b' ', len(body))
    assert b'BAD' in imap.ask(literal, body)[-1]
    assert fault in server.errors.pop() and not server.errors
    assert not server.inbox.uids()


def test_literal8(server, connect):
    server.capabilities.append('BINARY')
    assert b'APPENDUID' in connect().ask(b'APPEND INBOX ~{3}', b'a\0b')[-1]
    assert content(server.inbox) == [b'a\0b']


def test_small_literals_alone_hurry(server, connect):
    server.capabilities[:] = ['LITERAL-' if name == 'LITERAL+' else name
                              for name in server.capabilities]
    imap = connect()
    for size in (4096, 4097):
        imap.send(b'x APPEND INBOX {%d+}\r\n%s\r\n' % (size, BODY.ljust(size, b'.')))
        imap.answer()
    assert server.errors.pop() == 'a literal without waiting, which was not offered'
    assert not server.errors


def test_a_literal_waits_for_ever(server, connect):
    server.quirks.no_plus = rb'APPEND Archive'
    assert connect().append(b'APPEND INBOX')[-1].startswith(b'x OK')
    imap = connect()
    imap.send(b'x APPEND Archive {3}\r\n')
    imap.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        imap.line()


def test_replace(server, connect):
    server.capabilities.append('REPLACE')
    fill(server, 3)
    imap = connect()
    assert imap.append(rb'UID REPLACE 2 INBOX (\Draft) ' + DATE) == [
        b'* OK [APPENDUID 1000 4] new', b'* 2 EXPUNGE', b'* 3 EXISTS', b'x OK done']
    assert server.inbox.message(4).body == BODY and not server.inbox.message(2)
    assert imap.append(b'REPLACE 1 Archive')[0] == b'* OK [APPENDUID 2000 50] new'
    assert imap.append(b'UID REPLACE 1 INBOX') == [b'x NO [NONEXISTENT] no such message']
    assert imap.append(b'UID REPLACE 3 Nowhere') == [b'x NO [TRYCREATE] no such mailbox']
    assert list(server.inbox.uids()) == [3, 4]
    server.inbox.rights = 'lriswt'
    assert imap.append(b'UID REPLACE 3 INBOX')[-1].startswith(b'x NO [NOPERM]')
    imap.ask(b'EXAMINE INBOX')
    assert b'EXAMINE' in imap.append(b'UID REPLACE 3 INBOX')[-1]
    server.errors.clear()
    assert list(server.inbox.uids()) == [3, 4]


@pytest.mark.parametrize('words', [
    b'APPEND INBOX "x"', rb'UID REPLACE 1:2 INBOX', b'APPEND INBOX nonsense'])
def test_appends_in_other_words(server, connect, words):
    server.capabilities.append('REPLACE')
    fill(server)
    imap = connect()
    assert b'x BAD ' in imap.append(words)[-1]
    assert server.errors.pop() and not server.errors
    assert imap.ask(b'APPEND INBOX nonsense')[-1] == b'x BAD no message'
    assert server.errors.pop() and not server.errors
    assert len(server.inbox.uids()) == 4


def test_nothing_is_replaced_where_nothing_is_selected(server, connect):
    server.capabilities.append('REPLACE')
    assert connect(None).append(b'UID REPLACE 1 INBOX') == [b'x BAD no mailbox is selected']
    assert server.errors.pop() and not server.errors
