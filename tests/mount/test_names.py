"""Mailbox names that are no file names, and what goes back to the server for them."""

import errno
import os
import shutil

import pytest

from tests.support import eventually

BODY = b'Subject: here\r\n\r\nyes\r\n'
LONG = 'x' * 300


def add(server, name, **more):
    """A mailbox by its name on the wire, with one message that tells it."""
    mailbox = server.add(name, **more)
    mailbox.append(BODY + mailbox.name + b'\r\n')
    return mailbox


def walk(mail):
    """{directory relative to the mount: content of its 1.eml or None}."""
    found = {}
    for root, _, files in mail.walk():
        path = os.path.relpath(root, mail.path)
        found[path] = None
        if '1.eml' in files:
            with open(os.path.join(root, '1.eml'), 'rb') as file:
                found[path] = file.read()
    return found


def contents(mail):
    return sorted(body.removeprefix(BODY).removesuffix(b'\r\n')
                  for body in walk(mail).values() if body)


# name on the wire, delimiter, path in the tree; a last % marks what is no modified UTF-7
NAMES = [
    ('Entw&APw-rfe', '/', 'Entwürfe'),
    ('&-', '/', '&'),
    ('a &- b', '/', 'a & b'),
    ('&2D3d3g-', '/', '\U0001f5de'),
    ('..', '/', '%2E.'),
    ('.', '/', '%2E'),
    ('a/../b', '/', 'a/%2E./b'),
    ('a//b', '/', 'a/%/b'),
    ('a/b', '.', 'a%2Fb'),
    ('a.b', '.', 'a/b'),
    ('a\\b', '\\', 'a/b'),
    ('a%b', '%', 'a/b'),
    ('100%', '/', '100%25'),
    ('%2E.', '/', '%252E.'),
    ('tab\there', '/', 'tab%09here%'),
    ('new\nline', '/', 'new%0Aline%'),
    ('cr\rhere', '/', 'cr%0Dhere%'),
    ('bell\x07', '/', 'bell%07%'),
    ('quote"back\\slash', '/', 'quote"back\\slash'),
    ('ends in {5+}', '/', 'ends in {5+}'),
    ('{5}', '/', '{5}'),
    ('NIL', '/', 'NIL'),
    ('~', '/', '~'),
    (' leading', '/', ' leading'),
    ('trailing ', '/', 'trailing '),
    ('*', '/', '*'),
    ('.imapfs', '/', '%2Eimapfs'),
    ('.parts', '/', '%2Eparts'),
    ('57.eml', '/', '57%2Eeml'),
    ('.hidden', '/', '.hidden'),
]


@pytest.mark.parametrize('name,delimiter,path', NAMES, ids=[repr(name) for name, *_ in NAMES])
def test_name_is_shown_and_selected_by_its_own_bytes(fake, mount, name, delimiter, path):
    server = fake()
    server.delimiter = delimiter
    server.mailboxes.clear()
    server.add('INBOX', delimiter=delimiter)
    add(server, name, delimiter=delimiter)
    mail = mount(server)
    assert (mail / path / '1.eml').read_bytes() == BODY + name.encode() + b'\r\n'
    assert path.split('/')[0] in os.listdir(mail.path)
    assert {line.mailbox for line in server.lines(rb'BODY\.PEEK')} == {name.encode()}


def test_all_of_them_at_once(fake, mount):
    server = fake()
    names = sorted({name.encode() for name, delimiter, _ in NAMES if delimiter == '/'})
    for name in names:
        add(server, name.decode())
    assert contents(mount(server)) == names


@pytest.mark.parametrize('name', ['&', '&Jjo', '&Jjo!', '&AGE-', '&APw-&APw-', '&2D0-', '&3d4-',
                                  'a&', '&&-', '&Jjo-&Jjo-', '&AAA-', '&AC8-', '&!-'])
def test_invalid_modified_utf7_is_lossless(fake, mount, name):
    server = fake()
    add(server, name)
    add(server, name + 'x')
    assert contents(mount(server)) == sorted([name.encode(), name.encode() + b'x'])


def test_raw_bytes_that_are_not_ascii(fake, mount):
    server = fake()
    names = sorted(['grün'.encode(), b'latin-1 \xfc', b'\xff\xfe', b'cut \xe2\x82',
                    'cafe\u0301'.encode(), 'caf\u00e9'.encode()])
    for name in names:
        add(server, name)
    assert contents(mount(server)) == names


