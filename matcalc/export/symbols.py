"""The symbols that a note uses, each with what it means: found by looking through the lesson's formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from matcalc.printing.style import Notation

LETTER = re.compile(r"(?<![A-Za-z\\])([ABIa])(?![A-Za-z])")  # of a matrix or column in the examples
HADAMARD, TRANSPOSE = "HADAMARD", "TRANSPOSE"  # stand for the marks of the notation


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol as an example, and what it means, as a message with places for formulas."""

    example: str
    meaning: str
    formulas: tuple[str, ...] = ()


SYMBOLS: tuple[tuple[str, Symbol], ...] = (
    (r"HADAMARD(?! ?[-\d(]*\})", Symbol("A HADAMARD B", "the product entry by entry")),
    (r"\\oslash", Symbol(r"A \oslash B", "the quotient entry by entry")),
    (r"\^\{HADAMARD", Symbol(r"A^{HADAMARD 2}", "the power of every entry")),
    (r"\\operatorname\{vec\}", Symbol(r"\operatorname{vec}(A)", "the columns of {0}, one below the other", ("A",))),
    (r"\\otimes", Symbol(r"A \otimes B", "the Kronecker product: the matrix of the blocks {0}", (r"A_{ij} B",))),
    (
        r"K_\{\w+, ",
        Symbol(
            "K_{m, n}",
            "the commutation matrix: {0} for {1} of shape {2}",
            (r"K_{m, n} \operatorname{vec}(A) = \operatorname{vec}(ATRANSPOSE)", "A", r"m \times n"),
        ),
    ),
    (
        r"\\operatorname\{vech\}",
        Symbol(r"\operatorname{vech}(A)", "the columns of the lower triangle of {0}, one below the other", ("A",)),
    ),
    (r"\\operatorname\{diag\}", Symbol(r"\operatorname{diag}(a)", "the diagonal matrix with these entries")),
    (r"\\operatorname\{diagvec\}", Symbol(r"\operatorname{diagvec}(A)", "the diagonal of a matrix, as a column")),
    (r"\\mathbf\{1\}", Symbol(r"\mathbf{1}", "a column of ones; with two sizes, a matrix of ones")),
    (r"\bI\}?_\{", Symbol("I_{n}", "the identity matrix")),
    (r"\\operatorname\{sum\}\(", Symbol(r"\operatorname{sum}(A)", "the sum of all entries")),
    (r"\\operatorname\{mean\}\(", Symbol(r"\operatorname{mean}(A)", "the mean of all entries")),
    (
        r"\\operatorname\{\w+\}_\{?1",
        Symbol(
            r"\operatorname{sum}_{1}, \operatorname{mean}_{1}, \dots",
            "over the rows: one value for each column, side by side",
        ),
    ),
    (
        r"\\operatorname\{\w+\}_\{?2",
        Symbol(
            r"\operatorname{sum}_{2}, \operatorname{softmax}_{2}, \dots",
            "over the columns: one value for each row, one below the other",
        ),
    ),
    (r"\\sigma'?\(", Symbol(r"\sigma(x)", "the sigmoid {0}, for every entry", (r"1 / (1 + \exp(-x))",))),
    (
        r"\\operatorname\{sigmoid\}",
        Symbol(r"\operatorname{sigmoid}(x)", "{0}, for every entry", (r"1 / (1 + \exp(-x))",)),
    ),
    (
        r"\\operatorname\{softmax\}",
        Symbol(r"\operatorname{softmax}(x)", "{0}, so that the entries add up to 1", (r"\exp(x) / \sum_j \exp(x_j)",)),
    ),
    (
        r"\\operatorname\{standardize\}",
        Symbol(
            r"\operatorname{standardize}(x)",
            "{0}: subtracts the mean, divides by the standard deviation",
            (r"(x - \operatorname{mean}(x)) / \operatorname{std}(x)",),
        ),
    ),
    (r"\\operatorname\{tr\}", Symbol(r"\operatorname{tr}(A)", "the trace: the sum of the entries on the diagonal")),
    (r"\\det", Symbol(r"\det A", "the determinant")),
    (r"\\exp\b(?!_\{HADAMARD)", Symbol(r"\exp(A)", "the exponential of every entry")),
    (r"\\exp_\{HADAMARD", Symbol(r"\exp_{HADAMARD}(A)", "the exponential of every entry")),
    (r"\\log\b(?! *\\lvert *\\det|_\{HADAMARD)", Symbol(r"\log(A)", "the logarithm of every entry")),
    (r"\\log_\{HADAMARD", Symbol(r"\log_{HADAMARD}(A)", "the logarithm of every entry")),
    (r"\\tanh\b", Symbol(r"\tanh(A)", "the hyperbolic tangent of every entry")),
    (
        r"\\operatorname\{expm\}",
        Symbol(r"\operatorname{expm}(A)", "the exponential of a matrix, {0}", (r"I + A + A^2 / 2 + \dots",)),
    ),
    (
        r"L_\{(\\(operatorname|mathrm)\{|\(\\cdot\))",
        Symbol(r"L_{f}(A, \mathrm{d}A)", "the differential of a function {0} of a matrix", ("f(A)",)),
    ),
    (r"K_\{(\\(operatorname|mathrm)\{|\(\\cdot\))", Symbol(r"K_{f}(A)", "the matrix of this differential on vec")),
    (
        r"\\operatorname\{softplus\}",
        Symbol(r"\operatorname{softplus}(x)", "{0}, for every entry", (r"\log(1 + \exp(x))",)),
    ),
    (
        r"\\operatorname\{std\}",
        Symbol(r"\operatorname{std}(A)", "the standard deviation; with an index, of each column (1) or row (2)"),
    ),
    (r"\\lambda_\{\\max\}", Symbol(r"\lambda_{\max}(A)", "the largest eigenvalue")),
    (r"\\lambda_\{\\min\}", Symbol(r"\lambda_{\min}(A)", "the smallest eigenvalue")),
    (r"\\operatorname\{eigvals\}", Symbol(r"\operatorname{eigvals}(A)", "the eigenvalues, as a column")),
    (r"\\operatorname\{singvals\}", Symbol(r"\operatorname{singvals}(A)", "the singular values, as a column")),
    (
        r"\\operatorname\{chol\}",
        Symbol(r"\operatorname{chol}(A)", "the lower triangle {0} with {1}", ("L", r"L LTRANSPOSE = A")),
    ),
    (r"\^\{\+\}", Symbol(r"A^{+}", "the pseudoinverse")),
    (r"\\operatorname\{prod\}", Symbol(r"\operatorname{prod}(A)", "the product of all entries")),
    (r"\\operatorname\{max\}", Symbol(r"\operatorname{max}(A)", "the largest entry")),
    (r"\\operatorname\{min\}", Symbol(r"\operatorname{min}(A)", "the smallest entry")),
    (r"\\operatorname\{cumsum\}", Symbol(r"\operatorname{cumsum}(x)", "the sums of the entries up to each")),
    (
        r"\\operatorname\{tril\}",
        Symbol(r"\operatorname{tril}(A)", "the entries on and below the diagonal, zeros above it"),
    ),
    (
        r"\\operatorname\{triu\}",
        Symbol(r"\operatorname{triu}(A)", "the entries on and above the diagonal, zeros below it"),
    ),
    (
        r"\\operatorname\{logm\}",
        Symbol(r"\operatorname{logm}(A)", "the logarithm of a matrix: the exponential of it is {0}", ("A",)),
    ),
    (
        r"\\operatorname\{sqrtm\}",
        Symbol(r"\operatorname{sqrtm}(A) = A^{1/2}", "the square root of a matrix: its square is {0}", ("A",)),
    ),
    (
        r"\\Phi\(",
        Symbol(r"\Phi(x)", "the distribution function of the standard normal distribution, for every entry"),
    ),
    (
        r"\\varphi_\{\\mathcal\{N\}\}",
        Symbol(r"\varphi_{\mathcal{N}}(x)", "its density, {0}", (r"\exp(-x^2 / 2) / \sqrt{2 \pi}",)),
    ),
    *(
        (rf"\\operatorname\{{{name}\}}", Symbol(rf"\operatorname{{{name}}}(x)", "{0}, for every entry", (formula,)))
        for name, formula in (
            ("relu", r"\max(x, 0)"),
            ("silu", r"x / (1 + \exp(-x))"),
            ("softsign", r"x / (1 + \lvert x \rvert)"),
            ("logit", r"\log(x / (1 - x))"),
            ("log1p", r"\log(1 + x)"),
            ("expm1", r"\exp(x) - 1"),
            ("gelu", r"x \, \Phi(x)"),
        )
    ),
    *(
        (rf"\\operatorname\{{{name}\}}", Symbol(rf"\operatorname{{{name}}}{arguments}", "{0}", (formula,)))
        for name, arguments, formula in (
            ("logsumexp", "(x)", r"\log(\sum_j \exp(x_j))"),
            ("var", "(A)", r"\operatorname{mean}((A - \operatorname{mean}(A))^{HADAMARD 2})"),
            ("mse", "(A, B)", r"\operatorname{mean}((A - B)^{HADAMARD 2})"),
        )
    ),
    (
        r"\\operatorname\{log\\_softmax\}",
        Symbol(r"\operatorname{log\_softmax}(x)", "{0}", (r"x - \log(\sum_j \exp(x_j))",)),
    ),
    (
        r"\[[a-z](?:_\{\d+\})? = [a-z]|\[x > 0\]",
        Symbol("[i = j]", "1 where the condition in brackets holds, 0 elsewhere"),
    ),
    *(
        (
            rf"\\operatorname\{{{name}\}}",
            Symbol(rf"\operatorname{{{name}}}{arguments}", "{0}, for every entry", (formula,)),
        )
        for name, arguments, formula in (
            ("abs", "(x)", r"\lvert x \rvert"),
            ("sign", "(x)", r"x / \lvert x \rvert"),
            ("step", "(x)", "[x > 0]"),
            ("arcsinh", "(x)", r"\log(x + \sqrt{x^2 + 1})"),
            ("arccosh", "(x)", r"\log(x + \sqrt{x^2 - 1})"),
            ("arctanh", "(x)", r"\log((1 + x) / (1 - x)) / 2"),
            ("erf", "(x)", r"\frac{2}{\sqrt{\pi}} \int_0^x \exp(-t^2) \, dt"),
            ("erfc", "(x)", r"1 - \operatorname{erf}(x)"),
            ("maximum", "(x, y)", r"\max(x, y)"),
            ("minimum", "(x, y)", r"\min(x, y)"),
            ("where", "(c, x, y)", r"[c] \, x + (1 - [c]) \, y"),
            ("hardtanh", "(x)", r"\min(\max(x, -1), 1)"),
            ("selu", "(x)", r"1.0507 \max(x, 0) + 1.7581 \min(\exp(x) - 1, 0)"),
            ("elu", "(x)", r"\max(x, 0) + \alpha \min(\exp(x) - 1, 0)"),
            ("leakyrelu", "(x)", r"\max(x, 0) + \mathrm{slope} \min(x, 0)"),
            ("huber", "(x)", r"m \, (\lvert x \rvert - m / 2), \; m = \min(\lvert x \rvert, \delta)"),
            ("log1mexp", "(x)", r"\log(1 - \exp(-x))"),
        )
    ),
    (r"\\tfrac\{\\varphi\}", Symbol(r"\tfrac{\varphi}{\Phi}(x)", "{0}, for every entry", (r"\Phi'(x) / \Phi(x)",))),
    (r"\\psi\^\{\(|\\psi\(", Symbol(r"\psi(x)", "{0}, for every entry", (r"\Gamma'(x) / \Gamma(x)",))),
    *(
        (
            rf"\\operatorname\{{{name}\}}\W",
            Symbol(rf"\operatorname{{{name}}}{arguments}", "the solution {0} of {1}", ("X", own)),
        )
        for name, arguments, own in (
            ("sylvester", "(A, B, C)", "A X + X B = C"),
            ("lyapunov", "(A, Q)", "A X + X ATRANSPOSE = Q"),
            ("dlyapunov", "(A, Q)", "X - A X ATRANSPOSE = Q"),
            ("care", "(A, B, Q, R)", "ATRANSPOSE X + X A - X B R^{-1} BTRANSPOSE X + Q = 0"),
            ("dare", "(A, B, Q, R)", "ATRANSPOSE X (A - B (R + BTRANSPOSE X B)^{-1} BTRANSPOSE X A) + Q = X"),
        )
    ),
    *(
        (rf"\\operatorname\{{{name}\}}", Symbol(rf"\operatorname{{{name}}}{arguments}", meaning, formulas))
        for name, arguments, meaning, formulas in (
            ("eigvecs", "(A)", "the eigenvectors, as columns", ()),
            ("eigvecmax", "(A)", "the eigenvector of the largest eigenvalue", ()),
            ("eigvecmin", "(A)", "the eigenvector of the smallest eigenvalue", ()),
            ("adj", "(A)", "{0}", (r"\det(A) \, A^{-1}",)),
            ("polar", "(A)", "{0}", ("A (ATRANSPOSE A)^{-1/2}",)),
            ("cossim", "(x, y)", "{0}", (r"xTRANSPOSE y / (\lVert x \rVert \, \lVert y \rVert)",)),
            ("prodothers", "(A)", "in each place the product of all other entries", ()),
            ("pdist2", "(A, B)", "the squared distances between the rows of {0} and those of {1}", ("A", "B")),
            ("conv", "(x, w)", "{0}", (r"\textstyle\sum_k x_{i - k + 1} w_k",)),
            ("convmat", "(w, m)", "{0}", (r"\operatorname{convmat}(w, m) \, x = \operatorname{conv}(x, w)",)),
            ("place", "(A, \\dots)", "a matrix of zeros with {0} as a part", ("A",)),
            (
                "reshape",
                "(A, m, n)",
                "{0}",
                (r"\operatorname{vec}(\operatorname{reshape}(A, m, n)) = \operatorname{vec}(A)",),
            ),
            ("unvech", "(v, n)", "the lower triangular matrix {0} with {1}", ("L", r"\operatorname{vech}(L) = v")),
            ("diagsums", "(A)", "in each place the sum of {0} along its diagonal", ("A",)),
            ("blockinner", "(G, B)", "{0}, with blocks {1}", (r"\operatorname{tr}(BTRANSPOSE G_{ij})", "G_{ij}")),
            ("blocksum", "(A, G)", "{0}, with blocks {1}", (r"\textstyle\sum_{i, j} A_{ij} G_{ij}", "G_{ij}")),
            ("toep", "(n)", "{0}", (r"\operatorname{vec}(T) = \operatorname{toep}(n) \, t",)),
            ("symtoep", "(n)", "{0}", (r"\operatorname{vec}(T) = \operatorname{symtoep}(n) \, t",)),
            ("skewdup", "(n)", "{0}", (r"\operatorname{vec}(S) = \operatorname{skewdup}(n) \, w",)),
        )
    ),
    (
        r"cross\\_entropy",
        Symbol(r"\operatorname{cross\_entropy}(Y, P)", "{0}", (r"-\textstyle\sum_{i, j} Y_{ij} \log P_{ij}",)),
    ),
    (
        r"\\operatorname\{root\}",
        Symbol(r"\operatorname{root}_{z}(z = g(z))", "the solution {0} of {1}", ("z", "z = g(z)")),
    ),
    (r"\\right\]_\{", Symbol(r"[A]_{2:3, \, 2:5}", "rows and columns of {0} by their numbers", ("A",))),
    (
        r"\\mathrm\{D\}\\operatorname",
        Symbol(r"\mathrm{D}f(A)[B]", "the differential of a function {0} of a matrix", ("f(A)",)),
    ),
    (r"\\lVert", Symbol(r"\lVert A \rVert", "the square root of the sum of the squared entries")),
    (r"\\mathrm\{d\}", Symbol(r"\mathrm{d}A", "the differential: the part of a small change that is linear in it")),
)


def symbols_in(lessons: Iterable[Any], notation: Notation) -> list[Symbol]:
    """The symbols that occur in the formulas of some lessons, in the order of the list."""
    text = "\n".join(string for lesson in lessons for string in _strings(lesson))
    marks = {HADAMARD: notation.hadamard, TRANSPOSE: notation.transpose}

    def filled(formula: str) -> str:
        for mark, written in marks.items():
            formula = formula.replace(mark, written)
        return LETTER.sub(r"\\mathbf{\1}", formula) if notation.bold else formula

    return [
        Symbol(filled(s.example), s.meaning, tuple(map(filled, s.formulas)))
        for pattern, s in SYMBOLS
        if re.search(pattern.replace(HADAMARD, re.escape(notation.hadamard)), text)
    ]


def _strings(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, (list, tuple)):
        for p in part:
            yield from _strings(p)
    elif is_dataclass(part):
        for f in fields(part):
            yield from _strings(getattr(part, f.name))
