#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what 'tmux capture-pane -e' has captured: text, bold and reverse."""

import html
import re
import sys

USAGE = """Usage: tests/top/picture.py <SCREEN >FILE.svg

Makes an SVG picture of the lines of a terminal with their escape sequences for bold
and reverse text.

Exit status: 0 done, 2 wrong usage.

Example:
  tmux capture-pane -e -p | tests/top/picture.py >docs/npu-top.svg
"""

# Of a cell, in pixels.
WIDTH, HEIGHT = 8, 18
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m|\x1b[()][0-9A-B]|[\x0e\x0f]")


def runs(line):
    """Yields pieces of text with whether they are bold and reverse."""
    bold = reverse = False
    at = 0
    for match in ESCAPE.finditer(line):
        yield line[at:match.start()], bold, reverse
        at = match.end()
        for code in (match[1] or "").split(";") if match[1] is not None else ():
            if code in ("", "0"):
                bold = reverse = False
            elif code == "1":
                bold = True
            elif code == "7":
                reverse = True
    yield line[at:], bold, reverse


def draw(lines):
    columns = max(len(ESCAPE.sub("", line)) for line in lines)
    width, height = (columns + 2) * WIDTH, (len(lines) + 1) * HEIGHT
    yield "<!-- SPDX-License-Identifier: MIT -->"
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           'font-family="monospace" font-size="13" xml:space="preserve">')
    yield f'<rect width="{width}" height="{height}" fill="#1c1c1c"/>'
    for row, line in enumerate(lines):
        column = 1
        for text, bold, reverse in runs(line):
            x, y, length = column * WIDTH, (row + 1) * HEIGHT, len(text) * WIDTH
            column += len(text)
            if reverse and text:
                yield (f'<rect x="{x}" y="{y - 13}" width="{length}" height="{HEIGHT}" '
                       'fill="#d0d0d0"/>')
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                yield (f'<text x="{x}" y="{y}" textLength="{length}"{weight} '
                       f'fill="{"#1c1c1c" if reverse else "#d0d0d0"}">{html.escape(text)}</text>')
    yield "</svg>"


def main():
    if len(sys.argv) > 1:
        help_wanted = sys.argv[1] in ("-h", "--help")
        print(USAGE, end="", file=sys.stdout if help_wanted else sys.stderr)
        return 0 if help_wanted else 2
    print("\n".join(draw(sys.stdin.read().rstrip("\n").split("\n"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
