"""What the checks of a program share: its derivation, through every door, and the oracle's answers."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

import matcalc as mc
from matcalc.expr import Expr, postorder
from matcalc.graph import Graph
from matcalc.numeric.evaluate import evaluate
from matcalc.properties import names_of
from matcalc.walk import rebuild

from .generate import Program
from .reference import Reference


def by_text(program: Program, wrt: list[str], **options: Any) -> mc.Derivation:
    """The derivation of the program as text."""
    return mc.derive(program.text(), wrt=wrt, functions=program.functions, **options)


def by_graph(program: Program, wrt: list[str], **options: Any) -> mc.Derivation:
    """The derivation of the program as expressions."""
    return mc.derive(Graph.of(program.output), wrt=wrt, **options)


def by_sympy(program: Program, wrt: list[str]) -> mc.Derivation:
    """The derivation of the program as a SymPy expression; names are looked through."""
    facts = {str(v.params[0]): names_of(v.params[3]) for v in program.variables if v.params[3]}
    return mc.derive(sp.sympify(_without_names(program.output)), wrt=wrt, facts=facts)


def _without_names(e: Expr) -> Expr:
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        args = [done[a] for a in sub.args]
        done[sub] = args[0] if sub.op == "named" else rebuild(sub, args) if args else sub
    return done[e]


class Case:
    """A program with its scalar function, and what the checks share."""

    def __init__(self, program: Program) -> None:
        self.program = program
        free = [v for v in program.variables if "constant" not in names_of(v.params[3])]
        self.wrt = free
        self.names = [str(v.params[0]) for v in free]
        self.arrays = {k: frozen(a) for k, a in program.arrays.items()}
        self.restart()

    def restart(self) -> None:
        """What is random in a check is the same whatever was checked before."""
        self.rng = np.random.default_rng((*self.program.seed, 4))

    @cached_property
    def reference(self) -> Reference:
        """The oracle's answers by all variables."""
        return Reference(self.program, self.wrt)

    @cached_property
    def derivation(self) -> mc.Derivation:
        """The derivation, from the text."""
        return by_text(self.program, self.names)

    def pick(self) -> Expr:
        """One of the variables."""
        return self.wrt[int(self.rng.integers(len(self.wrt)))]

    def run(self, d: mc.Derivation, kind: str, target: str = "numpy", **options: Any) -> Any:
        """The function of a kind at the point."""
        return d.function(kind, target)(**self.arrays, dims=self.program.sizes, **options)

    def printed(self, d: mc.Derivation, e: Any) -> np.ndarray:
        """The value of a result as it is printed and read again."""
        again = d.parse(str(e))
        return evaluate(again, dict(self.program.arrays), self.program.sizes)


def frozen(a: np.ndarray) -> np.ndarray:
    """A read-only copy."""
    array = np.array(a, dtype=float)
    array.flags.writeable = False
    return array
