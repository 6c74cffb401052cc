"""Parts that are not as long as BODYSTRUCTURE says: each byte is shown, by whichever way it comes out
that the server is wrong."""

import os
import random

import pytest

from tests.fake import fetch
from tests.fake.syntax import literal
from tests.mount.test_views_read import in_base64, multipart, out, part, read

TEXT = b'hello world\r\n' * 50
LINES = b''.join(b'%04d line of data\r\n' % n for n in range(500))
DATA = random.Random(3).randbytes(30_000)
OCTETS = {'1': TEXT, '2': LINES, '3': in_base64(DATA)}
MESSAGE = multipart(part('text/plain', TEXT), part('application/x-lines', LINES),
                    part('application/x-data', OCTETS['3'], 'base64'))
SHOWN = {'1.txt': TEXT.replace(b'\r\n', b'\n'), '2.bin': LINES, '3.bin': DATA}


def structure(said):
    sizes = {section: said.get(section, len(octets)) for section, octets in OCTETS.items()}
    return (f'(("text" "plain" NIL NIL NIL "7bit" {sizes["1"]} 50)'
            f'("application" "x-lines" NIL NIL NIL "7bit" {sizes["2"]})'
            f'("application" "x-data" NIL NIL NIL "base64" {sizes["3"]}) "mixed")').encode()


@pytest.fixture
def lying(fake, monkeypatch):
    """lying(said) -> a server with one message whose sections are said to be so long."""
    item, body = fetch.item, fetch.body

    def start(said):
        def item_or_structure(session, message, name):
            if name == 'BODYSTRUCTURE':
                return b'BODYSTRUCTURE', structure(said)
            return item(session, message, name)

        def body_or_part(session, message, kind, section, origin, length):
            if section not in OCTETS:
                return body(session, message, kind, section, origin, length)
            data, label = OCTETS[section], f'BODY[{section}]'
            if origin is not None:
                data = data[int(origin):int(origin) + int(length)]
                label += f'<{origin}>'
            return label.encode(), literal(data)
        monkeypatch.setattr(fetch, 'item', item_or_structure)
        monkeypatch.setattr(fetch, 'body', body_or_part)
        server = fake()
        server.inbox.append(MESSAGE)
        return server
    return start


@pytest.mark.parametrize('first', ['parts', 'text', 'message'])
@pytest.mark.parametrize('said', [
    {}, {'1': 0}, {'1': 10}, {'1': 2000}, {'2': 0}, {'2': 100}, {'2': 15_000}, {'3': 0},
    {'3': 7800}, {'3': 50_000}], ids=str)
def test_each_byte_of_a_part_is_shown(lying, mount, said, first):
    mail = mount(lying(said))
    parts, text = mail.inbox / '.parts' / '1', mail.inbox / '.text' / '1.txt'
    if first == 'text':
        out('cat', text)
    if first == 'message':
        out('ls', '-l', parts)
        out('cat', mail.inbox / '1.eml')
    assert os.listdir(parts) == ['header', *SHOWN]
    for name, content in SHOWN.items():
        assert out('cat', parts / name) == content
    assert out('cat', text).endswith(b'\n\n' + SHOWN['1.txt'])
    for name, content in SHOWN.items():
        assert read(parts / name) == content
