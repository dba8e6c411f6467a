"""Linear algebra in Python alone: elimination, reflections, and Jacobi's rotations, which are slow and accurate."""

from __future__ import annotations

import math
from typing import Any

from matcalc.optional import optional
from matcalc.serve.arrays.array import asarray, ndarray
from matcalc.serve.arrays.products import matmul
from matcalc.serve.arrays.reductions import rows
from matcalc.serve.arrays.scalars import COMPLEX, FLOAT, boxed, finfo
from matcalc.serve.arrays.shaping import eye, zeros
from matcalc.serve.arrays.ufuncs import given_back

EPS = finfo.eps
SWEEPS = 60
mpmath: Any = optional("mpmath")
Rows = list[list[Any]]


class LinAlgError(ValueError):
    """There is no result."""


def _rows(value: Any) -> Rows:
    """A matrix as lists of real or complex numbers."""
    of = asarray(value)
    if of.ndim != 2:
        raise LinAlgError(f"{of.ndim}-dimensional array given. Array must be two-dimensional")
    n = of.shape[1]
    entries = of.entries() if of.dtype is COMPLEX else [float(x) for x in of.entries()]
    return [entries[k * n : (k + 1) * n] for k in range(of.shape[0])]


def _square(value: Any) -> Rows:
    found = _rows(value)
    if any(len(row) != len(found) for row in found):
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return found


def _matrix(found: Rows, columns: int | None = None) -> ndarray:
    entries = [x for row in found for x in row]
    kind = COMPLEX if any(isinstance(x, complex) for x in entries) else FLOAT
    width = len(found[0]) if columns is None else columns
    return ndarray([kind.plain(x) for x in entries], (len(found), width), kind)


def _finite(found: Rows) -> bool:
    return all(math.isfinite(x.real) and math.isfinite(x.imag) for row in found for x in row)


# ------------------------------------------------------------------------------------------------ elimination


def _factored(work: Rows) -> tuple[Rows, list[int], float]:
    """The factors of elimination with the largest pivots, in place; the order of the rows, and its sign."""
    n, sign, order = len(work), 1.0, list(range(len(work)))
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(work[i][k]))
        if p != k:
            work[k], work[p], order[k], order[p], sign = work[p], work[k], order[p], order[k], -sign
        pivot = work[k][k]
        if not pivot:
            continue
        for i in range(k + 1, n):
            factor = work[i][k] = work[i][k] / pivot
            if factor:
                for j in range(k + 1, n):
                    work[i][j] -= factor * work[k][j]
    return work, order, sign


def solve(first: Any, second: Any) -> ndarray:
    """The x with a x = b."""
    a, b = _square(first), asarray(second)
    columns = _rows(b.reshape((b.size, 1)) if b.ndim == 1 else b)
    work, order, _ = _factored(a)
    n = len(a)
    if any(work[k][k] == 0 for k in range(n)):
        raise LinAlgError("Singular matrix")
    if len(columns) != n:
        raise ValueError(f"solve: {n} equations, {len(columns)} right-hand sides")
    x = [list(columns[k]) for k in order]
    for j in range(len(x[0]) if x else 0):
        for i in range(n):
            x[i][j] -= sum(work[i][k] * x[k][j] for k in range(i))
        for i in reversed(range(n)):
            x[i][j] = (x[i][j] - sum(work[i][k] * x[k][j] for k in range(i + 1, n))) / work[i][i]
    return _matrix(x, b.shape[1] if b.ndim == 2 else 1).reshape(b.shape)


def inv(value: Any) -> ndarray:
    """The inverse."""
    return solve(value, eye(asarray(value).shape[0]))


def det(value: Any) -> Any:
    """The determinant."""
    work, _, sign = _factored(_square(value))
    found: Any = sign
    for k in range(len(work)):
        found *= work[k][k]
    return boxed(found, COMPLEX if isinstance(found, complex) else FLOAT)


