#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Probes, asked for over netlink, in the balancer's namespace (99-probe.sh):

probe.py modes            dnat and fullnat
probe.py dsr ENCAP FAMILY dsr; the backends are ready for it
probe.py refused          requests that are refused, and forged packets
probe.py over             what becomes of packets when a probe is over
probe.py flood            as many as there may be, which stay
probe.py count            print how many there are
"""

import errno
import os
import socket
import struct
import subprocess
import sys
import time

LBADM = os.environ["LBADM"]
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../user"))
from netlink_attributes import N, a, attr, attributes  # noqa: E402
from netlink_socket import DUMP, Netlink  # noqa: E402

SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
PROBE = 1
MAX = 32768
VIP = {4: os.environ["VIP4"], 6: os.environ["VIP6"]}


NL = Netlink()


def service(family, proto, port):
    return a("A_SERVICE", [a("A_SERVICE_PROTOCOL", proto),
                           a("A_SERVICE_ADDRESS", VIP[family]),
                           a("A_SERVICE_PORT", port)])


def backend(address, number):
    return a("A_BACKEND", [a("A_BACKEND_ADDRESS", address), a("A_BACKEND_ID", number)])


def conn(source, port, *more):
    return a("A_CONN", [a("A_CONN_CLIENT_ADDRESS", source), a("A_CONN_CLIENT_PORT", port),
                        *more])


def flags(what=PROBE):
    return a("A_CONN_FLAGS", what)


def nested(answer, name):
    return {k: p for k, _, p in attributes(answer[N[name]])}


def ids(family, proto, port):
    """Address of each backend -> its id"""
    error, text, answers = NL.nflb("BACKEND_GET", service(family, proto, port), flags=DUMP)
    assert not error, text
    found = {}
    for answer in answers:
        of = nested(answer, "A_BACKEND")
        found[of[N["A_BACKEND_ADDRESS"]]] = struct.unpack("=I", of[N["A_BACKEND_ID"]])[0]
    return found


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def source_of(family, n=1):
    """An address of the balancer on the link to a backend"""
    return "10.0.1%d.1" % n if family == 4 else "2001:db8:1%d::1" % n


def backend_of(family, n, net=1):
    return "10.0.%d%d.2" % (net, n) if family == 4 else "2001:db8:%d%d::2" % (net, n)


def at(family, port):
    return "%s:%d" % (VIP[4], port) if family == 4 else "[%s]:%d" % (VIP[6], port)


def lb(*lines):
    """Commands, in one batch"""
    done = subprocess.run([LBADM, "-b", "-"], input="\n".join(lines) + "\n", text=True,
                          capture_output=True, check=False)
    assert not done.returncode, (lines, done.stderr)


PORTS = {"tcp": 80, "udp": 5353}
PROTOS = {"tcp": TCP, "udp": UDP}


def configure(family, words, net=1, protos=("tcp", "udp")):
    """One backend that is down, one that drains, one that is unhealthy"""
    lines = []
    for proto in protos:
        what = "%s %s" % (proto, at(family, PORTS[proto]))
        lines += ["service add %s %s" % (what, words if proto == "tcp" else
                                         words.replace(" toa on", "")),
                  "backend add %s %s state down" % (what, backend_of(family, 1, net)),
                  "backend add %s %s state drain" % (what, backend_of(family, 2, net)),
                  "backend add %s %s" % (what, backend_of(family, 3, net)),
                  "health force %s %s down" % (what, backend_of(family, 3, net))]
    lb(*lines)
    # With time, the one that drains is drained: so it has no connections.
    end = time.monotonic() + 60
    while observed().count("condition drained") < len(protos):
        assert time.monotonic() < end, observed()
        time.sleep(0.1)


def deconfigure(family, protos=("tcp", "udp")):
    lb(*["service del %s %s" % (proto, at(family, PORTS[proto])) for proto in protos])


def bound(family, proto, source, port=0):
    sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                         socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(30)
    sock.bind((source, port))
    return sock, sock.getsockname()[1]


def add(family, proto, source, port, address, number, *more):
    return NL.nflb("CONN_ADD", service(family, PROTOS[proto], PORTS[proto]),
                   backend(address, number), conn(source, port, flags(), *more))


def delete(family, proto, source, port):
    return NL.nflb("CONN_DEL", service(family, PROTOS[proto], PORTS[proto]),
                   conn(source, port))


def ask(family, proto, sock):
    sock.connect((VIP[family], PORTS[proto]))
    if proto == "udp":
        sock.send(b"question")
        return sock.recv(4096)
    sock.send(b"GET /client HTTP/1.0\r\n\r\n")
    data = b""
    while True:
        more = sock.recv(4096)
        if not more:
            return data.split(b"\r\n\r\n", 1)[1]
        data += more


def observed():
    """All that is counted"""
    text = ""
    for name in ("services", "connections", "stats"):
        with open("/proc/net/nflb/" + name, encoding="ascii") as file:
            text += file.read()
    return text


def check(family, proto, n, net, numbers, where, wanted):
    address, source = backend_of(family, n, net), source_of(family, n)
    sock, port = bound(family, proto, source)
    number = numbers[packed(address)]
    error, text, _ = add(family, proto, source, port, address, number)
    assert not error, (where, error, text)
    assert add(family, proto, source, port, address, number)[0] == errno.EEXIST, where
    answer = ask(family, proto, sock)
    assert answer.startswith(b"rs%d " % n), (where, n, answer)
    wanted(family, proto, source, port, answer)
    error, text, answers = delete(family, proto, source, port)
    assert not error and len(answers) == 1, (where, error, text)
    what, whose = nested(answers[0], "A_CONN"), nested(answers[0], "A_BACKEND")
    assert what[N["A_CONN_FLAGS"]] == struct.pack("=I", PROBE), (where, what)
    assert what[N["A_CONN_CLIENT_PORT"]] == struct.pack("!H", port), (where, what)
    assert what[N["A_CONN_BACKEND_ADDRESS"]] == packed(address), (where, what)
    assert whose[N["A_BACKEND_ID"]] == struct.pack("=I", number), (where, whose)
    assert delete(family, proto, source, port)[:2] == (
        errno.ENOENT, "there is no such probe"), where
    sock.close()


def checks(where, family, net=1, protos=("tcp", "udp"), wanted=lambda *_: None):
    """A probe of each backend, which answers it, and nobody sees anything of it"""
    numbers = {proto: ids(family, PROTOS[proto], PORTS[proto]) for proto in protos}
    listener = Netlink()
    assert not listener.nflb("CONN_LISTEN")[0]
    listener.sock.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, listener.groups["config"])
    before = observed()
    for proto in protos:
        for n in (1, 2, 3):
            check(family, proto, n, net, numbers[proto], (where, proto), wanted)
    after = observed()
    assert before == after, "%s: before:\n%s\nafter:\n%s" % (where, before, after)
    listener.sock.setblocking(False)
    try:
        raise AssertionError((where, "an event", listener.sock.recv(65536)))
    except BlockingIOError:
        pass
    listener.sock.close()
    print("ok", *where)


def vip_is_local(family, local):
    subprocess.run(["ip", "addr", "replace" if local else "del",
                    VIP[family] + ("/32" if family == 4 else "/128"), "dev", "lo"],
                   check=local, capture_output=True)


def rp_filter(value):
    with open("/proc/sys/net/ipv4/conf/all/rp_filter", "w", encoding="ascii") as file:
        file.write(str(value))


def sees_proxy(family, proto, source, port, answer):
    """The header of PROXY protocol tells the probe's own address."""
    assert proto == "udp"
    header = answer[len("rs1 "):]
    size = 4 if family == 4 else 16
    assert header[:12] == b"\r\n\r\n\0\r\nQUIT\n", answer
    assert header[16:16 + size] == packed(source), answer
    at_port = 16 + 2 * size
    assert header[at_port:at_port + 2] == struct.pack("!H", port), answer


