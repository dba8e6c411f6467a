"""What each target refuses, exactly: who gives a target another operation, or takes one from it, changes a line here.

An operation is refused with the kind: its value, or its gradient (the derivative of its weighted sum of entries).
"""

from __future__ import annotations

_SOLVED = {"root"}  # the equations of implicit values: solved by code for NumPy, JAX and PyTorch
_SPECIAL = {"digamma", "gammaln", "polygamma"}
_NORMAL = {"normlogcdf", "normratio"}
_SPECTRA = {
    *("eigmax", "eigmin", "eigvals", "eigvecmax", "eigvecmin", "eigvecs", "singvals", "normnuc", "normspec"),
    *("pinv", "polar", "dpolar", "adj", "dadj", "dadjform", "det"),
}
_FUNCTIONS = {"expm", "logm", "sqrtm", "frechet", "frechetform", "frechetpow", "frechetpowform", "matpow"}
_EQUATIONS = {"sylvester", "lyapunov", "dlyapunov", "care", "dare"}
# C has neither decompositions nor functions of matrices nor what is made of them.
_C = (_SPECTRA - {"det"}) | (_FUNCTIONS - {"matpow"}) | _EQUATIONS | _SOLVED
_C |= {"blockinner", "blocksum", "chol", "conv", "convmat", "diagsums", "dpolarform", "dprodothers"}
_C |= {"prodothersform", "unvech", "vech", "block", "place", "slice", *_NORMAL}

REFUSED: dict[str, dict[str, set[str]]] = {
    "numpy": {"value": set(), "gradient": set()},
    "numba": {"value": set(), "gradient": set()},
    "jax": {"value": set(), "gradient": set()},
    "torch": {"value": set(), "gradient": set()},
    # The standard has no special functions.
    "array-api": {
        "value": _SOLVED | _SPECIAL | _NORMAL | {"normcdf", "erf", "erfc", "gelu"},
        "gradient": _SOLVED | _SPECIAL | _NORMAL | {"gelu"},
    },
    # Dask has no determinants, no eigenvalues, and no singular values of matrices in blocks.
    "dask": {
        "value": _SOLVED | _SPECTRA | _FUNCTIONS | _EQUATIONS | {"dpolarform", "logdet"},
        "gradient": _SOLVED | _SPECTRA | _FUNCTIONS | _EQUATIONS | {"dpolarform"},
    },
    "c": {
        "value": _C | {"digamma", "pdist2", "polygamma"},
        "gradient": _C | _SPECIAL | {"det", "kron", "prodothers"},
    },
    "r": {"value": _SOLVED, "gradient": _SOLVED},
    "octave": {"value": _SOLVED, "gradient": _SOLVED},
    **{name: {"value": _SOLVED, "gradient": _SOLVED} for name in ("cpp", "armadillo", "rcpp")},
    "stan": {"value": _SOLVED, "gradient": _SOLVED},
}

REFUSED["native"] = {"value": set(), "gradient": set()}  # what is not in C is asked of Python

# Of the reference cases that the tests of a target take, those that it refuses.
REFUSED_CASES: dict[str, set[str]] = {
    "array-api": set(),
    "dask": set(),
    "jax": set(),
    "torch": set(),
    "c": {
        *("cookbook-0067b", "cookbook-0080", "ml-multinomial-hess", "ml-kroncov-A", "ml-orthreg-hess", "tb-mn-XXt"),
        "tb-fn-pinv-tall",
    },
    "r": set(),
    "octave": set(),
    **{name: set() for name in ("cpp", "armadillo", "rcpp")},
    "stan": set(),
}
REFUSED_CASES["native"] = set()

# What a native function asks Python for, by operation: functions of matrices and equations that are SciPy's, and more.
_ASKED = (_EQUATIONS | _SOLVED | _FUNCTIONS | _NORMAL) - {"expm", "frechet", "matpow"}
_ASKED |= {"block", "conv", "convmat", "dadj", "dadjform", "diagsums", "digamma", "dpolar", "dpolarform", "dprodothers"}
_ASKED |= {"place", "polygamma", "prodothersform", "slice", "unvech", "vech"}
ASKED = {
    "value": _ASKED | {"pdist2"},
    "gradient": _ASKED | {"adj", "frechet", "gammaln", "polar", "prodothers"},
}
