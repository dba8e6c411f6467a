"""Results in memory that the caller gives: `out=`, an array or, where derivatives come by name, a dict of some of them.

Arrays that fit are written to by the compiled function itself; where inputs need a conversion, or where the memory is
also that of an input, the result is computed elsewhere and copied. So nothing is overwritten before it has been read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matcalc.errors import shorten


def into(out: Any, result: Any) -> Any:
    """A result, in the memory that is given for it.

    Raises:
        ValueError: the memory does not fit; then nothing is written to it.
    """
    if out is None:
        return result
    if isinstance(result, tuple):
        value, derivatives = result
        return value, into(out, derivatives)
    if not isinstance(result, dict):
        return _written([("out", out, result)])[0]
    if not isinstance(out, dict):
        raise ValueError(f"out must be a dict of arrays by name ({', '.join(result)}), got {_kind(out)}")
    unknown = [name for name in out if name not in result]
    if unknown:
        raise ValueError(f"out has {shorten(str(unknown[0]))}, and the results are: {', '.join(result)}")
    written = _written([(f"out[{name!r}]", array, result[name]) for name, array in out.items()])
    return result | dict(zip(out, written))


def _written(parts: list[tuple[str, Any, Any]]) -> list[Any]:
    """The given arrays, with the results in them; all of them are checked before the first is written to."""
    for k, (name, array, result) in enumerate(parts):
        _need_fitting(name, array, result)
        for other, earlier, _ in parts[:k]:
            if np.may_share_memory(array, earlier):
                raise ValueError(f"{other} and {name} share memory: each result needs its own")
    for _, array, result in parts:
        array[...] = result
    return [array for _, array, _ in parts]


def _need_fitting(name: str, array: Any, result: Any) -> None:
    """Refuse what the compiled function would not write to as it is."""
    if not isinstance(result, np.ndarray):
        raise ValueError(f"{name}: the result is a number, which is not written to an array")
    if type(array) not in (np.ndarray, np.memmap):
        raise ValueError(f"{name} must be an array of NumPy, got {_kind(array)}")
    if array.dtype != result.dtype:
        raise ValueError(f"{name} must have the type of the result, {result.dtype}, got {array.dtype.str}")
    if array.shape != result.shape:
        raise ValueError(f"{name} must have the shape of the result, {result.shape}, got {array.shape}")
    if not array.flags.writeable:
        raise ValueError(f"{name} is read-only")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError(f"{name} must lie in memory row by row, without gaps (C-contiguous and aligned)")


def _kind(value: Any) -> str:
    return type(value).__name__
