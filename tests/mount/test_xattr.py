"""Extended attributes of a message: what the server says of it beside its bytes, and what its
header does."""

import ctypes
import errno
import os
import subprocess

import pytest

from tests.support import eventually

ORIGIN = 'user.xdg.origin.email.'
NAMES = ['user.imap.flags', 'user.imap.mailbox', 'user.imap.uid', 'user.imap.uidvalidity',
         'user.mime_type', f'{ORIGIN}from', f'{ORIGIN}message-id', f'{ORIGIN}subject',
         'user.xdg.tags']
BODY = b'Subject: hello\r\n\r\nbody\r\n'
FIELDS = rb'HEADER\.FIELDS'


def attributes(path):
    return {name: os.getxattr(path, name).decode() for name in os.listxattr(path)}


def asked(server):
    """What somebody wanted to know: IDLE begins when it likes."""
    return [str(line) for line in server.lines(rb'^(?!DONE$|\S+ IDLE$)')]


def fails_with(code, action, *arguments):
    with pytest.raises(OSError) as caught:
        action(*arguments)
    assert caught.value.errno == code


def test_attributes(fake, mount):
    server = fake()
    server.inbox.append(BODY, flags=['\\Seen', '\\Flagged', '$Work', '$Label1'])
    server.inbox.append(BODY)
    mail = mount(server)
    assert sorted(os.listxattr(mail.inbox / '1.eml')) == NAMES
    assert attributes(mail.inbox / '1.eml') == {
        'user.imap.uid': '1', 'user.imap.uidvalidity': '1000', 'user.imap.mailbox': 'INBOX',
        'user.imap.flags': '\\Seen \\Flagged $Label1 $Work', 'user.xdg.tags': '$Label1,$Work',
        'user.mime_type': 'message/rfc822',
        f'{ORIGIN}subject': 'hello', f'{ORIGIN}from': '', f'{ORIGIN}message-id': ''}
    assert attributes(mail.inbox / '2.eml')['user.imap.flags'] == ''
    assert attributes(mail.inbox / '2.eml')['user.xdg.tags'] == ''


def test_a_comma_in_a_keyword_separates_no_tags(fake, mount):
    server = fake()
    server.inbox.append(BODY, flags=('a,b', 'c%2Cd', 'e'))
    mail = mount(server)
    found = attributes(mail.inbox / '1.eml')
    assert found['user.imap.flags'] == 'a,b c%2Cd e'
    assert found['user.xdg.tags'].split(',') == ['a%2Cb', 'c%252Cd', 'e']


def test_of_a_real_server(dovecot, imap, mount):
    imap.create('Lists')
    imap.create('Lists/f&APw-r')
    dovecot.append(BODY, mailbox='Lists/f&APw-r', flags='(\\Answered Tag)')
    mail = mount(dovecot)
    found = attributes(mail / 'Lists' / 'für' / '1.eml')
    assert found['user.imap.mailbox'] == 'Lists/für'
    assert found['user.imap.flags'] == '\\Answered Tag'
    assert int(found['user.imap.uidvalidity']) > 0


def test_below_another_root(dovecot, imap, mount):
    imap.create('Lists')
    imap.create('Lists/sub')
    dovecot.append(BODY, mailbox='Lists/sub')
    dovecot.append(BODY, mailbox='Lists')
    mail = mount(dovecot, source=f'{dovecot.source}/Lists')
    assert os.getxattr(mail / 'sub' / '1.eml', 'user.imap.mailbox') == b'sub'
    assert os.getxattr(mail / '1.eml', 'user.imap.mailbox') == b'.'


