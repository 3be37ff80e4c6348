#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# offload: default
# topology: none
"""What is full makes room: for whoever means it, at the expense of what is over,
and then of what nobody answered. Each time a client beside a flood is served, and
who is connected stays so."""

import contextlib
import json
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from fullnat import counter  # noqa: E402
from fullnat import flush as forget  # noqa: E402
from rawnet import (FAMILIES, V4, V6, Suite, arrived, checksum,  # noqa: E402
                    run, sc, sysctl)

suite = Suite("full")
rnd = random.Random(int(os.environ.get("NFLB_SEED", "76")))
SYN, ACK, RST, FIN, PSH = 2, 16, 4, 1, 8
MODES = [(mode, f) for mode in ("dnat", "fullnat", "dsr") for f in FAMILIES]


@contextlib.contextmanager
def ceiling(n):
    old = sysctl("lb", "net.nflb.max_connections", n)
    try:
        yield
    finally:
        sysctl("lb", "net.nflb.max_connections", old)


@contextlib.contextmanager
def unanswered():
    """The balancer answers nothing itself."""
    old = sysctl("lb", "net.nflb.reject", 0)
    try:
        yield
    finally:
        sysctl("lb", "net.nflb.reject", old)


class Packets:
    """Made by hand, since thousands are sent."""

    def __init__(self, f, dport=80, proto=6):
        self.f, self.dport, self.proto = f, dport, proto
        self.dst = self.addr(f.vip)

    def addr(self, text):
        return socket.inet_pton(socket.AF_INET6 if self.f.v6 else socket.AF_INET, text)

    def stranger(self):
        """An address of nobody, that is routed to the client."""
        if self.f.v6:
            return self.addr("2001:db8:1::") [:8] + rnd.randbytes(8)
        return bytes([10, 1, 0, rnd.randrange(3, 250)])

    def make(self, src, sport, flags=SYN, seq=0, ack=0, data=b""):
        if self.proto == 6:
            l4 = struct.pack("!HHIIBBHHH", sport, self.dport,
                             seq & 0xffffffff, ack & 0xffffffff, 0x50, flags,
                             0xffff, 0, 0)
            at = 16
        else:
            l4 = struct.pack("!HHHH", sport, self.dport, 8 + len(data), 0)
            at = 6
        l4 += data
        pseudo = src + self.dst + struct.pack("!II", len(l4), self.proto)
        total = checksum(pseudo + l4) ^ 0xffff
        l4 = l4[:at] + struct.pack("!H", total or 0xffff) + l4[at + 2:]
        if self.f.v6:
            return struct.pack("!IHBB", 6 << 28, len(l4), self.proto, 64) + \
                src + self.dst + l4
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 0, 0, 64,
                           self.proto, 0) + src + self.dst
        total = checksum(head) ^ 0xffff
        return head[:10] + struct.pack("!H", total) + head[12:] + l4


