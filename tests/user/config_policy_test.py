# SPDX-License-Identifier: GPL-2.0
"""Policies of a configuration, with a stand-in for nftables."""

import json
import os
import tempfile

import jsonschema
from config_test import EXAMPLE, Module, lbadm, schema
from fake_module import N, play


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
            "lbadm: warning: policies are not compared: nftables: Error: Protocol not"
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
            ('{"burst": 5}', "5}", "needs rate"),
            ("true", "true", "an object")):
        text = '{"services": [{"protocol": "tcp", "address": "192.0.2.1", "port": 80,\n' \
            '  "policy": %s }]}' % value
        head, tail = text.split("\n")
        done = lbadm("config", "check", "-", text=text)
        where = f"lbadm: -:2:{tail.index(needle) + 1}: "
        assert done.returncode == 1 and done.stderr.startswith(where), (where, done.stderr)
        assert word in done.stderr and head, (word, done.stderr)
