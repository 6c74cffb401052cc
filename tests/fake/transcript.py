"""Plays a script: what the client must say, what it is told, and faults between.

    # a comment
    S: * OK [CAPABILITY IMAP4rev1] ready        sent with CRLF
    S: * 1 FETCH (BODY[] {5}\\                   a last \\: without CRLF
    S: a\\x00b\\r\\n                               escapes as in Python
    C: $tag LOGIN "user" $any                   $name: matches up to a space, and is remembered
    S: $tag OK done                             for the lines of the server
    C~ \\S+ (NOOP|IDLE)                          the rest is a regular expression
    @starttls  @split N  @drop  @reset  @close  @stall  @rate N
    @data N                                     N raw bytes of the client

Lines are trimmed of their indentation. `@drop` ends without close_notify, `@close` orderly. At the
end of the script the connection is closed orderly.
"""

import re

from .session import Session as Model
from .wire import Drop, Gone


class Mismatch(Exception):
    """The client said something else than the script."""


def parse(script):
    """The steps of a script: (line number, kind, text)."""
    steps = []
    for number, line in enumerate(script.splitlines(), 1):
        line = line.strip(' \t')
        if not line or line.startswith('#'):
            continue
        kind = line[:1] if line.startswith('@') else line[:2]
        rest = line[len(kind):]
        rest = rest.removeprefix(' ') if kind != '@' else rest
        if kind not in ('S:', 'C:', 'C~', '@'):
            raise ValueError(f'line {number}: {line!r} is no step')
        steps.append((number, kind, rest))
    return steps


def unescape(text):
    return text.encode('utf-8').decode('unicode_escape').encode('latin-1')


class End(Gone):
    """The script says that this is the end."""


class Session(Model):
    """A connection that follows the script of its number; the last script serves the rest."""

    def run(self):
        self.names = {}
        scripts = self.server.scripts
        try:
            for step in parse(scripts[min(self.number, len(scripts) - 1)]):
                self._play(*step)
        except Mismatch as mismatch:
            self.server.errors.append(f'connection {self.number}: {mismatch}')
            raise Drop() from None
        except End:
            raise
        except Gone as gone:
            self.server.errors.append(f'connection {self.number}: ended early: {gone}')
            raise
        self.wire.flush()

    def _play(self, number, kind, text):
        if kind == 'S:':
            data = self._fill_in(text)
            self.wire.write(unescape(data[:-1]) if data.endswith('\\') else
                            unescape(data) + b'\r\n')
        elif kind == '@':
            self._command(number, *text.split())
        else:
            line = self.wire.read_line()
            self.server.note(self.number, self.wire.secure, line)
            found = re.fullmatch(text if kind == 'C~' else self._pattern(text),
                                 line.decode('latin-1'), re.S)
            if not found:
                raise Mismatch(f'line {number}: wanted {text!r}, got {line!r}')
            self.names.update(found.groupdict())

    def _pattern(self, text):
        """A C: line as a regular expression; a name seen before must be the same again,
        except $tag and $any."""
        out, known = '', {}
        for part in re.split(r'(\$[a-z]\w*)', text):
            name = part[1:]
            if not part.startswith('$') or not name:
                out += re.escape(part)
            elif name == 'any':
                out += r'\S+'
            elif name != 'tag' and name in self.names:
                out += re.escape(self.names[name])
            else:
                out += f'(?P={name})' if name in known else rf'(?P<{name}>\S+)'
                known[name] = True
        return out

    def _fill_in(self, text):
        return re.sub(r'\$([a-z]\w*)', lambda found: self.names.get(found[1], found[0]), text)

    def _command(self, number, name, argument='0'):
        if name == 'starttls':
            self.wire.start_tls(self.server.context)
        elif name == 'split':
            self.wire.flush()
            self.wire.split = int(argument) or None
        elif name == 'rate':
            self.wire.rate = int(argument) or None
        elif name == 'data':
            self.server.note(self.number, self.wire.secure, self.wire.read_exact(int(argument)))
        elif name in ('drop', 'reset'):
            self.drop(reset=name == 'reset')
        elif name == 'close':
            self.wire.flush()
            raise End('closed by the script')
        elif name == 'stall':
            self.stall()
        else:
            raise Mismatch(f'line {number}: no such step @{name}')
