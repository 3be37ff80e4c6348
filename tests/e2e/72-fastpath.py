#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default xdp
# topology: none
"""The fast path of devices: what it takes, what it leaves to the stack, and that
the wire shows no difference. The counters "fast-path" and "xdp" tell which it was."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, LBADM, V4, V6, Suite, mac_of, netns, run,  # noqa: E402
                    sc, translated)

suite = Suite("fastpath")
ATOMIC = {V4: {"flags": "DF"}, V6: {}}
DEVICES = ["l0", "l1", "l2"]


def attached(net):
    return sorted(d["device"] for d in json.loads(
        net.lbadm("-j", "device", "show")))


def attach(net):
    for dev in DEVICES:
        if dev not in attached(net):
            net.lbadm("device", "add", dev)


def taken(net):
    def find(x):
        if isinstance(x, dict):
            return x["fast-path"] + x["xdp"] if "fast-path" in x else sum(
                map(find, x.values()))
        return 0
    return find(json.loads(net.lbadm("-j", "stats", "show")))


def udp(f, payload=b"question", sport=4000, **kw):
    return f.packet(f.client, f.vip, **kw) / sc.UDP(
        sport=sport, dport=80) / sc.Raw(payload)


def answer(f, payload=b"answer"):
    # Atomic: without DF, what leaves as the VIP's has another identification.
    return f.packet(f.backends[0], f.client, **ATOMIC[f]) / sc.UDP(
        sport=8080, dport=4000) / sc.Raw(payload)


def tcp(f, flags, seq=1000, ack=5000, payload=b""):
    return f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags=flags, seq=seq, ack=ack) / sc.Raw(payload)


def tcp_answer(f, flags, seq=5000, ack=1000, payload=b""):
    return f.packet(f.backends[0], f.client, **ATOMIC[f]) / sc.TCP(
        sport=8080, dport=4000, flags=flags, seq=seq,
        ack=ack) / sc.Raw(payload)


def out(f, packet):
    return translated(packet, f, dst=f.backends[0], dport=8080)


def goes(net, f, packet, fast, **how):
    """It reaches the backend, rewritten, by the fast path or not."""
    before = taken(net)
    net.cl.send(packet, **how)
    assert net.rs[0].expect().ip == out(f, packet)
    assert taken(net) - before == fast, "by the other path"


def either(net, f, packet):
    """The routes may have to be looked up again, or not."""
    net.cl.send(packet)
    assert net.rs[0].expect().ip == out(f, packet)


def comes(net, f, packet, fast):
    before = taken(net)
    net.rs[0].send(packet)
    assert net.cl.expect().ip == translated(packet, f, src=f.vip, sport=80)
    assert taken(net) - before == fast, "by the other path"


def known(net, f):
    """A flow that the fast path takes."""
    attach(net)
    net.service(f, "udp")
    goes(net, f, udp(f), 0)
    goes(net, f, udp(f), 1)


def nothing(net, packet, **how):
    before = taken(net)
    net.cl.send(packet, **how)
    for port in (*net.rs, net.cl):
        assert port.arrived() is None, "something arrived at " + port.name
    assert taken(net) == before


@suite.case(*FAMILIES)
def udp_both_ways(net, f):
    known(net, f)
    comes(net, f, answer(f), 0)    # the route back is not known yet
    comes(net, f, answer(f), 1)
    goes(net, f, udp(f, b""), 1)
    goes(net, f, udp(f, b"x" * 1400), 1)


@suite.case(*FAMILIES)
def tcp_but_for_its_ends(net, f):
    attach(net)
    net.service(f)
    goes(net, f, tcp(f, "S", 999, 0), 0)
    comes(net, f, tcp_answer(f, "SA", 4999), 0)
    goes(net, f, tcp(f, "A"), 0)
    goes(net, f, tcp(f, "PA", payload=b"x" * 100), 1)
    comes(net, f, tcp_answer(f, "PA", payload=b"y" * 100), 1)
    # Much at once: the state follows on the fast path too
    goes(net, f, tcp(f, "PA", 1000 + (1 << 17), payload=b"x"), 1)
    goes(net, f, tcp(f, "FA", 1001 + (1 << 17)), 0)
    comes(net, f, tcp_answer(f, "FA", 5100, 1002 + (1 << 17)), 0)
    assert net.connections()[0]["state"] == "last-ack"


@suite.case(*FAMILIES)
def forged_address_is_removed(net, f):
    attach(net)
    net.service(f)
    goes(net, f, tcp(f, "S", 999, 0), 0)
    comes(net, f, tcp_answer(f, "SA", 4999), 0)
    goes(net, f, tcp(f, "A"), 0)
    forged = f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags="PA", seq=1000, ack=5000,
        options=[(254, b"\x04\xd2\1\2\3\4")]) / sc.Raw(b"x")
    before = taken(net)
    net.cl.send(forged)
    got = net.rs[0].expect()
    assert got.parse()[sc.TCP].options == [("NOP", None)] * 8
    assert taken(net) == before + 1


@suite.case(*FAMILIES)
def fullnat(net, f):
    attach(net)
    net.lbadm("laddr", "add", f.lb[1])
    try:
        net.service(f, "udp", "80", 1, "mode", "fullnat")
        for fast in (0, 1):
            before = taken(net)
            net.cl.send(udp(f))
            got = net.rs[0].expect().parse()
            assert (got.src, got.dst, got.dport) == (
                f.lb[1], f.backends[0], 8080)
            assert taken(net) - before == fast
        for fast in (0, 1):
            before = taken(net)
            net.rs[0].send(f.packet(f.backends[0], f.lb[1]) / sc.UDP(
                sport=8080, dport=got.sport) / sc.Raw(b"answer"))
            back = net.cl.expect().parse()
            assert (back.src, back.sport, back.dst, back.dport) == (
                f.vip, 80, f.client, 4000)
            assert taken(net) - before == fast
    finally:
        net.flush()
        net.lbadm("laddr", "del", f.lb[1])


@suite.case(*[(f, e) for f in FAMILIES
              for e in ("none", "ipip", "gre", "gue")])
def dsr(net, f, encap):
    attach(net)
    vip = f.at(f.vip, 80)
    net.lbadm("service", "add", "udp", vip, "mode", "dsr", "encap", encap)
    net.lbadm("backend", "add", "udp", vip, f.backends[0])
    frames = []
    for fast in (0, 1, 1):
        before = taken(net)
        net.cl.send(udp(f))
        frame = net.rs[0].expect()
        # An skb's outer checksum may be left to the device, a frame's is complete.
        frames.append(bytes(frame.ip[:46] + frame.ip[48:]) if f.v6 and encap == "gue"
                      else frame.ip)
        assert taken(net) - before == fast
    if f.v6 or encap == "none":
        assert frames[0] == frames[1] == frames[2]
    else:    # but for the name of each packet, and its checksum
        assert frames[0][:4] == frames[1][:4] == frames[2][:4]
        assert frames[0][12:] == frames[1][12:] == frames[2][12:]


@suite.case(*FAMILIES)
def last_hop(net, f):
    known(net, f)
    before = taken(net)
    net.cl.send(udp(f, ttl=1))
    got = net.cl.expect().parse()
    assert got.haslayer(sc.ICMPv6TimeExceeded if f.v6 else sc.ICMP)
    assert net.rs[0].arrived() is None
    assert taken(net) == before


@suite.case(*FAMILIES)
def too_long(net, f):
    known(net, f)
    run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1400")
    try:
        either(net, f, udp(f))
        goes(net, f, udp(f), 1)
        before = taken(net)
        net.cl.send(udp(f, b"x" * 1400, **({} if f.v6 else {"flags": "DF"})))
        got = net.cl.expect().parse()
        assert got.haslayer(sc.ICMPv6PacketTooBig if f.v6 else sc.ICMP)
        assert net.rs[0].arrived() is None
        assert taken(net) == before
    finally:
        run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1500")


@suite.case()
def ip_options(net):
    known(net, V4)
    goes(net, V4, udp(V4, options=[sc.IPOption(b"\1\1\1\1")]), 0)


@suite.case()
def extension_header(net):
    known(net, V6)
    packet = sc.IPv6(src=V6.client, dst=V6.vip) / sc.IPv6ExtHdrDestOpt() / \
        sc.UDP(sport=4000, dport=80) / sc.Raw(b"question")
    before = taken(net)
    net.cl.send(packet)
    assert net.rs[0].expect().parse().dst == V6.backends[0]
    assert taken(net) == before


@suite.case(*FAMILIES)
def fragments(net, f):
    known(net, f)
    before = taken(net)
    if f.v6:
        parts = sc.fragment6(sc.IPv6(src=f.client, dst=f.vip) /
                             sc.IPv6ExtHdrFragment(id=7) /
                             sc.UDP(sport=4000, dport=80) /
                             sc.Raw(b"x" * 2000), 1400)
    else:
        parts = sc.fragment(udp(f, b"x" * 2000, id=7), 1200)
    for part in parts:
        net.cl.send(part)
    for _ in parts:
        got = net.rs[0].receive()
        assert got and got.parse().dst == f.backends[0]
    assert taken(net) == before


@suite.case(*FAMILIES)
def frames_of_others(net, f):
    """Another host's, everybody's, a VLAN's: not the balancer's."""
    known(net, f)
    nothing(net, udp(f), dst="02:00:00:00:00:99")
    nothing(net, udp(f), dst="ff:ff:ff:ff:ff:ff")
    nothing(net, udp(f), vlan=7)
    goes(net, f, udp(f), 1)


@suite.case()
def header_checksum(net):
    known(net, V4)
    nothing(net, udp(V4, chksum=0x1234))


@suite.case(*FAMILIES)
def lengths(net, f):
    """Padding is cut; what is shorter than it says is the stack's to drop."""
    known(net, f)
    goes(net, f, udp(f, b"x"), 1, pad=b"\xaa" * 30)
    short = bytearray(bytes(udp(f, b"x" * 100)))
    nothing(net, bytes(short[:-20]))


