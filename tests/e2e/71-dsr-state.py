#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# topology: none
# offload: default fast xdp
"""Mode dsr: what the table says of connections of which it sees one side, and
what becomes of them when backends and neighbours change."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, V4, Suite, arrived, counted, mac_of, run,  # noqa: E402
                    sc, sysctl)

suite = Suite("dsr-state")


# Seconds after which a client that still has a connection would have been heard
QUIET = 2.5


class Client:
    """A connection, of which the balancer sees what the client sends."""

    def __init__(self, net, f, sport=4000, seq=1 << 30, ack=3 << 30):
        self.net, self.f, self.sport = net, f, sport
        self.seq, self.ack = seq, ack

    def send(self, flags, **kw):
        """Returns which backend got it, or None."""
        kw = {"seq": self.seq, "ack": self.ack, **kw}
        self.net.cl.send(self.f.packet(self.f.client, self.f.vip) / sc.TCP(
            sport=self.sport, dport=80, flags=flags, **kw))
        return arrived(self.net.rs, 2.0)[0]

    def open(self):
        rs = self.send("S")
        assert rs is not None
        self.seq += 1
        assert self.send("A") == rs
        return rs

    def state(self):
        found = [c for c in self.net.connections()
                 if c["client-port"] == self.sport]
        return found[0]["state"] if found else None


def setup(net, f, backends=2, *words):
    vip = f.at(f.vip, 80)
    net.lbadm("service", "add", "tcp", vip, "mode", "dsr", "scheduler", "rr",
              *words)
    for addr in f.backends[:backends]:
        net.lbadm("backend", "add", "tcp", vip, addr)
    return vip


@suite.case(*FAMILIES)
def one_side_is_enough(net, f):
    setup(net, f)
    client = Client(net, f)
    rs = client.send("S")
    assert client.state() == "syn-sent"
    client.seq += 1
    assert client.send("A") == rs and client.state() == "established"
    assert client.send("FA") == rs and client.state() == "fin-wait"
    # It may still receive. It acknowledges that, so a SYN is not believed before
    # it was silent for a while
    client.seq += 100000
    assert client.send("S") == rs and client.state() == "fin-wait"
    time.sleep(QUIET)
    # It closed, and comes again: a new connection, so the next backend
    assert client.send("S") == 1 - rs and client.state() == "syn-sent"
    assert len(net.connections()) == 1


@suite.case(*FAMILIES)
def begun_anew_while_established(net, f):
    """The server reset it, unseen; its client comes again at once."""
    setup(net, f)
    client = Client(net, f)
    rs = client.open()
    client.seq, client.ack = 77, 88
    assert client.send("S") == rs
    client.seq += 1
    assert client.send("A") == rs and client.state() == "established"
    assert client.send("PA") == rs and client.state() == "established"


@suite.case(*FAMILIES)
def made_up_from_the_first_number(net, f):
    """Who knows no number begins with one of his own. What he sends after that
    goes to the backend, which knows better, and changes nothing here."""
    setup(net, f)
    client = Client(net, f)
    rs = client.open()
    forger = Client(net, f, seq=77, ack=88)
    for flags in ("R", "FA", "RA"):
        assert forger.send("S") == rs
        forger.seq += 1
        assert forger.send("A") == rs and forger.send("PA") == rs
        assert forger.send(flags) == rs and client.state() == "established"
        time.sleep(QUIET)
        forger.seq += 100000
        assert forger.send("S") == rs and client.state() == "established"
        assert net.connections()[0]["expires"] > 60
        # The client was asked, and still has it
        assert client.send("A") == rs and client.state() == "established"
        time.sleep(QUIET)


@suite.case(*FAMILIES)
def forged_segments(net, f):
    setup(net, f)
    client = Client(net, f)
    rs = client.open()
    for seq in (5, 1 << 31, client.seq + (4 << 20)):
        assert client.send("R", seq=seq) == rs
        assert client.state() == "established"
    # A lucky one is forgotten when the client goes on
    client.send("R", seq=client.seq + 5)
    assert client.state() == "close"
    assert client.send("A") == rs and client.state() == "established"
    # A SYN changes neither the backend nor the timeout
    assert client.send("S", seq=9999) == rs
    assert client.state() == "established"
    assert net.connections()[0]["expires"] > 60
    assert client.send("PA") == rs


@suite.case(*FAMILIES)
def a_backend_that_leaves(net, f):
    """Who comes again from the same port gets another backend once its old
    connection is over: it closed, or resets what it is asked about."""
    vip = setup(net, f)
    for sport, words in ((4001, ("set", "weight", "0")),
                         (4002, ("set", "state", "drain")),
                         (4003, ("del",))):
        client = Client(net, f, sport)
        rs = client.open()
        net.lbadm("backend", words[0], "tcp", vip, f.backends[rs], *words[1:])
        # What is established goes on
        assert client.send("PA") == rs
        client.seq += 5000000
        time.sleep(QUIET)
        net.cl.flush()
        assert client.send("S") == rs and client.state() == "established"
        asked = net.cl.expect().parse()[sc.TCP]
        assert asked.flags == "A"
        assert client.send("R", seq=asked.ack) == rs
        assert client.send("S") == 1 - rs
        if words[0] == "set":
            net.lbadm("backend", "set", "tcp", vip, f.backends[rs], "weight",
                      "1", "state", "up")
        else:
            net.lbadm("backend", "add", "tcp", vip, f.backends[rs])


@suite.case(*FAMILIES)
def a_backend_that_goes_down(net, f):
    """Its clients are reset with numbers that they believe."""
    vip = setup(net, f, 1)
    client = Client(net, f)
    client.open()
    net.lbadm("backend", "set", "tcp", vip, f.backends[0], "state", "down")
    with counted(net, "no-connection"):
        assert client.send("PA") is None
        while True:
            got = net.cl.expect().parse()[sc.TCP]
            if "R" in got.flags:
                break
    assert (got.sport, got.dport, got.seq) == (80, 4000, client.ack)


@suite.case(*FAMILIES)
def a_neighbour_that_moves(net, f):
    setup(net, f, 1)
    client = Client(net, f)
    client.send("S")
    other = "02:00:00:00:00:99"
    net.neighbour(f.backends[0], other, "l1")
    client.net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags="A"))
    frame = net.rs[0].expect()
    assert frame.data[:6] == bytes.fromhex(other.replace(":", ""))
    assert frame.data[6:12] == bytes.fromhex(
        mac_of("lb", "l1").replace(":", ""))
    net.neighbour(f.backends[0], net.rs[0].mac, "l1")


@suite.case(*FAMILIES)
def a_route_that_moves(net, f):
    """From the next packet on, a tunnel takes the new way."""
    far = "2001:db8:77::1" if f.v6 else "10.77.0.1"
    run("ip", "-n", "lb", "route", "replace", far, "via", f.backends[0])
    vip = f.at(f.vip, 80)
    net.lbadm("service", "add", "tcp", vip, "mode", "dsr", "encap", "gre")
    net.lbadm("backend", "add", "tcp", vip, far)
    client = Client(net, f)
    assert client.open() == 0
    run("ip", "-n", "lb", "route", "replace", far, "via", f.backends[1])
    assert client.send("PA") == 1
    run("ip", "-n", "lb", "route", "del", far)
    with counted(net, "no-route"):
        assert client.send("PA") is None


@suite.case(*FAMILIES)
def frames_for_others(net, f):
    """What a switch floods is not the balancer's."""
    setup(net, f, 1)
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags="S"), dst="02:00:00:00:00:77")
    assert not net.rs[0].arrived()
    assert not net.connections()


