#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/off
# topology: none
"""Mode fullnat, packet by packet: both ends, both families, and across them.

Every frame that arrives is checked for lengths and checksums; what else is to
be seen of it is compared with what was sent.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from fullnat import (HOWS, Flow, both, counter, flush,  # noqa: E402
                     lowered, payload, raw_options, setup, toa)
from rawnet import FAMILIES, V4, V6, Suite, counted, run, sc  # noqa: E402

suite = Suite("fullnat")


@suite.case(*both(*[(how,) for how in HOWS]))
def tcp_both_ways(net, c, b, how):
    flush(net)
    laddr = setup(net, c, b)
    flow = Flow(net, c, b, how=how)
    syn, synack, ack = flow.handshake()
    assert flow.local[0] == laddr
    assert 1024 <= flow.local[1]
    for got, options in ((syn, lowered(c, b)), (synack, lowered(b, c))):
        assert got.options == options, got.options
    for size in (1, 2, 999, 1380):
        data = os.urandom(size)
        flow.up("PA", data)
        got = flow.at_server()
        assert (payload(got), got.seq, got.ack) == (data, 1000, 5000)
        data = os.urandom(size)
        flow.down("PA", data)
        got = flow.at_client()
        assert (payload(got), got.seq, got.ack) == (data, 5000, 1000)
    assert not any(net.drops().values()), net.drops()


@suite.case(*both(*[(how,) for how in HOWS]))
def udp_both_ways(net, c, b, how):
    flush(net)
    laddr = setup(net, c, b, "udp", 53)
    for size in (0, 1, 2, 511, 1400):
        data = os.urandom(size)
        net.cl.send(c.packet(c.client, c.vip) / sc.UDP(sport=4000, dport=53) /
                    sc.Raw(data), how)
        got = net.rs[0].expect().parse()
        assert (got.src, got.dst, got[sc.UDP].dport) == \
            (laddr, b.backends[0], 8080)
        assert bytes(got[sc.UDP].payload)[:size] == data
        net.rs[0].send(b.packet(b.backends[0], laddr) / sc.UDP(
            sport=8080, dport=got[sc.UDP].sport) / sc.Raw(data), how)
        got = net.cl.expect().parse()
        assert (got.src, got.dst) == (c.vip, c.client)
        assert (got[sc.UDP].sport, got[sc.UDP].dport) == (53, 4000)
        assert bytes(got[sc.UDP].payload)[:size] == data


@suite.case(V4, V6)
def udp_checksum_0(net, b):
    """Kept as it is, but made where IPv6 must have one."""
    flush(net)
    setup(net, V4, b, "udp", 53)
    net.cl.send(V4.packet(V4.client, V4.vip) / sc.UDP(
        sport=4000, dport=53, chksum=0) / sc.Raw(b"no checksum"))
    sum_ = net.rs[0].expect().parse()[sc.UDP].chksum
    assert bool(sum_) == b.v6, sum_


@suite.case(*both())
def dscp_ecn_and_ttl(net, c, b):
    flush(net)
    setup(net, c, b)
    kw = {"tc": 0xb9} if c.v6 else {"tos": 0xb9}
    net.cl.send(c.packet(c.client, c.vip, ttl=9, **kw) / sc.TCP(
        sport=4000, dport=80, flags="S"))
    got = net.rs[0].expect().parse()
    assert (got.tc if b.v6 else got.tos) == 0xb9
    assert (got.hlim if b.v6 else got.ttl) == 8


@suite.case(*both())
def padding_is_cut(net, c, b):
    flush(net)
    setup(net, c, b, "tcp", 80, "toa", "on")
    flow = Flow(net, c, b)
    flow.handshake(options=[], reply=[])
    p = c.packet(c.client, c.vip) / sc.TCP(
        sport=4000, dport=80, flags="A", seq=1000, ack=5000)
    net.cl.send(p, pad=b"\xaa" * 6)
    frame = net.rs[0].expect()
    assert b"\xaa\xaa" not in frame.ip
    assert raw_options(frame.parse()[sc.TCP]) == toa(c)


@suite.case(*both())
def time_wait_is_no_obstacle(net, c, b):
    """A port that the backend may hold in TIME_WAIT: the new connection's
    sequence number is beyond the last one's end, and it has no timestamps."""
    flush(net)
    setup(net, c, b, ports="2000-2000")
    end = 0
    for i in range(4):
        # Each client begins far behind where the last one ended.
        flow = Flow(net, c, b, sport=4000 + i, isn=0xfffffff0 - i * 1000000)
        syn, synack, ack = flow.handshake()
        assert flow.local[1] == 2000
        if i:
            assert 0 < (syn.seq - end) & 0xffffffff <= 1 << 24, \
                "%x after %x" % (syn.seq, end)
            assert "Timestamp" not in dict(syn.options)
            assert dict(syn.options)["WScale"] == 7
            assert ack.seq == (syn.seq + 1) & 0xffffffff
        flow.up("PA", b"question")
        got = flow.at_server()
        assert got.seq == (syn.seq + 1) & 0xffffffff
        edges = [(flow.isn + 1 + flow.delta + n) & 0xffffffff
                 for n in (2, 4, 6, 8)]
        flow.down("A", ack=0, options=[("NOP", None), ("NOP", None),
                                       ("SAck", tuple(edges))])
        got = flow.at_client()
        assert got.ack == (flow.isn + 1) & 0xffffffff
        assert dict(got.options)["SAck"] == tuple(
            (flow.isn + 1 + n) & 0xffffffff for n in (2, 4, 6, 8))
        flow.down("PA", b"answer", ack=8)
        assert flow.at_client().ack == (flow.isn + 9) & 0xffffffff
        flow.down("FA", seq=6, ack=8)
        flow.at_client()
        flow.up("FA", seq=8, ack=7)
        fin = flow.at_server()
        end = (fin.seq + 1) & 0xffffffff
        flow.down("A", seq=7, ack=9)
        flow.at_client()
    assert counter(net, "port-reused") == 3


