# SPDX-License-Identifier: GPL-2.0
"""lbadm config: what is wrong is told where it stands; what the
module refuses, at whichever step, leaves all as it was."""

import json
import os
import random
import struct
import subprocess

import jsonschema
from fake_module import LBADM, MULTI, N, a, attr, attributes, play, stats

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = """{
  "services": [
    { "protocol": "tcp", "address": "192.0.2.10", "port": 80,
      "mode": "fullnat", "toa": true, "scheduler": "maglev",
      "backends": [
        { "address": "10.0.0.11", "port": 8080, "weight": 2 },
        { "address": "10.0.0.12", "port": 8080 }
      ],
      "health-check": { "protocol": "HTTP", "port": 8080 } }
  ],
  "local-addresses": [ "10.0.0.1" ],
  "devices": [ "eth0" ]
}
"""


def lbadm(*words, text=None):
    return subprocess.run([LBADM, *words], input=text, text=True,
                          capture_output=True, check=False)


def schema():
    with open(os.path.join(HERE, "../../docs/nflb.schema.json"), encoding="utf-8") as f:
        return json.load(f)


class Module:
    """Keeps what it is told, as it is told; refuses the change of number @fail,
    and those for which refuse(request) holds. Devices of @missing are not there."""

    def __init__(self, fail=None, missing=(), refuse=None):
        self.services, self.laddrs, self.devices = {}, {}, {}
        self.changes, self.fail, self.refuse = 0, fail, refuse
        self.missing = [name.encode() + b"\0" for name in missing]
        self.generation = 7

    def state(self):
        """What counts: the order of backends and addresses does not."""
        return ({k: (s, frozenset(b)) for k, (s, b) in self.services.items()},
                frozenset(self.laddrs.items()), frozenset(self.devices.items()))

    @staticmethod
    def _split(nest, names):
        """(attributes of these names, the others), as bytes."""
        wanted = [N["A_" + n] for n in names]
        inside, others = [], []
        for kind, _, payload in attributes(nest):
            (inside if kind in wanted else others).append(attr(kind, payload))
        return b"".join(sorted(inside)), b"".join(sorted(others))

    def _dump(self, r, messages):
        return [b"".join(r.message(name, *attrs, flags=MULTI)
                         for name, attrs in messages)] * bool(messages) + [r.done()]

    def _dump_services(self, r):
        mode = attr(N["A_SERVICE_MODE"], b"\0")
        out = []
        for key, (settings, _) in self.services.items():
            kinds = [k for k, _, _ in attributes(settings)]
            more = b"" if N["A_SERVICE_MODE"] in kinds else mode
            if N["A_SERVICE_SCHEDULER"] not in kinds:
                more += a("A_SERVICE_SCHEDULER", "wrr")
            out.append(("SERVICE_GET", [a("A_SERVICE", key + settings + more + a(
                "A_SERVICE_STATS", stats()))]))
        return self._dump(r, out)

    def _dump_backends(self, r):
        out = []
        for key, (_, backends) in self.services.items():
            for backend in backends:
                kinds = [k for k, _, _ in attributes(backend)]
                more = b""
                if N["A_BACKEND_WEIGHT"] not in kinds:
                    more += a("A_BACKEND_WEIGHT", 1)
                if N["A_BACKEND_STATE"] not in kinds:
                    more += a("A_BACKEND_STATE", 0)
                out.append(("BACKEND_GET", [a("A_SERVICE", key), a(
                    "A_BACKEND", backend + more + a("A_BACKEND_STATS", stats()))]))
        return self._dump(r, out)

    def _dump_laddrs(self, r):
        return self._dump(r, [("LADDR_GET", [a("A_LADDR", k + v)])
                              for k, v in self.laddrs.items()])

    def _dump_devices(self, r):
        return self._dump(r, [("DEVICE_GET", [attr(N["A_DEVICE"], d)] + (
            [attr(N["A_DEVICE_ABSENT"], b"")] if d in self.missing else []) + (
            [attr(N["A_DEVICE_XDP"], b"\1")] if xdp else []))
                              for d, xdp in self.devices.items()])

    def _service(self, r):
        backends, exact = [], False
        for kind, _, payload in r.attributes:
            if kind == N["A_SERVICE"]:
                key, settings = self._split(payload, [
                    "SERVICE_PROTOCOL", "SERVICE_ADDRESS", "SERVICE_PORT",
                    "SERVICE_PORT_LAST"])
            elif kind == N["A_BACKENDS"]:
                backends += [p for _, _, p in attributes(payload)]
            exact |= kind == N["A_EXACT"]
        if r.cmd == N["CMD_SERVICE_DEL"]:
            del self.services[key]
        else:
            assert exact
            self.services[key] = settings, tuple(backends)

    def _laddr(self, r):
        key, others = self._split(r.attributes[0][2], [
            "LADDR_ADDRESS", "LADDR_ADDRESS_LAST", "LADDR_PORT", "LADDR_PORT_LAST"])
        if N["A_LADDR_PORT"] not in [k for k, _, _ in attributes(key)]:
            key += a("A_LADDR_PORT", 1024) + a("A_LADDR_PORT_LAST", 65535)
        key, _ = self._split(key, ["LADDR_ADDRESS", "LADDR_ADDRESS_LAST",
                                   "LADDR_PORT", "LADDR_PORT_LAST"])
        if r.cmd == N["CMD_LADDR_DEL"]:
            del self.laddrs[key]
        else:
            assert key not in self.laddrs
            self.laddrs[key] = others

    def _device(self, r):
        name = r.attributes[0][2]
        if r.cmd == N["CMD_DEVICE_DEL"]:
            del self.devices[name]
        else:
            kinds = {k: p for k, _, p in r.attributes}
            wish = kinds.get(N["A_DEVICE_XDP"])
            assert wish or name not in self.devices
            assert (N["A_DEVICE_ABSENT"] in kinds) == (
                N["A_EXPECT_GENERATION"] in kinds or wish is not None)
            self.devices[name] = wish == b"\1"

    def _generation(self):
        return [attr(N["A_GENERATION"], struct.pack("=Q", self.generation)),
                a("A_BOOT", 5)]

    def __call__(self, r):
        gets = {"SERVICE": self._dump_services, "BACKEND": self._dump_backends,
                "LADDR": self._dump_laddrs, "DEVICE": self._dump_devices}
        for what, get in gets.items():
            if r.cmd == N[f"CMD_{what}_GET"]:
                return get(r)
        if r.cmd == N["CMD_CONFIG_GET"]:
            return [r.message("CONFIG_GET", *self._generation(), a(
                "A_MAX_CONNECTIONS_DEFAULT", 500000)), r.error()]
        if r.cmd == N["CMD_CONN_COUNT"]:
            return [r.message("CONN_COUNT", a("A_COUNT", 0)), r.error()]
        expected = [p for k, _, p in r.attributes if k == N["A_EXPECT_GENERATION"]]
        if expected and expected[0] != struct.pack("=Q", self.generation):
            return [r.error(116, "the configuration changed")]
        self.changes += 1
        if self.changes == self.fail or (self.refuse and self.refuse(r)):
            return [r.error(22, "that will not do")]
        for what, change in (("SERVICE", self._service), ("LADDR", self._laddr),
                             ("DEVICE", self._device)):
            if r.cmd in (N.get(f"CMD_{what}_{verb}") for verb in (
                    "ADD", "DEL", "REPLACE")):
                change(r)
                self.generation += 1
                return [r.message("CONFIG_GET", *self._generation())] * bool(
                    expected) + [r.error()]
        raise AssertionError(r.cmd)


