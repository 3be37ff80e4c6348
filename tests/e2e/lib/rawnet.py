# SPDX-License-Identifier: GPL-2.0
"""A balancer between hosts that have no stack.

    cl(c0) --- (l0)lb(l1) --- rs1(r0)
                     (l2) --- rs2(r0)

Only lb has addresses. The client and the backends are packet sockets, so a
test sends exactly the bytes it means and sees exactly the bytes that arrive,
with the kernel's own account of them: PACKET_VNET_HDR tells whether a checksum
was left to the device and whether the packet is a GSO one, and lets a test send
such packets. Neighbours are permanent.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import time

import layers as sc

# Packet sockets send UDP GSO since Linux 6.2
UDP_GSO = [int(n) for n in os.uname().release.split(".")[:2]] >= [6, 2]

LBADM = os.environ.get("LBADM", "lbadm")
CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
VNET = struct.Struct("=BBHHHH")
NEEDS_CSUM, GSO_NONE, GSO_TCPV4, GSO_UDP_L4, GSO_TCPV6 = 1, 0, 1, 5, 4
ETH = 14
# An ethertype for experiments: of frames that mark a moment
MARKER = 0x88b5
# Where packets cannot overtake each other
ONE_CPU = os.cpu_count() == 1

libc = ctypes.CDLL(None, use_errno=True)
HOSTS = "cl", "lb", "rs1", "rs2"


def run(*args, check=True, **kw):
    """Run a command; its standard output."""
    r = subprocess.run([str(a) for a in args], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    if check and r.returncode:
        raise AssertionError("%s: exit %d: %s" % (
            " ".join(map(str, args)), r.returncode, r.stderr.strip()))
    return r.stdout


def ip(lines, ns=None):
    """Commands of ip, one after the other: starting it for each takes longer."""
    run("ip", *(["-n", ns] if ns else []), "-batch", "-",
        input="\n".join(lines) + "\n")


@contextlib.contextmanager
def netns(name):
    """The calling thread is in that namespace meanwhile."""
    with open("/proc/thread-self/ns/net") as old, \
         open("/run/netns/" + name) as new:
        if libc.setns(new.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + name)
        try:
            yield
        finally:
            libc.setns(old.fileno(), CLONE_NEWNET)


def sysctl(ns, key, value=None):
    """Set a sysctl of a namespace; returns what it was."""
    path = "/proc/sys/" + key.replace(".", "/")
    with netns(ns):
        with open(path) as f:
            old = f.read().strip()
        if value is not None:
            with open(path, "w") as f:
                f.write(str(value))
    return old


def mac_of(ns, dev):
    """SIOCGIFHWADDR"""
    with netns(ns), socket.socket() as s:
        data = fcntl.ioctl(s, 0x8927, struct.pack("256s", dev.encode()))
    return ":".join("%02x" % b for b in data[18:24])


class Family:
    """Addresses of either family, so that a case is written once."""

    def __init__(self, name, ip, vip, client, backends, lb, prefix):
        self.name, self.ip, self.vip, self.client = name, ip, vip, client
        self.backends, self.lb, self.prefix = backends, lb, prefix
        self.v6 = name == "v6"
        self.ethertype = 0x86dd if self.v6 else 0x0800

    def packet(self, src, dst, ttl=64, **kw):
        if self.v6:
            return sc.IPv6(src=src, dst=dst, hlim=ttl, **kw)
        return sc.IP(src=src, dst=dst, ttl=ttl, **kw)

    def at(self, addr, port):
        return ("[%s]:%s" if self.v6 else "%s:%s") % (addr, port)

    def __repr__(self):
        return self.name


V4 = Family("v4", sc.IP, "192.0.2.10", "10.1.0.2", ["10.2.1.2", "10.2.2.2"],
            ["10.1.0.1", "10.2.1.1", "10.2.2.1"], 24)
V6 = Family("v6", sc.IPv6, "2001:db8::10", "2001:db8:1::2",
            ["2001:db8:21::2", "2001:db8:22::2"],
            ["2001:db8:1::1", "2001:db8:21::1", "2001:db8:22::1"], 64)
FAMILIES = [V4, V6]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


class Frame:
    """What arrived: bytes, and what the kernel says of them."""

    def __init__(self, data, vnet=(0,) * 6):
        self.data = data
        self.flags, self.gso, _, self.gso_size, self.start, self.off = vnet
        self.ip = bytes(data[ETH:])
        self.partial = bool(self.flags & NEEDS_CSUM)

    @property
    def v6(self):
        return self.ip[0] >> 4 == 6

    def parse(self):
        return sc.IPv6(self.ip) if self.v6 else sc.IP(self.ip)

    def l4(self):
        """(protocol, offset within the IP packet)"""
        if not self.v6:
            return self.ip[9], (self.ip[0] & 15) * 4
        proto, off = self.ip[6], 40
        while proto in (0, 43, 60):
            proto, off = self.ip[off], off + (self.ip[off + 1] + 1) * 8
        return proto, off

    def pseudo(self, length, proto):
        if self.v6:
            return self.ip[8:40] + struct.pack("!II", length, proto)
        return self.ip[12:20] + struct.pack("!BBH", 0, proto, length)

    def check(self):
        """Lengths and all checksums are right; raises AssertionError."""
        if self.v6:
            size = 40 + struct.unpack_from("!H", self.ip, 4)[0]
        else:
            size = struct.unpack_from("!H", self.ip, 2)[0]
            ihl = (self.ip[0] & 15) * 4
            assert checksum(self.ip[:ihl]) == 0xffff, "IP header checksum"
        assert size == len(self.ip), "IP length %d, frame has %d" % (
            size, len(self.ip))
        proto, off = self.l4()
        at = {6: 16, 17: 6, 58: 2, 1: 2}.get(proto)
        if at is None or self.fragment():
            return self
        length = len(self.ip) - off
        field = struct.unpack_from("!H", self.ip, off + at)[0]
        if proto == 17 and not field and not self.partial:
            assert not self.v6, "no UDP checksum in IPv6"
            return self
        pseudo = b"" if proto == 1 else self.pseudo(length, proto)
        if self.partial:
            assert field == checksum(pseudo), \
                "partial checksum %04x, pseudo header has %04x" % (
                    field, checksum(pseudo))
            assert self.off == at and self.start == ETH + off
        else:
            assert checksum(pseudo + self.ip[off:]) == 0xffff, \
                "checksum of protocol %d" % proto
        return self

    def fragment(self):
        if self.v6:
            return self.ip[6] == 44
        return bool(struct.unpack_from("!H", self.ip, 6)[0] & 0x3fff)


class Port:
    """A packet socket on the only device of a host without a stack."""

    # Of the topology
    all = []
    marks = 0

    def __init__(self, ns, dev, peer_ns, peer_dev):
        self.name, self.far = ns, (peer_ns, peer_dev)
        self.far_sock = None
        Port.all.append(self)
        with netns(ns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                      socket.htons(3))
            self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self.sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
            self.sock.bind((dev, 3))
        self.mac = mac_of(ns, dev)
        self.peer_mac = mac_of(peer_ns, peer_dev)

    def send(self, packet, how="full", mss=1000, dst=None, pad=b"",
             ethertype=None, vlan=None):
        """Send an IP packet: "full" checksum, "partial", or "gso"."""
        data = bytes(packet)
        if ethertype is None:
            ethertype = 0x86dd if data[0] >> 4 == 6 else 0x0800
        frame = Frame(bytes(ETH) + data)
        vnet = [0] * 6
        if how != "full":
            proto, off = frame.l4()
            at = {6: 16, 17: 6}[proto]
            pseudo = checksum(frame.pseudo(len(data) - off, proto))
            data = (data[:off + at] + struct.pack("!H", pseudo) +
                    data[off + at + 2:])
            vnet = [NEEDS_CSUM, 0, 0, 0, ETH + off, at]
            if how == "gso":
                header = off + (data[off + 12] >> 4) * 4 if proto == 6 \
                    else off + 8
                kind = GSO_UDP_L4 if proto == 17 else (
                    GSO_TCPV6 if frame.v6 else GSO_TCPV4)
                vnet[1:4] = [kind, ETH + header, mss]
        tag = struct.pack("!HH", 0x8100, vlan) if vlan is not None else b""
        eth = (bytes.fromhex((dst or self.peer_mac).replace(":", "")) +
               bytes.fromhex(self.mac.replace(":", "")) + tag +
               struct.pack("!H", ethertype))
        self.sock.send(VNET.pack(*vnet) + eth + data + pad)

    def flush(self):
        while self.receive(0):
            pass

    def close_far(self):
        """That socket would keep the namespace."""
        if self.far_sock:
            self.far_sock.close()
        self.far_sock = None

    def mark_up(self, mark):
        """What was sent here before is through the balancer. False: nobody knows."""
        if not self.far_sock:
            ns, dev = self.far
            with netns(ns):
                self.far_sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                self.far_sock.bind((dev, MARKER))
        self.sock.send(VNET.pack(*[0] * 6) + bytes.fromhex(
            (self.peer_mac + self.mac).replace(":", "")) + mark)
        while select.select([self.far_sock], [], [], 0.3)[0]:
            if self.far_sock.recv(100)[12:] == mark:
                return True
        return False

    def mark_down(self, mark):
        """Arrives behind what the balancer sent to this port before."""
        self.far_sock.send(bytes.fromhex((self.mac + self.peer_mac).replace(":", "")) + mark)

    def arrived(self):
        """The next frame of what is under way, None if that is not for this port."""
        return arrived([self])[1]

    def receive(self, timeout=3.0, mark=None):
        """The next IPv4 or IPv6 frame that is not neighbour discovery, and comes before
        that mark."""
        end = time.monotonic() + timeout
        while True:
            left = max(0, end - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                return None
            data = self.sock.recv(1 << 17)
            frame = Frame(data[VNET.size:], VNET.unpack_from(data))
            kind, = struct.unpack_from("!H", frame.data, 12)
            if mark and frame.data[12:] == mark:
                return None
            if kind == 0x0800 and len(frame.ip) >= 20:
                return frame
            if kind == 0x86dd and len(frame.ip) >= 40 and \
               frame.ip[8] not in (0, 0xfe) and frame.ip[24] != 0xff:
                return frame

    def expect(self, timeout=3.0):
        frame = self.receive(timeout)
        assert frame, "nothing arrived at " + self.name
        return frame.check()


def marked(ports, mark):
    """Send marks behind what is under way. False: some got lost."""
    try:
        if not all([port.mark_up(mark) for port in Port.all]):
            return False
        for port in ports:
            port.mark_down(mark)
    except OSError:     # a device that is down
        return False
    return True


def arrived(ports, patience=0.3):
    """(index of a port, frame) of the next frame of what is under way to one of these
    ports; (None, None) if there is none.

    On one processor, packets are handled in the order in which they were sent. So frames
    that mark the end are sent after them: from each port to the balancer, and then from
    there to these ports. Otherwise, or if marks get lost, it takes a moment."""
    for i, port in enumerate(ports):
        if frame := port.receive(0):
            return i, frame
    Port.marks += 1
    mark = struct.pack("!HQ", MARKER, Port.marks)
    if ONE_CPU and marked(ports, mark):
        for i, port in enumerate(ports):
            if frame := port.receive(patience, mark):
                return i, frame
        return None, None
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0:
        select.select([port.sock for port in ports], [], [], left)
        for i, port in enumerate(ports):
            if frame := port.receive(0):
                return i, frame
    return None, None


class Net:
    """The topology; one at a time."""

    def __init__(self, offload="default"):
        self.offload = offload
        self.clean()
        links = [(i, ns, dev) for i, (ns, dev) in enumerate(
            (("cl", "c0"), ("rs1", "r0"), ("rs2", "r0")))]
        ip(["netns add " + ns for ns in HOSTS] +
           ["link add l%d netns lb type veth peer name %s netns %s" % (i, dev, ns)
            for i, ns, dev in links])
        for i, ns, dev in links:
            self.prepare(ns, dev)
            self.prepare("lb", "l%d" % i)
            ip(["link set lo up", "link set %s up" % dev], ns)
        ip(["link set lo up"] + [
            "addr add %s/%d dev l%d%s" % (f.lb[i], f.prefix, i,
                                          " nodad" if f.v6 else "")
            for i, _, _ in links for f in FAMILIES] + [
                "link set l%d up" % i for i, _, _ in links], "lb")
        self.settle()
        self.cl = Port("cl", "c0", "lb", "l0")
        self.rs = [Port("rs1", "r0", "lb", "l1"), Port("rs2", "r0", "lb", "l2")]
        ip([self.NEIGHBOUR % (host, port.mac, "l%d" % i)
            for f in FAMILIES for i, (host, port) in enumerate(
                zip([f.client] + f.backends, [self.cl, *self.rs]))], "lb")

    def prepare(self, ns, dev):
        """Before it is up: no stack, so no autoconfiguration; and offloads."""
        sysctl(ns, "net.ipv6.conf.%s.accept_dad" % dev, 0)
        sysctl(ns, "net.ipv6.conf.%s.addr_gen_mode" % dev, 1)
        if self.offload in ("fast", "xdp") and ns == "lb":
            self.lbadm("device", "add", dev, *(["xdp"] if self.offload == "xdp" else []))
        elif self.offload not in ("default", "fast"):
            merges = ns == "lb" if self.offload == "gro" else self.offload == "xdp"
            with netns(ns):
                run("ethtool", "-K", dev, "tx", "off", "tso", "off", "gso",
                    "off", "gro", "on" if merges else "off")

    def settle(self):
        """A device that is up says so some time later, and routes that were
        looked up before are looked up again then."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            links = json.loads(run("ip", "-n", "lb", "-j", "link", "show",
                                   "type", "veth"))
            if all(link["operstate"] == "UP" for link in links):
                return
            time.sleep(0.05)
        raise AssertionError("the links do not come up: %s" % links)

    NEIGHBOUR = "neigh replace %s lladdr %s dev %s nud permanent"

    def neighbour(self, addr, mac, dev):
        ip([self.NEIGHBOUR % (addr, mac, dev)], "lb")

    def clean(self):
        for port in Port.all:
            port.close_far()
        Port.all.clear()
        old = [ns for ns in HOSTS if os.path.exists("/run/netns/" + ns)]
        if old:
            ip(["netns del " + ns for ns in old])

    def lbadm(self, *args, check=True):
        return run(LBADM, "-n", "lb", *args, check=check)

    def service(self, f, proto="tcp", port="80", backends=1, *words):
        """A service whose backends listen on 8080."""
        name = "%s %s" % (proto, f.at(f.vip, port))
        self.batch([" ".join(["service add", name, *map(str, words)])] + [
            "backend add %s %s" % (name, f.at(b, 8080))
            for b in f.backends[:backends]])

    def batch(self, lines):
        """Commands of lbadm, one after the other."""
        return run(LBADM, "-n", "lb", "-b", "-", input="\n".join(lines) + "\n")

    def flush(self):
        self.batch(["connection flush"] + [
            "service del %s %s:%s" % (
                s["protocol"], "[%s]" % s["address"] if ":" in s["address"]
                else s["address"], s["port"])
            for s in json.loads(self.lbadm("-j", "service", "show"))])
        for port in (self.cl, *self.rs):
            port.flush()

    def drops(self):
        return json.loads(self.lbadm("-j", "stats", "show"))["drops"]

    def connections(self):
        return json.loads(self.lbadm("-j", "connection", "show"))


