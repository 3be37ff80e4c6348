# SPDX-License-Identifier: GPL-2.0
"""lbadm version, and ports of local addresses that are in use."""

import json
import re

from fake_module import HERE, N, a, play, stats
from module_test import WEB, backend, dumps, shows, succeeds

TOOL = re.search(r'NFLB_VERSION "(.*)"',
                 open(HERE + "/../../kmod/version.h", encoding="utf-8").read())[1]


def protocol():
    """NFLB_UAPI_VERSION, summed up here"""
    with open(HERE + "/../../include/uapi/linux/nflb.h", encoding="utf-8") as f:
        summed = re.search(r"#define NFLB_UAPI_VERSION \((.*?)\)", f.read(), re.S)[1]
    return sum(N[name.replace("NFLB_", "__", 1)] - 1 for name in re.findall(r"\w+", summed))


def module(number, version="9.9.9"):
    def handler(r):
        assert r.cmd == N["CMD_CONFIG_GET"]
        return [r.message("CONFIG_GET", a("A_BOOT", 1), *(
            [a("A_MODULE_VERSION", version), a("A_UAPI_VERSION", number)] if number else [])),
            r.error()]
    return handler


def test_version():
    mine = protocol()
    assert mine > 190
    for number, status, fit in ((mine, 0, "same"), (mine - 1, 4, "module-older"),
                                (mine + 1, 4, "module-newer")):
        r = play(["version"], module(number))
        assert r.status == status, (number, r.err)
        assert r.out == "lbadm %s protocol %u\nmodule 9.9.9 protocol %u\n" % (
            TOOL, mine, number)
        assert bool(r.err) == bool(status) and fit.split("-")[-1] in r.err + "same", r.err
        r = play(["-j", "version"], module(number))
        assert r.status == status
        assert json.loads(r.out) == {
            "tool": TOOL, "tool-protocol": mine, "module": "9.9.9",
            "module-protocol": number, "fit": fit}


def test_a_module_that_does_not_tell():
    r = play(["-j", "version"], module(None))
    assert r.status == 4 and json.loads(r.out)["fit"] == "module-older", r.out
    r = play(["-j", "version"], lambda r: [r.error(95)])
    assert r.status == 4 and json.loads(r.out)["fit"] == "module-older", r.err
    assert "module unknown\n" in play(["version"], module(None)).out


def test_no_module():
    r = play(["version"], None, loaded=False)
    assert r.status == 3 and r.out.startswith("lbadm " + TOOL) and "not loaded" in r.err
    r = play(["-j", "version"], None, loaded=False)
    assert r.status == 3 and json.loads(r.out)["fit"] == "not-loaded"
    assert play(["version", "now"], None).status == 1


def laddr(first, last, ports):
    return a("A_LADDR", [
        a("A_LADDR_ADDRESS", first), a("A_LADDR_ADDRESS_LAST", last),
        a("A_LADDR_PORT", 1024), a("A_LADDR_PORT_LAST", 1024 + ports - 1),
        a("A_LADDR_FOREIGN", 0), ports_of("A_LADDR_PORT_COUNT", ports)])


def ports_of(name, number):
    """An attribute of a number of ports, which is no port"""
    return a(name, number.to_bytes(4, "little"))


OTHER = [WEB[0], a("A_SERVICE_ADDRESS", "192.0.2.99"), WEB[2]]


def used(service, address, port, ports, *more):
    return backend(service, address, port, *more,
                   ports_of("A_BACKEND_LOCAL_PORTS", ports), counters=stats())


POOLS = [laddr("10.9.0.1", "10.9.0.4", 100), laddr("10.9.1.1", "10.9.1.1", 50),
         laddr("2001:db8::1", "2001:db8::1", 10)]


def test_local_ports():
    """Backends of two services are one destination; those of the other family count for
    the other pool."""
    handler = dumps([], [used(WEB, "10.0.0.1", 80, 70), used(WEB, "10.0.0.2", 80, 90),
                         used(OTHER, "10.0.0.1", 80, 30), used(OTHER, "2001:db8::7", 0, 4),
                         backend(OTHER, "10.0.0.9", 80, counters=stats())],
                    LADDR_GET=POOLS)
    got = [x["stats"] for x in shows(["-s", "laddr", "show"], handler)]
    four = {"ports-total": 450, "ports-used": 190, "ports-busiest": 100,
            "busiest": {"protocol": "tcp", "address": "10.0.0.1", "port": 80}}
    assert got == [four, four, {
        "ports-total": 10, "ports-used": 4, "ports-busiest": 4,
        "busiest": {"protocol": "tcp", "address": "2001:db8::7", "port": 80}}], got
    lines = succeeds(["-s", "laddr", "show"], handler).out.split("\n")
    assert lines[0].split() == ["ADDRESS", "PORTS", "USED", "TOTAL", "BUSIEST", "DESTINATION"]
    assert lines[1].split()[2:] == ["190", "450", "100", "tcp", "10.0.0.1:80"], lines
    assert lines[3].endswith("tcp [2001:db8::7]:80"), lines
    # Without -s, nobody is asked for backends.
    r = succeeds(["-j", "laddr", "show"], handler)
    assert "stats" not in r.out and len(r.requests) == 1


def test_local_ports_are_not_counted():
    handler = dumps([], [backend(WEB, "10.0.0.1", 80, counters=stats())], LADDR_GET=POOLS[:1])
    assert shows(["-s", "laddr", "show"], handler)[0]["stats"] == {"ports-total": 400}
