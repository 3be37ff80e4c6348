# SPDX-License-Identifier: GPL-2.0
"""lbadm backend drain, down and enable of a host in all services, and backend replace."""

import json
import struct
import sys

from config_test import Module
from fake_module import N, a, attributes, play, stats

UP, DRAIN, DOWN = (N["BACKEND_" + s] for s in ("UP", "DRAIN", "DOWN"))
HOST = "10.0.0.11"


class Hosts(Module):
    """Backends with a state of the configuration and one that was set by hand; the request
    for a backend that is number @fail is refused."""

    def __init__(self, *backends, fail=None, meddle=None):
        super().__init__()
        self.backends = [list(b) for b in backends]	# service, backend, configured, by hand
        self.sent, self.refused, self.meddle = [], fail, meddle

    def states(self):
        return [tuple(b[2:]) for b in self.backends]

    @staticmethod
    def service(number):
        return a("A_SERVICE_PROTOCOL", 6) + a("A_SERVICE_ADDRESS", "192.0.2.10") + \
            a("A_SERVICE_PORT", number)

    @staticmethod
    def backend(where):
        address, _, port = where.partition(":")
        return a("A_BACKEND_ADDRESS", address) + a("A_BACKEND_PORT", int(port or 0))

    def _dump_services(self, r):
        return self._dump(r, [("SERVICE_GET", [a("A_SERVICE", self.service(s) + a(
            "A_SERVICE_MODE", 0) + a("A_SERVICE_SCHEDULER", "rr"))])
            for s in sorted({b[0] for b in self.backends})])

    def _dump_backends(self, r):
        out = []
        for service, where, configured, by_hand in self.backends:
            b = self.backend(where) + a("A_BACKEND_WEIGHT", 1) + a(
                "A_BACKEND_STATE", max(configured, by_hand)) + a("A_BACKEND_STATS", stats())
            if by_hand:
                b += a("A_BACKEND_BY_HAND", by_hand) + a("A_BACKEND_CONFIGURED", configured)
            out.append(("BACKEND_GET", [a("A_SERVICE", self.service(service)),
                                        a("A_BACKEND", b)]))
        return self._dump(r, out)

    @staticmethod
    def number(nest, kind):
        values = [p for k, _, p in attributes(nest) if k == N[kind]]
        return int.from_bytes(values[0], sys.byteorder) if values else None

    def find(self, r):
        got = {k: p for k, _, p in r.attributes}
        port = [p for k, _, p in attributes(got[N["A_SERVICE"]]) if k == N["A_SERVICE_PORT"]][0]
        nest = got[N["A_BACKEND"]]
        for b in self.backends:
            if struct.pack("!H", b[0]) == port and nest.startswith(self.backend(b[1])):
                return b, nest
        return None, nest

    def _set(self, r):
        b, nest = self.find(r)
        if not b:
            return [r.error(2, "there is no such backend")]
        state = self.number(nest, "A_BACKEND_STATE")
        b[3] = state
        if state == UP:
            b[2] = UP
        self.sent.append((b[0], b[1], state, self.number(nest, "A_BACKEND_DEADLINE")))
        return None

    def _list(self, r):
        """A whole list, which clears states set by hand if it is forced."""
        got = {k: p for k, _, p in r.attributes}
        assert N["A_FORCE"] in got and N["A_EXACT"] in got
        port = [p for k, _, p in attributes(got[N["A_SERVICE"]]) if k == N["A_SERVICE_PORT"]][0]
        for _, _, nest in attributes(got[N["A_BACKENDS"]]):
            for b in self.backends:
                if struct.pack("!H", b[0]) == port and nest.startswith(self.backend(b[1])):
                    b[2:] = self.number(nest, "A_BACKEND_STATE") or UP, UP

    def __call__(self, r):
        changing = r.cmd in (N["CMD_BACKEND_SET"], N["CMD_SERVICE_REPLACE"])
        if not changing:
            return super().__call__(r)
        self.changes += 1
        if self.meddle and self.changes in self.meddle:
            self.meddle.remove(self.changes)
            self.generation += 1
        expected = [p for k, _, p in r.attributes if k == N["A_EXPECT_GENERATION"]]
        if expected and expected[0] != struct.pack("=Q", self.generation):
            return [r.error(116, "the configuration changed")]
        if self.changes == self.refused:
            return [r.error(12, "no memory")]
        error = self._set(r) if r.cmd == N["CMD_BACKEND_SET"] else self._list(r)
        if error:
            return error
        self.generation += 1
        return [r.message("CONFIG_GET", *self._generation())] * bool(expected) + [r.error()]


BACKENDS = [(80, HOST, UP, UP), (80, "10.0.0.12", UP, UP), (81, HOST + ":8080", UP, UP),
            (82, "10.0.0.12", UP, DRAIN), (83, HOST + ":80", UP, UP)]


def lbadm(module, *words):
    return play([*words[:1], "backend", *words[1:]] if words[0] == "-j" else
                ["backend", *words], module)


def test_a_host_in_every_service():
    for words, state, deadline, said in (
            (["drain", HOST], DRAIN, None, "drain"),
            (["drain", HOST, "deadline", "60"], DRAIN, 60, "drain"),
            (["down", HOST], DOWN, None, "down"), (["enable", HOST], UP, None, "up")):
        module = Hosts(*BACKENDS)
        done = lbadm(module, *words)
        assert (done.status, done.err) == (0, ""), done.err
        assert done.out == f"3 backends in 3 services: {said}\n", done.out
        assert module.sent == [(s, w, state, deadline) for s, w, _, _ in BACKENDS
                               if w.startswith(HOST)], module.sent
        assert module.backends[3][3] == DRAIN, "others are not touched"
        # Once more is the same.
        assert lbadm(module, *words).out == done.out


