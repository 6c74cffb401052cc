"""`.search/QUERY/`: the server searches, and what it finds are the messages themselves."""

import errno
import json
import os
import re
import signal
import subprocess

import pytest

from tests.support import eventually


SEARCH = rb'SEARCH |FETCH '


def message(subject, sender='alice@example.org', body='hello'):
    return f'From: {sender}\r\nSubject: {subject}\r\n\r\n{body}\r\n'.encode()


def fails_with(code, action, *arguments):
    with pytest.raises(OSError) as caught:
        action(*arguments)
    assert caught.value.errno == code


def events(mail, kind):
    """What the journal has of this kind."""
    lines = (mail / '.imapfs' / 'events').read_text().splitlines()
    return [line for line in map(json.loads, lines) if line['kind'] == kind]


def status(mail):
    return json.loads((mail / '.imapfs' / 'status').read_text())


@pytest.fixture
def mail(dovecot, mount):
    """INBOX with four messages, Lists with one, Lists/Deep with one."""
    client = dovecot.imap()
    client.create('Lists')
    client.create('Lists/Deep')
    client.logout()
    dovecot.append(message('Quarterly report'), message('Lunch', 'bob@example.org'))
    dovecot.append(message('Report again', body='a/b needle'), flags='(\\Seen)')
    dovecot.append(message('Größe'))
    dovecot.append(message('Report of a list'), mailbox='Lists')
    dovecot.append(message('Report from the deep'), mailbox='Lists/Deep')
    return mount(dovecot)


FOUND = [
    ('from alice', '134'),
    ('FROM bob', '2'),
    ('subject report', '13'),
    ('from alice subject report unseen', '1'),
    ('or from bob seen', '23'),
    ('not (from alice)', '2'),
    ('subject "Quarterly report"', '1'),
    ('uid 2:3', '23'),
    ('needle', '3'),
    ('text needle', '3'),
    ('body a%2Fb', '3'),
    ('subject Größe', '4'),
    ('since 1-Jan-2020', '1234'),
    ('before 1-Jan-2020', ''),
    ('since 2020-01-01 not before 1-Jan-2020', '1234'),
    ('before 2020-01-01', ''),
    ('larger 1000000', ''),
    ('no such words anywhere', ''),
]


@pytest.mark.parametrize('query,found', FOUND, ids=[query for query, _ in FOUND])
def test_finds(mail, query, found):
    names = [f'{uid}.eml' for uid in found]
    assert os.listdir(mail.inbox / '.search' / query) == names
    assert sorted(os.listdir(mail.inbox / '.search' / query)) == names


def test_found_are_the_messages_themselves(mail):
    found = mail.inbox / '.search' / 'from bob'
    assert (found / '2.eml').read_bytes() == (mail.inbox / '2.eml').read_bytes()
    assert (found / '2.eml').stat() == (mail.inbox / '2.eml').stat()
    assert os.listdir(found) == ['2.eml']
    # Without a listing before.
    other = mail.inbox / '.search' / 'subject lunch'
    assert (other / '2.eml').stat().st_ino == (mail.inbox / '2.eml').stat().st_ino
    fails_with(errno.ENOENT, os.stat, other / '1.eml')
    fails_with(errno.ENOENT, os.stat, other / '99.eml')
    fails_with(errno.ENOENT, os.stat, other / 'x')
    walked = subprocess.run(['find', found, '-ls'], capture_output=True, text=True, check=True)
    assert walked.stdout.count('.eml') == 1


def test_looks_like_a_directory_and_lists_nothing_of_itself(mail):
    search = mail.inbox / '.search'
    os.listdir(search / 'from bob')
    assert os.listdir(search) == []
    assert search.is_dir() and (search / 'from bob').is_dir()
    assert '.search' not in os.listdir(mail.inbox)
    fails_with(errno.ENOENT, os.stat, search / '.git')
    fails_with(errno.ENOENT, os.stat, mail.inbox / '.names' / '.search')


WRONG = ['from alice frmo bob', 'since 32-Jan-2026', 'since 2026-02-30', 'since yesterday', 'from',
         'seen (', 'subject "open', 'uid x', 'unseen 5', 'text \r\nA1 DELETE INBOX', 'text %00',
         'text %0D%0AA1 DELETE INBOX', 'from \udcff']


@pytest.mark.parametrize('query', WRONG, ids=ascii)
def test_what_is_no_query_is_not_there_and_the_events_say_why(mail, imap, query):
    fails_with(errno.ENOENT, os.listdir, mail.inbox / '.search' / query)
    line, = events(mail, 'query-refused')
    assert line['folder'] == 'INBOX'
    assert line['why']
    assert status(mail)['query_refused']['why'] == line['why']
    if query.isprintable():
        assert line['query'] == status(mail)['query_refused']['query'] == query
    assert imap.select('INBOX')[0] == 'OK'
    assert len(os.listdir(mail.inbox)) == 4 + 1 - 1


