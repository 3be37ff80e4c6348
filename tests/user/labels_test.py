# SPDX-License-Identifier: GPL-2.0
"""Names and comments of services and backends."""

import json

import jsonschema
from config_diff_test import diff, module_with
from config_test import Module, schema, wrong
from fake_module import N, a, attributes, play
from module_test import WEB, accepts, backend, dumps, service, shows, succeeds

SERVICE = {"protocol": "tcp", "address": "192.0.2.10", "port": 80}
NAMED = {**SERVICE, "name": "shop", "comment": "a \"quoted\" note", "backends": [
    {"address": "10.0.0.1", "name": "web1", "comment": "rack 7"}]}
LABELS = {"name": 63, "comment": 255}


def asked(*words):
    request = succeeds(words, accepts).requests[0]
    return b"".join(payload for kind, nested, payload in request.attributes if nested)


def test_ask():
    got = asked("service", "add", "tcp", "192.0.2.10:80", "name", "shop", "comment", "")
    assert a("A_SERVICE_NAME", "shop") in got and a("A_SERVICE_COMMENT", "") in got
    got = asked("backend", "set", "tcp", "192.0.2.10:80", "10.0.0.1", "comment", "-j")
    assert a("A_BACKEND_COMMENT", "-j") in got, "an option is text here"
    assert N["A_BACKEND_NAME"] not in [k for k, _, _ in attributes(got)]
    got = asked("backend", "replace", "tcp", "192.0.2.10:80", "10.0.0.1", "name", "\u00fcber")
    assert a("A_BACKEND_NAME", "\u00fcber") in got


def test_text():
    """What is wrong is refused by the command line, by a file, and by the schema."""
    for key, most in LABELS.items():
        asked("service", "set", "tcp", "192.0.2.10:80", key, "x" * most)
        for text in ("x" * (most + 1), "a\nb", "\x1b[2J", "\u009b", "\u202e"):
            r = play(["service", "set", "tcp", "192.0.2.10:80", key, text], accepts)
            assert r.status == 1 and key in r.err and "\x1b" not in r.err, r.err
            file = {"services": [{**SERVICE, "backends": [
                {"address": "10.0.0.1", key: text}]}]}
            r = play(["config", "check", "-"], accepts, stdin=json.dumps(file))
            assert r.status == 1 and key in r.err, r.err
            try:
                jsonschema.validate(file, schema())
                assert False, text
            except jsonschema.ValidationError:
                pass
        # Bytes count, and the schema counts characters.
        r = play(["service", "set", "tcp", "192.0.2.10:80", key, "\u00e4" * (most // 2 + 1)],
                 accepts)
        assert r.status == 1 and "at most %u" % most in r.err, r.err
    wrong('{"services": [{"protocol": "tcp", "address": "192.0.2.10", "port": 80,\n'
          '  "name": 7 }]}', "7", "a string")


def labelled(r):
    return dumps([service(WEB, a("A_SERVICE_NAME", "shop"),
                          a("A_SERVICE_COMMENT", "a \"quoted\" note"))],
                 [backend(WEB, "10.0.0.1", 80, a("A_BACKEND_NAME", "web1"),
                          a("A_BACKEND_COMMENT", "rack 7")),
                  backend(WEB, "10.0.0.2", 80)])(r)


def test_show():
    one = shows(["service", "show"], labelled)[0]
    assert (one["name"], one["comment"]) == ("shop", "a \"quoted\" note")
    assert one["backends"][0]["name"] == "web1" and "name" not in one["backends"][1]
    text = succeeds(["service", "show"], labelled).out
    assert 'name "shop"' in text and """comment "a "'"'"quoted"'"'" note\"""" in text, text
    assert "NAME" in text and "rack 7" in text, text
    # A newer module that does not check: no escape sequence reaches the terminal.
    text = succeeds(["service", "show"], dumps([service(WEB, a(
        "A_SERVICE_NAME", "\x1b[2J"))], [])).out
    assert "\x1b" not in text, text


def test_a_batch_takes_what_is_shown():
    line = succeeds(["-H", "service", "show"], labelled).out.split("\n")[0]
    words = line.split(" mode ")[0] + line[line.index(" comment"):]
    r = succeeds(["-b", "-"], accepts, stdin="service set " + words + "\n").requests[0]
    got = r.attributes[0][2]
    assert a("A_SERVICE_COMMENT", "a \"quoted\" note") in got, line


def test_configuration():
    jsonschema.validate({"services": [NAMED]}, schema())
    module = Module()
    text = json.dumps({"services": [NAMED]})
    assert play(["config", "apply", "-"], module, stdin=text).status == 0
    saved = json.loads(play(["config", "save"], module).out)["services"][0]
    for key in LABELS:
        assert saved[key] == NAMED[key]
        assert saved["backends"][0][key] == NAMED["backends"][0][key]
    # The same once more is no change, and neither is "" where there is none.
    before = module.changes
    assert play(["config", "apply", "-"], module, stdin=text).status == 0
    assert module.changes == before
    plain = module_with(json.dumps({"services": [SERVICE]}))
    before = plain.changes
    empty = json.dumps({"services": [{**SERVICE, "comment": ""}]})
    assert diff(plain, empty) == []
    done = play(["config", "apply", "-"], plain, stdin=empty)
    assert done.status == 0 and plain.changes == before, done.out


def test_difference():
    module = module_with(json.dumps({"services": [NAMED]}))
    wanted = {**NAMED, "comment": "moved", "backends": [{"address": "10.0.0.1"}]}
    lines = diff(module, json.dumps({"services": [wanted]}))
    assert lines[0].endswith(': comment "a "\'"\'"quoted"\'"\'" note" -> moved'), lines
    assert 'name web1 -> unset, comment "rack 7" -> unset' in lines[1], lines


def test_a_long_list_fits():
    """Each attribute has 64 KiB at most."""
    backends = [{"address": "10.0.%u.%u" % (i // 250, i % 250 + 1), "name": "n" * 63,
                 "comment": "c" * 255} for i in range(400)]
    module = Module()
    done = play(["config", "apply", "-"], module, stdin=json.dumps(
        {"services": [{**SERVICE, "backends": backends}]}))
    assert done.status == 0, done.err
    assert len(list(module.services.values())[0][1]) == 400
