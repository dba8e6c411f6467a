"""The lines of a function of another library that take the sizes from its arrays, and check their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from matcalc.emit.code import size_text


def size_lines(
    variables: list[tuple[str, tuple[Any, Any]]], names: Mapping[str, str], body: Iterable[str]
) -> tuple[list[str], bool]:
    """Lines that take the sizes that `body` reads from the shapes of arrays, and check all shapes.

    What no array has as its number of rows or columns is taken from `dims`; the second result tells whether any is.
    """
    lines: list[str] = []
    later: list[tuple[str, tuple[Any, Any]]] = []
    known: set[str] = set()
    for name, shape in variables:
        fresh = [str(d) for d in shape if not isinstance(d, int) and d.is_Symbol and str(d) not in known]
        if len(fresh) == len(shape) and fresh[0] != fresh[1]:
            lines.append(f"{names[fresh[0]]}, {names[fresh[1]]} = {name}.shape")
            known.update(fresh)
            continue
        for axis, d in enumerate(shape):
            if str(d) in fresh and str(d) not in known:
                lines.append(f"{names[str(d)]} = {name}.shape[{axis}]")
                known.add(str(d))
        if all(isinstance(d, int) or str(d) in known for d in shape):
            lines.append(_check(name, shape, names))
        else:
            later.append((name, shape))
    given = [f'{text} = dims["{d}"]' for d, text in names.items() if d not in known]
    lines += [*given, *(_check(name, shape, names) for name, shape in later)]
    kept = _without_unread(lines, "\n".join(body))
    return kept, any(line in given for line in kept)


def _check(name: str, shape: tuple[Any, Any], names: Mapping[str, str]) -> str:
    return f'_fitting("{name}", {name}, {shape_text(shape, names)})'


def shape_text(shape: Iterable[Any], names: Mapping[str, str]) -> str:
    """A shape in Python."""
    return f"({', '.join(size_text(d, names) for d in shape)})"


def _without_unread(lines: list[str], text: str) -> list[str]:
    """The lines without sizes that neither `text` nor a later line reads."""
    kept: list[str] = []
    for line in reversed(lines):
        targets, _, source = line.partition(" = ")
        if source:
            read = [re.search(rf"\b{target}\b", text) is not None for target in targets.split(", ")]
            if sum(read) < len(read):
                axis = source if len(read) == 1 else f"{source}[{read.index(True)}]" if any(read) else ""
                line = f"{targets.split(', ')[read.index(True)]} = {axis}" if any(read) else ""
        if line:
            kept.append(line)
            text += f"\n{line}"
    return kept[::-1]
