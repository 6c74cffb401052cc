"""The scripted server itself, against Python's own IMAP client."""

import imaplib
import re
import select
import socket
import ssl
import threading

import pytest

from tests.fake import Server, VirtualMailbox
from tests.support import SLOW

LIMIT_S = 30 * SLOW
BODY = b'From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n'


@pytest.fixture
def client(fake):
    def connect(server):
        context = ssl.create_default_context(cafile=server.ca)
        if server.tls == 'implicit':
            return imaplib.IMAP4_SSL('localhost', server.port, ssl_context=context, timeout=LIMIT_S)
        plain = imaplib.IMAP4('localhost', server.port, timeout=LIMIT_S)
        if server.tls == 'starttls':
            plain.starttls(context)
        return plain
    return connect


@pytest.mark.parametrize('tls', ['implicit', 'starttls', 'none'])
def test_reads_a_message_without_seen(fake, client, tls):
    server = fake(tls=tls)
    server.inbox.append(BODY, ['\\Flagged'])
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    assert imap.select('INBOX', readonly=True) == ('OK', [b'1'])
    found = imap.uid('FETCH', '1:*', '(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])')[1]
    assert found[0][1] == BODY
    assert b'RFC822.SIZE %d' % len(BODY) in found[0][0]
    assert imap.uid('FETCH', '1', '(BODY.PEEK[]<6.5>)')[1][0][1] == b'a@exa'
    assert server.inbox.message(1).flags == {'\\Flagged'}
    imap.logout()
    assert (b'geheim' in server.clear_bytes()) == (tls == 'none')
    assert b'geheim' in server.all_bytes()


