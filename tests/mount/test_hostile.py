"""Servers that answer nonsense, on purpose or not: an error for that message or connection, never
for the mount, and never a false byte."""

import errno
import os
import time

import pytest

from tests.support import SILENCE_S, SLOW, eventually

BODY = b'Subject: x\r\n\r\nthe true body\r\n'
FETCH_BODY = rb'UID FETCH .*BODY\.PEEK\['


@pytest.fixture
def server(fake):
    one = fake()
    one.inbox.extend([BODY] * 3)
    one.add('Other').append(BODY + b'other\r\n')
    return one


def fails_or_is_true(path, body=BODY):
    """Reading gives an error, or else the message; nothing in between."""
    try:
        with open(path, 'rb') as file:
            found = file.read()
    except OSError as error:
        return error.errno
    assert found == body
    return 0


def holds(path, body):
    with open(path, 'rb') as file:
        assert file.read() == body


def still_good(server, mail):
    """The mount lives: another folder can be listed and read, if need be after a reconnect."""
    server.rules.clear()
    server.quirks.__dict__.clear()
    eventually(lambda: holds(mail / 'Other' / '1.eml', BODY + b'other\r\n'))


def answer(server, data, pattern=FETCH_BODY, times=1):
    """Sends data in front of the true answer to the first `times` commands of this kind."""
    server.on(pattern, lambda session, command: session.raw(data) and False, times)


def instead(server, data, pattern=FETCH_BODY, times=None):
    """Sends data and an OK instead of the true answer."""
    server.on(pattern, lambda session, command: session.raw(data) and session.tagged(command),
              times)


# ---- literals

@pytest.mark.parametrize('size', [b'4294967296', b'99999999999999999999', b'-1', b'+5',
                                  b'2147483647', b'9223372036854775808', b'', b'5 ', b'0x10'])
def test_absurd_literal_sizes(server, mount, size):
    answer(server, b'* 1 FETCH (UID 1 BODY[] {' + size + b'}\r\nxyz)\r\n')
    mail = mount(server, timeout=SILENCE_S, expect=['.'])
    fails_or_is_true(mail.inbox / '1.eml')
    assert mail.resident() < (64 << 20) * SLOW
    still_good(server, mail)


@pytest.mark.parametrize('missing', [1, 10, len(BODY)])
def test_literal_shorter_than_announced_then_silence(server, mount, missing):
    server.quirks.body_short = missing
    mail = mount(server, timeout=SILENCE_S, connections=1, expect=['.'])
    start = time.monotonic()
    with pytest.raises(OSError) as refusal:
        (mail.inbox / '1.eml').read_bytes()
    assert time.monotonic() - start < 2 * SILENCE_S + 12 * SLOW
    assert refusal.value.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EIO)
    still_good(server, mail)


# ---- FETCH that does not bring what was asked for

@pytest.mark.parametrize('body', ['nil', 'empty', 'missing'])
def test_body_that_is_none(server, mount, body):
    """Never an empty message: asked for again, then EIO; right as soon as the server is."""
    server.quirks.body = body
    mail = mount(server, expect=['.'])
    with pytest.raises(OSError) as refusal:
        (mail.inbox / '1.eml').read_bytes()
    assert refusal.value.errno == errno.EIO
    assert 2 <= len(server.lines(FETCH_BODY)) <= 6
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    server.quirks.body = 'literal'
    assert (mail.inbox / '1.eml').read_bytes() == BODY


def test_ok_without_fetch(server, mount):
    server.quirks.fetch = lambda session, uid, items: \
        None if any(name.startswith(b'BODY') for name, _ in items) else items
    mail = mount(server, expect=['.'])
    with pytest.raises(OSError):
        (mail.inbox / '1.eml').read_bytes()
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    server.quirks.fetch = None
    assert (mail.inbox / '1.eml').read_bytes() == BODY


