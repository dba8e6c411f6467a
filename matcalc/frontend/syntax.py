"""From text to a syntax tree: lexing, brackets, and what is said about text that is not in the syntax.

Nothing here recurses: a text may nest as deeply as it likes, up to `MAX_DEPTH` operations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken
from lark.lark import PostLex

from matcalc.errors import MatcalcError, ParseError, shorten
from matcalc.expr import REGISTRY
from matcalc.frontend.grammar import parser
from matcalc.frontend.hints import about_character, about_construction

Node: TypeAlias = Tree[Token]
Place: TypeAlias = Tree[Token] | Token

MAX_DEPTH = 1000
MAX_CHARACTERS = 1_000_000
_VERBS = {"solves": "_SOLVES", "minimizes": "_MINIMIZES", "minimises": "_MINIMIZES"}
_CLOSING = {"(": ")", "[": "]"}
_TWO_SIZES = re.compile(r"([0-9]+)(x)([0-9]+|[A-Za-z_][A-Za-z0-9_]*)")
_NUMBER_BESIDE = re.compile(r"([0-9]+)([A-Za-z][A-Za-z0-9_]{0,20})")
_TIMES = "unexpected character '×' (U+00D7 MULTIPLICATION SIGN): write * for the matrix product, .* entry by entry"


@dataclass(frozen=True, slots=True)
class Source:
    """The text, for errors that show the place and name operands as the user wrote them.

    `pasted`: it is in another notation than the text syntax.
    """

    text: str
    pasted: bool = False

    def error(self, message: str, place: Place) -> ParseError:
        """The error `message` at the beginning of a token or of a subtree."""
        at = place if isinstance(place, Token) else place.meta
        return self.error_at(message, int(at.start_pos or 0))

    def error_at(self, message: str, position: int) -> ParseError:
        """The error `message` at a position (0-based) of the text."""
        line = self.text.count("\n", 0, position) + 1
        column = position - self.text.rfind("\n", 0, position)
        shown = "".join(c if c == "\n" or c.isprintable() else " " for c in self.text)
        return ParseError(message, shown, line, column)

    def words(self, tree: Node) -> str:
        """The text of a subtree, cut in the middle when it is long."""
        start, end = tree.meta.start_pos, tree.meta.end_pos
        whole = end - start <= 400
        text = self.text[start:end] if whole else f"{self.text[start : start + 200]} {self.text[end - 200 : end]}"
        return shorten(" ".join(text.split()))

    def whole(self, tree: Node) -> str:
        """The text of a subtree on one line."""
        return " ".join(self.text[tree.meta.start_pos : tree.meta.end_pos].split())


class _MisplacedError(Exception):
    """A token that the brackets around it rule out."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(message)
        self.message, self.token = message, token


class _Lines(PostLex):
    """Checks that brackets match, and drops the new lines that separate nothing: inside brackets, blank lines."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that the grammar sees."""
        opened: list[Token] = []
        newline: Token | None = None
        separated = True  # nothing stands before a separator here
        declares = False  # the statement is `name: ...`, where `solves` and `x` are words of their own
        last: Token | None = None
        for token in stream:
            if token.type == "_NEWLINE":
                newline = newline or token
                continue
            if newline is not None and not separated and not opened and token.type != "_SEMICOLON":
                yield newline
                declares = False
            newline = None
            for part in _sizes(token) if declares and not opened else (token,):
                _check_number(part)
                _match(part, opened)
                separated = part.type == "_SEMICOLON"
                declares = not separated and (declares or (part.type == "COLON" and not opened))
                if declares and not opened:
                    part = _word(part, last)
                    declares = part.type not in _VERBS.values()
                if part.value == "×" and (not declares or opened):
                    raise _MisplacedError(_TIMES, part)
                last = part
                yield part
        if opened:
            raise _MisplacedError(f"the bracket {opened[-1].value!r} is never closed", opened[-1])


def _word(token: Token, last: Token | None) -> Token:
    """In a declaration: `solves`, `minimizes`, and the `x` between two sizes."""
    if token.type == "NAME" and token.value in _VERBS:
        return Token.new_borrow_pos(_VERBS[token.value], token.value, token)
    after_size = last is not None and (last.type in ("NAME", "NUMBER") or last.value in (")", "]"))
    if after_size and token.value in ("x", "by"):
        return Token.new_borrow_pos("_BY", token.value, token)
    return token


