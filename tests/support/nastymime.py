"""Messages whose MIME is broken or unusual, made here, and what the views show of them."""

import base64
import binascii

HEADER = (b'From: Ada Example <ada@harbour.example>\r\nTo: dunja@harbour.example\r\n'
          b'Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nSubject: nasty\r\nMIME-Version: 1.0\r\n')


def mail(content_type, body, encoding='7bit', more=''):
    """One message; content_type: with its parameters. body: bytes, already encoded."""
    return (HEADER + f'{more}Content-Type: {content_type}\r\n'
            f'Content-Transfer-Encoding: {encoding}\r\n\r\n'.encode() + body)


def part(content_type, body, encoding='7bit', more=''):
    """One part of a multipart, with its header; body: bytes, already encoded."""
    return (f'{more}Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
            .encode() + body)


def multipart(*parts, subtype='mixed', boundary='=_cut', close=True):
    """The Content-Type and the body of a multipart of these parts."""
    cut = b'--' + boundary.encode()
    body = b''.join(cut + b'\r\n' + one + b'\r\n' for one in parts)
    return f'multipart/{subtype}; boundary="{boundary}"', body + (cut + b'--\r\n') * close


def coded(data, line=57):
    """base64 in lines, CRLF."""
    return b''.join(base64.b64encode(data[at:at + line]) + b'\r\n'
                    for at in range(0, len(data), line))


def uuencoded(data):
    return b'begin 644 x\r\n' + b''.join(
        binascii.b2a_uu(data[at:at + 45]).replace(b'\n', b'\r\n')
        for at in range(0, len(data), 45)) + b'`\r\nend\r\n'


def nested(depth):
    """A text within so many multiparts."""
    inner = part('text/plain', b'at the bottom')
    for level in range(depth):
        kind, body = multipart(inner, boundary=f'={level}')
        inner = part(kind, body)
    return HEADER + inner


def inner_message():
    return mail(*multipart(part('text/plain; charset=utf-8', 'schöne Grüße'.encode()),
                           part('application/octet-stream', coded(bytes(range(256))), 'base64'),
                           boundary='=_inner'))


