"""Names for what code computes on the way, as a person would pick them: `P`, `log_yhat`, `Ax`, `std_Z`, `Z_centred`.

What a page of the derivation names is called so; other values are called after the operation that makes them, where
that is short. What is left is numbered, `t1`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from matcalc import naming
from matcalc.emit.moments import centred
from matcalc.expr import Expr, operations, record
from matcalc.ops.linalg import inv, solve
from matcalc.ops.normalization import log_softmax, softmax
from matcalc.rewrite.terms import number_and_term

NUMBERED = "t"
TERMS = "terms"  # what a sum is taken of
LONGEST = 22
_FACTORS = 3
_PAIR = 2
_POWERS = {"-1": "one_over_{0}", "2": "{0}_squared", "1/2": "sqrt_{0}"}
_SYSTEMS = operations(solve)
_AVERAGED = (None, 1, 2)

NameOf = Callable[[Expr], str]


class Namer(naming.Names):
    """Python names, each given once; those that are taken get a trailing underscore.

    Attributes:
        later: names that values further down will get.
        numbers: the numbered names that were given.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        super().__init__(taken)
        self.later: frozenset[str] = frozenset()
        self.numbers: set[str] = set()
        self._first = 1  # the names with smaller numbers are taken

    def unused(self, wanted: str) -> str:
        """`wanted` if it is free, for a value that gets the name later."""
        while wanted in self.taken:
            wanted += "_"
        return wanted

    def free(self, wish: str) -> str:
        """The wish if nothing is called so or will be; else the next of `t1`, `t2`, ..."""
        if wish and wish not in self.taken and wish not in self.later:
            return self.fresh(wish)
        while f"{NUMBERED}{self._first}" in self.taken:
            self._first += 1
        numbered = (f"{NUMBERED}{k}" for k in count(self._first))
        name = self.fresh(next(t for t in numbered if t not in self.taken and t not in self.later))
        self.numbers.add(name)
        return name


def described(candidates: Iterable[Expr], name_of: NameOf) -> str:
    """What a value is called after the operation that makes it; empty where that is long, or reads a value unnamed.

    Args:
        candidates: the expressions that it is the value of, the one closest to the source first.
        name_of: the name of a value in the code, empty if it has none.
    """
    for e in candidates:
        name = _described(e, name_of)
        if name and len(name) <= LONGEST:
            return name
    return ""


def _described(e: Expr, name_of: NameOf) -> str:
    if e.op in ("matmul", "hadamard"):
        return _product(e, name_of)
    if e.op == "add":
        return _sum(e, name_of)
    if e.op == "power":
        form = _POWERS.get(str(e.args[1].number), "")
        base = name_of(e.args[0])
        return form.format(base) if form and base else ""
    if e.op in _SYSTEMS:
        factors = _factor(inv(e.args[0]), name_of), name_of(e.args[1])
        return "_".join(factors) if all(factors) else ""
    if record(e.op).syntax != "call" or len(e.args) != 1:
        return ""
    return _call(e, name_of)


def of_operation(e: Expr, instruction: str, operand: str) -> str:
    """What the value of one instruction for a function is called: `sigmoid_of_minus_s`; empty for anything else."""
    name = f"{instruction}_{operand}"
    return name if operand and record(e.op).syntax == "call" and len(name) <= LONGEST else ""


def of_call(tree: ast.expr) -> str:
    """What the value of a function of something with a name is called: `squared_cosh_B`; empty for anything else."""
    if not isinstance(tree, ast.Call) or len(tree.args) != 1 or not isinstance(tree.args[0], ast.Name):
        return ""
    function = ast.unparse(tree.func).rpartition(".")[2].strip("_")
    name = f"{function}_{tree.args[0].id}"
    return name if len(name) <= LONGEST else ""


def _call(e: Expr, name_of: NameOf) -> str:
    """`exp_s`, `inv_S`, `mean_z`; `log_P` where the softmax has a name."""
    if e.op == log_softmax.name:
        known = name_of(softmax(e.args[0], axis=e.axis))
        return f"log_{known}" if known else _prefixed(e, name_of)
    return _prefixed(e, name_of)


def _prefixed(e: Expr, name_of: NameOf) -> str:
    inner = name_of(e.args[0])
    return f"{e.op}_{inner}" if inner else ""


def _product(e: Expr, name_of: NameOf) -> str:
    """`Ax`, `XtX`, `y_s`; products of longer names are joined by underscores."""
    factors = [_factor(a, name_of) for a in e.args]
    if not all(factors) or len(factors) > _FACTORS or any("_" in name_of(a) for a in e.args):
        return ""
    plain = e.op == "matmul" and all(len(f) == 1 or (len(f) == _PAIR and f.endswith("t")) for f in factors)
    return ("" if plain else "_").join(factors)


def _factor(a: Expr, name_of: NameOf) -> str:
    """`A`, `At` for its transpose, `inv_A` for its inverse."""
    known = name_of(a)
    if known or not a.args or len(a.args) > 1:
        return known
    inner = name_of(a.args[0])
    if not inner:
        return ""
    return f"{inner}t" if a.op == "transpose" else f"inv_{inner}" if a.op == inv.name else ""


def _sum(e: Expr, name_of: NameOf) -> str:
    """`x_centred`, `x_minus_m`, `a_plus_b`."""
    X = next((a for a in e.args if a.op != "broadcast"), None)
    if X is not None and name_of(X) and any(e is centred(X, axis) for axis in _AVERAGED):
        return f"{name_of(X)}_centred"
    terms = [(sign, name_of(a) or (_product(a, name_of) if a.op == "matmul" else "")) for sign, a in _signed(e)]
    if not len(e.args) == len(terms) == _PAIR or any(sign not in (1, -1) or not name for sign, name in terms):
        return ""
    (first, a), (second, b) = sorted(terms, key=lambda term: -term[0])
    return "" if first < 0 else f"{a}_{'minus' if second < 0 else 'plus'}_{b}"


def _signed(e: Expr) -> Iterator[tuple[Any, Expr]]:
    for t in e.args:
        coefficient, rest = number_and_term(t)
        if rest is not None:
            yield coefficient, rest.args[0] if rest.op == "broadcast" else rest
