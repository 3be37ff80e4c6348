#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default fast xdp
# topology: none
"""Packets that should not be: dropped and counted, or left to the stack, but
never misread, and never in the way of others."""

import contextlib
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, V4, V6, Suite, counted, run, sc,  # noqa: E402
                    translated)

suite = Suite("malformed")


def syn(f, sport=4000, **kw):
    return f.packet(f.client, f.vip, **kw) / sc.TCP(sport=sport, dport=80,
                                                    flags="S")


def alive(net, f):
    """The balancer still balances."""
    for port in (net.cl, *net.rs):
        port.flush()
    packet = syn(f, sport=random.randrange(20000, 60000))
    net.cl.send(packet)
    got = net.rs[0].expect()
    assert got.ip == translated(packet, f, dst=f.backends[0], dport=8080)


def nothing(net):
    for rs in net.rs:
        assert rs.arrived() is None, "something arrived at " + rs.name


@contextlib.contextmanager
def exactly(net, *reasons):
    """Each of these drops counts one packet, no other counts any."""
    before = net.drops()
    yield
    after = net.drops()
    grown = {r: after[r] - before[r] for r in after if after[r] != before[r]}
    assert grown == {r: 1 for r in reasons}, grown


@suite.case(*FAMILIES)
def tcp_options(net, f):
    """Length 0 or 1, beyond the header, or missing: passed on, unread."""
    net.service(f)
    for i, options in enumerate((b"\x08\0\0\0", b"\x02\1\0\0", b"\1\1\1\xfe",
                                 b"\xfe\xff\0\0", b"\xfe\x08\1\2",
                                 b"\xfe\0" * 20, b"\xff" * 40)):
        packet = syn(f, sport=4000 + i)
        packet[sc.TCP].dataofs = 5 + len(options) // 4
        packet = packet / sc.Raw(options)
        net.cl.send(packet)
        assert net.rs[0].expect().ip == translated(
            packet, f, dst=f.backends[0], dport=8080)
    alive(net, f)


@suite.case(*FAMILIES)
def tcp_header_length(net, f):
    net.service(f)
    for doff in (0, 4, 15):
        packet = syn(f)
        packet[sc.TCP].dataofs = doff
        with counted(net, "malformed"):
            net.cl.send(packet)
            nothing(net)
    alive(net, f)


@suite.case(*FAMILIES)
def truncated_transport(net, f):
    net.service(f)
    net.service(f, "udp", "53")
    for proto, header in ((6, bytes(syn(f)[sc.TCP])),
                          (17, bytes(sc.UDP(sport=4000, dport=53)))):
        for size in range(0, 8 if proto == 17 else 20, 3):
            if f.v6:
                packet = f.packet(f.client, f.vip, nh=proto)
            else:
                packet = f.packet(f.client, f.vip, proto=proto)
            packet = packet / sc.Raw(header[:size])
            with counted(net, "malformed"):
                net.cl.send(packet)
                nothing(net)
    alive(net, f)


@suite.case(*FAMILIES)
def udp_length(net, f):
    """Less than a header, or more than there is: dropped. Less than there is:
    the rest is carried, as it came."""
    net.service(f, "udp", "53")
    for length in (0, 7, 100):
        packet = f.packet(f.client, f.vip) / sc.UDP(
            sport=4000, dport=53, len=length) / sc.Raw(b"x" * 20)
        with counted(net, "malformed"):
            net.cl.send(packet)
            nothing(net)
    net.service(f)
    alive(net, f)


@suite.case()
def ip_header(net):
    """What ip_rcv() refuses never gets to the balancer."""
    net.service(V4)
    bad = []
    for field, value in (("chksum", 0x1234), ("version", 5), ("ihl", 4),
                         ("len", 2000), ("len", 19)):
        packet = syn(V4)
        setattr(packet, field, value)
        bad.append(bytes(packet))
    for packet in bad:
        net.cl.send(packet, ethertype=0x0800)
        nothing(net)
    net.cl.send(bytes(syn(V4)), ethertype=0x86dd)
    nothing(net)
    alive(net, V4)


@suite.case(*FAMILIES)
def frames_for_others(net, f):
    """Another destination MAC, a broadcast, a VLAN tag: not ours."""
    net.service(f)
    run("ip", "-n", "lb", "link", "set", "l0", "promisc", "on")
    net.cl.send(syn(f), dst="02:00:00:00:00:99")
    nothing(net)
    net.cl.send(syn(f), dst="ff:ff:ff:ff:ff:ff")
    nothing(net)
    net.cl.send(syn(f), vlan=7)
    nothing(net)
    run("ip", "-n", "lb", "link", "set", "l0", "promisc", "off")
    alive(net, f)


@suite.case()
def ip_options(net):
    """Options travel on unchanged; a source route is refused."""
    net.service(V4)
    record = bytes([7, 39, 4] + [0] * 36) + b"\0"
    packet = V4.packet(V4.client, V4.vip, options=[sc.IPOption(record)]) / \
        sc.TCP(sport=4000, dport=80, flags="S")
    assert bytes(packet)[0] == 0x4f
    net.cl.send(packet)
    assert net.rs[0].expect().ip == translated(
        packet, V4, dst=V4.backends[0], dport=8080)
    for kind in (131, 137):
        route = bytes([kind, 7, 4, 10, 2, 1, 2, 0])
        packet = V4.packet(V4.client, V4.vip,
                           options=[sc.IPOption(route)]) / \
            sc.TCP(sport=4001, dport=80, flags="S")
        with counted(net, "source-route"):
            net.cl.send(packet)
            nothing(net)
    alive(net, V4)


