"""The rewrite rules, one file per subject. Importing this package fills the registry of rules."""

import matcalc.ops  # noqa: F401  (the rules are about its operations)
from matcalc.rules import (
    canonical,
    commutation,
    content,
    determinants,
    expansion,
    factoring,
    fractions,
    functions,
    hadamard,
    inverse,
    kronecker,
    ones,
    push_through,
    recognition,
    tidying,
    trace,
    transpose,
)

__all__ = [
    "canonical",
    "commutation",
    "content",
    "determinants",
    "expansion",
    "factoring",
    "fractions",
    "functions",
    "hadamard",
    "inverse",
    "kronecker",
    "ones",
    "push_through",
    "recognition",
    "tidying",
    "trace",
    "transpose",
]
