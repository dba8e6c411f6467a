"""The door for JAX functions: their jaxpr for symbolic sizes is read equation by equation."""

from __future__ import annotations

import ast
import importlib
import inspect
import linecache
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from matcalc.dims import Dim, symbols
from matcalc.dims import text as dim_text
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.expr import Expr, postorder
from matcalc.frontend.tracing import arrays, indexing
from matcalc.frontend.tracing.arrays import Value, number
from matcalc.frontend.tracing.compare import independent
from matcalc.frontend.tracing.jax_functions import WHOLE
from matcalc.frontend.tracing.jax_values import NAN, Stopped, plain
from matcalc.frontend.tracing.jaxpr import applied
from matcalc.frontend.tracing.masks import Mask, as_numbers
from matcalc.frontend.tracing.operations import filled, matrix
from matcalc.frontend.tracing.origin import Origin, arguments_of, parameters
from matcalc.frontend.tracing.run import Traced, finished, known_constants, taken_names, title_of, traced
from matcalc.frontend.tracing.session import Session, own_modules, place_text

LONGEST = 200  # how often a loop is unrolled
STOPPED = "a gradient that is stopped, on whose value the result depends: make it an argument"
OWN_RULE = "a derivative of your own (custom_jvp, custom_vjp): its formula is not read"


def library() -> Any:
    """JAX itself."""
    return importlib.import_module("jax")


def exact() -> AbstractContextManager[Any]:
    """Double precision for a while."""
    jax = library()
    has = hasattr(jax, "enable_x64")
    enable = jax.enable_x64 if has else importlib.import_module("jax.experimental").enable_x64
    found: AbstractContextManager[Any] = enable(True)
    return found


def read(function: Any, shapes: Mapping[str, Any] | None, facts: Mapping[str, list[str]]) -> Traced:
    """The graph of a JAX function."""
    jax = library()
    code = inspect.unwrap(function)
    arguments = arguments_of(parameters(function), shapes, facts)
    session = Session(code, taken_names(arguments))
    letters = symbols(d for a in arguments.values() for d in a.shape)
    sizes = dict(zip(letters, jax.export.symbolic_shape(", ".join(letters)))) if letters else {}
    names = list(arguments)
    with exact(), known_constants(session, code, own_modules(code), views=False):
        inputs = [jax.ShapeDtypeStruct(tuple(_size(d, sizes) for d in a.shape), np.float64) for a in arguments.values()]
        made = traced(session, lambda: jax.make_jaxpr(lambda *given: function(**dict(zip(names, given))))(*inputs))
        values = [Value(a.variable, a.shape) for a in arguments.values()]
        reader = Reader(session)
        results = reader.run(made.jaxpr, made.consts, values)
        origin = Origin(
            function,
            "jax",
            arguments,
            caller(function),
            gradient(function),
            constants=session.constants,
            title=title_of(function),
        )
        output = _only(results)
        session.names.extend(reader.found.values())
        if reader.stops:
            other = Reader(session, shift=0.375)
            moved = _only(other.run(made.jaxpr, made.consts, values))
            free = [e for e in postorder((output.expr, moved.expr)) if e.op == "variable"]
            if not independent(origin, output.expr, moved.expr, list(dict.fromkeys([*_declared(origin), *free]))):
                raise NoRuleError(f"{reader.stops[0] or 'the function'}: {STOPPED}")
    return finished(session, output, origin)


def _size(d: Dim, sizes: Mapping[str, Any]) -> Any:
    """A size in JAX's symbols.

    Raises:
        NoRuleError: it is not a polynomial with whole coefficients.
    """
    if isinstance(d, int) or d.is_Symbol:
        return d if isinstance(d, int) else sizes[str(d)]
    d = sp.sympify(d)
    form = sp.Poly(d, *sorted(d.free_symbols, key=str)) if d.is_polynomial() else None
    if form is None or not all(c.is_Integer for c in form.coeffs()):
        raise NoRuleError(f"the size {dim_text(d)} cannot be given to JAX: give it a name of its own in shapes")
    terms = [
        int(c) * math.prod((sizes[str(s)] ** k for s, k in zip(form.gens, powers) if k), start=1)
        for powers, c in form.terms()
    ]
    return sum(terms[1:], start=terms[0])


