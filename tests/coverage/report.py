#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Lines of kmod/ that ran: report.py [OPTIONS] GCDA-DIRECTORY BUILD-DIRECTORY ...

Each GCDA-DIRECTORY has what a kernel counted, below the paths of the objects; the
notes of the compiler (.gcno) are beside the objects in the BUILD-DIRECTORY. A line
counts once, however many objects it is compiled into (headers), and ran if it ran in
one of them.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--least", type=float, default=0)
parser.add_argument("--missed", default="/dev/null")
parser.add_argument("--source", required=True)
parser.add_argument("directory", nargs="+")
options = parser.parse_args()

lines = collections.defaultdict(dict)      # file -> line -> times
functions = collections.defaultdict(dict)  # file -> name -> (line, times)


def read(gcda_dir, build):
    found = 0
    for where, _, names in os.walk(gcda_dir):
        for name in names:
            if not name.endswith(".gcda"):
                continue
            gcda = os.path.join(where, name)
            gcno = "/" + os.path.relpath(gcda, gcda_dir)[:-5] + ".gcno"
            if not os.path.exists(gcno):
                continue
            with tempfile.TemporaryDirectory() as work:
                shutil.copy(gcda, work)
                shutil.copy(gcno, work)
                out = subprocess.run(
                    ["gcov", "--json-format", "--stdout", name], cwd=work,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
            for text in out.splitlines():
                add(json.loads(text), build)
            found += 1
    return found


def add(data, build):
    for entry in data["files"]:
        path = os.path.normpath(os.path.join(
            data.get("current_working_directory", "/"), entry["file"]))
        if not path.startswith(build + "/kmod/"):
            continue
        path = path[len(build) + 1:]
        if path.startswith("kmod/toa/"):
            continue
        here = lines[path]
        for line in entry["lines"]:
            n = line["line_number"]
            here[n] = here.get(n, 0) + line["count"]
        for f in entry["functions"]:
            n, times = functions[path].get(f["name"], (f["start_line"], 0))
            functions[path][f["name"]] = n, times + f["execution_count"]


found = [read(os.path.abspath(g), os.path.abspath(b)) for g, b in
         zip(options.directory[::2], options.directory[1::2])]
if not lines:
    print("not ok coverage/total: nothing was counted (%s files)" % found)
    sys.exit(1)

total = ran = 0
print("%-36s %7s %7s %7s" % ("# file", "lines", "ran", "%"))
for path in sorted(lines):
    n, r = len(lines[path]), sum(map(bool, lines[path].values()))
    total, ran = total + n, ran + r
    print("# %-34s %7d %7d %7.1f" % (path, n, r, 100 * r / n))
print("# %-34s %7d %7d %7.1f" % ("total", total, ran, 100 * ran / total))

with open(options.missed, "w") as out:
    for path in sorted(lines):
        missed = sorted(n for n, times in lines[path].items() if not times)
        if not missed:
            continue
        print("%s: %d lines" % (path, len(missed)), file=out)
        never = sorted((n, name) for name, (n, times) in functions[path].items()
                       if not times)
        if never:
            print("  functions: " + ", ".join(name for _, name in never),
                  file=out)
        with open(os.path.join(options.source, path)) as f:
            text = f.read().split("\n")
        for n in missed:
            print("  %5d %s" % (n, text[n - 1] if n <= len(text) else ""), file=out)
print("# the %d lines that did not run: %s" % (total - ran, options.missed))
good = 100 * ran / total >= options.least
print("%s coverage/total: %.1f %% of %d lines of kmod/, at least %g %% wanted" % (
    "ok" if good else "not ok", 100 * ran / total, total, options.least))
sys.exit(not good)
