"""What is in the files of `.text` and `.parts`: every byte, whoever reads it and however, and sizes
that are right once it was read."""

import base64
import gzip
import mmap
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

DATA = random.Random(5).randbytes(300_000)
GREEK = 'Καλημέρα, κόσμε'
WORDS = {'utf-8': GREEK, 'iso-8859-7': GREEK, 'koi8-r': 'Доброе утро', 'gb18030': '早上好',
         'iso-2022-jp': 'おはようございます', 'windows-1252': '„naïve“ – 5 €', 'utf-16': 'Ünï'}


def header(more='', subject='Hello'):
    return (f'From: Alice <alice@example.org>\r\nTo: bob@example.org\r\n'
            f'Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nSubject: {subject}\r\n'
            f'MIME-Version: 1.0\r\n{more}\r\n').encode()


def in_base64(data, line=76, end=b'\r\n'):
    text = base64.b64encode(data)
    return b''.join(text[at:at + line] + end for at in range(0, len(text), line))


def in_quoted_printable(data):
    """Each byte encoded, in lines with soft ends."""
    return b''.join(b''.join(b'=%02X' % byte for byte in data[at:at + 24]) + b'=\r\n'
                    for at in range(0, len(data), 24))


def part(kind, body, encoding='7bit', more=''):
    return (f'Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n{more}\r\n'
            ).encode() + body


