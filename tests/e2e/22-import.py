#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
# topology: none
"""What `lbadm import` makes of each file of tests/user/ipvs, the kernel takes, and gives
back."""

import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from rawnet import LBADM, Suite, run  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = sorted(glob.glob(os.path.join(HERE, "../user/ipvs/*.save")))
suite = Suite("import")


def words(path):
    with open(path, encoding="utf-8") as f:
        first = f.readline()
    return first[2:].split() if first.startswith("# fwmark ") else []


def lb(*args, **kw):
    return run(LBADM, "-n", "lb", *args, **kw)


def said(services):
    """What a file says, of each service and its backends."""
    return {(s["protocol"], s["address"], s["port"]):
            {**{k: v for k, v in s.items() if k != "backends"},
             "backends": {(b["address"], b.get("port")): b for b in s["backends"]}}
            for s in services}


def holds(asked, got, where=""):
    """All that was asked for is there; the kernel may say more."""
    for key, value in asked.items():
        name = "%s %s" % (where, key)
        if isinstance(value, dict):
            assert key in got, name
            holds(value, got[key], name)
        else:
            # Off, none and the port that is the service's own are left out.
            have = got.get(key, {"encap": "none", "persist-prefix4": 32}.get(key))
            assert have == value, "%s: %s, not %s" % (name, have, value)


@suite.case(*[os.path.basename(path)[:-5] for path in FILES])
def taken(net, name):
    path = os.path.join(HERE, "../user/ipvs", name + ".save")
    made = run(LBADM, "import", "ipvsadm", path, "--keep-going", *words(path),
               check=False)
    run(LBADM, "config", "check", "-", input=made)
    lb("config", "apply", "-", input=made)
    saved = json.loads(lb("config", "save", "-"))
    asked = said(json.loads(made)["services"])
    assert set(asked) == set(said(saved["services"]))
    holds(asked, said(saved["services"]), name)
    lb("config", "apply", "-", input=made)
    assert json.loads(lb("config", "save", "-")) == saved
    lb("config", "flush")
    assert json.loads(lb("-j", "service", "show")) == []


if __name__ == "__main__":
    sys.exit(suite.main(sys.argv))
