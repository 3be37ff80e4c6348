#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# topology: none
"""lbadm explain: what it says of a packet is what becomes of it.

NFLB_PACKETS: how many random ones (default: 400). NFLB_SEED: of the same again.
"""

import contextlib
import ipaddress
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import FAMILIES, LBADM, V4, V6, Suite, netns, run, sc  # noqa: E402

suite = Suite("explain")

HOSTS = 6			# addresses of each backend's network
CLIENTS = 12
PORTS = [80, 443, 8005]
SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "source", "hash", "maglev",
              "maglev-source", "p2c", "random", "fo", "ovf"]


class Explainer:
    """One lbadm that explains packet after packet."""

    def __init__(self):
        # pylint: disable-next=consider-using-with
        self.tool = subprocess.Popen([LBADM, "-n", "lb", "-j", "-b", "-"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, proto, client, cport, vip, port, *more):
        f = V6 if ":" in vip else V4
        words = ["explain", proto, f.at(client, cport), f.at(vip, port), *more]
        print(*words, file=self.tool.stdin, flush=True)
        line = self.tool.stdout.readline()
        assert line, "lbadm ended"
        return json.loads(line)

    def end(self):
        self.tool.stdin.close()
        assert self.tool.wait() == 0, "lbadm failed"


@contextlib.contextmanager
def explainer():
    one = Explainer()
    yield one
    one.end()


def hosts(f, i):
    """Addresses behind a port: none of them is anybody's."""
    first = ipaddress.ip_address((f.backends + [f.client])[i])
    return [str(first + n) for n in range(HOSTS if i < 2 else CLIENTS)]


def prepare(net):
    for f in FAMILIES:
        for i, port in enumerate([net.rs[0], net.rs[1], net.cl]):
            for addr in hosts(f, i):
                net.neighbour(addr, port.mac, "l%d" % ((i + 1) % 3))


def vips(f):
    first = ipaddress.ip_address(f.vip)
    return [str(first + n) for n in range(3)]


def text_of(saw):
    """(protocol, source, sport, destination, dport) of a frame's outer packet"""
    p = saw.parse()
    proto, _ = saw.l4()
    l4 = p.getlayer(sc.TCP) if proto == 6 else p.getlayer(sc.UDP)
    ports = (l4.sport, l4.dport) if proto in (6, 17) else (None, None)
    return (proto, p.src, ports[0], p.dst, ports[1])


def said(packet):
    number = {"tcp": 6, "udp": 17, "ipip": 4, "ip6ip": 41, "gre": 47}
    return (number[packet["protocol"]], packet["source-address"],
            packet.get("source-port"), packet["destination-address"],
            packet.get("destination-port"))


def forget(answer):
    """But for clocks, and for counters: the packet before may not be counted yet."""
    answer = json.loads(json.dumps(answer))
    for key in ("expires", "age"):
        answer.get("connection", {}).pop(key, None)
    for one in (answer.get("service", {}), *answer.get("backends", [])):
        one.pop("stats", None)
    return answer["service"] if answer.get("by-lot") else answer


def packet(f, answer, proto, client, cport, vip, port):
    if proto == "udp":
        l4 = sc.UDP(sport=cport, dport=port)
    else:
        l4 = sc.TCP(sport=cport, dport=port,
                    flags="A" if "connection" in answer else "S")
    return f.packet(client, vip) / l4


def drops():
    """Of the balancer, by reason; without a tool that is started each time."""
    with netns("lb"), open("/proc/thread-self/net/nflb/stats") as stats:
        lines = dict(line.split() for line in stats)
    return {k[5:]: int(v) for k, v in lines.items() if k.startswith("drop-") and v != "0"}


def is_reset(got, sent):
    return got.haslayer(sc.TCP) and got.dst == sent.src and \
        got[sc.TCP].dport == sent[sc.TCP].sport and \
        got[sc.TCP].sport == sent[sc.TCP].dport and bool(got[sc.TCP].flags.R)


def arrived(port, timeout):
    """The next frame at a backend, but for what the balancer tells of a connection.

    A packet that takes the place of a half-open connection withdraws that one: a
    segment of the balancer's own, which has no window.
    """
    while True:
        frame = port.receive(timeout)
        if not frame:
            return None
        l4 = frame.check().parse().getlayer(sc.TCP)
        if not l4 or l4.window:
            return frame


def check(net, f, before, answer, sent):
    """The packet does what was said of it."""
    ports = {"l0": net.cl, "l1": net.rs[0], "l2": net.rs[1]}
    net.cl.send(sent)
    if answer.get("by-lot"):
        # Whatever was drawn, exactly one thing has happened to it.
        end = time.monotonic() + 5
        gone = 0
        while not gone and time.monotonic() < end:
            gone += sum(bool(arrived(p, 0.02)) for p in net.rs)
            gone += sum(drops().values()) - sum(before.values())
        assert gone == 1, gone
        return
    if answer["verdict"] == "forward":
        frame = arrived(ports[answer["route"]["device"]], 3)
        assert frame, "nothing arrived"
        assert text_of(frame) == said(answer["leaves"]), (
            text_of(frame), said(answer["leaves"]))
        return
    told = answer.get("sender-told") and sent.haslayer(sc.TCP)
    if told:
        # What was told before, and of connections that are ended, comes between.
        while not is_reset(net.cl.expect().parse(), sent):
            pass
    after = drops()
    if answer["verdict"] == "drop":
        reason = answer["reason"]
        end = time.monotonic() + 5
        while after == before and time.monotonic() < end:
            time.sleep(0.001)
            after = drops()
        assert after.pop(reason) == before.get(reason, 0) + 1, (before, after)
        before.pop(reason, None)
    assert after == before, (before, after)
    assert not any(arrived(p, 0) for p in net.rs)


def setup(net, f, proto="tcp", port=80, *words, hosts_=3):
    vip = f.at(f.vip, port)
    net.lbadm("service", "add", proto, vip, *words)
    for addr in hosts(f, 0)[:hosts_]:
        net.lbadm("backend", "add", proto, vip, addr)
    return vip


def text(net, *words):
    return net.lbadm("explain", *words)


# --- steps, one after the other


@suite.case(*FAMILIES)
def steps(net, f):
    prepare(net)
    vip = setup(net, f, "tcp", 80, "scheduler", "rr")
    hs = hosts(f, 0)
    net.lbadm("backend", "set", "tcp", vip, hs[1], "weight", "0")
    net.lbadm("backend", "drain", "tcp", vip, hs[2])
    with explainer() as e:
        ask = ("tcp", f.client, 4000, f.vip, 80)
        a = e.ask(*ask)
        assert (a["verdict"], a["mode"]) == ("forward", "dnat"), a
        assert a["picks"] == [{"address": hs[0]}], a
        assert a["service"]["address"] == f.vip and "connection" not in a, a
        conditions = {b["address"]: b["condition"] for b in a["backends"]}
        assert conditions[hs[1]] == "weight-0" and \
            conditions[hs[2]].startswith("drain"), conditions
        assert a["route"] == {"device": "l1", "next-hop": hs[0]}, a
        assert a["leaves"]["destination-address"] == hs[0] and \
            a["leaves"]["source-address"] == f.client, a
        check(net, f, drops(), a, packet(f, a, *ask))
        # It is known now, in both directions.
        a = e.ask(*ask)
        assert a["connection"]["state"] == "syn-sent" and "backends" not in a, a
        a = e.ask("tcp", hs[0], 80, f.client, 4000)
        assert a["reply"] and a["leaves"]["source-address"] == f.vip and \
            a["route"]["device"] == "l0", a
    out = text(net, "tcp", f.at(f.client, 4001), vip)
    for line in ("connection  none yet", "picked by rr", "not picked: weight-0",
                 "verdict     forward", "route       dev l1 via " + hs[0]):
        assert line in out, out


@suite.case(*FAMILIES)
def nothing_is_changed(net, f):
    prepare(net)
    vip = setup(net, f, "udp", 53, "scheduler", "rr", "persist", "100",
                "mode", "fullnat")
    net.lbadm("laddr", "add", f.lb[1])
    try:
        before = net.lbadm("-j", "-s", "service", "show"), net.lbadm("-j", "stats", "show")
        with explainer() as e:
            answers = [e.ask("udp", f.client, 4000, f.vip, 53) for _ in range(50)]
        assert all(a == answers[0] for a in answers), answers
        assert answers[0]["leaves"]["source-address"] == f.lb[1], answers[0]
        assert before == (net.lbadm("-j", "-s", "service", "show"),
                          net.lbadm("-j", "stats", "show"))
        assert net.connections() == []
        assert not net.rs[0].arrived() and not net.cl.receive(0)
        # The turn is the first one's still, the local port the one that was told.
        ask = ("udp", f.client, 4000, f.vip, 53)
        check(net, f, drops(), answers[0], packet(f, answers[0], *ask))
        assert vip
    finally:
        net.flush()
        net.lbadm("laddr", "del", f.lb[1])


@suite.case(*FAMILIES)
def refused(net, f):
    prepare(net)
    vip = setup(net, f, "tcp", 80, hosts_=1)
    with explainer() as e:
        for port, reason in ((81, "no-service"), (80, "no-backend")):
            ask = ("tcp", f.client, 4000, f.vip, port)
            net.lbadm("backend", "set", "tcp", vip, hosts(f, 0)[0], "state", "down")
            a = e.ask(*ask)
            assert (a["verdict"], a["reason"], a["sender-told"]) == \
                ("drop", reason, True), a
            check(net, f, drops(), a, packet(f, a, *ask))
        a = e.ask("tcp", f.lb[1], 4000, f.vip, 80, "device", "l0")
        assert (a["verdict"], a["reason"]) == ("drop", "bad-source"), a
        # None of the balancer's
        a = e.ask("tcp", f.client, 4000, hosts(f, 1)[0], 80)
        assert a["verdict"] == "pass" and "service" not in a, a
    assert "no-backend, and its sender is notified" in \
        text(net, "tcp", f.at(f.client, 4000), vip)


@suite.case(*FAMILIES)
def remembered(net, f):
    prepare(net)
    setup(net, f, "udp", 53, "scheduler", "rr", "persist", "100/32/128")
    with explainer() as e:
        ask = ("udp", f.client, 4000, f.vip, 53)
        a = e.ask(*ask)
        check(net, f, drops(), a, packet(f, a, *ask))
        first = a["picks"][0]["address"]
        a = e.ask("udp", f.client, 4001, f.vip, 53)
        assert a["picks"] == [{"address": first, "remembered": True}], a
        a = e.ask("udp", hosts(f, 2)[1], 4001, f.vip, 53)
        assert a["picks"][0]["address"] != first, a


@suite.case()
def from_this_host(net):
    prepare(net)
    for f in FAMILIES:
        vip = setup(net, f)
        ask = ("tcp", f.at(f.lb[1], 4000), vip)
        try:
            out = text(net, *ask)
        except AssertionError as e:
            assert "no route to the packet's destination" in str(e), e
        else:
            assert False, out
        run("ip", "-n", "lb", "addr", "add", f.vip, "dev", "lo")
        try:
            out = text(net, *ask)
        finally:
            run("ip", "-n", "lb", "addr", "del", f.vip, "dev", "lo")
        assert "from this host" in out and "verdict     forward" in out, out
        net.flush()


@suite.case()
def bad_input(net):
    for words, message in (
            (("sctp", "10.1.0.2:1", "192.0.2.10:80"), "tcp or udp"),
            (("tcp", "10.1.0.2", "192.0.2.10:80"), "address with a port"),
            (("tcp", "10.1.0.2:1", "192.0.2.10:0"), "address with a port"),
            (("tcp", "10.1.0.2:1"), "the VIP is missing"),
            (("tcp", "10.1.0.2:1", "[2001:db8::10]:80"), "same family"),
            (("tcp", "10.1.0.2:1", "192.0.2.10:80", "more"), "unexpected word"),
            (("tcp", "10.1.0.2:1", "192.0.2.10:80", "device", "none0"),
             "no such device"),
            (("tcp", "203.0.113.1:1", "192.0.2.10:80"), "name the device")):
        try:
            out = text(net, *words)
        except AssertionError as e:
            assert message in str(e), (message, str(e))
        else:
            assert False, out


# --- random packets over random configurations


def backend(rnd, mode, encap, f):
    o = f
    if mode == "fullnat" or encap not in (None, "none"):
        o = rnd.choice(FAMILIES)
    made = {"address": rnd.choice(hosts(o, rnd.randrange(2))),
            "weight": rnd.choice([0, 1, 1, 2, 7])}
    if mode != "dsr" and rnd.random() < 0.5:
        made["port"] = rnd.choice([80, 8080])
    if rnd.random() < 0.15:
        made["state"] = rnd.choice(["drain", "down"])
    if rnd.random() < 0.2:
        made["max-connections"] = rnd.randrange(1, 20)
    return made


def service(rnd, proto, f, vip, port):
    mode = rnd.choice(["dnat", "fullnat", "dsr"])
    made = {"protocol": proto, "address": vip, "port": port, "mode": mode,
            "scheduler": rnd.choice(SCHEDULERS), "backends": []}
    encap = None
    if mode == "dsr":
        encap = made["encap"] = rnd.choice(["none", "ipip", "gre", "gue"])
    if mode == "fullnat" and proto == "tcp" and rnd.random() < 0.5:
        made["toa"] = True
    if rnd.random() < 0.3:
        made["persist"] = 1000
        made["persist-prefix4"] = rnd.choice([24, 31, 32])
        made["persist-prefix6"] = rnd.choice([64, 127, 128])
    seen = set()
    for _ in range(rnd.choice([0, 1, 2, 4, 8, 20])):
        b = backend(rnd, mode, encap, f)
        if (b["address"], b.get("port")) not in seen:
            seen.add((b["address"], b.get("port")))
            made["backends"].append(b)
    return made


def configuration(rnd):
    services = {}
    for _ in range(8):
        f = rnd.choice(FAMILIES)
        proto, vip = rnd.choice(["tcp", "udp"]), rnd.choice(vips(f))
        port = rnd.choice([*PORTS, "8000-8010", "*"])
        services[proto, vip, port] = service(rnd, proto, f, vip, port)
    laddrs = [f.lb[1] for f in FAMILIES if rnd.random() < 0.8]
    if rnd.random() < 0.3:
        laddrs = [{"address": a, "ports": "2000-2004"} for a in laddrs]
    return {"services": list(services.values()), "local-addresses": laddrs}


@suite.case()
def random_packets(net):
    count = int(os.environ.get("NFLB_PACKETS") or 400)
    seed = int(os.environ.get("NFLB_SEED") or random.randrange(1 << 30))
    rnd = random.Random(seed)
    prepare(net)
    verdicts = {}
    devices = [{"device": d} for d in ("l0", "l1", "l2")] \
        if net.offload == "fast" else []
    try:
        for done in range(count):
            if done % 100 == 0:
                config = configuration(rnd)
                config["devices"] = [d["device"] for d in devices]
                run(LBADM, "-n", "lb", "config", "apply", "-",
                    input=json.dumps(config))
                e = Explainer() if not done else e
            f = rnd.choice(FAMILIES)
            ask = (rnd.choice(["tcp", "udp"]), rnd.choice(hosts(f, 2)),
                   rnd.randrange(4000, 4010), rnd.choice(vips(f)),
                   rnd.choice(PORTS))
            before = drops()
            a = e.ask(*ask)
            again = e.ask(*ask)
            assert forget(again) == forget(a), "seed %d, packet %d: asked again: %s %s" % (
                seed, done, a, again)
            try:
                check(net, f, before, a, packet(f, a, *ask))
            except AssertionError as why:
                raise AssertionError("seed %d, packet %d, %s: %s: %s" % (
                    seed, done, ask, why, a)) from why
            kind = a["verdict"] if "reason" not in a else a["reason"]
            verdicts[kind] = verdicts.get(kind, 0) + 1
        e.end()
    finally:
        net.lbadm("config", "flush")
        if devices:
            for d in devices:
                net.lbadm("device", "add", d["device"])
    print("# %d packets: %s" % (count, verdicts))
    assert len(verdicts) > 2 or count < 100, verdicts


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
