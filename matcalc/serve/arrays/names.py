"""What stands under NumPy's names, and the methods of arrays and numbers."""

from __future__ import annotations

import math
from types import ModuleType, SimpleNamespace
from typing import Any

from matcalc.serve.arrays import linalg, products, random, reductions, scalars, shaping, ufuncs
from matcalc.serve.arrays.array import asarray, broadcast_to, ndarray, nonzero
from matcalc.serve.arrays.scalars import COMPLEX, FLOAT, boxed
from matcalc.serve.arrays.text import array2string

SCALARS = (scalars.bool_, scalars.int64, scalars.float64, scalars.complex128)


# Functions that are methods too; an underscore keeps them from taking the place of Python's.
REDUCTIONS = {
    function.__name__.rstrip("_"): function
    for function in (
        *(reductions.sum_, reductions.prod, reductions.max_, reductions.min_, reductions.all_, reductions.any_),
        *(reductions.mean, reductions.var, reductions.std, reductions.argmax, reductions.argmin),
        *(reductions.cumsum, reductions.cumprod, reductions.argsort),
    )
}


def _own(module: ModuleType) -> dict[str, Any]:
    """The functions and classes that a module defines, without its helpers."""
    return {k: v for k, v in vars(module).items() if k[0] != "_" and getattr(v, "__module__", "") == module.__name__}


def _ufuncs() -> dict[str, Any]:
    found = {k: v for k, v in vars(ufuncs).items() if isinstance(v, ufuncs.ufunc)}
    return {**found, **ufuncs.FUNCTIONS, **ufuncs.COMPARISONS, "abs": ufuncs.absolute}


NUMPY: dict[str, Any] = {
    **_own(shaping),
    **_own(products),
    **_own(reductions),
    **_ufuncs(),
    **{name: getattr(scalars, name) for name in ("pi", "e", "inf", "nan", "finfo", "errstate", "generic", "dtype")},
    **{made.__name__: made for made in SCALARS},
    **REDUCTIONS,
    "amax": reductions.max_,
    "amin": reductions.min_,
    "array2string": array2string,
    "asarray": asarray,
    "ascontiguousarray": asarray,
    "bool": scalars.bool_,
    "broadcast_to": broadcast_to,
    "double": scalars.float64,
    "floating": scalars.float64,
    "frompyfunc": ufuncs.frompyfunc,
    "inexact": scalars.float64,
    "integer": scalars.int64,
    "intp": scalars.int64,
    "ma": SimpleNamespace(is_masked=lambda value: False),
    "ndarray": ndarray,
    "newaxis": None,
    "nonzero": lambda value: tuple(nonzero(asarray(value))),
    "number": scalars.generic,
    "result_type": ufuncs.result_type,
    "round": shaping.around,
    "ufunc": ufuncs.ufunc,
    "__version__": "2",
}
LINALG = {**_own(linalg), "LinAlgError": linalg.LinAlgError}
RANDOM = {name: getattr(random, name) for name in ("Generator", "default_rng")}


# ------------------------------------------------------------------------------------------------ methods


def _part(self: ndarray, choose: Any) -> ndarray:
    return ndarray([choose(x) for x in self.entries()], self.shape, FLOAT)


def _truth(self: ndarray) -> bool:
    if self.size > 1:
        raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()")
    return bool(self.item()) if self.size else False


METHODS: dict[str, Any] = {
    **ufuncs.operators(),
    **ufuncs.in_place(),
    **REDUCTIONS,
    "clip": shaping.clip,
    "conj": ufuncs.conjugate.method,
    "conjugate": ufuncs.conjugate.method,
    "dot": products.dot,
    "imag": property(
        lambda self: _part(self, lambda x: x.imag) if self.dtype is COMPLEX else shaping.zeros(self.shape)
    ),
    "nonzero": lambda self: tuple(nonzero(self)),
    "real": property(lambda self: _part(self, lambda x: x.real) if self.dtype is COMPLEX else self),
    "round": shaping.around,
    "trace": shaping.trace,
    "__bool__": _truth,
    "__complex__": lambda self: complex(self.item()),
    "__contains__": lambda self, x: x in self.entries(),
    "__float__": lambda self: float(self.item()),
    "__format__": lambda self, spec: format(self.item() if not self.shape else str(self), spec),
    "__imatmul__": lambda self, other: products.matmul(self, other),
    "__index__": lambda self: int(self.item()),
    "__int__": lambda self: int(self.item()),
    "__matmul__": lambda self, other: NotImplemented if ufuncs.stranger(other) else products.matmul(self, other),
    "__repr__": lambda self: f"array({array2string(self, separator=', ')})",
    "__rmatmul__": lambda self, other: products.matmul(other, self),
    "__str__": lambda self: array2string(self),
}
NUMBERS = {
    **ufuncs.operators(),
    **{
        name: (lambda self, *a, f=name, **o: getattr(asarray(self), f)(*a, **o))
        for name in ("astype", "reshape", "ravel")
    },
    "__divmod__": lambda self, other: (self // other, self % other),
    "conj": lambda self: boxed(self.item().conjugate(), self.dtype),
    "mean": scalars.generic.same,
    "flat": property(lambda self: asarray(self).flat),
    "__round__": lambda self, digits=None: round(self.item(), digits) if math.isfinite(self) else self.item(),
}

for _name, _method in METHODS.items():
    setattr(ndarray, _name, _method)
for _class in SCALARS:
    for _name, _method in NUMBERS.items():
        setattr(_class, _name, _method)
