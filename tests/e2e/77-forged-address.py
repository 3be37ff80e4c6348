#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# topology: none
# offload: default
"""Clients that want to be taken for another, in front of a real server.

The client is a packet socket, so each segment has the options and the numbers
that the case is about. The balancer adds TOA or a PROXY header; the server is
an ordinary socket on the first backend, and says what it is told. With TOA a
receiver tells it: nflb_toa.ko, the BPF programs, or, on every kernel, the rules
of docs/toa-receivers.md applied to the segment that made the connection.
"""

import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from fullnat import PATHS, counter, flush, setup  # noqa: E402
from rawnet import FAMILIES, Net, Suite, netns, run, sc, sysctl  # noqa: E402
from receiver import RECEIVERS, Unavailable  # noqa: E402

FORGED4, FORGED6 = "203.0.113.99", "2001:db8:bad::99"


def toa(addr, port=0x1234, kind=254):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    value = struct.pack("!H", port) + socket.inet_pton(family, addr)
    return bytes([kind, 2 + len(value)]) + value


T4, T6, T6K = toa(FORGED4), toa(FORGED6), toa(FORGED6, kind=253)
TFO4, TFO6 = toa(FORGED4, 0xf989), toa(FORGED6, 0xf989)
MD5 = b"\x13\x12" + b"\5" * 16
AO = b"\x1d\x14\1\1" + b"\5" * 16
NOP, EOL = b"\1", b"\0"
STAMP = b"\1\1\x08\x0a\0\0\0\7\0\0\0\0"
USUAL = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\7\0\0\0\0\1\3\3\7"

LAYOUTS = {
    "none": b"",
    "usual": USUAL,
    "nops": NOP * 40,
    "forged-4": T4,
    "forged-6": T6,
    "forged-253": T6K,
    "twice": T4 + T4,
    "twice-6": T6 + T6K,
    "five-times": T4 * 5,
    "nops-in-front": NOP * 32 + T4,
    "nops-in-front-6": NOP * 20 + T6,
    "nops-behind": T4 + NOP * 32,
    "nops-behind-6": T6 + NOP * 20,
    "eol-in-front": EOL * 4 + T4,
    "eol-in-front-6": EOL * 4 + T6,
    "eol-full": STAMP + EOL + T6 + EOL * 7,
    "four-nops": NOP * 4,
    "behind-usual": USUAL + T4,
    "behind-usual-6": USUAL + T6,
    "fast-open-port": TFO4 + NOP * 32,
    "fast-open-port-6": TFO6 + NOP * 20,
    "fast-open": b"\x22\x0a" + b"\5" * 8 + T4,
    "fast-open-experiment": b"\xfe\x0c\xf9\x89" + b"\5" * 8 + T4,
    "smc": b"\xfe\6\xe2\xd4\xc3\xd9" + T4,
    "md5": MD5 + T4,
    "md5-6": MD5 + T6,
    "md5-behind": T4 + MD5,
    "md5-alone": MD5,
    "md5-short": T4 + b"\x13\2",
    "md5-long": b"\x13\x14" + b"\5" * 18 + T4,
    "ao": AO + T4,
    "ao-6": AO + T6,
    "ao-short": T4 + b"\x1d\2",
    "ao-four": b"\x1d\4\1\1" + T6,
    "254-of-2": b"\xfe\2" + T4,
    "254-of-10": b"\xfe\x0a" + b"\5" * 8,
    "length-0": T4 + b"\xfe\0\1\1",
    "length-0-first": b"\x63\0\1\1" + T4,
    "length-1": T4 + b"\xfe\1\1\1",
    "overrun": NOP * 4 + b"\xfe\x08\x12\x34",
    "overrun-far": b"\xfe\xff\x12\x34",
    "no-length": NOP * 7 + b"\xfe",
    "odd-place": NOP + T4 + NOP * 3,
    "unknown": b"\x63\x28" + b"\5" * 38,
    "mptcp": USUAL + b"\x1e\x14" + b"\5" * 18,
    "others": b"\xc8\x08\x12\x34" + b"\5" * 4 + b"\xfa\x08\x12\x34" +
              b"\5" * 4,
}
LAYOUTS = {name: raw + EOL * (-len(raw) % 4) for name, raw in LAYOUTS.items()}


