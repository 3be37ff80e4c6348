#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default fast xdp
# topology: none
"""Persistence, and what becomes of clients when backends drain, go down, fill
up, or come back: packet by packet."""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import (FAMILIES, LBADM, Suite, arrived, monitored,  # noqa: E402
                    netns, sc, sysctl)

suite = Suite("lifecycle")


class Client:
    """New connections from any address of the client's network."""

    def __init__(self, net, f, proto="tcp"):
        self.net, self.f, self.proto, self.port = net, f, proto, 20000

    def addr(self, host):
        return self.f.client.rsplit(":" if self.f.v6 else ".", 1)[0] + \
            (":%x" if self.f.v6 else ".%d") % host

    def send(self, src, sport, flags="S", **kw):
        head = sc.TCP(sport=sport, dport=80, flags=flags, **kw) \
            if self.proto == "tcp" else sc.UDP(sport=sport, dport=80)
        self.net.cl.send(self.f.packet(src, self.f.vip) / head)
        return self.where()

    def where(self):
        """The backend that a packet arrived at."""
        rs, frame = arrived(self.net.rs, 2.0)
        if frame:
            frame.check()
        return rs

    def new(self, host=2):
        self.port += 1
        return self.send(self.addr(host), self.port)


def at(f, i):
    return f.at(f.backends[i], 8080)


def service(net, f, *words, proto="tcp", backends=2):
    net.service(f, proto, "80", backends, *words)
    return ["tcp" if proto == "tcp" else "udp", f.at(f.vip, 80)]


def backends(net):
    return json.loads(net.lbadm("-j", "-s", "backend", "show"))


def conditions(net):
    return [b["condition"] for b in backends(net)]


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "not within %d s" % seconds
        time.sleep(0.1)


@suite.case(*[(f, p) for f in FAMILIES for p in ("tcp", "udp")])
def client_returns(net, f, proto):
    # By address: IPv6 clients of one /64 count as one otherwise
    service(net, f, "persist", "100/32/128", proto=proto)
    c = Client(net, f, proto)
    first = [c.new(host) for host in (2, 3, 4, 5)]
    assert set(first) == {0, 1}, "wrr sends them to both"
    for _ in range(5):
        assert [c.new(host) for host in (2, 3, 4, 5)] == first
    svc = json.loads(net.lbadm("-j", "-s", "service", "show"))[0]
    assert svc["persist"] == 100 and svc["stats"]["persistent"] == 4, svc


@suite.case(*FAMILIES)
def prefix_returns(net, f):
    """500 connections from one network go to one backend."""
    service(net, f, "persist", "100/24/64")
    c = Client(net, f)
    went = {c.new(2 + i % 250) for i in range(500)}
    assert len(went) == 1, went
    stats = json.loads(net.lbadm("-j", "-s", "service", "show"))[0]["stats"]
    assert stats["persistent"] == 1 and stats["connections"] == 500


@suite.case(*FAMILIES)
def persistence_follows_the_backend(net, f):
    """It survives weights, 0 included; drain and down end it."""
    svc = service(net, f, "persist", "100")
    c = Client(net, f)
    first = c.new()
    for weight in ("7", "0", "1"):
        net.lbadm("backend", "set", *svc, at(f, first), "weight", weight)
        assert [c.new() for _ in range(4)] == [first] * 4
    net.lbadm("backend", "drain", *svc, at(f, first))
    assert [c.new() for _ in range(4)] == [1 - first] * 4
    net.lbadm("backend", "enable", *svc, at(f, first))
    assert [c.new() for _ in range(4)] == [1 - first] * 4, "it has moved"
    net.lbadm("backend", "set", *svc, at(f, 1 - first), "state", "down")
    assert [c.new() for _ in range(4)] == [first] * 4
    net.lbadm("backend", "del", *svc, at(f, first), "now")
    net.lbadm("backend", "set", *svc, at(f, 1 - first), "state", "up")
    assert [c.new() for _ in range(4)] == [1 - first] * 4


@suite.case(*FAMILIES)
def persistence_ends(net, f):
    service(net, f, "persist", "1", "timeout-udp", "1", proto="udp")
    c = Client(net, f, "udp")
    c.new()
    assert c.new() is not None

    def remembered():
        return json.loads(net.lbadm("-j", "-s", "service", "show"))[0][
            "stats"]["persistent"]
    assert remembered() == 1
    until(lambda: not net.connections() and not remembered(), 40)


@suite.case(*FAMILIES)
def persistence_off(net, f):
    svc = service(net, f, "persist", "100")
    c = Client(net, f)
    assert len({c.new() for _ in range(6)}) == 1
    net.lbadm("service", "set", *svc, "persist", "0")
    assert len({c.new() for _ in range(6)}) == 2


