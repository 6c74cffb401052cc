"""Greetings, logins, and the ways in which servers refuse them."""

import json
import os
import pty
import re
import select
import time

import pytest

from tests.support import MASK, SLOW, eventually
from tests.support.mounting import binary

PASSWORD = 'geheim-7b1f'
TOKEN = 'ya29.token-51c0'
# What a client says up to its first message of SCRAM, which without SASL-IR has a line of its own.
OPENING = ['AUTHENTICATE', ''] if 'SASL-IR' in MASK else ['AUTHENTICATE']


def check(program, server, source=None, **options):
    return program.run('check', source or server.source, '-o', program.options(server, **options))


def logins(server):
    return server.lines(rb'^\S+ (LOGIN|AUTHENTICATE) ')


# ---- greetings

def test_preauth_under_tls_needs_no_login(fake, mount):
    server = fake()
    server.inbox.append(b'Subject: x\r\n\r\n')
    server.quirks.greeting = b'* PREAUTH welcome back\r\n'
    assert os.listdir(mount(server).inbox) == ['1.eml']
    assert not logins(server)


@pytest.mark.parametrize('greeting', [
    b'+OK POP3 ready\r\n', b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
    b'220 smtp ready\r\n', b'a1 OK tagged\r\n', b'\0\0\0\r\n', b'* NO today\r\n',
    b'x' * 200_000, b'* LIST () "/" x\r\n'])
def test_greeting_that_is_not_imap(fake, program, greeting):
    server = fake()
    server.quirks.greeting = greeting
    run = check(program, server)
    assert run.returncode == 1
    assert re.search('imap|greeting|protocol', run.stdout, re.I), run.stdout
    assert not logins(server)


def test_bye_as_greeting_is_not_a_refused_login(fake, program):
    server = fake()
    server.quirks.greeting = b'* BYE too many connections\r\n'
    run = check(program, server)
    assert run.returncode == 1
    assert 'too many connections' in run.stdout
    assert 'password' not in run.stdout.lower()


def test_no_greeting_at_all(fake, program):
    server = fake()
    server.quirks.greeting = b''
    start = time.monotonic()
    run = check(program, server, timeout=2)
    assert run.returncode == 1
    assert time.monotonic() - start < 20 * SLOW
    assert not logins(server)


@pytest.mark.parametrize('early', [
    b'* LIST () "/" "planted"\r\n', b'* 99 EXISTS\r\n* 1 EXPUNGE\r\n* FLAGS (x)\r\n',
    b'* 1 FETCH (UID 1 FLAGS (\\Deleted) BODY[] {5}\r\nfalse)\r\n',
    b'* STATUS INBOX (MESSAGES 7 UIDVALIDITY 5)\r\n', b'* OK [ALERT] hello\r\n',
    b'* OK [UIDVALIDITY 7] x\r\n', b'* SEARCH 1 2 3\r\n', b'* VANISHED 1:9\r\n'])
def test_data_before_the_login_changes_nothing(fake, mount, early):
    server = fake()
    server.inbox.append(b'Subject: true\r\n\r\n')
    server.quirks.after_greeting = early
    mail = mount(server, expect=['alert'])
    assert mail.names() == ['INBOX']
    assert os.listdir(mail.inbox) == ['1.eml']
    assert (mail.inbox / '1.eml').read_bytes() == b'Subject: true\r\n\r\n'


def test_an_answer_before_its_command_is_sent_is_fatal(fake, program):
    server = fake()
    server.quirks.after_greeting = b''.join(
        b'%s%d OK [CAPABILITY IMAP4rev1] in\r\n' % (prefix, number)
        for prefix in (b'A', b'a', b'', b'T', b't', b'C', b'x') for number in range(50))
    run = check(program, server)
    assert run.returncode == 1


def test_endless_data_behind_the_greeting(fake, program):
    server = fake()
    server.quirks.after_greeting = b'* OK still starting\r\n' * 200_000
    assert check(program, server, timeout=5).returncode == 1


