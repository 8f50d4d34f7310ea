#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks the tree of a Rock 5 board after the NPU's overlays were applied to it."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import fdt

CORES = ("/npu@fdab0000", "/npu@fdac0000", "/npu@fdad0000")
SRAM = "/sram@ff001000"
RAIL = "vdd_npu_s0"
ZONE = "/thermal-zones/npu-thermal"
PAGE = 4096
# Of the clock: the firmware takes 2 to 10 of these steps, and the domain can be
# switched on at the first.
STEP_HZ = 100_000_000
PARK_HZ = 2 * STEP_HZ
LEAST_UV = 800_000

# What the overlays may change in nodes that are there, and the nodes they may add.
CHANGED = [
    r"/npu@\w+:(operating-points-v2|sram|#cooling-cells|status|npu-supply|sram-supply"
    r"|assigned-clock-rates)",
    r"/iommu@fda[bcd][9a]000:status",
    SRAM + r"/codec-sram@(0|78000):(reg|status)",
    r"/power-management@\w+/power-controller/power-domain@8:domain-supply",
    ZONE + r":polling-delay-passive",
    # A node without one gets a handle when something new refers to it.
    r"(/npu@fdab0000|/i2c@\w+/regulator@42):phandle",
]
ADDED = [
    r"/opp-table-npu(/opp-\d+)?",
    SRAM + r"/(codec|npu)-sram@\w+",
    ZONE + r"/(trips/npu-alert|cooling-maps|cooling-maps/map0)",
]
# Properties that begin with a handle.
HANDLES = re.compile(
    r".*-supply|iommus|sram|operating-points-v2|power-domains|clocks|resets|trip"
    r"|cooling-device|thermal-sensors|remote-endpoint|interrupt-parent|shmem"
)


