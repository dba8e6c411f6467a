"""The workloads by hand in C: loops that compilers vectorise, products by the BLAS that native functions call.

Each is called through the same small extension as a native function, with the same flags, memory and exponentials, so
that what is compared is the code. A text is the body of a function with the sizes, the inputs and the results by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workload import Arrays, Problem

from matcalc.targets.native.loading import Compiled


@dataclass(frozen=True)
class InC:
    """A function by hand.

    Attributes:
        inputs: the shape of each.
        results: the shape of each.
        work: the numbers that it needs memory for.
        body: its lines; `work` is that memory.
        zeros: whether the results come as zeros.
    """

    inputs: dict[str, tuple[str, str]]
    results: dict[str, tuple[str, str]]
    work: str
    body: str
    zeros: bool = False


TWO = "CblasRowMajor, CblasNoTrans, CblasNoTrans"
LEFT = "CblasRowMajor, CblasTrans, CblasNoTrans"
RIGHT = "CblasRowMajor, CblasNoTrans, CblasTrans"

SOFTMAX_ROWS = """
for (ptrdiff_t i = 0; i < {n}; i++) {{
    double *const row = {x} + i * {c}, top = -INFINITY, sum = 0;
    for (ptrdiff_t j = 0; j < {c}; j++)
        top = row[j] > top ? row[j] : top;
    #pragma omp simd reduction(+ : sum)
    for (ptrdiff_t j = 0; j < {c}; j++)
        sum += row[j] = exp(row[j] - top);
    for (ptrdiff_t j = 0; j < {c}; j++)
        row[j] /= sum;
}}
"""

_LOGISTIC = {"X": ("n", "k"), "y": ("n", "1"), "w": ("k", "1")}
_FACTORS = {"U": ("m", "k"), "V": ("n", "k"), "T": ("m", "n")}
_LAYERS = 10

BY_HAND: dict[str, InC] = {
    "logistic gradient": InC(
        _LOGISTIC,
        {"w": ("k", "1")},
        "n",
        """
cblas_dgemv(CblasRowMajor, CblasNoTrans, n, k, 1, X, k, w, 1, 0, work, 1);
INDEPENDENT
for (ptrdiff_t i = 0; i < n; i++)
    work[i] = -y[i] / (1 + exp(y[i] * work[i]));
cblas_dgemv(CblasRowMajor, CblasTrans, n, k, 1, X, k, work, 1, 0, out_w, 1);
""",
    ),
    "logistic Hessian": InC(
        _LOGISTIC,
        {"w": ("k", "k")},
        "n + n * k",
        """
double *const Z = work + n;
cblas_dgemv(CblasRowMajor, CblasNoTrans, n, k, 1, X, k, w, 1, 0, work, 1);
INDEPENDENT
for (ptrdiff_t i = 0; i < n; i++) {
    const double e = exp(-fabs(work[i]));
    work[i] = sqrt(e) / (1 + e);
}
for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < k; j++)
        Z[i * k + j] = work[i] * X[i * k + j];
gram(0, k, n, Z, out_w);
""",
    ),
    "softmax regression Hessian": InC(
        {"X": ("n", "p"), "Y": ("n", "c"), "W": ("p", "c")},
        {"W": ("c * p", "c * p")},
        "n * c + 512 * c * p",
        f"""
double *const P = work, *const part = P + n * c;
cblas_dgemm({TWO}, n, c, p, 1, X, p, W, c, 0, P, c);
{SOFTMAX_ROWS.format(n="n", c="c", x="P")}
for (ptrdiff_t first = 0; first < n; first += 512) {{
    const ptrdiff_t rows = n - first < 512 ? n - first : 512;
    for (ptrdiff_t i = 0; i < c; i++) {{
        const ptrdiff_t width = (c - i) * p;
        for (ptrdiff_t t = 0; t < rows; t++)
            for (ptrdiff_t j = i; j < c; j++) {{
                const double *const row = P + (first + t) * c, weight = row[i] * ((i == j) - row[j]);
                for (ptrdiff_t l = 0; l < p; l++)
                    part[t * width + (j - i) * p + l] = weight * X[(first + t) * p + l];
            }}
        cblas_dgemm({LEFT}, p, width, rows, 1, X + first * p, p, part, width, first > 0, out_W + i * p * (c * p + 1),
                    c * p);
    }}
}}
for (ptrdiff_t i = 0; i < c * p; i++)
    for (ptrdiff_t j = 0; j < i / p * p; j++)
        out_W[i * c * p + j] = out_W[j * c * p + i];
