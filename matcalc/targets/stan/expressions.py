"""Expressions in Stan: a 1 x 1 value is a real, everything else a matrix, columns and rows too."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import ClassVar

from matcalc.emit import trees
from matcalc.targets.matrix_languages.expressions import SLOPES, Expressions
from matcalc.targets.matrix_languages.pieces import ATOM, COMPARE, PRODUCT, SCALAR, Piece, Shape, joint, squared

_SAME = ("exp", "expm1", "log", "log1p", "sqrt", "square", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh")
CALLS: dict[str, str] = {
    **{f: f"{f}({{0}})" for f in _SAME},
    **{f"arc{f}": f"a{f}({{0}})" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"math.sqrt": "sqrt({0})", "math.log": "log({0})", "math.exp": "exp({0})"},
    **{"math.lgamma": "lgamma({0})", "math.gamma": "tgamma({0})"},
    **{"squared_cosh": "square(cosh({0}))", "sigmoid": "inv_logit({0})", "softplus": "log1p_exp({0})"},
    **{"log1mexp": "log1m_exp(-({0}))", "erf": "erf({0})", "erfc": "erfc({0})"},
    **{"gammaln": "lgamma({0})", "digamma": "digamma({0})", "gelu": "({0}) .* Phi({0})"},
    "normcdf": "Phi({0})",
    **{"sum": "sum({0})", "sum:1": "col_sums({0})", "sum:2": "row_sums({0})"},
    **{"mean": "mean({0})", "max": "max({0})", "min": "min({0})", "prod": "prod({0})"},
    **{"mean:1": "(col_sums({0}) / rows({0}))", "mean:2": "(row_sums({0}) / cols({0}))"},
    **{"max:1": "col_maxima({0})", "max:2": "row_maxima({0})"},
    **{"min:1": "(-col_maxima(-({0})))", "min:2": "(-row_maxima(-({0})))"},
    **{"softmax:1": "softmax_cols({0})", "softmax:2": "softmax_rows({0})"},
    **{"log_softmax:1": "log_softmax_cols({0})", "log_softmax:2": "log_softmax_rows({0})"},
    **{"logsumexp:1": "log_sum_exp_cols({0})", "logsumexp:2": "log_sum_exp_rows({0})"},
    **{"logsumexp": "log_sum_exp({0})", "tr": "trace({0})", "norm2": "norm2(to_vector({0}))"},
    **{"solve": "solved({0}, {1})", "inv": "inverted({0})"},
    **{"det": "determinant({0})", "logdet": "log_determinant({0})"},
    **{"cholesky": "cholesky_decompose({0})", "cholesky_solve": "chol_solve({0}, {1})"},
    **{"cholesky_inverse": "chol2inv({0})", "vec": "vec({0})", "reshape": "to_matrix({0}, {s1}, {s2})"},
    **{"diag": "diag_matrix(to_vector({0}))", "diagvec": "to_matrix(diagonal({0}))"},
    **{"comm": "commutation({s0}, {s1})", "kron": "kron({0}, {1})"},
    **{"kron_eye": "kron({0}, identity_matrix({s1}))", "eye_kron": "kron(identity_matrix({s0}), {1})"},
    **{"slice": "slice({0}, {s1}, {s2}, {s3}, {s4})", "place": "place({0}, {s1}, {s2}, {s3}, {s4})"},
    **{"tril": "lower_part({0})", "triu": "upper_part({0})", "pdist2": "squared_distances({0}, {1})"},
    **{"expm": "matrix_exp({0})", "singvals": "to_matrix(singular_values({0}))"},
    **{"huber": "huber({0}, {1})", "leakyrelu": "leaky_relu({0}, {1})", "elu": "elu({0}, {1})"},
    **{"selu": "selu({0})", "erfcx": "erfcx({0})", "normlogcdf": "log_phi({0})"},
    "gram_factor": "gram_factor({0})",
    "mean_excess": "mean_excess({0}, {1})",
    **{"cumsum:1": "cumulative_down({0})", "cumsum:2": "cumulative_right({0})"},
    **{"prod:1": "col_products({0})", "prod:2": "row_products({0})", "prodothers": "other_products({0})"},
    **{"prodothers:1": "other_products_down({0})", "prodothers:2": "other_products_right({0})"},
    "dprodothers": "other_products_slope({0}, {1})",
    **{f"dprodothers:{k}": f"other_products_slope_{w}({{0}}, {{1}})" for k, w in ((1, "down"), (2, "right"))},
    "whole_power": "whole_power({0}, {s1})",
    **{"kron_times:xx": "kron_times({0}, {1}, {2})", "kron_times:-x": "eye_kron_times({0}, {1})"},
    **{"kron_times:x-": "kron_eye_times({0}, {1})"},
    **{"times_kron:-x": "times_eye_kron({1}, {0})", "times_kron:x-": "times_kron_eye({1}, {0})"},
    **{"blockinner": "block_inner({0}, {1})", "blocksum": "block_sum({0}, {1})"},
    **{"vech": "vech({0})", "unvech": "unvech({0}, {s1})", "diagsums": "diagonal_sums({0})"},
    "dsel": "diagonal_selection({s0})",
    **{"convmat": "convolution_matrix({0}, {s1})", "conv": "convolution({0}, {1})"},
    **{"chol": "cholesky_or_nan({0})", "frechet:expm": "exp_slope({0}, {1})"},
    **{"frechet:logm": "log_slope({0}, {1})", "frechet:sqrtm": "sqrt_slope({0}, {1})"},
    **{f"frechetform:{f}": f"{name}_slope_form({{0}})" for f, name in SLOPES},
    **{"logm": "log_matrix({0})", "sqrtm": "sqrt_matrix({0})", "log_det": "log_det({0})"},
    **{"eigvals": "eigen_values({0})", "eigvecs": "eigen_vectors({0})", "resolvent:eigmax": "resolvent({0}, 1)"},
    **{"eigmax": "extreme_value({0}, 1)", "eigmin": "extreme_value({0}, -1)"},
    **{"eigvecmax": "extreme_vector({0}, 1)", "eigvecmin": "extreme_vector({0}, -1)"},
    **{"pinv": "pseudo_inverse({0})", "polar": "polar_factor({0})", "dpolar": "polar_slope({0}, {1})"},
    **{"dpolarform": "polar_form({0})", "adj": "adjugate({0})", "dadj": "adjugate_slope({0}, {1})"},
    **{"dadjform": "adjugate_form({0}, {s1})", "prodothersform": "products_form({0}, {s1}, 2)"},
    **{f"prodothersform:{k + 1}": f"products_form({{0}}, {{s1}}, {k})" for k in (0, 1)},
    **{"care": "riccati({0}, {1}, {2}, {3})", "dare": "discrete_riccati({0}, {1}, {2}, {3})"},
    **{"dup": "duplication({s0})", "elim": "elimination({s0})", "toep": "toeplitz_basis({s0})"},
    **{"symtoep": "symmetric_toeplitz_basis({s0})", "skewdup": "skew_basis({s0})"},
    "times_kron:xx": "times_kron({2}, {0}, {1})",
    **{"sylvester": "sylvester_solution({0}, {1}, {2})", "lyapunov": "lyapunov({0}, {1})"},
    "dlyapunov": "discrete_lyapunov({0}, {1})",
    **{"normnuc": "sum(singular_values({0}))", "normspec": "max(singular_values({0}))"},
}
_SIZES: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "%/%", ast.FloorDiv: "%/%"}
_GREATER = {">": "greater", ">=": "greater_equal"}
# Whose last operand is a number.
_NUMBERED = {"matpow": "power_matrix", "frechetpow": "power_slope", "frechetpowform": "power_form"}


class StanExpressions(Expressions):
    """Stan's words."""

    title = "Stan"
    calls: ClassVar[Mapping[str, str]] = CALLS
    numbered: ClassVar[frozenset[str]] = frozenset(_NUMBERED)

    def number(self, value: float) -> str:
        return repr(float(value))

    def size(self, tree: ast.expr) -> str:
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            return " * ".join([self._bracketed(tree.left)] * int(trees.text(tree.right)))
        if isinstance(tree, ast.BinOp) and type(tree.op) in _SIZES:
            return f"{self._bracketed(tree.left)} {_SIZES[type(tree.op)]} {self._bracketed(tree.right)}"
        return trees.text(tree)

    def _bracketed(self, tree: ast.expr) -> str:
        text = self.size(tree)
        return f"({text})" if isinstance(tree, ast.BinOp) else text

    def size_in_value(self, name: str) -> Piece:
        return Piece(f"(1.0 * {name})")

    # ------------------------------------------------------------------------------------------------ entries

    def entrywise(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        shape = joint(a.shape, b.shape)
        if level == COMPARE:
            return self._compared(operator, a, b, shape)
        a, b = (p if p.shape in (SCALAR, shape) else self.along(p, shape) for p in (a, b))
        numbers = b.shape == SCALAR or (operator == "*" and a.shape == SCALAR)
        sign = f".{operator}" if operator in "*/" and not numbers else operator
        return Piece(f"{a.at(level)} {sign} {b.at(level + 1)}", shape, level)

    def _compared(self, operator: str, a: Piece, b: Piece, shape: Shape) -> Piece:
        if operator in "<=":
            a, b, operator = b, a, operator.replace("<", ">")
        if shape == SCALAR:
            return Piece(f"({a.text} {operator} {b.text} ? 1.0 : 0.0)")
        return Piece(f"{_GREATER[operator]}({self.along(a, shape).text}, {self.along(b, shape).text})", shape)

    def along(self, a: Piece, shape: Shape) -> Piece:
        rows, columns = (self.size(trees.parsed(s)) for s in shape)
        if a.shape == shape and a.shape != SCALAR:
            return a
        function = "rep_matrix" if a.shape == SCALAR else "along"
        return Piece(f"{function}({a.text}, {rows}, {columns})", shape)

    def power(self, a: Piece, b: Piece) -> Piece:
        shape = joint(a.shape, b.shape)
        if squared(b):
            return Piece(f"square({a.text})", shape)
        a, b = (p if p.shape in (SCALAR, shape) else self.along(p, shape) for p in (a, b))
        return Piece(f"pow({a.text}, {b.text})", shape)

    def chosen(self, test: Piece, yes: Piece, no: Piece) -> Piece:
        shape = joint(test.shape, yes.shape, no.shape)
        if shape == SCALAR:
            return Piece(f"({test.text} != 0 ? {yes.text} : {no.text})")
        return Piece(f"choose_entries({', '.join(self.along(p, shape).text for p in (test, yes, no))})", shape)

    def truth(self, test: Piece) -> Piece:
        return test

    def bound(self, pieces: list[Piece], number: str, matrix: str) -> Piece:
        """The larger or the smaller entries."""
        a, b = pieces
        shape = joint(a.shape, b.shape)
        if shape == SCALAR:
            return Piece(f"{number}({a.text}, {b.text})")
        return Piece(f"{matrix}({self.along(a, shape).text}, {self.along(b, shape).text})", shape)

    def clip(self, pieces: list[Piece]) -> Piece:
        a, low, high = pieces
        return self.bound([self.bound([a, low], "fmax", "larger"), high], "fmin", "smaller")

    def by_sign(self, pieces: list[Piece]) -> Piece:
        a = pieces[0]
        text = f"({a.at(PRODUCT)} > 0 ? 1.0 : {a.at(PRODUCT)} < 0 ? -1.0 : 0.0)"
        return Piece(text) if a.shape == SCALAR else Piece(f"sign_of({a.text})", a.shape)

    def inverted(self, pieces: list[Piece]) -> Piece:
        a = pieces[0]
        text = f"({a.at(PRODUCT)} == 0 ? 0.0 : 1 / {a.at(ATOM)})"
        return Piece(text) if a.shape == SCALAR else Piece(f"reciprocal({a.text})", a.shape)

    # ------------------------------------------------------------------------------------------------ matrices

    def turned(self, a: Piece) -> Piece:
        return Piece(f"{a.at(ATOM)}'", a.shape[::-1], ATOM, turned=a)

    def dot(self, a: Piece, b: Piece) -> Piece:
        if a.flags != b.flags and SCALAR not in (a.shape, b.shape):
            b = self.transposed(b)
        found = self.entrywise("*", a, b, PRODUCT)
        return found if found.shape == SCALAR else Piece(f"sum({found.text})")

    def filled(self, value: Piece, shape: Shape, sizes: list[str]) -> Piece:
        return Piece(f"rep_matrix({value.text}, {sizes[0]}, {sizes[1]})", shape)

    def identity(self, size: str, shape: Shape) -> Piece:
        return Piece(f"identity_matrix({size})", shape)

    def blocks(self, rows: list[list[Piece]], shape: Shape) -> Piece:
        lines = [_nested("append_col", [p.text for p in row]) for row in rows]
        return Piece(_nested("append_row", lines), shape)

    def entry(self, a: Piece) -> Piece:
        return Piece(f"{a.text}[1, 1]")

    def added(self, pieces: list[Piece]) -> Piece:
        x, v = pieces
        return Piece(f"{'add_number' if v.shape == SCALAR else 'add_diagonal'}({x.text}, {v.text})", x.shape)

    def weighted_gram(self, pieces: list[Piece]) -> Piece:
        x, d = pieces
        wide = self.entrywise("*", d, x, PRODUCT)
        return Piece(f"{x.at(ATOM)}' * ({wide.text})", (x.shape[1], x.shape[1]), PRODUCT)

    def derived_gamma(self, pieces: list[Piece]) -> Piece:
        """A derivative of digamma; Stan has the first of its own."""
        x, order = pieces
        if order.text == self.number(1):
            return Piece(f"trigamma({x.text})", x.shape)
        return Piece(f"polygamma({int(float(order.text))}, {x.text})", x.shape)

    def powered(self, name: str, pieces: list[Piece]) -> Piece:
        """A function whose last operand is a number."""
        shape = pieces[0].shape
        if name == "frechetpowform":
            shape = (f"({shape[0]}) * ({shape[1]})",) * 2
        return Piece(f"{_NUMBERED[name]}({', '.join(p.text for p in pieces)})", shape)

    forms: ClassVar[Mapping[str, Callable[..., Piece]]] = {
        **{name: (lambda self, pieces, name=name: self.powered(name, pieces)) for name in _NUMBERED},
        "polygamma": derived_gamma,
        "maximum": lambda self, pieces: self.bound(pieces, "fmax", "larger"),
        "minimum": lambda self, pieces: self.bound(pieces, "fmin", "smaller"),
        "clip": clip,
        "sign": by_sign,
        "reciprocal": inverted,
        "add_diagonal": added,
        "weighted_gram": weighted_gram,
    }


def _nested(function: str, parts: list[str]) -> str:
    """f(a, f(b, c))"""
    text = parts[-1]
    for part in reversed(parts[:-1]):
        text = f"{function}({part}, {text})"
    return text


CALLS |= dict.fromkeys(StanExpressions.forms, "")