class Client:
    """A TCP connection, segment by segment, in any mode."""

    def __init__(self, net, f, mode="dnat", sport=4000, src=None, dport=80):
        self.net, self.f, self.mode, self.sport = net, f, mode, sport
        self.packets = Packets(f, dport)
        self.src = self.packets.addr(src or f.client)
        self.seq, self.ack, self.rs = rnd.getrandbits(32), 7 << 28, None
        self.out = None

    def send(self, flags, seq=0, ack=0):
        self.net.cl.send(self.packets.make(
            self.src, self.sport, flags, self.seq + seq,
            self.ack + ack if flags & ACK else 0))

    def receive(self, port, flags, timeout=None):
        """The next segment of this connection with those flags; without a timeout, if it
        is under way."""
        end = time.monotonic() + (timeout or 0)
        while True:
            frame = port.receive(max(0, end - time.monotonic())) if timeout else \
                arrived([port], 1.0)[1]
            if not frame:
                return None
            tcp = frame.parse().getlayer(sc.TCP)
            if tcp and int(tcp.flags) & 0x3f == flags and (
                    self.mode == "fullnat" and port is not self.net.cl or
                    self.sport in (tcp.sport, tcp.dport)):
                if port is self.net.cl or flags == SYN or \
                   self.out is None or \
                   self.out == (frame.parse().src, tcp.sport):
                    return frame

    def arrives(self, flags):
        first = self.rs or 0
        for i in (first, 1 - first):
            frame = self.receive(self.net.rs[i], flags)
            if frame:
                self.rs = i
                return frame
        return None

    def answer(self, flags, seq=0, ack=0):
        """The backend sends, if the balancer is to see that."""
        if self.mode == "dsr":
            return True
        dst, dport = self.out
        self.net.rs[self.rs].send(self.f.packet(
            self.f.backends[self.rs], dst) / sc.TCP(
                sport=8080, dport=dport, flags=flags,
                seq=(self.ack + seq) & 0xffffffff,
                ack=(self.seq + ack) & 0xffffffff))
        return self.receive(self.net.cl, flags)

    def begin(self):
        for port in self.net.rs:
            port.flush()
        self.send(SYN)
        frame = self.arrives(SYN)
        if not frame:
            return False
        p = frame.parse()
        self.out = (p.src, p[sc.TCP].sport)
        return True

    def open(self):
        """Whether it could be."""
        if not self.begin() or not self.answer(SYN | ACK, 0, 1):
            return False
        self.seq, self.ack = self.seq + 1, self.ack + 1
        self.send(ACK)
        if not self.arrives(ACK):
            return False
        if self.mode != "dsr":
            return True
        # Only that the client goes on can be seen there.
        self.send(PSH | ACK)
        return bool(self.arrives(PSH | ACK))

    def close(self):
        self.send(FIN | ACK)
        self.arrives(FIN | ACK)
        self.answer(FIN | ACK, 0, 1)
        self.send(ACK, 1, 1)
        self.arrives(ACK)
        return self

    def works(self):
        for port in (self.net.cl, *self.net.rs):
            port.flush()
        self.send(PSH | ACK)
        return bool(self.arrives(PSH | ACK)) and \
            bool(self.answer(ACK))


def service(net, f, mode="dnat", backends=1, proto="tcp", port=80, *words,
            ports=None, limit=None):
    if mode == "fullnat":
        net.lbadm("laddr", "add", f.lb[1], *(["ports", ports] if ports else []))
    vip = f.at(f.vip, port)
    net.lbadm("service", "add", proto, vip, "mode", mode, *words)
    for b in f.backends[:backends]:
        net.lbadm("backend", "add", proto, vip,
                  b if mode == "dsr" else f.at(b, 8080),
                  *(["max-connections", str(limit)] if limit else []))


def flood(net, packets, count):
    for i in range(count):
        net.cl.send(packets.make(packets.stranger(), 5000 + i,
                                 seq=rnd.getrandbits(32)))
    drain(net)


def drain(net):
    """To the last frame: one that comes later would be taken for another's."""
    for port in (net.cl, *net.rs):
        while port.arrived():
            pass


def states(net):
    found = {}
    for c in net.connections():
        found[c["state"]] = found.get(c["state"], 0) + 1
    return found


@suite.case(*FAMILIES)
def of_time_wait(net, f):
    service(net, f)
    with ceiling(20):
        for i in range(20):
            client = Client(net, f, sport=4000 + i)
            assert client.open(), "connection %d" % i
            client.close()
        # The sweep may have made room already.
        assert states(net).get("time-wait", 0) > 10, states(net)
        for i in range(10):
            client = Client(net, f, sport=4100 + i)
            assert client.open(), states(net)


@suite.case(*MODES)
def of_datagrams(net, mode, f):
    """Datagrams that nobody answers; UDP and TCP are served."""
    forget(net)
    service(net, f, mode)
    service(net, f, "dnat", 1, "udp", 53)
    with ceiling(50):
        old = Client(net, f, mode, sport=3999)
        assert old.open()
        flood(net, Packets(f, 53, 17), 150)
        assert Client(net, f, mode).open(), (states(net), net.drops())
        assert old.works()
        evicted = counter(net, "half-open-evicted")
        assert evicted >= 100, evicted
        # Some may have expired by now, where the machine is slow.
        assert 2 <= len(net.connections()) <= 50


@suite.case(*FAMILIES)
def answered_datagrams_stay(net, f):
    service(net, f, "dnat", 1, "udp", 53)
    packets = Packets(f, 53, 17)
    client = packets.addr(f.client)
    for _ in range(3):
        net.cl.send(packets.make(client, 4000))
        net.rs[0].expect()
        net.rs[0].send(f.packet(f.backends[0], f.client) / sc.UDP(
            sport=8080, dport=4000))
        net.cl.expect()
    with ceiling(50):
        flood(net, packets, 200)
        assert [c for c in net.connections() if c["client-port"] == 4000]


