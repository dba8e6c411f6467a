"""Claims about gradients of programs with families and recurrences, in sums or in matrices.

A claim is disproved where it is wrong once the program is written out for some sizes; that holds as it stands. It is
proved term by term: sums over the same index have provably equal terms. What is neither is undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from matcalc import core
from matcalc.calculus.problem import Problem
from matcalc.claims.claim import identity_judged
from matcalc.claims.equality import Proof, prove
from matcalc.claims.spreading import Spreading, is_sum
from matcalc.claims.verdict import DISPROVED, PROVED, UNDECIDED, Verdict
from matcalc.dims import Dim, plus, same, same_shape, shape_text
from matcalc.dims import text as dim_text
from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.frontend.parser import parse
from matcalc.graph import Graph
from matcalc.indices.program import Family, Guard, LoopSum, Program, Recurrence, Run
from matcalc.loops.check import lengths
from matcalc.loops.lines import Line, text, without_locals
from matcalc.loops.pieces import Pieces
from matcalc.loops.problem import LoopProblem
from matcalc.loops.unrolled import Unrolled, unrolled
from matcalc.properties import names_of
from matcalc.walk import substitute, variables

SHIFTS = (0, 1)  # the lengths of loops at which a claim is tried: the smallest that were found, and longer ones


_ADJOINT = re.compile(r"(?<!\w)d_(\w+)")


def _with_adjoints(d: LoopProblem, claim: str) -> str:
    """A claim with the adjoints `d_h[t]` as the page writes them, `g_h[t]`, where `d_h` is nothing else."""
    known = {*d.declared, *d.program.recurrences, *d.program.families, *d.pieces.sum_names}

    def renamed(found: re.Match[str]) -> str:
        return f"{d.pieces.prefix}{found[1]}" if found[1] in known and found[0] not in known else found[0]

    return _ADJOINT.sub(renamed, claim)


def _with_index(family: Family, claim: str) -> str:
    """A claim about a member in which its index occurs."""
    index = family.run.name
    return claim if re.search(rf"\b{index}\b", claim) else f"({claim}) + 0*{family.name}[{index}]"


def _without_zeros(e: Expr) -> Expr:
    """A sum without what is multiplied by 0."""
    kept = [a for a in e.args if not (a.op == "scale" and a.args[0].number == 0)] if e.op == "add" else [e]
    return core.add(*kept) if kept and len(kept) < max(len(e.args), 1) else e


def judged_loop(d: LoopProblem, name: str, claim: str) -> Verdict:
    """The verdict on a claim about the gradient by a variable, or by a member of a family with its index.

    Args:
        d: the derivation.
        name: of a variable (`W`), a member (`u[k]`), or a family (then `claim` is about a member with its own index).
        claim: text in the scope of the program: its values, and the right adjoints `g_h[t]`.

    Raises:
        MatcalcError: the text is not in the syntax, or names what does not exist.
    """
    base = name.split("[")[0].strip()
    d.one(base)
    about = f"the gradient with respect to {name}"
    asked = _Claim(d, base, _with_adjoints(d, claim))
    agreed = 0
    for shift in SHIFTS:
        sizes = {n: size + shift for n, size in lengths(d).items()}
        for right, claimed, declared in asked.sides(sizes):
            found = identity_judged(right, claimed, declared, claim)
            if found.status == DISPROVED:
                return replace(found, about=about, claim=claim, expected=None)
            agreed += found.agreed
    proofs = asked.proofs() or asked.spread_proofs()
    if proofs is None:
        return Verdict(UNDECIDED, about, claim, agreed=agreed, tried=("term by term", "written out for small sizes"))
    return Verdict(PROVED, about, claim, proof=proofs[0] if proofs else None, agreed=agreed)


Nest: TypeAlias = tuple[Run | Guard, ...]  # the indices of a term, then the conditions on them


class _Claim:
    def __init__(self, d: LoopProblem, name: str, claim: str) -> None:
        self.d, self.name = d, name
        self.family = d.program.families.get(name)
        body = f"sum({self.family.run.text}, {_with_index(self.family, claim)})" if self.family else claim
        *before, last = [part for line in body.splitlines() for part in line.split(";") if part.strip()]
        source = "\n".join([*self.declarations(), *map(text, d.forward()[:-1]), *before, last])
        parsed = parse(source)
        if parsed.program is None:
            raise MatcalcError("the claim has no loops")
        self.program: Program = parsed.program
        self.output = parsed.graph.output
        inside = {*self.program.members, *(q.value for q in self.program.quantities if isinstance(q, LoopSum))}
        declared = [v for v in parsed.graph.declared.values() if v not in inside]
        self.pieces = Pieces(self.program, self.output, declared, ())

    def declarations(self) -> Iterator[str]:
        """The variables and families of the program, and the adjoints of its values."""
        d, prefix = self.d, self.d.pieces.prefix
        for v in d.declared:
            yield " ".join([f"{v.name}: {shape_text(v.shape)}", *names_of(v.params[3])])
        for f in d.program.families.values():
            yield " ".join([f"{f.name}[{f.run.text}]: {shape_text(f.shape)}", *f.facts])
        for r in d.program.recurrences.values():
            assert r.shape is not None
            assert r.run is not None
            ends = f"{dim_text(r.lowest)}..{dim_text(self.highest(r))}"
            yield f"{prefix}{r.name}[{r.run.name}={ends}]: {shape_text(r.shape)}"
        for q in d.program.quantities:
            if isinstance(q, LoopSum):
                yield f"{prefix}{q.value.name}: {shape_text(q.value.shape)}"

    def highest(self, r: Recurrence) -> Dim:
        """The last position at which the adjoint of a recurrence is mentioned, where it is 0."""
        assert r.run is not None
        lags = [m.at for q in self.d.program.quantities if not isinstance(q, LoopSum) for part in q.parts
                if part.body is not None for _, m in self.d.program.used(part.body) if m.of == r.name]  # fmt: skip
        return plus(r.run.last, max((-at for at in lags if isinstance(at, int)), default=0))

    # -------------------------------------------------------------------------------------------- written out

    def sides(self, sizes: Mapping[str, int]) -> Iterator[tuple[Expr, Expr, list[Expr]]]:
        """The right gradient and the claimed one for some sizes, by each member."""
        whole = unrolled(self.d.pieces, sizes)
        claimed = unrolled(self.pieces, sizes)
        adjoints = self.adjoints(whole, claimed)
        problem = _problem(whole, [v for v in whole.variables if v.name in whole.members.get(self.name, [self.name])])
        if self.family is None:
            yield problem.gradient(self.name), substitute(claimed.output, adjoints), whole.variables
            return
        terms = claimed.output.definition
        each = terms.args if terms.op == "add" and len(whole.members[self.name]) > 1 else (terms,)
        for member, term in zip(whole.members[self.name], each, strict=True):
            yield problem.gradient(member), substitute(term, adjoints), whole.variables

    def adjoints(self, whole: Unrolled, claimed: Unrolled) -> dict[Expr, Expr]:
        """The right adjoints, for the variables that stand for them in the claim."""
        prefix = self.d.pieces.prefix
        graph = Graph.of(whole.output, whole.variables)
        table: dict[Expr, Expr] = {}
        for v in variables((claimed.output,)):
            if v.name.startswith(prefix) and v.name not in {u.name for u in whole.variables}:
                of = v.name.removeprefix(prefix)
                value = graph.definitions.get(of)
                table[v] = core.zeros(*v.shape) if value is None else _problem(whole, [value]).adjoint(of).value
        return table

    # -------------------------------------------------------------------------------------------- term by term

    def proofs(self) -> list[Proof] | None:
        """Proofs that the terms of the claim are those of the gradient; None where one is missing."""
        lines = self.d.adjoints.result(self.name)
        if len(lines) != 1:
            return None
        mine, theirs = self.by_run(lines[0]), self.claimed_by_run()
        if theirs is None or len(mine) != len(theirs):
            return None
        proofs = []
        for nest, value in mine:
            other = next((v for r, v in theirs if _same_nest(r, nest)), None)
            if other is None or not same_shape(other.shape, value.shape):
                return None
            run = nest[0] if len(nest) == 1 and isinstance(nest[0], Run) else None
            proof = prove(
                substitute(without_locals(value), self.known), substitute(self.renamed(other, run), self.known)
            )
            if proof is None:
                return None
            proofs.append(proof)
        return proofs

    def spread_proofs(self) -> list[Proof] | None:
        """Proofs nest by nest, once products with sums are multiplied out on both sides; None where one is missing."""
        (line, *others), d = self.d.adjoints.result(self.name), self.d
        if others or line.further or line.guards or line.across or (self.family and not self.by_run(line)):
            return None
        own = self.family.run.name if self.family else ""
        known = {*self.known_sums, *d.pieces.sum_names, *d.program.recurrences}
        if self.family is not None and line.over is not None and line.over.index != own:
            return None
        sums = [r for name, r in self.program.recurrences.items() if name in d.program.recurrences and is_sum(r)]
        ours, theirs = Spreading(d.program, known, own), Spreading(self.program, known, own, sums)
        mine = ours.collected(
            (*_apart(nest), substitute(without_locals(v), self.known)) for nest, v in self.by_run(line)
        )
        claimed = theirs.collected([((), (), self.output.definition)])
        proofs = []
        for nest in dict.fromkeys((*mine, *claimed)):
            sides = [mine.get(nest), claimed.get(nest)]
            shape = next(e.shape for e in sides if e is not None)
            one, other = (core.zeros(*shape) if e is None else substitute(self.plain(e), self.known) for e in sides)
            proof = prove(one, other) if same_shape(one.shape, other.shape) else None
            if proof is None:
                return None
            proofs.append(proof)
        return proofs

    @cached_property
    def known(self) -> dict[Expr, Expr]:
        """What equals a value of the program: what a recurrence computes, and the adjoints of sums."""
        d = self.d
        table = {r.body: d.program.of_family(r.name, r.run.name, 0) for r in d.program.recurrences.values()
                 if r.body is not None and r.run is not None and r.body.args and not r.inner}  # fmt: skip
        for of in [q.value for q in d.program.quantities if isinstance(q, LoopSum)]:
            terms = d.adjoints.plain(of.name)
            if len(terms) == 1 and terms[0].run is None:
                table[d.pieces.adjoint_of(of)] = without_locals(terms[0].value)
        for r in filter(is_sum, d.program.recurrences.values()):
            lines = list(d.adjoints.recurrence(r))
            if len(lines) == 1 and not lines[0].further and [t.run for t in lines[0].terms] == [None]:
                assert lines[0].head is not None
                table[lines[0].head] = without_locals(lines[0].terms[0].value)
        return table

    def by_run(self, line: Line) -> list[tuple[Nest, Expr]]:
        """The terms of our gradient with their indices and conditions, the index of a member at its own value."""
        if self.family is None:
            return [((*term.runs, *term.guards), term.value) for term in line.terms]
        over, head = line.over, line.head
        what = None if head is None else self.d.program.members.get(head)
        if over is None or what is None or what.at != 0:
            return []
        own = Run(over.index, over.first, over.last)
        return [((own, *term.runs, *term.guards), term.value) for term in line.terms]

    def plain(self, e: Expr) -> Expr:
        """An expression in variables that are called alike in the claim."""
        return substitute(e, dict(self.own_sums))

    def claimed_by_run(self) -> list[tuple[Nest, Expr]] | None:
        """The terms of the claim: multiples of sums, and the rest; None for other forms."""
        sums = {q.value: q for q in self.program.quantities if isinstance(q, LoopSum)}
        output = self.output.definition
        found: list[tuple[Nest, Expr]] = []
        rest: list[Expr] = []
        for term in output.args if output.op == "add" else (output,):
            inside = [v for v in variables((term,)) if v in sums and v.name not in self.known_sums]
            if not inside:
                rest.append(term)
                continue
            factors = term.args if term.op == "scale" else (term,)
            if (
                len(inside) > 1
                or factors[-1] is not inside[0]
                or any(inside[0] in variables((f,)) for f in factors[:-1])
            ):
                return None
            q = sums[inside[0]]
            runs, guards, body = q.runs, q.guards, _without_zeros(q.body)
            while body in sums and body.name not in self.known_sums:  # a sum that does not depend on the index around
                inner = sums[body]
                runs, guards, body = (*runs, *inner.runs), (*guards, *inner.guards), inner.body
            found.append(((*runs, *guards), core.scale(*factors[:-1], body) if len(factors) > 1 else body))
        if rest:
            found.append(((), core.add(*rest)))
        return found

    @property
    def known_sums(self) -> set[str]:
        """The sums of the program itself, as the claim's program calls them; they come first."""
        return {theirs.name for theirs, _ in self.own_sums}

    @property
    def own_sums(self) -> list[tuple[Expr, Expr]]:
        """The sums of the program itself: their variables in the claim's program, and in the derivation."""
        found = ([q.value for q in p.quantities if isinstance(q, LoopSum)] for p in (self.program, self.d.program))
        return list(zip(*found))

    def renamed(self, e: Expr, run: Run | None) -> Expr:
        """A term of the claim with the name that the index has in our gradient."""
        other = next((m.index for v in variables((e,)) if (m := self.program.members.get(v)) and m.index), None)
        if run is None or other is None or other == run.name:
            return self.plain(e)
        table = {}
        for v, what in self.program.used(e):
            if what.index == other:
                shown = v.name.replace(f"[{other}", f"[{run.name}").replace(f", {other}", f", {run.name}")
                table[v] = core.var(run.name if what.base is None and not what.of else shown, *v.shape)
        return self.plain(substitute(e, table))


def _apart(nest: Nest) -> tuple[tuple[Run, ...], tuple[Guard, ...]]:
    """The indices and the conditions of a nest."""
    return tuple(p for p in nest if isinstance(p, Run)), tuple(p for p in nest if isinstance(p, Guard))


def _problem(whole: Unrolled, wrt: list[Expr]) -> Problem:
    """The problem of the written out program."""
    return Problem(Graph.of(whole.output, whole.variables), wrt)


def _same_nest(a: Nest, b: Nest) -> bool:
    """Whether terms run over the same: one index under any name, or the same ones under conditions that are written."""
    if len(a) == len(b) == 1 and isinstance(a[0], Run) and isinstance(b[0], Run):
        return same(a[0].first, b[0].first) and same(a[0].last, b[0].last)
    return a == b
