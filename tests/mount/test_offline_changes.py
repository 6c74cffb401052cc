"""Changes made while the server is away: when it is back it holds exactly what the tree showed."""

import collections
import errno
import json
import os
import random
import subprocess

import pytest

from tests.support import eventually, sample

FOLDERS = ('INBOX', 'Archive', 'Work')


def wait_until(mail, wanted):
    """Until the account is in this state."""
    def look():
        assert json.loads((mail / '.imapfs' / 'status').read_text())['state'] == wanted
    eventually(look)


def flags(path):
    """Of a message; a text that waits to be sent has none yet."""
    try:
        return ' '.join(sorted(os.getxattr(path, 'user.imap.flags').decode().split()))
    except OSError as error:
        assert error.errno in (errno.ENODATA, errno.EOPNOTSUPP)
        return ''


def shown(mail):
    """What the tree shows: of each folder the texts with their flags, however often each is there.
    """
    found = {}
    for folder in FOLDERS:
        found[folder] = collections.Counter(
            (path.read_bytes(), flags(path))
            for path in (mail / folder).iterdir() if path.is_file())
    return found


def shown_at_last(mail):
    """The same once the kernel knows of it: `mv` onto a name that is taken leaves both, and for a
    moment it takes the one for the other."""
    def told():
        files = [path.stat().st_ino for folder in FOLDERS for path in (mail / folder).iterdir()]
        assert len(set(files)) == len(files)
    eventually(told)
    return shown(mail)


def held(account):
    """The same as an independent client has it from the server."""
    found = {}
    client = account.imap()
    for folder in FOLDERS:
        client.select(folder, readonly=True)
        flags = account.flags(folder)
        texts = {}
        for part in client.uid('FETCH', '1:*', '(UID BODY.PEEK[])')[1]:
            if isinstance(part, tuple):
                texts[int(part[0].split(b'UID ')[1].split()[0])] = part[1]
        found[folder] = collections.Counter(
            (texts[uid], ' '.join(flag for flag in flags[uid] if flag != '\\Deleted'))
            for uid in texts if '\\Deleted' not in flags[uid])
    client.logout()
    return found


def difference(found, wanted):
    """What is missing and what is too much, by folder: (subject, flags)."""
    def brief(messages):
        return sorted((text.split(b'Subject: ', 1)[-1].split(b'\r', 1)[0].decode(), flags, count)
                      for (text, flags), count in messages.items())
    return {folder: (brief(wanted[folder] - found[folder]), brief(found[folder] - wanted[folder]))
            for folder in FOLDERS if found[folder] != wanted[folder]}


class Changes:
    """One change after the other, chosen by chance, by the tools of everyday life."""

    def __init__(self, mail, seed):
        self.mail, self.rng, self.made = mail, random.Random(seed), collections.Counter()
        self.serial, self.log = 1000, []

    def some(self):
        """A message, wherever."""
        found = sorted(path for folder in FOLDERS for path in (self.mail / folder).iterdir()
                       if path.is_file())
        return self.rng.choice(found)

    def rm(self):
        subprocess.run(['rm', self.some()], check=True)

    def mv(self):
        source = self.some()
        target = self.rng.choice([name for name in FOLDERS if name != source.parent.name])
        subprocess.run(['mv', source, f'{self.mail / target}/'], check=True)

    def rename(self):
        source = self.some()
        self.serial += 1
        subprocess.run(['mv', source, source.parent / f'renamed-{self.serial}.eml'], check=True)

    def cp(self):
        source = self.some()
        target = self.rng.choice([name for name in FOLDERS if name != source.parent.name])
        self.serial += 1
        subprocess.run(['cp', source, self.mail / target / f'copy-{self.serial}.eml'], check=True)

    def flag(self):
        path = self.some()
        while 'user.imap.flags' not in os.listxattr(path):
            path = self.some()
        os.setxattr(path, 'user.imap.flags',
                    self.rng.choice([b'', b'\\Seen', b'\\Flagged \\Seen', b'\\Answered']))

    def create(self):
        self.serial += 1
        place = self.mail / self.rng.choice(FOLDERS) / f'new-{self.serial}.eml'
        place.write_bytes(sample.numbered(self.serial))

    def make(self, count):
        kinds = [self.rm, self.mv, self.mv, self.rename, self.cp, self.flag, self.create]
        for _ in range(count):
            kind = self.rng.choice(kinds)
            self.log.append(kind.__name__)
            kind()
            self.made[kind.__name__] += 1


@pytest.mark.limit(240)
@pytest.mark.parametrize('seed', range(1, 9))
def test_a_hundred_changes(dovecot, imap, proxy, mount, seed):
    for folder in FOLDERS[1:]:
        imap.create(folder)
    dovecot.append(*[sample.numbered(number) for number in range(1, 61)])
    dovecot.append(*[sample.numbered(number) for number in range(61, 81)], mailbox='Archive')
    line = proxy(dovecot.port)
    mail = mount(dovecot, source=f'imaps://{dovecot.user}@localhost:{line.port}')
    mail.expect('.')
    before = shown(mail)
    assert difference(held(dovecot), before) == {}
    line.ask('refuse on')
    line.ask('reset')
    wait_until(mail, 'offline')
    changes = Changes(mail, seed)
    changes.make(100)
    wanted = shown_at_last(mail)
    assert difference(held(dovecot), before) == {}
    line.ask('refuse off')
    wait_until(mail, 'online')
    for folder in FOLDERS:
        mail.settle(folder)
    assert difference(held(dovecot), wanted) == {}

    def agrees():
        assert difference(shown(mail), wanted) == {}
    eventually(agrees)
    print(dict(changes.made))


@pytest.mark.limit(240)
def test_a_hundred_changes_and_a_kill(dovecot, imap, proxy, mount):
    """The next mount goes on where the one that was killed stopped."""
    for folder in FOLDERS[1:]:
        imap.create(folder)
    dovecot.append(*[sample.numbered(number) for number in range(1, 61)])
    line = proxy(dovecot.port)
    source = f'imaps://{dovecot.user}@localhost:{line.port}'
    mail = mount(dovecot, source=source)
    shown(mail)
    line.ask('refuse on')
    line.ask('reset')
    wait_until(mail, 'offline')
    Changes(mail, 3).make(100)
    wanted = shown_at_last(mail)
    mail.destroy()
    again = mount(dovecot, source=source)
    again.expect('.')
    assert difference(shown(again), wanted) == {}
    line.ask('refuse off')
    wait_until(again, 'online')
    for folder in FOLDERS:
        again.settle(folder)
    assert difference(held(dovecot), wanted) == {}
