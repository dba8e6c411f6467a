"""Differentiation: reverse accumulation over the graph, and the derivation that shows it."""
