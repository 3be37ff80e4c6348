# SPDX-License-Identifier: GPL-2.0
"""Attributes of nflb's netlink messages, by their names. Numbers are those of
include/uapi/linux/nflb.h, read from it."""

import ipaddress
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
NESTED = 0x8000


def _numbers():
    with open(os.path.join(HERE, "../../include/uapi/linux/nflb.h")) as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    numbers = {}
    for body in re.findall(r"enum \w+ \{(.*?)\};", text, re.S):
        names = [w.split("=")[0].strip() for w in body.split(",")]
        for value, name in enumerate(n for n in names if n):
            numbers[name.replace("NFLB_", "", 1)] = value
    return numbers


N = _numbers()


def attr(kind, payload):
    """An attribute: bytes as they are, a list of attributes as a nest."""
    if isinstance(payload, list):
        kind |= NESTED
        payload = b"".join(payload)
    length = len(payload) + 4
    return struct.pack("=HH", length, kind) + payload + b"\0" * (-length % 4)


def a(name, value):
    """An attribute by name; its size by its name: a("A_COUNT", 7)."""
    if isinstance(value, (bytes, list)):
        return attr(N[name], value)
    if isinstance(value, str) and re.search(r"ADDRESS(_LAST)?$", name):
        return attr(N[name], ipaddress.ip_address(value).packed)
    if isinstance(value, str):
        return attr(N[name], value.encode() + b"\0")
    if "PORT" in name.split("_"):
        return attr(N[name], struct.pack("!H", value))
    if re.search(r"_(PROTOCOL|MODE|ENCAP|STATE|TOA|PROXY|PACKET|PREFIX[46]?)$", name):
        return attr(N[name], struct.pack("=B", value))
    if re.search(r"^A_(COUNT|COUNTER_VALUE|DROP_PACKETS|STATS_(?!ACTIVE))", name):
        return attr(N[name], struct.pack("=Q", value))
    return attr(N[name], struct.pack("=I", value))


def attributes(data):
    """[(type, with NLA_F_NESTED or not, payload)] of a request."""
    found = []
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found.append((kind & 0x3fff, bool(kind & NESTED), data[4:length]))
        data = data[(length + 3) & ~3:]
    return found
