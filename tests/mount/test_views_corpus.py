"""Mail as it is, in .text and .parts: all of it lists and reads, and the parts are those that
another parser finds."""

import collections
import os
import re
import subprocess
import tarfile

import pytest

from tests.mount.test_corpus import corpus, crlf
from tests.support import nastymime
from tests.support.leaves import parse

SECTION = re.compile(r'(\d+(?:\.\d+)*)[-.]')

# What file(1) calls otherwise than mail does.
KINDS = {'image/jpg': 'image/jpeg', 'image/pbm': 'image/x-portable-bitmap',
         'image/pgm': 'image/x-portable-greymap', 'image/x-xwd': 'image/x-xwindowdump',
         'application/ms-tnef': 'application/vnd.ms-tnef', 'application/ics': 'text/calendar',
         'application/x-zip-compressed': 'application/zip', 'audio/x-sun': 'audio/basic',
         'application/x-rar-compressed': 'application/x-rar', 'audio/mid': 'audio/midi'}
# Binary types that it knows by their first bytes; of others, as PKCS #7, it says nothing.
KNOWN = {'image/gif', 'image/jpeg', 'image/png', 'image/tiff', 'application/pdf', 'application/zip',
         'application/msword', 'application/postscript', 'application/pgp-keys',
         'application/pgp-signature', 'application/vnd.oasis.opendocument.text', *KINDS.values()}


def by_section(folder):
    """{section: path} of what a directory of parts holds beside the header."""
    names = os.listdir(folder)
    assert 'header' in names
    names.remove('header')
    found = {SECTION.match(name)[1]: folder / name for name in names}
    assert len(found) == len(names), names
    return found


def read_all(path):
    """All of a file, the way cat does it; its size is exact then."""
    with open(path, 'rb') as file:
        content = file.read()
    assert os.stat(path).st_size == len(content), path
    return content


def read_message(mail, uid):
    """All that the views show of a message: its text, and {section: content}."""
    text = read_all(mail.inbox / '.text' / f'{uid}.txt').decode()
    folder = mail.inbox / '.parts' / str(uid)
    read_all(folder / 'header').decode()
    return text, {section: read_all(path) for section, path in by_section(folder).items()}


def without_sections(mail, uid):
    """The message is there whole before any part of it is asked for."""
    (mail.inbox / f'{uid}.eml').read_bytes()


WAYS = pytest.mark.parametrize('before', [lambda mail, uid: None, without_sections],
                               ids=['by sections', 'whole'])


# Dovecot 2.3 ends a connection that asks for BINARY of base64 which is cut short.
DOVECOT = ['FETCH failed: Internal error occurred']


@WAYS
def test_nasty_mime(dovecot, mount, before):
    messages = nastymime.messages()
    dovecot.deliver([message for message, _ in messages.values()])
    mail = mount(dovecot, expect=DOVECOT)
    wrong = {}
    for uid, (what, (_, expected)) in enumerate(messages.items(), 1):
        before(mail, uid)
        text, parts = read_message(mail, uid)
        body = text.partition('\n\n')[2]
        if '\r' in text or '\0' in text or nastymime.READABLE.get(what, '') not in body:
            wrong[what] = text
        if expected is not None and parts != expected:
            wrong[what, 'parts'] = parts
    assert not wrong


# ---- the corpus, compared with Python's email package

# Why a message or part may differ from what Python makes of it.
class Why:
    BARE_CR = 'a CR alone ends a line for Python only'
    NO_HEADER_END = 'a line without a colon ends the header for Python; RFC 5322 wants an empty one'
    MULTIPART = 'a multipart without its boundaries: Python keeps what is left in parts of its own'
    LAST_LINE = 'a multipart that does not end: for Python its last line end belongs to no part'
    UTF8 = 'UTF-8, although the charset that is declared has one byte for each character'
    CHARSET = 'the text is not in the charset that is declared, or in none that is known'
    BASE64 = 'base64 with characters that are none'


MULTIPART_DEFECTS = {'NoBoundaryInMultipartDefect', 'StartBoundaryNotFoundDefect',
                     'CloseBoundaryNotFoundDefect', 'MultipartInvariantViolationDefect'}
