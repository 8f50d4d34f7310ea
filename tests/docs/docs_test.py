# SPDX-License-Identifier: MIT
"""Compares the pages for people with what the tree has."""

from __future__ import annotations

import errno
import functools
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

import pages
from pages import ROOT, page, rows

BUILD = Path(os.environ.get("BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
TOOLS = ("npu-info", "npu-llm", "npu-bench", "npu-top")
# Folders of the tree; a path that begins with one must exist.
FOLDERS = ("driver", "dts", "docs", "include", "LICENSES", "scripts", "tests", "userspace")
INCLUDES = ("userspace/libnpu", "userspace/rknn", "userspace/engine", "include", "include/uapi/drm")


def read(name: str) -> str:
    return (ROOT / name).read_text()


@functools.cache
def help_of(*command: str) -> str:
    done = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} --help fails: {done.stderr}")
    return done.stdout


def options_known(words: list[str]) -> str | None:
    """The help that must name the options of a command, or None for other programs."""
    program, *rest = words
    program = program.removeprefix("build/user/bin/")
    if program in TOOLS:
        tool = str(BUILD / "user" / "bin" / program)
        subcommand = rest[:1] if program == "npu-bench" and rest and rest[0].isalpha() else []
        return help_of(tool, *subcommand)
    path = ROOT / program
    if not re.match(r"(scripts|tests)/", program) or not os.access(path, os.X_OK) or path.is_dir():
        return None
    text = help_of(str(path))
    # Some scripts hand the rest on to a tool.
    for tool in re.findall(r"are (npu-bench \w+)'s", " ".join(text.split())):
        text += help_of(str(BUILD / "user" / "bin" / "npu-bench"), tool.split()[1])
    return text


def sources() -> str:
    """Text that programs and modules print, adjacent literals joined."""
    text = ""
    for pattern in ("driver/**/*.[ch]", "userspace/**/*.cpp", "userspace/**/*.h"):
        for path in sorted(ROOT.glob(pattern)):
            text += path.read_text()
    return re.sub(r'"\s*\n?\s*"', "", text)


class Pages(unittest.TestCase):
    def test_links(self):
        for one in pages.pages():
            for link in one.links():
                target = one.path.parent / link.split("#")[0]
                self.assertTrue(target.exists(), f"{one.name}: no {link}")

    def test_all_pages_are_linked(self):
        linked = {link for one in pages.pages() for link in (
            (one.path.parent / link.split("#")[0]).resolve() for link in one.links())}
        for one in pages.pages():
            if one.name.startswith("docs/"):
                self.assertIn(one.path, linked, f"no page links to {one.name}")

    def test_paths(self):
        start = re.compile(rf"({'|'.join(FOLDERS)})/[\w./*+-]*$")
        for one in pages.pages():
            for command in one.commands():
                for word in command.split():
                    word = word.rstrip(".,:)")
                    if start.match(word) and not any(ROOT.glob(word.rstrip("/"))):
                        self.fail(f"{one.name}: there is no {word}")

    def test_targets(self):
        targets = set(re.findall(r"^## ([a-z0-9-]+):", read("Makefile"), re.M))
        for one in pages.pages():
            for command in one.commands():
                found = re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z][a-z0-9-]*)", command)
                if found and one.name != "CHANGELOG.md":
                    self.assertIn(found[1], targets, f"{one.name}: {command}")

    def test_options(self):
        seen = 0
        for one in pages.pages():
            for command in one.commands():
                words = [word for word in command.split() if not re.match(r"[A-Z_]+=", word)]
                text = options_known(words) if words else None
                if text is None:
                    continue
                for word in words[1:]:
                    option = re.match(r"--?[a-zA-Z][\w-]*", word)
                    if option:
                        seen += 1
                        self.assertRegex(
                            text, rf"(^|[\s,(\[]){option[0]}\b", f"{one.name}: {command}")
        self.assertGreater(seen, 10)

    def test_module_parameters(self):
        driver = "".join(path.read_text() for path in sorted((ROOT / "driver").glob("**/*.c")))
        have = set(re.findall(r"^module_param(?:_named)?\((\w+)", driver, re.M))
        named = set()
        for one in pages.pages():
            for command in one.commands():
                if re.match(r"modprobe npu_", command):
                    named |= set(re.findall(r"\b(\w+)=", command))
            named |= set(re.findall(r"`(\w+)(?:=\w+)?` of\s+npu[._]\w+", one.prose))
        self.assertLessEqual(named, have)
        self.assertGreater(len(named), 3)

    def test_overlays(self):
        have = {path.stem for path in (ROOT / "dts").glob("*.dtso")}
        named = set()
        for one in pages.pages():
            for span in one.spans():
                if re.fullmatch(r"rk3588s?-[\w-]+", span):
                    self.assertIn(span, have, one.name)
                    named.add(span)
        self.assertEqual(named, have, "an overlay that no page names")


