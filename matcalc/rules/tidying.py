"""What is done between rules, under names: proofs show it as steps of their own (the group `tidy`).

These are the plain functions of `rewrite/normal.py`, and the opening of names.
"""

from __future__ import annotations

from collections.abc import Callable

from matcalc import core
from matcalc.core import add, broadcast, eye, hadamard, matmul, number, power, scale, var, zeros
from matcalc.dims import dim
from matcalc.expr import Expr
from matcalc.ops.elementwise import exp
from matcalc.ops.matrix_functions import matpow
from matcalc.rewrite.context import Context
from matcalc.rewrite.normal import tidy
from matcalc.rewrite.rule import MATRIX_ALGEBRA, RULES, Rule

TIDY_NAMES: dict[str, str] = {}


def _tidying(op: str, name: str, identity: str, example: Callable[[], tuple[Expr, Expr]]) -> None:
    def apply(e: Expr, context: Context) -> Expr | None:
        after = tidy(e, context)
        return None if after is e else after

    TIDY_NAMES[op] = name
    RULES.setdefault(name, Rule(name, identity, MATRIX_ALGEBRA, "tidy", op, apply, example, exact=True))


_A, _B, _C = var("A", "m", "n"), var("B", "m", "n"), var("C", "m", "n")
_X, _Y, _Z = var("X", "m", "n"), var("Y", "n", "p"), var("Z", "p", "q")
_S = var("S", "n", "n")
_SHAPE = (dim("m"), dim("n"))
_two = number(2)

_tidying(
    "add",
    "like_terms",
    "A + (B + A) = 2 A + B, A + 0 = A",
    lambda: (add(_A, add(_B, _A)), add(scale(_two, _A), _B)),
)
_tidying(
    "scale",
    "numbers_gathered",
    "2 (3 A) = 6 A, s s A = s^2 A",
    lambda: (scale(_two, scale(number(3), _A)), scale(number(6), _A)),
)
_tidying(
    "hadamard",
    "entrywise_factors_gathered",
    "A o (B o A) = A .^ 2 o B, A o 1 1' = A",
    lambda: (hadamard(_A, hadamard(_B, _A)), hadamard(power(_A, 2), _B)),
)
_tidying("matmul", "product_flattened", "X (Y Z) = X Y Z, X I = X", lambda: (matmul(_X, eye("n"), _Y), matmul(_X, _Y)))
_tidying(
    "divide",
    "quotient_is_product",
    "A ./ B = A o B .^ -1",
    lambda: (core.divide(_A, _B), hadamard(_A, power(_B, -1))),
)
_tidying(
    "power", "power_of_power", "(A .^ 2) .^ 3 = A .^ 6, A .^ 1 = A", lambda: (power(power(_A, 2), 3), power(_A, 6))
)
_tidying("matpow", "small_matrix_power", "A^1 = A, A^0 = I", lambda: (matpow(_S, number(1)), _S))
_tidying(
    "broadcast",
    "broadcast_simplified",
    "a broadcast of a broadcast is one; of zeros and ones too",
    lambda: (broadcast(zeros(1, "n"), _SHAPE), zeros("m", "n")),
)
_tidying(
    "exp",
    "function_of_constant",
    "f(1 a) = 1 f(a), f(0) and f(1) as numbers",
    lambda: (exp(broadcast(var("a", 1, "n"), _SHAPE)), broadcast(exp(var("a", 1, "n")), _SHAPE)),
)
_tidying("ones", "one_by_one", "a 1 x 1 matrix of ones is the number 1", lambda: (core.ones(1, 1), number(1)))


def tidy_name(op: str) -> str:
    """The name under which proofs show the tidying of an operation."""
    return TIDY_NAMES.get(op, "one_by_one" if op in ("zeros", "eye") else "function_of_constant")


def _opened(e: Expr, context: Context) -> Expr | None:
    return e.args[0]


def _reordered(e: Expr, context: Context) -> Expr | None:
    ordered = sorted(e.args, key=lambda a: a.digest)
    return None if list(e.args) == ordered else add(*ordered)


def _two_orders() -> tuple[Expr, Expr]:
    first, last = sorted((_A, _B), key=lambda a: a.digest)
    return add(last, first), add(first, last)


def _with_zero(e: Expr, context: Context) -> Expr | None:
    return add(add(e, core.minus(e)), e)


def _by_its_diagonal(e: Expr, context: Context) -> Expr | None:
    return core.diag(core.diagvec(e)) if context.known(e, "diagonal") else None


_D = var("D", "n", "n", ["diagonal"])
EXPAND_NAME, REORDER, ADD_ZERO, BY_DIAGONAL = "expand_name", "reorder", "add_zero", "diagonal_matrix_by_its_diagonal"
RULES[BY_DIAGONAL] = Rule(
    BY_DIAGONAL,
    "D = diag(d) for diagonal D, d its diagonal",
    MATRIX_ALGEBRA,
    "tidy",
    "variable",
    _by_its_diagonal,
    lambda: (_D, core.diag(core.diagvec(_D))),
    exact=True,
)
RULES[ADD_ZERO] = Rule(
    ADD_ZERO,
    "A = (A - B) + B",
    MATRIX_ALGEBRA,
    "tidy",
    "variable",
    _with_zero,
    lambda: (_A, add(add(_A, core.minus(_B)), _B)),
    exact=False,
)
RULES[EXPAND_NAME] = Rule(
    EXPAND_NAME,
    "a name stands for its definition",
    "definition",
    "tidy",
    "named",
    _opened,
    lambda: (core.named("t", add(_A, _B)), add(_A, _B)),
    exact=True,
)
RULES[REORDER] = Rule(
    REORDER, "A + B = B + A, A o B = B o A", MATRIX_ALGEBRA, "tidy", "add", _reordered, _two_orders, exact=False
)
