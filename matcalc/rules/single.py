"""Functions of one entry: what reduces or factors a 1 x 1 value, or one entry along an axis, is a function of it."""

from __future__ import annotations

from collections.abc import Callable

from matcalc.core import number, ones, zero_of
from matcalc.dims import is_one
from matcalc.expr import Expr, record
from matcalc.ops.elementwise import absolute, exp, log, sign, sqrt
from matcalc.ops.entry_products import dprodothers
from matcalc.rewrite.rule import rule

DEFINITION = "definition of the function"
SINGLE: list[str] = []  # the names of these rules; sources are simplified by them before anything is differentiated
ONE_NAME = "one name for one thing"


def _itself(x: Expr) -> Expr:
    return x


def _one(x: Expr) -> Expr:
    return number(1) if x.is_scalar else ones(*x.shape)


# What these are for one entry along their axis, with the words for it.
ALONG: dict[str, tuple[Callable[[Expr], Expr], str]] = {
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "logsumexp", "cumsum"), (_itself, "x")),
    "softmax": (_one, "1"),
    "prodothers": (_one, "1"),
    "log_softmax": (zero_of, "0"),
    **dict.fromkeys(("var", "std"), (zero_of, "0")),  # divided by the count, not by what is left of it
}
# What these are for a 1 x 1 matrix, with the words for it.
VALUES: dict[str, tuple[Callable[[Expr], Expr], str]] = {
    **dict.fromkeys(("det", "eigmax", "eigmin", "eigvals", "tril", "triu", "vec", "vech"), (_itself, "x")),
    **dict.fromkeys(("diag", "diagvec"), (_itself, "x")),
    **dict.fromkeys(("norm1", "normnuc", "normspec"), (absolute, "abs(x)")),
    "polar": (sign, "sign(x)"),
    **dict.fromkeys(("chol", "sqrtm"), (sqrt, "sqrt(x)")),
    "expm": (exp, "exp(x)"),
    "logm": (log, "log(x)"),
    **dict.fromkeys(("adj", "eigvecs", "eigvecmax", "eigvecmin"), (_one, "1")),
}


def _is_single(x: Expr, axis: int | None) -> bool:
    return x.is_scalar if axis is None else is_one(x.shape[axis - 1])


def _along(op: str, value: Callable[[Expr], Expr], word: str) -> None:
    """The rule for a function that takes all entries, or those along an axis, where that is one."""

    def identity(x: Expr, axis: int | None) -> tuple[Expr, Expr]:
        return record(op)(x, axis=axis), value(x)

    identity.__name__ = f"{op}_of_one_entry"
    identity.__doc__ = f"{op}(x, 2) = {word} for a column x: one entry in each row"
    why = ONE_NAME if op in ("softmax", "prodothers") else ""
    rule(x="n 1", axis=(2, 1, None), where=_is_single, loose=True, source=DEFINITION, why=why)(identity)
    SINGLE.append(identity.__name__)


def _value(op: str, value: Callable[[Expr], Expr], word: str) -> None:
    """The rule for a function of a 1 x 1 matrix."""

    def identity(x: Expr) -> tuple[Expr, Expr]:
        return record(op)(x), value(x)

    identity.__name__ = f"{op}_of_one_value"
    identity.__doc__ = f"{op}(x) = {word} for a 1 x 1 value"
    why = "" if value in (_itself, _one) else ONE_NAME
    rule(x="1 1", drawn={"x": "positive"}, source=DEFINITION, why=why)(identity)
    SINGLE.append(identity.__name__)


for _op, (_meaning, _word) in ALONG.items():
    _along(_op, _meaning, _word)
for _op, (_meaning, _word) in VALUES.items():
    _value(_op, _meaning, _word)


def _slope(op: str) -> None:
    """The rule for the derivative, along a direction, of a function that is constant for a 1 x 1 matrix."""

    def identity(x: Expr, v: Expr) -> tuple[Expr, Expr]:
        return record(op)(x, v), zero_of(x)

    identity.__name__ = f"{op}_of_one_value"
    identity.__doc__ = f"{op}(x, v) = 0 for a 1 x 1 value"
    rule(x="1 1", v="1 1", drawn={"x": "positive"}, source=DEFINITION)(identity)
    SINGLE.append(identity.__name__)


for _op in ("dadj", "dpolar"):
    _slope(_op)


@rule(x="n 1", v="n 1", axis=(2, 1, None), where=lambda x, v, axis: _is_single(x, axis), loose=True, source=DEFINITION)
def dprodothers_of_one_entry(x: Expr, v: Expr, axis: int | None) -> tuple[Expr, Expr]:
    """dprodothers(x, v, 2) = 0 for columns x and v: one entry in each row"""
    return dprodothers(x, v, axis), zero_of(x)


SINGLE.append(dprodothers_of_one_entry.name)
