"""Calls as other systems write them: what a function with these arguments is in the text syntax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from matcalc.expr import REGISTRY, synonym
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.syntax import Node, Source

MATHEMATICAL = frozenset(("exp", "log", "sqrt", "sin", "cos", "sinh", "cosh"))  # also of matrices as a whole
_KEEPS_SHAPE = frozenset(("softmax", "log_softmax", "cumsum", "standardize"))
_NORMS = {
    "fro": "norm", "'fro'": "norm", "Frobenius": "norm", "F": "norm", "1": "norm_1", "2": "norm_2", "inf": "norm_inf",
    "Inf": "norm_inf", "nuc": "nuclear",
}  # fmt: skip
IGNORED = ("keepdims", "keepdim")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: an expression or a quoted word, with its keyword if it has one."""

    node: Node | None
    word: str = ""
    keyword: str = ""


def own_name(name: str) -> str:
    """The operation's own name where the name is that of one elsewhere."""
    if name in REGISTRY:
        return name
    entry = synonym(name)
    return entry.name if entry is not None else name


def called(source: Source, name: str, given: Sequence[Argument], start: int, end: int, python: bool) -> Node:
    """The tree of a call.

    Raises:
        ParseError: an option has no counterpart, or two readings.
    """
    place: Node = st.name(name, start, end)
    if name in ("norm", "Norm"):
        return _norm(source, given, place, "norm" if python else "norm_of")
    if name == "dot" and python and len(given) == 2 and all(g.node is not None and not g.keyword for g in given):
        return st.shaped("dot", [g.node for g in given if g.node is not None], start, end)
    name = own_name(name)
    positional = [a for a in given if not a.keyword]
    words = [a.word for a in positional if a.word]
    if words:
        raise source.error(f"the option {words[0]!r} of {name} is not read", place)
    nodes = [a.node for a in positional if a.node is not None]
    options = {a.keyword: a for a in given if a.keyword}
    kept = any(options.pop(k, None) for k in IGNORED)
    axis = options.pop("axis", None) or options.pop("dim", None)
    own = {p.name for p in REGISTRY[name].params} if name in REGISTRY else set()
    keywords = [_keyword(word, given.node) for word, given in options.items() if word in own and given.node is not None]
    options = {word: given for word, given in options.items() if word not in own}
    if options:
        raise source.error(f"the option {next(iter(options))} of {name} is not read", place)
    if python and len(nodes) == 2 and axis is None and name in ("sum", "mean", "max", "min", "prod", *_KEEPS_SHAPE):
        axis = Argument(nodes.pop())
    if axis is not None and axis.node is not None:
        nodes.append(_axis(source, name, axis.node, kept, place))
    if python and name in ("var", "std") and axis is None:
        nodes = nodes[:1]
    if name in ("max", "min") and len(nodes) == 2 and axis is None and nodes[1].data != "number":
        name = {"max": "maximum", "min": "minimum"}[name]
    return st.call(name, [*nodes, *keywords], start, end)


def _keyword(word: str, value: Node) -> Node:
    """word=value."""
    start, end = st.span(value)
    return st.tree("keyword", [st.token("NAME", word, start, start), value], start, end)


def _axis(source: Source, name: str, node: Node, kept: bool, place: Node) -> Node:
    """NumPy's axis, counted from 0, as the syntax's: axis 0 is 1."""
    given = source.words(node).replace(" ", "")
    a, b = st.span(node)
    if given not in ("0", "1", "-1", "-2"):
        raise source.error(f"axis={given} of {name} is not read: 0 or 1", place)
    own = {"0": "1", "-2": "1", "1": "2", "-1": "2"}[given]
    if own == "2" and not kept and name not in _KEEPS_SHAPE:
        raise source.error(
            f"axis={given} of {name} gives an array without that axis in NumPy, and a column here, {name}(X, 2): write "
            "keepdims=True, or the text syntax",
            place,
        )
    return st.number(own, a, b)


def _norm(source: Source, given: Sequence[Argument], place: Node, plain: str) -> Node:
    """norm(x), norm(x, 1), norm(A, 'fro')."""
    a, b = st.span(place)
    nodes = [g for g in given if g.node is not None and not g.keyword]
    options = [g for g in given[1:] if g.keyword in ("", "ord")]
    if not nodes or len(options) != len(given) - 1 or len(given) > 2:
        raise source.error("norm is read as norm(x) or norm(x, kind)", place)
    node = nodes[0].node
    assert node is not None
    if not options:
        return st.shaped(plain, [node], a, b)
    option = options[0]
    kind = source.words(option.node) if option.node is not None else option.word
    kind = kind.rpartition(".")[2]
    if kind not in _NORMS:
        raise source.error(f"the norm of the kind {kind} is not read", place)
    return st.shaped(_NORMS[kind], [node], a, b)


def is_literal(node: Node, value: str) -> bool:
    """Whether a node is this number."""
    first = node.children[0] if node.children else None
    return node.data == "number" and isinstance(first, Token) and str(first) == value
