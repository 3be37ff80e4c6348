#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: default
# topology: none
"""Each allocation fails once, in the packet path, when the module is loaded and when
namespaces begin: nothing is left behind, and afterwards everything works. Requests
have that in 65-no-memory. Debug kernels only (failslab); where pages can be made to
fail as well (uml-gcov), they are.

A packet's allocations are made by softirqs, for which fail-nth does nothing: there,
the one fails that comes after so many bytes. What an operation allocates is tried in
steps of NFLB_FAULT_STEP bytes (default: 128; 32 meets each). Of loading and namespaces
each allocation fails whose number is a multiple of NFLB_FAULT_STRIDE (default: 16; 1
meets each).

NFLB_FAULT_CASES: names of cases, or how they begin (default: all).

The last case counts. What the packet path allocates itself does not warn when it fails;
of the rest the kernel prints who wanted it.
"""

import ctypes
import os
import re
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "lib"), os.path.join(here, "../fuzz")]
import genl  # noqa: E402
from rawnet import FAMILIES, Suite, netns, run, sc  # noqa: E402

DEBUG = "/sys/kernel/debug/"
KNOBS = [k for k in ("failslab", "fail_page_alloc") if os.path.isdir(DEBUG + k)]
STEP = int(os.environ.get("NFLB_FAULT_STEP", "128"))
STRIDE = int(os.environ.get("NFLB_FAULT_STRIDE", "16"))
MODULE = os.environ.get("NFLB_MODULE")
SPLAT = re.compile(r"BUG:|WARNING:|KASAN:|Oops|suspicious RCU|ODEBUG|refcount_t:"
                   r"|still has objects|Kernel panic|bad unlock|possible ")
# The kernel warns itself when it has no memory for a module's tracepoints
TRACE_EVENTS = "kernel/trace/trace_events.c"
# User Mode Linux is not sure of its frames and says "?": the first counts
FRAME = re.compile(r"([\w.]+)\+0x([0-9a-f]+)/0x[0-9a-f]+ \[nflb\]")

suite = Suite("faults")
FLUSH = genl.constants()["NFLB_CMD_CONN_FLUSH"]
sites = {}          # function+offset -> failures
fired = warned = 0
kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)


def write(path, value):
    with open(path, "w") as f:
        f.write(str(value))


def read_log():
    """Notes where allocations failed; the rest must be no complaint."""
    global warned
    inside = site = None
    while True:
        try:
            text = os.read(kmsg, 8192).decode(errors="replace")
        except BlockingIOError:
            break
        except BrokenPipeError:     # some lines were overwritten
            continue
        line = text.split(";", 1)[-1].split("\n")[0]
        if "FAULT_INJECTION" in line:
            warned += 1
            inside, site = True, None
        elif SPLAT.search(line) and TRACE_EVENTS not in line:
            raise AssertionError("the kernel: " + line)
        elif inside:
            m = FRAME.search(line)
            if m:
                site = "%s+0x%s" % (m.group(1), m.group(2))
                sites[site] = sites.get(site, 0) + 1
                inside = False


def fires(did):
    """Counts an allocation that failed."""
    global fired
    fired += did
    read_log()
    return did


def prepare():
    for knob in KNOBS:
        for name, value in (("verbose", 2), ("verbose_ratelimit_interval_ms", 0),
                            ("ignore-gfp-wait", "N"), ("interval", 1),
                            ("probability", 0), ("min-order", 0)):
            if os.path.exists(DEBUG + knob + "/" + name):
                write(DEBUG + knob + "/" + name, value)
    write("/proc/sys/kernel/printk", "1")
    os.lseek(kmsg, 0, os.SEEK_END)


probability = {k: os.open(DEBUG + k + "/probability", os.O_WRONLY) for k in KNOBS}


def failing(knob, space, function):
    """Run it; the first allocation beyond so many bytes fails. Did one?"""
    path = DEBUG + knob
    write(path + "/times", 1)
    write(path + "/space", space)
    os.write(probability[knob], b"100")
    try:
        function()
    except (OSError, AssertionError):
        pass
    finally:
        os.write(probability[knob], b"0")
    with open(path + "/times") as f:
        return fires(int(f.read()) == 0)


# --- operations of the packet path: each sends what it is about ------------------

def tcp(f, flags, sport=4000, dport=80, src=None, dst=None, seq=1, ack=0, data=b""):
    return f.packet(src or f.client, dst or f.vip) / sc.TCP(
        sport=sport, dport=dport, flags=flags, seq=seq, ack=ack) / data


