# SPDX-License-Identifier: GPL-2.0
"""lbadm service show, backend show and health show by protocol, VIP, prefix and host."""

import ipaddress
import json

from fake_module import MULTI, N, a, play, stats

SERVICES = [  # protocol, address, ports, backends
    ("tcp", "192.0.2.10", (80, 0), ["10.0.0.11", "10.0.0.12:8080"]),
    ("udp", "192.0.2.10", (53, 0), ["10.0.0.11:53"]),
    ("tcp", "192.0.2.10", (8000, 8010), ["10.0.0.12"]),
    ("tcp", "192.0.3.1", (80, 0), ["10.0.0.1", "10.0.0.13:80"]),
    ("tcp", "2001:db8::10", (80, 0), ["2001:db8:1::11", "[2001:db8:1::12]:80"]),
    ("udp", "192.0.2.77", (0, 0), [])]


def identity(service):
    protocol, address, (first, last), _ = service
    return a("A_SERVICE_PROTOCOL", {"tcp": 6, "udp": 17}[protocol]) + a(
        "A_SERVICE_ADDRESS", address) + a("A_SERVICE_PORT", first) + (
        a("A_SERVICE_PORT_LAST", last) if last else b"")


def backend(text):
    address, port = text, 0
    if text.startswith("["):
        address, port = text[1:].split("]:")
    elif text.count(":") == 1:
        address, port = text.split(":")
    return a("A_BACKEND_ADDRESS", address) + a("A_BACKEND_PORT", int(port)) + a(
        "A_BACKEND_WEIGHT", 1) + a("A_BACKEND_STATE", 0) + a("A_BACKEND_STATS", stats())


def module(r):
    asked = [p for k, _, p in r.attributes if k == N["A_SERVICE"]]
    here = [s for s in SERVICES if not asked or identity(s) == asked[0]]
    if not here:
        return [r.error(2, "there is no such service")]
    if r.cmd == N["CMD_SERVICE_GET"]:
        made = [r.message("SERVICE_GET", a("A_SERVICE", identity(s) + a("A_SERVICE_MODE", 0) + a(
            "A_SERVICE_SCHEDULER", "rr") + a("A_SERVICE_STATS", stats())),
                          flags=0 if asked else MULTI) for s in here]
        return [b"".join(made)] + [r.error() if asked else r.done()]
    assert r.cmd == N["CMD_BACKEND_GET"], r.cmd
    made = [r.message("BACKEND_GET", a("A_SERVICE", identity(s)), a("A_BACKEND", backend(b)),
                      flags=MULTI) for s in here for b in s[3]]
    return [b"".join(made)] * bool(made) + [r.done()]


def place(o):
    port = o.get("port", 0)
    return o["address"], port if isinstance(port, int) else str(port)


def show(what, *words, status=0):
    done = play(["-j", what, "show", *words], module)
    assert done.status == status, (words, done.err)
    return json.loads(done.out) if not status else done.err


