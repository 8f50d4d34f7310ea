#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the device tree of npu_board out of that of a real board.

The NPU's cores, their IOMMUs, and all nodes that these refer to are taken over
as they are, numbers of phandles included, so no tree needs symbols. What npu_board
has a provider of its own for keeps phandle and cells, and gets the provider's name.

What the tree cannot tell is assumed: the board has one each of interrupt
controller, clock controller, SCMI clock, power controller and regulator; power is
switched by the domain that the second cell of power-domains names; of a core's
window, all is there that is in the chip's.
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "dts"))

import fdt  # noqa: E402

CORE = "rockchip,rk3588-rknn-core"

# Properties that refer to other nodes, and the property of the target that specifies the
# number of cells after the phandle; None without cells.
REFERENCES = {
    "assigned-clocks": "#clock-cells",
    "clocks": "#clock-cells",
    "domain-supply": None,
    "iommus": "#iommu-cells",
    "npu-supply": None,
    "operating-points-v2": None,
    "power-domains": "#power-domain-cells",
    "resets": "#reset-cells",
    "sram": None,
    "sram-supply": None,
}

# The provider of npu_board for each real one. SCMI's protocols have no "compatible":
# their parent's identifies them.
PROVIDERS = {
    "arm,gic-v3": "npu-board,gic",
    "arm,scmi-smc": "npu-board,scmi-clock",
    "rockchip,rk3588-cru": "npu-board,cru",
    "rockchip,rk3588-power-controller": "npu-board,power-controller",
}
REGULATOR = "npu-board,regulator"

# Properties of a provider that its consumers need.
PROVIDES = (
    "#address-cells",
    "#clock-cells",
    "#interrupt-cells",
    "#power-domain-cells",
    "#reset-cells",
    "#size-cells",
    "interrupt-controller",
    "phandle",
)
# Properties of power domains that are dropped: the QoS registers. No test can observe
# from outside whether a domain restores them.
DROPPED = ("pm_qos",)

# User-mode Linux's PCI window is above 0xf0000000: the bus translates addresses. Nodes
# with registers elsewhere are not the driver's and stay disabled.
BUS = 0xFDA00000
BUS_SIZE = 0x00200000
MOVED = 0xE0A00000


class Failure(Exception):
    """The tree cannot be made."""


def value(data: bytes) -> str:
    """A property's value in the language of device trees."""
    text = data[:-1].split(b"\0")
    if data[-1:] == b"\0" and all(part.isascii() and part.decode().isprintable() for part in text):
        if all(text):
            return ", ".join(f'"{part.decode()}"' for part in text)
    if len(data) % 4:
        return f"[{data.hex(' ')}]"
    return "<" + " ".join(f"{cell:#x}" for cell in struct.unpack(f">{len(data) // 4}I", data)) + ">"


