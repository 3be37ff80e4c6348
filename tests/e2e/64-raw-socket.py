#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""A raw socket of the balancer itself asks a VIP, with a packet that is too long for the
tunnel to the backend and must not be split. It has no device yet when the balancer
takes it, and no socket that could learn the MTU."""

import contextlib
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from rawnet import FAMILIES, Suite, counted, netns, run, sc  # noqa: E402

suite = Suite("raw-socket")
IPV6_HDRINCL = 36


def send(f, packet):
    """By a raw socket in the balancer's namespace."""
    with netns("lb"), socket.socket(socket.AF_INET6 if f.v6 else socket.AF_INET, socket.SOCK_RAW,
                                socket.IPPROTO_RAW) as raw:
        if f.v6:
            raw.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        # The sender of a packet that is dropped on its way out is told.
        with contextlib.suppress(PermissionError):
            raw.sendto(bytes(packet), (f.vip, 0))


@suite.case(*[(f, p) for f in FAMILIES for p in ("tcp", "udp")])
def too_long_for_the_tunnel(net, f, proto):
    vip = f.at(f.vip, 80)
    net.flush()
    net.lbadm("service", "add", proto, vip, "mode", "dsr", "encap", "gue")
    net.lbadm("backend", "add", proto, vip, f.backends[0])
    room = 1500 - (40 if f.v6 else 20) - (20 if proto == "tcp" else 8)
    head = sc.TCP(sport=4000, dport=80, flags="S", seq=1) if proto == "tcp" else \
        sc.UDP(sport=4000, dport=80)
    packet = f.packet(f.lb[0], f.vip) / head / sc.Raw(bytes(room))
    if not f.v6:
        packet.flags = "DF"
    address = [f"{f.vip}/{128 if f.v6 else 32}", "dev", "lo"]
    run("ip", "-n", "lb", "addr", "add", *address, *(["nodad"] if f.v6 else []))
    try:
        with counted(net, "mtu-exceeded"):
            send(f, packet)
        assert not net.rs[0].arrived(), "it was sent"
    finally:
        run("ip", "-n", "lb", "addr", "del", *address)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
