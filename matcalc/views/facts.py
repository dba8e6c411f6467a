"""A fact that a lesson derives before it uses it, as equations in expressions and their differentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from matcalc.expr import Expr


@dataclass(frozen=True, slots=True)
class Slope:
    """The derivative of a function of one number, `f'(t)`."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Tangent:
    """The differential of an expression."""

    of: Expr


Side: TypeAlias = Expr | Slope | Tangent


@dataclass(frozen=True, slots=True)
class Fact:
    """Equations, each of which gives the next: `first, so second, so third`; and why, in words.

    Attributes:
        clauses: the equations, each a chain of sides.
        reason: a fixed message.
        values: what fills the places of the message.
        given: how many of the equations are definitions, which do not follow from each other.
    """

    clauses: tuple[tuple[Side, ...], ...]
    reason: str = ""
    values: tuple[Expr, ...] = ()
    given: int = 1


Differential: TypeAlias = Callable[[Expr], Expr]


def bare(e: Expr) -> Expr:
    """What a name stands for."""
    return e.definition
