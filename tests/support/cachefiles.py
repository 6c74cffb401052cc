"""The files of one account's cache, looked at from outside, also while a mount changes them."""

import shutil
import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

NO_LIMIT = -1  # G_MAXUINT64 in a signed column


class Body(NamedTuple):
    """What the index says of one body; `file` below bodies/, its bytes from `at` on."""
    mailbox: bytes
    uidvalidity: int
    uid: int
    file: str
    at: int
    length: int
    pieces: tuple

    @property
    def whole(self):
        end = 0
        for start, stop in self.pieces:
            if start > end:
                return False
            end = max(end, stop)
        return self.length not in (NO_LIMIT, 0) and end >= self.length


class Index(NamedTuple):
    mount: int     # the number of the mount that wrote it last
    bodies: tuple


class CacheFiles:
    """directory: what cachedir= names, with one account in it."""

    def __init__(self, directory):
        self.directory = Path(directory)

    @property
    def account(self):
        return next((path for path in self.directory.glob('*') if path.is_dir()), None)

    def index(self):
        """As the next mount would find it: all that is committed. Empty: there is none."""
        with tempfile.TemporaryDirectory() as copy:
            for name in ('index.db', 'index.db-wal', 'index.db-journal'):
                try:
                    shutil.copy(self.account / name, copy)
                except (OSError, TypeError):
                    pass  # not made yet, or no account yet
            with closing(sqlite3.connect(Path(copy, 'index.db'))) as db:
                try:
                    return read(db)
                except sqlite3.DatabaseError:
                    return Index(0, ())

    def bytes_of(self, body):
        """What its file has in the body's place; None: there is no such file."""
        try:
            with open(self.account / 'bodies' / body.file, 'rb') as file:
                file.seek(body.at)
                return file.read(body.length)
        except OSError:
            return None

    def files(self):
        """All files below bodies/, as Body.file names them."""
        top = self.account / 'bodies'
        return {str(path.relative_to(top)) for path in top.rglob('*') if path.is_file()}

    def left_over(self):
        """Files that no body is in, but for those of the mount that wrote the index last."""
        index = self.index()
        return {name for name in self.files() - {body.file for body in index.bodies}
                if int(name.rpartition('-')[2]) >> 32 != index.mount}


def read(db):
    mount = db.execute("SELECT value FROM numbers WHERE key = 'mounts'").fetchone()
    rows = db.execute('SELECT mailbox, uidvalidity, gen, uid, serial, pack, at, length, pieces'
                      ' FROM bodies JOIN generations USING (gen)').fetchall()
    return Index(mount[0] if mount else 0, tuple(body(*row) for row in rows))


def body(mailbox, uidvalidity, gen, uid, serial, pack, at, length, pieces):
    return Body(mailbox, uidvalidity, uid, f'pack-{pack}' if pack else f'{gen}/{uid}-{serial}', at,
                length, tuple(sorted((start, end) for start, end, _ in
                                     struct.iter_unpack('=QQQ', pieces or b''))))
