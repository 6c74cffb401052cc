"""File names that senders give their attachments: whatever they say, .parts shows one plain file."""

import os
import subprocess
import unicodedata

import pytest

from tests.support import nastymime

BIDI = set('\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f')

# What it is -> (the parameter in the header, what must be left of it in the name, or None).
NAMES = {
    'path upwards': ('filename="../../x"', None),
    'absolute path': ('filename="/etc/passwd"', 'passwd'),
    'DOS path': (r'filename="C:\\x\\y.doc"', 'y.doc'),
    'empty': ('filename=""', None),
    'no value': ('filename=', None),
    'a dot': ('filename="."', None),
    'two dots': ('filename=".."', None),
    'a slash': ('filename="/"', None),
    'hidden': ('filename=".bashrc"', 'bashrc'),
    'spaces': ('filename="  a b  "', 'a b'),
    'only a space': ('filename=" "', None),
    'NUL by RFC 2231': ("filename*=utf-8''a%00b.txt", None),
    'NUL by RFC 2047': ('filename="=?utf-8?q?a=00b.txt?="', None),
    'newline': ("filename*=utf-8''a%0Ab%0D.txt", None),
    'escape sequence': ("filename*=utf-8''a%1B%5B31mb.txt", None),
    'C1 control': ("filename*=utf-8''a%C2%85b.txt", None),
    'RTL override': ("filename*=utf-8''invoice%E2%80%AEfdp.exe", None),
    'RTL override by RFC 2047': ('filename="=?utf-8?b?4oCuZ3BqLmV4ZQ==?="', None),
    'slash by RFC 2231': ("filename*=utf-8''..%2F..%2Fetc%2Fshadow", None),
    '300 bytes': (f'filename="{"n" * 296}.pdf"', 'nnn'),
    '300 letters of two bytes': (f"filename*=utf-8''{'%C3%A9' * 300}.pdf", 'ééé'),
    'RFC 2231 pieces': ('filename*0="quarterly "; filename*1="report "; filename*2="2026.pdf"',
                        'quarterly report 2026.pdf'),
    'RFC 2231 pieces in charset': ("filename*0*=iso-8859-1'de'Gr%FC; filename*1*=%DFe; "
                                   'filename*2=".pdf"', 'Grüße.pdf'),
    'RFC 2231 with a hole': ('filename*0="one"; filename*2="three"', None),
    'RFC 2231 in no charset': ("filename*=x-klingon''Gr%FC%DFe.pdf", None),
    'RFC 2047 in quotes': ('filename="=?iso-8859-1?q?Gr=FC=DFe.pdf?="', 'Grüße.pdf'),
    'raw UTF-8': ('filename="Grüße.pdf"', 'Grüße.pdf'),
    'Japanese': ("filename*=iso-2022-jp''%1B%24B%3Av0z%1B%28B.txt", '策引'),
    'quotes': (r'filename="a\"b.pdf"', None),
    'looks like a section': ('filename="1.2.txt"', '1.2.txt'),
    'the header': ('filename="header"', 'header'),
    'a view': ('filename=".parts"', None),
    'tilde': ('filename="~"', None),
    'leading dash': ('filename="-rf"', None),
    'wildcard': ('filename="*"', None),
    'percent': ('filename="100%25.txt"', '100%25.txt'),
    'surrogate': ("filename*=utf-8''a%ED%A0%80b.txt", None),
    'overlong slash': ("filename*=utf-8''a%C0%AFb.txt", None),
    'non-character': ("filename*=utf-8''a%EF%BF%BEb.txt", None),
}
TEXT = b'what it holds: %d'


def attachment(parameter, number):
    return nastymime.part('application/octet-stream', TEXT % number, '7bit',
                          f'Content-Disposition: attachment; {parameter}\r\n')


def one_each():
    return [nastymime.mail(*nastymime.multipart(
        nastymime.part('text/plain', b'see below'), attachment(parameter, number)))
        for number, (parameter, _) in enumerate(NAMES.values())]


def is_plain(name):
    """Nothing that a shell, a terminal or a file manager stumbles over."""
    name.encode()
    return ('/' not in name and len(os.fsencode(name)) <= 255 and not set(name) & BIDI and
            not any(unicodedata.category(letter) in ('Cc', 'Cs') for letter in name))


