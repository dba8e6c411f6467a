"""What is compared: every way in which a derivative comes out of the package, with the oracle's at the same point.

The tolerance of a comparison is what rounding may do: the oracle runs again with random relative errors of 1e-9 in
every operation; what that changes, scaled to the precision of a double, times a safety factor, is what a right answer
may be off by (and 1e-10 of the largest entry, for algorithms that are stable as a whole but not entry by entry, and
1,000 times the rounding of the largest number on the way, for what cancels altogether).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy as sp

import matcalc as mc
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr, postorder
from matcalc.graph import Graph
from matcalc.numeric.evaluate import evaluate
from matcalc.properties import names_of
from matcalc.walk import rebuild

from .evaluation import Evaluation, jacobian
from .generate import Program

NOISE, SAFETY, FLOOR = 1e-9, 1e4, 1e-10
EPS = np.finfo(float).eps
SMOOTH, HUGE = 1e-3, 1e7
LARGEST = 40  # entries of a Hessian's variable beyond which it is left out


class Failure(Exception):  # noqa: N818  (an answer, no breakdown)
    """A wrong or missing answer: the check and what was seen."""

    def __init__(self, check: str, what: str) -> None:
        super().__init__(f"{check}: {what}")
        self.check, self.what = check, what


class Unfit(Exception):  # noqa: N818  (no error: the point says nothing)
    """The point is too near to where a function is not smooth, or too badly conditioned."""


class Reference:
    """The oracle's answers for one output at one point, with what each may be off by."""

    def __init__(self, program: Program, wrt: list[Expr]) -> None:
        self.program, self.wrt = program, wrt
        rng = np.random.default_rng((*program.seed, 2))
        free = Evaluation(program.arrays, program.sizes)
        self.along = {e: rng.standard_normal(free.shape(e)) for e in wrt}
        self.size = 1.0
        self.starts = dict(zip(wrt, np.cumsum([0, *(self.along[e].size for e in wrt)])))

    def _run(self, noise: int | None, second: bool) -> Evaluation:
        with np.errstate(all="ignore"):
            source = None if noise is None else (NOISE, np.random.default_rng((*self.program.seed, 3, noise)))
            run = Evaluation(self.program.arrays, self.program.sizes, self.wrt, self.along if second else None, source)
            try:
                run.jet(self.program.output)
            except np.linalg.LinAlgError:
                raise Unfit from None
            return run

    @cached_property
    def first(self) -> list[np.ndarray]:
        """Value and derivatives by all seeds, and the same with noise, twice."""
        return self._jets(second=False)

    @cached_property
    def second(self) -> list[np.ndarray]:
        """The same with the derivatives along the direction."""
        return self._jets(second=True)

    def _jets(self, second: bool) -> list[np.ndarray]:
        runs = [self._run(None, second), self._run(0, second), self._run(1, second)]
        found = [r.jet(self.program.output) for r in runs]
        self.size = runs[0].size
        if runs[0].machine.margin < SMOOTH or not all(np.isfinite(X).all() and np.abs(X).max() < HUGE for X in found):
            raise Unfit
        return found

    def _answer(self, pick: Callable[[np.ndarray], np.ndarray], jets: list[np.ndarray]) -> Answer:
        exact, *noisy = (pick(X) for X in jets)
        moved = np.maximum(*(np.abs(a - exact) for a in noisy))
        scale = np.abs(exact).max(initial=0)
        if moved.max(initial=0) > 1e-3 * (scale + 1e-300) and moved.max(initial=0) > 1e-6:
            raise Unfit
        return Answer(exact, SAFETY * EPS / NOISE * moved + FLOOR * scale + 1e3 * EPS * self.size)

    def value(self) -> Answer:
        """The value."""
        return self._answer(lambda X: X[0, 0], self.first)

    def jacobian(self, by: Expr) -> Answer:
        """The Jacobian by a variable or named value."""
        return self._answer(lambda X: jacobian(X, self.starts[by], self.along[by].size), self.first)

    def gradient(self, by: Expr) -> Answer:
        """The gradient of a scalar output, in the shape of the variable."""
        shape = self.along[by].shape
        return self._answer(
            lambda X: jacobian(X, self.starts[by], self.along[by].size).reshape(shape, order="F"), self.first
        )

    def jvp(self) -> Answer:
        """The derivative along the direction."""
        return self._answer(lambda X: X[1, 0], self.second)

    def hvp(self, by: Expr) -> Answer:
        """The derivative along the direction of the gradient by one of them."""
        shape, start = self.along[by].shape, 1 + self.starts[by]
        return self._answer(
            lambda X: X[1, start : start + self.along[by].size, 0, 0].reshape(shape, order="F"), self.second
        )