def test_services():
    for words, wanted in (
            ([], [0, 1, 2, 3, 4, 5]), (["tcp"], [0, 2, 3, 4]), (["udp"], [1, 5]),
            (["tcp", "192.0.2.10:80"], [0]), (["tcp", "192.0.2.10"], [0, 2]),
            (["udp", "192.0.2.0/24"], [1, 5]), (["tcp", "192.0.2.0/23"], [0, 2, 3]),
            (["vip", "192.0.2.10"], [0, 1, 2]), (["vip", "0.0.0.0/0"], [0, 1, 2, 3, 5]),
            (["vip", "::/0"], [4]), (["tcp", "[2001:db8::10]"], [4]),
            (["tcp", "2001:db8::/32"], [4]), (["vip", "198.51.100.1"], []),
            (["backend", "10.0.0.11"], [0, 1]), (["backend", "10.0.0.11:80"], [0]),
            (["backend", "10.0.0.11:53"], [1]), (["backend", "10.0.0.12:8000"], []),
            (["backend", "10.0.0.1"], [3]), (["backend", "[2001:db8:1::11]:80"], [4]),
            (["tcp", "backend", "10.0.0.11"], [0]), (["tcp", "vip", "192.0.2.10"], [0, 2]),
            (["backend", "10.0.0.12", "vip", "192.0.2.10"], [0, 2]),
            (["tcp", "192.0.2.10", "backend", "10.0.0.11"], [0]),
            (["tcp", "192.0.2.10:80", "backend", "10.0.0.99"], []),
            (["backend", "10.0.0.99"], [])):
        got = [(s["protocol"], *place(s)) for s in show("service", *words)]
        ports = [p if not l else f"{p}-{l}" for _, _, (p, l), _ in SERVICES]
        assert got == [(SERVICES[i][0], SERVICES[i][1], ports[i] or "*") for i in wanted], (words, got)
    # A service is shown with all its backends.
    assert len(show("service", "backend", "10.0.0.12:8080")[0]["backends"]) == 2
    assert "no such service" in show("service", "tcp", "192.0.2.10:81", status=2)


def test_backends():
    for what in "backend", "health":
        for words, wanted in (
                ([], [b for s in SERVICES for b in s[3]]),
                (["tcp", "192.0.2.10:80"], SERVICES[0][3]),
                (["tcp", "192.0.2.10:80", "10.0.0.12:8080"], ["10.0.0.12:8080"]),
                (["tcp", "192.0.2.10"], SERVICES[0][3] + SERVICES[2][3]),
                (["udp"], SERVICES[1][3]), (["vip", "2001:db8::/64"], SERVICES[4][3]),
                (["backend", "10.0.0.11"], ["10.0.0.11", "10.0.0.11:53"]),
                (["tcp", "192.0.2.10:80", "backend", "10.0.0.12"], ["10.0.0.12:8080"]),
                (["backend", "10.0.0.12"], ["10.0.0.12:8080", "10.0.0.12"]),
                (["backend", "2001:db8:1::12"], ["[2001:db8:1::12]:80"]),
                (["backend", "10.9.9.9"], [])):
            def text(o):
                address, port = place(o)
                v6 = ipaddress.ip_address(address).version == 6 and port
                return (f"[{address}]" if v6 else address) + (f":{port}" if port else "")
            got = [text(b) for b in show(what, *words)]
            assert got == wanted, (what, words, got)
        assert "no such backend" in show(what, "tcp", "192.0.2.10:80", "10.0.0.99", status=2)
        one = show(what, "backend", "10.0.0.13")[0]["service"]
        assert one["address"] == "192.0.3.1", one


def test_one_service_is_one_request():
    """The kernel is asked for it alone, not for all."""
    done = play(["backend", "show", "tcp", "192.0.2.10:80", "backend", "10.0.0.11"], module)
    assert [len(r.attributes) for r in done.requests] == [1], done.requests


def test_words():
    for words in (["x"], ["tcp", "192.0.2.300"], ["tcp", "192.0.2.10:80", "x"], ["vip"],
                  ["vip", "192.0.2.10:80"], ["vip", "192.0.2.0/33"], ["backend"],
                  ["backend", "x"], ["vip", "192.0.2.1", "vip", "192.0.2.2"],
                  ["tcp", "192.0.2.1", "vip", "192.0.2.2"], ["backend", "10.0.0.1", "x"],
                  ["tcp", "192.0.2.10", "10.0.0.1"], ["backend", "10.0.0.1", "backend", "10.0.0.2"]):
        for what in "service", "backend":
            said = show(what, *words, status=1)
            assert said.startswith("lbadm: "), (words, said)
    said = show("backend", "tcp", "192.0.2.10:80", "10.0.0.1", "backend", "10.0.0.1", status=1)
    assert "backend is there twice" in said, said
