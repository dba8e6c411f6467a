"""The rewrite rules, one file per subject. Importing this package fills the registry of rules."""

import matcalc.ops  # noqa: F401  (the rules are about its operations)
from matcalc.rules import commutation, factoring, hadamard, inverse, kronecker, ones, recognition, trace, transpose

__all__ = [
    "commutation",
    "factoring",
    "hadamard",
    "inverse",
    "kronecker",
    "ones",
    "recognition",
    "trace",
    "transpose",
]
