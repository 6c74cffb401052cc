"""Mailboxes in memory, and virtual ones whose messages are made from their UID when asked for."""

import bisect
import threading

DATE = '17-Jul-2025 02:44:25 +0000'


class Message:
    """One message: its bytes as the wire has them, flags and date."""

    __slots__ = ('uid', 'body', 'flags', 'date')

    def __init__(self, uid, body, flags=(), date=DATE):
        self.uid = uid
        self.body = body
        self.flags = set(flags)
        self.date = date


class Mailbox:
    """Messages in UID order. Every change counts `version` and `modseq` up and wakes whoever
    watches."""

    def __init__(self, name, delimiter='/', attributes=(), uidvalidity=1000, special=()):
        self.name = name.encode() if isinstance(name, str) else name
        self.delimiter = delimiter
        self.attributes = list(attributes)
        self.special = list(special)
        self.uidvalidity = uidvalidity
        self.uidnext = 1
        self.subscribed = True
        self.version = 0
        self.modseq = 1  # of the last change (RFC 7162)
        self.modseqs = {}  # of messages by UID, 1 if not here
        self.expunged = {}  # UID -> modseq
        self.lock = threading.RLock()
        self.watchers = set()  # callables, called after every change
        self._uids = []
        self._messages = {}

    # ---- what a session asks

    def uids(self):
        """The UIDs in order: a list that is never changed in place, or a range."""
        return self._uids

    def message(self, uid):
        return self._messages.get(uid)

    def matching(self, flag):
        """The UIDs of messages with this flag, in order."""
        return [uid for uid in self.uids() if flag in self.message(uid).flags]

    def changed_since(self, modseq):
        """The UIDs of messages that came or changed after it, in order."""
        if modseq < 1:
            return list(self.uids())
        return sorted(uid for uid, other in self.modseqs.items() if other > modseq)

    def vanished_since(self, modseq):
        return sorted(uid for uid, other in self.expunged.items() if other > modseq)

    # ---- what a test does

    def append(self, body, flags=(), date=DATE, uid=None):
        """Adds a message; returns its UID."""
        with self.lock:
            uid = uid or self.uidnext
            self._messages[uid] = Message(uid, body, flags, date)
            self._uids = self._uids + [uid]
            self.uidnext = max(self.uidnext, uid + 1)
            self._count(self.modseqs, [uid])
        self._changed()
        return uid

    def extend(self, bodies):
        """Adds many messages in one change."""
        with self.lock:
            first = self.uidnext
            for uid, body in enumerate(bodies, first):
                self._messages[uid] = Message(uid, body)
                self.uidnext = uid + 1
            self._uids = self._uids + list(range(first, self.uidnext))
            self._count(self.modseqs, range(first, self.uidnext))
        self._changed()

    def expunge(self, uid):
        with self.lock:
            self._messages.pop(uid, None)
            self._uids = [other for other in self._uids if other != uid]
            self.modseqs.pop(uid, None)
            self._count(self.expunged, [uid])
        self._changed()

    def set_flags(self, uid, flags):
        with self.lock:
            self.message(uid).flags = set(flags)
            self._count(self.modseqs, [uid])
        self._changed()

    def reset(self, uidvalidity, bodies=()):
        """A new UIDVALIDITY with other messages from UID 1 on."""
        with self.lock:
            self.uidvalidity = uidvalidity
            self.uidnext, self._uids, self._messages = 1, [], {}
            self.modseqs, self.expunged = {}, {}
        self.extend(bodies)

    def _count(self, table, uids):
        """One more modification sequence, for these."""
        self.modseq += 1
        table.update(dict.fromkeys(uids, self.modseq))

    def _changed(self):
        self.version += 1
        for watcher in list(self.watchers):
            watcher()


class VirtualMailbox(Mailbox):
    """`count` messages with UIDs from 1 on that take no memory. Nothing can be added."""

    def __init__(self, name, count, body=None, **more):
        super().__init__(name, **more)
        self._range = range(1, count + 1)
        self._body = body or self._short
        self.uidnext = count + 1
        self._changed_ones = {}

    @staticmethod
    def _short(uid):
        return (f'From: sender{uid % 97}@example.org\r\nSubject: number {uid}\r\n\r\n'
                f'This is message {uid}.\r\n').encode()

    def uids(self):
        return self._range

    def message(self, uid):
        if uid in self._changed_ones:
            return self._changed_ones[uid]
        return Message(uid, self._body(uid)) if uid in self._range else None

    def matching(self, flag):
        return sorted(uid for uid, message in self._changed_ones.items() if flag in message.flags)

    def set_flags(self, uid, flags):
        message = self.message(uid)
        message.flags = set(flags)
        self._changed_ones[uid] = message
        self._count(self.modseqs, [uid])
        self._changed()


def index(uids, uid):
    """The position of a UID in a list or range of UIDs, -1 when it is not there."""
    at = bisect.bisect_left(uids, uid)
    return at if at < len(uids) and uids[at] == uid else -1


def compact(uids):
    """A sequence of ascending numbers as an IMAP set."""
    if isinstance(uids, range):
        return f'{uids[0]}:{uids[-1]}' if len(uids) > 1 else str(uids[0])
    runs = []
    for uid in uids:
        if runs and runs[-1][1] == uid - 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ','.join(str(a) if a == b else f'{a}:{b}' for a, b in runs)


def ranges(text, last):
    """An IMAP set as a list of (low, high), `*` being `last`."""
    found = []
    for part in text.split(','):
        low, _, high = part.partition(':')
        ends = sorted(last if end == '*' else int(end) for end in (low, high or low))
        found.append(tuple(ends))
    return found


def pick(numbers, wanted):
    """The part of an ascending list or range that falls into these ranges: a range or a list."""
    cuts = [numbers[bisect.bisect_left(numbers, low):bisect.bisect_right(numbers, high)]
            for low, high in wanted]
    if len(cuts) == 1:
        return cuts[0]
    return sorted({number for cut in cuts for number in cut})
