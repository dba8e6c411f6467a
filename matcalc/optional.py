"""Modules of optional packages, imported when they are used: SciPy takes longer to import than most derivations."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


class Later:
    """A module that is imported by the first look at one of its attributes."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._module), name)
        setattr(self, name, value)
        return value


def optional(module: str) -> Any:
    """The module, imported when it is first used; None where its package is not installed."""
    try:
        spec = find_spec(module.partition(".")[0])
    except ModuleNotFoundError:  # a finder that forbids it
        return None
    return None if spec is None else Later(module)
