#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default fast
# topology: none
"""Who says so: what forged and late segments do to connections in every mode
(nothing), and what a client or a backend that begins anew does."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import FAMILIES, V4, Suite, arrived, counted, run, sc  # noqa: E402

suite = Suite("proof")
M32 = 0xffffffff
FAR = 1 << 29
TWO_SIDED = ["dnat", "fullnat"]
MODES = TWO_SIDED + ["dsr"]
EACH = [(f, mode) for f in FAMILIES for mode in MODES]
BOTH = [(f, mode) for f in FAMILIES for mode in TWO_SIDED]


def setup(net, f, mode, backends=2, *words):
    vip = f.at(f.vip, 80)
    net.lbadm("service", "add", "tcp", vip, "mode", mode, "scheduler", "rr",
              *words)
    net.lbadm("laddr", "add", f.lb[1], check=False)
    for addr in f.backends[:backends]:
        net.lbadm("backend", "add", "tcp", vip,
                  addr if mode == "dsr" else f.at(addr, 8080))
    return vip


class Flow:
    """A TCP connection, segment by segment."""

    def __init__(self, net, f, mode, sport=4000):
        self.net, self.f, self.mode, self.sport = net, f, mode, sport
        self.rs, self.local = None, None
        self.seq, self.ack = 1 << 30, 3 << 30

    def client(self, flags, data=b"", **kw):
        """Returns which backend got it, or None."""
        kw = {"seq": self.seq, "ack": self.ack, **kw}
        for rs in self.net.rs:
            rs.flush()
        self.net.cl.send(self.f.packet(self.f.client, self.f.vip) / sc.TCP(
            sport=self.sport, dport=80, flags=flags, **kw) / sc.Raw(data))
        order = (0, 1) if not self.rs else (1, 0)
        i, frame = arrived([self.net.rs[i] for i in order], 1.0)
        if not frame:
            return None
        self.got = frame.check().parse()
        head = self.got[sc.TCP]
        if "S" in str(head.flags):
            self.local = (self.got.src, head.sport)
        return order[i]

    def half_open(self):
        """SYN and SYN-ACK, and not what acknowledges that."""
        self.rs = self.client("S", ack=0)
        self.seq += 1
        self.backend("SA")
        self.ack += 1
        return self

    def backend(self, flags, **kw):
        kw = {"seq": self.ack, "ack": self.seq, **kw}
        dst, dport = self.local
        self.net.cl.flush()
        self.net.rs[self.rs].send(self.f.packet(
            self.f.backends[self.rs], dst) / sc.TCP(
                sport=8080, dport=dport, flags=flags, **kw))
        return self.net.cl.receive(2.0)

    def open(self):
        self.rs = self.client("S", ack=0)
        assert self.rs is not None
        self.seq += 1
        if self.mode != "dsr":
            assert self.backend("SA")
        self.ack += 1
        assert self.client("A") == self.rs
        assert self.client("PA", b"x" * 10) == self.rs
        self.seq += 10
        return self

    def entry(self):
        found = [c for c in self.net.connections()
                 if c["client-port"] == self.sport]
        assert len(found) < 2
        return found[0] if found else None

    def state(self):
        entry = self.entry()
        return entry and entry["state"]


def alive(flow):
    """Established, with its whole timeout, and still at its backend."""
    assert flow.client("PA", b"y") == flow.rs, "moved"
    flow.seq += 1
    entry = flow.entry()
    assert entry["state"] == "established", entry["state"]
    assert entry["expires"] > 600, "expires in %d s" % entry["expires"]


@suite.case(*EACH)
def two_forged_segments(net, f, mode):
    """No pair of segments with numbers out of thin air ends or moves it."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    wrong = [(flow.seq + k * FAR) & M32 for k in range(1, 8)]
    for first in ("S", "A", "R", "FA", "SA"):
        for second in ("S", "R", "FA"):
            for seq in wrong[::3]:
                assert flow.client(first, seq=seq) == flow.rs
                assert flow.client(second, seq=(seq + 1) & M32) == flow.rs
                assert flow.client("A") == flow.rs
    alive(flow)
    assert len(net.connections()) == 1
    if mode != "dsr":
        for flags in ("R", "RA", "FA", "SA"):
            for seq in wrong:
                flow.backend(flags, seq=seq, ack=seq ^ FAR)
        alive(flow)


