# SPDX-License-Identifier: GPL-2.0
"""Send datagrams to a port of addresses, from ever new source ports."""

import socket
import sys

port, addresses = int(sys.argv[1]), sys.argv[2:]
while True:
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            for _ in range(5):
                try:
                    s.sendto(b"flood", (address, port))
                except OSError:
                    pass
