"""STORE, EXPUNGE, COPY and MOVE of the model server, and who may do them."""

import re

from .mailbox import SYSTEM_FLAGS, Message, compact, index
from .syntax import Bad, Fault, No, text

ITEM = re.compile(r'([+-]?)FLAGS(\.SILENT)?$')
KEYWORD = re.compile(r'[^\x00-\x20\x7f(){%*"\\\]]+$')
RIGHTS = {'\\Seen': 's', '\\Deleted': 't'}  # of other flags: w (RFC 4314 4)


def flag_list(tokens):
    """Flags as the mailboxes have them."""
    system = {flag.upper(): flag for flag in SYSTEM_FLAGS}
    flags = [text(token) for token in tokens]
    for flag in flags:
        if flag.upper() not in system and not KEYWORD.match(flag):
            raise Bad(f'flag {flag}')
    return {system.get(flag.upper(), flag) for flag in flags}


def lasting(mailbox, flags):
    """Those of the flags that can be changed there, in the letters that it knows them by."""
    known = {flag.upper(): flag for flag in (*mailbox.permanent, *mailbox.keywords())}
    found = {known.get(flag.upper(), flag) for flag in flags}
    return {flag for flag in found
            if RIGHTS.get(flag, 'w') in mailbox.rights and
            (flag in mailbox.permanent or
             '\\*' in mailbox.permanent and not flag.startswith('\\'))}


def tell_flags(session):
    """The flags of the mailbox, and which of them can be changed for good."""
    mailbox = session.mailbox
    known = [*SYSTEM_FLAGS, *mailbox.keywords()]
    kept = [] if session.read_only else sorted(lasting(mailbox, known))
    if '\\*' in mailbox.permanent and 'w' in mailbox.rights and not session.read_only:
        kept.append('\\*')
    session.untagged(f'FLAGS ({" ".join(known)})')
    session.untagged(f'OK [PERMANENTFLAGS ({" ".join(kept)})] limited')


def demand(mailbox, rights):
    missing = [right for right in rights if right not in mailbox.rights]
    if missing:
        raise No(f'[NOPERM] the rights {"".join(missing)} are missing')


def writable(session):
    """What is selected to be looked at is not to be changed. That a mailbox is read-only is not
    known yet to a client that does not wait for the answer to its SELECT."""
    if session.examined:
        raise Fault('a change of what EXAMINE selected')
    if session.read_only:
        raise No('[READ-ONLY] nothing can be changed here')


def store(session, command):
    _, item, *flags = command.arguments
    since = None
    if isinstance(item, list):
        since, item, flags = unchanged_since(session, item), flags[0], flags[1:]
    found = ITEM.match(text(item).upper())
    if not found or not flags:
        raise Bad('STORE of no flags')
    wanted = flag_list(flags[0] if isinstance(flags[0], list) else flags)
    writable(session)
    mailbox = session.mailbox
    if wanted and not any(RIGHTS.get(flag, 'w') in mailbox.rights for flag in wanted):
        raise No('[NOPERM] none of these flags may be changed')
    keywords = mailbox.keywords()
    with mailbox.lock:
        uids = [uid for uid in session.addressed(command) if mailbox.message(uid)]
        late = [uid for uid in uids
                if since is not None and mailbox.modseqs.get(uid, 1) > since]
        uids = [uid for uid in uids if uid not in late]
        mailbox.change_flags(changes(mailbox, uids, found[1], wanted))
    if mailbox.keywords() != keywords:
        tell_flags(session)
    tell(session, command, uids, found[2], since)
    if command.name == 'UID STORE':
        session.catch_up()
    code = f'[MODIFIED {compact(numbers(session, command, late))}] ' if late else ''
    session.tagged(command, 'OK', code + 'done')


def unchanged_since(session, modifiers):
    """RFC 7162 3.1.3."""
    session.need('CONDSTORE')
    name, modseq = (text(word).upper() for word in modifiers)
    if name != 'UNCHANGEDSINCE':
        raise Bad(f'store modifier {name}')
    session.condstore = True
    return int(modseq)


