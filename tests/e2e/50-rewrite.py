#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default uml/fast 6.1/xdp 6.12/xdp
# topology: none
"""Packet by packet: but for address, port, TTL and checksums nothing differs.

Every case sends what it means as bytes and compares what arrives with bytes
made here, for checksums that are complete, left to the device, and of GSO
packets.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, V4, V6, Suite, checksum, counted, sc,  # noqa: E402
                    translated)

suite = Suite("rewrite")
ATOMIC = {V4: {"flags": "DF"}, V6: {}}
HOWS = ["full", "partial"]
OPTIONS = [("NOP", None), ("NOP", None), ("Timestamp", (7, 9))]
SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)),
               ("NOP", None), ("WScale", 7)]


def tcp(f, flags, payload=b"", options=OPTIONS, sport=4000, seq=1000, ack=0,
        dport=80, ttl=64):
    return f.packet(f.client, f.vip, ttl=ttl) / sc.TCP(
        sport=sport, dport=dport, flags=flags, seq=seq, ack=ack,
        options=options) / sc.Raw(payload)


def reply(f, flags, payload=b"", sport=8080, dport=4000, seq=5000, ack=1001,
          backend=0, options=OPTIONS):
    # Atomic: without DF, what leaves as the VIP's has another identification.
    return f.packet(f.backends[backend], f.client, **ATOMIC[f]) / sc.TCP(
        sport=sport, dport=dport, flags=flags, seq=seq, ack=ack,
        options=options) / sc.Raw(payload)


def same(frame, want):
    """Byte by byte; a checksum left to the device is compared as zero."""
    got, want = bytearray(frame.ip), bytearray(want)
    if frame.partial:
        at = frame.start - 14 + frame.off
        got[at:at + 2] = want[at:at + 2] = b"\0\0"
    assert got == want, "got  %s\nwant %s" % (got.hex(), want.hex())


def handshake(net, f, sport=4000):
    net.cl.send(tcp(f, "S", options=SYN_OPTIONS, sport=sport, seq=999))
    net.rs[0].expect()
    net.rs[0].send(reply(f, "SA", options=SYN_OPTIONS, dport=sport, seq=4999,
                         ack=1000))
    net.cl.expect()
    net.cl.send(tcp(f, "A", sport=sport, seq=1000, ack=5000))
    net.rs[0].expect()


@suite.case(*[(f, how) for f in FAMILIES for how in HOWS])
def tcp_both_ways(net, f, how):
    net.service(f)
    sack = [("NOP", None), ("NOP", None), ("SAck", (100, 200, 300, 400))]
    for packet in (tcp(f, "S", options=SYN_OPTIONS),
                   tcp(f, "A"), tcp(f, "PA", os.urandom(1)),
                   tcp(f, "PA", os.urandom(1000), options=OPTIONS + sack),
                   tcp(f, "PAUEC", os.urandom(333))):
        net.cl.send(packet, how)
        same(net.rs[0].expect(), translated(packet, f, dst=f.backends[0],
                                            dport=8080))
        back = reply(f, "PA", os.urandom(777))
        net.rs[0].send(back, how)
        same(net.cl.expect(), translated(back, f, src=f.vip, sport=80))


@suite.case(*[(f, how) for f in FAMILIES for how in HOWS])
def udp_both_ways(net, f, how):
    net.service(f, "udp", "53")
    for size in (0, 1, 2, 511, 1400):
        packet = f.packet(f.client, f.vip) / sc.UDP(
            sport=4000, dport=53) / sc.Raw(os.urandom(size))
        net.cl.send(packet, how)
        same(net.rs[0].expect(), translated(packet, f, dst=f.backends[0],
                                            dport=8080))
        back = f.packet(f.backends[0], f.client, **ATOMIC[f]) / sc.UDP(
            sport=8080, dport=4000) / sc.Raw(os.urandom(size))
        net.rs[0].send(back, how)
        same(net.cl.expect(), translated(back, f, src=f.vip, sport=53))


@suite.case(*FAMILIES)
def gso_stays_whole(net, f):
    """A GSO packet leaves as one, its checksum still left to the device."""
    net.service(f)
    handshake(net, f)
    packet = tcp(f, "PA", os.urandom(20000), ack=5000)
    net.cl.send(packet, "gso", mss=1400)
    # Two CPUs may deliver segments out of order: the numbers tell the order.
    got = {}
    while sum(map(len, got.values())) < 20000:
        frame = net.rs[0].expect()
        segment = frame.parse()[sc.TCP]
        assert segment.seq not in got, "segment %d came twice" % segment.seq
        got[segment.seq] = bytes(segment.payload)
        assert net.offload not in ("default", "fast") or frame.gso, "segmented on the way"
        assert frame.gso or len(frame.ip) <= 1500
    assert b"".join(got[seq] for seq in sorted(got)) == bytes(
        packet[sc.TCP].payload)


@suite.case()
def udp_checksum_0_stays_0(net):
    net.service(V4, "udp", "53")
    packet = V4.packet(V4.client, V4.vip) / sc.UDP(
        sport=4000, dport=53, chksum=0) / sc.Raw(b"no checksum")
    net.cl.send(packet)
    frame = net.rs[0].expect()
    assert frame.parse()[sc.UDP].chksum == 0
    same(frame, translated(packet, V4, dst=V4.backends[0], dport=8080))


def payload_for_zero(f):
    """A payload with which the checksum is computed as 0 after DNAT."""
    packet = f.packet(f.client, f.backends[0]) / sc.UDP(
        sport=4000, dport=8080, chksum=0) / sc.Raw(b"\0\0")
    raw = bytes(packet)
    length = 10
    off = len(raw) - length
    if f.v6:
        pseudo = raw[8:40] + length.to_bytes(4, "big") + b"\0\0\0\x11"
    else:
        pseudo = raw[12:20] + b"\0\x11" + length.to_bytes(2, "big")
    return (0xffff - checksum(pseudo + raw[off:])).to_bytes(2, "big")


@suite.case(*FAMILIES)
def udp_computed_0_is_ffff(net, f):
    net.service(f, "udp", "53")
    packet = f.packet(f.client, f.vip) / sc.UDP(
        sport=4000, dport=53) / sc.Raw(payload_for_zero(f))
    net.cl.send(packet)
    assert net.rs[0].expect().parse()[sc.UDP].chksum == 0xffff


@suite.case(*FAMILIES)
def corrupt_stays_corrupt(net, f):
    """An incremental update does not hide what was wrong before."""
    net.service(f)
    net.cl.send(tcp(f, "S", options=SYN_OPTIONS))
    net.rs[0].expect()
    packet = bytearray(bytes(tcp(f, "PA", b"payload")))
    packet[-1] ^= 1
    net.cl.send(bytes(packet))
    frame = net.rs[0].receive()
    try:
        frame.check()
    except AssertionError:
        return
    raise AssertionError("the checksum of a corrupt packet was made right")


@suite.case(*FAMILIES)
def padding_is_cut(net, f):
    """A 40-byte ACK in a 60-byte frame: nothing of the padding gets on."""
    net.service(f)
    net.cl.send(tcp(f, "S", options=[]), pad=b"\xaa" * 6)
    frame = net.rs[0].expect()
    assert b"\xaa\xaa" not in frame.ip
    same(frame, translated(tcp(f, "S", options=[]), f, dst=f.backends[0],
                           dport=8080))


@suite.case(*FAMILIES)
def jumbo(net, f):
    for ns, dev in (("cl", "c0"), ("lb", "l0"), ("lb", "l1"), ("rs1", "r0")):
        os.system("ip -n %s link set %s mtu 9000" % (ns, dev))
    try:
        net.service(f)
        handshake(net, f)
        packet = tcp(f, "PA", os.urandom(8800), ack=5000)
        net.cl.send(packet)
        same(net.rs[0].expect(), translated(packet, f, dst=f.backends[0],
                                            dport=8080))
    finally:
        for ns, dev in (("cl", "c0"), ("lb", "l0"), ("lb", "l1"),
                        ("rs1", "r0")):
            os.system("ip -n %s link set %s mtu 1500" % (ns, dev))


@suite.case(*FAMILIES)
def port_ranges_and_all_ports(net, f):
    """The most specific service takes the packet; the port is kept."""
    vip = f.vip
    net.lbadm("service", "add", "udp", f.at(vip, "*"))
    net.lbadm("backend", "add", "udp", f.at(vip, "*"),
              ("[%s]" if f.v6 else "%s") % f.backends[0])
    net.lbadm("service", "add", "udp", f.at(vip, "8000-8010"))
    net.lbadm("backend", "add", "udp", f.at(vip, "8000-8010"),
              ("[%s]" if f.v6 else "%s") % f.backends[1])
    net.lbadm("service", "add", "udp", f.at(vip, "8005"))
    net.lbadm("backend", "add", "udp", f.at(vip, "8005"),
              f.at(f.backends[0], 9))
    for port, rs, want in ((1, 0, 1), (7999, 0, 7999), (8000, 1, 8000),
                           (8010, 1, 8010), (8005, 0, 9), (8011, 0, 8011),
                           (65535, 0, 65535)):
        packet = f.packet(f.client, vip) / sc.UDP(
            sport=4000, dport=port) / sc.Raw(b"x")
        net.cl.send(packet)
        same(net.rs[rs].expect(), translated(
            packet, f, dst=f.backends[rs], dport=want))


ADDRESS_OPTIONS = [
    (254, b"\x12\x34\x01\x02\x03\x04"), (253, b"\x12\x34" + b"\x20" * 16),
    (254, b"\x12\x34" + b"\x20" * 16), (200, b"\x12\x34\x01\x02\x03\x04"),
    (252, b"\x11" * 18), (250, b"\x11" * 6), (28, b"\1\1\2\3\4"),
    (28, b"\1" + b"\x20" * 16)]


@suite.case(*[(f, how) for f in FAMILIES for how in HOWS])
def forged_address_options(net, f, how):
    """What tells a client's address and comes from the client is NOPs."""
    net.service(f)
    for kind, value in ADDRESS_OPTIONS:
        for flags in ("S", "A", "PA"):
            packet = tcp(f, flags, b"data" if flags == "PA" else b"",
                         options=[(kind, value)], sport=5000 + kind)
            net.cl.send(packet, how)
            frame = net.rs[0].expect()
            options = bytes(frame.parse()[sc.TCP])[20:]
            assert options[:2 + len(value)] == b"\1" * (2 + len(value)), \
                "kind %d, %s: %s" % (kind, flags, options.hex())


