"""UIDs far apart: what is told to the kernel grows with the messages, not with the numbers."""

import os
import subprocess
import time

import pytest

from tests.support import SLOW, eventually

TEXT = b'Subject: far\r\n\r\nThis is a message.\r\n'
FAR = [1, 2, 4294967294]


def sparse(server, uids):
    for uid in uids:
        server.inbox.append(TEXT, uid=uid)
    return server


def tool(*words):
    run = subprocess.run(list(map(str, words)), capture_output=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize('uids', [FAR, range(1, 600_000, 300)], ids=['far', 'spread'])
def test_a_caught_server_does_not_hold_up_reads(fake, mount, uids):
    server = sparse(fake(), uids)
    server.quirks.size = lambda message: len(message.body) * 2
    mail = mount(server)
    assert len(tool('ls', '-l', mail.inbox).splitlines()) == len(uids) + 1
    start = time.monotonic()
    assert tool('cat', mail.inbox / '1.eml') == TEXT
    assert time.monotonic() - start < 5 * SLOW
    mail.unmount()


@pytest.mark.limit(60)
def test_a_new_uidvalidity_does_not_hold_up_the_end(fake, mount):
    server = sparse(fake(), FAR)
    mail = mount(server, expect=['.'], poll=1)
    tool('ls', '-l', mail.inbox)
    server.inbox.reset(2000, [TEXT + b'new'])
    server.kill()

    def only_the_new_one():
        assert os.listdir(mail.inbox) == ['1.eml']
        assert tool('cat', mail.inbox / '1.eml') == TEXT + b'new'
    eventually(only_the_new_one)
    mail.unmount()