@suite.case(*EACH)
def right_segments_are_believed(net, f, mode):
    setup(net, f, mode)
    for sport, flags, state in ((4001, "R", "close"), (4002, "FA", "fin-wait")):
        flow = Flow(net, f, mode, sport).open()
        flow.client(flags)
        assert flow.state() == state
        assert flow.entry()["expires"] <= 120


@suite.case(*BOTH)
def handshake_needs_the_number(net, f, mode):
    """An ACK of who did not get the SYN-ACK establishes nothing."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).half_open()
    for off in (2, 1000, FAR, -FAR, 1 << 31):
        flow.client("A", ack=(flow.ack + off) & M32)
        flow.client("FA", ack=(flow.ack + off) & M32)
    assert flow.state() == "syn-recv"
    assert flow.entry()["expires"] <= 60
    flow.client("A")
    assert flow.state() == "established"


@suite.case(*FAMILIES)
def handshake_of_one_side(net, f):
    """Two segments of somebody who gets no answer live for a minute."""
    setup(net, f, "dsr")
    flow = Flow(net, f, "dsr")
    flow.rs = flow.client("S", ack=0)
    flow.client("A", seq=flow.seq + FAR)
    assert flow.state() == "syn-sent"
    flow.seq += 1
    flow.client("A")
    assert flow.state() == "established" and flow.entry()["expires"] <= 60
    flow.client("PA", b"x")
    assert flow.entry()["expires"] > 600


@suite.case(*FAMILIES)
def datagrams(net, f):
    """30 seconds until there is an answer and more; never beyond timeout-udp."""
    net.service(f, "udp", "53", 1)

    def expires():
        return net.connections()[0]["expires"]

    def ask():
        net.cl.send(f.packet(f.client, f.vip) / sc.UDP(sport=4000, dport=53))
        net.rs[0].expect()

    for _ in range(3):
        ask()
    assert expires() <= 30
    net.rs[0].send(f.packet(f.backends[0], f.client) / sc.UDP(
        sport=8080, dport=4000))
    net.cl.expect()
    assert expires() <= 30
    ask()
    assert expires() > 200


@suite.case(*BOTH)
def resets_that_were_none(net, f, mode):
    """Both sides go on after it: so it was forged by a lucky one."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    flow.client("R", seq=flow.seq + 7)
    assert flow.state() == "close"
    flow.client("PA", b"z")
    flow.seq += 1
    assert flow.state() == "close"
    assert flow.backend("A")
    alive(flow)
    # The same of a FIN: there are data beyond it
    flow.client("FA")
    assert flow.state() == "fin-wait"
    assert flow.client("PA", b"data beyond") == flow.rs
    flow.seq += 11
    alive(flow)


@suite.case(*EACH)
def late_syn_and_the_fast_path(net, f, mode):
    """A SYN that comes twice, or is forged, is forgotten by the next segment."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    for seq in (1 << 30, 12345, FAR):
        flow.client("S", seq=seq, ack=0)
        for _ in range(3):
            alive(flow)
        if seq != 1 << 30:
            flow.client("R", seq=seq + 1)
        alive(flow)


@suite.case(*BOTH)
def client_begins_anew(net, f, mode):
    """It crashed: it resets what the backend answers to its SYN, and its next
    SYN is a new connection."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    assert flow.client("S", seq=77, ack=0) == flow.rs
    got = flow.backend("A").parse()[sc.TCP]
    assert (got.seq, got.ack) == (flow.ack, flow.seq)
    assert flow.client("R") == flow.rs
    again = Flow(net, f, mode)
    again.seq = 77
    again.open()
    assert again.rs != flow.rs, "rr did not move on"
    alive(again)


@suite.case(*[(f, words) for f in FAMILIES
              for words in ("", "toa on", "proxy-protocol on")])
