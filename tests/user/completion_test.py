# SPDX-License-Identifier: GPL-2.0
"""What lbadm offers as the next word, and that bash, zsh and fish take it."""

import os
import pty
import select
import shutil
import subprocess
import tempfile

import pytest

from fake_module import LBADM, a, play
from module_test import DNS, WEB, backend, dumps, service

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "../../userspace/completion")
SERVICES = [service(WEB), service(DNS)]
BACKENDS = [backend(WEB, "10.0.0.1", 80), backend(WEB, "10.0.0.2", 80),
            backend(DNS, "2001:db8::1", 53)]
LADDRS = [a("A_LADDR", [a("A_LADDR_ADDRESS", "10.5.0.1"),
                        a("A_LADDR_ADDRESS_LAST", "10.5.0.9")])]
DEVICES = [a("A_DEVICE", "eth7")]
SCHEDULERS = ("rr wrr random lc wlc sed nq p2c fo ovf hash source maglev "
              "maglev-source")
FILTER = "service backend client state"
SETTINGS = ("mode encap encap-source scheduler persist slow-start toa toa-kind6 "
            "proxy-protocol one-packet timeout-syn timeout-established timeout-fin "
            "timeout-udp name comment")
OPTIONS = "--json --stats --details --output --sort --exact --noheadings --timestamp " \
    "--netns --batch --color --version --help"


def split(line):
    """The words of a line, the last of which is being typed."""
    return line.split() + ([""] if not line or line.endswith(" ") else [])


def handler(request):
    wanted = dumps(SERVICES, BACKENDS, LADDR_GET=LADDRS, DEVICE_GET=DEVICES)
    if any(kind for kind, _, _ in request.attributes):
        # Backends of one service
        only = [b for b in BACKENDS if request.attributes[0][2] in b]
        return dumps(SERVICES, only)(request)
    return wanted(request)


def offers(line):
    done = play(["__complete", *split(line)], handler)
    assert done.status == 0 and not done.err, (line, done.status, done.err)
    return [offer.split("\t")[0] for offer in done.out.splitlines()]


def check(line, expected):
    assert " ".join(offers(line)) == expected, line


def test_objects_and_commands():
    check("ser", "service")
    assert offers("")[:3] == ["help", "service", "backend"]
    check("service ", "add set replace del show help")
    assert {"save", "apply", "check", "flush", "help"} <= set(offers("config "))
    check("service s", "set show")
    check("servce ", "")
    assert {"service", "schedulers"} <= set(offers("help "))
    assert "add" in offers("help service ")
    check("service add h", "help")


def test_options():
    check("-", OPTIONS)
    check("--st", "--stats")
    check("service show --j", "--json")
    check("-c ", "auto always never")
    check("--color=a", "--color=auto --color=always")
    check("-b ", ":files")
    check("-j -s service show -s tcp ", "192.0.2.10:80 vip backend")
    assert "--force" in offers("config apply -")
    assert not [o for o in offers("service show -") if o == "--force"]


def test_network_namespaces():
    there = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []
    assert sorted(offers("-n ")) == there
    assert sorted(offers("service show --netns ")) == there


def test_services():
    check("service add ", "tcp udp")
    check("service add tcp ", "")
    check("service set tcp ", "192.0.2.10:80")
    check("service show udp ", "[2001:db8::10]:53 vip backend")
    check("service show udp [2001:db8::1", "[2001:db8::10]:53")
    check("service set tcp 192.0.2.10:80 timeout-f", "timeout-fin")
    check("service add tcp 192.0.2.1:80 ", SETTINGS)
    check("service add tcp 192.0.2.1:80 mode dsr encap ipip ",
          SETTINGS.replace("mode encap ", ""))
    check("service add tcp 192.0.2.1:80 mode ", "dnat fullnat dsr")
    check("service add tcp 192.0.2.1:80 scheduler ", SCHEDULERS)
    check("service add tcp 192.0.2.1:80 scheduler m", "maglev maglev-source")
    check("service add tcp 192.0.2.1:80 encap ", "none ipip gre gue")
    check("service add tcp 192.0.2.1:80 encap-source ", "auto")
    check("service add tcp 192.0.2.1:80 toa ", "on off")
    check("service add tcp 192.0.2.1:80 toa-kind6 ", "253 254")
    check("service add tcp 192.0.2.1:80 persist ", "")
    check("service del tcp 192.0.2.10:80 ", "")
    # Words that do not belong there end it.
    check("service add tcp 192.0.2.1:80 colour ", "")


