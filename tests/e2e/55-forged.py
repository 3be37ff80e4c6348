#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default fast xdp
# topology: none
"""Packets whose source is a lie, segments whose numbers are, and users who may
not look: nothing is answered, nothing changes, nothing is shown."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import FAMILIES, V4, Suite, counted, netns, run, sc  # noqa: E402

suite = Suite("forged")


def bad_sources(f):
    """What no packet that arrives at the balancer may come from."""
    common = [f.lb[0], f.lb[1]]
    if f.v6:
        return common + ["::", "::1", "ff02::1"]
    return common + ["10.1.0.255", "10.2.1.255", "255.255.255.255",
                     "0.0.0.0", "127.0.0.1", "224.0.0.1"]


def drained(port):
    """All that still arrives."""
    frames = []
    while True:
        frame = port.arrived()
        if not frame:
            return frames
        frames.append(frame)


# The host itself drops some of these before the hook: IPv6 has no echo to see.
@suite.case(*[(f, p) for f in FAMILIES for p in ("tcp", "udp")])
def bad_source(net, f, proto):
    net.service(f, proto)
    head = {"tcp": sc.TCP(sport=4000, dport=80, flags="S"),
            "udp": sc.UDP(sport=4000, dport=80)}[proto]
    for src in bad_sources(f):
        net.cl.send(f.packet(src, f.vip) / head)
        got = drained(net.rs[0]) + drained(net.cl)
        assert not got, "from %s: %s" % (src, got[0].parse().summary())
        assert not net.connections(), "a connection from " + src
    with counted(net, "bad-source"):
        net.cl.send(f.packet(f.lb[0], f.vip) / head)
        assert not net.rs[0].arrived()
    net.cl.send(f.packet(f.client, f.vip) / head)
    net.rs[0].expect()


@suite.case(*FAMILIES)
def an_address_that_comes_and_goes(net, f):
    """A source is refused from when the balancer has it, until it has it not."""
    net.service(f, "udp", 80)
    many = ["2001:db8:1::%x" % i if f.v6 else "10.1.0.%d" % i
            for i in range(100, 140)]
    head = sc.UDP(sport=4000, dport=80)
    length = "/128" if f.v6 else "/32"
    nodad = ["nodad"] if f.v6 else []

    def arrives(src):
        net.lbadm("connection", "flush")
        net.cl.send(f.packet(src, f.vip) / head)
        return bool(net.rs[0].arrived())

    assert arrives(many[0])
    for own in (many[1], many[17], many[39]):
        run("ip", "-n", "lb", "addr", "add", own + length, "dev", "lo", *nodad)
        assert not arrives(own), own
        run("ip", "-n", "lb", "addr", "del", own + length, "dev", "lo")
        assert arrives(own), own
    # More addresses than the filter of IPv4 is good for
    others = ["2001:db8:77::%x" % i if f.v6 else "10.77.%d.%d" % (i >> 8, i & 255)
              for i in range(1, 400)]
    try:
        subprocess.run(["ip", "-n", "lb", "-b", "-"], text=True, check=True, input="".join(
            "addr add %s%s dev lo %s\n" % (a, length, " ".join(nodad)) for a in others))
        assert not arrives(others[7]) and not arrives(others[390])
        assert arrives(many[5])
    finally:
        run("ip", "-n", "lb", "addr", "flush", "dev", "lo", "to",
            "2001:db8:77::/64" if f.v6 else "10.77.0.0/16")
    assert arrives(others[7])
    if not f.v6:
        # More devices than are looked through for it
        subprocess.run(["ip", "-n", "lb", "-b", "-"], text=True, check=True, input="".join(
            "link add br%d group 77 type bridge\n" % i for i in range(520)) +
            "addr add 10.78.0.1/32 dev br519\n")
        assert not arrives("10.78.0.1")
        assert arrives(many[5])
        run("ip", "-n", "lb", "link", "del", "group", "77")
        assert arrives("10.78.0.1")
        run("ip", "-n", "lb", "route", "add", "local", many[6], "dev", "lo")
        assert not arrives(many[6])
        run("ip", "-n", "lb", "route", "del", "local", many[6], "dev", "lo")


@suite.case(*FAMILIES)
def echo_from_a_bad_source(net, f):
    """No reply goes to all hosts of a network, or to the balancer itself."""
    net.service(f)
    for src in bad_sources(f):
        request = sc.ICMPv6EchoRequest(id=7, data=b"x" * 40) if f.v6 else \
            sc.ICMP(type=8, id=7) / sc.Raw(b"x" * 40)
        net.cl.send(f.packet(src, f.vip) / request)
        got = drained(net.cl) + drained(net.rs[0])
        assert not got, "to %s: %s" % (src, got[0].parse().summary())


def opened(net, f):
    """An established connection, its next sequence numbers noted."""
    net.service(f)
    seq, ack = 1 << 30, 3 << 30

    def client(flags, **kw):
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=4000, dport=80, flags=flags,
            **{"seq": seq + 1, "ack": ack + 1, **kw}))
        return net.rs[0].receive(2.0)

    assert client("S", seq=seq, ack=0)
    net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
        sport=8080, dport=4000, flags="SA", seq=ack, ack=seq + 1))
    assert net.cl.receive(2.0) and client("A")
    return client, seq, ack


def state(net):
    return net.connections()[0]["state"]


@suite.case(*FAMILIES)
def forged_ack_then_reset(net, f):
    """Segments with numbers out of thin air do not make a reset believed."""
    client, seq, ack = opened(net, f)
    for k in range(1, 8):
        wrong = (seq + k * (1 << 29)) & 0xffffffff
        assert client("A", seq=wrong)
        assert client("R", seq=wrong)
        assert client("A", seq=wrong, ack=(ack + (1 << 29)) & 0xffffffff)
        assert client("R", seq=wrong)
    assert state(net) == "established"
    assert client("R")
    assert state(net) == "close"


@suite.case(*FAMILIES)
def reset_after_much_data(net, f):
    """What really was sent moves the window along, lost segments included."""
    client, seq, _ = opened(net, f)
    at = seq + 1
    for step in (1000, 65000, 400000, 3 << 20, 1000, 20 << 20, 60000):
        at = (at + step) & 0xffffffff
        assert client("A", seq=at)
    # A retransmission does not move it back.
    assert client("A", seq=at - (1 << 20))
    assert client("R", seq=at)
    assert state(net) == "close"


@suite.case()
def users_may_not_look(net):
    """Who talks to whom is for the administrator: netlink as well as /proc."""
    net.service(V4)
    net.cl.send(V4.packet(V4.client, V4.vip) / sc.TCP(
        sport=4000, dport=80, flags="S"))
    net.rs[0].expect()
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534",
                 "--clear-groups"]
    lbadm = os.environ.get("LBADM", "lbadm")
    for words in (["connection", "show"], ["connection", "count"],
                  ["connection", "flush"], ["monitor", "connections"],
                  ["service", "del", "tcp", V4.at(V4.vip, 80)]):
        with netns("lb"):
            r = subprocess.run(as_nobody + [lbadm] + words, text=True,
                               capture_output=True, timeout=10)
        assert r.returncode == 3, "%s: exit %d %s" % (
            words, r.returncode, r.stdout)
        assert V4.client not in r.stdout and "permission" in r.stderr.lower(), r
    with netns("lb"):
        r = subprocess.run(as_nobody + ["cat", "/proc/net/nflb/connections"],
                           text=True, capture_output=True)
        assert r.returncode and not r.stdout
        r = subprocess.run(as_nobody + [lbadm, "service", "show"], text=True,
                           capture_output=True)
    assert r.returncode == 0 and V4.vip in r.stdout, r


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
