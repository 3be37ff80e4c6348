#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The commands of the pages of the documentation, and which tests type them.

A block is indented by four. It has commands with prompts ("# ") and their output; or every
line is a command or a comment. A block is a file if one of its first two lines is a comment
with its path.

    pages.py        check that a test types each command, or that tests/e2e/pages-not-typed
                    has a reason why none does
"""

import collections
import fnmatch
import glob
import os
import re
import sys
import textwrap

E2E = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(os.path.dirname(E2E))
# A page whose output a test of the tool compares
OUTPUTS = {"show.md": "tests/user/output_test.py"}
# First words of commands
WORDS = ("lbadm ip modprobe curl sysctl nft make apt-get systemctl rmmod cat echo nflb-toa dkms "
         "modinfo clang journalctl rm ipvsadm ipvsadm-save awk printf cd ./cli.py ls dmesg "
         "mokutil reboot ethtool tc bpftool").split()
COMMAND = re.compile(rf"([A-Z_]+=(\S+|\"[^\"]*\") )?({'|'.join(map(re.escape, WORDS))}|(tools|tests|scripts|/usr)/\S+)( |$)")

# Of a page: the heading of the second level, the paragraph before, the number of the first
# line, the indentation (more than four in a list), and the lines without it
Block = collections.namedtuple("Block", "section before first indent lines")


def path_of(page):
    return os.path.join(TOP, page if page == "README.md" else "docs/" + page)


def blocks(lines):
    section, text, block, first = "", "", [], 0
    for number, line in enumerate([*lines, "end"]):
        if line.startswith("    ") or (block and not line):
            first = first if block else number
            block.append(line)
            continue
        if block:
            bare = textwrap.dedent("\n".join(block)).split("\n")
            yield Block(section, text, first, len(block[0]) - len(bare[0]), bare)
            text, block = "", []
        if line.startswith("## "):
            section = line[3:]
        # A blank line ends a paragraph; the last one before a block counts.
        text = text + " " + line if line else "" if text.endswith(".") else text


def is_command(line):
    return bool(COMMAND.match(line))


def is_file(block):
    return any(re.match(r"[#!] /\S|[#!] \S+\.conf$|#!/", line) for line in block.lines[:2])


def has_prompts(block):
    return any(line.startswith("# ") and is_command(line[2:]) for line in block.lines)


def commands(block):
    """[(line within the block, command, lines of output)]; none if it is a file or a drawing.
    Raises ValueError where it cannot be told which lines are commands."""
    lines = block.lines
    if has_prompts(block):
        found = []
        for number, line in enumerate(lines):
            if line.startswith("# ") and is_command(line[2:]):
                found.append((number, line[2:], []))
            elif found:
                found[-1][2].append(line)
        return found
    rest = [line for line in lines if line and not line.startswith("# ")]
    if is_file(block) or not rest or not any(map(is_command, rest)):
        return []
    if not all(map(is_command, rest)):
        if is_command(rest[0]):
            raise ValueError("commands and their output need prompts")
        return []
    return [(number, line, []) for number, line in enumerate(lines) if line in rest and line]


def read(page):
    with open(path_of(page), encoding="utf-8") as file:
        return file.read().splitlines()


# --- what is typed ------------------------------------------------------------------

def not_typed():
    """[(page, pattern, reason)]"""
    found = []
    with open(os.path.join(E2E, "pages-not-typed"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                page, pattern, reason = (x.strip() for x in line.split(" | ", 2))
                found.append((page, pattern, reason))
    return found


def matches(page, section, command, entry):
    return entry[0] in (page, f"{page}, {section}") and fnmatch.fnmatchcase(command, entry[1])


def is_skipped(page, section, command):
    return any(matches(page, section, command, entry) for entry in not_typed())


def typed_sections():
    """{(page, section): numbers of the blocks, or None for all}"""
    found = {}
    shell = re.compile(r"\bpage (\S+\.md) (['\"])(.*?)\2(?: (\d+)-(\d+))?")
    for name in glob.glob(os.path.join(E2E, "[0-9]*")):
        with open(name, encoding="utf-8") as file:
            text = file.read()
        for page, _, section, first, last in shell.findall(text):
            numbers = set(range(int(first), int(last) + 1)) if first else None
            old = found.get((page, section), set())
            found[page, section] = None if numbers is None or old is None else old | numbers
        page = re.search(r'^PAGE = "(.*)"$', text, re.M)
        for section in re.findall(r'type_section\(PAGE, "(.*?)"', text):
            found[page[1], section] = None
    return found


def problems(page, typed, used):
    """What is wrong with a page; adds to @used the entries of not_typed() that it needs."""
    count = collections.Counter()
    for block in blocks(read(page)):
        where = f"{os.path.relpath(path_of(page), TOP)}:{block.first + 1}"
        try:
            found = commands(block)
        except ValueError as error:
            yield f"{where}: {error}"
            continue
        count[block.section] += bool(found)
        numbers = typed.get((page, block.section), set())
        for _, command, _ in found:
            entries = [e for e in not_typed() if matches(page, block.section, command, e)]
            used.update(entries)
            if not entries and numbers is not None and count[block.section] not in numbers:
                yield f"{where}: no test types: {command}"


def check():
    typed, used, bad = typed_sections(), set(), []
    pages = ["README.md"] + sorted(
        os.path.basename(p) for p in glob.glob(os.path.join(TOP, "docs/*.md")))
    for page in pages:
        if page not in OUTPUTS:
            bad += problems(page, typed, used)
        elif not os.path.exists(os.path.join(TOP, OUTPUTS[page])):
            bad.append(f"{OUTPUTS[page]}, which types {page}, is missing")
    sections = {(p, b.section) for p in pages for b in blocks(read(p))}
    bad += [f"tests type {page}, '{section}', which is not there"
            for page, section in sorted(set(typed) - sections)]
    bad += [f"tests/e2e/pages-not-typed: {page} has no command \"{pattern}\""
            for page, pattern, _ in (e for e in not_typed() if e not in used)]
    for line in bad:
        print(line)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(check())
