# SPDX-License-Identifier: GPL-2.0
"""Users without any privilege, who are root in user namespaces of their own."""

import atexit
import contextlib
import os
import shutil
import subprocess
import tempfile

from rawnet import LBADM

NOBODY = 65534

# The repository may be where nobody else can look.
room = tempfile.mkdtemp(prefix="nflb-users-")
atexit.register(shutil.rmtree, room, ignore_errors=True)
os.chmod(room, 0o755)
TOOL = os.path.join(room, "lbadm")
shutil.copy(LBADM, TOOL)


class User:
    """A shell of a user without any privilege, as root of its own namespaces."""

    def __init__(self, uid=NOBODY, cgroup=None):
        def join():
            with open(os.path.join(cgroup, "cgroup.procs"), "w") as f:
                f.write("0")
        self.shell = subprocess.Popen(
            ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid,
             "--clear-groups", "--", "unshare", "--user", "--map-root-user",
             "--net", "bash"], preexec_fn=join if cgroup else None,
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

    def stat(self, name):
        return int(self.does("sed -n 's/^%s //p' /proc/self/net/nflb/stats" %
                             name))

    def close(self):
        if not self.shell.stdin.closed:
            self.shell.stdin.close()
            self.shell.wait()
            self.shell.stdout.close()


@contextlib.contextmanager
def user(uid=NOBODY, cgroup=None):
    u = User(uid, cgroup)
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


SEND = shared("send.py", """
import socket, sys
for i in range(int(sys.argv[1])):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("10.8.0.254", 20000 + i))
        try:
            s.sendto(b"x", ("10.9.9.9", 53))
        except OSError:
            pass
""")


def ready_to_send(u):
    """A service that `python3 SEND COUNT` makes COUNT connections to."""
    u.does("ip link add v0 type veth peer name v1 && ip link set v1 up && "
           "ip addr add 10.8.0.254/16 dev v0 && ip link set v0 up && "
           "ip route add 10.9.9.0/24 dev v0 && "
           "ip neigh add 10.8.0.1 lladdr 02:00:00:00:00:01 dev v0 "
           "nud permanent && "
           "%s service add udp 10.9.9.9:53 persist 60 && "
           "%s backend add udp 10.9.9.9:53 10.8.0.1" % (TOOL, TOOL))