class Checker:
    def __init__(self, base: fdt.Tree, merged: fdt.Tree, clock: bool) -> None:
        self.base = base
        self.merged = merged
        self.clock = clock
        self.problems: list[str] = []

    def expect(self, holds: bool, problem: str) -> bool:
        if not holds:
            self.problems.append(problem)
        return holds

    def target(self, node: fdt.Node, prop: str) -> fdt.Node | None:
        """The enabled node that the first cell of a property refers to."""
        cells = node.cells(prop)
        if not self.expect(bool(cells), f"{node.path} has no {prop}"):
            return None
        found = self.merged.phandles.get(cells[0])
        if not self.expect(found is not None, f"{node.path}: {prop} refers to nothing"):
            return None
        self.expect(found.enabled(), f"{node.path}: {prop} is {found.path}, which is disabled")
        return found

    def providers(self, node: fdt.Node, prop: str, size: str) -> list[tuple[fdt.Node, int]]:
        """What a list like clocks or power-domains refers to, with the first argument."""
        found = []
        cells = list(node.cells(prop))
        while cells:
            provider = self.merged.phandles.get(cells.pop(0))
            if not self.expect(provider is not None, f"{node.path}: {prop} refers to nothing"):
                break
            self.expect(provider.enabled(), f"{node.path}: {provider.path} is disabled")
            count = (provider.cells(size) or (0,))[0]
            self.expect(len(cells) >= count, f"{node.path}: {prop} is too short")
            found.append((provider, cells[0] if cells and count else 0))
            del cells[:count]
        return found

    def core(self, path: str) -> fdt.Node | None:
        """One core with what it needs; returns its regulator."""
        node = self.merged.find(path)
        if not self.expect(node is not None, f"no core {path}"):
            return None
        self.expect(node.enabled(), f"{path} is disabled")
        iommu = self.target(node, "iommus")
        if iommu:
            # A core and its IOMMU share a window of 64 KiB.
            window = [n.cells("reg")[1] >> 16 for n in (node, iommu)]
            self.expect(window[0] == window[1], f"{path} has the IOMMU of another core")
            self.expect(
                "rockchip,rk3588-iommu" in iommu.strings("compatible"),
                f"{iommu.path} is no IOMMU",
            )
        self.expect(len(self.providers(node, "clocks", "#clock-cells")) == 4, f"{path}: clocks")
        self.expect(len(self.providers(node, "resets", "#reset-cells")) == 2, f"{path}: resets")
        supply = self.target(node, "npu-supply")
        memory = self.target(node, "sram-supply")
        if supply:
            self.expect(
                supply.strings("regulator-name") == [RAIL], f"{path}: {supply.path} is not {RAIL}"
            )
        # The table has one voltage a point.
        self.expect(supply == memory, f"{path}: cores and their memories have rails of their own")
        domains = self.providers(node, "power-domains", "#power-domain-cells")
        self.expect(len(domains) == 1, f"{path}: power-domains")
        for controller, number in domains:
            self.domain(node, controller, number, supply)
        return supply

    def domain(
        self, core: fdt.Node, controller: fdt.Node, number: int, supply: fdt.Node | None
    ) -> None:
        """The domain or one around it has the core's regulator."""
        domain = next((n for n in controller.walk() if n.cells("reg") == (number,)), None)
        if not self.expect(domain is not None, f"{core.path}: no power domain {number}"):
            return
        while domain and domain != controller:
            if "domain-supply" in domain.props:
                rail = self.target(domain, "domain-supply")
                self.expect(rail == supply, f"{domain.path} has another supply than {core.path}")
                return
            domain = domain.parent
        self.problems.append(f"{core.path}: its power domain has no domain-supply")

    def points(self, cores: list[fdt.Node], rail: fdt.Node | None) -> None:
        """The table of operating points."""
        tables = {self.target(core, "operating-points-v2") for core in cores}
        if not self.expect(len(tables) == 1, "cores that share a clock have different tables"):
            return
        table = tables.pop()
        if table is None:
            return
        self.expect(
            table.strings("compatible") == ["operating-points-v2"], f"{table.path}: compatible"
        )
        self.expect("opp-shared" in table.props, f"{table.path} is not opp-shared")
        limits = [0, 1 << 32]
        if rail:
            limits = [
                (rail.cells(f"regulator-{which}-microvolt") or (limit,))[0]
                for which, limit in zip(("min", "max"), limits)
            ]
        points = []
        for node in table.children.values():
            hz, volts = node.cells("opp-hz"), node.cells("opp-microvolt")
            if not self.expect(
                len(hz) == 2 and len(volts) == 3, f"{node.path}: opp-hz or opp-microvolt"
            ):
                continue
            rate = hz[0] << 32 | hz[1]
            self.expect(node.name == f"opp-{rate}", f"{node.path} is named for another rate")
            target, low, high = volts
            self.expect(low <= target <= high, f"{node.path}: voltages are out of order")
            self.expect(
                target >= LEAST_UV, f"{node.path}: nobody has validated as little as {target} uV"
            )
            self.expect(
                rate % STEP_HZ == 0 and 2 <= rate // STEP_HZ <= 10,
                f"{node.path}: the firmware does not take {rate} Hz",
            )
            self.expect(
                limits[0] <= target <= limits[1],
                f"{node.path}: {target} uV is not what {rail.path if rail else '-'} may give",
            )
            points.append((rate, target))
        self.expect(len(points) > 1, f"{table.path} has no choice of points")
        points.sort()
        for (slow, less), (fast, more) in zip(points, points[1:]):
            self.expect(slow < fast, f"{table.path} has {fast} Hz twice")
            self.expect(less <= more, f"{table.path}: {fast} Hz takes less than {slow} Hz")
        self.expect(points[0][0] == PARK_HZ, f"{table.path} does not begin at {PARK_HZ} Hz")

    def no_points(self, cores: list[fdt.Node]) -> None:
        """The overlays of boards leave the clock alone, which can hang the machine."""
        for core in cores:
            for prop in ("operating-points-v2", "#cooling-cells"):
                self.expect(prop not in core.props, f"{core.path} has {prop}")

    def assigned(self, cores: list[fdt.Node]) -> None:
        """A rate that the tree assigns is set without power, which hangs the firmware."""
        for core in cores:
            self.expect(
                core.cells("assigned-clock-rates") == (0,),
                f"{core.path} assigns a rate before it has power",
            )

    def sram(self, cores: list[fdt.Node]) -> None:
        """The ranges of the system SRAM, and that the cores have one of them."""
        memory = self.merged.find(SRAM)
        if not self.expect(
            memory is not None and memory.enabled() and "mmio-sram" in memory.strings("compatible"),
            f"no SRAM {SRAM}",
        ):
            return
        size = memory.cells("reg")[3]
        for core in cores:
            pool = self.target(core, "sram")
            if pool:
                self.expect(pool.parent is memory, f"{core.path}: sram is outside {SRAM}")
                self.expect("pool" in pool.props, f"{pool.path} is no pool")
        ranges = []
        for node in memory.children.values():
            reg = node.cells("reg")
            if not self.expect(len(reg) == 2, f"{node.path}: reg"):
                continue
            start, length = reg
            self.expect(node.name.endswith(f"@{start:x}"), f"{node.path} begins at {start:#x}")
            if not node.enabled():
                continue
            self.expect(
                length > 0 and start + length <= size, f"{node.path} ends outside {SRAM}"
            )
            self.expect(
                start % PAGE == 0 and length % PAGE == 0,
                f"{node.path} is not made of whole pages",
            )
            ranges.append((start, start + length, node))
        ranges.sort(key=lambda r: r[:2])
        for (_, end, one), (start, _, other) in zip(ranges, ranges[1:]):
            self.expect(end <= start, f"{one.path} overlaps {other.path}")
        # A range belongs to one device; the cores are one.
        users: dict[int, list[str]] = {}
        for node in self.merged.root.walk():
            for handle in node.cells("sram"):
                users.setdefault(handle, []).append(node.path)
        for handle, paths in users.items():
            found = self.merged.phandles.get(handle)
            self.expect(found is not None, f"{paths[0]}: sram refers to nothing")
            self.expect(
                len(paths) == 1 or set(paths) <= set(CORES),
                f"{found.path if found else handle} is shared by {' and '.join(paths)}",
            )

    def thermal(self) -> None:
        """The core that is the cooling device, and the trip that calls for it."""
        zone = self.merged.find(ZONE)
        mapping = self.merged.find(f"{ZONE}/cooling-maps/map0")
        if not self.expect(zone is not None and mapping is not None, f"{ZONE} does not cool"):
            return
        trip = self.target(mapping, "trip")
        if trip:
            self.expect(
                trip.parent is self.merged.find(f"{ZONE}/trips")
                and trip.strings("type") == ["passive"],
                f"{trip.path} is no passive trip of {ZONE}",
            )
            hottest = min(
                n.cells("temperature")[0]
                for n in trip.parent.children.values()
                if n.strings("type") == ["critical"]
            )
            self.expect(trip.cells("temperature")[0] < hottest, f"{trip.path} is too hot")
        core = self.target(mapping, "cooling-device")
        if core:
            self.expect(
                core.path in CORES and core.cells("#cooling-cells") == (2,),
                f"{core.path} is no cooling device",
            )
        self.expect(
            zone.cells("polling-delay-passive") > (0,), f"{ZONE} is not watched while it is hot"
        )

    def others(self) -> None:
        """Nothing else has changed, and what refers to a node still does."""
        self.expect(not self.merged.doubled, f"handles given twice: {self.merged.doubled}")
        before = {node.path: node for node in self.base.root.walk()}
        after = {node.path: node for node in self.merged.root.walk()}
        for path in before.keys() - after.keys():
            self.problems.append(f"{path} is gone")
        for path in after.keys() - before.keys():
            self.expect(any(re.fullmatch(p, path) for p in ADDED), f"{path} is new")
        for path in before.keys() & after.keys():
            old, new = before[path].props, after[path].props
            for prop in old.keys() | new.keys():
                where = f"{path}:{prop}"
                if old.get(prop) != new.get(prop):
                    self.expect(any(re.fullmatch(p, where) for p in CHANGED), f"{where} differs")
                elif HANDLES.fullmatch(prop) and old[prop]:
                    names = []
                    for tree, node in ((self.base, before[path]), (self.merged, after[path])):
                        target = tree.phandles.get((node.cells(prop) or (0,))[0])
                        names.append(target.path if target else "nothing")
                    self.expect(names[0] == names[1], f"{where} was {names[0]}, is {names[1]}")

    def run(self) -> list[str]:
        rails = {self.core(path) for path in CORES}
        self.expect(len(rails) == 1, "the cores have different rails")
        cores = [node for node in map(self.merged.find, CORES) if node]
        if cores:
            self.sram(cores)
            self.assigned(cores)
        if self.clock:
            self.points(cores, rails.pop())
            self.thermal()
        else:
            self.no_points(cores)
        self.others()
        return self.problems


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Prints one problem a line. Exit status: 0 none, 1 some, 2 wrong usage. "
        "Example: nodes.py rk3588-rock-5b.dtb merged.dtb",
    )
    parser.add_argument("base", type=Path, help="the board's tree, .dtb")
    parser.add_argument("merged", type=Path, help="the same with the overlays applied, .dtb")
    parser.add_argument(
        "--clock", action="store_true", help="with operating points; else there must be none"
    )
    args = parser.parse_args()
    try:
        trees = [fdt.read(path) for path in (args.base, args.merged)]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    problems = Checker(*trees, args.clock).run()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