def told_by_rules(options):
    """The rules of docs/toa-receivers.md; None when nothing is believed."""
    found, alike, i = None, 0, 0
    while i < len(options) and options[i]:
        if options[i] == 1:
            i += 1
            continue
        if i + 1 >= len(options) or options[i + 1] < 2 or \
           i + options[i + 1] > len(options):
            return None
        kind, size = options[i], options[i + 1]
        alike += kind in (253, 254)
        if kind in (19, 29):
            return None
        if (kind, size) in ((254, 8), (254, 20), (253, 20)):
            found = options[i + 2:i + size]
        i += size
    if not found or alike > 1:
        return None
    family = socket.AF_INET if len(found) == 6 else socket.AF_INET6
    return socket.inet_ntop(family, found[2:]), \
        struct.unpack_from("!H", found)[0]


class Wire:
    """What a receiver would find in the first segment behind the SYN."""
    name = "wire"

    def start(self, allow):
        pass

    def stop(self):
        pass

    def told(self, net, conn):
        local_port = conn.getpeername()[1]
        while True:
            frame = net.rs[0].receive(0)
            assert frame, "no segment that makes a connection"
            tcp = frame.parse().getlayer(sc.TCP)
            if tcp and (tcp.sport, tcp.dport) == (local_port, 8080) and \
               tcp.flags & 0x16 == 0x10:
                break
        frame.check()
        raw = bytes(tcp)[20:tcp.dataofs * 4]
        assert raw[:1] == b"\xfe", "not the first option: " + raw.hex()
        return told_by_rules(raw) or conn.getpeername()[:2]


def telling(kind):
    """What a program is told, with a receiver on the host."""
    class Telling(kind):
        def told(self, net, conn):
            return conn.getpeername()[:2]
    return Telling