@suite.case(*FAMILIES)
def full_option_space(net, f):
    """A forged address last in 40 bytes of options."""
    net.service(f)
    options = SYN_OPTIONS + [(254, b"\x12\x34" + b"\x20" * 16)]
    packet = tcp(f, "S", options=options)
    assert packet[sc.TCP].build()[12] >> 4 == 15
    net.cl.send(packet)
    options = bytes(net.rs[0].expect().parse()[sc.TCP])[20:60]
    assert options[:20] == bytes(packet[sc.TCP])[20:40], options.hex()
    assert options[20:] == b"\1" * 20, options.hex()


@suite.case(*FAMILIES)
def experiments_are_kept(net, f):
    """TCP Fast Open and SMC share kind 254 and are not addresses."""
    net.service(f)
    for value in (b"\xf9\x89\1\2\3\4", b"\xe2\xd4\xc3\xd9\0\0"):
        packet = tcp(f, "S", options=[(254, value)],
                     sport=random.randrange(1024, 60000))
        net.cl.send(packet)
        same(net.rs[0].expect(), translated(packet, f, dst=f.backends[0],
                                            dport=8080))


@suite.case(*FAMILIES)
def ttl_1_ends_here(net, f):
    net.service(f)
    packet = tcp(f, "S", ttl=1)
    with counted(net, "ttl-exceeded"):
        net.cl.send(packet)
        error = net.cl.expect().parse()
    assert net.rs[0].arrived() is None
    if f.v6:
        assert error.haslayer(sc.ICMPv6TimeExceeded)
        quoted = bytes(error[sc.ICMPv6TimeExceeded])[8:]
    else:
        assert (error[sc.ICMP].type, error[sc.ICMP].code) == (11, 0)
        quoted = bytes(error[sc.ICMP])[8:]
    sent = bytes(packet)
    assert quoted == sent[:len(quoted)] and len(quoted) >= 28, \
        "the quoted packet is not the one that was sent"


@suite.case(*FAMILIES)
def ttl_2_arrives_with_1(net, f):
    net.service(f)
    net.cl.send(tcp(f, "S", ttl=2))
    got = net.rs[0].expect().parse()
    assert (got.hlim if f.v6 else got.ttl) == 1


@suite.case(V4, V6)
def echo_is_answered(net, f):
    """For a VIP that is no address of the balancer."""
    net.service(f)
    if f.v6:
        request = f.packet(f.client, f.vip) / sc.ICMPv6EchoRequest(
            id=7, seq=3, data=b"ping" * 20)
    else:
        request = f.packet(f.client, f.vip) / sc.ICMP(
            type=8, id=7, seq=3) / sc.Raw(b"ping" * 20)
    net.cl.send(request)
    answer = net.cl.expect().parse()
    assert (answer.src, answer.dst) == (f.vip, f.client)
    if f.v6:
        assert answer[sc.ICMPv6EchoReply].data == b"ping" * 20
    else:
        assert answer[sc.ICMP].type == 0
        assert bytes(answer[sc.ICMP].payload) == b"ping" * 20


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