def sees_client(_family, proto, source, _port, answer):
    """In mode dnat, so does the packet."""
    if proto == "tcp":
        assert packed(answer.split()[1].decode()) == packed(source), answer


def modes():
    for family in (4, 6):
        for local in (True, False):
            vip_is_local(family, local)
            for words, protos, wanted in (
                    ("mode dnat", ("tcp", "udp"), sees_client),
                    ("mode fullnat toa on", ("tcp", "udp"), lambda *_: None),
                    ("mode fullnat proxy-protocol on", ("udp",), sees_proxy)):
                configure(family, words, protos=protos)
                # In mode fullnat, answers come by another link than the backend's.
                for rp in (0, 1, 2) if family == 4 and "dnat" in words else (0,):
                    rp_filter(rp)
                    checks((words, "IPv%d" % family, "VIP local" if local else "VIP remote",
                            "rp_filter %d" % rp), family, protos=protos, wanted=wanted)
                rp_filter(0)
                deconfigure(family, protos)
        vip_is_local(family, True)


def dsr(encap, family):
    net = 1 if encap == "none" else 2
    for local in (True, False):
        vip_is_local(family, local)
        configure(family, "mode dsr encap " + encap, net)
        # How the packet came to the backend has nothing to do with its answer.
        for rp in (0, 1, 2) if family == 4 and encap == "none" else (1,):
            rp_filter(rp)
            checks(("dsr", encap, "IPv%d" % family, "VIP local" if local else "VIP remote",
                    "rp_filter %d" % rp), family, net, wanted=sees_client)
        rp_filter(0)
        deconfigure(family)
    vip_is_local(family, True)


