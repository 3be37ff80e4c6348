# SPDX-License-Identifier: GPL-2.0
"""lbadm against a module that the test plays: what it asks, what it prints of
what it is told, and what it does when the answer is no."""

import errno
import json
import os
import re
import signal

from fake_module import (ACK, DUMP, DUMP_INTR, GROUPS, MULTI, N, REQUEST, a,
                         attr, attributes, message, play, stats)

TCP, UDP = 6, 17
WEB = [a("A_SERVICE_PROTOCOL", TCP), a("A_SERVICE_ADDRESS", "192.0.2.10"),
       a("A_SERVICE_PORT", 80)]
DNS = [a("A_SERVICE_PROTOCOL", UDP), a("A_SERVICE_ADDRESS", "2001:db8::10"),
       a("A_SERVICE_PORT", 53)]
RANGE = [a("A_SERVICE_PROTOCOL", TCP), a("A_SERVICE_ADDRESS", "192.0.2.10"),
         a("A_SERVICE_PORT", 8000), a("A_SERVICE_PORT_LAST", 8010)]
ALL = [a("A_SERVICE_PROTOCOL", TCP), a("A_SERVICE_ADDRESS", "192.0.2.11"),
       a("A_SERVICE_PORT", 0)]
OFF = [a("A_SERVICE_ENCAP", 0), a("A_SERVICE_TOA", 0),
       a("A_SERVICE_PERSIST", 0), a("A_SERVICE_PERSIST_PREFIX4", 32)]


def service(identity, *settings, counters=None):
    return a("A_SERVICE", identity + [
        a("A_SERVICE_MODE", 0), a("A_SERVICE_SCHEDULER", "rr"), *settings,
        a("A_SERVICE_BACKEND_COUNT", 2),
        a("A_SERVICE_STATS", counters or stats())])


def backend(identity, address, port, *settings, counters=None):
    return (a("A_SERVICE", identity) + a("A_BACKEND", [
        a("A_BACKEND_ADDRESS", address), a("A_BACKEND_PORT", port),
        a("A_BACKEND_WEIGHT", 1), a("A_BACKEND_STATE", 0), *settings,
        a("A_BACKEND_STATS", counters or stats())]))


def dumps(services=(), backends=(), **more):
    """A handler that answers dumps with these."""
    lists = {N["CMD_SERVICE_GET"]: ("SERVICE_GET", services),
             N["CMD_BACKEND_GET"]: ("BACKEND_GET", backends)}
    for key, value in more.items():
        lists[N["CMD_" + key]] = (key, value)

    def handler(r):
        assert r.flags == REQUEST | DUMP, hex(r.flags)
        name, objects = lists[r.cmd]
        objects = objects() if callable(objects) else objects
        return [b"".join(r.message(name, o, flags=MULTI) for o in objects),
                r.done()][0 if objects else 1:]
    return handler


def answers(cmd, *attrs):
    return lambda r: [r.message(cmd, *attrs), r.error()]


def refuses(number, text=None):
    return lambda r: [r.error(number, text)]


def accepts(r):
    return [r.error()]


def equal(got, want):
    assert got == want, "got   %s\n    wants %s" % (got, want)


def succeeds(args, handler, **kwargs):
    r = play(args, handler, **kwargs)
    assert r.status == 0 and not r.err, (args, r.status, r.err, r.out)
    return r


def shows(args, handler):
    """What JSON it prints, which must be valid."""
    return json.loads(succeeds(["-j", *args], handler).out)


# --- what is asked

def test_ask_service_add():
    r = succeeds("service add tcp 192.0.2.10:80 mode dsr encap gue:6080 "
                 "scheduler maglev persist 300/24/64 toa on timeout-syn 1 "
                 "timeout-established 2 timeout-fin 3 timeout-udp 4".split(),
                 accepts).requests
    equal(len(r), 1)
    # No other flags: strict checks refuse CREATE and EXCL
    equal((r[0].cmd, r[0].flags, r[0].version),
          (N["CMD_SERVICE_ADD"], REQUEST | ACK, 1))
    want = WEB + [
        a("A_SERVICE_MODE", 2), a("A_SERVICE_ENCAP", 3),
        a("A_SERVICE_ENCAP_PORT", 6080), a("A_SERVICE_SCHEDULER", "maglev"),
        a("A_SERVICE_PERSIST", 300), a("A_SERVICE_PERSIST_PREFIX4", 24),
        a("A_SERVICE_PERSIST_PREFIX6", 64), a("A_SERVICE_TOA", 1),
        a("A_SERVICE_TIMEOUT_SYN", 1), a("A_SERVICE_TIMEOUT_ESTABLISHED", 2),
        a("A_SERVICE_TIMEOUT_FIN", 3), a("A_SERVICE_TIMEOUT_UDP", 4)]
    equal(r[0].attributes, [(N["A_SERVICE"], True, b"".join(want))])


