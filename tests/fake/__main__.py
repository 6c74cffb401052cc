"""The server as a program: prints its port, runs until its standard input ends or SIGTERM."""

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from . import Certs, Server, VirtualMailbox


def main():
    parser = argparse.ArgumentParser(prog='tests.fake', description=__doc__)
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--tls', choices=['implicit', 'starttls', 'none'], default='implicit')
    parser.add_argument('--certificate', default='good', help='kind of certificate')
    parser.add_argument('--certs', type=Path, help='directory for the certificates')
    parser.add_argument('--script', type=Path, action='append', help='play this transcript')
    parser.add_argument('--mailbox', action='append', default=[], help='add an empty mailbox')
    parser.add_argument('--messages', type=int, default=3, help='messages in INBOX')
    parser.add_argument('--virtual', type=int, help='a mailbox "Million" of so many messages')
    parser.add_argument('--mask', action='append', default=[], help='do not offer this capability')
    parser.add_argument('--log', type=Path, help='write what clients said as JSON at the end')
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        context = None
        if options.tls != 'none':
            certs = Certs(options.certs or scratch)
            context = certs.context(options.certificate)
            print('ca', certs.ca)
        scripts = [path.read_text() for path in options.script or []] or None
        with Server(options.tls, context, options.host, options.port, scripts) as server:
            server.mask(*options.mask)
            server.inbox.extend(b'Subject: %d\r\n\r\nbody %d\r\n' % (n, n)
                                for n in range(options.messages))
            for name in options.mailbox:
                server.add(name)
            if options.virtual:
                server.add('Million', VirtualMailbox, count=options.virtual)
            user, password = next(iter(server.users.items()))
            print('user', user, 'password', password)
            print('port', server.port, flush=True)
            done = threading.Event()
            signal.signal(signal.SIGTERM, lambda *unused: done.set())
            threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
            done.wait()
        if options.log:
            options.log.write_text(json.dumps({
                'connections': len(server.sessions),
                'lines': [str(line) for line in server.log],
                'bytes': server.all_bytes().decode('latin-1'),
                'errors': server.errors}, indent=1))
    for error in server.errors:
        print(error, file=sys.stderr)
    sys.exit(1 if server.errors else 0)


main()
