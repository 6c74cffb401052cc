"""APPEND and REPLACE of the model server (RFC 9051 6.3.12, 4315, 7889, 8508)."""

import re
from typing import NamedTuple

from .change import copies, demand, destination, flag_list, remove, writable
from .mailbox import DATE, Mailbox, Message
from .syntax import Bad, Fault, No, String, text

DATE_TIME = re.compile(r'( \d|\d\d)-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4} '
                       r'\d\d:\d\d:\d\d [+-]\d{4}$')


class Head(NamedTuple):
    """All of the command but the message."""
    replaced: int | None  # UID
    target: Mailbox
    flags: set
    date: str
    binary: bool


def announced(session, command, octets):
    """Refuses what need not be sent; arguments: those before the literal."""
    at = 1 if command.name == 'APPEND' else 2
    if command.name in ('APPEND', 'REPLACE', 'UID REPLACE') and len(command.arguments) >= at:
        read_head(session, command, command.arguments, octets)


def append(session, command):
    *words, body = command.arguments
    if not isinstance(body, String):
        raise Bad('no message')
    head = read_head(session, command, words, len(body))
    check(body, head.binary)
    message = Message(None, bytes(body), head.flags, head.date)
    uids = head.target.add(copies([message], head.target))
    code = append_uid(session, head.target, uids[0])
    if head.replaced is None:
        session.catch_up()
        session.tagged(command, 'OK', code + 'done')
        return
    session.point('copied')
    remove(session, [head.replaced])
    if code:
        session.untagged(f'OK {code}new')
    session.catch_up()
    session.tagged(command)


def read_head(session, command, words, octets):
    words = list(words)
    replaced = old(session, command, words) if 'REPLACE' in command.name else None
    target = destination(session, words.pop(0))
    flags = flag_list(words.pop(0)) if words and isinstance(words[0], list) else set()
    date = text(words.pop(0)) if words and isinstance(words[0], String) else DATE
    if not DATE_TIME.match(date):
        raise Bad(f'date {date!r}')
    binary = words == [b'~']
    if binary and 'BINARY' not in session.capabilities():
        # IMAP4rev2 has of RFC 3516 no more than what FETCH needs (RFC 9051, appendix E).
        raise Fault('BINARY is not offered')
    if words and not binary:
        raise Bad('arguments')
    if octets > limit(session, target):
        raise No('[TOOBIG] over APPENDLIMIT')
    session.server.demand_room(octets)
    return Head(replaced, target, flags, date, binary)


def old(session, command, words):
    """The UID of the message that is replaced."""
    session.need('REPLACE')
    if not session.mailbox:
        raise Bad('no mailbox is selected')
    writable(session)
    demand(session.mailbox, 'te')
    uids = session.addressed(command)
    if not text(words.pop(0)).isdigit():
        raise Bad('more than one message')
    if not uids or not session.mailbox.message(uids[0]):
        raise No('[NONEXISTENT] no such message')
    return uids[0]


def limit(session, mailbox):
    """RFC 7889: octets that a message there may have."""
    if mailbox.append_limit is not None:
        return mailbox.append_limit
    offered = [int(name.partition('=')[2]) for name in session.capabilities()
               if name.startswith('APPENDLIMIT=')]
    return min(offered, default=1 << 40)


def check(body, binary):
    """What no client may send as a message."""
    if not body:
        raise Fault('an empty message')
    if b'\0' in body and not binary:
        raise Fault('NUL in a literal')
    if re.search(rb'(?<!\r)\n', body):
        raise Fault('a message with a bare LF')


def append_uid(session, target, uid):
    """The response code of RFC 4315, with a space, or nothing."""
    quirks = session.server.quirks
    if not session.offers('UIDPLUS') or quirks.appenduid == 'missing':
        return ''
    words = f'APPENDUID {target.uidvalidity} {uid}'
    return f'[{quirks.appenduid(words) if callable(quirks.appenduid) else words}] '
