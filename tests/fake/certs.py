"""Certificates made at run time with the openssl command: one authority and its leaves, good
and bad."""

import ssl
import subprocess
from pathlib import Path

LOOPBACK = 'DNS:localhost,IP:127.0.0.1,IP:::1'


def _nul_name():
    """A dNSName of "localhost", NUL, ".example.org" in DER, as OpenSSL's DER: syntax wants it."""
    name = b'localhost\0.example.org'
    general = bytes([0x82, len(name)]) + name
    return 'DER:' + (bytes([0x30, len(general)]) + general).hex(':')


# kind -> (common name, subjectAltName, days valid, signed by the authority)
KINDS = {
    'good': ('localhost', LOOPBACK, 30, True),
    'wronghost': ('mail.example.org', 'DNS:mail.example.org', 30, True),
    'expired': ('localhost', LOOPBACK, -1, True),
    'selfsigned': ('localhost', LOOPBACK, 30, False),
    'nul': ('mail.example.org', _nul_name(), 30, True),
    'noip': ('localhost', 'DNS:localhost', 30, True),
}


class Certs:
    """Makes and remembers certificates below one directory."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.ca = self.dir / 'ca.pem'
        self._request('ca', 'Test authority', ['basicConstraints=critical,CA:TRUE'])
        self._openssl('x509', '-req', '-in', self.dir / 'ca.csr', '-signkey', self.dir / 'ca.key',
                      '-days', '30', '-copy_extensions', 'copyall', '-out', self.ca)

    def leaf(self, kind='good'):
        """(certificate, key) paths of a leaf of this kind."""
        certificate, key = self.dir / f'{kind}.pem', self.dir / f'{kind}.key'
        if not certificate.exists():
            name, san, days, signed = KINDS[kind]
            self._request(kind, name, [f'subjectAltName={san}'])
            issuer = (['-CA', self.ca, '-CAkey', self.dir / 'ca.key', '-CAcreateserial']
                      if signed else ['-signkey', key])
            self._openssl('x509', '-req', '-in', self.dir / f'{kind}.csr', *issuer, '-days',
                          str(days), '-copy_extensions', 'copyall', '-out', certificate)
        return certificate, key

    def fingerprint(self, kind='good'):
        """SHA-256 of the leaf as 64 hex digits."""
        out = self._openssl('x509', '-in', self.leaf(kind)[0], '-noout', '-fingerprint', '-sha256')
        return out.strip().split('=')[1].replace(':', '').lower()

    def context(self, kind='good'):
        """A server's TLS context with that leaf."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.leaf(kind))
        return context

    def _request(self, stem, name, extensions):
        arguments = [word for text in extensions for word in ('-addext', text)]
        self._openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                      '-nodes', '-keyout', self.dir / f'{stem}.key', '-out',
                      self.dir / f'{stem}.csr', '-subj', f'/CN={name}', *arguments)

    @staticmethod
    def _openssl(*arguments):
        run = subprocess.run(['openssl', *map(str, arguments)], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f'openssl {arguments[0]}: {run.stderr}')
        return run.stdout
