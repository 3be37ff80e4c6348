# SPDX-License-Identifier: GPL-2.0
"""Settings of a configuration: the sysctls of the namespace."""

import json
import os
import tempfile

import jsonschema
from config_test import EXAMPLE, Module, schema, wrong
from fake_module import play


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
            ('{"hash_seed": 1}', '"hash_seed"', "did you mean hash-seed?"),
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