def backend_begins_anew(net, f, words):
    """It lost the connection, and accepts a SYN: numbers, TOA, and the header
    start again."""
    mode = "fullnat"
    setup(net, f, mode, 1, *words.split())
    flow = Flow(net, f, mode)
    header = 28 if not f.v6 else 52

    def through(isn, theirs):
        flow.seq, flow.ack = isn, theirs
        flow.rs = 0
        assert flow.client("S", ack=0) == 0
        got = flow.backend("SA", ack=isn + 1).parse()[sc.TCP]
        assert (got.seq, got.ack) == (theirs, isn + 1), (got.seq, got.ack)
        flow.seq, flow.ack = isn + 1, theirs + 1
        assert flow.client("A") == 0
        head = flow.got[sc.TCP]
        if words.startswith("proxy"):
            assert bytes(head.payload)[:4] == b"\r\n\r\n", "no header"
            assert head.seq == isn + 1
            flow.backend("A", ack=isn + 1 + header)
        elif words.startswith("toa"):
            assert head.dataofs > 5, "no TOA"
        assert flow.state() == "established"
        flow.client("PA", b"q" * 5)
        off = header if words.startswith("proxy") else 0
        assert flow.got[sc.TCP].seq == isn + 1 + off
        flow.seq += 5
        got = flow.backend("A", ack=flow.seq + off).parse()[sc.TCP]
        assert got.ack == flow.seq

    through(1 << 30, 3 << 30)
    through(1 << 28, 5 << 26)
    assert len(net.connections()) == 1
    alive(flow)


@suite.case(*BOTH)
def backend_resets_a_syn(net, f, mode):
    """It is up again, and knows of nothing: sequence number 0."""
    vip = setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    net.lbadm("backend", "set", "tcp", vip,
              f.at(f.backends[flow.rs], 8080), "weight", "0")
    assert flow.client("S", seq=99, ack=0) == flow.rs
    flow.backend("RA", seq=0, ack=FAR)
    assert flow.state() == "established"
    flow.backend("RA", seq=0, ack=100)
    assert flow.state() == "close"
    assert flow.client("S", seq=99, ack=0) == 1 - flow.rs


def until_moved(flow, seconds=15):
    """Send SYNs until one goes to another backend."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rs = flow.client("S", seq=99, ack=0)
        if rs == 1 - flow.rs:
            return True
        flow.net.cl.flush()
        time.sleep(0.2)
    return False


@suite.case(*[(f, mode, how) for f, mode in BOTH
              for how in ("weight", "drain", "del")])
def dead_backend_is_left(net, f, mode, how):
    """A client that always has the same port, and a backend that is silent."""
    vip = setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    words = {"weight": ("set", "weight", "0"), "drain": ("set", "state", "drain"),
             "del": ("del",)}[how]
    net.lbadm("backend", words[0], "tcp", vip,
              f.at(f.backends[flow.rs], 8080), *words[1:])
    assert flow.client("S", seq=99, ack=0) == flow.rs
    assert until_moved(flow)


@suite.case(*BOTH)
def live_client_is_not_moved(net, f, mode):
    """Asked because of forged SYNs, it answers, and stays."""
    vip = setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    net.lbadm("backend", "set", "tcp", vip,
              f.at(f.backends[flow.rs], 8080), "weight", "0")
    asked = 0
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert flow.client("S", seq=99, ack=0) == flow.rs
        frame = flow.net.cl.receive(0.3)
        if frame:
            head = frame.check().parse()[sc.TCP]
            assert (flow.seq - head.ack) & M32 < 1 << 18
            assert str(head.flags) == "A"
            assert (flow.ack - head.seq) & M32 < 1 << 20 and \
                head.seq != flow.ack
            asked += 1
            assert flow.client("A") == flow.rs
    assert asked >= 2, "asked %d times" % asked
    alive(flow)


@suite.case(*FAMILIES)
def icmp_quotes(net, f):
    """An error counts only when it quotes what was sent lately."""
    setup(net, f, "dnat")
    flow = Flow(net, f, "dnat").open()

    def error(src, dst, quoted):
        head = sc.ICMPv6DestUnreach(code=4) if f.v6 else \
            sc.ICMP(type=3, code=3)
        return f.packet(src, dst) / head / sc.Raw(bytes(quoted)[:200])

    def to_client(seq):
        net.cl.flush()
        net.rs[flow.rs].send(error(
            f.backends[flow.rs], f.client,
            f.packet(f.client, f.backends[flow.rs]) / sc.TCP(
                sport=4000, dport=8080, flags="PA", seq=seq & M32)))
        return net.cl.arrived()

    def to_backend(seq):
        net.rs[flow.rs].flush()
        net.cl.send(error(f.client, f.vip, f.packet(f.vip, f.client) / sc.TCP(
            sport=80, dport=4000, flags="PA", seq=seq & M32)))
        return net.rs[flow.rs].arrived()

    for send, at in ((to_client, flow.seq), (to_backend, flow.ack)):
        assert send(at) and send(at - 1000)
        for off in (FAR, 2 * FAR, -FAR, 1 << 26):
            with counted(net, "forged-error"):
                assert not send(at + off)
    alive(flow)


@suite.case(*BOTH)
def time_wait_and_syns(net, f, mode):
    """Beyond the last number it is new; before it, the backend decides."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    flow.client("FA")
    flow.seq += 1
    flow.backend("FA")
    flow.ack += 1
    flow.client("A")
    assert flow.state() == "time-wait"
    assert flow.client("S", seq=flow.seq - 1000, ack=0) == flow.rs
    assert flow.state() == "time-wait"
    assert flow.client("S", seq=flow.seq + 1000, ack=0) == 1 - flow.rs
    assert flow.state() == "syn-sent"


