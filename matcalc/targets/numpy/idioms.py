"""Final peephole pass over NumPy lines: faster methods, LAPACK's Cholesky."""

from __future__ import annotations

import re
from collections.abc import Iterable

from matcalc.emit.trees import hugged

_SUM = re.compile(r"\bnp\.sum\((\w+)(?:, axis=(\d), keepdims=True)?\)")
_CHOLESKY = re.compile(r"\bnp\.linalg\.cholesky\((?=\w+\))")


def in_numpy(lines: Iterable[str]) -> list[str]:
    """The lines as an expert writes them."""
    lines = [_SUM.sub(_summed, hugged(line)) for line in lines]
    if any("_cholesky_" in line for line in lines):  # which call LAPACK: so may the factorisation
        lines = [_CHOLESKY.sub("_cholesky(", line) for line in lines]
    return lines


def _summed(match: re.Match[str]) -> str:
    name, axis = match.groups()
    if axis == "0":
        return f"_column_sums({name})"
    return f"{name}.sum()" if axis is None else f"{name}.sum(axis={axis}, keepdims=True)"