@contextlib.contextmanager
def monitored(net, *what):
    """A running `lbadm -j monitor`, as a function that reads its next event."""
    with netns("lb"):
        process = subprocess.Popen([LBADM, "-j", "monitor", *what],
                                   stdout=subprocess.PIPE, text=True)

    def mark(addr):
        net.lbadm("laddr", "add", addr)
        net.lbadm("laddr", "del", addr)

    def event():
        line = process.stdout.readline()
        assert line, "the monitor ended"
        return json.loads(line)

    try:
        # It takes a moment until it listens; nothing of that is the caller's.
        end = time.monotonic() + 10
        while not select.select([process.stdout], [], [], 0.05)[0]:
            assert time.monotonic() < end, "the monitor says nothing"
            mark("10.99.0.1")
        mark("10.99.0.2")
        while not (e := event())["event"] == "laddr-del" or "10.99.0.2" not in str(e):
            pass
        yield event
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def counted(net, reason, at_least=1):
    """What happens inside is counted as dropped for that reason."""
    before = net.drops()[reason]
    yield
    after = net.drops()[reason]
    assert after - before >= at_least, "drops %s: %d before, %d after" % (
        reason, before, after)


def translated(packet, f, **changes):
    """The bytes of a packet after changes, one hop less, checksums anew."""
    p = packet.copy()
    if f.v6:
        p.hlim -= 1
    else:
        p.ttl -= 1
        del p.chksum
    l4 = p.getlayer(sc.TCP) or p.getlayer(sc.UDP)
    for field, value in changes.items():
        setattr(l4 if field in ("sport", "dport") else p, field, value)
    if l4 is not None and not (isinstance(l4, sc.UDP) and l4.chksum == 0):
        del l4.chksum
    return bytes(p)


