#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# topology: none
"""How a backend is told the client: TCP Option Address and PROXY protocol,
packet by packet.
"""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from fullnat import (HOWS, SYN_OPTIONS, TIMESTAMP, Flow, both,  # noqa: E402
                     counter, flush, lowered, payload, raw_options, setup, toa)
from rawnet import UDP_GSO, V4, V6, Suite, sc  # noqa: E402

suite = Suite("toa")


@suite.case(*both())
def while_it_may_be_needed(net, c, b):
    """First option of SYN, ACK and data, until the client has an answer."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    want = toa(c)
    flow = Flow(net, c, b)
    syn, synack, ack = flow.handshake()
    rest = raw_options(sc.TCP(bytes(sc.TCP(options=lowered(c, b)))))
    assert raw_options(syn) == want + rest, raw_options(syn).hex()
    assert dict(synack.options)["MSS"] == \
        dict(lowered(b, c))["MSS"] - len(want)
    assert raw_options(ack)[:len(want)] == want
    # Data, while the ACK may be lost, and again
    for _ in range(2):
        flow.up("PA", b"question")
        got = flow.at_server()
        assert raw_options(got)[:len(want)] == want
        assert payload(got) == b"question"
    flow.down("PA", b"answer", ack=8)
    got = flow.at_client()
    assert len(raw_options(got)) == 12 and payload(got) == b"answer"
    # Not acknowledged yet
    flow.up("PA", b"more", seq=8)
    assert raw_options(flow.at_server())[:len(want)] == want
    # From here on the backend has the connection
    flow.up("A", seq=12, ack=6)
    assert len(raw_options(flow.at_server())) == 12
    flow.up("PA", b"more", seq=12, ack=6)
    assert len(raw_options(flow.at_server())) == 12
    assert counter(net, "toa-inserted") == 5
    # A reset carries none
    flow.up("R", seq=12, options=[])
    assert raw_options(flow.at_server()) == b""


@suite.case(*both(*[(how,) for how in HOWS]))
def checksums(net, c, b, how):
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    want = toa(c)
    flow = Flow(net, c, b, how=how)
    flow.handshake()
    for size in range(0, 1400, 233):
        data = os.urandom(size)
        flow.up("PA", data)
        got = flow.at_server()
        assert raw_options(got)[:len(want)] == want
        assert payload(got) == data


@suite.case((V6, V6), (V6, V4))
def kind_253(net, c, b):
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on", "toa-kind6", "253")
    flow = Flow(net, c, b)
    syn, _, _ = flow.handshake()
    assert raw_options(syn)[:20] == toa(c, kind=253)


@suite.case(*both())
def off_in_flight(net, c, b):
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.handshake()
    net.lbadm("service", "set", "tcp", c.at(c.vip, 80), "toa", "off")
    flow.up("PA", b"x")
    assert len(raw_options(flow.at_server())) == 12


FORGED = [(254, b"\x12\x34\x01\x02\x03\x04"), (254, b"\x12\x34" + b"\x20" * 16),
          (253, b"\x12\x34" + b"\x20" * 16), (200, b"\x12\x34\x01\x02\x03\x04"),
          (28, b"\1\1\2\3\4")]


@suite.case(*both())
def forged_is_replaced(net, c, b):
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    for i, (kind, value) in enumerate(FORGED):
        flow = Flow(net, c, b, sport=4000 + i)
        want = toa(c, 4000 + i)
        syn, _, ack = flow.handshake(options=[(kind, value)])
        flow.up("PA", b"data", options=[(kind, value)])
        for tcp in (syn, flow.at_server()):
            options = raw_options(tcp)
            assert options[:len(want)] == want, options.hex()
            rest = options[len(want):]
            assert rest == b"\1" * (2 + len(value)) + b"\0" * (
                len(rest) - 2 - len(value)), options.hex()
    assert counter(net, "toa-removed") == 2 * len(FORGED)


@suite.case(*both())
def no_room(net, c, b):
    """40 bytes of options: what is not needed gives way; what is stays."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    want = toa(c)
    flow = Flow(net, c, b)
    forged = bytes([254, 20]) + b"\x11" * 18
    flow.up("S", seq=-1, options=SYN_OPTIONS + [(254, forged[2:])])
    syn = flow.at_server()
    got = raw_options(syn)
    assert len(got) == 40 and got[:len(want)] == want, got.hex()
    usual = [o for o in lowered(c, b) if o[0] != "NOP"]
    assert [o for o in syn.options[1:] if o[0] not in ("NOP", "EOL")] == usual
    flow.down("SA", seq=-1, options=SYN_OPTIONS)
    flow.at_client()
    flow.up("A", options=TIMESTAMP + [(99, b"\5" * 26)])
    got = raw_options(flow.at_server())
    assert got[:len(want)] == want and got[len(want):][:10] == \
        b"\x08\x0a\0\0\0\7\0\0\0\x09", got.hex()
    assert counter(net, "toa-pruned") == 2
    # The backend has the connection: nothing gives way any more.
    flow.up("PA", b"x")
    flow.at_server()
    flow.down("A", ack=1)
    flow.at_client()
    flow.up("PA", b"y", seq=1, options=TIMESTAMP + [(99, b"\5" * 26)])
    assert raw_options(flow.at_server())[12:] == b"\x63\x1c" + b"\5" * 26
    assert counter(net, "toa-no-room") == 1


