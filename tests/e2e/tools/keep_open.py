#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""keep_open.py COUNT GO PROTOCOL,ADDRESS,PORT...: flows that pause, and go on.

Opens COUNT flows to each destination: requests to HTTP servers, tcp, and datagrams to
udp_echo.py, udp. Prints "open N". When the file GO is there, each asks once more, over the
same connection. Prints how many "went on", were "broken", and had "moved" to another backend.
"""
import os
import resource
import socket
import sys
import time

resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
count, go = int(sys.argv[1]), sys.argv[2]
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def ask(sock, protocol):
    """The name of the backend that answers."""
    if protocol == "udp":
        sock.send(b"question")
        return sock.recv(1000).split()[0]
    sock.sendall(REQUEST)
    answer = b""
    while not (answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\n") and
               b"\r\n\r\nrs" in answer):
        data = sock.recv(4096)
        if not data:
            raise ConnectionResetError
        answer += data
    return answer.rsplit(b"\r\n\r\n")[1].strip()


flows = []
for destination in sys.argv[3:]:
    protocol, address, port = destination.split(",")
    for _ in range(count):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                             socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
        sock.settimeout(30)
        sock.connect((address, int(port)))
        flows.append((sock, destination, ask(sock, protocol)))
print("open %d" % len(flows), flush=True)
while not os.path.exists(go):
    time.sleep(0.05)
went_on = broken = moved = 0
for sock, destination, first in flows:
    try:
        again = ask(sock, destination.split(",")[0])
        went_on += again == first
        moved += again != first
    except OSError as error:
        broken += 1
        print("%s: %s" % (destination, error), file=sys.stderr)
print("went on %d, broken %d, moved %d" % (went_on, broken, moved), flush=True)