class Suite:
    """Cases by name; prints a line for each, as TAP has it."""

    def __init__(self, name):
        self.name, self.cases = name, []

    def case(self, *params):
        def add(function):
            name = function.__name__.replace("_", "-")
            for p in params or [None]:
                label = name if p is None else "%s-%s" % (name, "-".join(
                    str(x) for x in (p if isinstance(p, tuple) else (p,))))
                args = () if p is None else (
                    p if isinstance(p, tuple) else (p,))
                self.cases.append((label, function, args))
            return function
        return add

    def main(self, argv):
        offload = os.environ.get("NFLB_OFFLOAD", "default")
        net = Net(offload)
        failed = ran = 0
        for label, function, args in self.cases:
            if argv[1:] and not any(label.startswith(a) for a in argv[1:]):
                continue
            ran += 1
            start = time.monotonic()
            try:
                net.flush()
                function(net, *args)
                print("ok %s/%s\n# took %.1f s" % (
                    self.name, label, time.monotonic() - start), flush=True)
            except (AssertionError, OSError, KeyError, IndexError,
                    ValueError, AttributeError) as e:
                failed += 1
                where = e.__traceback__
                while where.tb_next:
                    where = where.tb_next
                print("not ok %s/%s: %s: %s (line %d)" % (
                    self.name, label, type(e).__name__, e,
                    where.tb_lineno), flush=True)
                print("# drops: %s" % {k: v for k, v in net.drops().items()
                                       if v}, flush=True)
        net.clean()
        if not ran:
            print("not ok %s: no case of that name" % self.name)
        return 1 if failed or not ran else 0
