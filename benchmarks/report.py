"""Tables and plots of the runtime benchmark's measurements."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

GOALS = {"gradient": 1.05, "hessian": 1.10, "small": 1.15}
_EXTRA = 16.0  # MB that a Hessian may need beside its result and a copy of the largest input
_COLORS = {
    "matcalc": "#1f5fa8",
    "native": "#8e44ad",
    "numba": "#2a9d8f",
    "C": "#222222",
    "by hand": "#7a7a7a",
    "jax": "#c46a1b",
    "torch": "#b03a48",
    "autograd": "#4c8c4a",
}


def table(rows: list[dict[str, Any]], peers: list[str]) -> str:
    """The rows and their geometric means as Markdown."""
    columns = ["by hand", "forward", *peers]
    lines = ["| workload | time | peak MB | " + " | ".join(f"/ {c}" for c in columns) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) + 2))
    lines += [line(r, columns) for r in rows]
    for group, goal in GOALS.items():
        chosen = [r for r in rows if r["group"] == group]
        if chosen:
            cells = [f"**{ratio(mean)}**" if (mean := _mean(chosen, c)) else "" for c in columns]
            title = f"**{group}: geometric mean** (goal by hand: {goal:.2f})"
            lines.append(f"| {title} | | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def native_table(rows: list[dict[str, Any]], peers: list[str]) -> str:
    """The native functions of the rows, and their geometric means, as Markdown."""
    columns = ["matcalc", "by hand", *peers]
    heads = ["NumPy target", "by hand", *peers]
    lines = ["| workload | time | grows by MB | NumPy's | result MB | " + " | ".join(f"/ {c}" for c in heads) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) + 4))
    chosen = [r["native"] | {"name": r["name"], "group": r["group"]} for r in rows if r["native"] is not None]
    for r in chosen:
        cells = [ratio(r["ratios"][c]) if c in r["ratios"] else "" for c in columns]
        sizes = ["" if r[what] is None else f"{r[what]:.1f}" for what in ("MB", "numpy MB", "least MB")]
        lines.append(f"| {r['name']} | {_time(r['seconds'])} | " + " | ".join([*sizes, *cells]) + " |")
    parts = {"small": [r for r in chosen if r["group"] == "small"]}
    parts |= {"medium and large": [r for r in chosen if r["group"] != "small"]}
    parts |= {group: [r for r in chosen if r["group"] == group] for group in ("gradient", "hessian")}
    for title, part in parts.items():
        if part:
            cells = [f"**{ratio(mean)}**" if (mean := _mean(part, c)) else "" for c in columns]
            lines.append(f"| **{title}: geometric mean** | | | | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def native_faults(rows: list[dict[str, Any]]) -> list[str]:
    """What misses the goals of native functions, one sentence each."""
    chosen = [(r["name"], r["group"], r["native"]["ratios"]) for r in rows if r["native"] is not None]
    found = [
        f"native, {name}: {r['matcalc']:.2f} of the NumPy target (goal 1.02)"
        for name, _, r in chosen
        if r["matcalc"] > 1.02
    ]
    for small, goal in ((True, 0.30), (False, 0.85)):
        part = [{"ratios": r} for _, group, r in chosen if (group == "small") == small]
        mean = _mean(part, "matcalc")
        if mean is not None and mean > goal:
            found.append(
                f"native, {'small' if small else 'medium and large'}: {mean:.2f} of the NumPy target (goal {goal})"
            )
    for name, _, r in chosen:
        worst = max(r.get("numba", 0), r.get("C", 0))  # in times of the better of the two
        if worst > 1.05:
            found.append(f"native, {name}: {worst:.2f} of the better of Numba and C by hand (goal 1.05)")
    slower = [name for name, _, r in chosen if r.get("jax", 0) > 1]
    return [*found, *([f"native slower than jax: {'; '.join(slower)}"] if slower else [])]


def line(r: dict[str, Any], columns: list[str]) -> str:
    """One row."""
    cells = [ratio(r["ratios"][c]) if c in r["ratios"] else "" for c in columns]
    return f"| {r['name']} | {_time(r['seconds'])} | {r['MB']:.1f} | " + " | ".join(cells) + " |"


def ratio(x: float) -> str:
    """Two decimals, or two digits of a small one."""
    return f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def _mean(rows: Iterable[dict[str, Any]], column: str) -> float | None:
    values = [r["ratios"][column] for r in rows if column in r["ratios"]]
    return float(np.exp(np.mean(np.log(values)))) if values else None


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def faults(rows: list[dict[str, Any]], peers: list[str]) -> list[str]:
    """What misses its goal, one sentence each."""
    found = []
    for group, goal in GOALS.items():
        mean = _mean([r for r in rows if r["group"] == group], "by hand")
        if mean is not None and mean > goal:
            found.append(f"{group}: geometric mean {mean:.2f} of the hand-written time (goal {goal:.2f})")
    for r in rows:
        if r["ratios"]["by hand"] > 1.2:
            found.append(f"{r['name']}: {r['ratios']['by hand']:.2f} of the hand-written time (goal 1.20)")
        if r["group"] == "hessian" and r["MB"] > r["needed MB"] + _EXTRA:
            found.append(f"{r['name']}: peak {r['MB']:.0f} MB, result and largest input {r['needed MB']:.0f} MB")
    for peer in peers:
        slower = [r["name"] for r in rows if r["ratios"].get(peer, 0) > 1]
        if slower:
            measured = sum(peer in r["ratios"] for r in rows)
            found.append(f"slower than {peer} in {len(slower)} of {measured}: {'; '.join(slower)}")
    return found


def plot(rows: list[dict[str, Any]], peers: list[str], path: str) -> None:
    """Bars for the time of each library, in times of the hand-written version, on a logarithmic scale."""
    import matplotlib as mpl  # noqa: PLC0415  (optional)

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "matcalc"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    names = ["matcalc", *peers]
    height = 0.8 / len(names)
    figure, axes = plt.subplots(figsize=(9, 0.6 + 0.11 * len(names) * len(rows)), layout="constrained")
    places = np.arange(len(rows))[::-1]
    for k, name in enumerate(names):
        mine = np.array([r["ratios"]["by hand"] for r in rows])
        if name != "matcalc":
            mine = mine / np.array([r["ratios"].get(name, np.nan) for r in rows])
        axes.barh(places + (len(names) / 2 - k - 0.5) * height, mine, height, label=name, color=_COLORS[name])
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(places, [r["name"] for r in rows], fontsize=7)
    axes.set_xlabel("time, in times of the hand-written NumPy (logarithmic)")
    axes.margins(y=0.01)
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


NATIVE = """[Compiled](native.md) and called with the same arrays; `/ NumPy target` is the time in times of that of the
tables above. `C` is C by hand with the same BLAS, compiled and called in the same way, `numba` the same loops for
Numba. The memory is by how much the process grows during a call without memory of earlier ones, for the native and
the NumPy function, and the size of the result."""


def page(parts: list[tuple[str, str]], picture: str | None, how: str) -> str:
    """The page of the documentation: titled tables; `how` are the options of the run."""
    head = (
        "# Runtime of generated code\n\n"
        "The time of the generated function, and this time divided by those of others: below 1 it is faster. Every\n"
        "round measures each competitor once, in a random order; ratios are medians of the rounds. The\n"
        "hand-written version is careful NumPy (buffers owned and reused, products in the cheapest order);\n"
        "`forward` is the hand-written value alone. All results are compared before anything is timed. float64;\n"
        f"written by `benchmarks/runtime.py {how}`"
        f"{' in processor time, while others used the machine' if '--processor-time' in how else ''}.\n"
    )
    body = "".join(f"\n## {title}\n\n{text}\n" for title, text in parts)
    return head + (f"\n![Times]({picture})\n" if picture else "") + body


def write(path: str, text: str) -> None:
    """Write a text file."""
    Path(path).write_text(text, encoding="utf-8")