BASE64_DEFECTS = {'InvalidBase64CharactersDefect', 'InvalidBase64PaddingDefect',
                  'InvalidBase64LengthDefect'}
# Messages made to have parsers disagree.
BY_NAME = {
    'multipart-complex2.eml': 'boundaries that begin like the one outside: RFC 2046 5.1.2',
    'resources__eml__alternative.eml': 'a last part without anything, header or end',
    'functional__messages__fws_fn.eml': 'a line with a space alone ends the header for Python',
    'plain_emails__raw_email_bad_time.eml':
        'a boundary of which what is before a = counts, as it is not quoted',
    'eml__malformed__000.eml': 'two boundaries in a row',
    'testmsgs__multipartemptypart.msg.eml': 'two boundaries in a row',
}


def words(data):
    """What every charset of mail has in common."""
    return re.findall(rb'[A-Za-z0-9]{2,}', data)


def has_words(leaf):
    return bool(words((leaf.as_text() or '').encode() if leaf.text else leaf.decoded))


def why_message(name, message, mail):
    """Why anything of a message may differ, or None."""
    by_name = [reason for end, reason in BY_NAME.items() if name.endswith(end)]
    if by_name:
        return by_name[0]
    if b'\r' in message.replace(b'\r\n', b''):
        return Why.BARE_CR
    if 'MissingHeaderBodySeparatorDefect' in mail.defects:
        return Why.NO_HEADER_END
    return None


def why_sections(mail):
    """Why there may be others than Python finds, or None."""
    if mail.defects & MULTIPART_DEFECTS or any(leaf.type.startswith('multipart/')
                                               for leaf in mail.leaves):
        return Why.MULTIPART
    return None


def as_shown(leaf):
    """The content as Python has it; None: of a text whose charset is wrong."""
    if not leaf.text:
        return leaf.decoded
    text = leaf.as_text()
    if text is None:
        return None
    lines = text if leaf.encoding == 'base64' else text.replace('\r\n', '\n')
    return lines.replace('\0', '').encode(errors='replace')


def same(leaf, content, message):
    """Whether a part is what Python says. Of an inner message, whose header Python writes anew, the
    octets must stand in the one around it."""
    if leaf.type.startswith('message/') and leaf.encoding != 'base64':
        # A line of an mbox at its beginning is nothing to Python.
        whole = content.partition(b'\n')[2] if content.startswith(b'From ') else content
        return content in message and words(whole) == words(leaf.decoded)
    return content == as_shown(leaf)


def why_part(leaf, content, mail):
    """Why the content of a part may differ, or None."""
    shown = as_shown(leaf)
    if leaf.text and content == as_shown(leaf._replace(charset='utf-8')):
        return Why.UTF8
    if shown is None:
        japanese = [as_shown(leaf._replace(charset=name)) for name in ('cp932', 'euc_jp')]
        return (Why.CHARSET if words(leaf.decoded) == words(content) or content in japanese
                else None)
    if leaf.type.startswith('multipart/'):
        return Why.MULTIPART
    if mail.defects & MULTIPART_DEFECTS and (content.rstrip() == shown.rstrip() or
                                             leaf.type.startswith('message/')):
        return Why.LAST_LINE
    if leaf.encoding == 'base64' and mail.defects & BASE64_DEFECTS:
        return Why.BASE64
    return None


class Comparison:
    """Counts of messages and parts, and those that nothing explains."""

    def __init__(self):
        self.messages = self.equal = self.parts = self.equal_parts = 0
        self.reasons = collections.Counter()
        self.unexplained = []
        self.lost = []  # where Python finds words, and here are none

    def add(self, name, message, parts):
        mail = parse(message)
        self.messages += 1
        self.parts += len(mail.leaves)
        general = why_message(name, message, mail)
        if [leaf.section for leaf in mail.leaves] != sorted(parts, key=numbers):
            differing = {general or why_sections(mail)}
        else:
            bad = [leaf for leaf in mail.leaves if not same(leaf, parts[leaf.section], message)]
            self.equal_parts += len(mail.leaves) - len(bad)
            differing = {general or why_part(leaf, parts[leaf.section], mail) for leaf in bad}
        if not general and any(map(has_words, mail.leaves)) and not any(map(words, parts.values())):
            self.lost.append(name)
        self.equal += not differing
        self.reasons.update(differing - {None})
        self.unexplained += [name] * (None in differing)

    def table(self):
        lines = [f'{self.messages} messages compared, {self.equal} equal; '
                 f'{self.parts} parts, {self.equal_parts} equal']
        return '\n'.join(lines + [f'{number:5} differ: {reason}'
                                  for reason, number in self.reasons.most_common()])


