"""The shapes of the expressions of a program: of calls by a table, of names by what is known of them.

A shape is a pair of texts of sizes, "1" where it is 1 whatever the sizes are: then the value is a number, a column or
a row, which languages with matrices may write differently.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TypeAlias

from matcalc.emit import trees

Shape: TypeAlias = tuple[str, str]
SCALAR: Shape = ("1", "1")
Rule: TypeAlias = Callable[[Sequence[Shape], Sequence[str]], Shape]


def times(*sizes: str) -> str:
    """The product of sizes."""
    return " * ".join(s if s.isidentifier() or s.isdigit() else f"({s})" for s in sizes if s != "1") or "1"


def joint(*shapes: Shape) -> Shape:
    """The shape of an entrywise operation."""
    rows = next((s[0] for s in shapes if s[0] != "1"), "1")
    columns = next((s[1] for s in shapes if s[1] != "1"), "1")
    return rows, columns


def _scalar(shapes: Sequence[Shape], sizes: Sequence[str]) -> Shape:
    return SCALAR


def _first(shapes: Sequence[Shape], sizes: Sequence[str]) -> Shape:
    return shapes[0]


def _second(shapes: Sequence[Shape], sizes: Sequence[str]) -> Shape:
    return shapes[1]


def _joint(shapes: Sequence[Shape], sizes: Sequence[str]) -> Shape:
    return joint(*shapes)


def _form(shapes: Sequence[Shape], sizes: Sequence[str]) -> Shape:
    """The matrix of a linear map of matrices of the first shape."""
    count = times(*shapes[0])
    return count, count


# By the name of the function, and after a colon the axis along which it works.
_RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("np.sum", "np.mean", "np.max", "np.min", "np.prod", "np.vdot", "np.trace", "np.linalg.det"), _scalar
    ),
    **dict.fromkeys(("np.linalg.norm", "_log_det", "_eigmax", "_eigmin", "_logsumexp", "math.sqrt"), _scalar),
    **dict.fromkeys(("math.log", "math.exp", "math.lgamma", "math.gamma"), _scalar),
    **{
        f"{f}:0": lambda s, z: ("1", s[0][1])
        for f in ("np.sum", "np.mean", "np.max", "np.min", "np.prod", "_logsumexp")
    },
    **{
        f"{f}:1": lambda s, z: (s[0][0], "1")
        for f in ("np.sum", "np.mean", "np.max", "np.min", "np.prod", "_logsumexp")
    },
    **dict.fromkeys(("_dadj", "_dpolar", "_frechet_expm", "_frechet_logm", "_frechet_sqrtm", "_add_diagonal"), _first),
    **dict.fromkeys(("_frechetpow", "_matpow", "np.linalg.matrix_power", "_resolvent", "np.cumsum", "np.clip"), _first),
    **dict.fromkeys(("_prodothers", "_dprodothers", "_dlyapunov", "_lyapunov", "_care", "_dare"), _first),
    **dict.fromkeys(("_cholesky_solve", "np.linalg.solve"), _second),
    "np.linalg.svd": lambda s, z: (f"min({s[0][0]}, {s[0][1]})", "1"),
    "_sylvester": lambda s, z: s[2],
    "_pinv": lambda s, z: s[0][::-1],
    **dict.fromkeys(("_eigvals", "_eigvecmax", "_eigvecmin", "_diagvec", "np.diagonal"), lambda s, z: (s[0][0], "1")),
    "_vec": lambda s, z: (times(*s[0]), "1"),
    "_reshape": lambda s, z: (z[1], z[2]),
    "_diag": lambda s, z: (times(*s[0]),) * 2,
    "_comm": lambda s, z: (times(z[0], z[1]),) * 2,
    "_kron": lambda s, z: (times(s[0][0], s[1][0]), times(s[0][1], s[1][1])),
    "np.kron": lambda s, z: (times(s[0][0], s[1][0]), times(s[0][1], s[1][1])),
    "_kron_eye": lambda s, z: (times(s[0][0], z[1]), times(s[0][1], z[1])),
    "_eye_kron": lambda s, z: (times(z[0], s[1][0]), times(z[0], s[1][1])),
    "np.outer": lambda s, z: (times(*s[0]), times(*s[1])),
    "_pdist2": lambda s, z: (s[0][0], s[1][0]),
    "_slice": lambda s, z: (_between(z[1], z[2]), _between(z[3], z[4])),
    "_place": lambda s, z: (z[1], z[2]),
    "_vech": lambda s, z: (f"{s[0][0]} * ({s[0][0]} + 1) // 2", "1"),
    "_unvech": lambda s, z: (z[1], z[1]),
    "_convmat": lambda s, z: (f"{s[0][0]} + {z[1]} - 1", z[1]),
    "np.convolve": lambda s, z: (f"{s[0][0]} + {s[1][0]} - 1", "1"),
    "_gram_factor": lambda s, z: (s[0][1], s[0][1]),
    "_weighted_gram": lambda s, z: (s[0][1], s[0][1]),
    **dict.fromkeys(("_dpolarform", "_frechetpowform", "_prodothersform", "_dadjform"), _form),
    "_frechet_matrix": lambda s, z: (times(*s[1]), times(*s[1])),
    "_toep": lambda s, z: (f"{z[0]} * {z[0]}", f"2 * {z[0]} - 1"),
    "_symtoep": lambda s, z: (f"{z[0]} * {z[0]}", z[0]),
    "_skewdup": lambda s, z: (f"{z[0]} * {z[0]}", f"{z[0]} * ({z[0]} - 1) // 2"),
    "_dup": lambda s, z: (f"{z[0]} * {z[0]}", f"{z[0]} * ({z[0]} + 1) // 2"),
    "_elim": lambda s, z: (f"{z[0]} * ({z[0]} + 1) // 2", f"{z[0]} * {z[0]}"),
    "_dsel": lambda s, z: (f"{z[0]} * {z[0]}", z[0]),
    "_blockinner": lambda s, z: (f"{s[0][0]} // {s[1][0]}", f"{s[0][1]} // {s[1][1]}"),
    "_blocksum": lambda s, z: (f"{s[1][0]} // {s[0][0]}", f"{s[1][1]} // {s[0][1]}"),
    "_kron_times": lambda s, z: (_scaled(s[2][0], s[:2], z[:2], by=1, to=0), s[2][1]),
    "_times_kron": lambda s, z: (s[0][0], _scaled(s[0][1], s[1:], z[1:], by=0, to=1)),
}


def _scaled(size: str, factors: Sequence[Shape], texts: Sequence[str], *, by: int, to: int) -> str:
    """A size after the product with the Kronecker product of two factors, of which an identity is None."""
    for factor, text in zip(factors, texts):
        if text != "None":
            size = f"({size}) // ({factor[by]}) * ({factor[to]})"
    return size


def _between(first: str, last: str) -> str:
    if first == last:
        return "1"
    if first.isdigit() and last.isdigit():
        return str(int(last) - int(first) + 1)
    return last if first == "1" else f"{last} - {first} + 1"


def is_number(name: str) -> bool:
    """Whether a function gives a number, whatever it is applied to."""
    return _RULES.get(name) is _scalar


def shape_of_call(name: str, axis: int | None, args: Sequence[ast.expr], shapes: Sequence[Shape]) -> Shape:
    """The shape of a call; of what the table does not have, that of an entrywise function."""
    sizes = [trees.text(a) for a in args]
    rule = _RULES.get(f"{name}:{axis}") or _RULES.get(name) or _joint
    return rule(shapes, sizes)
