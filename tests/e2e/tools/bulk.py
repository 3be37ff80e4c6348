#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""So many bytes of TCP, or datagrams of UDP, there and back, and nothing else.

    bulk.py serve ADDRESS PORT        both; ADDRESS may be ::, of both families
    bulk.py tcp ADDRESS PORT BYTES
    bulk.py udp ADDRESS PORT BURSTS   each of COUNT datagrams, sent as one if possible
"""
import errno
import socket
import sys
import threading

UDP_SEGMENT = 103
COUNT, SIZE = 20, 1200
PATIENCE = 60


def receive_all(sock):
    count = 0
    while data := sock.recv(1 << 20):
        count += len(data)
    return count


def send_burst(sock, peer):
    """The last datagram is shorter."""
    data = b"x" * ((COUNT - 1) * SIZE + 100)
    try:
        sock.sendmsg([data], [(socket.IPPROTO_UDP, UDP_SEGMENT,
                               SIZE.to_bytes(2, sys.byteorder))], 0, peer)
    except OSError as e:
        # The device leaves checksums to the sender.
        if e.errno != errno.EIO:
            raise
        for at in range(0, len(data), SIZE):
            sock.sendto(data[at:at + SIZE], peer)


def receive_burst(sock):
    """Returns who sent it."""
    sizes = []
    while len(sizes) < COUNT:
        data, peer = sock.recvfrom(65536)
        sizes.append(len(data))
    assert sorted(sizes) == [100] + [SIZE] * (COUNT - 1), sizes
    return peer


def opened(address, kind):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    if address == "::":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return sock


def serve_udp(address, port):
    sock = opened(address, socket.SOCK_DGRAM)
    sock.bind((address, port))
    while True:
        send_burst(sock, receive_burst(sock))


def serve_tcp(address, port):
    sock = opened(address, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen()
    while True:
        conn, _ = sock.accept()
        with conn:
            conn.sendall(b"y" * receive_all(conn))


def main():
    what, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if what == "serve":
        threading.Thread(target=serve_udp, args=(address, port)).start()
        serve_tcp(address, port)
    elif what == "tcp":
        size = int(sys.argv[4])
        sock = opened(address, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        sock.connect((address, port))
        sock.sendall(b"x" * size)
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == size
    else:
        sock = opened(address, socket.SOCK_DGRAM)
        sock.settimeout(PATIENCE)
        for _ in range(int(sys.argv[4])):
            send_burst(sock, (address, port))
            receive_burst(sock)


if __name__ == "__main__":
    main()
