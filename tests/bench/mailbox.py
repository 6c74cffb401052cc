"""A mailbox of synthetic mail, the same for the same seed: short notes, newsletters in HTML, and
some attachments. `needle-plain` stands in every 100th message, `needle-coded` within base64 in
every 250th."""

import base64
import random

SYLLABLES = 'ka re no ti mu sa lo vi den tar ber gel fin ost um'.split()


class Writer:
    """Draws words, sentences and messages from one random source."""

    def __init__(self, seed):
        self.some = random.Random(seed)
        self.words = [''.join(self.some.choices(SYLLABLES, k=self.some.randint(1, 4)))
                      for _ in range(2000)]
        self.noise = self.some.randbytes(1 << 19)

    def prose(self, size):
        """Lines of up to 72 characters, about `size` bytes together."""
        lines, line = [], ''
        while size > 0:
            word = self.some.choice(self.words)
            if len(line) + len(word) > 71:
                lines.append(line)
                size -= len(line) + 2
                line = ''
            line += (' ' if line else '') + word
        return '\r\n'.join(lines) + '\r\n'

    def header(self, number, kind):
        sender, receiver = self.some.choices(self.words, k=2)
        trace = ''.join(f'Received: from {word}.example by relay{hop}.example; '
                        f'Mon, 5 Jan 2026 10:00:{hop:02} +0000\r\n'
                        for hop, word in enumerate(self.some.choices(self.words, k=4)))
        return (f'{trace}From: {sender} <{sender}@example.org>\r\n'
                f'To: {receiver} <{receiver}@example.org>\r\n'
                f'Subject: {" ".join(self.some.choices(self.words, k=5))} {number}\r\n'
                f'Message-ID: <{number}@bench.example>\r\nMIME-Version: 1.0\r\n'
                f'Content-Type: {kind}\r\n')

    def message(self, number):
        needle = f'needle-plain {number}\r\n' if number % 100 == 0 else ''
        note = self.prose(int(min(40_000, self.some.lognormvariate(7.5, 0.9)))) + needle
        if number % 250 == 0:
            coded = base64.encodebytes((note + f'needle-coded {number}\r\n').encode()).decode()
            return (self.header(number, 'text/plain; charset=utf-8') +
                    'Content-Transfer-Encoding: base64\r\n\r\n' +
                    coded.replace('\n', '\r\n')).encode()
        kind = self.some.random()
        if kind < 0.7:
            return (self.header(number, 'text/plain; charset=utf-8') + '\r\n' + note).encode()
        html = f'<html><body>{self.prose(self.some.randint(5_000, 30_000))}</body></html>\r\n'
        parts = [('text/plain; charset=utf-8', note), ('text/html; charset=utf-8', html)]
        if kind > 0.9:
            size = self.some.randint(30_000, 400_000)
            at = self.some.randrange(len(self.noise) - size)
            blob = base64.encodebytes(self.noise[at:at + size]).decode().replace('\n', '\r\n')
            parts.append(('application/pdf\r\nContent-Transfer-Encoding: base64', blob))
        body = ''.join(f'--=_cut\r\nContent-Type: {label}\r\n\r\n{text}' for label, text in parts)
        return (self.header(number, 'multipart/mixed; boundary="=_cut"') + '\r\n' + body +
                '--=_cut--\r\n').encode()


def messages(count, seed=1):
    writer = Writer(seed)
    return (writer.message(number) for number in range(1, count + 1))
