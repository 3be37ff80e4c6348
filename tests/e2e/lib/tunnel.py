# SPDX-License-Identifier: GPL-2.0
"""Packets within packets: what mode dsr sends, taken apart and checked."""

import struct

from rawnet import ETH, Frame, V4, V6, checksum

GUE_PORT = 6080
OVERHEAD = {"ipip": 0, "gre": 4, "gue": 8}


def overhead(encap, outer):
    if encap == "none":
        return 0
    return OVERHEAD[encap] + (40 if outer.v6 else 20)


class Outer:
    """The outer headers of a frame, and the packet inside, as a Frame."""

    def __init__(self, frame, encap, outer, inner, port=GUE_PORT):
        self.frame, ip = frame, frame.ip
        assert frame.v6 == outer.v6, "outer family"
        if outer.v6:
            word, length, self.proto, self.ttl = struct.unpack_from(
                "!IHBB", ip)
            self.tos, self.label = word >> 20 & 0xff, word & 0xfffff
            self.src, self.dst, off = ip[8:24], ip[24:40], 40
            self.df = True
            assert length + 40 == len(ip), "outer length"
        else:
            (first, self.tos, length, self.id, frag, self.ttl,
             self.proto) = struct.unpack_from("!BBHHHBB", ip)
            assert first == 0x45, "outer options"
            assert checksum(ip[:20]) == 0xffff, "outer header checksum"
            assert length == len(ip), "outer length"
            assert not frag & 0x3fff, "outer fragment"
            self.src, self.dst, off = ip[12:16], ip[16:20], 20
            self.df, self.label = bool(frag & 0x4000), None
        own = 41 if inner.v6 else 4
        self.sport = None
        if encap == "gre":
            assert self.proto == 47
            assert ip[off:off + 4] == (b"\0\0\x86\xdd" if inner.v6
                                       else b"\0\0\x08\0"), "GRE header"
            off += 4
        elif encap == "gue":
            assert self.proto == 17
            self.sport, dport, length, check = struct.unpack_from(
                "!HHHH", ip, off)
            assert dport == port and length == len(ip) - off
            self.check_udp(off, check)
            off += 8
        else:
            assert self.proto == own
        start = frame.start - off if frame.partial else 0
        flags = frame.flags
        if start < 0 or (frame.partial and start < ETH):
            flags, start = 0, 0     # the outer checksum is what is left
        self.inner = Frame(bytes(ETH) + ip[off:], (
            flags, frame.gso, 0, frame.gso_size, start,
            frame.off if flags else 0))

    def check_udp(self, off, check):
        """None over IPv4, right over IPv6, whoever is to complete it."""
        f = self.frame
        if not f.v6:
            assert check == 0, "outer UDP checksum"
            return
        assert check, "no outer UDP checksum"
        if f.gso:
            return
        data = bytearray(f.ip)
        if f.partial:
            at = f.start - ETH
            total = ~checksum(bytes(data[at:])) & 0xffff
            data[at + f.off:at + f.off + 2] = struct.pack("!H", total)
        pseudo = f.ip[8:40] + struct.pack("!II", len(data) - off, 17)
        assert checksum(pseudo + bytes(data[off:])) == 0xffff, \
            "outer UDP checksum"


def same_but_ttl(frame, sent):
    """One hop less, and not a byte else; a checksum left to the device is
    compared as zero."""
    got, want = bytearray(frame.ip), bytearray(bytes(sent))
    if frame.v6:
        want[7] -= 1
    else:
        want[8] -= 1
        want[10:12] = b"\0\0"
        ihl = (want[0] & 15) * 4
        want[10:12] = struct.pack("!H", ~checksum(bytes(want[:ihl])) & 0xffff)
    if frame.partial:
        at = frame.start - ETH + frame.off
        got[at:at + 2] = want[at:at + 2] = b"\0\0"
    assert got == want, "got  %s\nwant %s" % (got.hex(), want.hex())


def flavours(encaps=("ipip", "gre", "gue")):
    """(encap, family inside, family outside)"""
    return [(e, i, o) for e in encaps for i in (V4, V6) for o in (V4, V6)]
