# SPDX-License-Identifier: GPL-2.0
"""Connections in mode fullnat, between packet sockets at either end.

A path is the client's family and the backend's. Every frame that arrives is
checked for lengths and checksums.
"""

import json
import socket
import struct

from rawnet import V4, V6, sc

PATHS = [(V4, V4), (V6, V6), (V6, V4), (V4, V6)]
HOWS = ["full", "partial"]
TIMESTAMP = [("NOP", None), ("NOP", None), ("Timestamp", (7, 9))]
SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)),
               ("NOP", None), ("WScale", 7)]


def both(*more):
    return [path + m for path in PATHS for m in (more or [()])]


def setup(net, c, b, proto="tcp", port=80, *words, ports=None, backends=1):
    """A service of family c with backends of family b."""
    laddr = b.lb[1]
    net.lbadm("laddr", "add", laddr, *(["ports", ports] if ports else []))
    vip = c.at(c.vip, port)
    net.lbadm("service", "add", proto, vip, "mode", "fullnat", *words)
    for addr in b.backends[:backends]:
        net.lbadm("backend", "add", proto, vip, b.at(addr, 8080))
    return laddr


def flush(net):
    for laddr in json.loads(net.lbadm("-j", "laddr", "show")):
        net.lbadm("laddr", "del", laddr["address"], "ports", laddr["ports"])
    net.lbadm("stats", "zero")


def counter(net, name):
    return json.loads(net.lbadm("-j", "stats", "show"))["counters"][name]


class Flow:
    """One TCP connection, whose both ends are packet sockets."""

    def __init__(self, net, c, b, sport=4000, isn=999, server_isn=4999, rs=0,
                 how="full"):
        self.net, self.c, self.b, self.sport, self.how = net, c, b, sport, how
        self.client, self.server, self.rs = net.cl, net.rs[rs], rs
        self.isn, self.server_isn, self.local = isn, server_isn, None
        self.delta = 0

    def up(self, flags, payload=b"", seq=0, ack=0, options=TIMESTAMP, how=None,
           df=False, **kw):
        """The client sends; seq and ack count from its first byte."""
        if df and not self.c.v6:
            kw["flags"] = "DF"
        p = self.c.packet(self.c.client, self.c.vip, **kw) / sc.TCP(
            sport=self.sport, dport=80, flags=flags,
            seq=(self.isn + 1 + seq) & 0xffffffff,
            ack=(self.server_isn + 1 + ack) & 0xffffffff if "A" in flags else 0,
            options=options) / sc.Raw(payload)
        self.client.send(p, how or self.how)
        return p

    def down(self, flags, payload=b"", seq=0, ack=0, options=TIMESTAMP,
             how=None):
        p = self.b.packet(self.b.backends[self.rs], self.local[0]) / sc.TCP(
            sport=8080, dport=self.local[1], flags=flags,
            seq=(self.server_isn + 1 + seq) & 0xffffffff,
            ack=(self.isn + 1 + self.delta + ack) & 0xffffffff
            if "A" in flags else 0,
            options=options) / sc.Raw(payload)
        self.server.send(p, how or self.how)
        return p

    def at_server(self, timeout=3.0):
        got = self.server.expect(timeout).parse()
        tcp = got[sc.TCP]
        assert got.dst == self.b.backends[self.rs], got.dst
        assert tcp.dport == 8080
        if self.local:
            assert (got.src, tcp.sport) == self.local
        self.local = (got.src, tcp.sport)
        return tcp

    def at_client(self, timeout=3.0):
        got = self.client.expect(timeout).parse()
        tcp = got[sc.TCP]
        assert (got.src, got.dst) == (self.c.vip, self.c.client)
        assert (tcp.sport, tcp.dport) == (80, self.sport)
        return tcp

    def handshake(self, options=SYN_OPTIONS, reply=SYN_OPTIONS):
        self.up("S", seq=-1, options=options)
        syn = self.at_server()
        self.delta = (syn.seq - self.isn) & 0xffffffff
        self.down("SA", seq=-1, options=reply)
        synack = self.at_client()
        assert synack.ack == (self.isn + 1) & 0xffffffff
        self.up("A", options=TIMESTAMP if options else [])
        return syn, synack, self.at_server()

    def finish(self, first="client"):
        """Both FINs and their ACKs; the closer first."""
        if first == "client":
            self.up("FA")
            self.at_server()
            self.down("FA", ack=1)
            self.at_client()
            self.up("A", seq=1, ack=1)
            return self.at_server()
        self.down("FA")
        self.at_client()
        self.up("FA", ack=1)
        fin = self.at_server()
        self.down("A", seq=1, ack=1)
        self.at_client()
        return fin


def lowered(sender, receiver, options=None):
    """SYN_OPTIONS as they arrive: an IPv6 header is longer by 20 bytes."""
    by = 20 if receiver.v6 and not sender.v6 else 0
    return [("MSS", v - by) if k == "MSS" else (k, v)
            for k, v in options or SYN_OPTIONS]


def raw_options(tcp):
    return bytes(tcp)[20:tcp.dataofs * 4]


def toa(c, sport=4000, kind=254):
    family = socket.AF_INET6 if c.v6 else socket.AF_INET
    value = struct.pack("!H", sport) + socket.inet_pton(family, c.client)
    return bytes([kind, 2 + len(value)]) + value


def payload(tcp):
    return bytes(tcp.payload)
