"""A client that speaks raw commands, for the tests of the scripted server."""

import socket

from tests.support import SLOW

BODY = b'From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n'


class Client:
    """Raw commands and their answers."""

    def __init__(self, server, mailbox=b'INBOX'):
        self.sock = socket.create_connection(('127.0.0.1', server.port), 30 * SLOW)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile('rb')
        self.line()
        self.ask(b'LOGIN user geheim-7b1f')
        if mailbox:
            self.ask(b'SELECT ' + mailbox)

    def close(self):
        self.file.close()
        self.sock.close()

    def line(self):
        return self.file.readline().rstrip(b'\r\n')

    def send(self, data):
        self.sock.sendall(data)

    def answer(self):
        lines = []
        while not lines or lines[-1] and not lines[-1].startswith(b'x '):
            lines.append(self.line())
        return lines

    def ask(self, command, *literals):
        """The lines of the answer; command ends in {n} and literals follow in turn."""
        self.send(b'x ' + command)
        for part in literals:
            self.send(b'\r\n')
            line = self.line()
            if not line.startswith(b'+'):
                return [line]
            self.send(part)
        self.send(b'\r\n')
        return self.answer()

    def append(self, command, body=BODY):
        return self.ask(b'%s {%d}' % (command, len(body)), body)


def fill(server, count=4):
    """Messages that differ in INBOX, and none elsewhere."""
    server.inbox.extend(b'Subject: %d\r\n\r\n%d\r\n' % (n, n) for n in range(1, count + 1))


def content(mailbox):
    return [mailbox.message(uid).body for uid in mailbox.uids()]
