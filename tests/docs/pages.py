# SPDX-License-Identifier: MIT
"""What the pages for people consist of: links, code and tables."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code: its language, or "" for shell, and its text."""

    page: str
    line: int
    language: str
    text: str


class Page:
    """A page in Markdown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.text = path.read_text()
        fences = re.finditer(r"^```(\w*)\n(.*?)^```$", self.text, re.M | re.S)
        self.blocks = [
            Block(self.name, self.text.count("\n", 0, m.start()) + 2, m[1], m[2]) for m in fences
        ]
        self.prose = re.sub(r"^```.*?^```$", "", self.text, flags=re.M | re.S)

    def spans(self) -> list[str]:
        """Code within the prose, lines joined; `\\|` in tables is `|`."""
        return [
            " ".join(span.split()).replace("\\|", "|")
            for span in re.findall(r"`([^`]+)`", self.prose)
        ]

    def commands(self) -> list[str]:
        """Code that a reader could type, one command each; comments are left out."""
        lines = []
        for block in self.blocks:
            if not block.language:
                lines += re.sub(r"\\\n\s*", "", block.text).splitlines()
        lines = [re.sub(r"(^|\s)#.*", "", line) for line in lines] + self.spans()
        return [part.strip() for line in lines for part in re.split(r"&&|\|\|?|;", line)]

    def links(self) -> list[str]:
        """Targets of links within the tree."""
        found = re.findall(r"\]\(([^)]+)\)", self.prose)
        return [link for link in found if not re.match(r"[a-z]+:", link)]

    def section(self, title: str) -> str:
        """The text below a heading, to the next of its level."""
        found = re.search(
            rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", self.text, re.M | re.S
        )
        if not found:
            raise KeyError(f"{self.name} has no section '{title}'")
        return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of the tables in a text, without the heads."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        for line in table.splitlines()[2:]:
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def pages() -> list[Page]:
    """All pages of the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()
    return [Page(ROOT / name) for name in sorted(listed) if (ROOT / name).exists()]


def page(name: str) -> Page:
    """One page."""
    return Page(ROOT / name)


def blocks(name: str, language: str) -> list[str]:
    """The blocks of a language in a page."""
    return [block.text for block in page(name).blocks if block.language == language]
