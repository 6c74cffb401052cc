"""Messages under names that say what is in them: `.names`, and -o names=subject."""

import errno
import json
import os
import signal
import subprocess

import pytest

from tests.support import eventually

DATE = '"02-Nov-2026 10:00:00 +0000"'


def message(subject, sender='Alice Example <alice@example.org>', body='hello'):
    return f'From: {sender}\r\nSubject: {subject}\r\n\r\n{body}\r\n'.encode()


def fails_with(code, action, *arguments):
    with pytest.raises(OSError) as caught:
        action(*arguments)
    assert caught.value.errno == code


def _assert(holds):
    assert holds


def status(mail):
    return json.loads((mail / '.imapfs' / 'status').read_text())


# field, what is left of it in a name
HAZARDS = [
    ('../../x', '..-..-x'),
    ('/etc/passwd', '-etc-passwd'),
    ('..', '..'),
    ('=?utf-8?q?a=2Fb?=', 'a-b'),
    ('=?utf-8?q?nul=00here?=', None),
    ('=?utf-8?q?line=0D=0Abreak?=', 'line break'),
    ('=?utf-8?q?invoice=E2=80=AEfdp.exe?=', 'invoicefdp.exe'),
    ('folded\r\n over lines', 'folded over lines'),
    ('   blanks   ', 'blanks'),
    ('=?iso-8859-1?q?Gr=FC=DFe?=', 'Grüße'),
    ('=?unknown-8bit?q?x=FF?=', None),
    ('%2F$(reboot)`x`"\'*?', '%2F$(reboot)`x`"\'*?'),
    ('-rf', '-rf'),
    ('57.eml', '57.eml'),
    ('x [1]', 'x [1]'),
    ('', ''),
]


def deliver(dovecot, *bodies, **more):
    dovecot.append(*bodies, date=DATE, **more)


def test_names_say_what_is_in_a_message(dovecot, mount):
    deliver(dovecot, message('Quarterly report'), message('', 'bob@example.org'),
            b'To: nobody\r\n\r\nx\r\n')
    mail = mount(dovecot)
    names = mail.inbox / '.names'
    assert os.listdir(names) == ['2026-11-02 Alice Example - Quarterly report [1].eml',
                                 '2026-11-02 bob@example.org [2].eml', '2026-11-02 [3].eml']
    for uid, name in enumerate(os.listdir(names), 1):
        assert (names / name).stat() == (mail.inbox / f'{uid}.eml').stat()
        assert (names / name).read_bytes() == (mail.inbox / f'{uid}.eml').read_bytes()
    for wrong in ['2026-11-02 Alice Example - Quarterly report [2].eml',
                  '2026-11-03 Alice Example - Quarterly report [1].eml', 'x [1].eml', '[1].eml',
                  '2026-11-02 Alice Example - Quarterly report [1].txt', 'x',
                  '2026-11-02 Alice Example - Quarterly report [9].eml']:
        fails_with(errno.ENOENT, os.stat, names / wrong)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml', '3.eml']


@pytest.mark.parametrize('of', ['.names', 'subject'])
def test_hazards(dovecot, mount, of):
    deliver(dovecot, *[message(subject) for subject, _ in HAZARDS])
    mail = mount(dovecot, names='subject' if of == 'subject' else None)
    folder = mail.inbox if of == 'subject' else mail.inbox / '.names'
    listed = os.listdir(folder)
    assert len(listed) == len(set(listed)) == len(HAZARDS)
    for uid, (_, wanted) in enumerate(HAZARDS, 1):
        name = listed[uid - 1]
        if of == 'subject' and wanted is not None:
            assert name == (f'{uid} {wanted}.eml' if wanted else f'{uid}.eml')
        elif wanted:
            assert name == f'2026-11-02 Alice Example - {wanted} [{uid}].eml'
        assert not any(ord(c) < 32 or c in '/\x7f\u202e' for c in name), ascii(name)
        assert (folder / name).read_bytes() == (mail.inbox / f'{uid}.eml').read_bytes()


def test_long_subjects_are_cut_at_characters(dovecot, mount):
    deliver(dovecot, message('=?utf-8?b?' + '5pel' * 18 + '?='), *[
        message('\r\n '.join(['=?utf-8?q?' + '=E6=97=A5' * n + 'x?='] * 20)) for n in range(1, 5)])
    for options in ({}, {'names': 'subject'}):
        mail = mount(dovecot, **options)
        folder = mail.inbox if options else mail.inbox / '.names'
        for name in os.listdir(os.fsencode(folder)):
            assert len(name) <= 255 and name.decode().isprintable() and name.endswith(b'.eml')
            assert os.stat(os.fsencode(folder) + b'/' + name)
        mail.unmount()


