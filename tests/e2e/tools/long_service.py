#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Services with the longest strings are in a dump, whoever asks for it:
long_service.py, in the balancer's namespace, which has no services. It leaves none."""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../user"))
from netlink_attributes import N, a, attr, attributes  # noqa: E402

REQUEST, ACK, DUMP = 1, 4, 0x300
PORTS = range(80, 85)


def talk(sock, kind, cmd, *attrs, flags=ACK):
    """(errno, [attributes of answers])"""
    payload = struct.pack("=BBH", cmd, 1, 0) + b"".join(attrs)
    sock.send(struct.pack("=IHHII", 16 + len(payload), kind, REQUEST | flags, 1, 0) + payload)
    answers = []
    while True:
        data = sock.recv(65536)
        while data:
            length, what, _, _, _ = struct.unpack_from("=IHHII", data)
            body, data = data[16:length], data[(length + 3) & ~3:]
            if what in (2, 3):
                return -struct.unpack_from("=i", body)[0], answers
            answers.append({k: p for k, _, p in attributes(body[4:])})


def opened():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    sock.bind((0, 0))
    return sock


def service(port, *more):
    return a("A_SERVICE", [a("A_SERVICE_PROTOCOL", 6), a("A_SERVICE_ADDRESS", "192.0.2.77"),
                           a("A_SERVICE_PORT", port), *more])


def text(name, length):
    return attr(N[name], b"x" * length + b"\0")


first = opened()
FAMILY = struct.unpack("=H", talk(first, 16, 3, attr(2, b"nflb\0"))[1][0][1])[0]
for port in PORTS:
    error, _ = talk(first, FAMILY, N["CMD_SERVICE_ADD"], service(
        port, text("A_SERVICE_HEALTH_CHECK", 4095), text("A_SERVICE_NAME", 63),
        text("A_SERVICE_COMMENT", 255)))
    assert not error, error
# The kernel gives little room to who has received nothing yet, or little.
for once in False, True:
    fresh = opened()
    if once:
        fresh.send(struct.pack("=IHHIIBBH", 20, FAMILY, REQUEST, 1, 0, N["CMD_CONFIG_GET"],
                               1, 0))
        fresh.recv(4096)
    error, answers = talk(fresh, FAMILY, N["CMD_SERVICE_GET"], flags=DUMP)
    assert not error and len(answers) == len(PORTS), (once, error, len(answers))
    for answer in answers:
        of = {k: p for k, _, p in attributes(answer[N["A_SERVICE"]])}
        assert len(of[N["A_SERVICE_HEALTH_CHECK"]]) == 4096, of
    fresh.close()
for port in PORTS:
    error, _ = talk(first, FAMILY, N["CMD_SERVICE_DEL"], service(port))
    assert not error, error
print("long services", len(PORTS))
