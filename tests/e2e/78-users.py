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
import select
import socket
import struct
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "lib")]
from rawnet import V4, Suite, sc, sysctl  # noqa: E402
from users import SEND, TOOL, ready_to_send, shared, user  # noqa: E402

SIOCGIFTXQLEN, SIOCSIFTXQLEN = 0x8942, 0x8943

suite = Suite("users")


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


def how_long(sock, request):
    """How long a request to the loopback device took."""
    before = time.monotonic()
    fcntl.ioctl(sock, request, struct.pack("16si20x", b"lo", 1000))
    return time.monotonic() - before


def waits_until(readable, sock):
    """The worst wait for RTNL, and for what takes no lock, until something comes."""
    worst, other, deadline = 0, 0, time.monotonic() + 100
    while not select.select([readable], [], [], 0)[0]:
        worst = max(worst, how_long(sock, SIOCSIFTXQLEN))
        other = max(other, how_long(sock, SIOCGIFTXQLEN))
        # The one processor is for those who build, too.
        time.sleep(0.002)
        assert time.monotonic() < deadline, "it takes for ever"
    return worst, other


def until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextlib.contextmanager
def ceilings(**values):
    """The host's net.nflb.user_max_*, as they are not otherwise."""
    before = {}
    for name, value in values.items():
        path = "/proc/sys/net/nflb/user_max_" + name
        with open(path) as f:
            before[path] = f.read()
        with open(path, "w") as f:
            f.write(str(value))
    try:
        yield
    finally:
        for path, value in before.items():
            with open(path, "w") as f:
                f.write(value)


def refused(u, words, message):
    """Again and again, for what was deleted is not gone at once."""
    said, status = u.tries("%s %s" % (TOOL, words))
    assert status == 2 and message in said, "%s: %d, %s" % (words, status, said)


def becomes_possible(u, words):
    deadline = time.monotonic() + 20
    while True:
        said, status = u.tries("%s %s" % (TOOL, words))
        if status == 0:
            return
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


@suite.case()
def nobody_holds_rtnl(_net):
    """Tables are built in one namespace; the host configures its devices."""
    skewed = services(1, 3000, lambda b: 65535 if b == 0 else 1)
    weight = "%s backend set tcp 10.9.9.1:80 10.8.0.0:80 weight" % TOOL
    with user() as u, socket.socket() as sock:
        u.does("ip link add v0 type veth peer name v1 && "
               "%s config apply %s" % (TOOL, skewed))
        waits = []
        # A device is added while a table is built. Other virtual machines may
        # take the time of this one, but not from RTNL alone, and not always.
        for w in range(3):
            u.begin("%s %d & sleep 0.02; %s device add v0; "
                    "%s device del v0; wait" % (weight, 65534 - w, TOOL, TOOL))
            worst, other = waits_until(u.shell.stdout, sock)
            said, status = u.end()
            assert status == 0, said
            waits.append("%d ms (without a lock: %d)" % (worst * 1000,
                                                         other * 1000))
            print("# worst wait for RTNL: " + waits[-1], flush=True)
            if worst < max(0.1, 5 * other):
                return
        raise AssertionError("the host waited for RTNL: %s" % waits)


@suite.case()
def readers_do_not_wait_for_tables(_net):
    """Who changes nothing sees the configuration while tables are built."""
    many = services(3, 300, lambda b: 65535 if b == 0 else 1)
    with user() as u:
        u.does("%s config apply %s" % (TOOL, many))
        # The sysctl makes three tables anew; the shell itself reads meanwhile.
        said = u.does(
            "echo 1048573 >/proc/sys/net/nflb/maglev_table_size & n=0; "
            "while kill -0 $! 2>/dev/null; do "
            "read -r line </proc/self/net/nflb/services || exit 1; "
            "n=$((n + 1)); done; wait; "
            "echo shown $n; cat /proc/sys/net/nflb/maglev_table_size")
        shown = int(said.split("shown ")[1].split()[0])
        assert said.split()[-1] == "1048573", said
        print("# shown %d times meanwhile" % shown, flush=True)
        assert shown >= 10, said