class Examples(unittest.TestCase):
    """Examples compile as they stand."""

    def compile(self, language: str, command: list[str]) -> int:
        drm = subprocess.run(["pkg-config", "--cflags-only-I", "libdrm"],
                             capture_output=True, text=True, check=True).stdout
        include = [f"-I{ROOT / folder}" for folder in INCLUDES] + shlex.split(drm)
        count = 0
        for one in pages.pages():
            for block in one.blocks:
                if block.language != language:
                    continue
                count += 1
                with tempfile.NamedTemporaryFile("w", suffix=f".{language}") as file:
                    file.write(block.text)
                    file.flush()
                    done = subprocess.run(
                        [*command, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *include,
                         file.name], capture_output=True, text=True, check=False)
                self.assertEqual(
                    done.returncode, 0, f"{block.page}:{block.line}:\n{done.stderr}")
        return count

    def test_cpp(self):
        self.assertGreaterEqual(self.compile("cpp", ["g++", "-std=c++23"]), 3)

    def test_c(self):
        self.assertGreaterEqual(self.compile("c", ["gcc", "-Wpedantic"]), 2)

    def test_languages(self):
        for one in pages.pages():
            for block in one.blocks:
                self.assertIn(block.language, ("", "cpp", "c"), f"{one.name}:{block.line}")


class Contents(unittest.TestCase):
    def test_read_me_is_short(self):
        self.assertLessEqual(read("README.md").count("\n"), 150)

    def test_messages(self):
        """Messages in the first column of these tables are those of programs."""
        text = sources()
        codes = {os.strerror(code) for code in errno.errorcode}
        table = page("docs/troubleshooting.md")
        count = 0
        for section in ("npu-info --doctor", "Kernel log", "Programs"):
            for row in rows(table.section(section)):
                for message in re.findall(r"`([^`]+)`", row[0]):
                    count += 1
                    self.assertTrue(message in codes or message in text,
                                    f"no program says '{message}'")
        self.assertGreater(count, 30)

    def test_ioctls(self):
        header = read("include/uapi/drm/npu_accel.h")
        have = set(re.findall(r"^#define (DRM_IOCTL_NPU_\w+)", header, re.M))
        named = [row[0] for row in rows(page("docs/uapi.md").section("Ioctls"))]
        self.assertEqual(set(named), have)

    def test_names_of_the_header(self):
        header = read("include/uapi/drm/npu_accel.h")
        for span in page("docs/uapi.md").spans():
            if re.match(r"(DOC:|struct drm_npu|enum drm_npu)", span):
                self.assertIn(f" * {span}", header)

    def test_operations_of_backends(self):
        """The guide has each operation of both structures, and no other."""
        for name, struct, section, column in (
            ("npu_hw.h", "npu_hw_ops", "3. Write the backend", 1),
            ("npu_isa.h", "npu_isa_ops", "2. Write a dialect", 0),
        ):
            header = read(f"driver/core/include/{name}")
            body = re.search(rf"^struct {struct} {{\n(.*?)^}};", header, re.M | re.S)[1]
            have = set(re.findall(r"\(\*(\w+)\)", body))
            text = page("docs/writing-a-backend.md").section(section)
            named = {word for row in rows(text) for word in re.findall(r"`(\w+)`", row[column])}
            self.assertEqual(named, have, struct)

    def test_parts(self):
        """The picture and its page name each folder of the driver and of user space."""
        text = page("docs/architecture.md").section("The parts")
        for pattern in ("driver/core/*", "driver/*", "userspace/*"):
            for folder in ROOT.glob(pattern):
                name = str(folder.relative_to(ROOT))
                if folder.is_dir() and name not in (
                        "driver/core", "userspace/examples", "userspace/system"):
                    self.assertIn(f"`{name}`", text)

    def test_version(self):
        """One version, wherever it has to be written."""
        version = re.search(r'^PACKAGE_VERSION="(\S+)"$', read("dkms.conf"), re.M)[1]
        self.assertTrue(read("debian/changelog").startswith(f"accel-npu ({version}) "))
        self.assertIn("project(accel-npu VERSION ${NPU_VERSION} ", read("CMakeLists.txt"))
