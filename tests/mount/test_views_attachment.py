"""A large attachment as a file: a piece of it moves little, and all of it is exact."""

import os
import random
import subprocess

import pytest

from tests.conftest import NUMBERS, start_dovecot
from tests.support import MASK, nastymime
from tests.support.dovecot import Account

SIZE = 20 << 20
NAME = 'harbour.bin'
LITTLE = 200 << 10


@pytest.fixture(scope='module')
def attachment():
    return random.Random(5).randbytes(SIZE)


@pytest.fixture(scope='module')
def message(attachment):
    """27 MB with it."""
    return nastymime.mail(*nastymime.multipart(
        nastymime.part('text/plain; charset=utf-8', b'The pictures are attached.\r\n'),
        nastymime.part('application/octet-stream', nastymime.coded(attachment), 'base64',
                       f'Content-Disposition: attachment; filename="{NAME}"\r\n')))


@pytest.fixture(scope='module', params=[(), ('BINARY', 'IMAP4rev2')],
                ids=['BINARY', 'without BINARY'])
def server(request, tmp_path_factory, certs):
    one = start_dovecot(tmp_path_factory, certs, mask=[*MASK, *request.param])
    yield one
    one.stop()


@pytest.fixture
def counted(server, message, mount, proxy):
    """The path of the attachment, in a mount behind a proxy that counts, the proxy, and the mount."""
    account = Account(server, f'u{next(NUMBERS)}')
    account.deliver([message])
    line = proxy(server.port)
    mail = mount(account, source=f'imaps://{account.user}@localhost:{line.port}')
    os.listdir(mail.inbox)
    line.ask('clear')
    return mail.inbox / '.parts' / '1' / f'2-{NAME}', line, mail


def tool(*words):
    run = subprocess.run(list(map(str, words)), capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_head_moves_little(counted, attachment):
    path, line, _ = counted
    assert tool('head', '-c', '1000', path) == attachment[:1000]
    assert line.counters()['down'] < LITTLE


def test_cp_is_exact_and_moves_each_byte_once(counted, attachment, message, tmp_path):
    path, line, _ = counted
    tool('cp', path, tmp_path / 'copy')
    assert (tmp_path / 'copy').read_bytes() == attachment
    assert path.stat().st_size == SIZE
    # Decoded by the server it is 20 MiB, decoded here 27; ranges may begin anew a little.
    assert line.counters()['down'] < 1.1 * len(message)
    line.ask('clear')
    assert tool('cat', path) == attachment
    assert line.counters()['down'] < LITTLE


def test_tail_is_exact(counted, attachment):
    """It takes the size as it is at first."""
    path, line, _ = counted
    assert tool('tail', '-c', '1000', path) == attachment[-1000:]
    assert line.counters()['down'] < 4 << 20


def test_ranges_are_exact(counted, attachment):
    path, _, _ = counted
    some = random.Random(3)
    with open(path, 'rb', buffering=0) as file:
        for _ in range(40):
            offset, length = some.randrange(SIZE + 100), some.choice([1, 100, 4096, 70_000])
            assert os.pread(file.fileno(), length, offset) == attachment[offset:offset + length]


def test_a_listing_moves_no_attachment(counted):
    path, line, _ = counted
    listed = tool('ls', '-l', path.parent).decode()
    assert NAME in listed
    assert line.counters()['down'] < LITTLE


def test_the_text_moves_no_attachment(counted):
    _, line, mail = counted
    assert b'The pictures are attached.' in (mail.inbox / '.text' / '1.txt').read_bytes()
    assert line.counters()['down'] < LITTLE


def test_of_a_whole_message_that_is_here_nothing_moves(counted, attachment):
    path, line, mail = counted
    tool('cat', mail.inbox / '1.eml')
    line.ask('clear')
    assert tool('cat', path) == attachment
    assert line.counters()['down'] < LITTLE


def test_odd_lines_that_make_up_for_each_other(server, mount):
    """As many empty lines as a full one has octets: each line behind them stands where it would."""
    data = random.Random(7).randbytes(900_000)
    lines = nastymime.coded(data).splitlines(keepends=True)
    odd = b''.join(lines[:500]) + b'\r\n' * 39 + b''.join(lines[500:])
    account = Account(server, f'u{next(NUMBERS)}')
    account.deliver([nastymime.mail(*nastymime.multipart(
        nastymime.part('text/plain', b'see below\r\n'),
        nastymime.part('application/octet-stream', odd, 'base64')))])
    mail = mount(account)
    path = mail.inbox / '.parts' / '1' / '2.bin'
    assert os.listdir(path.parent) == ['header', '1.txt', '2.bin']
    with open(path, 'rb', buffering=0) as file:
        assert os.pread(file.fileno(), 4096, 200_000) == data[200_000:204_096]
    assert tool('cat', path) == data
