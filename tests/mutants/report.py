# SPDX-License-Identifier: MIT
"""The report of a run, and the list of equivalent mutants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from candidates import Mutant

FIELDS = ("file", "line", "change", "why")


def read_equivalent(text: str) -> dict[tuple[str, str, str], str]:
    """Reads the list of equivalent mutants: the reason by file, line and change.

    Each entry is a paragraph of four lines 'FIELD: TEXT'. Lines with '#' are comments.
    """
    known = {}
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        pairs = [line.partition(": ") for line in lines]
        if tuple(pair[0] for pair in pairs) != FIELDS or not all(pair[2] for pair in pairs):
            raise ValueError(f"not of the form 'file, line, change, why': {lines[0]}")
        file, source, change, why = (pair[2] for pair in pairs)
        known[file, source, change] = why
    return known


@dataclass
class Report:
    """The mutants tried so far, and what killed them."""

    seed: int
    rows: list[dict[str, object]] = field(default_factory=list)
    equivalent: list[dict[str, object]] = field(default_factory=list)

    @staticmethod
    def _row(mutant: Mutant) -> dict[str, object]:
        return {
            "file": mutant.file,
            "line": mutant.line,
            "change": mutant.change,
            "source": mutant.source,
        }

    def add(self, mutant: Mutant, killed_by: str | None, seconds: float) -> None:
        self.rows.append({**self._row(mutant), "killed_by": killed_by, "seconds": round(seconds)})

    def add_equivalent(self, mutant: Mutant, why: str) -> None:
        self.equivalent.append({**self._row(mutant), "why": why})

    def survivors(self) -> list[dict[str, object]]:
        return [row for row in self.rows if not row["killed_by"]]

    def is_good(self) -> bool:
        """True if mutants were tried and at most 10 % survived."""
        return bool(self.rows) and 10 * len(self.survivors()) <= len(self.rows)

    def write(self, path: Path) -> None:
        """Replaces the report in one step."""
        text = json.dumps(
            {
                "seed": self.seed,
                "tried": len(self.rows),
                "killed": len(self.rows) - len(self.survivors()),
                "rows": self.rows,
                "equivalent": self.equivalent,
            },
            indent="\t",
        )
        new = path.with_suffix(".new")
        new.write_text(text + "\n")
        new.replace(path)
