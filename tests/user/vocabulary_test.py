# SPDX-License-Identifier: GPL-2.0
"""Help, man pages, schema and parser, generated from the description of lbadm's words;
and messages about unknown words."""

import json
import os
import re
import subprocess

from cli_test import OBJECTS, lbadm, refuses
from fake_module import play

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
VOCABULARY = json.loads(lbadm("__vocabulary").stdout)
COMMANDS = [(o["name"], c) for o in VOCABULARY["objects"] for c in o["commands"]]
SCHEDULERS = next(w["values"] for w in VOCABULARY["keys"]["service"] if w["name"] == "scheduler")

# An example for each way to write a value
SAMPLES = {
    "HOST": "10.0.0.9", "SERVICE": "tcp 192.0.2.10:80", "BACKEND": "10.0.0.1:80",
    "ADDR[-ADDR]": "10.0.0.1-10.0.0.9", "ADDR[/LEN]": "10.0.0.0/8", "SECONDS": "5", "N": "600", "NAME": "", "on|off": "on",
    "253|254": "253", "SECONDS[/PREFIXLEN[/PREFIXLEN6]]": "300/24/56", "LO-HI": "1000-2000",
    "PORT[-PORT][,...]": "1100,1200-1300", "auto|ADDR[/LEN][,ADDR[/LEN]]": "auto",
    "none|ipip|gre|gue[:PORT]": "gue:7777", "FILE": "-", "TEXT": "two words",
}


def sample(word):
    """A value, as words."""
    if "form" not in word:
        return []
    if word["form"] == "TEXT":
        return [SAMPLES["TEXT"]]
    return (SAMPLES.get(word["form"]) or word["values"][0]).split()


def spoken(command):
    return [w for w in command["words"] if "key-only" not in w]