@suite.case(*both())
def exhausted_ports(net, c, b):
    """100 ports carry 100 connections; the next is refused; ports come back."""
    flush(net)
    setup(net, c, b, ports="3000-3099")
    flows = [Flow(net, c, b, sport=10000 + i) for i in range(100)]
    for flow in flows:
        flow.handshake()
    assert sorted(f.local[1] for f in flows) == list(range(3000, 3100))
    with counted(net, "ports-exhausted"):
        late = Flow(net, c, b, sport=20000)
        late.up("S", seq=-1)
        assert late.at_client().flags == "RA"
    # Another backend has its own
    net.lbadm("backend", "add", "tcp", c.at(c.vip, 80),
              b.at(b.backends[1], 8080))
    other = Flow(net, c, b, sport=20001, rs=1)
    for _ in range(3):
        other.up("S", seq=-1)
        frame = net.rs[1].receive(1.0)
        if frame:
            break
    assert frame, "the other backend was not tried"
    net.lbadm("backend", "del", "tcp", c.at(c.vip, 80),
              b.at(b.backends[1], 8080), "now")
    # A connection that is over gives its port back
    flows[7].down("R")
    flows[7].at_client()
    late = Flow(net, c, b, sport=20002)
    for _ in range(100):
        late.up("S", seq=-1)
        frame = net.rs[0].receive(0.05)
        if frame:
            break
        net.cl.flush()
    assert frame.parse()[sc.TCP].sport == flows[7].local[1]


@suite.case(*both())
def no_local_address(net, c, b):
    flush(net)
    setup(net, c, b)
    net.lbadm("laddr", "del", b.lb[1])
    with counted(net, "no-local-address"):
        flow = Flow(net, c, b)
        flow.up("S", seq=-1)
        assert flow.at_client().flags == "RA"