""",
    ),
    "factorisation gradient": InC(
        _FACTORS,
        {"U": ("m", "k"), "V": ("n", "k")},
        "2 * k * k",
        f"""
gram(0, k, n, V, work);
gram(0, k, m, U, work + k * k);
cblas_dgemm({TWO}, m, k, k, 2, U, k, work, k, 0, out_U, k);
cblas_dgemm({TWO}, m, k, n, -2, T, n, V, k, 1, out_U, k);
cblas_dgemm({TWO}, n, k, k, 2, V, k, work + k * k, k, 0, out_V, k);
cblas_dgemm({LEFT}, n, k, m, -2, T, n, U, k, 1, out_V, k);
""",
    ),
    "factorisation Hessian": InC(
        _FACTORS,
        {"U": ("k * m", "k * m")},
        "k * k",
        """
gram(0, k, n, V, work);
for (ptrdiff_t i = 0; i < k; i++)
    for (ptrdiff_t t = 0; t < m; t++)
        for (ptrdiff_t j = 0; j < k; j++)
            out_U[(i * m + t) * k * m + j * m + t] = 2 * work[i * k + j];
""",
        zeros=True,
    ),
    "Gaussian gradient": InC(
        {"S": ("n", "n"), "X": ("N", "n")},
        {"S": ("n", "n")},
        "n * n + N * n",
        f"""
double *const P = work, *const B = P + n * n;
int size = n, info = 0;
memcpy(P, S, n * n * sizeof *P);
routine.potrf("U", &size, P, &size, &info);
routine.potri("U", &size, P, &size, &info);
mirrored(n, P);
cblas_dgemm({TWO}, N, n, n, 1, X, n, P, n, 0, B, n);
gram(0, n, N, B, out_S);
for (ptrdiff_t i = 0; i < n * n; i++)
    out_S[i] = (N * P[i] - out_S[i]) / 2;
""",
    ),
    "hidden layer gradient": InC(
        {
            **{"X": ("n", "p"), "Y": ("n", "c"), "W1": ("p", "q")},
            **{"b1": ("1", "q"), "W2": ("q", "c"), "b2": ("1", "c")},
        },
        {"W1": ("p", "q"), "b1": ("1", "q"), "W2": ("q", "c"), "b2": ("1", "c")},
        "2 * n * q + n * c",
        f"""
double *const h = work, *const R = h + n * q, *const D = R + n * q;
cblas_dgemm({TWO}, n, q, p, 1, X, p, W1, q, 0, h, q);
for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < q; j++)
        h[i * q + j] = 1 / (1 + exp(-(h[i * q + j] + b1[j])));
for (ptrdiff_t i = 0; i < n; i++)
    memcpy(D + i * c, b2, c * sizeof *D);
cblas_dgemm({TWO}, n, c, q, 1, h, q, W2, c, 1, D, c);
{SOFTMAX_ROWS.format(n="n", c="c", x="D")}
memset(out_b1, 0, q * sizeof *out_b1);
memset(out_b2, 0, c * sizeof *out_b2);
for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < c; j++)
        out_b2[j] += D[i * c + j] -= Y[i * c + j];
cblas_dgemm({LEFT}, q, c, n, 1, h, q, D, c, 0, out_W2, c);
cblas_dgemm({RIGHT}, n, q, c, 1, D, c, W2, c, 0, R, q);
for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < q; j++)
        out_b1[j] += R[i * q + j] *= h[i * q + j] * (1 - h[i * q + j]);
cblas_dgemm({LEFT}, p, q, n, 1, X, p, R, q, 0, out_W1, q);
""",
    ),
    "ten layers gradient": InC(
        {"h0": ("n", "p"), "Y": ("n", "p"), **{f"W{k}": ("p", "p") for k in range(1, _LAYERS + 1)}},
        {f"W{k}": ("p", "p") for k in range(1, _LAYERS + 1)},
        f"{_LAYERS + 2} * n * p",
        f"""