def test_names_that_differ_only_in_case_or_form(fake, mount):
    server = fake()
    names = ['Work', 'work', 'WORK', 'w\u006frk2', '&APw-', 'u&Awg-', '&AHU-']
    for name in names:
        add(server, name)
    mail = mount(server)
    assert contents(mail) == sorted(name.encode() for name in names)
    inodes = [os.stat(mail / name / '1.eml').st_ino for name in ('Work', 'work', 'WORK')]
    assert len(set(inodes)) == 3


@pytest.mark.parametrize('name', ['inbox', 'Inbox', 'iNbOx'])
def test_inbox_is_one_folder_however_it_is_cased(fake, mount, name):
    server = fake()
    server.inbox.name = name.encode()
    server.inbox.append(BODY)
    server.quirks.list_lines = [b'* LIST () "/" INBOX\r\n']
    mail = mount(server)
    assert mail.names() == ['INBOX']
    assert (mail.inbox / '1.eml').read_bytes() == BODY


def test_names_too_long_are_cut_and_stay_apart(fake, mount):
    server = fake()
    names = [LONG + 'a', LONG + 'b', 'p/' + LONG, '&APw-' * 200, 'y' * 255, 'z' * 1200,
             '/'.join(['deep'] * 100)]
    for name in names:
        add(server, name)
    mail = mount(server)
    assert contents(mail) == sorted(name.encode() for name in names)
    assert all(len(os.fsencode(part)) <= 255 for path in walk(mail) for part in path.split('/'))
    assert 'y' * 255 in os.listdir(mail.path)


def test_a_mailbox_called_like_an_escape_stays_apart(fake, mount):
    server = fake()
    names = ['a\x01', 'a%01', 'a%2501', '..', '%2E.', '%2E%2E', '%', '%%']
    for name in names:
        add(server, name)
    assert contents(mount(server)) == sorted(name.encode() for name in names)


def test_delimiter_nil_and_parents_that_are_not_listed(fake, mount):
    server = fake()
    add(server, 'flat/name', delimiter='')
    add(server, 'never/listed/child')
    add(server, 'parent', attributes=['\\Noselect'], subscribed=False)
    add(server, 'parent/child')
    mail = mount(server)
    assert os.listdir(mail.path / 'never') == ['listed']
    assert os.listdir(mail / 'parent') == ['child']
    assert os.listdir(mail / 'flat%2Fname') == ['1.eml']
    assert sorted(os.listdir(mail / 'never' / 'listed' / 'child')) == ['1.eml']


def test_courier_prefix(fake, mount):
    server = fake()
    server.delimiter, server.personal_prefix = '.', 'INBOX.'
    server.mailboxes.clear()
    add(server, 'INBOX', delimiter='.')
    add(server, 'INBOX.Sent', delimiter='.')
    add(server, 'INBOX.a.b', delimiter='.')
    found = walk(mount(server))
    assert set(found) == {'.', 'INBOX', 'INBOX/Sent', 'INBOX/a', 'INBOX/a/b'}
    assert sorted(filter(None, found.values())) == sorted(
        BODY + name + b'\r\n' for name in (b'INBOX', b'INBOX.Sent', b'INBOX.a.b'))


LINES = [
    b'* LIST () "/" atom\r\n',
    b'* LIST () "/" "quoted"\r\n',
    b'* LIST () "/" {7}\r\nliteral\r\n',
    b'* LIST (\\HasNoChildren \\Marked \\X-Odd) "/" "with flags"\r\n',
    b'* LIST () NIL "no delimiter"\r\n',
    b'* LIST () "/" "extended" ("CHILDINFO" ("SUBSCRIBED"))\r\n',
    b'* list () "/" "lower"\r\n',
    b'* LIST () "/" "r\xc3\xa4w"\r\n',
]


def test_forms_of_list(fake, mount):
    server = fake()
    server.quirks.list_lines = LINES
    assert set(mount(server).names()) == {
        'INBOX', 'atom', 'quoted', 'literal', 'with flags', 'no delimiter', 'extended', 'lower',
        'räw%'}


