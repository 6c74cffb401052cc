"""What a real server allows: Dovecot with a quota and with access control lists."""

import errno
import itertools
import os
import re
import subprocess

import pytest

from tests.conftest import needs, start_dovecot
from tests.support import eventually, sample
from tests.support.dovecot import Account

LIMIT = 64 << 10
CONFIG = """
mail_plugins = quota acl
protocol imap {{
  mail_plugins = quota acl imap_quota imap_acl
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=64K
  quota_grace = 0
  acl = vfile:{dir}/acl
}}
"""
ACL = 'Look owner lr\nDrop owner lrwsi\nLook/* owner lr\n'
USERS = itertools.count(1)


@pytest.fixture(scope='module')
def server(tmp_path_factory, certs):
    one = start_dovecot(tmp_path_factory, certs, more=CONFIG)
    yield one
    one.stop()


@pytest.fixture
def account(server):
    """Its mailboxes: INBOX, Look, where nothing may be changed, and Drop, where nothing may go."""
    acl = server.dir / 'acl'
    acl.unlink(missing_ok=True)
    one = Account(server, f'user{next(USERS)}')
    for name in ('Look', 'Drop'):
        client = one.imap()
        client.create(name)
        client.logout()
        one.append(sample.numbered(9), mailbox=name)
    one.append(*[sample.numbered(number) for number in range(1, 4)])
    acl.write_text(ACL)
    acl.chmod(0o644)
    return one


def run(*arguments, code=0):
    done = subprocess.run(list(map(str, arguments)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, 'LC_ALL': 'C'})
    assert done.returncode == code, done.stdout
    return done.stdout


def said(mail):
    return re.findall(r'C: \S+ ((?:UID )?(?:STORE|EXPUNGE|MOVE|COPY|APPEND|CREATE)\b.*)',
                      mail.output())


@needs('QUOTA')
def test_quota(account, mount, program, tmp_path):
    """df shows it; what goes beyond it is refused, and the text kept."""
    (tmp_path / 'large').write_bytes(sample.numbered(7) + (b'x' * 70 + b'\r\n') * 800)
    mail = mount(account, arguments=['-d'], expect=['.'], poll=1)

    def told():
        found = os.statvfs(mail.path)
        assert found.f_blocks * found.f_frsize == LIMIT
        return (found.f_blocks - found.f_bfree) * found.f_frsize
    assert eventually(told) < LIMIT / 4
    run('cp', tmp_path / 'large', mail.inbox / 'one.eml')

    def used():
        assert told() > LIMIT * 3 / 4
    eventually(used)
    assert 'Disk quota exceeded' in run('cp', tmp_path / 'large', mail.inbox / 'two.eml', code=1)
    assert len(account.flags()) == 4
    kept = [path.read_bytes() for path in program.cache.rglob('unsent/*')]
    assert kept == [(tmp_path / 'large').read_bytes()]


@needs('ACL')
def test_missing_rights(account, mount, tmp_path):
    """What is known to be refused fails at once, and nothing is sent."""
    (tmp_path / 'new').write_bytes(sample.numbered(7))
    mail = mount(account, arguments=['-d'], expect=['.'])
    assert os.listdir(mail / 'Look') == os.listdir(mail / 'Drop') == ['1.eml']
    refused = 'Permission denied|Read-only file system'
    for command in (
            ['rm', '-f', mail / 'Look/1.eml'], ['mv', mail / 'Look/1.eml', mail / 'INBOX/x.eml'],
            ['cp', tmp_path / 'new', mail / 'Look/new.eml'], ['rm', '-f', mail / 'Drop/1.eml'],
            ['cp', mail / 'INBOX/1.eml', mail / 'Look/new.eml'],
            ['mv', mail / 'INBOX/1.eml', mail / 'Look/'],
            ['setfattr', '-n', 'user.imap.flags', '-v', 'work', mail / 'Look/1.eml']):
        assert re.search(refused, run(*command, code=1)), command
    mail.settle('')
    assert said(mail) == []
    run('cp', tmp_path / 'new', mail / 'Drop/new.eml')
    run('setfattr', '-n', 'user.imap.flags', '-v', '\\\\Seen', mail / 'Drop/1.eml')
    mail.settle('Drop')
    assert account.flags('Drop') == {1: ['\\Seen'], 2: []}
    assert account.flags('Look') == {1: []} and len(account.flags()) == 3


@needs('ACL')
def test_known_before_it_is_looked_at(account, mount, tmp_path):
    """The first thing done in a mailbox fails as well."""
    (tmp_path / 'new').write_bytes(sample.numbered(7))
    mail = mount(account, expect=['.'])
    assert re.search('Permission denied|Read-only',
                     run('cp', tmp_path / 'new', mail / 'Look/new.eml', code=1))
    with pytest.raises(OSError) as refused:
        os.unlink(mail / 'Look/1.eml')
    assert refused.value.errno in (errno.EACCES, errno.EROFS)
    assert account.flags('Look') == {1: []}
