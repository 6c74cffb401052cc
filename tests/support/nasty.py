"""Messages that break careless readers, made here."""

import random

HEADER = b'From: a@example.org\r\nSubject: nasty\r\n'


def messages():
    """{what it shows: bytes}, the same in every run."""
    some = random.Random(7)
    lines = b''.join(b'%d ' % n * 12 + b'\r\n' for n in range(4000))
    return {
        'plain': HEADER + b'\r\nhello\r\n',
        'nul bytes': HEADER + b'\r\na\0b\0\0c\r\n',
        'bare CR': HEADER + b'\r\none\rtwo\r\rthree\r\n',
        'bare LF': b'From: a@example.org\nSubject: lf\n\nfirst\nsecond\n',
        'mixed ends': HEADER + b'\r\nunix\nmac\rdos\r\n\n\r\r\n',
        'no final newline': HEADER + b'\r\nthe end',
        'ends in CR': HEADER + b'\r\nthe end\r',
        'ends in NUL': HEADER + b'\r\nthe end\0',
        '8-bit': HEADER + b'\r\n' + bytes(range(1, 256)) + b'\r\n',
        'no header': b'\r\nnothing but a body\r\n',
        'blank first line': b'\r\n' + HEADER + b'\r\nbody\r\n',
        'no body': HEADER + b'\r\n',
        'only a header line': b'Subject: x\r\n',
        'one byte': b'x',
        'no colon': b'this is not a message at all',
        'long header': b'Subject: ' + b'x' * 200_000 + b'\r\n\r\nbody\r\n',
        'many headers': b'X-N: y\r\n' * 20_000 + b'\r\nbody\r\n',
        'long line': HEADER + b'\r\n' + b'y' * 300_000 + b'\r\n',
        'looks like IMAP': HEADER + b'\r\n)\r\nA1 OK done\r\n* BYE\r\n{5}\r\n* 1 EXPUNGE\r\n',
        'ends like a literal': HEADER + b'\r\n{2147483647}\r\n',
        'random bytes': HEADER + b'\r\n' + some.randbytes(100_001),
        'four pages exactly': (HEADER + b'\r\n' + b'z' * 16384)[:16384],
        'a page and one': (HEADER + b'\r\n' + b'z' * 4097)[:4097],
        'at the small limit': (HEADER + b'\r\n' + b'w' * (128 << 10))[:128 << 10],
        'past the small limit': (HEADER + b'\r\n' + b'w' * (128 << 10))[:(128 << 10) + 1],
        'lines': HEADER + b'\r\n' + lines,
    }


def large(size, seed=1):
    """One message of exactly `size` bytes in lines that differ."""
    some = random.Random(seed)
    line = some.randbytes(57).hex().encode()
    body = bytearray(HEADER + b'\r\n')
    number = 0
    while len(body) < size:
        body += b'%08d %s\r\n' % (number, line)
        number += 1
    return bytes(body[:size])
