"""Printing expressions: one arrangement (terms.py), two hands (text.py, latex.py)."""
