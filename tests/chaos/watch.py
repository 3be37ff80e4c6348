#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""How long does the host wait, and what memory goes? watch.py CGROUP COMMAND...

While COMMAND runs (in CGROUP, if that is not "-"), a device of this namespace is set
up and down by rtnetlink, which takes RTNL, at the highest priority. A second process
looks at the clock every few milliseconds: when it was kept waiting, too, then the
machine stood still, and nobody held a lock. Prints name=value:

    waits         how often RTNL was taken
    worst_ms      the longest wait, less what the machine stood still meanwhile
    over_100ms    how many were longer than that
    stalled_ms    how long the machine stood still at most
    memory_mb     what the host's free memory sank by
    charged_mb    what of this CGROUP was charged with at that moment
    log_lines     lines of the module in the kernel's log
"""
import os
import socket
import struct
import subprocess
import sys
import time

TICK = 0.004
cgroup, command = sys.argv[1], sys.argv[2:]


def available():
    with open("/proc/meminfo") as f:
        for line in f:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 1024


def charged():
    if cgroup == "-":
        return 0
    with open(cgroup + "/memory.current") as f:
        return int(f.read()) / (1 << 20)


def log_lines():
    return subprocess.run("dmesg | grep -c nflb", shell=True, stdout=subprocess.PIPE,
                          text=True).stdout


def first():
    """The highest priority there is."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))


def ticker(pipe):
    """When it was kept from looking at the clock: pairs of times."""
    first()
    last = time.monotonic()
    while True:
        time.sleep(TICK)
        now = time.monotonic()
        if now - last > 5 * TICK:
            os.write(pipe, struct.pack("dd", last + TICK, now))
        last = now


subprocess.run(["ip", "link", "add", "watched", "type", "dummy"], check=True)
index = socket.if_nametoindex("watched")
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
sock.bind((0, 0))
UP = 1


def set_link(up):
    sock.send(struct.pack("=IHHII", 32, 16, 5, 1, 0) + struct.pack(
        "=BBHiII", 0, 0, 0, index, UP if up else 0, UP))
    sock.recv(65536)


out, pipe = os.pipe()
os.set_blocking(out, False)
os.set_blocking(pipe, False)
child = os.fork()
if not child:
    ticker(pipe)
before, lines = available(), int(log_lines())


def join():
    if cgroup != "-":
        with open(cgroup + "/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))


rogue = subprocess.Popen(command, preexec_fn=join)
first()
waits, least, at_least, n = [], before, 0, 0
while rogue.poll() is None:
    n += 1
    start = time.monotonic()
    set_link(n & 1)
    waits.append((start, time.monotonic()))
    if n % 8 == 0:
        now = available()
        if now < least:
            least, at_least = now, charged()
    time.sleep(0.02)
time.sleep(0.05)
os.kill(child, 9)
os.waitpid(child, 0)
stalls = []
try:
    while data := os.read(out, 16):
        stalls.append(struct.unpack("dd", data))
except BlockingIOError:
    pass


def net(wait):
    """Of a wait, what the machine did not stand still."""
    start, end = wait
    return end - start - sum(max(0, min(end, b) - max(start, a))
                             for a, b in stalls)


worst = [net(w) for w in waits]
print("waits=%d" % len(waits))
print("worst_ms=%.0f" % (1000 * max(worst)))
print("over_100ms=%d" % sum(w > 0.1 for w in worst))
print("stalled_ms=%.0f" % (1000 * max([b - a for a, b in stalls], default=0)))
print("memory_mb=%.0f" % (before - least))
print("charged_mb=%.0f" % at_least)
print("log_lines=%d" % (int(log_lines()) - lines))
sys.exit(rogue.returncode)
