"""The operations and rules as a reference: signatures, definitions, names elsewhere; found by meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sympy as sp

import matcalc.api.derive  # noqa: F401  (fills the registries)
from matcalc import core
from matcalc.dims import dim, shape_text
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY, REQUIRED, Expr, Op, node
from matcalc.frontend.hints import CALLS, READINGS, about_call
from matcalc.printing.text import text
from matcalc.rewrite.rule import RULES
from matcalc.walk import variables

_LETTERS = {"scalar": "st", "column": "xyzuv", "matrix": "ABCDEFGH"}


def operations() -> list[dict[str, Any]]:
    """The operations, those of the text first, each as plain data."""
    entries = [_operation(entry) for entry in REGISTRY.values()]
    return sorted(entries, key=lambda e: ("example" not in e, e["syntax"] != "call"))  # by domain within


def rules() -> list[dict[str, Any]]:
    """The rewrite rules as plain data."""
    return [{"name": r.name, "identity": r.identity, "source": r.source, "group": r.group} for r in RULES.values()]


def found(entries: Iterable[dict[str, Any]], words: Iterable[str], what: str) -> list[dict[str, Any]]:
    """The entries that mention every word, or what it means here; those of that name first.

    Raises:
        MatcalcError: there are none.
    """
    words = list(words)
    wanted = [word.lower() for word in words]
    meant = {word: meanings(word) for word in wanted}
    chosen = [e for e in entries if all(_mentions(e, word) or e["name"] in meant[word] for word in wanted)]
    if not chosen:
        written = [f"{word}{about}" for word in words if (about := about_call(word, ()))]
        raise MatcalcError(f"no {what} mentions {' and '.join(words)}{''.join(f' ({w})' for w in written)}")

    def rank(e: dict[str, Any]) -> int:
        if any(e["name"] == word for word in wanted):
            return 0
        if any(word in e.get("also", ()) or e["name"] in meant[word] for word in wanted):
            return 1
        return 2 if any(e["name"].startswith(word) for word in wanted) else 3

    return sorted(chosen, key=rank)


def meanings(word: str) -> set[str]:
    """The operations that a word of another system stands for."""
    written = {**CALLS, **READINGS}
    forms = [form for name, form in written.items() if name.lower() == word]
    names = {name for form in forms for name in re.findall(r"[A-Za-z_]\w*(?=\()", form) if name in REGISTRY}
    bare = {re.sub(r"\{\d\}", "", form).strip() for form in forms}
    return names | {name for sign, name in (("'", "transpose"), ("*", "matmul"), (".^2", "power")) if sign in bare}


def _mentions(entry: dict[str, Any], word: str) -> bool:
    searched = (entry["name"], entry["identity"], entry["source"], entry.get("group", ""), entry.get("signature", ""))
    return any(word in part.lower() for part in (*searched, entry.get("definition", ""), *entry.get("also", ())))


def _operation(entry: Op) -> dict[str, Any]:
    data: dict[str, Any] = {"name": entry.name, "identity": entry.identity, "source": entry.source}
    data["also"], data["syntax"] = list(entry.also), entry.syntax
    e = _example(entry)
    if e is not None and e.args:
        given = ", ".join(f"{v.name}: {shape_text(v.shape)}" for v in variables([e]))
        data["shapes"] = f"{given} gives {shape_text(e.shape)}"
        data["example"] = text(e)
        if entry.definition is not None:
            data["definition"] = text(entry.definition(*e.args, *e.params))
    data["signature"] = _signature(entry, e) if entry.syntax == "call" else data.get("example", entry.name)
    return data


def _signature(entry: Op, e: Expr | None) -> str:
    letters = [a.name or text(a) for a in e.args] if e is not None else list("AB")
    params = [p.name if p.default is REQUIRED else f"{p.name}={_default(p.default)}" for p in entry.params]
    return f"{entry.name}({', '.join([*letters, *params])})"


def _default(value: Any) -> str:
    return "all" if value is None else str(value)


def _example(entry: Op) -> Expr | None:
    """The operation on variables with usual letters; None where the record's example is not a call."""
    shapes = []
    for part in filter(None, (p.strip() for p in entry.example[0].split(","))):
        shape, _, value = part.partition("=")
        shapes.append((*(dim(int(d)) if d.isdigit() else dim(sp.sympify(d)) for d in shape.split()), value))
    left = {kind: list(letters) for kind, letters in _LETTERS.items()}
    if len(shapes) == 1:
        left["matrix"] = ["X"]
    args = []
    for rows, cols, value in shapes:
        kind = "matrix" if cols != 1 else "scalar" if rows == 1 else "column"
        args.append(core.number(sp.Rational(value)) if value else core.var(left[kind].pop(0), rows, cols))
    params = [dim(p) if spec.kind == "dim" else p for spec, p in zip(entry.params, entry.example[1:])]
    try:
        return node(entry.name, args, tuple(params))
    except MatcalcError:
        return None


def lines(entry: dict[str, Any]) -> str:
    """An entry as lines of text."""
    if "signature" not in entry:
        return f"{entry['name']}\n    {entry['identity']}\n    [{entry['source']}]"
    own = entry["signature"].startswith(entry["name"])
    shown = [entry["signature"] if own else f"{entry['name']}: {entry['signature']}"]
    shown.append(f"    {entry['shapes']}" if entry.get("shapes") else "")
    shown.append(f"    = {entry['definition']}" if entry.get("definition") else "")
    shown.append(f"    {entry['identity']}")
    shown.append(f"    also: {', '.join(entry['also'])}" if entry["also"] else "")
    shown.append(f"    [{entry['source']}]")
    return "\n".join(filter(None, shown))
