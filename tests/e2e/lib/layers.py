# SPDX-License-Identifier: GPL-2.0
"""The layers of scapy that cases need. scapy.all has every protocol: it takes three
times as long to import, and takes random bytes from or to a known port for a
protocol of its own."""
# pylint: disable=unused-wildcard-import,wildcard-import
from scapy.layers.inet import *  # noqa: F401,F403
from scapy.layers.inet6 import *  # noqa: F401,F403
from scapy.packet import Raw  # noqa: F401
from scapy.plist import PacketList  # noqa: F401
from scapy.utils import checksum  # noqa: F401
