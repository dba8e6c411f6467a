"""The runtime functions that generated modules use and the evaluator does not: inputs, results, work in given memory.

Like `matcalc.emit.helpers`: the source text goes to users.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np


def _sigmoid(x, out=None):
    """1 / (1 + exp(-x)), without overflow."""
    out = np.negative(x, out=out)
    with np.errstate(over="ignore"):
        out = np.exp(out, out=out if out.ndim else None)
    out += 1
    return np.reciprocal(out, out=out if out.ndim else None)


def _softplus(x, out=None):
    """log(1 + exp(x)), without overflow."""
    top = np.maximum(x, 0)
    out = np.abs(x, out=out)
    inside = out if out.ndim else None
    out = np.log1p(np.exp(np.negative(out, out=inside), out=inside), out=inside)
    out += top
    return out


def _softmax(x, axis, out=None):
    """exp(x) / sum(exp(x)) along an axis, without overflow."""
    out = np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)
    return out


def _log_softmax(x, axis, out=None):
    """log(softmax(x)) along an axis, without overflow or underflow."""
    out = np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return out
