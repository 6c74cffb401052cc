"""A message that somebody else flagged \\Deleted survives whatever is done beside it."""

import subprocess

import pytest

from tests.conftest import start_dovecot
from tests.support import sample
from tests.support.dovecot import Account

MASKS = [(), ('UIDPLUS',), ('MOVE',), ('UIDPLUS', 'MOVE'),
         ('UIDPLUS', 'MOVE', 'ESEARCH', 'CONDSTORE', 'QRESYNC', 'IDLE', 'LITERAL+', 'LIST-STATUS')]


@pytest.fixture(params=MASKS, ids=lambda mask: '-'.join(mask) or 'all')
def account(request, tmp_path_factory, certs):
    server = start_dovecot(tmp_path_factory, certs, mask=request.param)
    one = Account(server, 'user')
    one.mask = request.param
    yield one
    server.stop()


def mark(account, uid):
    client = account.imap()
    client.select('INBOX')
    client.uid('STORE', str(uid), '+FLAGS.SILENT', r'(\Deleted)')
    client.logout()


@pytest.mark.parametrize('early', [True, False], ids=['before', 'after'])
def test_rm_and_mv(account, mount, early):
    account.append(*[sample.numbered(number) for number in range(1, 9)])
    client = account.imap()
    client.create('Archive')
    client.logout()
    if early:
        mark(account, 4)
    mail = mount(account)
    assert len(list(mail.inbox.iterdir())) == 8 - early
    if not early:
        mark(account, 4)
    subprocess.run(['rm', mail.inbox / '1.eml', mail.inbox / '2.eml'], check=True)
    subprocess.run(['mv', mail.inbox / '3.eml', mail.inbox / '5.eml', mail / 'Archive/'],
                   check=True)
    mail.settle('INBOX')
    left = account.flags()
    assert '\\Deleted' in left[4]
    visible = {uid for uid, flags in left.items() if '\\Deleted' not in flags}
    assert visible == {6, 7, 8}
    # Without UIDPLUS what is ours stays beside it, marked; with it, it is gone.
    marked = set()
    if 'UIDPLUS' in account.mask:
        marked = {1, 2, 3, 5} if 'MOVE' in account.mask else {1, 2}
    assert set(left) == {4} | visible | marked
    assert len(account.flags('Archive')) == 2


def test_plain_expunge_where_nobody_else_marked_any(account, mount):
    account.append(*[sample.numbered(number) for number in range(1, 5)])
    mail = mount(account)
    subprocess.run(['rm', mail.inbox / '1.eml', mail.inbox / '2.eml'], check=True)
    mail.settle('INBOX')
    assert set(account.flags()) == {3, 4}