@suite.case()
def extension_headers(net):
    """Hop-by-hop and destination options are passed over and kept."""
    net.service(V6)
    packet = V6.packet(V6.client, V6.vip) / sc.IPv6ExtHdrHopByHop(
        options=[sc.PadN(optdata=b"\0" * 4)]) / sc.IPv6ExtHdrDestOpt(
            options=[sc.PadN(optdata=b"\0" * 4)]) / sc.TCP(
                sport=4000, dport=80, flags="S")
    net.cl.send(packet)
    frame = net.rs[0].expect()
    assert frame.ip == translated(packet, V6, dst=V6.backends[0], dport=8080)
    back = V6.packet(V6.backends[0], V6.client) / sc.IPv6ExtHdrDestOpt(
        options=[sc.PadN(optdata=b"\0" * 4)]) / sc.TCP(
            sport=8080, dport=4000, flags="SA")
    net.rs[0].send(back)
    assert net.cl.expect().ip == translated(back, V6, src=V6.vip, sport=80)


@suite.case()
def other_headers(net):
    """What is not TCP or UDP is not balanced, whatever follows in it."""
    net.service(V6)
    inner = bytes(sc.TCP(sport=4000, dport=80, flags="S"))
    for proto in (50, 51, 59, 132, 253):
        net.cl.send(V6.packet(V6.client, V6.vip, nh=proto) / sc.Raw(inner))
        nothing(net)
    routing = struct.pack("!BBBBI", 6, 2, 2, 1, 0) + V6.client_bytes
    net.cl.send(V6.packet(V6.client, V6.vip, nh=43) / sc.Raw(routing + inner))
    nothing(net)
    assert not net.connections()
    alive(net, V6)


V6.client_bytes = bytes(V6.packet(V6.client, V6.vip))[8:24]


@suite.case(*FAMILIES)
def sources(net, f):
    """Sources that nobody can answer to."""
    net.service(f)
    bad = ["ff02::1", "::"] if f.v6 else ["224.0.0.1", "255.255.255.255",
                                          "0.0.0.0"]
    for src in bad:
        net.cl.send(f.packet(src, f.vip) / sc.TCP(sport=4000, dport=80,
                                                  flags="S"))
        nothing(net)
    assert not net.connections()
    alive(net, f)


@suite.case(*FAMILIES)
def port_0(net, f):
    """Nobody has it: dropped, for an all-ports service, too. But a datagram that
    wants no answer may come from it (RFC 768), and goes on as it is."""
    vip = f.at(f.vip, "*")
    for proto in ("tcp", "udp"):
        net.lbadm("service", "add", proto, vip)
        net.lbadm("backend", "add", proto, vip, f.backends[0])
    bad = [sc.TCP(sport=s, dport=d, flags=flags)
           for s, d in ((0, 80), (9, 0), (0, 0)) for flags in ("S", "A")]
    bad += [sc.UDP(sport=s, dport=0) / sc.Raw(b"zero") for s in (9, 0)]
    for head in bad:
        with exactly(net, "malformed"):
            net.cl.send(f.packet(f.client, f.vip) / head)
            nothing(net)
        assert net.cl.arrived() is None, "it was answered"
    assert not net.connections()
    packet = f.packet(f.client, f.vip) / sc.UDP(sport=0, dport=80) / \
        sc.Raw(b"zero")
    with exactly(net):
        net.cl.send(packet)
        assert net.rs[0].expect().ip == translated(packet, f,
                                                   dst=f.backends[0])


@suite.case(*FAMILIES)
def hairpin(net, f):
    """A backend that asks its own VIP and would be asked itself."""
    net.service(f)
    with counted(net, "hairpin"):
        net.rs[0].send(f.packet(f.backends[0], f.vip) / sc.TCP(
            sport=4000, dport=80, flags="S"))
        assert net.rs[0].expect().parse()[sc.TCP].flags.R
        nothing(net)


@suite.case(*FAMILIES)
def noise(net, f):
    """Random bytes behind an IP header for the VIP, and random mutations of
    packets that are right."""
    rng = random.Random(1)
    net.service(f)
    net.service(f, "udp", "53")
    base = [bytes(syn(f)), bytes(f.packet(f.client, f.vip) / sc.UDP(
        sport=4000, dport=53) / sc.Raw(b"x" * 64))]
    head = 40 if f.v6 else 20
    for i in range(3000):
        data = bytearray(rng.choice(base))
        if i % 3 == 0:
            data[head:] = rng.randbytes(rng.randrange(0, 120))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            data[at] = rng.randrange(256)
        if f.v6:
            data[0], data[24:40] = 0x60, base[0][24:40]
            data[4:6] = struct.pack("!H", len(data) - 40)
        else:
            data[16:20] = base[0][16:20]
            data[0] = 0x40 | min(15, max(5, data[0] & 15))
            data[2:4] = struct.pack("!H", len(data))
            ihl = (data[0] & 15) * 4
            if len(data) < ihl:
                continue
            data[10:12] = b"\0\0"
            data[10:12] = struct.pack("!H", sc.checksum(bytes(data[:ihl])))
        net.cl.send(bytes(data))
    net.lbadm("connection", "flush")
    alive(net, f)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
