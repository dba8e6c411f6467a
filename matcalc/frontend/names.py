"""What the names of a text stand for: variables, dimensions, definitions, functions; and which names can be taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.core import number, var
from matcalc.dims import NAME, Shape, dim, symbol, symbols
from matcalc.errors import FactError, MatcalcError, ShapeError, closest, shorten
from matcalc.exact import is_exact, is_sympy, sp
from matcalc.expr import REGISTRY, Expr, Op, postorder, synonym
from matcalc.frontend.hints import about_call
from matcalc.ops.user_functions import Function
from matcalc.properties import fact_words

CONSTANTS = ("vector", "matrix")  # a constant whose shape follows from the context
# Names that stand for constants or operators elsewhere: nobody's variables unless they are declared.
NEVER_ASSUMED = {
    "T": "the transpose is X' (declare T, as in `T: n x m`, if it is a variable)",
    "I": "the identity is eye(n) (declare I, as in `I: n x n`, if it is a variable)",
    "e": "the exponential function is exp(x), the number exp(1) (declare e, as in `e: n x 1`, if it is a variable)",
    **dict.fromkeys(("inf", "Inf", "infinity", "oo"), "infinity is not a value here; the largest norm is max(abs(x))"),
    **dict.fromkeys(("nan", "NaN", "NA"), "a value that is not a number cannot be written"),
    **dict.fromkeys(("True", "False", "true", "false", "None", "nothing"), "there are numbers only: write 1 or 0"),
}

SHAPE_WORDS = {  # what a shape is not given by
    "scalar": "a scalar is 1 x 1",
    "vector": "a column vector is n x 1, a row vector 1 x n",
    "matrix": "a matrix is m x n, with a name or a number for each size",
    "column": "a column is n x 1",
    "row": "a row is 1 x n",
    "square": "a square matrix is n x n",
}


def operation(name: str) -> Op | None:
    """The operation that the text calls by this name."""
    entry = REGISTRY.get(name)
    return entry if entry is not None and entry.syntax == "call" else None


def is_called_elsewhere(name: str) -> bool:
    """Whether it is the name of a function in some other system, or in other letters."""
    return bool(operation(name.lower()) or synonym(name.lower()) or about_call(name, ()))


def is_function(name: str) -> bool:
    """Whether the name is that of a function (and so of nothing else)."""
    return name in CONSTANTS or operation(name) is not None


def check_free(name: Any, what: str) -> str:
    """`name`, if a `what` (a variable, dimension, ...) may have it.

    Raises:
        MatcalcError: it is not a name, or that of a function or of pi.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise MatcalcError(f"{shorten(repr(name))} is not a name: a {what} needs letters, digits and _")
    if name == "pi":
        raise MatcalcError(f"pi is a number and cannot be a {what}")
    if is_function(name):
        raise MatcalcError(f"{name} is the name of a function and cannot be a {what}")
    return name


@dataclass(slots=True)
class Names:
    """What the names stand for, while a text is read.

    `strict`: a name that stands for nothing is an error. `scope`: names from outside, which definitions may shadow.
    `later`: the names that the text defines, at whatever place. `kinds`: of declared names whose sizes are left open.
    """

    strict: bool
    scope: Mapping[str, Expr] = field(default_factory=dict)
    variables: dict[str, Expr] = field(default_factory=dict)
    definitions: dict[str, Expr] = field(default_factory=dict)
    dims: dict[str, None] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    kinds: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Expr | None:
        """What the name stands for, or None."""
        for table in (self.definitions, self.scope, self.variables):
            if name in table:
                return table[name]
        if name in self.dims:
            return number(symbol(name))
        return number(sp.pi) if name == "pi" else None

    def add_dims(self, names: Iterable[str], owner: str) -> None:
        """Take up the dimensions of a declaration.

        Raises:
            MatcalcError: one has a name that is taken.
        """
        for name in names:
            try:
                check_free(name, "dimension")
            except MatcalcError as error:
                raise MatcalcError(f"the shape of {shorten(owner)}: {error}") from None
            self.dims.setdefault(name)

    def check_clashes(self) -> None:
        """Raise MatcalcError if a variable has the name of a dimension or of an abstract function."""
        for name in self.variables:
            if name in self.dims:
                raise MatcalcError(f"{name} is both a variable and a dimension")
            if name in self.functions:
                raise MatcalcError(f"{name} is both a variable and a function")

    def unknown(self, name: str) -> str:
        """What is said about a name that stands for nothing."""
        if is_function(name) or name in self.functions:
            return f"{name} is a function and needs an argument: {name}(...)"
        if name in self.later:
            return f"{shorten(name)} is used before it is defined"
        declared = [*self.variables, *self.scope, *self.definitions, *self.dims]
        if name in NEVER_ASSUMED:
            return f"{name} is not declared: {NEVER_ASSUMED[name]}"
        entry = re.fullmatch(r"(\w+?)_(\d+)", name)
        if entry and entry[1] in self.variables:
            return f"{name} is not declared: an entry of {entry[1]} is {entry[1]}[{entry[2]}]"
        listed = f"; declared are: {shorten(', '.join(declared), 200)}" if declared else ""
        return f"{shorten(name)} is not declared{closest(name, declared) or listed}"


