"""The catalogue: one record per operation, one file per mathematical domain. Importing it fills the registry."""

from matcalc.ops import (
    activations,
    arithmetic,
    comparison,
    decompositions,
    elementwise,
    entry_products,
    linalg,
    matrix_functions,
    normalization,
    pairs,
    products,
    reductions,
    selection,
    spectral,
    structures,
    user_functions,
)

__all__ = [
    "activations",
    "arithmetic",
    "comparison",
    "decompositions",
    "elementwise",
    "entry_products",
    "linalg",
    "matrix_functions",
    "normalization",
    "pairs",
    "products",
    "reductions",
    "selection",
    "spectral",
    "structures",
    "user_functions",
]
