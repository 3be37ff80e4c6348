#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do the workflows of the forge run parts that tests/run has, and each night all of them?
What another part needs, tests/run runs by itself, and ci.yml runs `check` in steps."""
import pathlib
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
import parts  # noqa: E402


def matrix(name):
    """The parts that the jobs of a workflow run."""
    jobs = yaml.safe_load((TOP / ".github/workflows" / name).read_text())["jobs"]
    return {part for job in jobs.values()
            for entry in job.get("strategy", {}).get("matrix", {}).get("part", ())
            for part in entry.split()}


def main():
    every = {p.name: p for p in parts.parts("all") + parts.parts("test")}
    needed = {n for p in every.values() for n in p.needs}
    # On each push
    pushed = {"check", "tools-check"} | matrix("ci.yml")
    missing = {p.name for p in parts.parts("all")} - matrix("nightly.yml") - pushed - needed
    unknown = (matrix("nightly.yml") | matrix("ci.yml")) - every.keys()
    for part in sorted(missing):
        print(f"nightly.yml does not run {part}")
    for part in sorted(unknown):
        print(f"there is no part {part}")
    return bool(missing or unknown)


if __name__ == "__main__":
    sys.exit(main())
