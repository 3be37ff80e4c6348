#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: default
# topology: none
"""A user's connections are charged to the user's control group, and are no more
than one ceiling allows, however many namespaces. Kernels with a controller of
memory only."""

import contextlib
import os
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "lib")]
from rawnet import Suite  # noqa: E402
from users import SEND, ready_to_send, user  # noqa: E402

NAMESPACES = 12
CONNECTIONS = 2000
MIB = 1 << 20
ROOT = "/tmp/nflb-cgroup"

suite = Suite("users-memory")


@contextlib.contextmanager
def group(limit):
    """A control group with so much memory."""
    path = os.path.join(ROOT, "users")
    os.mkdir(path)
    try:
        with open(os.path.join(path, "memory.max"), "w") as f:
            f.write(str(limit))
        yield path
    finally:
        deadline = time.monotonic() + 20
        while True:
            try:
                os.rmdir(path)
                return
            except OSError:
                assert time.monotonic() < deadline, "processes are left"
                time.sleep(0.1)


def charged(path):
    with open(os.path.join(path, "memory.stat")) as f:
        stat = dict(line.split() for line in f)
    return int(stat["slab"]) + int(stat["percpu"]) + int(stat["vmalloc"])


def host():
    with open("/proc/meminfo") as f:
        info = {k: int(v.split()[0]) for k, v in (
            line.split(":") for line in f)}
    return (info["Slab"] + info["Percpu"] + info["VmallocUsed"]) * 1024


@suite.case()
def connections_are_charged(_net):
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(group(64 * MIB))
        users = [stack.enter_context(user(cgroup=path))
                 for _ in range(NAMESPACES)]
        for u in users:
            ready_to_send(u)
        was, had = host(), charged(path)
        for u in users:
            u.does("python3 %s %d" % (SEND, CONNECTIONS))
        active = sum(u.stat("active") for u in users)
        more, paid = host() - was, charged(path) - had
        print("# %d connections; the host has %d KiB less, the group paid %d" %
              (active, more >> 10, paid >> 10), flush=True)
        # Of 24,000, and an eighth for those that wait to be freed.
        assert 15000 < active <= 16384 + 2048, active
        # 192 bytes, and 96 for the client that is remembered
        assert paid > active * 150, paid
        # Bucket arrays, and what else happens on the host.
        assert more - paid < 4 * MIB, (more, paid)


if __name__ == "__main__":
    os.makedirs(ROOT, exist_ok=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", ROOT], check=False)
    try:
        with open(ROOT + "/cgroup.subtree_control", "w") as f:
            f.write("+memory")
    except OSError:
        print("SKIPPED: no controller of memory", file=sys.stderr)
        sys.exit(77)
    code = suite.main(sys.argv)
    subprocess.run(["umount", ROOT], check=False)
    sys.exit(code)
