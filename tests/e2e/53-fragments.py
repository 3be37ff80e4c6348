#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/gro
# offload: default gro fast xdp
# topology: none
"""Fragments: one backend, the whole datagram, or nothing."""

import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, V6, Suite, sc, sysctl,  # noqa: E402
                    translated)

suite = Suite("fragments")


# One case's fragments that wait must not meet the next one's.
idents = itertools.count(77)


def pieces(f, size=4000, ident=None, sport=4000, src=None, dst=None, dport=53,
           payload=None, mtu=1400):
    """(the datagram, its fragments)"""
    ident = next(idents) if ident is None else ident
    payload = os.urandom(size) if payload is None else payload
    src, dst = src or f.client, dst or f.vip
    whole = f.packet(src, dst) / sc.UDP(sport=sport, dport=dport) / \
        sc.Raw(payload)
    if not f.v6:
        whole.id = ident
        return whole, sc.fragment(sc.IP(bytes(whole)), fragsize=mtu // 8 * 8)
    with_header = sc.IPv6(src=src, dst=dst) / sc.IPv6ExtHdrFragment(
        id=ident) / whole[sc.UDP]
    return whole, sc.fragment6(with_header, mtu)


def piece(frame):
    """(offset, bytes, more): not by scapy, which takes random bytes from port
    53 for DNS, and may not find back out."""
    off = 40 if frame.v6 else (frame.ip[0] & 15) * 4
    if frame.v6:
        field = int.from_bytes(frame.ip[off + 2:off + 4], "big")
        return field & 0xfff8, frame.ip[off + 8:], field & 1
    field = int.from_bytes(frame.ip[6:8], "big")
    return (field & 0x1fff) * 8, frame.ip[off:], field & 0x2000


def joined(frames):
    """The transport bytes of fragments, in order and without gaps."""
    data = b""
    for off, part, more in sorted(piece(frame) for frame in frames):
        assert off == len(data), "gap or overlap at %d" % off
        data += part
    assert not more
    return data


def collect(port, f):
    """Fragments until the last; checks that each is a good packet."""
    frames, total, have = [], None, 0
    while total is None or have < total:
        frame = port.expect()
        assert frame.v6 == f.v6
        frames.append(frame)
        off, part, more = piece(frame)
        have += len(part)
        if not more:
            total = off + len(part)
    return joined(frames)


def l4_bytes(f, packet):
    return bytes(packet)[40 if f.v6 else 20:]


ORDERS = {
    "in-order": lambda x: x,
    "reversed": lambda x: x[::-1],
    "duplicates": lambda x: [x[0], x[0]] + x[1:],
}


@suite.case(*[(f, o) for f in FAMILIES for o in ORDERS])
def order(net, f, name):
    net.service(f, "udp", "53", 2)
    whole, parts = pieces(f)
    assert len(parts) >= 3
    for part in ORDERS[name](parts):
        net.cl.send(part)
    got = collect(net.rs[0], f)
    assert got == l4_bytes(f, translated(whole, f, dst=f.backends[0],
                                         dport=8080))
    assert net.rs[1].arrived() is None
    assert len(net.connections()) == 1


@suite.case(*FAMILIES)
def from_the_backend(net, f):
    net.service(f, "udp", "53")
    net.cl.send(f.packet(f.client, f.vip) / sc.UDP(sport=4000, dport=53))
    net.rs[0].expect()
    whole, parts = pieces(f, src=f.backends[0], dst=f.client, sport=8080,
                          dport=4000)
    for part in parts[::-1]:
        net.rs[0].send(part)
    assert collect(net.cl, f) == l4_bytes(f, translated(
        whole, f, src=f.vip, sport=53))


@suite.case(*FAMILIES)
def one_lost(net, f):
    """Nothing is delivered of a datagram that is not whole."""
    net.service(f, "udp", "53", 2)
    _, parts = pieces(f)
    for part in parts[:1] + parts[2:]:
        net.cl.send(part)
    for rs in net.rs:
        assert rs.arrived() is None


@suite.case(*FAMILIES)
def same_id_of_two_clients(net, f):
    net.service(f, "udp", "53")
    other = f.client[:-1] + "9"
    net.neighbour(other, net.cl.mac, "l0")
    one, parts1 = pieces(f, ident=7)
    two, parts2 = pieces(f, src=other, ident=7)
    for a, b in zip(parts1, parts2):
        net.cl.send(a)
        net.cl.send(b)
    got = sorted([collect(net.rs[0], f), collect(net.rs[0], f)])
    want = sorted(l4_bytes(f, translated(p, f, dst=f.backends[0], dport=8080))
                  for p in (one, two))
    assert got == want, "got %s want %s" % ([g[:16].hex() for g in got],
                                            [w[:16].hex() for w in want])


@suite.case()
def behind_destination_options(net):
    net.service(V6, "udp", "53")
    udp = sc.UDP(sport=4000, dport=53) / sc.Raw(os.urandom(3000))
    packet = sc.IPv6(src=V6.client, dst=V6.vip) / sc.IPv6ExtHdrDestOpt(
        options=[sc.PadN(optdata=b"\0" * 4)]) / sc.IPv6ExtHdrFragment(
            id=5) / udp
    whole = bytes(sc.IPv6(bytes(sc.IPv6(src=V6.client, dst=V6.vip) / udp)))
    data = whole[40:]
    head = bytes(packet)[40:48]
    size = 1304
    parts = [data[i:i + size] for i in range(0, len(data), size)]
    for i, part in enumerate(parts):
        more = int(i < len(parts) - 1)
        fragment = bytes([17, 0]) + ((i * size) | more).to_bytes(2, "big") + \
            (5).to_bytes(4, "big")
        net.cl.send(sc.IPv6(src=V6.client, dst=V6.vip, nh=60) / sc.Raw(
            head[:0] + bytes([44]) + head[1:8] + fragment + part))
    got = b""
    while len(got) < len(data):
        frame = net.rs[0].expect()
        assert frame.ip[6] == 60, "destination options are gone"
        got += frame.ip[56:]
    want = translated(sc.IPv6(whole), V6, dst=V6.backends[0], dport=8080)
    assert got == want[40:]


@suite.case()
def overlap_is_dropped(net):
    """RFC 5722: a datagram with overlapping fragments is nothing."""
    net.service(V6, "udp", "53")
    _, parts = pieces(V6, 3000)
    overlap = parts[1].copy()
    overlap[sc.IPv6ExtHdrFragment].offset -= 2
    for part in (parts[0], overlap, *parts[1:]):
        net.cl.send(part)
    assert net.rs[0].arrived() is None


@suite.case()
def atomic_fragment(net):
    """RFC 6946: a fragment header on a whole packet is no reason to wait."""
    net.service(V6, "udp", "53")
    packet = sc.IPv6(src=V6.client, dst=V6.vip) / sc.IPv6ExtHdrFragment(
        id=9) / sc.UDP(sport=4000, dport=53) / sc.Raw(b"whole")
    net.cl.send(packet)
    frame = net.rs[0].expect()
    assert frame.parse()[sc.IPv6].dst == V6.backends[0]
    assert b"whole" in frame.ip


@suite.case(*FAMILIES)
def others_are_left_alone(net, f):
    """Fragments between hosts that are none of the balancer's business are
    forwarded as they are, by the host."""
    net.service(f, "udp", "53")
    key = "net.ipv6.conf.all.forwarding" if f.v6 else "net.ipv4.ip_forward"
    sysctl("lb", key, 1)
    try:
        for addr, mac, dev in ((f.backends[0][:-1] + "77", net.rs[0].mac,
                                "l1"),):
            net.neighbour(addr, mac, dev)
            _, parts = pieces(f, dst=addr)
            net.cl.send(parts[1])
            got = net.rs[0].expect()
            assert got.fragment()
    finally:
        sysctl("lb", key, 0)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
