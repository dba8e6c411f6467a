"""Functions that generated code with loops carries along; NumPy alone."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, var-annotated"

from __future__ import annotations

import numpy as np

from matcalc.emit.input_helpers import _matrix


def _input(name, value, shape, dims, dtype):
    """An input as a matrix; one that fits is taken as it is. Fills in `dims`."""
    if type(value) is np.ndarray and value.dtype == dtype and value.ndim == 2 and shape != (1, 1):
        for d, size in zip(shape, value.shape):
            if size != (dims.setdefault(d, size) if type(d) is str else d):
                break
        else:
            return value
    return _matrix(name, value, shape, dims, dtype)


def _members(name, value, shape, first, last, dims, dtype):
    """The members of a family as an array whose first axis is the index, from such an array or a list; fills in `dims`.

    Numbers are an array of order 1, all else is of order 3.
    """
    if isinstance(last, str):
        last = dims.setdefault(last, len(value) + first - 1)
    elif isinstance(last, tuple):
        last = last[1](dims)
    if len(value) != last - first + 1:
        raise ValueError(f"{name} has {len(value)} members; needed are {last - first + 1}")
    if type(value) is np.ndarray and value.dtype == dtype and len(value):  # checked once, not member by member
        array = value
        if array.ndim == 1 and shape == (1, 1):
            return array
        if array.ndim == 2 and 1 in shape and shape != (1, 1):
            array = array[:, :, None] if shape[1] == 1 else array[:, None, :]
        if array.ndim == 3 and shape != (1, 1):
            _input(f"{name}[{first}]", array[0], shape, dims, dtype)
            return array
    members = [_matrix(f"{name}[{k + first}]", member, shape, dims, dtype) for k, member in enumerate(value)]
    if not members and shape != (1, 1):
        return np.zeros((0, *(d[1](dims) if type(d) is tuple else dims.get(d, d) for d in shape)), dtype)
    return np.array(members, dtype)


def _like(gradient, given):
    """The gradient in the shape of what was given; a float where that is a number."""
    if type(given) is np.ndarray and type(gradient) is np.ndarray:
        return gradient if gradient.shape == given.shape else gradient.reshape(given.shape)
    result = np.reshape(gradient, np.shape(given))
    return float(result) if result.shape == () else result


def _all_like(gradients, given):
    """The gradients by the members of a family, in the form of what was given: a list, or an array."""
    if type(given) is np.ndarray:
        return np.reshape(gradients, given.shape)
    return [_like(gradient, member) for gradient, member in zip(gradients, given)]


def _rows(products, given, names, families, shape, dims):
    """The Jacobians: for each entry of the value, column by column, the gradients by it as rows."""
    count = shape[0] * shape[1]
    found = {}
    for k in range(count):
        weights = np.zeros(count)
        weights[k] = 1
        parts = products(**given, cotangent=weights.reshape((shape[1], shape[0])).T, dims=dims)
        for name in names:
            part = np.asarray(parts[name])
            if name in families:
                rows = np.swapaxes(part, 1, 2).reshape((len(part), -1)) if part.ndim == 3 else part[:, None]
                found.setdefault(name, np.zeros((len(part), count, rows.shape[1])))[:, k] = rows
            else:
                found.setdefault(name, np.zeros((count, part.size)))[k] = part.ravel(order="F")
    return found