# ---- mechanisms

@pytest.mark.parametrize('mech', ['PLAIN', 'LOGIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'])
@pytest.mark.parametrize('initial', [True, False])
def test_mechanism(fake, program, mech, initial):
    server = fake()
    server.mechs = ['PLAIN', 'LOGIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256']
    if not initial:
        server.mask('SASL-IR')
    run = check(program, server, auth=mech)
    assert run.returncode == 0, run.stdout
    assert mech.encode() in logins(server)[0].line


def test_strongest_mechanism_is_taken(fake, program):
    server = fake()
    server.mechs = ['LOGIN', 'PLAIN', 'SCRAM-SHA-256']
    assert check(program, server).returncode == 0
    assert b'SCRAM-SHA-256' in logins(server)[0].line
    assert PASSWORD.encode() not in server.all_bytes()


def test_login_command_when_no_mechanism_is_offered(fake, program):
    server = fake()
    server.mechs = []
    assert check(program, server).returncode == 0
    assert logins(server)[0].name == 'LOGIN'


def test_forced_mechanism_that_is_not_offered(fake, program):
    server = fake()
    run = check(program, server, auth='CRAM-MD5')
    assert run.returncode == 1
    assert 'CRAM-MD5' in run.stdout
    assert not logins(server)


def cut(mark, end):
    return lambda words: words[:words.index(mark)] + end


@pytest.mark.parametrize('mark,end', [
    (',i=', ',i=4294967295'), (',i=', ',i=50000000'), (',i=', ',i=0'), (',i=', ',i=-4096'),
    (',i=', ',i='), (',i=', ''), (',s=', ',s=,i=4096'), (',s=', ''),
    ('r=', 'r=foreign,s=c2FsdA==,i=4096'), ('r=', 'e=other-error'), ('r=', '')])
def test_scram_is_not_answered_unless_it_begins_well(fake, program, mark, end):
    """No proof is made of the password on such terms, and it is sent by no other mechanism."""
    server = fake()
    server.mechs = ['SCRAM-SHA-256', 'PLAIN']
    server.quirks.scram_first = cut(mark, end)
    run = check(program, server)
    assert run.returncode == 1
    assert 'SCRAM' in run.stdout
    assert [line.name for line in server.log] == OPENING


@pytest.mark.parametrize('end', [f'v={"A" * 43}=', 'v=AAAA', 'v=', 'e=other-error', ''])
@pytest.mark.parametrize('mech', ['SCRAM-SHA-1', 'SCRAM-SHA-256'])
def test_scram_server_that_does_not_prove_itself(fake, program, mech, end):
    server = fake()
    server.mechs = [mech, 'PLAIN']
    server.quirks.scram_final = cut('v=', end)
    run = check(program, server)
    assert run.returncode == 1
    assert mech in run.stdout
    # The proof was the last word: no acknowledgement, no command, no other mechanism.
    assert [line.name for line in server.log] == [*OPENING, '']


@pytest.mark.parametrize('mech', ['OAUTHBEARER', 'XOAUTH2'])
def test_token(fake, program, mech):
    server = fake()
    server.mechs = ['PLAIN', mech]
    run = check(program, server, passfile=None, tokencmd=f'echo {TOKEN}')
    assert run.returncode == 0, run.stdout
    assert mech.encode() in logins(server)[0].line


def test_oauthbearer_is_preferred(fake, program):
    server = fake()
    server.mechs = ['PLAIN', 'XOAUTH2', 'OAUTHBEARER']
    assert check(program, server, passfile=None, tokencmd=f'echo {TOKEN}').returncode == 0
    assert b'OAUTHBEARER' in logins(server)[0].line


@pytest.mark.parametrize('mech', ['OAUTHBEARER', 'XOAUTH2'])
def test_refused_token(fake, program, mech):
    server = fake()
    server.mechs = [mech]
    run = check(program, server, passfile=None, tokencmd='echo stale')
    assert run.returncode == 1
    assert 'stale' not in run.stdout
    assert len(logins(server)) == 1