def slogdet(value: Any) -> tuple[Any, Any]:
    """The sign of the determinant, and the logarithm of its absolute value."""
    work, _, sign = _factored(_square(value))
    size = 0.0
    for k in range(len(work)):
        pivot = work[k][k]
        if not pivot:
            return boxed(0.0, FLOAT), boxed(-math.inf, FLOAT)
        sign *= pivot / abs(pivot)
        size += math.log(abs(pivot))
    return boxed(sign, COMPLEX if isinstance(sign, complex) else FLOAT), boxed(size, FLOAT)


def matrix_power(value: Any, exponent: int) -> ndarray:
    """The product of a matrix with itself, of its inverse for a negative exponent."""
    base = asarray(value) if exponent >= 0 else inv(value)
    found = eye(base.shape[0])
    for _ in range(abs(exponent)):
        found = matmul(found, base)
    return found


def cholesky(value: Any) -> ndarray:
    """The lower triangular L with L L' equal to the matrix."""
    a = _square(value)
    n = len(a)
    made = [[0.0] * n for _ in range(n)]
    for j in range(n):
        rest = a[j][j] - sum(x * x for x in made[j][:j])
        if not rest > 0:
            raise LinAlgError("Matrix is not positive definite")
        made[j][j] = math.sqrt(rest)
        for i in range(j + 1, n):
            made[i][j] = (a[i][j] - sum(x * y for x, y in zip(made[i][:j], made[j][:j]))) / made[j][j]
    return _matrix(made, n)


# ------------------------------------------------------------------------------------------------ reflections


def qr(value: Any, mode: str = "reduced") -> tuple[ndarray, ndarray]:
    """Orthonormal columns times an upper triangle, by Householder's reflections."""
    r = _rows(value)
    m, n = len(r), len(r[0]) if r else 0
    q = _rows(eye(m))
    for k in range(min(m - 1, n)):
        column = [r[i][k] for i in range(k, m)]
        size = math.hypot(*column)
        if size == 0:
            continue
        v = [column[0] + math.copysign(size, column[0]), *column[1:]]
        weight = 2 / sum(x * x for x in v)
        _reflect(r, v, weight, k)
        _reflect(q, v, weight, k)
    count = m if mode == "complete" else min(m, n)
    upper = [[x if j >= i else 0.0 for j, x in enumerate(row)] for i, row in enumerate(r[:count])]
    return _matrix(q, m).T[:, :count].copy(), _matrix(upper, n)


def _reflect(rows_of: Rows, v: list[float], weight: float, start: int) -> None:
    for j in range(len(rows_of[0])):
        shift = weight * sum(x * rows_of[start + i][j] for i, x in enumerate(v))
        for i, x in enumerate(v):
            rows_of[start + i][j] -= shift * x


# ------------------------------------------------------------------------------------------------ rotations


def eigh(value: Any) -> tuple[ndarray, ndarray]:
    """Ascending eigenvalues and eigenvectors of a symmetric matrix, by its lower triangle."""
    a = _square(value)
    n = len(a)
    if not _finite(a):
        raise LinAlgError("Eigenvalues did not converge")
    for i in range(n):
        for j in range(i):
            a[j][i] = a[i][j]
    v = _rows(eye(n))
    for _ in range(SWEEPS):
        turned = [_rotated(a, v, p, q) for p in range(n) for q in range(p + 1, n)]
        if True not in turned:
            break
    order = sorted(range(n), key=lambda k: a[k][k])
    values = ndarray([a[k][k] for k in order], (n,), FLOAT)
    return values, _matrix([[row[k] for k in order] for row in v], n)


