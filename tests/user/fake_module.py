# SPDX-License-Identifier: GPL-2.0
"""The module's side of the netlink protocol, played for lbadm: fake_mnl.c
brings here what lbadm would send to the kernel."""

import os
import socket
import struct
import subprocess

from netlink_attributes import N, a, attr, attributes

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "../../userspace/build")
LBADM = os.environ.get("LBADM", BUILD + "/lbadm")
FAKE_BPF = os.environ.get("FAKE_BPF", BUILD + "/test/fake_bpf.so")
FAKE_NFT = os.environ.get("FAKE_NFT", BUILD + "/test/fake_nft.so")
FAKE_MNL = os.environ.get("FAKE_MNL", BUILD + "/test/fake_mnl.so")

for needed in LBADM, FAKE_BPF, FAKE_NFT, FAKE_MNL:
    if not os.path.exists(needed):
        raise FileNotFoundError("%s is missing: run make -C userspace check" % needed)

NLMSG_ERROR, NLMSG_DONE, GENL_ID_CTRL, FAMILY = 2, 3, 16, 30
REQUEST, MULTI, ACK, DUMP_INTR, DUMP = 0x1, 0x2, 0x4, 0x10, 0x300
CAPPED, ACK_TLVS = 0x100, 0x200
GROUPS = {"config": 5}


def stats(connections=0, active=0, packets=(0, 0), octets=(0, 0), drops=None):
    """@drops: None is as an older module, and as the totals"""
    counted = [] if drops is None else [a("A_STATS_DROPS", drops)]
    return counted + [a("A_STATS_CONNECTIONS", connections),
            a("A_STATS_ACTIVE", active),
            a("A_STATS_PACKETS_IN", packets[0]),
            a("A_STATS_PACKETS_OUT", packets[1]),
            a("A_STATS_BYTES_IN", octets[0]),
            a("A_STATS_BYTES_OUT", octets[1])]


class Request:
    def __init__(self, data):
        (_, self.type, self.flags, self.seq, _, self.cmd,
         self.version) = struct.unpack_from("=IHHIIBB", data)
        self.attributes = attributes(data[20:])

    def message(self, cmd, *attrs, flags=0):
        return message(cmd, *attrs, seq=self.seq, flags=flags)

    def header(self):
        return struct.pack("=IHHII", 16, self.type, self.flags, self.seq, 0)

    def error(self, number=0, text=None):
        """An ack, or a refusal with or without the kernel's words."""
        payload = struct.pack("=i", -number) + self.header()
        flags = CAPPED
        if text is not None:
            flags |= ACK_TLVS
            payload += attr(1, text.encode() + b"\0")
        return struct.pack("=IHHII", 16 + len(payload), NLMSG_ERROR, flags,
                           self.seq, 0) + payload

    def done(self, number=0, text=None, flags=MULTI):
        payload = struct.pack("=i", -number)
        if text is not None:
            flags |= ACK_TLVS
            payload += attr(1, text.encode() + b"\0")
        return struct.pack("=IHHII", 16 + len(payload), NLMSG_DONE, flags,
                           self.seq, 0) + payload


def message(cmd, *attrs, seq=0, flags=0):
    payload = struct.pack("=BBH", N["CMD_" + cmd], 1, 0) + b"".join(attrs)
    return struct.pack("=IHHII", 16 + len(payload), FAMILY, flags, seq,
                       0) + payload


def _family(request):
    groups = [attr(i, [attr(1, name.encode() + b"\0"),
                       attr(2, struct.pack("=I", number))])
              for i, (name, number) in enumerate(GROUPS.items(), 1)]
    payload = struct.pack("=BBH", 1, 2, 0) + attr(
        1, struct.pack("=H", FAMILY)) + attr(2, b"nflb\0") + attr(7, groups)
    return struct.pack("=IHHII", 16 + len(payload), GENL_ID_CTRL, 0,
                       request.seq, 0) + payload


class Result:
    """What lbadm did; requests are those to the module."""
    status = out = err = None

    def __init__(self):
        self.requests, self.groups = [], []


def play(args, handler, stdin=None, joined=None, env=None, stdout=subprocess.PIPE,
         stderr=subprocess.PIPE, program=LBADM, loaded=True):
    """Run lbadm, or another program. handler(request) returns a list of datagrams, each bytes or an
    errno. joined(send, process) is called when lbadm has joined a group, or asked
    for events that come to it alone. env is for what else is faked. stdin is text, or
    the descriptor of a terminal; stderr likewise. stdout is a descriptor where more is
    printed than a pipe holds, or a terminal. Without loaded, there is no module."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    result = Result()

    def send(datagram):
        if isinstance(datagram, int):
            datagram = struct.pack("=i", datagram)
        ours.send(datagram)

    with ours:
        process = subprocess.Popen(
            [program, *args], pass_fds=[theirs.fileno()], text=True,
            stdin=stdin if isinstance(stdin, int) else subprocess.PIPE,
            stdout=stdout, stderr=stderr,
            env=dict(os.environ, LD_PRELOAD=":".join((FAKE_MNL, FAKE_BPF, FAKE_NFT)),
                     NFLB_FAKE_FD=str(theirs.fileno()), **(env or {})))
        theirs.close()
        if isinstance(stdin, str):
            process.stdin.write(stdin)
        if process.stdin:
            process.stdin.close()
        process.stdin = None
        ours.settimeout(20)
        while data := ours.recv(1 << 20):
            if len(data) == 4:
                result.groups.append(struct.unpack("=I", data)[0])
                if joined:
                    joined(send, process)
                continue
            request = Request(data)
            if request.type == GENL_ID_CTRL:
                answer = [_family(request), request.error()] if loaded else [request.error(2)]
            else:
                result.requests.append(request)
                answer = handler(request)
            for datagram in answer:
                send(datagram)
            if joined and request.type == FAMILY:
                joined(send, process)
        result.out, result.err = process.communicate(timeout=20)
        result.status = process.returncode
    return result
