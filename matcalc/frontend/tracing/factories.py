"""What answers no protocol of NumPy: np.ones of sizes, len, functions of scipy.linalg. It is wrapped for a run."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any

import numpy as np

from matcalc import core
from matcalc.dims import dim
from matcalc.frontend.tracing import operations
from matcalc.frontend.tracing.arrays import MATRIX, Value, number
from matcalc.frontend.tracing.distributions import FUNCTIONS
from matcalc.frontend.tracing.numpy_array import DROPPED, Array
from matcalc.frontend.tracing.numpy_table import Entry, column_stack
from matcalc.frontend.tracing.scipy_table import SCIPY, scipy_function
from matcalc.frontend.tracing.session import Session
from matcalc.frontend.tracing.tracer import Tracer, has_tracer

RANDOM = "randomness: a derivative needs the same function at every call. Make the random array an argument"


class Factory:
    """The functions that make arrays from sizes, with sizes that have names."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seed = Array(session, number(0))

    def sizes(self, shape: Any) -> tuple[Any, ...]:
        """A shape."""
        given = shape if isinstance(shape, (tuple, list)) else (shape,)
        return tuple(dim(self.seed.exact_index(d)) for d in given)

    def filled(self, shape: Any, value: Any) -> Any:
        """An array of one value."""
        lifted = self.seed.perform_lift(value)
        return self.seed.perform("an array of one value", operations.filled, lifted, self.sizes(shape))

    def eye(self, n: Any, m: Any = None, k: int = 0) -> Any:
        """The identity."""
        if k or (m is not None and self.sizes(m) != self.sizes(n)):
            raise self.session.refuse("eye with another diagonal or shape: multiply by a constant mask")
        (size,) = self.sizes(n)
        return Array(self.session, Value(core.eye(size), (size, size)))

    def arranged(self, values: Any) -> Any:
        """np.array of lists of values."""
        if isinstance(values, Tracer):
            return Array(self.session, values.value)
        return self.seed.perform("np.array", operations.arranged, self.seed.perform_lift(values))


def wrapped(original: Any, mine: Callable[..., Any]) -> Any:
    """A function that leaves to `original` what has no tracer in it."""

    @wraps(original, updated=())
    def call(*args: Any, **options: Any) -> Any:
        if any(map(has_tracer, (*args, *options.values()))):
            options = {k: v for k, v in options.items() if k not in DROPPED}
            return mine(*args, **options)
        return original(*args, **options)

    return call


def changes(session: Session) -> list[tuple[Any, str, Any]]:
    """What is wrapped for a run: (module, name, function)."""
    factory = Factory(session)
    seed = factory.seed
    makers: dict[str, Callable[..., Any]] = {
        "ones": lambda shape: factory.filled(shape, 1),
        "zeros": lambda shape: factory.filled(shape, 0),
        "empty": lambda shape: factory.filled(shape, 0),
        "full": lambda shape, fill_value: factory.filled(shape, fill_value),
        "eye": lambda N, M=None, k=0: factory.eye(N, M, k),
        "identity": lambda n: factory.eye(n),
        "array": lambda values, **_: factory.arranged(values),
        "asarray": lambda values: values if isinstance(values, Tracer) else factory.arranged(values),
        "atleast_1d": lambda a: a if a.ndim else a.reshape((1,)),
        "atleast_2d": lambda a: a if a.ndim == MATRIX else a[None, :] if a.ndim else a.reshape((1, 1)),
        "isscalar": lambda a: a.ndim == 0,
    }
    makers["ascontiguousarray"] = makers["asanyarray"] = makers["asarray"]
    found = [(np, name, wrapped(getattr(np, name), mine)) for name, mine in makers.items()]
    for name in ("arange", "linspace", "tri", "fromfunction", "meshgrid", "vectorize", "apply_along_axis"):
        found.append((np, name, wrapped(getattr(np, name), _unknown(session, name))))
    found += [(np, "c_", Columns(np.c_, seed))]
    for name in ("sqrt", "exp", "log", "log1p", "expm1", "sin", "cos", "tan", "tanh", "log2", "log10", "pow"):
        ufunc = np.power if name == "pow" else getattr(np, name)
        found.append((math, name, wrapped(getattr(math, name), ufunc)))
    for name in dir(np.random):
        if callable(getattr(np.random, name)) and name[0] != "_" and name not in ("test", "Generator", "RandomState"):
            found.append((np.random, name, _refuse_random(session, getattr(np.random, name))))
    for name in ("random", "gauss", "normalvariate", "uniform", "randint", "choice", "shuffle", "sample", "randrange"):
        found.append((random, name, _refuse_random(session, getattr(random, name))))
    return found + _of_scipy(session, seed)


