"""Differentiation: reverse accumulation over the graph, and the derivation that shows it."""

import matcalc.rules  # noqa: F401  (fills the registries of operations and rules, on which this package rests)
