# SPDX-License-Identifier: GPL-2.0
"""Tests of lbadm that are not written in Python: a program in C (NAME_test.c, built by the
Makefile) or a script (NAME_test.sh) that speaks the Test Anything Protocol. Each of its
results is a test. The program runs when pytest collects them."""

import os
import re
import subprocess

import pytest

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(__file__),
                                             "../../userspace/build"))
RESULT = re.compile(r"(not )?ok \d+ - (.*)")
PLAN = re.compile(r"1\.\.(\d+)")


def pytest_collect_file(file_path, parent):
    if file_path.name.endswith("_test.sh"):
        return TapFile.from_parent(parent, path=file_path, command=["bash", file_path])
    if file_path.name.endswith("_test.c"):
        program = os.path.join(BUILD, "test", file_path.stem)
        return TapFile.from_parent(parent, path=file_path, command=[program])
    return None


class TapFile(pytest.File):
    def __init__(self, command, **kw):
        super().__init__(**kw)
        self.command = command

    def collect(self):
        if not os.path.exists(self.command[-1]):
            raise self.CollectError("%s is missing: run make -C userspace check" %
                                    self.command[-1])
        done = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False,
                              env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
        items, plan, said = [], None, []
        for line in done.stdout.splitlines():
            if result := RESULT.match(line):
                said = [line]
                items.append(TapItem.from_parent(self, name=result[2], said=said,
                                                 failed=bool(result[1])))
            elif match := PLAN.match(line):
                plan = int(match[1])
            else:
                # Lines after a result explain it.
                said.append(line)
        if plan != len(items) or (done.returncode and not any(i.failed for i in items)):
            items.append(TapItem.from_parent(
                self, name="to its end", failed=True,
                said=[done.stdout, "status %d after %d tests" % (done.returncode, len(items))]))
        return items


class TapItem(pytest.Item):
    def __init__(self, said, failed, **kw):
        super().__init__(**kw)
        self.said, self.failed = said, failed

    def runtest(self):
        if self.failed:
            pytest.fail("\n".join(self.said), pytrace=False)

    def reportinfo(self):
        return self.path, None, self.name
