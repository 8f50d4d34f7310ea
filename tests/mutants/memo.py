# SPDX-License-Identifier: MIT
"""What is already known about a tree, so that an interrupted run can go on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tree import Tree


def key_of(tree: Tree) -> str:
    """Identifies the contents of a tree, except for texts and this program."""
    state = hashlib.sha256()
    for name in sorted(tree.files):
        if not name.startswith("tests/mutants/") and not name.endswith(".md"):
            state.update(name.encode() + b"\0" + (tree.path / name).read_bytes())
    return state.hexdigest()


class Memo:
    """The run times of suites on a tree, and the outcomes of its mutants."""

    def __init__(self, tree: Tree, path: Path, fresh: bool):
        self.path = path
        self.key = key_of(tree)
        self.seconds: dict[str, float] = {}
        self.outcomes: dict[str, str | None] = {}
        if not fresh:
            self._read()

    def _read(self) -> None:
        try:
            known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return
        if known["key"] == self.key:
            self.seconds, self.outcomes = known["seconds"], known["outcomes"]

    def write(self) -> None:
        known = {"key": self.key, "seconds": self.seconds, "outcomes": self.outcomes}
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(known, indent="\t") + "\n")
        new.replace(self.path)
