"""The limit that the wire sets: a command is sent, its answer read and thrown away."""

import socket
import ssl
import time


class Drain:
    """A bare TLS connection, logged in."""

    def __init__(self, port, user, password, cafile):
        context = ssl.create_default_context(cafile=cafile)
        self.wire = context.wrap_socket(socket.create_connection(('localhost', port), 60),
                                        server_hostname='localhost')
        self.tag = 0
        self.wire.recv(1 << 16)
        self.run(f'LOGIN "{user}" "{password}"')

    def run(self, command):
        """(bytes, seconds) from the first byte sent to the end of the answer."""
        start, total, tail = time.monotonic(), 0, b''
        self.tag += 1
        last = f'd{self.tag} '.encode()
        self.wire.sendall(last + command.encode() + b'\r\n')
        while True:
            data = self.wire.recv(1 << 18)
            if not data:
                raise ConnectionError('the server closed the connection')
            total += len(data)
            tail = (tail + data)[-4096:]
            line = tail.rstrip(b'\r\n').rpartition(b'\n')[2]
            if tail.endswith(b'\r\n') and line.startswith(last):
                if not line.startswith(last + b'OK'):
                    raise ConnectionError(line.decode())
                return total, time.monotonic() - start

    def close(self):
        self.wire.close()
