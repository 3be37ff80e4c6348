#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
# topology: none
"""A file, a hand and a checker decide over a backend, and none of them undoes what
another said: packet by packet."""

import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "../fuzz")]
import genl  # noqa: E402
from rawnet import (FAMILIES, LBADM, Suite, arrived, monitored,  # noqa: E402
                    netns, run, sc)

suite = Suite("by-hand")
C = genl.constants()
CASES = [(f, p) for f in FAMILIES for p in ("tcp", "udp")]


class Clients:
    """New connections, and where they went."""

    def __init__(self, net, f, proto):
        self.net, self.f, self.proto, self.port = net, f, proto, 20000

    def head(self, sport, flags="S", **kw):
        return sc.TCP(sport=sport, dport=80, flags=flags, **kw) \
            if self.proto == "tcp" else sc.UDP(sport=sport, dport=80)

    def send(self, sport, flags="S", **kw):
        """Which backend gets it, or None."""
        self.net.cl.send(self.f.packet(self.f.client, self.f.vip) /
                         self.head(sport, flags, **kw))
        return arrived(self.net.rs, 1.0)[0]

    def spread(self, count=8):
        """The backends that get new connections."""
        self.port += count
        return {self.send(self.port + i) for i in range(count)}


def service(net, f, proto, check=None):
    """A service with two backends, from a file. Returns its words, and the file."""
    config = {"services": [{
        "protocol": proto, "address": f.vip, "port": 80, "scheduler": "rr",
        "backends": [{"address": b, "port": 8080} for b in f.backends]}]}
    if check:
        config["services"][0]["health-check"] = check
    text = json.dumps(config)
    apply(net, text)
    return [proto, f.at(f.vip, 80)], text


def apply(net, text, *words, check=True):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        return net.lbadm("config", "apply", *words, file.name, check=check)


def at(f, i):
    return f.at(f.backends[i], 8080)


def shown(net, i):
    return json.loads(net.lbadm("-j", "backend", "show"))[i]


@contextlib.contextmanager
def events(net):
    """What `monitor config` said, as a list that is complete afterwards."""
    seen = []
    with monitored(net, "config") as event:
        yield seen
        net.lbadm("laddr", "add", "10.99.0.3")
        while (e := event())["event"] != "laddr-add":
            seen.append(e)
        net.lbadm("laddr", "del", "10.99.0.3")


@suite.case(*CASES)
def drain_survives_apply(net, f, proto):
    svc, file = service(net, f, proto)
    c = Clients(net, f, proto)
    assert c.spread() == {0, 1}
    net.lbadm("backend", "drain", *svc, at(f, 0), "deadline", "600")
    assert c.spread() == {1}
    with events(net) as seen:
        apply(net, file)
        apply(net, file)
    assert seen == [], seen
    assert c.spread() == {1}
    b = shown(net, 0)
    assert (b["state"], b["by-hand"], b["configured"]) == \
        ("drain", "drain", "up"), b
    assert 500 < b["deadline"] <= 600, "the deadline is still there"
    text = net.lbadm("-H", "-o", "BACKEND,STATE,BY-HAND,DEADLINE", "backend", "show")
    assert [at(f, 0), "drain", "drain"] in [r.split()[:3] for r in text.splitlines()], text
    # The file changes another thing: that takes effect.
    heavy = json.loads(file)
    heavy["services"][0]["backends"][0]["weight"] = 7
    heavy["services"][0]["scheduler"] = "wrr"
    apply(net, json.dumps(heavy))
    b = shown(net, 0)
    assert (b["weight"], b["state"]) == (7, "drain"), b
    assert 500 < b["deadline"] <= 600 and c.spread() == {1}
    # The stricter of both holds, and the deadline waits behind it.
    heavy["services"][0]["backends"][0]["state"] = "down"
    apply(net, json.dumps(heavy))
    assert shown(net, 0)["state"] == "down" and "deadline" not in shown(net, 0)
    apply(net, file)
    b = shown(net, 0)
    # What `down` ended answers for some seconds, if it is of TCP.
    assert b["deadline"] > 500 if proto == "tcp" else \
        b["condition"] in ("draining", "drained"), b
    assert b["state"] == "drain" and c.spread() == {1}
    net.lbadm("backend", "enable", *svc, at(f, 0))
    b = shown(net, 0)
    assert b["state"] == "up" and "by-hand" not in b and "deadline" not in b
    assert c.spread() == {0, 1}


@suite.case(*FAMILIES)
def down_survives_apply(net, f):
    svc, file = service(net, f, "tcp")
    c = Clients(net, f, "tcp")
    net.lbadm("backend", "set", *svc, at(f, 1), "state", "down")
    apply(net, file)
    assert c.spread() == {0} and shown(net, 1)["by-hand"] == "down"
    # Force takes back what was set by hand.
    apply(net, file, "--force")
    b = shown(net, 1)
    assert b["state"] == "up" and "by-hand" not in b, b
    assert c.spread() == {0, 1}


