r"""Products as mathematics writes them: side by side, `\cdot`, `\odot`, fractions; refused where two readings fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Tree

from matcalc.dims import Shape, is_one
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.by_shape import SCALAR
from matcalc.frontend.pasted.tokens import Known
from matcalc.frontend.syntax import Node, Source, is_indexed

ENTRYWISE = {"odot": ".*", "oslash": "./"}
_OF_ENTRIES = frozenset((*ENTRYWISE, ".*", "./", "star"))
_SHAPED = {"dot": "dot", "cross": "cross", "star": "star", "at": "at", "asterisk": "asterisk"}
_SCALAR_CALLS = frozenset(
    ("tr", "det", "logdet", "norm1", "norm2", "normnuc", "normspec", "sum", "mean", "prod", "trace")
)


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor with the operator before it: `implicit` for none. `bracketed`: it was written in brackets."""

    operator: str
    node: Node
    spaced: bool = False
    bracketed: bool = False
    place: tuple[int, int] = (0, 0)


class Products:
    """Joins factors."""

    def __init__(self, source: Source, known: Known) -> None:
        self.source, self.known = source, known

    def is_scalar(self, node: Node) -> bool:
        """Whether the value is certainly 1 x 1."""
        match node.data:
            case "number":
                return True
            case "name":
                return self.known.is_scalar(str(node.children[0]))
            case "shaped":
                inner: list[Node] = node.children[1:]  # type: ignore[assignment]
                return str(node.children[0]) in SCALAR or (bool(inner) and all(map(self.is_scalar, inner)))
            case "call" if is_indexed(node):
                return self.is_scalar(node.children[-1])  # type: ignore[arg-type]
            case "call":
                name, *given = node.children
                return (str(name) in _SCALAR_CALLS and len(given) == 1) or (
                    bool(given) and all(self.is_scalar(g) for g in given)  # type: ignore[arg-type]
                )
            case "sum":
                return all(self.is_scalar(c) for c in node.children[::2])  # type: ignore[arg-type]
            case "product":
                parts: list[Node] = node.children[::2]  # type: ignore[assignment]
                return all(map(self.is_scalar, parts)) or self._is_form(node)
            case "signed":
                return self.is_scalar(node.children[1])  # type: ignore[arg-type]
            case "postfix":
                suffix: Node = node.children[-1]  # type: ignore[assignment]
                if suffix.data == "indexing":
                    if self._is_recurrence(node):
                        return False  # of what shape is not known here
                    member = self._member(node)
                    if member is not None:
                        return all(is_one(d) for d in member)
                    return all(index.data == "entry" for index in suffix.children)  # type: ignore[union-attr]
                return suffix.data == "powering" and self.is_scalar(node.children[0])  # type: ignore[arg-type]
        return False

    def _is_form(self, node: Node) -> bool:
        """Whether a product of matrices is a row times a column, as x'A x is."""
        if any(str(sign) != "*" for sign in node.children[1::2]):
            return False
        shapes = [self._shape(c) for c in node.children[::2] if not self.is_scalar(c)]  # type: ignore[arg-type]
        return len(shapes) > 1 and None not in shapes and is_one(shapes[0][0]) and is_one(shapes[-1][1])  # type: ignore[index]

    def _shape(self, node: Node) -> Shape | None:
        """The shape of a declared name, of its rows and columns and the members of a family, or of a transpose."""
        if node.data == "name":
            return self.known.shapes.get(str(node.children[0]))
        if node.data == "postfix" and node.children[-1].data == "indexing":  # type: ignore[union-attr]
            return self._member(node) or self._slice(node)
        if node.data == "postfix" and node.children[-1].data == "transposition":  # type: ignore[union-attr]
            inner = self._shape(node.children[0])  # type: ignore[arg-type]
            return None if inner is None else (inner[1], inner[0])
        return None

    def _member(self, node: Node) -> Shape | None:
        """The shape of a member of a family."""
        head = node.children[0]
        named = isinstance(head, Tree) and head.data == "name" and len(node.children) == 2
        return self.known.families.get(str(head.children[0])) if named else None  # type: ignore[union-attr]

    def _is_recurrence(self, node: Node) -> bool:
        """Whether a node is a value of a recurrence."""
        head = node.children[0]
        named = isinstance(head, Tree) and head.data == "name" and len(node.children) == 2
        return named and str(head.children[0]) in self.known.recurrences  # type: ignore[union-attr]

    def _slice(self, node: Node) -> Shape | None:
        """The shape of a row or a column of a declared matrix."""
        shape = self._shape(node.children[0])  # type: ignore[arg-type]
        kinds = [index.data for index in node.children[-1].children]  # type: ignore[union-attr]
        if shape is None or len(kinds) != 2 or not set(kinds) <= {"entry", "whole"}:
            return None
        return (1 if kinds[0] == "entry" else shape[0], 1 if kinds[1] == "entry" else shape[1])

    def join(self, factors: Sequence[Factor]) -> Node:
        """The product: what stands side by side binds first, then from left to right.

        Raises:
            ParseError: there are two readings.
        """
        self._check_mixture(factors)
        joined = self._grouped(factors)
        left = joined[0].node
        pending: list[Factor] = []
        for factor in joined[1:]:
            if factor.operator in ("*", ".*", "/", "./", "@", "implicit"):
                pending.append(factor)
                continue
            left, pending = self._chained(left, pending), []
            a, b = st.span(left)[0], st.span(factor.node)[1]
            if factor.operator in _SHAPED:
                left = st.shaped(_SHAPED[factor.operator], [left, factor.node], a, b)
            elif factor.operator == "\\":
                left = st.call("solve", [left, factor.node], a, b)
            else:
                left = st.call("kron", [left, factor.node], a, b)
        return self._chained(left, pending)

    def _chained(self, left: Node, factors: Sequence[Factor]) -> Node:
        signs = [
            st.sign("*" if f.operator == "implicit" else f.operator, *(f.place if f.place[1] else (f_start, f_start)))
            for f in factors
            for f_start in (st.span(f.node)[0],)
        ]
        return st.chain("product", [left, *(f.node for f in factors)], signs)

    def _grouped(self, factors: Sequence[Factor]) -> list[Factor]:
        """Runs of factors side by side as one factor each; entrywise marks by the text's operators."""
        groups: list[list[Factor]] = []
        for factor in factors:
            if factor.operator == "implicit" and groups:
                groups[-1].append(factor)
            else:
                groups.append([factor])
        result: list[Factor] = []
        for group in groups:
            first = group[0]
            operator = ENTRYWISE.get(first.operator, first.operator)
            if operator in ("/", "\\", "./") and len(group) > 1:
                number = first.node.data == "number" and group[1].spaced
                if not (number or first.bracketed) or operator == "\\":
                    a, b = (self.source.words(g.node) for g in group[:2])
                    raise self.source.error(
                        f"the divisor has two readings: ... / ({a}*{b}) or (... / {a})*{b}: write the brackets",
                        first.node,
                    )
                result.append(Factor(operator, first.node, place=first.place))
                result += [Factor("*", f.node) for f in group[1:]]
                continue
            node = self._chained(first.node, group[1:])
            result.append(Factor(operator, node, place=first.place))
        return result

    def _check_mixture(self, factors: Sequence[Factor]) -> None:
        """Refuse products of matrices beside an entrywise or a Kronecker product: it matters which comes first."""
        kinds: dict[str, Factor] = {}
        for before, factor in zip(factors, factors[1:]):
            if self.is_scalar(before.node) or self.is_scalar(factor.node):
                continue
            kinds.setdefault(
                "kron" if factor.operator == "kron" else "entrywise" if factor.operator in _OF_ENTRIES else "matrix",
                factor,
            )
        if len(kinds) > 1:
            factor = next(f for kind, f in kinds.items() if kind != "matrix")
            raise self.source.error(
                "products of two kinds side by side have two readings: write brackets around the one that comes first",
                factor.node,
            )