def test_one_packet():
    for word, value in (("on", 1), ("off", 0)):
        r = succeeds(["service", "set", "udp", "192.0.2.10:53", "one-packet", word],
                     accepts).requests
        assert a("A_SERVICE_ONE_PACKET", value) in r[0].attributes[0][2], word


def test_ask_verbs():
    for words, cmd in (("service set", "SERVICE_SET"),
                       ("service replace", "SERVICE_REPLACE"),
                       ("service del", "SERVICE_DEL")):
        r = succeeds([*words.split(), "tcp", "192.0.2.10:80"], accepts)
        equal((r.requests[0].cmd, r.requests[0].flags,
               r.requests[0].attributes),
              (N["CMD_" + cmd], REQUEST | ACK,
               [(N["A_SERVICE"], True, b"".join(WEB))]))


def test_ask_backends():
    identity = (N["A_SERVICE"], True, b"".join(WEB))
    one = a("A_BACKEND_ADDRESS", "10.0.0.1") + a("A_BACKEND_PORT", 8080)

    def asks(line, cmd, more=b"", *rest):
        verb, *settings = line.split()
        r = succeeds(["backend", verb, "tcp", "192.0.2.10:80",
                      "10.0.0.1:8080", *settings], accepts).requests[0]
        equal((r.cmd, r.flags), (N["CMD_" + cmd], REQUEST | ACK))
        equal(r.attributes, [identity, (N["A_BACKEND"], True, one + more),
                             *rest])

    asks("add weight 3 mode dsr encap gue:6080 max-connections 9 state drain",
         "BACKEND_ADD", b"".join([
             a("A_BACKEND_WEIGHT", 3), a("A_BACKEND_STATE", 1),
             a("A_BACKEND_MODE", 2), a("A_BACKEND_ENCAP", 3),
             a("A_BACKEND_ENCAP_PORT", 6080),
             a("A_BACKEND_MAX_CONNECTIONS", 9)]))
    asks("set weight 0", "BACKEND_SET", a("A_BACKEND_WEIGHT", 0))
    asks("drain", "BACKEND_SET", a("A_BACKEND_STATE", 1))
    asks("enable", "BACKEND_SET", a("A_BACKEND_STATE", 0))
    asks("del", "BACKEND_DEL")
    asks("del now", "BACKEND_DEL", b"", (N["A_NOW"], False, b""))


def test_ask_connections():
    r = succeeds(["connection", "flush", *"service udp [2001:db8::10]:53 "
                  "backend 10.0.0.1 client 10.0.0.0/8 state time-wait".split()],
                 answers("CONN_FLUSH", a("A_COUNT", 3)))
    equal(r.out, "3 connections ended\n")
    equal(r.requests[0].attributes, [
        (N["A_SERVICE"], True, b"".join(DNS)),
        (N["A_BACKEND"], True, a("A_BACKEND_ADDRESS", "10.0.0.1") +
         a("A_BACKEND_PORT", 0)),
        (N["A_FILTER"], True, a("A_FILTER_CLIENT_ADDRESS", "10.0.0.0") +
         a("A_FILTER_CLIENT_PREFIX", 8) + a("A_FILTER_STATE", 7))])
    r = succeeds(["connection", "count"], answers("CONN_COUNT",
                                                  a("A_COUNT", 2 ** 40)))
    equal((r.out, r.requests[0].attributes), ("%d\n" % 2 ** 40, []))
    equal(shows(["connection", "count"],
                answers("CONN_COUNT", a("A_COUNT", 5))), {"count": 5})


def on_terminal(args, handler, answer):
    """(status, what it said, requests) with a terminal as standard input and error"""
    master, slave = os.openpty()
    os.write(master, answer)
    seen = play(args, handler, stdin=slave, stderr=slave)
    os.close(slave)
    said = b""
    try:
        while more := os.read(master, 4096):
            said += more
    except OSError:
        pass    # nobody has the other end
    os.close(master)
    return seen.status, said.decode(), seen.requests


