"""The program under test: started, watched, unmounted, and its output judged."""

import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from . import MASK, SLOW

OWN = '.imapfs'
# Without IDLE what others change comes by that alone: sooner than after a minute.
DEFAULTS = {'poll': 5} if 'IDLE' in MASK else {}
MOUNTS = set()  # all that run
MNT_FORCE = 1
SUSPICIOUS = re.compile(r'error|warning|critical|sanitizer|leak', re.I)


def build_directory():
    build = os.environ.get('IMAPFS_BUILD')
    if not build:
        raise RuntimeError('IMAPFS_BUILD must name the build directory')
    return Path(build)


def binary():
    return build_directory() / 'src' / 'imapfs'


def has_fault_points():
    return b'IMAPFS_FAULT_AT' in binary().read_bytes()


class Program:
    """A place to run imapfs in: its own home, and its own environment without the caller's."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.home = self.dir / 'home'
        self.cache = self.home / '.cache'
        self.mountpoint = self.dir / 'mountpoint'
        self.env = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'HOME': str(self.home),
                    'XDG_CACHE_HOME': str(self.cache), 'LC_ALL': 'C.UTF-8',
                    'XDG_CONFIG_HOME': str(self.home / '.config'),
                    'XDG_RUNTIME_DIR': str(self.home / 'run'), 'G_DEBUG': 'fatal-criticals'}
        self.mountpoint.mkdir(parents=True, exist_ok=True)
        for name in ('run', '.cache', '.config'):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        sanitizers = {name: value for name, value in os.environ.items()
                      if name.endswith('SAN_OPTIONS')}
        if sanitizers:
            # GLib's own allocator hands memory from thread to thread behind their back.
            self.env |= sanitizers | {'G_SLICE': 'always-malloc'}

    def passfile(self, password):
        path = self.dir / 'password'
        path.touch(0o600)
        path.write_text(password + '\n')
        return path

    def options(self, server, **more):
        """The -o option for a server: its password and authority, then `more` (None: leave out)."""
        options = {**DEFAULTS, 'passfile': self.passfile(server.password), 'cafile': server.ca,
                   **server.options, **more}
        return ','.join(name if value is True else f'{name}={value}'
                        for name, value in options.items() if value is not None)

    def run(self, *arguments, timeout=60, **more):
        """Runs imapfs to its end: CompletedProcess, with both outputs as text in stdout."""
        return subprocess.run([binary(), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', timeout=timeout * SLOW, env=self.env, **more)

    def start(self, *arguments, **more):
        """Starts imapfs; its output is a pipe on stdout."""
        return subprocess.Popen([binary(), *map(str, arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors='replace', env=self.env, **more)

    def unmount_leftovers(self):
        """What a run that was to fail mounted nevertheless."""
        if is_mounted(self.mountpoint):
            subprocess.run(['fusermount3', '-uz', self.mountpoint], capture_output=True)


class Mount:
    """A mount in the foreground. Paths below it: mount / 'INBOX' / '1.eml'."""

    def __init__(self, program, source, mountpoint, options, arguments=()):
        self.path = Path(mountpoint)
        self.path.mkdir(exist_ok=True)
        self.expected = []
        self.written = bytearray()
        self.ended = False
        self.news = threading.Condition()
        self.process = self._start(program, '-f', *arguments, source, self.path, '-o', options)
        MOUNTS.add(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_mounted()
        except BaseException:
            self.destroy()
            raise

    def __truediv__(self, name):
        return self.path / name

    @property
    def inbox(self):
        return self.path / 'INBOX'

    def settle(self, folder='INBOX'):
        """Until the server answered all that was changed in a folder."""
        handle = os.open(self.path / folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def names(self):
        """What the root lists, but for what is our own."""
        return [name for name in os.listdir(self.path) if name != OWN]

    def walk(self):
        """os.walk() of it, but for what is our own."""
        for root, dirs, files in os.walk(self.path):
            if Path(root) == self.path:
                dirs.remove(OWN)
            yield root, dirs, files

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        """All that it wrote until now."""
        with self.news:
            self._take()
            return self.written.decode(errors='replace')

    def expect(self, *patterns):
        """Lines that match are no reason to fail, whatever words they have."""
        self.expected += [re.compile(pattern, re.I) for pattern in patterns]

    def wait_for_output(self, pattern, timeout=20):
        with self.news:
            if not self.news.wait_for(lambda: re.search(pattern, self.output(), re.I),
                                      timeout * SLOW):
                raise TimeoutError(f'{pattern!r} is not in: ' + self.output())

    def resident(self):
        """Resident memory in bytes."""
        status = Path(f'/proc/{self.pid}/status').read_text()
        return int(re.search(r'VmRSS:\s+(\d+)', status)[1]) << 10

    def unmount(self, timeout=20):
        """Unmounts, demands a clean end, and judges the output; only once."""
        if self.ended:
            return
        self.ended = True
        run = subprocess.run(['fusermount3', '-u', self.path], capture_output=True, text=True)
        if run.returncode:
            self.destroy()
            raise AssertionError(f'unmount: {run.stderr}{self.output()}')
        self.finish(timeout)

    def terminate(self, sig=signal.SIGTERM, timeout=20):
        """Asks the program itself to end, likewise."""
        self.ended = True
        self.process.send_signal(sig)
        self.finish(timeout)

    def finish(self, timeout=20):
        try:
            status = self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.destroy()
            raise AssertionError('imapfs does not end: ' + self.output()) from None
        self._reader.join(10)
        MOUNTS.discard(self)
        assert not is_mounted(self.path)
        assert status == 0, f'exit status {status}: {self.output()}'
        self.judge()

    def judge(self):
        bad = [line for line in self.output().split('\n') if SUSPICIOUS.search(line)
               and not any(pattern.search(line) for pattern in self.expected)]
        assert not bad, 'output: ' + '\n'.join(bad)

    def destroy(self):
        """Whatever happened, nothing stays behind."""
        self.ended = True
        MOUNTS.discard(self)
        self.process.kill()
        self.process.wait()
        if is_mounted(self.path):
            subprocess.run(['fusermount3', '-uz', self.path], capture_output=True)
        self._reader.join(10)

    @contextlib.contextmanager
    def stopped(self):
        """It sees nothing of what happens within until all of it has."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _start(self, program, *arguments):
        return program.start(*arguments)

    def _has_news(self, timeout_ms):
        poll = select.poll()
        poll.register(self.process.stdout, select.POLLIN)
        return poll.poll(timeout_ms)

    def _take(self):
        """Reads what is in the pipe; holds `news`. Whether more may come."""
        while self._has_news(0):
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return False
            self.written += data
            self.news.notify_all()
        return True

    def _read(self):
        """Empties the pipe whoever looks, so that the program never waits."""
        more = True
        while more:
            self._has_news(None)
            with self.news:
                more = self._take()

    def _wait_until_mounted(self):
        if not wait_mounted(self.path, self.process.pid, 30 * SLOW):
            self.process.kill()
            self._reader.join(10)
            raise AssertionError('not mounted: ' + self.output())