def _declared(origin: Origin) -> list[Expr]:
    return [a.variable for a in origin.arguments.values()]


def _only(results: Sequence[Any]) -> Value:
    if len(results) != 1:
        raise NoRuleError(f"the function returns {len(results)} arrays: it must return one array or number")
    value = plain(results[0])
    return as_numbers(value) if isinstance(value, Mask) else matrix(value)


class Reader:
    """One reading of a jaxpr.

    Attributes:
        shift: what stands for a value whose gradient is stopped.
        stops: where gradients are stopped.
        found: by the place of an assignment the local name, and the value that was computed last there.
    """

    def __init__(self, session: Session, shift: float = 0.0) -> None:
        self.session, self.shift = session, shift
        self.stops: list[str] = []
        self.found: dict[tuple[str, int], tuple[str, Expr]] = {}

    def run(self, jaxpr: Any, consts: Sequence[Any], operands: Sequence[Any]) -> list[Any]:
        """The values of a jaxpr's results.

        Raises:
            NoRuleError: an equation is not known, with its place in the function.
        """
        known = dict(zip(jaxpr.constvars, map(self.constant, consts)))
        known |= dict(zip(jaxpr.invars, operands))

        def value(v: Any) -> Any:
            return self.constant(v.val) if hasattr(v, "val") else known[v]

        needed = _needed(jaxpr)
        for k, equation in enumerate(jaxpr.eqns):
            if k not in needed:
                continue
            try:
                results = self.equation(equation, [value(v) for v in equation.invars])
            except MatcalcError as error:
                if str(error).startswith("line "):
                    raise
                place = self.place(equation)
                raise NoRuleError(f"{place}: {error}" if place else str(error)) from None
            known |= dict(zip(equation.outvars, results))
            self.note(equation, results)
        return [value(v) for v in jaxpr.outvars]

    def constant(self, given: Any) -> Any:
        """A number or an array of numbers."""
        shape = getattr(given, "shape", ())
        if shape:
            return self.session.constant(given, np.asarray(given))
        plain_value = np.asarray(given).item()
        if isinstance(plain_value, float) and np.isnan(plain_value):
            return NAN
        return plain_value if isinstance(plain_value, bool) else number(plain_value)

    def equation(self, equation: Any, operands: list[Any]) -> list[Any]:
        """The results of one equation."""
        name, params = equation.primitive.name, equation.params
        inner = next((params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in params), None)
        if name == "scan":
            return self.loop(params, operands)
        if name == "cond":
            index = operands[0]
            if isinstance(index, (bool, Value)) and getattr(plain(index), "number", None) is not None:
                branch = params["branches"][int(plain(index).number)]
                return self.run(branch.jaxpr, branch.consts, operands[1:])
        if name == "stop_gradient":
            self.stops.append(self.place(equation))
            shape = matrix(plain(operands[0])).shape
            return [Stopped(shape) if not self.shift else filled(number(self.shift + 0.11 * len(self.stops)), shape)]
        if inner is not None and name not in ("while", "cond"):
            return self.called(equation, inner, operands)
        made = applied(name, operands, dict(params))
        return made if isinstance(made, list) else [made]

    def called(self, equation: Any, inner: Any, operands: list[Any]) -> list[Any]:
        """A function that is called: JAX's own as a whole where it is known, otherwise its body."""
        body, consts = (inner.jaxpr, inner.consts) if hasattr(inner, "jaxpr") else (inner, [])
        source = str(body.debug_info.func_src_info)
        filename = source.rpartition(" at ")[2].rpartition(":")[0]
        own = self.session.is_own(filename)
        if own and equation.primitive.name.startswith("custom_"):
            raise NoRuleError(OWN_RULE)
        name = source.partition(" at ")[0]
        whole = WHOLE.get(name) if not own else None
        used = operands[len(operands) - len(body.invars) :]
        if whole is not None and len(used) == len(inspect.signature(whole).parameters) - 1:
            made = whole(body, *used)
            return made if isinstance(made, list) else [made]
        return self.run(body, consts, used)

    def loop(self, params: Mapping[str, Any], operands: list[Any]) -> list[Any]:
        """A scan of known length, unrolled."""
        length, consts, carried = params["length"], params["num_consts"], params["num_carry"]
        if not isinstance(length, int) or length > LONGEST:
            raise NoRuleError(f"a loop over data, of length {length}: write it with matrices")
        fixed, carry, rows = operands[:consts], operands[consts : consts + carried], operands[consts + carried :]
        steps = range(length)[::-1] if params["reverse"] else range(length)
        outputs: list[list[Any]] = []
        for k in steps:
            taken = [indexing.taken(matrix(plain(row)), k) for row in rows]
            made = self.run(params["jaxpr"].jaxpr, params["jaxpr"].consts, [*fixed, *carry, *taken])
            carry = made[:carried]
            outputs.append(made[carried:])
        ordered = outputs[::-1] if params["reverse"] else outputs
        columns = [list(column) for column in zip(*ordered)]
        return [*carry, *(arrays.stacked([matrix(plain(v)) for v in column]) for column in columns)]

    # ------------------------------------------------------------------------------------------------ places and names

    def frame(self, equation: Any) -> tuple[str, int] | None:
        """The file and the line of the user's code that an equation comes from."""
        trace = equation.source_info.traceback
        frames = trace.frames if trace is not None else []
        return next(((f.file_name, f.line_num) for f in frames if self.session.is_own(f.file_name)), None)

    def place(self, equation: Any) -> str:
        """The same as words."""
        found = self.frame(equation)
        return "" if found is None else place_text(*found)

    def note(self, equation: Any, results: Sequence[Any]) -> None:
        """Remember the value that a line assigns to a name: that of its last equation."""
        where = self.frame(equation)
        if where is None or len(results) != 1 or not isinstance(results[0], Value):
            return
        named = assigned(where[0]).get(where[1])
        if named is not None:
            name, first = named
            self.found.pop((where[0], first), None)
            self.found[(where[0], first)] = name, results[0].expr


