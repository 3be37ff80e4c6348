#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""lbadm config and lbadm import: what is wrong is told where it stands; what the
module refuses, at whichever step, leaves all as it was."""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import jsonschema
import tap
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
                frozenset(self.laddrs.items()), frozenset(self.devices))

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
            [attr(N["A_DEVICE_ABSENT"], b"")] if d in self.missing else []))
                              for d in self.devices])

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
            assert name not in self.devices
            kinds = [k for k, _, _ in r.attributes]
            assert (N["A_DEVICE_ABSENT"] in kinds) == (
                N["A_EXPECT_GENERATION"] in kinds)
            self.devices[name] = True

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
                {"address": f"10.1.{i}.1", "ports": "2500-3999", "exclude": "2600-2600"}]))
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


class Meddler(Module):
    """Another changes the configuration before the changes of these numbers."""

    def __init__(self, numbers, **kw):
        super().__init__(**kw)
        self.numbers, self.stale = numbers, 0

    def __call__(self, r):
        if N["A_EXPECT_GENERATION"] in [k for k, _, _ in r.attributes] and \
                self.changes + 1 in self.numbers:
            self.numbers = [n for n in self.numbers if n != self.changes + 1]
            self.laddrs.clear()
            self.generation += 1
            self.stale += 1
        return super().__call__(r)


def test_it_begins_again_when_another_changes_something():
    for numbers in ([1], [2], [3], [2, 3], [1, 2, 3, 4]):
        module = Meddler(numbers)
        done = apply(module, EXAMPLE)
        assert done.status == 0 and done.err == "", (numbers, done.err)
        assert module.stale >= len(numbers) - 1
        again = Module()
        apply(again, EXAMPLE)
        assert module.state() == again.state(), numbers


def test_it_gives_up_when_others_never_stop():
    module = Module()

    def handler(r):
        if N["A_EXPECT_GENERATION"] in [k for k, _, _ in r.attributes]:
            module.generation += 1
        return module(r)
    done = play(["config", "apply", "-"], handler, stdin=EXAMPLE)
    assert done.status == 2 and "others change the configuration" in done.err, done.err
    assert "neither" not in done.err and module.changes == 0
    assert len(done.err.splitlines()) == 1, done.err


def test_an_older_module_has_no_generation():
    module = Module(missing=["eth0"])

    def handler(r):
        kinds = [k for k, _, _ in r.attributes]
        if r.cmd == N["CMD_CONFIG_GET"]:
            return [r.error(95)]
        assert N["A_EXPECT_GENERATION"] not in kinds
        assert N["A_DEVICE_ABSENT"] not in kinds
        if r.cmd == N["CMD_DEVICE_ADD"]:
            return [r.error(19, "there is no such device")]
        return module(r)
    done = play(["config", "apply", "-"], handler, stdin=EXAMPLE)
    assert done.status == 2 and "no such device" in done.err, done.err
    assert module.state() == ({}, frozenset(), frozenset())


def test_a_missing_device_is_a_warning():
    module = Module(missing=["eth0"])
    warning = ("lbadm: warning: device eth0 is missing: the fast path is attached when it"
               " appears")
    for _ in range(2):
        done = apply(module, EXAMPLE)
        assert (done.status, done.err) == (0, warning + "\n"), done.err
    assert module.changes == 3
    saved = json.loads(play(["config", "save"], module).out)
    assert saved["devices"] == ["eth0"], saved
    shown = play(["device", "show"], module)
    assert shown.out == "eth0 absent\n", shown.out
    done = apply(module, '{"devices": [{"device": "eth0", "xdp": true}]}')
    assert (done.status, done.err) == (
        0, warning + ', XDP by the next "config apply"\n'), done.err
    module.fail = module.changes + 2
    before = module.state()
    done = apply(module, '{"local-addresses": ["10.1.0.1"], "devices": []}')
    assert done.status == 2 and module.state() == before, done.err


def test_keep_going():
    """What can be applied is; the rest is told, each part once."""
    text = json.dumps({
        "services": [{"protocol": "tcp", "address": f"192.0.2.{i}", "port": 80}
                     for i in range(1, 5)],
        "local-addresses": ["10.1.0.1", "10.1.0.2"], "devices": ["eth0", "eth1"]})

    def refuse(r):
        return any(name in p for _, _, p in r.attributes for name in (
            bytes((192, 0, 2, 3)), bytes((10, 1, 0, 1)), b"eth1"))
    module = Module(refuse=refuse)
    done = play(["config", "apply", "--keep-going", "-"], module, stdin=text)
    assert done.status == 2, done.status
    assert done.err.splitlines() == [
        f"lbadm: {what}: kernel: that will not do" for what in (
            "local address 10.1.0.1", "device eth1", "service tcp 192.0.2.3:80")], done.err
    assert (len(module.services), len(module.laddrs), len(module.devices)) == (3, 1, 1)
    module = Module(refuse=refuse)
    done = play(["config", "apply", "-"], module, stdin=text)
    assert done.status == 2 and module.state() == ({}, frozenset(), frozenset())
    module = Meddler([4, 5], refuse=refuse)
    done = play(["config", "apply", "--keep-going", "-"], module, stdin=text)
    assert done.status == 2 and len(module.services) == 3, done.err


def test_the_last_good_file():
    with tempfile.TemporaryDirectory() as where:
        file, good = where + "/nflb.json", where + "/last-good.json"
        words = ["config", "apply", "--keep-going", "--last-good", good, file]

        def run(text, *words, **kw):
            with open(file, "w", encoding="utf-8") as f:
                f.write(text)
            module = Module(**kw)
            return play(list(words), module), module
        done, module = run(EXAMPLE, *words)
        assert done.status == 0 and done.err == "", done.err
        with open(good, encoding="utf-8") as f:
            assert json.load(f) == json.loads(EXAMPLE)
        want, kept = module.state(), os.stat(good).st_mtime_ns

        # A file with an error: the last good one, and exit status 1
        done, module = run(EXAMPLE.replace("weight", "wieght"), *words)
        assert done.status == 1 and "wieght" in done.err, done.err
        assert f"{good} is applied instead" in done.err, done.err
        assert module.state() == want and os.stat(good).st_mtime_ns == kept

        # What is not applied whole is not kept
        done, module = run('{"local-addresses": ["10.1.0.1", "10.1.0.2"]}', *words, fail=1)
        assert done.status == 2 and len(module.laddrs) == 1, done.err
        assert os.stat(good).st_mtime_ns == kept

        # A reload of a file with an error changes nothing
        done, module = run("{", "config", "apply", "--last-good", good, file)
        assert done.status == 1 and module.changes == 0 and "instead" not in done.err

        # Nothing to fall back to
        os.remove(good)
        done, module = run("{", *words)
        assert done.status == 1 and "No such file" in done.err and module.changes == 0

        # It cannot be kept: a warning
        done, module = run("{}", "config", "apply", "--last-good", where + "/no/such", file)
        assert done.status == 0 and "warning" in done.err, done.err


SETTINGS = {"hash_seed": "0" * 32, "maglev_table_size": "65537", "max_connections": "500000",
            "reject": "1", "refuse_late": "1", "encap_fragment_inside": "0"}


class Sysctls:
    """A directory that lbadm takes for /proc/sys/net/nflb."""

    def __init__(self, where, **values):
        self.where = where
        for name, value in {**SETTINGS, **values}.items():
            with open(f"{where}/{name}", "w", encoding="utf-8") as f:
                f.write(value + "\n")

    def play(self, words, module, text=None):
        return play(words, module, stdin=text, env={"NFLB_FAKE_SYSCTL": self.where})

    def state(self):
        def read(name):
            with open(f"{self.where}/{name}", encoding="utf-8") as f:
                return f.read().strip()
        return {name: read(name) for name in sorted(os.listdir(self.where))}


def with_sysctls(test, **values):
    with tempfile.TemporaryDirectory() as where:
        test(Sysctls(where, **values))


def test_settings_are_applied_and_saved():
    wanted = {"hash-seed": "00112233445566778899AABBCCDDEEFF", "maglev-table-size": 251,
              "max-connections": 1000000, "reject": False, "encap-fragment-inside": True}

    def test(sysctls):
        module = Module()
        assert "settings" not in json.loads(sysctls.play(["config", "save"], module).out)
        text = json.dumps({"settings": wanted})
        jsonschema.validate(json.loads(text), schema())
        done = sysctls.play(["config", "apply", "-"], module, text)
        assert done.status == 0 and done.err == "", done.err
        assert sysctls.state() == {
            **SETTINGS, "hash_seed": wanted["hash-seed"].lower(), "maglev_table_size": "251",
            "max_connections": "1000000", "reject": "0", "encap_fragment_inside": "1"}
        saved = json.loads(sysctls.play(["config", "save"], module).out)
        assert saved["settings"] == {**wanted, "hash-seed": wanted["hash-seed"].lower()}
        # A file that does not speak of settings leaves them alone,
        before = sysctls.state()
        assert sysctls.play(["config", "apply", "-"], module, "{}").status == 0
        assert sysctls.state() == before
        # one that does means all of them.
        done = sysctls.play(["config", "apply", "-"], module, '{"settings": {"reject": false}}')
        assert done.status == 0, done.err
        assert sysctls.state() == {**SETTINGS, "reject": "0"}
    with_sysctls(test)


def test_settings_come_first_and_are_undone():
    def test(sysctls):
        seen = []

        def refuse(r):
            seen.append(sysctls.state()["hash_seed"])
            return True
        module = Module(refuse=refuse)
        text = json.dumps({**json.loads(EXAMPLE), "settings": {
            "hash-seed": "f" * 32, "reject": False}})
        done = sysctls.play(["config", "apply", "-"], module, text)
        assert done.status == 2, done.err
        assert seen == ["f" * 32] and sysctls.state() == SETTINGS
        # One that cannot be written undoes those before it
        done = sysctls.play(["config", "apply", "-"], Module(), json.dumps({"settings": {
            "reject": False, "user-max-services": 7}}))
        assert done.status == 2 and "user-max-services: only the host's first" in done.err
        assert sysctls.state() == SETTINGS, sysctls.state()
        done = sysctls.play(["config", "apply", "--keep-going", "-"], Module(), json.dumps({
            "settings": {"reject": False, "user-max-services": 7, "refuse-late": False}}))
        assert done.status == 2
        assert sysctls.state() == {**SETTINGS, "reject": "0", "refuse_late": "0"}
    with_sysctls(test)


def test_wrong_settings():
    for value, needle, word in (
            ('{"hash_seed": 1}', '"hash_seed"', "there are: hash-seed, maglev"),
            ('{"hash-seed": "12"}', '"12"', "32 hexadecimal digits"),
            ('{"hash-seed": "%s"}' % ("g" * 32), '"gggg', "32 hexadecimal digits"),
            ('{"hash-seed": 7}', "7", "a string"),
            ('{"maglev-table-size": 65536}', "65536", "prime"),
            ('{"maglev-table-size": 65537.0}', "65537.0", "a number"),
            ('{"maglev-table-size": 241}', "241", "251 to 1048573"),
            ('{"max-connections": 0}', "0}", "1 to 67108864"),
            ('{"max-connections": 9223372036854775807}', "9223", "1 to 67108864"),
            ('{"user-max-slots": -1}', "-1", "0 to"),
            ('{"reject": 1}', "1", "true or false"),
            ("[]", "[]", "an object")):
        text = '{\n  "settings": %s }' % value
        wrong(text, needle, word)
        try:
            jsonschema.validate(json.loads(text), schema())
            assert "prime" in word or "65537.0" == needle, text
        except jsonschema.ValidationError:
            pass


POLICY = """{ "services": [
  { "protocol": "tcp", "address": "192.0.2.10", "port": 80,
    "policy": { "deny": [ "198.51.100.0/24", "203.0.113.7" ],
                "rate": "100/second", "burst": 200 } },
  { "protocol": "tcp", "address": "192.0.2.10", "port": 81 } ] }
