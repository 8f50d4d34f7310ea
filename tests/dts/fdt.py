# SPDX-License-Identifier: MIT
"""Device trees as objects, read with libfdt."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import libfdt


class Node:
    """A node: its path, properties and children."""

    def __init__(self, path: str, parent: Node | None) -> None:
        self.path = path
        self.parent = parent
        self.props: dict[str, bytes] = {}
        self.children: dict[str, Node] = {}

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[1]

    def cells(self, prop: str) -> tuple[int, ...]:
        """The property's 32-bit cells, none when it is absent or not made of cells."""
        value = self.props.get(prop, b"")
        if len(value) % 4:
            return ()
        return struct.unpack(f">{len(value) // 4}I", value)

    def strings(self, prop: str) -> list[str]:
        value = self.props.get(prop, b"")
        return value.rstrip(b"\0").decode().split("\0") if value else []

    def enabled(self) -> bool:
        """Whether the node and all that hold it are enabled."""
        status = self.strings("status")
        return (not status or status[0] in ("okay", "ok")) and (
            self.parent is None or self.parent.enabled()
        )

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children.values():
            yield from child.walk()


class Tree:
    """A device tree with its phandles."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.phandles: dict[int, Node] = {}
        self.doubled: list[int] = []
        for node in root.walk():
            for number in node.cells("phandle"):
                if number in self.phandles:
                    self.doubled.append(number)
                self.phandles[number] = node

    def find(self, path: str) -> Node | None:
        node = self.root
        for name in path.strip("/").split("/"):
            if name not in node.children:
                return None
            node = node.children[name]
        return node


def fill(node: Node, blob: libfdt.FdtRo, offset: int) -> None:
    """Take properties and children of the node at an offset."""
    at = blob.first_property_offset(offset, libfdt.QUIET_NOTFOUND)
    while at >= 0:
        prop = blob.get_property_by_offset(at)
        node.props[prop.name] = bytes(prop)
        at = blob.next_property_offset(at, libfdt.QUIET_NOTFOUND)
    at = blob.first_subnode(offset, libfdt.QUIET_NOTFOUND)
    while at >= 0:
        name = blob.get_name(at)
        node.children[name] = Node(f"{node.path}/{name}", node)
        fill(node.children[name], blob, at)
        at = blob.next_subnode(at, libfdt.QUIET_NOTFOUND)


def read(path: Path) -> Tree:
    """Reads a .dtb or .dtbo file."""
    data = bytearray(path.read_bytes())
    root = Node("", None)
    try:
        libfdt.check_err(libfdt.fdt_check_full(data, len(data)))
        fill(root, libfdt.FdtRo(data), 0)
    except libfdt.FdtException as error:
        raise ValueError(f"{path} is no sound device tree: {error}") from error
    return Tree(root)