class Datagrams:
    """A UDP flow in mode fullnat, from port @sport of an address."""

    def __init__(self, net, f, packets, src, sport):
        self.net, self.f, self.packets = net, f, packets
        self.src, self.sport, self.local = src, sport, None

    def ask(self):
        """Returns whether the backend got it."""
        self.net.rs[0].flush()
        self.net.cl.send(self.packets.make(self.src, self.sport))
        frame = self.net.rs[0].arrived()
        if frame:
            p = frame.parse()
            self.local = (p.src, p[sc.UDP].sport)
        return bool(frame)

    def answer(self):
        dst, dport = self.local
        self.net.rs[0].send(self.f.packet(self.f.backends[0], dst) / sc.UDP(
            sport=8080, dport=dport))

    def assure(self):
        assert self.ask()
        self.answer()
        assert self.ask()
        return self


def until_silent(net, ports, work):
    """Work goes on until all flows from these ports were silent for eleven seconds of
    their 300."""
    deadline = time.monotonic() + 30
    while max(c["expires"] for c in net.connections()
              if c["client-port"] in ports) > 300 - 11:
        assert time.monotonic() < deadline
        time.sleep(1)
        work()


@suite.case()
def of_what_is_not_proven(net):
    """Forged datagrams that were answered, and forged handshakes in mode dsr: they
    hold what is bounded while something comes, and not for the whole timeout; but
    what is not even that goes before them."""
    forget(net)
    flows, old = {}, {}
    for f in FAMILIES:
        service(net, f, "fullnat", 1, "udp", 53, ports="2000-2019")
        service(net, f, "dsr", limit=5)
    for f in FAMILIES:
        packets = Packets(f, 53, 17)
        flows[f] = [Datagrams(net, f, packets, packets.stranger(), 6000 + i).assure()
                    for i in range(10)]
        old[f] = Client(net, f, "dsr", sport=7000)
        assert old[f].open()
        for i in range(1, 5):
            assert Client(net, f, "dsr", sport=7000 + i).open()
        # Not at once: nothing of these is silent yet
        assert not Client(net, f, "dsr", sport=7100).open()

    def in_use():
        for f in FAMILIES:
            assert flows[f][0].ask() and old[f].works()

    until_silent(net, range(6001, 6010), in_use)
    for f in FAMILIES:
        packets, used = Packets(f, 53, 17), flows[f][0]

        def newcomer(port):
            flow = Datagrams(net, f, packets, packets.stranger(), port)
            assert flow.ask(), (port, net.drops())
            return flow

        for port in range(6100, 6120):
            newcomer(port)
        ports = {c["client-port"] for c in net.connections()}
        assert ports >= set(range(6000, 6010)), "what was assured went first"
        for port in range(6200, 6210):
            newcomer(port).assure()
        for port in range(6300, 6309):
            newcomer(port).assure()
        local = used.local
        assert used.ask() and used.local == local, "what is in use went"
        for i in range(4):
            assert Client(net, f, "dsr", sport=7200 + i).open(), net.drops()
        assert old[f].works()
    evicted = counter(net, "idle-evicted")
    assert evicted == 2 * (9 + 4), evicted


@suite.case()
def remembered_clients_in_use(net):
    """20 clients go on: no newcomer makes the balancer forget where they went."""
    f = V4
    service(net, f, "dnat", 2, "udp", 53, "scheduler", "rr", "persist", "300")
    packets = Packets(f, 53, 17)
    made = [packets.addr("10.1.0.%d" % (10 + i)) for i in range(60)]

    def ask(client, port=6000):
        """Which backend gets it."""
        for rs in net.rs:
            rs.flush()
        net.cl.send(packets.make(client, port))
        return arrived(net.rs)[0]

    def assure(client, port=6000):
        rs = ask(client, port)
        src = ".".join(map(str, client))
        net.rs[rs].send(f.packet(f.backends[rs], src) / sc.UDP(
            sport=8080, dport=port))
        assert ask(client, port) == rs
        return rs

    with ceiling(40):
        where = [assure(client) for client in made[:20]]
        for client in made[20:40]:
            assure(client, 6100)

        def in_use():
            for client in made[:20]:
                net.cl.send(packets.make(client, 6000))
            drain(net)

        until_silent(net, [6100], in_use)
        for client in made[40:]:
            # Again, for after a search in vain there is none for a moment.
            assert any(ask(client) is not None for _ in range(5)), net.drops()
        # In another order than at first, or rr alone would do the same again.
        now = [ask(client, 6001) for client in reversed(made[:20])][::-1]
        assert now == where, (where, now, net.drops()["table-full"])


