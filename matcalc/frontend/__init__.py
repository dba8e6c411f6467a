"""Doors in: text, SymPy and Python functions become graphs."""