@pytest.mark.parametrize('line', [
    b'* LIST () "/" NIL\r\n', b'* LIST () "/" ""\r\n', b'* LIST\r\n', b'* LIST ()\r\n',
    b'* LIST () "too long" x\r\n', b'* LIST () "/" {3}\r\na\0b\r\n', b'* LIST NIL "/" x\r\n',
    b'* LIST ((((x)))) "/" y\r\n', b'* LIST (\\Noselect \\NonExistent) "/" "/"\r\n',
    b'* LIST () "/" "' + b'n' * 5000 + b'"\r\n', b'* \r\n', b'*\r\n', b'* LIST () "" "x"\r\n',
    b'* LIST () "/" "%s"\r\n' % b'/'.join([b'd'] * 2000)])
def test_one_bad_list_line_breaks_nothing(fake, mount, line):
    server = fake()
    add(server, 'good')
    server.quirks.list_lines = [line]
    mail = mount(server, expect=['list'])
    assert {'INBOX', 'good'} <= set(os.listdir(mail.path))
    assert (mail / 'good' / '1.eml').read_bytes().startswith(BODY)


def test_one_folder_that_cannot_be_opened(fake, mount):
    server = fake()
    add(server, 'good')
    add(server, 'forbidden')
    server.on(rb'(EXAMINE|SELECT|STATUS) "?forbidden', lambda session, command:
              session.tagged(command, 'NO', '[NOPERM] not you'))
    mail = mount(server, expect=['forbidden'])
    assert sorted(mail.names()) == ['INBOX', 'forbidden', 'good']
    with pytest.raises(PermissionError):
        os.listdir(mail / 'forbidden')
    assert os.listdir(mail / 'good') == ['1.eml']


def test_ten_thousand_mailboxes(fake, mount):
    server = fake()
    for number in range(10_000):
        server.add(f'box {number % 100}/sub {number}')
    mail = mount(server)
    assert len(mail.names()) == 101
    assert len(os.listdir(mail / 'box 7')) == 100


def test_source_names_one_mailbox(fake, mount):
    server = fake()
    add(server, 'Archive/2026')
    add(server, 'Archive/2026/May')
    mail = mount(server, source=server.source + '/Archive/2026')
    assert sorted(mail.names()) == ['1.eml', 'May']


def test_opened_before_it_held_mail(fake, mount):
    """Who has it open since then gets no listing of it: the kernel would keep one without mail."""
    server = fake()
    add(server, 'parent/child')
    mail = mount(server, poll=1)
    opened = os.open(mail / 'parent', os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert os.listdir(opened) == ['child']
        add(server, 'parent')
        add(server, 'later')

        def known():
            assert 'later' in os.listdir(mail.path)
        eventually(known)
        with pytest.raises(OSError) as caught:
            os.listdir(opened)
        assert caught.value.errno == errno.ESTALE
        assert sorted(os.listdir(mail / 'parent')) == ['1.eml', 'child']
    finally:
        os.close(opened)


@pytest.mark.parametrize('literal', [True, False], ids=['at-once', 'waits'])
@pytest.mark.parametrize('name,shown', [
    ('x\r\nA1 DELETE INBOX', 'x%0D%0AA1 DELETE INBOX%'), ('new\nline', 'new%0Aline%'),
    ('ends in {5+}', 'ends in {5+}'), ('quote"back\\slash', 'quote"back\\slash'), ('NIL', 'NIL')])
def test_changing_where_the_name_looks_like_syntax(fake, mount, name, shown, literal):
    """It is one argument of each command, as a literal at need; nothing else happens."""
    server = fake()
    if not literal:
        server.mask('LITERAL+', 'LITERAL-', 'IMAP4rev2')
    there = add(server, name)
    server.inbox.extend(BODY + b'%d\r\n' % number for number in (1, 2, 3))
    mail = mount(server)
    folder = mail / shown
    os.rename(mail.inbox / '1.eml', folder / 'moved.eml')
    shutil.copy(mail.inbox / '2.eml', folder / 'copied.eml')
    (folder / 'new.eml').write_bytes(BODY + b'new\r\n')
    os.unlink(folder / '1.eml')
    mail.settle('')
    assert sorted(there.message(uid).body for uid in there.uids()) == sorted(
        BODY + text + b'\r\n' for text in (b'1', b'2', b'new'))
    os.rename(folder, mail / 'Plain')
    assert set(server.mailboxes) == {b'INBOX', b'Plain'}
    assert len(server.inbox.uids()) == 2
    assert sorted(os.listdir(mail.path)) == ['.imapfs', 'INBOX', 'Plain']
