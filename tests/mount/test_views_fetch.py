"""What is asked of the server for `.text` and `.parts`: no more than is looked at, and nothing that
is here already."""

import errno
import os
import subprocess

import pytest

from tests.conftest import needs, start_dovecot
from tests.mount.test_views_read import (DATA, LETTER, attached, in_base64, multipart, out,
                                         part)
from tests.support.dovecot import Account
from tests.support.relay import Relay

BODY = rb'BODY\.PEEK\[|BINARY'
SECTIONS = rb'BODY\.PEEK\[(?!HEADER\.FIELDS)|BINARY'
LARGE = multipart(part('text/plain', b'see below\r\n'), attached('data.bin', DATA * 10))
COUNT = 300


class Seen(Relay):
    """An account whose commands are seen."""

    def __init__(self, account):
        super().__init__(account.dovecot.clear_port)
        self.account = account
        self.password, self.ca = account.password, account.ca
        self.source = f'imap://{account.user}@localhost:{self.port}'
        self.options = {'tls': 'none'}

    def asked(self, pattern):
        return [str(line) for line in self.lines(rb'.*(?:%s)' % pattern)]

    def close(self):
        if self.listener.fileno() >= 0:
            super().close()


@pytest.fixture
def seen(dovecot):
    relay = Seen(dovecot)
    yield relay
    relay.close()


def forget(seen):
    with seen.cond:
        del seen.log[:]


def walk(top):
    """Names alone."""
    return [os.path.join(place, name) for place, dirs, files in os.walk(top)
            for name in dirs + files]


# ---- listings

def test_names_of_text_and_parts_cost_names_alone(seen, mount):
    seen.account.deliver([LETTER] * COUNT)
    mail = mount(seen)
    assert len(os.listdir(mail.inbox / '.text')) == COUNT
    assert len(os.listdir(mail.inbox / '.parts')) == COUNT
    assert not seen.asked(rb'FETCH')


def test_ls_l_of_text_asks_for_outlines_in_windows(seen, mount):
    seen.account.deliver([LETTER] * COUNT)
    mail = mount(seen)
    out('ls', '-l', mail.inbox / '.text')
    assert not seen.asked(SECTIONS)
    assert seen.asked(rb'BODYSTRUCTURE')
    assert len(seen.asked(rb'FETCH')) < COUNT / 10


def test_looking_at_texts_fetches_few(seen, mount):
    """Without a listing before, too, and after one of them was read."""
    seen.account.deliver([LETTER] * COUNT)
    texts = mount(seen).inbox / '.text'
    out('stat', *[texts / f'{uid}.txt' for uid in range(1, 101)])
    out('cat', texts / '1.txt')
    out('stat', *[texts / f'{uid}.txt' for uid in range(101, 201)])
    assert 1 <= len(seen.asked(SECTIONS)) < 20


def test_ls_l_of_parts_asks_for_dates_alone(seen, mount):
    seen.account.deliver([LETTER] * COUNT)
    mail = mount(seen)
    out('ls', '-l', mail.inbox / '.parts')
    assert not seen.asked(BODY + rb'|BODYSTRUCTURE')


def test_names_of_all_parts_ask_for_outlines_in_windows(seen, mount):
    seen.account.deliver([LETTER] * COUNT)
    mail = mount(seen)
    assert len(walk(mail.inbox / '.parts')) == COUNT * 5
    assert not seen.asked(SECTIONS)
    assert len(seen.asked(rb'FETCH')) < COUNT / 10


@needs('BINARY')
def test_lengths_are_told_by_the_server(seen, mount):
    seen.account.deliver([LARGE])
    mail = mount(seen)
    out('ls', '-l', mail.inbox / '.parts' / '1')
    assert len(seen.asked(rb'BINARY\.SIZE')) == 1
    assert not seen.asked(rb'BODY\.PEEK\[(?!HEADER\.FIELDS)|BINARY\.PEEK\[')
    assert (mail.inbox / '.parts' / '1' / '2-data.bin').stat().st_size == len(DATA) * 10


def test_lengths_of_several_attachments_are_right(seen, mount):
    """Dovecot 2.3 contradicts itself about them when it keeps the message with LF."""
    sizes = [300, 20000, 5000, 70]
    seen.account.deliver([multipart(*(attached(f'{size}.bin', bytes(size)) for size in sizes))
                          .replace(b'\r\n', b'\n')])
    mail = mount(seen)
    parts = mail.inbox / '.parts' / '1'
    assert [(parts / f'{number}-{size}.bin').stat().st_size
            for number, size in enumerate(sizes, 1)] == sizes
    assert not seen.asked(rb'BODY\.PEEK\[\]|BINARY\.PEEK\[')


# ---- reading

def test_text_leaves_attachments_where_they_are(seen, mount):
    seen.account.deliver([LARGE])
    mail = mount(seen)
    assert out('cat', mail.inbox / '.text' / '1.txt').endswith(b'\n\nsee below\n')
    assert seen.asked(rb'BODY\.PEEK\[1\]')
    assert not seen.asked(rb'BODY\.PEEK\[2|BODY\.PEEK\[\]|BINARY\.PEEK')


