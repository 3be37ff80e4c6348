# SPDX-License-Identifier: GPL-2.0
"""Run the functions of a module whose names begin with test_, and report them
in the Test Anything Protocol. One returns why it was skipped, if it was."""

import traceback


def run(functions):
    """Returns the exit status."""
    failed = 0
    tests = sorted(k for k in functions if k.startswith("test_"))
    for number, name in enumerate(tests, 1):
        try:
            skipped = functions[name]()
            print("ok %d - %s%s" % (number, name,
                                    " # SKIP " + skipped if skipped else ""))
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print("not ok %d - %s" % (number, name))
            text = traceback.format_exc() if not isinstance(
                e, AssertionError) or not str(e) else str(e)
            print("\n".join("    " + line for line in text.splitlines()))
    print("1..%d" % len(tests), flush=True)
    return 1 if failed else 0