def test_backends():
    check("backend del tcp 192.0.2.10:80 ", "10.0.0.1:80 10.0.0.2:80")
    check("backend del udp [2001:db8::10]:53 ", "[2001:db8::1]:53")
    check("backend add tcp 192.0.2.10:80 ", "")
    check("backend set tcp 192.0.2.10:80 10.0.0.1:80 w", "weight")
    check("backend set tcp 192.0.2.10:80 10.0.0.1:80 state ", "up drain down")
    check("backend del tcp 192.0.2.10:80 10.0.0.1:80 ", "now")
    check("backend drain tcp 192.0.2.10:80 10.0.0.1:80 ", "deadline")
    check("health force tcp 192.0.2.10:80 10.0.0.1:80 ", "up down clear")


def test_the_rest():
    check("laddr del ", "10.5.0.1-10.5.0.9")
    check("laddr del 10.5.0.1-10.5.0.9 ", "ports")
    check("device del ", "eth7")
    check("device del eth7 ", "xdp")
    assert "lo" in offers("device add ")
    check("monitor ", "config connections list")
    check("monitor config ", "connections list")
    check("watch ", "interval count sort tcp udp")
    check("watch sort ", "connections packets bytes active")
    check("explain ", "tcp udp")
    check("explain tcp 10.0.0.9:1000 192.0.2.10:80 ", "device")
    assert "lo" in offers("explain tcp 10.0.0.9:1000 192.0.2.10:80 device ")
    check("stats ", "show zero help")
    check("import ipvsadm --keep-going fwmark 1=tcp:192.0.2.1:80 ", "fwmark :files")


def test_connections():
    check("connection show ", FILTER)
    check("connection flush ", FILTER + " all")
    check("connection flush all ", "")
    check("connection flush service tcp ", "192.0.2.10:80")
    check("connection show service tcp 192.0.2.10:80 ", "backend client state")
    check("connection show backend ", "10.0.0.1:80 10.0.0.2:80 [2001:db8::1]:53")
    check("connection show client 10.0.0.1 state es", "established")
    check("connection show client ", "")


def test_policies():
    check("policy add tcp ", "192.0.2.10:80")
    check("policy add tcp 192.0.2.10:80 ", "allow deny rate")
    check("policy add tcp 192.0.2.10:80 deny ", "")
    check("policy add tcp 192.0.2.10:80 deny 10.0.0.0/8 ", "")
    check("policy add tcp 192.0.2.10:80 rate ", "")
    check("policy add tcp 192.0.2.10:80 rate 5/second ", "burst")
    check("policy del tcp 192.0.2.10:80 rate ", "")


def test_files():
    check("config check ", ":files")
    check("config apply --force ", ":files")
    check("config apply --last-good ", ":files")
    check("policy apply ", ":files")


# Shells: a command "lbadm" that answers as if there were a balancer.

def shell_environment(top):
    """An lbadm in PATH that is asked for completion, and answers what lbadm would."""
    path = os.path.join(top, "lbadm")
    with open(path, "w", encoding="ascii") as f:
        f.write("""#!/bin/sh
case "$*" in
"__complete service show tcp 192.0.2.10:8"*) printf '192.0.2.10:80\\t\\n192.0.2.10:8000-8010\\t\\n' ;;
"__complete service show udp [2001:db8::1"*) printf '[2001:db8::10]:53\\t\\n' ;;
"__complete service show tcp 192.0.2.11:"*) printf '192.0.2.11:*\\t\\n' ;;
*) exec "%s" "$@" ;;
esac
""" % os.path.abspath(LBADM))
    os.chmod(path, 0o755)
    for name in ("one.json", "two words.json"):
        with open(os.path.join(top, name), "w", encoding="ascii"):
            pass
    return dict(os.environ, PATH=top + ":" + os.environ["PATH"], HOME=top, ZDOTDIR=top,
                XDG_CONFIG_HOME=top, TERM="dumb")