@suite.case(*MODES)
def of_half_open(net, mode, f):
    forget(net)
    service(net, f, mode)
    with ceiling(100):
        old = Client(net, f, mode, sport=3999)
        assert old.open()
        for i in range(2):
            flood(net, Packets(f), 150)
            client = Client(net, f, mode, sport=4000 + i)
            assert client.open(), (states(net), net.drops())
        assert old.works() and client.works()
        # Half-open ones expire meanwhile on a busy machine.
        assert 90 <= len(net.connections()) <= 100


@suite.case(*MODES)
def of_made_up_handshakes(net, mode, f):
    """SYN and ACK of sources that do not exist: the backend answers the SYN, and
    nobody has seen that answer."""
    forget(net)
    service(net, f, mode)
    packets = Packets(f)
    with ceiling(50):
        old = Client(net, f, mode, sport=3999)
        assert old.open()
        drain(net)
        for i in range(100):
            src, seq = packets.stranger(), rnd.getrandbits(32)
            net.cl.send(packets.make(src, 5000 + i, SYN, seq))
            p = net.rs[0].expect().parse()
            while p[sc.TCP].flags != "S":
                p = net.rs[0].expect().parse()
            if mode != "dsr":
                net.rs[0].send(f.packet(p.dst, p.src) / sc.TCP(
                    sport=8080, dport=p[sc.TCP].sport, flags="SA",
                    seq=rnd.getrandbits(32), ack=p[sc.TCP].seq + 1))
            net.cl.send(packets.make(src, 5000 + i, ACK, seq + 1,
                                     rnd.getrandbits(32)))
        assert Client(net, f, mode).open(), (states(net), net.drops())
        assert old.works()


@suite.case(*FAMILIES)
def of_what_is_assured(net, f):
    """Newcomers displace none, and what they cost is bounded."""
    service(net, f)
    clients = [Client(net, f, sport=4000 + i) for i in range(20)]
    with ceiling(20):
        for client in clients:
            assert client.open()
        flood(net, Packets(f), 200)
        assert states(net) == {"established": 20}, states(net)
        assert net.drops()["table-full"] >= 200
        for client in clients:
            assert client.works()


@suite.case(*FAMILIES)
def of_ports(net, f):
    """50 local ports, all half open; the backend is told to forget those that
    give way, by a reset with the right number."""
    forget(net)
    service(net, f, "fullnat", ports="2000-2049")
    old = Client(net, f, "fullnat", sport=3999)
    assert old.open()
    flood(net, Packets(f), 200)
    assert not net.drops()["ports-exhausted"], net.drops()
    half = Client(net, f, "fullnat", sport=4001)
    assert half.begin()
    port = half.out[1]
    packets = Packets(f)
    for i in range(49):
        net.cl.send(packets.make(packets.stranger(), 6000 + i))
    seen = []
    while True:
        frame = net.rs[0].arrived()
        if not frame:
            break
        tcp = frame.parse()[sc.TCP]
        if tcp.sport == port:
            seen.append((str(tcp.flags), tcp.seq))
    assert ("R", (half.seq + 1) & 0xffffffff) in seen, seen
    assert seen.index(("R", (half.seq + 1) & 0xffffffff)) < \
        [flags for flags, _ in seen].index("S"), seen
    client = Client(net, f, "fullnat")
    assert client.open(), net.drops()
    assert old.works() and client.works()


@suite.case(*MODES)
def of_a_backend(net, mode, f):
    """max-connections 20: what is half open gives way, what is connected stays,
    and then there is no room."""
    forget(net)
    service(net, f, mode, limit=20)
    old = Client(net, f, mode, sport=3999)
    assert old.open()
    flood(net, Packets(f), 100)
    clients = [Client(net, f, mode, sport=4000 + i) for i in range(19)]
    for client in clients:
        assert client.open(), (client.sport, states(net), net.drops())
    flood(net, Packets(f), 50)
    assert states(net) == {"established": 20}, states(net)
    assert net.drops()["no-backend"] >= 50
    for client in [old, *clients]:
        assert client.works()


