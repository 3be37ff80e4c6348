#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Root of a user namespace, who wants the host to suffer: rogue.py SECONDS SEED

Run by `unshare -Urn` as nobody. Everything that such a user can do with the module,
at random and several at a time: services of thousands of backends with Maglev tables
that are built again and again, tables full of connections and remembered clients,
fragments that wait, floods, many namespaces, devices that come and go, routes with
tiny MTUs, readers that do not read, malformed messages.

NFLB_USER_WITHOUT: names of actions to leave out, separated by commas.
"""
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time

SECONDS, SEED = float(sys.argv[1]), int(sys.argv[2])
HERE = os.path.dirname(os.path.abspath(__file__))
LBADM, FLOOD = os.environ["LBADM"], os.environ["NFLB_FLOOD"]
rng = random.Random(SEED)
end = time.monotonic() + SECONDS
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
         "stderr": subprocess.DEVNULL}


def sh(text, **kw):
    return subprocess.run(["sh", "-c", text], **QUIET, **kw)


def lbadm(*args, batch=None):
    if batch is None:
        return subprocess.run([LBADM, *map(str, args)], **QUIET)
    return subprocess.run([LBADM, "-b", "-"], input="\n".join(batch), text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def left():
    return max(0.1, end - time.monotonic())


def setup():
    """A balancer with an address, and beside it a host in a namespace of its own."""
    sh("ip link set lo up; ip link add v0 type veth peer name v1; "
       "ip addr add 10.9.0.1/24 dev v0; ip -6 addr add 2001:db8:9::1/64 dev v0 nodad; "
       "ip link set v0 up; ip addr add 10.9.9.9/32 dev lo; "
       "sysctl -qw net.ipv4.ip_forward=1")
    host = subprocess.Popen(["unshare", "-n", "sleep", "100000"], **QUIET)
    time.sleep(0.2)
    sh("ip link set v1 netns %d; nsenter -t %d -n sh -c 'ip link set lo up; "
       "ip addr add 10.9.0.2/24 dev v1; ip link set v1 up'" % (host.pid, host.pid))
    return host


def datagrams(address, ports, size=8, dont_fragment=True):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        if not dont_fragment:
            s.setsockopt(socket.IPPROTO_IP, 10, 0)
        for port in ports:
            try:
                s.sendto(bytes(size), (address, port))
            except OSError:
                pass


# Actions; each in a process with a network namespace of its own

def do_maglev(host):
    """Tables of many backends of very different weights, again and again."""
    vip, count = "tcp 10.9.9.9:80", rng.choice((256, 1024, 4096))
    lbadm(batch=["service add %s scheduler maglev" % vip] + [
        "backend add %s 10.%d.%d.%d weight %d" % (
            vip, 16 + (i >> 16), i >> 8 & 255, i & 255, 65535 if not i else 1)
        for i in range(count)])
    for _ in range(5):
        sh("sysctl -qw net.nflb.maglev_table_size=%d" % rng.choice(
            (131071, 1048573, 65537)))
        sh("sysctl -qw net.nflb.hash_seed=%d" % rng.randrange(1 << 31))
        lbadm("device", "add", "v0")
        lbadm("backend", "set", *vip.split(), "10.16.0.1", "weight",
              rng.randrange(65536))


def do_services(host):
    lbadm(batch=["service add udp 10.9.%d.%d:%d" % (i >> 8, i & 255, 1 + i % 9)
                 for i in range(rng.choice((300, 3000)))])
    lbadm("-s", "service", "show")
    lbadm("stats", "show")


def do_connections(host):
    for scheduler in ("rr", "source"):
        lbadm("service", "replace", "udp", "10.9.9.9:*", "scheduler", scheduler,
              "persist", "1000")
        lbadm("backend", "add", "udp", "10.9.9.9:*", "10.9.0.2")
        for _ in range(3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
                datagrams("10.9.9.9", range(1, 65536))
    lbadm("connection", "flush")


def do_namespaces(host):
    """As many as there may be, each with connections of its own."""
    script = ("ip link set lo up; ip addr add 10.9.0.1/24 dev lo; "
              "ip addr add 10.9.9.9/32 dev lo; %s service add udp '10.9.9.9:*' "
              "persist 1000; %s backend add udp '10.9.9.9:*' 10.9.0.1; "
              "exec python3 -c 'import socket, time\n"
              "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "s.setblocking(False)\n"
              "for p in range(1, 20000):\n"
              " try: s.sendto(b\"x\", (\"10.9.9.9\", p))\n"
              " except OSError: pass\n"
              "time.sleep(5)'" % (LBADM, LBADM))
    some = [subprocess.Popen(["unshare", "-n", "sh", "-c", script], **QUIET)
            for _ in range(rng.choice((3, 20)))]
    time.sleep(min(left(), 8))
    for p in some:
        p.kill()
        p.wait()


def do_flood(host):
    lbadm("service", "add", "tcp", "10.9.9.9:80", "persist", "1000")
    lbadm("backend", "add", "tcp", "10.9.9.9:80", "10.9.0.2:80")
    lbadm("service", "add", "udp", "10.9.9.9:80")
    lbadm("backend", "add", "udp", "10.9.9.9:80", "10.9.0.2:80")
    mac = open("/sys/class/net/v0/address").read().strip() if os.path.exists(
        "/sys/class/net/v0/address") else subprocess.run(
            "ip -o link show v0 | sed 's/.*ether \\([^ ]*\\).*/\\1/'", shell=True,
            stdout=subprocess.PIPE, text=True).stdout.strip()
    for kind in rng.sample(["syn", "synack", "udp", "fragment", "icmp"], 3):
        subprocess.run(["nsenter", "-t", str(host.pid), "-n", FLOOD, kind, "30000",
                        str(rng.randrange(1000)), "v1", mac, "10.9.9.9", "80"],
                       **QUIET)


def do_mtu(host):
    """A route whose MTU is less than the headers that go on top."""
    sh("ip route add 10.9.0.2/32 dev v0 mtu %d; "
       "sysctl -qw net.nflb.encap_fragment_inside=1" % rng.randrange(1, 120))
    for encap in ("ipip", "gre", "gue"):
        lbadm("service", "replace", "udp", "10.9.9.9:53", "mode", "dsr", "encap",
              encap)
        lbadm("backend", "add", "udp", "10.9.9.9:53", "10.9.0.2")
        datagrams("10.9.9.9", [53] * 10, 200, dont_fragment=False)


def do_devices(host):
    lbadm("service", "add", "udp", "10.9.9.9:53")
    for i in range(10):
        sh("ip link add d%d type dummy; ip link set d%d up" % (i, i))
        lbadm("device", "add", "d%d" % i)
    sh("for i in 0 1 2 3 4 5 6 7 8 9; do ip link del d$i; done")
    for _ in range(5):
        lbadm("device", "add", "lo")
        lbadm("device", "del", "lo")


def do_readers(host):
    """Events and dumps that nobody reads."""
    lbadm(batch=["service add udp 10.9.9.9:%d" % (i + 1) for i in range(500)])
    some = []
    for words in (["monitor", "config", "connections"], ["-s", "service", "show"],
                  ["connection", "show"]) * 5:
        p = subprocess.Popen([LBADM, *words], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        p.send_signal(signal.SIGSTOP)
        some.append(p)
    lbadm("config", "flush")
    datagrams("10.9.9.9", range(1, 3000))
    for p in some:
        p.kill()
        p.wait()


def do_messages(host):
    # In a namespace of its own: it has devices of the same names
    subprocess.run(["unshare", "-n", sys.executable, os.path.join(
        HERE, "../fuzz/netlink_state.py"), "3000", str(rng.randrange(1 << 30))],
        **QUIET)


def do_log(host):
    """What could be written to the host's log."""
    for _ in range(20):
        sh("sysctl -qw net.nflb.maglev_table_size=%d; "
           "sysctl -qw net.nflb.max_connections=%d" % (
               rng.randrange(1 << 20), rng.randrange(1 << 31)))
        lbadm("device", "add", "nosuch")
        lbadm("laddr", "add", "10.9.0.1-10.9.15.250")
        with open(os.devnull, "w"):
            sh("cat /proc/net/nflb/*")


