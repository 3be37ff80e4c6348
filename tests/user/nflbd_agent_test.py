# SPDX-License-Identifier: GPL-2.0
"""Agents on backends: a peer that speaks as HAProxy's agents do."""

import socketserver
import threading
import time

import pytest

from nflbd_daemon import Daemon, Server, service, wait_for

CRITERIA = {"interval": 0.3, "timeout": 1, "fast-interval": 0.1, "unhealth-threshold": 2}


class Agent:
    """Answers each connection with .answer, and keeps what it received."""

    def __init__(self):
        self.answer, self.received, self.count = b"up\n", b"", 0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                if outer.received is not None:
                    self.request.settimeout(0.2)
                    try:
                        outer.received = self.request.recv(100) or outer.received
                    except TimeoutError:
                        pass
                answer = outer.answer
                for i in range(len(answer)):
                    self.request.sendall(answer[i:i + 1])
                outer.count += 1

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="agent")
def fixture_agent():
    agent = Agent()
    yield agent
    agent.stop()


@pytest.fixture(name="server")
def fixture_server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(name="start")
def fixture_start(tmp_path, agent, server):
    daemons = []

    def start(**keys):
        daemons.append(Daemon(tmp_path, [service("192.0.2.1", [("127.0.0.1", server.port)], {
            "protocol": "http", "criteria": CRITERIA,
            "agent": {"port": agent.port, "interval": 0.2, "send": "state?\n"}, **keys})]))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.stop()


def becomes(daemon, health, weight):
    wait_for(lambda: (t := daemon.target()) and (t["health"], t["kernel-weight"]) ==
             (health, weight))


def test_down_and_up(start, agent):
    daemon = start()
    becomes(daemon, "healthy", 100)
    for word in b"down", b"fail # disk", b"stopped\n", b"maint\n":
        agent.answer = word
        becomes(daemon, "unhealthy", 100)
        agent.answer = b"up ready\n"
        becomes(daemon, "healthy", 100)
    assert agent.received == b"state?\n"
    assert "agent: down" in daemon.log() and "agent: up, maint" in daemon.log()


def test_an_agent_overrides_no_failed_check(start, agent, server):
    server.status = 500
    agent.answer = b"up 100% ready\n"
    daemon = start()
    becomes(daemon, "unhealthy", 100)
    count = agent.count
    wait_for(lambda: agent.count > count + 2)
    becomes(daemon, "unhealthy", 100)


def test_weights_change_once_in_five_seconds(start, agent):
    daemon = start()
    becomes(daemon, "healthy", 100)
    agent.answer = b"54%\n"
    becomes(daemon, "healthy", 50)
    begin = time.monotonic()
    agent.answer = b"33%\n"
    time.sleep(1)
    agent.answer = b"22%\n"
    wait_for(lambda: daemon.target()["kernel-weight"] != 50)
    assert 3.5 < time.monotonic() - begin < 10
    assert daemon.target()["kernel-weight"] == 20
    # Health does not wait.
    agent.answer = b"drain down\n"
    begin = time.monotonic()
    wait_for(lambda: daemon.target()["health"] == "unhealthy")
    assert time.monotonic() - begin < 4


def test_nonsense_changes_nothing(start, agent):
    agent.answer = b"drain\n"
    daemon = start()
    becomes(daemon, "healthy", 0)
    for answer in b"", b"ready sideways\n", b"\xff" * 1000, b"x" * 300 + b"\nready\n":
        agent.answer = answer
        failures = daemon.stats()["agent"]["failures"]
        wait_for(lambda f=failures: daemon.stats()["agent"]["failures"] > f)
        becomes(daemon, "healthy", 0)


def test_an_agent_that_is_gone_changes_nothing(start, agent):
    agent.answer = b"down\n"
    daemon = start()
    becomes(daemon, "unhealthy", 100)
    agent.stop()
    failures = daemon.stats()["agent"]["failures"]
    wait_for(lambda: daemon.stats()["agent"]["failures"] > failures + 2)
    becomes(daemon, "unhealthy", 100)


def test_without_a_check(start, agent):
    daemon = start(protocol="none")
    becomes(daemon, "unknown", 100)
    agent.answer = b"down\n"
    becomes(daemon, "unhealthy", 100)


def test_weight_header(start, server):
    server.headers = {"X-Weight": "37"}
    daemon = start(**{"weight-header": "X-Weight"})
    becomes(daemon, "healthy", 40)
