#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""Packets of all shapes: narrow paths, tunnels inside UDP, what GRO merged,
identifications. What arrives is checked byte by byte, with checksums that are
computed here."""

import contextlib
import json
import os
import shutil
import socket
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
import fullnat  # noqa: E402
from rawnet import (ETH, FAMILIES, LBADM, NEEDS_CSUM, V4, V6, VNET, Frame,  # noqa: E402
                    Suite, checksum, run, sc)
from tunnel import Outer, flavours, overhead, same_but_ttl  # noqa: E402

suite = Suite("shapes")

# As any user: the routes are of a network namespace of its own.
ANY_USER = r"""
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip addr add 10.9.0.1/24 dev v0
ip route add default via 10.9.0.2 dev v0 onlink
ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev v0
echo 1 >/proc/sys/net/nflb/encap_fragment_inside
LBADM service add udp 10.9.9.9:53 mode dsr encap ipip
LBADM backend add udp 10.9.9.9:53 10.9.0.2
exec python3 -c '
import socket, subprocess
for mtu in 1, 28, 44, 46, 68, 97:
    subprocess.run(("ip route replace 10.9.0.2/32 dev v0 mtu %d" % mtu).split(),
                   check=True)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, 10, 0)    # IP_MTU_DISCOVER, DONT
    for options in 0, 8, 40:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\1" * options)
        for size in 0, 8, 200, 1400:
            try:
                s.sendto(bytes(size), ("10.9.9.9", 53))
            except OSError:
                pass
print("returned")
'
"""


@suite.case()
def any_user_any_mtu(_net):
    """Sending returns, however narrow a user's route says its path is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as d:
        os.chmod(d, 0o755)
        lbadm = shutil.copy(shutil.which(LBADM), d)
        os.chmod(lbadm, 0o755)
        out = run("setpriv", "--reuid", "65534", "--regid", "65534",
                  "--clear-groups", "unshare", "-Urn", "sh", "-ec",
                  ANY_USER.replace("LBADM", lbadm))
    assert out == "returned\n", out


@contextlib.contextmanager
def attached(net, fast):
    """With the fast path on all devices, or on none."""
    before = {d["device"] for d in json.loads(
        net.lbadm("-j", "device", "show"))}
    want = {"l0", "l1", "l2"} if fast else set()

    def become(have, want):
        for dev in sorted(have - want):
            net.lbadm("device", "del", dev)
        for dev in sorted(want - have):
            net.lbadm("device", "add", dev)

    become(before, want)
    try:
        yield
    finally:
        become(want, before)


@contextlib.contextmanager
def nat(net, mode, c, b, port, *words):
    """A service of udp whose backends listen on 8080."""
    try:
        if mode == "fullnat":
            fullnat.setup(net, c, b, "udp", port, *words, backends=2)
        else:
            net.service(c, "udp", port, 2, "mode", mode, *words)
        yield
    finally:
        net.flush()
        if mode == "fullnat":
            fullnat.flush(net)


class Tunnelled:
    """A packet inside UDP whose checksum is left to the device."""

    def __init__(self, inner, kind, proto):
        l4 = sc.TCP(sport=1, dport=2, flags="PA") if proto == 6 else \
            sc.UDP(sport=1, dport=2)
        src, dst = ("2001:db8:aa::1", "2001:db8:aa::2") if inner.v6 else (
            "10.77.0.1", "10.77.0.2")
        ip = bytes(inner.packet(src, dst) / l4 / sc.Raw(os.urandom(301)))
        head = b"\x08\0\0\0\0\0\x2a\0" + b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2" + \
            struct.pack("!H", inner.ethertype) if kind == "vxlan" else b""
        self.data = head + ip
        self.start = len(head) + (40 if inner.v6 else 20)
        self.off = 16 if proto == 6 else 6
        pseudo = checksum(Frame(bytes(ETH) + ip).pseudo(
            len(self.data) - self.start, proto))
        at = self.start + self.off
        self.pending = self.data[:at] + struct.pack("!H", pseudo) + \
            self.data[at + 2:]

    def send(self, port, f, src, dst, sport, dport, zero):
        udp = sc.UDP(sport=sport, dport=dport)
        if zero:
            udp.chksum = 0
        whole = bytes(f.packet(src, dst) / udp / sc.Raw(self.data))
        head = whole[:len(whole) - len(self.data)]
        eth = bytes.fromhex((port.peer_mac + port.mac).replace(":", "")) + \
            struct.pack("!H", f.ethertype)
        port.sock.send(VNET.pack(NEEDS_CSUM, 0, 0, 0,
                                 ETH + len(head) + self.start, self.off) +
                       eth + head + self.pending)


