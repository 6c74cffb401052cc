"""Mailboxes in memory, and virtual ones whose messages are made from their UID when asked for."""

import bisect
import re
import threading

DATE = '17-Jul-2025 02:44:25 +0000'
SET_PART = re.compile(r'([1-9]\d*|\*)(:([1-9]\d*|\*))?')
SYSTEM_FLAGS = ('\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft')


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
        self.read_only = False   # SELECT is answered [READ-ONLY]
        self.permanent = [*SYSTEM_FLAGS, '\\*']  # flags that clients can change
        self.rights = 'lrswipkxtea'  # of the user (RFC 4314)
        self.append_limit = None  # octets of a message (RFC 7889), None: as everywhere
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
        with self.lock:
            return [uid for uid in self.uids() if flag in self.message(uid).flags]

    def octets(self):
        with self.lock:
            return sum(len(self.message(uid).body) for uid in self.uids())

    def keywords(self):
        """Those that messages have, in order."""
        with self.lock:
            return sorted({flag for message in self._messages.values() for flag in message.flags
                           if not flag.startswith('\\')})

    def changed_since(self, modseq):
        """The UIDs of messages that came or changed after it, in order."""
        if modseq < 1:
            return list(self.uids())
        with self.lock:
            return sorted(uid for uid, other in self.modseqs.items() if other > modseq)

    def vanished_since(self, modseq):
        with self.lock:
            return sorted(uid for uid, other in self.expunged.items() if other > modseq)

    # ---- what a test does

    def append(self, body, flags=(), date=DATE, uid=None):
        """Adds a message; returns its UID."""
        return self.add([Message(uid, body, flags, date)])[0]

    def extend(self, bodies):
        """Adds many messages in one change."""
        self.add([Message(None, body) for body in bodies])

    def add(self, messages):
        """Adds these in one change, each with the next UID if it has none; returns the UIDs."""
        with self.lock:
            for message in messages:
                message.uid = message.uid or self.uidnext
                self._messages[message.uid] = message
                self.uidnext = max(self.uidnext, message.uid + 1)
            uids = [message.uid for message in messages]
            self._uids = self._uids + uids
            self._count(self.modseqs, uids)
        self._changed()
        return uids

    def expunge(self, *uids):
        gone = set(uids)
        with self.lock:
            for uid in uids:
                self._messages.pop(uid, None)
                self.modseqs.pop(uid, None)
            self._uids = [uid for uid in self._uids if uid not in gone]
            self._count(self.expunged, uids)
        self._changed()

    def set_flags(self, uid, flags):
        self.change_flags({uid: set(flags)})

    def change_flags(self, changes):
        """{uid: flags}, in one change; nothing is none."""
        if not changes:
            return
        with self.lock:
            for uid, flags in changes.items():
                self.message(uid).flags = flags
            self._count(self.modseqs, changes)
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
        with self.lock:
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

    def change_flags(self, changes):
        self._changed_ones.update((uid, self.message(uid)) for uid in changes)
        super().change_flags(changes)


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
        if not SET_PART.fullmatch(part):
            raise ValueError(f'{part!r} in a set')
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
