"""Symbolic matrix calculus: gradients of matrix expressions, derived step by step.

Everything public is here and loaded on first use, so that `import matcalc` (and `matcalc --help`) is quick.

Example:
    >>> import matcalc as mc
    >>> d = mc.derive("x'*A*x", shapes={"x": ("n", 1), "A": ("n", "n")}, facts={"A": "symmetric"}, wrt="x")
    >>> print(d.gradient("x"))
    2*A*x
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__version__ = "0.1.0"

# Public names and the modules they come from; the operations (`mc.sigmoid`, ...) come from the registry.
_HOME = {
    "derive": "matcalc.api.derive",
    "prove": "matcalc.api.prove",
    "minimize": "matcalc.api.optimize",
    "maximize": "matcalc.api.optimize",
    "sum_over": "matcalc.api.sums",
    "solves": "matcalc.api.implicit",
    "minimizes": "matcalc.api.implicit",
    "Derivation": "matcalc.api.derivation",
    "Verdict": "matcalc.claims.verdict",
    "Optimum": "matcalc.optimum.result",
    "Graph": "matcalc.graph",
    "Expr": "matcalc.expr",
    "var": "matcalc.core",
    "number": "matcalc.core",
    "Function": "matcalc.ops.user_functions",
    "Notation": "matcalc.printing.style",
    "Note": "matcalc.export.note",
    "MatcalcError": "matcalc.errors",
    "ShapeError": "matcalc.errors",
    "FactError": "matcalc.errors",
    "NoRuleError": "matcalc.errors",
    "ParseError": "matcalc.errors",
    "MissingDependencyError": "matcalc.errors",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name.startswith("_") or (name not in _HOME and find_spec(f"matcalc.{name}") is not None):
        raise AttributeError(f"module 'matcalc' has no attribute {name!r}")  # a submodule: the import goes on
    import_module("matcalc.api.derive")  # fills the registries
    if name in _HOME:
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value
    operation = import_module("matcalc.api.operations").public(name)  # not kept: operations may come and go
    if operation is None:
        errors, hints = import_module("matcalc.errors"), import_module("matcalc.frontend.hints")
        meant = hints.about_call(name, ()) or errors.closest(name, __dir__())
        raise AttributeError(f"module 'matcalc' has no attribute {name!r}{meant}")
    return operation


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext matcalc`: the cell magic `%%matcalc` and completion of names."""
    import_module("matcalc.api.jupyter").load(shell)


def __dir__() -> list[str]:
    return sorted([*__all__, *import_module("matcalc.api.operations").public_names()])
