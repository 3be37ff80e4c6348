# SPDX-License-Identifier: GPL-2.0
"""The keys of health-check in a configuration file: each value of a wrong type or out of
range is an error with its line and column, and the schema agrees."""

import json
import os

import jsonschema
import pytest
from config_test import lbadm, schema
from vocabulary_test import VOCABULARY

WRONG = {"string": [7, ["x"]], "integer": ["7", 1.5], "number": ["7", True],
         "boolean": ["yes", 1], "array": [{}, "x"], "object": [[], "x"],
         "integer or string": [[], 1.5], "boolean or string": [1, []]}


def keys(words=None, path=()):
    for word in VOCABULARY["keys"]["health-check"] if words is None else words:
        if "keys" in word:
            yield from keys(word["keys"], (*path, word["name"]))
        yield (*path, word["name"]), word


KEYS = list(keys())


def nest(path, value):
    for key in reversed(path):
        value = {key: value}
    if path[0] == "agent" and path[-1] != "port" and len(path) > 1:
        value["agent"]["port"] = 1
    if path == ("client-key",):
        value["client-cert"] = "/c"
    return value


def text_of(check):
    """A file in which each value has a line of its own."""
    return json.dumps({"services": [{"protocol": "tcp", "address": "192.0.2.10", "port": 80,
                                     "health-check": check}]}, indent=1)


def place(text, key):
    """Where the value of a key is, LINE:COLUMN."""
    lines = text.splitlines()
    begin = next(n for n, line in enumerate(lines, 1) if '"health-check": ' in line)
    for number, line in enumerate(lines, 1):
        if number > begin and '"%s": ' % key in line:
            return "%d:%d" % (number, line.index('": ') + 4)
    raise KeyError(key)


VALIDATOR = jsonschema.Draft202012Validator(schema())


def is_valid(check):
    return VALIDATOR.is_valid(json.loads(text_of(check)))


def accepts(check):
    done = lbadm("config", "check", "-", text=text_of(check))
    assert done.returncode == 0, (check, done.stderr)
    assert is_valid(check), check


def refuses(check, key):
    text = text_of(check)
    done = lbadm("config", "check", "-", text=text)
    assert done.returncode == 1, check
    assert done.stderr.startswith("lbadm: -:%s: %s: " % (place(text, key), key)), done.stderr
    assert not is_valid(check), check


@pytest.mark.parametrize("path,word", KEYS, ids=[".".join(p) for p, _ in KEYS])
def test_key(path, word):
    for value in WRONG[word["type"]]:
        refuses(nest(path, value), path[-1])
    if "values" in word:
        for value in word["values"]:
            check = nest(path, value)
            if value == "exec":
                check["command"] = ["/bin/true"]
            accepts(check)
        refuses(nest(path, "nonsense"), path[-1])
    elif "maximum" in word:
        step = 1 if word["type"] != "number" else 0.001
        accepts(nest(path, word["minimum"]))
        accepts(nest(path, word["maximum"]))
        refuses(nest(path, word["maximum"] + step), path[-1])
        if "zero" in word:
            accepts(nest(path, 0))
        if word["minimum"] > step or "zero" not in word:
            refuses(nest(path, word["minimum"] - step), path[-1])
    elif "max-length" in word:
        refuses(nest(path, "a" * (word["max-length"] + 1)), path[-1])
        if word["min-length"]:
            refuses(nest(path, "a" * (word["min-length"] - 1)), path[-1])
    elif word["type"] == "boolean":
        accepts(nest(path, True))
        accepts(nest(path, False))


def test_unknown_keys():
    for check, key in (({"prot": 1}, "prot"), ({"criteria": {"intervall": 1}}, "intervall")):
        text = text_of(check)
        done = lbadm("config", "check", "-", text=text)
        line = next(n for n, s in enumerate(text.splitlines(), 1) if '"%s"' % key in s)
        column = text.splitlines()[line - 1].index('"') + 1
        assert done.returncode == 1
        assert done.stderr.startswith('lbadm: -:%d:%d: unknown key "%s"' % (line, column, key))
        assert not is_valid(check)


def test_keys_that_are_kept():
    accepts({"x-note": {"of": ["mine"]}, "criteria": {"x-a": 1}})
    accepts({"protocol": "HTTP", "port": 8080, "request-path": "/", "criteria": {
        "interval": 5, "timeout": 5, "health-threshold": 2, "unhealth-threshold": 2}})


def test_the_source_is_no_dsr_vip():
    text = json.dumps({"services": [
        {"protocol": "tcp", "address": "192.0.2.10", "port": 80, "mode": "dsr"},
        {"protocol": "tcp", "address": "192.0.2.11", "port": 80,
         "health-check": {"source": "192.0.2.10"}}]})
    done = lbadm("config", "check", "-", text=text)
    assert done.returncode == 1
    assert "source: this is the VIP of a service of mode dsr" in done.stderr


def test_warnings():
    done = lbadm("config", "check", "-", text=text_of({"protocol": "udp"}))
    assert done.returncode == 0 and 'without "expect" takes silence' in done.stderr


def test_every_key_is_documented():
    with open(os.path.join(os.path.dirname(__file__), "../../docs/man/nflb.json.5"),
              encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    for path, _ in KEYS:
        assert "\\fB%s\\fR\n" % path[-1] in page
