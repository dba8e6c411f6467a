"""Expressions in base R. Matrices are matrices throughout, columns and rows too; 1 x 1 values are plain numbers.

R repeats a plain vector along the columns of a matrix, and refuses two matrices of different shapes: a column is
written as its entries, a row as its entries repeated, and a column with a row as an outer product.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import ClassVar

from matcalc.emit import trees
from matcalc.targets.matrix_languages.expressions import SLOPES, Expressions, shared_calls
from matcalc.targets.matrix_languages.pieces import (
    ATOM,
    COMPARE,
    MATMUL,
    POWER,
    PRODUCT,
    SCALAR,
    SUM,
    UNARY,
    Piece,
    Shape,
    joint,
)

_EXACT, _POWERS, _EXTENDED = 2**53, 22, 64

_SAME = ("exp", "expm1", "log", "log1p", "sqrt", "abs", "sign", "sin", "cos", "tan", "sinh", "cosh", "tanh")
CALLS: dict[str, str] = {
    **{f: f"{f}({{0}})" for f in _SAME},
    **{f"arc{f}": f"a{f}({{0}})" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"math.sqrt": "sqrt({0})", "math.log": "log({0})", "math.exp": "exp({0})"},
    **{"math.lgamma": "lgamma({0})", "math.gamma": "gamma({0})"},
    **{"squared_cosh": "cosh({0})^2", "sigmoid": "plogis({0})", "softplus": "softplus({0})"},
    "mean_excess": "mean_excess({0}, {1})",
    **{"log1mexp": "log1mexp({0})", "reciprocal": "reciprocal({0})", "gelu": "gelu({0})", "selu": "selu({0})"},
    **{"huber": "huber({0}, {1})", "leakyrelu": "leaky_relu({0}, {1})", "elu": "elu({0}, {1})"},
    **{"erf": "erf({0})", "erfc": "erfc({0})", "erfcx": "erfcx({0})"},
    **{"gammaln": "lgamma({0})", "digamma": "digamma({0})", "normcdf": "pnorm({0})"},
    **{"normlogcdf": "pnorm({0}, log.p = TRUE)", "polygamma": "psigamma({0}, {1})"},
    "clip": "pmin(pmax({0}, {1}), {2})",
    **{"sum": "sum({0})", "sum:1": "col_sums({0})", "sum:2": "row_sums({0})"},
    **{"mean": "mean({0})", "mean:1": "col_means({0})", "mean:2": "row_means({0})"},
    **{f: f"{f}({{0}})" for f in ("max", "min", "prod")},
    **{f"{f}:1": f"by_col({{0}}, {f})" for f in ("max", "min", "prod")},
    **{f"{f}:2": f"by_row({{0}}, {f})" for f in ("max", "min", "prod")},
    **{"softmax:1": "softmax_cols({0})", "softmax:2": "softmax_rows({0})"},
    **{"log_softmax:1": "log_softmax_cols({0})", "log_softmax:2": "log_softmax_rows({0})"},
    **{"logsumexp:1": "by_col({0}, log_sum_exp)", "logsumexp:2": "by_row({0}, log_sum_exp)"},
    "logsumexp": "log_sum_exp({0})",
    **{"tr": "sum(diag({0}))", "cumsum:1": "col_cumsums({0})", "cumsum:2": "row_cumsums({0})"},
    **{"norm2": 'norm({0}, "F")', "normnuc": "sum(svd({0}, 0, 0)$d)"},
    "normspec": "max(svd({0}, 0, 0)$d)",
    **{"solve": "solve({0}, {1}, tol = 0)", "inv": "solve({0}, tol = 0)"},
    **{"det": "det({0})", "log_det": "log_det({0})"},
    "logdet": "as.vector(determinant({0})$modulus)",
    "singvals": "matrix(svd({0}, 0, 0)$d)",
    "whole_power": "whole_power({0}, {1})",
    **{"cholesky_inverse": "chol2inv({0})", "chol": "chol_lower({0})"},
    **{"vec": "matrix({0})", "reshape": "matrix({0}, {s1}, {s2})"},
    **{"diag": "diag_of({0})", "diagvec": "matrix(diag({0}))", "add_diagonal": "add_diagonal({0}, {1})"},
    **{"kron": "kronecker({0}, {1})"},
    **{"kron_eye": "kronecker({0}, diag({s1}))", "eye_kron": "kronecker(diag({s0}), {1})"},
    **shared_calls("NULL"),
    **{"diagsums": "diag_sums({0})"},
    **{"tril": "lower_part({0})", "triu": "upper_part({0})"},
    **{"conv": "convolution({0}, {1})"},
    **{"prodothers": "other_products({0})", "prodothers:1": "other_products_cols({0})"},
    **{"prodothers:2": "other_products_rows({0})", "dprodothers": "other_products_slope({0}, {1})"},
    **{
        "dprodothers:1": "other_products_cols_slope({0}, {1})",
        "dprodothers:2": "other_products_rows_slope({0}, {1})",
    },
    "prodothersform": "products_form_all({0}, {1})",
    **{"prodothersform:1": "products_form_cols({0}, {1})", "prodothersform:2": "products_form_rows({0}, {1})"},
    **{"eigvals": "eigen_values({0})", "eigvecs": "eigen_vectors({0})", "resolvent:eigmax": "resolvent({0}, 1)"},
    **{"eigmax": "extreme_pair({0}, 1)$value", "eigmin": "extreme_pair({0}, -1)$value"},
    **{"eigvecmax": "extreme_pair({0}, 1)$vector", "eigvecmin": "extreme_pair({0}, -1)$vector"},
    **{"pinv": "pseudo_inverse({0})", "polar": "polar_factor({0})", "dpolar": "polar_slope({0}, {1})"},
    **{"dpolarform": "polar_form({0})", "expm": "exp_matrix({0})", "logm": "log_matrix({0})"},
    **{"sqrtm": "sqrt_matrix({0})", "matpow": "power_matrix({0}, {1})", "frechetpow": "power_slope({0}, {1}, {2})"},
    **{"frechet:expm": "exp_slope({0}, {1})", "frechet:logm": "log_slope({0}, {1})"},
    "frechet:sqrtm": "sqrt_slope({0}, {1})",
    **{f"frechetform:{f}": f"slope_form({name}_slope, {{0}})" for f, name in SLOPES},
    **{"frechetpowform": "power_form({0}, {1})", "sylvester": "sylvester({0}, {1}, {2})"},
    **{"lyapunov": "lyapunov({0}, {1})", "dlyapunov": "discrete_lyapunov({0}, {1})"},
    **{"care": "riccati({0}, {1}, {2}, {3})", "dare": "discrete_riccati({0}, {1}, {2}, {3})"},
    **{"adj": "adjugate({0})", "dadj": "adjugate_slope({0}, {1})", "dadjform": "adjugate_form({0}, {1})"},
}
_SIZES: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/"}


def number(value: float) -> str:
    """A number; as a hexadecimal one where R would read the decimal one with an error in its last place."""
    text = repr(value)
    if isinstance(value, int):
        return text
    digits, _, exponent = text.partition("e")
    whole, _, fraction = digits.partition(".")
    mantissa, power = int(whole + fraction.rstrip("0")), int(exponent or 0) - len(fraction.rstrip("0"))
    if mantissa < _EXACT and abs(power) <= _POWERS and _rounds_twice(Fraction(mantissa) * Fraction(10) ** power, value):
        return text.removesuffix(".0")
    return value.hex()


def _rounds_twice(exact: Fraction, value: float) -> bool:
    """Whether rounding to 64 bits and then to 53 gives the value."""
    if exact == 0:
        return True
    shift = _EXTENDED - (exact.numerator.bit_length() - exact.denominator.bit_length())
    long = Fraction(round(exact * Fraction(2) ** shift)) / Fraction(2) ** shift
    return float(long) == value


class RExpressions(Expressions):
    """R's words."""

    title = "R"
    calls: ClassVar[Mapping[str, str]] = CALLS

    def number(self, value: float) -> str:
        return number(value)

    def size(self, tree: ast.expr) -> str:
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            return f"{self._bracketed(tree.left)}^{self._bracketed(tree.right)}"
        if isinstance(tree, ast.BinOp) and type(tree.op) in _SIZES:
            sign = _SIZES[type(tree.op)]
            if sign in "+-":
                return f"{self.size(tree.left)} {sign} {self.size(tree.right)}"
            return f"{self._bracketed(tree.left)} {sign} {self._bracketed(tree.right)}"
        return trees.text(tree)

    def _bracketed(self, tree: ast.expr) -> str:
        text = self.size(tree)
        return f"({text})" if isinstance(tree, ast.BinOp) else text

    def size_text(self, text: str) -> str:
        """A size of a shape."""
        return self.size(trees.parsed(text))

    # ------------------------------------------------------------------------------------------------ entries

    def entrywise(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        shape = joint(a.shape, b.shape)
        if SCALAR not in (a.shape, b.shape) and a.flags != b.flags:
            if a.shape != shape and b.shape != shape:
                return self._outer(operator, a, b, shape)
            a, b = (p if p.shape == shape else self._repeated(p, shape) for p in (a, b))
        left, right = level, level + 1
        if level == COMPARE:
            left = right = SUM
        return Piece(f"{a.at(left)} {operator} {b.at(right)}", shape, level)

    def _repeated(self, a: Piece, shape: Shape) -> Piece:
        """The entries of a column or a row in the order of those of a matrix."""
        if a.flags[1]:
            return Piece(f"c({a.text})", shape)
        return Piece(f"rep({a.text}, each = {self.size_text(shape[0])})", shape)

    def _outer(self, operator: str, a: Piece, b: Piece, shape: Shape) -> Piece:
        """A column with a row, or a row with a column."""
        if a.flags[1]:
            more = "" if operator == "*" else f', "{operator}"'
            return Piece(f"outer(c({a.text}), c({b.text}){more})", shape)
        if operator in "*+":
            return self._outer(operator, b, a, shape)
        return Piece(f"outer(c({b.text}), c({a.text}), function(x, y) y {operator} x)", shape)

    def along(self, a: Piece, shape: Shape) -> Piece:
        if a.shape == shape and a.shape != SCALAR:
            return a
        return Piece(f"along({a.text}, {self.size_text(shape[0])}, {self.size_text(shape[1])})", shape)

    def power(self, a: Piece, b: Piece) -> Piece:
        found = self.entrywise("^", a, b, POWER)
        if a.shape in (SCALAR, found.shape) and b.shape in (SCALAR, found.shape):
            return Piece(f"{a.at(ATOM)}^{b.at(ATOM)}", found.shape, POWER)
        return found

    def chosen(self, test: Piece, yes: Piece, no: Piece) -> Piece:
        return Piece(f"choose_entries({test.text}, {yes.text}, {no.text})", joint(test.shape, yes.shape, no.shape))

    def truth(self, test: Piece) -> Piece:
        return Piece(f"as_number({test.text})", test.shape)

    def bound(self, pieces: list[Piece], function: str) -> Piece:
        """pmax or pmin, whose first argument gives the shape."""
        a, b = pieces
        shape = joint(a.shape, b.shape)
        if a.shape != shape:
            a, b = b, a
        if a.shape != shape:
            a = self.along(a, shape)
        if b.shape not in (SCALAR, shape):
            b = self._repeated(b, shape)
        if shape == SCALAR:
            return Piece(f"{function.removeprefix('p')}({pieces[0].text}, {pieces[1].text})", shape)
        return Piece(f"{function}({a.text}, {b.text})", shape)

    # ------------------------------------------------------------------------------------------------ matrices

    def turned(self, a: Piece) -> Piece:
        return Piece(f"t({a.text})", a.shape[::-1], turned=a)

    def named(self, name: str, shape: Shape) -> Piece:
        if name in self.uppers:
            return Piece(f"t({name})", shape, turned=Piece(name, shape))
        return Piece(name, shape)

    def product(self, a: Piece, b: Piece) -> Piece:
        shape = a.shape[0], b.shape[1]
        if a.turned is not None and b.turned is None:
            left = a.turned.text
            return Piece(f"crossprod({left})" if left == b.text else f"crossprod({left}, {b.text})", shape)
        if b.turned is not None and a.turned is None:
            right = b.turned.text
            return Piece(f"tcrossprod({right})" if right == a.text else f"tcrossprod({a.text}, {right})", shape)
        return Piece(f"{a.at(MATMUL)} %*% {b.at(UNARY)}", shape, MATMUL)

    def dot(self, a: Piece, b: Piece) -> Piece:
        if a.shape == SCALAR and b.shape == SCALAR:
            return self.entrywise("*", a, b, PRODUCT)
        if a.flags != b.flags and SCALAR not in (a.shape, b.shape):
            b = self.transposed(b)
        if a.text == b.text:
            return Piece(f"sum({a.at(ATOM)}^2)")
        return Piece(f"sum({a.at(PRODUCT)} * {b.at(MATMUL)})")

    def filled(self, value: Piece, shape: Shape, sizes: list[str]) -> Piece:
        return Piece(f"matrix({value.text}, {sizes[0]}, {sizes[1]})", shape)

    def identity(self, size: str, shape: Shape) -> Piece:
        return Piece(f"diag({size})", shape)

    def blocks(self, rows: list[list[Piece]], shape: Shape) -> Piece:
        lines = [f"cbind({', '.join(p.text for p in row)})" for row in rows]
        return Piece(f"unname(rbind({', '.join(lines)}))", shape)

    def entry(self, a: Piece) -> Piece:
        return Piece(f"c({a.text})")

    def called(self, text: str, shape: Shape) -> Piece:
        return Piece(text, shape, POWER if text.endswith("^2") else ATOM)

    # ------------------------------------------------------------------------------------------------ factors

    def cholesky(self, pieces: list[Piece]) -> Piece:
        """The lower factor, of which R has the transpose."""
        return Piece(
            f"t(chol({pieces[0].text}))", pieces[0].shape, turned=Piece(f"chol({pieces[0].text})", pieces[0].shape)
        )

    def _upper(self, lower: Piece) -> str:
        return self.transposed(lower).text

    def cholesky_solve(self, pieces: list[Piece]) -> Piece:
        upper = self._upper(pieces[0])
        if not upper.isidentifier():
            return Piece(f"chol_solve({upper}, {pieces[1].text})", pieces[1].shape)
        inner = f"backsolve({upper}, {pieces[1].text}, transpose = TRUE)"
        return Piece(f"backsolve({upper}, {inner})", pieces[1].shape)

    def cholesky_inverse(self, pieces: list[Piece]) -> Piece:
        return Piece(f"chol2inv({self._upper(pieces[0])})", pieces[0].shape)

    def weighted_gram(self, pieces: list[Piece]) -> Piece:
        x, d = pieces
        if not x.text.isidentifier():
            return Piece(f"weighted_gram({x.text}, {d.text})", (x.shape[1], x.shape[1]))
        return Piece(f"crossprod({x.text}, c({d.text}) * {x.at(MATMUL)})", (x.shape[1], x.shape[1]))

    def diagonal(self, pieces: list[Piece]) -> Piece:
        a = pieces[0] if pieces[0].turned is None else pieces[0].turned
        return Piece(f"matrix(diag({a.text}))", (a.shape[0], "1"))

    forms: ClassVar[Mapping[str, Callable[..., Piece]]] = {
        "maximum": lambda self, pieces: self.bound(pieces, "pmax"),
        "minimum": lambda self, pieces: self.bound(pieces, "pmin"),
        "cholesky": cholesky,
        "cholesky_solve": cholesky_solve,
        "cholesky_inverse": cholesky_inverse,
        "weighted_gram": weighted_gram,
        "diagvec": diagonal,
    }


CALLS |= dict.fromkeys(RExpressions.forms, "")
