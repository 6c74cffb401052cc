"""One connection to the model server: commands in, answers out."""

import re

from . import allowance, append, change, fetch, folders, listing, login, search, selecting
from .login import Refused
from .mailbox import compact, index, pick, ranges
from .notify import Notify
from .syntax import Bad, Command, Fault, No, literal_size, parse, quote, text
from .wire import Drop, Gone

CAPABILITIES = ['IMAP4rev1', 'IMAP4rev2', 'ID', 'ENABLE', 'IDLE', 'LITERAL+', 'NAMESPACE',
                'UNSELECT', 'UIDPLUS', 'ESEARCH', 'LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE',
                'CHILDREN', 'MOVE', 'CONDSTORE', 'QRESYNC']

# What IMAP4rev2 has without a word (RFC 9051, appendix E).
REV2 = {'NAMESPACE', 'UNSELECT', 'UIDPLUS', 'ESEARCH', 'IDLE', 'SASL-IR', 'LIST-EXTENDED',
        'LIST-STATUS', 'MOVE', 'LITERAL-', 'SPECIAL-USE', 'ENABLE', 'BINARY'}


class Session:
    """State of one connection. Everything but kill() and push() runs in its own thread."""

    def __init__(self, server, wire, number):
        self.server = server
        self.wire = wire
        self.number = number
        self.open = True
        self.end = ''
        self.user = None
        self.mailbox = None
        self.read_only = True
        self.examined = True    # the client asked for that
        self.view = ()          # UIDs as the client has been told, by sequence number
        self.seen_version = 0
        self.uidvalidity = None  # of the selected mailbox, as it was then
        self.seen_flags = {}
        self.idling = False
        self.condstore = False  # asked for: FETCH answers carry MODSEQ
        self.qresync = False    # enabled
        self.notify = None
        self._pushed = []
        self._line = b''        # of the command under way, as far as it is here
        self._silent = True     # nothing of its answer was said so far

    # ---- from other threads

    def kill(self, reset=True):
        self.wire.doom = Drop(reset)
        self.wire.wake()

    def push(self, data, close=False):
        """Sends raw bytes the next time this connection waits for its client."""
        self._pushed.append(data)
        if close:
            self._pushed.append(Drop())
        self.wire.wake()

    # ---- answers; also for rules

    def untagged(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        if self.server.quirks.lowercase:
            data = re.sub(rb'^(\d+ )?[A-Z]+', lambda found: found[0].lower(), data)
        self._speak()
        self.wire.write(b'* ' + data + b'\r\n')
        self.point('untagged')

    def tagged(self, command, status='OK', words='done'):
        """Always true, so that a rule can end with it."""
        self._speak()
        self.wire.write(command.tag + f' {status} {words}\r\n'.encode())
        return True

    def raw(self, data):
        self.wire.write(data)
        return True

    def drop(self, reset=False):
        """The connection ends here."""
        self.wire.flush()
        raise Drop(reset)

    def bye(self, words='so long'):
        self.untagged(f'BYE {words}')
        self.drop()

    def stall(self):
        """Silence until the client goes."""
        self.wire.flush()
        self.wire.read_until_gone()

    # ---- where the connection can be cut

    def point(self, kind):
        """See cut.POINTS. All that was said so far goes out, but not before it is counted, so
        that whoever has the answer knows the count."""
        if self._line and (cut := self.server.meet(self._line, kind)):
            self.wire.flush()
            cut.end(self)

    def _speak(self):
        if self._silent:
            self._silent = False
            self.point('after')

    # ---- the loop

    def run(self):
        self._greet()
        while True:
            self._wait_for_client()
            self._silent = True
            command, parts, early = self._read_command()
            self._line = command.line
            try:
                parse(command, parts)
                if not self._by_rule(command):
                    if early:
                        raise early
                    self._check_length(parts)
                    self.point('before')
                    self._dispatch(command)
            except Bad as bad:
                self._refuse(command, bad)
            except No as no:
                self.tagged(command, 'NO', str(no))
            self.point('answered')
            self.wire.flush()
            self._line = b''

    def _refuse(self, command, bad):
        self.server.refusals.append((command, str(bad)))
        # No answer to a change can make good that its grammar was broken.
        if isinstance(bad, Fault) or command.name in CHANGES:
            self.server.errors.append(f'{bad}: {str(command)[:200]!r}')
        if command.tag:
            self.tagged(command, 'BAD', str(bad))
        else:
            self.untagged(f'BAD {bad}')

    def _greet(self):
        quirks = self.server.quirks
        greeting = quirks.greeting
        if greeting is None:
            code = ''
            if self.server.capability_in_greeting:
                code = '[CAPABILITY %s] ' % ' '.join(self.capabilities())
            greeting = f'* OK {code}fake server ready\r\n'.encode()
        if greeting.upper().startswith(b'* PREAUTH'):
            self.user = 'user'
        self.wire.write(greeting + quirks.after_greeting)
        self.wire.flush()
        if greeting.upper().startswith(b'* BYE'):
            raise Drop()

    def _wait_for_client(self):
        """Until the client sends something; meanwhile what was pushed goes out."""
        self.wire.flush()
        ready = False
        while not ready:
            # Also by what came together with a command, for which nobody wakes it again.
            if self.wire.woken:
                self._between()
            ready = self.wire.wait()

    def _between(self):
        """The connection was woken: pushed bytes, or changes while idling."""
        self.wire.woken = False
        while self._pushed:
            item = self._pushed.pop(0)
            if isinstance(item, Drop):
                self.drop()
            self.wire.write(item)
        if self.idling:
            self.catch_up()
        if self.notify:
            self.notify.tell(self)
        self.wire.flush()

    def _read_command(self):
        """(Command, parts, refusal): text and literals in turn; refusal: made before a literal
        that waited for it, which did not come then."""
        parts, line, early = [self.wire.read_line()], b'', None
        while (size := literal_size(parts[-1])) is not None:
            octets, synchronising = size
            line += parts[-1]
            self._line = line
            parts[-1] = parts[-1][:parts[-1].rfind(b'{')]
            if not synchronising and not self._may_hurry(octets):
                self.server.errors.append('a literal without waiting, which was not offered')
            self.point('plus')
            if synchronising:
                early = self._refusal(parts, octets)
                if early:
                    break
                self._go_on()
            line += b'\r\n'
            self.point('literal')
            parts.append(self.wire.read_exact(octets // 2))
            self.point('literal')
            parts[-1] += self.wire.read_exact(octets - octets // 2)
            line += parts[-1]
            parts.append(self.wire.read_line())
        line += b'' if early else parts[-1]
        box = self.mailbox.name if self.mailbox else None
        return self.server.note(self.number, self.wire.secure, line, box), parts, early

    def _go_on(self):
        pattern = self.server.quirks.no_plus
        if pattern and re.search(pattern, self._line, re.I):
            self.stall()
        self.wire.write(b'+ go on\r\n')

    def _refusal(self, parts, octets):
        """Why the literal that was announced need not come, or None."""
        head = Command(self.number, self.wire.secure, self._line)
        try:
            parse(head, parts)
        except Bad:
            return None  # whatever is wrong shows when all is here
        try:
            if self.user and not self.server.quirks.late:
                append.announced(self, head, octets)
        except (Bad, No) as refusal:
            return refusal
        return None

    def _check_length(self, parts):
        """RFC 7162 4: how long lines may be, CRLF included; literals do not count."""
        if sum(map(len, parts[::2])) + 2 > self.server.quirks.line_limit:
            raise Fault('the line is too long')

    def _by_rule(self, command):
        return any(self.server.takes_turn(rule, command.line) and rule[1](self, command)
                   for rule in list(self.server.rules))

    # ---- commands

    def capabilities(self):
        """What is offered in this state."""
        server = self.server
        if self.user:
            return list(server.capabilities)
        offered = list(server.capabilities_before)
        clear = not self.wire.secure
        if clear and server.tls == 'starttls' and server.quirks.starttls != 'missing':
            return [*offered, 'STARTTLS', 'LOGINDISABLED']
        return offered + [f'AUTH={mech}' for mech in server.mechs]

    def offers(self, capability):
        offered = self.capabilities()
        return (capability in offered or
                any(name.startswith(f'{capability}=') for name in offered) or
                ('IMAP4rev2' in offered and capability in REV2) or
                # RFC 7162, section 3.2.3
                (capability == 'CONDSTORE' and 'QRESYNC' in offered))

    def need(self, capability):
        """No client may use what is not offered, whatever becomes of the answer."""
        if not self.offers(capability):
            raise Fault(f'{capability} is not offered')

    def addressed(self, command):
        """The UIDs that the set of a command names, in order."""
        wanted = text(command.arguments[0])
        if command.name.startswith('UID '):
            return pick(self.view, ranges(wanted, self.view[-1] if self.view else 0))
        found = ranges(wanted, len(self.view))
        if any(high > len(self.view) for _, high in found):
            raise Bad('no such sequence number')
        return [uid for low, high in found for uid in self.view[low - 1:high]]

    def _may_hurry(self, octets):
        """RFC 7888: whether a literal of this size may come without waiting."""
        return self.offers('LITERAL+') or (self.offers('LITERAL-') and octets <= 4096)

    def _dispatch(self, command):
        handler, states = COMMANDS.get(command.name, (None, ''))
        state = 'selected' if self.mailbox else 'auth' if self.user else 'clear'
        if not handler:
            raise Bad(f'unknown command {command.name}')
        if state not in states and states != 'any':
            raise Bad(f'{command.name} in state {state}')
        try:
            handler(self, command)
        except (IndexError, ValueError, TypeError, KeyError) as error:
            raise Bad(f'arguments: {error!r}') from None

    def do_capability(self, command):
        self.untagged('CAPABILITY ' + ' '.join(self.capabilities()))
        self.tagged(command)

    def do_noop(self, command):
        if self.mailbox:
            self.catch_up()
        self.tagged(command)

    def do_logout(self, command):
        self.untagged('BYE logging out')
        self.tagged(command)
        self.wire.flush()
        raise Gone('logout')

    def do_id(self, command):
        self.untagged('ID ("name" "fake" "version" "1")')
        self.tagged(command)

    def do_starttls(self, command):
        quirks = self.server.quirks
        if self.wire.secure or self.server.tls != 'starttls' or \
                quirks.starttls in ('bad', 'missing'):
            raise Bad('no STARTTLS here')
        if quirks.starttls == 'no':
            self.tagged(command, 'NO', 'TLS is out of order')
            return
        if quirks.starttls == 'plus':
            self.raw(b'+ begin\r\n')
            return
        self.raw(command.tag + b' OK begin TLS\r\n' + quirks.starttls_inject)
        self.wire.start_tls(self.server.context)

    def do_login(self, command):
        quirks = self.server.quirks
        try:
            (login.login if command.name == 'LOGIN' else login.authenticate)(self, command)
        except Refused:
            self.tagged(command, 'NO', '[AUTHENTICATIONFAILED] wrong user or password')
            return
        if quirks.login:
            self.tagged(command, 'NO', quirks.login)
            return
        self.user = 'user'
        code = ''
        if self.server.capability_in_login:
            code = '[CAPABILITY %s] ' % ' '.join(self.capabilities())
        self.tagged(command, 'OK', quirks.login_text or f'{code}logged in')

    def do_enable(self, command):
        self.need('ENABLE')
        enabled = [text(word) for word in command.arguments
                   if text(word).upper() in self.server.capabilities]
        if self.server.quirks.enabled == 'sent':
            self.untagged(' '.join(['ENABLED', *enabled]))
            self.qresync |= 'QRESYNC' in enabled
            self.condstore |= self.qresync or 'CONDSTORE' in enabled
        self.tagged(command)

    def do_namespace(self, command):
        self.need('NAMESPACE')
        prefix, delimiter = self.server.personal_prefix, self.server.delimiter
        self.untagged(b'NAMESPACE ((%s %s)) NIL NIL' % (quote(prefix.encode()),
                                                       quote(delimiter.encode())))
        self.tagged(command)

    def do_list(self, command):
        listing.answer(self, command)
        self.tagged(command)

    def do_status(self, command):
        mailbox = self.find(command.arguments[0])
        if not mailbox:
            self.tagged(command, 'NO', '[NONEXISTENT] no such mailbox')
            return
        listing.status(self, mailbox, [text(item).upper() for item in command.arguments[1]])
        self.tagged(command)

    def find(self, token):
        name = bytes(token)
        mailbox = self.server.mailboxes.get(b'INBOX' if name.upper() == b'INBOX' else name)
        return mailbox if mailbox and '\\NOSELECT' not in \
            [flag.upper() for flag in mailbox.attributes] else None

    def finish(self):
        """The connection is over."""
        self.deselect()
        if self.notify:
            self.notify.end(self)

    def deselect(self):
        """No mailbox is selected from here on."""
        if self.mailbox and not self.notify:
            self.mailbox.watchers.discard(self.wire.wake)
        self.mailbox, self.view = None, ()
        self.read_only = self.examined = True

    def do_notify(self, command):
        self.need('NOTIFY')
        if self.notify:
            self.notify.end(self)
        verb, *rest = command.arguments
        self.notify = Notify(self, rest) if text(verb).upper() == 'SET' else None
        if self.notify and self.notify.status:
            for mailbox in self.server.boxes():
                if mailbox is not self.mailbox:
                    listing.status(self, mailbox, ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'])
        self.tagged(command)

    def do_idle(self, command):
        self.need('IDLE')
        self.raw(b'+ idling\r\n')
        self.idling = True
        try:
            self._between()
            self._wait_for_client()
            line = self.wire.read_line()
        finally:
            self.idling = False
        self.server.note(self.number, self.wire.secure, line)
        if line.upper() != b'DONE':
            raise Bad('DONE expected')
        self.tagged(command)

    def do_search(self, command):
        search.answer(self, command)
        self.tagged(command)

    def do_fetch(self, command):
        fetch.answer(self, command)
        if command.name == 'UID FETCH':
            self.catch_up()
        self.tagged(command)

    # ---- changes made by others

    def catch_up(self):
        """Tells the client what became of its mailbox."""
        mailbox = self.mailbox
        if not mailbox or mailbox.version == self.seen_version:
            return
        # What it became is another one, of which nothing can be told here.
        if mailbox.uidvalidity != self.uidvalidity:
            return
        with mailbox.lock:
            now, self.seen_version = mailbox.uids(), mailbox.version
        before = self.view
        if before is not now:
            gone = [seq for seq in range(len(before), 0, -1) if index(now, before[seq - 1]) < 0]
            if gone and self.qresync:
                self.untagged(f'VANISHED {compact([before[seq - 1] for seq in reversed(gone)])}')
            elif gone:
                for seq in gone:
                    self.untagged(f'{seq} EXPUNGE')
            known = set(before)
            new = [uid for uid in now if uid not in known]
            if new:
                self.untagged(f'{len(now)} EXISTS')
            for uid in new if self.notify and self.notify.selected else ():
                message = mailbox.message(uid)
                if message:  # else it is gone again, which is told next
                    self.untagged('%d FETCH (UID %d FLAGS (%s))' % (
                        index(now, uid) + 1, uid, ' '.join(sorted(message.flags))))
        self.view = now
        for uid, flags in list(self.seen_flags.items()):
            message = mailbox.message(uid)
            if message and message.flags != flags:
                self.seen_flags[uid] = set(message.flags)
                modseq = f' MODSEQ ({mailbox.modseqs.get(uid, 1)})' if self.condstore else ''
                self.untagged('%d FETCH (UID %d FLAGS (%s)%s)' % (
                    index(now, uid) + 1, uid, ' '.join(sorted(message.flags)), modseq))


CHANGES = {
    'STORE': (change.store, 'selected'),
    'UID STORE': (change.store, 'selected'),
    'EXPUNGE': (change.expunge, 'selected'),
    'UID EXPUNGE': (change.expunge, 'selected'),
    'COPY': (change.copy, 'selected'),
    'UID COPY': (change.copy, 'selected'),
    'MOVE': (change.move, 'selected'),
    'UID MOVE': (change.move, 'selected'),
    'APPEND': (append.append, 'auth selected'),
    'REPLACE': (append.append, 'selected'),
    'UID REPLACE': (append.append, 'selected'),
    'CREATE': (folders.create, 'auth selected'),
    'DELETE': (folders.delete, 'auth selected'),
    'RENAME': (folders.rename, 'auth selected'),
    'SUBSCRIBE': (folders.subscribe, 'auth selected'),
    'UNSUBSCRIBE': (folders.subscribe, 'auth selected'),
}

COMMANDS = {
    **CHANGES,
    'CAPABILITY': (Session.do_capability, 'any'),
    'NOOP': (Session.do_noop, 'any'),
    'LOGOUT': (Session.do_logout, 'any'),
    'ID': (Session.do_id, 'any'),
    'STARTTLS': (Session.do_starttls, 'clear'),
    'LOGIN': (Session.do_login, 'clear'),
    'AUTHENTICATE': (Session.do_login, 'clear'),
    'ENABLE': (Session.do_enable, 'auth selected'),
    'NAMESPACE': (Session.do_namespace, 'auth selected'),
    'LIST': (Session.do_list, 'auth selected'),
    'LSUB': (Session.do_list, 'auth selected'),
    'STATUS': (Session.do_status, 'auth selected'),
    'SELECT': (selecting.select, 'auth selected'),
    'EXAMINE': (selecting.select, 'auth selected'),
    'UNSELECT': (selecting.unselect, 'selected'),
    'CLOSE': (selecting.unselect, 'selected'),
    'CHECK': (Session.do_noop, 'selected'),
    'MYRIGHTS': (allowance.my_rights, 'auth selected'),
    'GETQUOTAROOT': (allowance.get_quota_root, 'auth selected'),
    'GETQUOTA': (allowance.get_quota, 'auth selected'),
    'IDLE': (Session.do_idle, 'auth selected'),
    'NOTIFY': (Session.do_notify, 'auth selected'),
    'SEARCH': (Session.do_search, 'selected'),
    'UID SEARCH': (Session.do_search, 'selected'),
    'FETCH': (Session.do_fetch, 'selected'),
    'UID FETCH': (Session.do_fetch, 'selected'),
}
