"""Expressions in what Octave and MATLAB have in common. Both broadcast rows and columns, and a number is 1 x 1.

A function of a real number may be complex there (the logarithm of -1), and the largest entry leaves out what is not a
number: the helpers give NumPy's nan.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import ClassVar

from matcalc.emit import trees
from matcalc.targets.matrix_languages.expressions import SLOPES, Expressions, shared_calls
from matcalc.targets.matrix_languages.pieces import (
    ATOM,
    COMPARE,
    POWER,
    PRODUCT,
    SCALAR,
    SUM,
    UNARY,
    Piece,
    Shape,
    joint,
)

_SAME = ("exp", "expm1", "abs", "sign", "sin", "cos", "tan", "sinh", "cosh", "tanh")
CALLS: dict[str, str] = {
    **{f: f"{f}({{0}})" for f in _SAME},
    **{f"arc{f}": f"a{f}({{0}})" for f in ("tan", "sinh")},
    **{f"arc{f}": f"real_or_nan(a{f}({{0}}))" for f in ("sin", "cos", "cosh", "tanh")},
    **{"log": "real_log({0})", "log1p": "real_log1p({0})", "sqrt": "real_sqrt({0})"},
    **{"math.sqrt": "sqrt({0})", "math.log": "log({0})", "math.exp": "exp({0})"},
    **{"math.lgamma": "gammaln({0})", "math.gamma": "gamma({0})"},
    **{"squared_cosh": "cosh({0}) .^ 2", "sigmoid": "sigmoid({0})"},
    **{"softplus": "softplus({0})", "log1mexp": "log1mexp({0})", "reciprocal": "reciprocal({0})"},
    **{"mean_excess": "mean_excess({0}, {1})", "cholesky_solve": "chol_solve({0}, {1})"},
    **{"gelu": "gelu({0})", "selu": "selu({0})"},
    **{"huber": "huber({0}, {1})", "leakyrelu": "leaky_relu({0}, {1})", "elu": "elu({0}, {1})"},
    **{f: f"{f}({{0}})" for f in ("erf", "erfc", "erfcx")},
    **{"gammaln": "log_gamma({0})", "digamma": "psi({0})", "normcdf": "normal_cdf({0})"},
    **{"normlogcdf": "log_normal_cdf({0})", "polygamma": "psi({1}, {0})"},
    **{"maximum": "maximum({0}, {1})", "minimum": "minimum({0}, {1})"},
    "clip": "minimum(maximum({0}, {1}), {2})",
    **{f: f"{f}({f}({{0}}))" for f in ("sum", "mean", "prod")},
    **{f"{f}:1": f"{f}({{0}}, 1)" for f in ("sum", "mean", "prod", "cumsum")},
    **{f"{f}:2": f"{f}({{0}}, 2)" for f in ("sum", "mean", "prod", "cumsum")},
    **{"max": "largest(largest({0}, 1), 2)", "min": "smallest(smallest({0}, 1), 2)"},
    **{"max:1": "largest({0}, 1)", "max:2": "largest({0}, 2)"},
    **{"min:1": "smallest({0}, 1)", "min:2": "smallest({0}, 2)"},
    **{"softmax:1": "softmax({0}, 1)", "softmax:2": "softmax({0}, 2)"},
    **{"log_softmax:1": "log_softmax({0}, 1)", "log_softmax:2": "log_softmax({0}, 2)"},
    **{"logsumexp:1": "log_sum_exp({0}, 1)", "logsumexp:2": "log_sum_exp({0}, 2)"},
    "logsumexp": "log_sum_exp(column({0}), 1)",
    **{"tr": "sum(diagonal({0}))", "norm2": "norm({0}, 'fro')"},
    **{"normnuc": "sum(svd({0}))", "normspec": "max(svd({0}))", "singvals": "svd({0})"},
    **{"solve": "solved({0}, {1})", "inv": "inverse({0})"},
    **{"det": "det({0})", "log_det": "log_det({0})", "logdet": "log_abs_det({0})"},
    **{"cholesky": "chol({0}, 'lower')", "whole_power": "whole_power({0}, {1})"},
    "chol": "chol_or_nan({0})",
    **{"vec": "column({0})", "reshape": "reshape({0}, {s1}, {s2})", "diag": "diagonal_matrix({0})"},
    **{"diagvec": "diagonal({0})", "add_diagonal": "add_diagonal({0}, {1})"},
    **{"kron": "kron({0}, {1})"},
    **{"kron_eye": "kron({0}, eye({s1}))", "eye_kron": "kron(eye({s0}), {1})"},
    **shared_calls("[]"),
    **{"diagsums": "diagonal_sums({0})"},
    **{"tril": "tril({0})", "triu": "triu({0})"},
    **{"conv": "conv({0}, {1})"},
    **{"prodothers": "other_products({0}, 0)", "prodothers:1": "other_products({0}, 1)"},
    **{"prodothers:2": "other_products({0}, 2)", "dprodothers": "other_products_slope({0}, {1}, 0)"},
    **{f"dprodothers:{k}": f"other_products_slope({{0}}, {{1}}, {k})" for k in (1, 2)},
    "prodothersform": "products_form({0}, {1}, 0)",
    **{f"prodothersform:{k}": f"products_form({{0}}, {{1}}, {k})" for k in (1, 2)},
    **{"eigvals": "eigen_values({0})", "eigvecs": "eigen_vectors({0})", "resolvent:eigmax": "resolvent({0}, 1)"},
    **{"eigmax": "extreme_value({0}, 1)", "eigmin": "extreme_value({0}, -1)"},
    **{"eigvecmax": "extreme_vector({0}, 1)", "eigvecmin": "extreme_vector({0}, -1)"},
    **{"pinv": "pseudo_inverse({0})", "polar": "polar_factor({0})", "dpolar": "polar_slope({0}, {1})"},
    **{"dpolarform": "polar_form({0})", "expm": "exp_matrix({0})", "logm": "log_matrix({0})"},
    **{"sqrtm": "sqrt_matrix({0})", "matpow": "power_matrix({0}, {1})", "frechetpow": "power_slope({0}, {1}, {2})"},
    **{"frechet:expm": "exp_slope({0}, {1})", "frechet:logm": "log_slope({0}, {1})"},
    "frechet:sqrtm": "sqrt_slope({0}, {1})",
    **{f"frechetform:{f}": f"slope_form(@{name}_slope, {{0}})" for f, name in SLOPES},
    **{"frechetpowform": "power_form({0}, {1})", "sylvester": "sylvester_solution({0}, {1}, {2})"},
    **{"lyapunov": "lyapunov({0}, {1})", "dlyapunov": "discrete_lyapunov({0}, {1})"},
    **{"care": "riccati({0}, {1}, {2}, {3})", "dare": "discrete_riccati({0}, {1}, {2}, {3})"},
    **{"adj": "adjugate({0})", "dadj": "adjugate_slope({0}, {1})", "dadjform": "adjugate_form({0}, {1})"},
}
_SIZES: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/"}


class OctaveExpressions(Expressions):
    """The words of Octave and MATLAB."""

    title = "Octave"
    calls: ClassVar[Mapping[str, str]] = CALLS

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

    # ------------------------------------------------------------------------------------------------ entries

    def entrywise(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        shape = joint(a.shape, b.shape)
        left, right = (SUM, PRODUCT) if level in (COMPARE, SUM) else (level, level + 1)
        numbers = b.shape == SCALAR or (operator == "*" and a.shape == SCALAR)
        sign = operator if operator not in "*/" or numbers else f".{operator}"
        if level == COMPARE:
            left = right = SUM
        return Piece(f"{a.at(left)} {sign} {b.at(right)}", shape, level)

    def along(self, a: Piece, shape: Shape) -> Piece:
        rows, columns = (self.size(trees.parsed(s)) for s in shape)
        if a.shape == shape and a.shape != SCALAR:
            return a
        rows, columns = rows if a.flags[0] else "1", columns if a.flags[1] else "1"
        return Piece(f"repmat({a.text}, {rows}, {columns})", shape)

    def power(self, a: Piece, b: Piece) -> Piece:
        shape = joint(a.shape, b.shape)
        if b.text.isdigit():
            sign = "^" if shape == SCALAR else " .^ "
            return Piece(f"{a.at(ATOM)}{sign}{b.text}", shape, POWER)
        return Piece(f"real_power({a.text}, {b.text})", shape)

    def chosen(self, test: Piece, yes: Piece, no: Piece) -> Piece:
        return Piece(f"choose({test.text}, {yes.text}, {no.text})", joint(test.shape, yes.shape, no.shape))

    def truth(self, test: Piece) -> Piece:
        return Piece(f"double({test.text})", test.shape)

    # ------------------------------------------------------------------------------------------------ matrices

    def turned(self, a: Piece) -> Piece:
        return Piece(f"{a.at(ATOM)}'", a.shape[::-1], UNARY, turned=a)

    def dot(self, a: Piece, b: Piece) -> Piece:
        if a.shape == SCALAR and b.shape == SCALAR:
            return self.entrywise("*", a, b, PRODUCT)
        if any(a.flags) and any(b.flags):
            row = a if a.flags[0] else self.transposed(a)
            column = b if b.flags[1] else self.transposed(b)
            return Piece(f"{row.at(PRODUCT)} * {column.at(PRODUCT + 1)}", SCALAR, PRODUCT)
        if a.text == b.text:
            return Piece(f"sum(sum({a.at(ATOM)} .^ 2))")
        return Piece(f"sum(sum({self.entrywise('*', a, b, PRODUCT).text}))")

    def filled(self, value: Piece, shape: Shape, sizes: list[str]) -> Piece:
        if shape == SCALAR:
            return Piece(value.text, shape, value.level)
        plain = {"0": "zeros", "1": "ones"}.get(value.text)
        text = f"{plain}({', '.join(sizes)})" if plain else f"repmat({value.text}, {', '.join(sizes)})"
        return Piece(text, shape)

    def identity(self, size: str, shape: Shape) -> Piece:
        return Piece(f"eye({size})", shape)

    def blocks(self, rows: list[list[Piece]], shape: Shape) -> Piece:
        lines = [", ".join(p.at(UNARY) for p in row) for row in rows]
        return Piece(f"[{'; '.join(lines)}]", shape)

    def entry(self, a: Piece) -> Piece:
        return a

    def called(self, text: str, shape: Shape) -> Piece:
        return Piece(text, shape, POWER if text.endswith(" .^ 2") else ATOM)

    # ------------------------------------------------------------------------------------------------ factors

    def cholesky_inverse(self, pieces: list[Piece]) -> Piece:
        return Piece(f"chol_inverse({pieces[0].text})", pieces[0].shape)

    def weighted_gram(self, pieces: list[Piece]) -> Piece:
        x, d = pieces
        if not x.text.isidentifier():
            return Piece(f"weighted_gram({x.text}, {d.text})", (x.shape[1], x.shape[1]))
        return Piece(f"{x.at(ATOM)}' * ({d.at(PRODUCT)} .* {x.at(PRODUCT + 1)})", (x.shape[1], x.shape[1]), PRODUCT)

    def total(self, pieces: list[Piece]) -> Piece:
        """The sum of all entries."""
        a = pieces[0]
        return Piece(f"sum({a.text}, {1 if a.flags[1] else 2})" if any(a.flags) else f"sum(sum({a.text}))")

    forms: ClassVar[Mapping[str, Callable[..., Piece]]] = {
        "sum": total,
        "cholesky_inverse": cholesky_inverse,
        "weighted_gram": weighted_gram,
    }


CALLS |= dict.fromkeys(OctaveExpressions.forms, "")
