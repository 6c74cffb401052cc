"""SELECT and EXAMINE of the model server, and the ways to leave a mailbox."""

from . import fetch
from .change import remove, tell_flags
from .mailbox import compact
from .syntax import Bad, text


def known_since(session, command, mailbox):
    """The modification sequence that the QRESYNC parameter of SELECT names, None for none."""
    since = None
    given = iter(command.arguments[1] if len(command.arguments) > 1 else [])
    for name in given:
        session.need(text(name).upper())
        session.condstore = True
        if text(name).upper() == 'QRESYNC':
            if not session.qresync:
                raise Bad('QRESYNC is not enabled')
            uidvalidity, since = (int(word) for word in next(given)[:2])
            if mailbox and uidvalidity != mailbox.uidvalidity:
                since = None
    return since


def tell_changes(session, vanished, changed):
    """What became of the mailbox since some time (RFC 7162 3.2.5.1)."""
    if session.server.quirks.changes:
        vanished, changed = session.server.quirks.changes(vanished, changed)
    if vanished:
        session.untagged(f'VANISHED (EARLIER) {compact(vanished)}')
    for message in filter(None, map(session.mailbox.message, changed)):
        fetch.one(session, message, ['UID', 'FLAGS', 'MODSEQ'])


def select(session, command):
    if session.mailbox and session.qresync:
        session.untagged('OK [CLOSED] previous mailbox closed')
    session.deselect()
    mailbox = session.find(command.arguments[0])
    if not mailbox:
        session.tagged(command, 'NO', '[NONEXISTENT] no such mailbox')
        return
    quirks = session.server.quirks
    since = known_since(session, command, mailbox)
    with mailbox.lock:  # All that is told is of one moment: others go on changing it.
        session.mailbox, session.view = mailbox, mailbox.uids()
        session.seen_version, session.uidvalidity = mailbox.version, mailbox.uidvalidity
        validity, uidnext, modseq = str(mailbox.uidvalidity), mailbox.uidnext, mailbox.modseq
        changes = None if since is None else (mailbox.vanished_since(since),
                                              mailbox.changed_since(since))
    session.seen_flags = {}
    mailbox.watchers.add(session.wire.wake)
    session.examined = command.name == 'EXAMINE'
    session.read_only = session.examined or mailbox.read_only or \
        not set('swte').intersection(mailbox.rights)
    tell_flags(session)
    session.untagged(f'{len(session.view)} EXISTS')
    session.untagged('0 RECENT')
    if callable(quirks.uidvalidity):
        validity = quirks.uidvalidity(mailbox)
    if quirks.uidvalidity != 'missing':
        session.untagged(f'OK [UIDVALIDITY {validity}] UIDs valid')
    if quirks.uidnext != 'missing':
        session.untagged(f'OK [UIDNEXT {uidnext}] predicted')
    if session.offers('CONDSTORE') and quirks.highestmodseq != 'missing':
        if callable(quirks.highestmodseq):
            modseq = quirks.highestmodseq(mailbox)
        session.untagged(f'OK [HIGHESTMODSEQ {modseq}] highest')
    elif session.offers('CONDSTORE'):
        session.untagged('OK [NOMODSEQ] none here')
    if changes:
        tell_changes(session, *changes)
    session.tagged(command, 'OK', '[READ-ONLY] selected' if session.read_only else
                '[READ-WRITE] selected')


def unselect(session, command):
    if command.name == 'UNSELECT':
        session.need('UNSELECT')
    elif not session.read_only and 'e' in session.mailbox.rights:
        remove(session, session.mailbox.matching('\\Deleted'))
    session.deselect()
    session.tagged(command)
