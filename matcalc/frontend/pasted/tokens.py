"""What the readers of pasted mathematics share: tokens, the names that are known, and symbols taken apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from matcalc.dims import Shape, is_one, symbols
from matcalc.errors import ParseError
from matcalc.expr import synonym
from matcalc.frontend.hints import READINGS
from matcalc.frontend.names import is_function
from matcalc.printing.symbols import Symbol, symbol


class PastedError(ParseError):
    """Pasted mathematics is understood, but has several readings, or one that cannot be; the message says which."""


@dataclass(frozen=True, slots=True)
class Tok:
    """A token: its kind, what it says, and its place; `spaced` if white space stands before it.

    `accent` and `indices` belong to names: a hat, subscripts.
    """

    kind: str
    value: str
    start: int
    end: int
    spaced: bool = False
    accent: str = ""


@dataclass(slots=True)
class Known:
    """The names that stand for something while pasted text is read.

    Attributes:
        shapes: the shapes of variables; None where a definition gives the name its value.
        dims: names of sizes.
        functions: the user's functions.
        families: the shapes of the members of families.
        recurrences: the names of recurrences.
        raised: those of them whose index is a superscript.
        strict: whether a name that is not known is an error.
    """

    shapes: dict[str, Shape | None] = field(default_factory=dict)
    dims: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    families: dict[str, Shape] = field(default_factory=dict)
    recurrences: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    strict: bool = False

    @classmethod
    def of(cls, shapes: Mapping[str, Shape], functions: Iterable[str], strict: bool) -> Known:
        """What is known from declarations."""
        return cls(dict(shapes), {d for s in shapes.values() for d in symbols(s)}, set(functions), strict=strict)

    def __contains__(self, name: object) -> bool:
        return any(name in names for names in self._all())

    def names(self) -> list[str]:
        """All of them."""
        return [name for names in self._all() for name in names]

    def _all(self) -> tuple[Collection[str], ...]:
        return self.shapes, self.dims, self.functions, self.families, self.recurrences

    def has_members(self, name: str) -> bool:
        """Whether the name has a member for each index."""
        return name in self.families or name in self.recurrences

    def called(self, wanted: Symbol) -> list[str]:
        """The known names that are written as this symbol."""
        return [name for name in self.names() if symbol(name) == wanted]

    def is_scalar(self, name: str) -> bool:
        """Whether the name is known to be a number or a 1 x 1 value."""
        shape = self.shapes.get(name)
        return name in self.dims or name == "pi" or (shape is not None and all(is_one(d) for d in shape))

    def is_vector(self, name: str) -> bool:
        """Whether the name is known to be a row or column."""
        shape = self.shapes.get(name)
        return shape is not None and any(is_one(d) for d in shape)

    def is_matrix(self, name: str) -> bool:
        """Whether the name is known to be a matrix that is neither row nor column."""
        shape = self.shapes.get(name)
        return shape is not None and not any(is_one(d) for d in shape)


def is_called(name: str) -> bool:
    """Whether the name is that of a function, here or, with one meaning, elsewhere."""
    return is_function(name) or synonym(name) is not None or name in READINGS


def written(s: Symbol) -> str:
    """The name in letters of a symbol that nothing known is written as: `W_{1}` is W1, `x_{max}` is x_max."""
    name = s.letter + s.accent
    for part in s.indices:
        name += part if part.isdigit() and not name[-1].isdigit() else f"_{part}"
    return re.sub(r"\W", "", name)


GREEK_VARIANTS = {
    "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varsigma": "sigma",
    "varkappa": "kappa", "ell": "l",
}  # fmt: skip
