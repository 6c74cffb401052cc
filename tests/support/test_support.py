"""The tools of the tests themselves."""

from tests.support import nasty


def test_dovecot_takes_and_gives_mail(dovecot, imap):
    assert dovecot.append(b'Subject: a\r\n\r\nx\r\n', b'Subject: b\r\n\r\ny\r\n',
                          flags='\\Flagged') == [1, 2]
    imap.select('INBOX', readonly=True)
    assert imap.uid('FETCH', '2', '(BODY.PEEK[])')[1][0][1] == b'Subject: b\r\n\r\ny\r\n'
    assert dovecot.flags() == {1: ['\\Flagged'], 2: ['\\Flagged']}


def test_delivered_mail_has_its_order(dovecot, imap):
    dovecot.deliver([b'Subject: %d\r\n\r\n' % n for n in range(5)], seen=True)
    dovecot.deliver([b'Subject: deep\r\n\r\n'], mailbox='a/b')
    assert imap.select('INBOX', readonly=True)[1] == [b'5']
    assert imap.uid('FETCH', '3', '(BODY.PEEK[])')[1][0][1] == b'Subject: 2\r\n\r\n'
    assert imap.select('a/b', readonly=True)[1] == [b'1']
    assert dovecot.flags()[1] == ['\\Seen']


def test_large_message_has_its_size():
    assert len(nasty.large(1_000_001)) == 1_000_001