@suite.case(*FAMILIES)
def neighbour_moves(net, f):
    known(net, f)
    net.neighbour(f.backends[0], "02:00:00:00:00:42", "l1")
    try:
        with netns("rs1"):
            run("ip", "link", "set", "r0", "promisc", "on")
        before = taken(net)
        net.cl.send(udp(f))
        got = net.rs[0].expect()
        assert got.data[:6].hex() == "020000000042"
        assert taken(net) == before + 1
    finally:
        net.neighbour(f.backends[0], net.rs[0].mac, "l1")
    net.cl.send(udp(f))
    assert net.rs[0].expect().data[:6].hex() == net.rs[0].mac.replace(":", "")


@suite.case(*FAMILIES)
def route_changes(net, f):
    known(net, f)
    length = "/128" if f.v6 else "/32"
    ip = ["ip", "-n", "lb"] + (["-6"] if f.v6 else [])
    net.neighbour(f.backends[0], net.rs[1].mac, "l2")
    run(*ip, "route", "add", f.backends[0] + length, "dev", "l2")
    try:
        for fast in (0, 1):
            before = taken(net)
            net.cl.send(udp(f))
            assert net.rs[1].expect().ip == out(f, udp(f))
            assert taken(net) - before == fast
    finally:
        run(*ip, "route", "del", f.backends[0] + length, "dev", "l2")
        run(*ip, "neigh", "del", f.backends[0], "dev", "l2")
    goes(net, f, udp(f), 0)
    goes(net, f, udp(f), 1)


