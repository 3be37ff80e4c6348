#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""What backends send from a service's port without a connection: what is late
is refused towards the backend and never reaches a client; what answers a client
that asked the backend directly, or is the backend's own, goes on."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import FAMILIES, V4, Suite, counted, run, sc, sysctl  # noqa: E402

suite = Suite("late")
PROTOS = ["tcp", "udp"]
BOTH = [(f, p) for f in FAMILIES for p in PROTOS]
ISN, SERVER = 1 << 30, 3 << 30


def forwarding(net, on):
    sysctl("lb", "net.ipv4.ip_forward", int(on))
    sysctl("lb", "net.ipv6.conf.all.forwarding", int(on))
    # The kernel's limits are another test's.
    sysctl("lb", "net.ipv4.icmp_ratelimit", 0)
    sysctl("lb", "net.ipv6.icmp.ratelimit", 0)


def head(proto, sport, dport, flags="A", seq=0, ack=0, data=b""):
    if proto == "udp":
        return sc.UDP(sport=sport, dport=dport) / sc.Raw(data or b"x")
    return sc.TCP(sport=sport, dport=dport, flags=flags, seq=seq,
                  ack=ack) / sc.Raw(data)


def request(f, proto, flags="S", seq=ISN, ack=0, sport=4000, to=None,
            dport=80, data=b""):
    return f.packet(f.client, to or f.vip) / head(proto, sport, dport, flags,
                                                  seq, ack, data)


def reply(f, proto, flags="SA", seq=SERVER, ack=ISN + 1, dport=4000, sport=8080,
          data=b"", rs=0):
    return f.packet(f.backends[rs], f.client) / head(proto, sport, dport, flags,
                                                     seq, ack, data)


def opened(net, f, proto, words=(), backends=1, port=4000):
    """A flow of a client and rs1, both ways."""
    net.service(f, proto, "80", backends, *words)
    net.cl.send(request(f, proto, sport=port))
    net.rs[0].expect()
    net.rs[0].send(reply(f, proto, dport=port))
    assert net.cl.expect().parse().src == f.vip
    net.cl.send(request(f, proto, "A", ISN + 1, SERVER + 1, port))
    net.rs[0].expect()


def refused(net, f, proto, port, packet, reason):
    """Its sender is told, as by the receiver; nobody else gets anything."""
    with counted(net, reason):
        port.send(packet)
        got = port.expect().parse()
    if proto == "udp":
        error = got.payload
        assert (error.type, error.code) == ((1, 4) if f.v6 else (3, 3)), \
            got.summary()
        quoted = bytes(error)[8:]
        at = 20 if f.v6 else 12
        assert quoted[at:at + 16] == bytes(packet)[at:at + 16], \
            "not about what was sent"
        return
    assert (got.src, got.dst) == (packet.dst, packet.src), got.summary()
    tcp, sent = got[sc.TCP], packet[sc.TCP]
    assert (tcp.sport, tcp.dport) == (sent.dport, sent.sport)
    assert tcp.flags.R, tcp.flags
    if sent.flags.A:
        assert tcp.seq == sent.ack and not tcp.flags.A
    else:
        assert tcp.ack == sent.seq + 1 + len(sent.payload)


def late(net, f, proto, packet):
    refused(net, f, proto, net.rs[0], packet, "late-reply")
    assert not net.cl.arrived(), "it reached the client"


def asked(f, port, src, left_behind):
    """It got a bare ACK from there, whose number is out of its window."""
    frame = port.receive(8)
    assert frame, port.name + " was not asked"
    got = frame.check().parse()
    assert got.src == src and got[sc.TCP].flags == "A", got.summary()
    assert not got[sc.TCP].payload, got.summary()
    behind = (left_behind - got[sc.TCP].seq) % (1 << 32)
    assert 0 < behind < 1 << 31, "%s got one within its window" % port.name