def config(rnd):
    """A small one, of parts that come again."""
    services = {}
    for _ in range(rnd.randrange(4)):
        key = (rnd.choice(["tcp", "udp"]), rnd.choice([80, 81, "*"]))
        services[key] = {
            "protocol": key[0], "address": "192.0.2.1", "port": key[1],
            "mode": rnd.choice(["dnat", "dsr"]),
            "scheduler": rnd.choice(["rr", "wlc"]),
            "backends": [{"address": f"10.0.0.{i}", "port": 80,
                          "weight": rnd.randrange(3)}
                         for i in range(1, 5) if rnd.random() < 0.5]}
    laddrs = []
    for i in range(3):
        if rnd.random() < 0.5:
            laddrs.append(rnd.choice([
                f"10.1.{i}.1", f"10.1.{i}.1-10.1.{i}.9",
                {"address": f"10.1.{i}.1", "ports": "2000-2999"},
                {"address": f"10.1.{i}.1", "ports": "2500-3999", "exclude": "2600"}]))
    return {"services": list(services.values()), "local-addresses": laddrs,
            "devices": [d for d in ("eth0", "eth1") if rnd.random() < 0.5]}


def apply(module, text):
    return play(["config", "apply", "-"], module, stdin=text)


def test_apply_then_save():
    module = Module()
    done = apply(module, EXAMPLE)
    assert done.status == 0, done.err
    saved = play(["config", "save"], module)
    want = json.loads(EXAMPLE)
    want["services"][0]["backends"][1]["weight"] = 1
    assert json.loads(saved.out) == want, saved.out
    jsonschema.validate(want, schema())


