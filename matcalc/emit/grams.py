"""Systems, inverses and determinants of X' X by QR factors of X: the product has the square of X's condition.

All of them come from the lower triangular L with L L' = X' X, which the QR factors give without the product.
"""

from __future__ import annotations

from matcalc import core
from matcalc.core import matmul, number, power, turned
from matcalc.dims import is_one
from matcalc.emit.chains import expanded
from matcalc.emit.instructions import Instruction
from matcalc.emit.selection import Choice, Selector
from matcalc.expr import Expr
from matcalc.ops.decompositions import chol
from matcalc.ops.elementwise import sqrt
from matcalc.ops.linalg import adj, det, inv, logdet
from matcalc.properties import known
from matcalc.rewrite.terms import meaning


def half_of_gram(G: Expr) -> Expr | None:
    """Z where G is Z' Z, or Z' diag(w) Z with positive w; None for other matrices."""
    G = meaning(G)
    G = meaning(G.args[0]) if G.op == "transpose" else G
    if G.op != "matmul" or G.is_scalar:
        return None
    factors = expanded(G.args, lambda f: f is not G and f.op != "named")
    if len(factors) == 2:  # also X' (X .* w) and (X .* w)' X
        for left, right in ((factors[0], factors[1]), (turned(factors[1]), turned(factors[0]))):
            column = _weights(right, turned(left))
            if column is not None:
                return matmul(core.diag(sqrt(column)), turned(left))
    half, odd = divmod(len(factors), 2)
    if not half or not all(mirrors(a, b) for a, b in zip(factors[:half], reversed(factors))):
        return None
    if odd:
        w = meaning(factors[half])
        if w.op != "diag" or not known(w.args[0], "positive"):
            return None
        factors[half] = core.diag(sqrt(w.args[0]))
    return matmul(*factors[half:])


def _weights(weighted: Expr, X: Expr) -> Expr | None:
    """The column w > 0 where the first is X .* w."""
    product = meaning(weighted)
    if product.op != "hadamard" or X not in product.args:
        return None
    k = product.args.index(X)
    rest = core.hadamard(*product.args[:k], *product.args[k + 1 :])
    column = meaning(rest).args[0] if meaning(rest).op == "broadcast" else None
    return column if column is not None and is_one(column.shape[1]) and known(column, "positive") else None


def mirrors(a: Expr, b: Expr) -> bool:
    """Whether a is the transpose of b."""
    if a.op == "transpose" or b.op == "transpose":
        return (a.args[0] is b) if a.op == "transpose" else b.args[0] is a
    return a is b and known(a, "symmetric")


def gram_factor(G: Expr) -> Expr | None:
    """L where G is such a product."""
    plain = plain_gram(G)
    return None if plain is None else chol(plain)


def plain_gram(G: Expr) -> Expr | None:
    """Such a product as Z' Z, whatever its spelling, so that it is factored once."""
    Z = half_of_gram(G)
    return None if Z is None else matmul(core.transpose(Z), Z)


def gram_factor_code(select: Selector, e: Expr) -> Choice | None:
    """L itself."""
    Z = half_of_gram(e.args[0])
    return None if Z is None else Instruction("gram_factor", (Z,))


def gram_determinant_code(select: Selector, e: Expr) -> Choice | None:
    """det(X' X) = det(L)^2"""
    L = gram_factor(e.args[0])
    return None if L is None else power(det(L), 2)


def gram_log_determinant_code(select: Selector, e: Expr) -> Choice | None:
    """logdet(X' X) = 2 logdet(L)"""
    L = gram_factor(e.args[0])
    return None if L is None else core.scale(number(2), logdet(L))


def gram_adjugate_code(select: Selector, e: Expr) -> Choice | None:
    """adj(X' X) = adj(L)' adj(L)"""
    L = gram_factor(e.args[0])
    return None if L is None else matmul(core.transpose(adj(L)), adj(L))


def gram_power_code(select: Selector, e: Expr) -> Choice | None:
    """(X' X)^-k = inv(X' X)^k"""
    k = e.args[1].number
    G = plain_gram(e.args[0]) if k is not None and k.is_Integer and k.is_negative else None
    return None if G is None else core.matrix_power(inv(G), number(-k))
