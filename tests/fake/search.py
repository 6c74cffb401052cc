"""SEARCH of the model server: flags, sets, NOT, OR; answered plainly or as ESEARCH."""

from .fetch import some_fields
from .mailbox import compact, index, pick, ranges
from .syntax import Bad, String, text

FLAGS = {'DELETED': '\\Deleted', 'SEEN': '\\Seen', 'ANSWERED': '\\Answered',
         'FLAGGED': '\\Flagged', 'DRAFT': '\\Draft'}


def answer(session, command):
    arguments, wanted = list(command.arguments), None
    if arguments and text_or_empty(arguments[0]) == 'RETURN':
        session.need('ESEARCH')
        wanted = [text(item).upper() for item in arguments[1]] or ['ALL']
        arguments = arguments[2:]
    if arguments and text_or_empty(arguments[0]) == 'CHARSET':
        arguments = arguments[2:]
    if not arguments:
        raise Bad('no search key')
    found = match(session, arguments)
    by_uid = command.name == 'UID SEARCH'
    if not by_uid:
        found = [index(session.view, uid) + 1 for uid in found]
    if wanted is None or not session.server.quirks.esearch:
        session.untagged(' '.join(['SEARCH', *map(str, found)]))
        return
    out = f'ESEARCH (TAG "{command.tag.decode()}")' + (' UID' if by_uid else '')
    for item in wanted:
        if item == 'COUNT':
            out += f' COUNT {len(found)}'
        elif found and item == 'ALL':
            out += f' ALL {compact(found)}'
        elif found and item in ('MIN', 'MAX'):
            out += f' {item} {found[0] if item == "MIN" else found[-1]}'
    session.untagged(out)


def text_or_empty(token):
    return '' if isinstance(token, (list, String)) else text(token).upper()


def match(session, tokens):
    """The UIDs in order that match all keys; a range stays one as long as it can."""
    found, rest = session.view, list(tokens)
    while rest:
        found = one(session, found, rest)
    return found


def one(session, among, rest):
    """Takes one key off `rest` and filters `among` by it."""
    token = rest.pop(0)
    if isinstance(token, list):
        return both(among, match(session, token))
    key = text(token).upper()
    last = session.view[-1] if session.view else 0
    if key == 'ALL':
        return among
    if key == 'UID':
        return pick(among, ranges(text(rest.pop(0)), last))
    if key[0].isdigit() or key[0] == '*':
        cut = ranges(key, len(session.view))
        return both(among, [uid for low, high in cut for uid in session.view[low - 1:high]])
    if key == 'NOT':
        return without(among, one(session, session.view, rest))
    if key in ('KEYWORD', 'UNKEYWORD'):
        found = session.mailbox.matching(text(rest.pop(0)))
        return both(among, found) if key == 'KEYWORD' else without(among, found)
    if key == 'HEADER':
        name, value = (bytes(rest.pop(0)).lower() for _ in range(2))
        return [uid for uid in among if has_header(session.mailbox.message(uid), name, value)]
    if key == 'OR':
        first = set(one(session, among, rest))
        second = set(one(session, among, rest))
        return sorted(first | second)
    if key in FLAGS:
        return both(among, session.mailbox.matching(FLAGS[key]))
    if key.startswith('UN') and key[2:] in FLAGS:
        return without(among, session.mailbox.matching(FLAGS[key[2:]]))
    raise Bad(f'search key {key}')


def has_header(message, name, value):
    fields = some_fields(message.body, [name.decode('latin-1').upper()]) if message else b''
    return any(value in line.lower() for line in fields.splitlines() if line)


def both(among, others):
    others = set(others)
    return [uid for uid in among if uid in others] if others else []


def without(among, others):
    if not others:
        return among
    others = set(others)
    return [uid for uid in among if uid not in others]
