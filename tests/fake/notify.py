"""NOTIFY (RFC 5465): what a connection is told without asking."""

from . import listing
from .syntax import Bad, quote, text

EVENTS = {'MESSAGENEW', 'MESSAGEEXPUNGE', 'FLAGCHANGE', 'MAILBOXNAME', 'SUBSCRIPTIONCHANGE'}


class Notify:
    """One NOTIFY SET. Everything runs in the thread of its session."""

    def __init__(self, session, arguments):
        self.selected = self.delayed = False
        self.personal = set()
        self.watched = set()
        words = list(arguments)
        self.status = not isinstance(words[0], list) and text(words[0]).upper() == 'STATUS'
        for group in words[self.status:]:
            self._take(group)
        self.told = {mailbox: mailbox.version for mailbox in session.server.boxes()}
        self.names = {mailbox: mailbox.name for mailbox in self.told}
        self._watch(session)

    def _take(self, group):
        name, events = text(group[0]).upper(), group[1]
        wanted = {text(event).upper() for event in events if not isinstance(event, list)}
        if not wanted <= EVENTS:
            raise Bad(f'events {wanted - EVENTS}')
        if ('MESSAGENEW' in wanted) != ('MESSAGEEXPUNGE' in wanted):
            raise Bad('MessageNew and MessageExpunge go together')
        if name in ('SELECTED', 'SELECTED-DELAYED'):
            self.selected, self.delayed = True, name.endswith('DELAYED')
        elif name == 'PERSONAL':
            self.personal = wanted
        else:
            raise Bad(f'filter {name}')

    def _watch(self, session):
        for mailbox in session.server.boxes():
            mailbox.watchers.add(session.wire.wake)
            self.watched.add(mailbox)

    def end(self, session):
        for mailbox in self.watched:
            mailbox.watchers.discard(session.wire.wake)

    def tell(self, session):
        """All that happened since the last time."""
        if 'MAILBOXNAME' in self.personal:
            self._tell_names(session)
        for mailbox in session.server.boxes():
            version = mailbox.version
            if mailbox is session.mailbox:
                self.told[mailbox] = session.seen_version
            elif self.told.get(mailbox) != version and 'MESSAGENEW' in self.personal:
                self.told[mailbox] = version
                listing.status(session, mailbox, ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'])
        if session.mailbox and self.selected and (session.idling or not self._expunged(session)):
            session.catch_up()

    def _expunged(self, session):
        now = set(session.mailbox.uids())
        return self.delayed and any(uid not in now for uid in session.view)

    def _tell_names(self, session):
        now = {mailbox: mailbox.name for mailbox in session.server.boxes()}
        before, self.names = self.names, now
        for mailbox, name in now.items():
            if mailbox not in before:
                self.told[mailbox] = mailbox.version
                session.untagged(b'LIST () "/" %s' % quote(name))
            elif before[mailbox] != name:
                session.untagged(b'LIST () "/" %s ("OLDNAME" (%s))' %
                                 (quote(name), quote(before[mailbox])))
        for mailbox, name in before.items():
            if mailbox not in now:
                session.untagged(b'LIST (\\NonExistent) "/" %s' % quote(name))
        self._watch(session)
