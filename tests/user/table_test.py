#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tables that lbadm prints for people: widths, columns, order, units, colours."""

import os
import pty
import resource
import tempfile

from fake_module import MULTI, N, a, attr, play, stats
from module_test import (TCP, WEB, answers, backend, conn, dumps, equal, service,
                         succeeds)

LONG = [a("A_SERVICE_PROTOCOL", TCP),
        a("A_SERVICE_ADDRESS", "2001:db8:1234:5678:9abc:def0:1234:5678"),
        a("A_SERVICE_PORT", 65535)]
LONG_TEXT = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"
BUSY = stats(123456, 12345, (123456789, 2345678), (98765432123, 4567890))
OTHER = [WEB[0], a("A_SERVICE_ADDRESS", "192.0.2.9"), WEB[2]]


def lists(r):
    """Two services; a backend of one has a long address."""
    return dumps(
        [service(WEB, counters=BUSY),
         service(LONG, a("A_SERVICE_PERSIST", 300), a("A_SERVICE_PERSIST_PREFIX4", 24),
                 a("A_SERVICE_PERSIST_PREFIX6", 64), a("A_SERVICE_ENCAP", 3),
                 a("A_SERVICE_ENCAP_PORT", 6080), a("A_SERVICE_TIMEOUT_SYN", 5))],
        [backend(WEB, "10.0.0.10", 8080, counters=BUSY),
         backend(WEB, "10.0.0.9", 8080, a("A_BACKEND_HEALTH", 3),
                 a("A_BACKEND_HEALTH_REASON", "connection refused")),
         backend(LONG, "2001:db8:1234:5678:9abc:def0:1234:5678", 65535,
                 a("A_BACKEND_STATE", 1), counters=BUSY),
         backend(LONG, "2001:db8::1", 65535, a("A_BACKEND_STATE", 2))],
        CONN_GET=[conn()] * 2 + [conn(a("A_CONN_LOCAL_ADDRESS", "2001:db8:9:9:9:9:9:9"),
                                      a("A_CONN_LOCAL_PORT", 1024))],
        LADDR_GET=[a("A_LADDR", [
            a("A_LADDR_ADDRESS", "2001:db8:1234:5678:9abc:def0:1234:5600"),
            a("A_LADDR_ADDRESS_LAST", "2001:db8:1234:5678:9abc:def0:1234:56ff"),
            a("A_LADDR_PORT", 1024), a("A_LADDR_PORT_LAST", 65535),
            a("A_LADDR_FOREIGN", 256)])],
        DEVICE_GET=[attr(N["A_DEVICE"], b"eth0\0")])(r)


def shown(line, **env):
    return succeeds(line.split(), lists, env=env).out


def test_fits_the_terminal():
    for line in ("service show", "-s", "-ss", "-d", "backend show", "-s backend show",
                 "-d backend show", "health show", "connection show",
                 "-d connection show", "laddr show", "device show"):
        out = shown(line, COLUMNS="80")
        wide = [x for x in out.splitlines() if len(x) > 80]
        assert not wide, (line, wide)
        # A cell that is folded loses nothing.
        if "BACKEND" in out and "connection" not in line:
            first = out.splitlines()[0].index("BACKEND")
            cells = "".join(x[first:].split(" ")[0] for x in out.splitlines()[1:]
                            if x.startswith("  ") and not x.startswith("    "))
            assert LONG_TEXT in cells, (line, out)


def test_columns_stand_below_each_other():
    """A long address moves no other column."""
    for line in ("-s", "-s backend show"):
        header, *rows = [x for x in shown(line, COLUMNS="80").splitlines()
                         if x.startswith("  ") and not x.startswith("    ")]
        end = header.index("PKTOUT") + len("PKTOUT")
        for row in rows:
            assert len(row) < end or row[end - 1] != " " and row[end] == " ", (row, header)


def test_nothing_is_cut_off_without_a_terminal():
    out = shown("service show")
    assert "\n  " + LONG_TEXT + " drain " in out, out
    assert f"\ntcp {LONG_TEXT} mode dnat encap gue:6080 scheduler rr persist 300/24/64 " \
        "timeout-syn 5\n" in out, out


def test_output():
    out = shown("-o backend,state service show")
    equal(out.splitlines()[:3], ["  BACKEND" + " " * 40 + "STATE",
                                 "tcp 192.0.2.10:80 mode dnat scheduler rr",
                                 "  10.0.0.10:8080" + " " * 33 + "up"])
    out = shown("--output=+ID,MAX service show")
    assert out.splitlines()[0].split()[-2:] == ["ID", "MAX"], out
    # With the service as a column, there are no lines of services.
    out = shown("-o SERVICE,BACKEND,ACTIVE service show")
    equal([x.split() for x in out.splitlines()[:2]],
          [["SERVICE", "BACKEND", "ACTIVE"],
           ["tcp", "192.0.2.10:80", "10.0.0.10:8080", "12.3K"]])
    equal(len(out.splitlines()), 5)
    equal(shown("--noheadings -o SERVICE,BACKEND,ACTIVE service show").splitlines(),
          out.splitlines()[1:])
    for option in ("-o", "--sort"):
        for columns in ("FOO", "+FOO", "STATE,FOO", "", "STATE,"):
            r = play([option, columns, "service", "show"], lists)
            if option == "--sort" and columns == "+FOO":
                continue
            equal((r.status, r.out), (1, ""))
            assert "there are: SERVICE, BACKEND, STATE," in r.err, r.err