def _rotated(a: Rows, v: Rows, p: int, q: int) -> bool:
    """Make one entry 0 by a rotation; whether it was not nearly so before."""
    off, gap = a[p][q], a[q][q] - a[p][p]
    if abs(off) <= EPS * 0.01 * math.sqrt(abs(a[p][p] * a[q][q])) or abs(off) < 1e-300:
        a[p][q] = a[q][p] = 0.0
        return False
    tangent = 1.0 if gap == 0 else 2 * off / (gap + math.copysign(math.hypot(gap, 2 * off), gap))
    c = 1 / math.hypot(1, tangent)
    s = tangent * c
    for row in a:
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    a[p], a[q] = (
        [c * x - s * y for x, y in zip(a[p], a[q])],
        [s * x + c * y for x, y in zip(a[p], a[q])],
    )
    a[p][q] = a[q][p] = 0.0
    for row in v:
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    return True


def eigvalsh(value: Any) -> ndarray:
    """The ascending eigenvalues of a symmetric matrix."""
    return eigh(value)[0]


def eig(value: Any) -> tuple[ndarray, ndarray]:
    """Eigenvalues and eigenvectors of any square matrix, by mpmath; complex where one of them is."""
    a = _square(value)
    if not _finite(a):
        raise LinAlgError("Array must not contain infs or NaNs")
    context = mpmath.mp.clone()
    context.dps = 30
    found, vectors = context.eig(context.matrix(a))
    n = len(a)
    values = [complex(x) for x in found]
    columns = [[complex(vectors[i, k]) for i in range(n)] for k in range(n)]
    sizes = [math.sqrt(sum(abs(x) ** 2 for x in column)) or 1.0 for column in columns]
    largest = max((abs(x) for x in values), default=0.0)
    if all(abs(x.imag) <= 1e-13 * largest for x in values):
        turned = [_turned(column) for column in columns]
        made = [[turned[k][i].real / sizes[k] for k in range(n)] for i in range(n)]
        return ndarray([x.real for x in values], (n,), FLOAT), _matrix(made, n)
    return ndarray(values, (n,), COMPLEX), _matrix([[columns[k][i] / sizes[k] for k in range(n)] for i in range(n)], n)


def _turned(column: list[complex]) -> list[complex]:
    """A multiple of a vector whose largest entry is real."""
    top = max(column, key=abs)
    return [x * top.conjugate() / abs(top) for x in column] if top else column


def eigvals(value: Any) -> ndarray:
    """The eigenvalues of any square matrix."""
    return eig(value)[0]


