"""What each target refuses, exactly: who gives a target another operation, or takes one from it, changes a line here.

An operation is refused with the kind: its value, or its gradient (the derivative of its weighted sum of entries).
"""

from __future__ import annotations

# Decompositions, matrix functions and triangles have neither a counterpart in the other libraries nor in C.
_EVERYWHERE = {
    *("adj", "blockinner", "blocksum", "chol", "conv", "convmat", "dadj", "dadjform", "diagsums", "dpolar"),
    *("dpolarform", "dprodothers", "eigmax", "eigmin", "eigvals", "eigvecmax", "eigvecmin", "eigvecs", "expm"),
    *("frechet", "frechetform", "frechetpow", "frechetpowform", "logm", "pinv", "polar", "prodothersform"),
    *("singvals", "sqrtm", "unvech", "vech"),
    *("sylvester", "lyapunov", "dlyapunov", "care", "dare", "root"),
}
# Without counterparts in the array libraries, though C has loops for them.
_LIBRARIES = _EVERYWHERE | {"cumsum", "prodothers", "tril", "triu"}
_VALUES = _LIBRARIES | {"broadcast", "gelu", "hardtanh", "outer", "pdist2"}
_GRADIENTS = _LIBRARIES | {"block", "det", "kron", "normnuc", "normspec", "prod", "vec"}
_BLOCKS = {"block", "place", "slice"}  # not in C
_SPECIAL = {"digamma", "gammaln", "polygamma"}
_NORMAL = {"normlogcdf", "normratio"}

REFUSED: dict[str, dict[str, set[str]]] = {
    "numpy": {"value": set(), "gradient": set()},
    "numba": {"value": set(), "gradient": set()},
    "array-api": {
        "value": _VALUES | _SPECIAL | _NORMAL | {"normcdf", "erf", "erfc"},
        "gradient": _GRADIENTS | _SPECIAL | _NORMAL | {"gelu"},
    },
    "dask": {
        "value": _VALUES
        | _SPECIAL
        | _NORMAL
        | {"normcdf", "det", "erf", "erfc", "logdet", "matpow", "normnuc", "normspec"},
        "gradient": _GRADIENTS | _SPECIAL | _NORMAL | {"gelu", "matpow"},
    },
    "jax": {
        "value": _VALUES,
        "gradient": _GRADIENTS,
    },
    "torch": {
        "value": _VALUES,
        "gradient": _GRADIENTS,
    },
    "c": {
        "value": _EVERYWHERE
        | _NORMAL
        | _BLOCKS
        | {"cumsum", "digamma", "gelu", "hardtanh", "normcdf", "normnuc", "normspec", "pdist2", "polygamma", "selu"},
        "gradient": _EVERYWHERE | _SPECIAL | _NORMAL | _BLOCKS | {"det", "kron", "normnuc", "normspec", "prodothers"},
    },
}

# Of the reference cases that the tests of a target take, those that it refuses.
REFUSED_CASES: dict[str, set[str]] = {
    "array-api": {
        *("cookbook-0041", "cookbook-0053", "cookbook-0067c", "ml-expm-A", "sympy-121", "sympy-issue-28622b"),
        *("tb-mn-detXtX", "tb-mn-eig", "tb-se-charpoly", "tb-fn-pinv-wide"),
    },
    "dask": set(),
    "jax": set(),
    "torch": set(),
    "c": {
        *("cookbook-0067b", "cookbook-0080", "ml-multinomial-hess", "ml-kroncov-A", "ml-orthreg-hess", "tb-mn-XXt"),
        "tb-fn-pinv-tall",
    },
}
