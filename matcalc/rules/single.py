"""Functions of one entry: what reduces or factors a 1 x 1 value, or one entry along an axis, is a function of it."""

from __future__ import annotations

from collections.abc import Callable

from matcalc.core import number, ones, var, zero_of
from matcalc.dims import is_one
from matcalc.expr import Expr, node
from matcalc.rewrite.context import Context
from matcalc.rewrite.rule import node_rule

DEFINITION = "definition of the function"
SINGLE: list[str] = []  # the names of these rules; sources are simplified by them before anything is differentiated


def _itself(x: Expr) -> Expr:
    return x


def _function(op: str) -> Callable[[Expr], Expr]:
    return lambda x: node(op, (x,))


def _one(x: Expr) -> Expr:
    return number(1) if x.is_scalar else ones(*x.shape)


# What these are for one entry along their axis, with the words for it.
ALONG: dict[str, tuple[Callable[[Expr], Expr], str]] = {
    "sum": (_itself, "x"),
    "mean": (_itself, "x"),
    "prod": (_itself, "x"),
    "max": (_itself, "x"),
    "min": (_itself, "x"),
    "logsumexp": (_itself, "x"),
    "cumsum": (_itself, "x"),
    "softmax": (_one, "1"),
    "prodothers": (_one, "1"),
    "log_softmax": (zero_of, "0"),
}
# What these are for a 1 x 1 matrix, with the words for it.
VALUES: dict[str, tuple[Callable[[Expr], Expr], str]] = {
    "det": (_itself, "x"),
    "eigmax": (_itself, "x"),
    "eigmin": (_itself, "x"),
    "eigvals": (_itself, "x"),
    "tril": (_itself, "x"),
    "triu": (_itself, "x"),
    "vec": (_itself, "x"),
    "vech": (_itself, "x"),
    "diag": (_itself, "x"),
    "diagvec": (_itself, "x"),
    "norm1": (_function("abs"), "abs(x)"),
    "normnuc": (_function("abs"), "abs(x)"),
    "normspec": (_function("abs"), "abs(x)"),
    "polar": (_function("sign"), "sign(x)"),
    "chol": (_function("sqrt"), "sqrt(x)"),
    "sqrtm": (_function("sqrt"), "sqrt(x)"),
    "expm": (_function("exp"), "exp(x)"),
    "logm": (_function("log"), "log(x)"),
    "adj": (_one, "1"),
    "eigvecs": (_one, "1"),
    "eigvecmax": (_one, "1"),
    "eigvecmin": (_one, "1"),
}


def _declare_along(op: str, value: Callable[[Expr], Expr], word: str) -> None:
    """The rule for a function that takes all entries, or those along an axis, where that is one."""

    def apply(e: Expr, context: Context) -> Expr | None:
        x, axis = e.args[0], e.params[0]
        single = x.is_scalar if axis is None else is_one(x.shape[axis - 1])
        return value(x) if single else None

    x = var("x", "n", 1)
    apply.__name__ = f"{op}_of_one_entry"
    apply.__doc__ = f"{op}(x, 2) = {word} for a column x: one entry in each row"
    node_rule(op=op, source=DEFINITION, example=lambda: (node(op, (x,), (2,)), value(x)))(apply)
    SINGLE.append(apply.__name__)


def _declare_value(op: str, value: Callable[[Expr], Expr], word: str) -> None:
    """The rule for a function of a 1 x 1 matrix."""

    def apply(e: Expr, context: Context) -> Expr | None:
        return value(e.args[0]) if e.args[0].is_scalar else None

    x = var("x", 1, 1, ["positive"])
    apply.__name__ = f"{op}_of_one_value"
    apply.__doc__ = f"{op}(x) = {word} for a 1 x 1 value"
    node_rule(op=op, source=DEFINITION, example=lambda: (node(op, (x,)), value(x)))(apply)
    SINGLE.append(apply.__name__)


for _op, (_value, _word) in ALONG.items():
    _declare_along(_op, _value, _word)
for _op, (_value, _word) in VALUES.items():
    _declare_value(_op, _value, _word)
