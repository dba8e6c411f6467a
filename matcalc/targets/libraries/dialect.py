"""What a library calls differently from the array API standard, what it lacks, and the runtime functions for it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

from matcalc.targets.libraries import adjugates, entries, equations, matrices, roots, structure

RUNTIME = (entries, structure, matrices, adjugates, equations, roots)
_NAME = re.compile(r"\b_[a-z]\w*")
_LIBRARY = re.compile(r"\bxp\.([a-z_]\w*(?:\.\w+)?)")


@dataclass(frozen=True)
class Dialect:
    """One library.

    Attributes:
        title: how messages call it.
        imports: lines at the top of the module.
        prefix: of its functions.
        names: functions that it calls differently.
        missing: functions that it lacks, and runtime functions that do not work there.
        options: keyword arguments without which a function would mean something else.
        taken: the function through which it takes arrays of other libraries, if it must.
        scalar: the function that makes an array of a number.
        default: its floating type where there are only numbers.
        special: where its error and gamma functions are, if it has them.
        own: its runtime functions that differ from those by the standard.
        needs: further imports, by the text that needs them.
    """

    title: str
    imports: str
    prefix: str
    names: dict[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    options: dict[str, dict[str, bool]] = field(default_factory=dict)
    taken: str | None = None
    scalar: str = "asarray"
    default: str = "float64"
    special: str | None = None
    own: ModuleType | None = None
    needs: dict[str, str] = field(default_factory=dict)

    @cached_property
    def helpers(self) -> dict[str, Callable[..., Any]]:
        """The runtime functions by their names."""
        modules = (*RUNTIME, *([] if self.own is None else [self.own]))
        return {name: f for m in modules for name, f in vars(m).items() if inspect.isfunction(f)}

    @cached_property
    def sources(self) -> dict[str, str]:
        """Their source texts."""
        return {name: inspect.getsource(f).rstrip() for name, f in self.helpers.items()}

    def imported(self, text: str) -> str:
        """The imports of a module with this text."""
        needs = {"warnings.": "import warnings", **self.needs}
        lines = [line for word, line in needs.items() if word in text]
        return "\n".join(sorted([*lines, *([self.imports] if self.imports else [])], key=lambda line: line.split()[1:]))

    def needed(self, text: str) -> set[str]:
        """The runtime functions that a text names, and those that these name."""
        found: set[str] = set()
        waiting = [text]
        while waiting:
            new = set(_NAME.findall(waiting.pop())) & self.helpers.keys() - found
            found |= new
            waiting += map(self.sources.__getitem__, new)
        return found

    @cached_property
    def lacking(self) -> dict[str, str]:
        """The runtime functions that cannot work, with a function of the library that is missing for each."""
        found = {}
        for name in self.helpers:
            parts = self.needed(name)
            named = {*parts, *_LIBRARY.findall("".join(self.sources[part] for part in parts))}
            missing = sorted(named & self.missing)
            if missing:
                found[name] = missing[0]
        return found