def ended(net, f, client_next, server_next):
    """A connection that was idle for too long or flushed is over: for some
    seconds resets answer whatever its sides send, and nothing goes across."""
    asked(f, net.cl, f.vip, server_next)
    asked(f, net.rs[0], f.client, client_next)
    refused(net, f, "tcp", net.cl,
            request(f, "tcp", "A", client_next, server_next), "no-connection")
    assert not net.rs[0].arrived(), "it reached the backend"
    for flags, data in (("A", b""), ("PA", b"late"), ("FA", b"")):
        refused(net, f, "tcp", net.rs[0],
                reply(f, "tcp", flags, server_next, client_next, data=data),
                "no-connection")
        assert not net.cl.arrived(), "it reached the client"


def gone(net):
    """Not even those that ended are left."""
    end = time.monotonic() + 20
    while not run("ip", "netns", "exec", "lb", "cat",
                  "/proc/net/nflb/stats").startswith("active 0\n"):
        assert time.monotonic() < end, "a connection is still there"
        time.sleep(0.5)
    assert not net.cl.receive(0) and not net.rs[0].receive(0)


@suite.case(*[b + (on,) for b in BOTH for on in ("forward", "host")])
def after_a_flush(net, f, proto, on):
    forwarding(net, on == "forward")
    opened(net, f, proto)
    net.lbadm("connection", "flush")
    if proto == "tcp":
        ended(net, f, ISN + 1, SERVER + 1)
        gone(net)
    late(net, f, proto, reply(f, proto, "PA", SERVER + 1, data=b"late"))
    late(net, f, proto, reply(f, proto, "FA", SERVER + 5))
    if proto == "tcp":
        # Nothing answers a reset; a SYN-ACK is late, too.
        with counted(net, "late-reply"):
            net.rs[0].send(reply(f, proto, "RA"))
            assert not net.cl.arrived() and not net.rs[0].receive(0)
        late(net, f, proto, reply(f, proto, "SA"))


@suite.case(*FAMILIES)
def half_closed_and_timed_out(net, f):
    """The server works longer than timeout-fin; then it is told."""
    forwarding(net, True)
    opened(net, f, "tcp", ("timeout-fin", "1"))
    net.cl.send(request(f, "tcp", "FA", ISN + 1, SERVER + 1))
    net.rs[0].expect()
    net.rs[0].send(reply(f, "tcp", "A", SERVER + 1, ISN + 2))
    net.cl.expect()
    ended(net, f, ISN + 2, SERVER + 1)
    gone(net)
    late(net, f, "tcp", reply(f, "tcp", "PA", SERVER + 1, ISN + 2,
                              data=b"the answer"))


@suite.case(*BOTH)
def ranges(net, f, proto):
    """Of a service with several ports, which its backends keep."""
    forwarding(net, True)
    vip = f.at(f.vip, "8000-8100")
    net.lbadm("service", "add", proto, vip)
    net.lbadm("backend", "add", proto, vip, f.backends[0])
    late(net, f, proto, reply(f, proto, "PA", SERVER, data=b"late"))
    # Not from another port, nor when the backend is gone
    other = reply(f, proto, "PA", SERVER, sport=8101, data=b"own")
    net.rs[0].send(other)
    assert net.cl.expect().parse().src == f.backends[0]
    net.lbadm("backend", "del", proto, vip, f.backends[0])
    net.rs[0].send(reply(f, proto, "PA", SERVER, data=b"own"))
    assert net.cl.expect().parse().src == f.backends[0]


@suite.case(*BOTH)
def a_backends_own(net, f, proto):
    """What it begins itself, by the balancer as a router, and the answers."""
    forwarding(net, True)
    net.lbadm("stats", "zero")
    opened(net, f, proto)
    for sport, flags in ((50000, "S"), (50000, "PA"), (8081, "SA")):
        net.rs[0].send(reply(f, proto, flags, sport=sport, dport=443))
        assert net.cl.expect().parse().src == f.backends[0]
        net.cl.send(request(f, proto, "SA", to=f.backends[0], sport=443,
                            dport=sport))
        assert net.rs[0].expect().parse().src == f.client
    if proto == "tcp":
        # A connection that it begins from the very port
        net.rs[0].send(reply(f, proto, "S", ack=0, dport=443))
        assert net.cl.expect().parse().src == f.backends[0]
    assert not any(net.drops()[r] for r in ("late-reply", "direct-clash"))