const double *const W[] = {{{", ".join(f"W{k}" for k in range(1, _LAYERS + 1))}}};
double *const out[] = {{{", ".join(f"out_W{k}" for k in range(1, _LAYERS + 1))}}};
const size_t size = (size_t)n * p;
double *D = work + {_LAYERS} * size, *other = D + size;
for (int k = 0; k < {_LAYERS}; k++) {{
    double *const h = work + k * size;
    cblas_dgemm({TWO}, n, p, p, 1, k > 0 ? h - size : h0, p, W[k], p, 0, h, p);
    INDEPENDENT
    for (size_t i = 0; i < size; i++)
        h[i] = tanh(h[i]);
}}
for (size_t i = 0; i < size; i++)
    D[i] = work[{_LAYERS - 1} * size + i] - Y[i];
for (int k = {_LAYERS - 1}; k >= 0; k--) {{
    const double *const h = work + k * size;
    INDEPENDENT
    for (size_t i = 0; i < size; i++)
        D[i] *= 1 - h[i] * h[i];
    cblas_dgemm({LEFT}, p, p, n, 1, k > 0 ? h - size : h0, p, D, p, 0, out[k], p);
    if (k > 0)
        cblas_dgemm({RIGHT}, n, p, p, 1, D, p, W[k], p, 0, other, p);
    double *const last = D;
    D = other, other = last;
}}
""",
    ),
    "batch norm gradient": InC(
        {
            **{"X": ("N", "p"), "Y": ("N", "c"), "G1": ("p", "q")},
            **{"gamma": ("1", "q"), "beta": ("1", "q"), "G2": ("q", "c")},
        },
        {"G1": ("p", "q"), "gamma": ("1", "q"), "beta": ("1", "q"), "G2": ("q", "c")},
        "3 * N * q + N * c + 2 * q",
        f"""
double *const Z = work, *const V = Z + N * q, *const D = V + N * q, *const e = D + N * q;
double *const mean = e + N * c, *const s = mean + q;
cblas_dgemm({TWO}, N, q, p, 1, X, p, G1, q, 0, Z, q);
memset(mean, 0, 2 * q * sizeof *mean);
for (ptrdiff_t i = 0; i < N; i++)
    for (ptrdiff_t j = 0; j < q; j++)
        mean[j] += Z[i * q + j] / N;
for (ptrdiff_t i = 0; i < N; i++)
    for (ptrdiff_t j = 0; j < q; j++) {{
        Z[i * q + j] -= mean[j];
        s[j] += Z[i * q + j] * Z[i * q + j];
    }}
for (ptrdiff_t j = 0; j < q; j++)
    s[j] = 1 / sqrt(s[j] / N);
for (ptrdiff_t i = 0; i < N; i++)
    for (ptrdiff_t j = 0; j < q; j++) {{
        Z[i * q + j] *= s[j];
        const double v = Z[i * q + j] * gamma[j] + beta[j];
        V[i * q + j] = v > 0 ? v : 0;
    }}
cblas_dgemm({TWO}, N, c, q, 1, V, q, G2, c, 0, e, c);
for (ptrdiff_t i = 0; i < N * c; i++)
    e[i] = -2.0 / N * (Y[i] - e[i]);
cblas_dgemm({LEFT}, q, c, N, 1, V, q, e, c, 0, out_G2, c);
cblas_dgemm({RIGHT}, N, q, c, 1, e, c, G2, c, 0, D, q);
memset(out_gamma, 0, q * sizeof *out_gamma);
memset(out_beta, 0, q * sizeof *out_beta);
for (ptrdiff_t i = 0; i < N; i++)
    for (ptrdiff_t j = 0; j < q; j++) {{
        const double d = V[i * q + j] > 0 ? D[i * q + j] : 0;
        D[i * q + j] = d;
        out_gamma[j] += d * Z[i * q + j];
        out_beta[j] += d;
    }}
for (ptrdiff_t i = 0; i < N; i++)
    for (ptrdiff_t j = 0; j < q; j++)
        D[i * q + j] = (D[i * q + j] - out_beta[j] / N - Z[i * q + j] * (out_gamma[j] / N)) * (gamma[j] * s[j]);
