#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: default
# topology: none
"""docs/bgp.md as it stands there: a balancer with BIRD and one with FRR announce VIPs
while these have backends, and a router of BIRD's sends clients to them."""

import os
import shutil
import subprocess
import sys

E2E = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(E2E, "lib"))
from daemons import (Daemons, bridge, file_of, host, link, ns, run,  # noqa: E402
                     type_section, wait)

PAGE = "bgp.md"
VIP4, VIP6 = "192.0.2.10", "2001:db8:f::10"


def topology():
    for name in "sw", "cl", "rt", "lb1", "lb2", "rs1":
        host(name)
    for name in "br0", "br1", "br2":
        bridge(name)
    for name, dev, to, net, last in (
            ("cl", "eth0", "br2", 5, 2), ("rt", "eth1", "br2", 5, 1),
            ("rt", "eth0", "br0", 0, 1), ("lb1", "eth0", "br0", 0, 11),
            ("lb2", "eth0", "br0", 0, 12), ("lb1", "eth1", "br1", 11, 11),
            ("lb2", "eth1", "br1", 11, 12), ("rs1", "eth0", "br1", 11, 2)):
        link(name, dev, to, f"10.0.{net}.{last}/24", f"2001:db8:{net}::{last}/64")
    for name in "lb1", "lb2":
        ns(name, "ip", "route", "add", "default", "via", "10.0.0.1")
        ns(name, "ip", "route", "add", "default", "via", "2001:db8::1")
    ns("cl", "ip", "route", "add", "default", "via", "10.0.5.1")
    ns("cl", "ip", "route", "add", "default", "via", "2001:db8:5::1")
    ns("rt", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
       "net.ipv4.fib_multipath_hash_policy=1")


def announced(vip, *balancers):
    """Is the VIP's route by these, and by no others?"""
    shown = ns("rt", "ip", "-6" if ":" in vip else "-4", "route", "show", vip)
    gateways = {"lb1": ("10.0.0.11", "2001:db8::11"), "lb2": ("10.0.0.12", "2001:db8::12")}
    return all(any(f"via {g} " in shown for g in gateways[name]) == (name in balancers)
               for name in gateways)


def served(vip):
    host = f"[{vip}]" if ":" in vip else vip
    return subprocess.run(
        ["nsenter", "--net=/run/netns/cl", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
         "--max-time", "5", f"http://{host}/"],
        capture_output=True, text=True, check=False).stdout == "200"


def backend(balancer, state):
    for vip in VIP4, f"[{VIP6}]":
        ns(balancer, "lbadm", "backend", "set", "tcp", f"{vip}:80", "10.0.11.2", "state", state)


def see(what, routes):
    """@routes: VIP -> the balancers that announce it"""
    for vip, balancers in routes.items():
        try:
            wait(f"{vip} by {balancers}, {what}", lambda: announced(vip, *balancers), 90)
        except AssertionError:
            for name in "lb1", "lb2", "rt":
                print(name, ns(name, "ip", "route", "show", "table", "all"),
                      ns(name, "ip", "-6", "route", "show", "table", "all"),
                      ns(name, "cat", "/proc/net/nflb/services"), file=sys.stderr)
            raise
        if balancers:
            wait(f"{vip} is served, {what}", lambda: served(vip))
            assert all(served(vip) for _ in range(4)), f"{vip}, {what}"
    print("ok " + what.replace(" ", "-"), flush=True)


def bird(daemons, name, conf):
    path = daemons.path(f"bird-{name}.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(conf)
    run("bird", "-p", "-c", path)
    return daemons.start(name, f"bird-{name}", "bird", "-f", "-c", path, "-s",
                         daemons.path(f"bird-{name}.ctl"), "-P", daemons.path(f"bird-{name}.pid"))


def frr(daemons, name):
    """zebra and bgpd, and the file as vtysh loads it when a machine starts."""
    sockets = "/run/frr"
    os.makedirs(sockets, exist_ok=True)
    shutil.chown(sockets, "frr", "frr")
    processes = []
    for daemon in "zebra", "bgpd":
        processes.append(daemons.start(name, daemon, f"/usr/lib/frr/{daemon}", "-f", "/dev/null",
                                       "-A", "127.0.0.1"))
        wait(f"{daemon} listens", lambda: os.path.exists(f"{sockets}/{daemon}.vty"))
    ns(name, "vtysh", "-f", file_of(PAGE, "frr.conf", daemons.path("frr.conf")))
    return processes


def play(daemons):
    topology()
    daemons.start("rs1", "rs1", sys.executable, "-m", "http.server", "80")
    for name in "lb1", "lb2":
        type_section(PAGE, "The balancers", name)
    script = file_of(PAGE, "announce", daemons.path("announce"), mode=0o700)
    daemons.start("lb1", "announce-lb1", script)
    announce = daemons.start("lb2", "announce-lb2", script)
    bird(daemons, "rt", file_of(PAGE, "router.conf"))
    lb1 = bird(daemons, "lb1", file_of(PAGE, "bird.conf"))
    see("by BIRD", {VIP4: ("lb1",), VIP6: ("lb1",)})
    backend("lb1", "down")
    see("without backends", {VIP4: (), VIP6: ()})
    backend("lb1", "up")
    see("with backends again", {VIP4: ("lb1",), VIP6: ("lb1",)})
    frr(daemons, "lb2")
    see("by BIRD and FRR", {VIP4: ("lb1", "lb2"), VIP6: ("lb1",)})
    daemons.stop(lb1)
    see("by FRR", {VIP4: ("lb2",), VIP6: ()})
    backend("lb2", "down")
    see("FRR without backends", {VIP4: ()})
    backend("lb2", "up")
    see("FRR with backends again", {VIP4: ("lb2",)})
    daemons.stop(announce)
    type_section(PAGE, "One routing table with the VIPs that can be served", "lb2")
    see("FRR out of service", {VIP4: ()})


with Daemons() as started:
    play(started)
