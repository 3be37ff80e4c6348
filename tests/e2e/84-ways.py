#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""Ways that lead nowhere: whoever sent the packet is told, unless nobody can have
its address."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, LBADM, Suite, counted, run, sc,  # noqa: E402
                    sysctl)

suite = Suite("ways")
MODES = ["dnat", "fullnat", "dsr"]


def ip(*words, check=True):
    return run("ip", "-n", "lb", *words, check=check)


def unlimited():
    sysctl("lb", "net.ipv4.icmp_ratelimit", 0)
    sysctl("lb", "net.ipv6.icmp.ratelimit", 0)


def service(net, f, mode, proto="tcp", backends=1, *words):
    unlimited()
    vip = f.at(f.vip, 80)
    if mode == "fullnat":
        net.lbadm("laddr", "add", f.lb[1], check=False)
    net.lbadm("service", "add", proto, vip, "mode", mode, *words)
    for addr in f.backends[:backends]:
        net.lbadm("backend", "add", proto, vip,
                  addr if mode == "dsr" else f.at(addr, 8080))


def syn(f, sport=4000, flags="S", src=None, **kw):
    return f.packet(src or f.client, f.vip) / sc.TCP(
        sport=sport, dport=80, flags=flags, **kw)


def udp(f, sport=4000, **kw):
    return f.packet(f.client, f.vip) / sc.UDP(sport=sport, dport=80) / \
        sc.Raw(b"x")


def unreachable(f, port, sent, code6=3):
    """An ICMP error about what was sent, as it was sent."""
    got = port.expect().parse()
    error = got.payload
    assert got.dst == sent.src, got.summary()
    assert (error.type, error.code) == ((1, code6) if f.v6 else (3, 1)), \
        got.summary()
    at = bytes(sent)
    quoted = bytes(error)[8:]
    assert quoted[20 if f.v6 else 12:][:16] == at[20 if f.v6 else 12:][:16]


@contextlib.contextmanager
def no_way(f, how, addr=None, dev="l1"):
    host = (addr or f.backends[0]) + ("/128" if f.v6 else "/32")
    net = (f.backends[0].rsplit("2", 1)[0] if f.v6 else "10.2.1.0") + \
        "/%d" % f.prefix
    if how == "withdrawn":
        ip("route", "del", net, "dev", dev)
    else:
        ip("route", "add", how, host)
    try:
        yield
    finally:
        if how == "withdrawn":
            ip("route", "add", net, "dev", dev)
        else:
            ip("route", "del", how, host)


@suite.case(*[(f, m, how) for f in FAMILIES for m in MODES
              for how in ("withdrawn", "unreachable", "prohibit")])
def no_route_to_the_backend(net, f, mode, how):
    """The client is told, of a new connection and of an old one."""
    service(net, f, mode)
    service(net, f, mode, "udp")
    net.cl.send(syn(f, 3999))
    net.rs[0].expect()
    with no_way(f, how):
        for packet in (syn(f), udp(f), syn(f, 3999)):
            with counted(net, "no-route"):
                net.cl.send(packet)
                unreachable(f, net.cl, packet)
        told = run(LBADM, "-n", "lb", "explain", "tcp", f.at(f.client, 4001),
                   f.at(f.vip, 80))
        assert "drop: no-route, and its sender is notified" in told, told
        assert not net.rs[0].arrived()
    net.cl.send(syn(f))
    net.rs[0].expect()


@suite.case(*FAMILIES)
def no_route_to_the_client(net, f):
    """The backend is told."""
    service(net, f, "dnat")
    net.cl.send(syn(f))
    net.rs[0].expect()
    ip("route", "add", "unreachable", f.client)
    try:
        answer = f.packet(f.backends[0], f.client) / sc.TCP(
            sport=8080, dport=4000, flags="SA")
        with counted(net, "no-route"):
            net.rs[0].send(answer)
            unreachable(f, net.rs[0], answer)
        assert not net.cl.arrived()
    finally:
        ip("route", "del", "unreachable", f.client)


@suite.case(*FAMILIES)
def not_on_link(net, f):
    """Mode dsr without a tunnel, and a router in between."""
    unlimited()
    far = "2001:db8:99::9" if f.v6 else "10.99.0.9"
    ip("route", "add", far, "via", f.backends[0])
    try:
        vip = f.at(f.vip, 80)
        net.lbadm("service", "add", "tcp", vip, "mode", "dsr")
        net.lbadm("backend", "add", "tcp", vip, far)
        with counted(net, "not-on-link"):
            net.cl.send(syn(f))
            unreachable(f, net.cl, syn(f))
    finally:
        ip("route", "del", far)


@suite.case(*FAMILIES)
def a_backend_asks_itself(net, f):
    """It is told so, and does not wait."""
    net.service(f)
    packet = f.packet(f.backends[0], f.vip) / sc.TCP(
        sport=4000, dport=80, flags="S", seq=9)
    with counted(net, "hairpin"):
        net.rs[0].send(packet)
        got = net.rs[0].expect().parse()
    assert got.src == f.vip and got[sc.TCP].flags.R and got[sc.TCP].ack == 10


@suite.case(*FAMILIES)
def nothing_is_answered_to_many(net, f):
    """A VIP's port without a service, asked from where nobody is."""
    service(net, f, "dnat")
    many = ["ff02::1", "::1", f.lb[0]] if f.v6 else \
        ["224.0.0.1", "255.255.255.255", "10.1.0.255", "127.0.0.1", f.lb[0]]
    for src in many:
        for head in (sc.TCP(sport=4000, dport=81, flags="S"),
                     sc.UDP(sport=4000, dport=81)):
            net.cl.send(f.packet(src, f.vip) / head)
    assert not net.cl.arrived()
    assert net.drops()["no-service"] == 0 or f.v6, net.drops()
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(sport=4000, dport=81,
                                                   flags="S"))
    assert net.cl.expect().parse()[sc.TCP].flags.R


@suite.case(*FAMILIES)
def port_0(net, f):
    vip = f.at(f.vip, "*")
    for proto in ("tcp", "udp"):
        net.lbadm("service", "add", proto, vip)
        net.lbadm("backend", "add", proto, vip, f.backends[0])
    for head in (sc.TCP(sport=0, dport=80, flags="S"), sc.UDP(sport=9, dport=0),
                 sc.TCP(sport=9, dport=0, flags="S")):
        with counted(net, "malformed"):
            net.cl.send(f.packet(f.client, f.vip) / head)
            assert not net.rs[0].arrived() and not net.cl.receive(0)
    # Who wants no answer to a datagram says so (RFC 768).
    net.cl.send(f.packet(f.client, f.vip) / sc.UDP(sport=0, dport=80))
    net.rs[0].expect()


@suite.case(*FAMILIES)
def a_vip_as_source(net, f):
    """Its answer would come back to the VIP, with hops anew: for ever, between
    an echo server and a router to which the VIP is by the balancer."""
    net.service(f, "udp", "7")
    packet = f.packet(f.vip, f.vip) / sc.UDP(sport=7, dport=7) / sc.Raw(b"loop")
    with counted(net, "bad-source"):
        net.cl.send(packet)
        assert net.rs[0].arrived() is None


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
