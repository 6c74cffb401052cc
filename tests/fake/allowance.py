"""What the client may do and store: MYRIGHTS (RFC 4314) and the quota (RFC 9208)."""

from .folders import existing, named
from .syntax import No, quote

ROOT = b'all'


def my_rights(session, command):
    session.need('ACL')
    name = named(command.arguments[0])
    rights = existing(session, name).rights
    session.untagged(b'MYRIGHTS %s %s' % (quote(name), rights.encode() or b'""'))
    session.tagged(command)


def get_quota_root(session, command):
    session.need('QUOTA')
    name = named(command.arguments[0])
    existing(session, name)
    limited = bool(session.server.quota)
    session.untagged(b'QUOTAROOT %s%s' % (quote(name), b' ' + quote(ROOT) if limited else b''))
    if limited:
        tell(session)
    session.tagged(command)


def get_quota(session, command):
    session.need('QUOTA')
    if bytes(command.arguments[0]) != ROOT or not session.server.quota:
        raise No('[NONEXISTENT] no such root')
    tell(session)
    session.tagged(command)


def tell(session):
    used = session.server.usage()
    used['STORAGE'] = -(-used['STORAGE'] // 1024)
    words = ' '.join(f'{resource} {used[resource]} {limit}'
                     for resource, limit in session.server.quota.items())
    session.untagged(b'QUOTA %s (%s)' % (quote(ROOT), words.encode()))
