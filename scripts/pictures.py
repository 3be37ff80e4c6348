#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Draw the pictures of README.md and docs/ as SVG files in docs/pictures.

    scripts/pictures.py                draw all of them
    scripts/pictures.py --check        fail if a picture is not as this script draws it
    scripts/pictures.py --record FILE  take the output of scripts/demo.sh from FILE, and draw

docs/pictures/demo.txt has the text of the terminal.
"""
import os
import re
import sys
from xml.sax.saxutils import escape

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "pictures")
TRANSCRIPT = os.path.join(HERE, "demo.txt")

# Colours that are readable on a light page and on a dark one, each box with its own ground
INK, LINE, GROUND = "#1f2933", "#52606d", "#ffffff"
CLIENT, BALANCER, BACKEND = "#dbeafe", "#fde68a", "#d1fae5"
REQUEST, REPLY = "#1d4ed8", "#047857"
COLUMNS = 100  # of the terminal, which wraps longer lines
FONT = "font-family='DejaVu Sans, Verdana, sans-serif'"
MONO = "font-family='DejaVu Sans Mono, Menlo, Consolas, monospace'"


def svg(width, height, title, parts):
    """A whole picture"""
    return "\n".join([
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}' role='img' aria-label='{escape(title)}'>",
        f"<title>{escape(title)}</title>",
        *parts, "</svg>", ""])


def text(x, y, words, size=13, anchor="middle", fill=INK, weight="normal"):
    """One line"""
    return (f"<text x='{x}' y='{y}' font-size='{size}' text-anchor='{anchor}' "
            f"font-weight='{weight}' fill='{fill}' {FONT}>{escape(words)}</text>")


def box(x, y, width, height, fill, lines):
    """A host: its name, then its addresses"""
    parts = [f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='6' "
             f"fill='{fill}' stroke='{LINE}'/>"]
    top = y + height / 2 - 8 * (len(lines) - 1) + 4
    for at, line in enumerate(lines):
        parts.append(text(x + width / 2, top + 16 * at, line, 13 if at == 0 else 11,
                          weight="bold" if at == 0 else "normal"))
    return parts


def arrow(points, colour, dashed=False):
    """A line through the points, with a head at its end"""
    (x1, y1), (x2, y2) = points[-2:]
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bx, by = x2 - 10 * ux, y2 - 10 * uy
    head = [(x2, y2), (bx - 4 * uy, by + 4 * ux), (bx + 4 * uy, by - 4 * ux)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*points[:-1], (bx, by)])
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in head)
    dash = " stroke-dasharray='6 4'" if dashed else ""
    return [f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2'{dash}/>",
            f"<polygon points='{corners}' fill='{colour}'/>"]


def legend(y, requests, replies):
    """The addresses of requests and of replies"""
    return [*arrow([(30, y - 4), (70, y - 4)], REQUEST),
            text(80, y, requests, 12, "start"),
            *arrow([(30, y + 18), (70, y + 18)], REPLY, dashed=True),
            text(80, y + 22, replies, 12, "start")]


def topology(mode, balancer, backends, requests, replies, through=True):
    """Client, balancer, two backends, and the way of requests and replies"""
    title = f"Topology of mode {mode}"
    parts = [f"<rect width='720' height='290' rx='8' fill='{GROUND}'/>",
             text(360, 26, f"mode {mode}", 15, weight="bold"),
             *box(30, 110, 140, 60, CLIENT, ["client", "198.51.100.7"]),
             *box(275, 85, 170, 110, BALANCER, balancer)]
    for at, y in enumerate((60, 160)):
        parts += box(540, y, 150, 60, BACKEND, backends[at])
        parts += arrow([(445, 125 + 20 * at), (540, y + 20)], REQUEST)
        if through:
            parts += arrow([(540, y + 40), (445, 140 + 20 * at)], REPLY, dashed=True)
    parts += arrow([(170, 132), (275, 132)], REQUEST)
    if through:
        parts += arrow([(275, 150), (170, 150)], REPLY, dashed=True)
    else:
        parts += arrow([(615, 60), (615, 44), (100, 44), (100, 110)], REPLY, dashed=True)
        parts += arrow([(615, 220), (615, 234), (100, 234), (100, 170)], REPLY, dashed=True)
    return svg(720, 290, title, [*parts, *legend(258, requests, replies)])


def terminal():
    """The demo, as its reader sees it"""
    lines = [line[at:at + COLUMNS]
             for line in open(TRANSCRIPT, encoding="utf-8").read().rstrip("\n").split("\n")
             for at in range(0, max(len(line), 1), COLUMNS)]
    width = COLUMNS * 7.85 + 40
    height = len(lines) * 17 + 60
    parts = [f"<rect width='{width:.0f}' height='{height}' rx='8' fill='#1b1f27'/>"]
    for at, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        parts.append(f"<circle cx='{22 + 20 * at}' cy='20' r='6' fill='{colour}'/>")
    for at, line in enumerate(lines):
        colour, weight = "#d5dae3", "normal"
        if line.startswith("== "):
            line, colour, weight = line[3:], "#ffffff", "bold"
        elif re.match(r"(lb|cl)# ", line):
            colour = "#8fd6a5"
        parts.append(f"<text x='20' y='{52 + 17 * at}' font-size='13' xml:space='preserve' "
                     f"font-weight='{weight}' fill='{colour}' {MONO}>{escape(line)}</text>")
    return svg(f"{width:.0f}", height, "Terminal with the output of make demo", parts)


def pictures():
    """Every picture by its file's name"""
    return {
        "mode-dnat.svg": topology(
            "dnat", ["balancer", "VIP 192.0.2.10", "default gateway", "of the backends"],
            (["backend 1", "10.0.11.2"], ["backend 2", "10.0.12.2"]),
            "requests: client → VIP, then client → backend",
            "replies: backend → client, then VIP → client"),
        "mode-fullnat.svg": topology(
            "fullnat", ["balancer", "VIP 192.0.2.10", "local address", "10.0.99.1"],
            (["backend 1", "any subnet or family"], ["backend 2", "any subnet or family"]),
            "requests: client → VIP, then local address → backend (client's address in TOA or PROXY)",
            "replies: backend → local address, then VIP → client"),
        "mode-dsr.svg": topology(
            "dsr", ["balancer", "VIP 192.0.2.10", "on the link, or in", "IPIP, GRE or GUE"],
            (["backend 1", "10.0.21.2, and the VIP"], ["backend 2", "10.0.22.2, and the VIP"]),
            "requests: client → VIP, unchanged to the backend",
            "replies: VIP → client, past the balancer", through=False),
        "demo.svg": terminal(),
    }


def record(log):
    """The part of the demo's output that fits a picture: its titles, commands, results"""
    # A title is bold on a terminal, and begins with "== " elsewhere
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"^\x1b\[1m(.*)\x1b\[0m$", r"== \1",
                                                line.rstrip()))
             for line in open(log, encoding="utf-8")]
    starts = [at for at, line in enumerate(lines) if line.startswith("== ")]
    wanted = []
    for at, end in zip(starts, [*starts[1:], len(lines)]):
        if re.match(r"== (Three namespaces|Two services|\d+ requests|Counters)",
                    lines[at]):
            wanted += lines[at:end]
    while wanted and not wanted[-1]:
        wanted.pop()
    with open(TRANSCRIPT, "w", encoding="utf-8") as file:
        file.write("\n".join(wanted) + "\n")


def main(arguments):
    if arguments[:1] == ["--record"] and len(arguments) == 2:
        record(arguments[1])
    elif arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    stale = []
    for name, drawn in pictures().items():
        path = os.path.join(HERE, name)
        if arguments == ["--check"]:
            if not os.path.exists(path) or open(path, encoding="utf-8").read() != drawn:
                stale.append(name)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(drawn)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run scripts/pictures.py")


main(sys.argv[1:])