@suite.case()
def ceilings_of_a_user(_net):
    """What a user has in all namespaces together; not what others have."""
    svc = "service add tcp 10.9.9.%d:80"
    with ceilings(services=3, backends=5, slots=70000, local_ranges=2), \
            user() as a, user() as b, user(65533) as other:
        for u, n in ((a, 1), (a, 2), (b, 3)):
            u.does("%s %s" % (TOOL, svc % n))
        for u in (a, b):
            refused(u, svc % 9, "user_max_services")
        other.does("%s %s" % (TOOL, svc % 1))
        # A user namespace within is no way out.
        said, status = b.tries("unshare --user --map-root-user --net %s %s" %
                               (TOOL, svc % 9))
        assert status == 2 and "user_max_services" in said, said
        for n in range(4):
            a.does("%s backend add tcp 10.9.9.1:80 10.8.0.%d" % (TOOL, n))
        b.does("%s backend add tcp 10.9.9.3:80 10.8.0.1" % TOOL)
        for u, n in ((a, 1), (b, 3)):
            refused(u, "backend add tcp 10.9.9.%d:80 10.8.0.9" % n,
                    "user_max_backends")
        a.does("%s service set tcp 10.9.9.1:80 scheduler maglev" % TOOL)
        refused(b, "service set tcp 10.9.9.3:80 scheduler maglev",
                "user_max_slots")
        said, status = a.tries(
            "echo 131071 >/proc/sys/net/nflb/maglev_table_size")
        assert status, said
        assert a.does("cat /proc/sys/net/nflb/maglev_table_size") == "65537\n"
        a.does("%s laddr add 10.7.0.1" % TOOL)
        b.does("%s laddr add 10.7.0.1" % TOOL)
        refused(a, "laddr add 10.7.0.2", "user_max_local_ranges")
        b.does("%s laddr del 10.7.0.1" % TOOL)
        a.does("%s laddr add 10.7.0.2" % TOOL)
        # What is given back can be had again.
        a.does("%s service del tcp 10.9.9.1:80" % TOOL)
        becomes_possible(b, svc % 9)
        becomes_possible(b, "backend add tcp 10.9.9.9:80 10.8.0.9")
        becomes_possible(b, "service set tcp 10.9.9.3:80 scheduler maglev")
        # So is what a namespace had that is gone.
        a.close()
        b.close()
        with user() as c:
            for n in (1, 2, 3):
                becomes_possible(c, svc % n)


@suite.case()
def the_host_has_no_ceilings(net):
    with ceilings(services=1, backends=1, slots=1, local_ranges=1):
        for n in (1, 2):
            net.lbadm("service", "add", "tcp", "192.0.2.%d:80" % n,
                      "scheduler", "maglev")
            for b in ("10.2.1.2", "10.2.2.2"):
                net.lbadm("backend", "add", "tcp", "192.0.2.%d:80" % n, b)


@suite.case()
def connections_of_a_user(_net):
    """One ceiling, however many namespaces."""
    with ceilings(connections=40), user() as a, user() as b:
        for u in (a, b):
            ready_to_send(u)
            u.does("python3 %s 60" % SEND)
        active = [u.stat("active") for u in (a, b)]
        full = [u.stat("drop-table-full") + u.stat("drop-no-memory")
                for u in (a, b)]
        print("# connections %s, refused %s" % (active, full), flush=True)
        # Flows that nobody answers make room for others, and count until their
        # memory is free: so hardly ever are there as many as may be.
        assert 1 <= sum(active) <= 45, active
        a.does("%s service del udp 10.9.9.9:53" % TOOL)
        deadline = time.monotonic() + 20
        while b.stat("active") <= active[1] and b.stat("active") < 15:
            assert time.monotonic() < deadline, b.stat("active")
            b.does("python3 %s 60" % SEND)