def assert_no_drops(where):
    """Of any service or backend: what has a probe's tuple counts by reason alone."""
    with open("/proc/net/nflb/services", encoding="ascii") as file:
        for line in file:
            words = line.split()
            assert "drops" not in words or words[words.index("drops") + 1] == "0", (
                where, line)


def reason(name):
    with open("/proc/net/nflb/stats", encoding="ascii") as file:
        for line in file:
            if line.split()[0] in (name, "drop-" + name):
                return int(line.split()[1])
    raise AssertionError("no counter " + name)


def forge(family, source, port):
    """Packets of the client's, which pretend to be a probe's"""
    udp = struct.pack("!HHHH", port, PORTS["udp"], 14, 0xffff) + b"forged"
    if family == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, UDP, 0,
                           packed(source), packed(VIP[4]))
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    else:
        head = struct.pack("!IHBB16s16s", 6 << 28, len(udp), UDP, 64, packed(source),
                           packed(VIP[6]))
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for _ in range(5):
        sock.sendto(head + udp, (VIP[family], 0))


def unprivileged(family, source):
    """What root without CAP_NET_ADMIN gets"""
    pid = os.fork()
    if not pid:
        os.setuid(65534)
        mine = Netlink()
        got = [mine.nflb(cmd, service(family, UDP, 5353), backend(backend_of(family, 1), 1),
                         conn(source, 4000, flags()))[0] for cmd in ("CONN_ADD", "CONN_DEL")]
        os._exit(0 if got == [errno.EPERM] * 2 else 1)
    assert os.waitpid(pid, 0)[1] == 0, "an unprivileged user's request was not refused"


