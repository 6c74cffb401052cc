"""A throwaway Dovecot with sample mail in a directory: prints `SOURCE PASSFILE CAFILE`, serves
until SIGTERM."""

import signal
import sys
from pathlib import Path

from tests.fake import Certs
from tests.support import sample
from tests.support.dovecot import Account, Dovecot


def main():
    directory = Path(sys.argv[1])
    server = Dovecot(directory / 'dovecot', Certs(directory / 'certs'))
    try:
        account = Account(server, 'dunja')
        for mailbox, bodies in sample.MAILBOXES.items():
            account.deliver(bodies, mailbox, date=sample.date)
        passfile = directory / 'password'
        passfile.touch(0o600)
        passfile.write_text(account.password + '\n')
        signal.signal(signal.SIGTERM, lambda *unused: sys.exit(0))
        print(account.source, passfile, account.ca, flush=True)
        sys.stdout.close()
        signal.pause()
    finally:
        server.stop()


main()