@suite.case(*FAMILIES)
def saved_while_drained(net, f):
    """The file has what held then; to apply it changes nothing."""
    svc, file = service(net, f, "tcp")
    c = Clients(net, f, "tcp")
    assert c.spread() == {0, 1}
    net.lbadm("backend", "drain", *svc, at(f, 0), "deadline", "600")
    saved = net.lbadm("config", "save")
    assert [b.get("state", "up") for b in json.loads(saved)["services"][0][
        "backends"]] == ["drain", "up"], saved
    before = shown(net, 0)
    with events(net) as seen:
        apply(net, saved)
    after = shown(net, 0)
    assert seen == [] and c.spread() == {1}, seen
    for b in before, after:
        del b["deadline"], b["condition"]
    assert before == after, (before, after)
    # On another balancer it is what the file says, not what a hand said.
    net.lbadm("config", "flush")
    apply(net, saved)
    assert shown(net, 0)["state"] == "drain" and \
        "by-hand" not in shown(net, 0)
    apply(net, file)
    assert c.spread() == {0, 1}


@suite.case(*FAMILIES)
def undone_as_it_was(net, f):
    """When the kernel refuses a part, states by hand are as before, too."""
    svc, file = service(net, f, "tcp")
    net.lbadm("backend", "drain", *svc, at(f, 0))
    wrong = json.loads(file)
    wrong["devices"] = []
    wrong["services"].append({"protocol": "udp", "address": f.vip, "port": 9,
                              "encap": "ipip"})
    apply(net, json.dumps(wrong), "--force", check=False)
    assert len(json.loads(net.lbadm("-j", "service", "show"))) == 1
    b = shown(net, 0)
    assert b["state"] == b["by-hand"] == "drain", b


@suite.case(*CASES)
def unhealthy_survives_apply(net, f, proto):
    svc, file = service(net, f, proto)
    c = Clients(net, f, proto)
    flow = 30000
    rs = c.send(flow)
    if proto == "tcp":
        net.rs[rs].send(f.packet(f.backends[rs], f.client) / sc.TCP(
            sport=8080, dport=flow, flags="SA", seq=7, ack=1))
        assert net.cl.receive(2.0)
        assert c.send(flow, "A", seq=1, ack=8) == rs
    net.lbadm("health", "force", *svc, at(f, rs), "down")
    assert c.spread() == {1 - rs}
    # An established connection goes on, a flow of UDP moves.
    where = c.send(flow, "PA", seq=1, ack=8)
    assert where == (rs if proto == "tcp" else 1 - rs), where
    with events(net) as seen:
        apply(net, file)
        apply(net, file, "--force")
    assert seen == [] and c.spread() == {1 - rs}, seen
    b = shown(net, rs)
    assert (b["state"], b["health"], b["health-reason"], b["condition"]) == \
        ("up", "unhealthy", "forced", "unhealthy"), b
    assert "health" not in net.lbadm("config", "save")
    text = net.lbadm("-H", "-o", "HEALTH,REASON", "health", "show", *svc, at(f, rs))
    assert text.splitlines()[-1].split() == ["unhealthy", "forced"], text
    said = net.lbadm("explain", proto, f.at(f.client, 40000), f.at(f.vip, 80))
    assert "%s not picked: unhealthy," % at(f, rs) in said, said
    # What the hand says is beside it.
    net.lbadm("backend", "drain", *svc, at(f, rs))
    net.lbadm("backend", "enable", *svc, at(f, rs))
    assert c.spread() == {1 - rs}
    net.lbadm("health", "force", *svc, at(f, rs), "up")
    assert c.spread() == {0, 1} and shown(net, rs)["health"] == "healthy"
    net.lbadm("health", "force", *svc, at(f, rs), "clear")
    assert c.spread() == {0, 1} and "health" not in shown(net, rs)


@suite.case(*FAMILIES)
def unhealthy_resets(net, f):
    """on-unhealthy reset: established connections are ended, and told."""
    svc, _ = service(net, f, "tcp", {"on-unhealthy": "reset"})
    c = Clients(net, f, "tcp")
    rs = c.send(30000)
    net.rs[rs].send(f.packet(f.backends[rs], f.client) / sc.TCP(
        sport=8080, dport=30000, flags="SA", seq=7, ack=1))
    assert net.cl.receive(2.0)
    assert c.send(30000, "A", seq=1, ack=8) == rs
    net.cl.flush()
    net.lbadm("health", "force", *svc, at(f, rs), "down")
    probe = net.cl.expect().parse()[sc.TCP]
    assert probe.flags == "A", probe.summary()
    net.cl.send(f.packet(f.client, f.vip) / sc.TCP(
        sport=30000, dport=80, flags="A", seq=1, ack=8))
    got = net.cl.expect().parse()[sc.TCP]
    assert got.flags == "R" and got.seq == 8, got.summary()


