# SPDX-License-Identifier: MIT
"""A scratch copy of the working tree, in which the mutants are made."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def listed(root: Path) -> set[str]:
    """The files of a checkout, including those that are not committed yet."""
    output = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {name for name in output.split("\0") if name and (root / name).is_file()}


class Sources:
    """The files of a working tree."""

    def __init__(self, path: Path):
        self.path = path
        self.files = listed(path)

    def of(self, folder: str) -> list[str]:
        """The C and C++ files below a folder."""
        return sorted(
            name
            for name in self.files
            if name.startswith(f"{folder}/") and Path(name).suffix in (".c", ".h", ".cpp")
        )

    def read(self, name: str) -> str:
        return (self.path / name).read_text()


class Tree(Sources):
    """A copy of a working tree. Unchanged files keep their times for incremental builds."""

    def __init__(self, origin: Path, path: Path):
        super().__init__(origin)
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        for name in self.files:
            self._copy(origin / name, path / name)
        for file in [file for file in path.rglob("*") if not file.is_dir()]:
            if str(file.relative_to(path)) not in self.files:
                file.unlink()

    @staticmethod
    def _copy(source: Path, copy: Path) -> None:
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
        shutil.copymode(source, copy)

    @contextmanager
    def changed(self, name: str, text: str) -> Iterator[None]:
        """Replaces the text of a file for the duration of a with statement."""
        original = self.read(name)
        try:
            (self.path / name).write_text(text)
            yield
        finally:
            (self.path / name).write_text(original)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock file. Raises BlockingIOError if another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