cblas_dgemm({LEFT}, p, q, N, 1, X, p, D, q, 0, out_G1, q);
""",
    ),
    "attention gradient": InC(
        {"X": ("n", "d"), "Wq": ("d", "k"), "Wk": ("d", "k"), "Wv": ("d", "k")},
        {"Wq": ("d", "k"), "Wk": ("d", "k"), "Wv": ("d", "k")},
        "5 * n * k + 2 * n * n",
        f"""
double *const Q = work, *const K = Q + n * k, *const V = K + n * k, *const O = V + n * k, *const R = O + n * k;
double *const P = R + n * k, *const D = P + n * n;
const double root = 1 / sqrt((double)k);
cblas_dgemm({TWO}, n, k, d, root, X, d, Wq, k, 0, Q, k);
cblas_dgemm({TWO}, n, k, d, 1, X, d, Wk, k, 0, K, k);
cblas_dgemm({TWO}, n, k, d, 1, X, d, Wv, k, 0, V, k);
cblas_dgemm({RIGHT}, n, n, k, 1, Q, k, K, k, 0, P, n);
{SOFTMAX_ROWS.format(n="n", c="n", x="P")}
cblas_dgemm({TWO}, n, k, n, 1, P, n, V, k, 0, O, k);
cblas_dgemm({RIGHT}, n, n, k, 1, O, k, V, k, 0, D, n);
for (ptrdiff_t i = 0; i < n; i++) {{
    double square = 0;
    for (ptrdiff_t j = 0; j < k; j++)
        square += O[i * k + j] * O[i * k + j];
    for (ptrdiff_t j = 0; j < n; j++)
        D[i * n + j] = (D[i * n + j] - square) * P[i * n + j];
}}
cblas_dgemm({LEFT}, n, k, n, 1, P, n, O, k, 0, R, k);
cblas_dgemm({LEFT}, d, k, n, 1, X, d, R, k, 0, out_Wv, k);
cblas_dgemm({TWO}, n, k, n, root, D, n, K, k, 0, R, k);
cblas_dgemm({LEFT}, d, k, n, 1, X, d, R, k, 0, out_Wq, k);
cblas_dgemm({LEFT}, n, k, n, 1, D, n, Q, k, 0, R, k);
cblas_dgemm({LEFT}, d, k, n, 1, X, d, R, k, 0, out_Wk, k);
""",
    ),
}


def in_c(problem: Problem, arrays: Arrays) -> Callable[[], Any]:
    """A call of the function by hand."""
    made = BY_HAND[problem.name]
    sizes = list(dict.fromkeys(d for shape in made.inputs.values() for d in shape if not d.isdigit()))
    compiled = Compiled(_text(made, sizes), results=len(made.results))
    form = "zeros" if made.zeros else "matrix"
    wrapped = compiled.quick(
        inputs=[(name, None, tuple(int(d) if d.isdigit() else d for d in s)) for name, s in made.inputs.items()],
        results=[(name, form) for name in made.results],
        sizes=sizes,
    )
    function = wrapped(_unfit)
    return lambda: function(**arrays)


def _unfit(**_: Any) -> Any:
    raise ValueError("the function by hand takes matrices of float64 that lie row by row")


def _text(made: InC, sizes: list[str]) -> str:
    lines = ["int matcalc_entry(const int *sizes, const real *const *given, real *const *taken, Outside outside)", "{"]
    lines += [f"const ptrdiff_t {d} = sizes[{k}];" for k, d in enumerate(sizes)]
    lines += [f"const double *restrict const {name} = given[{k}];" for k, name in enumerate(made.inputs)]
    lines += [f"double *restrict const out_{name} = taken[{k}];" for k, name in enumerate(made.results)]
    lines += [f"double *const work = workspace({made.work});", made.body, "returned(work);", "return 0;", "}"]
    lines += ["int matcalc_shapes(const int *sizes, long long *shapes)", "{"]
    lines += [f"const long long {d} = sizes[{k}];" for k, d in enumerate(sizes)]
    shapes = [d for shape in made.results.values() for d in shape]
    lines += [f"shapes[{k}] = {d};" for k, d in enumerate(shapes)]
    return "\n".join([*lines, f"return {len(made.results)};", "}"])
