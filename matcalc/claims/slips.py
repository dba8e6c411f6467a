"""Slips of the pen in a text: one token changed at a time, for claims whose shapes do not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SLIPS = 80
_TOKENS = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d*)?|\.[*/^]|\s+|.", re.DOTALL)
_SWAPS = {"*": ("elementwise", ".*"), "@": ("elementwise", ".*"), ".*": ("product", "*")}


def tokens(text: str) -> list[str]:
    """The text cut into names, numbers, operators and blanks."""
    return _TOKENS.findall(text)


def slips(text: str) -> Iterator[tuple[str, str, str]]:
    """The texts that one changed token makes: what kind of repair, the part that it concerns, the text."""
    parts = tokens(text)
    count = 0
    for k, part in enumerate(parts):
        for kind, concerned, changed in _at(parts, k, part):
            yield kind, concerned, "".join(changed)
            count += 1
            if count == MAX_SLIPS:
                return


def _at(parts: list[str], k: int, part: str) -> Iterator[tuple[str, str, list[str]]]:
    before, after = parts[:k], parts[k + 1 :]
    following = after[0] if after else ""
    if part in _SWAPS:
        kind, other = _SWAPS[part]
        yield kind, "".join(_first_factor(after) or after), [*before, other, *after]
    if part == "'":
        yield "transposed", _operand(before), [*before, *after]
    name = re.fullmatch(r"[A-Za-z_]\w*", part)
    if (name and following not in ("(", "'", "=", ":")) or (part in ")]" and following != "'"):
        yield "transpose missing", part if name else _operand([*before, part]), [*before, part, "'", *after]
    if part == "*" and k and after:
        left, right = _last_factor(before), _first_factor(after)
        if left and right:
            yield (
                "order",
                "".join(left),
                [*before[: len(before) - len(left)], *right, "*", *left, *after[len(right) :]],
            )


def _operand(before: list[str]) -> str:
    """What stands before a quote, as it is written."""
    return "".join(_last_factor(before))


def _last_factor(parts: list[str]) -> list[str]:
    """The tokens of the factor at the end: a name or a bracket, with its quotes."""
    end = len(parts)
    k = end - 1
    while k >= 0 and parts[k] == "'":
        k -= 1
    if k < 0:
        return []
    if parts[k] in ")]":
        depth = 0
        while k >= 0:
            depth += (parts[k] in ")]") - (parts[k] in "([")
            if depth == 0:
                break
            k -= 1
        if k > 0 and re.fullmatch(r"[A-Za-z_]\w*", parts[k - 1]):
            k -= 1
    return parts[max(k, 0) : end] if re.match(r"[\w(\[]", parts[max(k, 0)]) else []


def _first_factor(parts: list[str]) -> list[str]:
    """The tokens of the factor at the beginning, with its quotes."""
    if not parts or not re.match(r"[\w(]", parts[0]):
        return []
    k = 0
    if parts[0] != "(" and len(parts) > 1 and parts[1] == "(":
        k = 1
    if parts[k] == "(":
        depth = 0
        while k < len(parts):
            depth += (parts[k] == "(") - (parts[k] == ")")
            if depth == 0:
                break
            k += 1
    k += 1
    while k < len(parts) and parts[k] == "'":
        k += 1
    return parts[:k]
