"""Fixtures of all Python tests."""

import itertools
import os
import signal
import threading

import pytest

from tests.fake import Certs, Server
from tests.support import MASK, SLOW, mounting
from tests.support.dovecot import Account, Dovecot
from tests.support.mounting import Mount, Program
from tests.support.proxy import Proxy

NUMBERS = itertools.count(1)
LIMIT_S = 120


class TookTooLong(BaseException):
    """No Exception, so that no test that expects errors takes it for one."""


@pytest.fixture(autouse=True)
def time_limit(request):
    """A test that hangs fails. The signal comes again in case that what cleans up hangs, too; a read
    that waits for a page cannot be interrupted, so in the end the file systems go."""
    marker = request.node.get_closest_marker('limit')
    limit = (marker.args[0] if marker else LIMIT_S) * SLOW

    def late(*unused):
        raise TookTooLong('the test takes too long')
    before = signal.signal(signal.SIGALRM, late)
    last_resort = threading.Timer(limit + 1, mounting.kill_all)
    last_resort.start()
    signal.setitimer(signal.ITIMER_REAL, limit, 30)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    last_resort.cancel()
    signal.signal(signal.SIGALRM, before)


def pytest_configure(config):
    config.addinivalue_line('markers', 'limit(seconds): a time limit of its own')


def needs(*capabilities):
    """Marks a test, or one parameter of it, of how the program uses these capabilities. What must
    hold without them is no such test."""
    masked = [name for name in capabilities if name in MASK]
    return pytest.mark.skipif(bool(masked), reason=f'masked: {" ".join(masked)}')


@pytest.fixture(scope='session')
def certs(tmp_path_factory):
    return Certs(tmp_path_factory.mktemp('certs'))


@pytest.fixture
def fake(certs):
    """fake(tls=..., certificate=KIND, **Server arguments) -> a running Server."""
    servers = []

    def start(tls='implicit', certificate='good', **more):
        server = Server(tls, certs.context(certificate) if tls != 'none' else None, **more)
        server.mask(*MASK)
        servers.append(server)
        server.ca = certs.ca
        server.password = server.users['user']
        server.options = {'tls': 'none'} if tls == 'none' else {}
        scheme = 'imaps' if tls == 'implicit' else 'imap'
        server.source = f'{scheme}://user@localhost:{server.port}'
        return server
    yield start
    for server in servers:
        ended_by_test = server.stopping
        server.stop()
        assert ended_by_test or not server.errors, server.errors


def start_dovecot(tmp_path_factory, certs, **more):
    """A Dovecot in a directory of its own."""
    # Nobody's processes must get through the directories above, which pytest makes 0700.
    directory = tmp_path_factory.mktemp('dovecot')
    for path in itertools.takewhile(lambda path: path.name.startswith(('pytest', 'dovecot')),
                                    [directory, *directory.parents]):
        path.chmod(0o711)
    return Dovecot(directory, certs, **more)


@pytest.fixture(scope='session')
def dovecot_server(tmp_path_factory, certs):
    server = start_dovecot(tmp_path_factory, certs)
    yield server
    server.stop()


@pytest.fixture
def dovecot(dovecot_server):
    """An account of its own on the real server. Its log is shown with a test that fails."""
    account, before = Account(dovecot_server, f'u{next(NUMBERS)}'), len(dovecot_server.log)
    yield account
    print(''.join(dovecot_server.log[before:]))


@pytest.fixture
def imap(dovecot):
    """An independent client in that account."""
    client = dovecot.imap()
    yield client
    client.logout()


@pytest.fixture
def program(tmp_path):
    """imapfs with a home of its own, for runs that end by themselves."""
    one = Program(tmp_path)
    yield one
    one.unmount_leftovers()


@pytest.fixture
def mount(program, tmp_path):
    """mount(server, **options) -> Mount; unmounted at the end, and the output looked through."""
    require_fuse()
    mounts = []

    def start(server, source=None, arguments=(), expect=(), mountpoint=None, **options):
        one = Mount(program, source or server.source,
                    mountpoint or tmp_path / f'Mail{len(mounts)}',
                    program.options(server, **options), arguments)
        mounts.append(one)
        one.expect(*expect)
        return one
    yield start
    for one in mounts:
        try:
            one.unmount()
        except BaseException:
            one.destroy()
            raise


@pytest.fixture
def fatal():
    """A test that kills the program runs in the build which is for that."""
    if not mounting.has_fault_points():
        pytest.skip('NOTHING IS KILLED: this build has no fault points (-Dfaults=true)')


@pytest.fixture
def proxy():
    """proxy(target port, delay_ms=..., mbit=...) -> Proxy."""
    proxies = []

    def start(target, **more):
        proxies.append(Proxy(target, **more))
        return proxies[-1]
    yield start
    for one in proxies:
        one.close()


def require_fuse():
    reason = mounting.usable()
    if reason and os.environ.get('CI') == 'true':
        pytest.fail(reason)
    if reason:
        pytest.skip(f'NOTHING IS MOUNTED: {reason}')
