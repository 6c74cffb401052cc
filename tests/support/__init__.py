"""What the tests share: a real Dovecot, the mount under test, the proxy, messages."""

import os

# How much slower than a plain build the program under test may be (sanitizers).
SLOW = float(os.environ.get('IMAPFS_SLOW', '1'))
