"""Words that stand only inside transfer encodings: grep finds them in .text, in each charset."""

import base64
import subprocess

import pytest

# charset -> a word of a script that it has, and which no other message here has.
WORDS = {'utf-8': 'Schlüsseldienst', 'iso-2022-jp': '検索言葉', 'koi8-r': 'маяк',
         'gb18030': '灯塔管理', 'us-ascii': 'needle'}


def hidden(data, encoding):
    """Encoded so that no letter of it stands there as it is."""
    if encoding == 'quoted-printable':
        data = ''.join(f'={byte:02X}' for byte in data).encode()
        lines = [data[at:at + 72] for at in range(0, len(data), 72)]
        return b'=\r\n'.join(lines) + b'\r\n'
    return base64.encodebytes(data).replace(b'\n', b'\r\n')


def message(number, charset, encoding, text, attached):
    """One whose text, or the first part of it, is in this charset and encoding."""
    header = (f'From: a@example.org\r\nSubject: {number}\r\nMIME-Version: 1.0\r\n').encode()
    kind = f'Content-Type: text/plain; charset={charset}\r\n' \
           f'Content-Transfer-Encoding: {encoding}\r\n\r\n'.encode()
    body = kind + hidden(text.encode(charset), encoding)
    if not attached:
        return header + body
    return (header + b'Content-Type: multipart/mixed; boundary="=_cut"\r\n\r\n--=_cut\r\n' + body +
            b'--=_cut\r\nContent-Type: application/octet-stream\r\n'
            b'Content-Transfer-Encoding: base64\r\n\r\n' +
            base64.encodebytes(bytes(range(256)) * 400).replace(b'\n', b'\r\n') + b'--=_cut--\r\n')


def mailbox():
    """(messages, {word: UIDs of those that have it}); every second one is without a word."""
    messages, where = [], {}
    for charset, word in WORDS.items():
        for encoding in ('base64', 'quoted-printable'):
            for attached in (False, True):
                for text in (f'first line\n{word} stands here\n', 'nothing to find\n'):
                    messages.append(message(len(messages) + 1, charset, encoding, text, attached))
                where.setdefault(word, set()).add(len(messages) - 1)
    return messages, where


def found(word, folder):
    """The numbers of the files that `grep -rl` names."""
    run = subprocess.run(['grep', '-rl', '--', word, folder], capture_output=True, text=True)
    assert run.returncode in (0, 1) and not run.stderr, run.stderr
    return {int(line.rpartition('/')[2].split('.')[0]) for line in run.stdout.splitlines()}


@pytest.mark.parametrize('word', WORDS.values(), ids=WORDS)
def test_grep_finds_what_is_encoded(dovecot, mount, word):
    messages, where = mailbox()
    dovecot.deliver(messages)
    mail = mount(dovecot)
    assert found(word, mail.inbox) == set()
    assert found(word, mail.inbox / '.text') == where[word]


def test_grep_finds_it_again_from_the_cache(dovecot, mount):
    """All of it at once, then from what is kept, then from whole messages."""
    messages, where = mailbox()
    dovecot.deliver(messages)
    mail = mount(dovecot)
    for _ in range(2):
        assert {word: found(word, mail.inbox / '.text') for word in where} == where
    mail.unmount()
    mail = mount(dovecot)
    assert found('nowhere', mail.inbox) == set()
    assert {word: found(word, mail.inbox / '.text') for word in where} == where
