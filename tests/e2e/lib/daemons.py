# SPDX-License-Identifier: GPL-2.0
"""Other people's daemons, run as a page of the documentation says."""

import os
import re
import signal
import subprocess
import sys
import time

import pages

WORK = os.environ["WORK"]
# lbadm by its name, as pages type it
os.environ["PATH"] = os.path.dirname(os.environ["LBADM"]) + ":" + os.environ["PATH"]


def run(*args):
    """A command's standard output."""
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert not done.returncode, f"{' '.join(args)}: exit {done.returncode}: {done.stderr.strip()}"
    return done.stdout


def ns(name, *args):
    return run("nsenter", f"--net=/run/netns/{name}", "--", *args)


def host(name):
    """A namespace whose addresses can be used at once."""
    run("ip", "netns", "add", name)
    ns(name, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
       "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.accept_ra=0")
    ns(name, "ip", "link", "set", "lo", "up")


def bridge(name):
    """A link, in the namespace sw."""
    ns("sw", "ip", "link", "add", name, "type", "bridge", "mcast_snooping", "0")
    ns("sw", "ip", "link", "set", name, "up")


def link(name, dev, to, *addresses):
    """A device of a host on a bridge."""
    ns(name, "ip", "link", "add", dev, "type", "veth", "peer", "name", f"{name}-{dev}",
       "netns", "sw")
    ns("sw", "ip", "link", "set", f"{name}-{dev}", "master", to, "up")
    ns(name, "ip", "link", "set", dev, "up")
    for address in addresses:
        ns(name, "ip", "addr", "add", address, "dev", dev)


def wait(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s: {what}"
        time.sleep(0.1)


def file_of(page, name, path=None, mode=0o600):
    """The file that a block of the page is: one of its first two lines is a comment with
    the path. Its text; or @path, where it was written to."""
    at = re.compile(rf"[#!] (/\S*/)?{re.escape(name)}\b")
    found = ["\n".join(block.lines).strip() + "\n" for block in pages.blocks(pages.read(page))
             if any(at.match(line) for line in block.lines[:2])]
    assert len(found) == 1, f"{page}: {len(found)} blocks are {name}"
    if not path:
        return found[0]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
              encoding="utf-8") as file:
        file.write(found[0])
    return path


def type_section(page, section, name):
    """Type the commands of a section of a page in a namespace."""
    typed = [command for block in pages.blocks(pages.read(page)) if block.section == section
             for _, command, _ in pages.commands(block)]
    assert typed, f"{page}, {section}: there is no command"
    for command in typed:
        ns(name, "bash", "-c", command)


class Daemons:
    """Those that the case started; it ends them."""

    def __init__(self):
        self.running = []
        self.logs = []

    @staticmethod
    def path(name):
        return os.path.join(WORK, name)

    def start(self, netns, log, *command):
        """In the foreground of its own; its output goes to @log."""
        self.logs.append(self.path(log + ".log"))
        with open(self.logs[-1], "w", encoding="utf-8") as out:
            process = subprocess.Popen(["nsenter", f"--net=/run/netns/{netns}", "--", *command],
                                       stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       start_new_session=True)
        self.running.append(process)
        return process

    def kill(self, process):
        """It and its children die without a word."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running.remove(process)

    def stop(self, process):
        """It is asked to leave."""
        process.terminate()
        process.wait(60)
        self.running.remove(process)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        for process in list(self.running):
            self.kill(process)
        for log in self.logs if failed else ():
            with open(log, encoding="utf-8", errors="replace") as file:
                print(f"# {os.path.basename(log)}:\n{file.read()[-3000:]}", file=sys.stderr)