@suite.case(*both())
def ports_are_spread(net, c, b):
    """Excluded ports stay free; all others are used, in no plain order."""
    flush(net)
    vip = c.at(c.vip, 80)
    net.lbadm("laddr", "add", b.lb[1], "ports", "5000-5039", "exclude",
              "5010-5019,5030")
    net.lbadm("service", "add", "tcp", vip, "mode", "fullnat")
    net.lbadm("backend", "add", "tcp", vip, b.at(b.backends[0], 8080))
    seen = []
    for i in range(29):
        flow = Flow(net, c, b, sport=10000 + i)
        flow.up("S", seq=-1)
        flow.at_server()
        seen.append(flow.local[1])
    want = [p for p in range(5000, 5040)
            if not 5010 <= p <= 5019 and p != 5030]
    assert sorted(seen) == want
    steps = {b - a for a, b in zip(seen, seen[1:])}
    assert len(steps) > 8, seen


@suite.case(*both())
def ranges_of_addresses(net, c, b):
    flush(net)
    first = "2001:db8:77::fffe" if b.v6 else "10.77.0.254"
    last = "2001:db8:77::1:1" if b.v6 else "10.77.1.1"
    net.lbadm("laddr", "add", first + "-" + last, "ports", "6000-6009")
    vip = c.at(c.vip, 80)
    net.lbadm("service", "add", "tcp", vip, "mode", "fullnat")
    net.lbadm("backend", "add", "tcp", vip, b.at(b.backends[0], 8080))
    seen = set()
    for i in range(40):
        flow = Flow(net, c, b, sport=10000 + i)
        flow.up("S", seq=-1)
        flow.at_server()
        seen.add(flow.local)
    assert len(seen) == 40
    addrs = {a for a, _ in seen}
    want = {"2001:db8:77::fffe", "2001:db8:77::ffff", "2001:db8:77::1:0",
            "2001:db8:77::1:1"} if b.v6 else \
        {"10.77.0.254", "10.77.0.255", "10.77.1.0", "10.77.1.1"}
    assert addrs == want, addrs


def icmp_error(f, src, dst, quoted, mtu=None):
    if f.v6:
        if mtu:
            return f.packet(src, dst) / sc.ICMPv6PacketTooBig(mtu=mtu) / quoted
        return f.packet(src, dst) / sc.ICMPv6DestUnreach(code=4) / quoted
    if mtu:
        return f.packet(src, dst) / sc.ICMP(type=3, code=4,
                                            nexthopmtu=mtu) / quoted
    return f.packet(src, dst) / sc.ICMP(type=3, code=3) / quoted


def parse_error(f, packet):
    """(type, code, mtu, quoted packet)"""
    if f.v6:
        layer = packet.getlayer(sc.ICMPv6PacketTooBig) or \
            packet.getlayer(sc.ICMPv6DestUnreach) or \
            packet.getlayer(sc.ICMPv6TimeExceeded)
        return (layer.type, layer.code, getattr(layer, "mtu", None),
                sc.IPv6(bytes(layer)[8:]))
    layer = packet[sc.ICMP]
    return (layer.type, layer.code, layer.nexthopmtu,
            sc.IP(bytes(layer)[8:]))


