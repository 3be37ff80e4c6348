#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default uml/fast
# offload: default fast xdp
# topology: none
"""UDP services that schedule each datagram by itself, packet by packet: datagrams of
one client port go to all backends, answers come from the VIP, and little is kept."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, LBADM, V4, Suite, arrived, counted,  # noqa: E402
                    run, sc, sysctl)
from tunnel import Outer  # noqa: E402

suite = Suite("one-packet")
LADDR = {f.name: f.lb[1] for f in FAMILIES}
NAT = [(f, mode) for f in FAMILIES for mode in ("dnat", "fullnat")]
DSR = [(f, encap) for f in FAMILIES for encap in ("none", "ipip", "gre", "gue")]


def setup(net, f, mode, *words, scheduler="rr"):
    vip = f.at(f.vip, 53)
    port = [] if mode == "dsr" else [8053]
    net.batch(["service add udp %s one-packet on scheduler %s mode %s %s" % (
        vip, scheduler, mode, " ".join(words))] + [
            "backend add udp %s %s" % (vip, f.at(b, *port) if port else b)
            for b in f.backends])
    if mode == "fullnat" and LADDR[f.name] not in net.lbadm("laddr", "show"):
        net.lbadm("laddr", "add", LADDR[f.name])


def ask(net, f, sport=4000, data=b"question", **kw):
    """A datagram of the client. Returns at which backend it arrived, and how."""
    net.cl.send(f.packet(f.client, f.vip, **kw) /
                sc.UDP(sport=sport, dport=53) / sc.Raw(data))
    rs, frame = arrived(net.rs, 3.0)
    assert frame, "nothing arrived"
    return rs, frame.check()


def reply(net, f, rs, got, data=b"answer"):
    """The backend answers what it got."""
    net.rs[rs].send(f.packet(got.dst, got.src) / sc.UDP(
        sport=got[sc.UDP].dport, dport=got[sc.UDP].sport) / sc.Raw(data))


def kept(net):
    return int(net.lbadm("connection", "count"))


@suite.case(*NAT)
def each_goes_by_itself(net, f, mode):
    """By turns, though all come from one port; and each backend's answer comes from
    the VIP."""
    setup(net, f, mode)
    went, ports = [], set()
    for n in range(8):
        rs, frame = ask(net, f, data=b"question %d" % n)
        got = frame.parse()
        went.append(rs)
        assert (got.dst, got[sc.UDP].dport) == (f.backends[rs], 8053)
        assert got.src == (LADDR[f.name] if mode == "fullnat" else f.client)
        assert bytes(got[sc.UDP].payload) == b"question %d" % n
        ports.add((rs, got[sc.UDP].sport))
        reply(net, f, rs, got, b"answer %d" % n)
        back = net.cl.expect().parse()
        assert (back.src, back.dst) == (f.vip, f.client)
        assert (back[sc.UDP].sport, back[sc.UDP].dport) == (53, 4000)
        assert bytes(back[sc.UDP].payload) == b"answer %d" % n
    assert went in ([0, 1] * 4, [1, 0] * 4), went
    # One connection for each backend, however many datagrams
    assert len(ports) == 2, ports
    assert kept(net) == 2, net.connections()
    assert not any(net.drops().values()), net.drops()
    shown = json.loads(net.lbadm("-j", "-s", "service", "show"))[0]
    assert shown["one-packet"] is True
    assert shown["stats"]["connections"] == 8, shown["stats"]


@suite.case(*[(f, mode, "none") for f, mode in NAT], *[(f, "dsr", e) for f, e in DSR])
def explained(net, f, mode, encap):
    """No connection would begin, and none is there after a packet either."""
    setup(net, f, mode, *(["encap", encap] if mode == "dsr" else []))
    words = "explain", "udp", f.at(f.client, 4000), f.at(f.vip, 53)
    for _ in range(2):
        text = net.lbadm(*words)
        assert "connection  none, each packet is scheduled separately (one-packet)" in \
            text, text
        assert "scheduler rr one-packet on\n" in text, text
        assert " picked by rr for this packet alone\n" in text, text
        answer = json.loads(net.lbadm("-j", *words))
        assert "connection" not in answer and answer["service"]["one-packet"], answer
        assert answer["verdict"] == "forward", answer
        rs, _ = ask(net, f)
        # The turn was not taken: the packet goes where it was said
        assert answer["picks"][0]["address"] == f.backends[rs], (answer, rs)
    net.lbadm("service", "set", "udp", f.at(f.vip, 53), "one-packet", "off")
    assert "none yet, this packet would begin it" in net.lbadm(
        "explain", "udp", f.at(f.client, 4001), f.at(f.vip, 53))


@suite.case(*DSR)
def nothing_is_kept(net, f, encap):
    setup(net, f, "dsr", "encap", encap)
    went = []
    for n in range(8):
        rs, frame = ask(net, f, data=b"question %d" % n)
        if encap != "none":
            frame = Outer(frame, encap, f, f).inner.check()
        got = frame.parse()
        assert (got.src, got.dst) == (f.client, f.vip)
        assert bytes(got[sc.UDP].payload) == b"question %d" % n
        went.append(rs)
    assert went in ([0, 1] * 4, [1, 0] * 4), went
    assert kept(net) == 0, net.connections()
    shown = json.loads(net.lbadm("-j", "-s", "service", "show"))[0]
    assert shown["stats"]["connections"] == 8, shown["stats"]
    assert shown["stats"]["packets-in"] == 8, shown["stats"]
    assert not any(net.drops().values()), net.drops()


@suite.case(*NAT)
def answers_in_any_order(net, f, mode):
    """Some questions, then the answers, several to one question."""
    setup(net, f, mode)
    asked = [ask(net, f, sport) for sport in (4000, 4000, 4001, 4001)]
    for n, (rs, frame) in enumerate(reversed(asked)):
        for part in range(3):
            reply(net, f, rs, frame.parse(), b"%d %d" % (n, part))
            back = net.cl.expect().parse()
            assert bytes(back[sc.UDP].payload) == b"%d %d" % (n, part)
            assert back.src == f.vip and back[sc.UDP].sport == 53
            assert back[sc.UDP].dport == (4001 if n < 2 else 4000)


@suite.case(*NAT)
def nobody_asked(net, f, mode):
    """What a backend sends to a client that did not ask it does not pass."""
    setup(net, f, mode)
    rs, frame = ask(net, f)
    got = frame.parse()
    other = 1 - rs
    src = f.backends[other]
    with counted(net, "late-reply"):
        net.rs[other].send(f.packet(src, f.client) / sc.UDP(
            sport=8053, dport=4000) / sc.Raw(b"unasked"))
        assert not net.cl.arrived()
    reply(net, f, rs, got)
    assert net.cl.expect()
    net.lbadm("connection", "flush")
    if mode == "dnat":
        with counted(net, "late-reply"):
            reply(net, f, rs, got)
            assert not net.cl.arrived()


@suite.case(*NAT)
def it_makes_room(net, f, mode):
    """Many clients in a small table: all are served, and who has a connection of TCP
    keeps it."""
    setup(net, f, mode)
    tcp = "tcp " + f.at(f.vip, 80)
    net.batch(["service add " + tcp,
               "backend add %s %s" % (tcp, f.at(f.backends[0], 8080))])
    seg = dict(sport=5000, dport=80, seq=1000)
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(flags="S", **seg))
    assert net.rs[0].expect()
    net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
        sport=8080, dport=5000, flags="SA", seq=7000, ack=1001))
    assert net.cl.expect()
    seg["seq"] = 1001
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(flags="A", ack=7001, **seg))
    assert net.rs[0].expect()
    old = sysctl("lb", "net.nflb.max_connections", 40)
    try:
        for sport in range(10000, 10120):
            rs, frame = ask(net, f, sport)
            if sport % 20 == 0:
                assert kept(net) <= 40
        reply(net, f, rs, frame.parse())
        assert net.cl.expect()
    finally:
        sysctl("lb", "net.nflb.max_connections", old)
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(flags="PA", ack=7001, **seg) /
                sc.Raw(b"still there"))
    got = net.rs[0].expect().parse()
    assert bytes(got[sc.TCP].payload).startswith(b"still there")


@suite.case(*NAT)
def it_does_not_last(net, f, mode):
    setup(net, f, mode, "timeout-udp 300")
    for _ in range(6):
        rs, frame = ask(net, f)
        reply(net, f, rs, frame.parse())
        assert net.cl.expect()
    for conn in net.connections():
        assert conn["expires"] <= 12, conn


@suite.case(*FAMILIES)
def turned_on_and_off(net, f):
    """What is known of a client stays until it times out or is flushed."""
    setup(net, f, "dnat")
    vip = "udp", f.at(f.vip, 53)
    assert {ask(net, f)[0] for _ in range(4)} == {0, 1}
    net.lbadm("service", "set", *vip, "one-packet", "off")
    assert len({ask(net, f)[0] for _ in range(6)}) == 1
    net.lbadm("service", "set", *vip, "one-packet", "on")
    assert len({ask(net, f)[0] for _ in range(6)}) == 1
    net.lbadm("connection", "flush", "service", *vip)
    assert {ask(net, f)[0] for _ in range(4)} == {0, 1}


@suite.case(*NAT)
def errors_of_backends(net, f, mode):
    """A backend has no server on that port: its client learns of it, from the VIP."""
    setup(net, f, mode)
    rs, frame = ask(net, f)
    got = frame.parse()
    error = sc.ICMPv6DestUnreach(code=4) if f.v6 else sc.ICMP(type=3, code=3)
    net.rs[rs].send(f.packet(got.dst, got.src) / error / bytes(got))
    back = net.cl.expect().parse()
    assert (back.src, back.dst) == (f.vip, f.client)
    inner = back[sc.IPerror6 if f.v6 else sc.IPerror]
    assert (inner.src, inner.dst) == (f.client, f.vip)
    assert inner.payload.dport == 53


@suite.case(*FAMILIES)
def by_hash_and_by_weight(net, f):
    """Schedulers that go by the client still do."""
    for name in ("source", "maglev-source", "hash"):
        setup(net, f, "dnat", scheduler=name)
        assert len({ask(net, f)[0] for _ in range(6)}) == 1, name
        net.flush()
    setup(net, f, "dnat", scheduler="wrr")
    vip = "udp", f.at(f.vip, 53)
    net.lbadm("backend", "set", *vip, f.at(f.backends[1], 8053), "weight", "3")
    went = [ask(net, f)[0] for _ in range(16)]
    assert went.count(1) == 12, went


@suite.case(*NAT)
def explained(net, f, mode):
    setup(net, f, mode)
    words = "udp", f.at(f.client, 4000), f.at(f.vip, 53)
    said = json.loads(net.lbadm("-j", "explain", *words))
    assert said["verdict"] == "forward", said
    assert kept(net) == 0
    rs, _ = ask(net, f)
    assert [p["address"] for p in said["picks"]] == [f.backends[rs]], said
    again = json.loads(net.lbadm("-j", "explain", *words))
    assert again["verdict"] == "forward", again
    assert [p["address"] for p in again["picks"]] == [f.backends[1 - rs]], again
    assert kept(net) == 1


@suite.case()
def what_does_not_go_together(net):
    f = V4
    for words, said in ((("tcp", f.at(f.vip, 80), "one-packet", "on"),
                         "one-packet needs udp"),
                        (("udp", f.at(f.vip, 80), "one-packet", "on", "persist", "60"),
                         "one-packet and persist exclude each other")):
        try:
            net.lbadm("service", "add", *words)
        except AssertionError as e:
            assert said in str(e) and "exit 2" in str(e), e
            continue
        raise AssertionError(words)


@suite.case()
def kept_in_a_file(net):
    setup(net, V4, "dnat")
    saved = net.lbadm("config", "save", "-")
    service = json.loads(saved)["services"][0]
    assert service["one-packet"] is True, service
    net.lbadm("service", "set", "udp", V4.at(V4.vip, 53), "one-packet", "off")
    assert "one-packet" not in net.lbadm("config", "save", "-")
    run(LBADM, "-n", "lb", "config", "apply", "-", input=saved)
    assert net.lbadm("config", "save", "-") == saved
    assert "one-packet on" in run("ip", "netns", "exec", "lb", "cat",
                                  "/proc/net/nflb/services")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
