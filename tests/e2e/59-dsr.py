#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# topology: none
"""Mode dsr, packet by packet: what is sent arrives, but for TTL, byte by byte,
in outer headers that are right."""

import json
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, UDP_GSO, V4, V6, Frame, Suite,  # noqa: E402
                    counted, run, sc, sysctl)
from tunnel import Outer, flavours, overhead, same_but_ttl  # noqa: E402

suite = Suite("dsr")
HOWS = ["full", "partial"]
OPTIONS = [("NOP", None), ("NOP", None), ("Timestamp", (7, 9))]
SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)),
               ("NOP", None), ("WScale", 7)]
ON_LINK = [("none", f, f) for f in FAMILIES]
ALL = ON_LINK + flavours()


def each(cases, *more):
    return [case + m for case in cases for m in (more or [()])]


def setup(net, encap, i, o, proto="tcp", port=80, *words, backends=1):
    vip = i.at(i.vip, port)
    net.lbadm("service", "add", proto, vip, "mode", "dsr", "encap", encap,
              *words)
    for addr in o.backends[:backends]:
        net.lbadm("backend", "add", proto, vip, addr)


def counter(net, name):
    return json.loads(net.lbadm("-j", "stats", "show"))["counters"][name]


def tcp(f, flags, payload=b"", sport=4000, seq=1000, ack=0, options=OPTIONS,
        dport=80, **kw):
    return f.packet(f.client, f.vip, **kw) / sc.TCP(
        sport=sport, dport=dport, flags=flags, seq=seq, ack=ack,
        options=options) / sc.Raw(payload)


def udp(f, payload=b"", sport=4000, dport=53, **kw):
    return f.packet(f.client, f.vip, **kw) / sc.UDP(
        sport=sport, dport=dport) / sc.Raw(payload)


def arrived(net, encap, i, o, rs=0, timeout=3.0):
    """(outer or None, inner) of the next frame at a backend, checked."""
    frame = net.rs[rs].receive(timeout)
    assert frame, "nothing arrived at rs%d" % (rs + 1)
    if encap == "none":
        return None, frame.check()
    outer = Outer(frame, encap, o, i)
    assert outer.dst == socket.inet_pton(
        socket.AF_INET6 if o.v6 else socket.AF_INET, o.backends[rs])
    return outer, outer.inner.check()


def through(net, encap, i, o, packet, how="full"):
    """Send; what arrives is the same. Returns the outer headers."""
    net.cl.send(packet, how)
    outer, inner = arrived(net, encap, i, o)
    same_but_ttl(inner, packet)
    return outer


@suite.case(*each(ALL, *[(how,) for how in HOWS]))
def tcp_as_it_is(net, encap, i, o, how):
    setup(net, encap, i, o)
    sack = [("NOP", None), ("NOP", None), ("SAck", (100, 200, 300, 400))]
    for packet in (tcp(i, "S", options=SYN_OPTIONS), tcp(i, "A"),
                   tcp(i, "PA", os.urandom(1)),
                   tcp(i, "PA", os.urandom(1000), options=OPTIONS + sack),
                   tcp(i, "PAUEC", os.urandom(333))):
        outer = through(net, encap, i, o, packet, how)
        if outer:
            lb = o.lb[1]
            assert outer.src == socket.inet_pton(
                socket.AF_INET6 if o.v6 else socket.AF_INET, lb)
    assert not any(net.drops().values()), net.drops()


@suite.case(*each(ALL, *[(how,) for how in HOWS]))
def udp_as_it_is(net, encap, i, o, how):
    setup(net, encap, i, o, "udp", 53)
    for size in (0, 1, 2, 511, 1400):
        through(net, encap, i, o, udp(i, os.urandom(size)), how)


@suite.case(*[(e, V4, o) for e, i, o in ALL if i is V4])
def udp_checksum_0_stays_0(net, encap, i, o):
    setup(net, encap, i, o, "udp", 53)
    packet = udp(i, b"no checksum")
    packet[sc.UDP].chksum = 0
    through(net, encap, i, o, packet)


