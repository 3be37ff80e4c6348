# SPDX-License-Identifier: GPL-2.0
"""The two receivers of client addresses, behind the same few functions."""

import os
import subprocess

from rawnet import run, sysctl

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
NFLB_TOA = os.path.join(TOP, "userspace/build/nflb-toa")
MODULE = os.path.join(os.path.dirname(os.environ.get("NFLB_MODULE", "")),
                      "nflb_toa.ko")
# The kernels of the tests that may lack what a receiver needs
SMALL = os.environ.get("NFLB_KERNEL") in ("uml", "uml-gcov", "debug")
PARAMETER = "/sys/module/nflb_toa/parameters/allow"


class Unavailable(Exception):
    """This kernel cannot have it."""


def command(*args):
    return subprocess.run([str(a) for a in args], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Module:
    name = "module"
    running = False

    def __init__(self):
        if SMALL and not os.path.exists(MODULE):
            raise Unavailable("it needs kretprobes")

    def start(self, allow):
        r = command("insmod", MODULE, "allow=" + allow)
        assert not r.returncode, r.stderr
        self.running = True

    def stop(self):
        self.running = False
        if os.path.exists("/sys/module/nflb_toa"):
            run("rmmod", "nflb_toa")

    def allow(self, text):
        """Returns whether it was taken."""
        try:
            with open(PARAMETER, "w") as f:
                f.write(text + "\n")
        except OSError:
            return False
        return True

    def allowed(self):
        with open(PARAMETER) as f:
            return f.read().strip()

    def counters(self, ns):
        text = run("nsenter", "--net=/run/netns/" + ns, "cat",
                   "/proc/net/nflb_toa/stats")
        return {name: int(value) for name, value in
                (line.split() for line in text.splitlines())}


class Bpf:
    name = "bpf"
    running = False

    def __init__(self):
        for fs, where in (("cgroup2", "/sys/fs/cgroup"),
                          ("bpf", "/sys/fs/bpf")):
            if not os.path.ismount(where):
                command("mount", "-t", fs, fs, where)
            if SMALL and not os.path.ismount(where):
                raise Unavailable("it needs " + fs)

    def start(self, allow):
        r = command(NFLB_TOA, "attach", "--allow", allow)
        assert not r.returncode, r.stderr
        self.running = True

    def stop(self):
        r = command(NFLB_TOA, "detach")
        assert not r.returncode, r.stderr
        self.running = False

    def allow(self, text):
        return not command(NFLB_TOA, "attach", "--allow", text).returncode

    def allowed(self):
        return ",".join(run(NFLB_TOA, "allow", "show").split())

    def counters(self, ns):
        return {name: int(value) for name, value in
                (line.split() for line in run(NFLB_TOA, "stats").splitlines())}


RECEIVERS = [Module, Bpf]


def syncookies(ns, value):
    return sysctl(ns, "net.ipv4.tcp_syncookies", value)
