#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/off uml/gro 6.12/off
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
                     counter, flush, payload, raw_options, setup, toa)
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
    rest = raw_options(sc.TCP(bytes(sc.TCP(options=SYN_OPTIONS))))
    assert raw_options(syn) == want + rest, raw_options(syn).hex()
    assert dict(synack.options)["MSS"] == 1460 - len(want)
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
    """40 bytes of options: it goes without, but what is forged goes too."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    forged = bytes([254, 20]) + b"\x11" * 18
    flow.up("S", seq=-1, options=SYN_OPTIONS + [(254, forged[2:])])
    got = raw_options(flow.at_server())
    assert len(got) == 40 and got[20:] == b"\1" * 20
    assert counter(net, "toa-no-room") == 1


@suite.case(*both())
def never_over_the_mtu(net, c, b):
    """A segment that fills the MTU goes without; one that leaves room, with."""
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.handshake()
    want = toa(c)
    # What is left of 1500 bytes, in either family, for data and the option
    room = 1500 - max(40 if c.v6 else 20, 40 if b.v6 else 20) - 32
    only_b = 1500 - (40 if b.v6 else 20) - 32
    for size, fits in ((room - len(want), True), (room, room < only_b and
                                                   room + len(want) <= only_b)):
        flow.up("PA", b"x" * size)
        got = flow.at_server()
        assert (raw_options(got)[:len(want)] == want) == fits
        assert len(payload(got)) == size
    assert counter(net, "toa-over-mtu") == (0 if fits else 1)


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
    p = c.packet(c.client, c.vip) / sc.TCP(
        sport=4000, dport=80, flags="PA", seq=1000, ack=5000,
        options=TIMESTAMP) / sc.Raw(data)
    net.cl.send(p, "gso", mss=mss)
    got = 0
    while got < 20000:
        frame = net.rs[0].expect()
        tcp = frame.parse()[sc.TCP]
        assert frame.gso or len(frame.ip) <= 1500
        full = frame.gso or len(payload(tcp)) == mss
        assert raw_options(tcp) == (b"" if full else toa(c)) + \
            raw_options(sc.TCP(bytes(sc.TCP(options=TIMESTAMP))))
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


@suite.case(*both())
def signed_segments_are_left_alone(net, c, b):
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.up("S", seq=-1, options=[(19, b"\x55" * 16)])
    assert raw_options(flow.at_server())[:18] == b"\x13\x12" + b"\x55" * 16


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
