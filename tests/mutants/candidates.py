# SPDX-License-Identifier: MIT
"""Lists the mutants of a source file: copies of it with one small mistake each."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import lexer

TURNED = {
    "<": ">=", ">": "<=", "<=": ">", ">=": "<",
    "==": "!=", "!=": "==", "&&": "||", "||": "&&",
}
MOVED = {"<": "<=", ">": ">=", "<=": "<", ">=": ">"}
# Logging and assertions: no test is expected to notice a change in them.
SILENT = re.compile(
    r"(lockdep_|might_|WARN|drm_WARN|BUILD_BUG|static_assert|assert|MODULE_|EXPORT_|kasan_"
    r"|trace_|pr_|(dev|drm)_(err|warn|info|dbg|notice|alert|printf|puts)|seq_printf"
    r"|cond_resched|cpu_relax|smp_|dma_[rw]mb|[rw]mb)"
)
NOT_DROPPED = {
    "return", "goto", "break", "continue", "throw", "using", "static_assert", "typedef", "delete",
    "co_return", "co_await", "co_yield",
}
TYPE_WORDS = {
    "auto", "bool", "char", "class", "const", "constexpr", "double", "enum", "float", "int", "long",
    "short", "signed", "static", "struct", "thread_local", "union", "unsigned", "void", "volatile",
}
REFERENCES = {
    "__module_get", "dma_fence_get", "drm_dev_get", "drm_gem_object_get", "kref_get", "npu_bo_get",
    "npu_context_get", "npu_job_get", "npu_rk3588_get", "npu_vm_get", "pm_runtime_get_noresume",
    "refcount_inc",
}
# Those that order loads and stores on x86 too, where the tests run. Others only bind the
# compiler there, so that no test could see that one is missing.
BARRIERS = {"atomic_thread_fence", "mb", "smp_mb"}
# The body of an if statement that handles an error.
HANDLES = re.compile(
    r"\b(goto \w+|return (- E[A-Z0-9]+|ret|err|error|ERR_PTR|ERR_CAST|fail|forward"
    r"|std :: unexpected|error_of)\b)"
)
# What follows a name at the start of an assignment or a call.
FOLLOWS = {
    "(", ".", "->", "[", "=", "++", "--",
    "+=", "-=", "*=", "/=", "|=", "&=", "^=", "<<=", ">>=",
}
KINDS = ("compare", "bound", "statement", "error", "reference", "barrier")


@dataclass(frozen=True)
class Mutant:
    """One mistake in one file. Copy numbers the mutants of lines with the same text."""

    file: str
    line: int
    kind: str
    change: str
    source: str
    start: int
    end: int
    replacement: str
    copy: int = 0

    def apply(self, text: str) -> str:
        """Returns the mutated text. Line numbers stay the same."""
        lines = text.count("\n", self.start, self.end)
        return text[: self.start] + self.replacement + "\n" * lines + text[self.end :]

    def rank(self, seed: int) -> bytes:
        """A sort key that depends on the mutated line only, not on the rest of the file."""
        key = f"{seed}|{self.file}|{self.source}|{self.change}|{self.copy}"
        return hashlib.sha256(key.encode()).digest()


class Finder:
    """Finds the mutants of one file, kind by kind."""

    def __init__(self, file: str, text: str):
        self.file = file
        self.code = lexer.parse(text)
        self.texts = [token.text for token in self.code.tokens]
        self.lines = text.split("\n")
        self.silent = set(self.silent_tokens())

    def silent_tokens(self) -> Iterator[int]:
        """Yields the tokens of logging calls, assertions and 'if constexpr'."""
        for index in lexer.inside(self.code):
            if self.texts[index] == "(" and (
                SILENT.match(self.texts[index - 1]) or self.texts[index - 1] == "constexpr"
            ):
                yield from range(index - 1, self.code.partner[index] + 1)

    def mutant(self, kind: str, tokens: range, replacement: str, change: str) -> Mutant:
        first, last = self.code.tokens[tokens.start], self.code.tokens[tokens.stop - 1]
        line = self.code.line(tokens.start)
        source = " ".join(self.lines[line - 1].split())
        return Mutant(self.file, line, kind, change, source, first.start, last.end, replacement)

    def operators(self) -> Iterator[Mutant]:
        """Turned comparisons, and bounds that are off by one."""
        for index in lexer.inside(self.code):
            text, here = self.texts[index], range(index, index + 1)
            if index in self.silent or self.code.tokens[index].kind != "op":
                continue
            if text in TURNED and self.code.is_spaced(index):
                yield self.mutant("compare", here, TURNED[text], f"'{text}' to '{TURNED[text]}'")
            if text in MOVED and self.code.is_spaced(index):
                yield self.mutant("bound", here, MOVED[text], f"'{text}' to '{MOVED[text]}'")
            if text == "!" and "!" not in (self.texts[index - 1], self.texts[index + 1]):
                yield self.mutant("compare", here, "", f"'!{self.texts[index + 1]}' without '!'")
            if text in "+-" and self.code.is_spaced(index) and self.is_one(index + 1):
                yield self.mutant("bound", range(index, index + 2), "", f"'{text} 1' dropped")

    def is_one(self, index: int) -> bool:
        return re.fullmatch(r"1[uUlL]*", self.texts[index]) is not None

    def statements(self) -> Iterator[Mutant]:
        """Dropped statements, except for references and barriers."""
        for statement in self.code.statements:
            name = self.texts[statement.start]
            if statement.start in self.silent or not self.is_expression(statement):
                continue
            called = self.called(statement)
            if called in REFERENCES | BARRIERS or SILENT.match(called):
                continue
            yield self.mutant("statement", statement, ";", f"'{name} ...' dropped")

    def called(self, statement: range) -> str:
        """The name of the first function that a statement calls, or ''."""
        for index in statement:
            if self.texts[index] == "(":
                return self.texts[index - 1]
        return ""

    def is_expression(self, statement: range) -> bool:
        """True for an assignment or a call, false for a declaration."""
        index = statement.start
        first = self.code.tokens[index]
        if first.text in NOT_DROPPED | TYPE_WORDS or first.text.isupper():
            return False
        if first.kind == "op":
            return first.text in ("*", "++", "--", "(")
        while self.texts[index + 1] == "::" and index + 2 < statement.stop:
            index += 2
        return self.texts[index + 1] in FOLLOWS

    def errors(self) -> Iterator[Mutant]:
        """Ignored errors: the check is evaluated, and its branch never taken."""
        for check in self.code.ifs:
            body = " ".join(self.texts[index] for index in check.body)
            condition = check.condition
            if not HANDLES.search(body) or any(index in self.silent for index in condition):
                continue
            for index in condition:
                if self.texts[index] == ";":
                    condition = range(index + 1, condition.stop)
            text = self.code.text
            first, last = (self.code.tokens[n] for n in (condition.start, condition.stop - 1))
            whole = text[first.start : last.end]
            change = f"'if ({' '.join(whole.split())})' ignored"
            yield self.mutant("error", condition, f"({whole}) && 0", change)

    def calls(self) -> Iterator[Mutant]:
        """Missing references and missing barriers."""
        statements = {statement.start: statement for statement in self.code.statements}
        for index in lexer.inside(self.code):
            name = self.texts[index]
            if self.texts[index + 1] != "(":
                continue
            kind = "reference" if name in REFERENCES else "barrier"
            if name not in REFERENCES | BARRIERS:
                continue
            first = index
            while self.texts[first - 1] == "::":
                first -= 2
            if first in statements:
                yield self.mutant(kind, statements[first], ";", f"'{name}()' dropped")
            else:
                yield self.mutant(kind, range(first, index + 1), "", f"'{name}()' dropped")


def mutants_of(file: str, text: str) -> list[Mutant]:
    """Returns all mutants of a file in the order of its lines."""
    finder = Finder(file, text)
    found: list[Mutant] = []
    for part in (finder.operators(), finder.statements(), finder.errors(), finder.calls()):
        found.extend(part)
    found.sort(key=lambda mutant: (mutant.start, mutant.kind, mutant.change))
    copies: Counter[tuple[str, str]] = Counter()
    numbered = []
    for mutant in found:
        key = (mutant.source, mutant.change)
        numbered.append(Mutant(**{**mutant.__dict__, "copy": copies[key]}))
        copies[key] += 1
    return numbered
