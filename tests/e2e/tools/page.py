#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""page.py PAGE SECTION [FIRST-LAST] [HOST]: type the commands of a page of the documentation.

PAGE is a file of docs/, or README.md. SECTION is a heading of the second level; "" is the
text before the first one. Of the section's blocks with commands, those from FIRST to LAST
are typed, or all. On HOST; without it, the paragraph before a block tells where: on the
balancer if it mentions that, else on a client, else on a server. Each line that the page has
of a command's output must be printed, numbers apart. A command fails only if the page has its
error message. Commands of tests/e2e/pages-not-typed are left out.

With NFLB_PAGES set, nothing is compared: a copy of the page with the output as it is now
goes to that directory (scripts/docs-output). Where a page leaves lines out ("..."), it
keeps as many lines before that as it had.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import pages  # noqa: E402

page, section = sys.argv[1:3]
options = sys.argv[3:]
PLACES = (("balancer", "lb"), ("client", "cl"), ("server", "rs1"), ("of them", "rs1"))
PAGES = os.environ.get("NFLB_PAGES")
copy = os.path.join(PAGES, page) if PAGES else None
first, last, fixed = 1, 999, None
for option in options:
    if "-" in option:
        first, last = map(int, option.split("-"))
    else:
        fixed = option
# Another section may have been refreshed before.
with open(copy if copy and os.path.exists(copy) else pages.path_of(page), encoding="utf-8") as f:
    whole = f.read().splitlines()


def wanted():
    """The blocks, each with its commands"""
    number = 0
    for block in pages.blocks(whole):
        found = pages.commands(block) if block.section == section else []
        number += bool(found)
        if found and first <= number <= last:
            yield block, found


def place(text, default):
    return fixed or next((where for word, where in PLACES if word in text.lower()), default)


def run(where, command, expected):
    """Its output. The module is loaded."""
    command = command.split("   #")[0].strip()
    if command.startswith("modprobe nflb"):
        command = "test -e /proc/sys/net/nflb"
    print(f"# {where}: {command}", flush=True)
    done = subprocess.run(["nsenter", f"--net=/run/netns/{where}", "--", "bash", "-c",
                           command], capture_output=True, text=True, check=False)
    if command.startswith("curl") or any(line.startswith("lbadm: ") for line in expected):
        return done.stdout + done.stderr
    # A difference is no failure.
    good = (0, 4) if "config diff" in command else (0,)
    assert done.returncode in good, f"{command}: {done.returncode}: {done.stderr}"
    return done.stdout


def masked(line):
    """Without numbers, with or without a unit, and widths of columns"""
    line = re.sub(r"\d+(\.\d+)?[KMGT](?=B?\b)", "N", re.sub(r" +", " ", line))
    return re.sub(r"\d+", "N", line).strip()


def refresh(begin, indent, printed, output):
    """Put the output where the page has the old one: from line @begin on."""
    while printed and not printed[-1]:
        printed = printed[:-1]
    kept = [line.rstrip() for line in output.splitlines()]
    if "..." in printed:
        at = printed.index("...")
        if at != len(printed) - 1:
            return  # what is left out can be told by a reader only
        kept = kept[:at] + ["..."]
    changes.append((begin, len(printed), [(" " * indent + line).rstrip() for line in kept]))


def compare(command, printed, output):
    real = [masked(line) for line in output.splitlines()]
    for line in printed:
        # In a long line, "..." is the rest.
        line = masked(line)
        found = any(r.startswith(line[:-3]) for r in real) if line.endswith("...") else (
            line in real)
        assert found or not line, f"{command}\nhas not printed: {line}\nbut: {output}"


count, where, changes = 0, "lb", []
for block, found in wanted():
    where = place(block.before, where)
    for number, line, expected in found:
        if pages.is_skipped(page, section, line):
            continue
        curl = line.startswith("curl")
        for _ in range(6 if curl else 1):
            output = run(where, line, expected)
        assert expected or not curl, f"{line}: what does it print?"
        if PAGES and not curl:
            refresh(block.first + number + 1, block.indent, expected, output)
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
