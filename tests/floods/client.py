#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A real client beside something hostile: is it still served?

client.py [--interval S] [--limit S] [--count N] LOG PROTO:ADDRESS:PORT...

It asks each target in turn, one request an interval, whether or not earlier ones
were answered: HTTP over TCP, any datagram over UDP. A request that is not
answered within the limit (3 s) is lost; one that is refused is lost, too. Until
SIGTERM or the count it goes on. LOG gets a line a request:

    START PROTO:ADDRESS:PORT SECONDS|- WHY

in which START is CLOCK_MONOTONIC. At the end one line sums up.
"""
import argparse
import asyncio
import signal
import socket
import sys
import time

QUESTION = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


async def ask_tcp(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(QUESTION)
        answer = await reader.read()
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ValueError("answer %r" % answer[:40])
    finally:
        writer.close()


async def ask_udp(address, port):
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((address, port))
        sock.send(b"hello")
        answer = await loop.sock_recv(sock, 1024)
        if b"hello" not in answer:
            raise ValueError("answer %r" % answer[:40])


async def request(log, limit, target):
    proto, rest = target.split(":", 1)
    address, port = rest.rsplit(":", 1)
    address = address.strip("[]")
    start, why, took = time.monotonic(), "", None
    try:
        await asyncio.wait_for(
            {"tcp": ask_tcp, "udp": ask_udp}[proto](address, int(port)), limit)
        took = time.monotonic() - start
        if took > limit:
            took, why = None, "late"
    except asyncio.TimeoutError:
        why = "timeout"
    except (OSError, ValueError) as error:
        why = repr(error)
    log.append((start, target, took, why))


async def main(options):
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    log, tasks, number = [], set(), 0
    while not stop.is_set() and number != options.count:
        target = options.target[number % len(options.target)]
        task = asyncio.create_task(request(log, options.limit, target))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        number += 1
        try:
            await asyncio.wait_for(stop.wait(), options.interval)
        except asyncio.TimeoutError:
            pass
    while tasks:
        await asyncio.wait(tasks)
    log.sort()
    with open(options.log, "w") as out:
        for start, target, took, why in log:
            print("%.3f %s %s %s" % (
                start, target, "-" if took is None else "%.3f" % took, why),
                file=out)
    took = sorted(t for _, _, t, _ in log if t is not None)
    print("served %d of %d within %g s%s" % (
        len(took), len(log), options.limit,
        ", median %.0f ms, worst %.0f ms" % (
            took[len(took) // 2] * 1000, took[-1] * 1000) if took else ""))
    for target in options.target:
        lost = [why for _, t, x, why in log if t == target and x is None]
        if lost:
            print("  %s: %d lost, first %s" % (target, len(lost), lost[0]))
    return 0 if len(took) == len(log) else 1


parser = argparse.ArgumentParser()
parser.add_argument("--interval", type=float, default=0.05)
parser.add_argument("--limit", type=float, default=3)
parser.add_argument("--count", type=int, default=-1)
parser.add_argument("log")
parser.add_argument("target", nargs="+")
sys.exit(asyncio.run(main(parser.parse_args())))
