# SPDX-License-Identifier: MIT
"""The test suites that can kill a mutant, and the builds that they need."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import process
from tree import Tree

SUITES = ("unit", "kunit", "conformance", "leaks", "board", "device")
# What a suite returns that did not end in time begins with this.
TIMEOUT = "timeout in "
# Groups of the conformance tests that take long and search at random.
SLOW = ("stress",)
PROCESSORS = os.cpu_count() or 1
# With sanitizers GCC warns of uninitialised members inside the C++ library, without cause.
SANITIZE = (
    "-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wno-maybe-uninitialized"
)


class Broken(Exception):
    """The tree does not compile. The argument is the output of the build."""


class Unsound(Exception):
    """The unmodified tree does not build, or a suite fails on it. The argument says which."""


class Same(Exception):
    """A mutant compiles to the same code as the unmodified tree."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def must_build(command: list[str | Path], cwd: Path, env: dict[str, str] | None = None) -> None:
    result = process.run(command, cwd, env=env)
    if result.status:
        raise Broken(result.output)


class Programs:
    """A build directory for programs of user space and unit tests."""

    def __init__(self, tree: Tree, path: Path, flags: str, targets: Callable[[Tree], list[str]]):
        self.tree, self.path, self.flags = tree, path, flags
        self.targets = targets(tree)
        self.clean: dict[str, str] = {}
        self.stale = True

    def build(self) -> None:
        """Builds the programs. Raises Broken if one does not compile."""
        # The first time: an earlier run may have had other flags.
        if not self.clean:
            options = {
                "NPU_TESTS": "ON",
                "CMAKE_BUILD_TYPE": "None",
                "CMAKE_C_FLAGS": self.flags,
                "CMAKE_CXX_FLAGS": self.flags,
            }
            must_build(
                ["cmake", "-S", self.tree.path, "-B", self.path, "-G", "Ninja"]
                + [f"-D{name}={value}" for name, value in options.items()],
                self.tree.path,
            )
        must_build(["ninja", "--quiet", "-C", self.path, *self.targets], self.tree.path)
        self.clean = self.clean or self.digests()

    def digests(self) -> dict[str, str]:
        return {name: digest((self.path / "bin" / name).read_bytes()) for name in self.targets}

    def changed(self) -> list[str]:
        """The programs that differ from those of the unmodified tree."""
        return [name for name, value in self.digests().items() if self.clean[name] != value]


def code_of(module: Path) -> bytes:
    """The machine code of a module. Its data have lines and columns, from UBSAN."""
    table = subprocess.run(
        ["readelf", "-SW", module], check=True, capture_output=True, text=True
    ).stdout
    data = module.read_bytes()
    sections = re.findall(
        r"\] (?:\.rela)?\.(?:text|init\.text|exit\.text)\S* +\w+ +\w+ (\w+) (\w+)", table
    )
    return b"".join(
        data[int(offset, 16) : int(offset, 16) + int(size, 16)] for offset, size in sections
    )


class Modules:
    """A build directory for the kernel modules of one flavour of User-mode Linux."""

    def __init__(self, tree: Tree, path: Path, flavour: str, *arguments: str):
        self.tree, self.root, self.flavour, self.arguments = tree, path, flavour, arguments
        self.path = path / f"modules-uml-{flavour}"
        self.clean: dict[str, str] = {}
        self.stale = True

    def build(self) -> None:
        """Builds the modules. Raises Broken if one does not compile."""
        must_build(
            ["scripts/modules", "--uml", self.flavour, *self.arguments],
            self.tree.path,
            {"BUILD": str(self.root)},
        )
        self.clean = self.clean or self.digests()

    def digests(self) -> dict[str, str]:
        return {module.name: digest(code_of(module)) for module in self.path.glob("*.ko")}

    def changed(self) -> list[str]:
        """The modules whose code differs from that of the unmodified tree."""
        return [name for name, value in self.digests().items() if self.clean[name] != value]


class Suite(ABC):
    """A test suite, or a part of one. Made is the build that contains the mutant."""

    name: str
    made: Programs | Modules
    needs: list[Programs | Modules]

    @abstractmethod
    def run(self, allowed: float | None) -> str | None:
        """Returns the test that failed, or None. Allowed is the timeout in seconds."""

    def costs(self) -> list[str]:
        """The keys of this suite in the result of measure()."""
        return [self.name]

    def measure(self) -> dict[str, float]:
        """The run time in seconds on the unmodified tree. Raises Unsound if it fails."""
        start = time.monotonic()
        killer = self.run(None)
        if killer:
            raise Unsound(killer)
        return {self.name: time.monotonic() - start}


class Unit(Suite):
    """The unit test programs that contain the mutant, under ASan and UBSan."""

    name = "unit"

    def __init__(self, programs: Programs):
        self.made: Programs = programs
        self.needs = [programs]

    def run(self, allowed: float | None) -> str | None:
        programs = self.made.changed() or self.made.targets
        with ThreadPoolExecutor(PROCESSORS) as pool:
            shards = [
                pool.submit(self._run_shard, program, shard, allowed)
                for program in programs
                for shard in range(PROCESSORS)
            ]
            try:
                return next((s.result() for s in as_completed(shards) if s.result()), None)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                process.end_all()

    def _run_shard(self, program: str, shard: int, allowed: float | None) -> str | None:
        result = process.run(
            [self.made.path / "bin" / program, "--gtest_fail_fast", "--gtest_brief=1"],
            self.made.path,
            allowed,
            env={"GTEST_TOTAL_SHARDS": str(PROCESSORS), "GTEST_SHARD_INDEX": str(shard)},
        )
        if result.late:
            return f"{TIMEOUT}{program}"
        if not result.status:
            return None
        test = re.search(r"^\[  FAILED  \] (\S+?),? ", result.output, re.M)
        sanitizer = re.search(r"^SUMMARY: (.*?:.*?) |runtime error: (.*)$", result.output, re.M)
        why = test or sanitizer
        return f"{program}: {next(filter(None, why.groups())) if why else f'exit {result.status}'}"


