#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""udp_steady.py ADDRESS PORT SECONDS: talk to udp_echo.py, whatever is lost.

One flow sends 100 numbered datagrams a second and waits for no answer. Answers have two
seconds after the last. Prints "SENT LOST WRONG"; wrong are answers to nothing that was
sent, and those that came twice.
"""
import socket
import sys
import time

address, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
INTERVAL = 0.01

sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                     socket.SOCK_DGRAM)
sock.connect((address, port))
waiting = set()
sent = wrong = 0


def listen(until):
    """Take answers until then."""
    global wrong
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            answer = sock.recv(65535).split(b" ", 1)[1]
        except TimeoutError:
            return
        except OSError:		# an ICMP error
            continue
        if answer in waiting:
            waiting.remove(answer)
        else:
            wrong += 1


start = time.monotonic()
while time.monotonic() - start < seconds:
    question = b"%d/" % sent + b"x" * 100
    try:
        sock.send(question)
    except OSError:		# an ICMP error, or no route for the moment
        continue
    waiting.add(question)
    sent += 1
    listen(max(start + sent * INTERVAL, time.monotonic() + 0.001))
listen(time.monotonic() + 2)
print(sent, len(waiting), wrong)
