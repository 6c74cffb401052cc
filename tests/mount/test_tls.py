"""No credential goes to the wrong server or in clear, and the message says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import SLOW, mounting

PASSWORD = b'geheim-7b1f'


def secrets_in(data):
    """Whether the password, in any form that a login has, is among the bytes."""
    import base64
    forms = [PASSWORD, base64.b64encode(PASSWORD), base64.b64encode(b'\0user\0' + PASSWORD),
             b'LOGIN "', b'LOGIN user', b'AUTHENTICATE']
    return [form for form in forms if form in data]


def refused(program, server, reason, source=None, **options):
    """`check` and the mount both fail and say so; nothing secret went out."""
    arguments = source or server.source, '-o', program.options(server, **options)
    for run in (program.run('check', *arguments),
                program.run('-f', arguments[0], program.mountpoint, *arguments[1:])):
        assert run.returncode != 0
        assert any(word.lower() in run.stdout.lower() for word in reason), run.stdout
        assert PASSWORD.decode() not in run.stdout
    assert secrets_in(server.all_bytes()) == []
    assert not server.lines(rb'^\S+ (LOGIN|AUTHENTICATE|LIST|SELECT|EXAMINE)')


@pytest.mark.parametrize('certificate,reason', [
    ('wronghost', ['host', 'name']),
    ('expired', ['expired']),
    ('selfsigned', ['self-signed', 'self signed']),
    ('nul', ['host', 'name', 'malformed']),
])
@pytest.mark.parametrize('tls', ['implicit', 'starttls'])
def test_bad_certificate(fake, program, certificate, reason, tls):
    refused(program, fake(tls=tls, certificate=certificate), reason)


def test_unknown_authority(fake, program):
    refused(program, fake(), ['issuer', 'authority', 'self-signed', 'self signed', 'trust'],
            cafile=None)


def test_address_instead_of_name(fake, program):
    server = fake()
    good = program.run('check', f'imaps://user@127.0.0.1:{server.port}', '-o',
                       program.options(server))
    assert good.returncode == 0, good.stdout
    server = fake(certificate='noip')
    refused(program, server, ['address', 'IP', 'host'],
            source=f'imaps://user@127.0.0.1:{server.port}')


def test_name_is_sent_as_sni(fake, program):
    server, names = fake(), []
    server.context.sni_callback = lambda sock, name, context: names.append(name)
    run = program.run('check', server.source, '-o', program.options(server))
    assert run.returncode == 0, run.stdout
    assert set(names) == {'localhost'}


def test_fingerprint_pins_the_leaf(fake, program, certs):
    server = fake(certificate='selfsigned')
    options = program.options(server, cafile=None, fingerprint=certs.fingerprint('selfsigned'))
    run = program.run('check', server.source, '-o', options)
    assert run.returncode == 0, run.stdout
    other = fake(certificate='good')
    refused(program, other, ['fingerprint'], fingerprint=certs.fingerprint('selfsigned'))


@pytest.mark.parametrize('how,reason', [
    ('missing', ['starttls']), ('no', ['starttls']), ('bad', ['starttls']),
    ('plus', ['starttls', 'protocol'])])
def test_starttls_stripped_or_refused(fake, program, how, reason):
    server = fake(tls='starttls')
    server.quirks.starttls = how
    refused(program, server, reason, timeout=3)


@pytest.mark.parametrize('injected', [b'* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n', b'x', b'\r\n',
                                      b'* PREAUTH hi\r\n'])
def test_bytes_after_the_starttls_answer(fake, program, injected):
    server = fake(tls='starttls')
    server.quirks.starttls_inject = injected
    refused(program, server, ['starttls', 'injected'])


def test_preauth_in_clear(fake, program):
    server = fake(tls='starttls')
    server.quirks.greeting = b'* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n'
    refused(program, server, ['preauth'])


def test_capability_refused_in_clear(fake, program):
    server = fake(tls='starttls')
    server.capability_in_greeting = False
    server.on(rb'CAPABILITY', lambda session, command: session.tagged(command, 'BAD', 'no'))
    server.quirks.starttls = 'missing'
    refused(program, server, ['starttls', 'capability'])


def test_capabilities_are_asked_again_after_tls(fake, mount):
    server = fake(tls='starttls')
    server.capability_in_login = False
    server.inbox.append(b'Subject: x\r\n\r\n')
    # What is said in clear is a lie: the mechanism is none, and ESEARCH would be refused.
    server.quirks.greeting = b'* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EXTERNAL ESEARCH] hi\r\n'
    server.mask('ESEARCH')
    mail = mount(server)
    assert os.listdir(mail.inbox) == ['1.eml']
    assert server.refusals == []
    assert [line.secure for line in server.lines(rb'^\S+ CAPABILITY')].count(True) >= 2


def test_starttls_sends_nothing_but_starttls_in_clear(fake, program):
    server = fake(tls='starttls')
    run = program.run('check', server.source, '-o', program.options(server))
    assert run.returncode == 0, run.stdout
    assert {line.name for line in server.log if not line.secure} <= {'CAPABILITY', 'STARTTLS'}
    assert secrets_in(server.clear_bytes()) == []
    assert secrets_in(server.all_bytes())


def test_clear_is_fine_on_loopback_only_when_asked_for(fake, program):
    server = fake(tls='none')
    assert program.run('check', server.source, '-o', program.options(server)).returncode == 0
    server = fake(tls='none')
    refused(program, server, ['starttls'], tls='starttls')


def test_tls_to_a_server_that_speaks_clear(fake, program):
    server = fake(tls='none')
    refused(program, server, ['tls', 'ssl'], tls='implicit',
            source=f'imaps://user@localhost:{server.port}', timeout=3)


@pytest.mark.parametrize('ended', ['drop', 'reset'])
def test_an_end_inside_a_body_is_no_body(fake, mount, ended):
    """FIN without close_notify in the middle of a literal (a truncation attack)."""
    body = b'Subject: x\r\n\r\n' + b'0123456789' * 1000
    server = fake()
    server.inbox.append(body)

    def cut(session, command):
        session.raw(b'* 1 FETCH (UID 1 BODY[] {%d}\r\n' % len(body) + body[:5000])
        session.drop(reset=ended == 'reset')
    server.on(rb'UID FETCH .*BODY\.PEEK', cut, times=1)
    mail = mount(server, expect=['connection', 'truncated', 'reset', 'lost'])
    try:
        assert (mail.inbox / '1.eml').read_bytes() == body
    except OSError:
        assert (mail.inbox / '1.eml').read_bytes() == body
    assert len(server.lines(rb'UID FETCH .*BODY\.PEEK')) >= 2


def namespace_of_its_own():
    """Words that run a command with a network of its own, or None."""
    for words in (['unshare', '--net'], ['unshare', '--user', '--map-root-user', '--net']):
        if subprocess.run([*words, 'true'], capture_output=True).returncode == 0:
            return words
    return None


def test_clear_text_to_another_machine(program, certs, tmp_path):
    """In a network namespace where 192.0.2.1 is this machine and yet not loopback."""
    words = namespace_of_its_own()
    if not words:
        pytest.skip('no network namespace can be made here')
    program.passfile(PASSWORD.decode())
    top = Path(__file__).parents[2]
    run = subprocess.run(
        [*words, sys.executable, '-m', 'tests.mount.elsewhere', mounting.binary(),
         tmp_path / 'password', tmp_path / 'log.json'],
        cwd=top, env=program.env, capture_output=True, text=True, timeout=60 * SLOW)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said['status'] != 0
    assert 'this machine' in said['output'] and 'password' in said['output'], said['output']
    log = json.loads((tmp_path / 'log.json').read_text())
    assert log['lines'] == []
    assert secrets_in(log['bytes'].encode('latin-1')) == []
