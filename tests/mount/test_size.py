"""RFC822.SIZE is wrong, on purpose: every reader sees the true bytes all the same."""

import mmap
import os
import subprocess

import pytest

from tests.support import nasty

LIES = {
    'half': lambda message: len(message.body) // 2,
    'double': lambda message: len(message.body) * 2,
    'one less': lambda message: len(message.body) - 1,
    'one more': lambda message: len(message.body) + 1,
    'zero': lambda message: 0,
    'missing': lambda message: None,
    'huge': lambda message: 4294967295,
}

BODIES = [b'Subject: %d\r\n\r\n' % n + b'line %d\r\n' % n * n * 40 for n in range(1, 12)] + [
    b'x', nasty.large(40_000), nasty.large(300_000), nasty.large(3_000_000)]


def out(*words):
    run = subprocess.run(list(map(str, words)), capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(params=LIES)
def lying(request, fake):
    server = fake()
    server.inbox.extend(BODIES)
    server.quirks.size = LIES[request.param]
    return server


def test_cat_sees_every_byte_at_the_first_read(lying, mount):
    mail = mount(lying)
    for uid, body in enumerate(BODIES, 1):
        assert out('cat', mail.inbox / f'{uid}.eml') == body
        assert os.stat(mail.inbox / f'{uid}.eml').st_size == len(body)


def test_cp_sees_every_byte(lying, mount, tmp_path):
    mail = mount(lying)
    for uid, body in enumerate(BODIES, 1):
        out('cp', mail.inbox / f'{uid}.eml', tmp_path / f'{uid}')
        assert (tmp_path / f'{uid}').read_bytes() == body


def test_cp_of_the_folder_after_ls(lying, mount, tmp_path):
    mail = mount(lying)
    out('ls', '-l', mail.inbox)
    out('cp', '-r', mail.inbox, tmp_path / 'copy')
    assert [(tmp_path / 'copy' / f'{uid}.eml').read_bytes()
            for uid in range(1, len(BODIES) + 1)] == BODIES


def test_grep_counts_every_line(lying, mount):
    mail = mount(lying)
    for uid in range(1, 12):
        assert out('grep', '-c', 'line', mail.inbox / f'{uid}.eml') == b'%d\n' % (uid * 40)


def test_tail_and_mmap_once_the_server_was_caught(lying, mount):
    """The first read catches the server; from then on sizes are found out before they are shown."""
    mail = mount(lying)
    out('cat', mail.inbox / '1.eml')
    for uid, body in enumerate(BODIES[1:], 2):
        assert out('tail', '-c', '10', mail.inbox / f'{uid}.eml') == body[-10:]
    for uid, body in enumerate(BODIES, 1):
        with open(mail.inbox / f'{uid}.eml', 'rb') as file, \
                mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
            assert view[:] == body


def test_sizes_shown_before_the_server_was_caught_are_put_right(lying, mount):
    mail = mount(lying)
    out('ls', '-l', mail.inbox)
    out('cat', mail.inbox / '5.eml')
    sizes = [os.stat(mail.inbox / f'{uid}.eml').st_size for uid in range(1, len(BODIES) + 1)]
    assert sizes == list(map(len, BODIES))


def test_an_open_file_learns_its_size(fake, mount):
    server = fake()
    server.inbox.extend(BODIES)
    server.quirks.size = LIES['half']
    mail = mount(server)
    with open(mail.inbox / '11.eml', 'rb', buffering=0) as file:
        assert file.read(10) == BODIES[10][:10]
        found = bytearray(BODIES[10][:10])
        while piece := file.read(1000):
            found += piece
        assert bytes(found) == BODIES[10]
        assert os.fstat(file.fileno()).st_size == len(BODIES[10])


def test_an_empty_message_is_empty_and_asked_for_once(fake, mount):
    server = fake()
    server.inbox.append(b'')
    server.inbox.append(BODIES[0])
    mail = mount(server)
    assert os.stat(mail.inbox / '1.eml').st_size == 0
    assert (mail.inbox / '1.eml').read_bytes() == b''
    assert (mail.inbox / '2.eml').read_bytes() == BODIES[0]


def test_an_honest_server_is_not_suspected(fake, mount):
    server = fake()
    server.inbox.extend(BODIES)
    mail = mount(server)
    out('cat', mail.inbox / '1.eml')
    before = len(server.lines(rb'BODY\.PEEK'))
    out('ls', '-l', mail.inbox)
    assert len(server.lines(rb'BODY\.PEEK')) == before
