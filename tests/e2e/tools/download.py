# SPDX-License-Identifier: GPL-2.0
"""download.py URL GO: begin, go on when the file GO is there.

Prints "begun" after the first bytes, then the SHA-256 of all of them, or
"reset" when the connection was.
"""

import hashlib
import os
import sys
import time
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=120) as reply:
    digest = hashlib.sha256(reply.read(1000))
    print("begun", flush=True)
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.05)
    try:
        while data := reply.read(1 << 16):
            digest.update(data)
        print(digest.hexdigest())
    except ConnectionResetError:
        print("reset")
