"""Fixtures of the tests of the scripted server."""

import pytest

from tests.fake.client import Client


@pytest.fixture
def server(fake):
    one = fake(tls='none')
    one.mask('IMAP4rev2')
    one.add('Archive', uidvalidity=2000).uidnext = 50
    return one


@pytest.fixture
def connect(server):
    """connect() -> a Client in a mailbox; each is closed at the end."""
    clients = []

    def start(mailbox=b'INBOX'):
        clients.append(Client(server, mailbox))
        return clients[-1]
    yield start
    for client in clients:
        client.close()