def run_shell(command, line, top):
    done = subprocess.run([*command, line], stdout=subprocess.PIPE, cwd=top,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          env=shell_environment(top), timeout=120, check=False)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout.splitlines()


BASH = r"""
. "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_lbadm
printf '%s\n' "${COMPREPLY[@]}"
"""

# What readline, zsh and fish put into the line
SHELL_LINES = (
    ("lbadm ser", "service"), ("lbadm service sh", "show"),
    ("lbadm -j service add tcp 192.0.2.1:80 mode f", "fullnat"),
    ("lbadm config check one", "one.json"),
)


def test_bash():
    with tempfile.TemporaryDirectory() as top:
        command = ["bash", "--norc", "-c", BASH, "-", SCRIPTS + "/lbadm.bash"]
        for line, expected in SHELL_LINES + (
                # readline replaces the text behind the last colon
                ("lbadm service show tcp 192.0.2.10:8", "80 8000-8010"),
                ("lbadm service show udp [2001:db8::1", "10]:53"),
                ("lbadm --color=al", "always"),
                ("lbadm config check two", "two words.json"),
                ("lbadm service add tcp 192.0.2.1:80 scheduler ", SCHEDULERS)):
            assert " ".join(run_shell(command, line, top)) == expected, line


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish():
    with tempfile.TemporaryDirectory() as top:
        command = ["fish", "--no-config", "-c",
                   "source %s/lbadm.fish; complete -C $argv[1]" % SCRIPTS, "--"]
        for line, expected in SHELL_LINES + (
                ("lbadm service show tcp 192.0.2.10:8", "192.0.2.10:80 192.0.2.10:8000-8010"),
                ("lbadm service show udp [2001:db8::1", "[2001:db8::10]:53"),
                ("lbadm service add tcp 192.0.2.1:80 scheduler ", SCHEDULERS)):
            got = [o.split("\t")[0] for o in run_shell(command, line, top)]
            assert sorted(got) == sorted(expected.split()), (line, got)


# Typed to, a line and TAB; ^X writes down the words of the line as it is then.
ZSH = r"""
PS1= fpath=(%s $fpath)
autoload -Uz compinit && compinit -u -D
unsetopt beep
note() { print -rl -- ${(Q)${(z)BUFFER}} >%s; BUFFER= }
zle -N note
bindkey "^X" note
print rea""dy
"""


def read_some(fd):
    assert select.select([fd], [], [], 120)[0], "zsh says nothing"
    return os.read(fd, 65536)


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh():
    with tempfile.TemporaryDirectory() as top:
        ours, theirs = pty.openpty()
        noted = os.path.join(top, "noted")
        os.mkfifo(noted)
        notes = os.open(noted, os.O_RDWR)
        with subprocess.Popen(["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs,
                              cwd=top, env=shell_environment(top),
                              start_new_session=True) as zsh:
            try:
                os.close(theirs)
                os.write(ours, (ZSH % (SCRIPTS, noted)).replace("\n\n", "\n").encode())
                text = b""
                while b"ready" not in text:
                    text += read_some(ours)
                for line, expected in (
                        ("ser", "service"), ("service sh", "service show"),
                        ("service add tcp 192.0.2.1:80 mode f",
                         "service add tcp 192.0.2.1:80 mode fullnat"),
                        ("config check one", "config check one.json"),
                        ("config check two", "config check two words.json"),
                        ("service show tcp 192.0.2.10:8", "service show tcp 192.0.2.10:80"),
                        ("service show udp '[2001:db8::1", "service show udp [2001:db8::10]:53"),
                        ("service show tcp 192.0.2.11:", "service show tcp 192.0.2.11:*")):
                    os.write(ours, b"lbadm " + line.encode() + b"\t\x18")
                    got = " ".join(read_some(notes).decode().splitlines())
                    assert got == "lbadm " + expected, line
            finally:
                zsh.kill()
                os.close(ours)
                os.close(notes)
