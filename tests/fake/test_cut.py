"""How the scripted server cuts connections and refuses commands."""

import itertools

import pytest

from tests.fake.client import content, fill
from tests.fake.cut import POINTS


def test_a_line_that_is_too_long(server, connect):
    assert b'BAD' in connect().ask(b'UID STORE ' + b'1,' * 5000 + rb'1 +FLAGS \Seen')[-1]
    assert 'too long' in server.errors.pop()


def test_one_command_is_denied(server, connect):
    fill(server)
    server.deny(rb'UID COPY', '[OVERQUOTA] full', times=1)
    imap = connect()
    assert imap.ask(b'UID COPY 1 Archive') == [b'x NO [OVERQUOTA] full']
    assert imap.ask(b'UID COPY 1 Archive')[-1].startswith(b'x OK')


def outcome(server):
    """Which messages are where, of those that run_cut() makes and sends."""
    return tuple(tuple(content(server.mailboxes[name])) for name in (b'INBOX', b'Archive'))


def run_cut(server, connect, words, **more):
    """(cut, outcome, number of lines of the answer) of a command to an INBOX of 1 and 2; what
    follows {1} is the literal."""
    server.inbox.reset(1000, [b'1', b'2'])
    server.mailboxes[b'Archive'].reset(2000)
    imap = connect()
    cut = server.cut(words[:6], **more)
    head, _, literal = words.partition(b'{3}')
    imap.send(b'x ' + head + (b'{3}\r\n' if literal else b'\r\n'))
    if literal and imap.line():
        imap.send(literal + b'\r\n')
    lines = len(list(filter(None, imap.answer())))
    server.wait_for(lambda: lines or not server.sessions[-1].open)
    server.cuts.remove(cut)
    return cut, outcome(server), lines


def walk(server, connect, words):
    """(point, outcome, lines) of all its points in turn."""
    kinds, found = [], []
    meets = server.meet
    server.meet = lambda line, kind: kinds.append(kind) or meets(line, kind)
    for number in itertools.count(1):
        kinds.clear()
        cut, *what = run_cut(server, connect, words, number=number)
        if not cut.done:
            assert cut.seen == number - 1
            return found
        found.append((kinds[-1], *what))


BOTH, MOVED = ((b'1', b'2'), ()), ((), (b'1', b'2'))
HALF, DOUBLED = ((b'2',), (b'1',)), ((b'1', b'2'), (b'1', b'2'))
NEW, REPLACED = (b'1', b'2', b'new'), (b'2', b'new')


@pytest.mark.parametrize('words,points', [
    (b'UID MOVE 1:2 Archive', [
        ('before', BOTH, 0), ('copied', (BOTH[0], (b'1',)), 0), ('within', HALF, 0),
        ('copied', (HALF[0], (b'1', b'2')), 0), ('within', MOVED, 0), ('after', MOVED, 0),
        ('untagged', MOVED, 1), ('untagged', MOVED, 2), ('untagged', MOVED, 3),
        ('answered', MOVED, 4)]),
    (b'UID COPY 1:2 Archive', [
        ('before', BOTH, 0), ('after', DOUBLED, 0), ('answered', DOUBLED, 1)]),
    (b'APPEND INBOX {3}new', [
        ('plus', BOTH, 0), ('literal', BOTH, 0), ('literal', BOTH, 0), ('before', BOTH, 0),
        ('after', (NEW, ()), 0), ('untagged', (NEW, ()), 1), ('answered', (NEW, ()), 2)]),
    (b'UID REPLACE 1 INBOX {3}new', [
        ('plus', BOTH, 0), ('literal', BOTH, 0), ('literal', BOTH, 0), ('before', BOTH, 0),
        ('copied', (NEW, ()), 0), ('after', (REPLACED, ()), 0), ('untagged', (REPLACED, ()), 1),
        ('untagged', (REPLACED, ()), 2), ('untagged', (REPLACED, ()), 3),
        ('answered', (REPLACED, ()), 4)]),
])
def test_a_command_is_cut_at_every_point(server, connect, words, points):
    server.capabilities.append('REPLACE')
    assert walk(server, connect, words) == points


@pytest.mark.parametrize('when', POINTS)
def test_a_kind_of_point(server, connect, when):
    server.capabilities.append('REPLACE')
    words = b'UID MOVE 1:2 Archive' if when == 'within' else b'UID REPLACE 1 INBOX {3}new'
    cut, _, lines = run_cut(server, connect, words, when=when)
    assert cut.done == 1 and lines == {'untagged': 1, 'answered': 4}.get(when, 0)


def test_ways_to_be_cut(server, connect):
    bystander = connect()
    server.cut(rb'EXPUNGE', 'before', times=2, everyone=True)
    assert connect().ask(b'EXPUNGE') == [b'']
    assert bystander.line() == b''
    server.cut(rb'NOOP', how='reset')
    imap = connect()
    with pytest.raises(ConnectionResetError):
        imap.ask(b'NOOP')
    assert connect().ask(b'EXPUNGE') == [b'']
    assert connect().ask(b'EXPUNGE') == [b'x OK done']
    called = []
    server.cut(rb'CHECK', 'after', how=lambda: called.append(True))
    assert connect().ask(b'CHECK') == [b''] and called
    server.cut(rb'NOOP', 'answered', how='stall')
    imap = connect()
    assert imap.ask(b'NOOP') == [b'x OK done']
    imap.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        imap.ask(b'NOOP')


@pytest.mark.parametrize('words', [{'when': 'never'}, {'how': 'slowly'}])
def test_cuts_that_cannot_be(server, words):
    with pytest.raises(ValueError):
        server.cut(b'', **words)
