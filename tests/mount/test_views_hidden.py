"""The views are there for whoever names them, and nobody falls into them: what walks a tree asks
for none."""

import os
import subprocess

import pytest

from tests.support import sample
from tests.support.requests import Requests, usable

VIEWS = {'.text', '.parts', '.search', '.names'}
WALKERS = {
    'grep -r': 'grep -r needle .',
    'find': 'find . -type f -size +1k',
    'du -a': 'du -a .',
    'rsync -an': 'rsync -an . {elsewhere}/',
    'tar': 'tar cf {elsewhere}/all.tar .',
    'ls -lR': 'ls -lR .',
}

needs_trace = pytest.mark.skipif(usable() is not None,
                                 reason=f'NOTHING IS TRACED: {usable()}')


@pytest.fixture
def account(dovecot):
    for mailbox, bodies in sample.MAILBOXES.items():
        dovecot.deliver(bodies, mailbox, date=sample.date)
    return dovecot


def asked(mail, words, tmp_path):
    """The requests that a walk of the whole mount caused, and the directories that it looked up."""
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    with Requests(mail.pid, tmp_path / 'trace') as seen:
        run = subprocess.run(['sh', '-c', words.format(elsewhere=elsewhere)], cwd=mail.path,
                             capture_output=True, text=True)
    assert run.returncode in (0, 1) and not run.stderr, run.stderr
    return seen.list, {one.name for one in seen.list if one.operation == 'LOOKUP'}


@needs_trace
@pytest.mark.parametrize('words', WALKERS.values(), ids=WALKERS)
def test_nothing_that_walks_enters_a_view(account, mount, tmp_path, words):
    mail = mount(account)
    requests, names = asked(mail, words, tmp_path)
    assert {one.operation for one in requests} >= {'OPENDIR'}
    assert 'INBOX' in names or any(one.operation == 'READDIRPLUS' for one in requests)
    assert not {name for name in names if name.startswith('.') and name != '.imapfs'}


@needs_trace
def test_a_trace_tells_of_a_view_that_is_entered(account, mount, tmp_path):
    """So that the test above can fail."""
    _, names = asked(mount(account), 'test -e INBOX/.text/57.txt', tmp_path)
    assert '.text' in names


@needs_trace
def test_nor_once_the_views_are_known(account, mount, tmp_path):
    """What the kernel remembers of a view is listed nowhere."""
    mail = mount(account)
    texts = sorted(os.listdir(mail.inbox / '.text'))
    assert texts == [f'{uid}.txt' for uid in range(1, 5)]
    (mail.inbox / '.text' / '1.txt').read_bytes()
    os.listdir(mail.inbox / '.parts' / '1')
    _, names = asked(mail, 'find . -type f -exec cat {{}} + >/dev/null', tmp_path)
    assert not names & VIEWS
    assert not VIEWS & set(os.listdir(mail.inbox))


@needs_trace
def test_they_are_listed_on_demand(account, mount, tmp_path):
    mail = mount(account, views=True)
    for folder in (mail.inbox, mail / 'Archive' / '2025'):
        assert VIEWS <= set(os.listdir(folder))
    assert '.search' in os.listdir(mail.path)
    found = subprocess.run(['find', mail.inbox, '-maxdepth', '1', '-type', 'd', '-name', '.*'],
                           capture_output=True, text=True, check=True)
    assert {line.rpartition('/')[2] for line in found.stdout.split()} == VIEWS


def test_a_directory_that_is_no_mailbox_has_none(account, mount):
    """Archive is but the parent of Archive/2025."""
    mail = mount(account)
    for view in VIEWS:
        assert (mail.inbox / view).is_dir()
        assert not (mail / 'Archive' / view).exists()
    assert (mail / '.search').is_dir()
    assert not (mail / '.text').exists()
