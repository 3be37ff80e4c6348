#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""Anybody who may make a user namespace is root there, and may configure the
balancer of its network namespaces. Nobody else must wait for that, or pay."""

import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "lib")]
from rawnet import LBADM, Suite, run, sysctl  # noqa: E402

NOBODY = 65534
SIOCSIFTXQLEN = 0x8943

suite = Suite("users")
# The repository may be where nobody else can look.
room = tempfile.mkdtemp(prefix="nflb-users-")
os.chmod(room, 0o755)
TOOL = os.path.join(room, "lbadm")
shutil.copy(LBADM, TOOL)


class User:
    """A shell of a user without any privilege, as root of its own namespaces."""

    def __init__(self, uid=NOBODY):
        self.shell = subprocess.Popen(
            ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid,
             "--clear-groups", "--", "unshare", "--user", "--map-root-user",
             "--net", "--kill-child", "bash"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, cwd="/")

    def begin(self, script):
        self.shell.stdin.write("{ %s\n}; echo END $?\n" % script)
        self.shell.stdin.flush()

    def end(self):
        """What the script said, and its status."""
        said = []
        for line in self.shell.stdout:
            if line.startswith("END "):
                return "".join(said), int(line.split()[1])
            said.append(line)
        raise AssertionError("the shell ended: %s" % "".join(said))

    def tries(self, script):
        self.begin(script)
        return self.end()

    def does(self, script):
        said, status = self.tries(script)
        assert status == 0, "%s: %s" % (script[:200], said)
        return said

    def close(self):
        self.shell.stdin.close()
        self.shell.wait()
        self.shell.stdout.close()


@contextlib.contextmanager
def user(uid=NOBODY):
    u = User(uid)
    try:
        yield u
    finally:
        u.close()


def shared(name, text):
    """A file that everybody can read."""
    path = os.path.join(room, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return path


def services(count, backends, weights, scheduler="maglev"):
    """A configuration, as a file."""
    return shared("%d-%d-%s.json" % (count, backends, scheduler), json.dumps({
        "services": [{
            "protocol": "tcp", "address": "10.9.9.%d" % (s + 1), "port": 80,
            "scheduler": scheduler,
            "backends": [{
                "address": "10.8.%d.%d" % (b >> 8, b & 255), "port": 80,
                "weight": weights(b)} for b in range(backends)],
        } for s in range(count)]}))


def rtnl_once(sock):
    """Something that takes RTNL for a moment; how long it took."""
    before = time.monotonic()
    fcntl.ioctl(sock, SIOCSIFTXQLEN, struct.pack("16si20x", b"lo", 1000))
    return time.monotonic() - before


def rtnl_while(busy, sock):
    """The worst wait for RTNL, and how often it was had, meanwhile."""
    worst, times = 0, 0
    while busy():
        worst = max(worst, rtnl_once(sock))
        times += 1
    return worst, times


SKEWED = 4096


@suite.case()
def nobody_holds_rtnl(_net):
    """Tables are built in one namespace; the host configures its devices."""
    skewed = services(1, SKEWED, lambda b: 65535 if b == 0 else 1)
    first = "%s backend set tcp 10.9.9.1:80 10.8.0.0:80 weight" % TOOL
    with user() as u, socket.socket() as sock:
        u.does("ip link add v0 type veth peer name v1 && "
               "%s config apply %s" % (TOOL, skewed))
        best = None
        for _ in range(3):
            # A device is added while a table is built.
            done = os.path.join("/proc", str(u.shell.pid), "fd")
            assert os.path.exists(done)
            began = time.monotonic()
            u.begin("for w in 65534 65533 65532; do %s $w & sleep 0.02; "
                    "%s device add v0; %s device del v0; wait; done" %
                    (first, TOOL, TOOL))
            deadline = began + 50
            worst, times = 0, 0
            import select
            while not select.select([u.shell.stdout], [], [], 0)[0]:
                worst = max(worst, rtnl_once(sock))
                times += 1
                assert time.monotonic() < deadline, "it takes for ever"
            said, status = u.end()
            assert status == 0, said
            took = time.monotonic() - began
            print("# worst wait for RTNL %d ms of %d in %d ms" % (
                worst * 1000, times, took * 1000), flush=True)
            best = worst if best is None else min(best, worst)
            if best < 0.1:
                break
        assert best < 0.1, "the host waited %d ms for RTNL" % (best * 1000)


if __name__ == "__main__":
    code = suite.main(sys.argv)
    shutil.rmtree(room)
    sys.exit(code)