@suite.case()
def listeners_hear_their_own(net):
    """Who listens for connections is known once a namespace: nobody makes new
    connections of others dearer, or hears of them."""
    vip = V4.at(V4.vip, 53)
    net.lbadm("service", "add", "udp", vip, "mode", "dnat")
    net.lbadm("backend", "add", "udp", vip, V4.at(V4.backends[0], 53))
    listen = "%s -j monitor connections" % TOOL
    heard = "grep -l connection-new $dir/* | wc -l"
    with user() as u:
        ready_to_send(u)
        u.does("dir=$(mktemp -d); for i in $(seq 16); do "
               "%s >$dir/$i & done" % listen)
        # Each of them asks once it has started.
        until(lambda: u.tries("timeout -s INT 0.5 " + listen)[1] == 2)
        said, _ = u.tries(listen)
        assert "16 programs of this network namespace" in said, said
        net.cl.send(V4.packet(V4.client, V4.vip) /
                    sc.UDP(sport=4000, dport=53) / b"x")
        net.rs[0].expect()
        u.does("python3 %s 1" % SEND)
        until(lambda: int(u.does(heard)) == 16)
        said = u.does("cat $dir/*; rm -r $dir")
        assert said.count("10.9.9.9") == 16 and V4.vip not in said, said
        u.does("kill %1")
        until(lambda: u.tries("timeout -s INT 0.5 " + listen)[1] != 2)
        u.does("kill $(jobs -p)")


@suite.case()
def the_key_of_hashes(_net):
    """128 bits, or what was a number; nobody but root reads it."""
    name = "net.nflb.hash_seed"
    key = "00112233445566778899aabbccddeeff"
    try:
        assert sysctl("lb", name) == "0" * 32
        for value, then in ((key, key), (key.upper(), key), (42, "%032x" % 42),
                            ("0xffffffff", "0" * 24 + "f" * 8)):
            sysctl("lb", name, value)
            assert sysctl("lb", name) == then, (value, then)
        for wrong in (key[1:], key + "0", key[:31] + "g", 1 << 32, "-1", "x",
                      "", key + key):
            try:
                sysctl("lb", name, "%s\n" % wrong)
            except OSError:
                continue
            assert not wrong, wrong
        assert sysctl("lb", name) == "0" * 24 + "f" * 8
        assert os.stat("/proc/sys/net/nflb/hash_seed").st_mode & 0o777 == 0o600
    finally:
        sysctl("lb", name, 0)


ONE = shared("one.py", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("10.9.9.9", 53))
""")


@suite.case()
def two_services_that_are_each_others_backend(_net):
    """One datagram goes round until its hops are used up."""
    with user() as u:
        u.does("ip link set lo up && ip addr add 10.9.9.9/32 dev lo && "
               "ip -6 addr add fd00::9/128 dev lo nodad && "
               "until [ -z \"$(ip -6 addr show dev lo tentative)\" ]; do sleep 0.05; done")
        for words in ("laddr add 10.7.0.1 ports 5000-5000",
                      "laddr add fd00::7 ports 5000-5000",
                      "service add udp 10.9.9.9:53 mode fullnat",
                      "backend add udp 10.9.9.9:53 [fd00::9]:53",
                      "service add udp [fd00::9]:53 mode fullnat",
                      "backend add udp [fd00::9]:53 10.9.9.9:53"):
            u.does("%s %s" % (TOOL, words))
        u.does("python3 %s" % ONE)
        packets, before = u.stat("packets-in"), None
        deadline = time.monotonic() + 20
        while packets != before or packets < 2:
            assert packets <= 300 and time.monotonic() < deadline, packets
            time.sleep(0.1)
            packets, before = u.stat("packets-in"), packets
        assert packets <= 300, packets


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
