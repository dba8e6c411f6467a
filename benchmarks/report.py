"""Tables and plots of the runtime benchmark's measurements."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import goals
import numpy as np

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
    for group, goal in goals.BY_HAND.items():
        chosen = [r for r in rows if r["group"] == group]
        if chosen:
            cells = [f"**{ratio(mean)}**" if (mean := goals.mean(chosen, c)) else "" for c in columns]
            title = f"**{group}: geometric mean** (goal by hand: {goal:.2f})"
            lines.append(f"| {title} | | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def native_table(rows: list[dict[str, Any]], peers: list[str]) -> str:
    """The native functions of the rows, and their geometric means, as Markdown."""
    columns = ["matcalc", "by hand", *peers]
    heads = ["NumPy target", "NumPy by hand", *(_HEADS.get(p, p) for p in peers)]
    lines = ["| workload | time | grows by MB | NumPy's | result MB | " + " | ".join(f"/ {c}" for c in heads) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) + 4))
    chosen = goals.native_rows(rows)
    for r in chosen:
        cells = [ratio(r["ratios"][c]) if c in r["ratios"] else "" for c in columns]
        sizes = ["" if r[what] is None else f"{r[what]:.1f}" for what in ("MB", "numpy MB", "result MB")]
        lines.append(f"| {r['name']} | {_time(r['seconds'])} | " + " | ".join([*sizes, *cells]) + " |")
    parts = {"small": [r for r in chosen if r["group"] == "small"]}
    parts |= {"medium and large": [r for r in chosen if r["group"] != "small"]}
    parts |= {f"all {kind}s": [r for r in chosen if r["kind"] == kind] for kind in ("gradient", "hessian")}
    parts |= {"all": chosen}
    for title, part in parts.items():
        if part:
            cells = [f"**{ratio(mean)}**" if (mean := goals.mean(part, c)) else "" for c in columns]
            lines.append(f"| **{title}: geometric mean** | | | | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def line(r: dict[str, Any], columns: list[str]) -> str:
    """One row."""
    cells = [ratio(r["ratios"][c]) if c in r["ratios"] else "" for c in columns]
    return f"| {r['name']} | {_time(r['seconds'])} | {r['MB']:.1f} | " + " | ".join(cells) + " |"


def ratio(x: float) -> str:
    """Two decimals, or two digits of a small one."""
    return f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


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


_HEADS = {"numba": "Numba by hand", "C": "C by hand"}
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def parts(runs: dict[str, list[dict[str, Any]]], peers: list[str]) -> list[tuple[str, str]]:
    """For each run, with its number of threads, its tables with their titles: NumPy, native and the goals."""
    found = []
    for label, rows in runs.items():
        rivals = [p for p in peers if p not in ("native", *_HEADS)]
        title = label[0].upper() + label[1:]
        found.append((title, table(rows, rivals)))
        if "native" in peers:
            others = [p for p in (*_HEADS, "jax") if p in peers]
            found.append((f"Native functions, {label}", native_table(rows, others)))
        found.append((f"Goals, {label}", goals.table(rows)))
    return found


def tables(parts: list[tuple[str, str]], how: str) -> str:
    """What stands between the marks of the page: how it was measured, and the titled tables."""
    clock = "processor time, others used the machine" if "--processor-time" in how else "wall time"
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, NumPy {np.__version__}"
    head = f"Measured by `python benchmarks/runtime.py {how}` ({machine}; {clock}).\n"
    return head + "".join(f"\n## {title}\n\n{text}\n" for title, text in parts)


def around(path: str) -> tuple[str, str]:
    """What stands before the tables of a page and after them."""
    before, begin, rest = Path(path).read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise SystemExit(f"{path} has no {_BEGIN} ... {_END}")
    return before, after


def write(path: str, text: str) -> None:
    """Put a text between the marks of a page, and leave the rest of it."""
    before, after = around(path)
    Path(path).write_text(f"{before}{_BEGIN}\n\n{text}\n{_END}{after}", encoding="utf-8")
