#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
# topology: none
"""Memory runs out, at each allocation of each request in turn, and for each
packet: what fails leaves nothing behind. Debug kernels only (failslab)."""

import os
import struct
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "lib"), os.path.join(here, "../fuzz")]
import genl  # noqa: E402
from rawnet import FAMILIES, Suite, counted, netns, sc  # noqa: E402

FAILSLAB = "/sys/kernel/debug/failslab"
FAIL_NTH = "/proc/thread-self/fail-nth"

suite = Suite("no-memory")
c = genl.constants()


def write(path, value):
    with open(path, "w") as f:
        f.write(str(value))


# Open before memory is short. There is one thread.
nth = os.open(FAIL_NTH, os.O_RDWR) if os.path.exists(FAIL_NTH) else None


def fail_nth(n):
    """The n-th allocation of this thread from now on fails; 0: none."""
    os.write(nth, b"%d" % n)


def failed_already():
    return os.pread(nth, 16, 0).strip(b"\0\n ") == b"0"


def settings(**numbers):
    return [genl.attr(c["NFLB_A_SERVICE_" + k], struct.pack("=I", v))
            for k, v in numbers.items()]


def scheduler(name):
    return genl.attr(c["NFLB_A_SERVICE_SCHEDULER"], name.encode() + b"\0")


def backends(count, weight=2):
    return genl.attr(c["NFLB_A_SERVICE_BACKENDS"], [
        genl.backend(c, "10.2.1.%d" % (i + 1), 80, weight)
        for i in range(count)])


def labels(kind, *texts):
    """Name and comment of a service or a backend"""
    return [genl.attr(c["NFLB_A_%s_%s" % (kind, key)], text + b"\0")
            for key, text in zip(("NAME", "COMMENT"), texts)]


def service(*more):
    return genl.service(c, 6, "192.0.2.77", 80, *more)


def verdict(number):
    """Unhealthy, of the backend with that id."""
    return (genl.attr(c["NFLB_A_BACKEND_ID"], struct.pack("=I", number)),
            genl.attr(c["NFLB_A_BACKEND_HEALTH"],
                      bytes([c["NFLB_HEALTH_UNHEALTHY"]])))


# It counts other requests, too.
GENERATION = {c[k] for k in ("NFLB_A_GENERATION", "NFLB_A_BOOT", "NFLB_A_PAD")}


def attributes(message):
    return [a for a in genl.parse_attrs(message) if a[0] not in GENERATION]


def state(sock):
    """The configuration, without what is counted or grows old."""
    def strip(messages):
        drop = {c["NFLB_A_SERVICE_STATS"]}
        drop_backend = {c["NFLB_A_BACKEND_STATS"], c["NFLB_A_BACKEND_HEALTH_AGE"]}
        out = []
        for m in messages:
            for kind, nest in attributes(m):
                out.append((kind, tuple(
                    a for a in genl.parse_attrs(nest)
                    if not (kind == c["NFLB_A_SERVICE"] and a[0] in drop) and
                    not (kind == c["NFLB_A_BACKEND"] and
                         a[0] in drop_backend))))
        return out
    dump = genl.NLM_F_REQUEST | genl.NLM_F_DUMP
    return [strip(sock.call(c[k], flags=dump)) for k in
            ("NFLB_CMD_SERVICE_GET", "NFLB_CMD_BACKEND_GET")] + [
        sorted(attributes(m)
               for m in sock.call(c["NFLB_CMD_DEVICE_GET"], flags=dump))]


def attempt(cmd, payload, n):
    """One request whose n-th allocation fails. Returns whether one did."""
    sock = genl.Genl()
    sock.sock.settimeout(1)
    fail_nth(n)
    try:
        sock.call(c[cmd], payload)
    except OSError:
        pass
    fired = failed_already()
    fail_nth(0)
    sock.sock.close()
    return fired


DEVICE = genl.attr(c["NFLB_A_DEVICE"], b"l0\0")
MISSING = genl.attr(c["NFLB_A_DEVICE"], b"missing0\0")
ABSENT = genl.attr(c["NFLB_A_DEVICE_ABSENT"], b"")