@suite.case(*BOTH)
def a_client_that_asks_directly(net, f, proto):
    forwarding(net, True)
    net.lbadm("stats", "zero")
    opened(net, f, proto)
    rs = f.backends[0]
    net.cl.send(request(f, proto, sport=4001, to=rs, dport=8080))
    assert net.rs[0].expect().parse().dst == rs
    for flags, seq in (("SA", SERVER), ("A", SERVER + 1), ("PA", SERVER + 1)):
        net.rs[0].send(reply(f, proto, flags, seq, dport=4001))
        assert net.cl.expect().parse().src == rs
        net.cl.send(request(f, proto, "A", ISN + 1, SERVER + 1, 4001, rs, 8080))
        assert net.rs[0].expect().parse().dst == rs
    # Its answers go on when it closed its side
    net.cl.send(request(f, proto, "FA", ISN + 1, SERVER + 1, 4001, rs, 8080))
    net.rs[0].expect()
    net.rs[0].send(reply(f, proto, "PA", SERVER + 1, dport=4001, data=b"more"))
    assert net.cl.expect().parse().src == rs
    # One that is there before the service is known by its client's next packet
    net.flush()
    opened(net, f, proto)
    net.cl.send(request(f, proto, "A", 7, 9, 4002, rs, 8080))
    net.rs[0].expect()
    net.rs[0].send(reply(f, proto, "PA", 9, 7, 4002, data=b"more"))
    assert net.cl.expect().parse().src == rs
    assert not any(net.drops()[r] for r in ("late-reply", "direct-clash"))


def without_sum(packet, at, port):
    """A datagram over IPv4 with another port, and no checksum."""
    data = bytearray(bytes(packet))
    data[at:at + 2] = port.to_bytes(2, "big")
    data[26:28] = b"\0\0"
    return bytes(data)


@suite.case()
def datagrams_do_not_displace_direct_connections(net):
    """There are notes for 4,096 flows. Datagrams can be made up, both ways."""
    f, rs = V4, V4.backends[0]
    forwarding(net, True)
    for proto in PROTOS:
        net.service(f, proto, "80", 1)
    for port in range(5000, 5020):
        net.cl.send(request(f, "tcp", sport=port, to=rs, dport=8080))
        net.rs[0].expect()
        net.rs[0].send(reply(f, "tcp", dport=port))
        net.cl.expect()
        net.cl.send(request(f, "tcp", "A", ISN + 1, SERVER + 1, port, rs, 8080))
        net.rs[0].expect()
    ask, answer = request(f, "udp", to=rs, dport=8080), reply(f, "udp")
    for port in range(10000, 13000):
        net.cl.send(without_sum(ask, 20, port))
        net.rs[0].send(without_sum(answer, 22, port))
        net.cl.send(without_sum(ask, 20, port))
        if port % 50 == 0:
            net.cl.flush()
            net.rs[0].flush()
    net.cl.flush()
    for port in range(5000, 5020):
        net.rs[0].send(reply(f, "tcp", "PA", SERVER + 1, dport=port, data=b"more"))
        frame = net.cl.receive(1)
        assert frame and frame.parse().src == rs, \
            "%d: %s" % (port, net.drops()["late-reply"])


@suite.case(*BOTH)
def by_the_vip_then_directly(net, f, proto):
    """From the same port: the second flow is refused, the first goes on."""
    forwarding(net, True)
    opened(net, f, proto)
    rs = f.backends[0]
    for flags, ack in (("S", 0), ("PA", 77)):
        refused(net, f, proto, net.cl,
                request(f, proto, flags, 5, ack, to=rs, dport=8080),
                "direct-clash")
        assert not net.rs[0].arrived()
    net.rs[0].send(reply(f, proto, "PA", SERVER + 1, data=b"answer"))
    assert net.cl.expect().parse().src == f.vip


