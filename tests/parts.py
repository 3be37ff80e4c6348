# SPDX-License-Identifier: GPL-2.0
"""The parts of the test suite: what tests/run runs, and in which tier.

The minutes are estimates on two cores with another part beside. They only matter
for the order: the longest part starts first, where a part counts with the longest
of those that wait for it.
"""
import dataclasses

# Shards of the cases on User Mode Linux: enough of them to keep all CPUs busy to
# the end, few enough that starting machines costs nothing.
SHARDS = 6
OFFLOADS = "default", "off", "gro", "fast"
# User Mode Linux has no JIT, and so no XDP.
STOCK_OFFLOADS = (*OFFLOADS, "xdp")
# Half of the time, a case there waits: for timers of the module and for servers. The column
# "CPU s" of tests/run shows how much a part computes.
UML_CPUS = 0.5


@dataclasses.dataclass
class Part:
    name: str
    minutes: float
    needs: tuple
    command: list
    # How many CPUs it keeps busy
    cpus: float = 1
    log: str = ""
    record: str = ""


def part(name, minutes, command, needs=(), cpus=1):
    return Part(name, minutes, tuple(needs), command.split(), cpus)


def shards(name, count, minutes, command, needs, cpus=1):
    return [part("%s-%d" % (name, k), minutes, "%s --shard %d/%d" % (command, k, count), needs,
                 cpus) for k in range(1, count + 1)]


def building():
    """Kernels, modules and tools. Short, but others wait for them."""
    return [
        part("kernel-uml", 4, "scripts/build-kernel.sh uml-debug"),
        part("tools", 0.5, "make -s -C userspace all"),
        part("dkms", 3, "scripts/dkms.sh build"),
        part("module-uml", 1, "scripts/build-module.sh uml -s -j2", ["kernel-uml"]),
    ]


def test():
    """A contributor's run before a change is sent: `make test`."""
    e2e = "tests/e2e/run --tier test --timeout 2400"
    return building() + [
        part("check", 5, "scripts/check.sh"),
        part("tools-check", 2, "make -s -C userspace check", ["tools"]),
        part("dkms-btf", 1, "/usr/bin/python3 -m pytest tests/dkms", ["dkms"]),
        part("kunit", 2, "tests/vm/kunit uml", ["kernel-uml"]),
        part("costs", 8, "tests/bench/packet-cost --check", ["tools"]),
        part("e2e-6.1", 9, e2e + " --kernel 6.1 --module-dkms", ["dkms", "tools"]),
        part("e2e-6.12", 12, e2e + " --kernel 6.12 --module-dkms", ["dkms", "tools"]),
    ] + shards("e2e-uml", SHARDS, 6, e2e + " --kernel uml", ["module-uml", "tools"],
               UML_CPUS)


def everything():
    """Every case in every setting on every kernel, and what takes long: `make test-all`."""
    e2e = "tests/e2e/run --timeout 14400"
    more = [
        part("kernel-debug", 7, "scripts/build-kernel.sh kunit-qemu"),
        part("kunit-debug", 12, "tests/vm/kunit debug", ["kernel-debug"]),
        part("e2e-debug", 20, e2e + " --kernel debug 60-unload 70-receiver",
             ["kernel-debug", "tools"]),
        part("costs-all", 15, "tests/bench/packet-cost --check-all", ["tools"]),
        part("costs-xdp", 4, "tests/bench/packet-cost --check-xdp", ["tools"]),
        part("bench", 30, "make -s bench", ["tools"]),
        part("packages", 20, "make -s test-packages"),
        part("fuzz", 20, "make -s fuzz", ["module-uml", "tools"]),
        part("chaos", 12, "make -s chaos", ["module-uml", "tools"]),
        part("chaos-debug", 20, "make -s chaos CHAOS_KERNEL=debug", ["kernel-debug", "tools"]),
        part("kernel-gcov", 4, "scripts/build-kernel.sh uml-gcov"),
        part("module-gcov", 2, "scripts/build-module.sh uml-gcov -s -j2", ["kernel-gcov"]),
        part("faults", 20, "make -s faults", ["module-gcov", "tools"]),
        part("user", 32, "make -s user", ["module-gcov", "tools"]),
        part("coverage", 40, "make -s coverage", ["module-gcov", "tools"]),
        part("kernel-bench", 4, "scripts/build-kernel.sh uml-bench"),
        part("floods-4", 20, "make -s floods FAMILY=4", ["kernel-bench", "tools"]),
        part("floods-6", 20, "make -s floods FAMILY=6", ["kernel-bench", "tools"]),
    ]
    for kernel in "6.1", "6.12":
        more.append(part("soak-" + kernel, 18, "make -s soak SOAK_KERNEL=" + kernel,
                         ["dkms", "tools"]))
        for offload in STOCK_OFFLOADS:
            more += shards("all-%s-%s" % (kernel, offload), 2, 30,
                           "%s --kernel %s --module-dkms --offload %s" % (e2e, kernel, offload),
                           ["dkms", "tools"])
    for offload in OFFLOADS:
        more += shards("all-uml-%s" % offload, 3, 10,
                       "%s --kernel uml --offload %s" % (e2e, offload),
                       ["module-uml", "tools"], UML_CPUS)
    return [p for p in test() if not p.name.startswith("e2e-")] + more


def parts(tier):
    return test() if tier == "test" else everything()
