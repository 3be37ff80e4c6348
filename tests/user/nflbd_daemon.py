# SPDX-License-Identifier: GPL-2.0
"""A running nflbd without the module, and clients of its socket, for tests."""

import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVE = os.environ.get("NFLBD_SERVE",
                       os.path.join(HERE, "../../userspace/build/test/nflbd_serve"))


class Daemon:
    """The services are those of nflb.json; settings go to nflbd.json."""

    def __init__(self, directory, services, **settings):
        self.dir = directory
        self.path = str(directory / "nflbd.sock")
        self.file = directory / "nflb.json"
        self.file.write_text(json.dumps({"services": services}))
        (directory / "nflbd.json").write_text(json.dumps({"socket": self.path, **settings}))
        self.process = None
        self.start()

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                [SERVE, str(self.file), str(self.dir / "nflbd.json")], stderr=log,
                stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n", self.log()

    def log(self):
        return (self.dir / "log").read_text()

    def write(self, services):
        self.file.write_text(json.dumps({"services": services}))
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0, self.log()
        assert "Sanitizer" not in self.log() and "runtime error" not in self.log(), self.log()
        assert not os.path.exists(self.path)

    def client(self):
        return Client(self.path)

    def ask(self, request, **keys):
        with self.client() as client:
            return client.ask(request, **keys)

    def targets(self, **keys):
        return [a["target"] for a in self.ask("show", **keys) if "target" in a]

    def target(self, **keys):
        targets = self.targets(**keys)
        assert len(targets) == 1, targets
        return targets[0]

    def stats(self):
        return self.ask("stats")[0]["stats"]


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self.lines = self.sock.makefile("rb")
        self.greeting = self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.lines.close()
        self.sock.close()

    def line(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def send(self, data):
        self.sock.sendall(data)

    def request(self, request, **keys):
        self.send(json.dumps({"request": request, **keys}).encode() + b"\n")

    def answer(self):
        answer = [self.line()]
        while answer[-1] and not ("end" in answer[-1] or "error" in answer[-1]):
            answer.append(self.line())
        return answer

    def ask(self, request, **keys):
        self.request(request, **keys)
        return self.answer()


def service(address, backends, check, port=80, protocol="tcp"):
    return {"protocol": protocol, "address": address, "port": port, "health-check": check,
            "backends": [{"address": a, "port": p} for a, p in backends]}


def wait_for(true, seconds=20):
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


class Server:
    """Counts requests, and answers them with .status."""

    def __init__(self, address="127.0.0.1"):
        self.status, self.headers, self.count = 200, {}, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.count += 1
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