@pytest.mark.parametrize('password', ['with space', 'quo"te', 'back\\slash', 'umläut', '{5}', '(a)',
                                      '%*', ' lead', 'x' * 900])
@pytest.mark.parametrize('mechs', [['PLAIN'], []])
def test_odd_passwords(fake, program, password, mechs):
    server = fake()
    server.users['user'] = server.password = password
    server.mechs = mechs
    if not mechs:
        server.users['user'] = password.encode().decode('latin-1')
    run = check(program, server)
    assert run.returncode == 0, run.stdout


# ---- refusals

@pytest.mark.parametrize('code', ['AUTHENTICATIONFAILED', 'EXPIRED', 'AUTHORIZATIONFAILED',
                                  'PRIVACYREQUIRED'])
def test_refused_login_is_tried_once_and_said(fake, program, code):
    server = fake()
    server.quirks.login = f'[{code}] go away'
    run = check(program, server)
    assert run.returncode == 1
    assert 'go away' in run.stdout
    assert len(logins(server)) == 1


@pytest.mark.parametrize('code', ['UNAVAILABLE', 'INUSE', 'LIMIT'])
def test_login_that_the_server_cannot_serve_now(fake, program, code):
    server = fake()
    server.quirks.login = f'[{code}] come back later'
    run = check(program, server)
    assert run.returncode == 1
    assert 'come back later' in run.stdout


def test_wrong_password(fake, program):
    server = fake()
    server.password = 'wrong-one'
    run = check(program, server)
    assert run.returncode == 1
    assert 'wrong-one' not in run.stdout
    assert len(logins(server)) == 1


def test_account_is_not_locked_by_a_mount(fake, mount, tmp_path):
    """Refused after a reconnect: one try, and no other before the password command changes."""
    server = fake()
    server.inbox.append(b'Subject: x\r\n\r\n')
    server.add('Other')
    secret = tmp_path / 'secret'
    secret.write_text(PASSWORD + '\n')
    mail = mount(server, passfile=None, passcmd=f'cat {secret}', poll=1, connections=1)
    os.listdir(mail.inbox)
    mail.expect('.')
    server.users['user'] = 'changed'
    before = len(logins(server))
    server.kill()
    server.wait_for(lambda: not server.open_sessions())
    for _ in range(50):
        with pytest.raises(OSError):
            os.listdir(mail / 'Other')
    assert len(logins(server)) <= before + 2
    if SLOW > 1:
        return  # the command is asked again only after a while
    secret.write_text('changed\n')
    assert eventually(lambda: os.listdir(mail / 'Other')) == []


def test_a_password_file_that_is_corrected_is_noticed(fake, mount, program):
    """Nobody need ask for anything."""
    server = fake()
    mail = mount(server, connections=1)
    mail.expect('.')
    server.users['user'] = 'changed'
    server.kill()

    def state():
        return json.loads((mail / '.imapfs' / 'status').read_bytes())

    def refused():
        now = state()
        assert now['state'] == 'refused' and now['retry_ms'] <= 30_000
        assert 'correct the password' in program.run('status', mail.path).stdout
    eventually(refused)
    before = len(logins(server))
    program.passfile('changed')

    def online():
        assert state()['state'] == 'online'
    eventually(online, 25 / SLOW)  # not by the next attempt, which comes after 30 seconds
    assert state()['retry_ms'] is None
    assert len(logins(server)) == before + 1


@pytest.mark.parametrize('fault', ['missing', 'open'])
def test_a_password_file_at_fault_is_a_refused_login(fake, mount, program, fault):
    """And looked at again as soon as it is put right."""
    server = fake()
    server.add('Other')
    mail = mount(server, connections=1)
    mail.expect('.')
    secret = program.passfile(PASSWORD)
    if fault == 'missing':
        secret.unlink()
    else:
        secret.chmod(0o644)
    server.kill()

    def state():
        return json.loads((mail / '.imapfs' / 'status').read_bytes())

    def refused():
        assert state()['state'] == 'refused'
        assert str(secret) in state()['error']['text']
    eventually(refused)
    with pytest.raises(PermissionError):
        os.listdir(mail / 'Other')
    if fault == 'missing':
        program.passfile(PASSWORD)
    else:
        secret.chmod(0o600)
    eventually(lambda: os.listdir(mail / 'Other'), 25 / SLOW)


