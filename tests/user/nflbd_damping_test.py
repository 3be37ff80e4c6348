# SPDX-License-Identifier: GPL-2.0
"""A backend that fails often is held unhealthy, unless it is the only usable one."""

from nflbd_daemon import Daemon, Server, service, wait_for

CRITERIA = {"interval": 0.2, "timeout": 1, "fast-interval": 0.1, "unhealth-threshold": 1,
            "health-threshold": 1}


def test_damping(tmp_path):
    flaky, steady = Server("127.0.0.1"), Server("127.0.0.2")
    daemon = Daemon(tmp_path, [service(
        "192.0.2.1", [("127.0.0.1", flaky.port), ("127.0.0.2", steady.port)],
        {"protocol": "http", "criteria": CRITERIA,
         "damping": {"half-life": 3600, "suppress": 2}})])

    def is_(number, health):
        return daemon.target(backend="127.0.0.%d:%d" % (
            number, (flaky, steady)[number - 1].port))["health"] == health

    try:
        wait_for(lambda: is_(1, "healthy") and is_(2, "healthy"))
        for _ in range(2):
            flaky.status = 500
            wait_for(lambda: is_(1, "unhealthy"))
            flaky.status = 200
            wait_for(lambda: is_(1, "healthy"))
        # A little of the first two has decayed.
        flaky.status = 500
        wait_for(lambda: is_(1, "unhealthy"))
        flaky.status = 200
        found = wait_for(lambda: (t := daemon.target(
            backend="127.0.0.1:%d" % flaky.port)).get("held") and t)
        assert (found["health"], found["result"]) == ("unhealthy", "success")
        assert found["penalty"] > 2.9
        assert "held unhealthy: it fails often" in daemon.log()
        steady.status = 500
        wait_for(lambda: is_(2, "unhealthy"))
        assert is_(1, "healthy")
        steady.status = 200
        wait_for(lambda: is_(2, "healthy"))
        wait_for(lambda: is_(1, "unhealthy"))
    finally:
        flaky.stop()
        steady.stop()
        daemon.stop()