def shape_of(name: str, entry: Any) -> Shape:
    """The shape that `shapes` gives a variable: (rows, columns); one size is a column, none is 1 x 1.

    A matcalc expression gives its own.

    Raises:
        MatcalcError: it is none of these.
    """
    sizes = sizes_of(entry)
    if sizes is None or len(sizes) > 2:
        wanted = "a pair (rows, columns), or one size for a column"
        raise MatcalcError(f"the shape of {name} must be {wanted}, got {shorten(repr(entry))}")
    for size in sizes:
        if isinstance(size, str) and size in SHAPE_WORDS:
            raise MatcalcError(f"the shape of {name}: {SHAPE_WORDS[size]}")
    try:
        dims = [*map(dim, sizes), 1, 1]
    except ShapeError as error:
        raise MatcalcError(f"the shape of {name}: {error}") from None
    return dims[0], dims[1]


def sizes_of(entry: Any) -> Sequence[Any] | None:
    """The sizes that are given for a shape: none of a scalar, one of a column; None where it is none."""
    if isinstance(entry, Expr):
        return entry.shape
    if isinstance(entry, (tuple, list)) or (is_sympy(entry) and isinstance(entry, sp.Tuple)):
        return tuple(entry)
    if isinstance(entry, str):
        if entry.strip() in ("scalar", "number"):
            return ()
        parts = [part.strip() for part in re.split(r"\s+(?:x|by)\s+|\s*×\s*|(?<=[0-9])x(?=[0-9])", entry.strip())]
        sizes = tuple(int(part) if re.fullmatch("[0-9]{1,18}", part) else part for part in parts)
        return sizes if all(isinstance(size, int) or NAME.fullmatch(size) for size in sizes) else None
    return (entry,) if (isinstance(entry, int) or is_exact(entry)) and not isinstance(entry, bool) else None


def declared_shapes(shapes: Mapping[str, Any] | None) -> dict[str, Shape]:
    """The shapes of the declared variables.

    Raises:
        MatcalcError: a name or a shape is malformed.
    """
    if shapes is not None and not isinstance(shapes, Mapping):
        raise MatcalcError(f"shapes must map variables to (rows, columns), got {type(shapes).__name__}")
    return {check_free(name, "variable"): shape_of(name, entry) for name, entry in (shapes or {}).items()}


def declared_facts(facts: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """The fact words of each variable.

    Raises:
        MatcalcError: a word is not a fact, or the mapping is malformed.
    """
    if facts is not None and not isinstance(facts, Mapping):
        raise MatcalcError(f"facts must map variables to fact words, got {type(facts).__name__}")
    found: dict[str, list[str]] = {}
    for name, entry in (facts or {}).items():
        words = entry.replace(",", " ").split() if isinstance(entry, str) else entry
        if not isinstance(words, (list, tuple, set, frozenset)) or not all(isinstance(word, str) for word in words):
            raise MatcalcError(f"the facts of {shorten(str(name))} must be words, got {shorten(repr(entry))}")
        found[name] = check_facts(str(name), words)
    return found


def check_facts(name: str, words: Iterable[str]) -> list[str]:
    """The words, sorted, if they are facts.

    Raises:
        FactError: one is not.
    """
    try:
        return sorted(fact_words(words))
    except FactError as error:
        raise FactError(f"the facts of {shorten(name)}: {error}") from None


def variable(name: str, shape: Shape, words: Iterable[str]) -> Expr:
    """The variable, its facts checked against its shape."""
    return var(name, *shape, words)


def scope_functions(scope: Iterable[Expr]) -> dict[str, Function]:
    """The user's functions inside some expressions, by name."""
    return {e.params[0].name: Function(e.params[0].name, e.params[0].body) for e in postorder(scope) if e.op == "func"}


def scope_dims(scope: Iterable[Expr]) -> list[str]:
    """The dimensions inside some expressions."""
    return symbols(d for e in postorder(scope) for d in e.shape)