def too_big(net, c):
    """The MTU that the client is told."""
    error = net.cl.expect().parse()
    if c.v6:
        return error[sc.ICMPv6PacketTooBig].mtu
    assert (error[sc.ICMP].type, error[sc.ICMP].code) == (3, 4)
    return error[sc.ICMP].nexthopmtu


def established(flow):
    """The backend shows that it has the connection; returns the next number."""
    flow.up("PA", b"x")
    flow.at_server()
    flow.down("A", ack=1)
    flow.at_client()
    return 1


@suite.case(*both())
def never_over_the_mtu(net, c, b):
    """A segment that leaves room goes with the option. One that fills the MTU is
    refused while the backend may make the connection of it; later it goes
    without."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.handshake()
    want = toa(c)
    # What is left of 1500 bytes, in either family, for data and the option
    room = 1500 - max(40 if c.v6 else 20, 40 if b.v6 else 20) - 32
    only_b = 1500 - (40 if b.v6 else 20) - 32
    fits = room + len(want) <= only_b
    flow.up("PA", b"x" * (room - len(want)), df=True)
    got = flow.at_server()
    assert raw_options(got)[:len(want)] == want
    assert len(payload(got)) == room - len(want)
    flow.up("PA", b"x" * room, df=True)
    if fits:
        assert raw_options(flow.at_server())[:len(want)] == want
        return
    mtu = 1500 - (20 if b.v6 and not c.v6 else 0) - len(want)
    assert too_big(net, c) == mtu
    assert net.rs[0].arrived() is None
    if not c.v6 and not b.v6:
        # May be fragmented, and is
        flow.up("PA", b"x" * room)
        first, second = net.rs[0].expect(), net.rs[0].expect()
        assert first.fragment() and second.fragment()
        assert first.ip[40:40 + len(want)] == want
    assert counter(net, "toa-over-mtu") == 1
    at = established(flow)
    flow.up("PA", b"x" * room, seq=at, df=True)
    got = flow.at_server()
    assert len(raw_options(got)) == 12 and len(payload(got)) == room
    assert counter(net, "toa-over-mtu") == 2


@suite.case(*both())
def in_gso(net, c, b):
    """Every segment carries it, none is longer than the MTU."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.handshake()
    want = toa(c)
    data = os.urandom(20000)
    p = c.packet(c.client, c.vip) / sc.TCP(
        sport=4000, dport=80, flags="PA", seq=1000, ack=5000,
        options=TIMESTAMP) / sc.Raw(data)
    net.cl.send(p, "gso", mss=1400)
    got = {}
    while sum(map(len, got.values())) < 20000:
        frame = net.rs[0].expect()
        tcp = frame.parse()[sc.TCP]
        assert frame.gso or len(frame.ip) <= 1500
        if frame.gso:
            assert frame.gso_size + tcp.dataofs * 4 + 40 <= 1500
        assert raw_options(tcp)[:len(want)] == want
        got[tcp.seq] = payload(tcp)
    assert b"".join(got[seq] for seq in sorted(got)) == data


@suite.case((V4, V4), (V6, V6), (V4, V6))
def in_gso_without_room(net, c, b):
    """Segments that fill the MTU already go without; not so the last one, if it
    comes by itself. From IPv6 to IPv4 there is always room."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.handshake()
    data = os.urandom(20000)
    mss = 1500 - (40 if b.v6 else 20) - 32
    df = {} if c.v6 else {"flags": "DF"}
    p = c.packet(c.client, c.vip, **df) / sc.TCP(
        sport=4000, dport=80, flags="PA", seq=1000, ack=5000,
        options=TIMESTAMP) / sc.Raw(data)
    # The backend may make the connection of it: it needs the option.
    net.cl.send(p, "gso", mss=mss)
    assert too_big(net, c) == 1500 - len(toa(c)) - (
        20 if b.v6 and not c.v6 else 0)
    assert net.rs[0].arrived() is None
    p[sc.TCP].seq += established(flow)
    net.cl.send(p, "gso", mss=mss)
    got = 0
    while got < 20000:
        frame = net.rs[0].expect()
        tcp = frame.parse()[sc.TCP]
        assert frame.gso or len(frame.ip) <= 1500
        full = frame.gso or len(payload(tcp)) == mss
        rest = raw_options(sc.TCP(bytes(sc.TCP(options=TIMESTAMP))))
        # GRO makes the last one a part of what the balancer sees
        allowed = [rest] if full or net.offload == "gro" else []
        if not full:
            allowed.append(toa(c) + rest)
        assert raw_options(tcp) in allowed
        got += len(payload(tcp))


@suite.case(*both())
def not_in_ambiguous_syn(net, c, b):
    """A port that would make it TCP Fast Open's, or SMC's: not in the SYN."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    for port in (0xf989, 0xe2d4):
        flow = Flow(net, c, b, sport=port)
        syn, _, ack = flow.handshake()
        want = toa(c, port)
        assert len(raw_options(syn)) == 20
        assert raw_options(ack)[:len(want)] == want