@pytest.mark.parametrize('query', ['subject "x\\" y"', "from a' b", 'text {5+}', 'text $(id) `id`',
                                   'header X-"A "b"', '"* OR ALL"', 'subject "a) OR (ALL"'])
def test_nothing_in_a_query_is_a_command(mail, imap, query):
    try:
        assert os.listdir(mail.inbox / '.search' / query) == []
    except FileNotFoundError:
        assert events(mail, 'query-refused')
    assert status(mail)['state'] == 'online' and status(mail)['traffic']['failures'] == 0
    assert len([name for name in os.listdir(mail.inbox) if name.endswith('.eml')]) == 4


def test_result_follows_the_folder(mail, dovecot, imap):
    unseen = mail.inbox / '.search' / 'unseen'
    os.listdir(mail.inbox)
    assert os.listdir(unseen) == ['1.eml', '2.eml', '4.eml']
    [(mail.inbox / name).stat() for name in os.listdir(mail.inbox)]
    dovecot.append(message('new'))
    eventually(lambda: _assert(os.listdir(unseen) == ['1.eml', '2.eml', '4.eml', '5.eml']), 20)
    imap.select('INBOX')
    imap.uid('STORE', '2', '+FLAGS.SILENT', '(\\Seen)')
    eventually(lambda: _assert(os.listdir(unseen) == ['1.eml', '4.eml', '5.eml']), 20)
    eventually(lambda: fails_with(errno.ENOENT, os.stat, unseen / '2.eml'), 20)
    imap.uid('STORE', '4', '+FLAGS.SILENT', '(\\Deleted)')
    imap.expunge()
    eventually(lambda: _assert(os.listdir(unseen) == ['1.eml', '5.eml']), 20)
    eventually(lambda: fails_with(errno.ENOENT, os.stat, unseen / '4.eml'), 20)


def _assert(holds):
    assert holds


def test_result_follows_flags_of_messages_that_nobody_looked_at(mail, imap):
    unseen = mail.inbox / '.search' / 'unseen'
    assert os.listdir(unseen) == ['1.eml', '2.eml', '4.eml']
    imap.select('INBOX')
    imap.uid('STORE', '2', '+FLAGS.SILENT', '(\\Seen)')
    eventually(lambda: _assert(os.listdir(unseen) == ['1.eml', '4.eml']), 20)


def test_result_follows_without_push(fake, mount):
    """Though nobody looks at the folder itself."""
    server = fake()
    server.mask('IDLE')
    server.inbox.append(message('old'), flags=['\\Seen'])
    mail = mount(server, poll=1)
    found = mail.inbox / '.search' / 'seen'
    assert os.listdir(found) == ['1.eml']
    server.inbox.append(message('new'), flags=['\\Seen'])
    eventually(lambda: _assert(os.listdir(found) == ['1.eml', '2.eml']), 20)


def test_messages_numbered_anew(fake, mount):
    server = fake()
    for n in range(3):
        server.inbox.append(message(f'old {n}'), flags=['\\Seen'])
    mail = mount(server, poll=1, expect=['connection', 'reset', 'lost', 'closed'])
    found = mail.inbox / '.search' / 'seen'
    assert os.listdir(found) == ['1.eml', '2.eml', '3.eml']
    old = (found / '1.eml').stat().st_ino
    server.inbox.reset(2000, [message('new')])
    server.kill()
    eventually(lambda: _assert(os.listdir(found) == []), 20)
    assert not (found / '1.eml').exists()
    server.inbox.append(message('newer'), flags=['\\Seen'])
    eventually(lambda: _assert(os.listdir(found) == ['2.eml']), 20)
    assert b'newer' in (found / '2.eml').read_bytes()
    assert (mail.inbox / '1.eml').stat().st_ino != old


def test_own_flags_count_at_once(mail):
    unseen = mail.inbox / '.search' / 'unseen'
    os.listdir(mail.inbox)
    assert os.listdir(unseen) == ['1.eml', '2.eml', '4.eml']
    os.setxattr(unseen / '2.eml', 'user.imap.flags', b'\\Seen')
    assert os.listdir(unseen) == ['1.eml', '4.eml']


def test_own_flags_count_at_once_in_a_query_that_is_new(mail):
    os.listdir(mail.inbox)
    os.setxattr(mail.inbox / '2.eml', 'user.imap.flags', b'\\Flagged')
    assert os.listdir(mail / '.search' / 'flagged') == ['INBOX:2.eml']
    os.setxattr(mail.inbox / '4.eml', 'user.xdg.tags', b'todo')
    assert os.listdir(mail.inbox / '.search' / 'keyword todo') == ['4.eml']


