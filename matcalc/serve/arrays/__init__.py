"""The part of NumPy that derivations, checks, claims and optima use, in Python alone.

It stands in for NumPy where none is to be had, as in a browser, and is made for small matrices: it is slow. What it has
behaves as in NumPy 2; `names.py` says under which names.
"""
