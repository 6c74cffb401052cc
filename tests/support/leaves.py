"""The leaf parts of a message as Python's email package finds them: a second opinion, from another
parser, of what the views show."""

import base64
import codecs
import email
import email.policy
import io
from email.generator import BytesGenerator
from typing import NamedTuple

# As mail has it on the wire, and header fields as they came.
WIRE = email.policy.compat32.clone(linesep='\r\n')
MESSAGES = ('message/rfc822',)  # alone, as BODYSTRUCTURE of IMAP4rev1 has it

# What mail calls a charset, and Python otherwise: its web-like superset, as readers take it.
CHARSETS = {'gb2312': 'gb18030', 'gbk': 'gb18030', 'ks_c_5601-1987': 'cp949', 'euc-kr': 'cp949',
            'iso-8859-1': 'cp1252', 'us-ascii': 'ascii', 'x-unknown': None, 'unknown-8bit': None, '8bit': None}


class Leaf(NamedTuple):
    section: str    # "1.2", as RFC 3501 6.4.5 numbers them
    type: str
    decoded: bytes  # without the transfer encoding; of an inner message as Python writes it again
    charset: str    # as declared, or None
    encoding: str
    disposition: str
    filename: str

    @property
    def text(self):
        return self.type.startswith('text/')

    @property
    def message(self):
        return self.type in MESSAGES

    def as_text(self):
        """Its text, or None where the bytes are not in the charset that is declared."""
        name = (self.charset or 'us-ascii').lower()
        name = CHARSETS.get(name, name)
        try:
            return codecs.decode(self.decoded, name)
        except (LookupError, UnicodeDecodeError, TypeError, ValueError):
            return None


class Mail(NamedTuple):
    leaves: list    # in the order of their sections; of a message without parts one, "1"
    defects: set    # names of what Python found wrong, in any part


def parse(message):
    """All of a message."""
    mail = email.message_from_bytes(message, policy=WIRE)
    return Mail(list(numbered(mail, '')),
                {type(defect).__name__ for part in mail.walk() for defect in part.defects})


def numbered(mail, prefix):
    """prefix: the section of the message or multipart that it is the body of, with a dot."""
    if mail.get_content_maintype() == 'multipart' and mail.is_multipart():
        for number, part in enumerate(mail.get_payload(), 1):
            yield from within(part, f'{prefix}{number}')
    else:
        yield from within(mail, f'{prefix}1')


def within(part, section):
    """One body part: a multipart is no leaf itself, an inner message is one and has leaves."""
    if part.get_content_maintype() == 'multipart' and part.is_multipart():
        yield from numbered(part, section + '.')
        return
    yield leaf(part, section)
    if part.get_content_type() in MESSAGES and part.is_multipart():
        yield from numbered(part.get_payload(0), section + '.')


def leaf(part, section):
    encoding = str(part.get('content-transfer-encoding', '7bit')).strip().lower()
    if 'content-transfer-encoding' in part:
        part.replace_header('content-transfer-encoding', encoding)
    return Leaf(section, part.get_content_type(), decoded(part, encoding), charset_of(part),
                encoding, part.get_content_disposition() or '', part.get_filename() or '')


def decoded(part, encoding):
    if not part.is_multipart():
        return part.get_payload(decode=True)
    # RFC 2046 5.2 has none of these encodings in a message/; where it is nevertheless:
    return base64.b64decode(written(part)) if encoding == 'base64' else written(part)


def charset_of(part):
    charset = part.get_param('charset')
    return charset[2] if isinstance(charset, tuple) else charset


def written(part):
    """The body of a message/ part, which Python keeps as messages only."""
    out = io.BytesIO()
    inner = BytesGenerator(out, mangle_from_=False, maxheaderlen=0, policy=WIRE)
    for number, one in enumerate(part.get_payload()):
        # The blocks of a message/delivery-status are messages to Python, without a body each.
        out.write(b'\r\n' if number and out.getvalue()[-2:] != b'\r\n' else b'')
        inner.flatten(one)
    return out.getvalue()
