# SPDX-License-Identifier: GPL-2.0
"""lbadm device with xdp, against a BPF that fake_bpf.c plays: what it attaches, what
it finds, and the words of each refusal."""

import json
import os

import jsonschema
import pytest
from config_test import Module, apply, schema
from fake_module import N, play

ETH0, ETH1 = 14, 15


class Host:
    """The module, and the BPF file system."""

    def __init__(self, directory):
        self.dir = directory
        self.module = Module()

    def run(self, *words, wrong="", stdin=None):
        return play(words, self.module, stdin=stdin, env={
            "NFLB_FAKE_BPFFS": self.dir, "NFLB_FAKE_BPF": wrong})

    def pins(self):
        try:
            return sorted(os.listdir(self.dir + "/nflb"))
        except FileNotFoundError:
            return []

    def does(self, *words, **how):
        r = self.run(*words, **how)
        assert (r.status, r.err) == (0, ""), r.err
        return r

    def refuses(self, status, text, *words, **how):
        """That is said, and nothing is changed."""
        before = self.module.state(), self.pins(), os.listdir(self.dir)
        r = self.run(*words, **how)
        assert r.status == status, (r.status, r.err)
        assert text in r.err and r.err.count("\n") == 1, r.err
        assert not r.out, r.out
        assert before == (self.module.state(), self.pins(), os.listdir(self.dir)), r.err

    def devices(self, **how):
        return json.loads(self.does("-j", "device", "show", **how).out)

    def hooks(self):
        return sorted(d.rstrip(b"\0").decode() for d in self.module.devices)

    def put(self, name, text):
        os.makedirs(os.path.dirname(f"{self.dir}/{name}"), exist_ok=True)
        with open(f"{self.dir}/{name}", "w", encoding="ascii") as f:
            f.write(text)


@pytest.fixture
def h(tmp_path):
    """A host of its own for each test."""
    return Host(str(tmp_path))


def table(h):
    """DEVICE INGRESS XDP"""
    return [" ".join(line.split()) for line in h.does("device", "show").out.splitlines()[1:]]


def test_add_show_del(h):
    h.does("device", "add", "eth0", "xdp")
    assert h.pins() == ["xdp-114"], h.pins()
    assert h.devices() == [{"device": "eth0", "xdp": True}]
    assert table(h) == ["eth0 on on"]
    h.does("device", "add", "eth1")
    h.does("device", "add", "eth1", "xdp")
    assert table(h) == ["eth0 on on", "eth1 on on"]
    h.does("device", "del", "eth0", "xdp")
    assert table(h) == ["eth0 on off", "eth1 on on"]
    h.does("device", "del", "eth1")
    h.does("device", "del", "eth0")
    assert (h.devices(), h.pins(), h.hooks()) == ([], [], [])


def test_already(h):
    h.does("device", "add", "eth0", "xdp")
    h.refuses(2, "XDP is attached to eth0 already", "device", "add", "eth0", "xdp")
    h.does("device", "del", "eth0", "xdp")
    h.refuses(2, "XDP is not attached to eth0", "device", "del", "eth0", "xdp")


def test_words(h):
    for words in ("add", "add eth0 generic", "add eth0 xdp xdp", "del eth0 xd", "add xdp a/b",
                  "show eth0 xdp"):
        h.refuses(1, "lbadm: ", "device", *words.split())


def test_what_is_missing(h):
    for wrong, status, text in (
            ("no-bpf", 2, "built without BPF"),
            ("no-btf", 2, "the module nflb has no BTF"),
            ("no-btf-fd", 3, "permission denied: XDP needs CAP_SYS_ADMIN"),
            ("no-kernel-btf", 2, "CONFIG_DEBUG_INFO_BTF"),
            ("no-function", 2, "has no function nflb_xdp(); rebuild the module"),
            ("no-load", 3, "permission denied"),
            ("no-jit", 2, "net.core.bpf_jit_enable=1 (kernel: JIT does not support"),
            ("not-listed", 2, "is not allowed); rebuild the module"),
            ("no-memory", 2, "the XDP program is refused: Cannot allocate memory"),
            ("no-bpffs", 3, "try: mount -t bpf bpf /sys/fs/bpf")):
        h.refuses(status, text, "device", "add", "eth0", "xdp", wrong=wrong)
    h.does("device", "add", "eth1")
    h.refuses(2, "no BTF", "device", "add", "eth1", "xdp", wrong="no-btf")
    h.run("device", "add", "eth0", "xdp", wrong="no-pin")
    assert (h.hooks(), h.pins()) == (["eth1"], [])


