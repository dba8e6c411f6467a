"""The generated module of a derivation: the expressions that a kind of function returns, and their mathematics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any
from weakref import WeakKeyDictionary

from matcalc import dims as dimensions
from matcalc.calculus.conditions import further_conditions, minimal
from matcalc.calculus.jacobian import hessian_by, jacobian_by
from matcalc.calculus.operators import kronecker_factors
from matcalc.calculus.problem import Problem
from matcalc.calculus.wording import worded
from matcalc.emit.module import compile_function, numpy_source, program
from matcalc.emit.program import Lowered
from matcalc.emit.shown import after
from matcalc.errors import MatcalcError, NoRuleError, need_one_of
from matcalc.expr import Expr
from matcalc.functions.parts import parts_of
from matcalc.kinds import VALUE, VALUE_AND_VJP, Kind, default, kind_of
from matcalc.printing.text import shared
from matcalc.targets.registry import Signature, autodiff_names, need_runnable, target_names, target_of, target_of_file
from matcalc.views.named import labels

_LONGEST = 110

# The modules of each problem that were asked for, and the functions compiled from them.
_SOURCES: WeakKeyDictionary[Problem, dict[Request, str]] = WeakKeyDictionary()
_COMPILED: WeakKeyDictionary[Problem, dict[str, Callable[..., Any]]] = WeakKeyDictionary()

FORMS = ("dense", "factored", "operator")


@dataclass(frozen=True)
class Request:
    """What is asked for: the kind of function, the target, and how.

    Attributes:
        sizes: what is known of the dimensions, by name.
    """

    kind: Kind
    target: str
    autodiff: bool = False
    form: str = "dense"
    sizes: tuple[tuple[str, int], ...] = ()


def requested(
    d: Problem,
    given: str | None,
    target: str,
    *,
    autodiff: bool = False,
    form: str = "dense",
    dims: Mapping[str, int] | None = None,
) -> Request:
    """The request with its defaults, checked.

    Raises:
        MatcalcError: something is unknown, or does not go together.
    """
    kind = kind_of(given) if given is not None else VALUE if autodiff else default(scalar=d.output.is_scalar)
    for what, word, possible in (("target", target, target_names()), ("form", form, FORMS)):
        need_one_of(what, word, possible)
    if autodiff and (kind is not VALUE or target not in autodiff_names()):
        able = " and ".join(autodiff_names())
        raise MatcalcError(f"autodiff=True is for the value and for {able}, got {kind}, {target}")
    if form != "dense" and (not kind.matrix or target != "numpy"):
        raise MatcalcError(f"form={form!r} is for the kinds jacobian and hessian in NumPy, got {kind}, {target}")
    taken = [name for name in ("dims", "tangents", "cotangent", "xp") if name in d.graph.declared]
    if taken:
        raise MatcalcError(f"a variable cannot be called {taken[0]} here: the generated function has a parameter so")
    known = {name: dimensions.dim(size) for name, size in (dims or {}).items()}
    for name, size in known.items():
        if not isinstance(size, int):
            raise MatcalcError(f"dims: the size {name} must be a positive integer, got {size}")
    return Request(kind, target, autodiff, form, tuple(sorted(known.items())))


def module(d: Problem, kind: str | None = None, target: str = "numpy", **options: Any) -> str:
    """The source text of the module of `requested(...)`, made once."""
    asked = requested(d, kind, target, **options)
    made = _SOURCES.setdefault(d, {})
    if asked not in made:
        made[asked] = source_of(d, asked)
    return made[asked]


def function(d: Problem, kind: str | None = None, target: str = "numpy", **options: Any) -> Callable[..., Any]:
    """The compiled function of a module; linear operators for `form="operator"`."""
    need_runnable(target)
    asked = requested(d, kind, target, **options)
    if asked.form == "operator":
        return _operators(d, asked.kind)
    source = module(d, kind, target, **options)
    made = _COMPILED.setdefault(d, {})
    if source not in made:
        runner = target_of(target).runner
        made[source] = compile_function(source) if runner is None else runner([(source, signature(d, asked))])[0]
    return made[source]


def module_file(d: Problem, path: str | Path, kind: str | None = None, **options: Any) -> Path:
    """The path of a file of code, written in the target that its suffix says.

    Raises:
        MatcalcError: no target has such files, or the file cannot be written.
    """
    place, target = Path(path), target_of_file(path)
    if target is None:
        raise MatcalcError(f"no target has files like {place.name}")
    text = module(d, kind, target, **options)
    try:
        place.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise MatcalcError(f"cannot write {place}: {error.strerror}") from None
    return place


def signature(d: Problem, asked: Request) -> Signature:
    """What a function takes and returns."""
    made = parts_of(d, asked.kind)
    names = made.extra if asked.kind.tangents else made.derivatives
    return Signature(asked.kind, tuple(d.graph.declared.values()), tuple(names or ()), d.output)


def _operators(d: Problem, kind: Kind) -> Callable[..., dict[str, Any]]:
    """The function of all arrays that gives the Jacobians or Hessians as linear operators, by the variables' names."""
    found = {name: hessian_by(d, name) if kind.second else jacobian_by(d, name) for name in d.names}

    def operators(*, dims: Mapping[str, int] | None = None, **arrays: Any) -> dict[str, Any]:
        return {name: J.linear_operator(dims=dims, **arrays) for name, J in found.items()}

    return operators


