"""Derivations of programs with families and recurrences: adjoints in loops, backpropagation through time."""
