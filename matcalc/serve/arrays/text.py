"""Arrays as text."""

from __future__ import annotations

import math
from typing import Any

from matcalc.serve.arrays.array import asarray, ndarray


def array2string(
    value: Any,
    precision: int | None = 8,
    suppress_small: bool | None = None,
    separator: str = " ",
    threshold: int = 1000,
    **options: Any,
) -> str:
    """Nested brackets; the middle of an array with many entries is left out."""
    of = asarray(value)
    digits = 8 if precision is None else precision
    short = of.size > threshold
    words = [_word(x, digits) for x in of.entries()]
    width = max(map(len, words), default=0)
    return _nested(of, [word.rjust(width) for word in words], separator, short)


def _word(x: Any, digits: int) -> str:
    if not isinstance(x, float):
        return str(x)
    if not math.isfinite(x):
        return str(x)
    if x and not 1e-4 <= abs(x) < 1e8:
        return f"{x:.{digits}e}"
    return f"{x:.{digits}f}".rstrip("0")


def _nested(of: ndarray, words: list[str], separator: str, short: bool) -> str:
    if not of.ndim:
        return words[0].strip()
    n, step = of.shape[0], len(words) // max(of.shape[0], 1)
    places = [*range(3), None, *range(n - 3, n)] if short and n > 6 else list(range(n))
    parts = []
    for k in places:
        if k is None:
            parts.append("...")
        elif of.ndim == 1:
            parts.append(words[k])
        else:
            parts.append(_nested(of[k], words[k * step : (k + 1) * step], separator, short))
    joint = separator if of.ndim == 1 else separator.rstrip() + "\n "
    return f"[{joint.join(parts)}]"
