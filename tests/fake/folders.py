"""CREATE, DELETE, RENAME and subscriptions of the model server (RFC 9051 6.3.4 to 6.3.8)."""

from .change import demand
from .mailbox import Message
from .syntax import Bad, No


def named(token):
    """The name of a mailbox."""
    name = bytes(token)
    return b'INBOX' if name.upper() == b'INBOX' else name


def existing(session, name):
    mailbox = session.server.mailboxes.get(name)
    if not mailbox:
        raise No('[NONEXISTENT] no such mailbox')
    return mailbox


def inferiors(session, name):
    prefix = name + session.server.delimiter.encode()
    return [other for other in list(session.server.mailboxes) if other.startswith(prefix)]


def new_name(session, token):
    """A name that can be given to a mailbox."""
    delimiter = session.server.delimiter.encode()
    name = named(token)
    if any(byte < 32 or byte == 127 for byte in name):
        raise Bad('a control character in a new name')
    if not all(name.split(delimiter)) or set(name) & set(b'*%'):
        raise No('[CANNOT] no such name is possible')
    parent = session.server.mailboxes.get(name.rpartition(delimiter)[0])
    if parent and '\\noinferiors' in map(str.lower, parent.attributes):
        raise No('[CANNOT] nothing can be in there')
    if parent:
        demand(parent, 'k')
    if session.find(name) or name == b'INBOX':
        raise No('[ALREADYEXISTS] there is one')
    return name


def create(session, command):
    delimiter = session.server.delimiter.encode()
    name = new_name(session, command.arguments[0].removesuffix(delimiter))
    session.server.add(name, uidvalidity=next(session.server.uidvalidities), subscribed=False)
    session.tagged(command)


def delete(session, command):
    """What has inferiors stays, as a name that cannot be selected."""
    server = session.server
    name = named(command.arguments[0])
    mailbox = existing(session, name)
    if name == b'INBOX':
        raise No('[CANNOT] not INBOX')
    demand(mailbox, 'x')
    children = inferiors(session, name)
    if children and not session.find(name):
        raise No('[HASCHILDREN] others are in it')
    if session.mailbox is mailbox:
        session.deselect()
    if children:
        mailbox.reset(next(server.uidvalidities))
        mailbox.attributes.append('\\Noselect')
    else:
        del server.mailboxes[name]
    server.wake()
    session.tagged(command)


def rename(session, command):
    server = session.server
    name = named(command.arguments[0])
    mailbox = existing(session, name)
    new = new_name(session, command.arguments[1])
    if name == b'INBOX':
        empty_inbox(session, new)
        session.tagged(command)
        return
    demand(mailbox, 'x')
    if new.startswith(name + server.delimiter.encode()):
        raise No('[CANNOT] into itself')
    for old in [name, *inferiors(session, name)]:
        server.move_name(old, new + old[len(name):])
    server.wake()
    session.tagged(command)


def empty_inbox(session, new):
    """RFC 9051 6.3.6: its messages go to a new mailbox; what is in it stays."""
    server, inbox = session.server, session.server.inbox
    demand(inbox, 'te')
    target = server.add(new, uidvalidity=next(server.uidvalidities), subscribed=False)
    uids = list(inbox.uids())
    target.add([Message(None, old.body, old.flags, old.date) for old in map(inbox.message, uids)])
    inbox.expunge(*uids)
    if session.mailbox is inbox:
        session.catch_up()


def subscribe(session, command):
    """A subscription is of the name, whatever becomes of the mailbox."""
    name = named(command.arguments[0])
    if command.name == 'SUBSCRIBE':
        existing(session, name)
        session.server.subscribed.add(name)
    else:
        session.server.subscribed.discard(name)
    session.tagged(command)
