# SPDX-License-Identifier: MIT
"""Selects the mutants to try, and the suites for each of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import candidates
from candidates import Mutant
from suites import Suite, Suites
from tree import Sources

# The core has half of the driver's code, so it gets two turns.
FOLDERS = (
    "driver/core", "driver/rknn", "driver/model", "driver/rk3588",
    "driver/core", "userspace/libnpu", "userspace/rknn", "userspace/engine",
)

# The conformance groups that cover a file of the core best, by the name of the file
# without "npu_". They run first.
GROUPS = {
    "activity": "activity counters fdinfo",
    "alert": "idle sched",
    "bo": "buffer share",
    "budget": "sched",
    "client": "context ban fdinfo memcg",
    "context": "context ban page",
    "contig": "buffer job",
    "context_ioctl": "context page",
    "core": "fault idle sched",
    "dispatch": "sched cancel fault",
    "dmem": "sram",
    "drv": "core buffer unplug",
    "dump": "coredump ban",
    "entity": "sched context",
    "errors": "errors fault",
    "exec": "core context unplug",
    "fair": "sched",
    "fault": "fault buffer",
    "fdinfo": "fdinfo",
    "gate": "sram cancel unplug",
    "gem": "buffer share core",
    "head": "sched submit cancel",
    "hold": "watchdog sched",
    "implicit": "implicit rocket share",
    "job": "job submit",
    "job_ioctl": "job cancel",
    "longest": "wait",
    "mem": "buffer sram",
    "move": "sram",
    "mover": "sram",
    "pick": "sched",
    "query": "core sram context",
    "queue": "sched submit cancel",
    "region": "sram core",
    "residency": "sram",
    "share": "share implicit submit",
    "signal": "fence page submit",
    "slice": "sched",
    "sram": "sram",
    "sync": "cache",
    "submit": "submit fence",
    "submit_ioctl": "submit fence inject",
    "suspend": "idle",
    "trace": "sched",
    "trace_move": "sram",
    "turn": "sched",
    "user": "user context",
    "vm": "buffer share fault",
    "wait": "wait cancel",
    "waiter": "wait",
    "watchdog": "watchdog fault",
}
# The same for files of the other folders, by how the name begins.
OTHER_GROUPS = {"rknn": "job rocket", "npu_model": "job rocket fault"}
BOARD_JOBS = "info steady fault-stuck fault-iommu fault-spurious fault-lost fault-slow"
BOARD_POWER = "close clock sleeps suspend unload missing no-reset no-power"
BOARD_GROUPS = "job submit wait fault idle sram coredump ban"


def by_kind(tree: Sources, folder: str) -> dict[str, list[Mutant]]:
    """All mutants of a folder, by kind."""
    found: dict[str, list[Mutant]] = {}
    for name in tree.of(folder):
        for mutant in candidates.mutants_of(name, tree.read(name)):
            found.setdefault(mutant.kind, []).append(mutant)
    return found


def in_turn(kinds: dict[str, list[Mutant]], folder: str, seed: int) -> Iterator[Mutant]:
    """Yields the mutants of a folder, the kinds taking turns."""
    queues = {
        kind: iter(sorted(mutants, key=lambda mutant: mutant.rank(seed)))
        for kind, mutants in kinds.items()
    }
    order = sorted(
        queues, key=lambda kind: hashlib.sha256(f"{seed}|{folder}|{kind}".encode()).digest()
    )
    while order:
        for kind in list(order):
            mutant = next(queues[kind], None)
            if mutant:
                yield mutant
            else:
                order.remove(kind)


class Choice:
    """The mutants of each folder, in the order that the seed gives."""

    def __init__(self, tree: Sources, seed: int):
        self.turns = {folder: in_turn(by_kind(tree, folder), folder, seed) for folder in FOLDERS}

    def next(self, folder: str) -> Mutant | None:
        """The next mutant of a folder, or None when all have been tried."""
        return next(self.turns[folder], None)


def related_groups(file: str, groups: list[str]) -> list[str]:
    """The conformance groups that cover a file best."""
    stem = Path(file).stem
    if file.startswith("driver/core/"):
        wanted = GROUPS.get(stem.removeprefix("npu_"), "")
    else:
        wanted = next(
            (groups for prefix, groups in OTHER_GROUPS.items() if stem.startswith(prefix)), ""
        )
    return [group for group in wanted.split() if group in groups]


def in_machine(file: str, suites: Suites) -> Iterator[Suite]:
    """The conformance tests: the related groups, then all others."""
    related = related_groups(file, suites.groups)
    if related:
        yield suites.conformance(related)
    yield suites.conformance([group for group in suites.groups if group not in related])


def loses_memory(mutant: Mutant) -> bool:
    """Whether something is no longer freed, which no test of behaviour sees."""
    return mutant.kind == "statement" and re.search("free|put", mutant.change) is not None


def suites_for(mutant: Mutant, suites: Suites) -> Iterator[Suite]:
    """The suites that should kill a mutant, cheapest first."""
    file = mutant.file
    if file.startswith("userspace/"):
        yield suites.unit
        yield suites.of_programs()
        return
    if file.startswith("driver/rk3588/"):
        yield suites.on_board("jobs", BOARD_JOBS)
        yield suites.on_board("power", BOARD_POWER)
        yield suites.on_board("conformance", "conformance", BOARD_GROUPS)
        return
    if not file.startswith("driver/core/") or file.startswith("driver/core/sched/"):
        yield suites.unit
    if not file.startswith("driver/model/"):
        yield suites.kunit()
    yield from in_machine(file, suites)
    if loses_memory(mutant):
        yield suites.leaks()