def _needed(jaxpr: Any) -> set[int]:
    """The equations on which the results depend."""
    wanted = {id(v) for v in jaxpr.outvars}
    found = set()
    for k in reversed(range(len(jaxpr.eqns))):
        equation = jaxpr.eqns[k]
        if any(id(v) in wanted for v in equation.outvars):
            found.add(k)
            wanted |= {id(v) for v in equation.invars}
    return found


@cache
def assigned(filename: str) -> dict[int, tuple[str, int]]:
    """By line: the name that a statement of a file assigns a value to, and its first line."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except SyntaxError:
        return {}
    found = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
                    found[line] = target.id, statement.lineno
    return found


def caller(function: Any) -> Callable[[Mapping[str, Any]], Any]:
    """The function's value for arrays by name."""

    def call(given: Mapping[str, Any]) -> Any:
        jnp = importlib.import_module("jax.numpy")
        with exact():
            return np.asarray(function(**{k: jnp.asarray(v, dtype=np.float64) for k, v in given.items()}))

    return call


def gradient(function: Any) -> Callable[..., dict[str, Any]]:
    """The function's own gradients, by JAX's differentiation."""

    def of(given: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        jax = library()
        with exact():
            fixed = {k: jax.numpy.asarray(v, dtype=np.float64) for k, v in given.items()}
            found = jax.grad(lambda part: function(**{**fixed, **part}))({k: fixed[k] for k in names})
            return {k: np.asarray(v) for k, v in found.items()}

    return of