def _sizes(token: Token) -> Iterator[Token]:
    """In a declaration `3x3` is two sizes."""
    found = _TWO_SIZES.fullmatch(token.value) if token.type == "MALFORMED_NUMBER" else None
    if found is None:
        yield token
        return
    start = int(token.start_pos or 0)
    for group, kind in ((1, "NUMBER"), (2, "_BY"), (3, "NUMBER" if found[3].isdigit() else "NAME")):
        line, column = token.line, int(token.column or 1) + found.start(group)
        at = {"start_pos": start + found.start(group), "end_pos": start + found.end(group)}
        yield Token(kind, found[group], line=line, column=column, **at)


def _check_number(token: Token) -> None:
    if token.type == "MALFORMED_NUMBER":
        said = "an operator may be missing, or a digit after the point"
        beside = _NUMBER_BESIDE.fullmatch(token.value)
        if beside is not None:
            said += f": {beside[1]}*{beside[2]}"
        raise _MisplacedError(f"{shorten(token.value)!r} is not a number ({said})", token)


def _match(token: Token, opened: list[Token]) -> None:
    if token.value in ("(", "["):
        opened.append(token)
    elif token.value in (")", "]"):
        if not opened:
            raise _MisplacedError(f"{token.value!r} without an opening bracket", token)
        opener = opened.pop()
        if _CLOSING[opener.value] != token.value:
            raise _MisplacedError(f"unexpected {token.value!r}: {opener.value!r} must be closed first", token)


@cache
def _grammar() -> Lark:
    return parser(_Lines())


