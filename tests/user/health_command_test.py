# SPDX-License-Identifier: GPL-2.0
"""lbadm health show, check and watch, with nflbd and without."""

import json
import os
import re
import signal
import subprocess

import pytest

from fake_module import LBADM, a
from module_test import backend, dumps, service as module_service, succeeds
from nflbd_daemon import Daemon, Server, service, wait_for

FAST = {"interval": 0.3, "timeout": 2, "fast-interval": 0.1}
WEB = [a("A_SERVICE_PROTOCOL", 6), a("A_SERVICE_ADDRESS", "192.0.2.1"), a("A_SERVICE_PORT", 80)]
VIP = ("tcp", "192.0.2.1:80")


@pytest.fixture(name="server")
def fixture_server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(name="daemon")
def fixture_daemon(tmp_path, server):
    daemon = Daemon(tmp_path, [
        service("192.0.2.1", [("127.0.0.1", server.port), ("127.0.0.2", server.port)],
                {"protocol": "http", "criteria": FAST})])
    wait_for(lambda: all(t["health"] != "unknown" for t in daemon.targets()))
    yield daemon
    daemon.stop()


def lbadm(*words, name="/does/not/exist"):
    return subprocess.run([LBADM, *words], text=True, capture_output=True, check=False,
                          env={**os.environ, "NFLBD_SOCKET": name}, timeout=30)


def module(port):
    return dumps([module_service(WEB)], [
        backend(WEB, "127.0.0.%d" % n, port, a("A_BACKEND_HEALTH", 2 if n == 1 else 0))
        for n in (1, 2, 3)])


def show(port, name, *options):
    return succeeds([*options, "health", "show"], module(port), env={"NFLBD_SOCKET": name}).out


def test_show(daemon, server):
    out = show(server.port, daemon.path)
    rows = {line.split()[0]: line for line in out.splitlines()[1:] if ":%d" % server.port in line}
    assert re.search(r" http 200 in \d+\.\d ms +direct +(\d\.\d s|now)", rows["127.0.0.1:%d" % server.port])
    assert re.search(r" http connect-refused in .* direct ", rows["127.0.0.2:%d" % server.port])
    assert " ms" not in rows["127.0.0.3:%d" % server.port]
    found = json.loads(show(server.port, daemon.path, "-j"))
    assert found[0]["check"]["detail"] == "200" and "check" not in found[2]
    assert "backend" not in found[0]["check"]


def test_show_without_nflbd(server):
    out = show(server.port, "/does/not/exist")
    assert "CHECK" not in out and "127.0.0.1:%d" % server.port in out


def test_check(daemon, server):
    done = lbadm("health", "check", *VIP, "127.0.0.1:%d" % server.port, name=daemon.path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r" +\d+\.\d ms  http", lines[0])
    assert re.fullmatch(r"success: http 200 in \d+\.\d ms", lines[-1])
    done = lbadm("health", "check", *VIP, "127.0.0.2:%d" % server.port, name=daemon.path)
    assert done.returncode == 4 and "failure: http connect-refused" in done.stdout
    done = lbadm("-j", "health", "check", *VIP, "127.0.0.1:%d" % server.port, name=daemon.path)
    assert json.loads(done.stdout.splitlines()[-1])["result"]["detail"] == "200"
    done = lbadm("health", "check", *VIP, "127.0.0.9", name=daemon.path)
    assert (done.returncode, done.stderr) == (
        2, "lbadm: no such backend has a health check\n")


@pytest.mark.parametrize("words", [("check", *VIP, "127.0.0.1:80"), ("watch",)])
def test_without_nflbd(words):
    done = lbadm("health", *words)
    assert done.returncode == 3
    assert done.stderr == ("lbadm: nflbd does not answer: /does/not/exist: No such file or "
                           "directory\n")


@pytest.mark.parametrize("words", [("check", *VIP), ("watch", "tcp"),
                                   ("watch", *VIP, "127.0.0.1", "x")])
def test_bad_words(words):
    assert lbadm("health", *words).returncode == 1


def test_watch(daemon, server):
    with subprocess.Popen([LBADM, "health", "watch", *VIP], text=True, stdout=subprocess.PIPE,
                          env={**os.environ, "NFLBD_SOCKET": daemon.path}) as process:
        while process.poll() is None:
            # It may not watch yet.
            server.status = 503 if server.status == 200 else 200
            if server.status == 503:
                wait_for(lambda: daemon.target(backend="127.0.0.1:%d" % server.port)["health"] ==
                         "unhealthy")
            line = process.stdout.readline()
            assert re.search(r"127\.0\.0\.1:\d+: unhealthy: http-status 503 \(healthy for", line)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0


def test_watch_ends_with_nflbd(daemon):
    with subprocess.Popen([LBADM, "health", "watch"], text=True, stderr=subprocess.PIPE,
                          env={**os.environ, "NFLBD_SOCKET": daemon.path}) as process:
        wait_for(lambda: daemon.stats()["descriptors"] and process.poll() is None)
        daemon.stop()
        assert process.wait(10) == 3
        message = process.stderr.read()
        assert "nflbd closed the connection" in message or "does not answer" in message
        daemon.start()


def test_another_namespace(daemon):
    """Another one's services have the same names."""
    done = subprocess.run(["unshare", "-n" if not os.geteuid() else "-rn", LBADM, "health", "watch"],
                          env={**os.environ, "NFLBD_SOCKET": daemon.path}, text=True,
                          capture_output=True, check=False, timeout=20)
    assert done.returncode == 3 and "another network namespace" in done.stderr
