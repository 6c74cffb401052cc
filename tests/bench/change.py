"""Measures what it costs to remove, move and copy all messages of a folder.

    python3 -m tests.bench.change [MESSAGES [ROUND_TRIP_MS]]

Wants IMAPFS_BUILD. One run each, with an account, a cache and a mount of its own whose folders were
listed before. Settled: fsync of both folders returned. Commands, round trips and bytes (up + down)
are those from the first change until then. With `sync` there are a tenth of the messages."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import mailbox
from tests.bench.run import Bench, mbsync_config, timed
from tests.fake import Certs
from tests.support import eventually
from tests.support.dovecot import Account, Dovecot
from tests.support.proxy import Proxy

# What the shell is told -> what the wire needs for it at least, and without UIDPLUS and MOVE; the
# parts of the messages that are in INBOX and in Archive then.
CHANGES = {
    'rm INBOX/*.eml': (
        [r'UID STORE 1:* +FLAGS.SILENT (\Deleted)', 'UID EXPUNGE 1:*'],
        [r'UID STORE 1:* +FLAGS.SILENT (\Deleted)', 'EXPUNGE'], (0, 0)),
    'mv INBOX/*.eml Archive/': (
        ['UID MOVE 1:* Archive'],
        ['UID COPY 1:* Archive', r'UID STORE 1:* +FLAGS.SILENT (\Deleted)', 'EXPUNGE'], (0, 1)),
    'cp INBOX/*.eml Archive/': (
        ['UID COPY 1:* Archive'], ['UID COPY 1:* Archive'], (1, 1)),
}
LACKS = ['IMAP4rev2', 'UIDPLUS', 'MOVE']


class Changes(Bench):
    """A server with an account for each figure."""

    def __init__(self, directory, round_trip_ms, mask=()):
        directory.mkdir()
        self.dir, self.mounts, self.accounts, self.mail = directory, 0, 0, None
        self.server = Dovecot(directory / 'dovecot', Certs(directory / 'certs'), mask)
        self.proxy = Proxy(self.server.port, delay_ms=round_trip_ms / 2)

    def fresh(self, count):
        """An account with so many messages in INBOX, which the server has seen before."""
        self.accounts += 1
        self.account = Account(self.server, f'bench{self.accounts}')
        self.account.deliver(mailbox.messages(count))
        self.account.deliver([], 'Archive')
        self.drain('SELECT INBOX', 'UID FETCH 1:* (RFC822.SIZE)', port=self.server.port)

    def figures(self):
        """Commands, and the counters of the line, once nothing is under way."""
        def rests():
            status = json.loads((self.mail / '.imapfs' / 'status').read_bytes())
            assert status['state'] == 'online' and status['requests']['waiting'] == 0
            assert status['changes']['waiting'] == 0
            assert all(one['state'] == 'ready' and one['under_way'] == 0
                       for one in status['connections'])
            return status['traffic']['commands']
        return {'commands': eventually(rests), **self.proxy.counters()}

    def counts(self):
        client = self.account.imap()
        found = tuple(int(client.select(name, readonly=True)[1][0])
                      for name in ('INBOX', 'Archive'))
        client.logout()
        return found

    def change(self, words, count, parts, **options):
        """Does it in a new mount; prints what it took."""
        self.fresh(count)
        self.mount(**options)
        timed('ls', '-l', self.mail / 'INBOX', self.mail / 'Archive')
        before = self.figures()
        start = time.monotonic()
        done = subprocess.run(['sh', '-c', words], cwd=self.mail)
        prompt = time.monotonic() - start
        synced = subprocess.run(['sync', 'INBOX', 'Archive'], cwd=self.mail)
        settled = time.monotonic() - start
        used = {name: value - before[name] for name, value in self.figures().items()}
        fine = (done.returncode == 0 and synced.returncode == 0 and
                self.counts() == tuple(part * count for part in parts))
        how = ', sync' if options else ''
        print(f'    {words + how:30} {count:5} messages: prompt {prompt:7.3f} s, settled '
              f'{settled:7.3f} s, {used["commands"]} commands, {used["turns"]} round trips, '
              f'{used["up"]} + {used["down"]} bytes, {"right" if fine else "WRONG"}', flush=True)


def mbsync_rm(bench, count):
    """Seconds of the mbsync after an rm of all in a Maildir; None where there is none."""
    bench.fresh(count)
    config = mbsync_config(bench, 'Sync All\nExpunge Both')
    if not config:
        return None
    timed('mbsync', '-q', '-c', config, '-a')
    for path in (config.parent / 'INBOX').glob('[cn]*/*'):
        path.unlink()
    return timed('mbsync', '-q', '-c', config, '-a')


def measure(bench, count, lacking):
    for words, (least, least_lacking, parts) in CHANGES.items():
        bench.fresh(count)
        wire = bench.drain('SELECT INBOX', *(least_lacking if lacking else least))
        print(f'    {"drain":30} {count:5} messages: {wire:.3f} s')
        bench.change(words, count, parts)
        bench.change(words, max(1, count // 10), parts, sync=True)
    took = mbsync_rm(bench, count)
    if took:
        print(f'    {"mbsync, all removed":30} {count:5} messages: {took:.3f} s')


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    round_trip_ms = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    for title, mask in (('all capabilities', ()), ('neither UIDPLUS nor MOVE', LACKS)):
        print(f'{title}: {round_trip_ms:g} ms round trip')
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o711)
            bench = Changes(Path(scratch) / 'bench', round_trip_ms, mask)
            try:
                measure(bench, count, bool(mask))
            finally:
                bench.close()


if __name__ == '__main__':
    main()
