# SPDX-License-Identifier: GPL-2.0
"""lbadm watch, without a terminal and on one."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import termios
import threading

from fake_module import N, a, play, stats
from module_test import WEB, backend, dumps, equal, service

OTHER = [WEB[0], a("A_SERVICE_ADDRESS", "192.0.2.9"), WEB[2]]
ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"


def module(looks):
    """Two services; the second one gets more packets and fewer connections. Adds to
    @looks whenever totals are asked for, which comes last."""
    def counted(connections, packets):
        n = len(looks)
        return stats(connections * n, 5, (packets * n, packets * n), (9 * n, 9 * n))

    def handler(r):
        if r.cmd == N["CMD_STATS_GET"]:
            looks.append(r)
            drops = [a("A_DROP", [a("A_DROP_REASON", n), a("A_DROP_PACKETS", p)])
                     for n, p in (("no-route", 3), ("no-backend", 1000 * len(looks)),
                                  ("malformed", 0))]
            return [r.message("STATS_GET", a("A_STATS", counted(1000, 5000)),
                              a("A_DROPS", drops)), r.error()]
        return dumps(
            [service(OTHER, counters=counted(10, 6000)), service(WEB, counters=counted(600, 20))],
            [backend(OTHER, "10.0.0.9", 80, counters=counted(10, 6000)),
             backend(WEB, "10.0.0.1", 80, counters=counted(100, 10)),
             backend(WEB, "10.0.0.2", 80, a("A_BACKEND_STATE", 2),
                     counters=counted(500, 10))])(r)
    return handler


def names(block):
    """Of services and backends, in their order"""
    return re.findall(r"^ *(?:tcp )?([\d.]+:\d+)", block, re.M)


CONNECTIONS = ["192.0.2.10:80", "10.0.0.2:80", "10.0.0.1:80", "192.0.2.9:80", "10.0.0.9:80"]
PACKETS = ["192.0.2.9:80", "10.0.0.9:80", "192.0.2.10:80", "10.0.0.1:80", "10.0.0.2:80"]


def test_blocks_without_a_terminal():
    looks = []
    r = play("watch interval 1 count 2".split(), module(looks))
    equal((r.status, r.err, len(looks)), (0, "", 3))
    blocks = r.out.split("\n\n")
    equal((len(blocks), blocks[2]), (3, ""))
    for block in blocks[:2]:
        assert re.search(r"^active 5  \S+ connections/s ", block, re.M), block
        # The busiest reason is first, and one that there was not is left out.
        assert re.search(r"^drops  no-backend \S+/s \(\d.\d+K\)  no-route 0/s \(3\)$", block,
                         re.M), block
        equal(names(block), CONNECTIONS)
        assert "\033" not in block
    r = play("watch sort packets interval 1 count 1".split(), module([]))
    equal(names(r.out), PACKETS)
    r = play("watch count 1 interval 1".split(), module([]), env={"COLUMNS": "80"})
    assert max(map(len, r.out.splitlines())) <= 80, r.out


def test_json():
    r = play("-j watch interval 1 count 2".split(), module([]))
    equal(r.status, 0)
    for line in r.out.splitlines():
        o = json.loads(line)
        equal(list(o), ["time", "seconds", "stats", "services"])
        assert 1 <= o["seconds"] < 10, o["seconds"]
        equal([s["address"] for s in o["services"]], ["192.0.2.10", "192.0.2.9"])
        assert 0 < o["stats"]["drop-rates"]["no-backend"] <= 1000, o
        assert 0 < o["services"][0]["backends"][0]["rates"]["connections"] <= 500, o
    equal(len(r.out.splitlines()), 2)


def test_one_service():
    asked = []

    def handler(r):
        asked.append((r.cmd, bool(r.attributes)))
        if r.cmd == N["CMD_SERVICE_GET"]:
            return [r.message("SERVICE_GET", service(WEB)), r.error()]
        return module([])(r)

    r = play("watch tcp 192.0.2.10:80 count 1 interval 1".split(), handler)
    equal(r.status, 0)
    equal([x for x in asked if x[0] != N["CMD_STATS_GET"]],
          [(N["CMD_SERVICE_GET"], True), (N["CMD_BACKEND_GET"], True)] * 2)


def test_wrong_words():
    for words, said in (("tcp", "VIP"), ("interval 0", "1 to 3600"), ("count 0", "from 1 to"),
                        ("sort colour", "connections, packets, bytes or active"),
                        ("--sort ACTIVE", "without dashes")):
        r = play(["watch", *words.split()], module([]))
        equal((r.status, r.out), (1, ""))
        assert said in r.err, r.err


class Terminal:
    """One that is read all the time"""

    def __init__(self, rows=24):
        self.ours, self.theirs = pty.openpty()
        self.resize(rows)
        self.before = termios.tcgetattr(self.theirs)
        self.out = b""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        try:
            while more := os.read(self.ours, 65536):
                self.out += more
        except OSError:
            pass    # the other end is closed

    def resize(self, rows):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))

    def watch(self, act, *words):
        """act(looks, process) is called after each answer."""
        looks = []
        r = play(["watch", "interval", "1", *words], module(looks), stdin=self.theirs,
                 stdout=self.theirs, env={"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": ""},
                 joined=lambda _, process: act(looks, process))
        after = termios.tcgetattr(self.theirs)
        os.close(self.theirs)
        self.reader.join(20)
        os.close(self.ours)
        equal(after, self.before)
        assert self.out.startswith(ENTER) and self.out.endswith(LEAVE), self.out
        return r, len(looks)


def once(looks, number, done):
    """Is it the look of that number, for the first time?"""
    if len(looks) != number or done:
        return False
    done.append(number)
    return True


def pictures(out):
    return out.decode().split("\x1b[H")[1:]


def test_keys():
    terminal, done = Terminal(), []

    def act(looks, _):
        if once(looks, 2, done):
            os.write(terminal.ours, b"xp")
        elif len(looks) == 3:
            os.write(terminal.ours, b"q")
    r, _ = terminal.watch(act)
    equal((r.status, r.err), (0, ""))
    shown = pictures(terminal.out)
    assert names(shown[-1].replace("\r", "")) == PACKETS, shown[-1]
    assert "by packets" in shown[-1] and "by connections" in shown[0], shown


def test_signals_give_the_terminal_back():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        terminal = Terminal()
        r, _ = terminal.watch(lambda looks, process, n=number:
                              process.send_signal(n) if len(looks) == 1 else None)
        equal((r.status, r.err), (0, ""))


def test_suspended():
    """It gives the terminal back, and takes it again."""
    terminal, done = Terminal(), []

    def act(looks, process):
        if once(looks, 1, done):
            process.send_signal(signal.SIGTSTP)
            threading.Timer(1, process.send_signal, (signal.SIGCONT,)).start()
        elif len(looks) == 3:
            process.send_signal(signal.SIGTERM)
    terminal.watch(act)
    equal((terminal.out.count(ENTER), terminal.out.count(LEAVE)), (2, 2))


def test_resized():
    terminal, done = Terminal(), []

    def act(looks, process):
        if once(looks, 1, done):
            terminal.resize(4)
            process.send_signal(signal.SIGWINCH)
    _, looks = terminal.watch(act, "count", "1")
    shown = pictures(terminal.out)
    # The first one, the one of the new size, and the one of the second look
    equal((looks, len(shown)), (2, 3))
    equal([s.count("\r\n") for s in shown[1:]], [3, 3])


def test_errors_are_said_on_the_terminal_as_it_was():
    looks, terminal = [], Terminal()

    def handler(r):
        if len(looks) == 2 and r.cmd == N["CMD_SERVICE_GET"]:
            return [r.error(1, None)]
        return module(looks)(r)
    r = play("watch interval 1".split(), handler, stdin=terminal.theirs, stdout=terminal.theirs,
             stderr=terminal.theirs, env={"TERM": "xterm"})
    equal((r.status, termios.tcgetattr(terminal.theirs)), (3, terminal.before))
    os.close(terminal.theirs)
    terminal.reader.join(20)
    os.close(terminal.ours)
    assert terminal.out.index(LEAVE) < terminal.out.index(b"lbadm: permission"), terminal.out


def test_failures_of_columns_leave_no_screen():
    r = play("watch -o FOO count 1 interval 1".split(), module([]))
    equal((r.status, r.out), (1, ""))
    assert "there are: NAME, STATE" in r.err, r.err
