#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default fast xdp
# topology: none
"""The connection table: states, timeouts, forged segments, limits, and what
becomes of connections when backends, routes and neighbours change."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, V4, Suite, arrived, counted, run, sc,  # noqa: E402
                    sysctl)

suite = Suite("state")


class Flow:
    """A TCP connection, segment by segment."""

    def __init__(self, net, f, sport=4000):
        self.net, self.f, self.sport, self.rs = net, f, sport, None
        self.seq, self.ack = 1 << 30, 3 << 30

    def client(self, flags, **kw):
        kw = {"seq": self.seq, "ack": self.ack, **kw}
        self.net.cl.send(self.f.packet(self.f.client, self.f.vip) / sc.TCP(
            sport=self.sport, dport=80, flags=flags, **kw))
        rs, frame = arrived(self.net.rs, 2.0)
        if frame:
            frame.check()
        return rs

    def backend(self, flags, **kw):
        kw = {"seq": self.ack, "ack": self.seq, **kw}
        self.net.rs[self.rs].send(self.f.packet(
            self.f.backends[self.rs], self.f.client) / sc.TCP(
                sport=8080, dport=self.sport, flags=flags, **kw))
        return self.net.cl.receive(2.0)

    def open(self):
        self.rs = self.client("S")
        assert self.rs is not None
        assert self.backend("SA")
        self.seq, self.ack = self.seq + 1, self.ack + 1
        assert self.client("A") == self.rs
        return self

    def state(self):
        found = [c for c in self.net.connections()
                 if c["client-port"] == self.sport]
        return found[0]["state"] if found else None


@suite.case(*FAMILIES)
def open_and_close(net, f):
    net.service(f)
    flow = Flow(net, f)
    flow.rs = flow.client("S")
    assert flow.state() == "syn-sent"
    flow.backend("SA")
    assert flow.state() == "syn-recv"
    flow.client("A")
    assert flow.state() == "established"
    flow.client("FA")
    assert flow.state() == "fin-wait"
    flow.backend("A")
    flow.backend("FA")
    assert flow.state() == "last-ack"
    flow.client("A")
    assert flow.state() == "time-wait"


@suite.case(*FAMILIES)
def backend_closes_first(net, f):
    net.service(f)
    flow = Flow(net, f).open()
    flow.backend("FA")
    assert flow.state() == "close-wait"
    assert flow.client("PA") == 0, "half closed is half open"
    flow.client("FA")
    assert flow.state() == "last-ack"


@suite.case(*FAMILIES)
def forged_segments(net, f):
    """A SYN or a RST with a sequence number out of thin air is passed on and
    changes nothing; the right RST ends the connection."""
    net.service(f)
    flow = Flow(net, f).open()
    flow.client("S", seq=12345)
    assert flow.state() == "established"
    for seq in (0, 0x10000000, 0x80000000, 0xf0000000):
        flow.client("R", seq=seq)
        flow.backend("R", seq=(seq + 5) & 0xffffffff)
    assert flow.state() == "established"
    left = net.connections()[0]["expires"]
    assert left > 60, "expires in %d s" % left
    flow.backend("R")
    assert flow.state() == "close"


@suite.case(*FAMILIES)
def refused_by_the_backend(net, f):
    net.service(f)
    flow = Flow(net, f)
    flow.rs = flow.client("S")
    flow.backend("RA", seq=0)
    assert flow.state() == "close"


@suite.case(*[(f, how) for f in FAMILIES for how in ("reset", "time-wait")])
def port_is_used_again(net, f, how):
    """A new SYN after the end is a new connection at once, scheduled anew."""
    net.service(f, "tcp", "80", 2)
    flow = Flow(net, f).open()
    first = flow.rs
    if how == "reset":
        flow.backend("R")
    else:
        flow.client("FA")
        flow.backend("FA")
        flow.client("A")
    again = Flow(net, f)
    again.seq += 1 << 20
    again.open()
    assert again.rs != first, "wrr did not move on"
    assert len(net.connections()) == 1


@suite.case(*FAMILIES)
def same_client_port_at_two_services(net, f):
    """Both VIPs lead to one backend port, and replies could not be told apart:
    the second is refused, counted, and does not disturb the first."""
    net.service(f)
    net.lbadm("service", "add", "tcp", f.at(f.vip, 81))
    net.lbadm("backend", "add", "tcp", f.at(f.vip, 81),
              f.at(f.backends[0], 8080))
    flow = Flow(net, f).open()
    with counted(net, "tuple-clash"):
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=4000, dport=81, flags="S"))
        assert net.rs[0].arrived() is None
    assert flow.client("PA") == 0 and flow.backend("A")


@suite.case(*FAMILIES)
def timeouts(net, f):
    net.service(f, "udp", "53", 1, "timeout-udp", "1")
    net.cl.send(f.packet(f.client, f.vip) / sc.UDP(sport=4000, dport=53))
    net.rs[0].expect()
    assert len(net.connections()) == 1
    end = time.monotonic() + 15
    while net.connections() and time.monotonic() < end:
        time.sleep(0.1)
    assert not net.connections()


@suite.case()
def table_full(net):
    """The ceiling holds under a flood, and what is established goes on."""
    net.service(V4)
    net.service(V4, "udp", "53")
    flow = Flow(net, V4).open()
    old = sysctl("lb", "net.nflb.max_connections", 1000)
    try:
        for i in range(2000):
            net.cl.send(V4.packet(V4.client, V4.vip) / sc.UDP(
                sport=5000 + i, dport=53))
        count = len(net.connections())
        # On a slow machine the first have timed out when the last come.
        assert 0 < count <= 1000, "%d connections" % count
        net.rs[0].flush()
        assert flow.client("PA") == 0
    finally:
        sysctl("lb", "net.nflb.max_connections", old)


@suite.case(*[(mode, f) for mode in ("dnat", "dsr") for f in FAMILIES])
def half_open_makes_room(net, mode, f):
    """A flood of SYNs that nobody follows up: who means it is served."""
    if mode == "dnat":
        net.service(f)
    else:
        net.lbadm("service", "add", "tcp", f.at(f.vip, 80), "mode", "dsr")
        net.lbadm("backend", "add", "tcp", f.at(f.vip, 80), f.backends[0])
    old = sysctl("lb", "net.nflb.max_connections", 1000)
    net.lbadm("stats", "zero")
    try:
        packet = bytearray(bytes(f.packet(f.client, f.vip) / sc.TCP(
            sport=1, dport=80, flags="S")))
        l4 = 40 if f.v6 else 20
        for i in range(4000):
            port = 5000 + i
            # Keep the TCP checksum right: the sequence number makes up.
            packet[l4:l4 + 2] = port.to_bytes(2, "big")
            packet[l4 + 6:l4 + 8] = (0xffff - port + 1).to_bytes(2, "big")
            net.cl.send(bytes(packet))
            if i == 2000:
                net.rs[0].flush()
                net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
                    sport=4000, dport=80, flags="S", seq=1))
                if mode == "dnat":
                    net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
                        sport=8080, dport=4000, flags="SA", seq=5, ack=2))
                for flags in ("A", "PA"):
                    # Without answers to look at, dsr wants a segment more
                    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
                        sport=4000, dport=80, flags=flags, seq=2, ack=6))
        found = net.connections()
        assert len(found) == 1000, "%d connections" % len(found)
        assert [c["state"] for c in found if c["client-port"] == 4000] == [
            "established"]
        stats = json.loads(net.lbadm("-j", "stats", "show"))
        evicted = stats["counters"]["half-open-evicted"]
        assert 2900 < evicted + stats["drops"]["table-full"] < 3100
        assert evicted > 2700, "%d made room" % evicted
    finally:
        sysctl("lb", "net.nflb.max_connections", old)


@suite.case(*FAMILIES)
def backend_goes(net, f):
    """drain keeps, del lets TCP run out and moves UDP, down and now end."""
    vip, b = f.at(f.vip, 80), [f.at(x, 8080) for x in f.backends]
    net.service(f, "tcp", "80", 2)
    flow = Flow(net, f).open()
    net.lbadm("backend", "drain", "tcp", vip, b[flow.rs])
    assert flow.client("PA") == flow.rs
    assert Flow(net, f, 4001).open().rs != flow.rs
    net.lbadm("backend", "enable", "tcp", vip, b[flow.rs])
    net.lbadm("backend", "del", "tcp", vip, b[flow.rs])
    assert flow.client("PA") == flow.rs
    net.lbadm("backend", "add", "tcp", vip, b[flow.rs])
    net.lbadm("backend", "set", "tcp", vip, b[flow.rs], "state", "down")
    other = Flow(net, f, 4002).open()
    assert other.rs != flow.rs
    net.lbadm("backend", "del", "tcp", vip, b[other.rs], "now")
    # Both sides are asked for their sequence numbers (56-lifecycle).
    time.sleep(0.5)
    for port in (net.cl, *net.rs):
        port.flush()
    assert other.client("PA") is None
    got = net.cl.receive(1.0)
    assert got and got.parse()[sc.TCP].flags & 4, "no RST"


@suite.case(*FAMILIES)
def udp_moves_on(net, f):
    net.service(f, "udp", "80", 2)
    packet = f.packet(f.client, f.vip) / sc.UDP(sport=4000, dport=80)

    def sent_to():
        net.cl.send(packet)
        return arrived(net.rs)[0]
    first = sent_to()
    assert [sent_to(), sent_to()] == [first, first]
    net.lbadm("backend", "del", "udp", f.at(f.vip, 80),
              f.at(f.backends[first], 8080))
    assert sent_to() == 1 - first


@suite.case(*FAMILIES)
def neighbour_changes(net, f):
    """The backend's MAC changes: the next packet goes to the new one."""
    net.service(f)
    flow = Flow(net, f).open()
    mac = "02:00:00:00:00:42"
    net.neighbour(f.backends[0], mac, "l1")
    try:
        run("ip", "-n", "rs1", "link", "set", "r0", "promisc", "on")
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=4000, dport=80, flags="PA", seq=flow.seq, ack=flow.ack))
        frame = net.rs[0].expect()
        assert frame.data[:6] == bytes.fromhex(mac.replace(":", ""))
    finally:
        net.neighbour(f.backends[0], net.rs[0].mac, "l1")


