"""Random programs printed in other notations and read back: to the same values and gradients, or refused by name.

`python -m tests.fuzz.roundtrip --count 2000 --seed 1` runs them; `tests/test_roundtrip.py` runs some hundred. What the
text, LaTeX and Unicode doors refuse of what was printed is counted by its message; another function is a failure.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import matcalc as mc
import matcalc.api.derive
from matcalc.expr import Expr
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import value_with_facts
from matcalc.printing.latex import latex
from matcalc.properties import names_of
from matcalc.walk import variables

from .generate import Program, make, scalar
from .python_text import opened, python_function, writable
from .unicode_text import in_unicode

TOLERANCE = 1e-7
POINTS = 3
HIDDEN = "no point was compared"


@dataclass
class Outcome:
    """What came of one program in one notation: `same`, `refused` with the message, `failed` with the reason."""

    word: str
    said: str = ""


def shapes_of(program: Program) -> dict[str, tuple[Any, Any]]:
    """The shapes of the variables."""
    return {v.name: v.shape for v in program.variables}


def facts_of(program: Program) -> dict[str, list[str]]:
    """What is known of the variables."""
    return {v.name: names_of(v.params[3]) for v in program.variables if v.params[3]}


# ------------------------------------------------------------------------------------------------ the notations


def _text(program: Program) -> tuple[Any, dict[str, Any]]:
    return program.text(), {"functions": program.functions}


def _latex(program: Program) -> tuple[Any, dict[str, Any]]:
    lines = [f"{latex(e)} = {latex(e.args[0])}" for e in program.definitions]
    given = {"shapes": shapes_of(program), "facts": facts_of(program), "functions": program.functions}
    return " \\\\\n".join([*lines, latex(program.output)]), {**given, "syntax": "latex"}


def _unicode(program: Program) -> tuple[Any, dict[str, Any]]:
    *lines, last = program.text().splitlines()
    declared = len(program.variables)
    body = [in_unicode(line) for line in [*lines[declared:], last]]
    given = {"shapes": shapes_of(program), "facts": facts_of(program), "functions": program.functions}
    return "\n".join(body), given


def _python(library: str) -> Callable[[Program], tuple[Any, dict[str, Any]] | None]:
    def written(program: Program) -> tuple[Any, dict[str, Any]] | None:
        output = opened(program.output)
        if not writable(output, library):
            return None
        try:
            function = python_function(output, library)
        except LookupError:
            return None
        arrays = {v.name: () if v.is_scalar else v.shape for v in variables((output,))}
        return function, {"shapes": arrays, "facts": facts_of(program)}

    return written


NOTATIONS: dict[str, Callable[[Program], tuple[Any, dict[str, Any]] | None]] = {
    "text": _text,
    "latex": _latex,
    "unicode": _unicode,
    "numpy": _python("np"),
    "jax": _python("jnp"),
}


# ------------------------------------------------------------------------------------------------ comparison


def outcome(program: Program, notation: str) -> Outcome | None:
    """What comes of a program in a notation; None where it cannot be written there."""
    written = NOTATIONS[notation](program)
    if written is None:
        return None
    source, given = written
    wrt = [v.name for v in program.variables if "constant" not in names_of(v.params[3])]
    try:
        d = mc.derive(source, wrt=wrt, **given)
    except mc.MatcalcError as error:
        return Outcome("refused", str(error).splitlines()[0])
    shown = source if isinstance(source, str) else getattr(source, "source", "")
    try:
        reason = different(program, d, wrt)
    except Exception as error:  # a defect of the code, told with the program that shows it
        reason = f"{type(error).__name__}: {error}"
    if reason == HIDDEN:
        return Outcome("hidden")
    return Outcome("failed", f"{reason}\n{shown}\nread as {d.graph.output}") if reason else Outcome("same")


def different(program: Program, d: mc.Derivation, wrt: list[str]) -> str:
    """In what the function that was read differs from the program's, in value or gradient; empty where it does not."""
    if d.source.output is program.output:
        return ""
    rng = np.random.default_rng((*program.seed, 5))
    original = mc.derive(mc.Graph.of(program.output), wrt=wrt)
    at: dict[str, np.ndarray] | None = None  # the first point where there is a value
    for k in range(POINTS):
        arrays = dict(program.arrays) if k == 0 else _moved(program, rng)
        wanted = evaluate(original.source.output, arrays, program.sizes)
        given = arrays if d.origin is None else d.origin.with_constants(arrays)
        found = evaluate(d.source.output, {k: np.asarray(a, float) for k, a in given.items()}, program.sizes)
        if not np.isfinite(wanted).all():
            continue
        at = at or arrays
        if not close(found, wanted):
            return f"the value is {found.item():.8g}, not {wanted.item():.8g}"
    if at is None:
        return HIDDEN
    slopes = [x.function("gradient")(**at, dims=program.sizes) for x in (d, original)]
    for name in wrt:
        if not close(np.asarray(slopes[0][name]).reshape(-1), np.asarray(slopes[1][name]).reshape(-1)):
            return f"the gradient by {name} is another"
    return ""


def _moved(program: Program, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Another point near the program's, with its facts."""
    moved = {}
    for v in program.variables:
        A = program.arrays[v.name]
        facts = names_of(v.params[3])
        moved[v.name] = value_with_facts(v.name, v.params[3], A.shape, rng) if facts else A * rng.uniform(0.97, 1.03)
    return moved


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays agree."""
    scale = max(1.0, float(np.abs(b).max(initial=0)))
    return a.shape == b.shape and bool(np.isfinite(a).all() and np.abs(a - b).max(initial=0) <= TOLERANCE * scale)


def program_of(seed: int, number: int) -> Program | None:
    """The scalar program of a number."""
    made = make((seed, number))
    return None if made is None else scalar(made)


def operations_of(e: Expr) -> set[str]:
    """The operations in an expression."""
    found, waiting = set(), [e]
    while waiting:
        part = waiting.pop()
        if part.op not in found or part.args:
            found.add(part.op)
            waiting += part.args
    return found


def main() -> int:
    """Run, show failures and counts; 1 where something was read as something else."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.roundtrip", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--notation", choices=list(NOTATIONS), action="append")
    parser.add_argument("--refused", action="store_true", help="show what was refused")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for number in range(options.start, options.start + options.count):
        done = number - options.start
        if done and done % 100 == 0:
            words = {w: sum(n for key, n in counts.items() if key.endswith(w)) for w in ("same", "refused", "failed")}
            print(f"{done} programs: {words}", file=sys.stderr, flush=True)
        program = program_of(options.seed, number)
        if program is None:
            counts["no program"] += 1
            continue
        for notation in options.notation or NOTATIONS:
            found = outcome(program, notation)
            counts[f"{notation}: {'not written' if found is None else found.word}"] += 1
            if found is not None and found.word == "failed":
                print(f"\n{'-' * 100}\n{number} {notation}: {found.said}\n{program.text()}", flush=True)
            if found is not None and found.word == "refused":
                refused[f"{notation}: {found.said[:140]}"] += 1
    for word, n in sorted(counts.items()):
        print(f"{n:7d}  {word}")
    for said, n in refused.most_common(60) if options.refused else ():
        print(f"{n:7d}  {said}")
    return 1 if any(word.endswith("failed") for word in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
