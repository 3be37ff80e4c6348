# SPDX-License-Identifier: GPL-2.0
"""lbadm config diff, config apply --dry-run, and the summary of an apply."""

import json
import os
import tempfile

from config_test import EXAMPLE, ByHand, Module, apply, schema
from config_policy_test import POLICY, with_nft
from config_settings_test import with_sysctls
from fake_module import N, a, play, stats

SERVICE = {"protocol": "tcp", "address": "192.0.2.10", "port": 80}


def file_of(**changed):
    """EXAMPLE with other settings of its service."""
    config = json.loads(EXAMPLE)
    config["services"][0].update(changed)
    return json.dumps(config)


def module_with(text=EXAMPLE, kind=Module, **kw):
    module = kind(**kw)
    done = apply(module, text)
    assert done.status == 0, done.err
    return module


def diff(module, text, *words):
    before = module.changes
    done = play([*words, "config", "diff", "-"], module, stdin=text)
    assert module.changes == before, "a diff changes nothing"
    assert done.status == (4 if any(line[0] in "+-~" for line in done.out.splitlines())
                           else 0) or words, (done.status, done.out, done.err)
    assert done.err == "", done.err
    return done.out.splitlines() if not words else (done.status, json.loads(done.out))


def test_no_difference():
    module = module_with()
    assert diff(module, EXAMPLE) == []
    assert diff(module, EXAMPLE, "-j") == (0, [])
    # Defaults are written out, and in another order.
    other = json.loads(EXAMPLE)
    other["services"][0].update({"timeout-syn": 0, "persist": 0, "encap": "none", "health-check": {
        "port": 8080, "protocol": "HTTP"}})
    other["services"][0]["backends"][1].update({"weight": 1, "state": "up"})
    other["services"][0]["backends"].reverse()
    other["local-addresses"] = [{"address": "10.0.0.1", "ports": "1024-65535"}]
    assert diff(module, json.dumps(other)) == []
    before = module.changes
    assert apply(module, json.dumps(other)).out == "nothing changed\n"
    assert module.changes == before


def test_everything_is_new():
    assert diff(Module(), EXAMPLE) == [
        "+ laddr 10.0.0.1",
        "+ device eth0",
        "+ service tcp 192.0.2.10:80 mode fullnat scheduler maglev toa on "
        'health-check {"protocol":"HTTP","port":8080}',
        "+ backend tcp 192.0.2.10:80 10.0.0.11:8080 weight 2",
        "+ backend tcp 192.0.2.10:80 10.0.0.12:8080"]


def test_everything_goes():
    assert sorted(diff(module_with(), "{}")) == sorted([
        "- laddr 10.0.0.1",
        "- device eth0",
        "- service tcp 192.0.2.10:80 mode fullnat scheduler maglev toa on "
        'health-check {"protocol":"HTTP","port":8080}',
        "- backend tcp 192.0.2.10:80 10.0.0.11:8080 weight 2",
        "- backend tcp 192.0.2.10:80 10.0.0.12:8080"])


def test_one_thing_differs():
    module = module_with()
    backends = json.loads(EXAMPLE)["services"][0]["backends"]
    for changed, *lines in (
            ({"scheduler": "rr", "persist": 300},
             "~ service tcp 192.0.2.10:80: scheduler maglev -> rr, persist 0 -> 300"),
            ({"toa": False}, "~ service tcp 192.0.2.10:80: toa on -> off"),
            ({"health-check": {"protocol": "TCP"}},
             '~ service tcp 192.0.2.10:80: health-check {"protocol":"HTTP","port":8080} -> '
             '{"protocol":"TCP"}'),
            ({"backends": [{**backends[0], "weight": 5, "mode": "dnat"}, backends[1]]},
             "~ backend tcp 192.0.2.10:80 10.0.0.11:8080: weight 2 -> 5, mode unset -> dnat"),
            ({"backends": [backends[1], {"address": "10.0.0.13", "state": "drain"}]},
             "+ backend tcp 192.0.2.10:80 10.0.0.13 state drain",
             "- backend tcp 192.0.2.10:80 10.0.0.11:8080 weight 2")):
        assert diff(module, file_of(**changed)) == lines, changed
    v6 = json.dumps({"services": [{
        "protocol": "udp", "address": "2001:db8::10", "port": "53-54",
        "backends": [{"address": "2001:db8::1", "port": 53}]}]})
    assert diff(module, v6)[:3] == [
        "- device eth0", "+ service udp [2001:db8::10]:53-54",
        "+ backend udp [2001:db8::10]:53-54 [2001:db8::1]:53"]
    ports = json.loads(EXAMPLE)
    ports["local-addresses"] = [{"address": "10.0.0.1", "ports": "2000-2999", "exclude": "2500"}]
    assert diff(module, json.dumps(ports)) == [
        "- laddr 10.0.0.1", "+ laddr 10.0.0.1 ports 2000-2999 exclude 2500"]


