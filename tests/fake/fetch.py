"""FETCH of the model server, with the ways in which servers get it wrong."""

import re

from .mailbox import index
from .syntax import Bad, literal, quote, text

MACROS = {'FAST': ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
          'ALL': ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']}
SECTION = re.compile(r'(BODY(?:\.PEEK)?)\[(.*)\](?:<(\d+)\.(\d+)>)?$', re.S)
FIELDS = re.compile(r'HEADER\.FIELDS \((.*)\)$', re.I)


def answer(session, command):
    by_uid = command.name == 'UID FETCH'
    items = command.arguments[1]
    names = [text(item).upper() for item in (items if isinstance(items, list) else [items])]
    names = [name for item in names for name in MACROS.get(item, [item])]
    if by_uid and 'UID' not in names:
        names.insert(0, 'UID')
    uids = session.addressed(command)
    if len(command.arguments) > 2:
        uids = changed_since(session, command.arguments[2], uids)
        names += ['MODSEQ'] if 'MODSEQ' not in names else []
    for uid in uids:
        message = session.mailbox.message(uid)
        if message:
            one(session, message, names)


def changed_since(session, modifiers, uids):
    """Those of the UIDs that the modifier (CHANGEDSINCE n) is about."""
    session.need('CONDSTORE')
    name, modseq = (text(word).upper() for word in modifiers)
    if name != 'CHANGEDSINCE':
        raise Bad(f'fetch modifier {name}')
    session.condstore = True
    wanted = set(uids)
    return [uid for uid in session.mailbox.changed_since(int(modseq)) if uid in wanted]


def one(session, message, names):
    """The FETCH line of one message."""
    quirks = session.server.quirks
    items = [pair for name in names for pair in [item(session, message, name)] if pair]
    if quirks.uid_last:
        items.sort(key=lambda pair: pair[0] == b'UID')
    if quirks.fetch:
        items = quirks.fetch(session, message.uid, items)
        if items is None:
            return
    seq = index(session.view, message.uid) + 1
    session.untagged(b'%d FETCH (%s)' % (seq, b' '.join(name + b' ' + value
                                                        for name, value in items)))


def item(session, message, name):
    """(name, value) as bytes, None to leave it out."""
    quirks = session.server.quirks
    if name == 'UID':
        return b'UID', b'%d' % message.uid
    if name == 'FLAGS':
        session.seen_flags[message.uid] = set(message.flags)
        return b'FLAGS', b'(%s)' % ' '.join(sorted(message.flags)).encode()
    if name == 'MODSEQ':
        return b'MODSEQ', b'(%d)' % session.mailbox.modseqs.get(message.uid, 1)
    if name == 'INTERNALDATE':
        date = quirks.date(message) if quirks.date else message.date
        return None if date is None else (b'INTERNALDATE', quote(date.encode()))
    if name == 'RFC822.SIZE':
        size = quirks.size(message) if quirks.size else len(message.body)
        return None if size is None else (b'RFC822.SIZE', str(size).encode())
    if found := SECTION.match(name):
        return body(session, message, *found.groups())
    raise Bad(f'fetch item {name}')


def halves(data):
    """Header with its blank line, and text."""
    end = data.find(b'\r\n\r\n')
    return (data, b'') if end < 0 else (data[:end + 4], data[end + 4:])


def some_fields(data, names):
    """The header with nothing but these fields, in upper case."""
    header, _ = halves(data)
    fields = re.findall(rb'([^\s:]+):((?:[^\n]|\n[ \t])*\n)', header)
    return b''.join(name + b':' + value for name, value in fields
                    if name.decode('latin-1').upper() in names) + b'\r\n'


def body(session, message, kind, section, origin, length):
    """BODY[], BODY[HEADER] and what is in it, whole or <origin.length>."""
    quirks = session.server.quirks
    if kind == 'BODY' and not session.read_only:
        session.mailbox.set_flags(message.uid, message.flags | {'\\Seen'})
    data = message.body
    if section == 'HEADER':
        data, _ = halves(data)
    elif section == 'TEXT':
        _, data = halves(data)
    elif fields := FIELDS.match(section):
        data = some_fields(data, fields[1].upper().split())
    elif section:
        raise Bad(f'section {section}')
    label = f'BODY[{section}]'
    if origin is not None:
        data = data[int(origin):int(origin) + int(length)]
        label += f'<{origin}>'
    if quirks.body == 'missing':
        return None
    value = {'nil': lambda: b'NIL', 'empty': lambda: literal(b''),
             'quoted': lambda: b'"' + data.replace(b'\\', b'\\\\').replace(b'"', b'\\"') + b'"',
             'literal': lambda: literal(data)}[quirks.body]()
    if quirks.body_short:
        session.raw(b'* %d FETCH (UID %d %s ' % (index(session.view, message.uid) + 1, message.uid,
                                                 label.encode()))
        session.raw(literal(data[:-quirks.body_short], len(data)))
        session.stall()
    return label.encode(), value
