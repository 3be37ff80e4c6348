#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""docs/show.md has the output of each `show` at 80 columns, as lbadm prints it.

The page's blocks with prompts are commands and their output. The module's side is played
here, so the output depends on lbadm alone. With NFLB_PAGES set, nothing is compared: a copy
of the page with the output as it is now goes to that directory (scripts/docs-output)."""

import json
import os
import re
import subprocess

from config_test import EXAMPLE, Module, apply
from fake_module import DUMP, LBADM, MULTI, N, a, attr, play, stats
from module_test import TCP, UDP, backend, dumps, service

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/show.md")
PROMPT = "    # "
# Commands for another host, of which tutorial-dsr.md has the output
ELSEWHERE = {"backend-setup"}

WEB = [a("A_SERVICE_PROTOCOL", TCP), a("A_SERVICE_ADDRESS", "192.0.2.10"),
       a("A_SERVICE_PORT", 80)]
DNS = [a("A_SERVICE_PROTOCOL", UDP), a("A_SERVICE_ADDRESS", "2001:db8:f::10"),
       a("A_SERVICE_PORT", 53)]
API = [a("A_SERVICE_PROTOCOL", TCP), a("A_SERVICE_ADDRESS", "192.0.2.11"),
       a("A_SERVICE_PORT", 8000), a("A_SERVICE_PORT_LAST", 8010)]
# The file that `config diff` compares with
FILE = json.loads(EXAMPLE)
FILE["services"][0].update({"scheduler": "wlc"})
FILE["services"][0]["backends"][0]["weight"] = 3
FILE["services"][0]["backends"][1]["address"] = "10.0.0.13"


class World:
    """A balancer with three services. A second later, more has passed."""

    def __init__(self):
        self.looks = 0

    def counted(self, share, active=0, inactive=0):
        now = self.looks
        return stats((91234 + 321 * now) * share, active,
                     ((1800000 + 12300 * now) * share, (1500000 + 11400 * now) * share),
                     ((180000000 + 1250000 * now) * share,
                      (2900000000 + 21000000 * now) * share)) + [
                          a("A_STATS_INACTIVE", inactive)]

    def services(self):
        self.looks += 1
        return [
            service(WEB, a("A_SERVICE_SCHEDULER", "wlc"), a("A_SERVICE_PERSIST", 300),
                    a("A_SERVICE_PERSIST_PREFIX4", 24), a("A_SERVICE_PERSIST_PREFIX6", 64),
                    a("A_SERVICE_PERSIST_COUNT", 57), a("A_SERVICE_TIMEOUT_ESTABLISHED", 3600),
                    counters=self.counted(3, 182, 961)),
            service(DNS, a("A_SERVICE_SCHEDULER", "maglev"), a("A_SERVICE_MODE", 2),
                    a("A_SERVICE_ENCAP", 3), a("A_SERVICE_ENCAP_PORT", 6080),
                    counters=self.counted(1, 0, 411)),
            service(API, a("A_SERVICE_MODE", 1), a("A_SERVICE_TOA", 1),
                    counters=self.counted(1, 7, 2))]

    def backends(self):
        return [
            backend(WEB, "10.0.11.2", 8080, a("A_BACKEND_WEIGHT", 2), a("A_BACKEND_ID", 1),
                    a("A_BACKEND_HEALTH", 2), a("A_BACKEND_HEALTH_AGE", 3811),
                    counters=self.counted(2, 120, 880)),
            backend(WEB, "10.0.12.2", 8080, a("A_BACKEND_STATE", 1), a("A_BACKEND_ID", 2),
                    a("A_BACKEND_CONDITION", "draining"), counters=self.counted(1, 62, 81)),
            backend(WEB, "10.0.13.2", 8080, a("A_BACKEND_HEALTH", 3), a("A_BACKEND_ID", 3),
                    a("A_BACKEND_HEALTH_REASON", "connection refused"),
                    a("A_BACKEND_HEALTH_AGE", 12), a("A_BACKEND_CONDITION", "unhealthy")),
            backend(DNS, "2001:db8:11::2", 53, a("A_BACKEND_ID", 4),
                    counters=self.counted(1, 0, 411)),
            backend(API, "10.0.11.2", 0, a("A_BACKEND_ID", 5), counters=self.counted(1, 7, 2)),
            backend(API, "10.0.14.2", 0, a("A_BACKEND_STATE", 2), a("A_BACKEND_ID", 6))]

    @staticmethod
    def connections():
        def conn(protocol, client, port, vip, vport, server, sport, mode, state, expires, age,
                 *more):
            return a("A_CONN", [
                a("A_CONN_PROTOCOL", protocol), a("A_CONN_CLIENT_ADDRESS", client),
                a("A_CONN_CLIENT_PORT", port), a("A_CONN_ADDRESS", vip), a("A_CONN_PORT", vport),
                a("A_CONN_BACKEND_ADDRESS", server), a("A_CONN_BACKEND_PORT", sport),
                a("A_CONN_MODE", mode), a("A_CONN_STATE", state), a("A_CONN_EXPIRES", expires),
                a("A_CONN_AGE", age), *more])
        return [
            conn(TCP, "198.51.100.7", 40212, "192.0.2.10", 80, "10.0.11.2", 8080, 0, 3, 897, 3),
            conn(TCP, "198.51.100.9", 51515, "192.0.2.11", 8001, "10.0.11.2", 8001, 1, 7, 41, 80,
                 a("A_CONN_LOCAL_ADDRESS", "10.0.0.1"), a("A_CONN_LOCAL_PORT", 25646)),
            conn(UDP, "2001:db8::2", 5353, "2001:db8:f::10", 53, "2001:db8:11::2", 53, 2, 9, 22, 1,
                 a("A_CONN_ENCAP", 3))]

    @staticmethod
    def laddrs():
        return [a("A_LADDR", [
            a("A_LADDR_ADDRESS", first), a("A_LADDR_ADDRESS_LAST", last), a("A_LADDR_PORT", low),
            a("A_LADDR_PORT_LAST", 65535), a("A_LADDR_FOREIGN", foreign)])
            for first, last, low, foreign in (("10.0.0.1", "10.0.0.1", 1024, 0),
                                              ("10.0.0.4", "10.0.0.7", 32768, 4))]

    @staticmethod
    def devices():
        return [attr(N["A_DEVICE"], b"eth0\0"),
                attr(N["A_DEVICE"], b"ens5f0\0") + attr(N["A_DEVICE_ABSENT"], b"")]

    def totals(self):
        drops = [a("A_DROP", [a("A_DROP_REASON", name), a("A_DROP_PACKETS", packets)])
                 for name, packets in (("no-backend", 5 * self.looks), ("no-route", 0),
                                       ("no-connection", 1200))]
        return a("A_STATS", self.counted(5, 189, 1374)) + a("A_MAX_CONNECTIONS", 500000) + a(
            "A_DROPS", drops) + a("A_COUNTERS", [
                a("A_COUNTER", [a("A_COUNTER_NAME", "toa-inserted"),
                                a("A_COUNTER_VALUE", 91234)])])

    def one(self, r, identity):
        """A service, or its backends"""
        name, lists = (("SERVICE_GET", self.services) if r.cmd == N["CMD_SERVICE_GET"] else
                       ("BACKEND_GET", self.backends))
        found = [x for x in lists() if x[4:].startswith(identity)]
        assert found, "no such service"
        if not r.flags & DUMP:
            return [r.message(name, found[0]), r.error()]
        return [*(r.message(name, x, flags=MULTI) for x in found), r.done()]

    def __call__(self, r):
        if r.cmd == N["CMD_STATS_GET"]:
            self.looks += 1
            return [r.message("STATS_GET", self.totals()), r.error()]
        wanted = [payload for kind, _, payload in r.attributes if kind == N["A_SERVICE"]]
        if wanted:
            return self.one(r, wanted[0])
        return dumps(self.services, self.backends, CONN_GET=self.connections,
                     LADDR_GET=self.laddrs, DEVICE_GET=self.devices)(r)


def policies(where):
    """The table of nftables with a list and a limit"""
    name = "tcp-192.0.2.10-80"
    out = [{"chain": {"name": name}},
           {"set": {"name": name + ".deny", "elem": [
               "203.0.113.7", {"prefix": {"addr": "198.51.100.0", "len": 24}}]}},
           {"rule": {"chain": name, "comment": "deny",
                     "expr": [{"counter": {"packets": 1312}}]}},
           {"rule": {"chain": name, "comment": "rate 100/second burst 200",
                     "expr": [{"counter": {"packets": 5}}]}}]
    with open(where / "nft", "w", encoding="utf-8") as f:
        json.dump({"nftables": out}, f)
    return str(where / "nft")


def printed(command, where):
    """What a command of the page prints."""
    assert command.startswith("lbadm "), command
    module = World()
    if "config diff" in command:
        module = Module()
        assert apply(module, EXAMPLE).status == 0
    done = play(command.split()[1:], module, env={
        "COLUMNS": "80", "NFLB_FAKE_CLOCK": "1", "NFLB_FAKE_NFT": policies(where)})
    assert (done.err, done.status in (0, 4)) == ("", True), (command, done.status, done.err)
    return [line.rstrip() for line in done.out.splitlines()]


def blocks(lines):
    """(command, number of its first line of output, those lines)"""
    command, first, output = None, 0, []
    for number, line in enumerate([*lines, "end"]):
        if command and (line.startswith(PROMPT) or not line.startswith("    ")):
            yield command, first, output
            command = None
        if line.startswith(PROMPT):
            command, first, output = line[len(PROMPT):], number + 1, []
        elif command:
            output.append(line[4:])


def read():
    with open(PAGE, encoding="utf-8") as f:
        return f.read().splitlines()


def test_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("nflb.json", "w", encoding="utf-8") as f:
        json.dump(FILE, f)
    lines, changes = read(), []
    for command, first, output in blocks(lines):
        now = printed(command, tmp_path)
        wide = [line for line in now if len(line) > 80]
        assert not wide, (command, wide)
        changes.append((first, len(output), now))
        if "NFLB_PAGES" not in os.environ:
            assert output == now, "%s prints\n%s\nnot, as docs/show.md:%d has it,\n%s\n" \
                "(scripts/docs-output writes the page)" % (
                    command, "\n".join(now), first, "\n".join(output))
    for first, length, now in reversed(changes):
        lines[first:first + length] = [("    " + line).rstrip() for line in now]
    if "NFLB_PAGES" in os.environ:
        with open(os.path.join(os.environ["NFLB_PAGES"], "show.md"), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")


def helped(*words):
    return subprocess.run([LBADM, "help", *words], capture_output=True, text=True,
                          check=True).stdout


def test_every_show_is_there():
    shown = {(" ".join(w for w in command.split()[1:] if not w.startswith("-")))
             for command, _, _ in blocks(read())}
    objects = re.search(r"Objects:\n((?:  .*\n)+)", helped())[1]
    with_show = {name for name in re.findall(r"^  (\S+)", objects, re.M)
                 if re.search(rf"^  lbadm {name} show", helped(name), re.M)}
    assert {"service", "policy", *ELSEWHERE} <= with_show, with_show
    missing = {name for name in with_show - ELSEWHERE
               if not any(command.startswith(f"{name} show") for command in shown)}
    assert not missing, f"docs/show.md has no output of `show` of {', '.join(missing)}"
    assert any(command.startswith("config diff") for command in shown)
