# SPDX-License-Identifier: GPL-2.0
"""lbadm config apply when others change the configuration, when devices are missing, and
at boot."""

import json
import os
import tempfile

from config_test import EXAMPLE, Module, apply
from fake_module import N, play


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
    assert done.status == 2 and "the configuration keeps changing" in done.err, done.err
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
    shown = play(["-H", "device", "show"], module)
    assert shown.out.split()[:2] == ["eth0", "absent"], shown.out
    done = apply(module, '{"devices": [{"device": "eth0", "xdp": true}]}')
    assert (done.status, done.err) == (
        0, warning + ', XDP by the next "config apply"\n'), done.err
    # The module remembers that, and forgets it.
    saved = json.loads(play(["config", "save"], module).out)
    assert saved["devices"] == [{"device": "eth0", "xdp": True}], saved
    shown = json.loads(play(["-j", "device", "show"], module).out)
    assert shown == [{"device": "eth0", "absent": True, "xdp-wanted": True}], shown
    assert play(["device", "show"], module).out.splitlines()[1].split(None, 3) == [
        "eth0", "absent", "wanted",
        'attached when it appears, XDP by the next "config apply"']
    changes = module.changes
    assert apply(module, '{"devices": [{"device": "eth0", "xdp": true}]}').status == 0
    assert module.changes == changes
    done = play(["config", "apply", "--verbose", "-"], module, stdin='{"devices": ["eth0"]}')
    assert done.out == "~ device eth0: xdp on -> off\n1 device changed\n", done.out
    assert json.loads(play(["config", "save"], module).out)["devices"] == ["eth0"]
    done = apply(module, '{"devices": [{"device": "eth0", "xdp": true}]}')
    # What is rolled back has it again.
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