class Machine(Suite):
    """A script that boots a test machine and prints 'FAIL: NAME' for failed tests."""

    # Seconds that the script has to report a timeout of its machine.
    SLACK = 60

    def __init__(
        self,
        name: str,
        needs: list[Programs | Modules],
        command: list[str | Path],
        stop_at: str,
        takes_timeout: bool = True,
    ):
        self.name, self.needs, self.made, self.command = name, needs, needs[0], command
        self.takes_timeout = takes_timeout
        self.stop_at = re.compile(stop_at, re.M)
        self.output = ""

    def run(self, allowed: float | None) -> str | None:
        command = self.command
        if allowed and self.takes_timeout:
            command = [*command, "--timeout", str(int(allowed))]
        late = allowed and 2 * allowed + self.SLACK
        result = process.run(command, self.made.tree.path, late, self.stop_at)
        self.output = result.output
        stopped = self.stop_at.search(result.output)
        if stopped:
            return f"{self.name}: {stopped.group(1)}"
        if result.late or "no end after" in result.output:
            return f"{TIMEOUT}{self.name}"
        if not result.status:
            return None
        failed = re.search(r"^FAIL: (.*)", result.output, re.M)
        return f"{self.name}: {failed.group(1) if failed else f'exit {result.status}'}"


class Conformance(Machine):
    """Some groups of the conformance tests."""

    def __init__(
        self,
        needs: list[Programs | Modules],
        command: list[str | Path],
        groups: list[str],
        every: list[str],
    ):
        whole = [*command, "--group", " ".join(groups)]
        super().__init__("conformance", needs, whole, r"^Subtest (\S+): FAIL")
        self.groups = groups
        self.all_groups = (needs, command, every, every)

    def costs(self) -> list[str]:
        return [f"conformance {group}" for group in self.groups]

    def measure(self) -> dict[str, float]:
        """Measures all groups in one run."""
        if self.all_groups[2] != self.groups:
            return Conformance(*self.all_groups).measure()
        super().measure()
        seconds = dict.fromkeys(self.costs(), 0.0)
        for group, took in re.findall(r"^Subtest (\w+)-\S+: \w+ \((.*)s\)", self.output, re.M):
            seconds[f"conformance {group}"] += float(took)
        return seconds


def unit_programs(tree: Tree) -> list[str]:
    """The names of the unit test programs."""
    names = re.findall(r"^\s*npu_unit_test\((\S+)", tree.read("tests/unit/CMakeLists.txt"), re.M)
    return sorted(set(names))


def device_programs(_: Tree) -> list[str]:
    """The names of the programs that run in the machines."""
    return ["npu-conformance", "npu-board-test", "engine-test", "llm-test", "npu-info", "npu-llm",
            "npu-ioctl-fuzz"]


def groups_of(tree: Tree) -> list[str]:
    """The names of all groups of the conformance tests."""
    found: set[str] = set()
    for name in tree.files:
        if name.startswith("tests/conformance/") and name.endswith(".cpp"):
            found.update(re.findall(r"^SUBTEST\(([a-z0-9]+)_", tree.read(name), re.M))
    return sorted(found)


class Suites:
    """All suites, with the builds that they share."""

    def __init__(self, tree: Tree, build: Path):
        self.tree = tree
        self.unit_tests = Programs(tree, build / "unit", SANITIZE, unit_programs)
        self.programs = Programs(tree, build / "user", "-O1", device_programs)
        self.modules = Modules(tree, build, "debug", "NPU_KUNIT=y")
        self.board = Modules(tree, build, "board")
        self.unit = Unit(self.unit_tests)
        self.groups = [group for group in groups_of(tree) if group not in SLOW]

    def kunit(self) -> Suite:
        command = ["tests/kunit/run", "--module", self.modules.path / "npu.ko"]
        return Machine("kunit", [self.modules], command, r"^FAIL: (\w+\..*)")

    def conformance(self, groups: list[str]) -> Suite:
        command = [
            "tests/conformance/run", "--machine", "uml", "--build", self.programs.path,
            "--modules", self.modules.path,
        ]
        return Conformance([self.modules, self.programs], command, groups, self.groups)

    def leaks(self) -> Suite:
        """Looks for memory that is lost, after calls that fail in all ways."""
        command = [
            "tests/fuzz/ioctl-run", "--kmemleak", "--cpus", "1", "--seconds", "15", "--seed", "1",
            "--build", self.programs.path, "--modules", self.modules.path,
        ]
        needs = [self.modules, self.programs]
        return Machine("leaks", needs, command, r"^FAIL: (.*)", takes_timeout=False)

    def on_board(self, name: str, parts: str, groups: str = "") -> Suite:
        """Parts of the board tests, for mutants of npu_rk3588.ko."""
        needs = [self.board, self.programs]
        return self._on_board(f"board {name}", needs, parts, groups)

    def of_programs(self) -> Suite:
        """The programs on the board, for mutants of user space."""
        return self._on_board("device", [self.programs, self.board], "info engine llm demo", "")

    def _on_board(
        self, name: str, needs: list[Programs | Modules], parts: str, groups: str
    ) -> Suite:
        command = [
            "tests/board/run", "--part", parts, "--build", self.programs.path,
            "--modules", self.board.path, "--group", groups,
        ]
        return Machine(
            name, needs, command, r"^(?:Subtest|PART) ([\w-]+)(?:: FAIL| (?!0$|77$)\d+$)"
        )