class Board:
    """The parts of the real tree that the board has."""

    def __init__(self, tree: fdt.Tree) -> None:
        self.tree = tree
        self.cores = [n for n in tree.root.walk() if CORE in n.strings("compatible")]
        if not self.cores:
            raise Failure(f"no {CORE} in it; mainline's trees have them since Linux 6.18")
        self.iommus = [self.first(core, "iommus") for core in self.cores]
        self.tables: list[fdt.Node] = []
        self.disabled: list[fdt.Node] = []
        self.providers: dict[str, fdt.Node] = {}
        for node in self.cores + self.iommus:
            self.collect(node)
        self.collect_interrupts()

    def targets(self, node: fdt.Node, prop: str) -> Iterator[fdt.Node]:
        """What a property of references refers to."""
        cells = list(node.cells(prop))
        while cells:
            target = self.tree.phandles.get(cells.pop(0))
            if target is None:
                raise Failure(f"{node.path}: {prop} refers to nothing")
            yield target
            count = REFERENCES[prop]
            if count:
                if count not in target.props:
                    raise Failure(f"{node.path}: {prop} refers to {target.path} without {count}")
                del cells[: target.cells(count)[0]]

    def first(self, node: fdt.Node, prop: str) -> fdt.Node:
        target = next(self.targets(node, prop), None)
        if target is None:
            raise Failure(f"{node.path} has no {prop}")
        return target

    def collect(self, node: fdt.Node) -> None:
        """Finds a place for all that a node refers to."""
        for prop in node.props:
            if prop in REFERENCES:
                for target in self.targets(node, prop):
                    self.place(node, prop, target)

    def place(self, node: fdt.Node, prop: str, target: fdt.Node) -> None:
        if target in self.iommus or target in self.tables:
            return
        if prop == "operating-points-v2":
            self.tables.append(target)
        elif prop == "sram":
            # A subrange of the memory, which is moved with the memory.
            if target.parent and target.parent not in self.disabled:
                self.disabled.append(target.parent)
        elif prop.endswith("-supply"):
            self.provide(REGULATOR, target)
        else:
            self.provide(self.provider(node, prop, target), target)

    @staticmethod
    def provider(node: fdt.Node, prop: str, target: fdt.Node) -> str:
        for candidate in (target, target.parent):
            for name in candidate.strings("compatible") if candidate else ():
                if name in PROVIDERS:
                    return PROVIDERS[name]
        raise Failure(f"{node.path}: {prop} refers to {target.path}, which the board does not have")

    def provide(self, name: str, node: fdt.Node) -> None:
        if self.providers.setdefault(name, node) is not node:
            raise Failure(f"{node.path} and {self.providers[name].path}: the board has one {name}")

    def collect_interrupts(self) -> None:
        gic = self.tree.phandles.get((self.tree.root.cells("interrupt-parent") or (0,))[0])
        if gic is None:
            raise Failure("no interrupt-parent at its root")
        self.provide(self.provider(self.tree.root, "interrupt-parent", gic), gic)
        domains = self.providers[PROVIDERS["rockchip,rk3588-power-controller"]]
        for domain in self.domains(domains):
            for node in domain.walk():
                self.collect(node)

    def domains(self, controller: fdt.Node) -> Iterator[fdt.Node]:
        """The outermost domains that hold those of the cores."""
        wanted = {core.cells("power-domains")[1] for core in self.cores}
        for child in controller.children.values():
            if wanted & {(node.cells("reg") or (-1,))[0] for node in child.walk()}:
                yield child

    def text(self) -> Iterator[str]:
        yield "/dts-v1/;"
        yield "/ {"
        yield 'compatible = "npu-board,rk3588";'
        yield "#address-cells = <2>;"
        yield "#size-cells = <2>;"
        for name, node in sorted(self.providers.items()):
            yield from self.provider_text(name, node)
        for node in self.tables:
            yield from node_text(node, {})
        for node in self.disabled:
            yield from node_text(node, {"status": b"disabled\0"})
        yield from self.bus_text()
        yield "};"

    def provider_text(self, name: str, node: fdt.Node) -> Iterator[str]:
        yield f"{name.split(',')[1]} {{"
        yield f'compatible = "{name}";'
        for prop, data in node.props.items():
            if prop in PROVIDES or (name == REGULATOR and prop.startswith("regulator-")):
                yield property_text(prop, data)
        if name == PROVIDERS["rockchip,rk3588-power-controller"]:
            for domain in self.domains(node):
                yield from node_text(domain, {})
        yield "};"

    def bus_text(self) -> Iterator[str]:
        yield f"soc@{BUS:x} {{"
        yield 'compatible = "simple-bus";'
        yield "#address-cells = <2>;"
        yield "#size-cells = <2>;"
        yield f"ranges = <0 {BUS:#x} 0 {MOVED:#x} 0 {BUS_SIZE:#x}>;"
        yield property_text("interrupt-parent", self.tree.root.props["interrupt-parent"])
        for node in self.cores + self.iommus:
            cells = node.cells("reg")
            if not all(BUS <= start < BUS + BUS_SIZE for start in cells[1::4]) or any(cells[::4]):
                raise Failure(f"{node.path} is not where the cores of an RK3588 are")
            if not node.enabled():
                raise Failure(f"{node.path} is disabled")
            # npu_board enables the node once its registers exist.
            yield from node_text(node, {"status": b"disabled\0"})
        yield "};"


def property_text(prop: str, data: bytes) -> str:
    return f"{prop} = {value(data)};" if data else f"{prop};"


def node_text(node: fdt.Node, changed: dict[str, bytes]) -> Iterator[str]:
    yield f"{node.name} {{"
    for prop, data in {**node.props, **changed}.items():
        if prop not in DROPPED:
            yield property_text(prop, data)
    for child in node.children.values():
        yield from node_text(child, {})
    yield "};"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Prints the source of the tree. Exit status: 0 done, 1 the board's tree lacks "
        "something, 2 wrong usage. Example: tree.py rk3588-rock-5b.dtb",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("board", type=Path, help="the board's tree with its overlays, .dtb")
    args = parser.parse_args()
    try:
        tree = fdt.read(args.board)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        print("\n".join(Board(tree).text()))
    except Failure as failure:
        print(f"tests/board/tree.py: {args.board}: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