class Answer:
    """An array and what a right one may be off by."""

    def __init__(self, exact: np.ndarray, tolerance: np.ndarray) -> None:
        self.exact, self.tolerance = exact, tolerance

    def compare(self, check: str, found: Any) -> None:
        """Raise Failure where what was found is not the answer."""
        array = np.asarray(found, dtype=float)
        if array.size != self.exact.size:
            raise Failure(check, f"shape {array.shape}, right is {self.exact.shape}")
        array = array.reshape(self.exact.shape)
        wrong = ~(np.abs(array - self.exact) <= self.tolerance)
        if wrong.any():
            at = np.unravel_index(np.argmax(np.where(wrong, np.abs(array - self.exact), -1)), array.shape)
            place = ", ".join(str(int(k) + 1) for k in at)
            off = self.tolerance[at]
            seen, right = float(array[at]), float(self.exact[at])
            raise Failure(check, f"entry ({place}) is {seen!r}, right is {right!r} (may be off by {off:.1e})")

    def widened(self) -> Answer:
        """With room for other libraries' special functions: PyTorch's trigamma has ten digits."""
        return Answer(self.exact, self.tolerance + 1e-8 * np.abs(self.exact).max(initial=0))

    def transformed(self, f: Callable[[np.ndarray], np.ndarray], g: Callable[[np.ndarray], np.ndarray]) -> Answer:
        """A linear function of it, and one of the tolerances."""
        return Answer(f(self.exact), g(self.tolerance))


# ------------------------------------------------------------------------------------------------ doors


def by_text(program: Program, wrt: list[str], **options: Any) -> mc.Derivation:
    """The derivation of the program as text."""
    return mc.derive(program.text(), wrt=wrt, functions=program.functions, **options)


def by_graph(program: Program, wrt: list[str], **options: Any) -> mc.Derivation:
    """The derivation of the program as expressions."""
    return mc.derive(Graph.of(program.output), wrt=wrt, **options)


def by_sympy(program: Program, wrt: list[str]) -> mc.Derivation:
    """The derivation of the program as a SymPy expression; names are looked through."""
    facts = {str(v.params[0]): names_of(v.params[3]) for v in program.variables if v.params[3]}
    return mc.derive(sp.sympify(_without_names(program.output)), wrt=wrt, facts=facts)


def _without_names(e: Expr) -> Expr:
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        args = [done[a] for a in sub.args]
        done[sub] = args[0] if sub.op == "named" else rebuild(sub, args) if args else sub
    return done[e]


# ------------------------------------------------------------------------------------------------ checks


class Case:
    """A program with its scalar function, and what the checks share."""

    def __init__(self, program: Program) -> None:
        self.program = program
        free = [v for v in program.variables if "constant" not in names_of(v.params[3])]
        self.wrt = free
        self.names = [str(v.params[0]) for v in free]
        self.arrays = {k: _frozen(a) for k, a in program.arrays.items()}
        self.rng = np.random.default_rng((*program.seed, 4))

    @cached_property
    def reference(self) -> Reference:
        """The oracle's answers by all variables."""
        return Reference(self.program, self.wrt)

    @cached_property
    def derivation(self) -> mc.Derivation:
        """The derivation, from the text."""
        return by_text(self.program, self.names)

    def pick(self) -> Expr:
        """One of the variables."""
        return self.wrt[int(self.rng.integers(len(self.wrt)))]

    def run(self, d: mc.Derivation, kind: str, target: str = "numpy", **options: Any) -> Any:
        """The function of a kind at the point."""
        return d.function(kind, target)(**self.arrays, dims=self.program.sizes, **options)

    def printed(self, d: mc.Derivation, e: Any) -> np.ndarray:
        """The value of a result as it is printed and read again."""
        again = d.parse(str(e))
        return evaluate(again, dict(self.program.arrays), self.program.sizes)