def test_what_is_made_is_not_stale():
    done = subprocess.run([TOP + "/scripts/vocabulary.py", "--check"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_man_page_has_every_word():
    with open(TOP + "/docs/man/lbadm.8", encoding="utf-8") as f:
        text = re.sub(r"\\f.|\\", "", f.read())
    for obj, command in COMMANDS:
        pattern = r"lbadm %s\b.*\b%s\b" % (obj, command["name"])
        assert re.search(pattern, text), pattern
        for word in spoken(command):
            assert word["name"] in text, (obj, command["name"], word["name"])


def test_descriptions():
    words = [w for _, c in COMMANDS for w in c["words"] + c["args"]]
    words += [w for k in VOCABULARY["keys"].values() for w in k] + VOCABULARY["options"]
    for word in words:
        said = word.get("help", "")
        assert len(said) < 80 and not said.endswith("."), word
        assert said or word["name"].isupper() or not word["name"].islower(), word
        assert len(word.get("values", ())) == len(word.get("about", word.get("values", ())))


def test_parser_takes_every_word():
    tried = 0
    for obj, command in COMMANDS:
        if obj not in ("service", "backend", "laddr", "connection"):
            continue
        before = [w for a in command["args"] for w in (sample(a) or [a["name"]])]
        for word in spoken(command):
            # VIP and backend are there once: as an argument or by a word
            own = [] if word["name"] in ("vip", "backend") else before
            line = [obj, command["name"], *own, word["name"], *sample(word)]
            done = play(line, lambda r: [r.error(95)])
            assert done.status == 2, (line, done.status, done.err)
            tried += 1
    assert tried > 50, tried


def test_help_fits():
    short = lbadm("-h").stdout
    assert len(short.splitlines()) <= 40, short
    pages = [short] + [lbadm("help", o).stdout for o in OBJECTS]
    pages += [lbadm("help", o, c["name"]).stdout for o, c in COMMANDS if c["name"]]
    for page in pages:
        assert page.startswith("usage: lbadm "), page
        for line in page.splitlines():
            assert len(line) < 80 and line == line.rstrip(), (len(line), line)


def test_help_of_a_command():
    page = lbadm("help", "service", "add").stdout
    for name in [w["name"] for w in VOCABULARY["keys"]["service"] if "key-only" not in w]:
        assert re.search("^  %s " % name, page, re.M), name
    for name in SCHEDULERS:
        assert re.search("^      %s +[a-z]" % name, page, re.M), name
        assert re.search("^%s +[a-z]" % name, lbadm("help", "schedulers").stdout, re.M), name
    service = "service add tcp 192.0.2.1:80 mode dsr".split()
    for words in (["service", "add", "help"], ["service", "add", "--help"],
                  ["service", "add", "-h"], ["-h", "service", "add"], [*service, "-h"],
                  [*service, "--help"]):
        assert lbadm(*words).stdout == page, words
    assert "fullnat" in lbadm("help", "backend", "set", "mode").stdout
    refuses(["help", "service", "ad"], 1, "did you mean add?")
    refuses(["help", "service", "add", "foo"], 1, '"foo"')
    refuses(["help", "service", "add", "mode", "dsr"], 1, '"dsr"')
    refuses(["help", "schedulers", "rr"], 1, '"rr"')


def test_did_you_mean():
    for line, words in (
            ("servce show", 'unknown object "servce"; did you mean service?'),
            ("dev show", "did you mean device?"),
            ("conf check", "did you mean config?"),
            ("service shwo", 'unknown command "shwo"; did you mean show?'),
            ("service ad", "did you mean add?"),
            ("service add tcp 192.0.2.1:80 shceduler rr", "did you mean scheduler?"),
            ("service add tcp 192.0.2.1:80 sched rr", "did you mean scheduler?"),
            ("service add tcp 192.0.2.1:80 mode dnta",
             'mode "dnta": dnat, fullnat or dsr is expected; did you mean dnat?'),
            ("backend add tcp 192.0.2.1:80 10.0.0.1 wieght 2", "did you mean weight?"),
            ("backend set tcp 192.0.2.1:80 10.0.0.1 state dran", "did you mean drain?"),
            ("connection show stat established", "did you mean state?"),
            ("connection show state closed", 'state "closed": did you mean close?'),
            ("laddr add 10.0.0.1 port 1-2", "did you mean ports?"),
            ("monitor conections", "did you mean connections?"),
            ("health force tcp 192.0.2.1:80 10.0.0.1 dwon", "did you mean down?"),
            ("config apply --keepgoing x", "did you mean --keep-going?"),
            ("service show --stat", "did you mean --stats?"),
            ("connection show state syn-", "did you mean syn-sent or syn-recv?"),
            ("policy flsh", "did you mean flush?"),
            ("service se", "did you mean set?")):
        refuses(line.split(), 1, words)
    # Nothing near, or nothing at all: the list
    refuses("service add tcp 192.0.2.1:80 mode".split(), 1,
            "mode: a value is missing: dnat, fullnat or dsr")
    refuses("service add tcp 192.0.2.1:80 scheduler".split(), 1, "missing: rr, wrr, random")
    refuses("service frobnicate".split(), 1, "there are: add, set, replace, del, show")
    refuses("service add tcp 192.0.2.1:80 colour red".split(), 1, "mode, encap", "is expected")
    refuses("config apply --frobnicate x".split(), 1,
            "there are: --dry-run, --force, --keep-going, --last-good, --quiet, --verbose")


def test_options_after_the_object():
    if os.path.isdir("/sys/module/nflb"):
        return
    for words in ("service show -j", "service -js show", "service show tcp 192.0.2.1:80 --stats",
                  "-j service show -s -s", "backend del tcp 192.0.2.1:80 10.0.0.1 -c never now",
                  "service show --color=auto"):
        refuses(words.split(), 3, "not loaded")
    refuses(["service", "show", "-n", "no-such-namespace-1"], 1, "no-such-namespace-1")
    refuses(["service", "show", "--netns=no-such-namespace-1"], 1, "no-such-namespace-1")
    # "-" is a file, and behind "--" is no option.
    assert lbadm("config", "check", "-", stdin="{}").returncode == 0
    assert lbadm("config", "check", "-j", "-", stdin="{}").returncode == 0
    refuses(["config", "check", "--", "-j"], 1, "-j: No such file")
    refuses(["config", "apply", "-", "--force", "x"], 1, '"x"')
    assert lbadm("-b", "-", "--json", stdin="").returncode == 0
    refuses(["-b", "-"], 1, '"-j"', stdin="stats show -j\n")


def test_schedulers_that_the_kernel_does_not_have():
    line = "service set tcp 192.0.2.1:80 scheduler "
    def refused(name):
        done = play((line + name).split(),
                    lambda r: [r.error(2, "there is no scheduler of that name")])
        assert done.status == 2 and "kernel: there is no" in done.err, done.err
        return done.err.splitlines()
    assert refused("wcl")[1] == 'lbadm: scheduler "wcl": did you mean wlc?'
    assert all(name in refused("frobnicate")[1] for name in SCHEDULERS)
    # This lbadm knows the name, the module does not.
    assert len(refused("maglev")) == 1
