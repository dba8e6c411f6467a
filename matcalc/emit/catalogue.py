"""Code for leaves, broadcasts and whatever the catalogue writes as a call, 1 x 1 values being NumPy scalars.

In generated code a 1 x 1 value is a scalar and everything else a 2-D array. Where an operation of arrays gets or
gives a 1 x 1 value, it is converted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import sympy as sp

from matcalc import core
from matcalc.core import number, power
from matcalc.dims import is_one, same_shape
from matcalc.emit import contractions, entrywise, moments, traces
from matcalc.emit.blocks import blocks_code
from matcalc.emit.code import FROM_NOTATION, Code, Level, number_code
from matcalc.emit.entrywise import is_entrywise, small_operands, stripped
from matcalc.emit.selection import Choice, Rule, Selector
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, node, record
from matcalc.notation import Builtin, Call
from matcalc.ops.elementwise import absolute, log
from matcalc.ops.implicit import Equation

# What NumPy gives a scalar for, whatever it is applied to.
_GIVES_SCALAR = frozenset(["tr", "sum", "mean", "var", "std", "det", "logdet", "norm1", "norm2", "mse", "logsumexp"])
_TAKES_SCALAR = frozenset(["sum", "mean", "var", "std", "norm1", "norm2", "mse", "logsumexp"])
# What may share the memory of its argument.
_VIEWS = frozenset(["vec", "reshape", "diagvec"])

_DIVISORS = 12  # of sizes that are whole numbers all the same


class Names:
    """The names in the code of variables, dimensions, abstract functions (`phi`, `phi_prime`) and solvers."""

    def __init__(
        self,
        variables: dict[str, str],
        dimensions: dict[str, str],
        functions: dict[str, str],
        solvers: dict[Equation, str],
    ) -> None:
        self.variables, self.dimensions, self.functions, self.solvers = variables, dimensions, functions, solvers


def size_text(d: object, names: Mapping[str, str]) -> str:
    """A size as Python: a whole number."""
    whole, divisor = sp.fraction(sp.together(core.exact_dim(d)))
    text, _ = number_code(whole, names)
    return text if divisor == 1 else f"({text}) // {divisor}"  # n (n + 1)/2 is whole, but / gives a float


def is_whole(value: sp.Expr) -> bool:
    """Whether a fraction of sizes is a whole number whatever they are, as n (n + 1)/2 is: by its remainders."""
    unknowns = sorted(value.free_symbols, key=str)
    above, divisor = sp.fraction(sp.together(value)) if unknowns else (value, sp.S.One)
    if not (divisor.is_Integer and 1 < divisor <= _DIVISORS and above.is_polynomial(*unknowns)):
        return False
    points = product(range(int(divisor)), repeat=len(unknowns))
    return all(above.subs(dict(zip(unknowns, point))) % divisor == 0 for point in points)


def rules(names: Names, *, three_axes: bool = True) -> dict[str, list[Rule]]:
    """All rules of selection, for a program with these names; `three_axes`: there are arrays with three axes."""

    def dim_text(d: object) -> str:
        return size_text(d, names.dimensions)

    def variable_code(select: Selector, e: Expr) -> Choice | None:
        return Code(names.variables[e.params[0]], view=True, cheap=True)

    def exact_code(select: Selector, e: Expr) -> Choice | None:
        value = e.params[0]
        if is_whole(value):
            return Code(dim_text(value), (), Level.TIMES, cheap=True)
        text, level = number_code(value, names.dimensions)
        return Code(text, (), level, cheap=True)

    def filled_code(select: Selector, e: Expr) -> Choice | None:
        if e.is_scalar:
            return number(1 if e.op == "ones" else 0)
        return Code(f"np.{e.op}(({dim_text(e.shape[0])}, {dim_text(e.shape[1])}), dtype=dtype)")

    def identity_code(select: Selector, e: Expr) -> Choice | None:
        return number(1) if e.is_scalar else Code(f"np.eye({dim_text(e.shape[0])}, dtype=dtype)")

    def commutation_code(select: Selector, e: Expr) -> Choice | None:
        if any(map(is_one, e.params)):
            return core.eye(e.shape[0])
        return Code(f"_comm({dim_text(e.params[0])}, {dim_text(e.params[1])}).astype(dtype, copy=False)")

    def broadcast_code(select: Selector, e: Expr) -> Choice | None:
        a = select.decide(e.args[0])
        m, n = map(dim_text, e.shape)
        if a.op == "broadcast":
            return core.broadcast(a.args[0], e.shape)
        if a.is_scalar:
            return Code(f"np.full(({m}, {n}), {{0}}, dtype=dtype)", (a,))
        return Code(f"np.broadcast_to({{0}}, ({m}, {n}))", (a,), view=True)

    def function_code(select: Selector, e: Expr) -> Choice | None:
        if e.params[0].body is not None:
            body: Expr = e.params[0].expand(e.args[0])
            return body
        return Code(f"{names.functions[function_name(e)]}({{0}})", (e.args[0],))

    def root_code(select: Selector, e: Expr) -> Choice | None:
        equation = e.params[0]
        slots = [f"{{{k}}}" for k in range(len(e.args))]
        sizes = [names.dimensions[d] for d in equation.sizes]
        return Code(f"{names.solvers[equation]}({', '.join([*slots, *sizes, 'dtype'])})", e.args)

    def catalogue_code(select: Selector, e: Expr) -> Choice | None:
        return _call(select, e, dim_text)

    found: dict[str, list[Rule]] = {**entrywise.RULES, **contractions.RULES, **moments.RULES, **traces.RULES}
    return {
        **found,
        **({op: [blocks_code, *found[op]] for op in ("matmul", "add", "scale")} if three_axes else {}),
        "variable": [variable_code],
        "number": [exact_code],
        "ones": [filled_code],
        "zeros": [filled_code],
        "eye": [identity_code],
        "comm": [commutation_code],
        "broadcast": [broadcast_code],
        "func": [function_code],
        "root": [root_code],
        "*": [small_operands, scalar_case, catalogue_code],
    }


def function_name(e: Expr) -> str:
    """What the function of a `func` node is called in code: `phi`, `phi_prime`."""
    function = e.params[0]
    return f"{function.name}{'_prime' * function.order}"


def scalar_case(select: Selector, e: Expr) -> Choice | None:
    """Operations that are something simpler for 1 x 1 arguments."""
    if e.op in ("det", "tr", "vec", "reshape", "diag", "diagvec") and e.args[0].is_scalar:
        return e.args[0]
    if e.op in ("vec", "reshape") and same_shape(e.shape, e.args[0].shape):
        return e.args[0]
    if e.op == "logdet" and e.args[0].is_scalar:
        return log(absolute(*e.args))
    if e.op == "matpow" and e.is_scalar:
        return power(*e.args)
    if e.op == "adj" and e.is_scalar:
        return number(1)
    if e.op == "kron" and any(a.is_scalar for a in e.args):
        A, B = e.args
        return core.scale(A, B) if A.is_scalar else core.scale(B, A)
    if e.op in ("blockinner", "blocksum"):
        return _block_case(e)
    if e.op in _TAKES_SCALAR and e.is_scalar and e.params and e.params[0] is not None:  # along the only axis
        return node(e.op, e.args, (None, *e.params[1:]))
    return None


def _block_case(e: Expr) -> Expr | None:
    blocks, by = e.args if e.op == "blockinner" else e.args[::-1]
    if by.is_scalar:
        return core.scale(by, blocks)
    if same_shape(blocks.shape, by.shape):
        return core.total(core.hadamard(blocks, by))
    return None


def _call(select: Selector, e: Expr, dim_text: object) -> Code:
    """The catalogue's own notation for an operation."""
    notation = record(e.op).numpy
    if callable(notation):
        notation = notation(*e.params)
    if isinstance(notation, Builtin):
        raise NoRuleError(f"no NumPy code for {e.op}")
    bare = is_entrywise(e)
    args = tuple(stripped(select, a) if bare else a for a in e.args)
    takes = bare or e.op in _TAKES_SCALAR
    slots = [
        f"np.full((1, 1), {{{k}}}, dtype=dtype)" if a.is_scalar and not takes and e.op != "matpow" else f"{{{k}}}"
        for k, a in enumerate(args)
    ]
    if takes and args and all(a.op == "number" for a in args):  # Python's floats would give double precision
        slots = [f"dtype.type({slot})" for slot in slots]
    if isinstance(notation, Call):
        parameters = [_parameter(p, dim_text) for p in e.params]
        text, level, need = f"{notation.name}({', '.join(slots + parameters)})", Level.ATOM, Level.LOOSE
    else:
        parameters = [_parameter(p, dim_text) for p in e.params]
        text = notation.text.format(*slots, **{f"p{k}": p for k, p in enumerate(parameters)})
        level, need = FROM_NOTATION[notation.level], FROM_NOTATION[notation.inner]
    if e.is_scalar and not bare and e.op not in _GIVES_SCALAR:
        text, level = f"np.reshape({text}, ())[()]", Level.ATOM
    if not args:  # a constant matrix
        text, level = f"({text}).astype(dtype, copy=False)", Level.ATOM
    return Code(text, args, level, (need,) * len(args), view=e.op in _VIEWS)


def _parameter(p: object, dim_text: object) -> str:
    if isinstance(p, (int, str)) or p is None:
        return repr(p)
    assert callable(dim_text)
    return str(dim_text(p))