@suite.case(*FAMILIES)
def device_down(net, f):
    known(net, f)
    run("ip", "-n", "lb", "link", "set", "l1", "down")
    try:
        before = taken(net)
        net.cl.send(udp(f))
        assert net.rs[0].arrived() is None
        assert taken(net) == before
    finally:
        run("ip", "-n", "lb", "link", "set", "l1", "up")
        for g in FAMILIES:
            if g.v6:    # IPv6 loses its addresses
                run("ip", "-n", "lb", "addr", "replace", "%s/%d" % (
                    g.lb[1], g.prefix), "dev", "l1", "nodad")
            net.neighbour(g.backends[0], net.rs[0].mac, "l1")
    net.cl.flush()
    goes(net, f, udp(f), 0)
    goes(net, f, udp(f), 1)


@suite.case()
def another_route_changes(net):
    """IPv6 has one number for all routes, which others' routes must not matter to."""
    known(net, V6)
    route = ["blackhole", "2001:db8:99::/64"]
    run("ip", "-n", "lb", "-6", "route", "add", *route)
    try:
        goes(net, V6, udp(V6), 1)
    finally:
        run("ip", "-n", "lb", "-6", "route", "del", *route)
    goes(net, V6, udp(V6), 1)


@suite.case(*FAMILIES)
def nftables_ingress(net, f):
    """Chains with a priority below 100 come before, others after."""
    if net.offload == "xdp":
        return  # which comes before all of them: docs/xdp.md
    known(net, f)

    def chain(priority):
        run("nft", "-f", "-", input="""
table netdev t {
	chain c {
		type filter hook ingress device "l0" priority %d; policy drop;
	}
}""" % priority)

    with netns("lb"):
        try:
            chain(0)
            nothing(net, udp(f))
            run("nft", "delete", "table", "netdev", "t")
            chain(200)
            goes(net, f, udp(f), 1)
            nothing(net, udp(f, sport=4001))    # not known: comes to the chain
        finally:
            run("nft", "delete", "table", "netdev", "t")


