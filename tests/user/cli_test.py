#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The command line of lbadm, where the module is not loaded: help, errors,
exit statuses."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LBADM = os.environ.get("LBADM", os.path.join(
    HERE, "../../userspace/build/lbadm"))
OBJECTS = ["service", "backend", "connection", "stats", "monitor"]


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
        assert o + ":" in lbadm("help").stdout


def test_version():
    with open(os.path.join(HERE, "../../kmod/version.h")) as f:
        version = f.read().split('NFLB_VERSION "')[1].split('"')[0]
    assert lbadm("-V").stdout == "lbadm %s\n" % version


def test_wrong_words():
    refuses(["servce"], 1, '"servce"', "service")
    refuses(["serv", "show"], 1, '"serv"')
    refuses(["service", "ad"], 1, '"ad"', "add")
    refuses(["service", "add"], 1, "PROTO VIP")
    refuses(["service", "add", "tcp", "192.0.2.1:99999"], 1,
            "192.0.2.1:99999")
    refuses(["service", "del", "tcp", "192.0.2.1:80", "x"], 1, '"x"')
    refuses(["backend", "add", "tcp", "192.0.2.1:80"], 1, "backend")
    refuses(["backend", "drain", "tcp", "192.0.2.1:80", "10.0.0.1:80",
             "deadline", "5"], 1, "deadline")
    refuses(["connection", "show", "colour", "red"], 1, '"colour"')
    refuses(["monitor", "everything"], 1, '"everything"')
    refuses(["stats", "show", "all"], 1, '"all"')
    refuses(["-c", "sometimes"], 1, "sometimes")
    refuses(["-n", "no-such-namespace-1"], 1, "no-such-namespace-1")
    refuses(["-n", "../x"], 1, "../x")


def test_wrong_option():
    r = lbadm("-x")
    assert r.returncode == 1 and r.stderr


def test_batch():
    refuses(["-b", "-"], 1, "-:3: ", '"zap"',
            stdin="# comment\n\nzap it\nservice show\n")
    refuses(["-b", "-"], 1, "-:1: ", "quote", stdin="service 'show\n")
    refuses(["-b", "/no/such/file"], 1, "/no/such/file")
    refuses(["-b", "-", "service"], 1, '"service"', stdin="")
    assert lbadm("-b", "-", stdin="# nothing\n\n").returncode == 0
    with tempfile.NamedTemporaryFile("w", suffix=".lb") as f:
        f.write("service add tcp nowhere:80\n")
        f.flush()
        refuses(["-b", f.name], 1, f.name + ":1: ", '"nowhere:80"')


def test_no_module():
    if os.path.isdir("/sys/module/nflb"):
        return "the module is loaded"
    for args in ([], ["service"], ["-j", "service", "show"],
                 ["service", "add", "tcp", "192.0.2.1:80"],
                 ["stats", "show"], ["monitor"], ["connection", "count"]):
        refuses(args, 3, "nflb is not loaded", "modprobe nflb")
    return None


def main():
    failed = 0
    tests = sorted(k for k in globals() if k.startswith("test_"))
    for number, name in enumerate(tests, 1):
        try:
            skipped = globals()[name]()
            print("ok %d - %s%s" % (number, name,
                                    " # SKIP " + skipped if skipped else ""))
        except AssertionError as e:
            failed += 1
            print("not ok %d - %s: %s" % (number, name, e))
    print("# %d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
