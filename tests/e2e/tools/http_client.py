#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""http_client.py ADDRESS PORT REQUESTS [FIRST_PORT]: one connection a request.

Each request leaves from a source port of its own, counted up; ports that somebody
else has are left out. The kernel's choice now and then takes one again that the
balancer still remembers, and a share that must be exact would not be. With 0 requests it goes on until SIGTERM.
Prints how often each body came, then "failed N"; failures fail the program.
"""
import collections
import errno
import itertools
import signal
import socket
import sys

address, port, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
first = int(sys.argv[4]) if len(sys.argv) > 4 else 10000
family = socket.AF_INET6 if ":" in address else socket.AF_INET
question = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
bodies = collections.Counter()
failed = 0
stop = False


def on_term(_signal, _frame):
    global stop
    stop = True


def bind(sock):
    """To the next port that nobody has."""
    for _ in range(1000):
        try:
            sock.bind(("", first + next(ports) % 20000))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError("1000 ports in a row are taken")


signal.signal(signal.SIGTERM, on_term)
ports = itertools.count()
for number in itertools.count():
    if stop or requests and number == requests:
        break
    answer = b""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(60)
            bind(sock)
            sock.connect((address, port))
            sock.send(question)
            while data := sock.recv(65536):
                answer += data
        head, body = answer.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head)
        bodies[body.decode().strip()] += 1
    except (OSError, ValueError) as error:
        failed += 1
        if failed <= 10:
            print(f"request {number}: {error!r}", file=sys.stderr)

for body in sorted(bodies):
    print(body, bodies[body])
print("failed", failed)
sys.exit(failed > 0)
