# SPDX-License-Identifier: GPL-2.0
"""The netlink specification, the uapi header, what the module takes, answers
and tells, and the documentation say the same. Each is held against the others
in both directions: what only one of them has is an error too.

NFLB_TOP names another tree to look at."""

import json
import os
import re

import yaml

TOP = os.environ.get("NFLB_TOP", os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../.."))


def read(path):
    with open(os.path.join(TOP, path)) as f:
        return f.read()


def code(path):
    """A C file without its comments."""
    return re.sub(r"/\*.*?\*/", "", read(path), flags=re.S)


SPEC = yaml.safe_load(read("docs/netlink/specs/nflb.yaml"))
HEADER = code("include/uapi/linux/nflb.h")
PARSE = "".join(code("kmod/control/genl_%s.c" % f)
                for f in ("parse", "parse_backend", "laddr"))
FILL = "".join(code("kmod/control/genl_%s.c" % f)
               for f in ("fill", "conn", "laddr", "device", "explain", "record"))
GENL = code("kmod/control/genl.c")
NOTIFY = "".join(code("kmod/" + f) for f in (
    "control/config.c", "control/config_backend.c", "control/config_laddr.c",
    "control/genl_device.c",
    "control/lifecycle.c", "control/health.c",
    "conn/conn.c", "conn/conn_end.c"))

OPS = {o["name"]: o for o in SPEC["operations"]["list"]}
# Spaces with numbers of their own; the others are parts of these.
SETS = {s["name"]: s for s in SPEC["attribute-sets"] if "subset-of" not in s}
SUBSETS = {s["name"]: s for s in SPEC["attribute-sets"] if "subset-of" in s}
ENUMS = {d["name"]: d for d in SPEC["definitions"] if d["type"] == "enum"}
CONSTS = {d["name"]: d["value"] for d in SPEC["definitions"]
          if d["type"] == "const"}


def upper(*parts):
    return "".join(parts).upper().replace("-", "_")


def same(got, want, what):
    """Two sets or dictionaries are equal, or the message says in what not."""
    if isinstance(got, dict):
        got, want = set(got.items()), set(want.items())
    assert got == want, "%s: only one has %s" % (what, sorted(got ^ want))


def attributes():
    """(name in C, attribute) of all attributes with a number of their own"""
    for s in SETS.values():
        for a in s["attributes"]:
            yield upper(s["name-prefix"], a["name"]), a


# --- the specification itself --------------------------------------------------

# The kernel's genetlink-legacy schema, as far as it is used here.
SCHEMA = {
    "family": {"name", "protocol", "uapi-header", "c-family-name",
               "c-version-name", "version", "kernel-policy", "doc",
               "definitions", "attribute-sets", "operations", "mcast-groups"},
    "definition": {"name", "type", "value", "doc", "entries", "name-prefix",
                   "enum-name", "render-max"},
    "set": {"name", "enum-name", "name-prefix", "attributes", "doc"},
    "subset": {"name", "subset-of", "attributes", "doc"},
    "attribute": {"name", "type", "doc", "byte-order", "multi-attr", "enum",
                  "nested-attributes", "checks"},
    "checks": {"min", "max", "min-len", "max-len"},
    "operations": {"enum-model", "enum-name", "name-prefix", "list"},
    "operation": {"name", "doc", "attribute-set", "flags", "do", "dump",
                  "event", "mcgrp"},
    "call": {"request", "reply"},
    "message": {"attributes"},
}
TYPES = {"u8", "u16", "u32", "u64", "binary", "string", "flag", "nest", "pad"}


def keys(kind, node, required=()):
    unknown = set(node) - SCHEMA[kind]
    assert not unknown, "%s %s: unknown %s" % (kind, node.get("name"), unknown)
    for key in required:
        assert node.get(key), "%s %s: no %s" % (kind, node.get("name"), key)


def check_attribute(a, subset):
    keys("attribute", a, ("name",) if subset else ("name", "type"))
    if subset:
        return
    assert a["type"] in TYPES, a
    assert (a["type"] == "nest") == ("nested-attributes" in a), a
    if "nested-attributes" in a:
        assert a["nested-attributes"] in set(SETS) | set(SUBSETS), a
    if "enum" in a:
        assert a["enum"] in ENUMS, a
    assert a.get("byte-order", "big-endian") == "big-endian", a
    checks = a.get("checks", {})
    keys("checks", checks)
    assert all(isinstance(v, int) for v in checks.values()), a


def test_specification_is_in_the_schema():
    keys("family", SPEC, ("name", "doc"))
    assert SPEC["protocol"] == "genetlink-legacy"
    assert SPEC["kernel-policy"] == "global"
    assert SPEC["uapi-header"] == "linux/nflb.h"
    for d in SPEC["definitions"]:
        keys("definition", d, ("name", "type"))
        assert d["type"] in ("const", "enum"), d
    for s in SETS.values():
        keys("set", s, ("name", "attributes"))
    for s in SUBSETS.values():
        keys("subset", s, ("name", "attributes"))
        whole = {a["name"] for a in SETS[s["subset-of"]]["attributes"]}
        assert {a["name"] for a in s["attributes"]} <= whole, s
    for s in SPEC["attribute-sets"]:
        names = [a["name"] for a in s["attributes"]]
        assert len(names) == len(set(names)), s["name"]
        for a in s["attributes"]:
            check_attribute(a, "subset-of" in s)


def test_operations_are_in_the_schema():
    keys("operations", SPEC["operations"])
    assert SPEC["operations"]["enum-model"] == "unified"
    top = {a["name"] for a in SETS["nflb"]["attributes"]}
    groups = {g["name"] for g in SPEC["mcast-groups"]["list"]}
    for op in OPS.values():
        keys("operation", op, ("name", "doc", "attribute-set"))
        assert op["attribute-set"] == "nflb", op
        assert "event" in op or "mcgrp" not in op, op
        assert op.get("mcgrp") in groups | {None}, op
        messages = [op["event"]] if "event" in op else []
        for call in (op[k] for k in ("do", "dump") if k in op):
            keys("call", call)
            messages += call.values()
        for message in messages:
            keys("message", message)
            assert set(message.get("attributes", [])) <= top, op


# --- the header ------------------------------------------------------------------

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
    for name, d in ENUMS.items():
        enums[upper("nflb-", name).lower()] = {
            upper(d["name-prefix"], e): i for i, e in enumerate(d["entries"])}
    for s in SETS.values():
        values = {upper(s["name-prefix"], "unspec"): 0}
        for i, a in enumerate(s["attributes"], 1):
            values[upper(s["name-prefix"], a["name"])] = i
        enums[s["enum-name"].replace("-", "_")] = values
    ops = SPEC["operations"]
    enums[ops["enum-name"].replace("-", "_")] = {
        upper(ops["name-prefix"], name): i
        for i, name in enumerate(["unspec"] + list(OPS))}
    return enums


def test_header_has_the_same_names_and_numbers():
    header, spec = header_enums(), spec_enums()
    same(set(header), set(spec), "enums")
    for name in header:
        same(header[name], spec[name], name)


def test_header_ends_enums_with_their_maximum():
    for name, body in re.findall(r"enum (\w+) \{(.*?)\};", HEADER, re.S):
        end = re.search(r"\b(__\w+_MAX),\s*(\w+_MAX) = (__\w+_MAX) - 1\s*$",
                        body)
        assert end, name
        assert end.group(1) == end.group(3) == "__" + end.group(2), name


def test_header_has_the_same_constants():
    defines = dict(re.findall(r"#define\s+NFLB_(\w+)\s+(\S+)", HEADER))
    assert upper(SPEC["c-family-name"]) == "NFLB_GENL_NAME"
    assert upper(SPEC["c-version-name"]) == "NFLB_GENL_VERSION"
    assert defines.pop("GENL_NAME") == '"%s"' % SPEC["name"]
    assert defines.pop("GENL_VERSION") == str(SPEC["version"])
    want = {upper(k): '"%s"' % v if isinstance(v, str) else str(v)
            for k, v in CONSTS.items()}
    defines.pop("UAPI_VERSION")
    for g in SPEC["mcast-groups"]["list"]:
        want[upper("mcgrp-", g["name"])] = '"%s"' % g["name"]
    same(defines, want, "constants")


def test_protocol_version_counts_every_enum():
    """So that it grows with any of them."""
    summed = re.search(r"#define NFLB_UAPI_VERSION \((.*?)\)", HEADER, re.S).group(1)
    same(set(re.findall(r"\w+", summed)),
         set(re.findall(r"(\w+) = __\w+_MAX - 1", HEADER)), "NFLB_UAPI_VERSION")


# --- what the module takes ---------------------------------------------------------

def policies():
    """{attribute: its policy as text}"""
    found = {}
    for body in re.findall(
            r"nla_policy \w+\[[^]]*\] = \{\n(.*?)\n\};", PARSE, re.S):
        for key, value in re.findall(
                r"\[(NFLB_A_\w+)\] =\s*(.*?)(?=,\n\t\[|,?\Z)", body, re.S):
            assert key not in found, key
            found[key] = " ".join(value.replace("NFLB_TIMEOUT_POLICY", (
                "NLA_POLICY_FULL_RANGE(NLA_U32, &nflb_timeout_range)")).split())
    return found


def number(text):
    """The value of a limit as the kernel's source writes it."""
    names = {"NFLB_" + upper(k): v for k, v in CONSTS.items()}
    names |= {"NFLB_TOA_" + k: v for k, v in re.findall(
        r"#define NFLB_TOA_(\w+)\s+(\d+)", read("kmod/forward/toa.h"))}
    for name, d in ENUMS.items():
        names[upper("nflb-", name, "-max")] = len(d["entries"]) - 1
    for name, value in names.items():
        text = re.sub(r"\b%s\b" % name, str(value), text)
    text, _, times = (p.strip() for p in text.partition("*"))
    base, _, less = (p.strip() for p in text.partition("-"))
    base = {"IFNAMSIZ": 16}.get(base, base)  # <linux/if.h>
    return (int(base) - int(less or 0)) * int(times or 1)


NLA = {"u8": "NLA_U8", "u16": "NLA_U16", "u32": "NLA_U32", "u64": "NLA_U64",
       "binary": "NLA_BINARY", "string": "NLA_NUL_STRING",
       "flag": "NLA_FLAG", "nest": "NLA_NESTED"}


def policy_of(text):
    """(type, {check: limit}) of a policy"""
    kind = re.search(r"NLA_(U8|U16|U32|U64|BINARY|NUL_STRING|FLAG|NESTED|"
                     r"REJECT)\b", text)
    limits = {}
    if text.startswith("NLA_POLICY_NESTED("):
        return "NLA_NESTED", limits
    m = re.match(r"NLA_POLICY_MIN_LEN\((.*)\)$", text)
    if m:
        return "NLA_BINARY", {"min-len": number(m.group(1))}
    m = re.match(r"NLA_POLICY_MAX\(\w+, (.*)\)$", text)
    if m:
        limits["max"] = number(m.group(1))
    m = re.match(r"NLA_POLICY_RANGE\(NLA_BINARY, (.*), (.*)\)$", text)
    if m:
        limits["min-len"], limits["max-len"] = map(number, m.groups())
    m = re.match(r"NLA_POLICY_RANGE\(NLA_U8, (.*), (.*)\)$", text)
    if m:
        limits["min"], limits["max"] = map(number, m.groups())
    m = re.match(r"NLA_POLICY_FULL_RANGE\(\w+, &(\w+)\)$", text)
    if m:
        limits["max"] = number(re.search(
            m.group(1) + r" = \{\s*\.max = (\w+),", PARSE).group(1))
    m = re.search(r"\.len = ([^}]*)", text)
    if m:
        limits["max-len"] = number(m.group(1).strip())
    return kind.group(0), limits


def answers_only():
    """Attributes that no request has, by the specification."""
    asked = {a for op in OPS.values() for k in ("do", "dump")
             for a in op.get(k, {}).get("request", {}).get("attributes", [])}
    top = {upper("nflb-a-", a["name"]) for a in SETS["nflb"]["attributes"]}
    for name, a in attributes():
        if name in top:
            if a["name"] not in asked:
                yield name
        elif "in answers only" in a.get("doc", ""):
            yield name


def test_policies_have_the_same_types_and_limits():
    found, rejected = policies(), set(answers_only())
    for s in ("nflb", "service", "backend", "filter", "laddr"):
        for a in SETS[s]["attributes"]:
            name = upper(SETS[s]["name-prefix"], a["name"])
            if a["type"] == "pad":
                continue
            assert name in found, "no policy of " + name
            text = found.pop(name)
            kind, limits = policy_of(text)
            assert (kind == "NLA_REJECT") == (name in rejected), name
            if kind == "NLA_REJECT":
                continue
            assert kind == NLA[a["type"]], "%s: %s" % (name, kind)
            want = dict(a.get("checks", {}))
            if "enum" in a:
                assert upper("nflb-", a["enum"], "-max") in text, name
                want["max"] = len(ENUMS[a["enum"]]["entries"]) - 1
            same(limits, want, name)
    assert not found, "not in the specification: %s" % set(found)


def test_numbers_that_are_read_big_endian_are_so():
    swapped = set(re.findall(r"nla_get_be16\(tb\[(\w+)\]", PARSE))
    plain = set(re.findall(r"nla_get_u\d+\(tb\[(\w+)\]", PARSE))
    for name, a in attributes():
        if "byte-order" in a:
            assert a["type"] == "u16" and name not in plain, name
        else:
            assert name not in swapped, name
    assert swapped


def op_blocks():
    body = re.search(r"nflb_genl_ops\[\] = \{(.*?)\n\};", GENL, re.S).group(1)
    return {re.search(r"NFLB_CMD_(\w+)", b).group(1): b
            for b in body.split("}, {")}


def test_operations_are_those_of_the_module():
    blocks = op_blocks()
    want = {upper(o["name"]): o for o in OPS.values()
            if "do" in o or "dump" in o}
    same(set(blocks), set(want), "operations")
    for name, op in want.items():
        block = blocks[name]
        assert (".doit" in block) == ("do" in op), name
        assert (".dumpit" in block) == ("dump" in op), name
        admin = "uns-admin-perm" in op.get("flags", [])
        assert ("GENL_UNS_ADMIN_PERM" in block) == admin, name


def test_changes_and_connections_need_admin():
    """Who talks to whom is private, as /proc/net/nflb/connections is."""
    for op in OPS.values():
        if "do" not in op and "dump" not in op:
            continue
        if op["name"].startswith(("conn-", "explain")) or \
           op["name"].split("-")[1] in (
                "add", "set", "replace", "del", "flush", "zero"):
            assert "uns-admin-perm" in op.get("flags", []), op


# --- what the module answers and tells ---------------------------------------------

def filled():
    """{attribute: type} of what the module puts into messages"""
    found = {}
    calls = r"\b(nla_put(?:_\w+)?|nla_nest_start|nla_reserve|nflb_fill_addr|put_stats|put_packet|" \
            r"put_flag)" \
            r"\((?:skb|reply), (NFLB_A_\w+)"
    kinds = {"nla_put_u8": "u8", "nla_put_u32": "u32", "nla_put_be16": "be16",
             "nla_put_string": "string", "nla_put_u64_64bit": "u64",
             "nla_nest_start": "nest", "put_stats": "nest",
             "nflb_fill_addr": "binary", "nla_put": "binary", "nla_reserve": "binary",
             "nla_put_flag": "flag", "put_flag": "flag", "put_packet": "nest"}
    for call, name in re.findall(calls, FILL):
        assert found.get(name, kinds[call]) == kinds[call], name
        found[name] = kinds[call]
    return found


def test_answers_have_the_same_types():
    found = filled()
    for name, a in attributes():
        if name not in found:
            continue
        kind = "be16" if "byte-order" in a else a["type"]
        assert found.pop(name) == kind, name
    assert not found, found
    for name in answers_only():
        if not name.endswith("_PAD"):
            assert name in filled(), "never answered: " + name


def test_events_are_those_of_the_module():
    for group, call in (("config", "notify_(?:service|backend|laddr|device|absent)"),
                        (None, "nflb_notify_conn")):
        sent = set(re.findall(call + r"\([^;]*?NFLB_CMD_(\w+)\)", NOTIFY))
        # From the packet path: it allocates without waiting
        if group:
            sent |= set(re.findall(r"genlmsg_put\([^;]*?NFLB_CMD_(\w+)\)",
                                   code("kmod/control/genl_notify.c")))
        same({upper(o["name"]) for o in OPS.values()
              if "event" in o and o.get("mcgrp") == group}, sent, str(group))


def test_groups_are_those_of_the_module():
    registered = set(re.findall(r"\.name = NFLB_MCGRP_(\w+)", GENL))
    same({upper(g["name"]) for g in SPEC["mcast-groups"]["list"]}, registered,
         "groups")


# --- names, and the documentation ------------------------------------------------

def names_in(path, array):
    body = re.search(array + r"\[\] = \{(.*?)\n\};", code(path), re.S)
    return re.findall(r'"([a-z-]+)"', body.group(1))


def test_proc_has_the_same_names():
    proc = "kmod/control/proc.c"
    assert names_in(proc, "mode_names") == ENUMS["mode"]["entries"]
    assert names_in(proc, "backend_state_names") == \
        ENUMS["backend-state"]["entries"]
    assert names_in(proc, "health_names") == ENUMS["health"]["entries"]
    assert names_in("kmod/conn/conn_state.c", "state_names") == \
        ENUMS["conn-state"]["entries"]


def reasons():
    table = re.search(r"#define NFLB_REASONS\(X\)(.*?)\n\n",
                      read("kmod/nflb.h"), re.S).group(1)
    return re.findall(r'X\(\w+,\s+"([a-z-]+)"\)', table)


def test_reasons_are_documented():
    documented = re.findall(r"^\| `([a-z-]+)` \|", read("docs/reasons.md"),
                            re.M)
    same(set(documented), set(reasons()), "docs/reasons.md")
    assert len(reasons()) > 10 and documented == reasons(), "another order"


def test_counters_and_sysctls_are_documented():
    doc = read("docs/proc.md")
    shown = re.search(r"static int stats_show.*?\n\}",
                      code("kmod/control/proc.c"), re.S).group(0)
    for name in re.findall(r"(?<![%\w-])([a-z-]+) %(?:llu|u)\\n", shown):
        assert "`%s`" % name in doc, name
    for name in re.findall(r'\.procname = "(\w+)"',
                           code("kmod/control/sysctl.c")):
        assert "`net.nflb.%s`" % name in doc, name


def test_schedulers_are_those_of_the_module():
    """What lbadm knows, and the schema for editors"""
    kernel = set(re.findall(r'\.name = "([a-z0-9-]+)"', "".join(
        code("kmod/sched/" + f) for f in os.listdir(os.path.join(TOP, "kmod/sched"))
        if f.endswith(".c"))))
    body = re.search(r"schedulers\[\] = \{(.*?)\}",
                     code("userspace/lib/model/names.c"), flags=re.S).group(1)
    same(set(re.findall(r'"(.*?)"', body)), kernel, "schedulers of lbadm")
    schema = json.loads(read("docs/nflb.schema.json"))
    same(set(schema["$defs"]["service"]["properties"]["scheduler"]["enum"]), kernel,
         "schedulers of the schema")


def test_files_of_the_module_are_documented():
    doc = read("kmod/README.md")
    for name in re.findall(r"(\S+)\.o\b", read("kmod/Kbuild")):
        if name != "nflb":
            assert "`%s.c`" % name in doc, "kmod/README.md: no " + name