@suite.case(*BOTH)
def directly_then_by_the_vip(net, f, proto):
    """From the same port: another backend, or none."""
    forwarding(net, True)
    net.service(f, proto, "80", 2, "scheduler", "rr")
    rs = f.backends[0]
    net.cl.send(request(f, proto, to=rs, dport=8080))
    net.rs[0].expect()
    net.rs[0].send(reply(f, proto))
    assert net.cl.expect().parse().src == rs
    net.cl.send(request(f, proto, "A", ISN + 1, SERVER + 1, 4000, rs, 8080))
    net.rs[0].expect()
    for _ in range(3):
        net.cl.send(request(f, proto))
        assert not net.rs[0].arrived(), "it went to the same backend"
        net.rs[1].expect()
        net.lbadm("connection", "flush")
    net.rs[0].send(reply(f, proto, "PA", SERVER + 1, data=b"answer"))
    assert net.cl.expect().parse().src == rs
    net.lbadm("backend", "del", proto, f.at(f.vip, 80),
              f.at(f.backends[1], 8080), "now")
    refused(net, f, proto, net.cl, request(f, proto), "direct-clash")
    assert not net.rs[0].arrived()
    if proto == "udp":
        return
    # Closed, it gives its port back; what is late then is late.
    net.cl.send(request(f, proto, "R", ISN + 1, 0, 4000, rs, 8080))
    net.rs[0].expect()
    net.cl.send(request(f, proto))
    net.rs[0].expect()
    net.lbadm("connection", "flush")
    late(net, f, proto, reply(f, proto, "SA"))


@suite.case(*FAMILIES)
def nothing_but_guesses_holds_a_port(net, f):
    """Who did not get the backend's answer keeps nobody from the VIP for long."""
    forwarding(net, True)
    net.service(f, "tcp")
    rs = f.backends[0]
    net.cl.send(request(f, "tcp", to=rs, dport=8080))
    net.rs[0].expect()
    net.rs[0].send(reply(f, "tcp"))
    net.cl.expect()
    net.cl.send(request(f, "tcp", "A", ISN + 1, 12345, 4000, rs, 8080))
    net.rs[0].expect()
    time.sleep(7)
    net.cl.send(request(f, "tcp"))
    assert net.rs[0].expect().parse()[sc.TCP].flags == "S"


@suite.case(*FAMILIES)
def an_error_about_it(net, f):
    """An ICMP error of the backend would name it, too."""
    forwarding(net, True)
    # 4000 is still held by the direct flow of another case, for 30 s.
    opened(net, f, "udp", port=4009)
    quoted = bytes(f.packet(f.client, f.backends[0]) /
                   head("udp", 4009, 8080))
    error = f.packet(f.backends[0], f.client) / (
        sc.ICMPv6DestUnreach(code=4) / sc.Raw(quoted) if f.v6 else
        sc.ICMP(type=3, code=3) / sc.Raw(quoted))
    net.rs[0].send(error)
    assert net.cl.expect().parse().src == f.vip
    net.lbadm("connection", "flush")
    with counted(net, "late-reply"):
        net.rs[0].send(error)
        assert not net.cl.arrived()
    # About what was sent to it directly it may
    net.cl.send(request(f, "udp", sport=4009, to=f.backends[0], dport=8080))
    net.rs[0].expect()
    net.rs[0].send(error)
    assert net.cl.expect().parse().src == f.backends[0]


@suite.case(*BOTH)
def mode_dsr(net, f, proto):
    """Its answers do not come by the balancer: what comes is none."""
    forwarding(net, True)
    net.lbadm("stats", "zero")
    vip = f.at(f.vip, 80)
    net.lbadm("service", "add", proto, vip, "mode", "dsr")
    net.lbadm("backend", "add", proto, vip, f.backends[0])
    own = reply(f, proto, "PA", sport=80, data=b"own")
    net.rs[0].send(own)
    assert net.cl.expect().parse().src == f.backends[0]
    net.lbadm("service", "set", proto, vip, "mode", "dnat")
    late(net, f, proto, own)
    net.lbadm("service", "set", proto, vip, "mode", "dsr")
    net.rs[0].send(own)
    assert net.cl.expect().parse().src == f.backends[0]


