"""Measures reading mail by its text: a cold and a warm grep over .text, and a search.

    python3 -m tests.bench.views [MESSAGES [ROUND_TRIP_MS]]

Wants IMAPFS_BUILD. The mailbox is that of tests.bench.mailbox: seven messages of ten are a note of
some kilobytes in text/plain, two have a newsletter in HTML beside it, and one a PDF of 30 to 400 KB
besides, which is three quarters of all bytes; one of 250 is in base64. Seconds are medians of three
runs with a mount each, cold ones with a cache each; bytes are those from the server."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.run import BODIES, RUNS, Bench, median, resident, show

WORD = 'needle'
# Bandwidths in Mbit/s. Of one without a bound the processors are the measure, not the wire.
RATES = 0, 100
# What the wire needs at least for all texts: what they are made of, and where it is.
TEXTS = ('UID FETCH 1:* (BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM TO CC DATE SUBJECT)])',
         'UID FETCH 1:* (BODY.PEEK[1])')


def needles(count):
    """How many messages have the word, and how many have it as it is."""
    return count // 100 + count // 250 - count // 500, count // 100 - count // 500


class Views(Bench):
    """Takes what a command costs on the wire, too."""

    def cold_cost(self, *words, path, found):
        """Medians of (seconds, bytes, round trips) of a command over a path in a new mount, whose
        output names so many messages."""
        costs = []
        for _ in range(RUNS):
            self.mount()
            self.proxy.ask('clear')
            costs.append((self.run(*words, path=path, found=found),
                          *map(self.proxy.counters().get, ('down', 'turns'))))
        return [statistics.median(column) for column in zip(*costs)]

    def run(self, *words, path, found):
        """Seconds of it."""
        start = time.monotonic()
        run = subprocess.run([*words, self.mail / path], stdout=subprocess.PIPE, text=True)
        took = time.monotonic() - start
        names = set(re.findall(r'\d+\.(?:eml|txt)', run.stdout))
        if len(names) != found:
            raise RuntimeError(f'{words} {path}: {len(names)} messages, not {found}')
        return took


def judge(what, figure, bar, unit=''):
    print(f'{"":4}{what}: {figure:.3g}{unit} (bar {bar:g}{unit}) '
          f'{"good" if figure <= bar else "MISSED"}', flush=True)


def measure(bench):
    maildir = bench.account.maildir / 'cur'
    size = sum(path.stat().st_size for path in maildir.iterdir())
    print(f'{bench.count} messages, {size / 1e6:.0f} MB, {bench.round_trip * 1000:g} ms round trip, '
          f'{os.cpu_count()} CPUs; medians of {RUNS}')
    # The server's caches must be warm for whoever comes first.
    bench.drain('EXAMINE INBOX', BODIES, *TEXTS, port=bench.server.port)
    show('drain: all bodies', median(lambda: bench.drain('EXAMINE INBOX', BODIES)))
    show('drain: all texts', median(lambda: bench.drain('EXAMINE INBOX', *TEXTS)))
    for mbit in RATES:
        cold(bench, mbit)
    bench.proxy.ask('rate 0')
    search(bench)
    warm(bench)


def cold(bench, mbit):
    print(f'at {mbit} Mbit/s:' if mbit else 'without a bound of the bandwidth:')
    bench.proxy.ask(f'rate {mbit}')
    coded, plain = needles(bench.count)
    raw, raw_bytes, _ = bench.cold_cost('grep', '-r', WORD, path='INBOX', found=plain)
    show('grep -r of the messages, cold', raw)
    print(f'{"":4}{raw_bytes / 1e6:.1f} MB, {plain} found')
    text, text_bytes, turns = bench.cold_cost('grep', '-r', WORD, path='INBOX/.text', found=coded)
    show('grep -r of .text, cold', text, raw, 'the messages')
    print(f'{"":4}{text_bytes / 1e6:.1f} MB, {turns:.0f} round trips, {coded} found, '
          f'{resident(bench.pid()) / 1e6:.0f} MB resident afterwards')
    judge('bytes', text_bytes / raw_bytes * 100, 25, ' %')
    judge('time', text / raw * 100, 35, ' %')


def search(bench):
    coded, _ = needles(bench.count)
    took, down, turns = bench.cold_cost('ls', path=f'INBOX/.search/text {WORD}', found=coded)
    show(f"ls '.search/text {WORD}', cold", took)
    print(f'{"":4}{coded} found, {down:.0f} bytes')
    judge('round trips', turns, 3)


def warm(bench):
    coded, _ = needles(bench.count)
    bench.mount()
    folder = bench.mail / 'INBOX' / '.text'
    words = ('grep', '-r', WORD)
    bench.run(*words, path=folder, found=coded)
    copy = bench.dir / 'copy'
    subprocess.run(['cp', '-r', folder, copy], check=True)
    local = median(lambda: bench.run(*words, path=copy, found=coded))
    show('grep -r of a copy of .text', local)
    show('grep -r of .text, warm', median(lambda: bench.run(*words, path=folder, found=coded)),
         local, 'the copy')
    requests = bench.requests(*words, folder)
    print(f'{"":4}{"?" if requests is None else requests} FUSE requests in a warm grep -r')


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    round_trip_ms = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o711)
        bench = Views(Path(scratch), count, round_trip_ms)
        try:
            measure(bench)
        finally:
            bench.close()


if __name__ == '__main__':
    main()