def test_rm_and_mv_act_on_the_messages(mail, imap):
    reports = mail.inbox / '.search' / 'subject report'
    assert os.listdir(reports) == ['1.eml', '3.eml']
    (reports / '1.eml').unlink()
    assert '1.eml' not in os.listdir(mail.inbox)
    fails_with(errno.ENOENT, os.stat, mail.inbox / '1.eml')
    fails_with(errno.ENOENT, os.stat, reports / '1.eml')
    os.rename(reports / '3.eml', mail / 'Lists' / 'kept.eml')
    assert b'needle' in (mail / 'Lists' / 'kept.eml').read_bytes()
    assert os.listdir(reports) == []
    mail.settle()
    mail.settle('Lists')
    assert imap.select('INBOX')[1] == [b'2']
    assert imap.select('Lists')[1] == [b'2']


def test_rm_all_that_was_found(mail, dovecot):
    dovecot.append(*[message(f'old {n}', 'carol@example.org') for n in range(50)])
    old = mail.inbox / '.search' / 'from carol'
    assert len(os.listdir(old)) == 50
    before = status(mail)['traffic']['commands']
    subprocess.run(f'rm "{old}"/*', shell=True, check=True)
    assert os.listdir(old) == []
    mail.settle()
    assert status(mail)['traffic']['commands'] - before < 20


def test_mv_within_the_folder_gives_another_name(mail):
    found = mail.inbox / '.search' / 'from bob'
    body = (found / '2.eml').read_bytes()
    os.rename(found / '2.eml', mail.inbox / 'lunch.eml')
    assert (mail.inbox / 'lunch.eml').read_bytes() == body
    fails_with(errno.ENOENT, os.stat, mail.inbox / '2.eml')
    assert os.listdir(found) == ['lunch.eml']
    assert (found / 'lunch.eml').read_bytes() == body


def test_nothing_can_be_added(mail):
    search = mail.inbox / '.search'
    found = search / 'from bob'
    os.listdir(found)
    for action, *arguments in [
            (os.mkdir, search / 'seen ('), (os.mkdir, found / 'new'),
            (open, found / 'new.eml', 'w'),
            (os.rename, mail.inbox / '1.eml', found / '1.eml'),
            (os.rename, found, search / 'other'), (os.rename, found, mail.inbox / 'other'),
            (os.rmdir, found), (os.rmdir, search)]:
        fails_with(errno.EPERM, action, *arguments)
    assert len([name for name in os.listdir(mail.inbox) if name.endswith('.eml')]) == 4


def test_over_all_folders(mail, imap):
    found = mail / '.search' / 'subject report'
    names = ['INBOX:1.eml', 'INBOX:3.eml', 'Lists%2FDeep:1.eml', 'Lists:1.eml']
    assert sorted(os.listdir(found)) == names
    assert (found / names[2]).stat() == (mail / 'Lists' / 'Deep' / '1.eml').stat()
    assert b'from the deep' in (found / names[2]).read_bytes()
    fails_with(errno.ENOENT, os.stat, found / 'INBOX:2.eml')
    fails_with(errno.ENOENT, os.stat, found / 'Lists:2.eml')
    fails_with(errno.ENOENT, os.stat, found / '1.eml')
    (found / names[2]).unlink()
    assert sorted(os.listdir(found)) == [*names[:2], names[3]]
    os.rename(found / names[3], mail.inbox / 'moved.eml')
    mail.settle('Lists/Deep')
    mail.settle('Lists')
    assert imap.select('Lists/Deep')[1] == [b'0']
    assert imap.select('Lists')[1] == [b'0']
    assert imap.select('INBOX')[1] == [b'5']
    assert b'of a list' in (mail.inbox / 'moved.eml').read_bytes()
    fails_with(errno.ENOENT, os.listdir, mail / '.search' / 'seen (')
    assert events(mail, 'query-refused')[0]['folder'] == '.'
    fails_with(errno.ENOENT, os.stat, mail / '.names')


def test_over_all_folders_with_names_that_are_paths(dovecot, imap, mount):
    for name in ('a&-b', '"100%"', 'x:1', '"' + 'y' * 200 + '/' + 'z' * 100 + '"'):
        imap.create(name)
        dovecot.append(message('here'), mailbox=name)
    mail = mount(dovecot)
    found = mail / '.search' / 'subject here'
    names = sorted(os.listdir(found))
    assert names[:3] == ['100%2525:1.eml', 'a&b:1.eml', 'x:1:1.eml']
    assert len(names) == 4 and len(names[3]) <= 255 and names[3].endswith(':1.eml')
    assert all(b'here' in (found / name).read_bytes() for name in names)


