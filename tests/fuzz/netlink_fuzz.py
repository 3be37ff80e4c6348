#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Malformed netlink messages: nothing but errors, and the module goes on.

Usage: netlink_fuzz.py [COUNT [SEED]], as root in a namespace of its own with
the module loaded. Messages are made from the grammar of the uapi header: right
ones with attributes dropped, doubled, cut, mistyped, swapped, with other values
and lengths; and random bytes.
"""

import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from genl import (NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, Error,  # noqa: E402
                  Genl, address, attr, backend, constants, parse_attrs,
                  service)

C = constants()
COMMANDS = [v for k, v in C.items()
            if k.startswith("NFLB_CMD_") and not k.endswith("_MAX")]
NESTS = ["NFLB_A_SERVICE", "NFLB_A_BACKEND", "NFLB_A_CONN", "NFLB_A_FILTER",
         "NFLB_A_STATS", "NFLB_A_DROPS"]
ADDRESSES = ["192.0.2.1", "10.0.0.1", "0.0.0.0", "224.0.0.1", "2001:db8::1",
             "::", "ff02::1", "fe80::1"]


def value(rng):
    kind = rng.randrange(7)
    if kind == 0:
        return rng.randbytes(rng.choice((0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 64)))
    if kind == 1:
        return bytes([rng.choice((0, 1, 2, 6, 17, 132, 255))])
    if kind == 2:
        return struct.pack("=H", rng.choice((0, 1, 80, 0xffff)))
    if kind == 3:
        return struct.pack("=I", rng.choice((0, 1, 65535, 65536, 604800,
                                             604801, 0xffffffff)))
    if kind == 4:
        return address(rng.choice(ADDRESSES))
    if kind == 5:
        return rng.choice((b"rr\0", b"wrr\0", b"rr", b"x" * 40, b"\0",
                           b"%s%n\0"))
    return b""


def tree(rng, depth=0):
    """A random attribute."""
    kind = rng.choice((rng.randrange(16), rng.randrange(0x4000)))
    if depth < 4 and rng.random() < 0.4:
        kind = C[rng.choice(NESTS)] if rng.random() < 0.7 else kind
        return attr(kind, [tree(rng, depth + 1)
                           for _ in range(rng.randrange(6))])
    return attr(kind, value(rng), rng.random() < 0.1)


def good(rng):
    """A message that could be right."""
    vip, port = rng.choice(ADDRESSES), rng.choice((0, 53, 80))
    last = rng.choice((None, None, 90, 70))
    more = []
    if rng.random() < 0.5:
        more.append(attr(C["NFLB_A_SERVICE_SCHEDULER"],
                         rng.choice((b"rr\0", b"wrr\0", b"no\0"))))
    if rng.random() < 0.3:
        more.append(attr(C["NFLB_A_SERVICE_BACKENDS"], [
            backend(C, rng.choice(ADDRESSES), rng.randrange(3),
                    rng.choice((None, 0, 7)))
            for _ in range(rng.randrange(4))]))
    data = service(C, rng.choice((6, 17)), vip, port, *more, last=last)
    if rng.random() < 0.6:
        data += backend(C, rng.choice(ADDRESSES), rng.randrange(3),
                        rng.choice((None, 1, 65535)))
    if rng.random() < 0.2:
        data += attr(C["NFLB_A_NOW"])
    if rng.random() < 0.2:
        data += attr(C["NFLB_A_FILTER"], [
            attr(C["NFLB_A_FILTER_CLIENT_ADDRESS"],
                 address(rng.choice(ADDRESSES))),
            attr(C["NFLB_A_FILTER_CLIENT_PREFIX"],
                 bytes([rng.randrange(140)])),
            attr(C["NFLB_A_FILTER_STATE"], bytes([rng.randrange(12)]))])
    return data


def record(rng):
    """A struct nflb_conn_record that could be right, for the service of main()."""
    size = rng.choice((120, 120, 120, 120, 124, 119, 0, 65535))
    proto, fullnat = rng.choice((6, 6, 17)), rng.random() < 0.3
    state = rng.choice((3, 3, 3, 9, rng.randrange(12)))
    vip, real, client, local = (
        socket.inet_aton(a) + bytes(12) for a in
        ("192.0.2.10", "10.0.0.1", "198.51.100.%d" % rng.randrange(256), "10.0.0.9"))
    data = struct.pack("=HBBBBBB", size, proto, state, 2, 2, int(fullnat), 0)
    data += struct.pack("!HHHH", rng.randrange(1024, 65536), 80, rng.choice((80, 0)),
                        2000 if fullnat else 0)
    data += client + vip + real + (local if fullnat else bytes(16))
    data += struct.pack("=10I", rng.choice((8, 0, rng.getrandbits(11))), 0,
                        rng.choice((1, 60000, 0xffffffff)), rng.getrandbits(32),
                        0, 0, 0, 0, *((1, 2) if proto == 6 else (0, 0)))
    return data + bytes(max(min(size, 200) - 120, 0))


def records(rng):
    """Connections to put back, some of them damaged."""
    data = b"".join(record(rng) for _ in range(rng.choice((1, 2, 30, 501))))
    data = mutate(rng, data) if rng.random() < 0.7 else data
    return attr(C["NFLB_A_RECORDS"], data[:65528])


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(4)):
        if not data:
            break
        at = rng.randrange(len(data))
        what = rng.randrange(4)
        if what == 0:
            data[at] = rng.randrange(256)
        elif what == 1:
            del data[at:at + rng.randrange(1, 9)]
        elif what == 2:
            data[at:at] = data[at:at + rng.randrange(1, 33)]
        else:
            data[at & ~3:(at & ~3) + 2] = struct.pack(
                "=H", rng.choice((0, 1, 3, 4, 5, 0x7fff, 0xffff)))
    return bytes(data)


def one(rng, genl):
    kind = rng.randrange(4)
    if kind == 0:
        data = rng.randbytes(rng.randrange(128))
    elif kind == 1:
        data = b"".join(tree(rng) for _ in range(rng.randrange(5)))
    else:
        data = mutate(rng, good(rng))
    cmd = rng.choice(COMMANDS) if rng.random() < 0.95 else rng.randrange(256)
    if cmd == C["NFLB_CMD_CONN_RECORDS"] and kind:
        data = records(rng)
    flags = NLM_F_REQUEST | NLM_F_ACK
    if rng.random() < 0.15:
        flags = NLM_F_REQUEST | NLM_F_DUMP
    if rng.random() < 0.05:
        flags = NLM_F_REQUEST | NLM_F_ACK | rng.randrange(0x10000)
        # Without a request or an acknowledgement nothing would come back.
        flags |= NLM_F_ACK
    genl.call(cmd, data, flags, version=rng.choice((0, 1, 1, 1, 255)))


def drain(genl):
    """An unusual set of flags may bring more answers than one."""
    genl.sock.settimeout(0)
    try:
        while True:
            genl.sock.recv(1 << 20)
    except (BlockingIOError, OSError):
        pass
    genl.sock.settimeout(20)


def flush(genl):
    for message in genl.call(C["NFLB_CMD_SERVICE_GET"],
                             flags=NLM_F_REQUEST | NLM_F_DUMP):
        found = dict(parse_attrs(dict(parse_attrs(message))[
            C["NFLB_A_SERVICE"]]))
        identity = [attr(k, found[k]) for k in sorted(found)
                    if k <= C["NFLB_A_SERVICE_PORT_LAST"]]
        genl.call(C["NFLB_CMD_SERVICE_DEL"],
                  attr(C["NFLB_A_SERVICE"], identity))


def target(genl):
    """What records can be put back to, until a message deletes it."""
    genl.call(C["NFLB_CMD_SERVICE_ADD"], service(C, 6, "192.0.2.10", 80))
    genl.call(C["NFLB_CMD_BACKEND_ADD"],
              service(C, 6, "192.0.2.10", 80) + backend(C, "10.0.0.1", 80, 1))


def main(argv):
    count = int(argv[1]) if len(argv) > 1 else 100000
    seed = int(argv[2]) if len(argv) > 2 else 1
    rng = random.Random(seed)
    genl = Genl()
    done = refused = explained = 0
    for i in range(count):
        try:
            one(rng, genl)
            done += 1
        except Error as error:
            refused += 1
            explained += bool(error.message)
        except socket.timeout:
            print("not ok message %d of seed %d was not answered" % (i, seed))
            return 1
        if i % 500 == 499:
            drain(genl)
            flush(genl)
            target(genl)
    drain(genl)
    flush(genl)
    left = genl.call(C["NFLB_CMD_SERVICE_GET"],
                     flags=NLM_F_REQUEST | NLM_F_DUMP)
    # It still does what it should.
    target(genl)
    flush(genl)
    print("%d messages: %d done, %d refused, %d of those with a reason" % (
        count, done, refused, explained))
    return 0 if not left and done and refused > done / 10 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