def completed(frame):
    """As the device sends it."""
    data = bytearray(frame.data)
    if frame.partial:
        at = frame.start + frame.off
        struct.pack_into("!H", data, at,
                         ~checksum(bytes(data[frame.start:])) & 0xffff)
    return Frame(bytes(data))


def datagram(port, before=0):
    """(source, source port, UDP checksum, payload) of what arrives."""
    frame = port.receive()
    assert frame, "nothing arrived at " + port.name
    frame = completed(frame).check()
    _proto, off = frame.l4()
    sport, _dport, length, check = struct.unpack_from("!HHHH", frame.ip, off)
    assert length == len(frame.ip) - off, "length of UDP"
    return frame.parse().src, sport, check, frame.ip[off + 8 + before:]


NATS = [("dnat", V4, V4), ("dnat", V6, V6)] + [
    ("fullnat", c, b) for c, b in fullnat.PATHS]


@suite.case(*[(*n, kind, fast) for n in NATS for kind in ("vxlan", "fou")
              for fast in ("hook", "fast")])
def tunnel_inside_udp(net, mode, c, b, kind, fast):
    """The outer checksum stays right, or none; both ways."""
    with attached(net, fast == "fast"), nat(net, mode, c, b, "4789"):
        for inner in FAMILIES:
            for proto in (6, 17):
                for zero in (False,) if c.v6 else (True, False):
                    t = Tunnelled(inner, kind, proto)
                    sport = 4000 + 2 * proto + zero + inner.v6 * 100
                    for _ in range(3):
                        t.send(net.cl, c, c.client, c.vip, sport, 4789, zero)
                        rs = 0 if (frame := net.rs[0].arrived()) else 1
                        frame = completed(frame or net.rs[1].receive()).check()
                        p = frame.parse()
                        assert (p[sc.UDP].chksum == 0) == (zero and not b.v6)
                        assert bytes(p[sc.UDP])[8:] == t.data
                        t.send(net.rs[rs], b, b.backends[rs], p.src, 8080,
                               p[sc.UDP].sport, zero and not b.v6)
                        src, port, check, data = datagram(net.cl)
                        assert (src, port) == (c.vip, 4789)
                        assert (check == 0) == (zero and not b.v6)
                        assert data == t.data
    assert not any(net.drops().values()), net.drops()


@suite.case(*fullnat.PATHS)
def tunnel_behind_a_proxy_header(net, c, b):
    """Headers grow outside of what the device is to sum up."""
    with nat(net, "fullnat", c, b, "4789", "proxy-protocol", "on"):
        for zero in (False,) if c.v6 else (True, False):
            t = Tunnelled(V4, "vxlan", 6)
            t.send(net.cl, c, c.client, c.vip, 4000 + zero, 4789, zero)
            rs = 0 if (frame := net.rs[0].arrived()) else 1
            frame = completed(frame or net.rs[rs].receive()).check()
            payload = bytes(frame.parse()[sc.UDP])[8:]
            assert payload[16 + (36 if c.v6 else 12):] == t.data


@suite.case(*[("none", f, f) for f in FAMILIES], *flavours())
def tunnel_inside_udp_dsr(net, encap, i, o):
    net.lbadm("service", "add", "udp", i.at(i.vip, 4789), "mode", "dsr",
              "encap", encap)
    net.lbadm("backend", "add", "udp", i.at(i.vip, 4789), o.backends[0])
    t = Tunnelled(V4, "vxlan", 6)
    for _ in range(3):
        t.send(net.cl, i, i.client, i.vip, 4000, 4789, not i.v6)
        frame = net.rs[0].receive()
        assert frame, "nothing arrived"
        frame = completed(frame)
        if encap != "none":
            frame = Outer(frame, encap, o, i).inner
        p = frame.check().parse()
        assert (p[sc.UDP].chksum == 0) == (not i.v6)
        assert bytes(p[sc.UDP])[8:] == t.data


