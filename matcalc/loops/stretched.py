"""Gradients in little memory for compiled targets and JAX: every k-th state is stored, stretches between are functions.

The stretches, the starts and the value are programs, whose gradients are generated as those of any other; a module has
the modules of all, and what calls them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from textwrap import indent

from matcalc.expr import Expr
from matcalc.indices.program import LoopSum, Program
from matcalc.kinds import GRADIENT, VALUE_AND_GRAD, Kind
from matcalc.loops import scan_stretch_helpers, stretch_helpers
from matcalc.loops.code import Writer
from matcalc.loops.functions import Made
from matcalc.loops.library import Library
from matcalc.loops.pieces import Pieces
from matcalc.loops.scan import ScanWriter
from matcalc.loops.stage import Function
from matcalc.loops.stretches import Stretch, Stretches
from matcalc.walk import variables

Part = tuple[Program, Expr, list[Expr]]  # a program, its function, the variables that it takes
Write = Callable[[Pieces, Kind, str], str]  # the text of the module of a program, by the target of a part


class StretchWriter(Writer):
    """Writes the function of a module; `write` gives the text of the module of a part."""

    small = "numpy"  # the target of the starts and of the value
    helpers: tuple[Callable[..., object], ...] = (
        *(stretch_helpers._part, stretch_helpers._forth, stretch_helpers._back, stretch_helpers._take),
    )

    def __init__(
        self,
        pieces: Pieces,
        kind: Kind,
        directions: dict[str, str],
        library: Library,
        target: str,
        every: int,
        write: Write,
    ) -> None:
        super().__init__(pieces, kind, directions, library)
        self.of, self.target, self.every, self.write = Stretches(pieces), target, every, write
        self.modules: list[str] = []
        self.forwards_by = {self.of.entering[key].name: self.of.leaving[key].name for key in self.of.entering}

    def helper_sources(self, found: Sequence[Made | Function]) -> list[str]:
        """The helpers, then the modules of the parts."""
        own = [inspect.getsource(h).rstrip() for h in self.helpers]
        return [*super().helper_sources(found), *own, *self.modules]

    # -------------------------------------------------------------------------------------------- parts

    def part(self, label: str, of: Part, wrt: Collection[str], kind: Kind, target: str) -> str:
        """The name of the function of a part, whose module is taken up."""
        program, output, declared = of
        pieces = Pieces(program, output, declared, list(wrt))
        name = f"_{label}"
        takes = [*(v.name for v in declared), *program.families]
        module = self.write(pieces, kind, target).rstrip()
        lines = [f"def _module{name}():", indent(module, "    "), f"    return {kind}"]
        turned = repr(self.forwards_by).replace("'", '"')
        lines += ["", "", f"{name} = _take(_module{name}(), {_listed(takes)}, {turned})"]
        self.modules.append("\n".join(lines))
        return name

    def used(self, program: Program, output: Expr, also: Iterable[Expr]) -> list[Expr]:
        """The variables that a part takes."""
        bodies = [output, *(q.body for q in program.quantities if isinstance(q, LoopSum))]
        found = dict.fromkeys(v for v in variables(bodies) if v not in program.members)
        bases = {m.base for _, m in program.used(*bodies) if m.base is not None}
        names = {v.name for v in (*found, *bases)}
        return [*(v for v in self.pieces.declared.values() if v.name in names), *(v for v in also if v in found)]

    def needed(self, program: Program, output: Expr) -> None:
        """Only the families that a part uses."""
        bodies = [output, *(q.body for q in program.quantities if isinstance(q, LoopSum))]
        used = {m.of for _, m in program.used(*bodies)}
        program.families = {name: f for name, f in program.families.items() if name in used}

    # -------------------------------------------------------------------------------------------- the computation

    def computation(self) -> Iterator[str]:
        """The stretches forwards, the value, the stretches backwards."""
        of, xp = self.of, self.library.prefix
        wrt = list(self.pieces.wrt)
        inputs = [*self.pieces.declared, *self.program.families]
        yield f"given = {{{', '.join(f'{_quoted(n)}: {n}' for n in inputs)}}}"
        yield from self.started(wrt)
        zeros = [*((v, f"0*states[{_quoted(e.name)}]") for (_, v), e in zip(of.leaving.items(), of.entering.values()))]
        zeros += [(w, self.zeros(w.shape)) for w in of.weights.values()]
        yield f"zeros = {{{', '.join(f'{_quoted(v.name)}: {text}' for v, text in zeros)}}}"
        totals = ", ".join(f"{_quoted(w.name)}: {self.zeros(w.shape)}" for w in of.weights.values())
        yield f"stretches = [{', '.join(self.stretch(k, s, wrt) for k, s in enumerate(of.stretches, 1))}]"
        yield f"saved, ends, sums = _forth(stretches, given, states, {{{totals}}}, zeros, dims, {self.every})"
        yield from self.valued(wrt)
        like = "0*given[n]" if xp != "np" else "np.zeros(np.shape(given[n]))"
        yield f"found = {{n: made.get(n, {like}) for n in {_listed(wrt)}}}"
        pairs = [(c.name, f"made.get({_quoted(e.name)}, zeros[{_quoted(c.name)}])") for c, e in
                 zip(of.leaving.values(), of.entering.values())]  # fmt: skip
        pairs += [
            (w.name, f"made.get({_quoted(of.totals[q].name)}, zeros[{_quoted(w.name)}])") for q, w in of.weights.items()
        ]
        yield f"weights = {{{', '.join(f'{_quoted(n)}: {text}' for n, text in pairs)}}}"
        yield f"weights, found = _back(stretches, given, saved, weights, found, dims, {self.every})"
        yield from self.finished(wrt)
        yield from (f"{self.adjoint(n)} = found[{_quoted(n)}]" for n in wrt)

    def started(self, wrt: Sequence[str]) -> Iterator[str]:
        """The starts, and the states before the first stretch."""
        of = self.of
        program, output = of.start()
        begun = list(of.begun.values())
        self.needed(program, output)
        declared = self.used(program, output, begun)
        declared += [v for v in begun if v not in declared]
        self.start_part: Part = (program, output, declared)
        name = self.part("start", self.start_part, [v.name for v in begun], GRADIENT, self.small)
        blank = ", ".join(f"{_quoted(v.name)}: {self.zeros(v.shape)}" for v in begun)
        yield f"blank = {{**given, {blank}}}"
        yield f"starts = {name}(**{{n: blank[n] for n in {name}.takes}}, dims=dims)"
        states = []
        for (r, age), v in of.entering.items():
            start = of.begun.get((r, of.first - age))
            states.append((v, f"starts[{_quoted(start.name)}]" if start is not None else self.zeros(v.shape)))
        yield f"states = {{{', '.join(f'{_quoted(v.name)}: {text}' for v, text in states)}}}"

    def stretch(self, k: int, s: Stretch, wrt: Sequence[str]) -> str:
        """A stretch as the helpers take it."""
        of = self.of
        leaving = [v.name for v in (*of.leaving.values(), *of.weights.values()) if v in s.declared]
        of_stretch = (s.program, s.output, s.declared)
        forth = self.part(f"forth_{k}", of_stretch, leaving, GRADIENT, self.target)
        back_by = [n for n in s.whole if n in wrt] + [c.name for c in s.cuts if c.of in wrt]
        back_by += [v.name for v in of.entering.values()]
        back = self.part(f"back_{k}", of_stretch, back_by, GRADIENT, self.target)
        cuts = ", ".join(f"({_quoted(c.name)}, {_quoted(c.of)}, {c.axis}, {c.begin}, {c.more})" for c in s.cuts)
        moved = _quoted(of.offset.name) if s.moved else "None"
        ends = f"{self.size(s.first)}, {self.size(s.last)}"
        return f"({forth}, {back}, {ends}, {_listed(s.whole)}, [{cuts}], {moved}, {_quoted(str(of.steps))})"

    def valued(self, wrt: Sequence[str]) -> Iterator[str]:
        """The value and its gradients by all that goes back."""
        of = self.of
        program, output = of.out()
        self.needed(program, output)
        ends = [*of.totals.values(), *of.entering.values(), *of.begun.values()]
        declared = self.used(program, output, ends)
        known = {v.name for v in declared} | set(program.families)
        by = [n for n in (*wrt, *(v.name for v in ends)) if n in known]
        name = self.part("value", (program, output, declared), by, VALUE_AND_GRAD, self.small)
        totals = ", ".join(f"{_quoted(t.name)}: sums[{_quoted(of.weights[q].name)}]" for q, t in of.totals.items())
        yield f"ended = {{**given, **starts, **ends, {totals}}}"
        yield f"value, made = {name}(**{{n: ended[n] for n in {name}.takes}}, dims=dims)"

    def finished(self, wrt: Sequence[str]) -> Iterator[str]:
        """The gradients of the starts."""
        of = self.of
        program, _, declared = self.start_part
        names = {v.name for v in declared} | set(program.families)
        by = [n for n in wrt if n in names]
        if not by:
            return
        name = self.part("started", self.start_part, by, GRADIENT, self.small)
        pairs = []
        for (r, p), v in of.begun.items():
            terms = [f"made.get({_quoted(v.name)}, {self.zeros(v.shape)})"]
            key = (r, of.first - p)
            if key in of.leaving:
                terms.append(f"weights[{_quoted(of.leaving[key].name)}]")
            pairs.append(f"{_quoted(v.name)}: {' + '.join(terms)}")
        yield f"begun = {{**given, {', '.join(pairs)}}}"
        yield f"made = {name}(**{{n: begun[n] for n in {name}.takes}}, dims=dims)"
        yield "found = {n: g + made[n] if n in made else g for n, g in found.items()}"


class ScanStretchWriter(StretchWriter, ScanWriter):
    """The same in JAX."""

    small = "jax"
    helpers = (
        *(scan_stretch_helpers._place, scan_stretch_helpers._stretch, scan_stretch_helpers._runs),
        *(scan_stretch_helpers._forth, scan_stretch_helpers._back, scan_stretch_helpers._take),
    )


def _quoted(name: str) -> str:
    return f'"{name}"'


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"