@suite.case()
def attach_and_detach(net):
    if net.offload == "xdp":
        return  # 86-xdp
    known(net, V4)
    assert attached(net) == DEVICES
    assert net.lbadm("-H", "-o", "DEVICE", "device", "show", "l1").split() == ["l1"]
    net.lbadm("device", "del", "l0")
    assert attached(net) == DEVICES[1:]
    goes(net, V4, udp(V4), 0)
    net.lbadm("device", "add", "l0")
    goes(net, V4, udp(V4), 1)


def refused(net, status, *args):
    done = subprocess.run([LBADM, "-n", "lb", "device", *args], text=True,
                          capture_output=True)
    assert done.returncode == status, done.returncode
    return done.stderr


@suite.case()
def bad_requests(net):
    attach(net)
    assert "already" in refused(net, 2, "add", "l0")
    assert "no such device" in refused(net, 2, "add", "l9")
    assert "loopback" in refused(net, 2, "add", "lo")
    assert "no such device" in refused(net, 2, "del", "l9")
    assert "not attached" in refused(net, 2, "show", "l9")
    assert "name" in refused(net, 1, "add")
    assert "no name" in refused(net, 1, "add", "x" * 16)
    run("ip", "-n", "lb", "link", "add", "d0", "type", "dummy")
    run("ip", "-n", "lb", "link", "add", "b0", "type", "bridge")
    try:
        assert "not attached" in refused(net, 2, "del", "d0")
        run("ip", "-n", "lb", "link", "set", "d0", "master", "b0")
        assert "bridge" in refused(net, 2, "add", "d0")
        net.lbadm("device", "add", "b0")
    finally:
        run("ip", "-n", "lb", "link", "del", "d0")
        run("ip", "-n", "lb", "link", "del", "b0")
    assert attached(net) == DEVICES


@suite.case()
def devices_that_go(net):
    attach(net)
    for how in (["del", "d0"], ["set", "d0", "netns", "cl"]):
        run("ip", "-n", "lb", "link", "add", "d0", "type", "dummy")
        net.lbadm("device", "add", "d0")
        assert attached(net) == ["d0"] + DEVICES
        run("ip", "-n", "lb", "link", "set", "d0", "name", "d1")
        assert attached(net) == ["d1"] + DEVICES
        run("ip", "-n", "lb", "link", "set", "d1", "name", "d0")
        run("ip", "-n", "lb", "link", *how)
        assert attached(net) == DEVICES
    run("ip", "-n", "cl", "link", "del", "d0")


@suite.case(*FAMILIES)
def becomes_a_bridge_port(net, f):
    """What was attached before falls through to the bridge."""
    known(net, f)
    run("ip", "-n", "lb", "link", "add", "b0", "type", "bridge")
    try:
        run("ip", "-n", "lb", "link", "set", "l0", "master", "b0")
        nothing(net, udp(f))
    finally:
        run("ip", "-n", "lb", "link", "del", "b0")
    either(net, f, udp(f))
    goes(net, f, udp(f), 1)
    assert mac_of("lb", "l0") == net.cl.peer_mac


def over(net, f, dev):
    """The client's network is behind that device; its neighbour there, too."""
    run("ip", "-n", "lb", "addr", "add", "%s/%d" % (f.lb[0], f.prefix), "dev", dev,
        *(["nodad"] if f.v6 else []))
    net.neighbour(f.client, net.cl.mac, dev)