def asks(client, size, sport, ident=7777, **kw):
    return V4.packet(client, V4.vip, id=ident, **kw) / sc.UDP(
        sport=sport, dport=53) / sc.Raw(os.urandom(size))


@suite.case("hook", "fast")
def identifications_towards_backends(net, fast):
    """Many clients behind one address: no identification twice."""
    with attached(net, fast == "fast"), nat(net, "fullnat", V4, V4, "53",
                                            "scheduler", "fo"):
        seen = []
        for size in (10, 40, 41, 1000):
            for client in ("10.1.0.2", "10.1.0.3", "10.1.0.4"):
                # No link fragments the short ones.
                for _ in range(4 if size > 40 else 1):
                    net.cl.send(asks(client, size, 4000 + size))
                    seen.append((size, net.rs[0].expect().parse().id))
        assert len(set(seen)) == len(seen), seen
        net.cl.send(asks("10.1.0.2", 1000, 4000, flags="DF"))
        assert net.rs[0].expect().parse().id == 7777


@suite.case(*[(m, fast) for m in ("dnat", "fullnat")
              for fast in ("hook", "fast")])
def identifications_towards_clients(net, mode, fast):
    """Two backends behind the VIP."""
    with attached(net, fast == "fast"), nat(net, mode, V4, V4, "53",
                                            "scheduler", "rr"):
        seen = []
        for sport in range(4000, 4004):
            net.cl.send(asks(V4.client, 10, sport))
            rs = 0 if (frame := net.rs[0].arrived()) else 1
            got = (frame or net.rs[1].receive()).parse()
            for size in (1000, 1000, 10):
                for flags in (0, "DF"):
                    net.rs[rs].send(V4.packet(
                        V4.backends[rs], got.src, id=7777,
                        flags=flags) / sc.UDP(
                            sport=8080, dport=got[sc.UDP].sport) /
                        sc.Raw(bytes(size)))
                    ident = net.cl.expect().parse().id
                    if flags:
                        assert ident == 7777
                    else:
                        seen.append((size, ident))
        assert len(set(seen)) == len(seen), seen


@suite.case(*[(c, b) for c, b in fullnat.PATHS if not b.v6])
def identifications_of_fragments(net, c, b):
    """Datagrams that arrive in fragments, all with one identification, leave in
    fragments that can be told apart."""
    with nat(net, "fullnat", c, b, "53", "scheduler", "fo"):
        want, got = [], {}
        for n in range(3):
            client = c.client[:-1] + str(2 + n)
            data = os.urandom(3000)
            want.append(data)
            udp = sc.UDP(sport=4000, dport=53) / sc.Raw(data)
            if c.v6:
                parts = sc.fragment6(
                    sc.IPv6(src=client, dst=c.vip) /
                    sc.IPv6ExtHdrFragment(id=7777) / udp, 1300)
            else:
                parts = sc.fragment(c.packet(client, c.vip, id=7777) / udp,
                                    1200)
            for part in parts:
                net.cl.send(part)
        while frame := net.rs[0].arrived():
            p = frame.check().parse()
            got.setdefault(p.id, {})[p.frag * 8] = bytes(p.payload)
        assert len(got) == 3, "%d identifications" % len(got)
        whole = [b"".join(parts[at] for at in sorted(parts))[8:]
                 for parts in got.values()]
        assert sorted(whole) == sorted(want)


def encap_pmtu(net):
    return json.loads(net.lbadm("-j", "stats", "show"))["counters"][
        "encap-pmtu"]


def big(f, size, **kw):
    return f.packet(f.client, f.vip, **kw) / sc.UDP(
        sport=4000, dport=53) / sc.Raw(bytes(size - 8 - (40 if f.v6 else 20)))


def frag_needed(o, quoted, mtu):
    router = "2001:db8:21::99" if o.v6 else "10.2.1.99"
    head = sc.ICMPv6PacketTooBig(mtu=mtu) if o.v6 else sc.ICMP(
        type=3, code=4, nexthopmtu=mtu)
    return o.packet(router, o.lb[1]) / head / sc.Raw(quoted)


def flush_routes():
    run("ip", "-n", "lb", "route", "flush", "cache")
    run("ip", "-n", "lb", "-6", "route", "flush", "cache")


