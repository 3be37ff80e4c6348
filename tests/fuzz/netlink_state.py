#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Netlink messages about objects that exist, right and almost right.

Usage: netlink_state.py [COUNT [SEED]], as root in a network namespace of its own with
the module loaded. One in twenty values is out of range, a quarter of the
messages are mutated; the others are right, so that there are services, backends, local
addresses, devices and connections that they can be about. Beside that, processes
dump everything all the time, not always to the end; listen to events; send packets to
the services; and make and delete devices.

Each message must be answered. At the end everything is deleted and nothing is left.
The same seed makes the same messages.
"""

import errno
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from genl import (NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_ERROR,  # noqa: E402
                  Error, Genl, address, attr, constants, parse_attrs)
from netlink_fuzz import mutate  # noqa: E402

C = constants()
BATCH = 16
ADDR4 = ["192.0.2.%d" % i for i in range(1, 4)]
ADDR6 = ["2001:db8:f::%d" % i for i in range(1, 4)]
HOSTS = ["10.5.0.%d" % i for i in range(2, 8)] + ["2001:db8:5::%d" % i
                                                  for i in range(2, 8)]
ODD = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "::", "ff02::1",
       "fe80::1", "::ffff:1.2.3.4", "::1"]
LOCAL = ["10.5.0.1", "10.5.1.1", "10.5.1.2", "10.5.1.9", "2001:db8:5::1",
         "2001:db8:5:1::1"]
SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "random", "p2c", "hash",
              "source", "maglev", "maglev-source", "fo", "ovf"]
DEVICES = ["d0", "d1", "d2", "lo", "nosuch"]
SETTERS = ["SERVICE_ADD", "SERVICE_SET", "SERVICE_REPLACE", "SERVICE_DEL",
           "BACKEND_ADD", "BACKEND_SET", "BACKEND_DEL", "LADDR_ADD",
           "LADDR_DEL", "DEVICE_ADD", "DEVICE_DEL", "CONN_FLUSH",
           "STATS_ZERO", "EXPLAIN", "CONN_COUNT", "SERVICE_GET", "STATS_GET",
           "HEALTH_SET"]
WEIGHTS = [14, 12, 6, 2, 20, 12, 5, 3, 3, 2, 2, 1, 1, 6, 2, 6, 2, 8]
DUMPS = ["SERVICE_GET", "BACKEND_GET", "CONN_GET", "LADDR_GET", "DEVICE_GET"]
DUMP = NLM_F_REQUEST | NLM_F_DUMP


def u8(v):
    return struct.pack("B", v & 0xff)


def u32(v):
    return struct.pack("=I", v & 0xffffffff)


def be16(v):
    return struct.pack("!H", v & 0xffff)


def text(maker, size):
    """A name or a comment: mostly one that is accepted"""
    r = maker.rng
    letters = "".join(r.choice("az 0\"'\u00e4\U0001f427") for _ in range(r.randrange(size // 4)))
    return maker.odd(letters.encode(), b"x" * size, b"\x1b[2J", b"\xff", b"\xc0\x80") + b"\0"


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        r = self.rng
        odd = self.odd
        # How to make the value of each attribute
        self.service_values = {
            "MODE": lambda: u8(odd(r.randrange(3), 3, 255)),
            "ENCAP": lambda: u8(odd(r.randrange(4), 4, 255)),
            "ENCAP_PORT": lambda: be16(odd(6080, 0, 1)),
            "SCHEDULER": lambda: odd(r.choice(SCHEDULERS), "", "x" * 15, "xx",
                                     "%s%n").encode() + b"\0",
            "PERSIST": lambda: u32(odd(r.choice((0, 1, 300)), 604801, 1 << 31)),
            "PERSIST_PREFIX4": lambda: u8(odd(r.randrange(33), 33, 255)),
            "PERSIST_PREFIX6": lambda: u8(odd(r.randrange(129), 129, 255)),
            "TOA": lambda: u8(odd(r.randrange(2), 2, 255)),
            "TOA_KIND6": lambda: u8(odd(r.choice((253, 254)), 0, 252)),
            "PROXY": lambda: u8(odd(r.randrange(2), 2, 255)),
            "TIMEOUT_SYN": lambda: u32(odd(r.choice((0, 1, 60)), 604801)),
            "TIMEOUT_ESTABLISHED": lambda: u32(odd(r.choice((0, 1, 900)), ~0)),
            "TIMEOUT_FIN": lambda: u32(odd(r.choice((0, 1, 120)), ~0)),
            "TIMEOUT_UDP": lambda: u32(odd(r.choice((0, 1, 300)), ~0)),
            "SLOW_START": lambda: u32(odd(r.choice((0, 1, 30)), ~0)),
            "ENCAP_SOURCE4": lambda: address("10.6.%d.0" % r.randrange(9)),
            "ENCAP_SOURCE4_PREFIX": lambda: u8(odd(r.choice((16, 24, 32)), 33)),
            "ENCAP_SOURCE6": lambda: address("2001:db8:6::"),
            "ENCAP_SOURCE6_PREFIX": lambda: u8(odd(r.choice((48, 64, 128)), 129)),
            "HEALTH_CHECK": lambda: b"{}" * r.randrange(odd(8, 600)) + b"\0",
            "NAME": lambda: text(self, 64),
            "COMMENT": lambda: text(self, 256),
            "HEALTH_INITIAL": lambda: u8(odd(r.randrange(2), 2)),
            "HEALTH_ON_UNHEALTHY": lambda: u8(odd(r.randrange(2), 2)),
            "HEALTH_WHEN_NONE": lambda: u8(odd(r.randrange(2), 2)),
            "HEALTH_PANIC": lambda: u8(odd(r.choice((0, 50, 100)), 101)),
            "BACKENDS": lambda: [self.backend() for _ in
                                 range(r.randrange(odd(6, 200)))],
        }
        self.backend_values = {
            "WEIGHT": lambda: u32(odd(r.choice((0, 1, 7, 65535)), 65536, ~0)),
            "STATE": lambda: u8(odd(r.randrange(3), 3, 255)),
            "MODE": lambda: u8(odd(r.randrange(3), 3)),
            "ENCAP": lambda: u8(odd(r.randrange(4), 4)),
            "ENCAP_PORT": lambda: be16(odd(6080, 0)),
            "MAX_CONNECTIONS": lambda: u32(odd(r.choice((0, 1, 100)), ~0)),
            "DEADLINE": lambda: u32(odd(r.choice((1, 2, 60)), 0, ~0)),
            "NAME": lambda: text(self, 64),
            "COMMENT": lambda: text(self, 256),
        }
        self.verdict_values = {
            "HEALTH": lambda: u8(odd(r.randrange(5), 5)),
            "HEALTH_WEIGHT": lambda: u8(odd(r.choice((0, 1, 50, 100)), 101)),
            "HEALTH_REASON": lambda: odd(b"timeout", b"x" * 63, b"\n") + b"\0",
        }

    def odd(self, value, *others):
        """Now and then another value."""
        return self.rng.choice(others) if self.rng.random() < 0.05 else value

    def pick(self, prefix, values, most):
        names = self.rng.sample(sorted(values), self.rng.randrange(most + 1))
        return [attr(C[prefix + n], values[n]()) for n in names
                if prefix + n in C]

    def identity(self):
        r = self.rng
        port = r.choice((53, 80, 80, 443, 8000, 0))
        addr = self.odd(r.choice(ADDR4 + ADDR6), *ODD)
        items = [attr(C["NFLB_A_SERVICE_PROTOCOL"], u8(self.odd(
                     r.choice((6, 17)), 0, 1, 132))),
                 attr(C["NFLB_A_SERVICE_ADDRESS"], address(addr)),
                 attr(C["NFLB_A_SERVICE_PORT"], be16(port))]
        if port == 8000:
            items.append(attr(C["NFLB_A_SERVICE_PORT_LAST"],
                              be16(self.odd(8010, 7000, 0))))
        return items

    def service(self, most=4):
        return attr(C["NFLB_A_SERVICE"], self.identity() + self.pick(
            "NFLB_A_SERVICE_", self.service_values, most))

    def verdict(self):
        r = self.rng
        return attr(C["NFLB_A_BACKEND"], [
            attr(C["NFLB_A_BACKEND_ADDRESS"], address(r.choice(HOSTS))),
            attr(C["NFLB_A_BACKEND_PORT"], be16(r.choice((0, 0, 80, 8080)))),
            attr(C["NFLB_A_BACKEND_ID"], u32(self.odd(r.randrange(1, 9), ~0)))] +
            self.pick("NFLB_A_BACKEND_", self.verdict_values, 3))

    def backend(self, most=3):
        r = self.rng
        items = [attr(C["NFLB_A_BACKEND_ADDRESS"],
                      address(self.odd(r.choice(HOSTS), *ODD)))]
        if r.random() < 0.6:
            items.append(attr(C["NFLB_A_BACKEND_PORT"],
                              be16(r.choice((0, 80, 8080)))))
        return attr(C["NFLB_A_BACKEND"], items + self.pick(
            "NFLB_A_BACKEND_", self.backend_values, most))

    def laddr(self):
        r = self.rng
        items = [attr(C["NFLB_A_LADDR_ADDRESS"],
                      address(self.odd(r.choice(LOCAL), *ODD)))]
        if r.random() < 0.3:
            items.append(attr(C["NFLB_A_LADDR_ADDRESS_LAST"],
                              address(r.choice(LOCAL))))
        if r.random() < 0.3:
            items.append(attr(C["NFLB_A_LADDR_PORT"], be16(
                self.odd(r.choice((1024, 40000)), 0))))
            items.append(attr(C["NFLB_A_LADDR_PORT_LAST"], be16(
                self.odd(r.choice((1030, 50000, 65535)), 0))))
        if r.random() < 0.2:
            items.append(attr(C["NFLB_A_LADDR_EXCLUDED"], b"".join(
                be16(r.randrange(65536)) for _ in range(r.randrange(20)))))
        return attr(C["NFLB_A_LADDR"], items)

    def filter(self):
        r = self.rng
        return attr(C["NFLB_A_FILTER"], [
            attr(C["NFLB_A_FILTER_CLIENT_ADDRESS"], address(r.choice(HOSTS))),
            attr(C["NFLB_A_FILTER_CLIENT_PREFIX"], u8(r.randrange(140))),
            attr(C["NFLB_A_FILTER_STATE"], u8(r.randrange(12)))][
                r.randrange(3):])

    def explain(self):
        r = self.rng
        vip = r.choice(ADDR4 + ADDR6)
        src = r.choice([h for h in HOSTS if (":" in h) == (":" in vip)])
        return attr(C["NFLB_A_EXPLAIN"], [attr(C["NFLB_A_EXPLAIN_ARRIVES"], [
            attr(C["NFLB_A_PACKET_PROTOCOL"], u8(self.odd(
                r.choice((6, 17)), 1, 58))),
            attr(C["NFLB_A_PACKET_SOURCE"], address(self.odd(src, *ODD))),
            attr(C["NFLB_A_PACKET_SOURCE_PORT"], be16(r.randrange(65536))),
            attr(C["NFLB_A_PACKET_DESTINATION"], address(vip)),
            attr(C["NFLB_A_PACKET_DESTINATION_PORT"],
                 be16(r.choice((53, 80, 443, 8005))))])]) + (
            attr(C["NFLB_A_DEVICE"], b"d0\0") if r.random() < 0.3 else b"")

    def message(self):
        """(command, attributes)"""
        r = self.rng
        name, = r.choices(SETTERS, WEIGHTS)
        if name.startswith("SERVICE"):
            data = self.service(0 if name.endswith(("DEL", "GET")) else 2)
        elif name.startswith("BACKEND"):
            data = self.service(0) + self.backend()
        elif name.startswith("LADDR"):
            data = self.laddr()
        elif name.startswith("DEVICE"):
            data = attr(C["NFLB_A_DEVICE"], r.choice(DEVICES).encode() + b"\0")
        elif name == "EXPLAIN":
            data = self.explain()
        elif name == "HEALTH_SET":
            data = self.service(0) + attr(C["NFLB_A_BACKENDS"], [
                self.verdict() for _ in range(r.randrange(4))])
        else:
            data = b"".join(f() for f in r.sample(
                [self.filter, self.service, self.backend], r.randrange(3)))
        for flag in ("NFLB_A_NOW", "NFLB_A_EXACT", "NFLB_A_FORCE",
                     "NFLB_A_DEVICE_ABSENT"):
            if r.random() < 0.15:
                data += attr(C[flag])
        if r.random() < 0.05:
            data += attr(C["NFLB_A_EXPECT_GENERATION"], struct.pack(
                "=Q", r.choice((0, 1, r.randrange(1000), r.getrandbits(64)))))
        if r.random() < 0.25:
            data = mutate(r, data)
        cmd = C["NFLB_CMD_" + name]
        if r.random() < 0.02:
            cmd = r.randrange(256)
        return cmd, data


# --- beside it ---------------------------------------------------------------

def child(function, children):
    pid = os.fork()
    if pid:
        children.append(pid)
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # The messages come first
    os.nice(10)
    try:
        while True:
            try:
                function()
            except OSError:
                pass
    finally:
        os._exit(0)


def dump_all():
    """Each dump, to the end or not."""
    for name in DUMPS:
        genl = Genl()
        genl.send(C["NFLB_CMD_" + name], flags=DUMP)
        for _ in range(random.randrange(1, 30)):
            if struct.unpack_from("=H", genl.sock.recv(1 << 16), 4)[0] == 3:
                break
        genl.sock.close()
    time.sleep(0.1)


def read_proc():
    for name in os.listdir("/proc/net/nflb"):
        with open("/proc/net/nflb/" + name) as f:
            f.read(random.choice((10, 5000, -1)))
    time.sleep(0.1)


def send_packets():
    for addr in ADDR4 + ADDR6:
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        for port in (53, 80, 443, 8005):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(family, kind) as s:
                    s.setblocking(False)
                    try:
                        s.connect((addr, port))
                        s.send(b"x")
                    except OSError:
                        pass
    time.sleep(0.1)


def change_devices():
    for name in DEVICES[:3]:
        subprocess.run("ip link add %s type dummy && ip addr add 10.5.0.1/24 "
                       "dev %s && ip link set %s up; sleep 0.3; ip link del %s"
                       % ((name,) * 4), shell=True, stderr=subprocess.DEVNULL)


# --- the messages --------------------------------------------------------------

def send_batch(genl, maker):
    """Some messages in one go, and their answers; (done, refused)."""
    first, data = genl.seq + 1, b""
    for _ in range(BATCH):
        cmd, attrs = maker.message()
        genl.seq += 1
        data += struct.pack("=IHHIIBBH", 20 + len(attrs), genl.family,
                            NLM_F_REQUEST | NLM_F_ACK, genl.seq, 0, cmd, 1, 0)
        data += attrs + bytes(-len(attrs) % 4)
    genl.sock.send(data)
    done = refused = 0
    waiting = set(range(first, genl.seq + 1))
    while waiting:
        answer = genl.sock.recv(1 << 20)
        while len(answer) >= 16:
            size, kind, _, seq, _ = struct.unpack_from("=IHHII", answer)
            if kind == NLMSG_ERROR:
                waiting.discard(seq)
                code, = struct.unpack_from("=i", answer, 16)
                done += not code
                refused += bool(code)
            answer = answer[(size + 3) & ~3:]
    return done, refused


def clear(genl):
    """Delete what there is, and return what is left."""
    for name, nest, keys, delete in (
            ("SERVICE", "SERVICE", ("PROTOCOL", "ADDRESS", "PORT", "PORT_LAST"),
             "SERVICE_DEL"),
            ("LADDR", "LADDR", ("ADDRESS", "ADDRESS_LAST", "PORT", "PORT_LAST"),
             "LADDR_DEL")):
        for message in genl.call(C["NFLB_CMD_%s_GET" % name], flags=DUMP):
            found = dict(parse_attrs(dict(parse_attrs(message))[
                C["NFLB_A_" + nest]]))
            kinds = [C["NFLB_A_%s_%s" % (nest, k)] for k in keys]
            genl.call(C["NFLB_CMD_" + delete], attr(C["NFLB_A_" + nest], [
                attr(k, found[k]) for k in kinds if k in found]))
    for message in genl.call(C["NFLB_CMD_DEVICE_GET"], flags=DUMP):
        found = dict(parse_attrs(message))
        try:
            genl.call(C["NFLB_CMD_DEVICE_DEL"],
                      attr(C["NFLB_A_DEVICE"], found[C["NFLB_A_DEVICE"]]))
        except Error as error:
            # change_devices() was faster
            if error.errno != errno.ENODEV:
                raise
    genl.call(C["NFLB_CMD_CONN_FLUSH"])
    return sum(len(genl.call(C["NFLB_CMD_" + name], flags=DUMP))
               for name in DUMPS)


def main(argv):
    count = int(argv[1]) if len(argv) > 1 else 50000
    seed = int(argv[2]) if len(argv) > 2 else int(time.time())
    subprocess.run("ip link set lo up; ip link add up0 type dummy; ip link set "
                   "up0 up; ip addr add 10.5.0.1/16 dev up0; ip -6 addr add "
                   "2001:db8:5::1/48 dev up0 nodad", shell=True, check=True)
    # A change of a service with the usual table takes as long as fifty others
    subprocess.run(["sysctl", "-qw", "net.nflb.maglev_table_size=251"], check=True)
    for addr in ADDR4 + ADDR6:
        subprocess.run(["ip", "addr", "add", addr, "dev", "lo"], check=True)
    maker, genl, children = Maker(seed), Genl(), []
    for function in (dump_all, dump_all, read_proc, send_packets, change_devices):
        child(function, children)
    done = refused = most = sent = 0
    start = time.monotonic()
    try:
        while sent < count:
            try:
                d, r = send_batch(genl, maker)
            except socket.timeout:
                print("not ok netlink-state/answered: message %d of seed %d" % (
                    sent, seed))
                return 1
            done, refused, sent = done + d, refused + r, sent + BATCH
            if sent % (BATCH * 64) == 0:
                most = max(most, len(genl.call(C["NFLB_CMD_SERVICE_GET"],
                                               flags=DUMP)))
            if sent % (BATCH * 4096) == 0:
                clear(genl)
    finally:
        took = time.monotonic() - start
        for pid in children:
            os.kill(pid, signal.SIGTERM)
        for pid in children:
            os.waitpid(pid, 0)
    for _ in range(100):
        left = clear(genl)
        if not left:
            break
        time.sleep(0.1)
    # It still does what it should
    genl.call(C["NFLB_CMD_SERVICE_ADD"], attr(C["NFLB_A_SERVICE"], [
        attr(C["NFLB_A_SERVICE_PROTOCOL"], u8(6)),
        attr(C["NFLB_A_SERVICE_ADDRESS"], address("192.0.2.1")),
        attr(C["NFLB_A_SERVICE_PORT"], be16(80))]))
    left += clear(genl)
    print("%s netlink-state/messages: seed %d, %d messages in %.0f s: %d done, %d "
          "refused, up to %d services, %d objects left" % (
              "ok" if not left and done > sent / 10 and most else "not ok", seed,
              sent, took, done, refused, most, left))
    return 0 if not left and done > sent / 10 and most else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except Error as error:
        print("not ok netlink-state/messages: %s" % error)
        sys.exit(1)