def test_again_is_nothing():
    module = Module()
    apply(module, EXAMPLE)
    before = module.changes
    assert before == 3, before
    done = apply(module, EXAMPLE)
    assert (done.status, module.changes) == (0, before)


class ByHand(Module):
    """Each backend was drained by hand; the configuration says that it is up. And a
    checker has its verdict."""

    def _dump_backends(self, r):
        return self._dump(r, [("BACKEND_GET", [a("A_SERVICE", key), a(
            "A_BACKEND", b + a("A_BACKEND_STATE", N["BACKEND_DRAIN"]) +
            a("A_BACKEND_BY_HAND", N["BACKEND_DRAIN"]) +
            a("A_BACKEND_CONFIGURED", N["BACKEND_UP"]) + a("A_BACKEND_ID", 7) +
            a("A_BACKEND_HEALTH", N["HEALTH_UNHEALTHY"]) +
            a("A_BACKEND_HEALTH_REASON", "timeout") +
            a("A_BACKEND_STATS", stats()))])
            for key, (_, backends) in self.services.items() for b in backends])


def of_replace(done):
    """The attributes of the service that was replaced."""
    request = next(r for r in done.requests if r.cmd == N["CMD_SERVICE_REPLACE"])
    return [k for k, _, _ in request.attributes]


def test_by_hand_stays():
    """An apply neither undoes it nor writes it; with --force it does undo it."""
    file = json.loads(EXAMPLE)
    file["services"][0]["backends"][1]["weight"] = 1
    module = ByHand()
    assert apply(module, json.dumps(file)).status == 0
    before = module.changes
    assert apply(module, json.dumps(file)).status == 0
    saved = json.loads(play(["config", "save"], module).out)
    for b in file["services"][0]["backends"]:
        b["state"] = "drain"
    assert saved == file, saved
    assert apply(module, json.dumps(saved)).status == 0
    assert module.changes == before
    for b in file["services"][0]["backends"]:
        b["state"] = "down"
    done = apply(module, json.dumps(file))
    assert (done.status, module.changes) == (0, before + 1)
    kinds = of_replace(done)
    assert N["A_EXACT"] in kinds and N["A_FORCE"] not in kinds
    done = play(["config", "apply", "--force", "-"], module,
                stdin=json.dumps(saved))
    assert (done.status, module.changes) == (0, before + 2)
    assert N["A_FORCE"] in of_replace(done)


def test_verbose():
    module = Module()

    def says(text):
        done = play(["config", "apply", "--verbose", "-"], module, stdin=text)
        assert done.status == 0, done.err
        return [" ".join(line.split()[:4]) for line in done.out.splitlines()]
    config = json.loads(EXAMPLE)
    assert sorted(says(EXAMPLE)) == sorted([
        "+ service tcp 192.0.2.10:80", "+ backend tcp 192.0.2.10:80",
        "+ backend tcp 192.0.2.10:80", "+ laddr 10.0.0.1", "+ device eth0",
        "1 service added, 2"])
    assert says(EXAMPLE) == ["nothing changed"]
    config["services"][0]["scheduler"] = "rr"
    config["devices"] = []
    assert says(json.dumps(config)) == [
        "- device eth0", "~ service tcp 192.0.2.10:80:", "1 service changed, 1"]
    assert apply(module, EXAMPLE).out == "1 service changed, 1 device added\n"