def test_every_key_of_the_schema():
    """Whatever a file can set of a service or backend, a diff names it."""
    values = {
        "mode": "dsr", "encap": "gue", "encap-port": 7777, "encap-source": "192.0.2.1",
        "scheduler": "rr", "persist": 7, "persist-prefix4": 24, "persist-prefix6": 48,
        "slow-start": 5, "toa": True, "toa-kind6": 253, "proxy-protocol": True,
        "one-packet": True, "timeout-syn": 5, "timeout-established": 5, "timeout-fin": 5,
        "timeout-udp": 5, "health-check": {"port": 1}, "weight": 9, "state": "down",
        "max-connections": 3}
    needs = {"encap-port": ["encap"], "persist-prefix4": ["persist"], "persist-prefix6": ["persist"]}
    plain = {**SERVICE, "backends": [{"address": "10.0.0.1"}]}
    module = module_with(json.dumps({"services": [plain]}))
    defs = schema()
    text = json.dumps(defs)
    for kind in "service", "backend":
        keys = keys_of(defs, "scheduler" if kind == "service" else "weight")
        assert len(keys) > 5, text
        for key in set(keys) - {"protocol", "address", "port", "backends", "policy"}:
            value = values.get(key, "text")
            wanted = json.loads(json.dumps(plain))
            target = wanted if kind == "service" else wanted["backends"][0]
            target.update({k: values[k] for k in needs.get(key, [])})
            target[key] = value
            lines = diff(module, json.dumps({"services": [wanted]}))
            assert len(lines) == 1 and f" {key} " in lines[0].replace(":", " "), (key, lines)
            assert lines[0].startswith(f"~ {kind} tcp 192.0.2.10:80"), lines


def keys_of(node, known):
    """The keys of the object in a schema that has the key @known."""
    if isinstance(node, dict):
        if known in node.get("properties", {}):
            return list(node["properties"])
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            found = keys_of(child, known)
            if found:
                return found
    return []


def test_as_json():
    module = module_with()
    backends = json.loads(EXAMPLE)["services"][0]["backends"]
    status, changes = diff(module, file_of(
        scheduler="rr", backends=[{**backends[0], "weight": 3},
                                  {"address": "10.0.0.13", "max-connections": 5}]), "-j")
    assert status == 4
    assert changes == [
        {"action": "change", "object": "service", **SERVICE,
         "from": {"scheduler": "maglev"}, "to": {"scheduler": "rr"}},
        {"action": "change", "object": "backend", "service": SERVICE, "address": "10.0.0.11",
         "port": 8080, "from": {"weight": 2}, "to": {"weight": 3}},
        {"action": "add", "object": "backend", "service": SERVICE, "address": "10.0.0.13",
         "to": {"max-connections": 5}},
        {"action": "remove", "object": "backend", "service": SERVICE, "address": "10.0.0.12",
         "port": 8080, "from": {}}], changes


def test_by_hand_is_no_difference():
    file = json.loads(EXAMPLE)
    module = module_with(kind=ByHand)
    stays = ": by hand, stays: state drain"
    lines = [f"= backend tcp 192.0.2.10:80 10.0.0.1{i}:8080{stays}" for i in (1, 2)]
    file["services"][0]["backends"][1]["weight"] = 1
    assert diff(module, json.dumps(file)) == lines
    status, changes = diff(module, json.dumps(file), "-j")
    assert status == 0 and [c["action"] for c in changes] == ["keep"] * 2, changes
    assert changes[0]["by-hand"] == {"state": "drain"}, changes
    # With --force it is one.
    done = play(["config", "apply", "--force", "--dry-run", "-"], module, stdin=json.dumps(file))
    assert done.out.splitlines() == [
        f"~ backend tcp 192.0.2.10:80 10.0.0.1{i}:8080: by-hand drain -> unset"
        for i in (1, 2)] + ["2 backends to change"], done.out
    # What goes with its backend does not stay.
    assert not [line for line in diff(module, "{}") if line[0] == "="]


