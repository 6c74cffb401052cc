"""The network goes away and comes back."""

import errno
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from tests.conftest import needs
from tests.fake.wire import Drop
from tests.support import SILENCE_S, SLOW, eventually
from tests.support.stuck import Readers, answers_at_once, takes, wait_until_stuck

GONE = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EIO, errno.ENOTCONN)


def body(number):
    return b'Subject: %d\r\n\r\nThis is message %d.\r\n' % (number, number)


@pytest.fixture
def server(fake):
    one = fake()
    one.inbox.extend(map(body, range(1, 301)))
    return one


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def status(mail):
    return json.loads((mail / '.imapfs' / 'status').read_bytes())


def test_200_stuck_reads_delay_nothing_that_is_cached(server, mount):
    mail = mount(server, timeout=SILENCE_S, connections=4)
    mail.expect('.')
    cached = read(mail.inbox / '300.eml')
    assert len(os.listdir(mail.inbox)) == 300
    sizes = [os.stat(mail.inbox / f'{uid}.eml').st_size for uid in range(1, 301)]
    server.black_hole()
    readers = Readers([mail.inbox / f'{uid}.eml' for uid in range(1, 201)])
    readers.wait_until_stuck()
    for _ in range(10):
        answers_at_once(mail.inbox)
        takes(lambda: os.stat(mail.inbox / '250.eml'), 0.05 * SLOW)
        takes(lambda: os.listdir(mail.inbox), 0.05 * SLOW)
        takes(lambda: read(mail.inbox / '300.eml'), 0.05 * SLOW)
        takes(lambda: subprocess.run(['cat', mail.inbox / '300.eml'], capture_output=True),
              0.05 * SLOW)
    assert read(mail.inbox / '300.eml') == cached
    assert readers.join(SILENCE_S + 30 * SLOW) <= set(GONE)
    assert max(took for _, took in readers.ends) < SILENCE_S + 10 * SLOW
    assert sizes == [len(body(uid)) for uid in range(1, 301)]
    server.black_hole(False)
    assert eventually(lambda: read(mail.inbox / '150.eml')) == body(150)


