#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""config_verdicts.py LBADM COUNT [SEED]: random configurations, right and wrong.

`lbadm config check` accepts exactly what the kernel accepts, and warns when the kernel
warns. The kernel gets each configuration as messages that are made here: lbadm's
parser has no part in it. Runs in a network namespace of its own, in which every address
is on a link.
"""
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fuzz"))
from genl import Error, Genl, address, attr, constants  # noqa: E402

lbadm, count = sys.argv[1], int(sys.argv[2])
seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
rnd = random.Random(seed)
C = constants()
MODES, ENCAPS = ["dnat", "fullnat", "dsr"], ["none", "ipip", "gre", "gue"]
SCHEDULERS = ["rr", "wrr", "random", "lc", "wlc", "sed", "nq", "p2c", "fo", "ovf", "hash",
              "source", "maglev", "nope", "RR", "twos"]
SYSCTL = "/proc/sys/net/ipv4/conf/all/route_localnet"


def maybe(p=0.15):
    return rnd.random() < p


def some_address(v6, wrong=0.02):
    if maybe(wrong):
        return rnd.choice(["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "224.0.0.1",
                           "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
                           "::2", "ff02::1", "fe80::1", "febf::9", "fec0::1",
                           "::ffff:192.0.2.1", "::192.0.2.1"])
    number = rnd.randrange(1, 9)
    # The last ones are VIPs, too.
    if number > 7:
        return "2001:db8:f::1" if v6 else "192.0.2.1"
    return f"2001:db8:{number}::1" if v6 else f"10.9.{number}.1"


def some_port(wrong=0.02):
    return rnd.choice([65536, 70000]) if maybe(wrong) else rnd.choice([80, 443, 8005, 65535])


def encap_keys(made):
    made["encap"] = rnd.choice(ENCAPS)
    if maybe(0.5 if made["encap"] == "gue" else 0.03):
        made["encap-port"] = some_port()


def backend(v6):
    made = {"address": some_address(v6 != maybe(0.1))}
    if maybe(0.4):
        made["port"] = some_port()
    if maybe():
        made["weight"] = rnd.choice([0, 1, 65535, 65536] if maybe(0.2) else [0, 1, 7, 65535])
    if maybe():
        made["max-connections"] = rnd.choice([0, 5, (1 << 32) - 1] + [1 << 32] * maybe(0.1))
    if maybe():
        made["state"] = rnd.choice(["up", "drain", "down"])
    if maybe(0.2):
        made["mode"] = rnd.choice(MODES)
    if maybe(0.1):
        encap_keys(made)
    return made


def seconds():
    return rnd.choice([0, 1, 300, 604800] + [604801] * maybe(0.1))


def service():
    v6 = maybe(0.4)
    made = {"protocol": rnd.choice(["tcp", "udp"]),
            "address": some_address(v6, 0.02) if maybe(0.3) else
            "2001:db8:f::1" if v6 else "192.0.2.1",
            "port": rnd.choice([80, 80, 443, 65535, "8000-8010", "1-65535", "80-80", "*"] +
                               [65536, "8010-8000", "80-65536"] * maybe(0.05))}
    if maybe(0.8):
        made["mode"] = rnd.choice(MODES)
    if maybe(0.7 if made.get("mode") == "dsr" else 0.05):
        encap_keys(made)
    if maybe(0.03):
        made["encap-port"] = some_port()
    if maybe(0.05):
        made["encap-source"] = rnd.choice([
            "auto", "10.3.0.0/16", "10.0.0.0/7", "10.3.0.1", "127.0.0.0/8", "224.0.0.0/8",
            "0.0.0.0/0", "2001:db8::/32", "fe80::/64", "2001:db8::/7", "10.3.0.0/33"])
    if maybe(0.5):
        made["scheduler"] = rnd.choice(SCHEDULERS if maybe(0.1) else SCHEDULERS[:13])
    if maybe():
        made["persist"] = seconds()
    for key, most in (("persist-prefix4", 32), ("persist-prefix6", 128)):
        if maybe(0.5 if "persist" in made else 0.01):
            made[key] = rnd.choice([0, 8, most] + [most + 1] * maybe(0.05))
    if maybe(0.3 if made.get("mode") == "fullnat" else 0.03):
        made["toa"] = maybe(0.8)
        if maybe(0.3):
            made["toa-kind6"] = rnd.choice([253, 254] + [252, 255] * maybe(0.1))
    if maybe(0.2 if made.get("mode") == "fullnat" else 0.03):
        made["proxy-protocol"] = maybe(0.8)
    for key in ("slow-start", "timeout-syn", "timeout-established", "timeout-fin",
                "timeout-udp"):
        if maybe(0.1):
            made[key] = seconds()
    if maybe(0.05):
        made["health-check"] = {"x-note": "y" * rnd.choice([1, 4082, 4083])}
    made["backends"] = [backend(v6) for _ in range(rnd.choice([0, 1, 2, 4]))]
    return made


def laddr():
    v6 = maybe(0.4)
    first = some_address(v6, 0.05) if maybe(0.3) else \
        rnd.choice(["2001:db8:99::1", "2001:db8:98::ffff:ffff:ffff:fff0"]) if v6 else \
        rnd.choice(["10.99.1.1", "10.99.1.20", "10.99.2.200", "223.255.255.250"])
    made = {"address": first}
    if maybe(0.5):
        other = ipaddress.ip_address(first)
        number = int(other) + rnd.choice([0, 1, 9, 4095, 4096, -1] if maybe(0.3) else [1, 9])
        if 0 <= number < 1 << other.max_prefixlen:
            made["address"] += "-" + str(type(other)(number))
    if maybe(0.4):
        low = rnd.choice([1, 1024, 2000])
        made["ports"] = f"{low}-{low + rnd.choice([0, 5, 500])}"
        if maybe(0.03):
            made["ports"] = rnd.choice(["2000-1000", "1-65536", "65535-65535"])
    if maybe(0.3):
        made["exclude"] = ",".join(rnd.choice(
            ["1", "2000", "2001", "2002-2004", "2100-2200", "2300", "1024-65535", "2005-2004"])
            for _ in range(rnd.choice([1, 1, 2, 3, 9])))
    return made if len(made) > 1 else first


def configuration():
    return {"services": [service() for _ in range(rnd.choice([0, 1, 1, 2, 3]))],
            "local-addresses": [laddr() for _ in range(rnd.choice([0, 0, 1, 2]))]}


# --- as messages

def u8(value):
    return struct.pack("=B", value)


def u32(value):
    return struct.pack("=I", value)


def be16(value):
    return struct.pack("!H", value)


def ports_of(text):
    first, _, last = str(text).partition("-")
    return int(first), int(last or first)


def encap_attrs(what, one):
    out = []
    if "encap" in one:
        out.append(attr(C[f"NFLB_A_{what}_ENCAP"], u8(ENCAPS.index(one["encap"]))))
    if "encap-port" in one:
        out.append(attr(C[f"NFLB_A_{what}_ENCAP_PORT"], be16(one["encap-port"])))
    return out


def source_attrs(text):
    if text == "auto":
        return []
    addr, _, prefix = text.partition("/")
    family = 6 if ":" in addr else 4
    return [attr(C[f"NFLB_A_SERVICE_ENCAP_SOURCE{family}"], address(addr)),
            attr(C[f"NFLB_A_SERVICE_ENCAP_SOURCE{family}_PREFIX"],
                 u8(int(prefix or (128 if family == 6 else 32))))]


def backend_attr(one):
    out = [attr(C["NFLB_A_BACKEND_ADDRESS"], address(one["address"])),
           attr(C["NFLB_A_BACKEND_PORT"], be16(one.get("port", 0)))]
    for key in ("weight", "max-connections"):
        if key in one:
            out.append(attr(C["NFLB_A_BACKEND_" + key.upper().replace("-", "_")],
                            u32(one[key])))
    if "state" in one:
        out.append(attr(C["NFLB_A_BACKEND_STATE"],
                        u8(["up", "drain", "down"].index(one["state"]))))
    if "mode" in one:
        out.append(attr(C["NFLB_A_BACKEND_MODE"], u8(MODES.index(one["mode"]))))
    return attr(C["NFLB_A_BACKEND"], out + encap_attrs("BACKEND", one))


def service_attrs(one):
    """The identity and the settings"""
    out = [attr(C["NFLB_A_SERVICE_PROTOCOL"], u8(6 if one["protocol"] == "tcp" else 17)),
           attr(C["NFLB_A_SERVICE_ADDRESS"], address(one["address"]))]
    first, last = (0, 0) if one["port"] == "*" else ports_of(one["port"])
    out.append(attr(C["NFLB_A_SERVICE_PORT"], be16(first)))
    if last != first:
        out.append(attr(C["NFLB_A_SERVICE_PORT_LAST"], be16(last)))
    identity = list(out)
    if "mode" in one:
        out.append(attr(C["NFLB_A_SERVICE_MODE"], u8(MODES.index(one["mode"]))))
    out += encap_attrs("SERVICE", one)
    if "encap-source" in one:
        out += source_attrs(one["encap-source"])
    for key, pack in (("scheduler", lambda v: v.encode() + b"\0"), ("persist", u32),
                      ("persist-prefix4", u8), ("persist-prefix6", u8), ("toa", u8),
                      ("toa-kind6", u8), ("proxy-protocol", u8), ("slow-start", u32),
                      ("timeout-syn", u32), ("timeout-established", u32),
                      ("timeout-fin", u32), ("timeout-udp", u32),
                      ("health-check", lambda v: json.dumps(v, separators=(",", ":")).encode() +
                       b"\0")):
        if key in one:
            name = "PROXY" if key == "proxy-protocol" else key.upper().replace("-", "_")
            out.append(attr(C["NFLB_A_SERVICE_" + name], pack(one[key])))
    return identity, out


def laddr_attr(one):
    one = {"address": one} if isinstance(one, str) else one
    first, _, last = one["address"].partition("-")
    out = [attr(C["NFLB_A_LADDR_ADDRESS"], address(first))]
    if last:
        out.append(attr(C["NFLB_A_LADDR_ADDRESS_LAST"], address(last)))
    if "ports" in one:
        low, high = ports_of(one["ports"])
        out += [attr(C["NFLB_A_LADDR_PORT"], be16(low)),
                attr(C["NFLB_A_LADDR_PORT_LAST"], be16(high))]
    whole = list(out)
    if "exclude" in one:
        pairs = [ports_of(p) for p in one["exclude"].split(",")]
        out.append(attr(C["NFLB_A_LADDR_EXCLUDED"], b"".join(be16(a) + be16(b)
                                                              for a, b in pairs)))
    return attr(C["NFLB_A_LADDR"], whole), attr(C["NFLB_A_LADDR"], out)


def kernel(genl, config):
    """(why it refuses, what it warns of); nothing is left of it"""
    undo, warned = [], []
    try:
        for one in config["local-addresses"]:
            whole, message = laddr_attr(one)
            genl.call(C["NFLB_CMD_LADDR_ADD"], message)
            undo.append((C["NFLB_CMD_LADDR_DEL"], whole))
        for one in config["services"]:
            identity, settings = service_attrs(one)
            backends = [backend_attr(b) for b in one["backends"]]
            genl.call(C["NFLB_CMD_SERVICE_ADD"], attr(C["NFLB_A_SERVICE"], settings) +
                      attr(C["NFLB_A_BACKENDS"], backends))
            undo.append((C["NFLB_CMD_SERVICE_DEL"], attr(C["NFLB_A_SERVICE"], identity)))
            if genl.warning:
                warned.append(genl.warning)
        return None, warned
    except Error as error:
        return str(error), warned
    except (struct.error, OverflowError) as error:
        return f"no message can have it: {error}", warned
    finally:
        for cmd, message in reversed(undo):
            try:
                genl.call(cmd, message)
            except Error:
                # The address went with another range of the same one
                assert cmd == C["NFLB_CMD_LADDR_DEL"], "a service cannot be deleted"


def check(config):
    done = subprocess.run([lbadm, "config", "check", "-"], input=json.dumps(config), text=True,
                          capture_output=True, check=False)
    assert done.returncode in (0, 1), done
    said = done.stderr.splitlines()
    warned = [line for line in said if "warning: " in line]
    assert bool(done.returncode) == (len(said) > len(warned)), done
    return done.returncode and done.stderr, warned


def without_health_checks(config):
    return {**config, "services": [
        {key: value for key, value in service.items() if key != "health-check"}
        for service in config.get("services", [])]}


genl = Genl()
accepted = warnings = 0
for number in range(count):
    if number % 50 == 0:
        with open(SYSCTL, "w", encoding="ascii") as file:
            file.write(rnd.choice("01"))
    config = configuration()
    refused, warned = kernel(genl, config)
    said, cautions = check(config)
    # Checks of backends are no business of the module.
    if cautions and not warned:
        _, cautions = check(without_health_checks(config))
    where = f"seed {seed}, {number}: {json.dumps(config)}\nkernel: {refused}\ncheck: {said}"
    assert bool(refused) == bool(said), where
    assert refused or bool(warned) == bool(cautions), f"{where}\n{warned}\n{cautions}"
    accepted += not refused
    warnings += not refused and bool(warned)
assert count < 100 or count / 5 < accepted < count * 4 / 5, accepted
assert count < 100 or warnings > accepted / 20, warnings
print(f"{count} configurations, {accepted} accepted, {warnings} with a warning")
