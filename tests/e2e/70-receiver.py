#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: 6.12/default
# topology: none
# offload: default
"""What a server is told of its clients, by either receiver.

The balancer is a packet socket that makes handshakes itself, so that each
segment carries what the case means; the server is an ordinary socket.

    bal(b0) --- (s0)srv
"""

import os
import select
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (Port, Suite, mac_of, netns, run, sc,  # noqa: E402
                    sysctl)
from receiver import RECEIVERS, Unavailable, syncookies  # noqa: E402

SRV4, BAL4, SRV6, BAL6 = ("10.5.0.1", "10.5.0.2", "2001:db8:5::1",
                          "2001:db8:5::2")
CLIENT4, CLIENT6 = "198.51.100.77", "2001:db8:77::7"
CPORT = 54321
ALLOW = "10.5.0.2,2001:db8:5::2"
ALLOWED = "10.5.0.2/32,2001:db8:5::2/128"
TIMESTAMP = [("NOP", None), ("NOP", None), ("Timestamp", (7, 0))]


def option(addr, port=CPORT, kind=254):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    return [(kind, struct.pack("!H", port) + socket.inet_pton(family, addr))]


class Bench:
    """The two hosts; the receiver is on."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.ports = iter(range(20000, 60000))
        self.clean()
        for ns in ("bal", "srv"):
            run("ip", "netns", "add", ns)
            run("ip", "-n", ns, "link", "set", "lo", "up")
        run("ip", "link", "add", "s0", "netns", "srv", "type", "veth", "peer",
            "name", "b0", "netns", "bal")
        sysctl("bal", "net.ipv6.conf.b0.addr_gen_mode", 1)
        sysctl("srv", "net.ipv6.conf.s0.accept_dad", 0)
        for ns, dev in (("bal", "b0"), ("srv", "s0")):
            run("ip", "-n", ns, "link", "set", dev, "up")
        for addr in (SRV4 + "/24", SRV6 + "/64"):
            run("ip", "-n", "srv", "addr", "add", addr, "dev", "s0",
                *(["nodad"] if ":" in addr else []))
        for addr in (BAL4, BAL6, "10.5.0.3", "2001:db8:5::3"):
            run("ip", "-n", "srv", "neigh", "replace", addr, "lladdr",
                mac_of("bal", "b0"), "dev", "s0", "nud", "permanent")
        self.port = Port("bal", "b0", "srv", "s0")

    def begin(self):
        """Before each case: on, with the usual list; counters from zero."""
        self.port.flush()
        if not self.receiver.running:
            self.receiver.start(ALLOW)
        elif self.receiver.allowed() != ALLOWED:
            assert self.receiver.allow(ALLOW)
        syncookies("srv", 1)
        self.base = self.receiver.counters("srv")

    def counter(self, name):
        return self.receiver.counters("srv")[name] - self.base[name]

    def clean(self):
        for ns in ("bal", "srv"):
            if os.path.exists("/run/netns/" + ns):
                run("ip", "netns", "del", ns)

    def listen(self, v6, defer=0):
        with netns("srv"):
            s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if v6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if defer:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, defer)
        s.bind(("", 0))
        s.listen(16)
        s.settimeout(5)
        return s


class Client:
    """One connection of the balancer to the server."""

    def __init__(self, bench, server, v6, source=None, sport=None):
        self.bench, self.v6 = bench, v6
        self.dport = server.getsockname()[1]
        self.sport = sport or next(bench.ports)
        self.source = source or (BAL6 if v6 else BAL4)
        self.seq, self.ack = 1000, 0

    def send(self, flags, options=(), data=b""):
        ip = sc.IPv6(src=self.source, dst=SRV6) if self.v6 else \
            sc.IP(src=self.source, dst=SRV4)
        self.bench.port.send(ip / sc.TCP(
            sport=self.sport, dport=self.dport, flags=flags, seq=self.seq,
            ack=self.ack if "A" in flags else 0, options=list(options)) /
            sc.Raw(data))

    def syn(self, options=()):
        self.send("S", [("MSS", 1400), *options])
        self.seq += 1
        while True:
            tcp = self.bench.port.expect().parse().getlayer(sc.TCP)
            if tcp and tcp.dport == self.sport and tcp.flags == "SA":
                break
        self.ack = tcp.seq + 1

    def connect(self, options=(), syn=(), data=None, ack=True):
        """Handshake; with data, the ACK may have been lost before."""
        self.syn(syn)
        if ack:
            self.send("A", options)
        if data is not None:
            self.send("PA", options, data)
            self.seq += len(data)

    def reset(self):
        self.send("R")


def addresses(server):
    """What accept() and getpeername() say of the next connection."""
    conn, addr = server.accept()
    assert conn.getpeername()[:2] == addr[:2], (conn.getpeername(), addr)
    return conn, addr[:2]


class Receivers(Suite):
    """Each case once with each receiver that the kernel can have."""

    def main(self, argv):
        failed = ran = 0
        for kind in RECEIVERS:
            try:
                receiver = kind()
            except Unavailable as e:
                print("# no %s on this kernel: %s" % (kind.name, e),
                      flush=True)
                continue
            receiver.stop()
            bench = Bench(receiver)
            receiver.start(ALLOW)
            for label, function, args in self.cases:
                name = "%s/%s-%s" % (self.name, receiver.name, label)
                if argv[1:] and not any(a in name for a in argv[1:]):
                    continue
                try:
                    bench.begin()
                    function(bench, *args)
                    print("ok " + name, flush=True)
                    ran += 1
                except (AssertionError, OSError, KeyError, IndexError,
                        ValueError, AttributeError) as e:
                    failed += 1
                    where = e.__traceback__
                    while where.tb_next:
                        where = where.tb_next
                    print("not ok %s: %s: %s (line %d)" % (
                        name, type(e).__name__, e, where.tb_lineno),
                        flush=True)
            receiver.stop()
            bench.clean()
        if not ran and not failed:
            print("SKIPPED: neither receiver works on this kernel")
            return 77
        return 1 if failed else 0


suite = Receivers("receiver")
MAPPED4 = "::ffff:" + CLIENT4
# (IPv6 socket, IPv6 packets, option, what the server is told)
SHAPES = [(False, False, option(CLIENT4), CLIENT4),
          (True, False, option(CLIENT4), MAPPED4),
          (True, True, option(CLIENT6), CLIENT6),
          (True, True, option(CLIENT6, kind=253), CLIENT6),
          (True, False, option(CLIENT6), CLIENT6),
          (True, True, option(CLIENT4), MAPPED4)]
CASES = [(i,) for i in range(len(SHAPES))]


@suite.case(*CASES)
def on_the_ack(b, i):
    v6_socket, v6, opts, want = SHAPES[i]
    server = b.listen(v6_socket)
    Client(b, server, v6).connect(opts)
    conn, addr = addresses(server)
    assert addr == (want, CPORT), addr
    # The own name is what it was
    assert conn.getsockname()[1] == server.getsockname()[1]
    assert b.counter("believed") == 1
    assert b.counter("delivered") >= 2


@suite.case(*CASES)
def on_the_data_when_the_ack_was_lost(b, i):
    v6_socket, v6, opts, want = SHAPES[i]
    server = b.listen(v6_socket)
    Client(b, server, v6).connect(opts, data=b"hello", ack=False)
    conn, addr = addresses(server)
    assert addr == (want, CPORT), addr
    conn.settimeout(5)
    assert conn.recv(100) == b"hello"


@suite.case(*CASES)
def with_deferred_accept(b, i):
    """The bare ACK is ignored; the data make the connection."""
    v6_socket, v6, opts, want = SHAPES[i]
    server = b.listen(v6_socket, defer=5)
    Client(b, server, v6).connect(opts, data=b"hello")
    conn, addr = addresses(server)
    assert addr == (want, CPORT), addr


@suite.case(*CASES)
def with_syn_cookies(b, i):
    """Nothing is left of the SYN."""
    v6_socket, v6, opts, want = SHAPES[i]
    syncookies("srv", 2)
    server = b.listen(v6_socket)
    Client(b, server, v6).connect(opts, syn=opts)
    conn, addr = addresses(server)
    assert addr == (want, CPORT), addr


@suite.case()
def an_ipv6_client_of_an_ipv4_socket(b):
    """Cannot be told; the peer stays what it is."""
    server = b.listen(False)
    client = Client(b, server, False)
    client.connect(option(CLIENT6))
    conn, addr = addresses(server)
    assert addr == (BAL4, client.sport), addr
    assert b.counter("other-family") >= 1
    if b.receiver.name == "module":
        answer = conn.getsockopt(0, 4096, 20)
        assert answer[:18] == socket.inet_pton(socket.AF_INET6, CLIENT6) + \
            struct.pack("!H", CPORT), answer.hex()


@suite.case()
def the_untranslated_peer(b):
    """Stays readable: by ss(8), and by a socket option of the module."""
    server = b.listen(False)
    client = Client(b, server, False)
    client.connect(option(CLIENT4))
    conn, addr = addresses(server)
    assert addr == (CLIENT4, CPORT)
    seen = run("nsenter", "--net=/run/netns/srv", "ss", "-Htn")
    assert "%s:%d" % (BAL4, client.sport) in seen, seen
    if b.receiver.name == "module":
        answer = conn.getsockopt(0, 4097, 28)
        assert struct.unpack_from("!H", answer, 2)[0] == client.sport
        assert answer[8:24] == socket.inet_pton(socket.AF_INET6,
                                                "::ffff:" + BAL4)
        listed = run("nsenter", "--net=/run/netns/srv", "cat",
                     "/proc/net/nflb_toa/connections")
        assert "%s:%d -> %s:%d client %s:%d\n" % (
            BAL4, client.sport, SRV4, server.getsockname()[1], CLIENT4,
            CPORT) in listed, listed
        conn.close()
        client.reset()


@suite.case((False,), (True,))
def a_sender_that_is_not_on_the_list(b, v6):
    server = b.listen(True)
    source = "2001:db8:5::3" if v6 else "10.5.0.3"
    client = Client(b, server, v6, source=source)
    client.connect(option(CLIENT4))
    conn, addr = addresses(server)
    assert addr == (source if v6 else "::ffff:" + source, client.sport), addr
    assert b.counter("refused-source") == 1


@suite.case((False,), (True,))
def an_empty_list_believes_nobody(b, v6):
    assert b.receiver.allow("")
    server = b.listen(True)
    client = Client(b, server, v6)
    client.connect(option(CLIENT4))
    conn, addr = addresses(server)
    assert addr[1] == client.sport, addr


@suite.case()
def the_list_can_change(b):
    server = b.listen(True)
    for text, believed in (("10.5.0.0/24", True), ("10.5.0.3", False),
                           ("10.5.0.3/31", True), ("2001:db8::/32", False),
                           ("0.0.0.0/0", True), ("10.5.0.2/32", True)):
        assert b.receiver.allow(text), text
        client = Client(b, server, False)
        client.connect(option(CLIENT4))
        conn, addr = addresses(server)
        assert addr == ((MAPPED4, CPORT) if believed else
                        ("::ffff:" + BAL4, client.sport)), (text, addr)
    before = b.receiver.allowed()
    for text in ("10.5.0.256", "10.5.0.0/33", "2001:db8::/129", "x",
                 "10.5.0.1,x", "10.5.0.0/", "10.5.0.0/-1"):
        assert not b.receiver.allow(text), text
    assert b.receiver.allowed() == before == "10.5.0.2/32"


# Beside the balancer's own option. Each pair is a layout, and what becomes of
# the balancer's: the rules of docs/toa-receivers.md. TCP itself may drop a
# segment with a signature or with options that make no sense; it depends on
# the kernel's version and configuration.
BELIEVED, DOUBTED, DOUBTED_OR_DROPPED = range(3)
BESIDE = [(b"", BELIEVED), (b"\1" * 4, BELIEVED), (b"\0" * 4, BELIEVED),
          (b"\0" + b"\xfe\x08\x12\x34\xcb\0\x71\1" + b"\0" * 3, BELIEVED),
          (b"\x63\4\1\2", BELIEVED), (b"\xc8\x08" + b"\5" * 6, BELIEVED),
          (b"\xfe\x08\x12\x34\xcb\0\x71\1", DOUBTED),
          (b"\1\1" + b"\xfe\x08\x12\x34\xcb\0\x71\1" + b"\1\1", DOUBTED),
          (b"\xfe\x14" + b"\x22" * 18, DOUBTED),
          (b"\xfd\x14" + b"\x22" * 18, DOUBTED),
          (b"\xfe\4\xf9\x89", DOUBTED), (b"\xfd\2\1\1", DOUBTED),
          (b"\x13\x12" + b"\5" * 16 + b"\1\1", DOUBTED_OR_DROPPED),
          (b"\x13\2\1\1", DOUBTED_OR_DROPPED),
          (b"\x1d\4\1\1", DOUBTED_OR_DROPPED),
          (b"\x1d\x10" + b"\5" * 14, DOUBTED_OR_DROPPED),
          (b"\1\1\1\x08", DOUBTED_OR_DROPPED),
          (b"\x08\0\1\1", DOUBTED_OR_DROPPED),
          (b"\x08\1\1\1", DOUBTED_OR_DROPPED),
          (b"\x08\x0a\1\1", DOUBTED_OR_DROPPED),
          (b"\xfe\xff\1\1", DOUBTED_OR_DROPPED)]


def raw_ack(client, raw):
    client.bench.port.send(
        (sc.IPv6(src=client.source, dst=SRV6) if client.v6 else
         sc.IP(src=client.source, dst=SRV4)) / sc.TCP(
             sport=client.sport, dport=client.dport, flags="A",
             seq=client.seq, ack=client.ack, dataofs=5 + len(raw) // 4) /
        sc.Raw(raw))


@suite.case((False,), (True,))
def beside_other_options(b, v6):
    """Nothing that leaves a doubt is believed, on either side of the option."""
    server = b.listen(True)
    own = b"\xfe\x08" + struct.pack("!H", CPORT) + socket.inet_aton(CLIENT4)
    doubts = drops = 0
    for other, fate in BESIDE:
        for raw in (own + other, other + own):
            # What ends the list hides what is behind it.
            hidden = raw != own + other and other[:1] == b"\0"
            client = Client(b, server, v6)
            client.syn()
            raw_ack(client, raw)
            dropped = 0
            if fate == DOUBTED_OR_DROPPED and \
                    not select.select([server], [], [], 2)[0]:
                # The segment that makes the connection then is another, and
                # nothing is known from the one that was dropped.
                dropped = 1
                print("# dropped by TCP: " + raw.hex(), flush=True)
                client.send("A")
            try:
                conn, addr = addresses(server)
            except TimeoutError:
                raise AssertionError("no connection: " + raw.hex()) from None
            peer = BAL6 if v6 else "::ffff:" + BAL4
            want = (MAPPED4, CPORT) if fate == BELIEVED and not hidden else \
                (peer, client.sport)
            assert addr == want, (raw.hex(), addr)
            doubts += fate != BELIEVED and not dropped
            drops += dropped
            client.reset()
            conn.close()
    counted = b.counter("ambiguous") + b.counter("malformed")
    # A receiver may have seen a segment that TCP dropped after it
    assert doubts <= counted <= doubts + drops, (counted, doubts, drops)
    # Behind others
    Client(b, server, False).connect(TIMESTAMP + option(CLIENT4))
    assert addresses(server)[1] == (MAPPED4, CPORT)


@suite.case()
def a_port_that_looks_like_a_timestamp(b):
    server = b.listen(False)
    for port in (0x080a, 0x0800, 0x08ff):
        client = Client(b, server, False)
        client.connect(option(CLIENT4, port) + [("NOP", None)] * 4)
        conn, addr = addresses(server)
        assert addr == (CLIENT4, port), addr


@suite.case()
def what_cannot_be_true(b):
    server = b.listen(True)
    bad = [option("0.0.0.0"), option("224.0.0.1"), option("255.255.255.255"),
           option("::"), option("ff02::1"), option(CLIENT4, 0)]
    for opts in bad:
        client = Client(b, server, False)
        client.connect(opts)
        conn, addr = addresses(server)
        assert addr == ("::ffff:" + BAL4, client.sport), (opts, addr)
    assert b.counter("malformed") == len(bad)


@suite.case()
def broken_options(b):
    """Lengths of 0, 1, and past the end: nothing is believed, nothing hangs."""
    server = b.listen(False)
    for raw in (b"\xfe\x00\x00\x00", b"\xfe\x01\x00\x00", b"\xfe\x08\x12\x34",
                b"\x01\x01\x01\xfe", b"\x08\x00\xfe\x08\x12\x34\1\2\3\4\0\0",
                b"\xfe\x14" + b"\x11" * 10):
        client = Client(b, server, False)
        client.syn()
        p = sc.IP(src=BAL4, dst=SRV4) / sc.TCP(
            sport=client.sport, dport=client.dport, flags="A", seq=client.seq,
            ack=client.ack, dataofs=5 + len(raw) // 4) / sc.Raw(raw)
        b.port.send(p)
        conn, addr = addresses(server)
        assert addr == (BAL4, client.sport), (raw, addr)


@suite.case()
def a_port_that_is_used_again(b):
    """A connection without an option does not inherit one."""
    server = b.listen(False)
    for i in range(4):
        client = Client(b, server, False, sport=15000)
        client.seq = 1000 + i * 100000
        client.connect(option("198.51.100.%d" % i) if i % 2 == 0 else ())
        conn, addr = addresses(server)
        want = ("198.51.100.%d" % i, CPORT) if i % 2 == 0 and i else \
            (BAL4, 15000)
        assert addr == (want if i else ("198.51.100.0", CPORT)), (i, addr)
        client.reset()
        conn.close()


@suite.case()
def stopped_with_sockets_open(b):
    server = b.listen(False)
    client = Client(b, server, False)
    client.connect(option(CLIENT4))
    conn, addr = addresses(server)
    assert addr == (CLIENT4, CPORT)
    b.receiver.stop()
    assert conn.getpeername() == (BAL4, client.sport)
    client.send("PA", (), b"still here")
    conn.settimeout(5)
    assert conn.recv(100) == b"still here"
    # And on again: what is not known stays untranslated
    b.receiver.start(ALLOW)
    assert conn.getpeername() == (BAL4, client.sport)
    client.reset()


@suite.case()
def stopped_under_traffic(b):
    """On and off while connections come and servers ask."""
    server = b.listen(False)
    stop = threading.Event()
    seen = set()

    def serve():
        while not stop.is_set():
            try:
                conn, addr = server.accept()
            except OSError:
                continue
            for _ in range(20):
                try:
                    seen.add(conn.getpeername()[0])
                except OSError:
                    break
            conn.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        for i in range(60):
            Client(b, server, False).connect(option(CLIENT4))
            if i % 10 == 3:
                b.receiver.stop()
            if i % 10 == 7:
                b.receiver.start(ALLOW)
        if not b.receiver.running:
            b.receiver.start(ALLOW)
    finally:
        stop.set()
        thread.join()
    assert seen == {CLIENT4, BAL4}, seen


@suite.case()
def a_namespace_that_goes(b):
    server = b.listen(False)
    held = []
    for _ in range(10):
        Client(b, server, False).connect(option(CLIENT4))
        held.append(addresses(server)[0])
    run("ip", "netns", "del", "srv")
    for conn in held:
        conn.close()
    server.close()


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
