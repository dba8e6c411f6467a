"""How formulas are set: the one place for the marks that readers disagree about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from matcalc.errors import MatcalcError, need_one_of

TRANSPOSE = re.compile(r"'|\^(\\[A-Za-z]+(\{[A-Za-z]\})?|[A-Za-z]|\{[^{}$&%#]*(\{[^{}$&%#]*\})?[^{}$&%#]*\})")
HADAMARD = re.compile(r"\\[A-Za-z]+")
ADJOINTS = ("delta", "bar", "partial")


@dataclass(frozen=True, slots=True)
class Notation:
    r"""The symbols of the printed formulas.

    Attributes:
        transpose: the mark of a transpose: `^\top`, `'`, `^T`, ...
        hadamard: the entrywise product: `\odot`, `\circ`, ...
        adjoint: the gradient of the output by a value r: `delta` (`\delta_r`), `bar` (`\bar r`), or `partial`
            (`\partial J / \partial r`).
        bold: whether matrices and vectors are set in bold type.
        names: LaTeX for single names, as a mapping: `{"W1": "W^{(1)}"}`.
        output: the name of the differentiated value, for `partial`; derivations fill it in.
        taken: Greek letters that are names on the page: a function that is usually written so is spelled; derivations
            fill it in.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("x'*A*x", wrt="x", facts={"A": "symmetric"})
        >>> d.gradient("x").latex(mc.Notation(bold=True))
        '2 \\mathbf{A} \\mathbf{x}'
    """

    transpose: str = r"^\top"
    hadamard: str = r"\odot"
    adjoint: str = "delta"
    bold: bool = False
    names: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    output: str = ""
    taken: frozenset[str] = frozenset()
    _by_name: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not TRANSPOSE.fullmatch(self.transpose):
            raise MatcalcError(f"transpose must be ' or a superscript such as ^T, got {self.transpose!r}")
        if not HADAMARD.fullmatch(self.hadamard):
            raise MatcalcError(f"hadamard must be a LaTeX command such as \\circ, got {self.hadamard!r}")
        need_one_of("adjoint", self.adjoint, ADJOINTS)
        pairs = self.names.items() if isinstance(self.names, Mapping) else self.names
        object.__setattr__(self, "names", tuple(sorted((str(name), str(tex)) for name, tex in pairs)))
        object.__setattr__(self, "_by_name", dict(self.names))

    def written(self, name: str) -> str | None:
        """The LaTeX that was given for a name, or None."""
        return self._by_name.get(name)

    def with_names(self, names: Mapping[str, str]) -> Notation:
        """The same with LaTeX for more names; those given before stay."""
        return replace(self, names={**names, **self._by_name})

    def with_output(self, output: str) -> Notation:
        """The same for the derivatives of this output."""
        return replace(self, output=output)


STANDARD = Notation()