def read(text: Any) -> tuple[Source, Node]:
    """The text with its syntax tree.

    Raises:
        MatcalcError: it is not a string.
        ParseError: it is not in the syntax.
    """
    if not isinstance(text, str):
        raise MatcalcError(f"the expression must be a string (str), got {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"the text has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    source = Source(text.replace("\r\n", "\n").replace("\r", "\n"))
    if not any(line.partition("#")[0].strip(" \t\f\v") for line in source.text.split("\n")):
        raise ParseError("the text is empty: there is nothing to derive")
    try:
        tree = _grammar().parse(source.text)
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
        raise source.error_at(strange(source.text, position), position) from None
    except UnexpectedToken as error:
        raise _unexpected(source, error) from None
    except _MisplacedError as error:
        raise source.error(error.message, error.token) from None
    for node in list(tree.find_data("indicator")):
        indicated(node)
    return source, tree


def indicated(node: Node) -> Node:
    """`(A > B)` as a value, 1 where it holds and 0 elsewhere: where(A > B, 1, 0) at the same place."""
    start, end = node.meta.start_pos, node.meta.end_pos
    numbers = (Tree("number", [Token("NUMBER", value, start_pos=start, end_pos=end)], node.meta) for value in "10")
    node.data, node.children = "call", [Token("NAME", "where", start_pos=start, end_pos=end), *node.children, *numbers]
    return node


def strange(text: str, position: int) -> str:
    """What is said about a character that is not in the syntax."""
    character = text[position]
    hint = about_construction(text, position)
    return f"unexpected character {_character(character)}{f': {hint}' if hint else about_character(character)}"


def _character(character: str) -> str:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    if not character.isprintable() or character.isspace():
        return f"{code} {name}".rstrip()
    if character.isascii():
        return repr(character)
    return f"{character!r} ({code} {name})".replace(" )", ")")


def _unexpected(source: Source, error: UnexpectedToken) -> ParseError:
    token, wants_value = error.token, "NUMBER" in error.expected
    if token.type == "$END":
        end = len(source.text.rstrip())
        hint = about_construction(source.text, end)
        ends = "the text ends where a value is needed" if wants_value else "the text ends here"
        return source.error_at(f"{ends}: {hint}" if hint else ends, end)
    hint = about_construction(source.text, token.start_pos or 0)
    return source.error(f"{_reason(source, token, wants_value)}{f' ({hint})' if hint else ''}", token)


def _reason(source: Source, token: Token, wants_value: bool) -> str:
    before = source.text[: token.start_pos].rstrip()
    shown = repr(shorten(token.value))
    if token.type == "_NEWLINE":
        return "the line ends where a value is needed (inside brackets an expression may go on in the next line)"
    if token.type == "_SEMICOLON" and (not before or before[-1] in ";\n"):
        return "an empty statement: nothing stands before this ';'"
    if token.value == "=" and "==" in source.text[max(0, (token.start_pos or 0) - 1) : (token.start_pos or 0) + 2]:
        return "unexpected '==': where(A > B, C, D) compares, and a definition is `name = expression`"
    if token.value == "=":
        return "unexpected '=': only a name can be defined (`name = expression`), and an equation is not an expression"
    if token.type == "COMPARISON":
        return f"unexpected {shown}: comparing is for where(A > B, C, D), and in brackets (A > B) is 1 where it holds"
    if token.value == "*" and before.endswith("*"):
        return "unexpected '*': a power is written ^, and entry by entry .^"
    if wants_value:
        return f"unexpected {shown}: a value is needed here"
    if token.value == ",":
        return "unexpected ',': statements are separated by ';' or a new line"
    if token.value == ":":
        return "unexpected ':': a declaration is `name: rows x columns`"
    if token.type in ("NAME", "NUMBER") or token.value in "([":
        return f"unexpected {shown}: an operator (such as *) or a ';' is missing before it"
    return f"unexpected {shown}"


def is_indexed(node: Node) -> bool:
    """Whether it is a sum (a product, a maximum, ...) over an index, as in sum(i=1..n, x[i])."""
    return node.data == "call" and any(isinstance(c, Tree) and c.data == "ranging" for c in node.children)


def _folded_children(node: Node) -> list[Place]:
    """What has a value in a subtree: the name of a function, as an argument, stands for itself."""
    if node.data == "derivative":
        return node.children[1:]
    if is_indexed(node):
        return []
    children: list[Place] = node.children
    if node.data != "call" or len(children) == 1 or not _takes_a_function_first(str(children[0])):
        return children
    first: Any = children[1]
    return [children[0], first.children[0] if first.data == "name" else first, *children[2:]]


def _takes_a_function_first(name: str) -> bool:
    entry = REGISTRY.get(name)
    return entry is not None and entry.parameters_first and entry.params[0].kind == "function"


def fold(root: Node, visit: Callable[[Node, list[Any]], Any], source: Source) -> Any:
    """The value of a tree: `visit` gets a subtree and the values of its children (a token is its own value).

    The call before the second brackets of a `derivative` is not visited: it holds no expression; nor is what stands
    under an index, which has no value without it. Iterative.

    Raises:
        ParseError: operations nest too deeply.
    """
    todo: list[tuple[Place, int, bool]] = [(root, 0, False)]
    values: list[Any] = []
    while todo:
        node, depth, ready = todo.pop()
        if isinstance(node, Token):
            values.append(node)
            continue
        children = _folded_children(node)
        if ready:
            first = len(values) - len(children)
            values[first:] = [visit(node, values[first:])]
            continue
        if depth > MAX_DEPTH:
            raise source.error(f"operations are nested more than {MAX_DEPTH} deep: name some parts", node)
        todo.append((node, depth, True))
        todo.extend((child, depth + 1, False) for child in reversed(children))
    return values[0]


def derivative_of(tree: Node, source: Source) -> tuple[str, int]:
    """The name and the order of D(phi, order)(X).

    Raises:
        ParseError: the first brackets are not of this form.
    """
    call: Any = tree.children[0]
    head, *given = call.children
    ok = head.value == "D" and 1 <= len(given) <= 2 and given[0].data == "name"
    if ok and len(given) == 2:
        ok = given[1].data == "number" and given[1].children[0].value.isdigit() and len(given[1].children[0]) < 4
    if not ok:
        raise source.error(
            "an operator is missing between the brackets (a derivative is D(phi)(X) or D(phi, 2)(X))", tree
        )
    order = int(given[1].children[0].value) if len(given) == 2 else 1
    name: Token = given[0].children[0]
    if order < 1:
        raise source.error("the order of a derivative must be at least 1", given[1])
    return str(name.value), order
