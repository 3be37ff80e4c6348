# SPDX-License-Identifier: GPL-2.0
"""The socket of nflbd: requests and answers, events, and clients that mean harm."""

import json
import os
import resource
import socket
import subprocess
import time

import pytest

from nflbd_daemon import Client, Daemon, Server, service, wait_for

FAST = {"interval": 0.2, "timeout": 2, "fast-interval": 0.1, "unhealth-threshold": 2}
HTTP = {"protocol": "http", "criteria": FAST}


@pytest.fixture(name="server")
def fixture_server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(name="closed")
def fixture_closed():
    """A port that refuses connections: it is bound, and nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    daemons = []

    def start(services, **settings):
        daemons.append(Daemon(tmp_path, services, **settings))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.stop()


@pytest.fixture(name="daemon")
def fixture_daemon(start, server, closed):
    daemon = start([
        service("192.0.2.1", [("127.0.0.1", server.port)], HTTP),
        service("2001:db8::1", [("127.0.0.1", closed)], {"criteria": FAST}, 443),
        service("192.0.2.3", [("127.0.0.1", 9)], {"protocol": "none"})])
    wait_for(lambda: [t["health"] for t in daemon.targets()] ==
             ["unknown", "unhealthy", "healthy"])
    return daemon


def test_greeting(daemon):
    with daemon.client() as client:
        assert client.greeting == {
            "daemon": "nflbd", "version": "test", "protocol": 1,
            "netns": os.stat("/proc/self/ns/net").st_ino}


def test_show(daemon, server, closed):
    bad, good = daemon.targets()[1:]
    assert good["service"] == "tcp 192.0.2.1:80"
    assert good["backend"] == "127.0.0.1:%d" % server.port
    assert (good["result"], good["detail"], good["protocol"]) == ("success", "200", "http")
    assert (good["via"], good["contrary"], good["weight"]) == ("direct", 0, 100)
    assert 0 < good["milliseconds"] < 2000
    assert good.get("running") or good.get("waiting") or 0 <= good["next-in"] <= 0.3
    assert bad["service"] == "tcp [2001:db8::1]:443"
    assert (bad["result"], bad["reason"]) == ("failure", "connect-refused")
    assert bad["threshold"] == 2


def test_show_some(daemon, closed):
    assert len(daemon.targets(service="tcp 192.0.2.1:80")) == 1
    assert daemon.target(backend="127.0.0.1:%d" % closed)["health"] == "unhealthy"
    assert daemon.targets(service="tcp 192.0.2.1:81") == []
    assert daemon.ask("show", service="tcp 192.0.2.9:80") == [{"end": True, "count": 0}]
    idle = daemon.target(service="tcp 192.0.2.3:80")
    assert (idle["result"], idle["detail"]) == ("not checked", "protocol none")


def test_check(daemon, server, closed):
    steps = daemon.ask("check", service="tcp 192.0.2.1:80",
                       backend="127.0.0.1:%d" % server.port)
    assert [s["step"] for s in steps[:2]] == ["http", "connected"]
    assert steps[-1]["end"] and steps[-1]["result"]["result"] == "success"
    times = [s["milliseconds"] for s in steps[:-1]]
    assert times == sorted(times)
    server.status = 503
    result = daemon.ask("check", service="tcp 192.0.2.1:80",
                        backend="127.0.0.1:%d" % server.port)[-1]["result"]
    assert (result["reason"], result["detail"]) == ("http-status", "503")
    result = daemon.ask("check", service="tcp [2001:db8::1]:443",
                        backend="127.0.0.1:%d" % closed)[-1]["result"]
    assert result["reason"] == "connect-refused"
    assert daemon.ask("check", service="tcp 192.0.2.3:80", backend="127.0.0.1:9") == [
        {"error": "protocol none"}]
    assert "error" in daemon.ask("check", service="tcp 192.0.2.1:80")[0]
    assert "error" in daemon.ask("check", service="tcp 192.0.2.9:80", backend="127.0.0.1")[0]


def test_check_whose_backend_goes(start):
    """It is cancelled, and the client hears of it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = [("127.0.0.1", silent.getsockname()[1])]
        check = {"expect": "x", "criteria": {"timeout": 60, "interval": 3600}}
        daemon = start([service("192.0.2.1", where, check)])
        with daemon.client() as client:
            client.request("check", service="tcp 192.0.2.1:80",
                           backend="127.0.0.1:%d" % where[0][1])
            assert client.line()["step"] == "tcp"
            daemon.write([])
            assert "changed" in client.answer()[-1]["error"]
            assert client.ask("stats")[0]["stats"]["targets"] == 0


