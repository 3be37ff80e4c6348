# SPDX-License-Identifier: GPL-2.0
"""Take connections at PORT, IPv4 and IPv6; each one's SHA-256 becomes a line of FILE.

The line is what `sha256sum` prints, and comes when the client has closed.
(socat would end its child, whether that had printed or not.)
"""

import hashlib
import socketserver
import socket
import sys

port, file = int(sys.argv[1]), sys.argv[2]


class Handler(socketserver.BaseRequestHandler):
    """One connection; one that was reset leaves no line."""

    def handle(self):
        digest = hashlib.sha256()
        while data := self.request.recv(1 << 18):
            digest.update(data)
        with open(file, "a", encoding="ascii") as lines:
            lines.write(f"{digest.hexdigest()}  -\n")


class Server(socketserver.ThreadingTCPServer):
    """At all addresses of both families."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


with Server(("::", port), Handler) as server:
    server.serve_forever()