def svd(value: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular vectors and descending singular values, by rotations of the columns."""
    of = asarray(value)
    m, n = of.shape
    if not _finite(_rows(of)):
        raise LinAlgError("SVD did not converge")
    if m < n:
        found = svd(of.T, full_matrices, compute_uv)
        return (found[2].T, found[1], found[0].T) if compute_uv else found
    columns, v = _rows(of.T), _rows(eye(n))
    floor = (EPS * max((math.hypot(*c) for c in columns), default=0.0)) ** 2
    for _ in range(SWEEPS):
        turned = [_orthogonal(columns, v, p, q, floor) for p in range(n) for q in range(p + 1, n)]
        if True not in turned:
            break
    sizes = [math.hypot(*c) for c in columns]
    order = sorted(range(n), key=lambda k: -sizes[k])
    values = ndarray([sizes[k] for k in order], (n,), FLOAT)
    if not compute_uv:
        return values
    small = 8 * EPS * max(sizes, default=0.0)
    left = [[x / sizes[k] for x in columns[k]] if sizes[k] > small else None for k in order]
    return _completed(left, m, m if full_matrices else n), values, _matrix([v[k] for k in order], n)


def _orthogonal(columns: Rows, v: Rows, p: int, q: int, floor: float) -> bool:
    """Make two columns orthogonal by a rotation; whether they were not. A column below the floor counts as 0."""
    x, y = columns[p], columns[q]
    a, b, c = sum(s * s for s in x), sum(s * s for s in y), sum(s * t for s, t in zip(x, y))
    if abs(c) <= EPS * math.sqrt(a * b) or c == 0 or min(a, b) <= floor:
        return False
    gap = b - a
    tangent = 1.0 if gap == 0 else 2 * c / (gap + math.copysign(math.hypot(gap, 2 * c), gap))
    cosine = 1 / math.hypot(1, tangent)
    sine = tangent * cosine
    for part in (columns, v):
        s, t = part[p], part[q]
        part[p] = [cosine * f - sine * g for f, g in zip(s, t)]
        part[q] = [sine * f + cosine * g for f, g in zip(s, t)]
    return bool(abs(c) > 4 * EPS * math.sqrt(a * b))


def _completed(known: list[Any], m: int, count: int) -> ndarray:
    """Orthonormal columns: those that are known, and others in place of those that are missing."""
    made: Rows = [column for column in known if column is not None]
    units = iter(_rows(eye(m)))
    spare: Rows = []
    while len(made) + len(spare) < count:
        column = next(units)
        for _ in range(2):
            for other in (*made, *spare):
                size = sum(x * y for x, y in zip(column, other))
                column = [x - size * y for x, y in zip(column, other)]
        length = math.hypot(*column)
        if length > 1e-3 / m:
            spare.append([x / length for x in column])
    rest = iter(spare)
    columns = [column if column is not None else next(rest) for column in known] + list(rest)
    return _matrix([[column[i] for column in columns] for i in range(m)], count)


def pinv(value: Any, rcond: float = 1e-15, **options: Any) -> ndarray:
    """The pseudoinverse; singular values below a part of the largest count as 0."""
    u, s, vt = svd(value, full_matrices=False)
    return _inverted(u, s, vt, rcond)


def _inverted(u: Any, s: ndarray, vt: Any, part: float) -> ndarray:
    values = s.entries()
    floor = part * max(values, default=0.0)
    weights = ndarray([1 / x if x > floor else 0.0 for x in values], (1, len(values)), FLOAT)
    found: ndarray = matmul(vt.T * weights, u.T)
    return found


def lstsq(first: Any, second: Any, rcond: float | None = None) -> tuple[Any, Any, int, ndarray]:
    """The shortest x for which |a x - b| is least; also the residuals, the rank and the singular values."""
    a = asarray(first)
    u, s, vt = svd(a, full_matrices=False)
    part = EPS * max(a.shape) if rcond is None else rcond
    rank = len([x for x in s.entries() if x > part * max(s.entries(), default=0.0)])
    return matmul(_inverted(u, s, vt, part), second), zeros((0,)), rank, s


def matrix_rank(value: Any) -> int:
    """The number of singular values that are no rounding errors."""
    a = asarray(value)
    return int(lstsq(a, zeros((a.shape[0],)))[2])


def cond(value: Any) -> Any:
    """The largest singular value over the smallest."""
    s = svd(value, compute_uv=False).entries()
    return boxed(math.inf if not s or s[-1] == 0 else s[0] / s[-1], FLOAT)


def norm(value: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    """The norm of an array, or of its rows along an axis."""
    of = asarray(value)
    if of.ndim == 2 and axis is None and ord not in (None, "fro"):
        return _matrix_norm(of, ord)
    parts, shape, taken = rows(of, axis)
    found = [_length([abs(x) for x in part], ord) for part in parts]
    if keepdims:
        shape = tuple(1 if k in taken else n for k, n in enumerate(of.shape))
    return given_back(found, shape, FLOAT)


def _length(part: list[float], kind: Any) -> float:
    if kind in (None, 2, "fro"):
        return math.hypot(*part)
    if kind == 1:
        return float(sum(part))
    if kind == math.inf:
        return float(max(part, default=0.0))
    return float(sum(x**kind for x in part) ** (1 / kind))


def _matrix_norm(of: ndarray, kind: Any) -> Any:
    if kind in (1, math.inf):
        parts = rows(of, 0 if kind == 1 else 1)[0]
        return boxed(float(max(sum(map(abs, part)) for part in parts)), FLOAT)
    s = svd(of, compute_uv=False).entries()
    return boxed(float(sum(s) if kind == "nuc" else s[0]), FLOAT)
