#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""dns_server.py PORT: answer each query with NOERROR and no records, over UDP and TCP,
from the address that was asked."""
import socket
import struct
import sys
import threading

IPV6_RECVPKTINFO, IPV6_PKTINFO = 49, 50
PORT = int(sys.argv[1])


def answer(query):
    return query[:2] + b"\x81\x80" + query[4:]


def bound(kind):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", PORT))
    return sock


def udp():
    sock = bound(socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    while True:
        query, info, _flags, peer = sock.recvmsg(512, 256)
        # Of struct in6_pktinfo the address alone
        asked = [(level, kind, value[:16] + bytes(4)) for level, kind, value in info
                 if kind == IPV6_PKTINFO]
        sock.sendmsg([answer(query)], asked, 0, peer)


def tcp():
    listener = bound(socket.SOCK_STREAM)
    listener.listen(64)
    while True:
        sock = listener.accept()[0]
        with sock, sock.makefile("rb") as stream:
            length = stream.read(2)
            query = stream.read(struct.unpack("!H", length)[0]) if len(length) == 2 else b""
            if query:
                sock.sendall(struct.pack("!H", len(query)) + answer(query))


threading.Thread(target=udp, daemon=True).start()
tcp()