@pytest.mark.parametrize('mask', [(), ('BINARY',)])
def test_the_beginning_of_an_attachment(dovecot, mount, proxy, mask, tmp_path_factory, certs):
    server = start_dovecot(tmp_path_factory, certs, mask=mask) if mask else None
    account = Account(server, 'masked') if server else dovecot
    try:
        account.deliver([LARGE])
        line = proxy(account.port)
        mail = mount(account, source=f'imaps://{account.user}@localhost:{line.port}')
        path = mail.inbox / '.parts' / '1' / '2-data.bin'
        before = line.counters()['down']
        assert out('head', '-c', '1000', path) == DATA[:1000]
        assert line.counters()['down'] - before < 200 << 10
        assert out('cat', path) == DATA * 10
        mail.unmount()
    finally:
        if server:
            server.stop()


@needs('BINARY')
@pytest.mark.parametrize('end', [b'***\r\n', b'AAA'], ids=['rubbish', 'cut short'])
def test_a_part_that_the_server_cannot_decode_is_decoded_here(seen, mount, end):
    """Dovecot says NO [PARSE] to the one, and ends the connection over the other."""
    broken = part('image/png', in_base64(DATA) + end, 'base64')
    seen.account.deliver([multipart(part('text/plain', b'x'), broken), LARGE])
    mail = mount(seen, expect=['FETCH failed'])
    path = mail.inbox / '.parts' / '1' / '2.png'
    assert out('cat', path).startswith(DATA)
    assert out('cat', path).startswith(DATA)
    assert len(seen.asked(rb'BINARY')) == 1
    out('cat', mail.inbox / '.parts' / '2' / '2-data.bin')
    assert seen.asked(rb'BINARY\.PEEK\[2\]')


@needs('BINARY')
def test_a_part_over_which_the_connection_is_lost_is_asked_for_as_it_is(seen, mount):
    seen.account.deliver([LARGE])
    mail = mount(seen, expect=['connection', 'closed'])
    cut = seen.cut(rb'.*BINARY\.PEEK')
    assert out('cat', mail.inbox / '.parts' / '1' / '2-data.bin') == DATA * 10
    assert cut.done == len(seen.asked(rb'BINARY\.PEEK')) == 1
    assert seen.asked(rb'BODY\.PEEK\[2\]')


def test_a_message_that_is_here_is_asked_for_no_more(seen, mount):
    seen.account.deliver([LETTER, LARGE])
    mail = mount(seen)
    for uid in (1, 2):
        out('cat', mail.inbox / f'{uid}.eml')
    forget(seen)
    assert out('cat', mail.inbox / '.text' / '2.txt').endswith(b'\n\nsee below\n')
    assert out('cat', mail.inbox / '.parts' / '2' / '2-data.bin') == DATA * 10
    for path in walk(mail.inbox / '.parts' / '1'):
        out('cat', path)
    assert not seen.asked(rb'FETCH')


def test_what_was_read_is_read_again_without_the_server(seen, mount):
    seen.account.deliver([LETTER, LARGE])
    mail = mount(seen)
    for path in (mail.inbox / '.text' / '1.txt', mail.inbox / '.parts' / '1' / '2-data.bin'):
        out('cat', path)
    mail.unmount()
    forget(seen)
    mail = mount(seen)
    first = out('cat', mail.inbox / '.text' / '1.txt')
    assert first.startswith(b'From: Alice')
    assert out('cat', mail.inbox / '.parts' / '1' / '2-data.bin') == DATA
    assert not seen.asked(BODY + rb'|BODYSTRUCTURE')


def test_without_the_server_there_is_what_is_here(seen, mount):
    seen.account.deliver([LETTER, LARGE])
    mail = mount(seen)
    text = mail.inbox / '.text'
    expected = out('cat', text / '1.txt')
    os.listdir(mail.inbox)
    mail.unmount()
    seen.close()
    mail = mount(seen, expect=['offline', 'cannot', 'refused', 'error', 'server'])
    assert out('cat', mail.inbox / '.text' / '1.txt') == expected
    assert sorted(os.listdir(mail.inbox / '.text')) == ['1.txt', '2.txt']
    with pytest.raises(OSError) as failure:
        (mail.inbox / '.text' / '2.txt').read_bytes()
    assert failure.value.errno == errno.EHOSTUNREACH


def test_du_and_find_of_the_folder_stay_out_of_views(seen, mount):
    seen.account.deliver([LETTER] * 5)
    mail = mount(seen)
    for words in (['du', '-a'], ['find'], ['grep', '-r', 'nowhere to be found'], ['ls', '-lR']):
        run = subprocess.run([*words, mail.inbox], capture_output=True)
        assert not any(name in run.stdout for name in (b'.text', b'.parts', b'.search', b'.names'))
    assert not seen.asked(rb'BODYSTRUCTURE|HEADER\.FIELDS|BODY\.PEEK\[\d')
