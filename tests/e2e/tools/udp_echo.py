#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""udp_echo.py NAME PORT: answer each datagram with "NAME DATAGRAM", from the
address that was asked."""
import socket
import sys

IPV6_RECVPKTINFO, IPV6_PKTINFO = 49, 50

name, port = sys.argv[1].encode(), int(sys.argv[2])
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
sock.bind(("::", port))
while True:
    data, info, _flags, peer = sock.recvmsg(65535, 256)
    # Of struct in6_pktinfo the address alone: which way is the route's business
    asked = [(level, kind, value[:16] + bytes(4)) for level, kind, value in info
             if kind == IPV6_PKTINFO]
    sock.sendmsg([name + b" " + data], asked, 0, peer)