def rows(line):
    return [x.split()[0] for x in shown("--noheadings " + line).splitlines()]


def test_sort():
    first, last = "10.0.0.9:8080", "10.0.0.10:8080"
    # By the numbers within; services by their own addresses
    equal(rows("--sort BACKEND service show")[1:3], [first, last])
    equal(rows("--sort -BACKEND service show")[-2:], [last, first])
    equal(rows("--sort ACTIVE service show")[-2:], [first, last])
    equal(rows("--sort -ACTIVE,BACKEND service show")[1:3], [last, first])
    # Services are in the order of their own counters, with their total at the end.
    equal(rows("-s --sort CONN service show"), [
        "tcp", "[2001:db8::1]:65535", LONG_TEXT, "total", "tcp", first, last, "total"])
    # In a list without groups, all rows
    equal(rows("--sort STATE,-BACKEND -o BACKEND,STATE,SERVICE service show"),
          ["[2001:db8::1]:65535", LONG_TEXT, last, first])


def test_units():
    out = shown("-s")
    for number in ("12.3K", "123K", "123M", "2.34M", "98.7GB", "4.56MB", "0B"):
        assert " " + number in out, (number, out)
    out = shown("-s --exact")
    for number in ("12345", "123456789", "98765432123"):
        assert f" {number} " in out, out


def test_one_and_more():
    for count, text in ((0, "0 connections ended\n"), (1, "1 connection ended\n"),
                        (2, "2 connections ended\n")):
        equal(succeeds(["connection", "flush", "all"],
                       answers("CONN_FLUSH", a("A_COUNT", count))).out, text)


def test_colors():
    out = shown("-c always service show")
    for code, word in ((31, "down"), (33, "drain"), (31, "up"), (32, "up"),
                       (31, "unhealthy")):
        assert f"\033[{code}m{word}" in out, (word, out)
    assert "\033[1mtcp 192.0.2.10:80\033[0m" in out, out
    assert "\033" in shown("-c always service show", NO_COLOR="1")
    assert "\033" not in shown("service show")
    for env, colored in (({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False),
                         ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        r = play(["service", "show"], lists, stdout=theirs, env={"COLUMNS": "", **env})
        equal((r.status, r.err), (0, ""))
        text = os.read(ours, 65536)
        os.close(theirs)
        os.close(ours)
        equal((b"\033" in text, b"10.0.0.9" in text), (colored, True))


def test_long_lists_of_connections():
    """They come in blocks, which look like one table."""
    def many(r):
        return [b"".join(r.message("CONN_GET", conn(), flags=MULTI)
                         for _ in range(100)) for _ in range(50)] + [r.done()]
    for line in ("connection show", "--sort CLIENT connection show"):
        with tempfile.TemporaryFile("w+") as out:
            equal(play(line.split(), many, stdout=out).status, 0)
            out.seek(0)
            lines = out.read().splitlines()
        equal((len(lines), len(set(lines)), lines[0].split()[0]), (5001, 2, "PROTO"))


def cost(count, *options):
    """CPU seconds for a list of that many services with three backends each"""
    names = [[TCP_ONLY, a("A_SERVICE_ADDRESS", f"10.0.{i >> 8}.{i & 255}"),
              a("A_SERVICE_PORT", 80)] for i in range(count)]
    lists_of = {
        N["CMD_SERVICE_GET"]: [service(n) for n in names],
        N["CMD_BACKEND_GET"]: [backend(n, f"10.1.0.{i}", 80) for n in names
                               for i in range(3)]}

    def handler(r):
        objects = lists_of[r.cmd]
        name = "SERVICE_GET" if r.cmd == N["CMD_SERVICE_GET"] else "BACKEND_GET"
        return [b"".join(r.message(name, o, flags=MULTI) for o in objects[i:i + 50])
                for i in range(0, len(objects), 50)] + [r.done()]

    with tempfile.TemporaryFile() as out:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        equal(play([*options, "service", "show"], handler, stdout=out).status, 0)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


TCP_ONLY = WEB[0]


def test_long_lists_of_services():
    """Four times as many take some four times as long, not sixteen times."""
    for options in ((), ("-s", "--sort", "-BACKEND")):
        few = min(cost(1000, *options) for _ in range(3))
        many = min(cost(4000, *options) for _ in range(3))
        assert many < 8 * few, (options, few, many)


def test_control_characters():
    """Text of a checker cannot move the cursor, and does not move the columns."""
    def handler(r):
        return dumps([service(WEB)], [
            backend(WEB, f"10.0.0.{n}", 80, a("A_BACKEND_HEALTH", 3),
                    a("A_BACKEND_HEALTH_AGE", 5), a("A_BACKEND_HEALTH_REASON", text))
            for n, text in ((1, "a\033[2Jb"), (2, "\u00e4\u00f6 refused"), (3, "plain"))])(r)
    out = succeeds(["health", "show"], handler).out
    assert "a\\x1b[2Jb" in out and "\u00e4\u00f6 refused" in out and "\033" not in out, out
    # Cut by characters, not by bytes
    out = succeeds(["health", "show"], handler, env={"COLUMNS": "36"}).out
    equal(max(map(len, out.splitlines())) <= 36, True)
