"""Functions that generated code with loops carries along; NumPy alone."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from matcalc.emit.input_helpers import _matrix


def _members(name, value, shape, first, last, dims, dtype):
    """The members of a family, from a list of arrays or an array whose first axis is the index; fills in `dims`."""
    if isinstance(last, str):
        last = dims.setdefault(last, len(value) + first - 1)
    elif isinstance(last, tuple):
        last = last[1](dims)
    if len(value) != last - first + 1:
        raise ValueError(f"{name} has {len(value)} members; needed are {last - first + 1}")
    if type(value) is np.ndarray and value.dtype == dtype and len(value):  # checked once, not member by member
        array = value
        if array.ndim == 1 and shape == (1, 1):
            return list(array)
        if array.ndim == 2 and 1 in shape and shape != (1, 1):
            array = array[:, :, None] if shape[1] == 1 else array[:, None, :]
        if array.ndim == 3 and shape != (1, 1):
            _matrix(f"{name}[{first}]", array[0], shape, dims, dtype)
            return list(array)
    return [_matrix(f"{name}[{k + first}]", member, shape, dims, dtype) for k, member in enumerate(value)]


def _like(gradient, given):
    """The gradient in the shape of what was given; a float where that is a number."""
    result = np.reshape(gradient, np.shape(given))
    return float(result) if result.shape == () else result


def _all_like(gradients, given):
    """The gradients by the members of a family, in the form of what was given: a list, or an array."""
    result = [_like(gradient, member) for gradient, member in zip(gradients, given)]
    return np.stack(result) if isinstance(given, np.ndarray) else result
