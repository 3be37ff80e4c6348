#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""page.py PAGE SECTION: run what a page of the documentation says.

A block is indented by four. The paragraph before it tells where it is typed: if
it speaks of the balancer there, else of a client, else of servers. A block with prompts ("# ")
has a command's output, too: each line of that must be printed, numbers apart.
Without prompts, every line is a command. SECTION is a heading; "" is what is
before the first one of the second level.
"""
import re
import subprocess
import sys

page, section = sys.argv[1], sys.argv[2]
PLACES = (("balancer", "lb"), ("client", "cl"), ("server", "rs1"), ("of them", "rs1"))
COMMANDS = ("lbadm ", "ip ", "modprobe ", "curl ", "sysctl ", "nft ")


def lines_of_section():
    now = ""
    for line in open(page, encoding="utf-8").read().splitlines():
        if line.startswith("## "):
            now = line[3:]
        elif now == section:
            yield line


def blocks():
    """(paragraph before, lines)"""
    text, block = "", []
    for line in [*lines_of_section(), "end"]:
        if line.startswith("    ") or (block and not line):
            block.append(line[4:])
            continue
        if block:
            yield text, block
            text, block = "", []
        # A blank line ends a paragraph; the last one before a block counts.
        text = text + " " + line if line else "" if text.endswith(".") else text


def place(text, default):
    return next((where for word, where in PLACES if word in text.lower()), default)


def run(where, command):
    """Its output. The module is loaded."""
    command = command.split("   #")[0].strip()
    if command.startswith("modprobe nflb"):
        command = "test -e /proc/sys/net/nflb"
    print(f"# {where}: {command}", flush=True)
    done = subprocess.run(["nsenter", f"--net=/run/netns/{where}", "--", "bash", "-c",
                           command], capture_output=True, text=True, check=False)
    if command.startswith("curl"):
        return done.stdout + done.stderr
    assert not done.returncode, f"{command}: {done.stderr}"
    return done.stdout


def masked(line):
    return re.sub(r"\d+", "N", re.sub(r" +", " ", line)).strip()


def compare(command, printed, output):
    real = [masked(line) for line in output.splitlines()]
    for line in printed:
        if line and line != "...":
            assert masked(line) in real, f"{command}\nhas not printed: {line}\nbut: {output}"


count, where = 0, "lb"
for before, lines in blocks():
    prompts = any(line.startswith("# ") and line[2:].startswith(COMMANDS) for line in lines)
    if not prompts and not all(line.startswith(COMMANDS) for line in lines if line):
        continue  # a drawing
    where = place(before, where)
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line:
            continue
        expected = []
        if prompts:
            line = line[2:]
            # A comment of the output is no prompt.
            while at < len(lines) and not (lines[at].startswith("# ") and
                                           lines[at][2:].startswith(COMMANDS)):
                expected.append(lines[at])
                at += 1
        times = 6 if line.startswith("curl") else 1
        for _ in range(times):
            output = run(where, line)
        if line.startswith("curl"):
            assert expected, f"{line}: what does it print?"
        compare(line, expected, output)
        count += 1
assert count, "no command was found"
print(f"# {page}, {section or 'the beginning'}: {count} commands")