@suite.case(*FAMILIES)
def nothing_is_left(net, f):
    """Counts go back to zero, whatever was revived."""
    setup(net, f, "dnat")
    flow = Flow(net, f, "dnat").open()
    flow.client("R")
    flow.client("PA", b"1")
    flow.backend("A")
    assert flow.state() == "established"

    def active():
        return sum(b["stats"]["active"] for b in json.loads(
            net.lbadm("-j", "-s", "backend", "show", "tcp", f.at(f.vip, 80))))
    assert active() == 1
    net.lbadm("connection", "flush")
    assert active() == 0


@suite.case(*[(f, m) for f in FAMILIES for m in ("dnat", "fullnat")])
def challenge_ack_widens(net, f, mode):
    """The backend acknowledges again, without data; then a number 50,000 off."""
    setup(net, f, mode)
    flow = Flow(net, f, mode).half_open()
    flow.client("S", seq=flow.seq + (1 << 30), ack=0)
    flow.backend("A")
    for off in range(-60000, 60001, 40000):
        flow.client("A", ack=flow.ack + off)
    assert flow.state() == "syn-recv", "%s, expires in %s" % (
        flow.state(), flow.entry()["expires"])


def learn_mtu(net, dst, mtu, proto=17):
    """An error from one of the forger's addresses about what the host never sent:
    it asks for no socket."""
    l4 = sc.UDP(sport=9, dport=9, len=28) if proto == 17 else sc.ICMP(type=0)
    quoted = bytes(sc.IP(src="10.1.0.1", dst=dst) / l4 / sc.Raw(bytes(20)))
    net.cl.send(sc.IP(src="10.1.0.2", dst="10.1.0.1") /
                sc.ICMP(type=3, code=4, nexthopmtu=mtu) / sc.Raw(quoted[:48]))
    end = time.monotonic() + 3
    while " mtu " not in run("ip", "-n", "lb", "route", "get", dst):
        assert time.monotonic() < end, "the host did not learn it"


@suite.case(("dnat", 17), ("fullnat", 17), ("dnat", 1))
def a_path_mtu_that_the_host_learnt(net, mode, proto):
    """Below net.ipv4.route.min_pmtu, where the kernel's forwarding believes it;
    to a backend and to a client."""
    f = V4
    setup(net, f, mode)
    flow = Flow(net, f, mode).open()
    try:
        learn_mtu(net, f.backends[flow.rs], 500, proto)
        learn_mtu(net, f.client, 500, proto)
        assert flow.client("PA", bytes(1000)) == flow.rs
        assert len(flow.got[sc.TCP].payload) == 1000
        local, port = flow.local
        net.cl.flush()
        net.rs[flow.rs].send(sc.IP(
            src=f.backends[flow.rs], dst=local, flags="DF") / sc.TCP(
                sport=8080, dport=port, flags="PA", seq=flow.ack,
                ack=flow.seq) / sc.Raw(bytes(1000)))
        assert len(net.cl.expect().ip) > 1000
    finally:
        run("ip", "-n", "lb", "route", "flush", "cache")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
