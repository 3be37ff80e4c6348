#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""udp_echo.py NAME PORT: answer each datagram with "NAME DATAGRAM"."""
import socket
import sys

name, port = sys.argv[1].encode(), int(sys.argv[2])
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
sock.bind(("::", port))
while True:
    data, peer = sock.recvfrom(65535)
    sock.sendto(name + b" " + data, peer)