def answer(net, frame, flags, seq=100, data=b""):
    """What a backend would say to a frame that it got."""
    p = frame.parse()
    t = p[sc.TCP]
    ip = sc.IPv6 if frame.v6 else sc.IP
    net.rs[0].send(ip(src=p.dst, dst=p.src) / sc.TCP(
        sport=t.dport, dport=t.sport, flags=flags, seq=seq,
        ack=t.seq + 1) / data)


def connection(net, f):
    """A TCP connection with data of both sides."""
    net.cl.send(tcp(f, "S"))
    frame = net.rs[0].receive(0.02)
    if frame:
        answer(net, frame, "SA")
    net.cl.send(tcp(f, "A", seq=2, ack=101))
    net.cl.send(tcp(f, "PA", seq=2, ack=101, data=b"GET /"))
    if frame:
        answer(net, frame, "PA", 101, b"200")
    net.cl.send(tcp(f, "FA", seq=7, ack=104))


def datagrams(net, f):
    for size in (20, 1400):
        net.cl.send(f.packet(f.client, f.vip) / sc.UDP(sport=4000, dport=80) /
                    (b"x" * size))


def fragments(net, f):
    data = bytes(f.packet(f.client, f.vip) / sc.UDP(sport=4000, dport=80) /
                 (b"x" * 1200))
    whole = sc.IPv6(data) if f.v6 else sc.IP(data)
    if f.v6:
        parts = sc.fragment6(sc.IPv6(src=f.client, dst=f.vip) /
                             sc.IPv6ExtHdrFragment(id=7) /
                             sc.UDP(sport=4000, dport=80) / (b"x" * 1200), 600)
    else:
        parts = sc.fragment(whole, 512)
    for part in parts:
        net.cl.send(part)


def errors(net, f):
    """Errors about a connection, and what the balancer says itself."""
    net.cl.send(tcp(f, "S"))
    frame = net.rs[0].receive(0.02)
    if frame:
        quoted = frame.parse()
        src = f.backends[0]
        if frame.v6:
            head = f.packet(src, quoted.src) / sc.ICMPv6DestUnreach(code=4)
        else:
            head = f.packet(src, quoted.src) / sc.ICMP(type=3, code=3)
        net.rs[0].send(bytes(head / frame.ip[:60]))
    net.cl.send(f.packet(f.client, f.vip) / (
        sc.ICMPv6EchoRequest() if f.v6 else sc.ICMP()))
    net.cl.send(tcp(f, "PA", sport=4001))       # of no connection: a reset
    net.cl.send(f.packet(f.client, f.vip, ttl=1) / sc.TCP(
        sport=4002, dport=80, flags="S"))


WAYS = {
    "dnat-persist": ("tcp", connection, ["persist", "100"]),
    "fullnat-toa": ("tcp", connection, ["mode", "fullnat", "toa", "on"]),
    "fullnat-proxy": ("tcp", connection, ["mode", "fullnat", "proxy-protocol", "on"]),
    "fullnat-family": ("tcp", connection, ["mode", "fullnat", "toa", "on"]),
    "dsr": ("udp", datagrams, ["mode", "dsr"]),
    "ipip": ("udp", datagrams, ["mode", "dsr", "encap", "ipip"]),
    "gre": ("udp", datagrams, ["mode", "dsr", "encap", "gre"]),
    "gue": ("udp", datagrams, ["mode", "dsr", "encap", "gue"]),
    "fragments": ("udp", fragments, ["mode", "dnat"]),
    "icmp": ("tcp", errors, ["mode", "dnat"]),
}


@suite.case(*[(w, f) for w in WAYS for f in FAMILIES])
def packets(net, way, f):
    """Every allocation of an operation fails once; then it works."""
    proto, function, words = WAYS[way]
    vip, other = f.at(f.vip, 80), FAMILIES[f is FAMILIES[0]]
    target = other if way == "fullnat-family" else f
    if "fullnat" in way:
        try:
            net.lbadm("laddr", "add", target.lb[1])
        except AssertionError:
            pass
    net.lbadm("service", "add", proto, vip, *words)
    net.lbadm("backend", "add", proto, vip, target.backends[0])
    failures = 0
    with netns("lb"):
        sock = genl.Genl()
    for knob in KNOBS:
        space, quiet = 0, 0
        # Quiet twice, as somebody else may have allocated meanwhile
        while quiet < 3:
            quiet = 0 if failing(knob, space, lambda: function(net, f)) else quiet + 1
            failures += not quiet
            space += STEP
            sock.call(FLUSH)
            net.rs[0].flush()
            net.cl.flush()
            assert space < 1 << 17, "%s never ends" % knob
    sock.sock.close()
    assert failures > 3, failures
    function(net, f)
    frame = net.rs[0].receive(1)
    if proto == "tcp" and not frame:        # it was read by the operation
        frame = net.connections()
    assert frame, "nothing arrives afterwards"
    net.lbadm("connection", "flush")
    assert not net.connections()


