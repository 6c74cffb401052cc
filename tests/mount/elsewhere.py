"""Run inside a network namespace: gives loopback the address 192.0.2.1, starts the scripted
server there in clear, points imapfs at it, and prints what came of it as JSON."""

import fcntl
import json
import socket
import struct
import subprocess
import sys

from tests.support import SLOW

ADDRESS = '192.0.2.1'
SIOCSIFADDR, SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8916, 0x8914, 0x41


def make_address(name, address):
    """Puts an address on an interface and takes it up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        packed = struct.pack('HH4s8x', socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(sock, SIOCSIFADDR, struct.pack('16s16s', name, packed))
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack('16sH14x', name, IFF_UP_RUNNING))


def main():
    program, passfile, log = sys.argv[1:]
    make_address(b'lo', '127.0.0.1')
    make_address(b'lo:1', ADDRESS)
    server = subprocess.Popen(
        [sys.executable, '-m', 'tests.fake', '--tls', 'none', '--host', ADDRESS, '--log', log],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = next(line for line in server.stdout if line.startswith('port')).split()[1]
    with socket.create_connection((ADDRESS, port), 30 * SLOW) as proof:
        proof.recv(100)
    run = subprocess.run([program, 'check', f'imap://user@{ADDRESS}:{port}', '-o',
                          f'tls=none,passfile={passfile}'], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=60 * SLOW)
    server.communicate('')
    print(json.dumps({'status': run.returncode, 'output': run.stdout}))


main()