def test_same_subject_ten_thousand_times(dovecot, mount, program):
    """All are there, each under a name of its own, and after a remount under the same one."""
    dovecot.deliver([message('again')] * 10000)
    mail = mount(dovecot)
    names = os.listdir(mail.inbox / '.names')
    assert len(set(names)) == 10000
    assert names[4711 - 1] == '2017-07-14 Alice Example - again [4711].eml'
    # Some connections, EXAMINE and SEARCH, then windows: not a round trip for each.
    assert status(mail)['traffic']['commands'] < 500
    assert (mail.inbox / '.names' / names[77]).stat().st_ino == \
        (mail.inbox / '78.eml').stat().st_ino
    mail.unmount()
    mail = mount(dovecot)
    before = status(mail)['traffic']
    assert os.listdir(mail.inbox / '.names') == names
    assert status(mail)['traffic']['received'] - before['received'] < 100_000
    mail.unmount()
    mail = mount(dovecot, names='subject')
    assert os.listdir(mail.inbox) == [f'{uid} again.eml' for uid in range(1, 10001)]


def test_names_by_subject(dovecot, mount):
    deliver(dovecot, message('one'), message('two'), message('two'))
    mail = mount(dovecot, names='subject')
    assert os.listdir(mail.inbox) == ['1 one.eml', '2 two.eml', '3 two.eml']
    assert (mail.inbox / '2 two.eml').stat() == (mail.inbox / '2.eml').stat()
    for wrong in ['2 one.eml', '4 two.eml', '02 two.eml', '2 two', '2 .eml']:
        fails_with(errno.ENOENT, os.stat, mail.inbox / wrong)
    assert subprocess.run(['grep', '-rl', 'Subject: two', mail.inbox], capture_output=True,
                          text=True, check=True).stdout.split('\n')[:-1] == [
        f'{mail.inbox}/2 two.eml', f'{mail.inbox}/3 two.eml']
    assert os.listdir(mail.inbox / '.search' / 'subject two') == ['2 two.eml', '3 two.eml']
    assert (mail.inbox / '.search' / 'subject two' / '3.eml').exists()


def test_a_name_is_found_before_anything_was_listed(dovecot, mount):
    deliver(dovecot, message('one'))
    mail = mount(dovecot, names='subject')
    assert (mail.inbox / '1 one.eml').stat().st_size > 0
    full = '2026-11-02 Alice Example - one [1].eml'
    assert (mail.inbox / '.names' / full).stat().st_size > 0


def test_what_comes_and_goes_shows(dovecot, imap, mount):
    deliver(dovecot, message('one'), message('two'))
    mail = mount(dovecot, names='subject')
    names = mail.inbox / '.names'
    assert os.listdir(mail.inbox) == ['1 one.eml', '2 two.eml']
    assert len(os.listdir(names)) == 2
    two = names / '2026-11-02 Alice Example - two [2].eml'
    assert two.exists() and (mail.inbox / '2 two.eml').exists()
    subprocess.run(['ls', '-l', mail.inbox, names], check=True, stdout=subprocess.DEVNULL)
    deliver(dovecot, message('three'))
    eventually(lambda: _assert(os.listdir(mail.inbox) == ['1 one.eml', '2 two.eml', '3 three.eml']))
    eventually(lambda: _assert(len(os.listdir(names)) == 3))
    imap.select('INBOX')
    imap.uid('STORE', '2', '+FLAGS.SILENT', '(\\Deleted)')
    imap.expunge()
    eventually(lambda: _assert(os.listdir(mail.inbox) == ['1 one.eml', '3 three.eml']))
    eventually(lambda: _assert(not (mail.inbox / '2 two.eml').exists()))
    eventually(lambda: _assert(not two.exists()))
    eventually(lambda: _assert(len(os.listdir(names)) == 2))


@pytest.mark.parametrize('of', ['.names', 'subject'])
def test_messages_numbered_anew(fake, mount, of):
    """Whoever knew the old names reads none of the new messages by them."""
    server = fake()
    for n in range(3):
        server.inbox.append(message(f'old {n}'))
    mail = mount(server, names='subject' if of == 'subject' else None, poll=1,
                 expect=['connection', 'reset', 'lost', 'closed'])
    folder = mail.inbox if of == 'subject' else mail.inbox / '.names'
    old = os.listdir(folder)
    subprocess.run(['ls', '-l', folder], check=True, stdout=subprocess.DEVNULL)
    assert [b'old' in (folder / name).read_bytes() for name in old] == [True] * 3
    server.inbox.reset(2000, [message('new 0'), message('old 1')])
    server.kill()
    eventually(lambda: _assert(len(os.listdir(folder)) == 2), 20)
    eventually(lambda: fails_with(errno.ENOENT, os.stat, folder / old[0]), 20)
    eventually(lambda: fails_with(errno.ENOENT, os.stat, folder / old[2]), 20)
    new = os.listdir(folder)
    assert [b'new 0' in (folder / new[0]).read_bytes(), b'old 1' in (folder / new[1]).read_bytes()
            ] == [True, True]
    eventually(lambda: _assert((folder / new[1]).stat().st_ino ==
                               (mail.inbox / '2.eml').stat().st_ino))


