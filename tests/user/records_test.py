# SPDX-License-Identifier: GPL-2.0
"""Files of lbadm connection save, and what restore makes of them."""

import json
import os
import struct
import time

from fake_module import MULTI, N, a, play

SIZE = 120
HEADER = struct.Struct("=8sIIIIQQ")
LEFT = 88       # offsets within a record
AGE = 92


def record(number, size=SIZE, left=60000):
    data = bytearray(size)
    struct.pack_into("=HBB", data, 0, size, 6, N["CONN_ESTABLISHED"])
    struct.pack_into("!H", data, 8, number)
    struct.pack_into("=II", data, LEFT, left, 1000)
    return bytes(data)


def dump(messages):
    """A module that has these records, a list for each message of the dump."""
    def handler(r):
        assert r.cmd == N["CMD_CONN_RECORDS"] and r.flags & 0x300
        return [r.message("CONN_RECORDS", a("A_RECORDS", b"".join(records)), flags=MULTI)
                for records in messages] + [r.done()]
    return handler


def takes(fates):
    """A module to which each record happens what fates, by number, says."""
    got = []

    def handler(r):
        assert r.cmd == N["CMD_CONN_RECORDS"]
        kind, _, data = r.attributes[0]
        assert kind == N["A_RECORDS"] and len(r.attributes) == 1
        size, = struct.unpack_from("=H", data)
        records = [data[i:i + size] for i in range(0, len(data), size)]
        got.append(records)
        return [r.message("CONN_RECORDS", a("A_RECORD_RESULTS", bytes(
            fates.get(struct.unpack_from("!H", one, 8)[0], N["RECORD_RESTORED"])
            for one in records))), r.error()]
    return handler, got


def saved(tmp_path, messages):
    name = str(tmp_path / "connections")
    r = play(["connection", "save", name], dump(messages))
    assert r.status == 0, r.err
    return name, r


def write(tmp_path, data):
    name = str(tmp_path / "file")
    with open(name, "wb") as f:
        f.write(data)
    return name


def header(count, size=SIZE, magic=b"NFLBCONN", order=0x01020304, version=1, when=None):
    return HEADER.pack(magic, order, version, size, 0, count,
                       int(time.time() * 1000) if when is None else when)


def test_save(tmp_path):
    name, r = saved(tmp_path, [[record(1), record(2)], [record(3)]])
    assert r.out == "3 connections saved\n"
    assert os.stat(name).st_mode & 0o777 == 0o600
    with open(name, "rb") as f:
        data = f.read()
    fields = HEADER.unpack_from(data)
    assert fields[:6] == (b"NFLBCONN", 0x01020304, 1, SIZE, 0, 3)
    assert abs(fields[6] / 1000 - time.time()) < 60
    assert data[HEADER.size:] == record(1) + record(2) + record(3)
    assert os.listdir(tmp_path) == ["connections"]
    r = play(["-j", "connection", "save", name], dump([[record(1)]]))
    assert json.loads(r.out) == {"saved": 1}
    name, r = saved(tmp_path, [])
    assert r.out == "0 connections saved\n" and os.stat(name).st_size == HEADER.size


def test_save_fails(tmp_path):
    r = play(["connection", "save", str(tmp_path / "no" / "such")], dump([[record(1)]]))
    assert r.status == 1 and "No such file" in r.err, r.err
    r = play(["connection", "save"], dump([]))
    assert r.status == 1 and "missing" in r.err, r.err
    r = play(["connection", "save", "a", "b"], dump([]))
    assert r.status == 1, r.err
    name = str(tmp_path / "file")
    r = play(["connection", "save", name], lambda r: [r.error(1)])
    assert r.status == 3 and not os.path.exists(name), r.err
    r = play(["connection", "save", name], lambda r: [r.error(95)])
    assert r.status == 2 and not os.path.exists(name), r.err
    # Records of two sizes
    r = play(["connection", "save", name], lambda r: dump([[record(1), record(2, 128)]])(r)[:1])
    assert r.status != 0 and not os.path.exists(name), r.err