def told(net, i, packet):
    """The MTU that the client is told."""
    net.cl.send(packet)
    p = net.cl.expect().parse()
    return p[sc.ICMPv6PacketTooBig].mtu if i.v6 else p[sc.ICMP].nexthopmtu


@suite.case(*flavours())
def forged_path_mtu(net, encap, i, o):
    """An error about a tunnel has to quote a connection that goes through it."""
    net.lbadm("service", "add", "udp", i.at(i.vip, 53), "mode", "dsr",
              "encap", encap)
    net.lbadm("backend", "add", "udp", i.at(i.vip, 53), o.backends[0])
    words = {} if i.v6 else {"flags": "DF"}
    net.cl.send(big(i, 1400, **words))
    sent = net.rs[0].expect().ip
    inner = overhead(encap, o)

    def changed(at, data):
        return sent[:at] + data + sent[at + len(data):]

    l4 = inner + (40 if i.v6 else 20)
    src = 8 if o.v6 else 12
    forged = {
        "source is the VIP": sent[:src] + socket.inet_pton(
            10 if o.v6 else 2, o.vip) + sent[src + (16 if o.v6 else 4):],
        "another receiver": changed(40 - 1 if o.v6 else 20 - 1, b"\x63"),
        "no such connection": changed(l4, b"\x11\x22"),
        "nothing inside": sent[:inner],
        "ports are missing": sent[:l4 + 2],
        "another tunnel": changed(6 if o.v6 else 9, b"\x04"
                                  if encap != "ipip" or i.v6 else b"\x29"),
    }
    before = encap_pmtu(net)
    try:
        for what, quoted in forged.items():
            net.rs[0].send(frag_needed(o, quoted[:500], 1360))
            assert encap_pmtu(net) == before, what
        # The kernel itself believes all that is about UDP or GRE over IPv4.
        flush_routes()
        # A client can quote its own connection, but not do much with it
        net.rs[0].send(frag_needed(o, sent[:500], 600))
        assert told(net, i, big(i, 1400, **words)) == 1280
        assert encap_pmtu(net) == before + 1
    finally:
        flush_routes()


@suite.case(*FAMILIES)
def forged_path_mtu_without_tunnel(net, f):
    """Backends of other modes have no tunnel that an error could be about."""
    net.service(f, "udp", "53")
    net.cl.send(big(f, 500))
    net.rs[0].expect()
    before = encap_pmtu(net)
    try:
        inner = bytes(big(f, 1000))
        for proto in (47, 4, 41, 17):
            outer = bytes(sc.IPv6(src=f.lb[1], dst=f.backends[0], nh=proto)
                          if f.v6 else sc.IP(src=f.lb[1], dst=f.backends[0],
                                             proto=proto))
            net.rs[0].send(frag_needed(f, (outer + inner)[:500], 1300))
            assert encap_pmtu(net) == before, proto
    finally:
        flush_routes()


@suite.case(*FAMILIES)
def merged_segments_that_are_too_long(net, f):
    """The fast path looks at what each segment will be long."""
    def tcp(flags, seq, data=b""):
        return f.packet(f.client, f.vip,
                        **({} if f.v6 else {"flags": "DF"})) / sc.TCP(
            sport=4000, dport=80, flags=flags, seq=seq, ack=5000) / sc.Raw(
            data)

    run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1400")
    try:
        with attached(net, True):
            net.service(f)
            net.cl.send(tcp("S", 999))
            net.rs[0].expect()
            net.rs[0].send(f.packet(f.backends[0], f.client) / sc.TCP(
                sport=8080, dport=4000, flags="SA", seq=4999, ack=1000))
            net.cl.expect()
            for _ in range(2):
                net.cl.send(tcp("A", 1000))
                net.rs[0].expect()
            net.cl.send(tcp("PA", 1000, bytes(6000)), "gso", mss=1380)
            p = net.cl.expect().parse()
            assert p.haslayer(sc.ICMPv6PacketTooBig if f.v6 else sc.ICMP)
            assert net.rs[0].arrived() is None
            net.cl.send(tcp("PA", 1000, bytes(6000)), "gso", mss=1340)
            assert net.rs[0].receive()
    finally:
        run("ip", "-n", "lb", "link", "set", "l1", "mtu", "1500")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
