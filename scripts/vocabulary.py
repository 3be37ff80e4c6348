#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Generate files from the description of lbadm's words
(userspace/lib/model/vocabulary.h): lists of options in the man pages, between the lines
  .\\" vocabulary: LIST   and   .\\" vocabulary end
and keys, values and descriptions of docs/nflb.schema.json. lbadm has to be built.

  scripts/vocabulary.py           write them
  scripts/vocabulary.py --check   say which are stale; the exit status is 1 then
"""
import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
LBADM = os.environ.get("LBADM", TOP / "userspace/build/lbadm")
PAGES = ("docs/man/lbadm.8", "docs/man/nflb.json.5")
SCHEMA = "docs/nflb.schema.json"
WIDTH = 100


# --- man pages

def bold(text):
    return r"\fB%s\fR" % text.replace("-", r"\-")


def italic(text):
    return r"\fI%s\fR" % text.replace("-", r"\-")


def form(text):
    """dnat|fullnat: what is typed is bold, what stands for something in italics."""
    return re.sub(r"[a-z][a-z0-9-]*|[0-9]+|[A-Z][A-Z0-9_]*|-",
                  lambda m: italic(m[0]) if m[0][0].isupper() else
                  r"\-" if m[0] == "-" else bold(m[0]), text)


def prose(text):
    """*word* is bold, _word_ in italics; one sentence a line."""
    text = re.sub(r"\*(\S(?:[^*]*\S)?)\*", lambda m: bold(m[1]), text)
    text = re.sub(r"(?<!\w)_(\S+)_(?!\w)", lambda m: italic(m[1]), text)
    return re.sub(r"\. (?=[A-Z0-9\\-])", ".\n", text)


def sentence(text):
    return text[0].upper() + text[1:] + "."


def limits(word):
    """The range and the default, as a sentence; or nothing."""
    lines = []
    if word.get("maximum") and "|" not in word.get("form", ""):
        lines.append("Range: %u to %u." % (word["minimum"], word["maximum"]))
    if "default" in word:
        lines.append("Default: %s." % bold(word["default"]))
    return [" ".join(lines)] if lines else []


def one_of(words):
    words = [bold(w) for w in words]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def values(word, seen):
    """A list of the values, each with its line if they are the first of their kind."""
    if "values" not in word:
        return []
    if "about" not in word:
        return ["One of %s." % one_of(word["values"])] if word.get("form", "").isupper() else []
    if word["values"] in seen:
        return []
    seen.append(word["values"])
    lines = [".RS"]
    for value, about in zip(word["values"], word["about"]):
        lines += [".TP", ".B " + value.replace("-", r"\-"), sentence(prose(about))]
    return lines + [".RE"]


def entry(head, word, seen):
    lines = [".TP", head, sentence(prose(word["help"]))]
    if "more" in word:
        lines += prose(word["more"]).split("\n")
    return lines + limits(word) + values(word, seen)


def of_command(vocabulary, obj, command, seen):
    """The words of a command."""
    commands = next(o["commands"] for o in vocabulary["objects"] if o["name"] == obj)
    words = next(c["words"] for c in commands if c["name"] == command)
    lines = []
    for word in words:
        if "key-only" not in word:
            head = bold(word["name"])
            if "form" in word:
                head += " " + form(word["form"])
            lines += entry(head, word, seen)
    return lines


def of_options(vocabulary):
    lines = []
    for option in vocabulary["options"]:
        head = "%s, %s" % (bold("-" + option["letter"]), bold("--" + option["name"]))
        if "form" in option:
            head += " " + form(option["form"])
        lines += entry(head, {k: v for k, v in option.items() if k != "values"}, [])
    return lines


def plain(number):
    return "%d" % number if number == int(number) else "%g" % number


def of_keys(words):
    """The keys of an object of a file. Values of those that are words of lbadm, too, are
    in lbadm(8)."""
    kinds = {"boolean": r"\fBtrue\fR or \fBfalse\fR", "integer": "a number",
             "string": "a string", "array": "an array", "object": "an object",
             "integer or string": "a number or a string", "number": "a number",
             "boolean or string": r"\fBtrue\fR, \fBfalse\fR or a string"}
    lines = []
    for word in words:
        kind = kinds[word["type"]]
        if "values" in word:
            kind = one_of(word["values"])
        elif word["type"] in ("integer", "number") and "maximum" in word:
            kind += " from %s to %s" % (plain(word["minimum"]), plain(word["maximum"]))
            if "zero" in word:
                kind += ", or 0 for the default"
        if "needed" in word:
            kind += "; needed"
        elif "default" in word:
            default = word["default"]
            if word["type"].startswith("boolean"):
                default = str(default in ("on", "1")).lower()
            kind += "; default " + (bold(default) if default else "an empty text")
        lines += [".TP", bold(word["name"]), sentence(prose(word["help"])), sentence(kind)
                  if not kind.startswith("\\") else kind + "."]
        if "more" in word and "key-only" in word:
            lines += prose(word["more"]).split("\n")
        if "keys" in word:
            lines += [".RS", *of_keys(word["keys"]), ".RE"]
    return lines


def list_of(vocabulary, name, seen):
    if name == "options":
        return of_options(vocabulary)
    kind, _, rest = name.partition(" ")
    if kind == "keys":
        return of_keys(vocabulary["keys"][rest])
    return of_command(vocabulary, kind, rest, seen)


def man_page(text, vocabulary):
    seen = []

    def fill(match):
        return "%s%s\n.\\\" vocabulary end\n" % (
            match[1], "\n".join(list_of(vocabulary, match[2], seen)))
    return re.sub(r'(\.\\" vocabulary: (.*)\n)(?:.*\n)*?\.\\" vocabulary end\n', fill, text)


# --- the schema

def default_of(word):
    if word["type"].startswith("boolean"):
        return word["default"] in ("on", "1")
    if word["type"] == "number":
        return float(word["default"]) if "." in word["default"] else int(word["default"])
    return int(word["default"]) if word["type"] == "integer" else word["default"]


def any_case(word):
    """The values, and in upper case too where that is the same."""
    return word["values"] + ([v.upper() for v in word["values"]] if "any-case" in word else [])


def range_of(word):
    """A number from the minimum to the maximum; 0 may ask for the default."""
    low, high = (float(word[k]) if word[k] != int(word[k]) else int(word[k])
                 for k in ("minimum", "maximum"))
    numbers = {"type": word["type"], "minimum": low, "maximum": high}
    return {"anyOf": [{"const": 0}, numbers]} if "zero" in word else numbers


def several(word):
    """A value of one of two types."""
    text = {"type": "string"}
    if "pattern" in word:
        text["pattern"] = word["pattern"]
    if word["type"] == "boolean or string":
        return {"oneOf": [{"type": "boolean"}, text]}
    return {"oneOf": [range_of({**word, "type": "integer"}), text]}


def property_of(word, old):
    """What the schema says of a key. Structure is written by hand and stays."""
    new = {"description": word["help"]}
    if "keys" in word:
        new["type"] = "object"
        new["patternProperties"] = {"^x-": {}}
        new["additionalProperties"] = False
        fill_object(new, word["keys"])
    elif word["type"] == "boolean or string" or (
            word["type"] == "integer or string" and not old):
        new.update(several(word))
    elif word["type"] in ("array", "object", "integer or string") or \
            ("$ref" in old and "key-only" in word):
        new.update({k: v for k, v in old.items() if k not in ("description", "default")})
    elif "values" in word:
        new["enum"] = any_case(word)
    elif word["type"] == "number" or "zero" in word:
        new.update(range_of(word))
    else:
        new["type"] = word["type"]
        for key in ("pattern", "minimum", "maximum"):
            if key in word:
                new[key] = word[key]
        for key in ("minLength", "maxLength"):
            if key in old:
                new[key] = old[key]
        for key, source in (("minLength", "min-length"), ("maxLength", "max-length")):
            if source in word:
                new[key] = word[source]
    if "default" in word:
        new["default"] = default_of(word)
    return new


def fill_object(schema, words):
    """Properties of an object."""
    old = schema.get("properties", {})
    keys = {w["name"]: property_of(w, old.get(w["name"], {})) for w in words if "key" in w}
    schema["properties"] = keys
    needed = [w["name"] for w in words if "needed" in w]
    if needed:
        schema["required"] = needed


def fill_schema(text, vocabulary):
    schema = json.loads(text)
    keys, defs = vocabulary["keys"], schema["$defs"]
    fill_object(schema, keys["config"])
    for name in ("settings", "service", "backend", "policy"):
        fill_object(defs[name], keys[name])
    fill_object(defs["health-check"], keys["health-check"])
    fill_object(defs["local-address"]["oneOf"][1], keys["local-address"])
    fill_object(defs["device"]["oneOf"][1], keys["device"])
    return layout(schema, 0) + "\n"


def layout(value, indent):
    """JSON, with what fits into a line on one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or (
            indent and len(line) + indent <= WIDTH - 24 and line.count("{") < 3):
        return line
    pad = "\n" + " " * (indent + 2)
    if isinstance(value, list):
        parts = [layout(v, indent + 2) for v in value]
        return "[" + ",".join(pad + p for p in parts) + pad[:-2] + "]"
    parts = ["%s: %s" % (json.dumps(k), layout(v, indent + 2)) for k, v in value.items()]
    return "{" + ",".join(pad + p for p in parts) + pad[:-2] + "}"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    vocabulary = json.loads(subprocess.run([LBADM, "__vocabulary"], check=True,
                                           stdout=subprocess.PIPE).stdout)
    stale = 0
    for name in (*PAGES, SCHEMA):
        path = TOP / name
        text = path.read_text(encoding="utf-8")
        made = (fill_schema if name == SCHEMA else man_page)(text, vocabulary)
        if made == text:
            continue
        stale += 1
        if check:
            print(f"{name} is stale: run scripts/vocabulary.py")
        else:
            path.write_text(made, encoding="utf-8")
            print(f"{name} is written")
    return check and bool(stale)


if __name__ == "__main__":
    sys.exit(main())
