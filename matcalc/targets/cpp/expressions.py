"""Expressions in C++, by Eigen or Armadillo; a 1 x 1 value is a double, everything else a matrix."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import ClassVar

from matcalc.emit import trees
from matcalc.targets.matrix_languages.expressions import SLOPES, Expressions
from matcalc.targets.matrix_languages.pieces import PRODUCT, SCALAR, Piece, Shape, joint

# Functions of one entry: of the standard library, and of the helpers.
STANDARD = {
    **{f: f for f in ("exp", "expm1", "log", "log1p", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"arc{f}": f"a{f}" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"erf": "erf", "erfc": "erfc", "math.sqrt": "sqrt", "math.log": "log", "math.exp": "exp"},
    **{"math.lgamma": "lgamma", "math.gamma": "tgamma"},
}
OWN = {
    **{"sign": "sign", "squared_cosh": "squared_cosh", "sigmoid": "sigmoid"},
    **{"softplus": "softplus", "log1mexp": "log1mexp", "reciprocal": "reciprocal", "gelu": "gelu", "selu": "selu"},
    **{"erfcx": "erfcx", "gammaln": "log_gamma", "digamma": "digamma"},
    **{"normcdf": "normal_cdf", "normlogcdf": "log_normal_cdf"},
}
PAIRS = {
    **{"maximum": "maximum", "minimum": "minimum", "huber": "huber", "leakyrelu": "leaky_relu", "elu": "elu"},
    "mean_excess": "mean_excess",
}
_GREATER = {">": "greater", ">=": "greater_equal"}
_FOLDED = {"max": "largest", "min": "smallest", "prod": "product_of", "logsumexp": "log_sum_exp"}
CALLS: dict[str, str] = {
    **{name: f"{f}({{0}})" for name, f in _FOLDED.items()},
    **{f"{name}:{k + 1}": f"folded({{0}}, {k}, {f})" for name, f in _FOLDED.items() for k in (0, 1)},
    **{f"cumsum:{k + 1}": f"cumulative({{0}}, {k})" for k in (0, 1)},
    **{f"{f}:{k + 1}": f"{f}({{0}}, {k})" for f in ("softmax", "log_softmax") for k in (0, 1)},
    **{"tr": "trace_of({0})", "norm2": "norm_of({0})", "singvals": "singular_values({0})"},
    **{"normnuc": "sum_of(singular_values({0}))", "normspec": "largest(singular_values({0}))"},
    **{"solve": "solved({0}, {1})", "inv": "inverse({0})", "det": "det_of({0})"},
    **{"log_det": "log_det_of({0})", "logdet": "log_abs_det({0})", "cholesky": "cholesky({0})"},
    **{"cholesky_solve": "cholesky_solve({0}, {1})", "cholesky_inverse": "cholesky_inverse({0})"},
    **{"chol": "cholesky_or_nan({0})", "whole_power": "whole_power({0}, {s1})"},
    **{"vec": "column({0})", "reshape": "shaped({0}, {s1}, {s2})", "diag": "diagonal_matrix({0})"},
    **{"diagvec": "diagonal({0})", "add_diagonal": "add_diagonal({0}, {1})"},
    **{"comm": "commutation({s0}, {s1})", "dsel": "diagonal_selection({s0})"},
    **{"dup": "duplication({s0})", "elim": "elimination({s0})", "toep": "toeplitz_basis({s0})"},
    **{"symtoep": "symmetric_toeplitz_basis({s0})", "skewdup": "skew_basis({s0})"},
    **{"kron": "kronecker({0}, {1})"},
    **{"kron_eye": "kronecker({0}, identity({s1}))", "eye_kron": "kronecker(identity({s0}), {1})"},
    **{"kron_times:xx": "kron_times({0}, {1}, {2})", "kron_times:-x": "eye_kron_times({0}, {1})"},
    **{"kron_times:x-": "kron_eye_times({0}, {1})", "times_kron:xx": "times_kron({2}, {0}, {1})"},
    **{"times_kron:-x": "times_eye_kron({1}, {0})", "times_kron:x-": "times_kron_eye({1}, {0})"},
    **{"blockinner": "block_inner({0}, {1})", "blocksum": "block_sum({0}, {1})"},
    **{"slice": "slice({0}, {s1}, {s2}, {s3}, {s4})", "place": "place({0}, {s1}, {s2}, {s3}, {s4})"},
    **{"vech": "vech({0})", "unvech": "unvech({0}, {s1})", "diagsums": "diagonal_sums({0})"},
    **{"tril": "lower_part({0})", "triu": "upper_part({0})", "pdist2": "squared_distances({0}, {1})"},
    **{"convmat": "convolution_matrix({0}, {s1})", "conv": "convolution({0}, {1})"},
    **{"prodothers": "other_products({0}, 2)", "dprodothers": "other_products_slope({0}, {1}, 2)"},
    **{f"prodothers:{k + 1}": f"other_products({{0}}, {k})" for k in (0, 1)},
    **{f"dprodothers:{k + 1}": f"other_products_slope({{0}}, {{1}}, {k})" for k in (0, 1)},
    "prodothersform": "products_form({0}, {s1}, 2)",
    **{f"prodothersform:{k + 1}": f"products_form({{0}}, {{s1}}, {k})" for k in (0, 1)},
    **{"eigvals": "eigen_values({0})", "eigvecs": "eigen_vectors({0})", "resolvent:eigmax": "resolvent({0}, 1)"},
    **{"eigmax": "extreme_value({0}, 1)", "eigmin": "extreme_value({0}, -1)"},
    **{"eigvecmax": "extreme_vector({0}, 1)", "eigvecmin": "extreme_vector({0}, -1)"},
    **{"pinv": "pseudo_inverse({0})", "polar": "polar_factor({0})", "dpolar": "polar_slope({0}, {1})"},
    **{"dpolarform": "polar_form({0})", "expm": "exp_matrix({0})", "logm": "log_matrix({0})"},
    "sqrtm": "sqrt_matrix({0})",
    **{"frechet:expm": "exp_slope({0}, {1})", "frechet:logm": "log_slope({0}, {1})"},
    **{
        "frechet:sqrtm": "sqrt_slope({0}, {1})",
        **{f"frechetform:{f}": f"slope_form({name}_slope, {{0}})" for f, name in SLOPES},
    },
    "sylvester": "sylvester_solution({0}, {1}, {2})",
    **{"lyapunov": "lyapunov({0}, {1})", "dlyapunov": "discrete_lyapunov({0}, {1})"},
    **{"care": "riccati({0}, {1}, {2}, {3})", "dare": "discrete_riccati({0}, {1}, {2}, {3})"},
    **{"adj": "adjugate({0})", "dadj": "adjugate_slope({0}, {1})", "dadjform": "adjugate_form({0}, {s1})"},
    **{"weighted_gram": "weighted_gram({0}, {1})", "gram_factor": "gram_factor({0})"},
}
# Whose last operand is a number.
_NUMBERED = {"matpow": "power_matrix", "frechetpow": "power_slope", "frechetpowform": "power_form"}
_SIZES: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/"}


class CppExpressions(Expressions):
    """What both libraries write alike."""

    title = "C++"
    calls: ClassVar[Mapping[str, str]] = CALLS
    numbered: ClassVar[frozenset[str]] = frozenset(_NUMBERED)

    def number(self, value: float) -> str:
        return repr(float(value))

    def size_in_value(self, name: str) -> Piece:
        return Piece(f"double({name})")

    def size(self, tree: ast.expr) -> str:
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            return " * ".join([self._bracketed(tree.left)] * int(trees.text(tree.right)))
        if isinstance(tree, ast.BinOp) and type(tree.op) in _SIZES:
            sign = _SIZES[type(tree.op)]
            if sign in "+-":
                return f"{self.size(tree.left)} {sign} {self.size(tree.right)}"
            return f"{self._bracketed(tree.left)} {sign} {self._bracketed(tree.right)}"
        if isinstance(tree, ast.Call) and trees.text(tree.func) == "min":
            return f"std::min<long>({', '.join(self.size(a) for a in tree.args)})"
        return trees.text(tree)

    def _bracketed(self, tree: ast.expr) -> str:
        text = self.size(tree)
        return f"({text})" if isinstance(tree, ast.BinOp) else text

    def sizes(self, shape: Shape) -> tuple[str, str]:
        """The sizes of a shape in C++."""
        rows, columns = (self.size(trees.parsed(s)) for s in shape)
        return rows, columns

    # ------------------------------------------------------------------------------------------------ entries

    def native(self, function: str, a: Piece) -> Piece | None:
        """A function of the standard library on a matrix, where the library has it."""
        raise NotImplementedError

    def of_entries(self, function: str, a: Piece) -> Piece:
        """A function of the helpers on a matrix."""
        return Piece(f"mapped({self.whole(a)}, {function})", a.shape)

    def unary(self, name: str, pieces: list[Piece]) -> Piece:
        """A function of one entry."""
        a = pieces[-1]
        if name in STANDARD:
            function = f"std::{STANDARD[name]}"
            if a.shape == SCALAR:
                return Piece(f"{function}({a.text})")
            found = self.native(STANDARD[name], a)
            return found or self.of_entries(f"[](double t) {{ return {function}(t); }}", a)
        return Piece(f"{OWN[name]}({a.text})") if a.shape == SCALAR else self.of_entries(OWN[name], a)

    def polygamma(self, pieces: list[Piece]) -> Piece:
        a, order = pieces[0], pieces[1].text.removesuffix(".0")
        if a.shape == SCALAR:
            return Piece(f"polygamma({order}, {a.text})")
        return self.of_entries(f"[](double t) {{ return polygamma({order}, t); }}", a)

    def binary(self, name: str, pieces: list[Piece]) -> Piece:
        """A function of two entries."""
        a, b = pieces
        shape = joint(a.shape, b.shape)
        if shape == SCALAR:
            return Piece(f"{name}({a.text}, {b.text})")
        return Piece(f"zipped({self.whole(a)}, {self.whole(b)}, {name})", shape)

    def clip(self, pieces: list[Piece]) -> Piece:
        a, low, high = pieces
        return self.binary("minimum", [self.binary("maximum", [a, low]), high])

    def compared(self, operator: str, a: Piece, b: Piece) -> Piece:
        if operator in "<=":
            a, b, operator = b, a, operator.replace("<", ">")
        return self.binary(_GREATER[operator], [a, b])

    def chosen(self, test: Piece, yes: Piece, no: Piece) -> Piece:
        shape = joint(test.shape, yes.shape, no.shape)
        if shape == SCALAR:
            return Piece(f"({test.text} != 0.0 ? {yes.text} : {no.text})")
        return Piece(f"choose({', '.join(self.whole(p) for p in (test, yes, no))})", shape)

    def truth(self, test: Piece) -> Piece:
        return test

    def plain_numbers(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        """An operation of numbers."""
        return Piece(f"{a.at(level)} {operator} {b.at(level + 1)}", SCALAR, level)

    # ------------------------------------------------------------------------------------------------ matrices

    def dot(self, a: Piece, b: Piece) -> Piece:
        if a.shape == SCALAR and b.shape == SCALAR:
            return self.plain_numbers("*", a, b, PRODUCT)
        if a.flags != b.flags and SCALAR not in (a.shape, b.shape):
            b = self.transposed(b)
        if SCALAR in (a.shape, b.shape):
            return self.total([self.entrywise("*", a, b, PRODUCT)])
        return self.inner(a, b)

    def inner(self, a: Piece, b: Piece) -> Piece:
        """The sum of the products of the entries of two matrices of one shape."""
        raise NotImplementedError

    def filled(self, value: Piece, shape: Shape, sizes: list[str]) -> Piece:
        return Piece(f"filled({value.text}, {sizes[0]}, {sizes[1]})", shape)

    def identity(self, size: str, shape: Shape) -> Piece:
        return Piece(f"identity({size})", shape)

    def blocks(self, rows: list[list[Piece]], shape: Shape) -> Piece:
        lines = []
        for row in rows:
            lines.append(f"{{{', '.join(map(self.whole, row))}}}")
        return Piece(f"joined({{{', '.join(lines)}}})", shape)

    def entry(self, a: Piece) -> Piece:
        if a.text.startswith("filled("):
            return a
        return Piece(f"{a.text}(0, 0)")

    def powered(self, name: str, pieces: list[Piece]) -> Piece:
        """A function whose last operand is a number."""
        *matrices, k = pieces
        shape = matrices[0].shape
        if name == "frechetpowform":
            shape = (f"({shape[0]}) * ({shape[1]})",) * 2
        return Piece(f"{_NUMBERED[name]}({', '.join([*map(self.whole, matrices), k.text])})", shape)

    def total(self, pieces: list[Piece]) -> Piece:
        """The sum of all entries."""
        raise NotImplementedError

    def sums(self, axis: int, pieces: list[Piece]) -> Piece:
        """The sums along an axis."""
        raise NotImplementedError

    def means(self, axis: int | None, pieces: list[Piece]) -> Piece:
        """The means along an axis, or of all entries."""
        rows, columns = self.sizes(pieces[0].shape)
        if axis is None:
            both = [f"double({s})" for s in (rows, columns) if s != "1"]
            count = both[0] if len(both) == 1 else f"({' * '.join(both)})"
            return self.plain_numbers("/", self.total(pieces), Piece(count), PRODUCT)
        count = f"double({rows if axis == 0 else columns})"
        return self.entrywise("/", self.sums(axis, pieces), Piece(count), PRODUCT)

    forms: ClassVar[Mapping[str, Callable[..., Piece]]] = {
        **{name: (lambda self, pieces, name=name: self.unary(name, pieces)) for name in (*STANDARD, *OWN)},
        **{name: (lambda self, pieces, f=f: self.binary(f, pieces)) for name, f in PAIRS.items()},
        **{name: (lambda self, pieces, name=name: self.powered(name, pieces)) for name in _NUMBERED},
        "polygamma": polygamma,
        "clip": clip,
        "sum": lambda self, pieces: self.total(pieces),
        "sum:1": lambda self, pieces: self.sums(0, pieces),
        "sum:2": lambda self, pieces: self.sums(1, pieces),
        "mean": lambda self, pieces: self.means(None, pieces),
        "mean:1": lambda self, pieces: self.means(0, pieces),
        "mean:2": lambda self, pieces: self.means(1, pieces),
    }


CALLS |= dict.fromkeys(CppExpressions.forms, "")
