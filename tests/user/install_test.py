# SPDX-License-Identifier: GPL-2.0
"""make install and make uninstall, below a directory of their own."""

import os
import re
import subprocess
import tempfile


USERSPACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../userspace")


def make(target, destination, prefix):
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("MAKEFLAGS", "MFLAGS", "BUILD")}
    subprocess.run(["make", "-s", "-C", USERSPACE, target, "DESTDIR=" + destination,
                    "PREFIX=" + prefix], check=True, env=environment,
                   stdout=subprocess.DEVNULL)


def files(top):
    return {os.path.join(path, name)[len(top):]
            for path, _, names in os.walk(top) for name in names}


def check_prefix(prefix):
    with tempfile.TemporaryDirectory() as top:
        make("install", top, prefix)
        installed = files(top)
        assert all(name.startswith(prefix + "/") for name in installed), installed
        units = [name for name in installed if name.endswith(".service")]
        assert prefix + "/lib/systemd/system/nflb.service" in units, units
        commands = set()
        for unit in units:
            with open(top + unit, encoding="ascii") as f:
                commands |= set(re.findall(r"^Exec\w+=\S*?(/\S+/(?:lbadm|nflbd|nflb-toa))(?: |$)",
                                           f.read(), re.M))
        assert commands and commands <= installed, commands - installed
        config = top + "/etc/nflb/nflb.json"
        with open(config, "w", encoding="ascii"):
            pass
        make("uninstall", top, prefix)
        assert files(top) == {"/etc/nflb/nflb.json"}, files(top)
        os.unlink(config)
        make("install", top, prefix)
        make("uninstall", top, prefix)
        assert not os.path.exists(top + "/etc/nflb"), "an empty /etc/nflb stays"


def test_usr():
    check_prefix("/usr")


def test_usr_local():
    check_prefix("/usr/local")