def refused():
    for family in (4, 6):
        configure(family, "mode dnat")
        source, address = source_of(family), backend_of(family, 1)
        number = ids(family, UDP, 5353)[packed(address)]
        other = "203.0.113.1" if family == 4 else "2001:db8:ffff::1"
        one = [service(family, UDP, 5353), backend(address, number)]
        expect = attr(N["A_EXPECT_GENERATION"], struct.pack("=Q", 1))
        for wanted, attrs in (
                (errno.ESTALE, [one[0], backend(address, number + 100),
                                conn(source, 4000, flags())]),
                (errno.ENOENT, [one[0], backend(other, number), conn(source, 4000, flags())]),
                (errno.ENOENT, [service(family, UDP, 99), one[1],
                                conn(source, 4000, flags())]),
                (errno.EADDRNOTAVAIL, [*one, conn(other, 4000, flags())]),
                (errno.EINVAL, [*one, conn(source_of(10 - family), 4000, flags())]),
                (errno.EINVAL, [*one, conn(source, 0, flags())]),
                (errno.EINVAL, [one[0], a("A_BACKEND", [a("A_BACKEND_ADDRESS", address)]),
                                conn(source, 4000, flags())]),
                (errno.EINVAL, [*one]),
                (errno.EOPNOTSUPP, [*one, conn(source, 4000)]),
                (errno.EOPNOTSUPP, [*one, conn(source, 4000, flags(0))]),
                (errno.EOPNOTSUPP, [*one, conn(source, 4000, flags()), expect]),
                (errno.EINVAL, [*one, conn(source, 4000, flags(2))]),
                (errno.ERANGE, [*one, conn(source, 4000, flags(), a("A_CONN_EXPIRES", 0))]),
                (errno.ERANGE, [*one, conn(source, 4000, flags(),
                                           a("A_CONN_EXPIRES", 7201))]),
                (errno.EINVAL, [*one, conn(source, 4000, flags(),
                                           a("A_CONN_PORT", 5354))])):
            error, text, _ = NL.nflb("CONN_ADD", *attrs)
            assert error == wanted and text, (wanted, error, text)
        assert NL.nflb("CONN_DEL", one[0], conn(source, 4000))[0] == errno.ENOENT
        assert NL.nflb("CONN_DEL", one[0], conn(source, 4000), expect)[0] == errno.EOPNOTSUPP
        assert NL.nflb("CONN_FLUSH", conn(source, 4000))[0] == errno.EINVAL
        unprivileged(family, source)
        # A client's connection has the tuple.
        sock, port = bound(family, "udp", source)
        assert ask(family, "udp", sock).startswith(b"rs3 ")
        assert add(family, "udp", source, port, address, number)[0] == errno.EEXIST
        assert delete(family, "udp", source, port)[0] == errno.ENOENT
        sock.close()
        # Only this host can send a probe's packets.
        sock, port = bound(family, "udp", source)
        assert not add(family, "udp", source, port, address, number)[0]
        before = reason("bad-source")
        subprocess.run(["nsenter", "--net=/run/netns/cl", "--", sys.executable, __file__,
                        "forge", str(family), source, str(port)], check=True)
        end = time.monotonic() + 30
        while reason("bad-source") < before + 5 and time.monotonic() < end:
            time.sleep(0.05)
        assert reason("bad-source") == before + 5
        assert_no_drops("forged")
        assert ask(family, "udp", sock) == b"rs1 question"
        assert not delete(family, "udp", source, port)[0]
        sock.close()
        deconfigure(family)
        print("ok refused IPv%d" % family)


def over():
    for family in (4, 6):
        source = source_of(family)
        for proto in ("tcp", "udp"):
            what = "%s %s" % (proto, at(family, PORTS[proto]))
            lb("service add " + what,
               "backend add %s %s state down" % (what, backend_of(family, 1)),
               "backend add %s %s" % (what, backend_of(family, 2)))
        # Removed: the SYN is dropped, not balanced; until the tuple is free again.
        address = backend_of(family, 1)
        numbers = {p: ids(family, PROTOS[p], PORTS[p]) for p in PORTS}
        sock, port = bound(family, "tcp", source)
        assert not add(family, "tcp", source, port, address, numbers["tcp"][packed(address)])[0]
        before = reason("probe-over")
        assert not delete(family, "tcp", source, port)[0]
        assert ask(family, "tcp", sock).startswith(b"rs2 ")
        assert reason("probe-over") > before
        assert_no_drops("removed")
        sock.close()
        # So are datagrams, of probes that timed out and of those without a backend too.
        lost = backend_of(family, 2)
        for how in ("removed", "flushed", "timed out", "backend deleted"):
            sock, port = bound(family, "udp", source)
            to = lost if how == "backend deleted" else address
            more = [a("A_CONN_EXPIRES", 1)] if how == "timed out" else []
            number = ids(family, UDP, 5353)[packed(to)]
            assert not add(family, "udp", source, port, to, number, *more)[0], how
            sock.connect((VIP[family], 5353))
            sock.send(b"question")
            assert sock.recv(100) == (b"rs2" if to == lost else b"rs1") + b" question", how
            if how == "removed":
                assert not delete(family, "udp", source, port)[0]
            elif how == "flushed":
                assert flush() == 1
            elif how == "timed out":
                end = time.monotonic() + 30
                while count() and time.monotonic() < end:
                    time.sleep(0.05)
            else:
                what = "udp " + at(family, 5353)
                lb("backend del %s %s" % (what, lost), "backend add %s %s" % (what, lost))
                assert add(family, "udp", source, port + 1, lost, number)[0] == errno.ESTALE
            assert count() == 0, how
            try:
                sock.send(b"late")
                raise AssertionError("%s: a datagram was not dropped" % how)
            except PermissionError:
                pass
            assert delete(family, "udp", source, port)[0] == errno.ENOENT, how
            # The same checker again, from the same port
            number = ids(family, UDP, 5353)[packed(address)]
            assert not add(family, "udp", source, port, address, number)[0], how
            sock.send(b"again")
            assert sock.recv(100) == b"rs1 again", how
            assert not delete(family, "udp", source, port)[0]
            sock.close()
        flushed_quietly(family, source, address, numbers["tcp"][packed(address)])
        deconfigure(family)
        print("ok over IPv%d" % family)


