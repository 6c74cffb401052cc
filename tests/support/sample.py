"""A small account to look at: the mail of a harbour office."""

import email
import email.utils
from email.message import EmailMessage

PEOPLE = {name: f'{name} Example <{name.lower()}@harbour.example>'
          for name in ('Ada', 'Bjarne', 'Chidi', 'Dunja')}


def message(sender, to, subject, text, day, attachment=None):
    mail = EmailMessage()
    mail['From'], mail['To'], mail['Subject'] = PEOPLE[sender], PEOPLE[to], subject
    mail['Date'] = email.utils.formatdate(1767000000 + day * 86400)
    mail['Message-ID'] = f'<{day}.{sender.lower()}@harbour.example>'
    mail.set_content(text)
    if attachment:
        mail.add_attachment(attachment, maintype='application', subtype='octet-stream',
                            filename='tides.bin')
    return mail.as_bytes().replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')


def numbered(number):
    """One of many small messages that differ."""
    return (f'From: {PEOPLE["Ada"]}\r\nSubject: Notice {number}\r\nMessage-ID: '
            f'<notice-{number}@harbour.example>\r\nDate: Thu, 01 Jan 2026 12:00:00 +0000\r\n\r\n'
            f'This is notice {number}.\r\n').encode()


def date(body, _):
    """When it was sent, as seconds since 1970."""
    header = email.message_from_bytes(body)['Date']
    return email.utils.parsedate_to_datetime(header).timestamp()


# Mailbox as on the wire -> its messages.
MAILBOXES = {
    '': [
        message('Ada', 'Dunja', 'Crane 4 is back', 'The crane in the south harbour works again.\n'
                'Please put it into the plan from Monday on.\n', 3),
        message('Bjarne', 'Dunja', 'Tide table', 'The tides of the quarter are attached.\n', 20,
                bytes(range(256)) * 200),
        message('Chidi', 'Dunja', 'Grüße von der Mole',
                'Der Leuchtturm ist gestrichen. 🗼\n', 45),
        message('Ada', 'Dunja', 'Re: Crane 4 is back', 'It stands still again. Sorry!\n', 60),
    ],
    'Archive/2025': [
        message('Dunja', 'Ada', f'Report of week {week}',
                f'In week {week} {week * 3 % 17} ships called at the harbour.\n', week * 7 - 370)
        for week in range(1, 13)
    ],
    'Entw&APw-rfe': [message('Dunja', 'Chidi', 'Farbe', 'Welches Rot ist es geworden?\n', 46)],
}