def one(action, seed):
    """In a process, whose namespace ends with it."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    rng.seed(seed)
    status = 1
    try:
        unshare_net()
        host = setup()
        try:
            action(host)
        finally:
            host.kill()
        status = 0
    except Exception as error:
        print("rogue: %s: %r" % (action.__name__, error), file=sys.stderr)
    os._exit(status)


def unshare_net():
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):
        raise OSError(ctypes.get_errno(), "unshare")


def main():
    without = os.environ.get("NFLB_USER_WITHOUT", "").split(",")
    actions = [f for n, f in sorted(globals().items())
               if n.startswith("do_") and n[3:] not in without]
    counts, running = {}, {}
    while time.monotonic() < end or running:
        while len(running) < 3 and time.monotonic() < end:
            # Each once, then any
            action = actions[len(counts)] if len(counts) < len(actions) \
                else rng.choice(actions)
            counts[action.__name__] = counts.get(action.__name__, 0) + 1
            running[one(action, rng.randrange(1 << 30))] = action
        if time.monotonic() > end + 5:
            for pid in running:
                try:
                    os.killpg(pid, signal.SIGKILL)
                except OSError:
                    pass
        pid, _ = os.waitpid(-1, os.WNOHANG)
        running.pop(pid, None)
        if not pid:
            time.sleep(0.05)
    print(", ".join("%s %d" % (n[3:], c) for n, c in sorted(counts.items())))


main()