def test_restore(tmp_path):
    name, _ = saved(tmp_path, [[record(i) for i in range(400)],
                               [record(i) for i in range(400, 900)],
                               [record(i) for i in range(900, 1203)]])
    handler, got = takes({})
    r = play(["connection", "restore", name], handler)
    assert (r.status, r.out) == (0, "1203 connections restored\n"), r.err
    assert [len(batch) for batch in got] == [500, 500, 203]
    numbers = [struct.unpack_from("!H", one, 8)[0] for batch in got for one in batch]
    assert numbers == list(range(1203))


def test_refused(tmp_path):
    name, _ = saved(tmp_path, [[record(i) for i in range(6)]])
    fates = {1: N["RECORD_EXPIRED"], 2: N["RECORD_EXISTS"], 3: N["RECORD_EXISTS"]}
    r = play(["connection", "restore", name], takes(fates)[0])
    assert (r.status, r.out) == (
        0, "3 connections restored, 3 refused: 1 expired, 2 exists\n"), r.err
    fates[4] = N["RECORD_NO_BACKEND"]
    r = play(["connection", "restore", name], takes(fates)[0])
    assert r.status == 2 and "1 connection was not restored" in r.err, r.err
    assert "1 no-backend" in r.out
    r = play(["-j", "connection", "restore", name], takes(fates)[0])
    assert r.status == 2 and json.loads(r.out) == {
        "restored": 2, "refused": {"expired": 1, "exists": 2, "no-backend": 1}}
    # A fate that only a newer module knows
    r = play(["-j", "connection", "restore", name], takes({0: 200})[0])
    assert r.status == 2 and json.loads(r.out)["restored"] == 5


def test_time_goes_on(tmp_path):
    when = int(time.time() * 1000) - 50000
    records = record(1) + record(2, left=30000)
    name = write(tmp_path, header(2, when=when) + records)
    handler, got = takes({})
    assert play(["connection", "restore", name], handler).status == 0
    first, second = (struct.unpack_from("=II", one, LEFT) for one in got[0])
    assert 1000 <= first[0] <= 10000 and 51000 <= first[1] <= 110000, first
    assert second[0] == 0
    # The clock was put back since
    name = write(tmp_path, header(2, when=when + 10 ** 9) + records)
    handler, got = takes({})
    assert play(["connection", "restore", name], handler).status == 0
    assert got[0][0] == record(1)


def test_a_newer_record(tmp_path):
    name, _ = saved(tmp_path, [[record(i, 200) for i in range(200)], [record(i, 200) for i in range(200, 400)]])
    handler, got = takes({})
    r = play(["connection", "restore", name], handler)
    assert r.status == 0 and [len(b) for b in got] == [325, 75], r.err


def test_files_that_are_none(tmp_path):
    ok = header(2) + record(1) + record(2)
    for data, why in ((b"", "no file of"), (b"{}\n", "no file of"),
                      (header(0, magic=b"NFLBCONM"), "no file of"),
                      (header(0, order=0x04030201), "byte order"),
                      (header(0, version=2), "newer"),
                      (header(1, size=119) + record(1), "size"),
                      (header(1, size=5000), "size"),
                      (header(1, size=0), "size"),
                      (ok[:-1], "cut off"), (ok + b"x", "longer"),
                      (header(1 << 60), "cut off"),
                      (header(1, size=128) + record(1) + bytes(8), "size of a record")):
        name = write(tmp_path, data)
        handler, got = takes({})
        r = play(["connection", "restore", name], handler)
        assert r.status == 1 and why in r.err and not got, (data[:40], r.err)
    r = play(["connection", "restore", str(tmp_path / "none")], takes({})[0])
    assert r.status == 1 and "No such file" in r.err
    r = play(["connection", "restore", name], takes({})[0], loaded=False)
    assert r.status == 1, "the file is read first"


def test_the_module_answers_for_each(tmp_path):
    name, _ = saved(tmp_path, [[record(1), record(2)]])
    r = play(["connection", "restore", name], lambda r: [
        r.message("CONN_RECORDS", a("A_RECORD_RESULTS", b"\0"))])
    assert r.status != 0 and not r.out, r.out
    r = play(["connection", "restore", name], lambda r: [r.error()])
    assert r.status != 0 and not r.out, r.out
    r = play(["connection", "restore", name], lambda r: [r.error(95)])
    assert r.status == 2, r.err