def restore(net, dev):
    """As it was, without the device."""
    run("ip", "-n", "lb", "link", "del", dev)
    run("ip", "-n", "lb", "link", "set", "l0", "up")
    for f in FAMILIES:
        run("ip", "-n", "lb", "addr", "replace", "%s/%d" % (f.lb[0], f.prefix),
            "dev", "l0", *(["nodad"] if f.v6 else []))
        net.neighbour(f.client, net.cl.mac, "l0")


def there_and_back(net, f, packet, **how):
    """Where the client is behind something on l0. How many went the fast way of
    either direction, and the answer's frame."""
    before = taken(net)
    net.cl.send(packet, **how)
    assert net.rs[0].expect().ip == out(f, udp(f))
    between = taken(net)
    net.rs[0].send(answer(f))
    want = translated(answer(f), f, src=f.vip, sport=80)
    # New devices have something to say of themselves.
    while not (frame := net.cl.expect()).ip.endswith(want):
        pass
    return between - before, taken(net) - between, frame.check()


def through(net, f, packet, request, reply, **how):
    """So it is, once routes are found that new addresses made stale."""
    for _ in range(10):
        *ways, frame = there_and_back(net, f, packet, **how)
        if ways == [request, reply]:
            return frame
    assert ways == [request, reply], ways


@suite.case(*FAMILIES)
def vlan(net, f):
    """A tag is the business of the VLAN's device."""
    attach(net)
    net.service(f, "udp")
    run("ip", "-n", "lb", "link", "add", "link", "l0", "name", "v0", "type", "vlan",
        "id", "5")
    try:
        run("ip", "-n", "lb", "link", "set", "v0", "up")
        run("ip", "-n", "lb", "addr", "flush", "dev", "l0")
        over(net, f, "v0")
        # Of what comes, l0 takes no frame with a tag; of what goes, l1 does.
        through(net, f, udp(f), 0, 1, vlan=5)
        net.lbadm("device", "add", "v0")
        through(net, f, udp(f), 1, 1, vlan=5)
        nothing(net, udp(f), vlan=6)
    finally:
        restore(net, "v0")
    assert attached(net) == DEVICES


@suite.case(*FAMILIES)
def bond(net, f):
    """What a bond's port receives is the bond's."""
    attach(net)
    net.service(f, "udp")
    try:
        run("ip", "-n", "lb", "link", "add", "b0", "type", "bond", "mode",
            "active-backup")
    except AssertionError as e:
        if "Unknown device type" not in str(e):
            raise
        print("# this kernel has no bonds")
        return
    try:
        net.lbadm("device", "add", "b0")
        run("ip", "-n", "lb", "link", "set", "l0", "down")
        run("ip", "-n", "lb", "addr", "flush", "dev", "l0")
        run("ip", "-n", "lb", "link", "set", "l0", "master", "b0")
        run("ip", "-n", "lb", "link", "set", "b0", "up")
        over(net, f, "b0")
        through(net, f, udp(f), 1, 1)
    finally:
        restore(net, "b0")
    assert attached(net) == DEVICES


@suite.case(*FAMILIES)
def tunnel(net, f):
    """What comes out of a tunnel has no link-layer header."""
    attach(net)
    net.service(f, "udp")
    peer = f.client[:-1] + "9"
    net.neighbour(peer, net.cl.mac, "l0")
    kind = ["ip6tnl", "mode", "ip6ip6"] if f.v6 else ["ipip"]
    run("ip", "-n", "lb", "link", "add", "t0", "type", *kind, "local", f.lb[0],
        "remote", peer, *(["encaplimit", "none"] if f.v6 else []))
    try:
        run("ip", "-n", "lb", "link", "set", "t0", "up")
        run("ip", "-n", "lb", "route", "add", f.client, "dev", "t0")
        packet = f.packet(peer, f.lb[0]) / udp(f)
        through(net, f, packet, 0, 1)
        net.lbadm("device", "add", "t0")
        frame = through(net, f, packet, 1, 1)
        assert frame.l4()[0] == (41 if f.v6 else 4), frame.l4()
    finally:
        run("ip", "-n", "lb", "link", "del", "t0")
    assert attached(net) == DEVICES


sys.exit(suite.main(sys.argv))