@suite.case(*both((None,), (1400,)))
def icmp_from_the_backends_side(net, c, b, mtu):
    """An error about what the client sent quotes what the client sent."""
    flush(net)
    setup(net, c, b, ports="2000-2000")
    # A second connection on a port, so that sequence numbers are moved
    first = Flow(net, c, b)
    first.handshake()
    first.finish("backend")
    flow = Flow(net, c, b, sport=4001, isn=77)
    flow.handshake()
    assert flow.delta
    flow.up("PA", b"d" * 600)
    server = flow.server.expect().parse()
    for source in ((b.backends[0], "backend"), (b.lb[1][:-1] + "77", "router")):
        net.rs[0].send(icmp_error(b, source[0], flow.local[0], server, mtu))
        got = net.cl.expect().parse()
        kind, code, got_mtu, quoted = parse_error(c, got)
        assert got.dst == c.client
        assert got.src == (c.vip if source[1] == "backend" or c is not b
                           else source[0]), got.src
        assert (quoted.src, quoted.dst) == (c.client, c.vip)
        tcp = quoted[sc.TCP]
        assert (tcp.sport, tcp.dport, tcp.seq) == (4001, 80, 78), tcp.seq
        if mtu:
            assert (kind, code) == ((2, 0) if c.v6 else (3, 4))
            want = mtu + (20 if c.v6 else -20 if b.v6 else 0) \
                if c is not b else mtu
            assert got_mtu == want, got_mtu
        else:
            assert (kind, code) == ((1, 4) if c.v6 else (3, 3))


@suite.case(*both((None,), (1400,)))
def icmp_from_the_clients_side(net, c, b, mtu):
    """And one about what the backend sent, what the backend sent."""
    flush(net)
    setup(net, c, b)
    flow = Flow(net, c, b)
    flow.handshake()
    flow.down("PA", b"d" * 600)
    client = net.cl.expect().parse()
    net.cl.send(icmp_error(c, c.client, c.vip, client, mtu))
    got = net.rs[0].expect().parse()
    kind, code, got_mtu, quoted = parse_error(b, got)
    assert (got.src, got.dst) == (flow.local[0], b.backends[0])
    assert (quoted.src, quoted.dst) == (b.backends[0], flow.local[0])
    assert (quoted[sc.TCP].sport, quoted[sc.TCP].dport) == (8080,
                                                            flow.local[1])
    if mtu and c is not b:
        assert got_mtu == mtu + (20 if b.v6 else -20)


@suite.case(0, 552, 1400)
def a_narrow_path_of_one_client(net, mtu):
    """The backend would learn it for all clients of the local address."""
    flush(net)
    setup(net, V4, V4)
    flow = Flow(net, V4, V4)
    flow.handshake()
    flow.down("PA", b"d" * 600)
    quoted = bytes(net.cl.expect().parse())
    net.cl.send(V4.packet(V4.client, V4.vip) / sc.ICMP(
        type=3, code=4, nexthopmtu=mtu) / sc.Raw(quoted[:48]))
    got = net.rs[0].expect().parse()
    assert parse_error(V4, got)[2] == max(mtu, 1280)


@suite.case(*both())
def too_long_for_the_backends_link(net, c, b):
    """Told to the client in its own family's terms."""
    flush(net)
    run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1300")
    try:
        setup(net, c, b)
        flow = Flow(net, c, b)
        flow.handshake()
        p = c.packet(c.client, c.vip, **({} if c.v6 else {"flags": "DF"}))
        net.cl.send(p / sc.TCP(sport=4000, dport=80, flags="PA", seq=1000,
                               ack=5000) / sc.Raw(b"x" * 1350))
        kind, code, mtu, quoted = parse_error(c, net.cl.expect().parse())
        assert (kind, code) == ((2, 0) if c.v6 else (3, 4))
        assert mtu == 1300 + (0 if c is b else 20 if c.v6 else -20), mtu
    finally:
        run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1500")


@suite.case(*both())
def fragments(net, c, b):
    """A datagram in fragments arrives as one flow, in either family."""
    flush(net)
    setup(net, c, b, "udp", 53)
    data = os.urandom(3000)
    p = c.packet(c.client, c.vip) / sc.UDP(sport=4000, dport=53) / sc.Raw(data)
    if c.v6:
        parts = sc.fragment6(sc.IPv6(bytes(
            sc.IPv6(src=c.client, dst=c.vip) / sc.IPv6ExtHdrFragment(id=7) /
            p[sc.UDP])), 1400)
    else:
        parts = sc.fragment(sc.IP(bytes(p)), 1400)
    assert len(parts) > 1
    for part in parts:
        net.cl.send(bytes(part))
    got = [net.rs[0].expect().parse() for _ in parts]
    if b.v6:
        whole = sc.defragment6(got)
        assert bytes(whole[sc.UDP].payload) == data
    else:
        whole = sc.defragment(sc.PacketList(got))[0]
        assert bytes(whole[sc.UDP].payload) == data


