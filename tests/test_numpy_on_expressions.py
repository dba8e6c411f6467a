"""NumPy's functions on matcalc expressions: the operation that they name, with NumPy's own numbers, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import matcalc as mc
from matcalc.expr import REGISTRY, Expr
from matcalc.frontend.numpy_functions import WRITTEN, named
from matcalc.numeric.evaluate import evaluate

A, B = mc.var("A", "n", "n"), mc.var("B", "n", "n")
X, x, y, s = mc.var("X", "n", "p"), mc.var("x", "n", 1), mc.var("y", "n", 1), mc.var("s", 1, 1)
NAMES = {"A": A, "B": B, "X": X, "x": x, "y": y, "s": s}
SIZES = {"n": 3, "p": 2}

FUNCTIONS: list[str] = [
    "np.multiply(A, B)",
    "np.multiply(X, x)",
    "np.multiply(2, X)",
    "np.multiply(s, X)",
    "np.add(A, B)",
    "np.add(X, 1)",
    "np.subtract(X, x)",
    "np.divide(A, B)",
    "np.true_divide(X, x)",
    "np.divide(1, X)",
    "np.power(X, 3)",
    "np.power(X, x)",
    "np.float_power(X, 2)",
    "np.square(X)",
    "np.reciprocal(X)",
    "np.negative(X)",
    "np.matmul(A, X)",
    "np.dot(A, X)",
    "A @ np.transpose(X @ np.transpose(X))",
    "np.transpose(X) @ A",
    "np.kron(A, X)",
    "np.outer(x, y)",
    "np.vdot(x, y)",
    "np.sum(X)",
    "np.sum(X, axis=0, keepdims=True)",
    "np.sum(X, 1, keepdims=True)",
    "np.mean(X)",
    "np.mean(X, axis=-1, keepdims=True)",
    "np.var(X, axis=0, keepdims=True)",
    "np.std(X)",
    "np.max(X)",
    "np.min(X, axis=1, keepdims=True)",
    "np.amax(X)",
    "np.prod(X)",
    "np.trace(A)",
    "np.diagonal(A)",
    "np.maximum(A, B)",
    "np.minimum(X, x)",
    "np.clip(X, 0.5, 1.5)",
    "np.exp(X)",
    "np.log(X)",
    "np.log2(X)",
    "np.log10(X)",
    "np.log1p(X)",
    "np.sqrt(X)",
    "np.cbrt(X)",
    "np.abs(X - 1)",
    "np.sign(X - 1)",
    "np.tanh(X)",
    "np.arctan(X)",
    "np.linalg.inv(A)",
    "np.linalg.det(A)",
    "np.linalg.pinv(X)",
    "np.linalg.solve(A, X)",
    "np.linalg.norm(X)",
    "np.linalg.norm(X, 'fro')",
    "np.linalg.norm(X, ord='nuc')",
    "np.linalg.matrix_power(A, 3)",
    "np.tril(A)",
    "np.triu(A)",
    "np.hstack([A, X])",
    "np.vstack([A, B])",
    "np.concatenate([A, X], axis=1)",
    "np.block([[A, X], [B, X]])",
    "np.ones_like(X) + X",
    "np.float64(2.5) * X",
    "np.int64(2) + X",
    "X / np.float32(2)",
    "np.float64(1) - x",
    "np.array(3.0) * X",
    "np.array([[2.0]]) * X",
]


def evaluated(e: Expr, arrays: dict[str, Any]) -> Any:
    return evaluate(e, arrays, SIZES)


@pytest.mark.parametrize("text", FUNCTIONS)
def test_numbers_are_those_of_numpy(text: str) -> None:
    r = np.random.default_rng(4)
    arrays = {k: r.uniform(0.3, 2.0, [int(SIZES.get(str(d), d)) for d in v.shape]) for k, v in NAMES.items()}
    built = eval(text, {"np": np, **NAMES})
    assert isinstance(built, Expr)
    assert not isinstance(built, np.ndarray)
    wanted = np.asarray(eval(text, {"np": np, **arrays}))
    got = evaluated(built, arrays)
    assert np.allclose(got.reshape(wanted.shape), wanted)
    if wanted.ndim == 2:
        assert got.shape == wanted.shape


def test_the_gradient_of_an_entrywise_product() -> None:
    d = mc.derive(mc.tr(np.multiply(A, B)), wrt="A")
    assert str(d.gradient("A")) == "diag(diagvec(B))"
    assert str(mc.derive(mc.tr(np.transpose(A) @ B), wrt="A").gradient("A")) == "B"
    assert mc.derive(np.sum(np.square(X)), wrt="X").check().ok


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: np.ones((2, 2)) + X, "declare a variable"),
    (lambda: X + np.ones((2, 2)), "declare a variable"),
    (lambda: np.ones((2, 2)) @ X, "declare a variable"),
    (lambda: X @ np.eye(2), "declare a variable"),
    (lambda: np.ones(3) * x, "declare a variable"),
    (lambda: np.inner(A, B), "x.T @ y for vectors"),
    (lambda: np.outer(X, x), "by rows"),
    (lambda: np.vdot(A, X), "np.vdot"),
    (lambda: np.sum(X, axis=0), r"keepdims=True, or write mc.sum\(X, axis=1\)"),
    (lambda: np.mean(X, axis=1), r"mc.mean\(X, axis=2\)"),
    (lambda: np.sum(X, axis=2, keepdims=True), "axis must be None, 0 or 1"),
    (lambda: np.var(X, ddof=1), "ddof"),
    (lambda: np.add.reduce(X), "np.add.reduce"),
    (lambda: np.multiply(A, B, out=np.ones((2, 2))), "out"),
    (lambda: np.reshape(X, (1, 6)), "by columns"),
    (lambda: np.ravel(X), "mc.vec"),
    (lambda: np.greater(X, 0), "mc.where"),
    (lambda: np.linalg.slogdet(A), "mc.logdet"),
    (lambda: np.linalg.norm(X, 2), "mc.normspec"),
    (lambda: np.linalg.norm(x, 1), "mc.norm1"),
    (lambda: np.linalg.norm(X, axis=1), "with an axis"),
    (lambda: np.linalg.eigvals(A), "mc.eigvals"),
    (lambda: np.einsum("ij,jk->ik", A, B), "write"),
    (lambda: np.diag(x), "mc.diag"),
    (lambda: np.sort(X), "is not read on expressions"),
    (lambda: np.floor(X), "is not read on expressions"),
    (lambda: np.asarray(X), "has no numbers"),
    (lambda: np.array([A, B]), "has no numbers"),
    (lambda: np.transpose(X, (0, 1)), "axes"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=[str(k) for k in range(len(REFUSED))])
def test_what_names_no_operation_is_refused(call: Callable[[], Any], words: str) -> None:
    with pytest.raises((mc.MatcalcError, TypeError), match=words):
        call()


def test_an_array_is_not_added_to_in_place() -> None:
    total = np.zeros((2, 2))
    with pytest.raises(mc.MatcalcError):
        total += X
    assert (total == 0).all()


RECORDS = [(name, entry) for entry in REGISTRY.values() for name in entry.numpy_names]


@pytest.mark.parametrize(("name", "entry"), RECORDS, ids=[name for name, _ in RECORDS])
def test_records_name_functions_of_numpy(name: str, entry: Any) -> None:
    assert callable(named(name))
    assert name in "".join(FUNCTIONS) or name in ("np.fmax", "np.fmin", "np.amin", "np.linalg.cholesky")


def test_what_is_written_out_exists() -> None:
    for name in WRITTEN:
        assert hasattr(np, name) or hasattr(np.linalg, name)


def test_python_operators_give_operations_or_say_what_to_write() -> None:
    X, t = mc.var("X", "n", "n"), mc.var("t", 1, 1)
    assert abs(X) is mc.abs(X)
    assert str(2**t) == "2^t"
    for compared in (lambda: t > 0, lambda: t <= 1, lambda: t >= X, lambda: sorted([X, t])):
        with pytest.raises(mc.MatcalcError, match=r"mc\.where\(A, "):
            compared()