def multipart(*parts, kind='mixed', boundary='=_b'):
    lines = b''.join(b'--%s\r\n%s\r\n' % (boundary.encode(), one) for one in parts)
    return (header(f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n') + lines +
            b'--%s--\r\n' % boundary.encode())


def attached(name, data, encoded=in_base64, encoding='base64', kind='application/octet-stream'):
    return part(kind, encoded(data), encoding,
                f'Content-Disposition: attachment; filename="{name}"\r\n')


LINES = b''.join(b'line %d of the text\r\n' % n for n in range(4000))
PLAIN = header() + b'Just text\r\n'
LETTER = multipart(part('text/plain; charset=utf-8', f'{GREEK}\r\n'.encode(), '8bit'),
                   attached('data.bin', DATA),
                   attached('data.gz', gzip.compress(DATA[:1000], mtime=0)))


@pytest.fixture
def mail(dovecot, mount):
    """mail(MESSAGE..., **options) -> the folder."""
    def start(*messages, **options):
        dovecot.deliver(messages)
        return mount(dovecot, **options).inbox
    return start


def out(*words):
    run = subprocess.run(list(map(str, words)), capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def read(path):
    """Its bytes; its size is right then."""
    data = out('cat', path)
    assert path.stat().st_size == len(data)
    return data


# ---- text

def test_what_a_reader_wants(mail):
    inbox = mail(PLAIN)
    assert read(inbox / '.text' / '1.txt') == (
        b'From: Alice <alice@example.org>\nTo: bob@example.org\n'
        b'Date: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: Hello\n\nJust text\n')


@pytest.mark.parametrize('encoding', ['base64', 'quoted-printable'])
@pytest.mark.parametrize('charset', WORDS)
def test_charsets(mail, charset, encoding):
    encode = in_base64 if encoding == 'base64' else in_quoted_printable
    body = encode((WORDS[charset] + '\r\n').encode(charset))
    inbox = mail(header(f'Content-Type: text/plain; charset={charset}\r\n'
                        f'Content-Transfer-Encoding: {encoding}\r\n') + body)
    assert read(inbox / '.text' / '1.txt').decode().endswith(f'\n\n{WORDS[charset]}\n')
    parts = os.listdir(inbox / '.parts' / '1')
    assert sorted(parts) == ['1.txt', 'header']
    assert read(inbox / '.parts' / '1' / '1.txt').decode().strip() == WORDS[charset]


def test_grep_finds_what_is_encoded(mail):
    inbox = mail(*(header(f'Content-Type: text/plain; charset={charset}\r\n'
                          f'Content-Transfer-Encoding: base64\r\n') +
                   in_base64(f'{word}\r\nNadel\r\n'.encode(charset))
                   for charset, word in WORDS.items()))
    found = out('grep', '-rl', 'Nadel', inbox / '.text').decode().split()
    assert len(found) == len(WORDS)
    assert subprocess.run(['grep', '-rl', 'Nadel', inbox]).returncode == 1


def test_html_alone_is_rendered(mail):
    html = ('<html><head><style>b {}</style></head><body><p>Hello <b>world</b></p>'
            '<a href="https://example.org/x">a link</a><script>no()</script></body></html>')
    inbox = mail(header('Content-Type: text/html; charset=utf-8\r\n') + html.encode())
    text = read(inbox / '.text' / '1.txt').decode()
    assert 'Hello world' in text and 'https://example.org/x' in text
    assert 'no()' not in text and 'b {}' not in text and '<b>' not in text


def test_attachments_are_no_text(mail):
    text = read(mail(LETTER) / '.text' / '1.txt').decode()
    assert text.endswith(f'\n\n{GREEK}\n')


def test_one_reader_behind_the_end_and_one_before_it(mail):
    """A long text of HTML is much shorter than it was told, and another program reads it where it
    has nothing."""
    html = b'<p>' + b'<span class="nothing to be seen">x</span>\r\n' * 30_000 + b'</p>'
    count = 12
    inbox = mail(*[header('Content-Type: text/html\r\n') + html] * count)
    found = set()
    for uid in range(1, count + 1):
        with open(inbox / '.text' / f'{uid}.txt', 'rb', buffering=0) as file, \
                ThreadPoolExecutor(8) as others:
            told = os.fstat(file.fileno()).st_size
            for offset in range(told // 2, told, told // 16):
                others.submit(os.pread, file.fileno(), 4096, offset)
            found.add(file.read())
            assert told > 2 * os.fstat(file.fileno()).st_size
    assert len(found) == 1
    text = found.pop()
    assert b'\0' not in text and len(text) > 30_000


# ---- parts

def test_parts_are_listed_and_read(mail):
    parts = mail(LETTER) / '.parts' / '1'
    assert os.listdir(parts) == ['header', '1.txt', '2-data.bin', '3-data.gz']
    assert read(parts / '1.txt').decode() == f'{GREEK}\n'
    assert read(parts / '2-data.bin') == DATA
    assert gzip.decompress(read(parts / '3-data.gz')) == DATA[:1000]
    text = read(parts / 'header').decode()
    assert 'Subject: Hello\n' in text and 'Content-Type: multipart/mixed' in text


def test_no_other_name_is_among_the_parts(mail):
    parts = mail(LETTER) / '.parts' / '1'
    for name in ('1', '2', '2-data', '4.txt', 'Header', '.text', '1.txt.'):
        assert not (parts / name).exists()
    with pytest.raises(NotADirectoryError):
        os.stat(parts / '1.txt' / 'x')


def test_a_message_in_a_message(mail):
    inner = multipart(part('text/plain', b'inside\r\n'), attached('x.bin', DATA[:500]),
                      boundary='inner')
    parts = mail(multipart(part('text/plain', b'outside\r\n'),
                           part('message/rfc822', inner))) / '.parts' / '1'
    names = os.listdir(parts)
    assert [name.partition('-')[0].partition('.txt')[0] for name in names] == [
        'header', '1', '2' if '2.eml' not in names else '2.eml', '2.1', '2.2']
    whole = next(name for name in names if name.endswith('.eml'))
    assert read(parts / whole) == inner
    assert read(parts / '2.1.txt') == b'inside\n'
    assert read(parts / '2.2-x.bin') == DATA[:500]


ENCODINGS = {
    'base64': (in_base64, 'base64'),
    'base64 with LF': (lambda data: in_base64(data, end=b'\n'), 'base64'),
    'base64 in long lines': (lambda data: in_base64(data, line=1024), 'base64'),
    'base64 in one line': (lambda data: base64.b64encode(data) + b'\r\n', 'base64'),
    'base64 in lines of any length': (
        lambda data: in_base64(data[:600], 60) + in_base64(data[600:], 72), 'base64'),
    'quoted-printable': (in_quoted_printable, 'quoted-printable'),
    'binary': (lambda data: data, 'binary'),
}


@pytest.mark.parametrize('how', ENCODINGS)
@pytest.mark.parametrize('cached', [False, True])
def test_every_range_of_a_part(mail, how, cached):
    encode, encoding = ENCODINGS[how]
    # Dovecot has other bytes for some of these.
    data = DATA.translate(None, b'\0\r\n') if how == 'binary' else DATA
    inbox = mail(multipart(part('text/plain', b'see below\r\n'),
                           attached('data.bin', data, encode, encoding)))
    if cached:
        out('cat', inbox / '1.eml')
    path = inbox / '.parts' / '1' / '2-data.bin'
    ranges = random.Random(7)
    with open(path, 'rb', buffering=0) as file:
        for _ in range(20):
            offset, size = ranges.randrange(len(data)), ranges.randrange(1, 60_000)
            assert os.pread(file.fileno(), size, offset) == data[offset:offset + size]
    assert read(path) == data


def test_tail_and_mmap_of_an_attachment(mail):
    path = mail(LETTER) / '.parts' / '1' / '2-data.bin'
    assert path.stat().st_size == len(DATA)
    assert out('tail', '-c', '100', path) == DATA[-100:]
    with open(path, 'rb') as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert view[:] == DATA


def test_who_opens_a_file_is_told_its_length(mail):
    """wc, tail, mmap and tar go by what fstat says before the first READ."""
    encoded = part('text/plain; charset=koi8-r', base64.b64encode('Доброе утро\n'.encode('koi8-r')),
                   'base64')
    inbox = mail(PLAIN, header() + LINES, multipart(encoded), LETTER)
    first = inbox / '.text' / '1.txt'
    assert first.stat().st_size == len(read(first))
    second = inbox / '.text' / '2.txt'
    assert out('tail', '-n', '1', second) == b'line 3999 of the text\n'
    third = inbox / '.text' / '3.txt'
    with open(third, 'rb') as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert view[:].decode().endswith('Доброе утро\n')
    for name in ('header', '1.txt'):
        path = inbox / '.parts' / '4' / name
        assert path.stat().st_size == len(read(path))


@pytest.mark.parametrize('how', ['-1', '-l'])
def test_tar_of_a_folder_of_texts(mail, tmp_path, how):
    """It lists first, so that only the first length is none to rely on; those that `ls -l` was told
    before are none for long."""
    texts = mail(*[header(subject=f'No. {n}') + LINES[:n * 100] for n in range(20)]) / '.text'
    out('ls', how, texts)
    names = os.listdir(texts)
    read(texts / names[0])
    out('tar', '-cf', tmp_path / 'texts.tar', '-C', texts, *names)
    (tmp_path / 'out').mkdir()
    out('tar', '-xf', tmp_path / 'texts.tar', '-C', tmp_path / 'out')
    for name in names:
        assert (tmp_path / 'out' / name).read_bytes() == read(texts / name)


def test_cp_and_tar_of_parts(mail, tmp_path):
    parts = mail(LETTER) / '.parts' / '1'
    out('cp', '-r', parts, tmp_path / 'copy')
    assert (tmp_path / 'copy' / '2-data.bin').read_bytes() == DATA
    out('tar', '-cf', tmp_path / 'parts.tar', '-C', parts, *os.listdir(parts))
    (tmp_path / 'out').mkdir()
    out('tar', '-xf', tmp_path / 'parts.tar', '-C', tmp_path / 'out')
    assert (tmp_path / 'out' / '2-data.bin').read_bytes() == DATA
    assert sorted(os.listdir(tmp_path / 'copy')) == sorted(os.listdir(parts))


def test_an_empty_part(mail):
    parts = mail(multipart(part('text/plain', b''), attached('empty.bin', b''))) / '.parts' / '1'
    assert read(parts / '2-empty.bin') == b''
    assert read(parts / '1.txt') == b''


@pytest.mark.parametrize('message', [
    b'', b'\r\n', b'x', b'Subject: x', b'no header\r\n\r\nat all\r\n',
    header('Content-Type: multipart/mixed; boundary=x\r\n') + b'no part\r\n',
    header('Content-Type: multipart/mixed; boundary=x\r\n') + b'--x\r\n',
    header('Content-Type: multipart/mixed\r\n') + b'no boundary\r\n',
    header('Content-Type: text/plain; charset=nowhere\r\n') + b'caf\xe9\r\n',
    header('Content-Transfer-Encoding: base64\r\n') + b'!!! not base64\r\n',
], ids=range(10))
def test_whatever_a_message_is(mail, message):
    inbox = mail(PLAIN, message)
    read(inbox / '.text' / '2.txt')
    for path in (inbox / '.parts' / '2').iterdir():
        read(path)
    for uid in (1, 2):
        assert (inbox / '.text' / f'{uid}.txt').stat().st_mtime == 1500000000 + uid