def messages():
    """{what it shows: (message, {section: content} or None where only reading it is asked)}."""
    data, zeros = bytes(range(256)) * 5, (bytes(range(1, 40)) + bytes(6)) * 10
    both = (part('text/plain; charset=utf-8', b'plain'), part('text/html; charset=utf-8', b'<p>x'))
    return {
        'no MIME at all': (b'Subject: x\r\n\r\nhello\r\n', {'1': b'hello\n'}),
        'empty body': (HEADER + b'\r\n', {'1': b''}),
        'no body': (HEADER.rstrip(), None),
        'nothing': (b'x', None),
        'alternative': (mail(*multipart(*both, subtype='alternative')),
                        {'1': b'plain', '2': b'<p>x'}),
        'base64 body': (mail('text/plain; charset=utf-8', coded('Ölkännchen\n'.encode()), 'base64'),
                        {'1': 'Ölkännchen\n'.encode()}),
        'base64 without line ends': (mail('image/png', base64.b64encode(data), 'base64'),
                                     {'1': data}),
        'base64 in uneven lines': (mail(*multipart(part('image/png', b''.join(
            base64.b64encode(data)[at:at + 1 + at % 70] + b'\r\n'
            for at in rows(len(base64.b64encode(data)))), 'base64'))), {'1': data}),
        'base64 cut short': (mail('image/png', coded(data)[:-3], 'BASE64'), None),
        'base64 with rubbish': (mail('image/png', b'!!' + coded(data) + b'***\r\n', 'base64'), None),
        'base64 of nothing': (mail('image/png', b'', 'base64'), {'1': b''}),
        'quoted-printable': (mail('text/plain; charset=iso-8859-1', b'Gr=FC=DFe =\r\nan alle=20\r\n',
                                  'Quoted-Printable'), {'1': 'Grüße an alle \n'.encode()}),
        'quoted-printable broken': (mail('text/plain', b'a=ZZ=3\r\n=', 'quoted-printable'), None),
        'unknown encoding': (mail('text/plain', b'as it is\r\n', 'x-strange'),
                             {'1': b'as it is\n'}),
        'unknown charset': (mail('text/plain; charset=x-klingon', 'Wärme\r\n'.encode()),
                            {'1': 'Wärme\n'.encode()}),
        'wrong charset': (mail('text/plain; charset=utf-8', b'W\xe4rme \x80\r\n'),
                          {'1': 'Wärme €\n'.encode()}),
        'charset by another name': (mail('text/plain; charset=koi8_r', 'маяк\r\n'.encode('koi8-r')),
                                    {'1': 'маяк\n'.encode()}),
        'NUL in text': (mail('text/plain; charset=utf-8', b'a=00b\r\n', 'quoted-printable'),
                        {'1': b'ab\n'}),
        'uuencode': (mail('image/png', uuencoded(data), 'x-uuencode'), {'1': data}),
        'uuencode without the spaces at line ends': (mail('image/png', b'\r\n'.join(
            line.rstrip() for line in uuencoded(zeros).split(b'\r\n')), 'x-uuencode'),
            {'1': zeros}),
        'raw 8 bit': (HEADER + b'\r\nW\xe4rme\r\n', {'1': 'Wärme\n'.encode()}),
        'UTF-16': (mail('text/plain; charset=utf-16', coded('Grüße\n'.encode('utf-16')), 'base64'),
                   {'1': 'Grüße\n'.encode()}),
        'message in message': (mail(*multipart(part('text/plain', b'see'), part(
            'message/rfc822', inner_message()))),
            {'1': b'see', '2': inner_message(), '2.1': 'schöne Grüße'.encode(),
             '2.2': bytes(range(256))}),
        'message as body': (mail('message/rfc822', inner_message()),
                            {'1': inner_message(), '1.1': 'schöne Grüße'.encode(),
                             '1.2': bytes(range(256))}),
        'multipart in multipart': (mail(*multipart(part(*multipart(
            *both, subtype='alternative', boundary='=_in')), part('text/plain', b'after'))),
            {'1.1': b'plain', '1.2': b'<p>x', '2': b'after'}),
        'no closing boundary': (mail(*multipart(*both, close=False)), None),
        'no boundary parameter': (mail('multipart/mixed', multipart(*both)[1]), None),
        'boundary that never comes': (mail('multipart/mixed; boundary=nowhere',
                                           b'all that there is\r\n'), None),
        'boundary that never comes inside': (mail(*multipart(
            part('multipart/alternative; boundary=nowhere', b'all that there is\r\n'),
            part('image/png', coded(data), 'base64'))), None),
        'multipart of nothing': (mail(*multipart()), None),
        'bad type': (mail('blorb', b'text\r\n'), {'1': b'text\n'}),
        'type of many words': (mail('text plain; =; x', b'text\r\n'), {'1': b'text\n'}),
        'type of three words': (mail('a/b/c', b'text\r\n'), {'1': b'text\n'}),
        'multipart in base64': (mail(*multipart(*both), encoding='base64'), None),
        '60 levels': (nested(60), {'.'.join(['1'] * 60): b'at the bottom'}),
        '5,000 levels': (nested(5000), None),
        '300 parts': (mail(*multipart(*[part('text/plain', b'%d' % n) for n in range(1, 301)])),
                      {str(n): b'%d' % n for n in range(1, 301)}),
        '3,000 parts': (mail(*multipart(*[part('text/plain', b'%d' % n)
                                          for n in range(3000)])), None),
        'long line': (mail('text/plain', b'y' * 100_000 + b'\r\n'), {'1': b'y' * 100_000 + b'\n'}),
        'HTML alone': (mail('text/html; charset=utf-8', b'<p>Hello <b>you</b><script>no</script>'),
                       {'1': b'<p>Hello <b>you</b><script>no</script>'}),
    }


# What a reader of the text must find there: of a message whose structure says nothing, all of it.
READABLE = {
    'no MIME at all': 'hello', 'alternative': 'plain', 'base64 body': 'Ölkännchen',
    'quoted-printable': 'Grüße an alle', 'quoted-printable broken': 'a', 'unknown encoding': 'as it is',
    'unknown charset': 'Wärme', 'charset by another name': 'маяк', 'NUL in text': 'ab',
    'wrong charset': 'Wärme', 'raw 8 bit': 'Wärme', 'UTF-16': 'Grüße',
    'message in message': 'see', 'multipart in multipart': 'plain', 'no closing boundary': 'plain',
    'no boundary parameter': 'plain', 'boundary that never comes': 'all that there is',
    'boundary that never comes inside': 'all that there is',
    'bad type': 'text', 'type of many words': 'text', 'type of three words': 'text',
    'multipart in base64': 'plain', '60 levels': 'at the bottom',
    '300 parts': '1', 'long line': 'yyyyyyyy', 'HTML alone': 'Hello you',
}


def rows(total):
    """Where lines of 1 to 70 characters begin."""
    at = 0
    while at < total:
        yield at
        at += 1 + at % 70
