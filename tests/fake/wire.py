"""The byte channel of one connection: buffering, TLS, what was captured, and faults of the wire."""

import select
import socket
import ssl
import struct
import time


class Drop(Exception):
    """The connection ends here. reset: by RST, without close_notify in any case."""

    def __init__(self, reset=False):
        super().__init__('dropped')
        self.reset = reset


class Gone(Exception):
    """The client closed the connection, or the server stops."""


class Wire:
    """All reads and writes happen in the connection's own thread; wake() comes from any."""

    def __init__(self, sock, server):
        self.sock = sock
        self.server = server
        self.secure = False
        self.clear_in = bytearray()   # what came before TLS
        self.secure_in = bytearray()  # what came under TLS, decrypted
        self.sent = 0                 # bytes given to the client so far
        self.drop_at = None           # close the connection after so many bytes sent
        self.stall_at = None          # go silent after so many bytes sent
        self.split = None             # send in pieces of so many bytes
        self.rate = None              # bytes a second
        self.doom = None              # a Drop that another thread wants
        self.woken = False            # since somebody looked last
        self._in = bytearray()
        self._out = bytearray()
        self._wake_in, self._wake_out = socket.socketpair()
        for end in (self._wake_in, self._wake_out):
            end.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # ---- waiting

    def wake(self):
        try:
            self._wake_out.send(b'x')
        except OSError:
            pass

    def check(self):
        """Raises when this connection or the whole server is to end."""
        self.server.pass_hole(self)
        if self.doom:
            raise self.doom

    def wait(self):
        """Until bytes can be read (True) or wake() was called (False)."""
        self.check()
        if self._in or (self.secure and self.sock.pending()):
            return True
        readable, _, _ = select.select([self.sock, self._wake_in], [], [])
        if self._wake_in in readable:
            self._wake_in.recv(4096)
            self.woken = True
        self.check()
        return self.sock in readable

    # ---- reading

    def read_line(self):
        """One line without its CRLF."""
        self.flush()
        while (end := self._in.find(b'\n')) < 0:
            self._fill()
        line = bytes(self._in[:end]).removesuffix(b'\r')
        del self._in[:end + 1]
        return line

    def read_exact(self, count):
        self.flush()
        while len(self._in) < count:
            self._fill()
        data = bytes(self._in[:count])
        del self._in[:count]
        return data

    def read_until_gone(self):
        """Swallows and captures whatever comes until the client goes."""
        self.flush()
        while True:
            self._fill()

    def _fill(self):
        while not self.wait():
            pass
        try:
            data = self.sock.recv(1 << 16)
        except (ssl.SSLError, OSError) as error:
            raise Gone(str(error)) from None
        if not data:
            raise Gone('end of stream')
        (self.secure_in if self.secure else self.clear_in).extend(data)
        self._in += data

    # ---- writing

    def write(self, data):
        self._out += data
        if len(self._out) >= 1 << 16:
            self.flush()

    def flush(self):
        data, self._out = memoryview(bytes(self._out)), bytearray()
        while data:
            self.check()
            size = len(data)
            for limit in (self.drop_at, self.stall_at):
                if limit is not None:
                    size = min(size, max(0, limit - self.sent))
            if size:
                self._send(data[:size])
                data = data[size:]
            if self.drop_at is not None and self.sent >= self.drop_at:
                raise Drop()
            if self.stall_at is not None and self.sent >= self.stall_at:
                self.stall()

    def _send(self, data):
        step = self.split or (1 << 16)
        if self.rate:
            step = min(step, max(1, self.rate // 20))
        try:
            for at in range(0, len(data), step):
                piece = data[at:at + step]
                self.sock.sendall(piece)
                self.sent += len(piece)
                if self.rate:
                    time.sleep(len(piece) / self.rate)
        except (ssl.SSLError, OSError) as error:
            raise Gone(str(error)) from None

    def stall(self):
        """Silence, the connection open, until the client goes or the server stops."""
        while True:
            self.check()
            select.select([self._wake_in], [], [])
            self._wake_in.recv(4096)

    # ---- state of the connection

    def start_tls(self, context):
        self.flush()
        if self._in:
            raise Gone('bytes in clear after STARTTLS')
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
        except (ssl.SSLError, OSError) as error:
            raise Gone(f'TLS: {error}') from None
        self.secure = True

    def close(self, reset=False, orderly=True):
        """orderly: with close_notify when TLS is up."""
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            elif orderly and self.secure:
                self.sock.setblocking(False)
                self.sock.unwrap()
            elif not reset:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
        except (ssl.SSLError, OSError, ValueError):
            pass
        # A TLS socket closes without a word of its own; the kernel sends FIN, or RST after LINGER.
        self.sock.close()
        self._wake_in.close()
        self._wake_out.close()
