"""Code for products with structure: Gram matrices X' diag(d) X, Kronecker products that are multiplied or written out.

A Kronecker product times a matrix never forms the Kronecker product; where one is a result, identities and scalar
factors are not multiplied out before.
"""

from __future__ import annotations

from matcalc import core
from matcalc.dims import is_one
from matcalc.emit.instructions import Instruction
from matcalc.emit.selection import Choice, Selector
from matcalc.expr import Expr
from matcalc.properties import known

_GRAM = 3


def weighted_gram(select: Selector, factors: list[Expr]) -> Instruction | None:
    """X' diag(d) X with d >= 0 as Z' Z, which NumPy computes as a symmetric product."""
    if len(factors) != _GRAM or factors[1].op != "diag" or factors[0] is not core.turned(factors[2]):
        return None
    d = factors[1].args[0]
    if not known(d, "nonnegative"):
        return None
    return Instruction("weighted_gram", (factors[2], d if is_one(d.shape[1]) else core.turned(d)))


def kron_product(a: Expr, b: Expr) -> Instruction | None:
    """kron(A, B) M and M kron(A, B) without the Kronecker product; with a 1 x 1 factor it is none."""
    if any(f.is_scalar for K in (a, b) if K.op == "kron" for f in K.args):
        return None
    if a.op == "kron" and b.op != "kron":
        return _applied("kron_times", a, b)
    if b.op == "kron" and a.op != "kron":
        return _applied("times_kron", b, a)
    return None


def _applied(name: str, K: Expr, M: Expr) -> Instruction:
    """The factors that are identities are no operands."""
    there = tuple(a.op != "eye" for a in K.args)
    return Instruction(name, (*(a for a in K.args if a.op != "eye"), M), (there,))


def kron_code(select: Selector, e: Expr) -> Choice | None:
    """A Kronecker product written out, with an identity factor block by block."""
    A, B = e.args
    if A.is_scalar or B.is_scalar:
        return None
    if A.op == "eye" or B.op == "eye":
        size = core.number(core.exact_dim((A if A.op == "eye" else B).shape[0]))
        if A.op == B.op:
            return core.eye(e.shape[0])
        return Instruction("eye_kron", (size, B)) if A.op == "eye" else Instruction("kron_eye", (A, size))
    return Instruction("kron", (A, B))


def scaled_kron(select: Selector, e: Expr) -> Choice | None:
    """c kron(A, B) = kron(c A, B): the scalar goes to the smaller factor that is there."""
    K = e.args[-1]
    if K.op != "kron" or select.shared(K):
        return None
    A, B = K.args
    return core.kron(A, core.scale(*e.args[:-1], B)) if A.op == "eye" else core.kron(core.scale(*e.args[:-1], A), B)
