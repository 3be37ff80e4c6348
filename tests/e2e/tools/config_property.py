#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""config_property.py LBADM NETNS COUNT [SEED]: random configurations.

What is applied is what is saved then, whatever was there before. What the kernel
refuses a part of, wherever that stands, changes nothing. Applied again, it does
nothing: no event is told.
"""
import ipaddress
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile

lbadm, netns, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
print(f"# seed {seed}")
rnd = random.Random(seed)
DEVICES = [f"any{i}" for i in range(3)]
SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "source", "maglev",
              "maglev-source", "p2c", "random", "fo", "ovf"]


def run(*words, text=None):
    done = subprocess.run([lbadm, "-n", netns, *words], input=text, text=True,
                          capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def address(v6):
    number = rnd.randrange(1, 200)
    return f"2001:db8:{number:x}::1" if v6 else f"10.9.{number}.1"


def maybe(p=0.3):
    return rnd.random() < p


def labels():
    texts = {"name": "caf\u00e9 \"1\"", "comment": "# it's 100 % {fine}"}
    return {key: text for key, text in texts.items() if maybe(0.2)}


def backend(service, v6):
    made = {"address": address(v6), "weight": rnd.choice([0, 1, 1, 7, 65535]), **labels()}
    if maybe(0.8) and service["mode"] != "dsr":
        made["port"] = rnd.randrange(1, 65536)
    if maybe(0.1):
        made["state"] = rnd.choice(["drain", "down"])
    if maybe(0.1):
        made["max-connections"] = rnd.randrange(1, 1 << 32)
    return made


def service(protocol, vip, port):
    """One that the kernel takes, with no default written out."""
    mode = rnd.choice(["dnat", "fullnat", "dsr"])
    v6 = ":" in vip
    made = {"protocol": protocol, "address": vip, "port": port, "mode": mode,
            "scheduler": rnd.choice(SCHEDULERS), **labels()}
    cross = mode == "fullnat"
    if mode == "dsr" and maybe(0.7):
        made["encap"] = rnd.choice(["ipip", "gre", "gue"])
        if made["encap"] == "gue":
            made["encap-port"] = rnd.randrange(1, 65536)
        cross = True
    if mode == "fullnat" and protocol == "tcp" and maybe():
        made["toa"] = True
        if maybe():
            made["toa-kind6"] = 253
    elif mode == "fullnat" and maybe(0.2):
        made["proxy-protocol"] = True
    if maybe():
        made["persist"] = rnd.randrange(1, 604801)
        made["persist-prefix4"] = rnd.randrange(0, 33)
        made["persist-prefix6"] = rnd.randrange(0, 129)
    if maybe(0.2):
        made["slow-start"] = rnd.randrange(1, 604801)
    for timeout in ("syn", "established", "fin", "udp"):
        if maybe(0.2):
            made["timeout-" + timeout] = rnd.randrange(301, 604801)
    if maybe(0.2):
        made["health-check"] = {"protocol": "HTTP", "port": rnd.randrange(1, 65536),
                                "criteria": {"interval": rnd.randrange(60)}}
        if maybe():
            made["health-check"]["request-path"] = "/\u00e4 \"quoted\""
    made["backends"] = []
    for _ in range(rnd.choice([0, 1, 2, 3, 10])):
        one = backend(made, rnd.random() < 0.5 if cross else v6)
        if all((one["address"], one.get("port")) != (b["address"], b.get("port"))
               for b in made["backends"]):
            made["backends"].append(one)
    return made


def laddr(third):
    v6 = maybe()
    first = f"2001:db8:99:{third:x}::1" if v6 else f"10.99.{third}.1"
    made = {"address": first}
    if maybe():
        made["address"] += "-" + str(ipaddress.ip_address(first) + rnd.randrange(1, 50))
    if maybe():
        low = rnd.randrange(1, 60000)
        made["ports"] = f"{low}-{low + rnd.randrange(1, 5000)}"
        if maybe():
            made["exclude"] = f"{low + 1}"
    return made if len(made) > 1 else first


def configuration():
    """Few addresses and ports, so that much of the last one is there again."""
    ids = set()
    for _ in range(rnd.choice([0, 1, 3, 8])):
        ids.add((rnd.choice(["tcp", "udp"]),
                 rnd.choice(["192.0.2.1", "192.0.2.2", "2001:db8:f::1"]),
                 rnd.choice([80, 443, "8000-8010", "8000-8020", "*"])))
    return {
        "services": [service(*i) for i in sorted(ids, key=str)],
        "local-addresses": [laddr(i) for i in range(1, 6) if maybe()],
        "devices": rnd.sample(DEVICES, rnd.randrange(len(DEVICES) + 1)),
    }


def canonical(config):
    """Order tells nothing."""
    config = json.loads(json.dumps(config))
    for one in config["services"]:
        one["backends"].sort(key=lambda b: (b["address"], b.get("port", 0)))
    for key in config:
        config[key].sort(key=lambda v: json.dumps(v, sort_keys=True))
    return config


def saved():
    status, text, error = run("config", "save")
    assert status == 0, error
    return text


def poisoned(config):
    """With a service that only the kernel refuses, somewhere in between."""
    config = json.loads(json.dumps(config))
    config["services"].insert(
        rnd.randrange(len(config["services"]) + 1),
        {"protocol": "tcp", "address": "192.0.2.9", "port": 80, "mode": "dnat",
         "encap": "ipip", "backends": []})
    return config


def different(a, b):
    a, b = (json.dumps(canonical(c), indent=1, sort_keys=True) for c in (a, b))
    with tempfile.TemporaryDirectory() as where:
        for name, text in (("a", a), ("b", b)):
            with open(os.path.join(where, name), "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run(["diff", os.path.join(where, "a"), os.path.join(where, "b")],
                              capture_output=True, text=True, check=False).stdout


def quiet(config):
    """Nothing is told when it is applied again."""
    with subprocess.Popen([lbadm, "-n", netns, "-j", "monitor", "config"],
                          stdout=subprocess.PIPE, text=True) as monitor:
        # It may not listen yet: make events until it prints one.
        ready = []
        while not ready:
            run("laddr", "add", "10.99.250.1")
            run("laddr", "del", "10.99.250.1")
            ready = select.select([monitor.stdout], [], [], 0.1)[0]
        status, _, error = run("config", "apply", "-", text=json.dumps(config))
        assert status == 0, error
        run("laddr", "add", "10.99.251.1")
        events = []
        while not events or events[-1].get("address") != "10.99.251.1":
            events.append(json.loads(monitor.stdout.readline()))
        monitor.send_signal(signal.SIGTERM)
    run("laddr", "del", "10.99.251.1")
    others = [e for e in events[:-1] if e.get("address") != "10.99.250.1"]
    assert not others, others


now = configuration()
for number in range(count):
    wanted = configuration()
    status, _, error = run("config", "apply", "-", text=json.dumps(poisoned(wanted)))
    if number:
        assert status == 2 and "192.0.2.9:80" in error, (status, error)
        was = different(now, json.loads(saved()))
        assert not was, f"{number}: a refused configuration left something:\n{was}"
    status, _, error = run("config", "apply", "-", text=json.dumps(wanted))
    assert status == 0, f"{number}: {error}\n{json.dumps(wanted)}"
    text = saved()
    got = json.loads(text)
    assert not different(wanted, got), f"{number}:\n{different(wanted, got)}"
    status, _, error = run("config", "apply", "-", text=text)
    assert status == 0 and saved() == text, f"{number}: {error}"
    now = wanted
    if number % 50 == 0:
        quiet(wanted)
status, _, error = run("config", "flush")
assert status == 0, error
empty = json.loads(saved())
assert empty == {"services": [], "local-addresses": [], "devices": []}, empty
print(f"{count} configurations")
