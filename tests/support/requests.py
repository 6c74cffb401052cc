"""The requests that a running mount reads from the kernel, each with its name and operation: what
a program really asked for. Wants strace, and leave to trace the mount."""

import os
import re
import shutil
import signal
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

# <linux/fuse.h>
OPCODES = {1: 'LOOKUP', 2: 'FORGET', 3: 'GETATTR', 4: 'SETATTR', 5: 'READLINK', 9: 'MKDIR',
           10: 'UNLINK', 11: 'RMDIR', 12: 'RENAME', 14: 'OPEN', 15: 'READ', 16: 'WRITE',
           17: 'STATFS', 18: 'RELEASE', 20: 'FSYNC', 21: 'SETXATTR', 22: 'GETXATTR',
           23: 'LISTXATTR', 25: 'FLUSH', 27: 'OPENDIR', 28: 'READDIR', 29: 'RELEASEDIR',
           30: 'FSYNCDIR', 34: 'ACCESS', 35: 'CREATE', 36: 'INTERRUPT', 42: 'BATCH_FORGET',
           44: 'READDIRPLUS', 45: 'RENAME2', 46: 'LSEEK', 47: 'COPY_FILE_RANGE', 52: 'STATX'}
HEADER = struct.Struct('=IIQQIIIHH')
# Those that carry one name right behind the header.
NAMED = {'LOOKUP', 'UNLINK', 'RMDIR'}
SHOWN_BYTES = HEADER.size + 256
DEVICE = ''.join(f'\\x{byte:02x}' for byte in b'/dev/fuse') + '>'
QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})+)".*= [1-9]\d*$')


class Request(NamedTuple):
    operation: str
    inode: int
    name: str  # of a LOOKUP, UNLINK or RMDIR, else ''


class Requests:
    """with Requests(pid, log) as seen: ...; then seen.list has them in their order."""

    def __init__(self, pid, log):
        self.pid, self.log = pid, Path(log)
        self.list = []

    def __enter__(self):
        self.tracer = subprocess.Popen(
            ['strace', '-f', '-y', '-q', '-xx', '-s', str(SHOWN_BYTES), '-e', 'trace=read,readv',
             '-o', self.log, '-p', str(self.pid)], stderr=subprocess.PIPE, text=True)
        if not wait_traced(self.pid, self.tracer):
            raise RuntimeError(self.tracer.stderr.read())
        return self

    def __exit__(self, *unused):
        self.tracer.send_signal(signal.SIGINT)
        self.tracer.communicate()
        self.list = list(parse(self.log.read_text()))


def usable():
    """Why nothing can be traced here, or None."""
    if not shutil.which('strace'):
        return 'strace is missing'
    if os.geteuid():
        return 'only root may trace what is not dumpable'
    run = subprocess.run(['strace', '-q', '-o', os.devnull, 'true'], capture_output=True, text=True)
    return run.stderr if run.returncode else None


def wait_traced(pid, tracer):
    """Until every thread of the process has a tracer; false when the tracer gave up."""
    while tracer.poll() is None:
        if all(map(is_traced, Path(f'/proc/{pid}/task').iterdir())):
            return True
    return False


def is_traced(thread):
    """Or has ended."""
    try:
        return not re.search(r'TracerPid:\s+0\b', (thread / 'status').read_text())
    except (FileNotFoundError, ProcessLookupError):
        return True


def parse(trace):
    """A Request of each read of /dev/fuse that brought one, also of those under way at first."""
    waiting = set()
    for line in trace.splitlines():
        thread = line.split()[0]
        on_fuse = DEVICE in line or 'resumed' in line and thread in waiting
        waiting.discard(thread)
        if on_fuse and 'unfinished' in line:
            waiting.add(thread)
            continue
        quoted = on_fuse and QUOTED.search(line)
        if quoted:
            yield request(bytes.fromhex(quoted[1].replace('\\x', '')))


def request(data):
    _, opcode, _, inode, *_ = HEADER.unpack_from(data)
    operation = OPCODES.get(opcode, str(opcode))
    name = data[HEADER.size:].split(b'\0')[0] if operation in NAMED else b''
    return Request(operation, inode, os.fsdecode(name))