def test_flush_asks_on_a_terminal():
    ended = answers("CONN_FLUSH", a("A_COUNT", 3))
    for answer, status, number in ((b"y\n", 0, 1), (b"yes\n", 0, 1), (b"n\n", 1, 0),
                                   (b"\n", 1, 0), (b"yellow\n", 1, 0)):
        got = on_terminal(["connection", "flush"], ended, answer)
        equal((got[0], len(got[2])), (status, number))
        assert "Go on?" in got[1], got[1]
        assert status == 0 or "nothing was ended" in got[1], got[1]
    for words in (["all"], ["service", "tcp", "192.0.2.10:80"]):
        got = on_terminal(["connection", "flush", *words], ended, b"")
        equal((got[0], len(got[2])), (0, 1))
        assert "Go on?" not in got[1], got[1]
    # Scripts are not asked.
    for words in ([], ["all"]):
        r = succeeds(["connection", "flush", *words], ended)
        equal((r.out, r.requests[0].attributes), ("3 connections ended\n", []))


# --- what is printed

def many(r):
    return dumps([service(WEB, *OFF, a("A_SERVICE_TIMEOUT_SYN", 60)),
                  service(RANGE), service(ALL),
                  service(DNS, a("A_SERVICE_ENCAP", 3),
                          a("A_SERVICE_ENCAP_PORT", 6080),
                          a("A_SERVICE_TOA", 1), a("A_SERVICE_PERSIST", 300),
                          a("A_SERVICE_PERSIST_PREFIX4", 24),
                          a("A_SERVICE_PERSIST_PREFIX6", 64))],
                 # Not in the order of the services, one of none of them
                 [backend(DNS, "2001:db8::1", 0,
                          a("A_BACKEND_MAX_CONNECTIONS", 0)),
                  backend(WEB, "10.0.0.1", 8080, a("A_BACKEND_MODE", 2),
                          a("A_BACKEND_ENCAP", 3),
                          a("A_BACKEND_ENCAP_PORT", 6081),
                          a("A_BACKEND_MAX_CONNECTIONS", 9),
                          counters=stats(active=4)),
                  backend([WEB[0], a("A_SERVICE_ADDRESS", "192.0.2.99"),
                           WEB[2]], "10.0.0.9", 0),
                  backend(WEB, "10.0.0.2", 8080)])(r)


def test_show_services_json():
    plain = {"mode": "dnat", "scheduler": "rr", "backends": []}
    up = {"weight": 1, "state": "up"}
    want = [
        {**plain, "protocol": "tcp", "address": "192.0.2.10", "port": 80,
         "timeout-syn": 60, "backends": [
             {**up, "address": "10.0.0.1", "port": 8080, "mode": "dsr",
              "encap": "gue", "encap-port": 6081, "max-connections": 9},
             {**up, "address": "10.0.0.2", "port": 8080}]},
        {**plain, "protocol": "tcp", "address": "192.0.2.10",
         "port": "8000-8010"},
        {**plain, "protocol": "tcp", "address": "192.0.2.11", "port": "*"},
        {**plain, "protocol": "udp", "address": "2001:db8::10", "port": 53,
         "encap": "gue", "encap-port": 6080, "toa": True, "persist": 300,
         "persist-prefix4": 24, "persist-prefix6": 64,
         "backends": [{**up, "address": "2001:db8::1"}]}]
    equal(shows(["service", "show"], many), want)
    equal(shows([], many), want)
    equal(shows([], dumps()), [])
    zero = {"connections": 0, "active": 0, "packets-in": 0, "packets-out": 0,
            "bytes-in": 0, "bytes-out": 0}
    got = shows(["-s"], many)
    equal(got[0]["stats"], zero)
    equal(got[0]["backends"][0]["stats"], {**zero, "active": 4})
    assert "rates" not in got[0], got[0]


def test_show_services_text():
    out = succeeds([], many).out
    equal(out, """\
  BACKEND       STATE WEIGHT ACTIVE INACT MAX MODE ENCAP
tcp 192.0.2.10:80 mode dnat scheduler rr
  10.0.0.1:8080 up         1      4         9 dsr  gue:6081
  10.0.0.2:8080 up         1      0
tcp 192.0.2.10:8000-8010 mode dnat scheduler rr
tcp 192.0.2.11:* mode dnat scheduler rr
udp [2001:db8::10]:53 mode dnat encap gue:6080 scheduler rr toa on \
persist 300/24/64
  2001:db8::1   up         1      0
""")
    equal(succeeds([], dumps()).out, "")
    equal(succeeds([], dumps([service(WEB)])).out,
          "tcp 192.0.2.10:80 mode dnat scheduler rr\n")
    strange = dumps([service(WEB)],
                    [backend(WEB, "10.0.0.1", 0, a("A_BACKEND_STATE", 9))])
    equal(succeeds([], strange).out.splitlines()[-1].split(), ["10.0.0.1", "9", "1", "0"])
    strange = dumps([service([a("A_SERVICE_PROTOCOL", 132), *WEB[1:]])])
    assert succeeds([], strange).out.startswith("132 192.0.2.10:80 ")
    # A timeout that has its default is a detail.
    assert " timeout-syn 60\n" in succeeds(["-d"], many).out
    assert "\033" in succeeds(["-c", "always"], many).out
    assert "\033" not in succeeds(["-c", "auto"], many).out


