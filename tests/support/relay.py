"""A relay of IMAP in clear, between the program and a real server, that cuts a connection at one
line of it."""

import re
import socket
import threading

from . import SLOW


class Cut:
    """At the `number`-th line, in either direction and of any connection, from the first one of a
    client on that matches. how: drop: without that line, torn: with half of it, what is called:
    behind it. done: how many connections ended."""

    def __init__(self, pattern, number, how):
        self.pattern, self.number, self.how = re.compile(pattern, re.I), number, how
        self.seen = self.done = 0

    def meets(self, line, upwards):
        """Counts this line; whether it is the one."""
        self.seen += bool(self.seen or upwards and self.pattern.match(line))
        if self.done or not self.seen or self.seen < self.number:
            return False
        self.done = 1
        return True


class Line:
    """What a client said."""

    def __init__(self, line):
        self.line = line

    def __str__(self):
        return self.line.decode(errors='replace').rstrip()


class Relay:
    """From a loopback port of its own to `target` and back. `log` has a Line for each one of
    clients, and `cond` guards it."""

    def __init__(self, target):
        self.target = target
        self.cond = threading.Condition()
        self.log = []
        self.cuts = []
        self.cutting = self.open = 0  # guarded by cond, too
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, pattern, number=1, how='drop'):
        one = Cut(pattern, number, how)
        with self.cond:
            self.cuts.append(one)
        return one

    def lines(self, pattern):
        """Those of clients that match the bytes pattern."""
        wanted = re.compile(pattern, re.I)
        with self.cond:
            return [entry for entry in self.log if wanted.match(entry.line)]

    def wait_until_cut(self):
        """Until what was to be called has returned, if its turn came."""
        with self.cond:
            assert self.cond.wait_for(lambda: not self.cutting, 60 * SLOW)

    def wait_until_quiet(self):
        """Until the server has ended all connections whose clients did, so that it has carried out
        whatever they had said."""
        with self.cond:
            assert self.cond.wait_for(lambda: not self.cutting and not self.open, 60 * SLOW)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    # ---- threads

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(('127.0.0.1', self.target))
            except OSError:
                client.close()
                continue
            with self.cond:
                self.open += 1
            for source, sink, upwards in ((client, server, True), (server, client, False)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(source, sink, upwards),
                                 daemon=True).start()

    def _carry(self, source, sink, upwards):
        """Until one of them ends: then the client does, and the server hears no more."""
        try:
            with source.makefile('rb') as lines:
                for line in lines:
                    cut = self._note(line, upwards)
                    if cut:
                        self._end(cut, line, sink)
                        break
                    sink.sendall(line)
        except OSError:
            pass
        client, server = (source, sink) if upwards else (sink, source)
        for end, how in ((client, socket.SHUT_RDWR), (server, socket.SHUT_WR)):
            try:
                end.shutdown(how)
            except OSError:
                pass
        if not upwards:
            self._see_off(server)
        source.close()

    def _see_off(self, server):
        """Until the server has ended the connection, too."""
        try:
            while server.recv(1 << 16):
                pass
        except OSError:
            pass
        with self.cond:
            self.open -= 1
            self.cond.notify_all()

    def _note(self, line, upwards):
        """The cut whose turn it is at this line, or None."""
        with self.cond:
            if upwards:
                self.log.append(Line(line))
            met = next((cut for cut in self.cuts if cut.meets(line, upwards)), None)
            self.cutting += met is not None
            return met

    def _end(self, cut, line, sink):
        try:
            if cut.how == 'torn':
                sink.sendall(line[:len(line) // 2])
            elif callable(cut.how):
                sink.sendall(line)
                cut.how()
        finally:
            with self.cond:
                self.cutting -= 1
                self.cond.notify_all()
