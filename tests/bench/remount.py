"""Measures what a further mount of a large folder costs, by what the server offers.

    python3 -m tests.bench.remount [MESSAGES [ROUND_TRIP_MS]]

Wants IMAPFS_BUILD. One run each; bytes are those up and down, TLS and login included in the mount's."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.run import Bench, resident
from tests.fake import Certs
from tests.support import eventually
from tests.support.dovecot import Account, Dovecot
from tests.support.mounting import Program
from tests.support.proxy import Proxy

MODES = {
    'QRESYNC': ['NOTIFY'],
    'CONDSTORE': ['NOTIFY', 'QRESYNC'],
    'bare': ['NOTIFY', 'QRESYNC', 'CONDSTORE', 'ENABLE', 'ESEARCH'],
}


class Remounts(Bench):
    """One cache for all mounts."""

    def __init__(self, directory, count, round_trip_ms, mask):
        directory.mkdir()
        self.dir, self.count = directory, count
        self.server = Dovecot(directory / 'dovecot', Certs(directory / 'certs'), mask)
        self.account = Account(self.server, 'bench')
        self.account.deliver(b'Subject: %d\r\n\r\n%d\r\n' % (n, n) for n in range(count))
        self.proxy = Proxy(self.server.port, delay_ms=round_trip_ms / 2)
        self.program = Program(directory / 'run')
        self.mail = None
        self.client = self.account.imap()
        self.client.select()

    def close(self):
        self.client.logout()
        super().close()

    def mount(self):
        self.unmount()
        self.proxy.ask('clear')
        run = self.program.run(
            f'imaps://{self.account.user}@localhost:{self.proxy.port}', self.program.mountpoint,
            '-o', self.program.options(self.account, poll=3600))
        if run.returncode:
            raise RuntimeError(run.stdout)
        self.mail = self.program.mountpoint

    def settled(self, idle):
        """The counters, once nothing more goes over the wire: nothing is under way, and where a
        folder was looked at the mount waits for news of it."""
        def rests():
            status = json.loads((self.mail / '.imapfs' / 'status').read_bytes())
            assert status['state'] == 'online' and status['requests']['waiting'] == 0
            assert all(one['state'] == 'ready' and one['under_way'] == 0
                       for one in status['connections'])
            assert any(one['idle'] for one in status['connections']) == idle
        eventually(rests)
        return self.proxy.counters()

    def change(self, arrivals=10, expunges=10, flags=10):
        self.client.select()
        uids = self.client.uid('SEARCH', 'ALL')[1][0].split()
        for step, verb in ((uids[100:100 + expunges], r'(\Deleted)'),
                           (uids[500:500 + flags], r'(\Flagged)')):
            self.client.uid('STORE', b','.join(step).decode(), '+FLAGS.SILENT', verb)
        self.client.expunge()
        for number in range(arrivals):
            self.client.append('INBOX', None, None, b'Subject: new %d\r\n\r\nnew\r\n' % number)

    def listing(self, what):
        """Mounts and lists; prints what each took."""
        start = time.monotonic()
        self.mount()
        mounted = time.monotonic() - start
        alone = self.settled(idle=False)
        start = time.monotonic()
        run = subprocess.run(['ls', '-f', self.mail / 'INBOX'], capture_output=True, check=True)
        took = time.monotonic() - start
        all_of_it = self.settled(idle=True)
        right = set(self.client.uid('SEARCH', 'ALL')[1][0].split())
        seen = {name[:-4] for name in run.stdout.split() if name.endswith(b'.eml')}
        size = sum(path.stat().st_size for path in self.program.cache.rglob('index.db*'))
        print(f'    {what:26} mount {mounted:.3f} s, {alone["turns"]} round trips, '
              f'{alone["up"]} + {alone["down"]} bytes; ls -f {took:.3f} s, '
              f'{all_of_it["turns"] - alone["turns"]} round trips, '
              f'{all_of_it["up"] - alone["up"]} + {all_of_it["down"] - alone["down"]} bytes, '
              f'{resident(self.pid()) / 1e6:.0f} MB resident, index {size / 1e6:.1f} MB, '
              f'{"right" if seen == right else "WRONG"}', flush=True)

    def long_listing(self):
        subprocess.run(['ls', '-l', self.mail / 'INBOX'], stdout=subprocess.DEVNULL, check=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    round_trip_ms = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    for mode, mask in MODES.items():
        print(f'{mode}: {count} messages, {round_trip_ms:g} ms round trip')
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o711)
            bench = Remounts(Path(scratch) / 'bench', count, round_trip_ms, mask)
            try:
                bench.listing('first mount')
                bench.long_listing()
                bench.listing('second mount, unchanged')
                bench.change()
                bench.listing('after 10 + 10 + 10 changes')
            finally:
                bench.close()


if __name__ == '__main__':
    main()