def kill_all():
    """Ends every mount, and with it whatever waits for it. Any thread."""
    for mount in list(MOUNTS):
        mount.process.kill()
        abort(mount.path)


def is_mounted(path):
    return device(os.path.realpath(path)) is not None


def device(path):
    """The MAJOR:MINOR of what is mounted at a path without links, or None."""
    wanted = str(path).replace('\\', r'\134').replace(' ', r'\040')
    lines = Path('/proc/self/mountinfo').read_text().splitlines()
    return next((words[2] for words in map(str.split, lines) if words[4] == wanted), None)


def abort(path):
    """Fails all that waits for what is mounted there. That asks it for nothing; path: without
    links."""
    found = device(path)
    if not found:
        return
    try:
        Path('/sys/fs/fuse/connections', found.split(':')[1], 'abort').write_text('1')
    except OSError:
        ctypes.CDLL(None).umount2(os.fsencode(path), MNT_FORCE)  # is for root alone


def wait_mounted(path, pid, timeout):
    """Until something is mounted there: true; the process ends or time is up: false."""
    deadline = time.monotonic() + timeout
    process = os.pidfd_open(pid)
    with open('/proc/self/mountinfo') as mountinfo:
        try:
            poll = select.poll()
            poll.register(mountinfo, select.POLLPRI | select.POLLERR)
            poll.register(process, select.POLLIN)
            while not is_mounted(path):
                events = poll.poll(max(0, deadline - time.monotonic()) * 1000)
                if not events or any(fd == process for fd, _ in events):
                    return is_mounted(path)
            return True
        finally:
            os.close(process)


def usable():
    """Why nothing can be mounted here, or None."""
    if not os.path.exists('/dev/fuse'):
        return '/dev/fuse is missing'
    if not os.access('/dev/fuse', os.R_OK | os.W_OK):
        return '/dev/fuse may not be opened'
    if not shutil.which('fusermount3'):
        return 'fusermount3 is missing'
    return None