"""
NAME = "tcp-192.0.2.10-80"


class Nft:
    """What nftables has of the services @ports of tcp 192.0.2.10: a policy as in
    POLICY; of those in @ours it is from a configuration."""

    def __init__(self, where, ports=(), ours=()):
        self.file = where + "/nft"
        out = []
        for port in ports:
            name = f"tcp-192.0.2.10-{port}"
            out += [{"chain": {"name": name}},
                    {"set": {"name": name + ".deny", "elem": [
                        "203.0.113.7", {"prefix": {"addr": "198.51.100.0", "len": 24}}]}},
                    {"rule": {"chain": name, "comment": "rate 100/second burst 200",
                              "expr": [{"counter": {"packets": 5}}]}}]
            if port in ours:
                out.append({"chain": {"name": name + ".config"}})
        if out:
            self.says(json.dumps({"nftables": out}))

    def says(self, text, file=""):
        with open(self.file + file, "w", encoding="utf-8") as f:
            f.write(text)

    def play(self, words, module, text=None):
        """(what lbadm did, the transactions)"""
        done = play(words, module, stdin=text, env={"NFLB_FAKE_NFT": self.file})
        try:
            with open(self.file + ".log", encoding="utf-8") as f:
                log = f.read()
            os.remove(self.file + ".log")
        except FileNotFoundError:
            log = ""
        return done, log


def with_nft(test, *args, **kw):
    with tempfile.TemporaryDirectory() as where:
        test(Nft(where, *args, **kw))


def test_policies_are_applied():
    jsonschema.validate(json.loads(POLICY), schema())

    def test(nft):
        order = []

        def handler(r):
            if r.cmd == N["CMD_SERVICE_REPLACE"]:
                order.append(os.path.exists(nft.file + ".log"))
            return module(r)
        module = Module()
        done, log = nft.play(["config", "apply", "-"], handler, POLICY)
        assert done.status == 0 and done.err == "", done.err
        assert order == [True, True], order
        assert f"add chain inet nflb {NAME}.config" in log, log
        assert f"{NAME}.deny {{ 203.0.113.7 }}" in log and "100/second burst 200" in log
        assert "192.0.2.10 . tcp . 81" not in log
        done, log = nft.play(["policy", "apply", "-"], module, POLICY)
        assert done.status == 0 and f"add chain inet nflb {NAME}.config" in log
    with_nft(test)


def test_a_policy_that_stays_is_not_made_again():
    def test(nft):
        done, log = nft.play(["config", "apply", "-"], Module(), POLICY)
        assert (done.status, log) == (0, ""), log
        saved, _ = nft.play(["config", "apply", "-"], Module(), POLICY)
        module = Module()
        nft.play(["config", "apply", "-"], module, POLICY)
        saved, _ = nft.play(["config", "save"], module)
        saved = json.loads(saved.out)["services"]
        assert saved[0]["policy"] == {"deny": ["203.0.113.7", "198.51.100.0/24"],
                                      "rate": "100/second", "burst": 200}
        assert "policy" not in saved[1]
        jsonschema.validate({"services": saved}, schema())
    with_nft(test, [80], [80])

    # One that was made by hand is the configuration's from now on
    def by_hand(nft):
        done, log = nft.play(["config", "apply", "-"], Module(), POLICY)
        assert (done.status, log) == (0, f"add chain inet nflb {NAME}.config\n"), log
    with_nft(by_hand, [80])


def test_policies_that_go():
    def test(nft):
        for text in ("{}", '{"services": []}'):
            done, log = nft.play(["config", "apply", "-"], Module(), text)
            assert done.status == 0, done.err
            assert f"delete chain inet nflb {NAME}\n" in log, log
            assert f"delete chain inet nflb {NAME}.config\n" in log, log
            # Made by hand, it stays
            assert "delete chain inet nflb tcp-192.0.2.10-81" not in log, log
        none = POLICY.replace('"port": 81', '"port": 81, "policy": {}')
        done, log = nft.play(["config", "apply", "-"], Module(), none)
        assert f"delete chain inet nflb tcp-192.0.2.10-81\n" in log, log
        assert f"chain inet nflb {NAME}\n" not in log, log
    with_nft(test, [80, 81], [80])

    def last(nft):
        _, log = nft.play(["config", "flush"], Module())
        assert log == "delete table inet nflb\n", log
    with_nft(last, [80], [80])


def test_a_policy_that_cannot_be_made():
    """Whoever asks for one is not served without it."""
    def test(nft):
        nft.says("", ".refuse")
        module = Module()
        done, _ = nft.play(["config", "apply", "-"], module, POLICY)
        assert done.status == 2 and "policies: nftables: Error: refused" in done.err, done.err
        assert module.state() == ({}, frozenset(), frozenset())
        done, _ = nft.play(["config", "apply", "--keep-going", "-"], module, POLICY)
        assert done.status == 2 and "192.0.2.10:80: left out" in done.err, done.err
        assert len(module.services) == 1
        os.remove(nft.file + ".refuse")

        nft.says("error Error: Protocol not supported\nlist table")
        module = Module()
        done, _ = nft.play(["config", "apply", "-"], module, POLICY)
        assert done.status == 2 and "Protocol not supported" in done.err, done.err
        assert module.changes == 0
        done, _ = nft.play(["config", "apply", "--keep-going", "-"], module, POLICY)
        assert done.status == 2 and "192.0.2.10:80: left out" in done.err, done.err
        assert len(module.services) == 1
        done, _ = nft.play(["config", "apply", "-"], module, EXAMPLE)
        assert done.status == 0 and done.err.splitlines() == [
            "lbadm: warning: policies are not looked at: nftables: Error: Protocol not"
            " supported"], done.err
        done, _ = nft.play(["config", "save"], module)
        assert done.status == 0 and "policies are left out" in done.err, done.err
    with_nft(test)

    # What the kernel refuses takes the policy back
    def undone(nft):
        done, log = nft.play(["config", "apply", "-"], Module(fail=2), POLICY)
        assert done.status == 2, done.err
        assert log.endswith("delete table inet nflb\n"), log
    with_nft(undone)


def test_wrong_policies():
    for value, needle, word in (
            ('{"denied": []}', '"denied"', "allow, deny, rate, burst"),
            ('{"deny": []}', "[]", "a prefix is missing"),
            ('{"deny": "10.0.0.0/8"}', '"10.0', "an array"),
            ('{"deny": [7]}', "7]", "a string"),
            ('{"deny": ["10.0.0.0/8", "10.1.0.0/16"]}', '"10.1', "has 10.0.0.0/8 already"),
            ('{"allow": ["2001:db8::/32"]}', '"2001', "address family"),
            ('{"allow": ["10.0.0.0/33"]}', '"10.0.0.0/33', "ADDRESS/LENGTH"),
            ('{"rate": "10"}', '"10"', "N/second"),
            ('{"rate": "10/week"}', '"10/', "N/second"),
            ('{"rate": "10/second", "burst": 0}', '"10/', "1 at least"),
            ('{"burst": 5}', "5}", "goes with rate"),
            ("true", "true", "an object")):
        text = '{"services": [{"protocol": "tcp", "address": "192.0.2.1", "port": 80,\n' \
            '  "policy": %s }]}' % value
        head, tail = text.split("\n")
        done = lbadm("config", "check", "-", text=text)
        where = f"lbadm: -:2:{tail.index(needle) + 1}: "
        assert done.returncode == 1 and done.stderr.startswith(where), (where, done.stderr)
        assert word in done.stderr and head, (word, done.stderr)


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
    wrong('{ "service": [] }', '"service"', "services, local-addresses, devices")
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
          '"encap-port": 5}]}', "5}", "goes with encap")
    wrong('{"devices": ["a",\n\n  "b", "\\u0061"]}', '"\\u0061"', "twice")
    big = json.dumps({"services": [{
        "protocol": "tcp", "address": "2001:db8::1", "port": 1,
        "health-check": {"request-path": "x" * 1024}}]})
    wrong(big, '{"request-path"', "1023")


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


IPVS = """-A -t 192.0.2.10:80 -s wlc -p 300 -M 255.255.255.0
-a -t 192.0.2.10:80 -r 10.0.0.11:8080 -m -w 1
-a -t 192.0.2.10:80 -r 10.0.0.12:80 -g -w 3