# --- loading, and namespaces -------------------------------------------------------

libc = ctypes.CDLL(None, use_errno=True)
FINIT_MODULE, DELETE_MODULE, CLONE_NEWNET = 313, 176, 0x40000000


def open_nth():
    """Opened before memory is short; it is the thread's own."""
    return os.open("/proc/thread-self/fail-nth", os.O_RDWR)


def fail_nth(fd, n):
    os.pwrite(fd, b"%d" % n, 0)


def fail_nth_left(fd):
    return int(os.pread(fd, 16, 0).strip(b"\0\n ") or 0)


def each_nth(what, function, undo, most):
    """The n-th allocation of a call fails, for n in steps. Returns failures."""
    failed, n, fd = 0, STRIDE, open_nth()
    while n < most:
        fail_nth(fd, n)
        done = function()
        ran_out = fail_nth_left(fd)
        fail_nth(fd, 0)
        fires(not ran_out)
        if done:
            undo()
        if ran_out:
            os.close(fd)
            return failed
        failed += 1
        n += STRIDE
    raise AssertionError("%s fails for ever" % what)


@suite.case()
def loading(net):
    """The module is loaded whole or not at all."""
    net.clean()
    for _ in range(100):
        if not libc.syscall(DELETE_MODULE, b"nflb", 0x800):
            break
        time.sleep(0.1)
    fd = os.open(MODULE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        failed = each_nth(
            "loading", lambda: not libc.syscall(FINIT_MODULE, fd, b"", 0),
            lambda: libc.syscall(DELETE_MODULE, b"nflb", 0x800), 20000)
    finally:
        os.close(fd)
        if not os.path.isdir("/sys/module/nflb"):
            run("insmod", MODULE)
        net.__init__(net.offload)
    print("# %d of its allocations failed" % failed)
    assert failed * STRIDE >= 40, failed


@suite.case()
def namespaces(_net):
    """So does a namespace; the module's part in it comes last."""
    def count(n):
        """Of a child's unshare() the n-th allocation fails. Did one? Its namespace
        ends with it."""
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                fd = open_nth()
                fail_nth(fd, n)
                libc.unshare(CLONE_NEWNET)
                left = fail_nth_left(fd)
                fail_nth(fd, 0)
                os.write(w, b"0" if left else b"1")
            finally:
                os._exit(0)
        os.close(w)
        os.waitpid(pid, 0)
        did = os.read(r, 1) == b"1"
        os.close(r)
        return fires(did)

    # Where does it end? Then back from there: the module registered last
    high = 64
    while count(high):
        high *= 2
        assert high < 1 << 20
    low = high // 2
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (mid, high) if count(mid) else (low, mid)
    back = 60 if STRIDE > 1 else low
    failed = sum(count(n) for n in range(max(1, low - back), low + 1))
    print("# %d of %d allocations failed" % (failed, low))
    assert failed >= back // 2


@suite.case()
def sum_of_it(_net):
    """How many allocations failed, and where."""
    print("# %d allocations failed; %d of them would have warned, %d in code of the "
          "module:" % (fired, warned, sum(sites.values())))
    for site in sorted(sites):
        print("#   %s %d" % (site, sites[site]))
    assert fired > warned, "none of the module's"


if __name__ == "__main__":
    if not os.path.exists("/proc/thread-self/fail-nth") or not KNOBS:
        print("SKIPPED: this kernel cannot make allocations fail")
        sys.exit(77)
    with open("/proc/sys/kernel/printk") as printk:
        level = printk.read().split()[0]
    prepare()
    try:
        code = suite.main(sys.argv + os.environ.get("NFLB_FAULT_CASES", "").split())
    finally:
        for k in KNOBS:
            os.write(probability[k], b"0")
            write(DEBUG + k + "/verbose", 0)
        write("/proc/sys/kernel/printk", level)
    sys.exit(code)