def test_devices_that_will_not_do(h):
    for name, text in (
            ("dummy0", 'the driver of dummy0 (fake) has no XDP; use "device add dummy0"'),
            ("big0", "to big0 (driver fake): MTU too large to enable XDP"),
            ("lro0", "to lro0 (driver fake): Can't set XDP while host is implementing LRO"),
            ("vif0", 'frames may come without a checksum'),
            ("vlan0", "ethtool -K vlan0 rxvlan off")):
        h.refuses(2, text, "device", "add", name, "xdp")
        assert h.hooks() == []


def test_another_program(h):
    h.put(f"dev-{ETH0}", "17")
    h.refuses(2, "eth0 has an XDP program already (number 17)", "device", "add", "eth0", "xdp")
    h.refuses(2, "(number 17) is not lbadm's", "device", "del", "eth0", "xdp")
    h.does("device", "add", "eth0")
    assert h.devices() == [{"device": "eth0", "xdp": False, "xdp-program": 17}]
    assert "eth0   on      other      17 another XDP program\n" in h.does("device").out
    assert json.loads(h.does("config", "save").out)["devices"] == ["eth0"]
    h.does("device", "del", "eth0")


def test_without_permission(h):
    h.does("device", "add", "eth0", "xdp")
    how = {"wrong": "no-permission"}
    assert h.devices(**how) == [{"device": "eth0", "xdp-program": 1000 + ETH0}]
    assert "only root can see whose program" in h.does("device", **how).out
    for words in ("device del eth0", "device del eth0 xdp", "device add eth0 xdp",
                  "config save", "config flush"):
        h.refuses(3, "permission denied", *words.split(), **how)


def test_pins_of_others(h):
    """What is no link of that number, or of another device, is left alone; what has
    no device any more goes."""
    h.does("device", "add", "eth0", "xdp")
    others = {"nflb/xdp-5": f"6 {ETH0} {1000 + ETH0}", "nflb/xdp-7": "nothing",
              "nflb/xdp-8": f"8 {ETH1} 9", "nflb/mine": f"9 0 {1000 + ETH0}"}
    for name, text in others.items():
        h.put(name, text)
    h.put("nflb/xdp-10", "10 0 4711")
    os.rename(h.dir + "/nflb/xdp-114", h.dir + "/nflb/xdp-3")
    assert h.devices() == [{"device": "eth0", "xdp": False, "xdp-program": 1000 + ETH0}]
    os.rename(h.dir + "/nflb/xdp-3", h.dir + "/nflb/xdp-114")
    assert h.devices() == [{"device": "eth0", "xdp": True}]
    h.does("device", "del", "eth0")
    assert h.pins() == ["mine", "xdp-5", "xdp-7", "xdp-8"]


def test_without_the_hook(h):
    """A device that came from another namespace."""
    h.does("device", "add", "eth0", "xdp")
    h.module.devices.clear()
    assert h.devices() == [{"device": "eth0", "xdp": True, "ingress": False}]
    assert table(h) == ["eth0 off on"]
    assert json.loads(h.does("config", "save").out)["devices"] == []
    h.does("device", "add", "eth0", "xdp")
    assert h.devices() == [{"device": "eth0", "xdp": True}]
    h.module.devices.clear()
    h.does("device", "del", "eth0")
    assert (h.devices(), h.pins()) == ([], [])


def test_detach_fails(h):
    h.does("device", "add", "eth0", "xdp")
    h.refuses(2, "XDP cannot be detached", "device", "del", "eth0", wrong="no-detach")
    # The hook stays, so XDP comes back.
    h.module.fail = h.module.changes + 1
    h.refuses(2, "that will not do", "device", "del", "eth0")
    assert h.hooks() == ["eth0"]