@suite.case(*CASES)
def none_healthy(net, f, proto):
    """All get connections then, or nobody."""
    svc, file = service(net, f, proto)
    c = Clients(net, f, proto)
    for i in 0, 1:
        net.lbadm("health", "force", *svc, at(f, i), "down")
    assert c.spread() == {0, 1}
    assert [shown(net, i)["condition"] for i in (0, 1)] == ["panic"] * 2
    # Flows of UDP do not move with every datagram.
    rs = c.send(31000)
    assert [c.send(31000) for _ in range(3)] == [rs] * 3
    refuse = json.loads(file)
    refuse["services"][0]["health-check"] = {"when-none-healthy": "refuse"}
    apply(net, json.dumps(refuse))
    drops = net.drops()["no-backend"]
    assert c.spread(2) == {None}
    assert net.drops()["no-backend"] == drops + 2
    net.lbadm("health", "force", *svc, at(f, 1), "up")
    assert c.spread() == {1}


@suite.case(*FAMILIES)
def first_check(net, f):
    """initial down: nothing before the first success, not even at last."""
    svc, file = service(net, f, "tcp", {"initial": "down"})
    c = Clients(net, f, "tcp")
    assert c.spread(2) == {None}
    assert shown(net, 0)["condition"] == "checking"
    net.lbadm("health", "force", *svc, at(f, 0), "up")
    assert c.spread() == {0}
    apply(net, file)
    assert c.spread() == {0}, "the verdict stays over an apply"


def verdicts(f, proto, *items):
    """A HEALTH_SET: (backend, id, health, reason) each."""
    return genl.service(C, {"tcp": 6, "udp": 17}[proto], f.vip, 80) + genl.attr(
        C["NFLB_A_BACKENDS"], [genl.backend(
            C, f.backends[i], 8080, None,
            genl.attr(C["NFLB_A_BACKEND_ID"], struct.pack("=I", number)),
            genl.attr(C["NFLB_A_BACKEND_HEALTH"], bytes([health])),
            genl.attr(C["NFLB_A_BACKEND_HEALTH_REASON"],
                      reason.encode() + b"\0"))
            for i, number, health, reason in items])


@suite.case(*FAMILIES)
def whole_or_not_at_all(net, f):
    """A late verdict on a backend that was deleted and added again; and events."""
    svc, _ = service(net, f, "tcp")
    c = Clients(net, f, "tcp")
    ids = [shown(net, i)["id"] for i in (0, 1)]
    with netns("lb"):
        g = genl.Genl()

    def judge(*items):
        g.call(C["NFLB_CMD_HEALTH_SET"], verdicts(f, "tcp", *items))

    with events(net) as seen:
        judge((0, ids[0], 2, ""), (1, ids[1], 3, "connect-refused"))
        judge((0, ids[0], 2, ""), (1, ids[1], 3, "connect-refused"))
    assert [(e["event"], e["address"], e["health"], e.get("health-reason"))
            for e in seen] == [
        ("health-set", f.backends[0], "healthy", None),
        ("health-set", f.backends[1], "unhealthy", "connect-refused")], seen
    net.lbadm("backend", "del", *svc, at(f, 1))
    net.lbadm("backend", "add", *svc, at(f, 1))
    assert "health" not in shown(net, 1) and c.spread() == {0, 1}
    for number, items in (
            (genl.errno.ESTALE, [(0, ids[0], 3, "x"), (1, ids[1], 3, "late")]),
            (genl.errno.EEXIST, [(0, ids[0], 3, "x"), (0, ids[0], 2, "y")]),
            (genl.errno.EINVAL, [(0, ids[0], 3, "\33[2J")]),
            (genl.errno.EINVAL, []),
            (genl.errno.ERANGE, [(0, ids[0], 5, "")])):
        try:
            judge(*items)
        except genl.Error as e:
            assert e.errno == number, (items, e)
        else:
            raise AssertionError("taken: %s" % items)
    assert shown(net, 0)["health"] == "healthy" and c.spread() == {0, 1}


@suite.case()
def wrong_words(net):
    f = FAMILIES[0]
    svc, _ = service(net, f, "tcp")

    def refused(*words, text=None):
        with netns("lb"):
            r = subprocess.run([LBADM, *words], text=True, input=text,
                               capture_output=True)
        return r.returncode, r.stderr
    assert refused("health", "force", *svc, at(f, 0))[0] == 1
    assert refused("health", "force", *svc, at(f, 0), "ill")[0] == 1
    assert refused("health", "force", *svc, f.at("10.9.9.9", 8080), "up")[0] == 2
    for key, value in (("initial", "x"), ("on-unhealthy", 1),
                       ("when-none-healthy", "none"), ("panic-threshold", 101),
                       ("panic-threshold", "50")):
        text = json.dumps({"services": [{
            "protocol": "tcp", "address": f.vip, "port": 80,
            "health-check": {key: value}}]})
        code, said = refused("config", "check", "-", text=text)
        assert code == 1 and key in said, (key, value, code, said)
    assert run("ip", "netns", "exec", "lb", "grep", "-c", " health unknown ",
               "/proc/net/nflb/services").strip() == "2"


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
