#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""page.py PAGE SECTION: run what a page of the documentation says.

A block is indented by four. The paragraph before it tells where it is typed: if
it speaks of the balancer there, else of a client, else of servers. A block with prompts ("# ")
has a command's output, too: each line of that must be printed, numbers apart.
Without prompts, every line is a command. SECTION is a heading; "" is what is
before the first one of the second level.

With NFLB_PAGES set, nothing is compared: a copy of the page with the output as it is now
goes to that directory (scripts/docs-output). Where a page leaves lines out ("..."), it
keeps as many lines before that as it had.
"""
import os
import re
import subprocess
import sys

page, section = sys.argv[1], sys.argv[2]
PLACES = (("balancer", "lb"), ("client", "cl"), ("server", "rs1"), ("of them", "rs1"))
COMMANDS = ("lbadm ", "ip ", "modprobe ", "curl ", "sysctl ", "nft ")


PAGES = os.environ.get("NFLB_PAGES")
copy = os.path.join(PAGES, os.path.basename(page)) if PAGES else None
if copy and os.path.exists(copy):
    page = copy     # another section was refreshed before
with open(page, encoding="utf-8") as f:
    whole = f.read().splitlines()


def lines_of_section():
    """(number, line)"""
    now = ""
    for number, line in enumerate(whole):
        if line.startswith("## "):
            now = line[3:]
        elif now == section:
            yield number, line


def blocks():
    """(paragraph before, number of the first line, lines)"""
    text, block, first = "", [], 0
    for number, line in [*lines_of_section(), (0, "end")]:
        if line.startswith("    ") or (block and not line):
            first = first if block else number
            block.append(line[4:])
            continue
        if block:
            yield text, first, block
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
    """Without numbers, with or without a unit, and widths of columns"""
    line = re.sub(r"\d+(\.\d+)?[KMGT](?=B?\b)", "N", re.sub(r" +", " ", line))
    return re.sub(r"\d+", "N", line).strip()


def refresh(first, printed, output):
    """Put the output where the page has the old one: from line @first on."""
    while printed and not printed[-1]:
        printed = printed[:-1]
    kept = [line.rstrip() for line in output.splitlines()]
    if "..." in printed:
        at = printed.index("...")
        if at != len(printed) - 1:
            return  # what is left out can be told by a reader only
        kept = kept[:at] + ["..."]
    changes.append((first, len(printed), [("    " + line).rstrip() for line in kept]))


def compare(command, printed, output):
    real = [masked(line) for line in output.splitlines()]
    for line in printed:
        if line and line != "...":
            assert masked(line) in real, f"{command}\nhas not printed: {line}\nbut: {output}"


count, where, changes = 0, "lb", []
for before, begin, lines in blocks():
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
        if PAGES and not line.startswith("curl"):
            refresh(begin + at - len(expected), expected, output)
        else:
            compare(line, expected, output)
        count += 1
assert count, "no command was found"
if copy:
    for begin, length, output in reversed(changes):
        if length:
            whole[begin:begin + length] = output
    os.makedirs(PAGES, exist_ok=True)
    with open(copy, "w", encoding="utf-8") as f:
        f.write("\n".join(whole) + "\n")
print(f"# {page}, {section or 'the beginning'}: {count} commands")
