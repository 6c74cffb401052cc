"""Cuts: where in a command its connection ends."""

import re

from .wire import Drop

# The points of every command, in this order; those in brackets only of some.
POINTS = (
    'plus',      # [a literal was announced; before the "+" if it waits for one]
    'literal',   # [none of it is here; half of it is here]
    'before',    # the command is here, and not carried out
    'copied',    # [MOVE, REPLACE: in both places]
    'within',    # [MOVE: half of the messages, or all]
    'after',     # it is carried out, nothing was said
    'untagged',  # [behind each untagged line]
    'answered',  # the tagged answer was sent
)


class Cut:
    """One of `times` connections (None: of all) that end at the `number`-th point that matches and
    later ones. `seen` counts these points, so that a test can walk over all of them: when `done`
    is 0 after its work it has passed the last one.

    when: one of POINTS, None: any. how: drop, reset, stall (silence), or what is called before it
    drops. everyone: all other connections end, too, as of a server that dies."""

    def __init__(self, pattern, when=None, number=1, times=1, how='drop', everyone=False):
        if when is not None and when not in POINTS or \
                how not in ('drop', 'reset', 'stall') and not callable(how):
            raise ValueError(f'cut {when} {how}')
        self.pattern = re.compile(pattern, re.I | re.S)
        self.when = when
        self.number = number
        self.times = times
        self.how = how
        self.everyone = everyone
        self.seen = self.done = 0

    def meets(self, line, kind):
        """Counts this point; whether the connection ends here. The server's lock is held."""
        if self.when not in (None, kind) or not self.pattern.search(line):
            return False
        self.seen += 1
        if self.seen < self.number or self.done == self.times:
            return False
        self.done += 1
        return True

    def end(self, session):
        """Does not return."""
        if self.everyone:
            for other in session.server.open_sessions():
                if other is not session:
                    other.kill(self.how == 'reset')
        if callable(self.how):
            self.how()
        if self.how == 'stall':
            session.stall()
        raise Drop(self.how == 'reset')
