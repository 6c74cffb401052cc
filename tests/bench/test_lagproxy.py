"""The latency proxy: it delays exactly, carries everything, and counts."""

import hashlib
import socket
import threading
import time

import pytest

from tests.support import SLOW, nasty


class Echo:
    """Answers every connection with what `serve(socket)` does."""

    def __init__(self, serve):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, args=(serve,), daemon=True)
        self.thread.start()

    def _run(self, serve):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(serve, sock), daemon=True).start()

    @staticmethod
    def _one(serve, sock):
        with sock:
            try:
                serve(sock)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def target():
    servers = []

    def start(serve):
        servers.append(Echo(serve))
        return servers[-1].port
    yield start
    for server in servers:
        server.close()


def echo(sock):
    while data := sock.recv(1 << 16):
        sock.sendall(data)


def connect(proxy):
    return socket.create_connection(('127.0.0.1', proxy.port), 20)


def read_all(sock):
    return b''.join(iter(lambda: sock.recv(1 << 18), b''))


def test_a_round_trip_takes_two_delays_and_a_handshake_one_more(proxy, target):
    line = proxy(target(echo), delay_ms=30)
    start = time.monotonic()
    sock = connect(line)
    took = []
    for _ in range(3):
        sock.sendall(b'x')
        assert sock.recv(1) == b'x'
        took.append(time.monotonic() - start)
        start = time.monotonic()
    assert 0.120 <= took[0] < 0.120 + 0.050 * SLOW
    for one in took[1:]:
        assert 0.060 <= one < 0.060 + 0.050 * SLOW
    assert line.counters() == {'connections': 1, 'up': 3, 'down': 3, 'turns': 4}


def test_a_greeting_comes_after_two_round_trips(proxy, target):
    line = proxy(target(lambda sock: sock.sendall(b'hello')), delay_ms=20)
    start = time.monotonic()
    assert connect(line).recv(5) == b'hello'
    assert 0.080 <= time.monotonic() - start < 0.080 + 0.050 * SLOW
    assert line.counters()['turns'] == 2


def test_delay_does_not_stop_the_stream_and_nothing_is_lost(proxy, target):
    data = nasty.large(64 << 20)
    line = proxy(target(lambda sock: sock.sendall(data)), delay_ms=20)
    start = time.monotonic()
    found = read_all(connect(line))
    took = time.monotonic() - start
    assert hashlib.sha256(found).digest() == hashlib.sha256(data).digest()
    assert took < 0.080 + 1.0 * SLOW  # with a stop at each 64 KB it would be 20 s


def test_rate_is_a_bound(proxy, target):
    line = proxy(target(lambda sock: sock.sendall(bytes(2_000_000))), mbit=80)
    start = time.monotonic()
    assert len(read_all(connect(line))) == 2_000_000
    assert 0.19 < time.monotonic() - start < 0.19 + 0.2 * SLOW


def test_an_end_travels_behind_the_last_byte(proxy, target):
    def answer_at_the_end(sock):
        sock.sendall(hashlib.sha256(read_all(sock)).digest())
    line = proxy(target(answer_at_the_end), delay_ms=10)
    sock = connect(line)
    data = nasty.large(5_000_000)
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
    assert read_all(sock) == hashlib.sha256(data).digest()


def test_hole_keeps_and_gives_back(proxy, target):
    line = proxy(target(echo))
    sock = connect(line)
    sock.sendall(b'a')
    assert sock.recv(1) == b'a'
    line.ask('hole on')
    sock.sendall(b'b')
    late = connect(line)
    late.sendall(b'c')
    sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        sock.recv(1)
    line.ask('hole off')
    sock.settimeout(20)
    assert sock.recv(1) == b'b'
    assert late.recv(1) == b'c'


def test_reset_and_refuse(proxy, target):
    line = proxy(target(echo))
    sock = connect(line)
    sock.sendall(b'a')
    assert sock.recv(1) == b'a'
    line.ask('refuse on')
    line.ask('reset')
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(line)
    line.ask('refuse off')
    sock = connect(line)
    sock.sendall(b'b')
    assert sock.recv(1) == b'b'


def test_a_target_that_is_not_there_resets(proxy):
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        line = proxy(unused.getsockname()[1])
        with pytest.raises(ConnectionResetError):
            connect(line).recv(1)


def test_unknown_commands_are_named(proxy, target):
    line = proxy(target(echo))
    with pytest.raises(ValueError, match='unknown command'):
        line.ask('fly')
    assert line.ask('clear') == 'ok'
