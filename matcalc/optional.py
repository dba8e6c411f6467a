"""What is imported when it is used: optional packages, large ones, and rooms of our own that few questions need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
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


def later(module: str, *names: str) -> Iterator[Callable[..., Any]]:
    """Functions or classes of a module, which is imported when one of them is called first.

    For type checking they are imported beside this, `if TYPE_CHECKING`.
    """
    return (_deferred(module, name) for name in names)


def _deferred(module: str, name: str) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        return getattr(import_module(module), name)(*args, **options)

    call.__name__ = call.__qualname__ = name
    return call


def arrived(value: Any, doors: Mapping[str, str]) -> bool:
    """Whether the door for a value is imported now: of the package that its type comes from, with the module's name."""
    packages = {c.__module__.partition(".")[0] for c in type(value).__mro__}
    modules = [module for package, module in doors.items() if package in packages and module not in sys.modules]
    for module in modules:
        import_module(module)
    return bool(modules)


def optional(module: str) -> Any:
    """The module, imported when it is first used; None where its package is not installed."""
    try:
        spec = find_spec(module.partition(".")[0])
    except ModuleNotFoundError:  # a finder that forbids it
        return None
    return None if spec is None else Later(module)