def test_each_step_can_fail():
    rnd = random.Random(1)
    failed = 0
    for _ in range(40):
        old, new = json.dumps(config(rnd)), json.dumps(config(rnd))
        module = Module()
        apply(module, old)
        changes, before = module.changes, module.state()
        assert apply(module, new).status == 0
        for step in range(1, module.changes - changes + 1):
            module = Module()
            apply(module, old)
            module.changes, module.fail = 0, step
            done = apply(module, new)
            assert done.status == 2 and "that will not do" in done.err, done.err
            assert "neither" not in done.err, done.err
            assert module.state() == before, f"{old}\n{new}\nstep {step}"
            failed += 1
    assert failed > 60, failed


def test_an_undo_that_fails_is_told():
    module = Module()
    apply(module, '{"services": [], "local-addresses": ["10.1.0.1"]}')
    module.changes = 0

    def handler(r):
        answer = module(r)
        # From the second change on
        return [r.error(12, "no memory")] if module.changes > 1 else answer
    done = play(["config", "apply", "-"], handler, stdin=EXAMPLE)
    assert done.status == 2 and "neither the old one nor the new one" in done.err, done.err


def test_flush():
    module = Module()
    apply(module, EXAMPLE)
    done = play(["config", "flush"], module)
    assert done.status == 0, done.err
    assert module.state() == ({}, frozenset(), frozenset())


def wrong(text, needle, *words):
    """It is told where @needle stands."""
    done = lbadm("config", "check", "-", text=text)
    before = text[:text.index(needle)]
    where = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    assert done.returncode == 1, text
    assert done.stderr.startswith(f"lbadm: -:{where}: "), (where, done.stderr)
    for word in words:
        assert word in done.stderr, (word, done.stderr)
    assert done.stdout == ""


def test_what_is_wrong_is_told_where():
    assert lbadm("config", "check", "-", text=EXAMPLE).returncode == 0
    wrong("[]", "[", "an object")
    wrong('{ "service": [] }', '"service"', "did you mean services?")
    wrong('{ "foo": [] }', '"foo"', "services, local-addresses, devices")
    for old, new, needle, word in (
            ("weight", "wieght", '"wieght"', "weight"),
            ('"weight": 2', '"weight": 65536', "65536", "0 to 65535"),
            ('"weight": 2', '"weight": "2"', '"2"', "a number"),
            ("maglev", "a-name-that-is-too-long", '"a-name', "1 to 15"),
            ('"toa": true', '"toa": 1', "1, ", "true or false"),
            ("10.0.0.12", "10.0.0.11", '{ "address": "10.0.0.11", "port": 8080 }', "twice"),
            ("10.0.0.12", "ten", '{ "address": "ten"', '"ten:8080"'),
            ('"port": 80,', '"port": 0,', '{ "protocol"', "192.0.2.10:0"),
            ('"port": 80,', "", '{ "protocol"', "port is missing"),
            ('10.0.0.1"', '10.0.0"', '"10.0.0"', "ADDR-ADDR"),
            ("eth0", "a/b", '"a/b"', "a/b")):
        text = EXAMPLE.replace(old, new)
        # What differs comes behind what is the same
        needle = needle if needle != "1, " else "1, \"scheduler"
        wrong(text, needle, word)
    wrong('{"services": [{"protocol": "tcp", "address": "2001:db8::1", "port": 1,\n'
          '"encap-port": 5}]}', "5}", "needs encap")
    wrong('{"devices": ["a",\n\n  "b", "\\u0061"]}', '"\\u0061"', "twice")
    big = json.dumps({"services": [{
        "protocol": "tcp", "address": "2001:db8::1", "port": 1,
        "health-check": {"x-path": "x" * 4096}}]})
    wrong(big, '{"x-path"', "4095")