class Client:
    """One connection to the VIP."""

    sport = 20000

    def __init__(self, net, c, isn=1000):
        Client.sport += 1
        self.net, self.c, self.sport = net, c, Client.sport
        self.seq, self.ack = isn, 0

    def send(self, flags, options=b"", data=b"", seq=None, ack=None, **kw):
        tcp = sc.TCP(sport=self.sport, dport=80, flags=flags,
                     seq=(self.seq if seq is None else seq) & 0xffffffff,
                     ack=(self.ack if ack is None else ack) & 0xffffffff
                     if "A" in flags else 0,
                     dataofs=5 + len(options) // 4, **kw)
        self.net.cl.send(self.c.packet(self.c.client, self.c.vip) / tcp /
                         sc.Raw(options + data))

    def answer(self, flags="SA", timeout=3.0):
        while True:
            frame = self.net.cl.receive(timeout)
            assert frame, "no answer to the client"
            tcp = frame.parse().getlayer(sc.TCP)
            if tcp and tcp.dport == self.sport and tcp.flags == flags:
                return tcp

    def syn(self, options=b"", data=b"", seq=None):
        """Returns the number that acknowledges the server's SYN."""
        seq = self.seq if seq is None else seq
        self.send("S", options, data, seq=seq)
        got = self.answer()
        assert got.ack == (seq + 1) & 0xffffffff, \
            "the server has data of the SYN" if data else got.ack
        self.seq, self.ack = seq + 1, got.seq + 1
        return self.ack

    def end(self):
        self.send("R")


class Server:
    """Listens on the backend for either family; one at a time."""

    last = None

    def __init__(self, fast_open=False):
        if Server.last:
            Server.last.close()
        Server.last = self
        with netns("rs1"):
            self.sock = socket.socket(socket.AF_INET6)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.bind(("", 8080))
        if fast_open:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        self.sock.listen(16)

    def accept(self, timeout=3.0):
        self.sock.settimeout(timeout)
        conn, _ = self.sock.accept()
        conn.settimeout(3)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        return conn

    def nobody(self):
        self.sock.settimeout(0.2)
        try:
            conn, addr = self.sock.accept()
        except socket.timeout:
            return
        raise AssertionError("a connection of %s was made" % (addr,))

    def close(self):
        self.sock.close()


def plain(addr):
    """Of IPv4 as an IPv6 socket has it"""
    return (addr[0][7:] if addr[0].startswith("::ffff:") else addr[0],
            addr[1])


class Cases(Suite):
    """Each case with each receiver that the kernel can have; those of PROXY
    headers once."""

    once = []

    def main(self, argv):
        net = Net("default")
        for f, prefix in ((FAMILIES[0], 24), (FAMILIES[1], 64)):
            run("ip", "-n", "rs1", "addr", "add", "%s/%d" % (
                f.backends[0], prefix), "dev", "r0",
                *(["nodad"] if f.v6 else []))
        # Data in any SYN make a connection, without a cookie
        sysctl("rs1", "net.ipv4.tcp_fastopen", 0x602)
        self.allow = ",".join(f.lb[1] for f in FAMILIES)
        failed = 0
        for kind in [Wire] + [telling(kind) for kind in RECEIVERS]:
            try:
                receiver = kind()
            except Unavailable as e:
                print("# no %s on this kernel: %s" % (kind.name, e),
                      flush=True)
                continue
            receiver.stop()
            receiver.start(self.allow)
            failed += self.run_all(net, receiver, argv[1:])
            receiver.stop()
        net.clean()
        return 1 if failed else 0

    def run_all(self, net, receiver, wanted):
        failed = 0
        for label, function, args in self.cases:
            if function in self.once and receiver.name != "wire":
                continue
            name = "%s/%s-%s" % (self.name, receiver.name, label)
            if wanted and not any(w in name for w in wanted):
                continue
            try:
                net.flush()
                flush(net)
                net.receiver = receiver
                function(net, *args)
                print("ok " + name, flush=True)
            except (AssertionError, OSError, KeyError, IndexError,
                    ValueError, AttributeError) as e:
                failed += 1
                where = e.__traceback__
                while where.tb_next:
                    where = where.tb_next
                print("not ok %s: %s: %s (line %d)" % (
                    name, type(e).__name__, e, where.tb_lineno), flush=True)
                print("# drops: %s" % {k: v for k, v in net.drops().items()
                                       if v}, flush=True)
        return failed


suite = Cases("forged")


def once(function):
    suite.once.append(function)
    return function


def believed(net, c, client, server, what):
    """The server is told the client that it is."""
    conn = server.accept()
    told = plain(net.receiver.told(net, conn))
    conn.close()
    client.end()
    assert told == (c.client, client.sport), "%s: told %s" % (what, told)


WHERE = ("everywhere", "ack", "data")


@suite.case(*[path + (where,) for path in PATHS for where in WHERE])
def options(net, c, b, where):
    """Each layout: in all segments; in the ACK; in the first data, the ACK being
    lost. What was wrong is told together."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    wrong = []
    for name, raw in LAYOUTS.items():
        client = Client(net, c)
        net.rs[0].flush()
        try:
            client.syn(raw if where == "everywhere" else USUAL)
            if where == "data":
                client.send("PA", raw, b"hello")
            else:
                client.send("A", raw)
            believed(net, c, client, server, name)
        except (AssertionError, OSError) as e:
            wrong.append("%s (%s)" % (e, name))
    server.close()
    assert not wrong, "; ".join(wrong)


@suite.case(*PATHS)
def a_client_that_lies_about_what_it_has(net, c, b):
    """A wrong acknowledgment number does not end what it is told with."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    for lie in (1, -1, 1000, 1 << 30):
        client = Client(net, c)
        client.syn()
        for _ in range(3):
            client.send("A", STAMP, ack=client.ack + lie)
        # Linux refuses those with a reset; a new SYN begins again
        net.rs[0].flush()
        client.send("S", USUAL, seq=client.seq + 99999)
        got = client.answer()
        client.ack, client.seq = got.seq + 1, got.ack
        time.sleep(0.01)
        net.rs[0].flush()
        client.send("A", NOP * 4)
        believed(net, c, client, server, "lie of %d" % lie)
    server.close()


@suite.case(*PATHS)
def a_syn_ack_of_the_client(net, c, b):
    """With data, Linux would make a connection of it."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    client = Client(net, c)
    client.syn()
    client.send("SA", NOP * 4, b"xyz", seq=client.seq - 1)
    server.nobody()
    assert net.drops()["no-client-address"] == 1
    client.end()
    server.close()


@suite.case(*PATHS)
def fast_open(net, c, b):
    """Data of a SYN do not make a connection before the address is there."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server(fast_open=True)
    for name in ("none", "usual", "fast-open", "fast-open-experiment"):
        client = Client(net, c)
        client.syn(LAYOUTS[name], data=b"early")
        server.nobody()
        net.rs[0].flush()
        client.send("PA", STAMP, b"early")
        believed(net, c, client, server, name)
    assert counter(net, "fast-open-removed") == 4
    server.close()


@suite.case(*PATHS)
def ports_that_look_like_something_else(net, c, b):
    """The option of a true client may look like another one's beginning."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    for port in (0x080a, 0x0108, 0xf989, 0xe2d4, 0x1312, 0x1d04, 0xfe08):
        for raw in (b"", NOP * 4, STAMP):
            client = Client(net, c)
            client.sport = port
            net.rs[0].flush()
            client.syn()
            client.send("A", raw)
            believed(net, c, client, server, "port %x" % port)
            net.lbadm("connection", "flush")
    server.close()


# --- PROXY headers

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n\x21"


def header(c, client, src=None):
    family = socket.AF_INET6 if c.v6 else socket.AF_INET
    addrs = b"".join(socket.inet_pton(family, a)
                     for a in (src or c.client, c.vip))
    return SIGNATURE + struct.pack("!BH", 0x21 if c.v6 else 0x11,
                                   len(addrs) + 4) + addrs + \
        struct.pack("!HH", client.sport, 80)


def forged(c, client):
    return header(c, client, FORGED6 if c.v6 else FORGED4)


def stream(server, want, wait=3.0):
    """The server reads just that."""
    conn = server.accept(wait)
    got = b""
    while len(got) < len(want):
        more = conn.recv(4096)
        if not more:
            break
        got += more
    conn.close()
    assert got == want, "the server reads %r" % got


@suite.case(*PATHS)
@once
def proxy_with_its_own_header(net, c, b):
    """What looks like a header is data, when it is not the first."""
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    server = Server()
    client = Client(net, c)
    client.syn(USUAL)
    client.send("A", STAMP)
    client.send("PA", STAMP, forged(c, client))
    stream(server, header(c, client) + forged(c, client))
    client.end()
    server.close()


@suite.case(*PATHS)
@once
def proxy_and_fast_open(net, c, b):
    """Neither cookie nor data of a SYN reach the server; they come again."""
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    server = Server(fast_open=True)
    for name in ("none", "usual", "fast-open", "fast-open-experiment"):
        client = Client(net, c)
        early = forged(c, client) + b"early"
        net.rs[0].flush()
        client.syn(LAYOUTS[name], data=early)
        tcp = net.rs[0].expect().parse()[sc.TCP]
        assert not bytes(tcp.payload), "data in the SYN"
        for kind in (b"\x22\x0a", b"\xf9\x89"):
            assert kind not in bytes(tcp)[20:], bytes(tcp)[20:].hex()
        server.nobody()
        client.send("PA", STAMP, early)
        stream(server, header(c, client) + early)
        client.end()
    assert counter(net, "fast-open-removed") == 4
    server.close()


@suite.case(*PATHS)
@once
def proxy_and_data_in_the_place_of_the_header(net, c, b):
    """Numbers in front of the client's first byte."""
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    server = Server()
    client = Client(net, c)
    client.syn(USUAL)
    fake = forged(c, client)
    client.send("PA", STAMP, fake, seq=client.seq - len(fake))
    server.nobody()
    assert net.drops()["no-client-address"] == 1
    client.send("PA", STAMP, b"hello")
    stream(server, header(c, client) + b"hello")
    client.end()
    server.close()


@suite.case(*[path + (cookies,) for path in PATHS for cookies in (1, 2)])
@once
def proxy_and_another_syn(net, c, b, cookies):
    """A second SYN does not move the header from its place."""
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    sysctl("rs1", "net.ipv4.tcp_syncookies", cookies)
    server = Server()
    try:
        for other in (1000, -1000, 1 << 30):
            client = Client(net, c, isn=500000)
            client.syn(USUAL)
            seq, ack = client.seq, client.ack
            fake = forged(c, client)
            client.send("S", USUAL, seq=seq - 1 + other)
            time.sleep(0.05)
            net.cl.flush()
            client.send("PA", STAMP, fake, seq=seq - len(fake), ack=ack)
            server.nobody()
            client.send("PA", STAMP, b"hello", seq=seq, ack=ack)
            if cookies == 1 and other != 1000:
                stream(server, header(c, client) + b"hello")
            else:
                # With cookies the server answered the second SYN, too; else
                # one within its window ended what the first began.
                server.nobody()
            client.end()
            net.lbadm("connection", "flush")
    finally:
        sysctl("rs1", "net.ipv4.tcp_syncookies", 1)
        server.close()


@suite.case(*PATHS)
@once
def proxy_and_urgent_data(net, c, b):
    """An urgent byte of the header would be taken out of it."""
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    server = Server()
    for at in (1, 17, 20):
        client = Client(net, c)
        client.syn(USUAL)
        client.send("AU", STAMP, urgptr=at)
        client.send("PA", STAMP, b"hello")
        stream(server, header(c, client) + b"hello")
        client.end()
    server.close()


def forget(b, conn):
    """The server loses the connection, and nobody hears of it."""
    route = ["ip", "-n", "rs1", "route", "%s", "blackhole", b.lb[1]]
    run(*[w.replace("%s", "add") for w in route])
    conn.close()
    run(*[w.replace("%s", "del") for w in route])


@suite.case(*PATHS)
@once
def proxy_when_the_server_forgot(net, c, b):
    """It makes another connection of the next SYN: with a header."""
    setup(net, c, b, "tcp", 80, "proxy-protocol", "on")
    server = Server()
    client = Client(net, c, isn=7000)
    client.syn(USUAL)
    client.send("PA", STAMP, b"one")
    conn = server.accept()
    assert conn.recv(4096)[:28] == header(c, client)[:28]
    time.sleep(0.05)
    forget(b, conn)
    net.cl.flush()
    client.syn(USUAL, seq=900000)
    fake = forged(c, client)
    client.send("PA", STAMP, fake)
    stream(server, header(c, client) + fake)
    client.end()
    server.close()


@suite.case(*PATHS)
def when_the_server_forgot(net, c, b):
    """It makes another connection of the next SYN, and is told again."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    client = Client(net, c, isn=7000)
    client.syn(USUAL)
    client.send("PA", STAMP, b"one")
    conn = server.accept()
    conn.send(b"two")
    time.sleep(0.05)
    client.send("A", STAMP, seq=client.seq + 3, ack=client.ack + 3)
    time.sleep(0.05)
    forget(b, conn)
    net.cl.flush()
    client.syn(USUAL, seq=900000)
    net.rs[0].flush()
    client.send("PA", T4, b"one")
    believed(net, c, client, server, "the second")
    server.close()


def neighbour(b, mac):
    """Where the server takes the balancer to be"""
    run("ip", "-n", "rs1", "neigh", "replace", b.lb[1], "lladdr", mac, "dev",
        "r0", "nud", "permanent")


@suite.case(*PATHS)
def after_time_wait(net, c, b):
    """SYN, and an old ACK right behind it, before the server's SYN-ACK is seen."""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    client = Client(net, c, isn=1 << 30)
    client.syn(USUAL)
    client.send("PA", STAMP, b"one")
    conn = server.accept()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
    assert conn.recv(3) == b"one"
    conn.send(b"two")
    time.sleep(0.1)
    client.seq += 3
    client.ack += 3
    client.send("A", STAMP)
    client.send("FA", STAMP)
    client.seq += 1
    assert conn.recv(3) == b""
    net.cl.flush()
    conn.close()
    got = client.answer("FA")
    client.ack = got.seq + 1
    client.send("A", STAMP)
    time.sleep(0.2)
    states = [conn["state"] for conn in net.connections()]
    assert states == ["time-wait"], states
    # The server's answer takes a while
    right = net.rs[0].peer_mac
    neighbour(b, "02:00:00:00:00:77")
    net.cl.flush()
    first = client.seq - 5000
    client.send("S", USUAL, seq=first)
    client.send("A", STAMP, ack=client.ack + 12345)
    time.sleep(0.1)
    neighbour(b, right)
    got = client.answer("SA", 5.0)
    assert got.ack == first + 1
    client.seq, client.ack = first + 1, got.seq + 1
    net.rs[0].flush()
    client.send("PA", STAMP, b"hi")
    believed(net, c, client, server, "after TIME_WAIT")


@suite.case((FAMILIES[0], FAMILIES[0]), (FAMILIES[1], FAMILIES[1]))
def an_error_in_the_handshake(net, c, b):
    """Too big, it says, of the SYN: no TOA any more"""
    setup(net, c, b, "tcp", 80, "toa", "on")
    server = Server()
    client = Client(net, c)
    net.rs[0].flush()
    client.syn(USUAL)
    while True:
        p = net.rs[0].expect().parse()
        if p.haslayer(sc.TCP) and p[sc.TCP].flags == "S":
            break
    quoted = b.packet(p.src, p.dst) / sc.TCP(
        sport=p[sc.TCP].sport, dport=8080, seq=p[sc.TCP].seq, flags="S")
    head = sc.ICMPv6PacketTooBig(mtu=1500) if c.v6 else \
        sc.ICMP(type=3, code=4, nexthopmtu=1500)
    net.cl.send(c.packet(c.client, p.src) / head / sc.Raw(bytes(quoted)))
    time.sleep(0.1)
    net.rs[0].flush()
    client.send("A", STAMP)
    believed(net, c, client, server, "after an error")


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