def _frozen(a: np.ndarray) -> np.ndarray:
    array = np.array(a, dtype=float)
    array.flags.writeable = False
    return array


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
    small = [v for v in case.wrt if ref.along[v].size <= LARGEST][:2]
    if not small:
        return
    alone = Reference(case.program, small)
    for v in small:
        for w in small:
            H = d.hessian(v.params[0], w.params[0])
            M = evaluate(H.value, dict(case.program.arrays), case.program.sizes)
            total[v] = total.get(v, 0) + M @ alone.along[w].reshape(-1, 1, order="F")
    for v in small:
        alone.hvp(v).transformed(_column, _column).compare(f"Hessians by {v.params[0]} and others", total[v])
    v = small[0]
    one = Reference(case.program, [v])
    H = case.run(by_text(case.program, [v.params[0]]), "hessian")[v.params[0]]
    want = one.hvp(v).transformed(_column, _column)
    want.compare(f"Hessian by {v.params[0]}", H @ _column(one.along[v]))
    P = case.printed(d, d.hessian(v.params[0]))
    want.compare(f"printed Hessian by {v.params[0]}", P @ _column(one.along[v]))


def _column(a: np.ndarray) -> np.ndarray:
    return a.reshape(-1, 1, order="F")


def check_hvp(case: Case) -> None:
    """Hessian-vector products by generated code, along all variables together."""
    tangents = {v.params[0]: _frozen(case.reference.along[v]) for v in case.wrt}
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
    tangents = {v.params[0]: _frozen(ref.along[v]) for v in case.wrt}
    ref.jvp().compare("jvp", case.run(d, "jvp", tangents=tangents))
    G = case.rng.standard_normal(ref.value().exact.shape)
    found = case.run(d, "vjp", cotangent=_frozen(G))
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
    ref.hvp(u).compare(f"hvp by {name}", case.run(d, "hvp", tangents={name: _frozen(ref.along[u])})[name])


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


def _jax() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import jax  # noqa: PLC0415  (optional)

    jax.config.update("jax_enable_x64", True)
    return jax.numpy.asarray, {}


def _torch() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import torch  # noqa: PLC0415  (optional)

    return (lambda a: torch.asarray(np.array(a))), {}


def _array_api() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import array_api_strict  # noqa: PLC0415  (optional)

    return array_api_strict.asarray, {"xp": array_api_strict}


def _dask() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import dask.array  # noqa: PLC0415  (optional)

    return (lambda a: dask.array.from_array(np.array(a), chunks=-1)), {}


LIBRARIES: Mapping[str, tuple[str, Callable[[], tuple[Callable[[np.ndarray], Any], dict[str, Any]]]]] = {
    "jax": ("jax", _jax),
    "torch": ("torch", _torch),
    "array-api": ("array_api_strict", _array_api),
    "dask": ("dask", _dask),
    "numba": ("numba", lambda: (np.asarray, {})),
}


def target_check(target: str) -> Callable[[Case], None]:
    """The check of one target: value and gradients."""

    def check(case: Case) -> None:
        put, extra = LIBRARIES[target][1]()
        scalars = {v.params[0] for v in case.program.variables if v.is_scalar}
        given = {k: float(a.item()) if k in scalars else put(a) for k, a in case.arrays.items()}
        value, gradients = case.derivation.function("value_and_grad", target)(**given, **extra)
        case.reference.value().widened().compare(f"value on {target}", value)
        for v in case.wrt:
            want = case.reference.gradient(v).widened()
            want.compare(f"gradient by {v.params[0]} on {target}", gradients[v.params[0]])

    return check


SCALAR: dict[str, Callable[[Case], None]] = {
    "hessian": check_hessian,
    "hvp": check_hvp,
    "graph": check_graph,
    "sympy": check_sympy,
    "named": check_named,
    "structure": check_structure,
    **{target: target_check(target) for target, (module, _) in LIBRARIES.items() if find_spec(module)},
}
MATRIX: dict[str, Callable[[Case], None]] = {
    "jacobian": check_jacobian,
    "jvp": check_jvp,
    "factored": check_factored,
}
CHECKS: dict[str, Callable[[Case], None]] = {"gradient": check_gradient, **SCALAR, **MATRIX}
DEAR = {"numba", "jax", "torch", "dask", "array-api"}  # libraries that take their time: a share of their own
REFUSALS = (NoRuleError,)


def guarded(name: str, program: Program) -> str:
    """Run a check: "right", "unfit" or "refused: why".

    Raises:
        Failure: it is wrong, or the package broke down.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with np.errstate(all="ignore"):
                CHECKS[name](Case(program))
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
