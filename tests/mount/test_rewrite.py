"""Messages that are rewritten in place, where -o edit allows it: one message, the new text."""

import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from tests.mount.test_change import held
from tests.mount.test_offline_changes import wait_until
from tests.mount.test_write import LETTER, WIRE, bodies, equal, failure, unsent, world, write
from tests.support import MASK, SLOW, eventually, lists, reads, sample

world = world  # the fixture
SENT = rb' (APPEND|UID REPLACE|UID STORE|UID EXPUNGE|EXPUNGE) '


@pytest.fixture(params=['APPEND', 'REPLACE'])
def drafts(world, request):
    """drafts(**options) -> (server, mount, path of the only draft)."""
    offers = [request.param] if request.param == 'REPLACE' else []
    if set(offers) & set(MASK):
        pytest.skip('masked')

    def start(**options):
        if 'SPECIAL-USE' in MASK:
            options.setdefault('edit', 'all')
        server, mail = world(offers=offers, **options)
        server.mailboxes[b'Drafts'].extend([sample.numbered(7)])
        path = mail / 'Drafts/1.eml'
        assert path.read_bytes() == sample.numbered(7)
        return server, mail, path
    return start


def settled(server, mail, body):
    """The mailbox holds that alone, and the tree shows it as soon as the kernel was told."""
    mail.settle('Drafts')
    assert bodies(server, b'Drafts') == [body]
    path = mail / 'Drafts/1.eml'

    def look():
        assert path.read_bytes() == body
        assert path.stat().st_size == len(body)
        names = os.listdir(mail / 'Drafts')
        assert len(names) == 1
        assert (mail / 'Drafts' / names[0]).read_bytes() == body
        assert (mail / 'Drafts' / names[0]).stat().st_ino == path.stat().st_ino
    eventually(look)


IN_SHELL = {
    'truncate': ('cat new > 1.eml', WIRE),
    'subshell': ('(head -c 70 < new; tail -c +71 < new) > 1.eml', WIRE),
    'append': ('echo More. >> 1.eml', sample.numbered(7) + b'More.\r\n'),
    'twice': ('echo More. >> 1.eml; echo More. >> 1.eml', sample.numbered(7) + 2 * b'More.\r\n'),
    'in the middle': ("printf 'ADA' | dd of=1.eml bs=1 seek=6 conv=notrunc status=none",
                      sample.numbered(7).replace(b'Ada', b'ADA')),
    'shorter': ('truncate -s 130 1.eml', sample.numbered(7)[:130]),
    'cp': ('cp new 1.eml', WIRE),
    'cp --remove-destination': ('cp --remove-destination new 1.eml', WIRE),
    'rsync --inplace': ('rsync -a --inplace new 1.eml', WIRE),
    'rsync': ('rsync -a new 1.eml', WIRE),
    'install': ('install -p new 1.eml', WIRE),
    'sed': ("sed -i 's/Notice/Remark/' 1.eml", sample.numbered(7).replace(b'Notice', b'Remark')),
    'tee': ('cat new | tee 1.eml > /dev/null', WIRE),
    'vim': ("vim -u NONE -es -c '%s/Notice/Remark/' -c wq 1.eml < /dev/null",
            sample.numbered(7).replace(b'Notice', b'Remark')),
    'vim with a backup': ("vim -u NONE -es -c 'set backup writebackup swapfile' "
                          "-c '%s/Notice/Remark/' -c wq 1.eml < /dev/null; rm -f 1.eml~",
                          sample.numbered(7).replace(b'Notice', b'Remark')),
    'mv': ('cp new .new; mv .new 1.eml', WIRE),
}


@pytest.mark.parametrize('how', IN_SHELL)
def test_in_the_shell(drafts, tmp_path, how):
    server, mail, path = drafts()
    (tmp_path / 'new').write_bytes(LETTER)
    script, expected = IN_SHELL[how]
    if how.startswith('vim') and not shutil.which('vim'):
        pytest.skip('no vim')
    script = re.sub(r'(?<=\s)new\b', str(tmp_path / 'new'), script)
    run = subprocess.run(['bash', '-ec', script], cwd=mail / 'Drafts', capture_output=True,
                         text=True)
    assert (run.returncode, run.stderr) == (0, '')
    settled(server, mail, expected)


