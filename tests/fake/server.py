"""The listener: accepts connections, remembers every line, and lets a test wait for events."""

import itertools
import re
import socket
import ssl
import threading

from tests.support import SLOW

from . import cut
from . import session as model
from . import transcript
from .login import Refused
from .mailbox import Mailbox
from .syntax import Command, No
from .wire import Drop, Gone, Wire


class Quirks:
    """What the model does wrong on purpose; everything off at first."""

    instead_of_tls = None     # function(wire), before anything else is said
    greeting = None           # bytes of the whole greeting line, or "" for none at all
    after_greeting = b''      # sent right behind the greeting
    starttls = 'ok'           # ok, missing, no, bad, plus
    starttls_inject = b''     # sent in clear in the segment of the STARTTLS OK
    login = None              # text of a NO to every login, "[UNAVAILABLE] later"
    login_text = ''           # text of the OK to a login, after its code
    scram_first = None        # function(text) -> what is sent for SCRAM's server-first-message
    scram_final = None        # and for its server-final-message
    size = None               # function(message) -> RFC822.SIZE, None leaves it out
    date = None               # function(message) -> INTERNALDATE as str, None leaves it out
    fetch = None              # function(session, uid, items) -> items or None (no FETCH line)
    uid_last = False          # UID behind the body
    body = 'literal'          # literal, quoted, nil, empty, missing
    body_short = 0            # literals end so many octets early, and silence follows
    uidvalidity = 'sent'      # sent, missing, or a function(mailbox) -> str
    uidnext = 'sent'          # sent, missing
    enabled = 'sent'          # sent, missing: ENABLE is answered OK and enables nothing
    highestmodseq = 'sent'    # sent, missing, or a function(mailbox) -> what is sent
    changes = None            # function(vanished, changed) -> those that QRESYNC tells instead
    lowercase = False         # response names in lower case
    list_lines = ()           # whole lines sent in front of the others of LIST
    esearch = True            # False: RETURN is accepted, the answer is a plain SEARCH
    appenduid = 'sent'        # sent, missing, or function(words) -> words
    copyuid = 'sent'          # likewise, of COPY and MOVE
    move = 'ok'               # ok, cannot, bare: no COPYUID, tagged: with the tagged OK
    late = False              # an APPEND is refused only after its literal
    no_plus = None            # pattern of commands whose literals wait for "+" for ever
    line_limit = 8192         # octets of a command without its literals