def test_show_one_service():
    def handler(r):
        equal(r.attributes, [(N["A_SERVICE"], True, b"".join(WEB))])
        if r.cmd == N["CMD_SERVICE_GET"]:
            return [r.message("SERVICE_GET", service(WEB)), r.error()]
        return dumps([], [backend(WEB, "10.0.0.1", 0)])(r)

    got = shows(["service", "show", "tcp", "192.0.2.10:80"], handler)
    equal([len(got), len(got[0]["backends"])], [1, 1])


def test_show_backends():
    identity = {"protocol": "tcp", "address": "192.0.2.10", "port": 80}
    got = shows(["backend", "show"], many)
    equal(len(got), 4)
    equal(got[3], {"address": "10.0.0.2", "port": 8080, "weight": 1,
                   "state": "up", "service": identity})
    both = dumps([], [backend(WEB, "10.0.0.1", 8080),
                      backend(WEB, "10.0.0.2", 8080)])
    show = ["backend", "show", "tcp", "192.0.2.10:80"]
    equal(len(shows(show, both)), 2)
    equal([b["address"] for b in shows([*show, "10.0.0.2:8080"], both)],
          ["10.0.0.2"])
    r = play([*show, "10.0.0.3:8080"], both)
    equal((r.status, r.out), (2, ""))
    assert "no such backend" in r.err, r.err
    out = succeeds(["backend", "show"], both).out
    equal(out, """\
  BACKEND       STATE WEIGHT ACTIVE INACT
tcp 192.0.2.10:80
  10.0.0.1:8080 up         1      0
  10.0.0.2:8080 up         1      0
""")


def test_drops_of_services_and_backends():
    handler = dumps([service(WEB, counters=stats(drops=7000))],
                    [backend(WEB, "10.0.0.1", 0, counters=stats(drops=3))])
    got = shows(["-s", "service", "show"], handler)[0]
    equal((got["stats"]["drops"], got["backends"][0]["stats"]["drops"]),
          (7000, 3))
    out = succeeds(["-s", "backend", "show", "--output", "BACKEND,DROPS"],
                   handler).out
    assert re.search(r"^ *BACKEND +DROPS$", out, re.M), out
    assert re.search(r"^ *10.0.0.1 +3$", out, re.M), out
    got = shows(["-ss", "service", "show"], handler)[0]
    equal((got["rates"]["drops"], got["backends"][0]["rates"]["drops"]),
          (0, 0))


