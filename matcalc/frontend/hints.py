"""How what is written elsewhere (MATLAB, NumPy, Julia, R, Mathematica, LaTeX, Unicode) is written here.

A hint is part of an error, and says what to write. What means exactly one thing is read: names of an operation stand
in its record (`also`), calls that are an expression here in `READINGS`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

# ------------------------------------------------------------------------------------------------ functions

# Calls with one meaning, and what they are read as; {0} and {1} are the arguments.
READINGS: dict[str, str] = {
    **dict.fromkeys(("transpose", "t", "Transpose", "permutedims", "ctranspose", "tp", "traspuesta"), "{0}'"),
    **dict.fromkeys(("matmul", "mm", "mv", "mtimes", "gemm"), "{0}*{1}"),
    **dict.fromkeys(("crossprod",), "{0}'*{1}"), **dict.fromkeys(("tcrossprod",), "{0}*{1}'"),
    **dict.fromkeys(("add", "plus", "Plus"), "{0} + {1}"),
    **dict.fromkeys(("sub", "subtract", "minus"), "{0} - {1}"),
    **dict.fromkeys(("neg", "negative", "uminus"), "-{0}"),
    **dict.fromkeys(("rdivide", "true_divide"), "{0} ./ {1}"),
    **dict.fromkeys(("square",), "{0}.^2"), **dict.fromkeys(("cbrt",), "{0}.^(1/3)"),
    **dict.fromkeys(("rsqrt",), "{0}.^(-1/2)"), **dict.fromkeys(("reciprocal",), "1 ./ {0}"),
    **dict.fromkeys(("power",), "{0}.^{1}"),
    **dict.fromkeys(("mpower", "matrix_power", "MatrixPower"), "{0}^{1}"),
    **dict.fromkeys(("log10",), "log({0})/log(10)"), **dict.fromkeys(("log2",), "log({0})/log(2)"),
    **dict.fromkeys(("exp2",), "2.^{0}"),
    **dict.fromkeys(("sec",), "1 ./ cos({0})"), **dict.fromkeys(("csc", "cosec"), "1 ./ sin({0})"),
    **dict.fromkeys(("cot", "cotan", "cotg", "ctg"), "1 ./ tan({0})"), **dict.fromkeys(("sech",), "1 ./ cosh({0})"),
    **dict.fromkeys(("coth",), "1 ./ tanh({0})"),
    **dict.fromkeys(("sumsq", "sumsqr", "norm_squared"), "norm2({0})^2"),
    **dict.fromkeys(("rowSums",), "sum({0}, 2)"), **dict.fromkeys(("colSums",), "sum({0}, 1)"),
    **dict.fromkeys(("rowMeans",), "mean({0}, 2)"), **dict.fromkeys(("colMeans",), "mean({0}, 1)"),
    **dict.fromkeys(("reduce_sum", "sumall"), "sum({0})"), **dict.fromkeys(("reduce_mean",), "mean({0})"),
    **dict.fromkeys(("amax",), "max({0})"), **dict.fromkeys(("amin",), "min({0})"),
    **dict.fromkeys(("hcat", "horzcat", "cbind"), "[{0}, {1}]"),
    **dict.fromkeys(("vcat", "vertcat", "rbind"), "[{0}; {1}]"),
    **dict.fromkeys(("fmax", "pmax"), "maximum({0}, {1})"), **dict.fromkeys(("fmin", "pmin"), "minimum({0}, {1})"),
    **dict.fromkeys(("linsolve", "LinearSolve"), "solve({0}, {1})"),
    **dict.fromkeys(("KroneckerProduct",), "kron({0}, {1})"),
    **dict.fromkeys(("diagm", "DiagonalMatrix", "Diag"), "diag({0})"),
    **dict.fromkeys(("MatrixExp",), "expm({0})"), **dict.fromkeys(("MatrixLog",), "logm({0})"),
    **dict.fromkeys(("clip", "clamp"), "minimum(maximum({0}, {1}), {2})"),
    **dict.fromkeys(("Erf",), "erf({0})"), **dict.fromkeys(("LogSumExp",), "logsumexp({0})"),
    # other languages
    **dict.fromkeys(("Spur", "spur", "traza", "Traza", "traccia", "traco", "Sp"), "tr({0})"),
    **dict.fromkeys(("sen",), "sin({0})"), **dict.fromkeys(("senh", "sh"), "sinh({0})"),
    **dict.fromkeys(("ch",), "cosh({0})"), **dict.fromkeys(("th", "tgh"), "tanh({0})"),
    **dict.fromkeys(("tg",), "tan({0})"), **dict.fromkeys(("arcsen",), "arcsin({0})"),
    **dict.fromkeys(("arctg", "arctag"), "arctan({0})"),
    **dict.fromkeys(("raiz", "rac", "racine", "wurzel", "Wurzel"), "sqrt({0})"),
    **dict.fromkeys(("suma", "summe", "Summe", "somme", "somma"), "sum({0})"),
    **dict.fromkeys(("promedio", "media", "moyenne", "mittelwert", "Mittelwert"), "mean({0})"),
    **dict.fromkeys(("determinante", "Determinante"), "det({0})"),
    **dict.fromkeys(("inversa", "Inverse"), "inv({0})"),
}  # fmt: skip

# What a call is written as; {0} and {1} are the arguments as they were written.
CALLS: dict[str, str] = {
    **dict.fromkeys(("IdentityMatrix", "identity", "speye"), "eye({0})"),
    **dict.fromkeys(("adjoint", "ConjugateTranspose", "hermitian"), "{0}' (every value is real)"),
    **dict.fromkeys(("Dot", "innerproduct", "scalarproduct"), "{0}'*{1}"),
    **dict.fromkeys(("mul", "bmm"), "{0}*{1}"),
    **dict.fromkeys(("outerproduct", "ger"), "{0}*{1}'"),
    **dict.fromkeys(("divide", "Divide"), "{0} ./ {1}"),
    **dict.fromkeys(("mrdivide",), "{0}*inv({1})"),
    **dict.fromkeys(("pow", "Power"), "{0}.^{1}"),
    **dict.fromkeys(("matpow",), "{0}^{1}"),
    **dict.fromkeys(("sqr", "sq"), "{0}.^2"),
    **dict.fromkeys(("cube",), "{0}.^3"),
    **dict.fromkeys(("recip",), "1 ./ {0}"),
    **dict.fromkeys(("lg",), "log({0})/log(2)"),
    **dict.fromkeys(("normsq",), "norm2({0})^2"),
    **dict.fromkeys(("l1norm", "l1", "norm_1", "Norm1"), "norm1({0})"),
    **dict.fromkeys(("l2norm", "l2", "norm_2", "nrm2", "frobenius", "normfro", "norm_fro"), "norm2({0})"),
    **dict.fromkeys(("norminf", "linf", "maxnorm"), "max(abs({0}))"),
    **dict.fromkeys(("Identity", "Id", "I"), "eye({0})"),
    **dict.fromkeys(("sigma", "sigm", "Sigmoid", "LogisticSigmoid"), "sigmoid({0})"),
    **dict.fromkeys(("heaviside", "Heaviside", "HeavisideTheta", "UnitStep", "unitstep"), "step({0})"),
    **dict.fromkeys(("norm_cdf", "ncdf", "pnorm", "Phi", "NormalCDF"), "normcdf({0})"),
    **dict.fromkeys(("norm_pdf", "npdf", "dnorm"), "normpdf({0})"),
    **dict.fromkeys(("gammafn", "Gamma", "tgamma"), "exp(gammaln({0}))"),
    **dict.fromkeys(("Diagonal", "spdiags", "diagmat", "diagflat"), "diag({0})"),
    **dict.fromkeys(("diagpart", "diag_part", "getdiag"), "diagvec({0})"),
    **dict.fromkeys(("slogdet", "logabsdeterminant", "LogDet"), "logdet({0}) (log|det|)"),
    **dict.fromkeys(("hstack", "column_stack"), "[{0}, {1}]"),
    **dict.fromkeys(("vstack", "row_stack", "append"), "[{0}; {1}]"),
    **dict.fromkeys(("concatenate", "concat", "cat", "Join"), "[{0}, {1}], or [{0}; {1}] one above the other"),
    **dict.fromkeys(("ifelse", "iif", "If", "select"), "where(A > B, C, D)"),
    **dict.fromkeys(("Clip",), "minimum(maximum({0}, low), high)"),
    **dict.fromkeys(("Max", "bsxmax"), "maximum({0}, {1}) entry by entry, or max({0}) over entries"),
    **dict.fromkeys(("Min",), "minimum({0}, {1}) entry by entry, or min({0}) over entries"),
    **dict.fromkeys(("nanmax",), "max({0})"),
    **dict.fromkeys(("nanmin",), "min({0})"),
    **dict.fromkeys(("Total", "nansum"), "sum({0})"),
    **dict.fromkeys(("Mean", "nanmean"), "mean({0})"),
    **dict.fromkeys(("rowsum",), "sum({0}, 2)"),
    **dict.fromkeys(("colsum",), "sum({0}, 1)"),
    **dict.fromkeys(("rowmean",), "mean({0}, 2)"),
    **dict.fromkeys(("colmean",), "mean({0}, 1)"),
    **dict.fromkeys(("sd", "stdev", "StandardDeviation"), "std({0}) (divided by n, not by n - 1)"),
    **dict.fromkeys(("Variance",), "var({0}) (divided by n, not by n - 1)"),
    **dict.fromkeys(("mean_squared_error", "mse_loss", "MSE"), "mse({0}, {1})"),
    **dict.fromkeys(("cosine_similarity", "cosine", "cos_sim"), "cossim({0}, {1})"),
    **dict.fromkeys(("bce", "binary_cross_entropy", "BCE"), "-mean({1}.*log({0}) + (1 - {1}).*log(1 - {0}))"),
    **dict.fromkeys(("ravel", "flatten", "Flatten", "colon"), "vec({0}) (column by column)"),
    **dict.fromkeys(("unvec", "mat", "resize"), "reshape({0}, m, n) (column by column)"),
    **dict.fromkeys(("lower", "LowerTriangularize", "tril_"), "tril({0})"),
    **dict.fromkeys(("upper", "UpperTriangularize", "triu_"), "triu({0})"),
    **dict.fromkeys(("blkdiag", "block_diag", "blockdiag", "bdiag"), "[{0}, zeros(m, q); zeros(p, n), {1}]"),
    **dict.fromkeys(("eigval", "eigvalsh", "Eigenvalues", "eig"), "eigvals({0}), or eigvecs({0}) for the eigenvectors"),
    **dict.fromkeys(("svd", "singular_values", "SingularValueList"), "singvals({0}) for the singular values"),
    **dict.fromkeys(("lstsq", "solve_triangular", "backslash"), "solve({0}, {1})"),
    **dict.fromkeys(("sqm", "sqrt_m", "MatrixSqrt"), "sqrtm({0})"),
    **dict.fromkeys(("expmat",), "expm({0})"),
    **dict.fromkeys(("logmat",), "logm({0})"),
    **dict.fromkeys(("krons",), "kron({0}, {1})"),
    **dict.fromkeys(("log_sum_exp", "lse"), "logsumexp({0})"),
    **dict.fromkeys(("KL", "kl", "kl_div", "kldiv", "kl_divergence", "KLDivergence"), "sum({0} .* log({0} ./ {1}))"),
    **dict.fromkeys(("bilinear", "quad_form", "quadratic"), "{0}'*A*{0}"),
}  # fmt: skip
_BY_SECOND = {  # norm(x, 1): what the second argument chooses
    "": "norm2({0})", "1": "norm1({0})", "2": "norm2({0}), or normspec({0}) for the largest singular value",
}  # fmt: skip
# Functions that have no counterpart, and why.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("size", "length", "numel", "nrow", "ncol", "rows", "cols", "shape", "len", "dim"),
                    "sizes are names: declare `X: n x p` and write n and p"),
    **dict.fromkeys(("conj", "conjugate", "real", "imag", "Re", "Im", "angle"), "every value is real"),
    **dict.fromkeys(("grad", "gradient", "diff", "derivative", "jacobian", "hessian", "nabla", "Dt", "pdiff"),
                    "the text is the function; what is derived is asked for beside it (wrt, --wrt, --kind)"),
    **dict.fromkeys(("argmax", "argmin", "rank", "sort", "round", "floor", "ceil", "mod", "rem", "find", "any", "all"),
                    "it has no derivative to speak of"),
    **dict.fromkeys(("rand", "randn", "random", "normal"), "declare a variable: its values come later"),
    **dict.fromkeys(("einsum",), "write the products and sums that the indices mean, such as tr(A*B) or A .* B"),
    **dict.fromkeys(("linspace", "arange", "range", "seq"), "declare a constant vector and pass its values"),
    **dict.fromkeys(("array", "asarray", "Matrix", "mat2", "tensor", "c"), "a matrix of entries is [1, 2; 3, 4]"),
    **dict.fromkeys(("frac", "dfrac", "tfrac"), "a quotient is a/b, entry by entry a ./ b"),
    **dict.fromkeys(("repmat", "tile", "repeat", "rep"), "rows and columns stretch by themselves; else ones(m, 1)*x"),
    **dict.fromkeys(("cross",), "the cross product with a constant is a skew matrix times x: [0, -a[3], a[2]; ...]*x"),
}  # fmt: skip


def about_call(name: str, words: Sequence[str]) -> str:
    """How a call of a function that does not exist is written here; empty where nothing is known."""
    if name == "norm":
        second = words[1] if len(words) > 1 else ""
        written = _BY_SECOND.get(second, "norm1({0}), norm2({0}) or max(abs({0}))")
    elif name in CALLS or name in READINGS:
        written = CALLS.get(name) or READINGS[name]
    elif re.match(r"(sum|prod)_", name):
        reduction = name.partition("_")[0]
        return f": over an index it is {reduction}(i=1..n, x[i]), over all entries {reduction}(x)"
    else:
        return f": {REFUSED[name]}" if name in REFUSED else ""
    letters = [f"{w}" if re.fullmatch(r"\w+|\w+\(.*\)", w) else f"({w})" for w in words]
    if name in ("crossprod", "tcrossprod") and len(letters) == 1:
        letters *= 2
    bare = {f"({{{k}}}": f"({w}" for k, w in enumerate(words)}  # inside of brackets of its own
    for place, word in bare.items():
        written = written.replace(place + ")", word + ")")
    return f": write {written.format(*letters, *'XYZ'[len(letters) :])}"


def about_misspelt(name: str, words: Sequence[str]) -> str:
    """What is said of a name that is nearly one of another system; empty where none is near."""
    near = difflib.get_close_matches(name, [*CALLS, *READINGS, *REFUSED], 1, 0.75) if len(name) > 3 else []
    return f" (did you mean {near[0]}?){about_call(near[0], words)}" if near else ""


# What may have been meant by a second argument that is not an axis.
SECOND = {
    "max": " (maximum(A, B) compares two matrices entry by entry; max(0, x) is relu(x))",
    "min": " (minimum(A, B) compares two matrices entry by entry)",
}


def about_axis(name: str, given: str) -> str:
    """Why `axis=` is refused: it counts from 0 elsewhere, and means another axis."""
    over = f"{name}(X, 1) goes over the rows and gives 1 x n, {name}(X, 2) goes over the columns and gives m x 1"
    return f"axis={given} means another axis to users of NumPy, so it is not read: {over}"


# ------------------------------------------------------------------------------------------------ characters

_TIMES = "write * for the matrix product, .* entry by entry"
CHARACTERS: dict[str, str] = {
    **dict.fromkeys("−–—‐‑﹣－", "write - for minus"),
    **dict.fromkeys("⊙∘∗◦•", "write .* for the product entry by entry"),
    **dict.fromkeys("·⋅×✕∙", _TIMES),
    **dict.fromkeys("÷⁄∕⊘", "write / to divide by a scalar, ./ entry by entry"),
    **dict.fromkeys("⊗", "the Kronecker product is kron(A, B)"),
    **dict.fromkeys("⊕", "a block diagonal matrix is written [A, zeros(m, q); zeros(p, n), B]"),
    **dict.fromkeys("|", "the absolute value is abs(x), a norm is norm2(x), a determinant det(X)"),
    **dict.fromkeys("‖∥", "the norm is norm2(x)"),
    **dict.fromkeys("′’‘`´ʹ", "write ' for the transpose"),
    **dict.fromkeys("ᵀ⊤⟙ᵗ†ᴴ", "the transpose is X'"),
    **dict.fromkeys("√", "the square root is sqrt(x)"),
    **dict.fromkeys("∛", "the cube root is x.^(1/3)"),
    **dict.fromkeys("∑Σ∏", "a sum over all entries is sum(x), over rows sum(X, 1); a product is prod(x)"),
    **dict.fromkeys("∇∂", "the text is the function; what is derived is asked for beside it"),
    **dict.fromkeys("∈", "a declaration is `x: n x 1`"),
    **dict.fromkeys("ℝ", "a declaration is `x: n x 1`"),
    **dict.fromkeys("≤⩽", "write <= (inside of where)"),
    **dict.fromkeys("≥⩾", "write >= (inside of where)"),
    **dict.fromkeys("≠≈≡∼∝", "a definition is `name = expression`"),
    **dict.fromkeys("←≔", "a definition is `name = expression`"),
    **dict.fromkeys("∞", "infinity is not a value here"),
    **dict.fromkeys("π", "write pi"),
    **dict.fromkeys("½", "write 1/2"), **dict.fromkeys("¼", "write 1/4"), **dict.fromkeys("⅓", "write 1/3"),
    **dict.fromkeys("²", "write ^2 (of a scalar or square matrix), .^2 entry by entry"),
    **dict.fromkeys("³", "write ^3 (of a scalar or square matrix), .^3 entry by entry"),
    **dict.fromkeys("⁻¹⁰⁴⁵⁶⁷⁸⁹ⁿᵏ⁺", "write a power with ^, the inverse X^-1 or inv(X)"),
    **dict.fromkeys("₀₁₂₃₄₅₆₇₈₉ᵢⱼₙ", "write the index into the name, x1, or an entry as x[1]"),
    **dict.fromkeys("⟨⟩〈〉", "an inner product is x'*y"),
    **dict.fromkeys("“”\"„«»", "there are no quotation marks here"),
    **dict.fromkeys("‚，", "write ,"), **dict.fromkeys("；", "write ;"), **dict.fromkeys("：", "write :"),
    **dict.fromkeys("（", "write ("), **dict.fromkeys("）", "write )"), **dict.fromkeys("＋", "write +"),
    **dict.fromkeys("＊", _TIMES), **dict.fromkeys("＝", "write ="),
    **dict.fromkeys("{}", "brackets are ( ); a power is X^-1 or X^(k+1), a matrix of entries [1, 2; 3, 4]"),
    **dict.fromkeys("%", "a comment begins with #"),
    **dict.fromkeys("$", "the text has no marks around it"),
    **dict.fromkeys("&", "the entries of a row are separated by commas: [A, B; C, D]"),
    **dict.fromkeys("!", "a factorial is exp(gammaln(n + 1)), and there is no negation"),
    **dict.fromkeys("~?", "there is no such operator"),
}  # fmt: skip


def about_character(character: str) -> str:
    """How a character that is not in the syntax is written; empty where nothing is known."""
    if character in CHARACTERS:
        return f": {CHARACTERS[character]}"
    name = unicodedata.name(character, "").lower()
    greek = re.fullmatch(r"greek (small|capital) letter (?:final )?(\w+)", name)
    if greek is not None:
        word = greek[2].replace("lamda", "lambda")
        return f": write {word if greek[1] == 'small' else word.capitalize()}"
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and re.fullmatch(r"\w+", plain) and plain.isascii():
        return f": write {plain}"
    return ": names are made of the letters a to z, digits and _" if character.isalpha() else ""


# ------------------------------------------------------------------------------------------------ constructions

LIBRARIES = "np|numpy|jnp|jax|torch|tf|sp|scipy|math|F|nn|cp|cupy|Math|LinearAlgebra|linalg|mc|matcalc|K"
_SHAPE_WORD = r"scalar|vector|matrix|column|row|real|reals|float|double|number|int|R"
# What is searched in the text where it is not in the syntax: a pattern, and what is said with its groups filled in.
CONSTRUCTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.M), said)
    for pattern, said in (
        (rf"\b(?:{LIBRARIES})\.(?:\w+\.)*(\w+)", "functions have no prefix: write {1}, without np. or the like"),
        (rf"\b(\w+)\s*:\s*({_SHAPE_WORD})\b[^;\n]*",
         "a declaration is rows x columns: a scalar is `{1}: 1 x 1`, a column `{1}: n x 1`, a matrix `{1}: m x n`"),
        (r"^\s*(?:let\s+)?(\w+)\s+in\s+[^;\n]*", "a column is declared `{1}: n x 1`, a matrix `{1}: n x p`"),
        (r"^\s*(?:let|var|assume|suppose|given|where|with)\s+(\w+)\s*:\s*([^;\n]*)",
         "leave the first word out: `{1}: {2}`"),
        (r"^\s*(\w+)\s+is\s+(?:an?\s+)?([\w -]+)", "facts stand in the declaration: `{1}: n x n {2}`"),
        (r"^\s*(\w+)\s*\(\s*\w+(?:\s*,\s*\w+)*\s*\)\s*=(?!=)\s*([^;\n]*)",
         "a function is written without its arguments: `{1} = {2}`"),
        (r"\\(frac|dfrac|tfrac)\b", "there is no LaTeX here: a quotient is a/b, entry by entry a ./ b"),
        (r"\\(top|intercal|prime|mathsf|mathrm|T|dagger)\b", "there is no LaTeX here: the transpose is X'"),
        (r"\\(cdot|times|odot|circ|otimes|left|right|sum|prod|sqrt|exp|log|ln|lVert|rVert|Vert|operatorname|text|mathbf)\b",
         "there is no LaTeX here: write * .* kron(A, B) sum(x) sqrt(x) exp(x) log(x) norm2(x)"),
        (r"\\([A-Za-z]+)\b(?<!\\b)", "names have no backslash: write {1}; A\\b is solve(A, b)"),
        (r"(\w+|\))\s*\\\s*(\w+|\()", "the solution of A*x = b is solve(A, b), not A\\b"),
        (r"\.dot\(", "dot is a product of matrices in NumPy, A*B here, and an inner product of columns, x'*y"),
        (r"(\w|[)'\]])\.(?:(T|H|t)\.)?(\w+)\(", "methods are functions here: write {3}(X), and X' for the transpose"),
        (r"(\w|[)'\]])\.(shape|size|ndim|I|H|A|inv|transpose)\b",
         "there are no attributes: the transpose is X', the inverse inv(X), sizes are names"),
        (r"\^\s*\{", "braces are left out: X^-1, X^(k+1), and X' for the transpose"),
        (r"_\s*\{", "an index is written into the name, x1, or an entry as x[1]"),
        (r"%\*%|%o%|%\w*%", "write * for the matrix product, x*y' for the outer one"),
        (r":=|<-|->|=>|\|>", "a definition is `name = expression`"),
        (r"\|\|?\s*\w[^|]*\|\|", "the norm is norm2(x), in the spectral sense normspec(X)"),
        (r"&&|\|\||\band\b|\bor\b|\bnot\b", "conditions are written where(A > B, C, D)"),
        (r"\b(for|while|if|else|end|function|def|return|let|import|using|in|do|then)\b\s*",
         "there is no {1}: a text is definitions, `name = expression`, and the function at the end"),
        (r"\blambda\b[^:;\n]*:", "there are no functions of your own in the text: write the expression"),
        (r",\s*'\w*'?", "there are no quotation marks: the Frobenius norm is norm2(X), the nuclear one normnuc(X)"),
        (r"//|/\*", "a comment begins with #"),
        (r"(?<![\w.])(\d+),(\d+)(?![\w.])", "a number has a point: {1}.{2}"),
        (r"<\s*(\w+)\s*,\s*(\w+)\s*>", "an inner product is {1}'*{2}"),
        (r"\.\.\.|…", "inside of brackets an expression goes on in the next line by itself"),
        (r"^\s*d\s*/\s*d\s*(\w+)\s+\S+",
         "leave d/d{1} out: the text is the function, and what it is derived by is named beside it"),
        (r"^\s*(?:minimi[sz]e|maximi[sz]e|min|max|solve)\s+[^;\n]*",
         "the text is the function alone: its optimum is `matcalc solve` or mc.minimize(text, over=...)"),
        (r"[;,\n]?\s*\b(?:wrt|by)\s+(\w+)",
         'what it is derived by is named beside the text: wrt="{1}", or --wrt {1}'),
        (r"\bwhere\s+(\w+)\s*:\s*([^;\n]*)", "declarations come first: `{1}: {2}; ...`"),
        (r"\[[^\],;]*[\w\])]\s+[\w(\[-]", "the entries of a row are separated by commas: [1, 2; 3, 4]"),
        (r"\b(\w+)\s*(\+=|-=|\*=|/=)", "each name is defined once, `name = expression`"),
        (r"\b\d+\s*:\s*\w+", "a range can only be an index, as in x[1:3]"),
    )
)  # fmt: skip


WINDOW = 120  # characters on both sides of a place where something is looked for


def about_construction(text: str, position: int) -> str:
    """What is said about the construction at a position where the text is not in the syntax; empty if unknown."""
    start = max(text.rfind("\n", 0, position) + 1, position - WINDOW)
    window = text[start : position + WINDOW].partition("\n")[0]
    for pattern, said in CONSTRUCTIONS:
        for found in pattern.finditer(window):
            if found.start() > position - start:
                break
            if found.end() >= position - start:
                return said.format(found[0], *(group or "" for group in found.groups()))
    return ""
