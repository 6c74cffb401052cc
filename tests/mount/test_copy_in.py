"""Mail copied into the tree by the tools that people use, over a connection that breaks at random:
each message is there exactly once, with its bytes."""

import collections
import os
import random
import re
import shutil
import subprocess
import tarfile
import threading

import pytest

from tests.mount.test_corpus import corpus
from tests.support import SLOW, eventually, sample

FIELD = re.compile(rb'[!-9;-~]+[ \t]*:')  # RFC 5322 2.2, and white space before the colon (4.5)
TOOLS = {
    'cp': ('cp', '--'),
    'cp-a': ('cp', '-a', '--'),
    'rsync': ('rsync', '-a', '--'),
}


class Resets:
    """Breaks all connections of a proxy now and then until it is left."""

    def __init__(self, line, seed, between=(0.2, 1.5)):
        self.line, self.rng, self.between = line, random.Random(seed), between
        self.count, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over.wait(self.rng.uniform(*self.between) * SLOW):
            self.line.ask('reset')
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()


def bodies(count):
    """Real mail if it is here, else what this project has of its own."""
    archive = corpus()
    if not archive:
        return [sample.numbered(number) for number in range(1, min(count, 100) + 1)]
    with tarfile.open(archive) as tar:
        found = [tar.extractfile(entry).read() for entry in tar if entry.isfile()]
    return found[:count]


def as_stored(body):
    """What Dovecot makes of an APPEND: it drops a lone CR at the very end."""
    wire = re.sub(rb'(?<!\r)\n', b'\r\n', body)
    return wire[:-1] if wire.endswith(b'\r') else wire


def write_all(place, texts):
    """The texts as files, as private as those of the mount: {name: text}."""
    place.mkdir()
    files = {f'message-{number:04}': text for number, text in enumerate(texts)}
    for name, text in files.items():
        (place / name).write_bytes(text)
        (place / name).chmod(0o600)
        os.utime(place / name, (1600000000, 1600000000))
    return files


def on_server(account, mailbox):
    """The messages of a mailbox as an independent client sees them."""
    client = account.imap()
    client.select(mailbox, readonly=True)
    found = [part[1] for part in client.uid('FETCH', '1:*', '(BODY.PEEK[])')[1]
             if isinstance(part, tuple)]
    client.logout()
    return found


@pytest.mark.limit(600)
@pytest.mark.parametrize('tool', TOOLS)
def test_corpus(dovecot, imap, proxy, mount, tmp_path, tool):
    if not shutil.which(TOOLS[tool][0]):
        pytest.skip(f'{TOOLS[tool][0]} is missing')
    # Without BINARY no APPEND takes a NUL (RFC 3501 9, CHAR8); an empty file is no message. What
    # sanitizers look for is in every fourth, too.
    texts = [body for body in bodies(1100) if body and b'\0' not in body]
    files = write_all(tmp_path / 'files', texts[::1 if SLOW <= 2 else 4])
    imap.create('Archive')
    line = proxy(dovecot.port)
    mail = mount(dovecot, source=f'imaps://{dovecot.user}@localhost:{line.port}')
    # Those that do not begin as a message does are refused, and all others are there.
    good = [name for name, text in files.items() if FIELD.match(text)]
    with Resets(line, tool) as resets:
        run = subprocess.run([*TOOLS[tool], *[tmp_path / 'files' / name for name in good],
                              mail / 'Archive/'], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, '')
    eventually(lambda: mail.settle('Archive'))  # the last reset may have left it offline
    found = collections.Counter(on_server(dovecot, 'Archive'))
    wanted = collections.Counter(as_stored(files[name]) for name in good)
    assert found == wanted
    print(f'{tool}: {len(good)} of {len(files)} messages, {resets.count} resets, '
          f'{sum(found.values())} on the server')
    mail.expect('.')


def test_what_does_not_begin_as_a_message_is_refused_and_kept(dovecot, mount, tmp_path):
    files = write_all(tmp_path / 'files', [b'\r\nSubject: late\r\n\r\nx\r\n', b'GIF89a\n',
                                           b'From ann@example.org Mon Jan  1\nSubject: x\n\ny\n',
                                           b'<html>\n'])
    mail = mount(dovecot)
    for name, text in files.items():
        run = subprocess.run(['cp', tmp_path / 'files' / name, mail.inbox], capture_output=True,
                             text=True)
        assert run.returncode == 1 and 'Invalid argument' in run.stderr
        assert (mail.inbox / name).read_bytes() == text
    mail.settle('INBOX')
    assert not dovecot.flags()