@suite.case(*FAMILIES)
def of_finished_connections(net, f):
    """max-connections 5, one request at a time: each is served."""
    service(net, f, limit=5)
    for i in range(15):
        client = Client(net, f, sport=4000 + i)
        assert client.open(), (i, net.drops())
        client.close()
    condition = json.loads(net.lbadm("-j", "backend", "show", "tcp",
                                     f.at(f.vip, 80)))[0]["condition"]
    assert condition == "ready", condition


@suite.case(*FAMILIES)
def half_closed_counts(net, f):
    """Who closes his side only still has the backend busy."""
    service(net, f, limit=2)
    for i in range(2):
        client = Client(net, f, sport=4000 + i)
        assert client.open()
        client.send(FIN | ACK)
        client.arrives(FIN | ACK)
    assert not Client(net, f, sport=4100).begin()


@suite.case(*FAMILIES)
def of_remembered_clients(net, f):
    """Sources that do not exist leave no room; clients return all the same."""
    service(net, f, "dnat", 2, "tcp", 80, "persist",
            "300/32/128", "scheduler", "rr")
    with ceiling(50):
        first = Client(net, f, sport=3999)
        assert first.open()
        for i in range(3):
            flood(net, Packets(f), 100)
            src = ("2001:db8:1::%d" if f.v6 else "10.1.0.%d") % (251 + i)
            net.neighbour(src, net.cl.mac, "l0")
            client = Client(net, f, sport=4000, src=src)
            assert client.open(), net.drops()
            for j in range(3):
                again = Client(net, f, sport=4001 + j, src=src)
                assert again.open() and again.rs == client.rs, \
                    "%d: %s, then %s" % (i, client.rs, again.rs)
        again = Client(net, f, sport=3998)
        assert again.open() and again.rs == first.rs
        assert counter(net, "persist-evicted") > 100


@suite.case()
def one_ipv6_network_is_one_client(net):
    service(net, V6, "dnat", 2, "tcp", 80, "persist", "300",
            "scheduler", "rr")
    flood(net, Packets(V6), 50)
    shown = json.loads(net.lbadm("-j", "-s", "service", "show"))[0]
    assert shown["stats"]["persistent"] == 1, shown["stats"]
    assert "persist 300/32/64" in net.lbadm("service", "show")


def told(net, client):
    """Both sides get a segment out of their window, and its answer a reset."""
    for port, who in ((net.cl, "client"), (net.rs[client.rs], "backend")):
        frame = client.receive(port, ACK, 8.0)
        assert frame, "the %s was not told" % who
        p = frame.parse()
        port.send(client.f.packet(p.dst, p.src) / sc.TCP(
            sport=p[sc.TCP].dport, dport=p[sc.TCP].sport, flags="A",
            seq=12345, ack=54321))
        frame = client.receive(port, RST, 3.0)
        assert frame, "the %s's answer was not reset" % who
        assert frame.parse()[sc.TCP].seq == 54321


@suite.case(*[(m, f) for m in ("dnat", "fullnat") for f in FAMILIES])
def idle_connections_are_told(net, mode, f):
    forget(net)
    service(net, f, mode, 1, "tcp", 80, "timeout-established", "1")
    client = Client(net, f, mode)
    assert client.open()
    drain(net)
    told(net, client)
    assert not net.connections()


@suite.case(*[(m, f) for m in ("dnat", "fullnat") for f in FAMILIES])
def flushed_connections_are_told(net, mode, f):
    forget(net)
    service(net, f, mode)
    client = Client(net, f, mode)
    assert client.open()
    drain(net)
    net.lbadm("connection", "flush")
    assert not net.connections()
    told(net, client)
    # And begins anew at once.
    assert Client(net, f, mode).open()


@suite.case(*FAMILIES)
def expired_ports_are_no_trap(net, f):
    """The port of a connection that was idle for too long is not used again
    before the backend was told."""
    forget(net)
    service(net, f, "fullnat", 1, "tcp", 80, "timeout-established", "1",
            ports="2000-2015")
    old = Client(net, f, "fullnat", sport=3999)
    assert old.open()
    drain(net)
    told(net, old)
    for i in range(15):
        client = Client(net, f, "fullnat", sport=4000 + i)
        assert client.open()
        assert client.out != old.out


