#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: default
# topology: none
"""docs/keepalived.md as it stands there: two balancers, VRRP between them. New
connections work after the master died, left, lost its backends or a link."""

import os
import subprocess
import sys

E2E = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(E2E, "lib"))
from daemons import (Daemons, bridge, file_of, host, link, ns,  # noqa: E402
                     type_section, wait)

PAGE = "keepalived.md"
VIPS = "192.0.2.10", "[2001:db8:f::10]"
SERVER = ("import http.server,socket,sys\n"
          "class H(http.server.BaseHTTPRequestHandler):\n"
          "  def do_GET(self):\n"
          "    self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[1].encode())\n"
          "  def log_message(self, *a): pass\n"
          "class S(http.server.ThreadingHTTPServer):\n"
          "  address_family = socket.AF_INET6\n"
          "S(('::', 80), H).serve_forever()\n")


def topology():
    for name in "sw", "cl", "lb1", "lb2", "rs1", "rs2":
        host(name)
    for name in "br0", "br1":
        bridge(name)
    for name, dev, to, net, last in (
            ("cl", "eth0", "br0", 0, 2), ("lb1", "eth0", "br0", 0, 11),
            ("lb2", "eth0", "br0", 0, 12), ("lb1", "eth1", "br1", 11, 11),
            ("lb2", "eth1", "br1", 11, 12), ("rs1", "eth0", "br1", 11, 2),
            ("rs2", "eth0", "br1", 11, 3)):
        link(name, dev, to, f"10.0.{net}.{last}/24", f"2001:db8:{net}::{last}/64")
    ns("cl", "ip", "route", "add", "192.0.2.0/24", "via", "10.0.0.1")
    ns("cl", "ip", "route", "add", "2001:db8:f::/64", "via", "2001:db8::1")
    for name in "rs1", "rs2":
        ns(name, "ip", "route", "add", "default", "via", "10.0.11.1")
        ns(name, "ip", "route", "add", "default", "via", "2001:db8:11::1")


def holds(balancer):
    """All of the addresses that move, and their neighbours learned of it."""
    shown = ns(balancer, "ip", "-o", "addr", "show")
    return all(f" {a}/" in shown for a in ("10.0.0.1", "10.0.11.1", "2001:db8::1", "2001:db8:11::1"))


def served():
    return [subprocess.run(["nsenter", "--net=/run/netns/cl", "curl", "-sS", "--max-time", "2",
                            f"http://{vip}/"], capture_output=True, text=True, check=False).stdout
            for vip in VIPS]


def all_go_by(balancer, other, why):
    wait(f"{balancer} has the addresses {why}", lambda: holds(balancer) and not holds(other))
    wait(f"clients are served {why}", lambda: all(a in ("rs1", "rs2") for a in served()))
    before = connections(other)
    assert all(a in ("rs1", "rs2") for a in served())
    assert connections(other) == before, f"packets still go to {other} {why}"
    print(f"ok {why.replace(' ', '-')}", flush=True)


def connections(balancer):
    text = ns(balancer, "cat", "/proc/net/nflb/stats")
    return next(int(line.split()[1]) for line in text.splitlines()
                if line.startswith("connections "))


def keepalived(daemons, name, text):
    conf = daemons.path(f"{name}.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(text)
    return daemons.start(name, f"keepalived-{name}", "keepalived", "-n", "-l", "-P", "-f", conf,
                         "-p", daemons.path(f"{name}.pid"), "-r", daemons.path(f"{name}-vrrp.pid"))


def states(balancer, state):
    for vip in VIPS:
        for rs in "2", "3":
            address = "10.0.11." + rs if "." in vip else "2001:db8:11::" + rs
            ns(balancer, "lbadm", "backend", "set", "tcp", f"{vip}:80", address, "state", state)


def play(daemons):
    topology()
    for name in "rs1", "rs2":
        daemons.start(name, name, sys.executable, "-c", SERVER, name)
    for name in "lb1", "lb2":
        type_section(PAGE, "Both balancers have the same configuration", name)
    script = file_of(PAGE, "check-nflb", daemons.path("check-nflb"), mode=0o700)
    first = file_of(PAGE, "keepalived.conf").replace("/etc/keepalived/check-nflb", script)
    second = first.replace("router_id lb1", "router_id lb2").replace("priority 200", "priority 150")
    assert second.count("priority 150") == 2 and script in second

    lb1 = keepalived(daemons, "lb1", first)
    keepalived(daemons, "lb2", second)
    all_go_by("lb1", "lb2", "at first")
    states("lb1", "down")
    all_go_by("lb2", "lb1", "without backends")
    states("lb1", "up")
    all_go_by("lb1", "lb2", "with backends again")
    ns("lb1", "ip", "link", "set", "eth1", "down")
    all_go_by("lb2", "lb1", "with a link down")
    ns("lb1", "ip", "link", "set", "eth1", "up")
    ns("lb1", "ip", "addr", "replace", "2001:db8:11::11/64", "dev", "eth1")
    all_go_by("lb1", "lb2", "with the link up again")
    daemons.stop(lb1)
    all_go_by("lb2", "lb1", "after an orderly leave")
    lb1 = keepalived(daemons, "lb1", first)
    all_go_by("lb1", "lb2", "after the return")
    daemons.kill(lb1)
    for dev in "eth0", "eth1":
        ns("lb1", "ip", "link", "del", dev)
    all_go_by("lb2", "lb1", "after a death")


with Daemons() as daemons:
    play(daemons)