def test_ok_without_attributes(server, mount):
    """Yahoo: OK without FETCH. The listing stays, stat fails or comes right."""
    server.quirks.fetch = lambda session, uid, items: None if uid == 2 else items
    mail = mount(server, expect=['.'])
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    assert os.stat(mail.inbox / '1.eml').st_size == len(BODY)
    with pytest.raises(OSError):
        os.stat(mail.inbox / '2.eml')
    assert os.stat(mail.inbox / '3.eml').st_size == len(BODY)


def test_another_uid_than_asked_for(fake, mount):
    server = fake()
    bodies = [b'Subject: %d\r\n\r\nbody of %d\r\n' % (n, n) for n in range(1, 5)]
    server.inbox.extend(bodies)

    def swap(session, uid, items):
        other = uid % 4 + 1
        return [(b'UID', b'%d' % other) if name == b'UID' else (name, value)
                for name, value in items] if any(name == b'BODY[]' for name, _ in items) else items
    server.quirks.fetch = swap
    mail = mount(server, expect=['.'])
    for uid in range(1, 5):
        # What a server says to be UID n is n; but nothing may be stored under what was asked for.
        wrong = bodies[(uid - 2) % 4]
        assert fails_or_is_true(mail.inbox / f'{uid}.eml', wrong) in (0, errno.EIO)


def test_bodies_nobody_asked_for_are_dropped(server, mount):
    answer(server, b''.join(b'* %d FETCH (UID %d BODY[] {5}\r\nfalse)\r\n' % (n, n)
                            for n in (1, 2, 3)), rb'UID FETCH .*FLAGS|UID SEARCH')
    mail = mount(server, expect=['.'])
    for uid in (1, 2, 3):
        assert (mail.inbox / f'{uid}.eml').read_bytes() == BODY


@pytest.mark.parametrize('line', [
    b'* 1 FETCH (UID 1 BODY[TEXT] {5}\r\nfalse)', b'* 1 FETCH (UID 1 BODY[]<7> {5}\r\nfalse)',
    b'* 99 FETCH (UID 99 BODY[] {5}\r\nfalse)',
    b'* 1 FETCH ()', b'* 1 FETCH (UID)',
    b'* 1 FETCH (UID 1 FLAGS NIL)', b'* 1 FETCH (UID 1 FLAGS (\\Seen x]y $[z))',
    b'* 1 FETCH (UID 1 X-GM-MSGID 12345678901234567890 X-ODD (a (b "c")))',
    b'* 1 FETCH (UID 1 MODSEQ (-1))', b'* 1 FETCH (UID 1 MODSEQ (1.5))',
    b'* 1 FETCH (UID 1 MODSEQ ())',
    b'* OK [X-UNKNOWN (a b] c] text', b'* OK []', b'* OK [', b'* OK', b'* X-ODD 1 2 3', b'*', b'* ',
    b'', b'* 4294967295 EXISTS', b'* -1 EXISTS', b'* 0 EXPUNGE', b'* 4 EXPUNGE', b'* 2 RECENT',
    b'* SEARCH x', b'* ESEARCH', b'* ESEARCH (TAG "zz") UID ALL 1:4294967295', b'* FLAGS NIL',
    b'* STATUS INBOX (MESSAGES x)', b'* VANISHED 1', b'* VANISHED (EARLIER) 1:*', b'* ENABLED',
    b'* 1 FETCH (UID 1 RFC822.SIZE -5)', b'* 1 FETCH (UID 1 RFC822.SIZE 99999999999999999999)',
    b'* 1 FETCH (UID 1 INTERNALDATE "not a date")', b'* 1 FETCH (UID 1 BODYSTRUCTURE ((((',
    b'* LIST () "/" "planted"', b'* OK [APPENDUID 1 1:4294967295] x',
    b'* OK [COPYUID 1 1:4294967295 4294967295:1] x', b'* OK [UIDVALIDITY 0] x',
    b'* OK [CAPABILITY] x', b'+ unexpected', b'* BAD what', b'* NO hmm', b'nonsense'])
