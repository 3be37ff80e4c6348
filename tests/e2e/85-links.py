#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""Packets of other links, VRFs, bridges and of the host's own sockets; addresses
that nobody can have."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, LBADM, V4, V6, VNET, Frame, Suite,  # noqa: E402
                    counted, netns, run, sc, sysctl)

suite = Suite("links")


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


# --- link-local clients --------------------------------------------------------

FE80 = "fe80::77"


class Raw:
    """Frames of any source."""

    def __init__(self, port):
        self.port = port

    def expect(self, want, timeout=3.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not select.select([self.port.sock], [], [], 0.05)[0]:
                continue
            data = self.port.sock.recv(1 << 17)
            frame = Frame(data[VNET.size:], VNET.unpack_from(data))
            if frame.data[12:14] != b"\x86\xdd":
                continue
            packet = frame.parse()
            if want(packet):
                return packet
        return None


def link_local(net):
    for i, port in enumerate([net.cl, *net.rs]):
        ip("addr", "replace", "fe80::1:%d/64" % i, "dev", "l%d" % i, "nodad")
        net.neighbour(FE80, port.mac, "l%d" % i)


def client_up(net):
    """What went with the client's device."""
    ip("addr", "replace", V6.lb[0] + "/64", "dev", "l0", "nodad")
    ip("addr", "replace", "fe80::1:0/64", "dev", "l0", "nodad")
    for addr in (FE80, V6.client):
        net.neighbour(addr, net.cl.mac, "l0")
    net.neighbour(V4.client, net.cl.mac, "l0")


@suite.case("dnat", "dsr", "gue")
def link_local_stays_on_its_link(net, mode):
    link_local(net)
    if mode == "gue":
        service(net, V6, "dsr", "tcp", 1, "encap", "gue")
    else:
        service(net, V6, mode)
    packet = syn(V6, src=FE80)
    with counted(net, "link-local"):
        net.cl.send(packet)
        got = Raw(net.cl).expect(
            lambda p: sc.ICMPv6DestUnreach in p and p.dst == FE80)
        assert got and got[sc.ICMPv6DestUnreach].code == 2, got
    assert not Raw(net.rs[0]).expect(lambda p: p.src == FE80, 0.3)
    # On the link itself nothing is in the way of mode dsr
    if mode == "dsr":
        net.rs[0].send(syn(V6, 4001, src=FE80))
        assert Raw(net.rs[0]).expect(lambda p: p.src == FE80 and sc.TCP in p)


@suite.case()
def link_local_clients_answers(net):
    """Mode fullnat: they leave by the client's link, whatever happened to it."""
    link_local(net)
    service(net, V6, "fullnat")
    server, at = net.rs[0], Raw(net.cl)
    net.cl.send(syn(V6, src=FE80))
    local = server.expect().parse()

    def answer(flags):
        server.send(V6.packet(V6.backends[0], local.src) / sc.TCP(
            sport=8080, dport=local[sc.TCP].sport, flags=flags))
        return at.expect(lambda p: p.dst == FE80 and sc.TCP in p, 1.0)

    for flags in ("SA", "A", "PA"):
        assert answer(flags), flags
    for _ in range(2):
        ip("link", "set", "l0", "down")
        assert not answer("A")
        ip("link", "set", "l0", "up")
        client_up(net)
        time.sleep(0.2)
        assert answer("PA"), "after the device was down"
        for other in net.rs:
            assert not Raw(other).expect(lambda p: p.dst == FE80, 0.1)


@suite.case()
def link_local_client_is_refused(net):
    """On its own link: no backend, no service, no connection."""
    link_local(net)
    unlimited()
    net.lbadm("service", "add", "tcp", V6.at(V6.vip, 80))
    for packet in (syn(V6, src=FE80), syn(V6, src=FE80, flags="A")):
        net.cl.send(packet)
        got = Raw(net.cl).expect(
            lambda p: p.dst == FE80 and sc.ICMPv6DestUnreach in p)
        assert got and got[sc.ICMPv6DestUnreach].code == 4
    request = V6.packet(FE80, V6.vip) / sc.ICMPv6EchoRequest(id=7)
    net.cl.send(request)
    assert Raw(net.cl).expect(lambda p: sc.ICMPv6EchoReply in p)


# --- VRF -----------------------------------------------------------------------

@contextlib.contextmanager
def vrf(net, dev):
    i = int(dev[1])
    ip("link", "add", "vrf9", "type", "vrf", "table", "9")
    ip("link", "set", "vrf9", "up")
    ip("link", "set", dev, "master", "vrf9")

    def again():
        for f in FAMILIES:
            ip("addr", "replace", "%s/%d" % (f.lb[i], f.prefix), "dev", dev,
               *(["nodad"] if f.v6 else []))
            net.neighbour(([f.client] + f.backends)[i],
                          [net.cl, *net.rs][i].mac, dev)
    again()
    try:
        yield
    finally:
        ip("link", "set", dev, "nomaster")
        ip("link", "del", "vrf9")
        again()


def prefix(f, addr):
    return (addr.rsplit(":", 1)[0] + ":/64") if f.v6 else \
        addr.rsplit(".", 1)[0] + ".0/24"


@suite.case(*[(f, dev) for f in FAMILIES for dev in ("l0", "l1")])
def vrf_without_a_way(net, f, dev):
    """Clients, or backends, in a VRF: the reason names it."""
    service(net, f, "dnat")
    with vrf(net, dev):
        if dev == "l1":
            with counted(net, "no-route-vrf"):
                net.cl.send(syn(f))
                unreachable(f, net.cl, syn(f))
            told = net.lbadm("explain", "tcp", f.at(f.client, 4001),
                             f.at(f.vip, 80))
            assert "no-route-vrf" in told, told
            return
        net.cl.send(syn(f))
        net.rs[0].expect()
        with counted(net, "no-route-vrf"):
            net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
                sport=8080, dport=4000, flags="SA"))
            assert not net.cl.arrived()


