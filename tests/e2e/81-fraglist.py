#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""GRO lists (ethtool -K DEV rx-gro-list on): packets that are merged as a list
each leave with all headers right, in every mode."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
import fullnat  # noqa: E402
from rawnet import FAMILIES, V4, V6, Suite, netns, run, sc  # noqa: E402
from tunnel import Outer, flavours  # noqa: E402

suite = Suite("fraglist")
COUNT = 6
# TCP is merged so since Linux 6.10
TCP_LISTS = [int(n) for n in os.uname().release.split(".")[:2]] >= [6, 10]
PROTOS = ["udp"] + (["tcp"] if TCP_LISTS else [])
FORGED = (254, b"\x04\xd2\1\2\3\4")


@contextlib.contextmanager
def lists():
    """What the client sends within 50 ms is merged by the balancer."""
    def set_to(on, timeout):
        with netns("cl"):
            run("ethtool", "-K", "c0", "tx", "off", "tso", "off", "gso", "off")
        with netns("lb"):
            run("ethtool", "-K", "l0", "gro", on, "rx-gro-list", on)
            # Else the backends would get the lists: a wire has no such thing.
            run("ethtool", "-K", "l1", "tx-gso-list", "off",
                "tx-udp-segmentation", "off", "tso", "off", "tx", "off")
        run("ip", "netns", "exec", "lb", "sh", "-c",
            "echo %d >/sys/class/net/l0/gro_flush_timeout" % timeout)

    set_to("on", 50000000)
    try:
        yield
    finally:
        set_to("off", 0)


def packet(f, proto, n, data, options=()):
    words = {} if f.v6 else {"flags": "DF"}
    p = f.packet(f.client, f.vip, **words)
    if proto == "udp":
        return p / sc.UDP(sport=4000, dport=80) / sc.Raw(data)
    return p / sc.TCP(sport=4000, dport=80, flags="A", ack=5000,
                      seq=1000 + n * len(data),
                      options=list(options)) / sc.Raw(data)


def begin(net, f, proto, answers):
    """The connection, and routes that are found."""
    if proto == "udp":
        net.cl.send(packet(f, proto, 0, b"first"))
        assert net.rs[0].receive()
        return
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
        sport=4000, dport=80, flags="S", seq=999))
    syn = net.rs[0].receive()
    if answers:
        p = syn.parse()
        net.rs[0].send(answers.packet(p.dst, p.src) / sc.TCP(
            sport=8080, dport=p[sc.TCP].sport, flags="SA", seq=4999,
            ack=p[sc.TCP].seq + 1))
        net.cl.expect()
    net.cl.send(packet(f, proto, 0, b""))
    net.rs[0].receive()


def burst(net, f, proto, options=()):
    data = [os.urandom(500) for _ in range(COUNT)]
    with lists():
        for n, d in enumerate(data):
            net.cl.send(packet(f, proto, n, d, options))
        frames = [net.rs[0].receive() for _ in data]
    assert all(frames), "%d arrived" % len([f for f in frames if f])
    return data, frames


def check(frames, data, proto):
    """Each by itself: its checksum, its data, its sequence number."""
    for n, (frame, d) in enumerate(zip(frames, data)):
        l4 = frame.check().parse()[sc.UDP if proto == "udp" else sc.TCP]
        assert bytes(l4.payload) == d, "packet %d has other data" % n
        if proto == "tcp":
            assert l4.seq == frames[0].parse()[sc.TCP].seq + n * len(d)
            assert FORGED not in l4.options, "packet %d: forged" % n


@suite.case(*[(p, f, o) for p in PROTOS for f in FAMILIES
              for o in (["plain"] if p == "udp" else ["plain", "forged"])])
def dnat(net, proto, f, options):
    net.service(f, proto)
    begin(net, f, proto, f)
    data, frames = burst(net, f, proto,
                         [FORGED] if options == "forged" else [])
    check(frames, data, proto)
    assert {frame.parse().dst for frame in frames} == {f.backends[0]}


@suite.case(*[(p, c, b, w) for p in PROTOS for c, b in fullnat.PATHS
              for w in ("off", "proxy-protocol", "toa")
              if w != "toa" or p == "tcp"])
def fullnat_both_ends(net, proto, c, b, what):
    try:
        fullnat.setup(net, c, b, proto, 80,
                      *([what, "on"] if what != "off" else []))
        begin(net, c, proto, b)
        net.rs[0].flush()
        data, frames = burst(net, c, proto)
        if proto == "udp" and what == "proxy-protocol":
            skip = 16 + (36 if c.v6 else 12)
            heads = [bytes(f.check().parse()[sc.UDP])[8:8 + skip]
                     for f in frames]
            assert len(set(heads)) == 1
            data = [heads[0] + d for d in data]
        if what != "proxy-protocol" or proto == "udp":
            check(frames, data, proto)
        assert {f.parse().src for f in frames} == {b.lb[1]}
    finally:
        net.flush()
        fullnat.flush(net)


@suite.case(*[(p, *e) for p in PROTOS
              for e in [("none", V4, V4), ("none", V6, V6), *flavours()]])
def dsr(net, proto, encap, i, o):
    net.lbadm("service", "add", proto, i.at(i.vip, 80), "mode", "dsr",
              "encap", encap)
    net.lbadm("backend", "add", proto, i.at(i.vip, 80), o.backends[0])
    begin(net, i, proto, None)
    data, frames = burst(net, i, proto)
    if encap != "none":
        frames = [Outer(f, encap, o, i).inner for f in frames]
    check(frames, data, proto)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