class Forced(Module):
    """Verdicts on all backends: that on 10.0.0.11 was forced, others are a checker's."""

    def _dump_backends(self, r):
        def verdict(backend):
            forced = bytes((10, 0, 0, 11)) in backend
            return a("A_BACKEND_HEALTH", N["HEALTH_UNHEALTHY"]) + a(
                "A_BACKEND_HEALTH_REASON", "forced" if forced else "timeout")
        return self._dump(r, [("BACKEND_GET", [a("A_SERVICE", key), a(
            "A_BACKEND", b + verdict(b) + a("A_BACKEND_STATE", N["BACKEND_UP"]) +
            a("A_BACKEND_STATS", stats()))])
            for key, (_, backends) in self.services.items() for b in backends])


def test_a_forced_verdict_is_by_hand():
    module = module_with(kind=Forced)
    assert diff(module, EXAMPLE) == [
        "= backend tcp 192.0.2.10:80 10.0.0.11:8080: by hand, stays: health unhealthy"]


def test_dry_run():
    module = Module()
    done = play(["config", "apply", "--dry-run", "-"], module, stdin=EXAMPLE)
    assert (done.status, module.changes, done.err) == (0, 0, ""), done.err
    assert done.out.splitlines()[-1] == \
        "1 service to add, 2 backends to add, 1 local address to add, 1 device to add", done.out
    verbose = play(["config", "apply", "--verbose", "-"], module, stdin=EXAMPLE)
    assert verbose.out.splitlines()[:-1] == done.out.splitlines()[:-1], verbose.out
    done = play(["config", "apply", "--dry-run", "-"], module, stdin=EXAMPLE)
    assert (done.status, done.out) == (0, "nothing to change\n"), done.out
    # It refuses files that the kernel would refuse.
    bad = json.loads(EXAMPLE)
    bad["services"][0]["encap"] = "ipip"
    done = play(["config", "apply", "--dry-run", "-"], module, stdin=json.dumps(bad))
    assert done.status == 1 and "encapsulation" in done.err and done.out == "", done.err
    with tempfile.TemporaryDirectory() as where:
        good = where + "/good"
        play(["config", "apply", "--dry-run", "--last-good", good, "-"], module, stdin="{}")
        assert not os.path.exists(good)


def test_summary():
    module = Module()

    def says(text, *words):
        done = play([*words[:1], "config", "apply", *words[1:], "-"] if words and
                    words[0] == "-j" else ["config", "apply", *words, "-"],
                    module, stdin=text)
        assert done.status == 0 and done.err == "", done.err
        return done.out
    assert says(EXAMPLE) == "1 service added, 2 backends added, 1 local address added, " \
        "1 device added\n"
    assert says(EXAMPLE) == "nothing changed\n"
    assert says(EXAMPLE, "--quiet") == ""
    backends = json.loads(EXAMPLE)["services"][0]["backends"]
    assert says(file_of(scheduler="rr", backends=[
        {**backends[0], "weight": 9}, {"address": "10.0.0.13"}, {"address": "10.0.0.14"}])) == \
        "1 service changed, 2 backends added, 1 changed, 1 removed\n"
    one = json.loads(says("{}", "-j"))
    assert one["changed"] is True and one["dry-run"] is False
    assert one["summary"]["backend"] == {"add": 0, "change": 0, "remove": 3}, one
    assert one["summary"]["device"] == {"add": 0, "change": 0, "remove": 1}
    assert len(one["changes"]) == 6, one
    assert json.loads(says("{}", "-j"))["changed"] is False
    assert json.loads(says(EXAMPLE, "-j", "--dry-run"))["changed"] is True
    done = play(["config", "apply", "--quiet", "--verbose", "-"], module)
    assert done.status == 1 and "exclude" in done.err


