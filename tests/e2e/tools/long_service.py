#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Services with the longest strings are in a dump, whoever asks for it:
long_service.py, in the balancer's namespace, which has no services. It leaves none."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../user"))
from netlink_attributes import N, a, attr, attributes  # noqa: E402
from netlink_socket import DUMP, Netlink  # noqa: E402

PORTS = range(80, 85)


def service(port, *more):
    return a("A_SERVICE", [a("A_SERVICE_PROTOCOL", 6), a("A_SERVICE_ADDRESS", "192.0.2.77"),
                           a("A_SERVICE_PORT", port), *more])


def text(name, length):
    return attr(N[name], b"x" * length + b"\0")


first = Netlink()
for port in PORTS:
    error, said, _ = first.nflb("SERVICE_ADD", service(
        port, text("A_SERVICE_HEALTH_CHECK", 4095), text("A_SERVICE_NAME", 63),
        text("A_SERVICE_COMMENT", 255)))
    assert not error, (error, said)
# The kernel gives little room to who has received nothing yet, or little.
for once in False, True:
    fresh = Netlink(first.family)
    if once:
        fresh.sock.send(fresh.message(N["CMD_CONFIG_GET"]))
        fresh.sock.recv(4096)
    error, said, answers = fresh.nflb("SERVICE_GET", flags=DUMP)
    assert not error and len(answers) == len(PORTS), (once, error, said, len(answers))
    for answer in answers:
        of = {k: p for k, _, p in attributes(answer[N["A_SERVICE"]])}
        assert len(of[N["A_SERVICE_HEALTH_CHECK"]]) == 4096, of
    fresh.sock.close()
for port in PORTS:
    error, said, _ = first.nflb("SERVICE_DEL", service(port))
    assert not error, (error, said)
print("long services", len(PORTS))
