"""The runtime functions of NumPy modules for their inputs and results: types, sizes, shapes, names.

Like `matcalc.emit.helpers`: the source text goes to users.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np


def _array(name, value):
    """`value` as an array of real numbers."""
    if np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries: fill them first")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular array of real numbers") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    return array


def _dtype(**inputs):
    """The floating type of the inputs: float64 unless every floating array is narrower."""
    types = []
    for name, value in inputs.items():
        array = _array(name, value)
        if array.dtype.kind == "f" and not isinstance(value, float):
            types.append(array.dtype)
    return np.result_type(*types) if types else np.dtype(np.float64)


def _sizes(dims):
    """The sizes that are given by hand: whole numbers."""
    sizes = dict(dims or {})
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or size < 0:
            raise ValueError(f"dims: the size {name} must be a whole number, got {size!r}")
    return sizes


def _size(dims, name):
    """The size `name`."""
    if name not in dims:
        raise ValueError(f"no argument fixes the size {name}: give dims={{{name!r}: ...}}")
    return dims[name]


def _nonzero(sizes):
    """Refuse sizes of 0 that the function divides by."""
    for name, size in sizes.items():
        if size == 0:
            raise ValueError(f"{name} is 0, and the function divides by it")


def _not_empty(what, sizes):
    """Refuse sizes of 0 over which there is no value."""
    for name, size in sizes.items():
        if size == 0:
            raise ValueError(f"{what} has no value over no entries: {name} is 0")


def _matrix(name, value, shape, dims, dtype):
    """`value` as an array of this shape (names of dimensions, sizes, or (text, function of dims)); fills in `dims`."""
    array = _array(name, value).astype(dtype, copy=False)
    text = " x ".join(str(d[0] if isinstance(d, tuple) else d) for d in shape)
    if array.ndim == 1 and 1 in shape:
        array = array.reshape(-1, 1) if shape[1] == 1 else array.reshape(1, -1)
    if array.ndim == 0 and shape == (1, 1):
        array = array.reshape(1, 1)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array ({text}), got an array of shape {array.shape}")
    for d, size in zip(shape, array.shape):
        try:
            needed = dims.setdefault(d, size) if isinstance(d, str) else d[1](dims) if isinstance(d, tuple) else d
        except KeyError as missing:  # a product of sizes fixes none of them
            raise ValueError(f"no argument fixes the size {missing}: give dims={{{missing}: ...}}") from None
        if size != needed:
            known = ", ".join(f"{k} = {v}" for k, v in dims.items() if k in text)
            given = f" with {known}" if known else ""
            raise ValueError(f"{name} has the shape {array.shape[0]} x {array.shape[1]}; needed {text}{given}")
    return array[0, 0] if shape == (1, 1) else array


def _form(value, shape):
    """A derivative in the form of the input that it belongs to: 1-D for a 1-D array, a float for a number."""
    return float(value) if shape == () else np.reshape(value, shape)


def _renamed(inputs, name):
    """The argument `name`, which is no name in Python, or not a free one here; also as `name_`."""
    for key in (name, name + "_"):
        if key in inputs:
            return inputs.pop(key)
    raise TypeError(f"missing the argument {name}: f(**{{{name!r}: ...}})")


def _nothing_left(inputs):
    """Refuse arguments that the function does not have."""
    if inputs:
        raise TypeError(f"unexpected argument {', '.join(inputs)}")


def _given(what, values, names):
    """The arrays of a dict, None where left out; refuses names that are not variables."""
    if not hasattr(values, "keys"):
        raise ValueError(f"{what} must be a dict from names to arrays, got {type(values).__name__}")
    unknown = [name for name in values if name not in names]
    if unknown:
        raise ValueError(f"{what}: {', '.join(map(str, unknown))} is no variable here; there are: {', '.join(names)}")
    if not values:
        raise ValueError(f"{what} is empty; give one of: {', '.join(names)}")
    return [values.get(name) for name in names]
