"""Readers that wait for a server which does not answer, and what must go on meanwhile."""

import os
import threading
import time

from . import SLOW


def takes(action, limit_s, tries=30):
    """That it takes no longer, in the best of some runs: what the machine does besides must not
    count."""
    took = []
    while not took or took[-1] >= limit_s:
        assert len(took) < tries, f'{min(took)} s at best'
        start = time.monotonic()
        action()
        took.append(time.monotonic() - start)


def answers_at_once(directory):
    """That the program itself does: the kernel remembers neither a name that is not there nor
    figures, and asks each time."""
    takes(lambda: os.path.exists(directory / 'no such name'), 0.05 * SLOW)
    takes(lambda: os.statvfs(directory), 0.05 * SLOW)


class Readers:
    """Threads that read a file each; each notes its error (0: none) and how long it took."""

    def __init__(self, paths):
        self.ends = []
        self.threads = [threading.Thread(target=self._read, args=(path,), daemon=True)
                        for path in paths]
        for thread in self.threads:
            thread.start()

    def _read(self, path):
        start = time.monotonic()
        try:
            with open(path, 'rb') as file:
                file.read()
            self.ends.append((0, time.monotonic() - start))
        except OSError as error:
            self.ends.append((error.errno, time.monotonic() - start))

    def wait_until_stuck(self):
        for thread in self.threads:
            try:
                wait_until_stuck(f'self/task/{thread.native_id}')
            except (FileNotFoundError, ProcessLookupError):
                pass  # over already: its error tells whether it was stuck

    def join(self, timeout):
        """The errors of all."""
        deadline = time.monotonic() + timeout
        for thread in self.threads:
            thread.join(max(0, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in self.threads)
        return {error for error, _ in self.ends}


def wait_until_stuck(pid):
    """Until the process, or a thread as self/task/TID, waits in the kernel for a FUSE answer."""
    deadline = time.monotonic() + 40 * SLOW
    while True:
        try:
            with open(f'/proc/{pid}/wchan') as file:
                where = file.read()
            with open(f'/proc/{pid}/syscall') as file:
                call = file.read()
        except PermissionError:
            return
        if 'fuse' in where or 'request_wait' in where or call.startswith('0 '):
            return
        assert time.monotonic() < deadline, (where, call)