def test_addresses_that_nobody_has():
    """The module's rules; it cannot tell where in the file."""
    vips = ["0.0.0.0", "0.9.9.9", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::",
            "::1", "ff02::1", "fe80::1", "febf::1", "::ffff:192.0.2.1"]
    good = ["1.0.0.0", "223.255.255.255", "240.0.0.1", "169.254.1.1", "fec0::1", "::2"]
    for addr in vips + ["127.0.0.1"] + good:
        port = "" if ":" not in addr else " "
        vip = json.dumps({"services": [{"protocol": "tcp", "address": addr, "port": 80}]})
        backend = json.dumps({"services": [{
            "protocol": "tcp", "address": "192.0.2.10" if not port else "2001:db8::10",
            "port": 80, "backends": [{"address": addr}]}]})
        local = json.dumps({"local-addresses": [addr]})
        for text, bad in ((vip, addr in vips), (local, addr in vips),
                          (backend, addr in vips + ["127.0.0.1"])):
            done = lbadm("config", "check", "-", text=text)
            assert done.returncode == (1 if bad else 0), (text, done.stderr)
            assert not bad or "address" in done.stderr, done.stderr
    wrong(json.dumps({"services": [{"protocol": "tcp", "address": "224.0.0.1", "port": 80}]}),
          '"224.0.0.1"', "unicast")


def one_service(**keys):
    return {"services": [{"protocol": "tcp", "address": "192.0.2.10", "port": 80, **keys}]}


def test_what_the_kernel_would_refuse():
    """The place, the name of the object, and the reason; each object has its own."""
    ten = {"address": "10.0.0.1"}
    for config, needle, *words in (
            (one_service(encap="ipip"), '"ipip"', "service tcp 192.0.2.10:80: encap", "dsr"),
            (one_service(**{"encap-source": "10.0.0.0/8"}), '"10.0.0.0/8"', "mode dsr"),
            (one_service(mode="dsr", **{"encap-source": "10.0.0.0/7"}), '"10.0.0.0/7"', "8 bits"),
            (one_service(toa=True), "true", "fullnat"),
            (one_service(mode="fullnat", toa=True, **{"proxy-protocol": True}), "true", "one of"),
            (one_service(scheduler="nope"), '"nope"', "there are: rr, wrr"),
            (one_service(backends=[{"address": "2001:db8::1"}]), '{"address": "2001',
             "backend 2001:db8::1: ", "address family"),
            (one_service(backends=[{**ten, "encap": "gre"}]), '{"address": "10.0.0.1"', "dsr"),
            (one_service(mode="dsr", backends=[{**ten, "port": 81}]), '{"address": "10.0.0.1"',
             "backend 10.0.0.1:81: ", "cannot change the port"),
            (one_service(backends=[{"address": "10.0.0.1:80"}]), '"10.0.0.1:80"', "key of its own"),
            (one_service(backends=[{"address": "10.0.0.1:80", "port": 80}]), '"10.0.0.1:80"',
             "key of its own"),
            (one_service(address="192.0.2.10:80"), '"192.0.2.10:80"', "key of its own"),
            ({"local-addresses": ["10.0.0.9-10.0.0.1"]}, '"10.0.0.9', "before it begins"),
            ({"local-addresses": ["10.0.0.0-10.0.16.0"]}, '"10.0.0.0', "4096"),
            ({"local-addresses": ["2001:db8::ffff:ffff:ffff:ffff-2001:db8:0:1::"]}, '"2001', "/64"),
            ({"local-addresses": ["10.0.0.1-10.0.0.9", "10.0.0.9"]}, '"10.0.0.9"', "already"),
            ({"local-addresses": [{"address": "10.0.0.1", "ports": "1-9", "exclude": "1-9"}]},
             '{"address": "10.0.0.1"', "no port is left"),
            ({"local-addresses": [{"address": "10.0.0.1", "exclude": "3000,2000"}]},
             '{"address": "10.0.0.1"', "ascending"),
            ({"local-addresses": [f"10.0.{i}.1" for i in range(256)] + ["10.1.0.1"]},
             '"10.1.0.1"', "256 ranges"),
            ({"local-addresses": [f"10.{i}.0.0-10.{i}.15.255" for i in range(5)]},
             '"10.4.0.0', "too many local ports")):
        wrong(json.dumps(config), needle, *words)
    both = json.dumps({"services": [
        one_service(encap="gre")["services"][0],
        {**one_service(toa=True)["services"][0], "port": 81}]})
    said = lbadm("config", "check", "-", text=both).stderr.splitlines()
    assert ["192.0.2.10:80: " in said[0], "192.0.2.10:81: " in said[1]] == [True, True], said