class Server:
    """One port of one kind (tls: implicit, starttls, none). As context manager it stops at the
    end. `log` has a Command for every line received; `sessions` every connection ever made."""

    def __init__(self, tls='implicit', context=None, host='127.0.0.1', port=0, scripts=None):
        self.tls = tls
        self.context = context
        self.scripts = scripts
        self.users = {'user': 'geheim-7b1f'}
        self.tokens = {'user': 'ya29.token-51c0'}
        self.mechs = ['PLAIN', 'LOGIN']
        self.capabilities_before = ['IMAP4rev1', 'SASL-IR', 'LITERAL+', 'ID', 'ENABLE']
        self.capabilities = list(model.CAPABILITIES)
        self.capability_in_greeting = True
        self.capability_in_login = True
        self.delimiter = '/'
        self.personal_prefix = ''
        self.quirks = Quirks()
        self.mailboxes = {}
        self.subscribed = set()  # names
        self.uidvalidities = itertools.count(5000)  # of mailboxes that clients make
        self.quota = {}         # resource -> limit, of all mailboxes together (RFC 9208)
        self.rules = []
        self.cuts = []
        self.log = []
        self.refusals = []      # (Command, text) of every BAD for a fault of the client
        self.errors = []        # what a transcript found wrong, and bugs of the server itself
        self.sessions = []
        self.cond = threading.Condition(threading.RLock())
        self.hole = False       # nothing is read or written, new connections hang
        self.refuse = False     # new connections are counted and closed at once
        self.stopping = False
        self._threads = []
        self.add('INBOX')
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=512)
        self.host, self.port = self._listener.getsockname()[:2]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    # ---- set-up

    def add(self, name, cls=Mailbox, subscribed=True, **more):
        """Adds a mailbox and returns it."""
        more.setdefault('delimiter', self.delimiter)
        mailbox = cls(name, **more)
        self.mailboxes[mailbox.name] = mailbox
        if subscribed:
            self.subscribed.add(mailbox.name)
        self.wake()
        return mailbox

    def remove(self, name):
        """DELETE and UNSUBSCRIBE by somebody else."""
        del self.mailboxes[name.encode()]
        self.subscribed.discard(name.encode())
        self.wake()

    def rename(self, name, new):
        """RENAME by somebody else, who moves the subscription, too."""
        self.move_name(name.encode(), new.encode())
        if name.encode() in self.subscribed:
            self.subscribed.remove(name.encode())
            self.subscribed.add(new.encode())
        self.wake()

    def move_name(self, name, new):
        """Gives one mailbox another name; wake() is left to do."""
        with self.cond:
            mailbox = self.mailboxes.pop(name)
            mailbox.name = new
            self.mailboxes[new] = mailbox

    def wake(self):
        """Lets every connection see that mailboxes came or went."""
        for session in self.sessions:
            if session.open:
                session.wire.wake()

    @property
    def inbox(self):
        return self.mailboxes[b'INBOX']

    def mask(self, *names):
        """Takes capabilities away, before and after the login, and IMAP4rev2 where it has one of
        them without a word."""
        gone = {*names, 'IMAP4rev2'} if model.REV2.intersection(names) else names
        for listed in (self.capabilities, self.capabilities_before):
            listed[:] = [name for name in listed if name not in gone]

    def on(self, pattern, action, times=None):
        """action(session, command) for each command whose line matches the bytes pattern, at most
        `times` times; when it returns true the server does nothing more about that command."""
        rule = [re.compile(pattern, re.I | re.S), action, times]
        self.rules.append(rule)
        return rule

    def deny(self, pattern, words, times=None):
        """NO to commands like these, without doing them: "[OVERQUOTA] full"."""
        return self.on(pattern, lambda session, command: session.tagged(command, 'NO', words),
                       times)

    def cut(self, pattern, when=None, **more):
        """Ends the connection at a point of a command whose line matches: see cut.Cut."""
        one = cut.Cut(pattern, when, **more)
        self.cuts.append(one)
        return one

    # ---- what a test waits for and looks at

    def wait_for(self, predicate, timeout=40 * SLOW):
        """Until predicate() holds; every line, connection and end of one asks again."""
        with self.cond:
            if not self.cond.wait_for(predicate, timeout):
                raise TimeoutError(f'not seen in {timeout} s; the log ends with ' +
                                   repr([str(entry)[:200] for entry in self.log[-10:]]))

    def changed(self):
        with self.cond:
            self.cond.notify_all()

    def lines(self, pattern=b''):
        """The commands so far whose line matches the bytes pattern."""
        wanted = re.compile(pattern, re.I | re.S)
        with self.cond:
            return [entry for entry in self.log if wanted.search(entry.line)]

    def clear_bytes(self):
        """All that clients sent in clear, of all connections."""
        return b''.join(bytes(session.wire.clear_in) for session in self.sessions)

    def all_bytes(self):
        """All that clients sent, in clear and decrypted."""
        return b''.join(bytes(session.wire.clear_in + session.wire.secure_in)
                        for session in self.sessions)

    def open_sessions(self):
        with self.cond:
            return [session for session in self.sessions if session.open]

    # ---- what a test does to the connections

    def black_hole(self, on=True):
        """Freezes every connection, also ones to come, or lets them go on."""
        with self.cond:
            self.hole = on
            self.cond.notify_all()

    def kill(self, reset=True):
        """Ends every connection as a server does that dies; new ones are welcome."""
        for session in self.open_sessions():
            session.kill(reset)
        self.changed()

    def bye(self, text='shutting down'):
        """An untagged BYE to every waiting connection, then their end."""
        for session in self.open_sessions():
            session.push(b'* BYE %s\r\n' % text.encode(), close=True)

    def push(self, data):
        """Raw bytes to every connection that waits for its client."""
        for session in self.open_sessions():
            session.push(data)

    def stop(self):
        with self.cond:
            if self.stopping:
                return
            self.stopping = True
            self.hole = False
            self.cond.notify_all()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._accepting.join(10)
        self._listener.close()
        for session in self.open_sessions():
            session.kill(reset=False)
        for thread in self._threads:
            thread.join(10)

    # ---- called by connections

    def boxes(self):
        """All mailboxes of one moment: others add, rename and remove some meanwhile."""
        with self.cond:
            return list(self.mailboxes.values())

    def takes_turn(self, rule, line):
        """Whether it is for this line, which counts then."""
        if not rule[0].search(line):
            return False
        with self.cond:
            if rule[2] == 0:
                return False
            if rule[2] is not None:
                rule[2] -= 1
            return True

    def meet(self, line, kind):
        """The cut whose turn it is at this point, or None."""
        with self.cond:
            met = [one for one in self.cuts if one.meets(line, kind)]
            self.cond.notify_all()
        return met[0] if met else None

    def usage(self):
        """What all mailboxes hold, in the units of RFC 9208 5."""
        octets = sum(mailbox.octets() for mailbox in self.boxes())
        messages = sum(len(mailbox.uids()) for mailbox in self.boxes())
        return {'STORAGE': octets, 'MESSAGE': messages}

    def demand_room(self, octets, messages=1):
        """Refuses what the quota does not allow."""
        used = self.usage() if self.quota else {}
        more = {'STORAGE': octets, 'MESSAGE': messages}
        for resource, limit in self.quota.items():
            unit = 1024 if resource == 'STORAGE' else 1
            if used[resource] + more[resource] > limit * unit:
                raise No(f'[OVERQUOTA] no room: {resource}')

    def check_password(self, user, password):
        if self.users.get(user) != password:
            raise Refused()

    def pass_hole(self, wire):
        """Waits for the end of a black hole; raises when the server stops."""
        with self.cond:
            self.cond.wait_for(lambda: not self.hole or self.stopping or wire.doom)
        if self.stopping:
            raise Gone('the server stops')

    def note(self, connection, secure, line, mailbox=None):
        command = Command(connection, secure, line, mailbox=mailbox)
        with self.cond:
            self.log.append(command)
            self.cond.notify_all()
        return command

    # ---- threads

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self.cond:
                kind = transcript.Session if self.scripts else model.Session
                session = kind(self, Wire(sock, self), len(self.sessions))
                self.sessions.append(session)
                self.cond.notify_all()
            thread = threading.Thread(target=self._serve, args=(session,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, session):
        wire, reset, orderly = session.wire, False, True
        try:
            wire.check()
            if self.refuse:
                raise Drop(reset=True)
            if self.quirks.instead_of_tls:
                self.quirks.instead_of_tls(wire)
            if self.tls == 'implicit':
                wire.start_tls(self.context)
            session.run()
        except Drop as drop:
            reset, orderly = drop.reset, False
        except (Gone, ssl.SSLError, OSError) as gone:
            session.end = str(gone)
        except Exception as error:
            self.errors.append(f'connection {session.number}: {error!r}')
        session.finish()
        wire.close(reset, orderly)
        with self.cond:
            session.open = False
            self.cond.notify_all()
