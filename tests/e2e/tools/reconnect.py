# SPDX-License-Identifier: GPL-2.0
"""The server resets each connection, the client comes again from the same port.

    reconnect.py serve PORT
    reconnect.py ADDRESS PORT OWN_PORT TIMES

The client prints how many times it was served.
"""

import socket
import struct
import sys

RESET = struct.pack("ii", 1, 0)


def serve(port):
    with socket.create_server(("::", port), family=socket.AF_INET6,
                              dualstack_ipv6=True, backlog=64) as server:
        while True:
            conn, _ = server.accept()
            conn.recv(100)
            conn.sendall(b"here")
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            conn.close()


def once(address, port, own):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.settimeout(30)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", own))
        sock.connect((address, port))
        sock.sendall(b"hello")
        got = b""
        try:
            while data := sock.recv(100):
                got += data
        except ConnectionResetError:
            return got == b"here"
    return False


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
print(sum(once(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
          for _ in range(int(sys.argv[4]))))