def test_rates():
    seen = []

    def counted():
        seen.append(1)
        n = 1000 * len(seen)
        return stats(n, 3, (2 * n, 3 * n), (4 * n, n // 2))

    def near(rates, want):
        equal(sorted(rates), sorted(want))
        for key, value in want.items():
            # A busy machine measures over more than a second, and says so
            assert 0.5 * value <= rates[key] <= value, (key, rates)

    gain = {"connections": 1000, "packets-in": 2000, "packets-out": 3000,
            "bytes-in": 4000, "bytes-out": 500}
    handler = dumps(lambda: [service(WEB, counters=counted())],
                    lambda: [backend(WEB, "10.0.0.1", 0, counters=counted())])
    got = shows(["-s", "-s", "service", "show"], handler)[0]
    # Services and backends take turns, so each gains twice as much
    near(got["rates"], {k: 2 * v for k, v in gain.items()})
    near(got["backends"][0]["rates"], {k: 2 * v for k, v in gain.items()})
    near(shows(["-ss", "backend", "show"], handler)[0]["rates"], gain)

    def total(r):
        return [r.message("STATS_GET", a("A_STATS", counted())), r.error()]
    near(shows(["-ss", "stats", "show"], total)["rates"], gain)
    out = succeeds(["--exact", "-ss", "stats", "show"], total).out
    assert re.match(r"NAME +TOTAL PER-SECOND\n", out), out
    got = re.search(r"^connections +(\d+) +(\d+)$", out, re.M)
    assert got and 500 <= int(got[2]) <= 1000, out


def conn(*more, state=3):
    return a("A_CONN", [
        a("A_CONN_PROTOCOL", TCP), a("A_CONN_CLIENT_ADDRESS", "2001:db8::99"),
        a("A_CONN_CLIENT_PORT", 40000),
        a("A_CONN_ADDRESS", "2001:db8::10"), a("A_CONN_PORT", 80),
        a("A_CONN_BACKEND_ADDRESS", "10.0.0.1"),
        a("A_CONN_BACKEND_PORT", 8080), a("A_CONN_MODE", 1),
        a("A_CONN_STATE", state), a("A_CONN_EXPIRES", 50),
        a("A_CONN_AGE", 7), *more])


CONN_JSON = {
    "protocol": "tcp", "client-address": "2001:db8::99", "client-port": 40000,
    "address": "2001:db8::10", "port": 80, "backend-address": "10.0.0.1",
    "backend-port": 8080, "mode": "fullnat", "state": "established",
    "expires": 50, "age": 7}
CONN_TABLE = """\
PROTO CLIENT               VIP               BACKEND       STATE       EXPIRES
tcp   [2001:db8::99]:40000 [2001:db8::10]:80 10.0.0.1:8080 established      50
"""
CONN_TEXT = ("tcp [2001:db8::99]:40000 -> [2001:db8::10]:80 -> "
             "10.0.0.1:8080 mode fullnat state established expires 50 age 7\n")


def test_show_connections():
    # A newer kernel's attributes are passed over, its numbers shown
    new = conn(attr(60, b"what?"), attr(5000, b""), state=200)
    handler = dumps(CONN_GET=[conn(), new])
    equal(shows(["connection", "show"], handler),
          [CONN_JSON, {**CONN_JSON, "state": 200}])
    equal(shows(["connection", "show"], dumps(CONN_GET=[])), [])
    out = succeeds(["connection", "show"], handler).out
    equal(out, CONN_TABLE + CONN_TABLE.splitlines()[1].replace("established", "200        ") + "\n")
    out = succeeds(["-d", "connection", "show"], handler).out
    equal(out.splitlines()[1].split()[4:], ["fullnat", "established", "50", "7"])
    equal(succeeds(["connection"], dumps(CONN_GET=[])).out, "")


def test_connections_are_not_asked_for_again():
    r = succeeds(["-j", "connection", "show"], lambda r: [
        r.message("CONN_GET", conn(), flags=MULTI | DUMP_INTR), r.done()])
    equal((len(r.requests), len(json.loads(r.out))), (1, 1))


def totals(r):
    drop = [a("A_DROP", [a("A_DROP_REASON", n), a("A_DROP_PACKETS", p)])
            for n, p in (("no-backend", 5), ("no-route", 0))]
    return [r.message("STATS_GET", a("A_STATS", stats(9, 2, (3, 4), (5, 6))),
                      a("A_CONNECTIONS", 2), a("A_MAX_CONNECTIONS", 1000),
                      a("A_DROPS", drop), a("A_COUNTERS", [a("A_COUNTER", [
                          a("A_COUNTER_NAME", "toa-inserted"),
                          a("A_COUNTER_VALUE", 7)])])), r.error()]


def test_show_stats():
    equal(shows(["stats", "show"], totals),
          {"connections": 9, "active": 2, "max-connections": 1000,
           "packets-in": 3, "packets-out": 4, "bytes-in": 5, "bytes-out": 6,
           "drops": {"no-backend": 5, "no-route": 0},
           "counters": {"toa-inserted": 7}})
    out = succeeds(["stats"], totals).out
    equal(out, """\
NAME            TOTAL
active              2
max-connections 1.00K
connections         9
packets-in          3
packets-out         4
bytes-in           5B
bytes-out          6B
drop no-backend     5
toa-inserted        7
""")
    assert "max-connections  1000\n" in succeeds(["--exact", "stats"], totals).out
    assert "no-route" in succeeds(["-s", "stats"], totals).out
    r = succeeds(["stats", "zero"], accepts)
    equal((r.requests[0].cmd, r.out), (N["CMD_STATS_ZERO"], ""))


def test_local_addresses():
    def asks(line, cmd, *attrs):
        r = succeeds(["laddr", *line.split()], accepts).requests[0]
        equal((r.cmd, r.attributes), (N["CMD_LADDR_" + cmd], [
            (N["A_LADDR"], True, b"".join(attrs))]))

    one = [a("A_LADDR_ADDRESS", "10.0.0.1"),
           a("A_LADDR_ADDRESS_LAST", "10.0.0.1")]
    asks("add 10.0.0.1", "ADD", *one)
    asks("del 10.0.0.1-10.0.0.9 ports 1000-1999", "DEL", one[0],
         a("A_LADDR_ADDRESS_LAST", "10.0.0.9"), a("A_LADDR_PORT", 1000),
         a("A_LADDR_PORT_LAST", 1999))
    excluded = attr(N["A_LADDR_EXCLUDED"], bytes.fromhex("0005000507d00bb8"))
    asks("add 10.0.0.1 exclude 5,2000-3000", "ADD", *one, excluded)

    laddrs = [a("A_LADDR", [
        a("A_LADDR_ADDRESS", first), a("A_LADDR_ADDRESS_LAST", last),
        a("A_LADDR_PORT", 1024), a("A_LADDR_PORT_LAST", 65535), *more,
        a("A_LADDR_FOREIGN", foreign)])
        for first, last, foreign, more in (
            ("10.0.0.1", "10.0.0.1", 0, []),
            ("2001:db8::1", "2001:db8::9", 9, [excluded]))]
    handler = dumps(LADDR_GET=laddrs)
    equal(shows(["laddr", "show"], handler), [
        {"address": "10.0.0.1", "ports": "1024-65535", "foreign": 0},
        {"address": "2001:db8::1-2001:db8::9", "ports": "1024-65535",
         "exclude": "5,2000-3000", "foreign": 9}])
    equal(succeeds(["laddr"], handler).out,
          "ADDRESS                 PORTS      EXCLUDE     NOTE\n"
          "10.0.0.1                1024-65535\n"
          "2001:db8::1-2001:db8::9 1024-65535 5,2000-3000 9 not of this host\n")


def test_devices():
    for cmd in ("add", "del"):
        r = succeeds(["device", cmd, "eth0"], accepts).requests[0]
        equal((r.cmd, r.attributes), (N["CMD_DEVICE_" + cmd.upper()], [
            (N["A_DEVICE"], False, b"eth0\0")]))
    devices = [attr(N["A_DEVICE"], name + b"\0") for name in (b"eth0", b"br0")]
    handler = dumps(DEVICE_GET=devices)
    equal(shows(["device", "show"], handler),
          [{"device": "eth0"}, {"device": "br0"}])
    equal(shows(["device", "show", "br0"], handler), [{"device": "br0"}])
    equal(succeeds(["device"], handler).out,
          "DEVICE INGRESS XDP\neth0   on      off\nbr0    on      off\n")
    r = play(["device", "show", "eth1"], handler)
    equal((r.status, r.out), (2, ""))
    for words in ("add", "del", "add eth0 eth1", "add a/b", "show " + "x" * 16):
        equal(play(["device", *words.split()], accepts).status, 1)


def test_warning():
    """What the kernel says of what it did is no failure."""
    r = play(["laddr", "add", "10.0.0.1"],
             lambda r: [r.error(text="not the host's")])
    equal((r.status, r.out, r.err), (0, "", "lbadm: local address 10.0.0.1: warning: not the host's\n"))


def test_json_escapes():
    for name in ('a"b', "back\\slash", "line\nend", "tab\t", "\x01", "ä€",
                 "\x7f", "</x>"):
        one = a("A_SERVICE", WEB + [a("A_SERVICE_SCHEDULER", name)])
        equal(shows([], dumps([one]))[0]["scheduler"], name)


# --- events

def monitor(args, send, lines, stop=signal.SIGTERM):
    """Events, when all was asked for; then how many lines to read. Returns what
    lbadm said, the groups that it joined and the commands that it sent."""
    got = []

    def joined(put, process):
        got.append(1)
        if len(got) < wanted:
            return
        for datagram in send:
            put(datagram)
        for _ in range(lines):
            read.append(process.stdout.readline())
        process.send_signal(stop)

    read = []
    wanted = sum(w in args for w in ("config", "connections")) or 2
    # Text mode may read ahead; whatever is left comes with the end
    r = play(args, accepts, joined=joined)
    equal((r.status, r.err), (0, ""))
    return "".join(read) + r.out, r.groups, [q.cmd for q in r.requests]


EVENTS = [
    message("SERVICE_ADD", service(WEB)),
    message("BACKEND_SET", backend(WEB, "10.0.0.1", 8080)),
    message("CONN_NEW", conn(), seq=1) +
    message("CONN_END", conn(state=8), seq=2),
    errno.ENOBUFS,
    message("SERVICE_DEL", a("A_SERVICE", DNS)),
]


def test_monitor_json():
    out, groups, asked = monitor(["-j", "monitor"], EVENTS, 6)
    equal((groups, asked), ([GROUPS["config"]], [N["CMD_CONN_LISTEN"]]))
    got = [json.loads(line) for line in out.splitlines()]
    identity = {"protocol": "tcp", "address": "192.0.2.10", "port": 80}
    equal(got, [
        {"event": "service-add", **identity, "mode": "dnat",
         "scheduler": "rr"},
        {"event": "backend-set", "service": identity, "address": "10.0.0.1",
         "port": 8080, "weight": 1, "state": "up"},
        {"event": "connection-new", **CONN_JSON},
        {"event": "connection-end", **CONN_JSON, "state": "close"},
        {"event": "lost"},
        {"event": "service-del", "protocol": "udp",
         "address": "2001:db8::10", "port": 53}])


def test_monitor_text():
    out, groups, asked = monitor(["monitor", "config"], EVENTS, 6, signal.SIGINT)
    equal((groups, asked), ([GROUPS["config"]], []))
    lines = out.splitlines()
    equal(lines[0], "service-add tcp 192.0.2.10:80 mode dnat scheduler rr")
    equal(lines[1], "backend-set tcp 192.0.2.10:80 10.0.0.1:8080 weight 1 "
          "state up")
    equal(lines[2], "connection-new " + CONN_TEXT.strip())
    assert "lost" in lines[4], lines[4]


TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d"


def test_monitor_timestamps():
    out, _, _ = monitor(["-t", "monitor", "config"], EVENTS, 6)
    for line, name in zip(out.splitlines(), ("service-add tcp", "backend-set tcp")):
        assert re.match(rf"\[{TIME}\] {name} ", line), line
    out, _, _ = monitor(["-j", "--timestamp", "monitor", "config"], EVENTS, 6)
    for line in out.splitlines():
        assert re.fullmatch(TIME, json.loads(line)["time"]), line


def test_monitor_list():
    """First the existing objects, then events."""
    seen, lines = [], []
    lists = dumps([service(WEB)], [backend(WEB, "10.0.0.1", 8080)], CONN_GET=[conn()],
                  DEVICE_GET=[attr(N["A_DEVICE"], b"eth0\0")],
                  LADDR_GET=[a("A_LADDR", [
                      a("A_LADDR_ADDRESS", "10.0.0.1"), a("A_LADDR_ADDRESS_LAST", "10.0.0.1"),
                      a("A_LADDR_PORT", 1024), a("A_LADDR_PORT_LAST", 2047)])])

    def handler(r):
        seen.append(r.cmd)
        # Here both sockets are one, and the answer would come to the wrong one.
        return [] if r.cmd == N["CMD_CONN_LISTEN"] else lists(r)

    def joined(put, process):
        # All are asked for when the events are.
        if seen and seen[-1] == N["CMD_CONN_GET"]:
            put(EVENTS[0])
            lines.extend(process.stdout.readline() for _ in range(7))
            process.send_signal(signal.SIGTERM)

    r = play(["-j", "monitor", "list"], handler, joined=joined)
    equal((r.status, r.err, seen[0]), (0, "", N["CMD_CONN_LISTEN"]))
    got = [json.loads(line) for line in lines]
    equal([e["event"] for e in got], [
        "laddr-list", "device-list", "service-list", "backend-list", "connection-list",
        "list-end", "service-add"])
    equal(got[2]["scheduler"], "rr")
    assert "stats" not in got[2] and got[3]["service"]["port"] == 80, got
    equal({**got[4], "event": ""}, {**CONN_JSON, "event": ""})


def test_man_page_has_all_events():
    top = os.path.join(os.path.dirname(__file__), "../..")
    with open(top + "/userspace/lib/nl/msg_get.c", encoding="ascii") as f:
        events = re.findall(r'case NFLB_CMD_\w+: return "(.*?)";', f.read())
    with open(top + "/userspace/lbadm/cmd/monitor.c", encoding="ascii") as f:
        events += re.findall(r'"([a-z]+-list|list-end|lost)"', f.read())
    with open(top + "/docs/man/lbadm.8", encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    missing = [e for e in events if not re.search(rf"\b{e}\b", page)]
    assert len(events) > 15 and not missing, missing


def test_monitor_of_connections():
    """Numbers tell what the kernel could not send."""
    out, groups, asked = monitor(["-j", "monitor", "connections"], [
        message("CONN_NEW", conn(), seq=1),
        message("CONN_END", conn(state=8), seq=3)], 3)
    equal((groups, asked), ([], [N["CMD_CONN_LISTEN"]]))
    equal([json.loads(line)["event"] for line in out.splitlines()],
          ["connection-new", "lost", "connection-end"])
    r = play(["monitor"], refuses(errno.ENOSPC, "16 programs follow already"))
    equal((r.status, r.err), (2, "lbadm: kernel: 16 programs follow already\n"))


# --- when the answer is no

def test_refusal():
    add = ["service", "add", "tcp", "192.0.2.10:80"]
    for args in (add, ["service", "show", *add[2:]], ["stats", "show"],
                 ["connection", "count"], ["service", "show"]):
        # What is about one object names it.
        name = "service tcp 192.0.2.10:80: " * (len(args) > 2)
        r = play(args, refuses(errno.EEXIST, "the service exists already"))
        equal((r.status, r.out, r.err),
              (2, "", f"lbadm: {name}kernel: the service exists already\n"))
        r = play(args, refuses(errno.EEXIST))
        equal((r.status, r.err), (2, f"lbadm: {name}kernel: File exists\n"))


def test_refusal_in_a_dump():
    """A dump that fails on its way says so in its last message."""
    def late(number, text=None):
        return lambda r: [r.done(number, text)]
    for args in (["service", "show"], ["connection", "show"],
                 ["backend", "show", "tcp", "192.0.2.10:80"]):
        name = "service tcp 192.0.2.10:80: " * (len(args) > 2)
        r = play(["-j", *args], late(errno.ENOENT, "there is no such service"))
        equal((r.status, r.out, r.err),
              (2, "", f"lbadm: {name}kernel: there is no such service\n"))
        r = play(args, late(errno.ENOMEM))
        equal((r.status, r.err), (2, f"lbadm: {name}kernel: Cannot allocate memory\n"))


def test_cut_list_is_no_valid_json():
    r = play(["-j", "connection", "show"], lambda r: [
        r.message("CONN_GET", conn(), flags=MULTI), r.done(errno.ENOMEM)])
    equal(r.status, 2)
    try:
        json.loads(r.out)
    except ValueError:
        return
    raise AssertionError("half a list looks like a whole one: " + r.out)


def test_permission():
    r = play(["stats", "zero"], refuses(errno.EPERM))
    equal((r.status, r.out), (3, ""))
    assert "CAP_NET_ADMIN" in r.err, r.err


def test_answer_without_content():
    for args in (["stats", "show"], ["connection", "count"],
                 ["service", "show", "tcp", "192.0.2.10:80"]):
        r = play(args, accepts)
        equal((r.status, r.out), (2, ""))


def test_interrupted_dump():
    tries = []

    def handler(r):
        if r.cmd == N["CMD_SERVICE_GET"]:
            tries.append(r.seq)
            if len(tries) < 3:
                return [r.message("SERVICE_GET", service(DNS),
                                  flags=MULTI | DUMP_INTR), r.done()]
        return dumps([service(WEB)])(r)

    equal([s["address"] for s in shows([], handler)], ["192.0.2.10"])
    equal((len(tries), len(set(tries))), (3, 3))
    r = play([], lambda r: [r.done(flags=MULTI | DUMP_INTR)])
    equal((r.status, r.out), (2, ""))
    assert "try again" in r.err and 5 < len(r.requests) < 100, r.err


def test_stale_answers_are_ignored():
    def handler(r):
        r.seq -= 1
        stale = r.message("STATS_GET", a("A_STATS", stats(1))) + r.error()
        r.seq += 1
        return [stale, *totals(r)]
    equal(shows(["stats"], handler)["connections"], 9)


def test_batch():
    lines = ("# three services\n"
             "service add tcp 192.0.2.10:80\n\n"
             "  service add 'tcp' \"192.0.2.10:81\" # the second\n"
             "service add tcp 192.0.2.10:82\n"
             "service add tcp 192.0.2.10:83\n")
    equal(len(succeeds(["-b", "-"], accepts, stdin=lines).requests), 4)
    seen = []

    def third(r):
        seen.append(r)
        return [r.error(errno.EINVAL, "not this") if len(seen) == 3
                else r.error()]
    r = play(["-b", "-"], third, stdin=lines)
    equal((r.status, len(r.requests), r.err),
          (2, 3, "lbadm: -:5: service tcp 192.0.2.10:82: kernel: not this\n"))
    # What is wrong in line 3 is found when it is reached
    r = play(["-b", "-"], accepts, stdin="stats zero\n\nstats zer\n")
    equal((r.status, len(r.requests)), (1, 1))
    assert r.err.startswith("lbadm: -:3: "), r.err
    r = play(["-j", "-b", "-"], totals, stdin="stats\nstats show\n")
    equal([json.loads(x)["active"] for x in r.out.splitlines()], [2, 2])


def test_requests_are_well_formed():
    """No byte is left over, and every nest says that it is one."""
    r = succeeds("backend add udp [2001:db8::10]:53 2001:db8::1".split(),
                 accepts).requests[0]
    equal([n for _, n, _ in r.attributes], [True, True])
    for _, _, payload in r.attributes:
        assert attributes(payload) and not any(
            nested for _, nested, _ in attributes(payload))
