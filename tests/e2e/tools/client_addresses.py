#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""client_addresses.py ADDRESS PORT PREFIX COUNT REQUESTS: who am I?

Each request leaves from the next of COUNT addresses, PREFIX1, PREFIX2, ..., and
asks /client, which answers with the name of the backend, the client's address
and its port as the server sees them. Prints "right N", and what was wrong.
"""
import socket
import sys

address, port, prefix = sys.argv[1], int(sys.argv[2]), sys.argv[3]
count, requests = int(sys.argv[4]), int(sys.argv[5])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
question = b"GET /client HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
right = 0
for number in range(requests):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(60)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("%s%d" % (prefix, 1 + number % count),
                   10000 + number // count))
        sock.connect((address, port))
        sock.send(question)
        answer = b""
        while data := sock.recv(65536):
            answer += data
        own = sock.getsockname()[:2]
    _name, seen, seen_port = answer.split(b"\r\n\r\n", 1)[1].decode().split()
    seen = seen.removeprefix("::ffff:")
    if (seen, int(seen_port)) == own:
        right += 1
    else:
        print("wrong: the client was %s %d, the server saw %s %s" % (
            *own, seen, seen_port))
print("right", right)
sys.exit(right != requests)