@suite.case(*both(*[(kind,) for kind in (19, 29)]))
def signatures_are_no_excuse(net, c, b, kind):
    """NAT breaks them: they go, and the address comes."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    want = toa(c)
    flow = Flow(net, c, b)
    flow.up("S", seq=-1, options=[(kind, b"\x55" * 16)])
    got = raw_options(flow.at_server())
    assert got[:len(want)] == want and not any(got[len(want):]), got.hex()
    flow.down("SA", seq=-1)
    flow.at_client()
    for value in (b"", b"\x55\x55", b"\x55" * 16):
        flow.up("A", options=[(254, b"\x12\x34\1\2\3\4"), (kind, value)])
        got = raw_options(flow.at_server())
        assert got[:len(want)] == want and not any(got[len(want):]), got.hex()


@suite.case(*both())
def malformed_options(net, c, b):
    """None of these hangs the walk; what follows gets through."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    base = c.packet(c.client, c.vip) / sc.TCP(sport=4000, dport=80, flags="S")
    for i, raw in enumerate((b"\x08\x00\x00\x00", b"\x02\x01\x01\x01",
                             b"\x01\x01\x01\xfe", b"\xfe\x28\x00\x00",
                             b"\xfe\x00\xfe\x00", b"\x05\x03\x01\x01")):
        p = base.copy()
        p[sc.TCP].sport = 4100 + i
        p[sc.TCP].dataofs = 5 + len(raw) // 4
        data = bytearray(bytes(p / sc.Raw(raw)))
        net.cl.send(bytes(data))
        net.rs[0].expect()


PROXY = b"\r\n\r\n\0\r\nQUIT\n\x21"


def proxy_header(c, proto, sport=4000, dport=80):
    family = socket.AF_INET6 if c.v6 else socket.AF_INET
    addrs = b"".join(socket.inet_pton(family, a) for a in (c.client, c.vip))
    kind = (0x21 if c.v6 else 0x11) + (proto == "udp")
    return PROXY + struct.pack("!BH", kind, len(addrs) + 4) + addrs + \
        struct.pack("!HH", sport, dport)


@suite.case(*both(*[(how,) for how in HOWS]))
def proxy_tcp(net, c, b, how):
    """The header comes first, also again when it was lost, and once only."""
    flush(net)
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    header = proxy_header(c, "tcp")
    size = len(header)
    flow = Flow(net, c, b, how=how)
    _, _, ack = flow.handshake()
    assert (payload(ack), ack.seq) == (header, 1000)
    # The header is lost: the client's data bring it again
    flow.up("PA", b"question")
    got = flow.at_server()
    assert (payload(got), got.seq) == (header, 1000)
    got = flow.at_server()
    assert (payload(got), got.seq) == (b"question", 1000 + size)
    # A part of it acknowledged is nothing for the client
    flow.down("A", ack=10)
    assert flow.at_client().ack == 1000
    edges = (1000 + size, 1000 + size + 8)
    flow.down("A", ack=0, options=[("NOP", None), ("NOP", None),
                                   ("SAck", edges)])
    got = flow.at_client()
    assert (got.ack, dict(got.options)["SAck"]) == (1000, (1000, 1008))
    flow.down("PA", b"answer", ack=size + 8)
    got = flow.at_client()
    assert (payload(got), got.ack) == (b"answer", 1008)
    flow.up("A", seq=8, ack=6)
    got = flow.at_server()
    assert (payload(got), got.seq) == (b"", 1008 + size)
    flow.up("FA", seq=8, ack=6)
    assert flow.at_server().seq == 1008 + size
    assert counter(net, "proxy-header") == 2


@suite.case(*both(*[(how,) for how in HOWS]))
def proxy_udp(net, c, b, how):
    flush(net)
    setup(net, c, b, "udp", 53, "proxy-protocol", "on")
    header = proxy_header(c, "udp", dport=53)
    for size in (0, 1, 2, 500, 1380):
        data = os.urandom(size)
        net.cl.send(c.packet(c.client, c.vip) / sc.UDP(sport=4000, dport=53) /
                    sc.Raw(data), how)
        got = net.rs[0].expect().parse()
        assert got[sc.UDP].len == 8 + len(header) + size
        assert bytes(got[sc.UDP].payload)[:len(header) + size] == header + data


def proxy_udp_gso(net, c, b):
    """Datagrams that came merged go one by one."""
    flush(net)
    setup(net, c, b, "udp", 53, "proxy-protocol", "on")
    header = proxy_header(c, "udp", dport=53)
    data = os.urandom(5000)
    net.cl.send(c.packet(c.client, c.vip) / sc.UDP(sport=4000, dport=53) /
                sc.Raw(data), "gso", mss=1000)
    got = b""
    for _ in range(5):
        udp = net.rs[0].expect().parse()[sc.UDP]
        assert bytes(udp.payload)[:len(header)] == header
        got += bytes(udp.payload)[len(header):]
    assert got == data


if UDP_GSO:
    suite.case(*both())(proxy_udp_gso)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
