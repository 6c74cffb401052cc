"""What the tests share: a real Dovecot, the mount under test, the proxy, messages. A change takes
effect in the tree at once; of what the server has answered the kernel is told a moment later."""

import os
import time

import pytest

# How much slower than a plain build the program under test may be (sanitizers).
SLOW = float(os.environ.get('IMAPFS_SLOW', '1'))

# The timeout= of a mount whose server falls silent: a loaded machine may stand still for less.
SILENCE_S = 8

# Capabilities that no server of the tests offers, for a run of them without.
MASK = os.environ.get('IMAPFS_MASK', '').split()


# Between two looks at a state that nobody announces.
PAUSE_S = 0.01


def eventually(action, limit_s=40):
    """Repeats action() until it neither fails with OSError nor with an assertion, be it that an
    error did not come; its result."""
    deadline = time.monotonic() + limit_s * SLOW
    while True:
        try:
            return action()
        except (OSError, AssertionError, pytest.fail.Exception):
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_S)


def reads(path, expected):
    """What a file holds once the server has answered."""
    def look():
        assert path.read_bytes() == expected
    eventually(look)


def lists(path, names):
    """What a folder lists then."""
    def look():
        assert sorted(os.listdir(path)) == sorted(names)
    eventually(look)
