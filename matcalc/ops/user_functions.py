"""Entrywise functions of the user's own: with a body, or abstract."""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import NAME
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.exact import is_sympy, sp
from matcalc.expr import REGISTRY, Expr, Op, Param, register
from matcalc.map_kinds import LinearMap
from matcalc.maps import mask
from matcalc.notation import Call, Notation
from matcalc.ops.define import anywhere, like, no_facts
from matcalc.ops.entrywise import CALCULUS
from matcalc.ops.scalars import from_scalar, unknown


class Function:
    """An entrywise function of the user's: from a SymPy `Lambda`, or abstract (then phi' is printed).

    Args:
        name: how it is written.
        body: a SymPy `Lambda` of one symbol, or None for an abstract function.
        order: how often the abstract function is differentiated.

    Example:
        >>> import sympy as sp, matcalc as mc
        >>> t = sp.Symbol("t")
        >>> swish = mc.Function("swish", sp.Lambda(t, t / (1 + sp.exp(-t))))
        >>> phi = mc.Function("phi")
        >>> phi(mc.var("X", "m", "n"))
        phi(X)
    """

    __slots__ = ("body", "name", "order")

    def __init__(self, name: str, body: Any = None, order: int = 0) -> None:
        if not NAME.fullmatch(name):
            raise MatcalcError(f"a function's name must be an identifier, got {name!r}")
        if name in REGISTRY:
            raise MatcalcError(f"{name} is an operation of the catalogue already")
        if body is not None and not (is_sympy(body) and isinstance(body, sp.Lambda) and len(body.variables) == 1):
            raise MatcalcError(f"the body of {name} must be a SymPy Lambda of one symbol, got {body!r}")
        self.name, self.body, self.order = name, body, order

    def __call__(self, X: Any) -> Expr:
        return func(core.as_expr(X), self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Function({self.name!r}, {sp.srepr(self.body) if self.body is not None else None}, {self.order})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self.name, self.body, self.order)

    def _key(self) -> tuple[Any, ...]:
        return self.name, self.body, self.order

    @property
    def derivative(self) -> Function:
        """phi', as another abstract function."""
        return Function(self.name, None, self.order + 1)

    @property
    def written(self) -> str:
        """The function in the text syntax: phi, D(phi), D(phi, 2)."""
        order = f", {self.order}" if self.order > 1 else ""
        return f"D({self.name}{order})" if self.order else self.name

    def expand(self, X: Expr, order: int = 0) -> Expr:
        """The body (or its derivative of this order) at X, in operations of the catalogue.

        Raises:
            NoRuleError: the function is abstract.
        """
        if self.body is None:
            raise NoRuleError(f"the function {self.name} has no body")
        t = self.body.variables[0]
        s = unknown()
        return from_scalar(sp.diff(self.body.expr.subs(t, s), s, order), {s: X}, X)


class _Swish(Function):
    """The example, whose body is made when it is asked for."""

    __slots__ = ()

    def __init__(self) -> None:
        self.name, self.order = "swish", 0

    def _key(self) -> tuple[Any, ...]:
        return type(self), self.order

    @property
    def body(self) -> Any:  # type: ignore[override]
        """x/(1 + exp(-x))"""
        x = unknown()
        return sp.Lambda(x, x / (1 + sp.exp(-x)))


def _function_slope(Y: Expr, X: Expr, f: Function) -> tuple[LinearMap, ...]:
    return (mask(f.derivative(X) if f.body is None else f.expand(X, 1)),)


def _function_latex(f: Function) -> Notation:
    primes = "'" * f.order if f.order < 4 else f"^{{({f.order})}}"
    greek = f"\\{f.name}" if f.name in ("phi", "psi", "chi", "rho", "sigma", "tau", "eta", "xi") else None
    upright = f.name.replace("_", r"\_")
    return Call((greek or rf"\operatorname{{{upright}}}") + primes)


func = register(
    Op(
        name="func",
        identity="d phi(X) = phi'(X) o dX: every entry depends on one entry only",
        shape=like,
        differential=_function_slope,
        latex=_function_latex,
        numpy=lambda f: Call(f.name + "_prime" * f.order),
        domain=anywhere,
        source=CALCULUS,
        facts=no_facts,
        params=(Param("function", "any"),),
        example=("m n", _Swish()),
        definition=lambda X, f: f.expand(X),
        syntax="inner",
        entrywise=True,
    )
)