@pytest.mark.parametrize('folder,edit', [('Archive', 'drafts'), ('Drafts', 'none')])
def test_not_allowed(world, folder, edit):
    server, mail = world(edit=edit)
    server.mailboxes[folder.encode()].extend([sample.numbered(7)])
    path = mail / folder / '1.eml'
    assert path.read_bytes() == sample.numbered(7)
    for flags in (os.O_WRONLY, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
        assert failure(write, path, LETTER, flags) == 'EPERM'
    assert failure(os.truncate, path, 10) == 'EPERM'
    assert path.read_bytes() == sample.numbered(7)
    assert not server.lines(SENT)


def test_anywhere(world):
    server, mail = world(edit='all')
    write(mail / 'INBOX/1.eml', flags=os.O_WRONLY | os.O_TRUNC)
    mail.settle()
    assert sorted(bodies(server, b'INBOX')) == sorted([sample.numbered(2), WIRE])


def cat(path):
    return subprocess.run(['cat', path], capture_output=True, check=True).stdout


def test_readers_meanwhile(drafts):
    """One file, whoever looks at it, and nothing is sent because a reader closes it."""
    server, mail, path = drafts()
    with open(path, 'r+b', buffering=0) as writer:
        writer.seek(0, os.SEEK_END)
        writer.write(b'More.\n')
        expected = sample.numbered(7) + b'More.\n'
        assert cat(path) == expected
        assert path.stat().st_size == len(expected)
        os.listdir(mail / 'Drafts')
        assert os.pread(writer.fileno(), 1000, 0) == expected
        writer.truncate(50)
        assert cat(path) == expected[:50]
        writer.truncate(0)
        writer.seek(0)
        writer.write(LETTER)
        assert path.stat().st_size == len(LETTER)
        assert cat(path) == LETTER
        assert not server.lines(SENT)
    settled(server, mail, WIRE)


def test_written_anew_beside_a_backup(drafts):
    """`install -b`, and vim with backupcopy=no: the name is that of the new message."""
    server, mail, path = drafts()
    os.rename(path, mail / 'Drafts/1.eml~')
    write(path)
    reads(path, WIRE)
    path.chmod(0o640)
    mail.settle('Drafts')
    reads(path, WIRE)
    assert (mail / 'Drafts/1.eml~').read_bytes() == sample.numbered(7)
    assert sorted(bodies(server, b'Drafts')) == sorted([sample.numbered(7), WIRE])
    os.unlink(mail / 'Drafts/1.eml~')
    settled(server, mail, WIRE)


def test_renamed_while_it_is_written(drafts):
    """The new text has the new name."""
    server, mail, path = drafts()
    with open(path, 'ab', buffering=0) as file:
        file.write(b'More.\n')
        os.rename(path, mail / 'Drafts/letter')
        file.write(b'And more.\n')
    mail.settle('Drafts')
    expected = sample.numbered(7) + b'More.\r\nAnd more.\r\n'
    assert bodies(server, b'Drafts') == [expected]
    reads(mail / 'Drafts/letter', expected)
    assert not path.exists()


@pytest.mark.parametrize('name', ['1.eml', 'new.eml'])
def test_renamed_between_two_texts(drafts, name):
    """What was sent already has the new name, too, when more is written to it."""
    server, mail, path = drafts()
    if name != path.name:
        path.unlink()
    with open(mail / 'Drafts' / name, 'wb', buffering=0) as file:
        file.write(LETTER)
        os.fsync(file.fileno())
        os.rename(mail / 'Drafts' / name, mail / 'Drafts/letter.eml')
        file.write(b'More.\n')
    mail.settle('Drafts')
    assert bodies(server, b'Drafts') == [WIRE + b'More.\r\n']
    reads(mail / 'Drafts/letter.eml', WIRE + b'More.\r\n')
    assert not (mail / 'Drafts' / name).exists()


def test_flags_stay(drafts):
    """What is rewritten is the same message to its user, also when it is written twice."""
    server, mail, path = drafts()
    server.mailboxes[b'Drafts'].set_flags(1, ['\\Draft', '\\Flagged', '$Work'])
    eventually(lambda: equal(os.getxattr(path, 'user.imap.flags'), b'\\Flagged \\Draft $Work'))
    with held(server, rb'APPEND|REPLACE'):
        write(mail / 'Drafts/.new')
        writer = subprocess.Popen(['mv', mail / 'Drafts/.new', path])
        eventually(lambda: equal(len(server.lines(rb' (APPEND|UID REPLACE) ')), 1))
    assert writer.wait() == 0
    write(path, LETTER + b'More.\n', os.O_WRONLY | os.O_TRUNC)
    settled(server, mail, WIRE + b'More.\r\n')
    box = server.mailboxes[b'Drafts']
    assert box.message(box.uids()[0]).flags == {'\\Draft', '\\Flagged', '$Work'}


def test_through_a_copy_that_was_on_its_way(drafts):
    """It was opened before the server had it, and is the message from then on."""
    server, mail, path = drafts()
    with held(server, rb'COPY'):
        subprocess.run(['cp', mail / 'INBOX/1.eml', mail / 'Drafts/x.eml'], check=True)
        file = open(mail / 'Drafts/x.eml', 'r+b', buffering=0)
    mail.settle('INBOX')
    with file:
        file.seek(0, os.SEEK_END)
        file.write(b'More.\n')
        assert os.fstat(file.fileno()).st_size == len(sample.numbered(1)) + 6
    mail.settle('Drafts')
    assert sorted(bodies(server, b'Drafts')) == [sample.numbered(1) + b'More.\r\n',
                                                 sample.numbered(7)]


# What comes to the mailbox by a change that the server has not answered.
COME = {'copied': (['cp'], rb'COPY'), 'moved': (['mv'], rb'MOVE|COPY')}

WHILE_IT_COMES = {
    'append': ('echo More. >> n.eml', sample.numbered(1) + b'More.\r\n'),
    'twice': ('echo More. >> n.eml; echo More. >> n.eml', sample.numbered(1) + 2 * b'More.\r\n'),
    'truncate': ('cat new > n.eml', WIRE),
    'shorter': ('truncate -s 130 n.eml', sample.numbered(1)[:130]),
    'read before': ('exec 3<> n.eml; cat <&3 > /dev/null; echo More. >&3; exec 3>&-',
                    sample.numbered(1) + b'More.\r\n'),
    'closed in between': ('exec 3>> n.eml; echo More. >&3; sync n.eml; echo More. >&3; exec 3>&-',
                          sample.numbered(1) + 2 * b'More.\r\n'),
    'install': ('install -p new n.eml', WIRE),
    'rsync --inplace': ('rsync -a --inplace new n.eml', WIRE),
    'sed': ("sed -i 's/Notice/Remark/' n.eml", sample.numbered(1).replace(b'Notice', b'Remark')),
    'vim': ("vim -u NONE -es -c '%s/Notice/Remark/' -c wq n.eml < /dev/null",
            sample.numbered(1).replace(b'Notice', b'Remark')),
    'vim in place': ("vim -u NONE -es -c 'set backupcopy=yes' -c '%s/Notice/Remark/' -c wq n.eml "
                     '< /dev/null', sample.numbered(1).replace(b'Notice', b'Remark')),
    'mv': ('cp new .new; mv .new n.eml', WIRE),
}


def waits_or_ended(mail, process):
    status = json.loads((mail / '.imapfs/status').read_bytes())
    assert status['requests']['waiting'] > 0 or process.poll() is not None


@pytest.mark.parametrize('come', COME)
@pytest.mark.parametrize('how', WHILE_IT_COMES)
def test_while_it_comes(drafts, tmp_path, come, how):
    """What was just copied or moved here can be written at once: that waits for the server."""
    server, mail, path = drafts()
    (tmp_path / 'new').write_bytes(LETTER)
    (command, line), (script, expected) = COME[come], WHILE_IT_COMES[how]
    if how.startswith('vim') and not shutil.which('vim'):
        pytest.skip('no vim')
    script = re.sub(r'(?<=\s)new\b', str(tmp_path / 'new'), script)
    with held(server, line):
        subprocess.run([*command, mail / 'INBOX/1.eml', mail / 'Drafts/n.eml'], check=True)
        process = subprocess.Popen(['bash', '-ec', script], cwd=mail / 'Drafts', text=True,
                                   stderr=subprocess.PIPE)
        eventually(lambda: waits_or_ended(mail, process))
    assert (process.communicate(timeout=20 * SLOW)[1], process.returncode) == ('', 0)
    mail.settle('Drafts')
    assert sorted(bodies(server, b'Drafts')) == sorted([sample.numbered(7), expected])
    reads(mail / 'Drafts/n.eml', expected)
    assert path.read_bytes() == sample.numbered(7)
    eventually(lambda: equal(len(os.listdir(mail / 'Drafts')), 2))


@pytest.mark.parametrize('folder', ['Drafts', 'Archive'])
def test_copied_twice(world, folder):
    """As with a target that is there already: a message beside it."""
    server, mail = world()
    target = mail / folder / 'n.eml'
    with held(server, rb'COPY'):
        subprocess.run(['cp', mail / 'INBOX/1.eml', target], check=True)
        process = subprocess.Popen(['cp', mail / 'INBOX/2.eml', target])
        eventually(lambda: waits_or_ended(mail, process))
    assert process.wait(20 * SLOW) == 0
    subprocess.run(['cp', mail / 'INBOX/1.eml', target], check=True)
    mail.settle(folder)
    assert sorted(bodies(server, folder.encode())) == [sample.numbered(n) for n in (1, 1, 2)]
    assert not server.lines(SENT)
    lists(mail / folder, ['1.eml', '2.eml', '3.eml'])
    eventually(lambda: equal(target.read_bytes(), sample.numbered(1)))


def test_not_allowed_while_it_comes(world):
    """Nor is waited for the server to say so."""
    server, mail = world()
    path = mail / 'Archive/n.eml'
    with held(server, rb'COPY'):
        subprocess.run(['cp', mail / 'INBOX/1.eml', path], check=True)
        assert failure(write, path, LETTER, os.O_WRONLY | os.O_APPEND) == 'EPERM'
        assert failure(os.truncate, path, 10) == 'EPERM'
    mail.settle('Archive')
    assert bodies(server) == [sample.numbered(1)]


@pytest.mark.parametrize('come', COME)
def test_refused_while_it_comes(drafts, come):
    """Whoever wants to write is told what the server said."""
    server, mail, path = drafts()
    command, line = COME[come]
    server.deny(line, '[OVERQUOTA] no')
    with held(server, line):
        subprocess.run([*command, mail / 'INBOX/1.eml', mail / 'Drafts/n.eml'], check=True)
        process = subprocess.Popen(['bash', '-c', 'echo More. >> n.eml'], cwd=mail / 'Drafts',
                                   stderr=subprocess.PIPE)
        eventually(lambda: waits_or_ended(mail, process))
    assert b'quota' in process.communicate(timeout=20 * SLOW)[1]
    assert bodies(server, b'Drafts') == [sample.numbered(7)]
    assert sorted(bodies(server, b'INBOX')) == [sample.numbered(1), sample.numbered(2)]


def test_copy_of_what_is_rewritten(drafts):
    """What is written meanwhile to the one is not in the other."""
    server, mail, path = drafts()
    copy = mail / 'Drafts/n.eml'
    with open(path, 'ab', buffering=0) as file:
        with held(server, rb'UID COPY'):
            subprocess.run(['cp', path, copy], check=True)
            file.write(b'More.\n')
            assert copy.read_bytes() == sample.numbered(7)
            assert copy.stat().st_size == len(sample.numbered(7))
    mail.settle('Drafts')
    write(copy, b'Other.\n', os.O_WRONLY | os.O_APPEND)
    mail.settle('Drafts')
    assert sorted(bodies(server, b'Drafts')) == [sample.numbered(7) + b'More.\r\n',
                                                 sample.numbered(7) + b'Other.\r\n']


@pytest.mark.parametrize('how', ['append', 'truncate', 'sed', 'vim', 'vim in place', 'mv'])
def test_of_a_real_server(dovecot, imap, mount, tmp_path, how):
    imap.create('Work')
    dovecot.append(sample.numbered(1))
    mail = mount(dovecot, edit='all')
    (tmp_path / 'new').write_bytes(LETTER)
    script, expected = WHILE_IT_COMES[how]
    if how.startswith('vim') and not shutil.which('vim'):
        pytest.skip('no vim')
    script = re.sub(r'(?<=\s)new\b', str(tmp_path / 'new'), script)
    run = subprocess.run(['bash', '-ec', f'cp ../INBOX/1.eml n.eml; {script}'], text=True,
                         cwd=mail / 'Work', capture_output=True)
    assert (run.returncode, run.stderr) == (0, '')
    mail.settle('Work')
    reads(mail / 'Work/n.eml', expected)
    eventually(lambda: equal(len(os.listdir(mail / 'Work')), 1))
    eventually(lambda: equal(len(os.listdir(mail / 'INBOX')), 1))


def test_name_while_it_is_sent(drafts):
    """Who looks for what is saved finds it, by whichever of its names, from one moment to the next:
    who appends would make another message otherwise."""
    server, mail, path = drafts()
    write(path, LETTER)
    mail.settle('Drafts')
    eventually(lambda: equal(os.listdir(mail / 'Drafts'), ['2.eml']))
    saved, failures = threading.Event(), []

    def look():
        try:
            while not saved.is_set():
                path.stat()
        except OSError as caught:
            failures.append(caught)
    looker = threading.Thread(target=look)
    looker.start()
    try:
        for number in range(100):
            write(path, LETTER + b'%d\n' % number, os.O_WRONLY | os.O_TRUNC)
    finally:
        saved.set()
        looker.join()
    assert not failures
    mail.settle('Drafts')
    assert bodies(server, b'Drafts') == [WIRE + b'99\r\n']


def test_name_while_it_waits(dovecot, imap, proxy, mount):
    """What is saved time and again while the server is away is one message, by the name that the
    user gave as by its own."""
    imap.create('Work')
    line = proxy(dovecot.port)
    mail = mount(dovecot, source=f'imaps://{dovecot.user}@localhost:{line.port}', edit='all')
    mail.expect('.')
    given, own = mail / 'Work/n.eml', mail / 'Work/1.eml'
    write(given, LETTER)
    mail.settle('Work')
    eventually(lambda: equal(os.listdir(mail / 'Work'), ['1.eml']))
    reads(given, WIRE)
    line.ask('refuse on')
    line.ask('reset')
    wait_until(mail, 'offline')
    # As long as somebody has it open it can be written once more.
    with open(given, 'rb'):
        write(given, LETTER + b'One.\n')
        eventually(lambda: equal(given.read_bytes(), LETTER + b'One.\n'))
        assert failure(os.rename, given, mail / 'Work/other.eml') == 'EBUSY'
        write(given, LETTER + b'Two.\n')
        assert own.read_bytes() == given.read_bytes() == LETTER + b'Two.\n'
    line.ask('refuse off')
    wait_until(mail, 'online')
    mail.settle('Work')
    eventually(lambda: equal(len(os.listdir(mail / 'Work')), 1))
    reads(given, WIRE + b'Two.\r\n')


def test_offline_while_it_comes(dovecot, imap, proxy, mount):
    """Nobody waits for a server that is away, and nothing is lost."""
    imap.create('Work')
    dovecot.append(sample.numbered(1))
    line = proxy(dovecot.port)
    mail = mount(dovecot, source=f'imaps://{dovecot.user}@localhost:{line.port}', edit='all')
    mail.expect('.')
    path = mail / 'Work/n.eml'
    assert (mail / 'INBOX/1.eml').read_bytes() == sample.numbered(1)
    assert os.listdir(mail / 'Work') == []
    line.ask('refuse on')
    line.ask('reset')
    wait_until(mail, 'offline')
    subprocess.run(['cp', mail / 'INBOX/1.eml', path], check=True)
    assert failure(write, path, b'More.\n', os.O_WRONLY | os.O_APPEND) == 'EHOSTUNREACH'
    assert path.read_bytes() == sample.numbered(1)
    line.ask('refuse off')
    wait_until(mail, 'online')
    write(path, b'More.\n', os.O_WRONLY | os.O_APPEND)
    mail.settle('Work')
    reads(path, sample.numbered(1) + b'More.\r\n')
    eventually(lambda: equal(len(os.listdir(mail / 'Work')), 1))


def fetching(mail):
    """How many bodies are on their way."""
    status = json.loads((mail / '.imapfs/status').read_bytes())
    return sum(connection.get('fetching', 0) for connection in status['connections'])


def test_interrupted(drafts):
    """Who appended was ended while the old text was fetched: that is in nobody's way later."""
    server, mail, path = drafts()
    server.mailboxes[b'Drafts'].extend([sample.numbered(8) + b'Old line.\r\n' * 160000])
    path = mail / 'Drafts/2.eml'
    eventually(lambda: equal(path.stat().st_size > 1 << 20, True))
    with held(server, rb'BODY.PEEK\[\]<[1-9]'):
        appender = subprocess.Popen(['dd', f'of={path}', 'oflag=append', 'conv=notrunc',
                                     'status=none'], stdin=subprocess.PIPE)
        appender.stdin.write(b'More.\n')
        appender.stdin.close()
        eventually(lambda: equal(len(server.lines(rb'BODY.PEEK\[\]<[1-9]')) > 0, True))
        appender.kill()
        appender.wait(20 * SLOW)
        writer = open(path, 'wb', buffering=0)
        writer.write(LETTER + b'x' * (1 << 21) + b'\n')
    with writer:
        eventually(lambda: equal(fetching(mail), 0))
        eventually(lambda: equal(len(unsent(mail)), 1))
    mail.settle('Drafts')
    expected = WIRE + b'x' * (1 << 21) + b'\r\n'
    assert sorted(bodies(server, b'Drafts')) == sorted([sample.numbered(7), expected])


def test_truncated_as_it_is_forgotten(drafts):
    """The kernel forgets what was closed without a change: if that comes to us after the next one
    has opened and truncated it, nothing of the old text comes back."""
    server, mail, path = drafts()
    for i in range(100):
        path.open('wb').close()
        # A while that is another one in each round.
        sum(range(i % 40 * 100))
        text = LETTER + b'x' * (200 - i) + b'\n'
        path.write_bytes(text)
        mail.settle('Drafts')
        assert bodies(server, b'Drafts') == [text.replace(b'\n', b'\r\n')]


def test_appended_as_it_is_forgotten(drafts):
    """Who appends while the kernel forgets what was emptied appends to that, or to the message:
    never with the length of the one to the text of the other."""
    server, mail, path = drafts()
    whole = path.read_bytes()
    for i in range(2000):
        # A while that is another one in each round.
        sum(range(i % 40 * 100))
        with open(os.open(path, os.O_RDWR | os.O_APPEND), 'rb+', buffering=0) as appender:
            appender.write(b'More.\n')
            text = os.pread(appender.fileno(), 4096, 0)
            assert text in (b'More.\n', whole + b'More.\n')
            appender.truncate(0)
    mail.settle('Drafts')
    assert bodies(server, b'Drafts') == [whole]


def test_copied_before_it_is_closed(drafts):
    """A copy is one of what is shown, which the server does not have yet."""
    server, mail, path = drafts()
    text = LETTER + b'And a line more than it had before.\n'
    with open(path, 'wb', buffering=0) as writer:
        writer.write(text)
        subprocess.run(['cp', path, mail / 'Archive/copy.eml'], check=True)
    mail.settle('Archive')
    assert bodies(server) == [text.replace(b'\n', b'\r\n')]


def test_open_still(drafts):
    """Sent, and written to again."""
    server, mail, path = drafts()
    with open(path, 'r+b', buffering=0) as file:
        file.truncate(0)
        file.write(LETTER)
        os.fsync(file.fileno())
        mail.settle('Drafts')
        assert bodies(server, b'Drafts') == [WIRE]
        file.write(b'More.\n')
        os.fsync(file.fileno())
        assert os.pread(file.fileno(), 1000, 0) == LETTER + b'More.\n'
    settled(server, mail, WIRE + b'More.\r\n')


def test_refused(drafts):
    """The message is what it was; the text is not lost."""
    server, mail, path = drafts()
    server.deny(rb' (APPEND|REPLACE) ', '[OVERQUOTA] no')
    assert failure(write, path, LETTER, os.O_WRONLY | os.O_TRUNC) == 'EDQUOT'
    assert bodies(server, b'Drafts') == [sample.numbered(7)]
    assert [one.read_bytes() for one in unsent(mail)] == [WIRE]
    eventually(lambda: equal(path.read_bytes(), sample.numbered(7)))
    server.rules.clear()
    write(path, flags=os.O_WRONLY | os.O_TRUNC)
    settled(server, mail, WIRE)


def test_flags_stay_before_an_answer(drafts):
    """Also when it is rewritten again before the server has answered."""
    server, mail, path = drafts()
    server.mailboxes[b'Drafts'].set_flags(1, ['\\Draft', '\\Seen', 'work'])
    eventually(lambda: equal(os.getxattr(path, 'user.xdg.tags'), b'work'))
    os.setxattr(path, 'user.xdg.tags', b'later')
    for text in (LETTER, LETTER + b'More.\n'):
        write(path, text, os.O_WRONLY | os.O_TRUNC)
    settled(server, mail, WIRE + b'More.\r\n')
    box = server.mailboxes[b'Drafts']
    assert box.message(box.uids()[0]).flags == {'\\Draft', '\\Seen', 'later'}
    eventually(lambda: equal(os.getxattr(path, 'user.imap.flags'), b'\\Seen \\Draft later'))


@pytest.mark.parametrize('drafts', ['REPLACE'], indirect=True)
def test_in_one_step(drafts):
    server, mail, path = drafts()
    write(path, flags=os.O_WRONLY | os.O_TRUNC)
    settled(server, mail, WIRE)
    (sent,) = server.lines(SENT)
    assert b'UID REPLACE 1 "Drafts" "17-Jul-1996 09:44:25 +0000" {%d' % len(WIRE) in sent.line


@pytest.mark.parametrize('drafts', ['REPLACE'], indirect=True)
@pytest.mark.parametrize('words', ['[CANNOT] not here', 'no', None])
def test_not_in_one_step(drafts, words):
    """APPEND may do it still; None: the server does not know REPLACE."""
    server, mail, path = drafts()
    if words:
        server.deny(rb'UID REPLACE', words)
    else:
        server.on(rb'UID REPLACE', lambda session, command: session.tagged(command, 'BAD', 'what'))
    for text in (LETTER, LETTER + b'More.\n'):
        write(path, text, os.O_WRONLY | os.O_TRUNC)
        settled(server, mail, text.replace(b'\n', b'\r\n'))
    assert len(server.lines(rb'UID REPLACE')) == (2 if words else 1)
    assert len(server.lines(rb' APPEND ')) == 2


@pytest.mark.parametrize('drafts', ['REPLACE'], indirect=True)
def test_old_one_gone(drafts):
    """Somebody else expunges it while the text is on its way, which is not lost."""
    server, mail, path = drafts()
    box = server.mailboxes[b'Drafts']
    server.on(rb'UID REPLACE', lambda session, command: box.expunge(1), times=1)
    write(path, flags=os.O_WRONLY | os.O_TRUNC)
    settled(server, mail, WIRE)


def test_emptied(drafts):
    """Nothing is sent, so nothing is lost: it is what it was once nobody has it open."""
    server, mail, path = drafts()
    with open(path, 'wb'):
        assert path.stat().st_size == 0
    assert bodies(server, b'Drafts') == [sample.numbered(7)]
    eventually(lambda: equal(path.read_bytes(), sample.numbered(7)))
    assert not server.lines(SENT)


def test_copied_onto(drafts):
    """As with mv both stay: the name by UID says nothing of what is meant."""
    server, mail, path = drafts()
    subprocess.run(['cp', mail / 'INBOX/1.eml', path], check=True)
    mail.settle('INBOX')
    assert sorted(bodies(server, b'Drafts')) == [sample.numbered(1), sample.numbered(7)]
    assert not server.lines(SENT)
    eventually(lambda: equal(path.read_bytes(), sample.numbered(7)))
    lists(mail / 'Drafts', ['1.eml', '2.eml'])
    assert (mail / 'Drafts/2.eml').read_bytes() == sample.numbered(1)


def test_writer_that_never_closes(drafts):
    """Without OPEN there is no RELEASE: some time after the last change it is sent."""
    server, mail, path = drafts()
    os.truncate(path, 130)
    eventually(lambda: equal(bodies(server, b'Drafts'), [sample.numbered(7)[:130]]))
    settled(server, mail, sample.numbered(7)[:130])
