# SPDX-License-Identifier: GPL-2.0
"""Backends that are checked alike share one check, and nothing else."""

import socket
import time

import pytest

from nflbd_daemon import Daemon, Server, service, wait_for

CRITERIA = {"interval": 0.4, "timeout": 2, "fast-interval": 0.1, "jitter": 0}


@pytest.fixture(name="server")
def fixture_server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    daemons = []

    def start(services):
        daemons.append(Daemon(tmp_path, services))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.stop()


def services(server, count, **keys):
    return [service("192.0.2.%d" % i, [("127.0.0.1", server.port)],
                    {"protocol": "http", "criteria": CRITERIA, **keys})
            for i in range(1, count + 1)]


def all_are(daemon, health, count):
    found = [t["health"] for t in daemon.targets()]
    return found == [health] * count


def test_one_check_for_all(start, server):
    daemon = start(services(server, 5))
    wait_for(lambda: all_are(daemon, "healthy", 5))
    assert {t["shared-by"] for t in daemon.targets()} == {5}
    count = server.count
    time.sleep(2)
    assert 3 <= server.count - count <= 7
    server.status = 500
    wait_for(lambda: all_are(daemon, "unhealthy", 5))
    stats = daemon.stats()
    # All but one of five got each result from another.
    assert stats["shared-results"] >= 4 * stats["checks"]["http"]["success"] > 0


def test_written_otherwise(start, server):
    """Defaults may be written, and keys in any order; consequences may differ."""
    both = services(server, 3)
    both[1]["health-check"] = {
        "criteria": {**dict(reversed(CRITERIA.items())), "health-threshold": 2}, "method": "GET",
        "protocol": "HTTP", "dry-run": True, "on-unhealthy": "reset"}
    both[2]["health-check"]["expect-status"] = "200"
    daemon = start(both)
    wait_for(lambda: all_are(daemon, "healthy", 3))
    assert [t.get("shared-by") for t in daemon.targets()] == [None, 2, 2]


def test_one_leaves(start, server):
    """Whichever it is, the others go on."""
    every = services(server, 4)
    daemon = start(every)
    wait_for(lambda: all_are(daemon, "healthy", 4))
    for gone in (0, 2, 0):
        del every[gone]
        daemon.write(every)
        wait_for(lambda: len(daemon.targets()) == len(every))
        count = server.count
        wait_for(lambda: server.count > count + 1)
        assert all_are(daemon, "healthy", len(every))
    assert "shared-by" not in daemon.target()
    server.status = 500
    wait_for(lambda: all_are(daemon, "unhealthy", 1))


def test_the_first_leaves_while_it_checks(start):
    """Its check is cancelled; another one's begins."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        check = {"expect": "x", "criteria": {"timeout": 60, "interval": 3600}}
        where = [("127.0.0.1", silent.getsockname()[1])]
        every = [service("192.0.2.1", where, check), service("192.0.2.2", where, check)]
        daemon = start(every)
        first = silent.accept()[0]
        for gone in range(2):
            daemon.write(every[1:] if not gone else every[:1])
            second = silent.accept()[0]
            assert first.recv(1) == b""
            first.close()
            first = second
        first.close()


def test_one_joins(start, server):
    """It is checked soon, though the next check is far away; the verdict is its own."""
    slow = {**CRITERIA, "interval": 3600}
    daemon = start(services(server, 1, criteria=slow))
    wait_for(lambda: all_are(daemon, "healthy", 1))
    server.status = 500
    daemon.write(services(server, 2, criteria=slow))
    wait_for(lambda: {t["service"]: t["health"] for t in daemon.targets()} == {
        "tcp 192.0.2.1:80": "healthy", "tcp 192.0.2.2:80": "unhealthy"} or
        all_are(daemon, "unhealthy", 2))
    # The first one had to fail three times.
    wait_for(lambda: all_are(daemon, "unhealthy", 2))


def test_other_keys(start, server):
    daemon = start(services(server, 2))
    wait_for(lambda: all_are(daemon, "healthy", 2))
    every = services(server, 2)
    every[1]["health-check"]["request-path"] = "/other"
    daemon.write(every)
    wait_for(lambda: [t.get("shared-by") for t in daemon.targets()] == [None, None])
    count = server.count
    wait_for(lambda: server.count > count + 3)
    assert all_are(daemon, "healthy", 2)