def source_of(d: Problem, asked: Request) -> str:
    """The source text of the module that is asked for.

    Raises:
        NoRuleError: a derivative along a structure is asked for where another library differentiates, or the factors
            of a matrix that has none.
    """
    kind, autodiff = asked.kind, asked.autodiff
    if autodiff:
        kind = VALUE_AND_VJP
        inner = [name for name in d.names if name not in d.graph.declared]
        if inner:
            raise NoRuleError(f"{', '.join(inner)} is a named value: autodiff is by variables")
        bound = [name for name in d.names if d.structure.get(name, "none") != "none"]
        if bound:
            raise NoRuleError(f"autodiff moves all entries freely, but {', '.join(bound)} has a structure")
    shown = made = parts_of(d, kind)
    if d.lossy:  # what is printed is not what is computed
        made = parts_of(d.exact_twin, kind)
    return numpy_source(
        value=d.output,
        gradients=made.derivatives,
        kind=kind,
        variables=list(d.graph.declared.values()),
        tangent=made.tangent,
        extra=made.extra,
        formulas=_formulas(d, kind, shown.derivatives),
        target=asked.target,
        autodiff=autodiff,
        sizes=dict(asked.sizes),
        factors=_factors(d, kind, made.derivatives) if asked.form == "factored" else None,
        labels=labels(d),
    )


def program_after(d: Problem, name: str, kind: str | None = None) -> str:
    """The program of a kind of function after one of the passes of code generation, as text."""
    asked = requested(d, kind, "numpy").kind
    made = parts_of(d.exact_twin if d.lossy else d, asked)
    declared = list(d.graph.declared.values())
    wanted = program(d.output, made.derivatives, asked, declared, tangent=made.tangent, extra=made.extra)
    return after(Lowered(wanted.with_labels(labels(d)), asked.name), name)


def _factors(d: Problem, kind: Kind, derivatives: Mapping[str, Expr]) -> dict[str, list[tuple[Expr, Expr]]]:
    """The Kronecker factors of Jacobians or Hessians; those of columns by columns may be one matrix."""
    flat = kind.second or dimensions.is_one(d.output.shape[1])
    return {
        n: kronecker_factors(e, columns=flat and dimensions.is_one(d.find(n).shape[1])) for n, e in derivatives.items()
    }


def _formulas(d: Problem, kind: Kind, derivatives: dict[str, Expr]) -> list[str]:
    """The definitions of the graph, its output, and the derivatives, as far as each fits on a line."""
    lines = {name: shared(e.args[0]).body for name, e in d.graph.definitions.items() if e.op == "named"}
    if d.output.op == "named":
        f = d.output.name
    else:
        f = d.fresh_names().fresh("f")
        lines[f] = shared(d.output).body
    for name, e in derivatives.items() if kind.formula else ():
        shown = shared(e)
        lines |= {local: value for local, value in shown.definitions if local not in lines}
        along = kind.second and d.structure.get(name, "none") != "none"
        lines[f"the Hessian by the independent entries of {name}" if along else kind.formula.format(f, name)] = (
            shown.body
        )
    formulas = [line for name, value in lines.items() if len(line := f"{name} = {value}") <= _LONGEST]
    conditions = [*d.domain, *further_conditions(derivatives.values(), d.domain)] if derivatives else []
    needed = []
    for subject, said in (worded(*pair) for pair in minimal(conditions)):
        if len(text := shared(subject).body) <= _LONGEST:
            needed += wrap(f"Valid where {text} is {said}.", _LONGEST)
    assumed = wrap(f"{d.notice}.", _LONGEST) if d.notice is not None else []
    return [*formulas, *([""] if needed else []), *needed, *([""] if assumed else []), *assumed]
