"""What is compared: every way in which a derivative comes out of the package, with the oracle's at the same point."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr
from matcalc.numeric.evaluate import evaluate
from matcalc.properties import names_of

from .case import Case, by_graph, by_sympy, by_text, frozen
from .reference import Failure, Reference, Unfit
from .targets import INSTALLED

LARGEST = 40  # entries of a Hessian's variable beyond which it is left out


def check_gradient(case: Case) -> None:
    """Value and gradients by generated code; one gradient as it is printed."""
    d, ref = case.derivation, case.reference
    value, gradients = case.run(d, "value_and_grad")
    ref.value().compare("value", value)
    for v in case.wrt:
        ref.gradient(v).compare(f"gradient by {v.params[0]}", gradients[v.params[0]])
    v = case.pick()
    ref.gradient(v).compare(f"printed gradient by {v.params[0]}", case.printed(d, d.gradient(v.params[0])))


def check_graph(case: Case) -> None:
    """Gradients of the expressions themselves."""
    gradients = case.run(by_graph(case.program, case.names), "gradient")
    for v in case.wrt:
        case.reference.gradient(v).compare(f"gradient by {v.params[0]} of expressions", gradients[v.params[0]])


def check_sympy(case: Case) -> None:
    """Gradients through the SymPy door."""
    d = by_sympy(case.program, case.names)
    gradients = case.run(d, "gradient")
    for v in case.wrt:
        case.reference.gradient(v).compare(f"gradient by {v.params[0]} of SymPy", gradients[v.params[0]])


def check_hessian(case: Case) -> None:
    """A Hessian by generated code and as it is printed, and mixed ones, against products with a direction."""
    d, ref = case.derivation, case.reference
    total: dict[Expr, np.ndarray] = {}
    pure: dict[Expr, Any] = {}
    small = [v for v in case.wrt if ref.along[v].size <= LARGEST][:2]
    if not small:
        return
    alone = Reference(case.program, small)
    for v in small:
        for w in small:
            H = d.hessian(v.params[0], w.params[0])
            M = evaluate(H.value, dict(case.program.arrays), case.program.sizes)
            if v is w:
                pure[v] = H
            total[v] = total.get(v, 0) + M @ alone.along[w].reshape(-1, 1, order="F")
    for v in small:
        alone.hvp(v).transformed(_column, _column).compare(f"Hessians by {v.params[0]} and others", total[v])
    v = small[0]
    one = Reference(case.program, [v])
    H = case.run(by_text(case.program, [v.params[0]]), "hessian")[v.params[0]]
    want = one.hvp(v).transformed(_column, _column)
    want.compare(f"Hessian by {v.params[0]}", H @ _column(one.along[v]))
    P = case.printed(d, pure[v])
    want.compare(f"printed Hessian by {v.params[0]}", P @ _column(one.along[v]))


def _column(a: np.ndarray) -> np.ndarray:
    return a.reshape(-1, 1, order="F")


def check_hvp(case: Case) -> None:
    """Hessian-vector products by generated code, along all variables together."""
    tangents = {v.params[0]: frozen(case.reference.along[v]) for v in case.wrt}
    found = case.run(case.derivation, "hvp", tangents=tangents)
    for v in case.wrt:
        case.reference.hvp(v).compare(f"hvp by {v.params[0]}", found[v.params[0]])


def check_jacobian(case: Case) -> None:
    """Jacobians by generated code, one of them as it is printed."""
    d, ref = case.derivation, case.reference
    found = case.run(d, "jacobian")
    for v in case.wrt:
        ref.jacobian(v).compare(f"Jacobian by {v.params[0]}", found[v.params[0]])
    v = case.pick()
    ref.jacobian(v).compare(f"printed Jacobian by {v.params[0]}", case.printed(d, d.jacobian(v.params[0])))


def check_jvp(case: Case) -> None:
    """The derivative along a direction, and that of the inner product with a cotangent."""
    d, ref = case.derivation, case.reference
    tangents = {v.params[0]: frozen(ref.along[v]) for v in case.wrt}
    ref.jvp().compare("jvp", case.run(d, "jvp", tangents=tangents))
    G = case.rng.standard_normal(ref.value().exact.shape)
    found = case.run(d, "vjp", cotangent=frozen(G))
    for v in case.wrt:
        shape = ref.along[v].shape
        want = ref.jacobian(v).transformed(
            lambda J, shape=shape: (_column(G).T @ J).reshape(shape, order="F"),
            lambda J, shape=shape: (np.abs(_column(G)).T @ J).reshape(shape, order="F"),
        )
        want.compare(f"vjp by {v.params[0]}", found[v.params[0]])


def check_factored(case: Case) -> None:
    """Jacobians as factors of Kronecker products, and as linear operators."""
    d, ref = case.derivation, case.reference
    found = d.function("jacobian", form="operator")(**case.arrays, dims=case.program.sizes)
    for v in case.wrt:
        V = _column(ref.along[v])
        want = ref.jacobian(v).transformed(lambda J, V=V: J @ V, lambda J, V=V: J @ np.abs(V))
        want.compare(f"operator by {v.params[0]}", found[v.params[0]] @ V)
    try:
        pairs = d.function("jacobian", form="factored")(**case.arrays, dims=case.program.sizes)
    except NoRuleError:
        return
    for v in case.wrt:
        terms = [np.kron(*map(_factor, pair)) for pair in pairs[v.params[0]]]
        ref.jacobian(v).compare(f"factored by {v.params[0]}", sum(terms[1:], terms[0]))


def _factor(f: Any) -> np.ndarray:
    """A factor: a whole number is the size of an identity, another number a 1 x 1 matrix."""
    return np.eye(f) if isinstance(f, (int, np.integer)) else np.atleast_2d(f)


def check_named(case: Case) -> None:
    """Gradient and Hessian by a named value: everything else stays fixed."""
    named = [e for e in case.program.definitions if e is not case.program.output]
    if not named:
        return
    u = named[int(case.rng.integers(len(named)))]
    name = str(u.params[0])
    ref = Reference(case.program, [u])
    d = by_text(case.program, [name])
    ref.gradient(u).compare(f"gradient by {name}", case.run(d, "gradient")[name])
    ref.gradient(u).compare(f"printed gradient by {name}", case.printed(d, d.gradient(name)))
    ref.hvp(u).compare(f"hvp by {name}", case.run(d, "hvp", tangents={name: frozen(ref.along[u])})[name])


def _symmetric(G: np.ndarray) -> np.ndarray:
    return np.asarray(G + G.T - np.diag(np.diag(G)))


STRUCTURES: Mapping[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "symmetric": ("symmetric", _symmetric),
    "diagonal": ("diagonal", lambda G: np.asarray(np.diag(np.diag(G)))),
    "lower": ("lower", np.tril),
    "upper": ("upper", np.triu),
    "skew": ("skew", lambda G: np.asarray(G - G.T)),
}


def check_structure(case: Case) -> None:
    """Gradients along structured sets, by the independent entries."""
    for v in case.wrt:
        for fact, (kind, along) in STRUCTURES.items():
            if fact not in names_of(v.params[3]) or (v.is_scalar and kind == "skew"):
                continue
            d = by_text(case.program, [v.params[0]], structure={v.params[0]: kind})
            bound = case.reference.gradient(v)
            magnitude = (lambda t: t + t.T) if kind in ("symmetric", "skew") else lambda t: t
            want = bound.transformed(along, magnitude)
            want.compare(f"gradient by {v.params[0]} along {kind} matrices", case.run(d, "gradient")[v.params[0]])
            return


SCALAR: dict[str, Callable[[Case], None]] = {
    "hessian": check_hessian,
    "hvp": check_hvp,
    "graph": check_graph,
    "sympy": check_sympy,
    "named": check_named,
    "structure": check_structure,
    **INSTALLED,
}
MATRIX: dict[str, Callable[[Case], None]] = {
    "jacobian": check_jacobian,
    "jvp": check_jvp,
    "factored": check_factored,
}
CHECKS: dict[str, Callable[[Case], None]] = {"gradient": check_gradient, **SCALAR, **MATRIX}
DEAR = {"numba", "jax", "torch", "dask", "array-api"}  # libraries that take their time: a share of their own
REFUSALS = (NoRuleError,)


def guarded(name: str, case: Case) -> str:
    """Run a check: "right", "unfit" or "refused: why".

    Raises:
        Failure: it is wrong, or the package broke down.
    """
    case.restart()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with np.errstate(all="ignore"):
                case.reference.value()  # where the oracle has none, nothing is asked of the package
                CHECKS[name](case)
    except Failure as failure:
        raise Failure(name, str(failure)) from None
    except Unfit:
        return "unfit"
    except REFUSALS as error:
        return f"refused: {name}: {error}"
    except MatcalcError as error:
        raise Failure(name, f"{type(error).__name__}: {error}") from None
    except Exception as error:
        raise Failure(name, f"{type(error).__name__}: {error}") from error
    return "right"


__all__ = ["CHECKS", "DEAR", "MATRIX", "SCALAR", "Failure", "guarded"]