def test_one_odd_line_in_front_of_a_body(server, mount, line):
    answer(server, line + b'\r\n')
    mail = mount(server, timeout=SILENCE_S, expect=['.'])
    assert fails_or_is_true(mail.inbox / '1.eml') in (0, errno.EIO, errno.ESTALE, errno.ENOENT,
                                                      errno.ETIMEDOUT, errno.EHOSTUNREACH)
    still_good(server, mail)
    assert fails_or_is_true(mail.inbox / '3.eml') in (0, errno.ENOENT, errno.ESTALE)


@pytest.mark.parametrize('line', [
    b'* 1 FETCH (BODY[] {5}\r\nfalse)', b'* 0 FETCH (UID 1 BODY[] {5}\r\nfalse)',
    b'* 1 FETCH (UID 0 BODY[] {5}\r\nfalse)', b'* 1 FETCH (UID 1 UID 2 BODY[] {5}\r\nfalse)',
    b'* 1 FETCH (UID 1 BODY[] {005}\r\nfalse)', b'* 1 FETCH (UID 1 BODY[] "false")'])
def test_a_body_given_twice_is_that_messages_or_none(server, mount, line):
    """Asked for message 1 the server gives it twice, once carelessly named: whichever is taken, it
    stays with message 1."""
    answer(server, line + b'\r\n')
    mail = mount(server, expect=['.'])
    with open(mail.inbox / '1.eml', 'rb') as file:
        assert file.read() in (BODY, b'false')
    for uid in (2, 3):
        assert (mail.inbox / f'{uid}.eml').read_bytes() == BODY


@pytest.mark.parametrize('data', [
    b'* 1 FETCH ' + b'(' * 100_000 + b')' * 100_000 + b'\r\n',
    b'* 1 FETCH (UID 1 X ' + b'("a" ' * 100_000 + b'\r\n',
    b'* 1 FETCH (' + b'X {0}\r\n ' * 1_000_000 + b')\r\n',
    b'* LIST (' + b'a ' * 5_000_000 + b') "/" x\r\n',
    b'* OK ' + b'x' * 40_000_000 + b'\r\n',
    b'* OK hi\r\n' * 1_000_000,
    b'* %d FETCH (UID 1 FLAGS ())\r\n' % 1 * 300_000,
], ids=['nesting', 'open lists', 'tiny literals', 'items', 'long line', 'many lines', 'fetches'])
def test_bombs(server, mount, data):
    answer(server, data)
    mail = mount(server, timeout=10, expect=['.'])
    start = time.monotonic()
    fails_or_is_true(mail.inbox / '1.eml')
    assert time.monotonic() - start < 30 * SLOW
    assert mail.resident() < (128 << 20) * SLOW
    still_good(server, mail)


def test_endless_untagged_stream(server, mount):
    def endless(session, command):
        while True:
            session.raw(b'* OK still here\r\n' * 1000)
            session.wire.flush()
    server.on(FETCH_BODY, endless, times=1)
    mail = mount(server, timeout=SILENCE_S, expect=['.'])
    fails_or_is_true(mail.inbox / '1.eml')
    still_good(server, mail)


# ---- numbers that do not add up

@pytest.mark.parametrize('validity', ['missing', '0', '4294967295', '4294967296', 'x'])
def test_odd_uidvalidity(server, mount, validity):
    server.quirks.uidvalidity = validity if validity == 'missing' else lambda mailbox: validity
    mail = mount(server, expect=['.'])
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    assert (mail.inbox / '2.eml').read_bytes() == BODY


def test_missing_uidnext(server, mount):
    server.quirks.uidnext = 'missing'
    mail = mount(server)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']


def test_largest_uid(fake, mount):
    server = fake()
    server.inbox.append(BODY, uid=4294967295)
    mail = mount(server)
    assert os.listdir(mail.inbox) == ['4294967295.eml']
    assert (mail.inbox / '4294967295.eml').read_bytes() == BODY


@pytest.mark.parametrize('found', [b'3 2 1', b'1 1 2 3 3', b'0 1 2 3', b'1 2 3 4294967296',
                                   b'1,2,3', b''])
