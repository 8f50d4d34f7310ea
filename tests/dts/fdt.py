# SPDX-License-Identifier: MIT
"""Reads flattened device trees."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

MAGIC = 0xD00DFEED
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


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


def read(path: Path) -> Tree:
    """Reads a .dtb or .dtbo file."""
    blob = path.read_bytes()
    magic, _, at, names = struct.unpack_from(">4I", blob)
    if magic != MAGIC:
        raise ValueError(f"{path} is no device tree")
    root = node = Node("", None)
    depth = 0
    while True:
        (token,) = struct.unpack_from(">I", blob, at)
        at += 4
        if token == BEGIN_NODE:
            end = blob.index(b"\0", at)
            if depth:
                name = blob[at:end].decode()
                child = Node(f"{node.path}/{name}", node)
                node.children[name] = child
                node = child
            depth += 1
            at = end + 1
        elif token == END_NODE:
            depth -= 1
            node = node.parent or root
        elif token == PROP:
            size, offset = struct.unpack_from(">2I", blob, at)
            offset += names
            name = blob[offset : blob.index(b"\0", offset)].decode()
            node.props[name] = blob[at + 8 : at + 8 + size]
            at += 8 + size
        elif token == END:
            return Tree(root)
        elif token != NOP:
            raise ValueError(f"{path} is damaged at {at - 4}")
        at = (at + 3) & ~3
