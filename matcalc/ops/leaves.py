"""Leaves and names: variables, numbers, constant matrices, values under a name.

The differentials are the elementary rules of Magnus & Neudecker, Matrix Differential Calculus (2019), chapter 8.
"""

from __future__ import annotations

from typing import Any

from matcalc import core
from matcalc.dims import same
from matcalc.expr import Expr, Param
from matcalc.map_kinds import LinearMap
from matcalc.maps import identity
from matcalc.notation import Builtin
from matcalc.ops.define import always, anywhere, op
from matcalc.properties import BIT

ELEMENTARY = "Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 8"


def _var_facts(e: Expr) -> tuple[int, int]:
    return e.params[3], 0


@op(
    shape=lambda name, rows, cols, facts: (rows, cols),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("", "X", 2, 3, 0),
    facts=_var_facts,
    params=(Param("name", "name"), Param("rows", "dim"), Param("cols", "dim"), Param("facts", "any")),
    cost=0,
    syntax="inner",
)
def variable(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dX is the free differential of the variable X"""
    return ()


def _number_facts(e: Expr) -> tuple[int, int]:
    value = e.params[0]
    true, false = BIT["constant"], 0
    if value.is_positive:
        true |= BIT["positive"]
    elif value.is_zero:
        true |= BIT["nonnegative"]
        false |= BIT["positive"] | BIT["nonzero"] | BIT["nonsingular"]
    elif value.is_negative:
        true |= BIT["nonzero"]
        false |= BIT["positive"] | BIT["nonnegative"]
    if value == 1:
        true |= BIT["orthogonal"] | BIT["row-stochastic"] | BIT["column-stochastic"]
    return true, false


@op(
    shape=lambda value: (1, 1),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("", core.exact(2)),
    facts=_number_facts,
    params=(Param("value", "number"),),
    cost=0,
    syntax="inner",
)
def number_(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dc = 0"""
    return ()


@op(
    shape=lambda m, n: (m, n),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("", 2, 3),
    facts=always("constant", "positive"),
    params=(Param("m", "dim"), Param("n", "dim")),
)
def ones(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """d1 = 0"""
    return ()


def _zeros_facts(e: Expr) -> tuple[int, int]:
    true = BIT["constant"] | BIT["nonnegative"]
    if same(*e.shape):
        true |= BIT["diagonal"] | BIT["skew"] | BIT["positive-semidefinite"]
    return true, BIT["positive"] | BIT["nonzero"] | BIT["nonsingular"] | BIT["orthogonal"]


@op(
    shape=lambda m, n: (m, n),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("", 2, 3),
    facts=_zeros_facts,
    params=(Param("m", "dim"), Param("n", "dim")),
    cost=0,
)
def zeros(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """d0 = 0"""
    return ()


@op(
    shape=lambda n: (n, n),
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("", 3),
    params=(Param("n", "dim"),),
    facts=always("constant", "diagonal", "orthogonal", "positive-definite", "nonnegative", "one-hot", "one-hot-column"),
)
def eye(Y: Expr, *_: Any) -> tuple[LinearMap, ...]:
    """dI = 0"""
    return ()


@op(
    shape=lambda definition, name, role: definition.shape,
    latex=Builtin(),
    numpy=Builtin(),
    domain=anywhere,
    source=ELEMENTARY,
    example=("m n", "Y", ""),
    facts=lambda e, true: (true, 0),
    params=(Param("name", "name"), Param("role", "name", "")),
    complete=lambda definition, name, role="": (name, role),
    cost=0,
    syntax="inner",
)
def named_(Y: Expr, X: Expr, name: str, role: str) -> tuple[LinearMap, ...]:
    """a name stands for its definition: dY = dX"""
    return (identity(X.shape),)
