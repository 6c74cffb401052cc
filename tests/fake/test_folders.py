"""The scripted server when its mailboxes are changed; rights and quota."""

import pytest

from tests.fake.client import BODY, content, fill


def names(server):
    return sorted(server.mailboxes)


def test_create(server, connect):
    imap = connect(None)
    assert imap.ask(b'CREATE a/') == [b'x OK done']
    assert imap.ask(b'CREATE "a/b c"') == [b'x OK done']
    assert names(server) == [b'Archive', b'INBOX', b'a', b'a/b c']
    assert not {b'a', b'a/b c'} & server.subscribed
    for words in (b'CREATE a', b'CREATE inbox'):
        assert imap.ask(words)[-1].startswith(b'x NO [ALREADYEXISTS]')
    for words in (b'CREATE a//b', b'CREATE ""', b'CREATE /a', b'CREATE "a*"'):
        assert imap.ask(words)[-1].startswith(b'x NO [CANNOT]')
    server.mailboxes[b'a'].attributes.append('\\NoInferiors')
    assert imap.ask(b'CREATE a/c')[-1].startswith(b'x NO [CANNOT]')
    assert imap.ask(b'CREATE {3}', b'a\rb')[-1].startswith(b'x BAD')
    assert 'control' in server.errors.pop()


def test_a_name_that_is_used_again_is_another_mailbox(server, connect):
    imap = connect(None)
    validities = []
    for _ in range(2):
        imap.ask(b'CREATE new')
        validities.append(server.mailboxes[b'new'].uidvalidity)
        imap.ask(b'DELETE new')
    assert validities[0] < validities[1] and names(server) == [b'Archive', b'INBOX']


def test_delete(server, connect):
    server.add('a').append(BODY)
    server.add('a/b')
    imap = connect(b'a')
    assert imap.ask(b'DELETE a') == [b'x OK done']
    assert b'x BAD ' in imap.ask(b'UID EXPUNGE 1')[-1], 'it is selected no longer'
    server.errors.clear()
    assert imap.ask(b'SELECT a')[-1].startswith(b'x NO')
    assert rb'* LIST (\Noselect) "/" "a"' in imap.ask(b'LIST "" *')
    assert imap.ask(b'DELETE a')[-1].startswith(b'x NO [HASCHILDREN]')
    assert imap.ask(b'CREATE a') == [b'x OK done']
    assert not server.mailboxes[b'a'].uids()
    imap.ask(b'DELETE a/b')
    imap.ask(b'DELETE a')
    assert names(server) == [b'Archive', b'INBOX']
    assert imap.ask(b'DELETE a')[-1].startswith(b'x NO [NONEXISTENT]')
    assert imap.ask(b'DELETE Inbox')[-1].startswith(b'x NO [CANNOT]')


def test_rename_takes_along_what_is_below(server, connect):
    server.add('a').append(BODY)
    server.add('a/b')
    server.add('ab')
    imap = connect(None)
    assert imap.ask(b'RENAME a Archive/x') == [b'x OK done']
    assert names(server) == [b'Archive', b'Archive/x', b'Archive/x/b', b'INBOX', b'ab']
    assert content(server.mailboxes[b'Archive/x']) == [BODY]
    assert imap.ask(b'RENAME Archive Archive/x/y')[-1].startswith(b'x NO [CANNOT]')
    assert imap.ask(b'RENAME ab INBOX')[-1].startswith(b'x NO [ALREADYEXISTS]')
    assert imap.ask(b'RENAME a b')[-1].startswith(b'x NO [NONEXISTENT]')


def test_rename_of_inbox_empties_it(server, connect):
    server.add('INBOX/child')
    fill(server, 2)
    before = content(server.inbox)
    imap = connect()
    assert imap.ask(b'RENAME INBOX old') == [b'* 2 EXPUNGE', b'* 1 EXPUNGE', b'x OK done']
    assert names(server) == [b'Archive', b'INBOX', b'INBOX/child', b'old']
    assert not server.inbox.uids() and content(server.mailboxes[b'old']) == before


def test_whoever_has_notify_hears_of_it(server, connect):
    server.capabilities.append('NOTIFY')
    imap, other = connect(None), connect(None)
    other.ask(b'NOTIFY SET (personal (MailboxName))')
    imap.ask(b'RENAME Archive b')
    assert other.line() == b'* LIST () "/" "b" ("OLDNAME" ("Archive"))'
    imap.ask(b'DELETE b')
    assert other.line() == b'* LIST (\\NonExistent) "/" "b"'


def test_subscriptions_are_of_names(server, connect):
    imap = connect(None)
    imap.ask(b'CREATE a')
    assert imap.ask(b'SUBSCRIBE a') == [b'x OK done']
    assert imap.ask(b'SUBSCRIBE b')[-1].startswith(b'x NO [NONEXISTENT]')
    imap.ask(b'UNSUBSCRIBE Archive')
    imap.ask(b'RENAME a b')
    assert imap.ask(b'LIST (SUBSCRIBED) "" *') == [
        rb'* LIST (\Subscribed) "/" "INBOX"', rb'* LIST (\NonExistent \Subscribed) "/" "a"',
        b'x OK done']
    assert imap.ask(b'LSUB "" *') == [
        b'* LSUB () "/" "INBOX"', b'* LSUB () "/" "a"', b'x OK done']
    assert imap.ask(b'LIST "" "*" RETURN (SUBSCRIBED)') == [
        rb'* LIST (\Subscribed) "/" "INBOX"', b'* LIST () "/" "Archive"', b'* LIST () "/" "b"',
        b'x OK done']


