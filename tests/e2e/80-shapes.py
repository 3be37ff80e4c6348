#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""Packets of all shapes: narrow paths, tunnels inside UDP, what GRO merged,
identifications. What arrives is checked byte by byte, with checksums that are
computed here."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import LBADM, Suite  # noqa: E402

suite = Suite("shapes")

# As any user: the route is one of a network namespace of its own.
NARROW = r"""
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip addr add 10.9.0.1/24 dev v0
ip route add 10.9.0.2/32 dev v0 mtu %(mtu)s
ip route add default via 10.9.0.2 dev v0 onlink
ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev v0
echo 1 >/proc/sys/net/nflb/encap_fragment_inside
%(lbadm)s service add udp 10.9.9.9:53 mode dsr encap %(encap)s
%(lbadm)s backend add udp 10.9.9.9:53 10.9.0.2
python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 0)    # IP_MTU_DISCOVER, DONT
for options in (0, 8, 40):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([1] * options))
    for size in (0, 1, 8, 40, 200, 1400, 20000):
        try:
            s.sendto(bytes(size), ("10.9.9.9", 53))
        except OSError as e:
            print(e.strerror)
'
"""


@suite.case(*[(mtu, encap) for mtu in (1, 21, 28, 44, 68, 70, 96, 97)
              for encap in ("ipip", "gue")])
def any_user_any_mtu(_net, mtu, encap):
    """Sending returns, however narrow a user's route says its path is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as d:
        os.chmod(d, 0o755)
        lbadm = shutil.copy(shutil.which(LBADM), d)
        os.chmod(lbadm, 0o755)
        r = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534",
             "--clear-groups", "unshare", "-Urn", "sh", "-ec",
             NARROW % {"mtu": mtu, "encap": encap, "lbadm": lbadm}],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=30)
    assert not r.returncode, r.stdout


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
