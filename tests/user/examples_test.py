# SPDX-License-Identifier: GPL-2.0
"""The programs of examples/ build without a warning, from the header alone, and do what
they say."""

import errno
import os
import shutil
import subprocess

import pytest
from fake_module import MULTI, N, a, play, stats

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A copy, as a user makes one of /usr/share/doc/nflb-dev/examples"""
    work = tmp_path_factory.mktemp("examples")
    for name in "services.c", "Makefile":
        shutil.copy(os.path.join(TOP, "examples", name), work)
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    done = subprocess.run(["make", "-C", work, "CPPFLAGS=-I%s/include/uapi" % TOP,
                           "CFLAGS=-O2 -Werror"], env=environment, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(work / "services")


def service(*attrs):
    return [a("A_SERVICE", [*attrs, a("A_SERVICE_SCHEDULER", "rr"),
                            a("A_SERVICE_BACKEND_COUNT", 3),
                            a("A_SERVICE_STATS", stats(active=17))])]


def test_services(services):
    found = [
        service(a("A_SERVICE_PROTOCOL", 6), a("A_SERVICE_ADDRESS", "192.0.2.10"),
                a("A_SERVICE_PORT", 80)),
        service(a("A_SERVICE_PROTOCOL", 17), a("A_SERVICE_ADDRESS", "2001:db8::10"),
                a("A_SERVICE_PORT", 8000), a("A_SERVICE_PORT_LAST", 8010)),
        service(a("A_SERVICE_PROTOCOL", 6), a("A_SERVICE_ADDRESS", "192.0.2.11"),
                a("A_SERVICE_PORT", 0))]

    def handler(r):
        assert r.cmd == N["CMD_SERVICE_GET"]
        return [*(r.message("SERVICE_GET", *s, flags=MULTI) for s in found), r.done()]
    done = play([], handler, program=services)
    assert (done.status, done.err) == (0, "")
    assert done.out == ("tcp 192.0.2.10:80 rr, 3 backends, 17 connections\n"
                        "udp [2001:db8::10]:8000-8010 rr, 3 backends, 17 connections\n"
                        "tcp 192.0.2.11:* rr, 3 backends, 17 connections\n")


def test_services_refused(services):
    done = play([], lambda r: [r.error(errno.ENOMEM)], program=services)
    assert done.status == 1 and "Cannot allocate memory" in done.err, done.err