def test_of_one_mailbox_that_is_the_root(dovecot, imap, mount):
    imap.create('Lists')
    dovecot.append(message('here'), mailbox='Lists')
    dovecot.append(message('here'))
    mail = mount(dovecot, source=dovecot.source + '/Lists')
    assert os.listdir(mail / '.search' / 'subject here') == ['1.eml']


def test_offline_what_was_found_is_shown_and_else_it_fails(dovecot_server, dovecot, mail):
    found = mail.inbox / '.search' / 'from bob'
    mail.expect('.')
    assert os.listdir(found) == ['2.eml']
    body = (found / '2.eml').read_bytes()
    dovecot_server.stop(signal.SIGKILL)
    try:
        eventually(lambda: _assert(status(mail)['state'] == 'offline'), 40)
        assert os.listdir(found) == ['2.eml']
        assert (found / '2.eml').read_bytes() == body
        fails_with(errno.EHOSTUNREACH, os.listdir, mail.inbox / '.search' / 'from carol')
    finally:
        dovecot_server.start()


def test_many_queries(mail):
    """More than are kept: the first is asked anew, and who is in it need not notice."""
    search = mail.inbox / '.search'
    assert os.listdir(search / 'from bob') == ['2.eml']
    for n in range(300):
        assert (search / f'from nobody{n}').is_dir()
    assert os.listdir(search / 'from bob') == ['2.eml']
    assert (search / 'from bob' / '2.eml').stat().st_size > 0


def test_a_server_that_does_not_take_a_query(fake, mount):
    server = fake()
    server.inbox.append(message('x'))
    mail = mount(server)
    assert os.listdir(mail.inbox) == ['1.eml']
    server.on(rb'UID SEARCH', lambda session, command: session.tagged(command, 'NO', '[BADCHARSET] x'))
    fails_with(errno.EINVAL, os.listdir, mail.inbox / '.search' / 'subject ü')
    assert events(mail, 'query-refused')[0]['why']


def test_a_date_is_sent_as_servers_know_it(dovecot, mount):
    """However it is written here."""
    dovecot.append(message('x'))
    mail = mount(dovecot, arguments=['-d'], expect=['.'])
    written = ('2020-02-01', '1-Feb-2020', '01-feb-2020', '"2020-02-01"')
    for date in written:
        assert os.listdir(mail.inbox / '.search' / f'since {date}') == ['1.eml']
    sent = re.findall(r'C: \S+ UID SEARCH .*SINCE (.*)', mail.output())
    assert set(sent) == {'1-Feb-2020'}


def test_one_search_for_a_listing(fake, mount):
    server = fake()
    server.inbox.extend([message('Report'), message('Lunch'), message('Report again')])
    server.inbox.set_flags(2, ['\\Seen'])
    mail = mount(server)
    os.listdir(mail.inbox)
    found = mail.inbox / '.search' / 'unseen'
    before = len(server.lines(SEARCH))
    assert os.listdir(found) == ['1.eml', '3.eml']
    assert os.listdir(found) == ['1.eml', '3.eml']
    fails_with(errno.ENOENT, os.stat, found / 'x')
    fails_with(errno.ENOENT, os.stat, found / 'HEAD')
    assert len(server.lines(SEARCH)) - before == 1


def test_what_was_moved_here_is_found(dovecot, imap, mount):
    """By a connection that had the folder before another one moved it there."""
    imap.create('Lists')
    dovecot.append(message('one', body='needle'), message('two', body='needle'))
    mail = mount(dovecot, names='subject')
    lists = mail / 'Lists'
    for folder in (lists, mail.inbox, mail / '.search' / 'needle'):
        os.listdir(folder)
    os.rename(mail.inbox / '1.eml', lists / 'moved.eml')
    mail.settle()
    assert os.listdir(lists) == ['1 one.eml']
    assert os.listdir(lists / '.search' / 'needle') == ['1 one.eml']


def test_what_was_written_is_found_by_a_name_that_it_has(mail):
    """Though its folder was not listed since."""
    os.listdir(mail.inbox)
    for name, subject in (('new.eml', 'Fresh'), ('newer.eml', 'Fresher')):
        (mail.inbox / name).write_bytes(message(subject))
    mail.settle()
    found = mail.inbox / '.search' / 'subject fresh'
    assert os.listdir(found) == ['5.eml', '6.eml']
    assert b'Fresher' in (found / '6.eml').read_bytes()
    subprocess.run(['rm', '-r', found], capture_output=True)
    assert os.listdir(found) == []
    assert sorted(os.listdir(mail.inbox)) == [f'{uid}.eml' for uid in range(1, 5)]
