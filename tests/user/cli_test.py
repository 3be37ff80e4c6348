# SPDX-License-Identifier: GPL-2.0
"""The command line of lbadm, where the module is not loaded: help, errors,
exit statuses."""

import os
import subprocess
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
LBADM = os.environ.get("LBADM", os.path.join(
    HERE, "../../userspace/build/lbadm"))
OBJECTS = ["service", "backend", "laddr", "device", "connection", "stats", "config",
           "monitor", "watch", "explain", "health", "policy", "backend-setup", "import"]


def lbadm(*args, stdin=None):
    return subprocess.run([LBADM, *args], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def refuses(args, status, *words, stdin=None):
    r = lbadm(*args, stdin=stdin)
    assert r.returncode == status, "%s: exit %d: %s" % (args, r.returncode,
                                                        r.stderr)
    assert r.stderr.startswith("lbadm: "), r.stderr
    assert not r.stdout, r.stdout
    for word in words:
        assert word in r.stderr, "%s: no %r in %r" % (args, word, r.stderr)


def test_help_needs_no_module():
    for args in (["help"], ["-h"], ["--help"],
                 *([o, "help"] for o in OBJECTS)):
        r = lbadm(*args)
        assert r.returncode == 0 and "usage:" in r.stdout, args
        assert not r.stderr
    for o in OBJECTS:
        assert "\n  %s " % o in lbadm("help").stdout
        assert lbadm("help", o).stdout == lbadm(o, "help").stdout


def test_version():
    with open(os.path.join(HERE, "../../kmod/version.h")) as f:
        version = f.read().split('NFLB_VERSION "')[1].split('"')[0]
    assert lbadm("-V").stdout == "lbadm %s\n" % version


def test_wrong_words():
    refuses(["servce"], 1, '"servce"', "service")
    refuses(["serv", "show"], 1, '"serv"')
    refuses(["help", "serv"], 1, '"serv"')
    refuses(["service", "help", "me"], 1, '"me"')
    refuses(["explian", "show"], 1, '"explian"', "did you mean explain?")
    refuses(["foo", "show"], 1, '"foo"', "there are: " + ", ".join(OBJECTS))
    refuses(["service", "ad"], 1, '"ad"', "add")
    for words, commands in ((["config"], "save, apply, diff, check, flush"), (["import"], "ipvsadm"),
                            (["backend-setup"], "show, apply, undo")):
        r = lbadm(*words)
        if words != ["backend-setup"]:
            refuses(words, 1, "a command is missing; there are: " + commands)
        assert '"show"' not in r.stderr, r.stderr
    refuses(["service", "add"], 1, "PROTO VIP")
    for line in ("service add tcp 192.0.2.1:80 mode dnat mode dsr",
                 "service set tcp 192.0.2.1:80 timeout-syn 1 mode dsr timeout-syn 1",
                 "backend add tcp 192.0.2.1:80 10.0.0.1 weight 1 weight 2",
                 "laddr add 10.0.0.1 ports 1-2 ports 1-2",
                 "laddr add 10.0.0.1 exclude 1 exclude 2",
                 "connection show client 10.0.0.1 client 10.0.0.2",
                 "backend-setup show 192.0.2.1 10.0.0.1 mtu 1500 mtu 1400"):
        refuses(line.split(), 1, " is there twice")
    refuses(["service", "add", "tcp", "192.0.2.1:99999"], 1,
            "192.0.2.1:99999")
    refuses(["service", "del", "tcp", "192.0.2.1:80", "x"], 1, '"x"')
    refuses(["backend", "add", "tcp", "192.0.2.1:80"], 1, "backend")
    refuses(["backend", "drain", "tcp", "192.0.2.1:80", "10.0.0.1:80",
             "deadline", "x"], 1, "a number from 0 to 604800 is expected")
    refuses(["laddr", "add"], 1, "ADDR or ADDR-ADDR")
    for words in ("10.0.0.1-", "10.0.0.1-x", "10.0.0.1-::1",
                  "10.0.0.1 ports 5", "10.0.0.1 ports 0-5",
                  "10.0.0.1 ports 9-5", "10.0.0.1 ports",
                  "10.0.0.1 exclude 5-", "10.0.0.1 exclude ,",
                  "10.0.0.1 exclude 1,2,3,4,5,6,7,8,9", "10.0.0.1 x"):
        refuses(["laddr", "add", *words.split()], 1)
    refuses(["laddr", "del", "10.0.0.1", "exclude", "5"], 1, "add")
    refuses(["service", "add", "tcp", "192.0.2.1:80", "toa-kind6", "252"], 1,
            "253 or 254")
    refuses(["service", "add", "udp", "192.0.2.1:53", "one-packet", "yes"],
            1, '"yes"')
    refuses(["service", "add", "tcp", "192.0.2.1:80", "proxy-protocol", "v2"],
            1, "on or off")
    refuses(["connection", "show", "colour", "red"], 1, '"colour"')
    refuses(["monitor", "everything"], 1, '"everything"')
    refuses(["stats", "show", "all"], 1, '"all"')
    refuses(["-c", "sometimes"], 1, "sometimes")
    refuses(["-n", "no-such-namespace-1"], 1, "no-such-namespace-1")
    refuses(["-n", "../x"], 1, "../x")


def test_wrong_option():
    refuses(["-x"], 1, 'unknown option "-x"')
    refuses(["-jxs"], 1, 'unknown option "-x"')
    refuses(["--jsonn"], 1, 'unknown option "--jsonn"; did you mean --json?')
    refuses(["--json=1"], 1, "no value is expected")
    refuses(["-n"], 1, "-n: a value is missing")
    refuses(["service", "show", "--netns"], 1, "--netns: a value is missing")


def test_options_are_not_abbreviated():
    refuses(["--js", "help"], 1, '"--js"')
    refuses(["--bat=-"], 1, '"--bat=-"', stdin="")
    for option in ("--json", "--stats", "--color=never"):
        assert lbadm(option, "help").returncode == 0, option
    assert lbadm("--version").stdout == lbadm("-V").stdout


def test_full_disk():
    with open("/dev/full", "w") as full:
        for args in (["help"], ["-V"]):
            r = subprocess.run([LBADM, *args], stdout=full,
                               stderr=subprocess.PIPE, text=True)
            assert r.returncode == 1 and "cannot write" in r.stderr, args


def test_batch():
    refuses(["-b", "-"], 1, "-:3: ", '"zap"',
            stdin="# comment\n\nzap it\nservice show\n")
    refuses(["-b", "-"], 1, "-:1: ", "quote", stdin="service 'show\n")
    refuses(["-b", "-"], 1, "-:2: ", "NUL", stdin="# x\nstats\0 show\n")
    refuses(["-b", "/no/such/file"], 1, "/no/such/file")
    refuses(["-b", "/"], 1, "/: Is a directory")
    refuses(["-b", "-", "service"], 1, '"service"', stdin="")
    assert lbadm("-b", "-", stdin="# nothing\n\n").returncode == 0
    with tempfile.NamedTemporaryFile("w", suffix=".lb") as f:
        f.write("service add tcp nowhere:80\n")
        f.flush()
        refuses(["-b", f.name], 1, f.name + ":1: ", '"nowhere:80"')


def test_no_module():
    if os.path.isdir("/sys/module/nflb"):
        pytest.skip("the module is loaded")
    for args in ([], ["service"], ["-j", "service", "show"],
                 ["service", "add", "tcp", "192.0.2.1:80"],
                 ["stats", "show"], ["monitor"], ["connection", "count"]):
        refuses(args, 3, "nflb is not loaded", "modprobe nflb")
