"""The tools of the tests themselves."""

import contextlib
import errno
import imaplib
import itertools
import os
import signal
import socket

import pytest

from tests.conftest import start_dovecot
from tests.support import SLOW, mounting, nasty
from tests.support import dovecot as dovecot_module
from tests.support.dovecot import Account, free_port
from tests.support.relay import Relay
from tests.support.stuck import Readers


def test_dovecot_takes_and_gives_mail(dovecot, imap):
    assert dovecot.append(b'Subject: a\r\n\r\nx\r\n', b'Subject: b\r\n\r\ny\r\n',
                          flags='\\Flagged') == [1, 2]
    imap.select('INBOX', readonly=True)
    assert imap.uid('FETCH', '2', '(BODY.PEEK[])')[1][0][1] == b'Subject: b\r\n\r\ny\r\n'
    assert dovecot.flags() == {1: ['\\Flagged'], 2: ['\\Flagged']}


def test_delivered_mail_has_its_order(dovecot, imap):
    dovecot.deliver([b'Subject: %d\r\n\r\n' % n for n in range(5)], seen=True)
    dovecot.deliver([b'Subject: deep\r\n\r\n'], mailbox='a/b')
    assert imap.select('INBOX', readonly=True)[1] == [b'5']
    assert imap.uid('FETCH', '3', '(BODY.PEEK[])')[1][0][1] == b'Subject: 2\r\n\r\n'
    assert imap.select('a/b', readonly=True)[1] == [b'1']
    assert dovecot.flags()[1] == ['\\Seen']


def test_dovecot_takes_another_port_when_one_is_taken(tmp_path_factory, certs, monkeypatch):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        ports = itertools.chain([taken.getsockname()[1]], iter(free_port, None))
        monkeypatch.setattr(dovecot_module, 'free_port', lambda: next(ports))
        server = start_dovecot(tmp_path_factory, certs)
        assert taken.getsockname()[1] not in (server.port, server.clear_port)
    Account(server, 'user').imap().logout()
    server.stop()


def test_large_message_has_its_size():
    assert len(nasty.large(1_000_001)) == 1_000_001


@pytest.mark.parametrize('how', ['drop', 'torn', 'called'])
def test_relay_cuts_at_a_line(dovecot, how):
    called = []
    with contextlib.closing(Relay(dovecot.dovecot.clear_port)) as relay:
        cut = relay.cut(rb'\S+ NOOP', 2, (lambda: called.append(1)) if how == 'called' else how)
        client = imaplib.IMAP4('127.0.0.1', relay.port, timeout=60)
        client.login(dovecot.user, dovecot.password)
        assert not cut.seen
        passed = contextlib.nullcontext() if how == 'called' else pytest.raises(imaplib.IMAP4.abort)
        with passed:
            client.noop()
        relay.wait_until_cut()
        assert cut.done == 1 and called == [1] * (how == 'called')
        with pytest.raises(imaplib.IMAP4.abort):
            client.noop()
        client.shutdown()


@pytest.mark.skipif(os.getuid() and not os.path.ismount('/sys/fs/fuse/connections'),
                    reason='only root can')
def test_abort_fails_what_nobody_answers(fake, mount):
    mail = mount(fake(tls='none'))
    os.kill(mail.pid, signal.SIGSTOP)
    readers = Readers([mail.inbox / 'unknown'])
    readers.wait_until_stuck()
    mounting.abort(mail.path)
    assert readers.join(10 * SLOW) <= {errno.ECONNABORTED, errno.ENOTCONN}
    mail.destroy()
