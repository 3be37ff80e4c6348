# SPDX-License-Identifier: GPL-2.0
"""nflbd resumes TLS sessions: of ten handshakes with a server one is full, and so is the
one after a failure. The module is played by fake_module.py."""

import json
import os
import socket
import ssl
import subprocess
import threading

import pytest
from fake_module import BUILD, play
from netlink_attributes import N, a

# Without sanitizers, before which no other library may be loaded
NFLBD = os.path.join(BUILD, "nflbd")

pytestmark = pytest.mark.skipif(not os.path.exists(NFLBD), reason="nflbd is not built")


@pytest.fixture(scope="module", name="certificate")
def make_certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("session")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=x",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out",
                    "cert.pem"], cwd=directory, check=True, capture_output=True)
    return directory


class Server:
    """Notes of each handshake whether it resumed a session."""

    def __init__(self, certificate, version, fails=()):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        self.context.maximum_version = version
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.fails, self.reused = fails, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock = self.listener.accept()[0]
                sock.settimeout(20)
                with self.context.wrap_socket(sock, server_side=True) as tls:
                    self.reused.append(tls.session_reused)
                    if tls.recv(4096):
                        code = 500 if len(self.reused) in self.fails else 200
                        tls.sendall(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % code)
            except (ssl.SSLError, ConnectionError):
                pass
            except OSError:
                return


def handshakes(server, check, count):
    service = [a("A_SERVICE_PROTOCOL", socket.IPPROTO_TCP), a("A_SERVICE_ADDRESS", "192.0.2.1"),
               a("A_SERVICE_PORT", 443)]
    check = json.dumps({"criteria": {"interval": 0.1, "fast-interval": 0.1, "timeout": 10,
                                     "jitter": 0}, **check})
    process = []

    def handler(request):
        if request.cmd == N["CMD_SERVICE_GET"]:
            rows = [[a("A_SERVICE", [*service, a("A_SERVICE_HEALTH_CHECK", check)])]]
        elif request.cmd == N["CMD_BACKEND_GET"]:
            rows = [[a("A_SERVICE", service), a("A_BACKEND", [
                a("A_BACKEND_ADDRESS", "127.0.0.1"), a("A_BACKEND_PORT", server.port),
                a("A_BACKEND_ID", 1)])]]
        else:
            return [request.error()]
        return [*(request.message("SERVICE_ADD", *row, flags=2) for row in rows),
                request.done()]

    def end():
        while len(server.reused) < count:
            threading.Event().wait(0.05)
        process[0].terminate()

    def joined(_send, nflbd):
        if not process:
            process.append(nflbd)
            threading.Thread(target=end, daemon=True).start()

    done = play([], handler, joined=joined, program=NFLBD)
    server.listener.close()
    assert done.status == 0, done.err
    return "".join("r" if reused else "F" for reused in server.reused[:count]), done.err


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("protocol", ["tls", "https"])
def test_each_tenth_is_full(certificate, protocol, version):
    server = Server(certificate, version)
    check = {"protocol": protocol, "verify": str(certificate / "cert.pem")}
    seen, log = handshakes(server, check, 21)
    assert seen == "F" + "r" * 9 + "F" + "r" * 9 + "F", log


def test_full_after_a_failure(certificate):
    server = Server(certificate, ssl.TLSVersion.TLSv1_3, fails=(3,))
    seen, log = handshakes(server, {"protocol": "https", "expect-status": 200}, 5)
    assert seen == "FrrFr", log
