#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the tracks of a trace of npu-trace, as Perfetto would."""

import html
import json
import sys
import zlib

USAGE = """Usage: tests/trace/picture.py TRACE >FILE.svg

Makes an SVG picture of the cores and of the jobs of one context in the middle of a trace.

Exit status: 0 done, 1 there is nothing to draw, 2 wrong usage.

Example:
  tests/trace/picture.py npu-trace.json >docs/npu-trace.svg
"""

# In pixels; and how many jobs are shown.
LEFT, WIDTH, ROW, GAP, JOBS = 90, 900, 26, 8, 12
# Colours that also the colour-blind can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7")
CORES = 1


def job_spans(events):
    """Yields the beginnings of jobs, and of their waits, with the times of their ends."""
    waiting = {}
    for event in events:
        if event["ph"] == "b":
            waiting[event["id"]] = event
        elif event["ph"] == "e" and event["id"] in waiting:
            first = waiting.pop(event["id"])
            yield first, first["ts"], event["ts"]


def draw(events):
    slices = [(event, event["ts"], event["ts"] + event["dur"]) for event in events
              if event["ph"] == "X" and event["pid"] == CORES]
    jobs = sorted((span for span in job_spans(events)
                   if "label" in span[0].get("args", {})), key=lambda span: span[1])
    if not jobs:
        sys.exit("picture.py: the trace has no jobs")
    shown = jobs[len(jobs) // 2:][:JOBS]
    start, stop = shown[0][1], shown[-1][2]
    scale = WIDTH / max(stop - start, 1e-3)
    cores = sorted({span[0]["tid"] for span in slices})
    rows = [(f"core {core - 1}", [span for span in slices if span[0]["tid"] == core])
            for core in cores] + [("jobs", shown)]
    height = len(rows) * (ROW + GAP) + 40
    yield "<!-- SPDX-License-Identifier: MIT -->"
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" '
           f'height="{height}" font-family="sans-serif" font-size="12">')
    yield f'<rect width="{LEFT + WIDTH + 20}" height="{height}" fill="white"/>'
    for row, (name, row_spans) in enumerate(rows):
        y = row * (ROW + GAP) + 10
        yield f'<text x="10" y="{y + 17}">{name}</text>'
        for event, begin, end in row_spans:
            if end < start or begin > stop:
                continue
            x = LEFT + max(begin - start, 0) * scale
            width = max((min(end, stop) - max(begin, start)) * scale, 0.5)
            label = event["args"]["label"]
            colour = COLOURS[zlib.crc32(label.encode()) % len(COLOURS)]
            yield (f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW}" '
                   f'fill="{colour}" stroke="white"/>')
            letters = int(width / 7)
            if letters > 3:
                yield (f'<text x="{x + 3:.1f}" y="{y + 17}" fill="white">'
                       f'{html.escape(label[:letters])}</text>')
    y = height - 10
    yield f'<text x="{LEFT}" y="{y}">0 us</text>'
    yield (f'<text x="{LEFT + WIDTH}" y="{y}" text-anchor="end">'
           f'{stop - start:.0f} us: slices take modelled time, the rest is the host</text>')
    yield "</svg>"


def main():
    if sys.argv[1:2] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    if len(sys.argv) != 2:
        print(USAGE, end="", file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        events = [event for event in json.load(file)["traceEvents"] if event["ph"] != "M"]
    print("\n".join(draw(events)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
