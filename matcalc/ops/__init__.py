"""The catalogue: one record per operation, one file per mathematical domain. Importing it fills the registry."""

from matcalc.ops import arithmetic, comparison, elementwise, linalg, normalization, products, reductions

__all__ = ["arithmetic", "comparison", "elementwise", "linalg", "normalization", "products", "reductions"]
