"""What the runtime benchmark is to show, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Row = dict[str, Any]

BY_HAND = {"gradient": 1.05, "hessian": 1.10, "small": 1.15}  # geometric means of the NumPy functions
_SLOWEST = 1.20  # of a NumPy function, in times of the one by hand
_EXTRA = 16.0  # MB that a Hessian may need beside its result and a copy of the largest input


@dataclass(frozen=True)
class Goal:
    """A goal and what was found.

    Attributes:
        says: what is to hold.
        found: the number, or the workloads that miss it.
        met: whether it holds.
    """

    says: str
    found: str
    met: bool


def mean(rows: list[Row], column: str) -> float | None:
    """The geometric mean of a ratio, of those rows that have it."""
    values = [r["ratios"][column] for r in rows if column in r["ratios"]]
    return float(np.exp(np.mean(np.log(values)))) if values else None


def native_rows(rows: list[Row]) -> list[Row]:
    """The native functions of the rows."""
    kept = ("name", "group", "kind", "numpy MB", "result MB", "input MB")
    return [{**r["native"], **{k: r[k] for k in kept}} for r in rows if r["native"] is not None]


def goals(rows: list[Row]) -> list[Goal]:
    """All goals that the rows say something of."""
    native = native_rows(rows)
    return [*_of_numpy(rows), *_of_native(native), *_of_memory(rows, native), *_of_results(rows)]


def sentences(runs: dict[str, list[Row]]) -> list[str]:
    """A line for each goal of each run."""
    return [
        f"{label}: {'met' if goal.met else 'MISSED'}: {goal.says}: {goal.found}"
        for label, rows in runs.items()
        for goal in goals(rows)
    ]


def table(rows: list[Row]) -> str:
    """The goals as Markdown."""
    lines = [f"| {g.says} | {g.found} | {'yes' if g.met else 'no'} |" for g in goals(rows)]
    return "\n".join(["| goal | measured | met |", "|---|---|---|", *lines])


def _of_numpy(rows: list[Row]) -> Iterator[Goal]:
    for group, goal in BY_HAND.items():
        yield from _mean(f"NumPy by hand, {group}", [r for r in rows if r["group"] == group], "by hand", goal)
    yield from _each("NumPy by hand, each", rows, "by hand", _SLOWEST)


def _of_native(rows: list[Row]) -> Iterator[Goal]:
    small, larger = [r for r in rows if r["group"] == "small"], [r for r in rows if r["group"] != "small"]
    yield from _mean("native / NumPy target, small", small, "matcalc", 0.30)
    yield from _mean("native / NumPy target, medium and large", larger, "matcalc", 0.85)
    yield from _each("native / NumPy target, each", rows, "matcalc", 1.02)
    yield from _mean("native / NumPy by hand, all", rows, "by hand", 0.80)
    yield from _each("native / jax, each", rows, "jax", 1.0)
    yield from _mean("native / jax, small", small, "jax", 0.15)
    yield from _mean("native / jax, gradients", [r for r in rows if r["kind"] == "gradient"], "jax", 0.55)
    yield from _mean("native / jax, Hessians", [r for r in rows if r["kind"] == "hessian"], "jax", 0.03)
    rivals = ("numba", "C")
    better = [
        {"name": r["name"], "ratios": {"better": max(r["ratios"][p] for p in rivals if p in r["ratios"])}}
        for r in rows
        if any(p in r["ratios"] for p in rivals)
    ]
    yield from _each("native / the better of Numba and C by hand, each", better, "better", 1.05)


def _of_memory(rows: list[Row], native: list[Row]) -> Iterator[Goal]:
    for title, chosen, column in (("NumPy", rows, "numpy MB"), ("native", native, "MB")):
        hessians = [r for r in chosen if r["kind"] == "hessian" and r[column] is not None]
        allowed = {r["name"]: r["result MB"] + r["input MB"] + _EXTRA for r in hessians}
        over = [f"{r['name']} {r[column]:.0f} of {allowed[r['name']]:.0f} MB" for r in hessians]
        over = [text for text, r in zip(over, hessians) if r[column] > allowed[r["name"]]]
        if hessians:
            says = f"memory of {title} Hessians: the result, a block as large as the input and {_EXTRA:.0f} MB"
            yield Goal(says, "; ".join(over) or f"all {len(hessians)}", not over)


def _of_results(rows: list[Row]) -> Iterator[Goal]:
    failed = [f"{r['name']}: {name} {error}" for r in rows for name, error in r["failed"].items()]
    yield Goal("all results agree with those by hand to 8 digits", "; ".join(failed) or "all", not failed)


def _mean(title: str, rows: list[Row], column: str, goal: float) -> Iterator[Goal]:
    found = mean(rows, column)
    if found is not None:
        yield Goal(f"{title}: geometric mean at most {goal:.2f}", f"{found:.3f}", found <= goal)


def _each(title: str, rows: list[Row], column: str, goal: float) -> Iterator[Goal]:
    """No ratio beyond the goal."""
    found = sorted(((r["ratios"][column], r["name"]) for r in rows if column in r["ratios"]), reverse=True)
    if found:
        over = [f"{name} {ratio:.2f}" for ratio, name in found if ratio > goal]
        most = f"{len(found) - len(over)} of {len(found)}, at most {found[0][0]:.2f}"
        yield Goal(f"{title}: at most {goal:.2f}", "; ".join([most, *over]), not over)
