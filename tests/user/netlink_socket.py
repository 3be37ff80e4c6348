# SPDX-License-Identifier: GPL-2.0
"""Requests to the module over generic netlink, without lbadm."""

import socket
import struct

from netlink_attributes import N, attr, attributes

CTRL, REQUEST, ACK, DUMP = 16, 1, 4, 0x300
SOL_NETLINK, EXT_ACK, CAP_ACK = 270, 11, 10


class Netlink:
    """A socket to the module, in this network namespace.
    @family: of nflb; without it, the kernel is asked for it"""

    def __init__(self, family=None):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.setsockopt(SOL_NETLINK, EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, CAP_ACK, 1)
        self.sock.bind((0, 0))
        self.seq = 0
        self.family = family or CTRL
        if family:
            return
        got = self.talk(3, attr(2, b"nflb\0"))[2][0]
        self.family = struct.unpack("=H", got[1])[0]
        self.groups = {}
        for _, _, group in attributes(got[7]):
            of = {k: p for k, _, p in attributes(group)}
            self.groups[of[1][:-1].decode()] = struct.unpack("=I", of[2])[0]

    def message(self, cmd, *attrs, flags=0):
        self.seq += 1
        payload = struct.pack("=BBH", cmd, 1, 0) + b"".join(attrs)
        return struct.pack("=IHHII", 16 + len(payload), self.family,
                           REQUEST | flags, self.seq, 0) + payload

    def talk(self, cmd, *attrs, flags=ACK):
        """(errno, text, [attributes of answers])"""
        self.sock.send(self.message(cmd, *attrs, flags=flags))
        answers = []
        while True:
            data = self.sock.recv(65536)
            while data:
                length, what, how, _, _ = struct.unpack_from("=IHHII", data)
                body, data = data[16:length], data[(length + 3) & ~3:]
                if what in (2, 3):
                    error = -struct.unpack_from("=i", body)[0] if body else 0
                    texts = [p[:-1].decode() for k, _, p in attributes(
                        body[20 if what == 2 else 4:]) if k == 1] if how & 0x200 else []
                    return error, "".join(texts), answers
                answers.append({k: p for k, _, p in attributes(body[4:])})

    def nflb(self, cmd, *attrs, **kw):
        return self.talk(N["CMD_" + cmd], *attrs, **kw)