def parts(mail, uid):
    names = sorted(os.listdir(mail.inbox / '.parts' / str(uid)))
    assert names[-1] == 'header'
    return names[:-1]


@pytest.fixture
def names_shown(dovecot, mount):
    """{what: the name of the attachment}, and the mount."""
    dovecot.deliver(one_each())
    mail = mount(dovecot)
    shown = {what: parts(mail, uid) for uid, what in enumerate(NAMES, 1)}
    assert {what: len(names) for what, names in shown.items()} == dict.fromkeys(NAMES, 2)
    return {what: names[1] for what, names in shown.items()}, mail


def test_each_is_one_plain_file_with_its_content(names_shown):
    shown, mail = names_shown
    for number, (what, name) in enumerate(shown.items()):
        assert is_plain(name), (what, name)
        assert name.startswith(('2-', '2.')), (what, name)
        path = mail.inbox / '.parts' / str(number + 1) / name
        assert path.read_bytes() == TEXT % number, what


def test_what_is_harmless_in_a_name_is_kept(names_shown):
    shown, _ = names_shown
    wrong = {what: (shown[what], kept) for what, (_, kept) in NAMES.items()
             if kept and kept not in shown[what]}
    assert not wrong


def test_no_name_leads_elsewhere(names_shown):
    """What walks the parts ends where it began."""
    shown, mail = names_shown
    run = subprocess.run(['find', mail.inbox / '.parts', '-type', 'f', '-name', '2*', '-print0'],
                         capture_output=True, check=True)
    found = run.stdout.rstrip(b'\0').split(b'\0')
    assert len(found) == len(shown)
    assert not subprocess.run(['find', mail.inbox / '.parts', '-type', 'l'],
                              capture_output=True, check=True).stdout


def test_the_same_names_after_a_remount_and_from_the_whole_message(names_shown, dovecot, mount):
    """By BODYSTRUCTURE and by the message itself."""
    shown, mail = names_shown
    mail.unmount()
    mail = mount(dovecot)
    assert {what: parts(mail, uid)[1] for uid, what in enumerate(NAMES, 1)} == shown
    mail.unmount()
    mail = mount(dovecot, cachedir=mail.path.with_name('another cache'))
    for uid in range(1, len(NAMES) + 1):
        (mail.inbox / f'{uid}.eml').read_bytes()
    assert {what: parts(mail, uid)[1] for uid, what in enumerate(NAMES, 1)} == shown


def test_all_in_one_message_and_each_twice(dovecot, mount):
    """Names differ where those of the senders do not."""
    attached = [attachment(parameter, number) for number, (parameter, _) in
                enumerate([*NAMES.values()] * 2)]
    dovecot.deliver([nastymime.mail(*nastymime.multipart(*attached))])
    mail = mount(dovecot)
    names = parts(mail, 1)
    assert len(names) == len(set(names)) == len(attached)
    folder = mail.inbox / '.parts' / '1'
    assert {(folder / name).read_bytes() for name in names} == {
        TEXT % number for number in range(len(attached))}
    assert all(map(is_plain, names))


def test_names_that_differ_in_case_or_form_alone(dovecot, mount):
    spellings = ['Report.pdf', 'report.pdf', 'REPORT.PDF', 'caf\u00e9.txt', 'cafe\u0301.txt']
    attached = [attachment(f'filename="{name}"', number) for number, name in enumerate(spellings)]
    dovecot.deliver([nastymime.mail(*nastymime.multipart(*attached))])
    mail = mount(dovecot)
    assert len({name.casefold() for name in map(unicodedata.normalize, ['NFC'] * 9,
                                                parts(mail, 1))}) == len(spellings)


def test_a_name_that_is_not_there(dovecot, mount):
    dovecot.deliver(one_each()[:1])
    folder = mount(dovecot).inbox / '.parts' / '1'
    for name in ('2', '3-x', '1.txt~', 'Header', '0', '2-', 'x' * 255):
        assert not (folder / name).exists(), name
    assert not (folder.parent / '2').exists()
    assert not (folder.parent / '01').exists()
