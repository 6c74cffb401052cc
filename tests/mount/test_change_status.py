"""What the status tells of changes: those that wait, texts that the server does not have, quota."""

import json
import os

import pytest

from tests.conftest import needs
from tests.support import eventually

LETTER = b'Subject: kept\r\n\r\nEvery word of it.\r\n'


@pytest.fixture
def server(fake):
    one = fake()
    one.inbox.extend(b'Subject: %d\r\n\r\nText\r\n' % number for number in range(1, 6))
    one.add('Archive')
    return one


def status(mail):
    return json.loads((mail / '.imapfs' / 'status').read_bytes())


def waiting(mail, count):
    """The status may be of a moment ago."""
    def look():
        assert status(mail)['changes']['waiting'] == count
    eventually(look)


def test_nothing_waits(server, mount, program):
    mail = mount(server)
    assert status(mail)['changes'] == {
        'waiting': 0, 'unsent': 0,
        'unsent_directory': str(program.cache / 'imapfs' / f'user@localhost:{server.port}' /
                                'unsent')}
    assert 'changes      none waits\n' in program.run('status', mail.path).stdout


def test_changes_of_an_account_that_is_away(server, mount, program):
    mail = mount(server)
    assert len([os.stat(mail.inbox / name) for name in os.listdir(mail.inbox)]) == 5
    assert os.listdir(mail / 'Archive') == []
    server.refuse = True
    server.kill()
    eventually(lambda: compare(status(mail)['state'], 'offline'))
    os.unlink(mail.inbox / '1.eml')
    os.rename(mail.inbox / '2.eml', mail / 'Archive' / '2.eml')
    os.setxattr(mail.inbox / '3.eml', 'user.imap.flags', b'\\Flagged')
    waiting(mail, 3)
    assert 'changes      3 waiting for the server\n' in program.run('status', mail.path).stdout
    server.refuse = False
    waiting(mail, 0)
    assert server.inbox.uids() == [3, 4, 5]
    assert server.mailboxes[b'Archive'].uids() == [1]
    assert server.inbox.message(3).flags == {'\\Flagged'}


def compare(found, expected):
    assert found == expected


def test_text_that_was_refused(server, mount, program):
    mail = mount(server, expect=['refused', 'unsent', 'full'])
    server.deny(rb' APPEND ', '[OVERQUOTA] full', times=1)
    with pytest.raises(OSError, match='quota'):
        (mail / 'Archive' / 'letter.eml').write_bytes(LETTER)

    def told():
        found = status(mail)['changes']
        assert found['waiting'] == 0 and found['unsent'] == 1
        return found
    found = eventually(told)
    (path,) = (os.path.join(found['unsent_directory'], name)
               for name in os.listdir(found['unsent_directory']))
    with open(path, 'rb') as file:
        assert file.read() == LETTER
    assert (f'             1 text that the server does not have, in {found["unsent_directory"]}\n'
            in program.run('status', mail.path).stdout)
    os.unlink(path)
    assert server.mailboxes[b'Archive'].uids() == []


@needs('QUOTA')
def test_quota(server, mount, program):
    server.capabilities.append('QUOTA')
    server.quota = {'STORAGE': 100}
    mail = mount(server)

    def told():
        quota = status(mail)['quota']
        assert quota and quota == {'used': quota['used'], 'limit': 100 << 10}
    eventually(told)
    assert 'quota        ' in program.run('status', mail.path).stdout
    figures = os.statvfs(mail.path)
    assert figures.f_blocks * figures.f_frsize == 100 << 10


def test_quota_that_is_not_told(server, mount, program):
    mail = mount(server)
    assert status(mail)['quota'] is None
    assert 'quota ' not in program.run('status', mail.path).stdout