def test_a_port_of_a_host():
    """Also that of a backend which has its service's port."""
    for port, services in ((8080, [81]), (80, [80, 83])):
        module = Hosts(*BACKENDS)
        done = lbadm(module, "drain", f"{HOST}:{port}")
        assert done.status == 0, done.err
        assert [s[0] for s in module.sent] == services, module.sent
    assert lbadm(Hosts(*BACKENDS), "down", HOST + ":8080").out == "1 backend in 1 service: down\n"


def test_as_json():
    done = lbadm(Hosts(*BACKENDS), "-j", "drain", HOST + ":8080")
    assert json.loads(done.out) == {"count": 1, "backends": [
        {"address": HOST, "port": 8080,
         "service": {"protocol": "tcp", "address": "192.0.2.10", "port": 81}}]}, done.out


def test_no_such_host():
    for host in ("10.0.0.99", HOST + ":81", "2001:db8::1"):
        module = Hosts(*BACKENDS)
        done = lbadm(module, "drain", host)
        assert done.status == 1 and done.out == "" and not module.sent, done
        assert f"no service has the backend {host}" in done.err, done.err


def test_all_or_nothing():
    """Whichever request is refused, nothing changes, settings of the file included."""
    before = [(80, HOST, UP, UP), (81, HOST, UP, DRAIN), (82, HOST, DRAIN, UP),
              (82, "10.0.0.12", UP, DOWN), (83, HOST, DOWN, DRAIN), (84, HOST, UP, DOWN),
              (85, HOST, UP, UP)]
    for words in ["drain", HOST], ["down", HOST], ["enable", HOST]:
        for fail in range(1, 7):
            module = Hosts(*before, fail=fail)
            done = lbadm(module, *words)
            assert (done.status, done.out) == (2, ""), done
            assert len(done.err.splitlines()) == 1 and "no memory" in done.err, done.err
            assert module.states() == [tuple(b[2:]) for b in before], (words, fail, module.states())
    # After another changed something, too
    for fail in range(3, 9):
        module = Hosts(*before, fail=fail, meddle=[2])
        done = lbadm(module, "down", HOST)
        if done.status == 2:
            assert module.states() == [tuple(b[2:]) for b in before], (fail, module.states())


def test_what_cannot_be_undone_is_named():
    module = Hosts(*BACKENDS)

    def handler(r):
        answer = module(r)
        return [r.error(12, "no memory")] if module.changes > 1 else answer
    done = lbadm(handler, "drain", HOST)
    assert done.status == 2, done.err
    assert "service tcp 192.0.2.10:80: backend 10.0.0.11: this is changed, and could not be " \
        "undone" in done.err, done.err


def test_others_change_the_configuration():
    module = Hosts(*BACKENDS, meddle=[1, 3, 4])
    done = lbadm(module, "drain", HOST)
    assert (done.status, done.err) == (0, ""), done.err
    assert done.out == "3 backends in 3 services: drain\n"
    assert [s[3] for s in module.backends] == [DRAIN, UP, DRAIN, DRAIN, DRAIN]
    module = Hosts(*BACKENDS, meddle=list(range(2, 100)))
    done = lbadm(module, "drain", HOST)
    assert done.status == 2 and "configuration keeps changing" in done.err, done.err
    assert module.states() == [tuple(b[2:]) for b in BACKENDS], module.states()


def test_one_backend():
    module = Hosts(*BACKENDS)
    for word, state in ("down", DOWN), ("drain", DRAIN), ("enable", UP):
        done = lbadm(module, word, "tcp", "192.0.2.10:81", HOST + ":8080")
        assert (done.status, done.out) == (0, ""), done.err
        assert module.sent.pop() == (81, HOST + ":8080", state, None)


def test_replace():
    """Set an existing backend or add it, even if others change it in between."""
    def handler(*answers):
        rest = list(answers)

        def answer(r):
            code = rest.pop(0)
            return [r.error(code, "no such thing" if code else None)]
        return answer
    words = ["replace", "tcp", "192.0.2.10:80", HOST, "weight", "3"]
    for answers, cmds, status in (
            ([0], "S", 0), ([2, 0], "SA", 0), ([2, 17, 0], "SAS", 0), ([2, 17, 2, 0], "SASA", 0),
            ([2, 2], "SA", 2), ([22], "S", 2), ([2, 28], "SA", 2), ([2, 17] * 10, "SA" * 10, 2)):
        done = lbadm(handler(*answers), *words)
        assert done.status == status, (answers, done.err)
        assert len(done.err.splitlines()) == (1 if status else 0), done.err
        sent = ["SA"[r.cmd == N["CMD_BACKEND_ADD"]] for r in done.requests]
        assert "".join(sent) == cmds, (answers, sent)
        nests = [p for r in done.requests for k, _, p in r.attributes if k == N["A_BACKEND"]]
        assert len(set(nests)) == 1 and a("A_BACKEND_WEIGHT", 3) in nests[0]


def test_words():
    for words in (["drain"], ["down"], ["enable"], ["drain", "ten"], ["down", HOST, "deadline", "6"],
                  ["drain", HOST, "x"], ["drain", HOST, "deadline"], ["enable", HOST, HOST],
                  ["down", "tcp"], ["down", "tcp", "192.0.2.10:80"], ["replace", HOST],
                  ["replace", "tcp", "192.0.2.10:80", HOST, "wieght", "3"]):
        done = lbadm(Hosts(*BACKENDS), *words)
        assert done.status == 1 and done.err.startswith("lbadm: ") and not done.requests, (words, done.err)