def test_client_that_goes_while_it_checks(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = [("127.0.0.1", silent.getsockname()[1])]
        check = {"expect": "x", "criteria": {"timeout": 0.5, "interval": 3600}}
        daemon = start([service("192.0.2.1", where, check)])
        for _ in range(40):
            with daemon.client() as client:
                client.request("check", service="tcp 192.0.2.1:80",
                               backend="127.0.0.1:%d" % where[0][1])
        wait_for(lambda: "daemon" in daemon.client().greeting)


def test_watch(daemon, server):
    with daemon.client() as every, daemon.client() as other:
        every.request("watch")
        other.request("watch", service="tcp [2001:db8::1]:443")
        assert every.line() == other.line() == {"watching": True}
        server.status = 500
        event = every.line()
        assert event.pop("time").startswith("20")
        assert event.pop("message").startswith("tcp 192.0.2.1:80 -> 127.0.0.1:")
        assert event == {"event": "verdict", "service": "tcp 192.0.2.1:80", "health": "unhealthy",
                         "backend": "127.0.0.1:%d" % server.port, "reason": "http-status 500"}
        server.status = 200
        assert every.line()["health"] == "healthy"
        other.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            other.sock.recv(1)


def test_stats(daemon):
    stats = daemon.stats()
    assert stats["targets"] == 3
    assert stats["checks"]["http"]["success"] > 0 == stats["checks"]["http"]["failure"]
    assert stats["checks"]["tcp"]["failure"] > 0 == stats["checks"]["exec"]["void"]
    assert stats["verdict-changes"] == 2 and stats["kernel-messages"] == 0
    assert 0 <= stats["late-ms"]["p50"] <= stats["late-ms"]["p99"]
    assert 0 < stats["uptime"] < 60 and 5 < stats["descriptors"] < stats["descriptors-max"]


@pytest.mark.parametrize("text,message", [
    (b"nonsense", "the line is not JSON"), (b"", "the line is not JSON"),
    (b"\0\xff", "the line is not JSON"), (b"[" * 4000, "the line is not JSON"),
    (b"[]", "request"), (b'{"request": 1}', "request"), (b'{"request": "shwo"}', "requests are"),
    (b'{"request": "show", "x": 1}', "keys are"),
    (b'{"request": "show", "service": 1}', "are texts"),
    (b'{"request": "show", "service": "%s"}' % (b"x" * 3000), "are texts")])
def test_bad_requests(daemon, text, message):
    """An error, and the connection goes on."""
    with daemon.client() as client:
        client.send(text + b"\n")
        assert message in client.line()["error"]
        assert client.ask("stats")[-1]["end"]


@pytest.mark.parametrize("text", [b"x" * 5000, b"x" * 4096, b" " * 100000 + b"\n"])
def test_long_lines(daemon, text):
    with daemon.client() as client:
        try:
            client.send(text)
        except OSError:
            pass
        assert client.line() == {"error": "the line is too long"}
        try:
            assert client.line() is None
        except ConnectionResetError:
            pass
    assert daemon.stats()


def test_longest_line(daemon):
    with daemon.client() as client:
        client.send(b'{"request": "stats"}'.ljust(4095) + b"\n")
        assert client.answer()[-1]["end"]


def test_pieces_and_pipelines(daemon):
    """Bytes as they like to arrive; many requests at a time; an early end of input."""
    with daemon.client() as client:
        for byte in b'{"request": "stats"}\n':
            client.send(bytes([byte]))
        assert client.answer()[-1]["end"]
        client.send(b'{"request": "show"}\n{"request": "nonsense"}\n{"request": "stats"}\n' * 20)
        client.sock.shutdown(socket.SHUT_WR)
        for _ in range(20):
            assert client.answer()[-1] == {"end": True, "count": 3}
            assert "error" in client.line()
            assert "stats" in client.line()
        assert client.line() is None
    with daemon.client() as client:
        client.send(b'{"request": "sta')
        client.sock.shutdown(socket.SHUT_WR)
        assert client.line() is None


def test_many_clients(daemon):
    """32 have a place, others get an error; and again when they have gone."""
    clients = [daemon.client() for _ in range(40)]
    assert ["daemon" in c.greeting for c in clients] == [True] * 32 + [False] * 8
    assert clients[-1].greeting == {"error": "too many clients"}
    for client in clients:
        client.close()
    wait_for(lambda: "daemon" in daemon.client().greeting)


def test_thousand_connections(daemon, server):
    """They cost nothing that lasts, and checks go on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    before, count = daemon.stats()["descriptors"], server.count
    socks = []
    for _ in range(1000):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(daemon.path)
        socks.append(sock)
    wait_for(lambda: server.count > count + 2)
    for sock in socks:
        sock.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_for(lambda: "daemon" in daemon.client().greeting)
    assert abs(daemon.stats()["descriptors"] - before) < 40
    assert daemon.target(service="tcp 192.0.2.1:80")["health"] == "healthy"


def resident(pid):
    with open("/proc/%d/statm" % pid, encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_slow_reader_of_a_long_list(start, closed):
    """The list waits for its reader, and takes no memory meanwhile; then it is dropped."""
    backends = [("127.%d.%d.1" % (i // 250, i % 250), closed) for i in range(4000)]
    check = {"criteria": {"interval": 3600, "jitter": 0}}
    daemon = start([service("192.0.2.1", backends[:3000], check),
                    service("192.0.2.2", backends[3000:], check)])
    assert len(daemon.targets()) == 4000
    names = [t["backend"] for t in daemon.targets()]
    assert len(set(names)) == 4000
    before = resident(daemon.process.pid)
    with daemon.client() as client, daemon.client() as other:
        client.send(b'{"request": "show"}\n' * 100)
        time.sleep(1)
        assert resident(daemon.process.pid) - before < 20 << 20
        assert other.ask("stats")[-1]["end"]
        begin = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError, AssertionError)):
            while time.monotonic() < begin + 25:
                client.send(b"\n" * 10)
                time.sleep(0.2)
            raise AssertionError("it was not dropped")
        assert time.monotonic() - begin < 24


def test_garbage(daemon):
    """Whatever a client sends, and whenever it goes"""
    data = os.urandom(3000)
    for i in range(200):
        with daemon.client() as client:
            client.send((data[i * 10:] + b"\n" + data[:i]).replace(b"\0", b"\n"))
            if i % 3 == 0:
                client.line()
    wait_for(lambda: "daemon" in daemon.client().greeting)
    assert daemon.process.poll() is None


def test_stale_socket(start, closed):
    daemon = start([])
    daemon.process.kill()
    daemon.process.wait()
    assert os.path.exists(daemon.path)
    daemon.start()
    assert daemon.targets() == []


def test_socket_in_use(start, tmp_path):
    daemon = start([])
    other = tmp_path / "other"
    other.mkdir()
    (other / "nflb.json").write_text('{"services": []}')
    (other / "nflbd.json").write_text(json.dumps({"socket": daemon.path}))
    second = Daemon.__new__(Daemon)
    second.dir, second.path, second.file = other, daemon.path, other / "nflb.json"
    second.start()
    assert "Address already in use: there is no socket" in second.log()
    second.process.terminate()
    assert second.process.wait(20) == 0
    assert daemon.targets() == []


def test_no_socket_over_a_file(start, tmp_path):
    name = tmp_path / "file"
    name.write_text("precious")
    daemon = start([], socket=str(name))
    assert "File exists: there is no socket" in daemon.log()
    assert name.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs other users")
def test_others_are_refused(daemon):
    """Of the socket, not of its directory"""
    code = ("import os, socket, sys\nos.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
            "s = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\nprint(s.recv(999))")
    os.chmod(daemon.dir, 0o755)
    at = daemon.dir.parent
    while os.stat(at).st_uid == 0 and at != at.parent:
        if at.name.startswith("pytest-"):
            os.chmod(at, 0o755)
        at = at.parent
    done = subprocess.run(["python3", "-c", code, daemon.path], capture_output=True, text=True,
                          check=True)
    assert "permission denied" in done.stdout
    assert daemon.stats()


def test_mode(daemon):
    assert os.stat(daemon.path).st_mode & 0o777 == 0o666
    assert Client(daemon.path).greeting