@pytest.mark.parametrize('mech', ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'])
def test_sasl(fake, client, mech):
    server = fake()
    server.mechs = [mech]
    answers = {
        'PLAIN': [b'\0user\0geheim-7b1f'],
        'LOGIN': [b'user', b'geheim-7b1f'],
        'XOAUTH2': [b'user=user\1auth=Bearer ya29.token-51c0\1\1'],
        'OAUTHBEARER': [b'n,a=user,\1auth=Bearer ya29.token-51c0\1\1'],
    }[mech]
    assert client(server).authenticate(mech, lambda challenge: answers.pop(0))[0] == 'OK'
    with pytest.raises(imaplib.IMAP4.error):
        client(server).authenticate(mech, lambda challenge: b'user\0user\0wrong')


def test_wrong_password(fake, client):
    with pytest.raises(imaplib.IMAP4.error, match='AUTHENTICATIONFAILED'):
        client(fake()).login('user', 'wrong')


def test_list_status_and_namespace(fake, client):
    server = fake()
    server.add('Sent', special=['\\Sent']).append(BODY)
    server.add('a/b"c\\')
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    assert imap.list()[1][1:] == [b'(\\Sent) "/" "Sent"', b'() "/" "a/b\\"c\\\\"']
    assert imap.list('""', '%')[1][-1] == b'(\\Sent) "/" "Sent"'
    assert imap.status('Sent', '(MESSAGES UIDNEXT)')[1] == [b'"Sent" (MESSAGES 1 UIDNEXT 2)']
    assert imap.namespace()[1] == [b'(("" "/")) NIL NIL']


def test_search_of_a_million_is_short(fake, client):
    server = fake()
    server.add('Million', VirtualMailbox, count=1_000_000)
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    imap.select('Million', readonly=True)
    imap.uid('SEARCH', 'RETURN (ALL) UNDELETED')
    assert imap.response('ESEARCH')[1][0].endswith(b' UID ALL 1:1000000')
    server.mailboxes[b'Million'].set_flags(7, ['\\Deleted'])
    imap.uid('SEARCH', 'RETURN (ALL) UNDELETED UID 1:10')
    assert imap.response('ESEARCH')[1][0].endswith(b' UID ALL 1:6,8:10')
    imap.uid('SEARCH', 'RETURN (ALL) DELETED')
    assert imap.response('ESEARCH')[1][0].endswith(b' UID ALL 7')
    assert b'message 999999.' in imap.uid('FETCH', '999999', '(BODY.PEEK[])')[1][0][1]


def test_masked_capability_is_refused(fake, client):
    server = fake()
    server.mask('ESEARCH')
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    assert not {'ESEARCH', 'IMAP4rev2'} & set(imap.capability()[1][0].decode().split())
    imap.select('INBOX', readonly=True)
    with pytest.raises(imaplib.IMAP4.error, match='ESEARCH is not offered'):
        imap.uid('SEARCH', 'RETURN (ALL) ALL')
    assert server.errors.pop().startswith('ESEARCH is not offered')


def test_expunge_and_arrival_are_told_at_noop_and_in_idle(fake, client):
    server = fake()
    server.inbox.extend([BODY] * 3)
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    imap.select('INBOX', readonly=True)
    server.inbox.expunge(2)
    server.inbox.append(BODY)
    imap.noop()
    assert imap.response('EXPUNGE')[1] == [b'2']
    assert imap.response('EXISTS')[1][-1] == b'3'
    imap.send(b'i IDLE\r\n')
    assert imap.readline().startswith(b'+')
    server.inbox.expunge(1)
    assert imap.readline() == b'* 1 EXPUNGE\r\n'
    imap.send(b'DONE\r\n')
    assert imap.readline() == b'i OK done\r\n'


def ask(imap, command):
    """The lines that answer a raw command."""
    imap.send(b'x ' + command + b'\r\n')
    lines = []
    while not lines or not lines[-1].startswith(b'x '):
        lines.append(imap.readline().rstrip(b'\r\n'))
    return lines


def test_changes_since_a_modification_sequence(fake, client):
    server = fake()
    server.inbox.extend([BODY] * 5)
    since = server.inbox.modseq
    server.inbox.expunge(2)
    server.inbox.set_flags(3, ['\\Seen'])
    server.inbox.append(BODY)
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    assert b'BAD' in ask(imap, b'EXAMINE INBOX (QRESYNC (1000 %d))' % since)[-1]
    assert ask(imap, b'EXAMINE INBOX (CONDSTORE)')[-1].startswith(b'x OK')
    flags = ask(imap, b'UID FETCH 1:5 (UID FLAGS) (CHANGEDSINCE %d)' % since)
    assert flags[0] == b'* 2 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (%d))' % (since + 2)
    assert len(flags) == 2
    ask(imap, b'UNSELECT')
    assert ask(imap, b'ENABLE QRESYNC')[0] == b'* ENABLED QRESYNC'
    lines = ask(imap, b'EXAMINE INBOX (QRESYNC (1000 %d))' % since)
    assert b'* OK [HIGHESTMODSEQ %d] highest' % (since + 3) in lines
    assert lines[-4:-1] == [b'* VANISHED (EARLIER) 2', flags[0],
                            b'* 5 FETCH (UID 6 FLAGS () MODSEQ (%d))' % (since + 3)]
    server.inbox.expunge(1)
    server.inbox.expunge(4)
    assert ask(imap, b'NOOP')[0] == b'* VANISHED 1,4'
    lines = ask(imap, b'EXAMINE INBOX (QRESYNC (7 %d))' % since)
    assert lines[0].startswith(b'* OK [CLOSED]')
    assert not [line for line in lines if b'VANISHED' in line or b'FETCH' in line]


def test_notify_tells_of_everything(fake, client):
    server = fake()
    server.capabilities.append('NOTIFY')
    other = server.add('Other')
    server.inbox.append(BODY)
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    imap.select('INBOX', readonly=True)
    imap.send(b'n NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge)) '
              b'(personal (MessageNew MessageExpunge MailboxName))\r\n')
    assert imap.readline() == b'n OK done\r\n'
    other.append(BODY)
    assert imap.readline() == b'* STATUS "Other" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000)\r\n'
    server.inbox.append(BODY)
    assert imap.readline() == b'* 2 EXISTS\r\n'
    assert imap.readline() == b'* 2 FETCH (UID 2 FLAGS ())\r\n'
    server.add('New').append(BODY)
    assert imap.readline().startswith(b'* LIST () "/" "New"')
    server.rename('New', 'Newer')
    line = imap.readline()
    while line.startswith(b'* STATUS'):
        line = imap.readline()
    assert line == b'* LIST () "/" "Newer" ("OLDNAME" ("New"))\r\n'
    server.remove('Newer')
    line = imap.readline()
    while line.startswith(b'* STATUS'):
        line = imap.readline()
    assert line == b'* LIST (\\NonExistent) "/" "Newer"\r\n'
    imap.send(b'm NOTIFY SET (selected (MessageNew))\r\n')
    assert b' BAD ' in imap.readline()


def test_pipelined_commands_and_literals(fake):
    server = fake(tls='none')
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)
    wire.sendall(b'a LOGIN {4+}\r\nuser "geheim-7b1f"\r\nb EXAMINE INBOX\r\nc LOGOUT\r\n')
    assert re.search(rb'a OK.*b OK.*\* BYE.*c OK', read_all(wire), re.S)
    assert [line.name for line in server.log] == ['LOGIN', 'EXAMINE', 'LOGOUT']


def test_quirks_of_fetch(fake, client):
    server = fake()
    server.inbox.append(BODY)
    imap = client(server)
    imap.login('user', 'geheim-7b1f')
    imap.select('INBOX', readonly=True)
    server.quirks.size = lambda message: len(message.body) * 2
    assert b'SIZE %d)' % (2 * len(BODY)) in imap.uid('FETCH', '1', '(RFC822.SIZE)')[1][0]
    server.quirks.size = lambda message: None
    assert imap.uid('FETCH', '1', '(RFC822.SIZE)')[1] == [b'1 (UID 1)']
    server.quirks.body = 'nil'
    assert imap.uid('FETCH', '1', '(BODY.PEEK[])')[1] == [b'1 (UID 1 BODY[] NIL)']
    server.quirks.body, server.quirks.uid_last = 'literal', True
    assert imap.uid('FETCH', '1', '(UID BODY.PEEK[])')[1][1] == b' UID 1)'
    server.quirks.fetch = lambda session, uid, items: None
    assert imap.uid('FETCH', '1', '(UID)')[1] == [None]


