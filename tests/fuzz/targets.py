"""Value and gradients by the code for other libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from inspect import signature
from typing import Any

import numpy as np

from .case import Case


def _jax() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import jax  # noqa: PLC0415  (optional)

    jax.config.update("jax_enable_x64", True)
    return jax.numpy.asarray, {}


def _torch() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import torch  # noqa: PLC0415  (optional)

    return (lambda a: torch.asarray(np.array(a))), {}


def _array_api() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import array_api_strict  # noqa: PLC0415  (optional)

    return array_api_strict.asarray, {"xp": array_api_strict}


def _dask() -> tuple[Callable[[np.ndarray], Any], dict[str, Any]]:
    import dask.array  # noqa: PLC0415  (optional)

    return (lambda a: dask.array.from_array(np.array(a), chunks=-1)), {}


LIBRARIES: Mapping[str, tuple[str, Callable[[], tuple[Callable[[np.ndarray], Any], dict[str, Any]]]]] = {
    "jax": ("jax", _jax),
    "torch": ("torch", _torch),
    "array-api": ("array_api_strict", _array_api),
    "dask": ("dask", _dask),
    "numba": ("numba", lambda: (np.asarray, {})),
}


def target_check(target: str) -> Callable[[Case], None]:
    """The check of one target: value and gradients."""

    def check(case: Case) -> None:
        put, extra = LIBRARIES[target][1]()
        scalars = {v.params[0] for v in case.program.variables if v.is_scalar}
        given = {k: float(a.item()) if k in scalars else put(a) for k, a in case.arrays.items()}
        f = case.derivation.function("value_and_grad", target)
        by_hand = {"dims": case.program.sizes} if "dims" in signature(f).parameters else {}
        value, gradients = f(**given, **extra, **by_hand)
        case.reference.value().widened().compare(f"value on {target}", value)
        for v in case.wrt:
            want = case.reference.gradient(v).widened()
            want.compare(f"gradient by {v.params[0]} on {target}", gradients[v.params[0]])

    return check


INSTALLED = {target: target_check(target) for target, (module, _) in LIBRARIES.items() if find_spec(module)}