def test_odd_search_answers(server, mount, found):
    server.mask('ESEARCH')
    instead(server, b'* SEARCH ' + found + b'\r\n', rb'UID SEARCH', times=1)
    mail = mount(server, poll=1, expect=['.'])
    try:
        names = os.listdir(mail.inbox)
    except OSError:
        names = []
    assert set(names) <= {'1.eml', '2.eml', '3.eml'}
    assert len(names) == len(set(names))
    still_good(server, mail)


def test_search_answered_no(server, mount):
    server.on(rb'UID SEARCH', lambda session, command: session.tagged(command, 'NO', 'not now'),
              times=1)
    mail = mount(server, poll=1, expect=['.'])
    try:
        os.listdir(mail.inbox)
    except OSError:
        pass
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']


@pytest.mark.parametrize('line', [b'* 0 EXISTS', b'* 1 EXISTS', b'* 9 EXPUNGE', b'* 1 EXPUNGE',
                                  b'* 70000 EXISTS'])
@pytest.mark.parametrize('command', [rb'EXAMINE', rb'UID SEARCH', rb'UID FETCH'])
def test_counts_that_lie_at_any_step(server, mount, line, command):
    answer(server, line + b'\r\n', command)
    mail = mount(server, poll=1, timeout=SILENCE_S, expect=['.'])
    eventually(lambda: holds(mail.inbox / '1.eml', BODY))

    def all_listed():
        assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']
    eventually(all_listed)


def test_flapping_uidvalidity_stops_after_a_few_tries(server, mount):
    state = {'next': 1}

    def flap(mailbox):
        state['next'] += 1
        return str(state['next'])
    server.quirks.uidvalidity = flap
    mail = mount(server, poll=1, expect=['.'])
    for _ in range(10):
        fails_or_is_true(mail.inbox / '1.eml')
    assert len(server.log) < 1000
    still_good(server, mail)


# ---- the end of a connection at any point

@pytest.mark.parametrize('command', [rb'EXAMINE', rb'UID SEARCH', rb'UID FETCH .*FLAGS',
                                     FETCH_BODY])
@pytest.mark.parametrize('how', ['bye', 'drop', 'reset'])
def test_connection_ends_on_a_command(server, mount, command, how):
    def end(session, unused):
        if how == 'bye':
            session.bye('[UNAVAILABLE] restarting')
        session.drop(reset=how == 'reset')
    server.on(command, end, times=1)
    mail = mount(server, poll=1, expect=['.'])
    fails_or_is_true(mail.inbox / '1.eml')
    still_good(server, mail)
    assert (mail.inbox / '1.eml').read_bytes() == BODY


@pytest.mark.parametrize('at', [1, 2, 3, 5, 8, 13, 21, 34, 55, 89])
def test_drop_after_any_byte_of_the_answer(server, mount, at):
    def cut(session, command):
        session.wire.drop_at = session.wire.sent + at
    server.on(FETCH_BODY, cut, times=1)
    mail = mount(server, expect=['.'])
    assert fails_or_is_true(mail.inbox / '1.eml') in (0, errno.EIO, errno.EHOSTUNREACH)
    still_good(server, mail)
    assert (mail.inbox / '1.eml').read_bytes() == BODY


def test_a_command_that_kills_the_server_is_given_up(server, mount):
    server.on(FETCH_BODY, lambda session, command: session.drop(reset=True))
    mail = mount(server, expect=['.'])
    assert fails_or_is_true(mail.inbox / '1.eml') in (errno.EIO, errno.EHOSTUNREACH,
                                                      errno.ETIMEDOUT)
    assert len(server.lines(FETCH_BODY)) <= 10
    still_good(server, mail)


def test_too_many_connections(server, mount):
    """A second connection is refused: the first one serves all."""
    def second(session, command):
        if session.number > 0:
            session.tagged(command, 'NO', '[LIMIT] Too many simultaneous connections')
            return True
    server.on(rb'LOGIN|AUTHENTICATE', second)
    mail = mount(server, connections=4, expect=['.'])
    assert (mail.inbox / '1.eml').read_bytes() == BODY
    assert (mail / 'Other' / '1.eml').read_bytes() == BODY + b'other\r\n'
