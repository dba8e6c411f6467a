"""The targets by their names; each is a folder, imported when it is first asked for.

A target says how the lowered program (`matcalc.emit.program.Lowered`) is written; nothing else knows which there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from matcalc.errors import MatcalcError, missing_dependency, need_one_of

if TYPE_CHECKING:  # the command line knows the names of the targets before SymPy is imported
    from matcalc.expr import Expr
    from matcalc.kinds import Kind


@dataclass(frozen=True)
class Page:
    """What stands in a module beside its code.

    Attributes:
        title: the first line.
        formulas: lines of its docstring.
        comments: for named values the formula behind their statement.
    """

    title: str
    formulas: list[str]
    comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Signature:
    """What a function takes and returns.

    Attributes:
        kind: what it returns.
        variables: what it takes, in order.
        names: of the derivatives, or of the tangents, in order.
        output: the value.
    """

    kind: Kind
    variables: tuple[Expr, ...]
    names: tuple[str, ...]
    output: Expr


Printer: TypeAlias = Callable[[Any, Page], str]
Caller: TypeAlias = Callable[[Callable[..., Any], dict[str, Any]], Any]
Runner: TypeAlias = Callable[[Sequence[tuple[str, Signature]]], list[Callable[..., Any]]]


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        name: what it is asked for by.
        printer: writes the text of a module for a lowered program, and raises NoRuleError for what it lacks.
        runtime: the names of the functions that its modules may carry, which no variable may have.
        library: the package without which its functions cannot run.
        language: where it is no Python, the language and how its text is run.
        suffix: how files with its text end, where they are written by their suffix.
        runner: the functions of some texts of another language, run in a process of that language.
        three_axes: it has arrays with three axes.
        call: a function of the library, called with arrays of NumPy and numbers; None where it takes these as NumPy's.
        solves: it has code that solves the equations of implicit values.
        autodiff: writes a value that the library differentiates by our derivative.
        spelled: how an instruction (`matcalc.emit.instructions`) is written, with the names in the code.
    """

    name: str
    printer: Printer
    runtime: Iterable[str] = ()
    library: str | None = None
    language: str = ""
    suffix: str = ""
    runner: Runner | None = None
    three_axes: bool = True
    call: Caller | None = None
    solves: bool = False
    autodiff: Printer | None = None
    spelled: Callable[[Any, Any], Any] | None = None


_FOLDERS = {
    name: f"matcalc.targets.{name.replace('-', '_')}"
    for name in (
        "numpy",
        "array-api",
        "dask",
        "jax",
        "torch",
        "numba",
        "c",
        "native",
        "r",
        "octave",
        "cpp",
        "armadillo",
        "rcpp",
        "stan",
    )
}
_REGISTERED: dict[str, Target] = {}


def register(target: Target) -> None:
    """Add a target."""
    if target.name in target_names():
        raise MatcalcError(f"there is a target {target.name}")
    _REGISTERED[target.name] = target
    reserved.cache_clear()


def forget(name: str) -> None:
    """Take a registered target away."""
    if _REGISTERED.pop(name, None) is None:
        raise MatcalcError(f"{name} is not registered")
    reserved.cache_clear()


def target_names() -> list[str]:
    """The names of all targets."""
    return [*_FOLDERS, *_REGISTERED]


def target_of(name: str) -> Target:
    """The target of a name.

    Raises:
        MatcalcError: there is none.
    """
    need_one_of("target", name, target_names())
    if name in _REGISTERED:
        return _REGISTERED[name]
    found: Target = import_module(_FOLDERS[name]).TARGET
    return found


def target_of_file(path: str | PurePath) -> str | None:
    """The target whose files have the suffix of a path; None where it is no suffix of code."""
    suffix = PurePath(path).suffix
    return next((name for name in target_names() if suffix and target_of(name).suffix == suffix), None)


def spelling() -> Callable[..., Any]:
    """How instructions are written in the statements from which all printers start: in NumPy."""
    found = target_of("numpy").spelled
    assert found is not None
    return found


def autodiff_names() -> list[str]:
    """The names of the targets whose libraries differentiate by our derivative."""
    return [name for name in target_names() if target_of(name).autodiff is not None]


@cache
def reserved() -> frozenset[str]:
    """The names of the runtime functions of all targets."""
    return frozenset(f for name in target_names() for f in target_of(name).runtime)


def need_runnable(name: str) -> None:
    """Refuse a target whose code cannot be run here.

    Raises:
        MissingDependencyError: its library is not installed.
        MatcalcError: it is no Python.
    """
    target = target_of(name)
    if target.library is not None and not _installed(target.library):
        raise missing_dependency(f"target={name!r}", target.library)
    if target.language and target.runner is None:
        raise MatcalcError(f"target={name!r} is the text of {target.language}")


def mapped(f: Callable[[Any], Any], parts: Any) -> Any:
    """A function of every array in dicts and pairs; what is no array stays."""
    if isinstance(parts, dict):
        return {name: mapped(f, part) for name, part in parts.items()}
    if isinstance(parts, tuple):
        return tuple(mapped(f, part) for part in parts)
    return parts if isinstance(parts, (int, float)) else f(parts)


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # an importer that is asked refuses it
        return False