@suite.case(*[(f, r) for f in FAMILIES for r in (0, 1)])
def asked_in_vain(net, f, reject):
    """Nobody is asked (net.nflb.reject), or the client drops a question without a
    timestamp (RFC 7323, section 3.2)."""
    old = sysctl("lb", "net.nflb.reject", reject)
    try:
        setup(net, f)
        client = Client(net, f)
        rs = client.open()
        client.send("PA")
        for seq in (77, 78, 79):
            time.sleep(QUIET)
            assert client.send("S", seq=seq) == rs
        assert client.send("PA") == rs and client.state() == "established"
    finally:
        sysctl("lb", "net.nflb.reject", old)


@suite.case(1300, 500)
def a_path_mtu_that_the_host_learnt(net, mtu):
    """Whatever it is, a tunnel keeps room for 1280 bytes."""
    vip = V4.at(V4.vip, 80)
    net.lbadm("service", "add", "tcp", vip, "mode", "dsr", "encap", "ipip")
    net.lbadm("backend", "add", "tcp", vip, V4.backends[0])
    client = Client(net, V4)
    client.open()
    quoted = bytes(sc.IP(src="10.1.0.1", dst=V4.backends[0]) /
                   sc.UDP(sport=9, dport=9, len=28) / sc.Raw(bytes(20)))
    try:
        net.cl.send(sc.IP(src="10.1.0.2", dst="10.1.0.1") /
                    sc.ICMP(type=3, code=4, nexthopmtu=mtu) /
                    sc.Raw(quoted[:48]))
        end = time.monotonic() + 3
        while " mtu " not in run("ip", "-n", "lb", "route", "get",
                                 V4.backends[0]):
            assert time.monotonic() < end, "the host did not learn it"
        net.rs[0].flush()
        net.cl.send(sc.IP(src=V4.client, dst=V4.vip, flags="DF") / sc.TCP(
            sport=4000, dport=80, flags="PA", seq=client.seq,
            ack=client.ack) / sc.Raw(bytes(1200)))
        assert len(net.rs[0].expect().ip) > 1240
    finally:
        run("ip", "-n", "lb", "route", "flush", "cache")