def test_what_there_is_not(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    message = mail.inbox / '1.eml'
    fails_with(errno.ENODATA, os.getxattr, message, 'user.other')
    fails_with(errno.ENODATA, os.getxattr, mail.inbox, 'user.imap.uid')
    fails_with(errno.ENODATA, os.getxattr, mail / '.imapfs' / 'status', 'user.imap.uid')
    fails_with(errno.EOPNOTSUPP, os.getxattr, message, 'security.selinux')
    fails_with(errno.EOPNOTSUPP, os.getxattr, message, 'system.posix_acl_access')
    assert os.listxattr(mail.inbox) == os.listxattr(mail.path) == []
    assert os.listxattr(mail / '.imapfs') == os.listxattr(mail / '.imapfs' / 'status') == []


def test_what_cannot_be_set(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    message = mail.inbox / '1.eml'
    for name in ('user.imap.uid', 'user.imap.uidvalidity', 'user.imap.mailbox', 'user.mime_type',
                 f'{ORIGIN}subject', f'{ORIGIN}from', f'{ORIGIN}message-id'):
        fails_with(errno.EPERM, os.setxattr, message, name, b'1')
        fails_with(errno.EPERM, os.removexattr, message, name)
    for path in (message, mail.inbox):
        fails_with(errno.EOPNOTSUPP, os.setxattr, path, 'user.other', b'1')
    # Its mode is 0400, which the kernel looks at for all but root.
    fails_with(errno.EACCES if os.geteuid() else errno.EOPNOTSUPP, os.setxattr,
               mail / '.imapfs' / 'status', 'user.other', b'1')
    fails_with(errno.EOPNOTSUPP, os.setxattr, mail.inbox, 'user.imap.flags', b'')
    fails_with(errno.EEXIST, os.setxattr, message, 'user.imap.flags', b'', os.XATTR_CREATE)
    for flags in (b'\\Strange', b'\\*', b'a"b', b'a(b', b'a]b', b'f\xc3\xbcr', b'a\0b', b'a\r\nb'):
        fails_with(errno.EINVAL, os.setxattr, message, 'user.imap.flags', flags)
    for tags in (b'two words', b'a%2', b'a%20b', b'\\Seen', b'%5CSeen'):
        fails_with(errno.EINVAL, os.setxattr, message, 'user.xdg.tags', tags)
    for long in (b'k' * 501, b' '.join([b'k%d' % number for number in range(900)])):
        fails_with(errno.E2BIG, os.setxattr, message, 'user.imap.flags', long)
    assert server.inbox.message(1).flags == set()


def test_read_only(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server, ro=True)
    message = mail.inbox / '1.eml'
    fails_with(errno.EROFS, os.setxattr, message, 'user.imap.flags', b'\\Seen')
    fails_with(errno.EROFS, os.removexattr, message, 'user.imap.flags')


def test_room_for_the_value(fake, mount):
    """getxattr(2): a size of 0 asks for the length, and too little room is ERANGE."""
    server = fake()
    server.inbox.append(BODY, flags=[f'keyword{n}' for n in range(40)])
    mail = mount(server)
    path = os.fsencode(mail.inbox / '1.eml')
    libc = ctypes.CDLL(None, use_errno=True)
    value = os.getxattr(path, 'user.xdg.tags')
    assert len(value) > 300
    room = ctypes.create_string_buffer(len(value))
    assert libc.getxattr(path, b'user.xdg.tags', None, 0) == len(value)
    assert libc.getxattr(path, b'user.xdg.tags', room, len(value)) == len(value)
    assert room.raw == value
    assert libc.getxattr(path, b'user.xdg.tags', room, len(value) - 1) == -1
    assert ctypes.get_errno() == errno.ERANGE
    assert libc.listxattr(path, room, 4) == -1
    assert ctypes.get_errno() == errno.ERANGE


def test_listing_them_asks_nobody(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    os.stat(mail.inbox / '1.eml')
    before = asked(server)
    assert sorted(os.listxattr(mail.inbox / '1.eml')) == NAMES
    for name in NAMES:
        if not name.startswith(ORIGIN):
            os.getxattr(mail.inbox / '1.eml', name)
    assert asked(server) == before


# ---- what the header says


def origin(path):
    return [os.getxattr(path, f'{ORIGIN}{name}').decode()
            for name in ('subject', 'from', 'message-id')]


def test_of_the_header(dovecot, mount):
    dovecot.append(
        b'From: =?iso-8859-1?Q?J=FCrgen?= <j@example.org>\r\nMessage-ID: <1@example.org>\r\n'
        b'Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n and more\r\n\r\nbody\r\n',
        b'Subject: \r\nFrom:\r\n\r\n', b'no header at all\r\n', b'\r\nstarts with its text\r\n')
    mail = mount(dovecot)
    assert origin(mail.inbox / '1.eml') == \
        ['Grüße and more', 'Jürgen <j@example.org>', '<1@example.org>']
    for uid in (2, 3, 4):
        assert origin(mail.inbox / f'{uid}.eml') == ['', '', '']


def test_of_one_header_no_body_is_fetched(fake, mount):
    server = fake()
    server.inbox.append(BODY + b'x' * 100_000)
    mail = mount(server)
    assert origin(mail.inbox / '1.eml')[0] == 'hello'
    assert len(server.lines(FIELDS)) == 1 and not server.lines(rb'BODY\.PEEK\[\]')
    # Nor is what is known asked for again, by this mount or the next.
    mail.unmount()
    again = mount(server)
    assert origin(again.inbox / '1.eml')[0] == 'hello'
    assert len(server.lines(FIELDS)) == 1


def test_of_a_message_that_is_here_nothing_is_fetched(fake, mount):
    server = fake()
    server.inbox.append(BODY)
    mail = mount(server)
    (mail.inbox / '1.eml').read_bytes()
    before = asked(server)
    assert origin(mail.inbox / '1.eml')[0] == 'hello'
    assert asked(server) == before


@pytest.mark.parametrize('letter', ['x', 'ü', '\N{HAMMER}'])
def test_a_long_field_is_cut(fake, mount, letter):
    """At 64 KiB, the most that a value can have, and between two characters."""
    server = fake()
    lines = ''.join(f'{letter * 100}\r\n ' for _ in range(800))
    server.inbox.append(f'Subject: {lines}\r\n\r\nbody\r\n'.encode())
    mail = mount(server)
    value = os.getxattr(mail.inbox / '1.eml', f'{ORIGIN}subject')
    assert 65_500 < len(value) <= 65_536
    assert set(value.decode()) == {letter, ' '}


def test_walking_a_folder_asks_in_windows(fake, mount):
    """As getfattr -R does, or who indexes a folder."""
    server = fake()
    server.inbox.extend([b'Subject: %d\r\n\r\nbody\r\n' % n for n in range(1, 501)])
    mail = mount(server)
    for uid in range(1, 501):
        assert origin(mail.inbox / f'{uid}.eml')[0] == str(uid)
    assert len(server.lines(FIELDS)) < 50
    assert not server.lines(rb'BODY\.PEEK\[\]')


# ---- what changes


def test_a_changed_flag_shows(dovecot, imap, mount):
    dovecot.append(BODY)
    mail = mount(dovecot, poll=5)
    path = mail.inbox / '1.eml'
    assert os.getxattr(path, 'user.imap.flags') == b''
    imap.select('INBOX')
    imap.uid('STORE', '1', '+FLAGS', '(\\Flagged Fresh)')

    def changed():
        assert os.getxattr(path, 'user.imap.flags') == b'\\Flagged Fresh'
        assert os.getxattr(path, 'user.xdg.tags') == b'Fresh'
    eventually(changed)


def test_known_ones_without_the_server(fake, mount):
    server = fake()
    server.inbox.extend([BODY] * 2)
    mail = mount(server, timeout=3)
    mail.expect('.')
    found = attributes(mail.inbox / '1.eml')
    server.black_hole()
    assert attributes(mail.inbox / '1.eml') == found
    server.black_hole(False)


def test_a_listing_asks_once(fake, mount, tmp_path):
    """`ls -l` wants an ACL and a security label of each file, unless the first answer is that the
    file system has none."""
    server = fake()
    server.inbox.extend([BODY] * 50)
    mail = mount(server)
    run = subprocess.run(['strace', '-o', tmp_path / 'calls', '-e', 'trace=getxattr,lgetxattr',
                          'ls', '-l', mail.inbox], capture_output=True, text=True, check=True)
    assert len(run.stdout.splitlines()) == 51
    assert (tmp_path / 'calls').read_text().count('getxattr') < 10
