#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: default
# topology: none
"""The same packets through IPVS and then through what `lbadm import` makes of its
configuration: what arrives, at which backend, in which tunnel."""

import collections
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import FAMILIES, LBADM, V4, Frame, Suite, ip, run, sc, sysctl  # noqa: E402

ETHER = bytes(14)
PORT = 9				# takes the place of the service's
ports_of_services = itertools.count(1000)
suite = Suite("ipvs")

Arrived = collections.namedtuple("Arrived", "encap to src dst sport dport data")


def ipvs(*words, **kw):
    return run("ip", "netns", "exec", "lb", *words, **kw)


def vip(f, port="PORT"):
    return "-u " + f.at(f.vip, port)


def server(f, n, port="PORT"):
    return "-r " + f.at(f.backends[n], port)


def inside(frame):
    """How a frame came, and the packet that the client sent."""
    data, proto = frame.ip, frame.l4()
    outer = socket.AF_INET6 if frame.v6 else socket.AF_INET
    to = socket.inet_ntop(outer, data[24:40] if frame.v6 else data[16:20])
    kind, at = proto
    if kind in (4, 41):
        return "ipip", to, data[at:]
    if kind == 47:
        return "gre", to, data[at + 4:]
    if kind == 17 and data[at + 2:at + 4] == (6080).to_bytes(2, "big"):
        # GUE: IPVS has a header of four bytes, nflb none (variant 1)
        at += 8
        return "gue", to, data[at if data[at] >> 6 else at + 4:]
    return "none", to, data


def seen(frame):
    encap, to, data = inside(frame)
    got = Frame(ETHER + data).parse()
    l4 = got.getlayer(sc.UDP) or got.getlayer(sc.TCP)
    return Arrived(encap, to if encap != "none" else None, got.src, got.dst,
                   l4.sport, l4.dport, bytes(l4.payload))


def send(net, packets):
    """Where each arrived, and as what: a list of (backend, Arrived)."""
    went = []
    for packet in packets:
        net.cl.send(packet)
        for n in range(600):
            frame = net.rs[n % 2].receive(0.01)
            if frame:
                went.append((n % 2, seen(frame)))
                break
        else:
            raise AssertionError("nothing arrived of %s" % packet.summary())
    return went


def datagrams(f, clients, ports, dport=None):
    """One of each client's ports; clients are 10.1.0.100 and the next, or their twins."""
    dport = dport or PORT
    base = f.client.rsplit("::" if f.v6 else ".", 1)[0] + ("::" if f.v6 else ".")
    return [f.packet(base + str(100 + c), f.vip) /
            sc.UDP(sport=p, dport=dport) / sc.Raw(b"%d %d" % (c, p))
            for c in range(clients) for p in ports]