# ---- where secrets come from

def test_password_command_runs_at_every_login(fake, mount, tmp_path):
    server = fake()
    server.add('Other')
    calls = tmp_path / 'calls'
    mail = mount(server, passfile=None, passcmd=f'echo x >> {calls}; echo {PASSWORD}', poll=1,
                 connections=1)
    os.listdir(mail.inbox)
    assert calls.read_text().count('x') == len(logins(server)) == 1
    mail.expect('.')
    server.kill()

    def logged_in_again():
        os.listdir(mail / 'Other')
        assert len(logins(server)) == 2
    eventually(logged_in_again)
    assert calls.read_text().count('x') == 2


@pytest.mark.parametrize('command,why', [
    ('exit 3', '3|fail|status'), ('echo', 'empty|no password|nothing'),
    ('true', 'empty|no password|nothing'),
    ('kill -9 $$', 'signal|fail|kill'), ('/nonexistent/program', '127|fail|not found|status')])
def test_password_command_that_fails(fake, program, command, why):
    server = fake()
    run = check(program, server, passfile=None, passcmd=command)
    assert run.returncode == 1
    assert re.search(why, run.stdout, re.I), run.stdout
    assert not logins(server)


def test_password_command_gives_more_than_a_line(fake, program):
    server = fake()
    command = f'printf "{PASSWORD}\\r\\nsecond line\\n"'
    run = check(program, server, passfile=None, passcmd=command)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize('command', [
    f'yes {PASSWORD}', f'yes {PASSWORD} | cat', f'echo {PASSWORD}; exec sleep 1000',
    f'trap "" TERM; echo {PASSWORD}; while :; do sleep 0.1; done',
    f'echo {PASSWORD}; exec >&-; exec sleep 1000'])
def test_password_command_that_goes_on(fake, program, command):
    start = time.monotonic()
    run = check(program, fake(), passfile=None, passcmd=command)
    assert run.returncode == 0, run.stdout
    assert time.monotonic() - start < 50 * SLOW


@pytest.mark.parametrize('say', ['echo', 'printf %s'])
def test_password_command_leaves_something_running(fake, program, tmp_path, say):
    """It has the output of the command, too, and is nobody's business."""
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    heard = tmp_path / 'heard'
    command = f'{say} {PASSWORD}; (exec 2>/dev/null; read x < {pipe}; echo $x > {heard}) & :'
    run = check(program, fake(), passfile=None, passcmd=command)
    assert run.returncode == 0, run.stdout
    with open(pipe, 'w') as file:
        file.write('still there\n')

    def told():
        assert heard.read_text() == 'still there\n'
    eventually(told)


def test_password_command_fails_after_its_line(fake, program):
    server = fake()
    run = check(program, server, passfile=None, passcmd=f'echo {PASSWORD}; echo more; exit 3')
    assert run.returncode == 1
    assert 'passcmd exited with status 3' in run.stdout
    assert not logins(server)


def test_endless_line_of_a_password_command(fake, program):
    run = check(program, fake(), passfile=None, passcmd='yes | tr -d "\n"', timeout=2)
    assert run.returncode == 1
    assert 'passcmd: the password is too long' in run.stdout


def test_password_command_ends_whole(fake, program, tmp_path):
    """What the shell started ends with it."""
    server = fake()
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    command = f'(exec 3>{pipe}; echo began >&3; sleep 100); cat pass'
    process = program.start('check', server.source, '-o', program.options(
        server, passfile=None, passcmd=command), start_new_session=True)
    with open(pipe) as file:
        assert file.readline() == 'began\n'
        process.terminate()
        assert process.wait(20 * SLOW) == 1
        assert select.select([file], [], [], 20 * SLOW)[0], 'it goes on'
    process.stdout.close()


