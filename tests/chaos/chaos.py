#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Everything at once, at random: chaos.py SECONDS SEED SERVICES-FILE

In the topology of the end-to-end cases, with the services of tests/e2e/91-chaos.sh,
three workers change the configuration, devices, addresses, routes and sysctls, make
and delete namespaces that balance, flush, dump, monitor, and now and then unload the
module and load it again. What a command says does not matter: many of them are wrong
at the moment in which they come. The same seed gives the same commands in the same
order to each worker; how the workers interleave is the machine's choice.

At the end devices, routes and sysctls are as they were, and the configuration is
what the file says. The last line counts commands.
"""
import os
import random
import subprocess
import sys
import threading
import time

LBADM = os.environ["LBADM"]
MODULE = os.environ["NFLB_MODULE"]
SECONDS, SEED, SAVED = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
LINKS = ["to-cl", "to-rs1", "to-rs2", "to-rs3"]
SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "random", "p2c", "hash",
              "source", "maglev", "maglev-source", "fo", "ovf"]
VIPS = ["192.0.2.10:%s", "[2001:db8:f::10]:%s"]
PORTS = ["80", "81", "82", "83", "84", "85", "5353", "9000-9010", "*"]
ADDRESSES = ["10.0.11.2", "10.0.12.2", "10.0.13.2", "2001:db8:11::2",
             "2001:db8:12::2", "2001:db8:13::2", "10.0.21.2", "10.0.99.99",
             "2001:db8:21::2", "192.0.2.10"]
SYSCTLS = {"max_connections": ["0", "5", "200", "500000"],
           "hash_seed": ["0", "1", "77"], "reject": ["0", "1"],
           "maglev_table_size": ["251", "65537", "4099"],
           "encap_fragment_inside": ["0", "1"]}
# Unloading is everybody's business: nobody else may hold on to the module
unloading = threading.Lock()
counts = {}
children = []


def run(*command, wait=True):
    """A command, which may fail; (exit status, first line of what it said)."""
    p = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not wait:
        children.append(p)
        return None
    try:
        return p.wait(60)
    except subprocess.TimeoutExpired:
        p.kill()
        raise SystemExit("hangs: %s" % " ".join(map(str, command)))


def ns(name, *command, **kw):
    return run("nsenter", "--net=/run/netns/" + name, "--", *command, **kw)


def lb(*command, **kw):
    return run(LBADM, "-n", "lb", *command, **kw)


class Worker:
    def __init__(self, number):
        self.rng = random.Random(SEED * 10 + number)
        self.number = number
        self.actions = [getattr(self, n) for n in sorted(dir(self))
                        if n.startswith("do_")]
        # What takes long comes less often
        self.weights = [getattr(a, "__doc__") and int(a.__doc__.split()[0])
                        or 10 for a in self.actions]

    def service(self):
        r = self.rng
        return [r.choice(["tcp", "udp"]), r.choice(VIPS) % r.choice(PORTS)]

    def backend(self):
        r = self.rng
        addr, port = r.choice(ADDRESSES), r.choice(["", "", ":80", ":8080"])
        return "[%s]%s" % (addr, port) if ":" in addr and port else addr + port

    def mode(self):
        return self.rng.choice([
            "mode dnat", "mode fullnat", "mode fullnat toa on", "mode dsr",
            "mode fullnat proxy-protocol on", "mode dsr encap ipip",
            "mode dsr encap gre", "mode dsr encap gue", "scheduler " +
            self.rng.choice(SCHEDULERS), "persist 20", "persist 0",
            "timeout-udp 1", "timeout-syn 1 timeout-fin 1",
            "timeout-established 2"]).split()

    # Each begins with how often it comes

    def do_service(self):
        "20"
        lb("service", self.rng.choice(["add", "set", "replace", "set"]),
           *self.service(), *self.mode())

    def do_service_del(self):
        "6"
        lb("service", "del", *self.service())

    def do_backend(self):
        "30"
        r = self.rng
        more = r.choice([[], ["weight", r.randrange(100)], ["state", "down"],
                         ["state", "drain"], ["state", "up"],
                         ["max-connections", 3], self.mode()[:2]])
        lb("backend", r.choice(["add", "set"]), *self.service(),
           self.backend(), *more)

    def do_backend_del(self):
        "8"
        lb("backend", "del", *self.service(), self.backend(),
           *self.rng.choice([[], ["now"]]))

    def do_drain(self):
        lb("backend", "drain", *self.service(), self.backend(), "deadline",
           self.rng.randrange(1, 4))

    def do_laddr(self):
        i = self.rng.randrange(1, 6)
        lb("laddr", self.rng.choice(["add", "del"]), self.rng.choice(
            ["10.0.99.%d" % i, "2001:db8:99::%d" % i,
             "10.0.99.1-10.0.99.%d" % i]))

    def do_device(self):
        "15"
        lb("device", self.rng.choice(["add", "del"]),
           self.rng.choice(LINKS + ["lo"]))

    def do_link(self):
        "5"
        dev = self.rng.choice(LINKS)
        run("ip", "-n", "lb", "link", "set", dev, "down")
        time.sleep(self.rng.random() / 5)
        run("ip", "-n", "lb", "link", "set", dev, "up")
        self.routes()

    def do_mtu(self):
        run("ip", "-n", "lb", "link", "set", self.rng.choice(LINKS), "mtu",
            self.rng.choice(["1280", "1400", "1500", "9000", "576"]))

    def do_address(self):
        r = self.rng
        run("ip", "-n", "lb", "addr", r.choice(["add", "del"]), r.choice(
            ["192.0.2.10/32", "2001:db8:f::10/128", "10.0.99.1/32",
             "10.0.99.2/32", "2001:db8:99::1/128"]), "dev", "lo")

    def do_route(self):
        r = self.rng
        where = r.choice(["10.0.11.2/32", "10.0.12.2/32", "2001:db8:11::2/128"])
        what = r.choice(["blackhole", "unreachable", "prohibit"])
        run("ip", "-n", "lb", "route", "add", what, where)
        time.sleep(r.random() / 5)
        run("ip", "-n", "lb", "route", "del", what, where)

    def do_route_mtu(self):
        r = self.rng
        run("ip", "-n", "lb", "route", "replace", "10.0.12.0/24", "dev",
            "to-rs2", "mtu", "lock", r.choice([100, 552, 600, 1280, 1500]))

    def do_neighbours(self):
        run("ip", "-n", "lb", "neigh", "flush", "all")

    def do_netem(self):
        "5"
        run("tc", "-n", "lb", "qdisc", "replace", "dev",
            self.rng.choice(LINKS), "root", "netem", *self.rng.choice(
                [["loss", "20%"], ["duplicate", "30%"],
                 ["delay", "5ms", "5ms"], ["corrupt", "10%"],
                 ["reorder", "30%", "delay", "2ms"], ["limit", "1000"]]))

    def do_sysctl(self):
        key = self.rng.choice(sorted(SYSCTLS))
        ns("lb", "sysctl", "-qw", "net.nflb.%s=%s" % (
            key, self.rng.choice(SYSCTLS[key])))

    def do_look(self):
        "20"
        r = self.rng
        lb(*r.choice([["connection", "show"], ["-s", "service", "show"],
                      ["connection", "count"], ["stats", "show"],
                      ["stats", "zero"], ["config", "save"], ["laddr", "show"],
                      ["device", "show"]]))

    def do_proc(self):
        ns("lb", "sh", "-c", "cat /proc/net/nflb/*")

    def do_explain(self):
        lb("explain", self.rng.choice(["tcp", "udp"]), "10.0.0.2:1234",
           "192.0.2.10:%s" % self.rng.choice(["80", "82", "5353"]))

    def do_flush(self):
        lb("connection", "flush", *self.rng.choice(
            [[], ["state", "established"], ["client", "10.0.0.0/24"]]))

    def do_apply(self):
        "8"
        lb("config", "apply", SAVED)

    def do_config_flush(self):
        "1"
        lb("config", "flush")

    def do_monitor(self):
        "3"
        ns("lb", "timeout", "0.3", LBADM, "monitor", "config", "connections",
           wait=False)

    def do_namespace(self):
        "4"
        name = "tmp%d" % self.number
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "link", "add", "d0", "type", "dummy")
        run("ip", "-n", name, "addr", "add", "10.77.0.1/24", "dev", "d0")
        run("ip", "-n", name, "link", "set", "d0", "up")
        there = (LBADM, "-n", name)
        run(*there, "service", "add", "udp", "10.77.0.9:*", *self.mode())
        run(*there, "laddr", "add", "10.77.0.1")
        run(*there, "backend", "add", "udp", "10.77.0.9:*", "10.77.0.2")
        run(*there, "device", "add", "d0")
        ns(name, "timeout", "0.3", "python3", "-c",
           "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
           "for p in range(1, 300):\n s.sendto(b'x', ('10.77.0.9', p))\n")
        # A device goes to another namespace, and is gone with it
        if self.rng.random() < 0.5:
            run("ip", "-n", name, "link", "set", "d0", "netns", "cl", "name",
                "d%d" % self.number)
            run("ip", "-n", "cl", "link", "del", "d%d" % self.number)
        run("ip", "netns", "del", name)

    def do_unload(self):
        "1"
        with unloading:
            if run("rmmod", "nflb"):
                counts["unload, busy"] = counts.get("unload, busy", 0) + 1
                return
            run("insmod", MODULE)
            lb("config", "apply", SAVED)

    def routes(self):
        """IPv6 addresses and the routes through a device go when it does down."""
        for i in range(1, 4):
            run("ip", "-n", "lb", "addr", "replace",
                "2001:db8:1%d::1/64" % i, "dev", "to-rs%d" % i, "nodad")
        run("ip", "-n", "lb", "addr", "replace", "2001:db8:1::1/64", "dev",
            "to-cl", "nodad")
        run("ip", "-n", "lb", "route", "replace", "default", "via", "10.0.1.2")
        run("ip", "-n", "lb", "route", "replace", "default", "via",
            "2001:db8:1::2")

    def work(self, until):
        while time.monotonic() < until:
            action, = self.rng.choices(self.actions, self.weights)
            if action != self.do_unload:
                with unloading:
                    pass
            action()
            name = action.__name__[3:]
            counts[name] = counts.get(name, 0) + 1


def main():
    workers = [Worker(i) for i in range(3)]
    failed = []

    def body(worker):
        try:
            worker.work(until)
        except BaseException as error:  # also SystemExit of a hanging command
            failed.append(error)

    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=body, args=(w,)) for w in workers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for child in children:
        child.wait()
    for dev in LINKS:
        run("tc", "-n", "lb", "qdisc", "del", "dev", dev, "root")
        run("ip", "-n", "lb", "link", "set", dev, "up", "mtu", "1500")
        lb("device", "del", dev)
    lb("device", "del", "lo")
    for key, values in SYSCTLS.items():
        value = {"max_connections": "500000", "reject": "1",
                 "maglev_table_size": "65537"}.get(key, "0")
        ns("lb", "sysctl", "-qw", "net.nflb.%s=%s" % (key, value))
    for address in ("192.0.2.10/32", "2001:db8:f::10/128", "10.0.99.1/32",
                    "10.0.99.2/32", "2001:db8:99::1/128"):
        run("ip", "-n", "lb", "addr", "replace", address, "dev", "lo")
    run("ip", "-n", "lb", "route", "del", "10.0.12.0/24", "mtu", "lock")
    run("ip", "-n", "lb", "route", "replace", "10.0.12.0/24", "dev", "to-rs2")
    workers[0].routes()
    run("ip", "-n", "lb", "neigh", "flush", "all")
    lb("config", "flush")
    if lb("config", "apply", SAVED):
        failed.append("the configuration cannot be applied at the end")
    for error in failed:
        print("failed:", error)
    print("%d commands: %s" % (sum(counts.values()), ", ".join(
        "%s %d" % c for c in sorted(counts.items()))))
    return 1 if failed else 0


sys.exit(main())
