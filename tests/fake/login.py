"""LOGIN and the SASL mechanisms of the model server."""

import base64
import binascii
import hashlib
import hmac
import os

from .syntax import Bad, text


class Refused(Exception):
    """The login is refused."""


def decode(data):
    if data == b'=':
        return b''
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Bad('not base64') from None


def bent(quirk, words):
    return (quirk(words) if quirk else words).encode()


class Authentication:
    """One AUTHENTICATE exchange; ask(challenge) sends `+ ...` and returns the decoded answer."""

    def __init__(self, session, initial):
        self.session = session
        self.initial = initial

    def ask(self, challenge=b''):
        if self.initial is not None and not challenge:
            answer, self.initial = self.initial, None
            return decode(answer)
        self.session.wire.write(b'+ ' + base64.b64encode(challenge) + b'\r\n')
        line = self.session.wire.read_line()
        self.session.server.note(self.session.number, self.session.wire.secure, line)
        if line == b'*':
            raise Bad('cancelled')
        return decode(line)

    def plain(self):
        _, user, password = (self.ask().split(b'\0') + [b'', b''])[:3]
        return self.session.server.check_password(user.decode(), password.decode())

    def login(self):
        # The initial response, if any, is the user name; both questions have fixed texts.
        user = decode(self.initial) if self.initial is not None else None
        self.initial = None
        if user is None:
            user = self.ask(b'Username:')
        return self.session.server.check_password(user.decode(), self.ask(b'Password:').decode())

    def xoauth2(self):
        fields = dict(part.split(b'=', 1) for part in self.ask().split(b'\1') if b'=' in part)
        return self._bearer(fields.get(b'user', b''), fields.get(b'auth', b''))

    def oauthbearer(self):
        header, *parts = self.ask().split(b'\1')
        fields = dict(part.split(b'=', 1) for part in parts if b'=' in part)
        user = next((word[2:] for word in header.split(b',') if word.startswith(b'a=')), b'')
        return self._bearer(user, fields.get(b'auth', b''))

    def _bearer(self, user, auth):
        kind, _, token = auth.partition(b' ')
        if kind.lower() == b'bearer' and \
                self.session.server.tokens.get(user.decode()) == token.decode():
            return
        # RFC 7628 3.2.3: an error as challenge, a dummy answer, then the NO.
        self.ask(b'{"status":"invalid_token"}')
        raise Refused()

    def scram(self, digest):
        """RFC 5802, without channel binding."""
        server, quirks = self.session.server, self.session.server.quirks
        bare = self.ask().decode().split(',', 2)[2]
        fields = dict(word.split('=', 1) for word in bare.split(','))
        user, nonce = fields['n'], fields['r'] + base64.b64encode(os.urandom(12)).decode()
        salt, rounds = b'salt-of-the-fake', 4096
        opening = f'r={nonce},s={base64.b64encode(salt).decode()},i={rounds}'
        final = self.ask(bent(quirks.scram_first, opening)).decode()
        without, _, proof = final.rpartition(',p=')
        salted = hashlib.pbkdf2_hmac(digest, server.users.get(user, '').encode(), salt, rounds)
        signed = f'{bare},{opening},{without}'.encode()

        def mac(key, data):
            return hmac.digest(key, data, digest)
        client_key = mac(salted, b'Client Key')
        signature = mac(hashlib.new(digest, client_key).digest(), signed)
        expected = bytes(a ^ b for a, b in zip(client_key, signature))
        if base64.b64decode(proof) != expected or without != f'c=biws,r={nonce}':
            raise Refused()
        verifier = base64.b64encode(mac(mac(salted, b'Server Key'), signed)).decode()
        self.ask(bent(quirks.scram_final, f'v={verifier}'))


MECHANISMS = {
    'PLAIN': Authentication.plain,
    'LOGIN': Authentication.login,
    'XOAUTH2': Authentication.xoauth2,
    'OAUTHBEARER': Authentication.oauthbearer,
    'SCRAM-SHA-1': lambda exchange: exchange.scram('sha1'),
    'SCRAM-SHA-256': lambda exchange: exchange.scram('sha256'),
}


def authenticate(session, command):
    """AUTHENTICATE: returns when the client is in, else raises Refused or Bad."""
    mech = text(command.arguments[0]).upper()
    if mech not in session.server.mechs:
        raise Bad('mechanism not offered')
    initial = command.arguments[1] if len(command.arguments) > 1 else None
    if initial is not None and 'SASL-IR' not in session.server.capabilities_before:
        raise Bad('no initial response without SASL-IR')
    MECHANISMS[mech](Authentication(session, initial))


def login(session, command):
    """LOGIN, likewise."""
    if 'LOGINDISABLED' in session.capabilities():
        raise Bad('LOGINDISABLED')
    user, password = command.arguments
    session.server.check_password(text(user), text(password))
