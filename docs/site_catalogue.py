"""The catalogue of operations and rules as Markdown pages, from the registries: identity, source, LaTeX."""

from __future__ import annotations

from collections.abc import Iterable

import matcalc.api.derive  # noqa: F401  (fills the registries)
from matcalc.expr import REGISTRY, Op
from matcalc.printing.breaking import displayed
from matcalc.printing.latex import latex
from matcalc.printing.style import STANDARD
from matcalc.rewrite.rule import RULES, Rule
from matcalc.views.formulas import formulas

INNER = frozenset({"variable", "number", "named", "func"})  # what is written by its own letters


TITLES = {
    "collapse": "Towards the normal form",
    "present": "Towards the shortest form",
    "distribute": "Towards sums of products",
    "expand": "For deciding equality",
    "tidy": "Between the rules",
}


def operations_page() -> str:
    """Every operation: how it is called, its differential, where that is published.

    Example:
        >>> page = operations_page()
        >>> "d sigmoid" in page, page.count("## ") >= 80
        (True, True)
    """
    about = "Each operation is one record; gradients, Jacobians and code are all made from its differential."
    parts = ["# Operations", about]
    for module, entries in _by_module(op for op in REGISTRY.values() if op.name not in INNER):
        parts.append(f"## {module.replace('_', ' ').capitalize()}")
        parts += [_operation(op) for op in entries]
    return "\n\n".join(parts) + "\n"


def _operation(op: Op) -> str:
    arguments = ", ".join("ABCDEFGH"[k] for k in range(_arity(op)))
    parameters = "".join(f", {p.name}" for p in op.params)
    return "\n".join(
        [
            f"### `{op.name}({arguments}{parameters})`".replace("(, ", "("),
            "",
            *_formulas(op),
            f"`{op.identity}`",
            "",
            f"*Source:* {op.source}",
        ]
    )


def _formulas(op: Op) -> list[str]:
    """The operation and its differential, set as formulas."""
    found = formulas(op.name, STANDARD)
    shown = [displayed(f) for f in (found.operation, found.differential) if f]
    return [line for f in shown for line in (f"$$\n{f}\n$$", "")]


def _arity(op: Op) -> int:
    shapes = op.example[0] if op.example and isinstance(op.example[0], str) else ""
    return len([part for part in shapes.split(",") if part.strip()])


def _by_module(entries: Iterable[Op]) -> list[tuple[str, list[Op]]]:
    found: dict[str, list[Op]] = {}
    for op in entries:
        found.setdefault(op.differential.__module__.rpartition(".")[2], []).append(op)
    return list(found.items())


def rules_page() -> str:
    """Every rewrite rule: its identity as a formula, in words, and its source.

    Example:
        >>> page = rules_page()
        >>> "kron_times_vec" in page and r"\\operatorname{vec}(A X B^\\top)" in page
        True
    """
    parts = ["# Rules", "Every step of a derivation is one of these identities, by its name."]
    for group, title in TITLES.items():
        parts.append(f"## {title}")
        parts += [_rule(rule) for rule in RULES.values() if rule.group == group]
    return "\n\n".join(parts) + "\n"


def _rule(rule: Rule) -> str:
    left, right = rule.example()
    lines = [f"### {rule.name}", "", f"$$\n{latex(left)} = {latex(right)}\n$$", "", f"`{rule.identity}`", ""]
    return "\n".join([*lines, f"*Source:* {rule.source}"])


PAGES = {"catalogue/operations.md": operations_page, "catalogue/rules.md": rules_page}
