"""Terms taken apart and put together: coefficient, scalar factors, body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from matcalc import core
from matcalc.dims import is_one
from matcalc.exact import HALF, ONE, cancel
from matcalc.expr import Expr
from matcalc.ops.elementwise import sqrt

FIRST = core.number(1)  # the exponent of what is not a power


def split(e: Expr) -> tuple[Any, list[Expr], Expr | None]:
    """`e` as coefficient, 1 x 1 factors, and the matrix they scale (None where `e` is 1 x 1)."""
    if e.op == "number":
        return e.params[0], [], None
    factors = list(e.args) if e.op == "scale" else [e]
    body = None if e.is_scalar else factors.pop()
    coefficient = ONE
    scalars = []
    for f in factors:
        if f.op == "number":
            coefficient = f.params[0] if coefficient is ONE else coefficient * f.params[0]
        else:
            scalars.append(f)
    return coefficient, scalars, body


def join(coefficient: Any, scalars: Sequence[Expr], body: Expr | None) -> Expr:
    """The inverse of `split`."""
    parts = [*scalars] if body is None else [*scalars, body]
    if coefficient is ONE and parts:
        return core.scale(*parts)
    if coefficient == 0:
        return core.number(0) if body is None else core.zeros(*body.shape)
    if coefficient != 1 or not parts:
        parts.insert(0, core.number(coefficient))
    return core.scale(*parts)


def coefficient_and_rest(e: Expr) -> tuple[Any, Expr | None]:
    """`e` as a number times the rest; the rest is None for a number."""
    if e.op == "number":
        return e.params[0], None
    if e.op == "scale" and e.args[0].op == "number":
        rest = e.args[1:]
        return e.args[0].params[0], core.scale(*rest)
    return ONE, e


def times_number(coefficient: Any, e: Expr) -> Expr:
    """coefficient * e, the numbers merged."""
    if coefficient is ONE and e.op not in ("number", "scale"):
        return e
    own, scalars, body = split(e)
    return join(cancel(coefficient * own) if _symbolic(coefficient, own) else coefficient * own, scalars, body)


def number_and_term(t: Expr) -> tuple[Any, Expr | None]:
    """A term of a sum as a number times the rest, looked for under a broadcast too; the rest is None for a number."""
    if t.op != "broadcast":
        return coefficient_and_rest(t)
    coefficient, rest = coefficient_and_rest(t.args[0])
    if coefficient == 1 and rest is not None:
        return ONE, t
    return coefficient, core.ones(*t.shape) if rest is None else core.broadcast(rest, t.shape)


def numbered_term(coefficient: Any, term: Expr | None) -> Expr:
    """The inverse of `number_and_term`."""
    if term is None:
        return core.number(coefficient)
    if term.op == "ones" and not term.is_scalar:
        return term if coefficient == 1 else core.broadcast(core.number(coefficient), term.shape)
    if term.op == "broadcast":
        return core.broadcast(times_number(coefficient, term.args[0]), term.shape)
    return times_number(coefficient, term)


def _symbolic(*values: Any) -> bool:
    return any(not v.is_Rational for v in values)


def base_and_exponent(e: Expr) -> tuple[Expr, Expr]:
    """An entrywise power as base and exponent; a root is the power 1/2."""
    base, exponent = e.args if e.op == "power" else (e, FIRST)
    if base.op == "sqrt" and exponent.op == "number":
        return base.args[0], core.number(exponent.params[0] / 2)
    return base, exponent


def raised(base: Expr, exponent: Any) -> Expr:
    """base .^ exponent for a number; halves are written with the root."""
    if exponent == 1:
        return base
    if abs(exponent) == HALF:
        root = sqrt(base)
        return root if exponent > 0 else core.power(root, -1)
    return core.power(base, core.number(exponent))


def factors_of(e: Expr, op: str) -> tuple[Expr, ...]:
    """The factors of `e` as a product of the kind `op`; itself alone where it is none."""
    return e.args if e.op == op else (e,)


def product_of(op: str, factors: Iterable[Expr]) -> Expr | None:
    """The product of the kind `op`; None for no factors."""
    parts = tuple(factors)
    if not parts:
        return None
    return core.matmul(*parts) if op == "matmul" else core.hadamard(*parts) if op == "hadamard" else core.scale(*parts)


def twin(e: Expr) -> bytes:
    """A key that equal 1 x 1 products share, and equal traces; the digest elsewhere.

    A product of size 1 x 1 equals its transpose (x'Ay = y'A'x); so does a trace, and its factors go round. The rows of
    a product may be scaled before or after: c 1' o (A B) = (c 1' o A) B.
    """
    if e.op == "scale":
        scalars, body = (e.args, b"") if e.is_scalar else (e.args[:-1], e.args[-1].digest)
        return b"scale" + b"".join(sorted(map(twin, scalars))) + body
    if e.op == "tr" and e.args[0].op == "matmul":
        factors = e.args[0].args
        mirrored = tuple(flipped(f) for f in reversed(factors))
        words = ([f.digest for f in (*word[k:], *word[:k])] for word in (factors, mirrored) for k in range(len(word)))
        return b"tr" + b"".join(min(words))
    if not e.is_scalar and e.op in ("hadamard", "matmul"):
        return b"".join(_scaled_word(e))
    if e.op != "matmul":
        return e.digest
    return min(e.digest, core.matmul(*(flipped(f) for f in reversed(e.args))).digest)


def meaning(e: Expr) -> Expr:
    """What a name stands for; the expression itself where it is none."""
    while e.op == "named":
        e = e.args[0]
    return e


def flipped(e: Expr) -> Expr:
    """The transpose, with a double one undone."""
    return e if e.is_scalar else core.turned(e)


def is_firm(e: Expr) -> bool:
    """Whether it is a sum that may have far more digits than its terms let expect: two of them are no products.

    A product is rounded, which is as much as its digits are worth; a difference of x and y has all digits of both, and
    that of 1 and exp(x) may be computed in another way.
    """
    return e.op == "add" and sum(1 for t in e.args if not is_product(number_and_term(t)[1])) > 1


def is_product(t: Expr | None) -> bool:
    """Whether a term is a product of matrices or of entries, up to its place in a matrix."""
    while t is not None and t.op in ("transpose", "vec", "reshape", "broadcast", "diag", "diagvec"):
        t = number_and_term(t.args[0])[1]
    if t is None:
        return False
    if t.op == "power":
        return t.args[1].op == "number" and bool(t.args[1].params[0].is_integer)
    return t.op in ("matmul", "hadamard", "scale", "inv", "matpow", "kron", "det")


def opening_loses_digits(terms: list[Expr]) -> bool:
    """Whether opening the sums among some terms parts what should be taken together: a + (b - c), (a - b) + (a - c).

    It is harmless where all that meets cancels.
    """
    if not any(is_firm(a) for a in terms):
        return False
    met: dict[bytes, list[Any]] = {}
    for t in (t for a in terms for t in (a.args if a.op == "add" else (a,))):
        coefficient, rest = number_and_term(t)
        met.setdefault(b"" if rest is None else twin(rest), []).append(coefficient)
    shared = [sum(c) for c in met.values() if len(c) > 1]
    return not shared or any(total != 0 for total in shared)


def series_argument(f: Expr) -> Expr:
    """A where the factor is a function of A by its power series, or its adjugate, a polynomial; itself elsewhere."""
    while f.op in ("expm", "logm", "sqrtm", "inv", "matpow", "adj"):
        f = f.args[0]
    return f


def _scaled_word(e: Expr) -> list[bytes]:
    """The factors of a product, what scales rows or columns as a diagonal factor; those that commute in one order.

    Neighbours that are diagonal commute, and those that are functions of one matrix.
    """
    word: list[bytes] = []
    run: list[bytes] = []
    before: object = None
    for kind, key in _letters(e):
        if kind != before:
            word.extend(sorted(run))
            run.clear()
        run.append(key)
        before = kind
    return [*word, *sorted(run)]


def _letters(e: Expr) -> Iterator[tuple[Any, bytes]]:
    """Each factor of a product as a key, and what it commutes with: "diagonal", or the matrix that it is a function of.

    The transposes of functions of one matrix are functions of its transpose.
    """
    if e.op == "matmul":
        for f in e.args:
            yield from _letters(f)
        return
    spread = [f for f in e.args if e.op == "hadamard" and f.op == "broadcast" and not f.args[0].is_scalar]
    rest = [f for f in e.args if f not in spread] if spread else []
    if not rest:
        yield series_argument(e).digest, e.digest
        return
    rows = [f.args[0] for f in spread if is_one(f.args[0].shape[1])]
    yield from (("diagonal", b"D" + c.digest) for v in rows for c in factors_of(v, "hadamard"))
    yield from _letters(rest[0] if len(rest) == 1 else core.hadamard(*rest))
    columns = [f.args[0] for f in spread if is_one(f.args[0].shape[0])]
    yield from (("diagonal", b"D" + flipped(c).digest) for v in columns for c in factors_of(v, "hadamard"))
