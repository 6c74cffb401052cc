"""A real Dovecot on loopback in a directory of its own, run by an ordinary user in any case."""

import contextlib
import grp
import imaplib
import os
import pwd
import random
import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from . import MASK, SLOW

CONFIG = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_client_limit = 1000
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u:LAYOUT=fs
mail_max_userip_connections = 100
mailbox_list_index = {list_index}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
  }}
  mailbox Trash {{
    special_use = \\Trash
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
"""


def free_port():
    """Below those that the kernel gives to outgoing connections, or one of these would have it
    before it is listened on."""
    while True:
        port = random.randrange(16000, 32000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(('127.0.0.1', port))
            return port


class Dovecot:
    """The server process. Any user name is good with the one password."""

    password = 'korrekt-9f2e'

    def __init__(self, directory, certs, mask=MASK, list_index=True, more=''):
        """mask: capabilities that are not offered. list_index: NOTIFY needs it; it breaks when
        mailboxes are renamed and deleted under open sessions. more: lines of its configuration."""
        self.dir = Path(directory)
        self.ca = certs.ca
        self.log = []
        owner = pwd.getpwuid(os.getuid()) if os.getuid() else pwd.getpwnam('nobody')
        self.uid, self.gid = owner.pw_uid, owner.pw_gid
        certificate, key = certs.leaf('good')
        for sub in ('run', 'state', 'mail', 'home'):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / 'key.pem').write_bytes(key.read_bytes())
        (self.dir / 'cert.pem').write_bytes(certificate.read_bytes())
        self._start_on_free_ports(lambda: (CONFIG + more).format(
            dir=self.dir, certificate=self.dir / 'cert.pem', key=self.dir / 'key.pem',
            user=owner.pw_name, group=_group_name(self.gid), imap=self.clear_port,
            imaps=self.port, password=self.password, uid=self.uid, gid=self.gid,
            list_index='yes' if list_index else 'no'))
        if mask:
            self._mask(mask)

    def _start_on_free_ports(self, config):
        """One that was free a moment ago may be another server's by now."""
        for last in (False, False, False, True):
            self.port, self.clear_port = free_port(), free_port()
            (self.dir / 'dovecot.conf').write_text(config())
            self._give_away(self.dir)
            try:
                self.start()
                return
            except RuntimeError as failure:
                if last or 'Address already in use' not in str(failure):
                    raise

    def _mask(self, names):
        client = imaplib.IMAP4('127.0.0.1', self.clear_port, timeout=60)
        client.login('mask', self.password)
        offered = client.capability()[1][0].decode().split()
        client.logout()
        left = ' '.join(name for name in offered if name not in names)
        with open(self.dir / 'dovecot.conf', 'a') as config:
            config.write(f'imap_capability = {left}\n')
        self.stop()
        self.start()

    def start(self):
        """Starts the server; returns when it listens."""
        as_root = {} if os.getuid() else {'user': self.uid, 'group': self.gid, 'extra_groups': []}
        self.process = subprocess.Popen(
            ['dovecot', '-F', '-c', self.dir / 'dovecot.conf'], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace',
            env={'PATH': '/usr/bin:/bin:/usr/sbin:/sbin'}, start_new_session=True, **as_root)
        for line in self.process.stderr:
            self.log.append(line)
            if 'starting up' in line:
                break
        else:
            raise RuntimeError('dovecot does not start: ' + ''.join(self.log))
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,),
                                        daemon=True)
        self._reader.start()

    def stop(self, sig=signal.SIGTERM):
        """Ends the server; SIGKILL ends every process of it at once."""
        self.process.send_signal(sig)
        if sig == signal.SIGKILL:
            self._kill_family()
        self.process.wait(60 * SLOW)
        self._reader.join(60)

    def _kill_family(self):
        """With what they start meanwhile."""
        while family := self._family():
            for pid in family:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def _family(self):
        """The master and all its children, which live in one session."""
        found = []
        for entry in Path('/proc').iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / 'stat').read_text().rpartition(')')[2].split()
                except OSError:
                    continue
                if int(stat[3]) == self.process.pid and stat[0] != 'Z':
                    found.append(int(entry.name))
        return found

    def _read(self, pipe):
        for line in pipe:
            self.log.append(line)

    def _give_away(self, path):
        if os.getuid() == 0:
            for root, dirs, files in os.walk(path):
                for name in ['.', *dirs, *files]:
                    os.chown(os.path.join(root, name), self.uid, self.gid)


class Account:
    """One user of a Dovecot."""

    def __init__(self, dovecot, user):
        self.dovecot = dovecot
        self.user = user
        self.password = dovecot.password
        self.ca = dovecot.ca
        self.port = dovecot.port
        self.maildir = dovecot.dir / 'mail' / user
        self.options = {}

    @property
    def source(self):
        return f'imaps://{self.user}@localhost:{self.port}'

    @property
    def clear_source(self):
        return f'imap://{self.user}@localhost:{self.dovecot.clear_port}'

    def imap(self):
        """An independent client, logged in."""
        context = ssl.create_default_context(cafile=self.ca)
        client = imaplib.IMAP4_SSL('localhost', self.port, ssl_context=context, timeout=60)
        client.login(self.user, self.password)
        return client

    def append(self, *bodies, mailbox='INBOX', flags=None, date=None):
        """APPENDs by IMAP; returns the UIDs, which only hold in an undisturbed mailbox."""
        client, first = self.imap(), None
        for body in bodies:
            status, answer = client.append(mailbox, flags, date, body)
            assert status == 'OK', answer
            code = client.untagged_responses.pop('APPENDUID', None)
            first = first or int(code[-1].split()[1])
        client.logout()
        return list(range(first, first + len(bodies)))

    def deliver(self, bodies, mailbox='', seen=False,
                date=lambda body, number: 1500000000 + number):
        """Puts messages into the Maildir itself, byte for byte; UIDs go in this order. date: gives
        the INTERNALDATE."""
        base = self.maildir / mailbox
        for sub in ('cur', 'new', 'tmp'):
            (base / sub).mkdir(parents=True, exist_ok=True)
        for number, body in enumerate(bodies, 1):
            path = base / 'cur' / f'{1500000000 + number}.M{number:07}.host:2,{"S" * seen}'
            path.write_bytes(body)
            os.utime(path, (date(body, number),) * 2)
        self.dovecot._give_away(self.maildir)

    def flags(self, mailbox='INBOX'):
        """{UID: sorted flags without \\Recent} as an independent client sees them."""
        client = self.imap()
        client.select(f'"{mailbox}"', readonly=True)
        found = {}
        for line in client.uid('FETCH', '1:*', '(UID FLAGS)')[1]:
            if line:
                words = line.decode()
                uid = int(words.split('UID ')[1].split()[0].rstrip(')'))
                flags = words.split('FLAGS (')[1].split(')')[0].split()
                found[uid] = sorted(flag for flag in flags if flag != '\\Recent')
        client.logout()
        return found


def _group_name(gid):
    return grp.getgrgid(gid).gr_name
