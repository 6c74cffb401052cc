"""Measures what a mount can do while its server is away, next to the same mount online.

    python3 -m tests.bench.offline [MESSAGES]

Wants IMAPFS_BUILD. Medians of five; the server is the scripted one, which drops each connection
while it is away."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import mailbox
from tests.bench.run import timed
from tests.fake import Certs, Server
from tests.support import eventually
from tests.support.mounting import Mount, Program

RUNS = 5
AWAY_S = 20
BACK_S = 100  # more than the longest pause between two attempts
WORK = {
    'grep -r': ('grep', '-r', 'needle-plain'),
    'ls -l': ('ls', '-l'),
    'ls -f': ('ls', '-f'),
}


def work(folder):
    """What is done -> (seconds at first in this mount, median afterwards)."""
    took = {}
    for name, words in WORK.items():
        first = timed(*words, folder)
        took[name] = first, statistics.median(timed(*words, folder) for _ in range(RUNS))
    return took


def misses(folder):
    """Seconds that it takes to be told that what is not cached cannot be had."""
    took = []
    for uid in range(2, 100):
        begun = time.monotonic()
        try:
            (folder / f'{uid}.eml').read_bytes()
        except OSError:
            took.append(time.monotonic() - begun)
            continue
        raise AssertionError('it was cached')
    return took


def back_online(mail):
    """Seconds until the server is asked again; somebody goes on asking for mail."""
    begun = time.monotonic()
    eventually((mail / 'Other' / '50.eml').read_bytes, BACK_S)
    return time.monotonic() - begun


def compare(online, offline):
    for name in WORK:
        for at, when in enumerate(('at first', 'warm')):
            there, away = online[name][at], offline[name][at]
            print(f'{name + ", " + when:24} online {there:7.3f} s   offline {away:7.3f} s   '
                  f'{away / there:5.2f} x', flush=True)


def measure(server, mount):
    mail = mount('first')
    work(mail / 'INBOX')
    timed('ls', '-l', mail / 'Other')
    mail.unmount()

    mail = mount('online')
    online = work(mail / 'INBOX')
    mail.unmount()

    server.refuse = True
    mail = mount('offline')
    compare(online, work(mail / 'INBOX'))
    took = misses(mail / 'Other')
    print(f'{"what is not cached":24} fails in {statistics.median(took) * 1000:.1f} ms, at worst '
          f'{max(took) * 1000:.1f} ms')
    before = len(server.sessions)
    time.sleep(AWAY_S)
    print(f'{"attempts to connect":24} {len(server.sessions) - before} in {AWAY_S} s')
    server.refuse = False
    print(f'{"back online":24} {back_online(mail):.1f} s after the server is')
    mail.unmount()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        certs, program = Certs(directory / 'certs'), Program(directory)
        server = Server('implicit', certs.context('good'))
        server.inbox.extend(mailbox.messages(count))
        server.add('Other').extend(mailbox.messages(100))
        server.ca, server.password, server.options = certs.ca, server.users['user'], {}

        def mount(name):
            one = Mount(program, f'imaps://user@localhost:{server.port}', directory / name,
                        program.options(server, timeout=3))
            one.expect('.')
            return one
        try:
            measure(server, mount)
        finally:
            server.stop()


if __name__ == '__main__':
    main()