@suite.case(*FAMILIES)
def full_backend(net, f):
    """max-connections is exact, and says so; what is over goes elsewhere, and
    is refused when there is no elsewhere."""
    svc = service(net, f)
    net.lbadm("backend", "set", *svc, at(f, 0), "max-connections", "3")
    c = Client(net, f)
    went = [established(net, f, c)[0] for _ in range(10)]
    assert went.count(0) == 3 and went.count(1) == 7, went
    assert conditions(net) == ["full", "ready"]
    net.lbadm("backend", "set", *svc, at(f, 1), "max-connections", "7")
    net.cl.flush()
    assert c.new() is None
    got = net.cl.receive(1.0)
    assert got and got.parse()[sc.TCP].flags == "RA", "refused with a reset"
    assert net.drops()["no-backend"]
    net.lbadm("backend", "set", *svc, at(f, 0), "max-connections", "0")
    assert c.new() == 0


def established(net, f, c):
    """A connection, and the backend that has it."""
    seq, ack = 1 << 30, 3 << 30
    c.port += 1
    rs = c.send(f.client, c.port, "S", seq=seq)
    net.rs[rs].send(f.packet(f.backends[rs], f.client) / sc.TCP(
        sport=8080, dport=c.port, flags="SA", seq=ack, ack=seq + 1))
    assert net.cl.receive(2.0)
    assert c.send(f.client, c.port, "A", seq=seq + 1, ack=ack + 1) == rs
    return rs, seq + 1, ack + 1


def both_sides_are_told(net, f, end):
    """A side that only waits is asked for its sequence number, and its answer
    is answered with a reset that has the right one."""
    svc = service(net, f)
    c = Client(net, f)
    rs, seq, ack = established(net, f, c)
    net.cl.flush()
    end(svc, rs)
    probe = net.cl.expect().parse()[sc.TCP]
    assert probe.flags == "A" and (probe.sport, probe.dport) == (80, c.port)
    assert (ack - probe.seq) & 0xffffffff > 1 << 16, "in the window"
    probe = net.rs[rs].expect().parse()
    assert (probe.src, probe[sc.TCP].dport) == (f.client, 8080)
    # What stacks answer: what they sent and what they have got.
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
        sport=c.port, dport=80, flags="A", seq=seq, ack=ack))
    got = net.cl.expect().parse()[sc.TCP]
    assert got.flags == "R" and got.seq == ack, got.summary()
    net.rs[rs].send(f.packet(f.backends[rs], f.client) / sc.TCP(
        sport=8080, dport=c.port, flags="A", seq=ack, ack=seq))
    got = net.rs[rs].expect().parse()
    assert got.src == f.client
    assert got[sc.TCP].flags == "R" and got[sc.TCP].seq == seq
    assert not net.connections()
    return c, rs


@suite.case(*FAMILIES)
def down_tells_both_sides(net, f):
    c, rs = both_sides_are_told(net, f, lambda svc, rs: net.lbadm(
        "backend", "set", *svc, at(f, rs), "state", "down"))
    # The port can be used again at once.
    assert c.send(f.client, c.port, "S", seq=5) == 1 - rs


@suite.case(*FAMILIES)
def last_service_tells_both_sides(net, f):
    """No other service has to be left for that. Later packets are the host's."""
    c, rs = both_sides_are_told(net, f, lambda svc, rs: net.lbadm(
        "service", "del", *svc))
    service(net, f)
    assert c.send(f.client, c.port, "S", seq=5) is not None


@suite.case(*FAMILIES)
def flush_tells_both_sides(net, f):
    service(net, f, proto="udp")
    both_sides_are_told(net, f, lambda svc, rs: net.lbadm("config", "flush"))


@suite.case(*FAMILIES)
def down_moves_a_client_that_retries(net, f):
    """A client whose SYN was not answered gets another backend by its next."""
    svc = service(net, f)
    c = Client(net, f)
    first = c.new()
    net.lbadm("backend", "set", *svc, at(f, first), "state", "down")
    for rs in net.rs:
        rs.flush()
    assert c.send(f.client, c.port) == 1 - first


@suite.case(*FAMILIES)
def drain_with_a_deadline(net, f):
    """Until then what is established goes on; then it is ended, and told."""
    svc = service(net, f)
    c = Client(net, f)
    rs, seq, ack = established(net, f, c)
    with monitored(net, "config") as event:
        net.lbadm("backend", "drain", *svc, at(f, rs), "deadline", "4")
        begun = time.monotonic()
        b = backends(net)[rs]
        assert b["condition"] == "draining" and 2 <= b["deadline"] <= 4, b
        assert c.send(f.client, c.port, "PA", seq=seq, ack=ack) == rs
        other = Client(net, f)
        other.port += 1000
        assert other.new() == 1 - rs
        events = [event(), event()]
        took = time.monotonic() - begun
        assert [e["event"] for e in events] == ["backend-set",
                                                "backend-drained"], events
        assert events[1]["address"] == f.backends[rs]
        assert took > 3, "ended after %.1f s" % took
        net.cl.flush()
        net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
            sport=c.port, dport=80, flags="PA", seq=seq, ack=ack))
        until(lambda: (lambda g: g and "R" in g.parse()[sc.TCP].flags)(
            net.cl.receive(1.0)), 5)
        assert conditions(net)[rs] == "drained"


