#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What requests say of the generation, asked without lbadm: generation.py, in the
balancer's namespace, which has no configuration. It leaves none."""

import errno
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../user"))
from netlink_attributes import N, a, attr, attributes  # noqa: E402
from netlink_socket import DUMP, Netlink  # noqa: E402

nflb = Netlink().nflb


def number(answer):
    return (struct.unpack("=Q", answer[N["A_GENERATION"]])[0],
            struct.unpack("=I", answer[N["A_BOOT"]])[0])


def now():
    return number(nflb("CONFIG_GET")[2][0])


def expect(generation):
    return attr(N["A_EXPECT_GENERATION"], struct.pack("=Q", generation))


SERVICE = a("A_SERVICE", [a("A_SERVICE_PROTOCOL", 6), a("A_SERVICE_ADDRESS", "192.0.2.77"),
                          a("A_SERVICE_PORT", 80)])
BACKEND = a("A_BACKEND", [a("A_BACKEND_ADDRESS", "10.0.11.2")])
LADDR = a("A_LADDR", [a("A_LADDR_ADDRESS", "10.0.0.1")])
DEVICE = attr(N["A_DEVICE"], b"missing0\0")
ABSENT = attr(N["A_DEVICE_ABSENT"], b"")
CHANGES = [("SERVICE_ADD", SERVICE), ("SERVICE_SET", SERVICE), ("SERVICE_REPLACE", SERVICE),
           ("BACKEND_ADD", SERVICE + BACKEND), ("BACKEND_SET", SERVICE + BACKEND),
           ("LADDR_ADD", LADDR), ("DEVICE_ADD", DEVICE + ABSENT),
           ("BACKEND_DEL", SERVICE + BACKEND), ("LADDR_DEL", LADDR), ("DEVICE_DEL", DEVICE),
           ("SERVICE_DEL", SERVICE)]


# They depend on the generation, too, and leave it as it is.
def verdict(number):
    return a("A_BACKENDS", [a("A_BACKEND", [
        a("A_BACKEND_ADDRESS", "10.0.11.2"), a("A_BACKEND_ID", number),
        a("A_BACKEND_HEALTH", bytes([N["HEALTH_UNHEALTHY"]]))])])


def beside():
    of = struct.unpack("=I", dict((k, p) for k, _, p in attributes(nflb(
        "BACKEND_GET", flags=DUMP)[2][0][N["A_BACKEND"]]))[N["A_BACKEND_ID"]])[0]
    for cmd, attrs in (("CONN_FLUSH", b""), ("STATS_ZERO", b""),
                       ("HEALTH_SET", SERVICE + verdict(of))):
        for wrong in (generation - 1, generation + 1, 0, 2 ** 64 - 1):
            assert nflb(cmd, attrs, expect(wrong)) == (
                errno.ESTALE, "the configuration changed", []), (cmd, wrong)
        error, text, answers = nflb(cmd, attrs, expect(generation))
        assert error == 0, (cmd, error, text)
        assert [number(x) for x in answers] == [(generation, boot)], (cmd, answers)
        assert cmd != "CONN_FLUSH" or N["A_COUNT"] in answers[0]
        assert nflb(cmd, attrs)[0] == 0 and now() == (generation, boot), cmd


generation, boot = now()
for cmd, attrs in CHANGES:
    for wrong in (generation - 1, generation + 1, 0, 2 ** 64 - 1):
        assert nflb(cmd, attrs, expect(wrong)) == (
            errno.ESTALE, "the configuration changed", []), (cmd, wrong)
    assert now() == (generation, boot), cmd
    error, text, answers = nflb(cmd, attrs, expect(generation))
    assert error == 0, (cmd, error, text)
    generation += 1
    assert [number(x) for x in answers] == [(generation, boot)], (cmd, answers)
    assert now() == (generation, boot), cmd
    # A refusal does not count, a request that expects nothing does
    for get in ("SERVICE", "BACKEND", "LADDR", "DEVICE"):
        for answer in nflb(get + "_GET", flags=DUMP)[2]:
            assert number(answer) == (generation, boot), (cmd, get)
    if cmd == "BACKEND_ADD":
        beside()
error, text, _ = nflb("SERVICE_DEL", SERVICE, expect(generation))
assert error == errno.ENOENT and now() == (generation, boot), (error, text)
assert nflb("STATS_ZERO")[0] == 0 and now() == (generation, boot)
assert nflb("LADDR_ADD", LADDR)[:2][0] == 0 and now() == (generation + 1, boot)
assert nflb("LADDR_DEL", LADDR)[:2] == (0, "") and now() == (generation + 2, boot)
print("generations", generation + 2)
