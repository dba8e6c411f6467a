"""What is timed beside the generated NumPy: native functions, code by hand (Numba, C), jax.jit, torch and autograd."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection
from typing import Any

import threads  # isort: skip  (before NumPy)
import by_hand_c
import by_hand_numba
import numpy as np
from workload import Workload, called

import matcalc as mc
from matcalc.errors import MissingDependencyError
from matcalc.targets.native.compiler import compiler

Call = Callable[[], Any]


def competitors(w: Workload, arrays: dict[str, Any], peers: list[str]) -> tuple[dict[str, Call], dict[str, str]]:
    """By name a call that computes the derivative, for "forward" the value alone; and what failed, with its error."""
    p = w.problem
    options = {} if p.form == "dense" else {"form": p.form}
    generated = mc.derive(p.source, wrt=list(p.wrt)).function(p.kind, **options)
    found: dict[str, Call] = {
        "matcalc": lambda: generated(**arrays),
        "by hand": called(p.by_hand, arrays),
        "forward": called(p.value_by_hand, arrays),
    }
    failed: dict[str, str] = {}
    for peer in fitting(w, arrays, peers):
        try:
            found[peer] = _PEERS[peer](w, arrays)
            found[peer]()
        except Exception as error:  # whatever another library raises: the others are timed
            found.pop(peer, None)
            failed[peer] = f"{type(error).__name__}: {error}"
    return found, failed


def fitting(w: Workload, arrays: dict[str, Any], peers: list[str]) -> list[str]:
    """Those of the others that have this derivative, and in bearable time."""
    if w.problem.form != "dense":
        return []
    largest = max(a.nbytes for a in arrays.values()) / 1e6
    quick = ("native", "numba", "C", "jax")
    used = [p for p in peers if w.problem.kind != "hessian" or p in quick or largest < 1]
    return [p for p in used if w.problem.name in _WRITTEN.get(p, (w.problem.name,))]


def _native(w: Workload, arrays: dict[str, Any]) -> Call:
    p = w.problem
    made = mc.derive(p.source, wrt=list(p.wrt)).function(p.kind, "native")
    return lambda: made(**arrays)


def _jax(w: Workload, arrays: dict[str, Any]) -> Call:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    p = w.problem
    places = tuple(list(arrays).index(name) for name in p.wrt)

    def value(*values: Any) -> Any:
        return p.forward(jnp, *values)

    made = jax.jit((jax.hessian if p.kind == "hessian" else jax.grad)(value, argnums=places))
    values = [jnp.asarray(a) for a in arrays.values()]
    return lambda: dict(zip(p.wrt, _unpaired(jax.block_until_ready(made(*values)), p.kind)))


def _unpaired(found: Any, kind: str) -> list[Any]:
    return [row[k] for k, row in enumerate(found)] if kind == "hessian" else list(found)


def _torch(w: Workload, arrays: dict[str, Any]) -> Call:
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads.COUNT)
    p = w.problem
    values = {name: torch.tensor(a, requires_grad=name in p.wrt) for name, a in arrays.items()}

    def gradient() -> Any:
        J = p.forward(torch, *values.values())
        return dict(zip(p.wrt, torch.autograd.grad(J, [values[name] for name in p.wrt])))

    def hessian() -> Any:
        (name,) = p.wrt

        def value(x: Any) -> Any:
            return p.forward(torch, *(x if k == name else v for k, v in values.items()))

        return {name: torch.autograd.functional.hessian(value, values[name], vectorize=True)}

    return hessian if p.kind == "hessian" else gradient


def _autograd(w: Workload, arrays: dict[str, Any]) -> Call:
    autograd, anp = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    p = w.problem
    places = tuple(list(arrays).index(name) for name in p.wrt)
    values = list(arrays.values())
    if p.kind == "hessian":
        second = autograd.hessian(lambda x: p.forward(anp, *values[: places[0]], x, *values[places[0] + 1 :]))
        return lambda: {p.wrt[0]: second(values[places[0]])}
    made = autograd.grad(lambda *a: p.forward(anp, *a), argnum=places)
    return lambda: dict(zip(p.wrt, made(*values)))


def _numba(w: Workload, arrays: dict[str, Any]) -> Call:
    return by_hand_numba.in_numba(w.problem, arrays)


def _c(w: Workload, arrays: dict[str, Any]) -> Call:
    return by_hand_c.in_c(w.problem, arrays)


_PEERS = {"native": _native, "numba": _numba, "C": _c, "jax": _jax, "torch": _torch, "autograd": _autograd}
_WRITTEN: dict[str, Collection[str]] = {"numba": by_hand_numba.BY_HAND, "C": by_hand_c.BY_HAND}


def compared(w: Workload, calls: dict[str, Call]) -> tuple[float, dict[str, str]]:
    """The size of the result in MB, and whose result is another than that by hand, by how much."""
    reference = calls["by hand"]()
    wrong = {}
    for name, call in calls.items():
        if name in ("forward", "by hand"):
            continue
        found = call()
        for wrt in w.problem.wrt:
            expected = _dense(reference[wrt])
            got = _as_matrix(found[wrt], expected, w.problem.kind)
            error = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-300)
            if not error < 1e-8:
                wrong[name] = f"differs from the derivative by hand for {wrt} by {error:.1e}"
    return float(sum(_dense(a).nbytes for a in reference.values())) / 1e6, wrong


def _dense(value: Any) -> Any:
    """An array as it is; of factors the first."""
    return value[0][0] if isinstance(value, list) else np.asarray(value)


def _as_matrix(found: Any, expected: Any, kind: str) -> Any:
    array = found.detach().numpy() if hasattr(found, "detach") else np.asarray(_dense(found))
    if kind == "hessian" and array.ndim == 4:  # (p, q, p, q), rows first, to column-major vec
        array = array.transpose(1, 0, 3, 2).reshape(expected.shape)
    return array.reshape(expected.shape)


def available(names: list[str]) -> list[str]:
    """Those of the libraries that can be imported."""
    found = []
    for name in names:
        try:
            if name in ("native", "C"):
                compiler()
            else:
                importlib.import_module(name)
        except (ImportError, MissingDependencyError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found