@suite.case(*flavours())
def dscp_ecn_and_ttl_outside(net, encap, i, o):
    """RFC 6040: ECN is copied, CE included."""
    setup(net, encap, i, o, "udp", 53)
    for tos in (0, 1, 2, 3, 0xb8 | 1, 0xff):
        for ttl in (64, 2, 255):
            words = {"tc": tos} if i.v6 else {"tos": tos}
            outer = through(net, encap, i, o, udp(i, b"x", ttl=ttl, **words))
            assert (outer.tos, outer.ttl) == (tos, ttl - 1)


@suite.case(*[(e, V4, o) for e, i, o in flavours() if i is V4 and o is V4])
def dont_fragment_outside(net, encap, i, o):
    """Copied; and what may be fragmented has names that differ (RFC 6864)."""
    setup(net, encap, i, o, "udp", 53)
    assert through(net, encap, i, o, udp(i, b"x", flags="DF")).df
    seen = [through(net, encap, i, o, udp(i, b"x")) for _ in range(5)]
    assert not any(outer.df for outer in seen)
    assert len({outer.id for outer in seen}) == 5


@suite.case(*[(e, V6, V4) for e in ("ipip", "gre", "gue")])
def six_in_four_is_not_fragmented(net, encap, i, o):
    setup(net, encap, i, o, "udp", 53)
    assert through(net, encap, i, o, udp(i, b"x")).df


@suite.case(*ALL)
def one_hop(net, encap, i, o):
    setup(net, encap, i, o, "udp", 53)
    packet = udp(i, b"x", ttl=1)
    with counted(net, "ttl-exceeded"):
        net.cl.send(packet)
        error = net.cl.expect().parse()
    assert error.dst == i.client
    assert (error[sc.ICMPv6TimeExceeded] if i.v6 else error[sc.ICMP])
    assert not net.rs[0].arrived()


@suite.case(*each(ALL, ("tcp",), *([("udp",)] if UDP_GSO else [])))
def gso_stays_whole(net, encap, i, o, proto):
    setup(net, encap, i, o, proto, 80)
    if proto == "tcp":
        through(net, encap, i, o, tcp(i, "S"))
        through(net, encap, i, o, tcp(i, "A"))
    data = os.urandom(20000)
    mss = 1300
    packet = tcp(i, "PA", data) if proto == "tcp" else udp(i, data, dport=80)
    net.cl.send(packet, "gso", mss=mss)
    got = {}
    while sum(map(len, got.values())) < len(data):
        frame = net.rs[0].receive()
        assert frame, "%d bytes arrived" % sum(map(len, got.values()))
        outer = None if encap == "none" else Outer(frame, encap, o, i)
        inner = outer.inner if outer else frame
        assert net.offload not in ("default", "fast") or frame.gso, "segmented on the way"
        assert frame.gso or len(frame.ip) <= 1500
        if not frame.gso:
            inner.check()
        l4 = inner.parse()[sc.TCP if proto == "tcp" else sc.UDP]
        key = l4.seq if proto == "tcp" else len(got)
        assert key not in got
        got[key] = bytes(l4.payload)
    assert b"".join(got[k] for k in sorted(got)) == data


@suite.case(*ALL)
def padding_is_cut(net, encap, i, o):
    setup(net, encap, i, o, "udp", 53)
    packet = udp(i, b"x")
    net.cl.send(packet, pad=b"\xaa" * 18)
    _outer, inner = arrived(net, encap, i, o)
    same_but_ttl(inner, packet)


