"""What the names of a SymPy expression stand for: variables, named values, dimensions.

Names are all that counts: SymPy holds two `n` with different assumptions for different symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from matcalc import core
from matcalc.dims import NAME, Shape, dim, same_shape, shape_text, symbols
from matcalc.errors import MatcalcError, NoRuleError, ShapeError, shorten
from matcalc.expr import REGISTRY, Expr
from matcalc.frontend.catalogue import CatalogueMatrix, CatalogueScalar, split
from matcalc.frontend.names import shape_of


class Scope:
    """The names that are known, and those that the expression brings.

    Attributes:
        own: the user's symbols for the dimensions that were met, by name.
    """

    def __init__(
        self,
        shapes: Mapping[str, Any],
        facts: Mapping[Any, Any],
        constants: Iterable[Any],
        names: Mapping[str, Expr],
    ) -> None:
        self.shapes = {name: shape_of(name, value) for name, value in shapes.items()}
        self.names = dict(names)
        self.facts: dict[str, list[str]] = {}
        for key, words in facts.items():
            self.facts.setdefault(_name(key), []).extend([words] if isinstance(words, str) else words)
        for key in constants:
            self.facts.setdefault(_name(key), []).append("constant")
        self.own: dict[str, Any] = {}
        self.dimensions: set[str] = set()
        self.scalars: dict[str, set[str]] = {}
        self.matrices: dict[str, Shape] = {}
        self.variables: dict[str, Expr] = {}
        for shape in (*self.shapes.values(), *(e.shape for e in self.names.values())):
            self.dimensions.update(symbols(shape))

    def notice(self, e: Any) -> None:
        """Take up what one SymPy object says about names: its dimensions, its shape, its assumptions."""
        if isinstance(e, (sp.Symbol, sp.MatrixSymbol)) and type(e) not in (sp.Symbol, sp.Dummy, sp.MatrixSymbol):
            raise NoRuleError(f"{e} is SymPy's {type(e).__name__}, which is more than a symbol: use {_plainer(e)}")
        if isinstance(e, sp.MatrixSymbol):
            self._take(e.args[1:])
            self._shaped(e.name, (dim(e.args[1]), dim(e.args[2])))
        elif isinstance(e, (sp.Identity, sp.OneMatrix, sp.ZeroMatrix)):
            self._take(e.args)
        elif isinstance(e, (CatalogueMatrix, CatalogueScalar)):
            self._take(a for a in e.args[1 + len(split(e.args[0].value, e.args[1:])[0]) :])
        elif isinstance(e, sp.Symbol):
            words = self.scalars.setdefault(e.name, set())
            need_real(e)
            words.update(
                word for word, holds in (("positive", e.is_positive), ("nonnegative", e.is_nonnegative)) if holds
            )

    def _take(self, sizes: Iterable[Any]) -> None:
        for size in sizes:
            for s in size.free_symbols:
                self.own.setdefault(s.name, s)
                self.dimensions.add(s.name)

    def _shaped(self, name: str, shape: Shape) -> None:
        known = self.matrices.setdefault(name, shape)
        if not same_shape(known, shape):
            raise ShapeError(f"{name} has two shapes: {shape_text(known)} and {shape_text(shape)}")

    def settle(self) -> None:
        """Check the names against each other, once the whole expression is noticed.

        Raises:
            MatcalcError: a name stands for two things, or a fact is about an unknown name.
        """
        for name in self.scalars:
            if name not in self.dimensions:
                self._shaped(name, (1, 1))
        for name, shape in self.matrices.items():
            if name in self.dimensions:
                raise MatcalcError(f"{name} is both a variable and a dimension")
            for declared in (self.shapes.get(name), self.names[name].shape if name in self.names else None):
                if declared is not None and not same_shape(declared, shape):
                    raise ShapeError(f"{name} has two shapes: {shape_text(declared)} and {shape_text(shape)}")
        for name in self.dimensions & (self.shapes.keys() | self.names.keys()):
            raise MatcalcError(f"{name} is both a variable and a dimension")
        for name in self.facts:
            if name in self.names:
                raise MatcalcError(f"{name} is defined already: give its facts where it is declared")
            if name not in self.matrices and name not in self.shapes:
                have = ", ".join([*self.matrices]) or "none"
                raise MatcalcError(
                    f"facts about {shorten(repr(name))}, which is not a variable here; there are: {have}"
                )

    def symbol(self, e: Any) -> Expr:
        """What a scalar symbol stands for: a dimension's number, a known value, or a 1 x 1 variable."""
        if e.name in self.dimensions:
            return core.number(dim(e.name))
        return self._variable(e, (1, 1))

    def matrix_symbol(self, e: Any) -> Expr:
        """What a matrix symbol stands for: a known value, or a variable."""
        return self._variable(e, self.matrices[e.name])

    def _variable(self, e: Any, shape: Shape) -> Expr:
        name = e.name
        if isinstance(e, sp.Dummy):
            raise NoRuleError(f"the Dummy symbol {e} is nobody's variable: use a Symbol")
        if name in self.names:
            return self.names[name]
        if name not in self.variables:
            if not NAME.fullmatch(name):
                raise MatcalcError(f"a variable's name must be an identifier, got {shorten(repr(name))}")
            if name in REGISTRY or name == "pi":
                raise MatcalcError(f"{name} is the name of a function and cannot be a variable")
            words = [*self.facts.get(name, ()), *sorted(self.scalars.get(name, ()))]
            self.variables[name] = core.var(name, *shape, words)
        return self.variables[name]


def need_real(e: Any) -> None:
    """Refuse a symbol whose assumptions say that it is not just any real number.

    Raises:
        MatcalcError: it is complex, imaginary, infinite, zero or does not commute.
    """
    if (
        e.is_real is False
        or e.is_extended_real is False
        or (e.is_complex and not e.is_extended_real)
        or not e.is_commutative
    ):
        raise MatcalcError(f"the symbol {e} is not real: every value is a real matrix (use sp.Symbol({str(e)!r}))")
    if e.is_antihermitian or e.is_finite is False:
        raise MatcalcError(f"the symbol {e} is assumed to be no finite real number: use sp.Symbol({str(e)!r})")
    if e.is_zero:
        raise MatcalcError(f"the symbol {e} is assumed to be 0: write 0, or use sp.Symbol({str(e)!r})")


def _plainer(e: Any) -> str:
    return "sp.MatrixSymbol" if isinstance(e, sp.MatrixSymbol) else "sp.Symbol"


def _name(key: Any) -> str:
    return key if isinstance(key, str) else str(getattr(key, "name", key))