STEPS = [
    ("NFLB_CMD_SERVICE_ADD", service(scheduler("wrr"), backends(3))),
    ("NFLB_CMD_SERVICE_REPLACE", service(scheduler("wrr"), backends(70))),
] + [
    ("NFLB_CMD_SERVICE_SET", service(scheduler(name)))
    for name in ("maglev", "wlc", "p2c", "fo", "rr")
] + [
    ("NFLB_CMD_BACKEND_ADD", service() + genl.backend(
        c, "10.2.2.1", 80, 3)),
    ("NFLB_CMD_BACKEND_SET", service() + genl.backend(
        c, "10.2.2.1", 80, 9)),
    ("NFLB_CMD_SERVICE_SET", service(*labels("SERVICE", b"shop", b"a note"))),
    ("NFLB_CMD_SERVICE_SET", service(scheduler("wrr"), *labels("SERVICE", b"", b"another"))),
    ("NFLB_CMD_BACKEND_SET", service() + genl.backend(
        c, "10.2.2.1", 80, 7, *labels("BACKEND", b"web1", b"rack 7"))),
    ("NFLB_CMD_SERVICE_SET", service(genl.attr(c["NFLB_A_SERVICE_BACKENDS"], [
        genl.backend(c, "10.2.1.1", 80, 5, *labels("BACKEND", b"web2")),
        genl.backend(c, "10.2.1.2", 80, 2),
        genl.backend(c, "10.2.2.2", 80, 5, *labels("BACKEND", b"web3", b"new"))]))),
    ("NFLB_CMD_HEALTH_SET", service() + genl.attr(c["NFLB_A_BACKENDS"], [
        genl.backend(c, "10.2.1.1", 80, None, *verdict(1)),
        genl.backend(c, "10.2.1.2", 80, None, *verdict(2))])),
    ("NFLB_CMD_SERVICE_REPLACE", service(
        *settings(PERSIST=300), backends(5, 7))),
    ("NFLB_CMD_BACKEND_DEL", service() + genl.backend(c, "10.2.1.1", 80)),
    ("NFLB_CMD_DEVICE_ADD", DEVICE),
    ("NFLB_CMD_DEVICE_DEL", DEVICE),
    ("NFLB_CMD_DEVICE_ADD", MISSING + ABSENT),
    ("NFLB_CMD_DEVICE_DEL", MISSING),
    ("NFLB_CMD_SERVICE_DEL", service()),
]


def at_step(sock, k):
    """The configuration after so many steps, made anew. Returns it."""
    for cmd, payload in (("SERVICE_DEL", service()), ("DEVICE_DEL", DEVICE),
                         ("DEVICE_DEL", MISSING)):
        try:
            sock.call(c["NFLB_CMD_" + cmd], payload)
        except genl.Error:
            pass
    for cmd, payload in STEPS[:k]:
        sock.call(c[cmd], payload)
    return state(sock)


@suite.case()
def every_allocation_of_a_request(_net):
    """A request does all or nothing, whichever of its allocations fails."""
    with netns("lb"):
        sock = genl.Genl()
        fired = nothing = 0
        for k, (cmd, payload) in enumerate(STEPS):
            after = at_step(sock, k + 1)
            before = at_step(sock, k)
            assert after != before
            n = 1
            while attempt(cmd, payload, n):
                now = state(sock)
                assert now in (before, after), "%s half way (%d)" % (cmd, n)
                fired += 1
                nothing += now == before
                at_step(sock, k)
                n += 1
                assert n < 1500, "%s fails for ever" % cmd
            assert state(sock) == after, "%s without a failure" % cmd
        print("# %d allocations failed, after %d nothing had changed" % (
            fired, nothing))
        assert fired > 60 and nothing > 30


@suite.case(*FAMILIES)
def packets(net, f):
    """Memory is short while clients come: what is dropped is counted, and
    afterwards everybody is served."""
    net.service(f, "tcp", "80", 1, "persist", "100")
    frames = [f.packet(f.client, f.vip) / sc.TCP(sport=4000 + i, dport=80,
                                                 flags="S")
              for i in range(300)]
    knob = os.open(FAILSLAB + "/probability", os.O_WRONLY)
    write(FAILSLAB + "/times", -1)
    with counted(net, "no-memory", 5):
        os.write(knob, b"30")
        for frame in frames:
            try:
                net.cl.send(frame)
            except OSError:
                pass
        while True:
            try:
                os.write(knob, b"0")
                break
            except OSError:
                pass
    os.close(knob)
    net.rs[0].flush()
    for frame in frames[:20]:
        net.cl.send(frame)
        net.rs[0].expect()
    count = len(net.connections())
    assert 20 <= count <= 300, count


if __name__ == "__main__":
    if nth is None or not os.path.exists(FAILSLAB):
        print("SKIPPED: this kernel cannot make allocations fail")
        sys.exit(77)
    for knob in ("ignore-gfp-wait", "verbose"):
        write(FAILSLAB + "/" + knob, {"verbose": 0}.get(knob, "N"))
    sys.exit(suite.main(sys.argv))
