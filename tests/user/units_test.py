# SPDX-License-Identifier: GPL-2.0
"""The units of systemd: well-formed, confined, before those who announce a VIP."""

import glob
import os
import shutil
import subprocess

import pytest

USERSPACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../userspace")
UNITS = sorted(glob.glob(USERSPACE + "/*/*.service"))
# Of 100: at 50, systemd-analyze begins to call a unit exposed
EXPOSURE = 40


def settings(unit):
    """{name: values in the order of the file}"""
    found = {}
    with open(unit, encoding="ascii") as f:
        for line in f:
            name, equals, value = line.strip().partition("=")
            if equals and not line.startswith("#"):
                found.setdefault(name, []).append(value)
    return found


@pytest.fixture(params=UNITS, ids=os.path.basename)
def unit(request):
    return request.param


def test_all_are_looked_at():
    assert len(UNITS) >= 4


def test_confined(unit):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing: scripts/bootstrap installs it")
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager",
                           "--threshold=%d" % EXPOSURE, unit],
                          text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_documentation(unit):
    assert all(page.startswith("man:") for page in settings(unit)["Documentation"][0].split())


@pytest.mark.parametrize("name", ["nflb.service", "nflb@.service"])
def test_announcers_come_later(name):
    before = settings(USERSPACE + "/lbadm/" + name)["Before"][0].split()
    for other in ("keepalived", "bird", "bird6", "exabgp"):
        assert other + ".service" in before, before


def test_no_aliased_paths(unit):
    """Where /bin, /sbin and /lib are not links any more, there is nothing."""
    for name, values in settings(unit).items():
        for word in " ".join(values).split() if name.startswith("Exec") else ():
            path = word.lstrip("-+@!")
            assert not path.startswith(("/lib/", "/sbin/", "/bin/")), word