def both(net, text, packets, warns="", saves=True):
    """Through IPVS, through nflb: what went where. The file is what the kernel printed.
    @saves: it prints all of it.

    IPVS remembers flows of services that are gone, so each time has a port of its own.
    """
    port = next(ports_of_services)
    for packet in packets:
        if packet[sc.UDP].dport == PORT:
            packet[sc.UDP].dport = port
    ipvs("ipvsadm", "-R", input=text.replace("PORT", str(port)))
    saved = ipvs("ipvsadm", "-S", "-n") if saves else text.replace("PORT", str(port))
    try:
        by_ipvs = send(net, packets)
    finally:
        ipvs("ipvsadm", "-C")
    done = subprocess.run([LBADM, "import", "ipvsadm"], input=saved, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("warning" in done.stderr) == bool(warns) and warns in done.stderr, \
        (saved, done.stderr)
    run(LBADM, "-n", "lb", "config", "apply", "-", input=done.stdout)
    by_nflb = send(net, packets)
    run(LBADM, "-n", "lb", "config", "flush")
    assert len(by_ipvs) == len(by_nflb) == len(packets)
    return by_ipvs, by_nflb


def config(f, scheduler, servers):
    """A service; @servers: the words of each."""
    return "".join(["-A %s %s\n" % (vip(f), scheduler)] + [
        "-a %s %s %s\n" % (vip(f), server(f, n), words)
        for n, words in enumerate(servers)])


def counts(went):
    return [[n for n, _ in way].count(0) for way in went]


def per_client(way):
    """The backends of each client."""
    found = collections.defaultdict(set)
    for n, arrived in way:
        found[arrived.src].add(n)
    return list(found.values())


@suite.case(*[(f, how) for f in FAMILIES for how in (
    "-m", "-g", "-i", "-i --tun-type gre --tun-nocsum",
    "-i --tun-type gue --tun-port 6080 --tun-nocsum")])
def what_arrives(net, f, how):
    """The same packet at the same backend in the same tunnel."""
    words = " ".join([how, "-w 1"])
    one, other = both(net, config(f, "-s rr", [words, words]), datagrams(f, 4, [4000]))
    assert {n for n, _ in one} == {n for n, _ in other} == {0, 1}
    one, other = sorted(one, key=lambda x: x[1].src), sorted(other, key=lambda x: x[1].src)
    # Who has the first turn may differ; at its backend each packet is the same.
    shift = one[0][0] != other[0][0]
    for (n, a), (m, b) in zip(one, other):
        assert n == m ^ shift
        same = ["encap", "src", "sport", "dport", "data"]
        same += [] if shift else ["to", "dst"]
        for field in same:
            assert getattr(a, field) == getattr(b, field), (field, a, b)
        assert b.dst == (f.backends[m] if how == "-m" else f.vip), b


@suite.case(*FAMILIES)
def another_port(net, f):
    """Of -m, the server's own."""
    text = "-A %s -s rr\n-a %s %s -m\n" % (vip(f), vip(f), server(f, 0, 8053))
    one, other = both(net, text, datagrams(f, 2, [4000]))
    assert [a for _, a in one] == [a for _, a in other]
    assert {a.dport for _, a in other} == {8053}


@suite.case(*FAMILIES)
def round_robin(net, f):
    for way in both(net, config(f, "-s rr", ["-g", "-g"]), datagrams(f, 4, [1, 2])):
        order = [n for n, _ in way]
        assert order in ([0, 1] * 4, [1, 0] * 4), order


@suite.case(*FAMILIES)
def by_weight(net, f):
    went = both(net, config(f, "-s wrr", ["-g -w 3", "-g -w 1"]),
                datagrams(f, 4, range(1, 5)))
    assert counts(went) == [12, 12], counts(went)


@suite.case("lc", "wlc")
def least_connections(net, name):
    f = V4
    went = both(net, config(f, "-s " + name, ["-g -w 1", "-g -w 1"]),
                datagrams(f, 4, range(1, 5)))
    assert counts(went) == [8, 8], counts(went)
    went = both(net, config(f, "-s " + name, ["-g -w 3", "-g -w 1"]),
                datagrams(f, 4, range(1, 5)))
    want = {"lc": 8, "wlc": 12}[name]
    for count in counts(went):
        assert abs(count - want) <= 1, (name, counts(went))


@suite.case("sed", "nq")
def active_connections(net, name):
    """To IPVS, no flow of UDP is one; that nflb spreads them is said."""
    went = both(net, config(V4, "-s " + name, ["-g -w 1", "-g -w 1"]),
                datagrams(V4, 4, range(1, 5)), warns="counts flows of UDP here")
    assert counts(went)[0] in (0, 16) and counts(went)[1] == 8, counts(went)


@suite.case("fo", "ovf")
def the_heaviest(net, name):
    went = both(net, config(V4, "-s " + name, ["-g -w 9", "-g -w 100"]),
                datagrams(V4, 4, [4000]), warns="counts flows" if name == "ovf" else "")
    assert counts(went) == [0, 0], counts(went)


@suite.case(*[(f, words) for f in FAMILIES for words in (
    "-s sh", "-s mh", "-s sh -b sh-fallback", "-s mh -b mh-fallback")])
def by_client(net, f, words):
    """A client has one backend, whatever its port, and clients are spread."""
    for way in both(net, config(f, words, ["-g", "-g"]),
                    datagrams(f, 16, range(4000, 4004))):
        backends = per_client(way)
        assert all(len(b) == 1 for b in backends), (words, backends)
        assert len({n for n, _ in way}) == 2, words


@suite.case(*[(f, words) for f in FAMILIES for words in (
    "-s sh -b sh-port", "-s mh -b mh-port", "-s mh -b mh-fallback,mh-port")])
def by_client_and_port(net, f, words):
    for way in both(net, config(f, words, ["-g", "-g"]),
                    datagrams(f, 4, range(4000, 4016))):
        assert all(len(b) == 2 for b in per_client(way)), words


@suite.case(*FAMILIES)
def the_same_again(net, f):
    """A packet of a client's port goes where the one before went; with -o, by turns."""
    for way in both(net, config(f, "-s rr", ["-g", "-g"]), datagrams(f, 2, [4000] * 4)):
        assert all(len(b) == 1 for b in per_client(way)), way
    for how in ("-g", "-m"):
        for way in both(net, config(f, "-s rr -o", [how, how]),
                        datagrams(f, 2, [4000] * 4)):
            assert [n for n, _ in way] in ([0, 1] * 4, [1, 0] * 4), way


@suite.case(*FAMILIES)
def persistent(net, f):
    """A client returns, from any port; with a mask, all of its network do."""
    for way in both(net, config(f, "-s rr -p 300", ["-g", "-g"]),
                    datagrams(f, 4, range(4000, 4004))):
        assert all(len(b) == 1 for b in per_client(way)), way
        assert len({n for n, _ in way}) == 2
    mask = "64" if f.v6 else "255.255.255.0"
    for way in both(net, config(f, "-s rr -p 300 -M " + mask, ["-g", "-g"]),
                    datagrams(f, 4, range(4000, 4004))):
        assert len({n for n, _ in way}) == 1, way


@suite.case(*FAMILIES)
def all_ports(net, f):
    text = "-A %s -s rr -p 300\n" % vip(f, 0) + "".join(
        "-a %s %s -g\n" % (vip(f, 0), server(f, n, 0)) for n in (0, 1))
    packets = [p for port in (53, 5000) for p in datagrams(f, 4, [4000], dport=port)]
    for way in both(net, text, packets):
        assert all(len(b) == 1 for b in per_client(way)), way
        assert {a.dport for _, a in way} == {53, 5000}


@suite.case()
def weight_0(net):
    for way in both(net, config(V4, "-s wrr", ["-g -w 0", "-g -w 1"]),
                    datagrams(V4, 4, [4000])):
        assert {n for n, _ in way} == {1}


@suite.case()
def thresholds(net):
    """-x, which ipvsadm-save does not print: a server that is full gets no more."""
    way = both(net, config(V4, "-s fo", ["-g -w 9 -x 3", "-g -w 1"]),
               datagrams(V4, 6, [4000]), saves=False)
    assert counts(way) == [3, 3], counts(way)


@suite.case("dh", "lblc", "lblcr")
def by_destination(net, name):
    """One VIP is one destination: IPVS sends all to one backend, and that nflb does
    not is said."""
    one, other = both(net, config(V4, "-s " + name, ["-g", "-g"]),
                      datagrams(V4, 8, [4000]), warns="-s %s goes by" % name)
    assert len({n for n, _ in one}) == 1, one
    assert len({n for n, _ in other}) == 2, other


@suite.case()
def two_choices(net):
    if subprocess.run(["modprobe", "-n", "ip_vs_twos"], check=False,
                      capture_output=True).returncode:
        return
    went = both(net, config(V4, "-s twos", ["-g", "-g"]), datagrams(V4, 10, range(1, 5)))
    for count in counts(went):
        assert 10 <= count <= 30, counts(went)


@suite.case()
def marks(net):
    """A mark's services: what its rules match goes to the same backends."""
    ipvs("nft", "-f", "-", input="""table ip marks {
        chain pre { type filter hook prerouting priority -150;
            ip daddr %s udp dport { 53, 54 } meta mark set 7
        }
    }
    """ % V4.vip)
    text = "-A -f 7 -s sh\n" + "".join(
        "-a -f 7 %s -g\n" % server(V4, n, 0) for n in (0, 1))
    packets = [p for port in (53, 54) for p in datagrams(V4, 8, [4444], dport=port)]
    ipvs("ipvsadm", "-R", input=text)
    saved = ipvs("ipvsadm", "-S", "-n")
    by_ipvs = send(net, packets)
    ipvs("ipvsadm", "-C")
    ipvs("nft", "delete", "table", "ip", "marks")
    made = run(LBADM, "import", "ipvsadm", "-", "fwmark",
               "7=udp:%s:53,udp:%s:54" % (V4.vip, V4.vip), input=saved)
    run(LBADM, "-n", "lb", "config", "apply", "-", input=made)
    for way in (by_ipvs, send(net, packets)):
        assert all(len(b) == 1 for b in per_client(way)), way
        assert len({n for n, _ in way}) == 2
    run(LBADM, "-n", "lb", "config", "flush")


def main():
    if not shutil.which("ipvsadm") or subprocess.run(
            ["modprobe", "ip_vs"], check=False, capture_output=True).returncode:
        print("SKIPPED: this kernel has no IPVS")
        return 77

    def ready(net):
        """The VIP is the balancer's, which forwards, and knows its clients."""
        ip(["addr add %s/%d dev lo" % (f.vip, 128 if f.v6 else 32) for f in FAMILIES],
           "lb")
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            sysctl("lb", key, 1)
        for dev in ("all", "l0", "l1", "l2"):
            sysctl("lb", "net.ipv4.conf.%s.rp_filter" % dev, 0)
    suite.cases.insert(0, ("ready", ready, ()))
    return suite.main(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
