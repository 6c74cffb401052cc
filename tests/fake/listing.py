"""LIST, LSUB and STATUS of the model server."""

import re

from .mailbox import Mailbox
from .syntax import String, quote, text


def answer(session, command):
    """LIST in its old and its extended form (RFC 5258, 5819, 6154)."""
    arguments, select, want = list(command.arguments), [], {}
    extended = isinstance(arguments[0], list)
    if extended:
        session.need('LIST-EXTENDED')
        select = [text(word).upper() for word in arguments.pop(0)]
    reference, pattern, *more = arguments
    if more:
        session.need('LIST-EXTENDED')
        want, extended = options(session, more[1]), True
    patterns = pattern if isinstance(pattern, list) else [pattern]
    if not isinstance(pattern, list) and bytes(pattern) == b'':
        session.untagged(b'LIST (\\Noselect) %s ""' % quote(session.server.delimiter.encode()))
        return
    for line in session.server.quirks.list_lines:
        session.raw(line)
    subscribed = command.name == 'LSUB' or 'SUBSCRIBED' in select
    mark = command.name == 'LIST' and (subscribed or 'SUBSCRIBED' in want)
    verb = b'LSUB' if command.name == 'LSUB' else b'LIST'
    for mailbox in listed(session.server, subscribed, mark):
        if not any(matches(bytes(reference) + bytes(one), mailbox) for one in patterns):
            continue
        attributes = list(mailbox.attributes)
        # As Dovecot does: the plain one tells uses, the extended one only when asked.
        if 'SPECIAL-USE' in (want if extended else session.server.capabilities):
            attributes += mailbox.special
        if mark and mailbox.name in session.server.subscribed:
            attributes.append('\\Subscribed')
        delimiter = quote(mailbox.delimiter.encode()) if mailbox.delimiter else b'NIL'
        session.untagged(b'%s (%s) %s %s' % (verb, ' '.join(attributes).encode(), delimiter,
                                             quote(mailbox.name)))
        if 'STATUS' in want and session.find(mailbox.name):
            status(session, mailbox, want['STATUS'])


def listed(server, subscribed, extended):
    """All mailboxes, or those that are subscribed, though they may exist no longer."""
    mailboxes = server.boxes()
    if not subscribed:
        return mailboxes
    gone = sorted(server.subscribed - {mailbox.name for mailbox in mailboxes})
    return [mailbox for mailbox in mailboxes if mailbox.name in server.subscribed] + \
        [Mailbox(name, server.delimiter, ['\\NonExistent'] if extended else []) for name in gone]


def options(session, tokens):
    """RETURN (...) as a dictionary of option to its items."""
    found, rest = {}, list(tokens)
    while rest:
        name = text(rest.pop(0)).upper()
        found[name] = []
        if name == 'SPECIAL-USE':
            session.need('SPECIAL-USE')
        if name == 'STATUS':
            session.need('LIST-STATUS')
            found[name] = [text(item).upper() for item in rest.pop(0)]
    return found


def matches(pattern, mailbox):
    delimiter = re.escape((mailbox.delimiter or '\0').encode())
    parts = [b'.*' if byte == b'*' else b'[^%s]*' % delimiter if byte == b'%' else re.escape(byte)
             for byte in (pattern[at:at + 1] for at in range(len(pattern)))]
    return re.fullmatch(b''.join(parts), mailbox.name, re.S) is not None


def status(session, mailbox, items):
    if 'HIGHESTMODSEQ' in items:
        session.need('CONDSTORE')
    if 'APPENDLIMIT' in items:
        session.need('APPENDLIMIT')
    values = {
        'MESSAGES': lambda: len(mailbox.uids()),
        'RECENT': lambda: 0,
        'UIDNEXT': lambda: mailbox.uidnext,
        'UIDVALIDITY': lambda: mailbox.uidvalidity,
        'UNSEEN': lambda: len(mailbox.uids()) - len(mailbox.matching('\\Seen')),
        'DELETED': lambda: len(mailbox.matching('\\Deleted')),
        'HIGHESTMODSEQ': lambda: mailbox.modseq,
        'SIZE': mailbox.octets,
        'APPENDLIMIT': lambda: 'NIL' if mailbox.append_limit is None else mailbox.append_limit,
    }
    pairs = ' '.join(f'{item} {values[item]()}' for item in items if item in values)
    session.untagged(b'STATUS %s (%s)' % (quote(String(mailbox.name)), pairs.encode()))
