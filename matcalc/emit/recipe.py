"""What a module computes: the expressions of its value and of its results, before and after each pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from matcalc import core
from matcalc.expr import Expr, postorder
from matcalc.kinds import Kind


@dataclass
class Program:
    """What a module computes.

    Attributes:
        kind: what of it is returned.
        value: the output of the forward pass, or None where only derivatives are wanted.
        results: derivatives by the variable's name.
        variables: every variable of the source, in order.
        tangents: for jvp and hvp the variable that holds the tangent of each name.
        cotangent: for vjp the variable that holds the cotangent.
        output: for jvp the derivative of the output.
        factors: for each name the pairs of results that are the factors of Kronecker products.
        identities: the factors that are the sizes of identities.
        labels: what a page calls values, and how it writes them, by what is computed for them.
        alternative: the same in other products, and where that is cheaper: two operation counts to compare.
    """

    kind: Kind
    value: Expr | None
    results: Mapping[str, Expr]
    variables: list[Expr]
    tangents: Mapping[str, Expr] = field(default_factory=dict)
    cotangent: Expr | None = None
    output: Expr | None = None
    factors: Mapping[str, list[tuple[str, str]]] | None = None
    identities: frozenset[str] = frozenset()
    labels: Mapping[Expr, tuple[str, Expr]] = field(default_factory=dict)
    alternative: tuple[Any, Any, Program] | None = None

    @property
    def roots(self) -> dict[Expr, str]:
        """What is computed, and how it is called where it needs a name."""
        roots = {self.value: "value"} if self.kind.value and self.value is not None else {}
        if self.output is not None:
            roots[self.output] = "tangent"
        if self.kind.derivatives:
            for name, e in self.results.items():
                roots.setdefault(e, f"{self.kind.prefix}_{name}")
        return roots

    def with_factors(self, factors: Mapping[str, list[tuple[Expr, Expr]]]) -> Program:
        """The same program with results that are pairs of factors; sizes stand for identities."""
        results: dict[str, Expr] = {}
        pairs: dict[str, list[tuple[str, str]]] = {}
        identities: set[str] = set()
        for name, terms in factors.items():
            pairs[name] = []
            for k, term in enumerate(terms):
                keys = f"{name}_left{k or ''}", f"{name}_right{k or ''}"
                sized = (core.number(core.exact_dim(e.shape[0])) if e.op == "eye" else e for e in term)
                results |= zip(keys, sized)
                identities.update(key for key, e in zip(keys, term) if e.op == "eye")
                pairs[name].append(keys)
        return replace(self, results=results, factors=pairs, identities=frozenset(identities))

    def with_roots(self, table: Mapping[Expr, Expr]) -> Program:
        """The same program with what it computes replaced; a value that is not returned stays."""

        def new(e: Expr | None) -> Expr | None:
            return None if e is None else table.get(e, e)

        results = {name: table.get(e, e) for name, e in self.results.items()}
        labels = {table.get(e, e): label for e, label in self.labels.items()}
        return replace(self, value=new(self.value), results=results, output=new(self.output), labels=labels)

    @property
    def tracked(self) -> list[Expr]:
        """What is computed, and the parts of it that a page has names for."""
        return [*self.roots, *self.labels]

    def with_labels(self, labels: Mapping[Expr, str]) -> Program:
        """The same program with what a page calls its parts."""
        parts = set(postorder(self.roots))
        return replace(self, labels={e: (name, e) for e, name in labels.items() if e in parts})
