#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""flows.py SOURCE VIP PORT COUNT: one datagram each of COUNT UDP flows.

By a raw socket: a thousand ports of each of as many source addresses as it
takes, counted up from SOURCE. Slow enough that none is dropped on the way.
"""
import ipaddress
import socket
import struct
import sys

source = int(ipaddress.IPv4Address(sys.argv[1]))
vip = ipaddress.IPv4Address(sys.argv[2]).packed
port, count = int(sys.argv[3]), int(sys.argv[4])

with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
    for i in range(count):
        # No UDP checksum; the kernel makes the header's
        s.sendto(struct.pack("!BBHHHBBHI4sHHHH", 0x45, 0, 28, 0, 0, 64, 17, 0,
                             source + i // 1000, vip, 10000 + i % 1000, port,
                             8, 0), (str(ipaddress.IPv4Address(vip)), 0))
