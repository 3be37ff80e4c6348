#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Count the TCP packets of a port as they are on the wire: one that stands for several
counts as the segments that its sender would have made of it.

    wire_count.py DEV PORT

Until SIGTERM. Then it prints packets and network-layer bytes to the port, and from it;
and to standard error the length of the longest packet.
"""
import errno
import signal
import socket
import struct
import sys

ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS, PACKET_VNET_HDR = 3, 263, 6, 15
SO_RCVBUFFORCE = 33
VNET_LEN, ETH_LEN, SNAP = 10, 14, 256
TCP, HOP_BY_HOP = 6, 0


def parse(packet, length, size):
    """(source port, destination port, packets, bytes), or None when it is not TCP.
    @size: of its segments, 0 when it is one"""
    jumbo = 0
    if packet[0] >> 4 == 4:
        proto, l4 = packet[9], (packet[0] & 15) * 4
    else:
        proto, l4 = packet[6], 40
        # Of BIG TCP: no segment has it
        if proto == HOP_BY_HOP:
            proto, l4, jumbo = packet[40], 48, 8
    if proto != TCP:
        return None
    header = l4 + (packet[l4 + 12] >> 4) * 4
    data = length - header
    packets = max(-(-data // size), 1) if size else 1
    return (*struct.unpack_from("!HH", packet, l4), packets,
            data + packets * (header - jumbo))


def receive(sock, buf):
    """The next packet, its length and its segments' length; or None."""
    try:
        length = sock.recv_into(buf, SNAP, socket.MSG_TRUNC)
    except socket.timeout:
        return None
    except OSError as e:
        # Merged datagrams have no such header in Linux 6.1.
        if e.errno != errno.EINVAL:
            raise
        return b"\0" * 60, 60, 0
    kind, size = buf[1], struct.unpack_from("=H", buf, 4)[0]
    return (bytes(buf[VNET_LEN + ETH_LEN:]), length - VNET_LEN - ETH_LEN,
            size if kind else 0)


def main():
    dev, port = sys.argv[1], int(sys.argv[2])
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.bind((dev, ETH_P_ALL))
    sock.settimeout(0.2)
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    print("ready", file=sys.stderr, flush=True)
    counts, longest = {"to": [0, 0], "from": [0, 0]}, 0
    buf = bytearray(SNAP)
    while True:
        got = receive(sock, buf)
        if not got:
            if stop:
                break
            continue
        seen = parse(*got)
        if not seen or port not in seen[:2]:
            continue
        count = counts["to" if seen[1] == port else "from"]
        longest = max(longest, got[1])
        count[0] += seen[2]
        count[1] += seen[3]
    lost = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS,
                                               8))[1]
    if lost:
        sys.exit("%d packets were not seen" % lost)
    print("longest", longest, file=sys.stderr)
    print(*counts["to"], *counts["from"])


if __name__ == "__main__":
    main()
