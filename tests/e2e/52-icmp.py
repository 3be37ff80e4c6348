#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default off fast xdp
# topology: none
"""ICMP errors about balanced connections, both ways, and those that the
balancer itself sends."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, V4, Frame, Suite, counted,  # noqa: E402
                    run, sc, sysctl, translated)

suite = Suite("icmp")
ROUTER = {"v4": "198.51.100.1", "v6": "2001:db8:ff::1"}
PROTOS = ["tcp", "udp"]


def l4(proto, sport, dport, payload=b"p" * 64):
    if proto == "tcp":
        return sc.TCP(sport=sport, dport=dport, flags="PA", seq=77, ack=88) / \
            sc.Raw(payload)
    return sc.UDP(sport=sport, dport=dport) / sc.Raw(payload)


def open_flow(net, f, proto):
    net.service(f, proto)
    packet = f.packet(f.client, f.vip) / l4(proto, 4000, 80)
    if proto == "tcp":
        packet[sc.TCP].flags = "S"
    net.cl.send(packet)
    net.rs[0].expect()
    back = f.packet(f.backends[0], f.client) / l4(proto, 8080, 4000)
    if proto == "tcp":
        back[sc.TCP].flags = "SA"
    net.rs[0].send(back)
    net.cl.expect()


def error(f, kind, src, dst, quoted, size=None):
    quoted = bytes(quoted)[:size]
    if f.v6:
        head = {"too-big": sc.ICMPv6PacketTooBig(mtu=1300),
                "unreachable": sc.ICMPv6DestUnreach(code=4),
                "exceeded": sc.ICMPv6TimeExceeded()}[kind]
    else:
        head = {"too-big": sc.ICMP(type=3, code=4, nexthopmtu=1300),
                "unreachable": sc.ICMP(type=3, code=3),
                "exceeded": sc.ICMP(type=11)}[kind]
    return f.packet(src, dst) / head / sc.Raw(quoted)


def body(f, packet):
    """(first four bytes without the checksum, the quoted packet)"""
    raw = bytes(packet)
    off = 40 if f.v6 else 20
    return raw[off:off + 2] + raw[off + 4:off + 8], raw[off + 8:]


def quoted_ok(f, quoted):
    """Checksums inside are right; the quoted packet is complete."""
    Frame(bytes(14) + quoted).check()


@suite.case(*[(f, p, k) for f in FAMILIES for p in PROTOS
              for k in ("too-big", "unreachable", "exceeded")])
def from_the_clients_side(net, f, proto, kind):
    """A router complains about a reply: the backend must recognise it."""
    open_flow(net, f, proto)
    seen = f.packet(f.vip, f.client, ttl=60) / l4(proto, 80, 4000)
    sent = error(f, kind, ROUTER[f.name], f.vip, seen)
    net.cl.send(sent)
    got = net.rs[0].expect()
    want = f.packet(f.backends[0], f.client, ttl=60) / l4(proto, 8080, 4000)
    parsed = got.parse()
    assert (parsed.src, parsed.dst) == (ROUTER[f.name], f.backends[0])
    assert body(f, got.ip)[0] == body(f, sent)[0]
    assert body(f, got.ip)[1] == bytes(want)
    quoted_ok(f, body(f, got.ip)[1])


@suite.case(*[(f, p, k) for f in FAMILIES for p in PROTOS
              for k in ("too-big", "unreachable", "exceeded")])
def from_the_backends_side(net, f, proto, kind):
    """A router or the backend complains about a request."""
    open_flow(net, f, proto)
    seen = f.packet(f.client, f.backends[0], ttl=60) / l4(proto, 4000, 8080)
    want = f.packet(f.client, f.vip, ttl=60) / l4(proto, 4000, 80)
    for src, expected in ((ROUTER[f.name], ROUTER[f.name]),
                          (f.backends[0], f.vip)):
        sent = error(f, kind, src, f.client, seen)
        net.rs[0].send(sent)
        got = net.cl.expect()
        parsed = got.parse()
        assert (parsed.src, parsed.dst) == (expected, f.client)
        assert body(f, got.ip)[0] == body(f, sent)[0]
        assert body(f, got.ip)[1] == bytes(want)


@suite.case(*[(f, size) for f in FAMILIES for size in (8, 9, 17, 18, 19)])
def short_quotes(net, f, size):
    """RFC 792 asks for eight bytes of the transport header, no more."""
    open_flow(net, f, "tcp")
    head = 40 if f.v6 else 20
    seen = f.packet(f.client, f.backends[0]) / l4("tcp", 4000, 8080)
    net.rs[0].send(error(f, "unreachable", ROUTER[f.name], f.client, seen,
                         head + size))
    quoted = body(f, net.cl.expect().ip)[1]
    want = bytes(f.packet(f.client, f.vip) / l4("tcp", 4000, 80))
    assert len(quoted) == head + size
    assert quoted[head:head + 8] == want[head:head + 8]
    if size >= 18:
        assert quoted[head + 16:head + 18] == want[head + 16:head + 18], \
            "quoted TCP checksum"


@suite.case(*FAMILIES)
def bad_checksum(net, f):
    """It would be made anew, and right: so it is dropped."""
    open_flow(net, f, "udp")
    seen = f.packet(f.client, f.backends[0]) / l4("udp", 4000, 8080)
    raw = bytearray(bytes(error(f, "unreachable", ROUTER[f.name], f.client,
                                seen)))
    raw[-1] ^= 1
    with counted(net, "bad-checksum"):
        net.rs[0].send(bytes(raw))
        assert net.cl.arrived() is None


@suite.case(*FAMILIES)
def unknown_flow(net, f):
    """About nothing that is here: not translated."""
    open_flow(net, f, "udp")
    seen = f.packet(f.client, f.backends[0]) / l4("udp", 4001, 8080)
    net.rs[0].send(error(f, "unreachable", ROUTER[f.name], f.client, seen))
    assert net.cl.arrived() is None


@suite.case(*FAMILIES)
def malformed_quotes(net, f):
    open_flow(net, f, "udp")
    seen = bytes(f.packet(f.vip, f.client) / l4("udp", 80, 4000))
    head = 40 if f.v6 else 20
    for size in (0, 1, head - 1, head, head + 3):
        net.cl.send(error(f, "unreachable", ROUTER[f.name], f.vip, seen, size))
        assert net.rs[0].arrived() is None
    net.cl.send(f.packet(f.client, f.vip) / l4("udp", 4000, 80))
    net.rs[0].expect()


def set_mtu(dev, mtu):
    run("ip", "-n", "lb", "link", "set", dev, "mtu", mtu)


@suite.case(*[(f, side) for f in FAMILIES for side in ("in", "out")])
def too_big_for_the_next_hop(net, f, side):
    """The sender is told the MTU and recognises its own packet."""
    open_flow(net, f, "tcp")
    if side == "in":
        dev, at, far = "l1", net.cl, net.rs[0]
        packet = f.packet(f.client, f.vip) / l4("tcp", 4000, 80, b"b" * 1400)
    else:
        dev, at, far = "l0", net.rs[0], net.cl
        packet = f.packet(f.backends[0], f.client) / l4("tcp", 8080, 4000,
                                                        b"b" * 1400)
    if not f.v6:
        packet.flags = "DF"
    set_mtu(dev, 1300)
    try:
        with counted(net, "mtu-exceeded"):
            at.send(packet)
            got = at.expect().parse()
        assert far.arrived() is None
    finally:
        set_mtu(dev, 1500)
    if f.v6:
        told, quoted = got[sc.ICMPv6PacketTooBig].mtu, \
            bytes(got[sc.ICMPv6PacketTooBig])[8:]
    else:
        assert (got[sc.ICMP].type, got[sc.ICMP].code) == (3, 4)
        told, quoted = got[sc.ICMP].nexthopmtu, bytes(got[sc.ICMP])[8:]
    assert told == 1300
    assert quoted == bytes(packet)[:len(quoted)]


@suite.case()
def fragments_without_df(net):
    """IPv4 that may be fragmented is, for the smaller next hop."""
    open_flow(net, V4, "udp")
    packet = V4.packet(V4.client, V4.vip) / l4("udp", 4000, 80,
                                               os.urandom(1400))
    set_mtu("l1", 1300)
    try:
        net.cl.send(packet)
        parts = [net.rs[0].expect(), net.rs[0].expect()]
    finally:
        set_mtu("l1", 1500)
    assert all(len(p.ip) <= 1300 for p in parts)
    whole = b"".join(p.ip[20:] for p in sorted(
        parts, key=lambda p: p.parse().frag))
    want = translated(packet, V4, dst=V4.backends[0], dport=8080)
    assert whole == want[20:]


@suite.case(*[(f, p) for f in FAMILIES for p in PROTOS])
def no_service_is_refused(net, f, proto):
    """As a host would: RST, or port unreachable; or silently, if so set."""
    net.service(f, proto)
    packet = f.packet(f.client, f.vip) / l4(proto, 4000, 81)
    if proto == "tcp":
        packet[sc.TCP].flags = "S"
    with counted(net, "no-service"):
        net.cl.send(packet)
        got = net.cl.expect().parse()
    if proto == "tcp":
        assert got[sc.TCP].flags == "RA" and got[sc.TCP].ack == 78 + 64
        assert (got.src, got.dst) == (f.vip, f.client)
    elif f.v6:
        assert got[sc.ICMPv6DestUnreach].code == 4
    else:
        assert (got[sc.ICMP].type, got[sc.ICMP].code) == (3, 3)
    sysctl("lb", "net.nflb.reject", 0)
    try:
        with counted(net, "no-service"):
            net.cl.send(packet)
            assert net.cl.arrived() is None
    finally:
        sysctl("lb", "net.nflb.reject", 1)


@suite.case(*[(f, p) for f in FAMILIES for p in PROTOS])
def no_backend_is_refused(net, f, proto):
    net.service(f, proto, "80", 1)
    net.lbadm("backend", "drain", proto, f.at(f.vip, 80),
              f.at(f.backends[0], 8080))
    packet = f.packet(f.client, f.vip) / l4(proto, 4000, 80)
    if proto == "tcp":
        packet[sc.TCP].flags = "S"
    with counted(net, "no-backend"):
        net.cl.send(packet)
        got = net.cl.expect().parse()
    assert got.haslayer(sc.TCP if proto == "tcp" else
                        sc.ICMPv6DestUnreach if f.v6 else sc.ICMP)
    assert net.rs[0].arrived() is None


@suite.case(*FAMILIES)
def segment_out_of_nowhere(net, f):
    """A TCP segment of no connection gets a RST, as from a host."""
    net.service(f)
    packet = f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags="A", seq=5, ack=1234)
    with counted(net, "no-connection"):
        net.cl.send(packet)
        got = net.cl.expect().parse()
    assert got[sc.TCP].flags == "R" and got[sc.TCP].seq == 1234
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags="R", seq=5))
    assert net.cl.arrived() is None, "a RST was answered"


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
