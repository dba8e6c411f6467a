"""Expressions in C++, by Eigen or Armadillo; a 1 x 1 value is a double, everything else a matrix."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import ClassVar

from matcalc.emit import trees
from matcalc.targets.matrix_languages.expressions import Expressions
from matcalc.targets.matrix_languages.pieces import PRODUCT, Piece
from matcalc.targets.matrix_languages.shapes import SCALAR, Shape, joint

# Functions of one entry: of the standard library, and of the helpers.
STANDARD = {
    **{
        f"np.{f}": f
        for f in ("exp", "expm1", "log", "log1p", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh")
    },
    **{f"np.arc{f}": f"a{f}" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{"special.erf": "erf", "special.erfc": "erfc", "math.sqrt": "sqrt", "math.log": "log", "math.exp": "exp"},
    **{"math.lgamma": "lgamma", "math.gamma": "tgamma"},
}
OWN = {
    **{"np.sign": "sign", "np.square": "square", "_squared_cosh": "squared_cosh", "_sigmoid": "sigmoid"},
    **{"_softplus": "softplus", "_log1mexp": "log1mexp", "_reciprocal": "reciprocal", "_gelu": "gelu", "_selu": "selu"},
    **{"special.erfcx": "erfcx", "special.gammaln": "log_gamma", "special.digamma": "digamma"},
    **{"special.ndtr": "normal_cdf", "special.log_ndtr": "log_normal_cdf"},
}
PAIRS = {
    **{"np.maximum": "maximum", "np.minimum": "minimum", "_huber": "huber", "_leakyrelu": "leaky_relu", "_elu": "elu"},
}
_GREATER = {">": "greater", ">=": "greater_equal"}
_FOLDED = {"np.max": "largest", "np.min": "smallest", "np.prod": "product_of", "_logsumexp": "log_sum_exp"}
CALLS: dict[str, str] = {
    **{name: f"{f}({{0}})" for name, f in _FOLDED.items()},
    **{f"{name}:{k}": f"folded({{0}}, {k}, {f})" for name, f in _FOLDED.items() for k in (0, 1)},
    **{f"np.cumsum:{k}": f"cumulative({{0}}, {k})" for k in (0, 1)},
    **{f"_{f}:{k}": f"{f}({{0}}, {k})" for f in ("softmax", "log_softmax") for k in (0, 1)},
    **{"np.trace": "trace_of({0})", "np.linalg.norm": "norm_of({0})", "np.linalg.svd": "singular_values({0})"},
    **{"np.linalg.norm:nuc": "sum_of(singular_values({0}))", "np.linalg.norm:2": "largest(singular_values({0}))"},
    **{"np.linalg.solve": "solved({0}, {1})", "np.linalg.inv": "inverse({0})", "np.linalg.det": "det_of({0})"},
    **{"_log_det": "log_det_of({0})", "np.linalg.slogdet": "log_abs_det({0})", "np.linalg.cholesky": "cholesky({0})"},
    **{"_cholesky_solve": "cholesky_solve({0}, {1})", "_cholesky_inverse": "cholesky_inverse({0})"},
    **{"_chol": "cholesky_or_nan({0})", "np.linalg.matrix_power": "whole_power({0}, {s1})"},
    **{"_vec": "column({0})", "_reshape": "shaped({0}, {s1}, {s2})", "_diag": "diagonal_matrix({0})"},
    **{"_diagvec": "diagonal({0})", "np.diagonal": "diagonal({0})", "_add_diagonal": "add_diagonal({0}, {1})"},
    **{"_comm": "commutation({s0}, {s1})", "_dsel": "diagonal_selection({s0})"},
    **{"_dup": "duplication({s0})", "_elim": "elimination({s0})", "_toep": "toeplitz_basis({s0})"},
    **{"_symtoep": "symmetric_toeplitz_basis({s0})", "_skewdup": "skew_basis({s0})"},
    **{"_kron": "kronecker({0}, {1})", "np.kron": "kronecker({0}, {1})"},
    **{"_kron_eye": "kronecker({0}, identity({s1}))", "_eye_kron": "kronecker(identity({s0}), {1})"},
    **{"_kron_times:xxx": "kron_times({0}, {1}, {2})", "_kron_times:-xx": "eye_kron_times({1}, {2})"},
    **{"_kron_times:x-x": "kron_eye_times({0}, {2})", "_times_kron:xxx": "times_kron({0}, {1}, {2})"},
    **{"_times_kron:x-x": "times_eye_kron({0}, {2})", "_times_kron:xx-": "times_kron_eye({0}, {1})"},
    **{"_blockinner": "block_inner({0}, {1})", "_blocksum": "block_sum({0}, {1})"},
    **{"_slice": "slice({0}, {s1}, {s2}, {s3}, {s4})", "_place": "place({0}, {s1}, {s2}, {s3}, {s4})"},
    **{"_vech": "vech({0})", "_unvech": "unvech({0}, {s1})", "_diagsums": "diagonal_sums({0})"},
    **{"np.tril": "lower_part({0})", "np.triu": "upper_part({0})", "_pdist2": "squared_distances({0}, {1})"},
    **{"_convmat": "convolution_matrix({0}, {s1})", "np.convolve": "convolution({0}, {1})"},
    **{"_prodothers": "other_products({0}, 2)", "_dprodothers": "other_products_slope({0}, {1}, 2)"},
    **{f"_prodothers:{k}": f"other_products({{0}}, {k})" for k in (0, 1)},
    **{f"_dprodothers:{k}": f"other_products_slope({{0}}, {{1}}, {k})" for k in (0, 1)},
    "_prodothersform": "products_form({0}, {s1}, 2)",
    **{f"_prodothersform:{k}": f"products_form({{0}}, {{s1}}, {k})" for k in (0, 1)},
    **{"_eigvals": "eigen_values({0})", "_eigvecs": "eigen_vectors({0})", "_resolvent": "resolvent({0}, {s1})"},
    **{"_eigmax": "extreme_value({0}, 1)", "_eigmin": "extreme_value({0}, -1)"},
    **{"_eigvecmax": "extreme_vector({0}, 1)", "_eigvecmin": "extreme_vector({0}, -1)"},
    **{"_pinv": "pseudo_inverse({0})", "_polar": "polar_factor({0})", "_dpolar": "polar_slope({0}, {1})"},
    **{"_dpolarform": "polar_form({0})", "_expm": "exp_matrix({0})", "_logm": "log_matrix({0})"},
    "_sqrtm": "sqrt_matrix({0})",
    **{"_frechet_expm": "exp_slope({0}, {1})", "_frechet_logm": "log_slope({0}, {1})"},
    **{"_frechet_sqrtm": "sqrt_slope({0}, {1})", "_frechet_matrix": "slope_form({0}, {1})"},
    "_sylvester": "sylvester_solution({0}, {1}, {2})",
    **{"_lyapunov": "lyapunov({0}, {1})", "_dlyapunov": "discrete_lyapunov({0}, {1})"},
    **{"_care": "riccati({0}, {1}, {2}, {3})", "_dare": "discrete_riccati({0}, {1}, {2}, {3})"},
    **{"_adj": "adjugate({0})", "_dadj": "adjugate_slope({0}, {1})", "_dadjform": "adjugate_form({0}, {s1})"},
    **{"_weighted_gram": "weighted_gram({0}, {1})", "_gram_factor": "gram_factor({0})"},
}
# Whose last operand is a number.
_NUMBERED = {"_matpow": "power_matrix", "_frechetpow": "power_slope", "_frechetpowform": "power_form"}
_FUNCTIONS = {"_frechet_expm": "exp_slope", "_frechet_logm": "log_slope", "_frechet_sqrtm": "sqrt_slope"}
_SIZES: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/"}


class CppExpressions(Expressions):
    """What both libraries write alike."""

    title = "C++"
    calls: ClassVar[Mapping[str, str]] = CALLS
    functions: ClassVar[Mapping[str, str]] = _FUNCTIONS

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
        order, a = pieces[0].text.removesuffix(".0"), pieces[1]
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
            parts = [
                f"filled({p.text}, 1, 1)" if p.shape == SCALAR and not p.text.startswith("filled(") else self.whole(p)
                for p in row
            ]
            lines.append(f"{{{', '.join(parts)}}}")
        return Piece(f"joined({{{', '.join(lines)}}})", shape)

    def entry(self, a: Piece) -> Piece:
        if a.text.startswith("filled("):
            return a
        return Piece(f"{a.text}(0, 0)")

    def numbered(self, name: str, pieces: list[Piece]) -> Piece:
        """A function whose last operand is a number, that may come as a 1 x 1 matrix."""
        *matrices, k = pieces
        number = k.text.removeprefix("filled(").removesuffix(", 1, 1)") if k.text.startswith("filled(") else k.text
        shape = matrices[0].shape
        if name == "_frechetpowform":
            shape = (f"({shape[0]}) * ({shape[1]})",) * 2
        return Piece(f"{_NUMBERED[name]}({', '.join([*map(self.whole, matrices), number])})", shape)

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
        **{name: (lambda self, pieces, name=name: self.numbered(name, pieces)) for name in _NUMBERED},
        "special.polygamma": polygamma,
        "np.clip": clip,
        "np.sum": lambda self, pieces: self.total(pieces),
        "np.sum:0": lambda self, pieces: self.sums(0, pieces),
        "np.sum:1": lambda self, pieces: self.sums(1, pieces),
        "np.mean": lambda self, pieces: self.means(None, pieces),
        "np.mean:0": lambda self, pieces: self.means(0, pieces),
        "np.mean:1": lambda self, pieces: self.means(1, pieces),
    }


CALLS |= dict.fromkeys(CppExpressions.forms, "")