@suite.case(*[(f, dev) for f in FAMILIES for dev in ("l0", "l1")])
def vrf_with_leaked_routes(net, f, dev):
    service(net, f, "dnat")
    leaked = f.client if dev == "l0" else f.backends[0]
    with vrf(net, dev):
        ip("route", "add", prefix(f, leaked), "dev", dev)
        ip("route", "add", "table", "9", prefix(
            f, f.backends[0] if dev == "l0" else f.client), "dev",
           "l1" if dev == "l0" else "l0")
        try:
            net.cl.send(syn(f))
            assert net.rs[0].expect().parse().dst == f.backends[0]
            net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
                sport=8080, dport=4000, flags="SA"))
            assert net.cl.expect().parse().src == f.vip
        finally:
            ip("route", "del", prefix(f, leaked), "dev", dev)


# --- a bridge of the host -------------------------------------------------------

def tcp_at(port, timeout=3.0):
    """The next segment; a bridge tells its multicast groups, too."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        got = port.receive(0.1)
        if got and sc.TCP in got.parse():
            return got
    return None


@suite.case(*[(f, call) for f in FAMILIES for call in (0, 1)])
def bridge(net, f, call):
    """Frames between two others pass; those for the bridge are balanced."""
    if not os.path.exists("/proc/sys/net/bridge/bridge-nf-call-iptables"):
        subprocess.run(["modprobe", "br_netfilter"], check=False)
    with netns("lb"):
        there = os.path.exists("/proc/sys/net/bridge/bridge-nf-call-iptables")
    assert there or not call, "no br_netfilter"
    service(net, f, "dnat")
    ip("link", "add", "br0", "type", "bridge")
    if there:
        for key in ("iptables", "ip6tables"):
            sysctl("lb", "net.bridge.bridge-nf-call-" + key, call)
    try:
        for dev in ("l0", "l2"):
            ip("addr", "flush", "dev", dev)
            ip("link", "set", dev, "master", "br0")
        ip("link", "set", "br0", "up")
        for g in FAMILIES:
            ip("addr", "add", "%s/%d" % (g.lb[0], g.prefix), "dev", "br0",
               *(["nodad"] if g.v6 else []))
            net.neighbour(g.client, net.cl.mac, "br0")
        mac = [w for w in ip("link", "show", "br0").split()
               if w.count(":") == 5][0]
        time.sleep(0.2)
        net.rs[1].send(syn(f, 7), dst=net.cl.mac)      # learnt
        assert tcp_at(net.cl)
        packet = syn(f)
        net.cl.send(packet, dst=net.rs[1].mac)
        got = tcp_at(net.rs[1])
        assert got and bytes(got.ip) == bytes(packet), \
            got and got.parse().summary()
        assert not net.rs[0].arrived(), "it was balanced"
        net.cl.send(syn(f, 4001), dst=mac)
        assert net.rs[0].expect().parse().dst == f.backends[0]
        net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
            sport=8080, dport=4001, flags="SA"))
        got = tcp_at(net.cl)
        assert got and got.check().parse().src == f.vip
    finally:
        if there:
            for key in ("iptables", "ip6tables"):
                sysctl("lb", "net.bridge.bridge-nf-call-" + key, 0)
        ip("link", "del", "br0")
        for i in (0, 2):
            for g in FAMILIES:
                ip("addr", "replace", "%s/%d" % (g.lb[i], g.prefix), "dev",
                   "l%d" % i, *(["nodad"] if g.v6 else []))
                net.neighbour(([g.client] + g.backends)[i],
                              [net.cl, *net.rs][i].mac, "l%d" % i)


# --- sockets of the host ----------------------------------------------------------

@suite.case(*FAMILIES)
def a_server_was_here_before(net, f):
    """Its connections go on when a service takes its place."""
    length = "/128" if f.v6 else "/32"
    ip("addr", "add", f.vip + length, "dev", "lo",
       *(["nodad"] if f.v6 else []))
    try:
        with netns("lb"):
            listener = socket.socket(
                socket.AF_INET6 if f.v6 else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((f.vip, 80))
            listener.listen()
        net.cl.send(syn(f, seq=99))
        ack = net.cl.expect().parse()[sc.TCP]
        assert ack.flags == "SA"
        net.cl.send(syn(f, flags="A", seq=100, ack=ack.seq + 1))
        server, _ = listener.accept()
        server.settimeout(3)
        net.service(f)
        net.cl.send(syn(f, flags="PA", seq=100, ack=ack.seq + 1) /
                    sc.Raw(b"still here"))
        assert server.recv(100) == b"still here"
        server.sendall(b"so am I")
        got = net.cl.expect().parse()[sc.TCP]
        while not bytes(got.payload):
            got = net.cl.expect().parse()[sc.TCP]
        assert not got.flags.R and bytes(got.payload) == b"so am I"
        net.cl.send(syn(f, flags="FA", seq=110, ack=ack.seq + 8))
        assert server.recv(100) == b""
        # Others are served, and told when they have no connection.
        net.cl.flush()
        net.cl.send(syn(f, 4001))
        net.rs[0].expect()
        with counted(net, "no-connection"):
            net.cl.send(syn(f, 4002, flags="PA", seq=5, ack=6))
            got = net.cl.expect().parse()[sc.TCP]
            while got.dport != 4002:
                got = net.cl.expect().parse()[sc.TCP]
            assert got.flags.R
        server.close()
        listener.close()
    finally:
        ip("addr", "del", f.vip + length, "dev", "lo")


# --- addresses ---------------------------------------------------------------------

@suite.case(*[(f, mode) for f in FAMILIES
              for mode in ("dnat", "fullnat", "dsr")])
def raw_sockets_of_the_host(net, f, mode):
    """Root of any network namespace sends what it likes; such a packet is of no
    device before it is routed."""
    service(net, f, mode, "tcp")
    service(net, f, mode, "udp")
    ip("route", "replace", f.vip, "dev", "l0")
    kind = socket.AF_INET6 if f.v6 else socket.AF_INET
    with netns("lb"):
        sock = socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with sock:
        for source in ("fe80::9" if f.v6 else "169.254.0.9", f.client,
                       f.lb[0], f.vip, f.backends[0]):
            for head in (sc.TCP(sport=4000, dport=80, flags="S"),
                         sc.TCP(sport=4000, dport=80, flags="A"),
                         sc.TCP(sport=4001, dport=80, flags="A"),
                         sc.UDP(sport=4000, dport=80) / sc.Raw(b"raw"),
                         sc.UDP(sport=4000, dport=81) / sc.Raw(b"raw")):
                packet = f.packet(source, f.vip) / head
                try:
                    sock.sendto(bytes(packet), (f.vip, 0))
                except OSError as e:
                    print("# %s: %s" % (packet.summary(), e), flush=True)
    ip("route", "del", f.vip, "dev", "l0")
    for port in (net.cl, *net.rs):
        port.flush()
    net.cl.send(syn(f, 4002))
    assert net.rs[0].expect().parse()[sc.TCP].sport == 4002 or \
        mode == "fullnat"


@suite.case()
def addresses_that_nobody_has(net):
    def refused(*words, text):
        with netns("lb"):
            r = subprocess.run([LBADM, *words], text=True, capture_output=True)
        assert r.returncode == 2 and text in r.stderr, (words, r)

    net.lbadm("service", "add", "tcp", "192.0.2.10:80")
    net.lbadm("service", "add", "tcp", "[2001:db8::10]:80")
    for addr, text in (("0.0.0.0", "unicast"), ("0.1.2.3", "unicast"),
                       ("224.0.0.1", "unicast"), ("239.1.1.1", "unicast"),
                       ("255.255.255.255", "unicast")):
        refused("service", "add", "tcp", addr + ":80", text=text)
        refused("backend", "add", "tcp", "192.0.2.10:80", addr, text=text)
    for addr, text in (("::", "unicast"), ("ff02::1", "unicast"),
                       ("::1", "loopback"), ("fe80::1", "link-local"),
                       ("::ffff:10.0.0.1", "IPv4-mapped")):
        refused("service", "add", "tcp", "[%s]:80" % addr, text=text)
        refused("backend", "add", "tcp", "[2001:db8::10]:80", addr, text=text)
    for addr in ("127.0.0.1", "127.9.9.9"):
        refused("backend", "add", "tcp", "192.0.2.10:80", addr,
                text="loopback")
        net.lbadm("service", "add", "tcp", addr + ":80")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
