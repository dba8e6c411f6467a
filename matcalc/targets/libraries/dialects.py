"""The libraries, by the names of their targets."""

from __future__ import annotations

from matcalc.targets import array_api, dask, jax, torch

_MODULES = {"array-api": array_api, "dask": dask, "jax": jax, "torch": torch}
DIALECTS = {name: module.DIALECT for name, module in _MODULES.items()}
