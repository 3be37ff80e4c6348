#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Let all veth devices of this namespace carry packets of that many bytes.

    big_tcp.py BYTES

iproute2 6.1 knows gso_max_size only, which counts for IPv6.
"""
import os
import socket
import struct
import sys

RTM_NEWLINK, NLM_F_REQUEST_ACK, NLMSG_ERROR = 16, 5, 2
# if_link.h: IFLA_{GSO,GRO}_MAX_SIZE, IFLA_{GSO,GRO}_IPV4_MAX_SIZE
ATTRIBUTES = (41, 58, 63, 64)


def set_size(index, attribute, size):
    body = struct.pack("=BxHiII", 0, 0, index, 0, 0)
    body += struct.pack("=HHI", 8, attribute, size)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK,
                           NLM_F_REQUEST_ACK, 1, 0) + body)
        answer = s.recv(65536)
    return struct.unpack_from("=i", answer, 16)[0]


for index, name in socket.if_nameindex():
    if name == "lo" or not name.startswith("to-"):
        continue
    for attribute in ATTRIBUTES:
        error = set_size(index, attribute, int(sys.argv[1]))
        if error and attribute == ATTRIBUTES[0]:
            sys.exit("%s: %s" % (name, os.strerror(-error)))