def test_what_is_possible_but_hardly_meant():
    local = {"local-addresses": ["10.9.0.1"]}
    ten = {"address": "10.0.0.1"}
    for config, *words in (
            (one_service(backends=[{"address": "192.0.2.10"}]), "backend 192.0.2.10: ", "VIP"),
            (one_service(backends=[{"address": "192.0.2.10", "port": 8080}]), ":8080: ", "VIP"),
            (one_service(backends=[ten, {**ten, "port": 80}]), "10.0.0.1:80: ", "twice"),
            (one_service(mode="fullnat"), "local-addresses has none"),
            ({**local, **one_service(mode="fullnat", backends=[{"address": "2001:db8::1"}])},
             "backend 2001:db8::1: ", "local address of the backend's family")):
        done = lbadm("config", "check", "-", text=json.dumps(config))
        assert done.returncode == 0 and done.stdout == "", done
        for word in (*words, "warning: ", "lbadm: -:1:", "service tcp 192.0.2.10:80: "):
            assert word in done.stderr, (word, done.stderr)
    for config in (
            one_service(backends=[ten, {**ten, "port": 81}]),
            one_service(port="80-81", backends=[ten, {**ten, "port": 80}]),
            {**local, **one_service(mode="fullnat", backends=[ten])}):
        done = lbadm("config", "check", "-", text=json.dumps(config))
        assert (done.returncode, done.stderr) == (0, ""), done


def test_schema_key():
    """For editors: accepted, and not kept."""
    text = json.dumps({"$schema": "/usr/share/nflb/nflb.schema.json", **one_service()})
    jsonschema.validate(json.loads(text), schema())
    done = lbadm("config", "check", "-", text=text)
    assert (done.returncode, done.stderr) == (0, ""), done
    module = Module()
    assert apply(module, text).status == 0
    assert "$schema" not in play(["config", "save"], module).out
    wrong('{"$schema": 1}', "1}", "a string")


def test_flush_of_nothing_needs_the_permission():
    """Whoever may not change anything is told, though there is nothing to change."""
    module = Module()

    def handler(r):
        if r.cmd == N["CMD_CONN_COUNT"]:
            return [r.error(1)]
        return module(r)
    done = play(["config", "flush"], handler)
    assert done.status == 3 and "CAP_NET_ADMIN" in done.err, done.err


def test_saved_without_what_nothing_uses():
    """The last backend of mode dsr left: the kernel keeps encap, and would refuse it anew."""
    module = Module()
    config = one_service(mode="dnat", encap="ipip", scheduler="rr",
                         backends=[{"address": "10.0.0.1", "mode": "dsr", "weight": 1}])
    assert apply(module, json.dumps(config)).status == 0
    for key, (settings, _) in module.services.items():
        module.services[key] = settings, ()
    saved = play(["config", "save"], module).out
    assert "encap" not in saved, saved
    assert lbadm("config", "check", "-", text=saved).returncode == 0


def test_what_is_no_json():
    for text, where in (("", "1:0"), ("{", "1:1"), ('{"a": 1, "a": 1}', "1:")):
        done = lbadm("config", "check", "-", text=text)
        assert done.returncode == 1, text
        assert done.stderr.startswith("lbadm: -:" + where), done.stderr
    done = lbadm("-b", "-", text="config check /dev/null\n")
    assert done.stderr.startswith("lbadm: -:1: /dev/null:1:0: "), done.stderr


def test_words_and_files():
    for words in (["apply"], ["check"], ["check", "/nowhere/at/all"],
                  ["apply", "-", "x"], ["flush", "x"], ["load", "-"],
                  ["apply", "--keep"], ["apply", "--last-good"],
                  ["apply", "--last-good", "x"], ["apply", "--keep-going"]):
        done = lbadm("config", *words, text="{}")
        assert done.returncode == 1 and done.stderr.startswith("lbadm: "), words


def test_schema():
    rnd = random.Random(2)
    for _ in range(50):
        jsonschema.validate(config(rnd), schema())
    for broken in (EXAMPLE.replace("weight", "wieght"),
                   EXAMPLE.replace('"toa": true', '"toa": 1'),
                   EXAMPLE.replace("fullnat", "nat"),
                   EXAMPLE.replace('"port": 80,', '"port": 65536,')):
        try:
            jsonschema.validate(json.loads(broken), schema())
        except jsonschema.ValidationError:
            continue
        raise AssertionError(broken)
