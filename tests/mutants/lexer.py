# SPDX-License-Identifier: MIT
"""A small parser of C and C++ that finds function bodies, statements and conditions.

It knows no types and no macros. Code that it takes for something else costs a mutant
that does not compile, or one that is never made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

PATTERN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<line>^[ \t]*\#(?:[^\n\\]|\\.)*)
  | (?P<string>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*"|(?:[uUL])?'(?:[^'\\\n]|\\.)*')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.']|::)*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|\.\.\.|->\*|<=>|::|->|\+\+|--|<<|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
CONTROL = ("if", "while", "for", "switch")
OPENING = {"(": ")", "[": "]", "{": "}"}
TYPES = ("struct", "class", "union", "enum", "namespace", "extern")


@dataclass(frozen=True)
class Token:
    """A word, number, string or operator, with its offsets in the file."""

    kind: str
    text: str
    start: int
    end: int


@dataclass
class If:
    """An if statement: the tokens of its condition and of its body."""

    condition: range
    body: range


@dataclass
class Code:
    """The tokens of a file, and the constructs found in its function bodies."""

    text: str
    tokens: list[Token]
    partner: dict[int, int]
    bodies: list[range] = field(default_factory=list)
    statements: list[range] = field(default_factory=list)
    ifs: list[If] = field(default_factory=list)

    def line(self, index: int) -> int:
        """The line number of a token."""
        return self.text.count("\n", 0, self.tokens[index].start) + 1

    def is_spaced(self, index: int) -> bool:
        """True for a binary operator; brackets and references of types have no blanks around."""
        token = self.tokens[index]
        return self.text[token.start - 1].isspace() and self.text[token.end].isspace()


def tokens_of(text: str) -> list[Token]:
    """Returns all tokens, without comments and preprocessor lines."""
    return [
        Token(match.lastgroup or "", match.group(), match.start(), match.end())
        for match in PATTERN.finditer(text)
        if match.lastgroup not in ("skip", "line")
    ]


def partners_of(tokens: list[Token]) -> dict[int, int]:
    """Maps each opening bracket to its closing one, and back."""
    partner: dict[int, int] = {}
    stack: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind != "op":
            continue
        if token.text in OPENING:
            stack.append(index)
        elif token.text in OPENING.values():
            if not stack or OPENING[tokens[stack[-1]].text] != token.text:
                raise ValueError(f"unbalanced '{token.text}' at offset {token.start}")
            partner[index] = stack.pop()
            partner[partner[index]] = index
    return partner


class Parser:
    """Walks over the tokens of one file and fills a Code."""

    def __init__(self, text: str):
        tokens = tokens_of(text)
        self.code = Code(text, tokens, partners_of(tokens))
        self.texts = [token.text if token.kind != "string" else '""' for token in tokens]
        self.scope(0, len(tokens))

    def scope(self, index: int, end: int) -> None:
        """Walks over declarations: a file, a namespace or a class."""
        begin = index
        while index < end:
            text = self.texts[index]
            if text == "{":
                self.braces(self.texts[begin:index], index)
                index = begin = self.code.partner[index] + 1
                continue
            if text in OPENING:
                index = self.code.partner[index]
            index += 1
            if text == ";":
                begin = index

    def braces(self, head: list[str], opening: int) -> None:
        """Enters the braces behind head if they belong to a class or a function."""
        inner = range(opening + 1, self.code.partner[opening])
        if head[:1] == ["template"] and ")" not in head:
            self.scope(inner.start, inner.stop)
            return
        if "=" in head and ")" not in head[head.index("=") :] and "operator" not in head:
            return
        if ")" not in head and any(word in TYPES for word in head):
            self.scope(inner.start, inner.stop)
        elif ")" in head or not head:
            self.code.bodies.append(inner)
            self.block(inner.start, inner.stop)

    def block(self, index: int, end: int) -> None:
        """Walks over the statements of a block."""
        while index < end:
            index = self.statement(index, end)

    def statement(self, index: int, end: int) -> int:
        """Records the statement at index and returns the index of the next one."""
        text = self.texts[index]
        if text == "{":
            self.block(index + 1, self.code.partner[index])
            return self.code.partner[index] + 1
        if text in ("else", "do", "try", ";"):
            return index + 1
        if text in ("case", "default"):
            return self.texts.index(":", index) + 1
        if text in CONTROL or text == "catch" or self.is_loop_macro(index):
            return self.control(index, end)
        if self.code.tokens[index].kind == "word" and self.texts[index + 1] == ":":
            return index + 2
        after = self.after_semicolon(index, end)
        self.code.statements.append(range(index, after))
        return after

    def is_loop_macro(self, index: int) -> bool:
        """True for list_for_each_entry() and the like: a call without a semicolon."""
        if self.code.tokens[index].kind != "word" or self.texts[index + 1] != "(":
            return False
        after = self.code.partner[index + 1] + 1
        return after < len(self.texts) and (
            self.texts[after] == "{" or self.code.tokens[after].kind == "word"
        )

    def control(self, index: int, end: int) -> int:
        """Records the head of an if or a loop; its body is the next statement."""
        opening = self.texts.index("(", index)
        closing = self.code.partner[opening]
        self.lambdas(opening, closing)
        if self.texts[index] == "if" and opening == index + 1:
            body = closing + 1
            if self.texts[body] == "{":
                last = self.code.partner[body] + 1
            else:
                last = self.after_semicolon(body, end)
            self.code.ifs.append(If(range(opening + 1, closing), range(body, last)))
        return closing + 1

    def after_semicolon(self, index: int, end: int) -> int:
        """Returns the index behind the statement, after entering the lambdas in it."""
        begin = index
        while index < end and self.texts[index] != ";":
            index = self.code.partner[index] + 1 if self.texts[index] in OPENING else index + 1
        self.lambdas(begin, index)
        return min(index + 1, end)

    def lambdas(self, index: int, end: int) -> None:
        """Walks over the bodies of the lambdas between two tokens."""
        while index < end:
            if self.texts[index] == "{" and self.is_lambda(index):
                self.block(index + 1, self.code.partner[index])
                index = self.code.partner[index]
            index += 1

    def is_lambda(self, index: int) -> bool:
        """True if the brace follows [...] or [...](...), specifiers and a return type."""
        index -= 1
        while self.texts[index] in ("mutable", "noexcept", "->", "*", "&", "::") or (
            self.code.tokens[index].kind == "word" and self.texts[index - 1] in ("->", "::")
        ):
            index -= 1
        if self.texts[index] == ")":
            index = self.code.partner[index] - 1
        return self.texts[index] == "]"


def parse(text: str) -> Code:
    """Parses the text of a file."""
    return Parser(text).code


def inside(code: Code) -> Iterator[int]:
    """Yields the indices of all tokens in function bodies."""
    for body in code.bodies:
        yield from body