@suite.case(*both())
def hairpin(net, c, b):
    """A backend that is its own client."""
    if c is not b:
        return
    flush(net)
    laddr = setup(net, c, b)
    net.rs[0].send(b.packet(b.backends[0], c.vip) / sc.TCP(
        sport=4000, dport=80, flags="S"))
    got = net.rs[0].expect().parse()
    assert (got.src, got.dst) == (laddr, b.backends[0])


@suite.case(*FAMILIES)
def a_backends_own_mode(net, f):
    """One backend by dnat, the other by fullnat."""
    flush(net)
    vip = f.at(f.vip, 80)
    net.lbadm("laddr", "add", f.lb[1])
    net.lbadm("service", "add", "tcp", vip, "scheduler", "rr")
    net.lbadm("backend", "add", "tcp", vip, f.at(f.backends[0], 8080))
    net.lbadm("backend", "add", "tcp", vip, f.at(f.backends[1], 8080), "mode",
              "fullnat")
    for i in range(4):
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=4000 + i, dport=80, flags="S"))
    for _ in range(2):
        assert net.rs[0].expect().parse().src == f.client
        assert net.rs[1].expect().parse().src == f.lb[1]


def refused(net, *args):
    try:
        net.lbadm(*args)
    except AssertionError as e:
        return str(e)
    raise AssertionError("not refused: " + " ".join(args))


@suite.case()
def bad_configuration(net):
    flush(net)
    net.lbadm("laddr", "add", "10.77.0.1-10.77.0.9", "ports", "1000-1999")
    for words, why in (
            ("laddr add 10.77.0.9-10.77.0.20 ports 1999-2000", "already"),
            ("laddr add 224.0.0.1", "unicast"),
            ("laddr add 10.0.0.9-10.0.0.1", "ends before"),
            ("laddr add 10.0.0.1-10.1.0.0", "4096"),
            ("laddr add 10.0.0.1-2001:db8::1", "ADDR-ADDR"),
            ("laddr add 2001:db8::1-2001:db9::1", "4096"),
            ("laddr add 10.0.0.1 ports 0-9", "LO-HI"),
            ("laddr add 10.0.0.1 ports 9-8", "LO-HI"),
            ("laddr add 10.0.0.1 ports 1-9 exclude 1-9", "no port is left"),
            ("laddr add 10.0.0.1 ports 1-9 exclude 5,3", "ascending"),
            ("laddr add 10.0.0.1 ports 1-9 exclude 12", "within"),
            ("laddr add 10.0.0.1 colour blue", "ports or exclude"),
            ("laddr del 10.77.0.1", "no such"),
            ("service add tcp 192.0.2.10:81 toa on", "mode fullnat"),
            ("service add tcp 192.0.2.10:81 proxy-protocol on", "fullnat"),
            ("service add udp 192.0.2.10:81 mode fullnat toa on", "tcp"),
            ("service add tcp 192.0.2.10:81 mode fullnat toa on "
             "proxy-protocol on", "exclude each other"),
            ("service add tcp 192.0.2.10:81 mode fullnat toa-kind6 252",
             "253 or 254")):
        message = refused(net, *words.split())
        assert why in message, message
    net.lbadm("service", "add", "tcp", "192.0.2.10:81", "mode", "fullnat")
    net.lbadm("backend", "add", "tcp", "192.0.2.10:81", "[2001:db8:21::2]:80")
    assert "family" in refused(net, "service", "set", "tcp", "192.0.2.10:81",
                               "mode", "dnat")
    net.lbadm("laddr", "del", "10.77.0.1-10.77.0.9")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