@suite.case(*FAMILIES)
def resets_have_a_limit(net, f):
    """Segments without a connection: most are answered, a flood is not."""
    service(net, f)
    packets = Packets(f)
    src = packets.addr(f.client)
    segments = [packets.make(src, 5000 + i, ACK, i, i) for i in range(1000)]
    drain(net)
    before = counter(net, "answer-limited")
    begin = time.monotonic()
    for segment in segments:
        net.cl.send(segment)
    took = time.monotonic() - begin
    got = 0
    while net.cl.arrived():
        got += 1
    limited = counter(net, "answer-limited") - before
    assert got + limited == 1000, (got, limited)
    assert got <= (took * 20 + 2) * 500, "%d in %.2f s" % (got, took)
    time.sleep(0.1)
    net.cl.send(segments[0])
    assert net.cl.receive(2.0)


def fragments_memory(f):
    """Bytes that wait in the balancer's reassembly, and the kernel's bound."""
    path = "/proc/net/sockstat6" if f.v6 else "/proc/net/sockstat"
    word = "FRAG6:" if f.v6 else "FRAG:"
    text = run("nsenter", "--net=/run/netns/lb", "cat", path)
    line = [x for x in text.splitlines() if x.startswith(word)][0]
    return int(line.split()[-1])


@suite.case(V4)
def of_fragments(net, f):
    """First fragments that nothing follows hold what the kernel allows, and no
    more; whole packets go on."""
    service(net, f)
    service(net, f, "dnat", 1, "udp", 53)
    low = sysctl("lb", "net.ipv4.ipfrag_low_thresh", 200000)
    bound = sysctl("lb", "net.ipv4.ipfrag_high_thresh", 300000)
    client = Client(net, f)
    assert client.open()
    try:
        packet = bytearray(bytes(f.packet("10.1.0.9", f.vip, flags="MF") /
                                 sc.UDP(sport=5000, dport=53, chksum=0) /
                                 sc.Raw(bytes(1000))))
        for i in range(500):
            struct.pack_into("!HHHBBH", packet, 4, i + 1, 0x2000, 0, 0, 0, 0)
            packet[8:10] = bytes([64, 17])
            struct.pack_into("!H", packet, 6, 0x2000)
            struct.pack_into("!H", packet, 10, 0)
            struct.pack_into("!H", packet, 10, checksum(packet[:20]) ^ 0xffff)
            net.cl.send(bytes(packet))
        held = fragments_memory(f)
        assert 100000 < held < 310000, held
        assert client.works()
        assert Client(net, f, sport=4001).open()
    finally:
        sysctl("lb", "net.ipv4.ipfrag_high_thresh", bound)
        sysctl("lb", "net.ipv4.ipfrag_low_thresh", low)


@suite.case()
def memory_has_its_bound(net):
    """Connections that are replaced wait for readers; those count, too."""
    service(net, V4)
    with ceiling(100), unanswered():
        flood(net, Packets(V4), 3000)
        with open("/proc/slabinfo", encoding="ascii") as f:
            used = [int(line.split()[1]) for line in f
                    if line.startswith("nflb_conn ")]
        if used:
            assert used[0] <= 100 + 4096 + 512, used


@suite.case(*FAMILIES)
def persist_beside_a_flood(net, f):
    """Backends that are full of half-open connections, which would give way"""
    forget(net)
    service(net, f, "dnat", 2, "tcp", 80, "persist", "300/32/128",
                 "scheduler", "rr", limit=5)
    first = Client(net, f, sport=3999)
    assert first.open()
    moved = 0
    for i in range(10):
        flood(net, Packets(f), 30)
        again = Client(net, f, sport=4000 + i)
        assert again.begin(), (states(net), net.drops())
        net_rs = again.rs
        moved += net_rs != first.rs
    assert not moved, "%d of 10 times at another backend" % moved


@suite.case(*[(f, s) for f in FAMILIES for s in ("rr", "source")])
def half_open_at_another_vip(net, f, sched):
    """A forged SYN from the client's port to another VIP of the same backends"""
    for port in (80, 81):
        vip = f.at(f.vip, port)
        net.lbadm("service", "add", "tcp", vip, "scheduler", sched)
        for b in f.backends[:2 if sched == "source" else 1]:
            net.lbadm("backend", "add", "tcp", vip, f.at(b, 8080))
    forged = Client(net, f, dport=81)
    assert forged.begin()
    net.rs[forged.rs].flush()
    client = Client(net, f, dport=80)
    ok = client.begin()
    assert ok, "refused: %s" % {k: v for k, v in net.drops().items() if v}


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
