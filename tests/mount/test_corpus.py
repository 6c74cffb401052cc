"""Messages that other programs choke on come back byte for byte."""

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support import nasty


def corpus():
    """The archive of real mail, or None: it is not part of this project."""
    top = Path(os.environ.get('IMAPFS_TOP', Path(__file__).parents[2]))
    place = Path(os.environ.get('IMAPFS_CORPUS', top.parent / 'shared' / 'corpus'))
    return place / 'messages.tar.xz' if (place / 'messages.tar.xz').is_file() else None


def crlf(body):
    return body.replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')


def sums(folder, count):
    """The sha256 of 1.eml to COUNT.eml by the tool that people use."""
    names = [f'{uid}.eml' for uid in range(1, count + 1)]
    run = subprocess.run(['sha256sum', '--', *names], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [line.split()[0] for line in run.stdout.splitlines()]


def digests(bodies):
    return [hashlib.sha256(body).hexdigest() for body in bodies]


def append_all(account, bodies):
    client = account.imap()
    for body in bodies:
        client.send(b'x APPEND INBOX {%d+}\r\n%s\r\n' % (len(body), body))
        line = client.readline()
        assert line.startswith(b'x OK'), line
    client.logout()


@pytest.mark.limit(400)
def test_every_message_of_the_corpus(dovecot, mount):
    archive = corpus()
    if not archive:
        pytest.skip('the corpus of real mail is not here (IMAPFS_CORPUS)')
    with tarfile.open(archive) as tar:
        bodies = [crlf(tar.extractfile(entry).read()) for entry in tar if entry.isfile()]
    assert len(bodies) == 1100
    # Dovecot refuses an empty APPEND and one with NUL; those come by the scripted server below.
    appended = [body for body in bodies if body and b'\0' not in body]
    append_all(dovecot, appended)
    # It drops a lone CR at the very end. What it then gives to any client is the truth.
    appended = [body[:-1] if body.endswith(b'\r') else body for body in appended]
    before = dovecot.flags()
    mail = mount(dovecot)
    assert sums(mail.inbox, len(appended)) == digests(appended)
    assert [os.stat(mail.inbox / f'{uid}.eml').st_size
            for uid in range(1, len(appended) + 1)] == list(map(len, appended))
    assert dovecot.flags() == before


@pytest.mark.limit(400)
def test_every_message_of_the_corpus_raw(fake, mount):
    archive = corpus()
    if not archive:
        pytest.skip('the corpus of real mail is not here (IMAPFS_CORPUS)')
    with tarfile.open(archive) as tar:
        bodies = [tar.extractfile(entry).read() for entry in tar if entry.isfile()]
    server = fake()
    server.inbox.extend(bodies)
    mail = mount(server)
    assert sums(mail.inbox, len(bodies)) == digests(bodies)


def test_nasty_messages_by_the_scripted_server(fake, mount):
    messages = nasty.messages()
    server = fake()
    server.inbox.extend(messages.values())
    mail = mount(server)
    found = dict(zip(messages, sums(mail.inbox, len(messages))))
    assert found == dict(zip(messages, digests(messages.values())))


def test_nasty_messages_one_by_one_backwards(fake, mount):
    messages = list(nasty.messages().values())
    server = fake()
    server.inbox.extend(messages)
    mail = mount(server)
    for uid in range(len(messages), 0, -1):
        assert (mail.inbox / f'{uid}.eml').read_bytes() == messages[uid - 1]


def test_nasty_messages_as_dovecot_has_them(dovecot, mount):
    """Dovecot gives lone LFs as CRLF, so its own word is what counts."""
    dovecot.deliver([body for body in nasty.messages().values() if b'\0' not in body])
    client = dovecot.imap()
    count = int(client.select('INBOX', readonly=True)[1][0])
    bodies = [client.uid('FETCH', str(uid), '(BODY.PEEK[])')[1][0][1]
              for uid in range(1, count + 1)]
    client.logout()
    mail = mount(dovecot)
    assert sums(mail.inbox, count) == digests(bodies)


@pytest.mark.parametrize('body_form', ['literal', 'quoted'])
def test_bodies_as_literal_and_as_quoted_string(fake, mount, body_form):
    """RFC 3501: nstring, so a short body may come quoted."""
    server = fake()
    server.inbox.append(b'Subject: "q" \\ backslash')
    server.quirks.body = body_form
    assert (mount(server).inbox / '1.eml').read_bytes() == b'Subject: "q" \\ backslash'


@pytest.mark.parametrize('uid_last', [True, False])
@pytest.mark.parametrize('lowercase', [True, False])
def test_order_and_case_of_items(fake, mount, uid_last, lowercase):
    server = fake()
    server.inbox.extend([b'Subject: %d\r\n\r\n' % n + b'x' * n * 1000 for n in range(50)])
    server.quirks.uid_last, server.quirks.lowercase = uid_last, lowercase
    mail = mount(server)
    assert sums(mail.inbox, 50) == digests(b'Subject: %d\r\n\r\n' % n + b'x' * n * 1000
                                           for n in range(50))


@pytest.mark.parametrize('split', [1, 2, 7, 100])
def test_any_pieces_on_the_wire(fake, mount, split):
    messages = [body for body in nasty.messages().values() if len(body) < 5000]
    server = fake(tls='none')
    server.on(rb'', lambda session, command: setattr(session.wire, 'split', split))
    server.inbox.extend(messages)
    mail = mount(server)
    assert sums(mail.inbox, len(messages)) == digests(messages)
