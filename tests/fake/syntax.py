"""Client commands: from bytes to tokens, and strings back to bytes."""

from dataclasses import dataclass, field


class Bad(Exception):
    """The client broke the grammar; the text goes into the BAD answer."""


class Fault(Bad):
    """Likewise, in a way that no test may overlook: it goes to the server's errors."""


class No(Exception):
    """The server refuses; the text goes into the NO answer."""


class String(bytes):
    """A quoted string or a literal, as opposed to an atom, which is plain bytes."""


@dataclass
class Command:
    """One command as it arrived. line: all its bytes without the last CRLF, literals included."""
    connection: int
    secure: bool
    line: bytes
    tag: bytes = b''
    name: str = ''
    arguments: list = field(default_factory=list)
    mailbox: bytes | None = None  # selected when the command came

    def __str__(self):
        return self.line.decode('latin-1')


class Scanner:
    """Tokens of a command: `parts` alternates text and literals, beginning with text."""

    def __init__(self, parts):
        self.parts = parts
        self.part = self.at = 0

    def tokens(self, closing=False):
        """All tokens up to the end, or up to `)`: bytes, String, or list for parentheses."""
        found = []
        while True:
            text = self.parts[self.part]
            if self.at >= len(text):
                if self.part + 1 == len(self.parts):
                    if closing:
                        raise Bad('missing )')
                    return found
                found.append(String(self.parts[self.part + 1]))
                self.part, self.at = self.part + 2, 0
                continue
            byte = text[self.at:self.at + 1]
            if byte == b' ':
                self.at += 1
            elif byte == b'(':
                self.at += 1
                found.append(self.tokens(closing=True))
            elif byte == b')':
                if not closing:
                    raise Bad('unexpected )')
                self.at += 1
                return found
            elif byte == b'"':
                found.append(self._quoted(text))
            else:
                found.append(self._atom(text))

    def _quoted(self, text):
        out, at = bytearray(), self.at + 1
        while True:
            byte = text[at:at + 1]
            if not byte:
                raise Bad('missing quote')
            if byte == b'"':
                break
            if byte == b'\\':
                at += 1
                byte = text[at:at + 1]
                if byte not in (b'"', b'\\'):
                    raise Bad('bad escape in a quoted string')
            out += byte
            at += 1
        self.at = at + 1
        return String(out)

    def _atom(self, text):
        """Up to a space or parenthesis outside of [brackets]."""
        start, depth = self.at, 0
        while self.at < len(text):
            byte = text[self.at:self.at + 1]
            if byte == b'[':
                depth += 1
            elif byte == b']':
                depth -= 1
            elif depth <= 0 and byte in b' ()"':
                break
            self.at += 1
        return text[start:self.at]


def literal_size(text):
    """(octets, synchronising) when the text ends in {n} or {n+}, else None."""
    if not text.endswith(b'}'):
        return None
    digits = text[text.rfind(b'{') + 1:-1] if b'{' in text else b''
    plus = digits.endswith(b'+')
    digits = digits.removesuffix(b'+')
    return (int(digits), not plus) if digits.isdigit() else None


def parse(command, parts):
    """Fills in tag, name and arguments."""
    words = parts[0].split(b' ', 2)
    if len(words) < 2 or not words[0] or not words[1]:
        raise Bad('no command')
    command.tag, name = words[0], words[1].decode('latin-1').upper()
    rest = words[2] if len(words) > 2 else b''
    if name == 'UID':
        verb, _, rest = rest.partition(b' ')
        name = 'UID ' + verb.decode('latin-1').upper()
    command.name = name
    command.arguments = Scanner([rest, *parts[1:]]).tokens()


def text(token):
    """A token that must be an atom or string, as str of single bytes."""
    if isinstance(token, list):
        raise Bad('a list where a string belongs')
    return token.decode('latin-1')


def quote(data):
    """A string as quoted, or as literal when it cannot be quoted."""
    if any(byte in b'\r\n\0' or byte > 126 for byte in data):
        return literal(data)
    return b'"' + data.replace(b'\\', b'\\\\').replace(b'"', b'\\"') + b'"'


def literal(data, announced=None):
    return b'{%d}\r\n' % (len(data) if announced is None else announced) + data