def test_rules_come_first_and_end(fake, client):
    server = fake()
    server.on(rb'NOOP', lambda session, command: session.tagged(command, 'NO', 'not now'), times=1)
    imap = client(server)
    assert imap.noop()[0] == 'NO'
    assert imap.noop()[0] == 'OK'


def test_what_is_pushed_beside_a_command_is_sent(fake):
    server = fake(tls='none')
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)

    def push(session, command):
        wire.sendall(b'b NOOP\r\n')
        select.select([session.wire.sock], [], [])
        session.push(b'* OK pushed\r\n')
    server.on(rb'^a', push)
    wire.sendall(b'a NOOP\r\n')
    with wire.makefile('rb') as lines:
        assert lines.readline().startswith(b'* OK')
        assert sorted(lines.readline() for _ in range(3)) == [
            b'* OK pushed\r\n', b'a OK done\r\n', b'b OK done\r\n']


@pytest.mark.parametrize('reset', [True, False])
def test_kill_ends_a_waiting_connection(fake, reset):
    server = fake(tls='none')
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)
    assert wire.recv(4096).startswith(b'* OK')
    server.kill(reset)
    if reset:
        with pytest.raises(ConnectionResetError):
            wire.recv(4096)
    else:
        assert wire.recv(4096) == b''


def test_black_hole_swallows_and_gives_back(fake):
    server = fake(tls='none')
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)
    assert wire.recv(4096).startswith(b'* OK')
    server.black_hole()
    wire.sendall(b'a NOOP\r\n')
    wire.settimeout(0.2)
    with pytest.raises(TimeoutError):
        wire.recv(4096)
    server.black_hole(False)
    wire.settimeout(LIMIT_S)
    assert wire.recv(4096) == b'a OK done\r\n'


def test_drop_at_a_byte_has_no_close_notify(fake):
    server = fake()
    server.on(rb'NOOP', lambda session, command: setattr(session.wire, 'drop_at',
                                                         session.wire.sent + 3))
    context = ssl.create_default_context(cafile=server.ca)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    wire = context.wrap_socket(socket.create_connection(('127.0.0.1', server.port), LIMIT_S),
                               server_hostname='localhost', suppress_ragged_eofs=False)
    assert wire.recv(4096).startswith(b'* OK')
    wire.sendall(b'a NOOP\r\n')
    assert wire.recv(4096) == b'a O'
    with pytest.raises((ssl.SSLEOFError, ssl.SSLError)):
        wire.recv(4096)


def test_refused_connections_are_counted(fake):
    server = fake(tls='none')
    server.refuse = True
    for _ in range(3):
        try:
            assert socket.create_connection(('127.0.0.1', server.port), LIMIT_S).recv(10) == b''
        except ConnectionResetError:
            pass
    server.wait_for(lambda: len(server.sessions) == 3)


def test_wait_for_sees_what_comes_later(fake):
    server = fake(tls='none')
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)
    threading.Timer(0.05, wire.sendall, [b'a NOOP\r\n']).start()
    server.wait_for(lambda: server.lines(rb'NOOP'))
    with pytest.raises(TimeoutError):
        server.wait_for(lambda: server.lines(rb'IDLE'), timeout=0.05)


SCRIPT = r"""
    S: * OK ready
    C: $tag LOGIN "user" $any
    @split 1
    S: $tag OK in
    C~ \S+ (?P<name>NOOP|IDLE)
    S: * 1 FETCH (BODY[] {5}
    S: a\x00\xffb\r)\
    @close
"""


def read_all(wire):
    return b''.join(iter(lambda: wire.recv(4096), b''))


def test_transcript_plays(fake):
    server = fake(tls='none', scripts=[SCRIPT])
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)
    wire.sendall(b'x LOGIN "user" secret\r\ny NOOP\r\n')
    assert read_all(wire) == (b'* OK ready\r\nx OK in\r\n* 1 FETCH (BODY[] {5}\r\n'
                              b'a\0\xffb\r)')
    assert server.errors == []


def test_transcript_reports_a_mismatch(fake):
    server = Server(tls='none', scripts=[SCRIPT])
    wire = socket.create_connection(('127.0.0.1', server.port), LIMIT_S)
    wire.sendall(b'x LOGIN "other" secret\r\n')
    read_all(wire)
    server.wait_for(lambda: server.errors)
    assert 'line 3: wanted' in server.errors[0]
    server.stop()