def _of_scipy(session: Session, seed: Array) -> list[tuple[Any, str, Any]]:
    """The functions of SciPy that know no protocol; of the parts that are loaded."""
    if find_spec("scipy") is None:
        return []
    found = []
    loaded = [m for m in ("special", "linalg", "spatial.distance", "stats", "optimize") if f"scipy.{m}" in sys.modules]
    for part in loaded:
        module = sys.modules[f"scipy.{part}"]
        for name in getattr(module, "__all__", dir(module)):
            original = getattr(module, name, None)
            if isinstance(original, (np.ufunc, type)) or not callable(original):
                continue
            if part == "stats" and any(hasattr(original, f) for f in ("logcdf", "logpdf", "logpmf")):
                found.append((module, name, Distribution(session, name, original)))
                continue
            full = f"{part}.{name}"
            if full in SCIPY and scipy_function(full) is original:
                mine: Callable[..., Any] = _entered(seed, name, SCIPY[full])
            else:
                mine = _unknown(session, name)
            found.append((module, name, wrapped(original, mine)))
    return found


class Distribution:
    """A distribution of scipy.stats: its functions of values of the function, by name."""

    def __init__(self, session: Session, name: str, original: Any) -> None:
        self._parts = session, name, original

    def __getattr__(self, function: str) -> Any:
        session, name, original = self._parts
        known = getattr(original, function)
        if not callable(known):
            return known
        full = f"{name}.{function}"
        return wrapped(known, FUNCTIONS.get(full, _unknown(session, full)))

    def __call__(self, *args: Any, **options: Any) -> Any:
        """With its parameters: norm(m, s).logpdf(x) is norm.logpdf(x, m, s)."""
        return (
            Frozen(self, args, options) if has_tracer([*args, *options.values()]) else self._parts[2](*args, **options)
        )


class Frozen:
    """A distribution with its parameters."""

    def __init__(self, of: Distribution, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._parts = of, args, options

    def __getattr__(self, function: str) -> Any:
        of, args, options = self._parts
        known = getattr(of, function)
        return lambda *x: known(*x, *args, **options)


def _entered(seed: Array, name: str, entry: Entry) -> Callable[..., Any]:
    return lambda *args, **options: seed.entered(name, entry, args, options)


def _unknown(session: Session, name: str) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise session.refuse(f"{name} is not known here: write it with functions that are")

    return call


def _refuse_random(session: Session, original: Any) -> Any:
    @wraps(original, updated=())
    def call(*_: Any, **__: Any) -> Any:
        raise session.refuse(RANDOM)

    return call


class Columns:
    """np.c_, with values of the function."""

    def __init__(self, original: Any, seed: Array) -> None:
        self.original, self.seed = original, seed

    def __getitem__(self, parts: Any) -> Any:
        given = parts if isinstance(parts, tuple) else (parts,)
        if not has_tracer(list(given)):
            return self.original[parts]
        return self.seed.perform("np.c_", column_stack, self.seed.perform_lift(list(given)))


def builtins() -> dict[str, Any]:
    """Python's functions with tracers."""

    def length(value: Any) -> Any:
        return value.length() if isinstance(value, Tracer) else len(value)

    return {"len": length}