def test_password_command_stays_in_the_foreground_of_a_terminal(fake, program, tmp_path):
    """Where a program that asks for a passphrase would otherwise be stopped."""
    server = fake()
    groups = tmp_path / 'groups'
    options = program.options(server, passfile=None, passcmd=(
        f'ps -o pgid= -o tpgid= -p $$ > {groups}; echo {PASSWORD}'))
    words = [str(binary()), 'check', server.source, '-o', options]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], words, program.env)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(terminal)
    assert groups.read_text().split() == [str(pid), str(pid)]


def test_endless_password_command_in_spite_of_a_cache(fake, mount, program):
    server = fake()
    mail = mount(server)
    mail.expect('.')
    os.listdir(mail.inbox)
    mail.unmount()
    run = program.run('-f', server.source, program.mountpoint, '-o',
                      program.options(server, passfile=None, passcmd='yes | tr -d "\\n"'))
    assert run.returncode == 1
    assert 'passcmd: the password is too long' in run.stdout


def test_missing_password_file(fake, program, tmp_path):
    server = fake()
    run = check(program, server, passfile=tmp_path / 'nowhere')
    assert run.returncode == 1
    assert re.search('passfile .*nowhere: No such file', run.stdout)
    assert not server.sessions, 'it connected first'


def test_no_terminal_to_prompt_on(fake, program):
    run = check(program, fake(), passfile=None)
    assert run.returncode == 1
    assert re.search('terminal|passcmd|passfile|password', run.stdout, re.I)


# ---- what servers say beside it

@pytest.mark.parametrize('said', ['[ALERT] \x1b[31mred\x07 and bell', '[ALERT] caf\xe9 \x9b31m'])
def test_alert_is_shown_escaped(fake, mount, said):
    server = fake()
    server.quirks.login_text = said
    server.on(rb'LOGIN|AUTHENTICATE', lambda session, command: session.raw(
        b'* OK ' + said.encode('latin-1') + b'\r\n') and False)
    mail = mount(server, expect=['alert'])
    os.listdir(mail.inbox)
    mail.unmount()
    assert not re.search('[\x00-\x08\x0b-\x1f\x7f-\x9f]', mail.output())


def test_alerts_are_rate_limited(fake, mount):
    server = fake()
    server.on(rb'LIST', lambda session, command: session.raw(
        b''.join(b'* OK [ALERT] number %d\r\n' % n for n in range(10_000))) and False)
    mail = mount(server, expect=['alert'])
    os.listdir(mail.inbox)
    mail.unmount()
    assert mail.output().count('number') <= 20


def test_alert_in_clear_is_not_shown(fake, program):
    server = fake(tls='starttls')
    server.quirks.after_greeting = b'* OK [ALERT] call this number\r\n'
    run = check(program, server)
    assert 'call this number' not in run.stdout


def test_referral_is_never_followed(fake, program):
    server, other = fake(), fake()
    server.quirks.login = f'[REFERRAL imap://user@localhost:{other.port}/] go there'
    run = check(program, server)
    assert run.returncode == 1
    assert not other.sessions


def test_referral_beside_a_good_login(fake, program):
    server, other = fake(), fake()
    server.quirks.login_text = f'[REFERRAL imap://user@localhost:{other.port}/] better there'
    run = check(program, server)
    assert run.returncode == 0, run.stdout
    assert not other.sessions


def test_round_trips_of_a_login_are_few(fake, program):
    """Greeting with capabilities, SASL-IR: authentication is the first thing said."""
    server = fake()
    assert check(program, server).returncode == 0
    names = [line.name for line in server.log]
    assert names[0] == 'AUTHENTICATE'
    assert names.count('CAPABILITY') == 0