def numbers(section):
    return [int(number) for number in section.split('.')]


@pytest.fixture(scope='module')
def real_mail():
    """[(name, message)] of the corpus."""
    archive = corpus()
    if not archive:
        pytest.skip('the corpus of real mail is not here (IMAPFS_CORPUS)')
    with tarfile.open(archive) as tar:
        found = [(entry.name, crlf(tar.extractfile(entry).read()))
                 for entry in tar if entry.isfile()]
    assert len(found) == 1100
    return found


def as_served(account, count):
    """The messages as the server gives them to any client: it has its own mind about NULs."""
    client = account.imap()
    assert int(client.select('INBOX', readonly=True)[1][0]) == count
    found = [client.uid('FETCH', str(uid), '(BODY.PEEK[])')[1][0] for uid in range(1, count + 1)]
    client.logout()
    return [one[1] if isinstance(one, tuple) else b'' for one in found]


@pytest.mark.limit(400)
@WAYS
def test_parts_of_the_corpus_are_those_of_another_parser(real_mail, dovecot, mount, before):
    dovecot.deliver([message for _, message in real_mail])
    served = as_served(dovecot, len(real_mail))
    flags = dovecot.flags()
    mail = mount(dovecot, expect=DOVECOT)
    compared = Comparison()
    for uid, ((name, _), message) in enumerate(zip(real_mail, served), 1):
        before(mail, uid)
        text, parts = read_message(mail, uid)
        assert '\0' not in text, name
        compared.add(name, message, parts)
    print(compared.table())
    assert not compared.unexplained, compared.unexplained
    assert not compared.lost, compared.lost
    assert compared.equal >= 880
    assert dovecot.flags() == flags


@pytest.mark.limit(400)
def test_attachments_of_the_corpus_have_their_type(real_mail, dovecot, mount):
    """What file(1) finds in an attachment is what the message says it is."""
    dovecot.deliver([message for _, message in real_mail])
    mail = mount(dovecot, expect=DOVECOT)
    declared = {}
    for uid, (_, message) in enumerate(real_mail, 1):
        folder = mail.inbox / '.parts' / str(uid)
        paths = by_section(folder)
        for leaf in parse(message).leaves:
            if tells_its_type(leaf) and leaf.section in paths:
                declared[paths[leaf.section]] = leaf.type
    found = types(declared)
    right = [path for path, kind in declared.items()
             if agrees(KINDS.get(kind, kind), found[path])]
    print(f'{len(right)} of {len(declared)} attachments have the type that is declared')
    wrong = {str(path): (declared[path], found[path]) for path in declared if path not in right}
    assert len(right) >= 0.95 * len(declared), wrong


def tells_its_type(leaf):
    """An attachment of which file(1) can say what it is."""
    attached = leaf.disposition == 'attachment' or leaf.filename or not leaf.text
    return attached and leaf.decoded and (leaf.text or KINDS.get(leaf.type, leaf.type) in KNOWN)


def agrees(declared, found):
    """Any text is text: a patch, a program."""
    return found == declared or declared.startswith('text/') and found.startswith(('text/',
                                                                                   'message/'))


def types(paths):
    """{path: what `file --mime-type` says}."""
    run = subprocess.run(['file', '--mime-type', '--brief', '--files-from', '-'], text=True,
                         input=''.join(f'{path}\n' for path in paths), capture_output=True,
                         check=True)
    return dict(zip(paths, run.stdout.splitlines(), strict=True))