def changes(mailbox, uids, sign, wanted):
    """{uid: flags} of those that a STORE changes; what cannot be changed for good stays."""
    flags, found = lasting(mailbox, wanted), {}
    for uid in uids:
        before = mailbox.message(uid).flags
        if sign == '+':
            now = before | flags
        elif sign == '-':
            now = before - flags
        else:
            now = flags | (before - lasting(mailbox, before))
        if now != before:
            found[uid] = now
    return found


def numbers(session, command, uids):
    """UIDs as this command numbers messages."""
    if command.name.startswith('UID '):
        return uids
    return [index(session.view, uid) + 1 for uid in uids]


def tell(session, command, uids, silent, since):
    """The FETCH lines: after .SILENT too where somebody counts modification sequences."""
    for uid in uids:
        flags = session.mailbox.message(uid).flags
        session.seen_flags[uid] = set(flags)
        items = [f'UID {uid}'] if command.name.startswith('UID ') else []
        if not silent:
            items.append(f'FLAGS ({" ".join(sorted(flags))})')
        if session.condstore:
            items.append(f'MODSEQ ({session.mailbox.modseqs.get(uid, 1)})')
        if not silent or session.condstore or since is not None:
            session.untagged(f'{index(session.view, uid) + 1} FETCH ({" ".join(items)})')


def expunge(session, command):
    by_uid = command.name == 'UID EXPUNGE'
    if by_uid:
        session.need('UIDPLUS')
    writable(session)
    mailbox = session.mailbox
    demand(mailbox, 'e')
    gone = mailbox.matching('\\Deleted')
    if by_uid:
        addressed = set(session.addressed(command))
        gone = [uid for uid in gone if uid in addressed]
    remove(session, gone)
    session.catch_up()
    session.tagged(command, 'OK', after(session, gone) + 'done')


def remove(session, uids):
    if uids:
        session.mailbox.expunge(*uids)


def after(session, gone):
    """RFC 7162 3.2.7: what the client may remember after messages went."""
    return f'[HIGHESTMODSEQ {session.mailbox.modseq}] ' if gone and session.qresync else ''


def destination(session, token, rights='i'):
    """The mailbox that messages are to be put into."""
    mailbox = session.find(token)
    if not mailbox:
        raise No('[TRYCREATE] no such mailbox')
    demand(mailbox, rights)
    return mailbox


def copies(messages, target):
    """Copies that can be added to another mailbox: RFC 3501 6.4.7, flags and date are kept."""
    return [Message(None, message.body, lasting(target, message.flags), message.date)
            for message in messages]


def copy_uid(session, target, sources, uids):
    """The response code of RFC 4315, with a space, or nothing."""
    quirks = session.server.quirks
    if not uids or not session.offers('UIDPLUS') or quirks.copyuid == 'missing':
        return ''
    words = f'COPYUID {target.uidvalidity} {compact(sources)} {compact(uids)}'
    return f'[{quirks.copyuid(words) if callable(quirks.copyuid) else words}] '


def addressed_messages(session, command):
    return [message for message in map(session.mailbox.message, session.addressed(command))
            if message]


def copy(session, command):
    messages = addressed_messages(session, command)
    target = destination(session, command.arguments[1])
    session.server.demand_room(sum(len(message.body) for message in messages), len(messages))
    uids = target.add(copies(messages, target)) if messages else []
    code = copy_uid(session, target, [message.uid for message in messages], uids)
    session.catch_up()
    session.tagged(command, 'OK', code + 'done')


def move(session, command):
    """RFC 6851, in two halves: the server may be interrupted within and keep part of it."""
    session.need('MOVE')
    quirks = session.server.quirks
    writable(session)
    demand(session.mailbox, 'te')
    messages = addressed_messages(session, command)
    if quirks.move == 'cannot':
        raise No('[CANNOT] not from here')
    target = destination(session, command.arguments[1])
    middle, uids = (len(messages) + 1) // 2, []
    for half in (messages[:middle], messages[middle:]):
        if half:
            uids += target.add(copies(half, target))
            session.point('copied')
            remove(session, [message.uid for message in half])
            session.point('within')
    code = copy_uid(session, target, [message.uid for message in messages], uids)
    if code and quirks.move == 'ok':
        session.untagged(f'OK {code}moved')
    session.catch_up()
    session.tagged(command, 'OK', (code if quirks.move == 'tagged' else '') +
                   (after(session, messages) if quirks.move != 'tagged' else '') + 'done')