def ended(listener):
    """Clients' ports of connections whose end it heard of"""
    ports = []
    listener.sock.setblocking(False)
    while True:
        try:
            data = listener.sock.recv(65536)
        except BlockingIOError:
            return ports
        while data:
            length, _, _, _, _, cmd = struct.unpack_from("=IHHIIB", data)
            body, data = data[20:length], data[(length + 3) & ~3:]
            if cmd == N["CMD_CONN_END"]:
                what = nested({k: p for k, _, p in attributes(body)}, "A_CONN")
                ports += struct.unpack("!H", what[N["A_CONN_CLIENT_PORT"]])


def flushed_quietly(family, source, address, number):
    """Neither the two sides of a probe nor who listens hear of its end."""
    sock, port = bound(family, "tcp", source)
    assert not add(family, "tcp", source, port, address, number)[0]
    sock.connect((VIP[family], PORTS["tcp"]))
    listener = Netlink()
    assert not listener.nflb("CONN_LISTEN")[0]
    assert flush() == 1
    time.sleep(0.5)
    assert port not in ended(listener), "an event"
    sock.setblocking(False)
    try:
        raise AssertionError(("heard", sock.recv(65536)))
    except BlockingIOError:
        pass
    assert delete(family, "tcp", source, port)[0] == errno.ENOENT
    listener.sock.close()
    sock.close()


def probes(cmd):
    error, text, answers = NL.nflb(cmd, a("A_FILTER", [a("A_FILTER_FLAGS", PROBE)]))
    assert not error, text
    return struct.unpack("=Q", answers[0][N["A_COUNT"]])[0]


def count():
    """Probes that are alive"""
    return probes("CONN_COUNT")


def flush():
    """End them; returns how many there were"""
    return probes("CONN_FLUSH")


def flood():
    lb("service add udp " + at(4, 5353), "backend add udp %s %s" % (at(4, 5353), backend_of(4, 1)))
    address = backend_of(4, 1)
    number = ids(4, UDP, 5353)[packed(address)]
    source = source_of(4)
    attrs = [service(4, UDP, 5353), backend(address, number)]
    for first in range(1, MAX + 1, 64):
        NL.sock.send(b"".join(
            NL.message(N["CMD_CONN_ADD"], *attrs, conn(source, port, flags()))
            for port in range(first, first + 64)))
    end = time.monotonic() + 60
    while count() < MAX and time.monotonic() < end:
        time.sleep(0.1)
    assert count() == MAX, count()
    error, text, _ = add(4, "udp", source, MAX + 1, address, number)
    assert error == errno.ENOSPC and "maximum" in text, (error, text)
    with open("/proc/net/nflb/stats", encoding="ascii") as file:
        assert "\nactive 0\n" in "\n" + file.read()
    print("ok flood")


if sys.argv[1] == "forge":
    forge(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "dsr":
    dsr(sys.argv[2], int(sys.argv[3]))
else:
    {"modes": modes, "refused": refused, "over": over, "flood": flood,
     "count": lambda: print(count())}[sys.argv[1]]()