-A -u [2001:db8::1]:53 -s sh -b sh-port
-a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -i -w 1 --tun-type gue --tun-port 6081
-A -t 192.0.2.11:0 -s lblc -p 60
"""


def test_import_ipvsadm():
    done = lbadm("import", "ipvsadm", text=IPVS)
    assert done.returncode == 0, done.stderr
    assert "line 5: warning: -b" in done.stderr, done.stderr
    assert "line 7: warning: lblc" in done.stderr, done.stderr
    made = json.loads(done.stdout)
    jsonschema.validate(made, schema())
    assert made == {"services": [
        {"protocol": "tcp", "address": "192.0.2.10", "port": 80, "persist": 300,
         "persist-prefix4": 24, "scheduler": "wlc", "mode": "dnat", "backends": [
             {"address": "10.0.0.11", "port": 8080, "weight": 1},
             {"address": "10.0.0.12", "weight": 3, "mode": "dsr", "encap": "none"}]},
        {"protocol": "udp", "address": "2001:db8::1", "port": 53, "scheduler": "source",
         "mode": "dsr", "encap": "gue", "encap-port": 6081,
         "backends": [{"address": "2001:db8::2", "weight": 1}]},
        {"protocol": "tcp", "address": "192.0.2.11", "port": "*", "persist": 60,
         "scheduler": "wlc", "backends": []}]}, done.stdout
    assert lbadm("config", "check", "-", text=done.stdout).returncode == 0


def test_import_warns_of_other_ports():
    for line, word in (("-A -t 192.0.2.10:21 -s wlc", "FTP"),
                       ("-A -u 192.0.2.10:69 -s wlc", "TFTP")):
        done = lbadm("import", "ipvsadm", text=line + "\n")
        assert done.returncode == 0 and word in done.stderr, done.stderr
        assert "warning" in done.stderr


def test_import_refuses():
    for text, word in (("-A -f 1 -s wlc", "-f"), ("-A -s wlc", "-t"),
                       ("-A -t host:http -s wlc", "host:http"),
                       ("-a -t 192.0.2.1:80 -r 10.0.0.1:80", "-A"),
                       ("-A -a -t 192.0.2.1:80", "-A or -a"),
                       ("-A -t 192.0.2.1:80 -s", "-s"),
                       ("-A -t 192.0.2.1:80 -p 5 -M 255.0.255.0", "holes"),
                       ("-A -t 192.0.2.1:80 -s a-name-that-is-too-long", "1 to 15")):
        done = lbadm("import", "ipvsadm", text=text)
        assert done.returncode == 1 and word in done.stderr, (text, done.stderr)
        assert done.stdout == ""


if __name__ == "__main__":
    sys.exit(tap.run(globals()))
