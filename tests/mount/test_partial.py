"""Parts of large messages: what moves on the wire, and that every byte is in its place."""

import os
import random
import subprocess

import pytest

from tests.support import nasty

SIZE = 25 << 20


@pytest.fixture(scope='module')
def large():
    return nasty.large(SIZE)


@pytest.fixture
def counted(dovecot, large, mount, proxy):
    """A mount of one large message behind a proxy that counts."""
    dovecot.deliver([large, b'Subject: small\r\n\r\n'])
    line = proxy(dovecot.port)
    mail = mount(dovecot, source=f'imaps://{dovecot.user}@localhost:{line.port}')
    os.listdir(mail.inbox)
    os.stat(mail.inbox / '1.eml')
    line.ask('clear')
    return mail, line


def test_head_of_a_large_message_moves_little(counted, large):
    mail, line = counted
    run = subprocess.run(['head', '-c', '2000', mail.inbox / '1.eml'], capture_output=True)
    assert run.stdout == large[:2000]
    assert line.counters()['down'] < 128 << 10


def test_tail_of_a_large_message_moves_little(counted, large):
    mail, line = counted
    run = subprocess.run(['tail', '-c', '2000', mail.inbox / '1.eml'], capture_output=True)
    assert run.stdout == large[-2000:]
    assert line.counters()['down'] < 512 << 10


def test_sequential_read_is_exact_and_moves_each_byte_once(counted, large):
    mail, line = counted
    run = subprocess.run(['cat', mail.inbox / '1.eml'], capture_output=True)
    assert run.stdout == large
    assert line.counters()['down'] < SIZE * 1.05
    # Ranges grow while the reader goes on: not one command for each 128 KB.
    assert line.counters()['turns'] < 60


def test_random_reads_are_exact(counted, large):
    mail, line = counted
    some = random.Random(3)
    with open(mail.inbox / '1.eml', 'rb', buffering=0) as file:
        for _ in range(60):
            offset, length = some.randrange(SIZE + 100), some.choice([1, 100, 4096, 70_000])
            assert os.pread(file.fileno(), length, offset) == large[offset:offset + length]
    # Random access must not fetch the whole message 60 times over.
    assert line.counters()['down'] < SIZE * 1.1


def test_read_past_the_end(counted, large):
    mail, _ = counted
    with open(mail.inbox / '1.eml', 'rb', buffering=0) as file:
        assert os.pread(file.fileno(), 10, SIZE) == b''
        assert os.pread(file.fileno(), 10, SIZE + (1 << 30)) == b''
        assert os.pread(file.fileno(), 100, SIZE - 10) == large[-10:]


def test_ls_of_a_large_folder_moves_no_body(dovecot, mount, proxy):
    dovecot.deliver(b'Subject: %d\r\n\r\n' % n + b'x' * 20_000 for n in range(2000))
    line = proxy(dovecot.port)
    mail = mount(dovecot, source=f'imaps://{dovecot.user}@localhost:{line.port}')
    run = subprocess.run(['ls', '-l', mail.inbox], capture_output=True, text=True)
    assert len(run.stdout.splitlines()) == 2001
    assert line.counters()['down'] < 2000 * 150 + 50_000


