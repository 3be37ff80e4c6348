# SPDX-License-Identifier: GPL-2.0
"""lbadm import ipvsadm of large files, and control characters in messages."""

import json
import resource

from import_test import lbadm

SERVICE = "-A -t 192.0.2.1:80 -s rr\n"


def server(number, command="-a", service="192.0.2.1:80"):
    return f"{command} -t {service} -r 10.0.{number // 250}.{number % 250 + 1}:80 -m -w 1\n"


def convert(text, *words):
    """Its result, and the seconds of CPU time it took."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    begin = spent()
    done = lbadm("import", "ipvsadm", *words, text=text)
    return done, spent() - begin


def test_time_grows_with_the_size():
    """A line takes as long as the first one did: with one that takes longer for each
    server before it, 4,000 servers take ten seconds."""
    for text in (
            SERVICE + "".join(server(i) for i in range(4000)),
            "".join(f"-A -t 192.0.{i // 250}.{i % 250 + 1}:80 -s rr\n" +
                    server(1, service=f"192.0.{i // 250}.{i % 250 + 1}:80")
                    for i in range(4000))):
        done, seconds = convert(text)
        assert done.returncode == 0, done.stderr
        assert seconds < 2, seconds


def test_more_servers_than_a_service_can_have():
    text = SERVICE + "".join(server(i) for i in range(4098))
    done, _ = convert(text)
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and done.stdout == "", done.stderr
    assert [line.split(": ")[1] for line in lines[:2]] == ["line 4098", "line 4099"], lines
    assert "4096 servers already" in lines[0] and "2 of 4099 lines" in lines[2], lines
    done, _ = convert(text, "--keep-going")
    assert done.returncode == 1
    backends = json.loads(done.stdout)["services"][0]["backends"]
    assert len(backends) == 4096 and backends[-1]["address"] == "10.0.16.96", backends[-1]
    checked = lbadm("config", "check", "-", text=done.stdout)
    assert checked.returncode == 0, checked.stderr
    # One of a full service can still be changed.
    done, _ = convert(SERVICE + "".join(server(i) for i in range(4096)) +
                      server(17, "-e").replace("-w 1", "-w 9"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["services"][0]["backends"][17]["weight"] == 9


def test_a_changed_service_keeps_its_servers():
    done, _ = convert(SERVICE + server(1) + server(2) + "-E -t 192.0.2.1:80 -s lc\n" +
                      server(1, "-e").replace("-w 1", "-w 7") + server(3))
    assert done.returncode == 0, done.stderr
    service = json.loads(done.stdout)["services"][0]
    assert service["scheduler"] == "lc"
    assert [b["weight"] for b in service["backends"]] == [7, 1, 1], service
    # After -C the same can come again.
    done, _ = convert(SERVICE + server(1) + "-C\n" + SERVICE + server(1))
    assert done.returncode == 0, done.stderr


def test_a_mark_of_many_services_is_whole_or_not():
    words = ["fwmark", "1=tcp:192.0.2.1:80,tcp:[2001:db8::1]:80,tcp:192.0.2.2:81"]
    done, _ = convert("-A -f 1 -s rr\n-a -f 1 -r 10.0.0.1:0 -g\n-a -f 1 -r 10.0.0.1:0 -g\n"
                      "-a -f 1 -r 10.0.0.2:0 -i --tun-type gre\n", "--keep-going", *words)
    assert "line 3: -r 10.0.0.1:0: the server is there already" in done.stderr, done.stderr
    for service in json.loads(done.stdout)["services"]:
        assert [b["address"] for b in service["backends"]] == ["10.0.0.1", "10.0.0.2"], service


def test_control_characters_are_escaped():
    nasty = "\033]0;title\007\033[2J\u009b31m\r\n"
    for words, text in (
            (["import", "ipvsadm"], f"-A -t 192.0.2.1:80\033[31m\u009b\x7f -s rr\n"),
            (["import", "ipvsadm", "fwmark", nasty], ""),
            (["import", "ipvsadm", "/nowhere" + nasty], None),
            (["service", "show", nasty], None), (["service", nasty], None), ([nasty], None),
            (["backend", "show", "tcp", "192.0.2.1:80" + nasty], None),
            (["config", "check", "/nowhere" + nasty], None),
            (["config", "check", "-"], json.dumps({"devices": [nasty]})),
            (["config", "check", "-"], '{"%s": 1}' % "\u009b31m"),
            (["config", "check", "-"], '{"devices": \033]0;x'),
            (["-c", nasty], None), (["-n", nasty], None), (["-b", "-"], "x\033[2J\n"),
            (["--" + nasty], None), (["-\033"], None)):
        done = lbadm(*words, text=text)
        assert done.returncode == 1, (words, done)
        assert done.stdout == "", (words, done)
        said = done.stderr
        assert said.endswith("\n") and "\\x" in said, (words, said)
        for char in said.rstrip("\n"):
            assert char == "\n" and said.startswith("lbadm: line") or char.isprintable(), \
                (words, said)


def test_other_text_is_not():
    done = lbadm("service", "show", "größe→")
    assert '"größe→"' in done.stderr, done.stderr