@suite.case(*FAMILIES)
def mode_fullnat(net, f):
    """To the balancer's own address: the host would answer; now it is counted."""
    forwarding(net, True)
    net.lbadm("laddr", "add", f.lb[1])
    try:
        net.service(f, "tcp", "80", 1, "mode", "fullnat")
        net.cl.send(request(f, "tcp"))
        syn = net.rs[0].expect().parse()
        net.lbadm("connection", "flush")
        refused(net, f, "tcp", net.rs[0],
                f.packet(f.backends[0], syn.src) / sc.TCP(
                    sport=8080, dport=syn[sc.TCP].sport, flags="SA", seq=1,
                    ack=syn[sc.TCP].seq + 1), "late-reply")
    finally:
        net.flush()
        net.lbadm("laddr", "del", f.lb[1])


@suite.case(*BOTH)
def mode_fullnat_sent_back(net, f, proto):
    """What went to the backend comes back, from a router that thinks it knows better,
    or forged: it is from the balancer's own address. Nobody is told, the connection
    least of all."""
    forwarding(net, True)
    net.lbadm("laddr", "add", f.lb[1])
    try:
        net.service(f, proto, "80", 1, "mode", "fullnat")
        net.cl.send(request(f, proto))
        first = net.rs[0].expect().parse()
        answer = f.packet(f.backends[0], first.src) / head(
            proto, 8080, first.payload.sport, "SA", SERVER, getattr(
                first.payload, "seq", 0) + 1)
        net.rs[0].send(answer)
        net.cl.expect()
        net.cl.send(request(f, proto, "A", ISN + 1, SERVER + 1))
        second = net.rs[0].expect().parse()
        for packet in first, second:
            with counted(net, "bad-source"):
                net.cl.send(packet)
                assert not net.cl.arrived() and not net.rs[0].receive(0)
        net.cl.send(request(f, proto, "PA", ISN + 1, SERVER + 1, data=b"more"))
        assert net.rs[0].expect().parse().src == f.lb[1]
    finally:
        net.flush()
        net.lbadm("laddr", "del", f.lb[1])


@suite.case(*BOTH)
def left_to_the_host(net, f, proto):
    """net.nflb.refuse_late off: for servers that ask from their own port."""
    forwarding(net, True)
    net.service(f, proto)
    own = reply(f, proto, "PA", dport=123, data=b"own")
    sysctl("lb", "net.nflb.refuse_late", 0)
    try:
        net.rs[0].send(own)
        assert net.cl.expect().parse().src == f.backends[0]
    finally:
        sysctl("lb", "net.nflb.refuse_late", 1)
    late(net, f, proto, own)
    sysctl("lb", "net.nflb.reject", 0)
    try:
        with counted(net, "late-reply"):
            net.rs[0].send(own)
            assert not net.cl.arrived() and not net.rs[0].receive(0)
    finally:
        sysctl("lb", "net.nflb.reject", 1)


@suite.case()
def many(net):
    """Resets have a limit."""
    forwarding(net, True)
    net.service(V4)
    packet = reply(V4, "tcp", "PA", data=b"late")
    port = net.rs[0]
    raw = bytes(10) + bytes.fromhex((port.peer_mac + port.mac).replace(
        ":", "")) + b"\x08\x00" + bytes(packet)
    net.lbadm("stats", "zero")
    begin = time.monotonic()
    for _ in range(20000):
        port.sock.send(raw)
    seconds = int(time.monotonic() - begin) + 2
    stats = json.loads(net.lbadm("-j", "stats", "show"))
    cpus = int(run("nproc"))
    assert stats["drops"]["late-reply"] == 20000, stats
    assert stats["counters"]["answer-limited"] >= \
        20000 - 10000 * seconds * cpus, stats
    port.flush()


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
