# SPDX-License-Identifier: GPL-2.0
"""Open COUNT connections to port 8080 of addresses in turn, and keep them."""

import resource
import socket
import sys
import time

resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
held = []
for i in range(int(sys.argv[1])):
    address = sys.argv[2 + i % (len(sys.argv) - 2)]
    try:
        held.append(socket.create_connection((address, 8080), timeout=30))
    except OSError:
        # The module went meanwhile.
        pass
while True:
    time.sleep(60)
