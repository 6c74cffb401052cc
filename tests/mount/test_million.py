"""A mailbox of a million messages."""

import os
import subprocess

import pytest

from tests.conftest import needs
from tests.fake import VirtualMailbox
from tests.support import SLOW

COUNT = 1_000_000


@pytest.fixture
def million(fake):
    server = fake()
    server.mailboxes.clear()
    server.add('INBOX')
    server.add('Million', VirtualMailbox, count=COUNT)
    return server


def names(path):
    """What ls -f prints, counted by wc so that no list of it is made here."""
    listing = subprocess.Popen(['ls', '-f', path], stdout=subprocess.PIPE)
    count = subprocess.run(['wc', '-l'], stdin=listing.stdout, capture_output=True, text=True)
    listing.stdout.close()
    assert listing.wait() == 0
    return int(count.stdout) - 2  # . and ..


@needs('ESEARCH')
@pytest.mark.limit(300)
def test_names_take_few_bytes_and_little_memory(million, mount):
    mail = mount(million, timeout=60, poll=600)
    assert names(mail / 'Million') == COUNT
    asked = sum(len(line.line) for line in million.log)
    assert asked < 4000, million.log
    answered = sum(session.wire.sent for session in million.sessions)
    assert answered < 16_000
    assert not million.lines(rb'UID FETCH')
    if SLOW == 1:
        assert mail.resident() < 64 << 20


@needs('ESEARCH')
@pytest.mark.limit(300)
def test_one_of_a_million_is_near(million, mount):
    mail = mount(million, timeout=60, poll=600)
    path = mail / 'Million' / '765432.eml'
    assert path.read_bytes().endswith(b'This is message 765432.\r\n')
    assert os.stat(path).st_size == len(million.mailboxes[b'Million'].message(765432).body)
    answered = sum(session.wire.sent for session in million.sessions)
    assert answered < 2 << 20


@pytest.mark.limit(300)
def test_gaps_cost_what_they_are(million, mount):
    box = million.mailboxes[b'Million']
    for uid in range(1000, COUNT, 1000):
        message = box.message(uid)
        message.flags = {'\\Deleted'}
        box._changed_ones[uid] = message
    mail = mount(million, timeout=60, poll=600)
    assert names(mail / 'Million') == COUNT - 999
    assert not os.path.exists(mail / 'Million' / '5000.eml')
    assert os.path.exists(mail / 'Million' / '5001.eml')


@pytest.mark.limit(300)
def test_without_esearch(million, mount):
    million.mask('ESEARCH')
    mail = mount(million, timeout=60, poll=600)
    assert names(mail / 'Million') == COUNT