@suite.case(*FAMILIES)
def drained_early(net, f):
    svc = service(net, f)
    net.lbadm("backend", "drain", *svc, at(f, 0))
    until(lambda: conditions(net)[0] == "drained")
    net.lbadm("backend", "enable", *svc, at(f, 0))
    assert conditions(net) == ["ready", "ready"]
    c = Client(net, f)
    assert {c.new(), c.new()} == {0, 1}


@suite.case(*FAMILIES)
def counters_of_what_ends(net, f):
    service(net, f)
    c = Client(net, f)
    rs, seq, ack = established(net, f, c)
    assert [backends(net)[rs]["stats"][k] for k in ("active", "inactive")] \
        == [1, 0]
    assert c.send(f.client, c.port, "FA", seq=seq, ack=ack) == rs
    assert [backends(net)[rs]["stats"][k] for k in ("active", "inactive")] \
        == [0, 1]


@suite.case(*FAMILIES)
def slow_start(net, f):
    """The share of a backend that comes grows to what its weight says."""
    svc = service(net, f, "slow-start", "8", backends=1)
    assert conditions(net) == ["ready"], "the first has nobody to wait for"
    net.lbadm("backend", "add", *svc, at(f, 1))
    assert conditions(net) == ["ready", "slow-start"]
    c = Client(net, f)
    early = [c.new() for _ in range(20)].count(1)
    assert early <= 6, "%d of 20 at once" % early
    until(lambda: conditions(net) == ["ready", "ready"])
    late = [c.new() for _ in range(20)].count(1)
    assert late == 10, "%d of 20 in the end" % late


SCHEDULERS = ("rr", "wrr", "random", "lc", "wlc", "sed", "nq", "p2c", "fo",
              "ovf", "hash", "source", "maglev", "maglev-source")


@suite.case(*FAMILIES)
def every_scheduler(net, f):
    """A live service changes its scheduler: connections stay, new ones go where
    its rule says."""
    svc = service(net, f)
    for i in (0, 1):
        net.lbadm("backend", "set", *svc, at(f, i), "weight",
                  str(30 * (i + 1)))
    c = Client(net, f)
    rs, seq, ack = established(net, f, c)
    port = c.port
    for name in SCHEDULERS:
        net.lbadm("connection", "flush", "state", "syn-sent")
        net.lbadm("service", "set", *svc, "scheduler", name)
        shown = json.loads(net.lbadm("-j", "service", "show"))[0]
        assert shown["scheduler"] == name
        went = [c.new(2 + i) for i in range(24)]
        assert set(went) <= {0, 1}, (name, went)
        if name in ("rr", "wrr"):
            assert went.count(1) == {"rr": 12, "wrr": 16}[name], (name, went)
        elif name in ("fo", "ovf"):
            assert set(went) == {1}, (name, went)
        else:
            assert set(went) == {0, 1}, (name, went)
        assert c.send(f.client, port, "PA", seq=seq, ack=ack) == rs, name
        if name in ("hash", "source", "maglev", "maglev-source"):
            again = Client(net, f)
            again.port = c.port - 24
            net.lbadm("connection", "flush", "state", "syn-sent")
            assert [again.new(2 + i) for i in range(24)] == went, name


@suite.case()
def schedulers_settings(net):
    """Sysctls that schedulers use take what is right, and take effect."""
    f = FAMILIES[0]
    service(net, f, "scheduler", "source")

    def spread():
        c = Client(net, f)
        went = [c.new(2 + i) for i in range(40)]
        net.lbadm("connection", "flush")
        return went
    first = spread()
    sysctl("lb", "net.nflb.hash_seed", 12345)
    try:
        assert spread() != first
        for wrong in ("65536", "100", "1048583", "-1", "x"):
            try:
                sysctl("lb", "net.nflb.maglev_table_size", wrong)
            except OSError:
                continue
            raise AssertionError("a table of %s slots" % wrong)
        sysctl("lb", "net.nflb.maglev_table_size", 4093)
        assert sysctl("lb", "net.nflb.maglev_table_size") == "4093"
        net.lbadm("service", "set", "tcp", f.at(f.vip, 80), "scheduler",
                  "maglev")
        assert set(spread()) == {0, 1}
    finally:
        sysctl("lb", "net.nflb.hash_seed", 0)
        sysctl("lb", "net.nflb.maglev_table_size", 65537)
    assert json.loads(net.lbadm("-j", "service", "show"))[0]["scheduler"] == \
        "maglev"


@suite.case()
def wrong_words(net):
    f = FAMILIES[0]
    svc = service(net, f)

    def refused(*words):
        with netns("lb"):
            r = subprocess.run([LBADM, *words], text=True,
                               capture_output=True)
        return r.returncode, r.stderr
    code, said = refused("backend", "set", *svc, at(f, 0), "state", "up",
                         "deadline", "5")
    assert code == 1, said
    for words in (["persist", "x"], ["persist", "1/33"], ["persist", "1/8/129"],
                  ["slow-start", "-1"], ["slow-start", "604801"]):
        code, said = refused("service", "set", *svc, *words)
        assert code == 1 and words[1] in said, (words, code, said)


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