@suite.case(*FAMILIES)
def route_changes(net, f):
    """The route to the backend moves to another device: so do packets."""
    net.service(f)
    flow = Flow(net, f).open()
    net.neighbour(f.backends[0], net.rs[1].mac, "l2")
    size = "128" if f.v6 else "32"
    run("ip", "-n", "lb", "route", "replace", f.backends[0] + "/" + size,
        "dev", "l2")
    try:
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=4000, dport=80, flags="PA", seq=flow.seq, ack=flow.ack))
        net.rs[1].expect()
        assert net.rs[0].arrived() is None
    finally:
        run("ip", "-n", "lb", "route", "del", f.backends[0] + "/" + size)


@suite.case(*FAMILIES)
def route_goes_and_comes(net, f):
    net.service(f)
    flow = Flow(net, f).open()
    run("ip", "-n", "lb", "link", "set", "l1", "down")
    with counted(net, "no-route"):
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=4000, dport=80, flags="PA", seq=flow.seq, ack=flow.ack))
        assert net.rs[0].arrived() is None
    run("ip", "-n", "lb", "link", "set", "l1", "up")
    # IPv6 addresses and all neighbours went with the link.
    for g in FAMILIES:
        run("ip", "-n", "lb", "addr", "replace", "%s/%d" % (g.lb[1], g.prefix),
            "dev", "l1", *(["nodad"] if g.v6 else []))
        net.neighbour(g.backends[0], net.rs[0].mac, "l1")
    end = time.monotonic() + 5
    while flow.client("PA") is None:
        assert time.monotonic() < end, "no packet after the link came back"


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