@pytest.mark.parametrize('sig', [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_ends_a_stuck_reader_at_once(server, mount, sig):
    mail = mount(server, timeout=100)
    mail.expect('.')
    os.listdir(mail.inbox)
    os.stat(mail.inbox / '7.eml')
    server.black_hole()
    took = []
    while not took or took[-1] >= 0.5 * SLOW:
        assert len(took) < 5, took  # what the machine does besides must not count
        # What runs in the background of a script is born ignoring SIGINT.
        reader = subprocess.Popen(['cat', mail.inbox / '7.eml'], stderr=subprocess.DEVNULL,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        wait_until_stuck(reader.pid)
        start = time.monotonic()
        reader.send_signal(sig)
        assert reader.wait(10 * SLOW) == -sig
        took.append(time.monotonic() - start)
    server.black_hole(False)
    assert eventually(lambda: read(mail.inbox / '7.eml')) == body(7)


@pytest.mark.parametrize('how', ['unmount', 'SIGTERM', 'SIGINT'])
def test_end_in_a_black_hole_comes_in_time(server, mount, how):
    mail = mount(server, timeout=SILENCE_S)
    mail.expect('.')
    os.listdir(mail.inbox)
    server.black_hole()
    readers = Readers([mail.inbox / f'{uid}.eml' for uid in range(1, 51)])
    readers.wait_until_stuck()
    start = time.monotonic()
    if how == 'unmount':
        errors = readers.join(SILENCE_S + 30 * SLOW)
        mail.unmount()
    else:
        mail.terminate(getattr(signal, how))
        errors = readers.join(10 * SLOW)
    assert 0 not in errors
    assert time.monotonic() - start < SILENCE_S + 15 * SLOW


def test_the_server_dies_in_the_middle_of_a_grep(server, mount, proxy):
    line = proxy(server.port)
    source = f'imaps://user@localhost:{line.port}'
    mail = mount(server, source=source, connections=2)
    mail.expect('.')
    os.listdir(mail.inbox)
    read(mail.inbox / '1.eml')
    line.ask('refuse on')
    line.ask('reset')
    run = subprocess.run(['grep', '-rl', 'message', mail.inbox], capture_output=True, text=True)
    assert run.returncode == 2
    assert f'{mail.inbox}/1.eml\n' in run.stdout
    # No file that could not be read may look like one without the word.
    assert len(run.stdout.splitlines()) + len(run.stderr.splitlines()) == 300
    line.ask('refuse off')
    assert eventually(lambda: read(mail.inbox / '222.eml')) == body(222)
    run = subprocess.run(['grep', '-rc', 'message', mail.inbox], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count(':1\n') == 300


def test_dovecot_is_killed_in_the_middle_of_a_grep(dovecot, mount):
    dovecot.deliver(map(body, range(1, 301)))
    mail = mount(dovecot, timeout=5)
    mail.expect('.')
    assert len(os.listdir(mail.inbox)) == 300
    # Without a buffer: communicate() would not return what readline() took beyond the first line.
    grep = subprocess.Popen(['grep', '-r', '--line-buffered', 'message', mail.inbox],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    assert b'.eml:This is message' in grep.stdout.readline()
    dovecot.dovecot.stop(signal.SIGKILL)
    found, failed = grep.communicate(timeout=60 * SLOW)
    assert 1 + len(found.splitlines()) + len(failed.splitlines()) == 300
    assert mail.process.poll() is None
    dovecot.dovecot.start()
    assert eventually(lambda: read(mail.inbox / '299.eml')) == body(299)


def test_1000_stats_while_down_are_one_attempt(server, mount):
    mail = mount(server, timeout=3, poll=1)
    mail.expect('.')
    os.listdir(mail.inbox)
    server.refuse = True
    server.kill()
    server.wait_for(lambda: not server.open_sessions())
    before = len(server.sessions)
    start = time.monotonic()
    for uid in range(1000):
        try:
            os.stat(mail.inbox / f'{uid % 300 + 1}.eml')
        except OSError as error:
            assert error.errno in GONE
    took = time.monotonic() - start
    # One attempt, and those of the backoff that fall due meanwhile: 1 s, 2 s, 4 s...
    assert len(server.sessions) - before <= 2 + took
    assert took < 20 * SLOW


def test_what_is_not_cached_fails_at_once_when_offline(server, mount):
    mail = mount(server, timeout=10)
    mail.expect('.')
    os.listdir(mail.inbox)
    server.refuse = True
    server.kill()
    with pytest.raises(OSError):
        read(mail.inbox / '9.eml')
    start = time.monotonic()
    for uid in range(10, 30):
        with pytest.raises(OSError) as refusal:
            read(mail.inbox / f'{uid}.eml')
        assert refusal.value.errno in GONE
    assert time.monotonic() - start < 20 * SLOW
    assert len(os.listdir(mail.inbox)) == 300
    server.refuse = False
    assert eventually(lambda: read(mail.inbox / '9.eml')) == body(9)


def test_what_waited_is_told_so(server, mount):
    """The kernel asks once more for what was not read ahead: that is the same read."""
    mail = mount(server, timeout=SILENCE_S)
    mail.expect('.')
    os.listdir(mail.inbox)
    os.stat(mail.inbox / '10.eml')
    server.black_hole()
    first = Readers([mail.inbox / '8.eml'])

    def waited():
        assert (status(mail)['requests']['oldest_ms'] or 0) > 1000
    eventually(waited)
    with pytest.raises(OSError) as late:
        read(mail.inbox / '9.eml')
    assert late.value.errno == errno.ETIMEDOUT
    assert first.join(30 * SLOW) == {errno.ETIMEDOUT}

    def away():
        with pytest.raises(OSError) as refusal:
            read(mail.inbox / '10.eml')
        assert refusal.value.errno == errno.EHOSTUNREACH
    eventually(away)


def test_attempts_back_off(server, mount):
    mail = mount(server, timeout=3)
    mail.expect('.')
    os.listdir(mail.inbox)
    server.refuse = True
    server.kill()
    before, start = len(server.sessions), time.monotonic()
    while len(server.sessions) < before + 4:
        with pytest.raises(OSError):
            read(mail.inbox / '9.eml')
        assert time.monotonic() - start < 60 * SLOW
    assert time.monotonic() - start > 1


def test_progress_renews_the_timeout(fake, mount):
    """A body that takes longer than the timeout, but comes."""
    server = fake()
    content = b'Subject: slow\r\n\r\n' + b'0123456789abcde\n' * 4000
    server.inbox.append(content)
    server.on(rb'BODY\.PEEK', lambda session, command: setattr(session.wire, 'rate', 5_000))
    mail = mount(server, timeout=SILENCE_S)
    start = time.monotonic()
    assert read(mail.inbox / '1.eml') == content
    assert time.monotonic() - start > SILENCE_S + 2


def test_stall_in_the_middle_of_a_body(fake, mount):
    server = fake()
    content = b'Subject: x\r\n\r\n' + b'x' * 50_000
    server.inbox.append(content)
    server.on(rb'BODY\.PEEK', lambda session, command: setattr(session.wire, 'stall_at',
                                                               session.wire.sent + 20_000), times=1)
    mail = mount(server, timeout=SILENCE_S)
    mail.expect('.')
    start = time.monotonic()
    with pytest.raises(OSError) as refusal:
        read(mail.inbox / '1.eml')
    assert refusal.value.errno in GONE
    assert time.monotonic() - start < SILENCE_S + 15 * SLOW
    assert eventually(lambda: read(mail.inbox / '1.eml')) == content


@pytest.mark.parametrize('source,reason', [
    ('imaps://user@nowhere.invalid', ['resolve', 'lookup', 'not known', 'nowhere.invalid']),
    ('imaps://user@localhost:1', ['refused']),
])
def test_mount_fails_with_a_reason(fake, program, source, reason):
    server = fake()
    run = program.run('-f', source, program.mountpoint, '-o', program.options(server, timeout=3))
    assert run.returncode == 1
    assert any(word in run.stdout.lower() for word in reason), run.stdout


def test_black_hole_at_mount_time_ends_by_the_timeout(server, program):
    server.black_hole()
    start = time.monotonic()
    run = program.run('-f', server.source, program.mountpoint, '-o',
                      program.options(server, timeout=2))
    assert run.returncode == 1
    assert 'timed out' in run.stdout.lower() or 'timeout' in run.stdout.lower() or \
        'no answer' in run.stdout.lower()
    assert time.monotonic() - start < 30 * SLOW


def test_second_address_is_tried_when_the_first_refuses(fake, program):
    """localhost is ::1 and 127.0.0.1; the server listens on the latter only."""
    if not any(family == socket.AF_INET6 for family, *_ in socket.getaddrinfo('localhost', 1)):
        pytest.skip('localhost has no IPv6 address here')
    server = fake()
    run = program.run('check', server.source, '-o', program.options(server))
    assert run.returncode == 0, run.stdout


def test_a_dead_idle_connection_is_noticed(server, mount):
    """The server vanished while nobody looked: the next access reconnects."""
    mail = mount(server, timeout=3, poll=1)
    mail.expect('.')
    os.listdir(mail.inbox)
    server.kill(reset=False)
    server.inbox.append(body(301))
    eventually(lambda: os.stat(mail.inbox / '301.eml'))
    assert eventually(lambda: read(mail.inbox / '301.eml')) == body(301)


def fall_silent(session, command):
    session.wire.stall_at = session.wire.sent


@needs('NOTIFY')
def test_a_server_that_never_answers_notify(server, mount):
    """Two connections are lost to that; the mount goes on without."""
    server.capabilities.append('NOTIFY')
    server.on(rb'NOTIFY', fall_silent)
    mail = mount(server, timeout=SILENCE_S)
    assert eventually(lambda: read(mail.inbox / '7.eml')) == body(7)
    assert len(server.lines(b'NOTIFY')) == 2


@pytest.mark.parametrize('reset', [True, False])
def test_the_only_connection_is_replaced(server, mount, reset):
    """What waits for a connection gets the new one, whatever mailbox the old one had."""
    server.add('Other')
    mail = mount(server, timeout=100, connections=1)
    mail.expect('.')
    os.listdir(mail.inbox)
    before = len(server.sessions)
    server.kill(reset)
    start = time.monotonic()
    assert os.listdir(mail / 'Other') == []
    assert len(server.sessions) > before
    assert time.monotonic() - start < 50


@pytest.fixture
def known(server, mount):
    """The server, after a mount that left a cache behind."""
    mail = mount(server)
    mail.expect('.')
    assert read(mail.inbox / '7.eml') == body(7)
    mail.unmount()
    return server


def hear(wire):
    """What the client says first: who closes without having read it resets."""
    assert wire.sock.recv(65536)


def close(wire):
    hear(wire)
    raise Drop()


def reset(wire):
    raise Drop(reset=True)


def drop_in_the_handshake(wire):
    wire.sock.recv(1)
    raise Drop(reset=True)


def portal(wire):
    hear(wire)
    wire.write(b'HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n')
    wire.flush()
    raise Drop()


def answer_login(server, kind, text):
    server.on(rb'LOGIN|AUTHENTICATE',
              lambda session, command: session.tagged(command, kind, text) or True)


def close_notify(wire):
    hear(wire)
    wire.write(bytes((21, 3, 3, 0, 2, 1, 0)))  # an alert (RFC 8446 6.1)
    wire.flush()
    raise Drop()


def instead_of_tls(action):
    return lambda server: setattr(server.quirks, 'instead_of_tls', action)


def greeting(line):
    return lambda server: setattr(server.quirks, 'greeting', line)


# What the mount takes it for, and how it is done.
AWAY = {
    'closes': ('truncated', instead_of_tls(close)),
    'resets': ('reset by peer', instead_of_tls(reset)),
    'resets-later': ('reset by peer', instead_of_tls(drop_in_the_handshake)),
    'ends-tls': ('ended the TLS handshake', instead_of_tls(close_notify)),
    'no-tls': ('not TLS', instead_of_tls(portal)),
    'no-imap': ('no IMAP server', greeting(b'HTTP/1.1 200 OK\r\n\r\n')),
    'bye': ('come later', greeting(b'* BYE come later\r\n')),
    'login-bad': ('internal', lambda server: answer_login(server, 'BAD', 'internal')),
    'login-unavailable': ('backend down', lambda server: answer_login(
        server, 'NO', '[UNAVAILABLE] backend down')),
}


@pytest.mark.parametrize('how', AWAY)
def test_a_mount_with_a_cache_needs_no_server(known, mount, how):
    why, set_up = AWAY[how]
    set_up(known)
    mail = mount(known, expect=['.'])
    mail.wait_for_output(f'{why}.*; showing what is known until the server is there')
    assert len(os.listdir(mail.inbox)) == 300
    assert read(mail.inbox / '7.eml') == body(7)
    known.quirks.instead_of_tls = known.quirks.greeting = None
    known.rules.clear()
    assert eventually(lambda: read(mail.inbox / '8.eml')) == body(8)


def test_what_is_cached_waits_for_no_server(known, mount):
    known.quirks.greeting = b''
    mail = mount(known, timeout=100, expect=['.'])
    start = time.monotonic()
    assert len(os.listdir(mail.inbox)) == 300
    assert read(mail.inbox / '7.eml') == body(7)
    assert time.monotonic() - start < 20 * SLOW


@pytest.mark.parametrize('code', ['', '[AUTHENTICATIONFAILED]', '[AUTHORIZATIONFAILED]',
                                  '[EXPIRED]', '[PRIVACYREQUIRED]', '[CONTACTADMIN]'])
def test_a_refused_login_is_told_in_spite_of_the_cache(known, program, code):
    known.quirks.login = f'{code} go away'
    run = program.run('-f', known.source, program.mountpoint, '-o', program.options(known))
    assert run.returncode == 1
    assert 'go away' in run.stdout


def test_a_wrong_certificate_is_told_in_spite_of_the_cache(known, program, certs):
    known.context = certs.context('selfsigned')
    run = program.run('-f', known.source, program.mountpoint, '-o', program.options(known))
    assert run.returncode == 1
    assert 'certificate' in run.stdout
