"""The latency proxy of tests/bench as a Python object."""

import os
import subprocess
from pathlib import Path

from . import SLOW


class Proxy:
    """Relays a loopback port of its own to `target`, with a delay each way."""

    def __init__(self, target, delay_ms=0, mbit=0):
        program = Path(os.environ['IMAPFS_BUILD']) / 'tests' / 'bench' / 'lagproxy'
        self.process = subprocess.Popen([program, str(target), str(delay_ms), str(mbit)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer.startswith('error') or not answer:
            raise ValueError(f'lagproxy: {line}: {answer}')
        return answer

    def counters(self):
        """connections, up, down (bytes), turns (round trips that the client waited for)."""
        words = self.ask('counters').split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def close(self):
        self.process.stdin.close()
        self.process.wait(30 * SLOW)
        self.process.stdout.close()
