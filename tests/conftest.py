# SPDX-License-Identifier: GPL-2.0
"""What all tests that pytest runs have in common."""


def pytest_terminal_summary(terminalreporter):
    """The sum that tests/run reads."""
    def reports(*kinds):
        return [r for kind in kinds for r in terminalreporter.stats.get(kind, ())]
    for report in reports("skipped"):
        terminalreporter.write_line("skip %s" % report.nodeid)
    terminalreporter.write_line("# %d passed, %d failed" % (
        len(reports("passed")), len(reports("failed", "error"))))