def test_config(h):
    def wants(*devices):
        text = json.dumps({"devices": devices})
        jsonschema.validate(json.loads(text), schema())
        h.module.changes = 0
        h.does("config", "apply", "-", stdin=text)
        saved = json.loads(h.does("config", "save").out)["devices"]
        assert sorted(saved, key=str) == sorted(devices, key=str), saved

    def xdp(name):
        return {"device": name, "xdp": True}
    wants(xdp("eth0"), "eth1")
    wants(xdp("eth0"), "eth1")
    assert h.module.changes == 0
    wants("eth0", xdp("eth1"))
    # The module remembers both wishes.
    assert (h.module.changes, h.pins()) == (2, ["xdp-115"])
    wants(xdp("eth1"))
    wants(xdp("eth1"), xdp("eth0"))
    # The last step fails: all of it is undone.
    before = h.module.state(), h.pins()
    text = json.dumps({"devices": ["eth0", xdp("dummy0")]})
    r = h.run("config", "apply", "-", stdin=text)
    assert r.status == 2 and "device dummy0: the driver of dummy0" in r.err, r.err
    assert (h.module.state(), h.pins()) == before
    h.does("config", "flush")
    assert (h.devices(), h.pins()) == ([], [])


def test_config_says_what_is_wrong(h):
    for value, text in (
            ({"device": "eth0", "xdp": 1}, "true or false"),
            ({"xdp": True}, "the device is missing"),
            ({"device": "a/b"}, '"a/b" is no name'),
            ({"device": "eth0", "mode": "x"}, '"mode"'),
            (7, "a device is a string, or")):
        r = h.run("config", "check", "-", stdin=json.dumps({"devices": [value]}))
        assert r.status == 1 and text in r.err, r.err
    r = h.run("config", "check", "-", stdin='{"devices": ["eth0", {"device": "eth0"}]}')
    assert r.status == 1 and "twice" in r.err, r.err
    apply(h.module, '{"devices": [{"device": "eth0", "xdp": false}]}')
    assert h.hooks() == ["eth0"] and N


FILE = '{"devices": [{"device": "eth0", "xdp": true}]}'


def late(h):
    """A device that appeared after the apply: it has the hook, but no XDP."""
    h.module.missing = [b"eth0\0"]
    h.run("config", "apply", "-", stdin=FILE)
    h.module.missing = []
    assert (h.hooks(), h.pins()) == (["eth0"], [])


def test_late(h):
    late(h)
    assert h.devices() == [{"device": "eth0", "xdp-wanted": True}]
    assert table(h) == ['eth0 on wanted XDP waits for the next "config apply"']
    assert json.loads(h.does("config", "save").out)["devices"] == [
        {"device": "eth0", "xdp": True}]
    done = h.run("config", "diff", "-", stdin=FILE)
    assert done.out.startswith("~ device eth0: xdp off -> on\n"), done.out
    h.does("config", "apply", "-", stdin=FILE)
    assert h.devices() == [{"device": "eth0", "xdp": True}]
    assert h.does("config", "apply", "-", stdin=FILE).out == "nothing changed\n"
    # It goes and comes back.
    h.does("device", "del", "eth0", "xdp")
    assert h.devices() == [{"device": "eth0"}]
    h.does("config", "apply", "-", stdin=FILE)
    assert h.module.devices == {b"eth0\0": True}


def test_late_and_unwanted(h):
    late(h)
    h.does("device", "del", "eth0", "xdp")
    assert h.devices() == [{"device": "eth0"}]
    h.refuses(2, "XDP is not attached to eth0", "device", "del", "eth0", "xdp")
    h.does("device", "del", "eth0")
    late(h)
    done = h.does("config", "apply", "--verbose", "-", stdin='{"devices": ["eth0"]}')
    assert done.out == "~ device eth0: xdp on -> off\n1 device changed\n", done.out
    assert h.devices() == [{"device": "eth0"}]
    h.does("device", "del", "eth0")
    late(h)
    h.does("device", "add", "eth0", "xdp")
    assert h.devices() == [{"device": "eth0", "xdp": True}]


def test_late_and_refused(h):
    """An apply that cannot attach XDP leaves the wish, one that is undone restores it."""
    late(h)
    done = h.run("config", "apply", "-", stdin=FILE, wrong="no-btf")
    assert done.status == 2 and "no BTF" in done.err, done.err
    assert h.devices() == [{"device": "eth0", "xdp-wanted": True}]
    h.module.fail = h.module.changes + 2
    for text in ('{"local-addresses": ["10.1.0.1"], "devices": ["eth0"]}',
                 '{"local-addresses": ["10.1.0.1"]}'):
        h.module.fail = h.module.changes + 2
        assert h.run("config", "apply", "-", stdin=text).status == 2
        assert h.devices() == [{"device": "eth0", "xdp-wanted": True}], text
