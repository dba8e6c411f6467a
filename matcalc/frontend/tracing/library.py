"""Which library a Python function is written with: by what it and its helpers name."""

from __future__ import annotations

import dis
import inspect
import sys
from types import CodeType
from typing import Any


def library_of(function: Any) -> str:
    """Which library a function is written with: by what it and its helpers name; NumPy where nothing is named."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(function, torch.nn.Module):
        return "torch"
    code = inspect.unwrap(function)
    roots = _libraries(code, set())
    named = next((name for name in ("torch", "jax") if name in roots), None)
    if named is None and not roots & {"numpy", "scipy"}:  # methods and operators only: what the module imports
        scope = getattr(code, "__globals__", {}).values()
        imported = {value.__name__.partition(".")[0] for value in scope if inspect.ismodule(value)}
        named = next((name for name in ("torch", "jax") if name in imported and "numpy" not in imported), None)
    return named or "numpy"


def _libraries(function: Any, seen: set[int]) -> set[str]:
    """The top packages of everything that a function's code names."""
    function = inspect.unwrap(function) if callable(function) else function
    if isinstance(function, type) or id(function) in seen:
        return set()
    seen.add(id(function))
    found = {str(getattr(type(function), "__module__", "")).partition(".")[0]}
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        found.add(str(getattr(function, "__module__", None) or getattr(function, "__name__", "")).partition(".")[0])
        return found
    names = _names(code)
    found |= {name.partition(".")[0] for name in names if name.partition(".")[0] in ("jax", "torch")}
    scope = function.__globals__
    values = [scope[n] for n in names if n in scope]
    values += [cell.cell_contents for cell in function.__closure__ or () if is_filled(cell)]
    for value in values:
        top = str(getattr(value, "__name__", "") if inspect.ismodule(value) else getattr(type(value), "__module__", ""))
        found.add(top.partition(".")[0])
        if callable(value) and not isinstance(value, type):
            home = str(getattr(value, "__module__", "") or "").partition(".")[0]
            found |= {home} if home in ("jax", "torch", "numpy", "scipy") else _libraries(value, seen)
    return found


def _names(code: CodeType) -> set[str]:
    """The global names and the modules that a code reads; attributes (the nn of jax.nn) are none."""
    inner = [c for c in code.co_consts if isinstance(c, CodeType)]
    read = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"))
    return {*(str(i.argval) for i in read), *(name for c in inner for name in _names(c))}


def is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