@pytest.mark.parametrize('of', ['.names', 'subject'])
def test_rm_and_mv(dovecot, imap, mount, of):
    imap.create('Other')
    deliver(dovecot, message('one'), message('two'), message('three'))
    mail = mount(dovecot, names='subject' if of == 'subject' else None)
    folder = mail.inbox if of == 'subject' else mail.inbox / '.names'
    one, two, three = os.listdir(folder)
    (folder / one).unlink()
    assert os.listdir(folder) == [two, three]
    fails_with(errno.ENOENT, os.stat, mail.inbox / '1.eml')
    os.rename(folder / two, mail / 'Other' / 'kept.eml')
    assert os.listdir(folder) == [three]
    assert b'two' in (mail / 'Other' / 'kept.eml').read_bytes()
    # Within the folder it is a name until unmount.
    os.rename(folder / three, mail.inbox / 'third.eml')
    assert os.listdir(mail.inbox) == ['third.eml']
    assert b'three' in (mail.inbox / 'third.eml').read_bytes()
    fails_with(errno.ENOENT, os.stat, mail.inbox / '3.eml')
    fails_with(errno.ENOENT, os.stat, mail.inbox / '3 three.eml')
    os.rename(mail.inbox / 'third.eml', mail.inbox / '3 three.eml')
    assert os.listdir(mail.inbox) == ['3 three.eml']
    mail.settle()
    mail.settle('Other')
    assert imap.select('Other')[1] == [b'1'] and imap.select('INBOX')[1] == [b'1']
    if of == 'subject':
        eventually(lambda: _assert(os.listdir(mail / 'Other') == ['1 two.eml']))


def test_names_holds_messages_only(dovecot, mount):
    deliver(dovecot, message('one'))
    mail = mount(dovecot)
    names = mail.inbox / '.names'
    name, = os.listdir(names)
    for action, *arguments in [
            (os.mkdir, names / 'new'), (open, names / 'new.eml', 'w'),
            (os.rename, mail.inbox / '1.eml', names / 'x.eml'),
            (os.rename, names / name, names / 'x.eml'), (os.rmdir, names)]:
        fails_with(errno.EPERM, action, *arguments)
    assert os.listdir(names) == [name]


def test_rewriting_by_such_a_name(dovecot, imap, mount):
    imap.create('Drafts')
    deliver(dovecot, message('one', body='old'), mailbox='Drafts')
    mail = mount(dovecot, names='subject', edit='all')
    path = mail / 'Drafts' / '1 one.eml'
    path.write_bytes(message('one', body='new'))
    assert b'new' in path.read_bytes()
    mail.settle('Drafts')
    eventually(lambda: _assert(b'new' in path.read_bytes()))
    assert imap.select('Drafts')[1] == [b'1']


def test_what_has_the_name_already_keeps_it(dovecot, imap, mount):
    """A mailbox, and a name that somebody gave."""
    imap.create('"INBOX/1 one.eml"')
    deliver(dovecot, message('one'), message('two'))
    mail = mount(dovecot, names='subject')
    assert sorted(os.listdir(mail.inbox)) == ['1 one.eml', '1.eml', '2 two.eml']
    assert (mail.inbox / '1 one.eml').is_dir() and (mail.inbox / '1.eml').is_file()
    (mail.inbox / '3 three.eml').write_bytes(message('written'))
    mail.settle()
    assert b'written' in (mail.inbox / '3 three.eml').read_bytes()


def test_offline_names_that_are_not_known(dovecot_server, dovecot, mount):
    deliver(dovecot, message('one'), message('two'))
    mail = mount(dovecot)
    assert sorted(os.listdir(mail.inbox)) == ['1.eml', '2.eml']
    assert (mail.inbox / '1.eml').read_bytes()
    mail.expect('.')
    dovecot_server.stop(signal.SIGKILL)
    try:
        eventually(lambda: _assert(status(mail)['state'] == 'offline'), 40)
        names = os.listdir(mail.inbox / '.names')
        assert names == ['2026-11-02 Alice Example - one [1].eml', '2.eml']
        assert (mail.inbox / '.names' / names[0]).read_bytes()
    finally:
        dovecot_server.start()
    eventually(lambda: _assert(os.listdir(mail.inbox / '.names')[1] ==
                               '2026-11-02 Alice Example - two [2].eml'), 40)


def test_nothing_of_the_messages_is_fetched_for_names(dovecot, mount):
    deliver(dovecot, *[message(f'large {n}', body='x' * 200_000) for n in range(20)])
    mail = mount(dovecot, names='subject')
    before = status(mail)['traffic']['received']
    assert len(os.listdir(mail.inbox)) == 20
    assert len(os.listdir(mail.inbox / '.names')) == 20
    subprocess.run(['ls', '-l', mail.inbox, mail.inbox / '.names'], check=True,
                   stdout=subprocess.DEVNULL)
    assert status(mail)['traffic']['received'] - before < 50_000