def replies_here(net):
    return json.loads(net.lbadm("-j", "stats", "show"))["counters"][
        "dsr-reply-here"]


@suite.case(*FAMILIES)
def reply_comes_here(net, f):
    """A backend's route to its client leads through the balancer: counted, and
    explained. Whatever else comes from a VIP is not, nor what is made up."""
    setup(net, f)
    client = Client(net, f)

    def reply(dport=4000, sport=80, src=f.vip):
        before = replies_here(net)
        net.rs[rs].send(f.packet(src, f.client) / sc.TCP(
            sport=sport, dport=dport, flags="SA", seq=7, ack=client.seq + 1))
        for _ in range(20):
            counted_now = replies_here(net) - before
            if counted_now:
                break
            time.sleep(0.05)
        return counted_now

    rs = client.send("S")
    assert reply() == 1
    assert reply(dport=4001) == 0, "no connection"
    assert reply(sport=81) == 0, "another port"
    assert reply(src=f.backends[0]) == 0, "no VIP"
    assert client.open() is not None and reply() == 1
    words = ["explain", "tcp", f.at(f.vip, 80), f.at(f.client, 4000), "device",
             "l%d" % (rs + 1)]
    before = replies_here(net)
    answer = json.loads(net.lbadm("-j", *words))
    assert answer["dsr-reply-here"] is True and answer["verdict"] == "pass"
    assert "must not lead through the balancer" in net.lbadm(*words)
    assert replies_here(net) == before, "explained ones are not counted"
    words[3] = f.at(f.client, 4001)
    assert "dsr-reply-here" not in net.lbadm("-j", *words)
    # The client's packets are as ever.
    assert client.send("PA") == rs
    net.lbadm("service", "del", "tcp", f.at(f.vip, 80))
    assert reply() == 0


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
