"""Facts about expressions: three-valued, propagated from the variables, cached on the immutable node.

A fact is *closed* (symmetric, one-hot, ...: it holds at the point only) or *open* (nonsingular, positive, ...: it
holds around the point). Facts say what may be simplified; they never change what a derivative means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from matcalc.dims import same
from matcalc.errors import FactError, closest
from matcalc.expr import Expr, postorder, record

NAMES = (
    "symmetric",
    "skew",
    "diagonal",
    "lower",
    "upper",
    "orthogonal",
    "positive-definite",
    "positive-semidefinite",
    "nonsingular",
    "positive",
    "nonnegative",
    "nonzero",
    "constant",
    "one-hot",
    "one-hot-column",
    "row-stochastic",
    "column-stochastic",
)
BIT = {name: 1 << k for k, name in enumerate(NAMES)}
ALIASES = {
    "invertible": "nonsingular",
    "regular": "nonsingular",
    "non-singular": "nonsingular",
    "nonneg": "nonnegative",
    "non-negative": "nonnegative",
    "non-zero": "nonzero",
    "skew-symmetric": "skew",
    "antisymmetric": "skew",
    "positive_definite": "positive-definite",
    "spd": "positive-definite",
    "pd": "positive-definite",
    "posdef": "positive-definite",
    "hermitian": "symmetric",
    "unitary": "orthogonal",
    "semidefinite": "positive-semidefinite",
    "positive-semi-definite": "positive-semidefinite",
    "psd": "positive-semidefinite",
    "positive_semidefinite": "positive-semidefinite",
    "lower-triangular": "lower",
    "upper-triangular": "upper",
    "lower_triangular": "lower",
    "upper_triangular": "upper",
    "skew_symmetric": "skew",
    "onehot": "one-hot",
    "one_hot": "one-hot",
    "row_stochastic": "row-stochastic",
    "const": "constant",
    "column_stochastic": "column-stochastic",
    "one_hot_column": "one-hot-column",
}
OPEN = ("nonsingular", "positive", "nonnegative", "nonzero", "constant")
CLOSED_MASK = sum(bit for name, bit in BIT.items() if name not in OPEN)
SQUARE = (
    "symmetric",
    "skew",
    "diagonal",
    "lower",
    "upper",
    "orthogonal",
    "positive-definite",
    "positive-semidefinite",
    "nonsingular",
)
IMPLIES = {
    "diagonal": ("symmetric", "lower", "upper"),
    "positive-definite": ("symmetric", "positive-semidefinite", "nonsingular"),
    "positive-semidefinite": ("symmetric",),
    "orthogonal": ("nonsingular",),
    "positive": ("nonnegative", "nonzero"),
    "one-hot": ("row-stochastic", "nonnegative"),
    "one-hot-column": ("column-stochastic", "nonnegative"),
}

DEFINITE = ("positive-definite", "positive-semidefinite")
KNOWN_AS = {"row-stochastic": "one-hot", "column-stochastic": "one-hot-column"}  # what one says of a value that is both


class Truth(Enum):
    """True, false, or unknown; unknown has no truth value."""

    TRUE = 1
    FALSE = 0
    UNKNOWN = -1

    def __bool__(self) -> bool:
        if self is Truth.UNKNOWN:
            raise FactError("unknown is neither true nor false: compare with Truth.TRUE")
        return self is Truth.TRUE


def closure(mask: int) -> int:
    """The mask with everything that its facts imply."""
    while True:
        wider = mask
        for name, implied in IMPLIES.items():
            if mask & BIT[name]:
                for other in implied:
                    wider |= BIT[other]
        if wider & BIT["lower"] and wider & BIT["upper"]:
            wider |= BIT["diagonal"]
        if wider == mask:
            return mask
        mask = wider


def bits(*names: str) -> int:
    """The bits of these facts alone, nothing implied."""
    return sum(BIT[name] for name in names)


def fact_words(words: Iterable[str]) -> list[str]:
    """The names of facts that are written in several words or otherwise: `positive definite`, `pd`.

    Raises:
        FactError: a word is not a fact.
    """
    rest, found = [word.lower() if word.lower() in BIT or word.lower() in ALIASES else word for word in words], []
    while rest:
        for count in (3, 2, 1):
            joined = "-".join(rest[:count])
            name = ALIASES.get(joined, joined)
            if len(rest) >= count and name in BIT:
                found.append(name)
                del rest[:count]
                break
        else:
            mask_of(rest[:1])
    return list(dict.fromkeys(found))


def mask_of(words: Iterable[str]) -> int:
    """The bit mask of some fact names, with all that they imply.

    Raises:
        FactError: a word is not a fact.
    """
    mask = 0
    for word in words:
        name = ALIASES.get(word, word)
        if name not in BIT:
            meant = closest(str(word), [*NAMES, *ALIASES])
            raise FactError(f"unknown fact {word!r}{meant}; known are: {', '.join(NAMES)}")
        mask |= BIT[name]
    return closure(mask)


def names_of(mask: int) -> list[str]:
    """The strongest fact names of a mask: those that no other one in it implies."""
    present = [name for name in NAMES if mask & BIT[name]]
    implied = {other for name in present for other in IMPLIES.get(name, ())}
    return [name for name in present if name not in implied]


def words_of(mask: int) -> list[str]:
    """The facts of a mask as a reader expects them: the strongest ones, and that a definite matrix is symmetric."""
    found = names_of(mask)
    place = next((k for k, name in enumerate(found) if name in DEFINITE), None)
    return found if place is None or "diagonal" in found else [*found[:place], "symmetric", *found[place:]]


def variable_mask(name: str, shape: tuple[object, object], words: Iterable[str]) -> int:
    """The facts of a variable as a mask, checked against its shape.

    Raises:
        FactError: a fact needs a square matrix and the shape is not, or the facts contradict each other.
    """
    words = [ALIASES.get(word, word) for word in words]
    rows, cols = shape
    if same(cols, 1) and not same(rows, 1):  # on a column, one-hot and stochastic mean the column
        column = {"one-hot": "one-hot-column", "row-stochastic": "column-stochastic"}
        words = [column.get(word, word) for word in words]
    for word in words:
        if word in SQUARE and not same(rows, cols):
            raise FactError(f"{name} is {rows} x {cols}: only a square matrix can be {word}")
    mask = mask_of(words)
    if mask & BIT["skew"] and mask & (BIT["positive-definite"] | BIT["positive"]):
        raise FactError(f"{name} cannot be skew and positive at once")
    return mask


def facts_of(e: Expr) -> tuple[int, int]:
    """The masks of the facts known true and known false for `e`, names looked through."""
    found = e._facts
    if found is not None:
        return found
    for sub in postorder((e,), stop=lambda s: s._facts is not None):
        object.__setattr__(sub, "_facts", facts_from(sub, [facts_of(a)[0] for a in sub.args]))
    found = e._facts
    assert found is not None
    return found


def facts_from(e: Expr, masks: Sequence[int]) -> tuple[int, int]:
    """The masks of the facts known true and known false for `e`, given those that are true of its arguments."""
    true, false = record(e.op).facts(e, *masks)
    if same(e.shape[0], 1) and same(e.shape[1], 1):
        true |= BIT["diagonal"]
        if true & BIT["positive"]:
            true |= BIT["positive-definite"]
        if true & BIT["positive-definite"]:
            true |= BIT["positive"]
        if true & BIT["positive-semidefinite"]:
            true |= BIT["nonnegative"]
        if true & BIT["nonzero"]:
            true |= BIT["nonsingular"]
    true = closure(true)
    return true, false & ~true


def known(e: Expr, fact: str) -> bool:
    """Whether the fact is known to be true of `e`."""
    return bool(facts_of(e)[0] & BIT[fact])


def truth(e: Expr, fact: str) -> Truth:
    """True, false or unknown.

    Raises:
        FactError: not a fact.
    """
    bit = mask_of((fact,)) & BIT[ALIASES.get(fact, fact)]
    true, false = facts_of(e)
    return Truth.TRUE if true & bit else Truth.FALSE if false & bit else Truth.UNKNOWN
