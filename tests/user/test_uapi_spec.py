#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The netlink specification, the uapi header, the kernel's policies and
operations, and the documentation of drop reasons say the same."""

import os
import re
import sys

import yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def read(path):
    with open(os.path.join(os.environ.get("NFLB_TOP", TOP), path)) as f:
        return f.read()


SPEC = yaml.safe_load(read("docs/netlink/specs/nflb.yaml"))
HEADER = re.sub(r"/\*.*?\*/", "", read("include/uapi/linux/nflb.h"),
                flags=re.S)
PARSE = read("kmod/control/genl_parse.c")
GENL = read("kmod/control/genl.c")


def upper(*parts):
    return "".join(parts).upper().replace("-", "_")


def header_enums():
    """{enum: {name: value}}, without the helpers for the maximum."""
    enums = {}
    for name, body in re.findall(r"enum (\w+) \{(.*?)\};", HEADER, re.S):
        value, values = -1, {}
        for item in filter(None, (i.strip() for i in body.split(","))):
            key, _, expr = (p.strip() for p in item.partition("="))
            if key.endswith("_MAX"):
                continue
            value = int(expr, 0) if expr else value + 1
            values[key] = value
        enums[name] = values
    return enums


def spec_enums():
    """What the header should have, by the specification."""
    enums = {}
    for d in SPEC["definitions"]:
        if d["type"] == "enum":
            enums[upper("nflb-", d["name"]).lower()] = {
                upper(d["name-prefix"], e): i
                for i, e in enumerate(d["entries"])}
    for s in SPEC["attribute-sets"]:
        values = {upper(s["name-prefix"], "unspec"): 0}
        for i, a in enumerate(s["attributes"], 1):
            values[upper(s["name-prefix"], a["name"])] = i
        enums[s["enum-name"].replace("-", "_")] = values
    ops = SPEC["operations"]
    enums[ops["enum-name"].replace("-", "_")] = {
        upper(ops["name-prefix"], name): i for i, name in enumerate(
            ["unspec"] + [o["name"] for o in ops["list"]])}
    return enums


def test_enums():
    header, spec = header_enums(), spec_enums()
    assert set(header) == set(spec), set(header) ^ set(spec)
    for name in header:
        assert header[name] == spec[name], "%s: %s" % (
            name, set(header[name].items()) ^ set(spec[name].items()))


def test_constants():
    defines = dict(re.findall(r"#define\s+NFLB_(\w+)\s+(\S+)", HEADER))
    consts = {upper(d["name"]): str(d["value"])
              for d in SPEC["definitions"] if d["type"] == "const"}
    assert defines.pop("GENL_NAME") == '"%s"' % SPEC["name"]
    assert defines.pop("GENL_VERSION") == "1"
    groups = {v for k, v in defines.items() if k.startswith("MCGRP_")}
    assert groups == {'"%s"' % g["name"]
                      for g in SPEC["mcast-groups"]["list"]}
    rest = {k: v for k, v in defines.items() if not k.startswith("MCGRP_")}
    assert rest == consts, (rest, consts)


TYPES = {"u8": "NLA_U8", "u16": "NLA_U16", "u32": "NLA_U32",
         "binary": "NLA_BINARY", "string": "NLA_NUL_STRING",
         "flag": "NLA_FLAG", "nest": "NLA_NESTED"}


def policies():
    """{attribute: its policy as text}"""
    text = PARSE.replace("TIMEOUT_POLICY", "NLA_POLICY_FULL_RANGE(NLA_U32)")
    found = {}
    for body in re.findall(
            r"nla_policy \w+\[[^]]*\] = \{\n(.*?)\n\};", text, re.S):
        for key, value in re.findall(
                r"\[(NFLB_A_\w+)\] =\s*(.*?)(?=,\n\t\[|,?\Z)", body, re.S):
            found[key] = value
    return found


def test_policies():
    """What a request may carry has the type that is specified; what only an
    answer carries is rejected."""
    found = policies()
    requests = {"nflb", "service", "backend", "filter"}
    for s in SPEC["attribute-sets"]:
        if s["name"] not in requests:
            continue
        for a in s["attributes"]:
            name = upper(s["name-prefix"], a["name"])
            if a["type"] == "pad":
                continue
            assert name in found, "no policy of " + name
            policy = found.pop(name)
            if "NLA_REJECT" in policy:
                continue
            want = TYPES[a["type"]]
            if a["type"] == "nest":
                assert "NLA_POLICY_NESTED" in policy or want in policy, name
            else:
                assert want in policy, "%s: %s" % (name, policy)
    assert not found, "not in the specification: %s" % set(found)


def op_blocks():
    body = re.search(r"nflb_genl_ops\[\] = \{(.*?)\n\};", GENL, re.S).group(1)
    return {re.search(r"NFLB_CMD_(\w+)", b).group(1): b
            for b in body.split("}, {")}


def test_operations():
    blocks = op_blocks()
    for op in SPEC["operations"]["list"]:
        name = upper(op["name"])
        if "event" in op:
            assert name not in blocks
            continue
        block = blocks.pop(name)
        assert (".doit" in block) == ("do" in op), name
        assert (".dumpit" in block) == ("dump" in op), name
        admin = "uns-admin-perm" in op.get("flags", [])
        assert ("GENL_UNS_ADMIN_PERM" in block) == admin, name
    assert not blocks, blocks


def test_everything_that_changes_needs_admin():
    for op in SPEC["operations"]["list"]:
        verb = op["name"].split("-")[1]
        changes = verb in ("add", "set", "replace", "del", "flush", "zero")
        assert ("uns-admin-perm" in op.get("flags", [])) == changes, op


def test_nests_exist():
    sets = {s["name"] for s in SPEC["attribute-sets"]}
    enums = {d["name"] for d in SPEC["definitions"] if d["type"] == "enum"}
    for s in SPEC["attribute-sets"]:
        for a in s["attributes"]:
            if a["type"] == "nest":
                assert a["nested-attributes"] in sets, a
            assert a.get("enum") in enums | {None}, a
    names = {a["name"] for a in SPEC["attribute-sets"][0]["attributes"]}
    for op in SPEC["operations"]["list"]:
        for part in [op.get("event", {})] + [
                op.get(k, {}).get(d, {}) for k in ("do", "dump")
                for d in ("request", "reply")]:
            assert set(part.get("attributes", [])) <= names, op


def test_reasons_are_documented():
    table = re.search(r"#define NFLB_REASONS\(X\)(.*?)\n\n",
                      read("kmod/nflb.h"), re.S).group(1)
    reasons = re.findall(r'X\(\w+,\s+"([a-z-]+)"\)', table)
    documented = re.findall(r"^\| `([a-z-]+)` \|", read("docs/reasons.md"),
                            re.M)
    assert len(reasons) > 10 and reasons == documented, \
        set(reasons) ^ set(documented)


def main():
    failed = 0
    tests = sorted(k for k in globals() if k.startswith("test_"))
    for number, name in enumerate(tests, 1):
        try:
            globals()[name]()
            print("ok %d - %s" % (number, name))
        except (AssertionError, KeyError, AttributeError, OSError) as e:
            failed += 1
            print("not ok %d - %s: %s: %s" % (number, name,
                                              type(e).__name__, e))
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
