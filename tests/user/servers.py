# SPDX-License-Identifier: GPL-2.0
"""Servers for nflbd_test.py, good and bad ones, at 10.1.0.1 and fd00::1 of a network
namespace. Prints a line when all are ready.

  servers.py DIRECTORY      with certificates, NAME.pem"""

import http.server
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time

ADDRESSES = ("10.1.0.1", "fd00::1")
DIRECTORY = sys.argv[1]


class Http(http.server.BaseHTTPRequestHandler):
    """/CODE answers with that status; other paths as their functions say."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"all is well", headers=()):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        name = path.strip("/")
        if name.isdigit():
            self.answer(int(name), headers=[("Location", "http://192.0.2.99/")])
        elif name == "":
            self.answer(200)
        else:
            getattr(self, name)(query)

    do_HEAD = do_POST = do_OPTIONS = do_GET

    def echo(self, _):
        self.answer(200, ("%s %s\n%s" % (self.command, self.path, self.headers)).encode())

    def chunked(self, _):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"4\r\nall \r\n7\r\nis well\r\n0\r\n\r\n")

    def big(self, _):
        self.answer(200, b"a" * 100000 + b"needle")

    def endless(self, _):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"a" * 4096)

    def weight(self, query):
        self.answer(200, headers=[("X-Weight", query)])

    def hang(self, _):
        time.sleep(3600)

    def slowly(self, _):
        time.sleep(0.3)
        self.answer(200)

    def reset(self, _):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def garbage(self, _):
        self.wfile.write(b"SSH-2.0-server\r\n")
        self.close_connection = True

    def empty(self, _):
        self.close_connection = True

    def cut(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
        self.close_connection = True


class Threads(socketserver.ThreadingMixIn):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(kind, address, port, handler, wrap=None):
    cls = type("Server", (Threads, kind), {"address_family": family(address)})
    server = cls((address, port), handler)
    if wrap:
        server.socket = wrap.wrap_socket(server.socket, server_side=True,
                                         do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def context(name, client_ca=None, alpn=None, version=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(os.path.join(DIRECTORY, name + ".pem"))
    if client_ca:
        ctx.load_verify_locations(os.path.join(DIRECTORY, client_ca + ".pem"))
        ctx.verify_mode = ssl.CERT_REQUIRED
    if alpn:
        ctx.set_alpn_protocols(alpn)
    if version:
        ctx.maximum_version = version
    return ctx


def sni_context():
    """Another certificate for another name, so that a test sees the name."""
    ctx, other = context("good"), context("other")

    def choose(sock, name, _):
        if name == "other.test":
            sock.context = other
    ctx.sni_callback = choose
    return ctx


class Banner(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"220 ready\r\n")


class Pong(socketserver.BaseRequestHandler):
    """PING is answered with PONG, in pieces."""

    def handle(self):
        if self.request.recv(64) == b"PING\r\n":
            for piece in b"+PO", b"NG\r\n":
                self.request.sendall(piece)
                time.sleep(0.05)


class Silent(socketserver.BaseRequestHandler):
    def handle(self):
        time.sleep(3600)


class UdpEcho(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(self.request[0], self.client_address)


class UdpSilent(socketserver.BaseRequestHandler):
    def handle(self):
        pass


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header without compression."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class Grpc(socketserver.StreamRequestHandler):
    """As much of HTTP/2 as one call needs. The name of the service selects the answer."""

    DATA, HEADERS, SETTINGS, END_STREAM, END_HEADERS, ACK = 0, 1, 4, 1, 4, 1

    def send(self, *frames):
        self.wfile.write(b"".join(frame(*f) for f in frames))

    def question(self):
        """(stream, message)"""
        assert self.rfile.read(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        self.send((self.SETTINGS, 0, 0, b""))
        message = b""
        while True:
            size = int.from_bytes(self.rfile.read(3), "big")
            kind, flags, stream = struct.unpack("!BBI", self.rfile.read(6))
            payload = self.rfile.read(size)
            if kind == self.SETTINGS and not flags:
                self.send((self.SETTINGS, self.ACK, 0, b""))
            if kind == self.DATA:
                message += payload
            if kind in (self.DATA, self.HEADERS) and flags & self.END_STREAM:
                return stream, message

    def handle(self):
        stream, message = self.question()
        if not message:
            self.send((self.HEADERS, self.END_HEADERS | self.END_STREAM, stream, b"\x88"))
            self.rfile.read(1)
            return
        assert message[:4] == b"\0\0\0\0" and message[4] == len(message) - 5
        assert not message[5:] or (message[5] == 0x0a and message[6] == len(message) - 7)
        name = message[7:].decode()
        body = {"bad": b"\x08\2", "empty": b"", "long": b"a" * 100,
                "malformed": b"\x10\1"}.get(name, b"\x08\1")
        status = {"other": b"5", "unimplemented": b"12"}.get(name, b"0")
        head = b"\x88" if name != "503" else literal(b":status", b"503")
        head += literal(b"content-type", b"application/grpc")
        tail = literal(b"grpc-status", status)
        if name == "silent":
            self.send((self.HEADERS, self.END_HEADERS | self.END_STREAM, stream, head))
        elif status != b"0":
            self.send((self.HEADERS, self.END_HEADERS | self.END_STREAM, stream, head + tail))
        else:
            self.send((self.HEADERS, self.END_HEADERS, stream, head),
                      (self.DATA, 0, stream, b"\0" + struct.pack("!I", len(body)) + body),
                      (self.HEADERS, self.END_HEADERS | self.END_STREAM, stream, tail))
        self.rfile.read(1)


def dns_answer(query):
    """a.test has 10.0.0.1; others do not exist; fail.test fails. A forged answer first."""
    name = query[12:query.index(b"\0", 12) + 1]
    question = query[12:12 + len(name) + 4]
    code, answer = 3, b""
    if name == b"\1a\4test\0":
        code, answer = 0, b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"
    elif name == b"\4fail\4test\0":
        code = 2
    return (query[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" +
            (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0" + question + answer)


class UdpDns(socketserver.BaseRequestHandler):
    def handle(self):
        query, sock = self.request
        forged = bytearray(dns_answer(query))
        forged[0] ^= 0xff
        sock.sendto(bytes(forged), self.client_address)
        sock.sendto(dns_answer(query), self.client_address)


class TcpDns(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(512)
        answer = dns_answer(data[2:])
        whole = struct.pack("!H", len(answer)) + answer
        self.request.sendall(whole[:1])
        time.sleep(0.02)
        self.request.sendall(whole[1:])


def main():
    http_server = http.server.HTTPServer
    http_server.server_bind = socketserver.TCPServer.server_bind
    tcp, udp = socketserver.TCPServer, socketserver.UDPServer
    for address in ADDRESSES:
        serve(http_server, address, 80, Http)
        serve(http_server, address, 443, Http, sni_context())
        serve(http_server, address, 444, Http, context("expired"))
        serve(http_server, address, 445, Http, context("soon"))
        serve(http_server, address, 446, Http, context("good", client_ca="ca"))
        serve(http_server, address, 447, Http, context("good", version=ssl.TLSVersion.TLSv1_2))
        serve(http_server, address, 448, Http, context("good", alpn=["http/1.1"]))
        serve(tcp, address, 8443, Grpc)
        serve(tcp, address, 8444, Grpc, context("good", alpn=["h2"]))
        serve(tcp, address, 25, Banner)
        serve(tcp, address, 6379, Pong)
        serve(tcp, address, 9, Silent)
        serve(tcp, address, 53, TcpDns)
        serve(udp, address, 53, UdpDns)
        serve(udp, address, 7, UdpEcho)
        serve(udp, address, 9, UdpSilent)
    print("ready", flush=True)
    sys.stdin.read()


main()