@suite.case(*ALL)
def forged_addresses_are_overwritten(net, encap, i, o):
    """A server that believes options of this balancer gets none."""
    setup(net, encap, i, o)
    for kind, size in ((254, 8), (253, 20), (254, 20), (200, 8)):
        option = (kind, struct.pack("!H", 1234) + b"\1\2\3\4" * (
            (size - 4) // 4))
        net.cl.send(tcp(i, "S", options=[option]))
        _outer, inner = arrived(net, encap, i, o)
        raw = bytes(inner.parse()[sc.TCP])
        assert raw[20:(raw[12] >> 4) * 4] == b"\1" * size, raw.hex()


def icmp_mtu(f, frame):
    p = frame.parse()
    if f.v6:
        return p[sc.ICMPv6PacketTooBig].mtu
    assert (p[sc.ICMP].type, p[sc.ICMP].code) == (3, 4)
    return p[sc.ICMP].nexthopmtu


def big(f, size, **kw):
    """A datagram of @size bytes, IP header included."""
    return udp(f, os.urandom(size - 8 - (40 if f.v6 else 20)), **kw)


@suite.case(*flavours())
def too_long_for_the_tunnel(net, encap, i, o):
    """The client is told what fits; exactly that goes through."""
    setup(net, encap, i, o, "udp", 53)
    fits = 1500 - overhead(encap, o)
    words = {} if i.v6 else {"flags": "DF"}
    through(net, encap, i, o, big(i, fits, **words))
    for size in (fits + 1, 1500):
        with counted(net, "mtu-exceeded"):
            packet = big(i, size, **words)
            net.cl.send(packet)
            error = net.cl.expect()
        assert icmp_mtu(i, error) == fits
        quoted = error.ip[48 if i.v6 else 28:]
        assert quoted[:20 if i.v6 else 10] == bytes(packet)[
            :20 if i.v6 else 10]
    assert not net.rs[0].arrived()


def reassemble(frames, v6):
    """The payload of the outer fragments, in order."""
    parts = {}
    for frame in frames:
        p = frame.parse()
        if v6:
            head = p[sc.IPv6ExtHdrFragment]
            parts[head.offset * 8] = bytes(head.payload)
        else:
            parts[p.frag * 8] = bytes(p.payload)
    data = b""
    for off in sorted(parts):
        assert off == len(data), "a hole in the fragments"
        data += parts[off]
    return data


@suite.case(*[(e, V4, o) for e, i, o in flavours() if i is V4])
def fragmented_outside(net, encap, i, o):
    setup(net, encap, i, o, "udp", 53)
    packet = big(i, 1500)
    before = counter(net, "encap-fragmented")
    net.cl.send(packet)
    frames = [net.rs[0].expect(), net.rs[0].expect()]
    data = reassemble(frames, o.v6)
    skip = {"ipip": 0, "gre": 4, "gue": 8}[encap]
    same_but_ttl(Frame(bytes(14) + data[skip:]), packet)
    assert all(len(f.ip) <= 1500 for f in frames)
    assert counter(net, "encap-fragmented") == before + 1


@suite.case(*[(e, V4, o) for e, i, o in flavours() if i is V4])
def fragmented_inside(net, encap, i, o):
    setup(net, encap, i, o, "udp", 53)
    sysctl("lb", "net.nflb.encap_fragment_inside", 1)
    try:
        packet = big(i, 1500)
        net.cl.send(packet)
        got = [arrived(net, encap, i, o)[1] for _ in range(2)]
    finally:
        sysctl("lb", "net.nflb.encap_fragment_inside", 0)
    assert reassemble(got, False) == bytes(packet.payload)
    assert all(f.parse().id == packet.id and f.parse().ttl == 63 for f in got)


@suite.case(*ALL)
def fragments_of_the_client(net, encap, i, o):
    """Put together, so that all go to one backend; no longer than they came
    where nothing is around them."""
    setup(net, encap, i, o, "udp", 53, "scheduler", "rr", backends=2)
    data = os.urandom(4000)
    whole = udp(i, data, sport=4001)
    if i.v6:
        parts = sc.fragment6(
            sc.IPv6(src=i.client, dst=i.vip, hlim=64) /
            sc.IPv6ExtHdrFragment(id=7) / whole[sc.UDP], 1300)
    else:
        parts = sc.fragment(whole, 1200)
    assert len(parts) > 2
    for part in parts:
        net.cl.send(part)
    frames = []
    for rs in (0, 1):
        while frame := net.rs[rs].arrived():
            frames.append((rs, frame.check()))
    assert len({rs for rs, _ in frames}) == 1, "both backends got some"
    got = [frame for _, frame in frames]
    assert all(len(f.ip) <= 1500 for f in got)
    if encap == "none":
        body = reassemble(got, i.v6)
    else:
        body = reassemble(got, o.v6)
        body = body[{"ipip": 0, "gre": 4, "gue": 8}[encap]:]
        body = body[40 if i.v6 else 20:]
    assert body[-4000:] == data


@suite.case(*flavours())
def told_of_a_narrow_path(net, encap, i, o):
    """An ICMP error about an outer packet lowers what goes into the tunnel."""
    setup(net, encap, i, o, "udp", 53)
    words = {} if i.v6 else {"flags": "DF"}
    net.cl.send(big(i, 1400, **words))
    frame = net.rs[0].receive()
    router = "2001:db8:21::99" if o.v6 else "10.2.1.99"
    lb = o.lb[1]
    mtu = 1360
    head = sc.ICMPv6PacketTooBig(mtu=mtu) if o.v6 else sc.ICMP(
        type=3, code=4, nexthopmtu=mtu)
    before = counter(net, "encap-pmtu")
    try:
        net.rs[0].send(o.packet(router, lb) / head / sc.Raw(
            frame.ip[:1200 if o.v6 else 500]))
        net.cl.send(big(i, 1400, **words))
        error = net.cl.expect()
        fits = mtu - overhead(encap, o)
        assert icmp_mtu(i, error) == fits, icmp_mtu(i, error)
        assert counter(net, "encap-pmtu") == before + 1
        through(net, encap, i, o, big(i, fits, **words))
        # A forged one, about a host that is no backend
        net.rs[0].send(o.packet(router, lb) / head / sc.Raw(
            bytes(o.packet(lb, o.client) / sc.UDP() / sc.Raw(bytes(600)))))
        assert counter(net, "encap-pmtu") == before + 1
    finally:
        run("ip", "-n", "lb", "route", "flush", "cache")
        run("ip", "-n", "lb", "-6", "route", "flush", "cache")


@suite.case(*flavours())
def narrower_than_ipv6_allows(net, encap, i, o):
    """A tunnel of less than 1280 bytes fragments itself (RFC 2473, 7.1)."""
    run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1290")
    try:
        setup(net, encap, i, o, "udp", 53)
        if i.v6:
            packet = big(i, 1280)
            net.cl.send(packet)
            frames = [net.rs[0].expect(), net.rs[0].expect()]
            data = reassemble(frames, o.v6)
            same_but_ttl(Frame(bytes(14) + data[
                {"ipip": 0, "gre": 4, "gue": 8}[encap]:]), packet)
            net.cl.send(big(i, 1281))
            assert icmp_mtu(i, net.cl.expect()) == 1280
        else:
            net.cl.send(big(i, 1280, flags="DF"))
            assert icmp_mtu(i, net.cl.expect()) == 1290 - overhead(encap, o)
    finally:
        run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1500")
        for f in (V6,):
            run("ip", "-n", "lb", "addr", "replace", "%s/%d" % (
                f.lb[1], f.prefix), "dev", "l1", "nodad")
            net.neighbour(f.backends[0], net.rs[0].mac, "l1")


@suite.case(*ALL)
def icmp_errors_reach_the_backend(net, encap, i, o):
    """A router on the way back to the client says that a reply was too big: to
    the VIP, which here is the balancer."""
    setup(net, encap, i, o)
    through(net, encap, i, o, tcp(i, "S"))
    # What the client acknowledges tells where the backend is
    through(net, encap, i, o, tcp(i, "A", seq=1001, ack=5))
    reply = i.packet(i.vip, i.client) / sc.TCP(
        sport=80, dport=4000, flags="A", seq=5, ack=6) / sc.Raw(bytes(1200))
    router = "2001:db8:ff::1" if i.v6 else "198.51.100.1"
    head = sc.ICMPv6PacketTooBig(mtu=1300) if i.v6 else sc.ICMP(
        type=3, code=4, nexthopmtu=1300)
    error = i.packet(router, i.vip) / head / sc.Raw(bytes(reply)[:600])
    through(net, encap, i, o, error)


def flow_sources(net, encap, i, o, ports):
    """One datagram of each source port; {port: (outer source, GUE's port)}"""
    packet = bytearray(bytes(udp(i, b"\0\0")))
    at = 40 if i.v6 else 20
    skip = overhead(encap, o)
    port0, = struct.unpack_from("!H", packet, at)
    seen = {}
    for port in ports:
        # The payload keeps the checksum right
        struct.pack_into("!H", packet, at, port)
        struct.pack_into("!H", packet, at + 8,
                         (port0 - port) % 0xffff)
        net.cl.send(bytes(packet))
        ip = net.rs[0].receive().ip
        inner_port, = struct.unpack_from("!H", ip, skip + at)
        outer = ip[8:24] if o.v6 else ip[12:16]
        gue = struct.unpack_from("!H", ip, 40 if o.v6 else 20)[0] \
            if encap == "gue" else None
        seen[inner_port] = (outer, gue)
    return seen


@suite.case(("ipip", V4, V4, 10000), ("ipip", V6, V6, 1000),
            ("gre", V4, V6, 1000), ("gre", V6, V4, 1000),
            ("gue", V4, V4, 1000), ("gue", V6, V6, 10000))
def sources_are_spread(net, encap, i, o, flows):
    """Many flows, many outer sources; one flow always the same."""
    words = []
    if encap != "gue":
        words = ["encap-source", "10.99.1.0/24,2001:db8:99::/64"]
    setup(net, encap, i, o, "udp", 53, *words)
    seen = flow_sources(net, encap, i, o, range(10000, 10000 + flows))
    assert len(seen) == flows
    for port, source in flow_sources(net, encap, i, o,
                                     range(10000, 10100)).items():
        assert seen[port] == source, "port %d moved" % port
    sources = set(seen.values())
    assert len(sources) >= 200, "%d sources" % len(sources)
    if encap != "gue":
        net6 = socket.inet_pton(socket.AF_INET6, "2001:db8:99::")[:8]
        assert all((src[:8] == net6) if o.v6 else (
            src[:3] == b"\x0a\x63\x01" and 0 < src[3] < 255)
            for src, _ in sources)
        net.lbadm("service", "set", "udp", i.at(i.vip, 53), "encap-source",
                  "auto")
        net.cl.send(udp(i, b"x", sport=30000))
        outer, _inner = arrived(net, encap, i, o)
        assert outer.src == socket.inet_pton(
            socket.AF_INET6 if o.v6 else socket.AF_INET, o.lb[1])


@suite.case(*FAMILIES)
def backends_of_their_own_kind(net, f):
    """One service; one backend on the link, one in a tunnel."""
    net.lbadm("service", "add", "udp", f.at(f.vip, 53), "mode", "dsr",
              "scheduler", "rr")
    net.lbadm("backend", "add", "udp", f.at(f.vip, 53), f.backends[0])
    net.lbadm("backend", "add", "udp", f.at(f.vip, 53), f.backends[1],
              "encap", "gue:6080")
    got = set()
    for sport in range(4000, 4004):
        net.cl.send(udp(f, b"x", sport=sport))
        for rs, encap in ((0, "none"), (1, "gue")):
            if frame := net.rs[rs].arrived():
                got.add(encap)
                if encap == "gue":
                    Outer(frame, "gue", f, f).inner.check()
                else:
                    frame.check()
    assert got == {"none", "gue"}
    shown = {c["backend-address"]: c.get("encap") for c in net.connections()}
    assert shown == {f.backends[0]: None, f.backends[1]: "gue"}


@suite.case(*FAMILIES)
def encap_changes(net, f):
    """A connection keeps its tunnel, and follows its backend's port."""
    vip = f.at(f.vip, 53)
    net.lbadm("service", "add", "udp", vip, "mode", "dsr", "encap", "gue:6081")
    net.lbadm("backend", "add", "udp", vip, f.backends[0])

    def goes(sport, encap, port=None):
        packet = udp(f, b"x", sport=sport)
        net.cl.send(packet)
        frame = net.rs[0].receive()
        same_but_ttl(Outer(frame, encap, f, f, port).inner, packet)

    goes(4000, "gue", 6081)
    net.lbadm("service", "set", "udp", vip, "encap", "gue:6082")
    goes(4000, "gue", 6082)
    net.lbadm("service", "set", "udp", vip, "encap", "ipip")
    goes(4000, "gue", 6082)
    goes(4001, "ipip")
    net.lbadm("backend", "set", "udp", vip, f.backends[0], "encap", "gue:6083")
    goes(4000, "gue", 6083)
    goes(4001, "ipip")
    goes(4002, "gue", 6083)


@suite.case(*FAMILIES)
def not_on_the_link(net, f):
    far = "2001:db8:77::1" if f.v6 else "10.77.0.1"
    run("ip", "-n", "lb", "route", "replace", far, "via", f.backends[0])
    net.lbadm("service", "add", "udp", f.at(f.vip, 53), "mode", "dsr")
    net.lbadm("backend", "add", "udp", f.at(f.vip, 53), far)
    with counted(net, "not-on-link"):
        net.cl.send(udp(f, b"x"))
        assert not net.rs[0].arrived()
    # In a tunnel it goes there
    net.lbadm("service", "set", "udp", f.at(f.vip, 53), "encap", "ipip")
    net.lbadm("connection", "flush")
    packet = udp(f, b"x")
    net.cl.send(packet)
    same_but_ttl(Outer(net.rs[0].receive(), "ipip", f, f).inner, packet)
    run("ip", "-n", "lb", "route", "del", far)


@suite.case(*FAMILIES)
def no_route_no_neighbour(net, f):
    far = "2001:db8:78::1" if f.v6 else "10.78.0.1"
    near = "2001:db8:21::77" if f.v6 else "10.2.1.77"
    net.lbadm("service", "add", "udp", f.at(f.vip, 53), "mode", "dsr",
              "encap", "gre")
    net.lbadm("backend", "add", "udp", f.at(f.vip, 53), far)
    with counted(net, "no-route"):
        net.cl.send(udp(f, b"x"))
        assert not net.rs[0].arrived()
    net.lbadm("service", "add", "udp", f.at(f.vip, 54), "mode", "dsr")
    net.lbadm("backend", "add", "udp", f.at(f.vip, 54), near)
    before = counter(net, "neighbour-pending")
    net.cl.send(udp(f, b"x", dport=54))
    assert not net.rs[0].arrived()
    assert counter(net, "neighbour-pending") == before + 1
    # The client is told now, not in the midst of another case
    run("ip", "-n", "lb", "neigh", "flush", "to", near)
    assert net.cl.receive()


@suite.case(*FAMILIES)
def the_balancer_as_backend(net, f):
    """A backend that is this host gets packets as they are."""
    run("ip", "-n", "lb", "addr", "add", f.vip, "dev", "lo",
        *(["nodad"] if f.v6 else []))
    try:
        net.lbadm("service", "add", "udp", f.at(f.vip, 53), "mode", "dsr")
        net.lbadm("backend", "add", "udp", f.at(f.vip, 53), f.lb[0])
        net.cl.send(udp(f, b"x"))
        answer = net.cl.expect().parse()    # nobody listens
        assert answer.dst == f.client
        assert answer[sc.ICMPv6DestUnreach if f.v6 else sc.ICMP].code == (
            4 if f.v6 else 3)
    finally:
        run("ip", "-n", "lb", "addr", "del", f.vip + (
            "/128" if f.v6 else "/32"), "dev", "lo")


def refused(net, *args):
    try:
        net.lbadm(*args)
    except AssertionError as e:
        return str(e)
    raise AssertionError("taken: " + " ".join(args))


@suite.case()
def bad_configuration(net):
    vip = "192.0.2.10:80"
    net.lbadm("service", "add", "tcp", vip, "mode", "dsr")
    for words, why in (
            ("backend add tcp %s 10.2.1.2:8080" % vip, "cannot change the port"),
            ("backend add tcp %s 2001:db8:21::2" % vip, "address family"),
            ("backend add tcp %s 10.2.1.2 encap ipip mode dnat" % vip,
             "needs mode dsr"),
            ("service set tcp %s encap ipip:5" % vip, "is expected"),
            ("service set tcp %s encap gue:0" % vip, "1 to 65535"),
            ("service set tcp %s encap-source 10.0.0.0/33" % vip,
             "is expected"),
            ("service set tcp %s encap-source 224.0.0.1" % vip, "unicast"),
            ("service set tcp %s toa on" % vip, "fullnat"),
            ("service add tcp 192.0.2.10:81 encap gre", "needs mode dsr"),
            ("service add tcp 192.0.2.10:81 encap-source 10.9.0.0/24",
             "needs mode dsr")):
        message = refused(net, *words.split())
        assert why in message, message
    net.lbadm("backend", "add", "tcp", vip, "10.2.1.2:80")
    net.lbadm("service", "set", "tcp", vip, "encap", "ipip")
    net.lbadm("backend", "add", "tcp", vip, "2001:db8:21::2")
    assert "address family" in refused(net, "service", "set", "tcp", vip,
                                       "encap", "none")
    assert "needs mode dsr" in refused(net, "service", "set", "tcp", vip,
                                           "mode", "dnat")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
