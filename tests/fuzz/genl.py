# SPDX-License-Identifier: GPL-2.0
"""Just enough generic netlink to build right and wrong messages by hand."""

import contextlib
import errno
import os
import re
import socket
import struct

SO_RCVBUFFORCE = 33
NETLINK_GENERIC = 16
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK = 0x1, 0x2, 0x4
NLM_F_DUMP = 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED = 0x8000
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../include/uapi/linux/nflb.h")


def constants(path=HEADER):
    """The enums of the uapi header, by name."""
    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
    values = {}
    for body in re.findall(r"enum \w+ \{(.*?)\};", text, flags=re.S):
        value = -1
        for item in filter(None, (i.strip() for i in body.split(","))):
            name, _, expr = (p.strip() for p in item.partition("="))
            value = eval(expr, {}, values) if expr else value + 1
            values[name] = value
    return values


def attr(kind, payload=b"", nested=False):
    if isinstance(payload, list):
        payload, nested = b"".join(payload), True
    length = 4 + len(payload)
    kind |= NLA_F_NESTED if nested else 0
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def parse_attrs(data):
    """Yield (type, payload) of attributes."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


class Error(OSError):
    """The kernel refused; .message is its extended ack, if any."""

    def __init__(self, code, message):
        super().__init__(code, "%s (%s)" % (os.strerror(code), message))
        self.message = message


class Genl:
    def __init__(self, family="nflb"):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        # Many messages at a time have as many answers; a user may not ask for so much.
        with contextlib.suppress(PermissionError):
            self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.sock.settimeout(20)
        self.sock.bind((0, 0))
        self.seq = 0
        self.warning = ""   # extended ack of the last request that was done
        self.family = GENL_ID_CTRL
        reply = self.call(CTRL_CMD_GETFAMILY, attr(
            CTRL_ATTR_FAMILY_NAME, family.encode() + b"\0"))
        self.family = struct.unpack(
            "=H", dict(parse_attrs(reply[0]))[CTRL_ATTR_FAMILY_ID])[0]

    def send(self, cmd, payload=b"", flags=NLM_F_REQUEST | NLM_F_ACK,
             version=1, length=None, family=None):
        self.seq += 1
        body = struct.pack("=BBH", cmd & 0xff, version, 0) + payload
        size = 16 + len(body) if length is None else length
        header = struct.pack("=IHHII", size & 0xffffffff,
                             family or self.family, flags, self.seq, 0)
        self.sock.send(header + body)
        return self.seq

    def receive(self):
        """Messages of the answer to the last request; raises Error. A fuzzer may have asked
        for events, too, and these have no number."""
        messages = []
        while True:
            data = self.sock.recv(1 << 20)
            while len(data) >= 16:
                size, kind, _, seq, _ = struct.unpack_from("=IHHII", data)
                payload, data = data[16:size], data[(size + 3) & ~3:]
                if seq != self.seq:
                    continue
                if kind == NLMSG_DONE:
                    return messages
                if kind == NLMSG_ERROR:
                    code, = struct.unpack_from("=i", payload)
                    said = dict(parse_attrs(payload[20:])).get(1, b"").rstrip(
                        b"\0").decode(errors="replace")
                    self.warning = said
                    if code:
                        raise Error(-code, said)
                    return messages
                messages.append(payload[4:])

    def call(self, cmd, payload=b"", flags=NLM_F_REQUEST | NLM_F_ACK, **kw):
        self.send(cmd, payload, flags, **kw)
        return self.receive()


def address(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def service(c, proto, addr, port, *more, last=None):
    """An NFLB_A_SERVICE attribute; more are attributes within it."""
    items = [attr(c["NFLB_A_SERVICE_PROTOCOL"], bytes([proto])),
             attr(c["NFLB_A_SERVICE_ADDRESS"], address(addr)),
             attr(c["NFLB_A_SERVICE_PORT"], struct.pack("!H", port))]
    if last is not None:
        items.append(attr(c["NFLB_A_SERVICE_PORT_LAST"],
                          struct.pack("!H", last)))
    return attr(c["NFLB_A_SERVICE"], items + list(more))


def backend(c, addr, port, weight=None, *more):
    items = [attr(c["NFLB_A_BACKEND_ADDRESS"], address(addr)),
             attr(c["NFLB_A_BACKEND_PORT"], struct.pack("!H", port))]
    if weight is not None:
        items.append(attr(c["NFLB_A_BACKEND_WEIGHT"],
                          struct.pack("=I", weight)))
    return attr(c["NFLB_A_BACKEND"], items + list(more))


__all__ = [name for name in dir() if not name.startswith("_")] + ["errno"]
