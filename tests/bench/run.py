"""Measures a release build over a line with a delay, next to the wire's own limit.

    python3 -m tests.bench.run [MESSAGES [ROUND_TRIP_MS]]

Wants IMAPFS_BUILD. Every figure is the median of three runs, cold ones with a cache and a mount of
their own."""

import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import mailbox
from tests.bench.drain import Drain
from tests.fake import Certs
from tests.support.dovecot import Account, Dovecot
from tests.support.mounting import Program
from tests.support.proxy import Proxy
from tests.support.requests import Requests, usable

RUNS = 3
ATTRIBUTES = 'UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)'
BODIES = 'UID FETCH 1:* (BODY.PEEK[])'


def timed(*words):
    """Seconds that a command takes, its output thrown away."""
    start = time.monotonic()
    subprocess.run(list(map(str, words)), stdout=subprocess.DEVNULL, check=False)
    return time.monotonic() - start


def median(action):
    return statistics.median(action() for _ in range(RUNS))


class Bench:
    def __init__(self, directory, count, round_trip_ms):
        self.dir = directory
        self.count = count
        self.server = Dovecot(directory / 'dovecot', Certs(directory / 'certs'))
        self.account = Account(self.server, 'bench')
        self.account.deliver(mailbox.messages(count))
        self.proxy = Proxy(self.server.port, delay_ms=round_trip_ms / 2)
        self.round_trip = round_trip_ms / 1000
        self.mounts = 0
        self.mail = None

    def close(self):
        self.unmount()
        self.proxy.close()
        self.server.stop()

    # ---- the wire

    def drain(self, *commands, port=None):
        """Seconds for these commands, one after the other, on a connection that is logged in."""
        wire = Drain(port or self.proxy.port, self.account.user, self.account.password,
                     self.account.ca)
        try:
            return sum(wire.run(command)[1] for command in commands)
        finally:
            wire.close()

    # ---- the program

    def mount(self, **options):
        """A new mount with a new cache, in the background; returns (seconds, counters)."""
        self.unmount()
        self.mounts += 1
        program = Program(self.dir / f'run{self.mounts}')
        self.mail = program.mountpoint
        self.proxy.ask('clear')
        start = time.monotonic()
        run = program.run(f'imaps://{self.account.user}@localhost:{self.proxy.port}', self.mail,
                          '-o', program.options(self.account, poll=3600, **options))
        took = time.monotonic() - start
        if run.returncode:
            raise RuntimeError(run.stdout)
        return took, self.proxy.counters()

    def unmount(self):
        if not self.mail:
            return
        process = os.pidfd_open(self.pid())
        subprocess.run(['fusermount3', '-u', self.mail], check=True)
        self.mail = None
        select.select([process], [], [])
        os.close(process)

    def pid(self):
        run = subprocess.run(['pgrep', '-f', f'imapfs.* {re.escape(str(self.mail))}'],
                             capture_output=True, text=True)
        return int(run.stdout.split()[0])

    def cold(self, *words):
        self.mount()
        return timed(*words, self.mail / 'INBOX')

    def requests(self, *words):
        """How many FUSE requests a command causes; None where the daemon cannot be traced."""
        if usable():
            return None
        with Requests(self.pid(), self.dir / 'strace') as seen:
            timed(*words)
        return len(seen.list)


def mbsync_config(bench, how):
    """A configuration with a Maildir beside it, None where there is no mbsync."""
    if not shutil.which('mbsync'):
        return None
    place = Path(tempfile.mkdtemp(dir=bench.dir))
    config = place / 'mbsyncrc'
    config.write_text(f"""
IMAPAccount bench
Host localhost
Port {bench.proxy.port}
User {bench.account.user}
Pass {bench.account.password}
SSLType IMAPS
CertificateFile {bench.account.ca}

IMAPStore far
Account bench

MaildirStore near
Inbox {place}/INBOX
Path {place}/

Channel all
Far :far:
Near :near:
Pattern INBOX
Create Near
{how}
SyncState *
""")
    return config


def mbsync(bench):
    """Seconds of a first mbsync, None where there is none."""
    config = mbsync_config(bench, 'Sync Pull')
    return config and timed('mbsync', '-q', '-c', config, '-a')


def show(what, seconds, base=None, of=''):
    ratio = f'   {seconds / base:5.2f} x {of}' if base else ''
    print(f'{what:44} {seconds:8.3f} s{ratio}', flush=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    round_trip_ms = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o711)
        bench = Bench(Path(scratch), count, round_trip_ms)
        try:
            measure(bench, round_trip_ms)
        finally:
            bench.close()


def measure(bench, round_trip_ms):
    maildir = bench.account.maildir / 'cur'
    size = sum(path.stat().st_size for path in maildir.iterdir())
    kind = subprocess.run(['stat', '-f', '-c', '%T', maildir], capture_output=True, text=True)
    print(f'{bench.count} messages, {size / 1e6:.0f} MB, {round_trip_ms:g} ms round trip, '
          f'{os.cpu_count()} CPUs; medians of {RUNS}')
    # The server's caches must be warm for whoever comes first.
    bench.drain('EXAMINE INBOX', ATTRIBUTES, BODIES, port=bench.server.port)

    attributes = median(lambda: bench.drain('EXAMINE INBOX', ATTRIBUTES))
    show('drain: EXAMINE and attributes', attributes)
    bodies = median(lambda: bench.drain('EXAMINE INBOX', BODIES))
    show('drain: all bodies', bodies)
    local = median(lambda: timed('grep', '-r', 'needle-plain', maildir))
    show(f'grep -r of the same files ({kind.stdout.strip()})', local)

    took, counters = bench.mount()
    show('exec to usable mount', took)
    print(f'{"":4}{counters["turns"]} round trips ({took / bench.round_trip:.1f} by the clock), '
          f'{counters["connections"]} connections, {counters["up"] + counters["down"]} bytes')
    show('ls -l, cold', median(lambda: bench.cold('ls', '-l')), attributes, 'drain')
    bench.mount()
    bench.proxy.ask('clear')
    timed('ls', '-l', bench.mail / 'INBOX')
    each = bench.proxy.counters()['down'] / bench.count
    print(f'{"":4}{each:.0f} bytes a message from the server')
    show('grep -r, cold', median(lambda: bench.cold('grep', '-r', 'needle-plain')), bodies, 'drain')
    print(f'{"":4}{resident(bench.pid()) / 1e6:.0f} MB resident afterwards')
    warm = median(lambda: timed('grep', '-r', 'needle-plain', bench.mail / 'INBOX'))
    show('grep -r, warm', warm, local, 'grep of files')
    show('ls -l, warm', median(lambda: timed('ls', '-l', bench.mail / 'INBOX')),
         median(lambda: timed('ls', '-l', maildir)), 'ls of files')
    requests = bench.requests('grep', '-r', 'needle-plain', bench.mail / 'INBOX')
    print(f'{"":4}{"?" if requests is None else requests} FUSE requests in a warm grep -r')
    bench.unmount()
    pull = mbsync(bench)
    if pull:
        show('mbsync, first pull (one run)', pull, bodies, 'drain')


def resident(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', Path(f'/proc/{pid}/status').read_text())[1]) << 10


if __name__ == '__main__':
    main()