@pytest.mark.parametrize('mailbox,rights,command', [
    ('INBOX', 'w', rb'UID STORE 1 +FLAGS (\Seen)'), ('INBOX', 's', rb'UID STORE 1 +FLAGS (\Draft)'),
    ('INBOX', 'ws', rb'UID STORE 1 +FLAGS (\Deleted)'), ('INBOX', 'wst', b'UID EXPUNGE 1'),
    ('INBOX', 'wse', b'UID MOVE 1 Archive'), ('Archive', 'k', b'UID COPY 1 Archive'),
    ('Archive', 'te', b'UID MOVE 1 Archive'), ('Archive', 'i', b'CREATE Archive/a'),
    ('INBOX', 'te', b'UID COPY 1 INBOX'), ('INBOX', 'swt', b'RENAME INBOX b'),
    ('Archive', 'k', b'DELETE Archive'), ('Archive', 'k', b'RENAME Archive b')])
def test_a_right_that_is_missing(server, connect, mailbox, rights, command):
    fill(server)
    server.capabilities += ['ACL', 'RIGHTS=texk']
    server.mailboxes[mailbox.encode()].rights = 'lr' + rights
    imap = connect()
    assert imap.ask(b'MYRIGHTS ' + mailbox.encode())[0] == \
        f'* MYRIGHTS "{mailbox}" lr{rights}'.encode()
    assert imap.ask(command)[-1].startswith(b'x NO [NOPERM]')
    assert names(server) == [b'Archive', b'INBOX'] and len(server.inbox.uids()) == 4
    server.mailboxes[mailbox.encode()].rights += 'iswtekx'
    assert imap.ask(command)[-1].startswith(b'x OK')


def test_quota(server, connect):
    server.capabilities += ['QUOTA', 'QUOTA=RES-STORAGE', 'QUOTA=RES-MESSAGE']
    server.inbox.extend([b'a' * 1000] * 2)
    imap = connect()
    assert imap.ask(b'GETQUOTAROOT INBOX') == [b'* QUOTAROOT "INBOX"', b'x OK done']
    server.quota = {'STORAGE': 3, 'MESSAGE': 100}
    usage = b'* QUOTA "all" (STORAGE 2 3 MESSAGE 2 100)'
    assert imap.ask(b'GETQUOTAROOT INBOX') == [b'* QUOTAROOT "INBOX" "all"', usage, b'x OK done']
    assert imap.ask(b'GETQUOTA all') == [usage, b'x OK done']
    assert imap.ask(b'GETQUOTA other') == [b'x NO [NONEXISTENT] no such root']
    assert imap.ask(b'UID COPY 1:2 Archive')[-1].startswith(b'x NO [OVERQUOTA]')
    assert not server.mailboxes[b'Archive'].uids(), 'COPY does all or nothing'
    assert imap.ask(b'UID COPY 1 Archive')[-1].startswith(b'x OK')
    assert imap.ask(b'UID MOVE 2 Archive')[-1].startswith(b'x OK'), 'MOVE needs no room'


@pytest.mark.parametrize('command', [b'GETQUOTAROOT INBOX', b'GETQUOTA all', b'MYRIGHTS INBOX',
                                     b'STATUS INBOX (APPENDLIMIT)'])
def test_nobody_asks_for_what_is_not_offered(server, connect, command):
    assert b'is not offered' in connect(None).ask(command)[-1]
    assert server.errors.pop() and not server.errors


def test_limit_of_a_mailbox(server, connect):
    server.capabilities.append('APPENDLIMIT')
    server.mailboxes[b'Archive'].append_limit = 99
    imap = connect(None)
    assert imap.ask(b'STATUS Archive (APPENDLIMIT)')[0] == b'* STATUS "Archive" (APPENDLIMIT 99)'
    assert imap.ask(b'STATUS INBOX (APPENDLIMIT)')[0] == b'* STATUS "INBOX" (APPENDLIMIT NIL)'


def test_a_message_is_found_by_its_header(server, connect):
    fill(server)
    server.inbox.append(b'Message-ID:\r\n <one@example.org>\r\nFrom: a\r\n\r\nbody\r\n', ['work'])
    imap = connect()
    assert imap.ask(b'UID SEARCH UID 2:* HEADER Message-ID "<One@example.org>"') == [
        b'* SEARCH 5', b'x OK done']
    assert imap.ask(b'UID SEARCH KEYWORD work')[0] == b'* SEARCH 5'
    assert imap.ask(b'UID SEARCH UNKEYWORD work')[0] == b'* SEARCH 1 2 3 4'
    imap.send(b'x UID FETCH 5 BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]\r\n')
    assert [imap.line() for _ in range(5)] == [
        b'* 5 FETCH (UID 5 BODY[HEADER.FIELDS (MESSAGE-ID)] {35}', b'Message-ID:',
        b' <one@example.org>', b'', b')']
