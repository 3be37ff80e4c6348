#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""lbadm import ipvsadm: a file ipvs/NAME.save becomes ipvs/NAME.json, and ipvs/NAME.err
is what is said of it. Without a .json nothing could be converted. A first line
"# fwmark ..." has words for the command line.

    import_test.py --accept     writes what comes out, to be read and checked in
"""

import glob
import json
import os
import subprocess
import sys

import jsonschema
from fake_module import LBADM

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ipvs")
SCHEMA = os.path.join(HERE, "../../../docs/nflb.schema.json")


def lbadm(*words, text=None):
    return subprocess.run([LBADM, *words], input=text, text=True,
                          capture_output=True, check=False, cwd=HERE)


def read(name):
    try:
        with open(os.path.join(HERE, name), encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def corpus():
    return sorted(os.path.basename(path)[:-5]
                  for path in glob.glob(os.path.join(HERE, "*.save")))


def words_of(name):
    first = read(name + ".save").split("\n", 1)[0]
    return first[2:].split() if first.startswith("# fwmark ") else []


def convert(name, *more):
    return lbadm("import", "ipvsadm", name + ".save", *words_of(name), *more)


def test_corpus_is_large():
    assert len(corpus()) >= 30


def test_what_each_becomes():
    for name in corpus():
        done = convert(name, "--keep-going")
        assert done.stdout == read(name + ".json"), (name, done.stdout)
        assert done.stderr == read(name + ".err"), (name, done.stderr)


def test_all_of_it_is_valid():
    schema = json.loads(read(SCHEMA))
    for name in corpus():
        made = read(name + ".json")
        jsonschema.validate(json.loads(made), schema)
        done = lbadm("config", "check", "-", text=made)
        assert done.returncode == 0, (name, done.stderr)


def test_without_keep_going():
    """Whatever was not possible, all of it is said, and nothing is printed."""
    failed = 0
    for name in corpus():
        kept, done = convert(name, "--keep-going"), convert(name)
        if name.endswith("empty"):
            # What failed to save would become a file that deletes everything.
            assert done.returncode == 1 and "no line to convert" in done.stderr, done
            assert done.stdout == ""
            continue
        assert kept.returncode == done.returncode, name
        if done.returncode == 0:
            assert done.stdout == kept.stdout, name
            continue
        failed += 1
        assert done.returncode == 1 and done.stdout == "", name
        assert [line for line in done.stderr.split("\n") if "line " in line] == \
            [line for line in kept.stderr.split("\n") if "line " in line], name
    assert failed >= 8


def test_no_line_is_lost():
    """A line is in the configuration, or told of; a warning names what differs."""
    for name in corpus():
        made = json.loads(read(name + ".json"))
        have = sum(1 + len(s["backends"]) for s in made["services"])
        said = sum("warning" not in line and ": line " in line
                   for line in read(name + ".err").split("\n"))
        asked = sum(" -A " in " " + line or " -a " in " " + line
                    for line in read(name + ".save").split("\n"))
        if "fwmark" not in name and "by-hand" not in name:
            assert have + said >= asked, (name, have, said, asked)


def test_from_standard_input():
    for words in ([], ["-"]):
        done = lbadm("import", "ipvsadm", *words, text=read("sched-rr.save"))
        assert done.stdout == read("sched-rr.json"), done.stderr
        assert done.returncode == 0 and done.stderr == ""
    done = lbadm("import", "ipvsadm", text="-A -t host:http -s rr\n")
    assert done.stderr.startswith("lbadm: line 1: "), done.stderr
    done = lbadm("import", "ipvsadm", text="-A -t 192.0.2.1:80\0 -s rr\n")
    assert done.returncode == 1 and "NUL" in done.stderr


def test_words():
    for words, said in ((["/nowhere"], "/nowhere: "), (["a", "b"], '"b"'),
                        (["--keep"], '"--keep"'), (["fwmark"], "N="),
                        (["fwmark", "1"], "N="), (["fwmark", "0=tcp:192.0.2.1:80"], "mark"),
                        (["fwmark", "1=tcp"], "PROTOCOL"),
                        (["fwmark", "1=sctp:192.0.2.1:80"], "sctp"),
                        (["fwmark", "1=tcp:192.0.2.1"], "port"),
                        (["fwmark", "1=tcp:192.0.2.1:99999"], "99999"),
                        (["fwmark", "1=tcp:192.0.2.1:80,tcp:192.0.2.1:80"], "twice"),
                        (["fwmark", "1=tcp:192.0.2.1:80", "fwmark",
                          "1=tcp:192.0.2.1:81"], "twice")):
        done = lbadm("import", "ipvsadm", *words, text="")
        assert done.returncode == 1 and done.stdout == "", words
        assert said in done.stderr, (words, done.stderr)


def accept():
    for name in corpus():
        done = convert(name, "--keep-going")
        for suffix, text in ((".json", done.stdout), (".err", done.stderr)):
            path = os.path.join(HERE, name + suffix)
            if text:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
            elif os.path.exists(path):
                os.remove(path)


if __name__ == "__main__":
    if sys.argv[1:] != ["--accept"]:
        sys.exit("usage: import_test.py --accept")
    accept()
