"""Functions that generated code with loops carries along for JAX and PyTorch; the library comes as `xp`."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations


def _sizes(dims):
    """The sizes that are given by hand."""
    return dict(dims or {})


def _size(dims, name):
    """The size `name`."""
    if name not in dims:
        raise ValueError(f"no argument fixes the size {name}: give dims={{{name!r}: ...}}")
    return dims[name]


def _real(xp, value):
    """`value` as an array of the floating type."""
    if hasattr(xp, "as_tensor"):
        return xp.as_tensor(value, dtype=xp.float64)
    return xp.asarray(value, dtype=xp.result_type(float))


def _matrix(xp, name, value, shape, dims):
    """`value` as an array of this shape (names of dimensions, sizes, or (text, function of dims)); fills in `dims`."""
    array = _real(xp, value)
    text = " x ".join(str(d[0] if isinstance(d, tuple) else d) for d in shape)
    if array.ndim == 1 and 1 in shape:
        array = array.reshape((-1, 1)) if shape[1] == 1 else array.reshape((1, -1))
    if array.ndim == 0 and shape == (1, 1):
        array = array.reshape((1, 1))
    if array.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array ({text}), got an array of shape {tuple(array.shape)}")
    for d, size in zip(shape, array.shape):
        try:
            needed = dims.setdefault(d, size) if isinstance(d, str) else d[1](dims) if isinstance(d, tuple) else d
        except KeyError as missing:  # a product of sizes fixes none of them
            raise ValueError(f"no argument fixes the size {missing}: give dims={{{missing}: ...}}") from None
        if size != needed:
            raise ValueError(f"{name} has the shape {tuple(array.shape)}; needed {text}")
    return array[0, 0] if shape == (1, 1) else array


def _members(xp, name, value, shape, first, last, dims):
    """The members of a family, from a list of arrays or an array whose first axis is the index; fills in `dims`."""
    if isinstance(last, str):
        last = dims.setdefault(last, len(value) + first - 1)
    elif isinstance(last, tuple):
        last = last[1](dims)
    if len(value) != last - first + 1:
        raise ValueError(f"{name} has {len(value)} members; needed are {last - first + 1}")
    if hasattr(value, "ndim") and len(value):  # an array is checked once, not member by member
        array = _real(xp, value)
        if array.ndim == 2 and 1 in shape and shape != (1, 1):
            array = array[:, :, None] if shape[1] == 1 else array[:, None, :]
        if array.ndim == 3 or shape == (1, 1):
            _matrix(xp, f"{name}[{first}]", array[0], shape, dims)
            return array.reshape((-1,)) if shape == (1, 1) else array
    return xp.stack([_matrix(xp, f"{name}[{k + first}]", member, shape, dims) for k, member in enumerate(value)])


def _like(xp, gradient, given):
    """The gradient in the shape of what was given."""
    return gradient.reshape(_real(xp, given).shape)


def _all_like(xp, gradients, given):
    """The gradients by the members of a family, in the form of what was given: a list, or an array."""
    if hasattr(given, "ndim") and hasattr(gradients, "reshape"):
        return gradients.reshape(_real(xp, given).shape)
    result = [_like(xp, gradient, member) for gradient, member in zip(gradients, given)]
    return result if isinstance(given, (list, tuple)) else xp.stack(result)
