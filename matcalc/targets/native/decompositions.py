"""Decompositions and functions of matrices in native code: by name the helper that calls LAPACK, and its shape."""

from __future__ import annotations

import ast
from collections.abc import Callable

from matcalc.emit import trees
from matcalc.targets.c.entries import SCALAR, Shape, product, refused
from matcalc.targets.c.statements import Statements

ShapeOf = Callable[..., Shape]


def _same(x: Shape, *_: Shape) -> Shape:
    return x


def _turned(x: Shape) -> Shape:
    return x[1], x[0]


def _column(x: Shape) -> Shape:
    return x[0], "1"


def _square(x: Shape, _: Shape) -> Shape:
    return x[1], x[1]


def _number(_: Shape) -> Shape:
    return SCALAR


def _blocks(g: Shape, b: Shape) -> Shape:
    return _quotient(g[0], b[0]), _quotient(g[1], b[1])


def _block(a: Shape, g: Shape) -> Shape:
    return _quotient(g[0], a[0]), _quotient(g[1], a[1])


def _quotient(size: str, part: str) -> str:
    """A size by a part of it, which goes into it."""
    if part == "1":
        return size
    factors = size.split(" * ")
    if part in factors:
        factors.remove(part)
        return " * ".join(factors) or "1"
    return f"(({size}) / ({part}))"


FUNCTIONS: dict[str, tuple[str, ShapeOf]] = {
    "_weighted_gram": ("weighted_gram", _square),
    "_chol": ("symmetric_factor", _same),
    "_eigvals": ("eigenvalues", _column),
    "_eigvecs": ("eigenvectors", _same),
    "_eigmax": ("largest_eigenvalue", _number),
    "_eigmin": ("smallest_eigenvalue", _number),
    "_eigvecmax": ("largest_eigenvector", _column),
    "_eigvecmin": ("smallest_eigenvector", _column),
    "_pinv": ("pseudoinverse", _turned),
    "_polar": ("polar", _same),
    "_adj": ("adjugate", _same),
    "_expm": ("exponential", _same),
    "_frechet_expm": ("exponential_along", _same),
    "_blockinner": ("block_inner", _blocks),
    "_blocksum": ("block_sum", _block),
}
_NORMS = {"'nuc'": "nuclear_norm", '"nuc"': "nuclear_norm", "2": "spectral_norm"}


def by_lapack(s: Statements, tree: ast.expr, target: str | None) -> ast.expr | None:
    """The steps of a decomposition; None for what is none."""
    if isinstance(tree, ast.Subscript):  # np.linalg.svd(x, compute_uv=False)[:, None]
        call = tree.value
        if isinstance(call, ast.Call) and trees.text(call.func) == "np.linalg.svd" and call.keywords:
            return _singular_values(s, call, target)
        return None
    if not isinstance(tree, ast.Call):
        return None
    name = trees.text(tree.func)
    if name == "np.linalg.svd" and tree.keywords:
        return _singular_values(s, tree, target)
    if name == "np.linalg.norm" and len(tree.args) > 1 and trees.text(tree.args[1]) in _NORMS:
        return _called(s, _NORMS[trees.text(tree.args[1])], tree.args[:1], lambda _: SCALAR, target)
    if name not in FUNCTIONS or tree.keywords:
        return None
    function, shape = FUNCTIONS[name]
    return _called(s, function, tree.args, shape, target)


def _singular_values(s: Statements, call: ast.Call, target: str | None) -> ast.expr:
    shape = s.entries.shape(s.prepared(call.args[0]))
    if "1" not in shape and shape[0] != shape[1] and not all(size.isdigit() for size in shape):
        raise refused("the number of singular values")
    least = min(shape, key=lambda size: (size != "1", int(size) if size.isdigit() else 0))
    return _called(s, "singular_values", call.args[:1], lambda _: (least, "1"), target)


def _called(s: Statements, function: str, args: list[ast.expr], shape: ShapeOf, target: str | None) -> ast.expr:
    """The call of a helper: the shapes of what it reads, the matrices, the result."""
    matrices = [s._plain(a) for a in args]
    found = shape(*(m.shape for m in matrices))
    sizes = [size for m in matrices for size in m.shape]
    given = [m.name for m in matrices]
    if product(*found) == "1":
        name = s._number()
        s._add(s._checked(function, f"{function}({', '.join([*sizes, *given, f'&{name}'])})"), None, *given)
    else:
        name = s._new(found, target)
        s._add(s._checked(function, f"{function}({', '.join([*sizes, *given, name])})"), name, *given)
    return ast.Name(name)
