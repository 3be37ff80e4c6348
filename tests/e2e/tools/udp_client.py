#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""udp_client.py ADDRESS PORT FLOWS DATAGRAMS [SIZE]: talk to udp_echo.py.

Each flow (socket) sends its datagrams one after the other and waits for each
answer. Prints how many flows each backend got, then "lost N" and "moved N"
(flows that were answered by more than one backend); both fail the program.
"""
import collections
import socket
import sys

address, port, flows, datagrams = (sys.argv[1], *map(int, sys.argv[2:5]))
size = int(sys.argv[5]) if len(sys.argv) > 5 else 64
family = socket.AF_INET6 if ":" in address else socket.AF_INET
got = collections.Counter()
lost = moved = 0

sockets = []
for flow in range(flows):
    seen = set()
    # Open until the end: a port used twice would be one flow to the balancer
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sockets.append(sock)
    sock.settimeout(10)
    sock.connect((address, port))
    for number in range(datagrams):
        question = f"{flow}/{number}/".encode().ljust(size, b"x")
        sock.send(question)
        try:
            name, answer = sock.recv(65535).split(b" ", 1)
        except socket.timeout:
            lost += 1
            continue
        if answer != question:
            sys.exit(f"flow {flow}: sent {question!r}, answered {answer!r}")
        seen.add(name.decode())
    moved += len(seen) > 1
    got.update(seen)

for name in sorted(got):
    print(name, got[name])
print("lost", lost)
print("moved", moved)
sys.exit(1 if lost or moved else 0)