def test_a_refusal_has_no_summary():
    module = Module(fail=3)
    done = apply(module, EXAMPLE)
    assert done.status == 2 and done.out == "", done.out
    module = Module(fail=3)
    done = play(["config", "apply", "--keep-going", "-"], module, stdin=EXAMPLE)
    assert (done.status, done.out) == (2, "1 local address added, 1 device added\n"), done.out


def test_settings():
    def test(sysctls):
        text = json.dumps({"settings": {"reject": False, "hash-seed": "ab" * 16}})
        done = sysctls.play(["config", "diff", "-"], Module(), text)
        assert done.status == 4 and done.err == "", done.err
        assert done.out.splitlines() == [
            "~ setting: hash-seed hidden -> hidden, and different",
            "~ setting: maglev-table-size 251 -> 65537",
            "~ setting: reject on -> off"], done.out
        done = sysctls.play(["-j", "config", "apply", "-"], Module(), text)
        assert "abab" not in done.out, done.out
        assert {"action": "change", "object": "setting", "from": {"reject": True},
                "to": {"reject": False}} in json.loads(done.out)["changes"], done.out
        done = sysctls.play(["config", "diff", "-"], Module(), text)
        assert (done.status, done.out) == (0, ""), done.out
    with_sysctls(test, maglev_table_size="251")


def test_policies():
    def test(nft):
        module = module_with('{"services": [%s]}' % json.dumps(
            [{**SERVICE, "port": port} for port in (80, 81)])[1:-1])
        done, log = nft.play(["config", "diff", "-"], module, POLICY.replace("7\"", "8\""))
        assert (done.status, log, done.err) == (4, "", ""), done.err
        assert done.out.splitlines() == [
            "~ policy tcp 192.0.2.10:80: deny 203.0.113.7,198.51.100.0/24 -> "
            "198.51.100.0/24,203.0.113.8",
            "- policy tcp 192.0.2.10:81 deny 203.0.113.7,198.51.100.0/24 rate 100/second "
            "burst 200"], done.out
        done, _ = nft.play(["config", "apply", "--verbose", "-"], module, "{}")
        assert "2 policies removed" in done.out and "- policy tcp 192.0.2.10:80" in done.out, \
            done.out
    with_nft(test, [80, 81], ours=[80, 81])


def test_a_missing_device_with_xdp():
    """It gets XDP by the apply after it appeared; until then there is no change."""
    text = '{"devices": [{"device": "eth0", "xdp": true}]}'
    module = Module(missing=["eth0"])
    done = play(["config", "apply", "--verbose", "-"], module, stdin=text)
    assert done.out == "+ device eth0 xdp on\n1 device added\n", done.out
    for _ in range(2):
        done = play(["config", "apply", "--verbose", "-"], module, stdin=text)
        assert (done.status, done.out) == (0, "nothing changed\n"), done.out
        assert diff(module, text) == []


def test_it_reads_again_when_another_changes_something():
    module = module_with()
    asked = []

    def handler(r):
        if r.cmd == N["CMD_CONFIG_GET"]:
            asked.append(r)
            if len(asked) == 2:
                module.services.clear()
                module.generation += 1
        return module(r)
    done = play(["config", "diff", "-"], handler, stdin=EXAMPLE)
    assert done.status == 4 and done.err == "", done.err
    assert [line[0] for line in done.out.splitlines()] == ["+"] * 3, done.out
    assert len(asked) == 4

    def never(r):
        if r.cmd == N["CMD_CONFIG_GET"]:
            module.generation += 1
        return module(r)
    done = play(["config", "diff", "-"], never, stdin=EXAMPLE)
    assert done.status == 2 and "configuration keeps changing" in done.err and done.out == "", done.err


def test_words_and_files():
    module = Module()
    done = play(["config", "diff"], module)
    assert done.status == 1 and "/etc/nflb/nflb.json: " in done.err, done.err
    done = play(["config", "diff", "-", "x"], module)
    assert done.status == 1 and '"x"' in done.err
    done = play(["config", "diff", "-"], module, stdin='{"services": [{}]}')
    assert done.status == 1 and "lbadm: -:1:15: " in done.err, done.err
