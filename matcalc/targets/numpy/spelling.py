"""How instructions are written in NumPy: a template for each, or a function of its options, operands and shape.

An instruction without one is an operation of the catalogue, which has its own notation. In generated code a 1 x 1 value
is a scalar and everything else a 2-D array; where an operation of arrays gets or gives a 1 x 1 value, it is converted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from matcalc.emit.code import FROM_NOTATION, Code, Level, is_whole, number_code, size_text
from matcalc.emit.instructions import Instruction, Names
from matcalc.errors import NoRuleError
from matcalc.expr import record
from matcalc.notation import Builtin, Call

# What NumPy gives a scalar for, whatever it is applied to; and what it takes one for.
GIVES_SCALAR = frozenset(["tr", "sum", "mean", "var", "std", "det", "logdet", "norm1", "norm2", "mse", "logsumexp"])
TAKES_SCALAR = frozenset(["sum", "mean", "var", "std", "norm1", "norm2", "mse", "logsumexp"])

Writer: TypeAlias = Callable[[Instruction, Names], Code]


def spelled(instruction: Instruction, names: Names) -> Code:
    """An instruction in NumPy.

    Raises:
        NoRuleError: it has no counterpart there.
    """
    found = SPELLINGS.get(instruction.name, _call)
    return found if isinstance(found, Code) else found(instruction, names)


# ------------------------------------------------------------------------------------------------ leaves


def _variable(i: Instruction, names: Names) -> Code:
    return Code(names.variables[i.options[0]])


def _number(i: Instruction, names: Names) -> Code:
    (value,) = i.options
    if is_whole(value):
        return Code(size_text(value, names.dimensions), Level.TIMES)
    return Code(*number_code(value, names.dimensions))


def _sizes(i: Instruction, names: Names) -> str:
    assert i.shape is not None
    return f"({', '.join(size_text(d, names.dimensions) for d in i.shape)})"


def _filled(i: Instruction, names: Names) -> Code:
    return Code(f"np.{i.name}({_sizes(i, names)}, dtype=dtype)")


def _eye(i: Instruction, names: Names) -> Code:
    assert i.shape is not None
    return Code(f"np.eye({size_text(i.shape[0], names.dimensions)}, dtype=dtype)")


def _comm(i: Instruction, names: Names) -> Code:
    m, n = (size_text(d, names.dimensions) for d in i.options)
    return Code(f"_comm({m}, {n}).astype(dtype, copy=False)")


def _full(i: Instruction, names: Names) -> Code:
    return Code(f"np.full({_sizes(i, names)}, {{0}}, dtype=dtype)")


def _broadcast(i: Instruction, names: Names) -> Code:
    return Code(f"np.broadcast_to({{0}}, {_sizes(i, names)})")


def _func(i: Instruction, names: Names) -> Code:
    return Code(f"{names.functions[i.options[0]]}({{0}})")


def _root(i: Instruction, names: Names) -> Code:
    (equation,) = i.options
    slots = [f"{{{k}}}" for k in range(len(i.operands))]
    sizes = [names.dimensions[d] for d in equation.sizes]
    return Code(f"{names.solvers[equation]}({', '.join([*slots, *sizes, 'dtype'])})")


# ------------------------------------------------------------------------------------------------ entries


def _chain(signs: tuple[int, ...]) -> str:
    """The text of a sum of terms with signs."""
    text = ""
    for k, sign in enumerate(signs):
        text += ("-" if sign < 0 else "") if k == 0 else (" - " if sign < 0 else " + ")
        text += f"{{{k}}}"
    return text


def _add(i: Instruction, names: Names) -> Code:
    (signs,) = i.options
    first = Level.TIMES if signs[0] < 0 else Level.SUM
    return Code(_chain(signs), Level.SUM, (first, *[Level.MATMUL] * (len(signs) - 1)))


def _product(i: Instruction, names: Names) -> Code:
    minus, roles = i.options
    above: list[str] = []
    below: list[str] = []
    needs: list[Level] = []
    several = roles.count("below") > 1
    for k, role in enumerate(roles):
        if role == "below":
            needs.append(Level.TIMES if several and not below else Level.POWER)
            below.append(f"{{{k}}}")
            continue
        needs.append(Level.SUM if role == "mask" else Level.TIMES if not above else Level.MINUS)
        above.append(f"({{{k}}} > 0)" if role == "mask" else f"{{{k}}}")
    text = " * ".join(above)
    if below:
        text += f" / ({' * '.join(below)})" if several else f" / {below[0]}"
    if minus:
        needs[0] = Level.TIMES if i.operands[0].op == "number" else Level.POWER
        text = f"-{text}"
    return Code(text, Level.TIMES, tuple(needs))


def _step(i: Instruction, names: Names) -> Code:
    return Code("dtype.type({0} > 0)" if i.is_scalar else "({0} > 0).astype(dtype)", Level.ATOM, (Level.SUM,))


def _where(i: Instruction, names: Names) -> Code:
    relation, of_numbers = i.options
    text = f"np.where({{0}} {relation} {{1}}, {{2}}, {{3}})"
    text += ".astype(dtype)" if of_numbers else ""
    text += "[()]" if i.is_scalar else ""
    return Code(text, Level.ATOM, (Level.SUM, Level.SUM))


def _polygamma(i: Instruction, names: Names) -> Code:
    """SciPy computes it in double precision."""
    call = f"special.polygamma({i.options[0]}, {{0}})"
    return Code(f"dtype.type({call})" if i.is_scalar else f"{call}.astype(dtype, copy=False)")


# ------------------------------------------------------------------------------------------------ matrices


def _sum(i: Instruction, names: Names) -> Code:
    (axis,) = i.options
    where = "" if axis is None else f", axis={axis - 1}, keepdims=True"
    return Code(f"np.sum({{0}}{where})")


_PAIRS = {
    (False, 1): '"ij,ij->j", {0}, {1})[None, :]',
    (False, 2): '"ij,ij->i", {0}, {1})[:, None]',
    (True, 2): '"ij,ji->i", {0}, {1})[:, None]',
    (True, None): '"ij,ji->", {0}, {1})',
}


def _sum_of_products(i: Instruction, names: Names) -> Code:
    return Code(f"np.einsum({_PAIRS[i.options]}")


def _whole_power(i: Instruction, names: Names) -> Code:
    return Code(f"np.linalg.matrix_power({{0}}, {i.options[0]})")


def _resolvent(i: Instruction, names: Names) -> Code:
    return Code(f"_resolvent({{0}}, {1 if i.options[0] == 'eigmax' else -1})")


def _kronecker_applied(i: Instruction, names: Names) -> Code:
    """A product with kron(A, B); `None` stands for an identity factor."""
    (there,) = i.options
    slots = iter(range(3))
    A, B = (f"{{{next(slots)}}}" if given else "None" for given in there)
    M = f"{{{next(slots)}}}"
    return Code(f"_kron_times({A}, {B}, {M})" if i.name == "kron_times" else f"_times_kron({M}, {A}, {B})")


# ------------------------------------------------------------------------------------------------ blocks


def _sum_of_blocks(i: Instruction, names: Names) -> Code:
    (signs,) = i.options
    needs = (Level.SUM if signs[0] > 0 else Level.POWER, *[Level.MATMUL] * (len(signs) - 1))
    return Code(_chain(signs), Level.SUM if len(signs) > 1 else Level.TIMES, needs)


def _on_diagonals(i: Instruction, names: Names) -> Code:
    """The last operand goes to the diagonals of the blocks that another instruction computes of the others."""
    inner = spelled(i.options[0], names)
    last = f"{{{len(i.operands) - 1}}}"
    fresh = "" if inner.text == "{0}" else ", fresh=True"
    return Code(f"_add_to_diagonals({inner.text}, {last}{fresh})", Level.ATOM, inner.needs)


def _factors_swapped(i: Instruction, names: Names) -> Code:
    """What another instruction computes by columns; the last two operands are sizes."""
    inner = spelled(i.options[0], names)
    count = len(i.operands)
    return Code(f"_factors_swapped({inner.text}, {{{count - 2}}}, {{{count - 1}}})", Level.ATOM, inner.needs)


# ------------------------------------------------------------------------------------------------ the catalogue


def _call(i: Instruction, names: Names) -> Code:
    """The catalogue's own notation for an operation."""
    notation = record(i.name).numpy
    if callable(notation):
        notation = notation(*i.options)
    if isinstance(notation, Builtin):
        raise NoRuleError(f"no NumPy code for {i.name}")
    bare = record(i.name).entrywise
    takes = bare or i.name in TAKES_SCALAR
    slots = [
        f"np.full((1, 1), {{{k}}}, dtype=dtype)" if a.is_scalar and not takes and i.name != "matpow" else f"{{{k}}}"
        for k, a in enumerate(i.operands)
    ]
    if takes and slots and all(a.op == "number" for a in i.operands):  # Python's floats would give double precision
        slots = [f"dtype.type({slot})" for slot in slots]
    parameters = [_parameter(p, names.dimensions) for p in i.options]
    if isinstance(notation, Call):
        text, level, need = f"{notation.name}({', '.join(slots + parameters)})", Level.ATOM, Level.LOOSE
    else:
        text = notation.text.format(*slots, **{f"p{k}": p for k, p in enumerate(parameters)})
        level, need = FROM_NOTATION[notation.level], FROM_NOTATION[notation.inner]
    if i.is_scalar and not bare and i.name not in GIVES_SCALAR:
        text, level = f"np.reshape({text}, ())[()]", Level.ATOM
    if not slots:  # a constant matrix
        text, level = f"({text}).astype(dtype, copy=False)", Level.ATOM
    return Code(text, level, (need,) * len(slots))


def _parameter(p: object, dimensions: Mapping[str, str]) -> str:
    return repr(p) if isinstance(p, (int, str)) or p is None else size_text(p, dimensions)


SPELLINGS: dict[str, Code | Writer] = {
    "variable": _variable,
    "number": _number,
    "ones": _filled,
    "zeros": _filled,
    "eye": _eye,
    "comm": _comm,
    "full": _full,
    "broadcast": _broadcast,
    "func": _func,
    "root": _root,
    "same": Code("{0}"),
    # entries
    "add": _add,
    "add_diagonal": Code("_add_diagonal({0}, {1})"),
    "product": _product,
    "power": Code("{0}**{1}", Level.POWER, (Level.ATOM, Level.ATOM)),
    "number_power": Code("dtype.type({0})**{1}", Level.POWER, (Level.LOOSE, Level.ATOM)),
    "one_over": Code("1 / {0}", Level.TIMES, (Level.POWER,)),
    "reciprocal": Code("_reciprocal({0})"),
    "reciprocal_power": Code("_reciprocal({0})**{1}", Level.POWER, (Level.LOOSE, Level.ATOM)),
    "square_root": Code("np.sqrt({0})"),
    "mean_excess": Code("_mean_excess({0}, {1})"),
    "squared_cosh": Code("_squared_cosh({0})"),
    "step": _step,
    "where": _where,
    "polygamma": _polygamma,
    # matrices
    "matmul": Code("{0} @ {1}", Level.MATMUL, (Level.POWER, Level.POWER)),
    "transpose": Code("{0}.T", Level.ATOM, (Level.ATOM,)),
    "dot": Code("np.vdot({0}, {1})"),
    "sum": _sum,
    "sum_of_products": _sum_of_products,
    "gram": Code("{0}.T @ {0}", Level.MATMUL, (Level.ATOM,)),
    "weighted_gram": Code("_weighted_gram({0}, {1})"),
    "kron": Code("_kron({0}, {1})"),
    "eye_kron": Code("_eye_kron({0}, {1})"),
    "kron_eye": Code("_kron_eye({0}, {1})"),
    "kron_times": _kronecker_applied,
    "times_kron": _kronecker_applied,
    "cholesky": Code("np.linalg.cholesky({0})"),
    "gram_factor": Code("_gram_factor({0})"),
    "cholesky_inverse": Code("_cholesky_inverse({0})"),
    "cholesky_solve": Code("_cholesky_solve({0}, {1})"),
    "cholesky_logdet": Code("2 * np.sum(np.log(np.diagonal({0})))", Level.TIMES),
    "log_det": Code("_log_det({0})"),
    "whole_power": _whole_power,
    "resolvent": _resolvent,
    # blocks
    "repeated_rows": Code("np.broadcast_to({0}[:, None, :], ({1}, {2}, {3}))", Level.ATOM, (Level.ATOM,)),
    "rows_times_blocks": Code("{0}[:, :, None] * {1}", Level.TIMES, (Level.ATOM, Level.ATOM)),
    "blocks_times_columns": Code("{0} * {1}[:, None, :]", Level.TIMES, (Level.TIMES, Level.ATOM)),
    "product_of_blocks": Code("{0} @ {1}", Level.MATMUL, (Level.POWER, Level.POWER)),
    "minus_blocks": Code("-{0}", Level.TIMES, (Level.POWER,)),
    "scaled_blocks": Code("{0} * {1}", Level.TIMES, (Level.TIMES, Level.MINUS)),
    "turned_blocks": Code("{0}.swapaxes(1, 2)", Level.ATOM, (Level.ATOM,)),
    "sum_of_blocks": _sum_of_blocks,
    "on_diagonals": _on_diagonals,
    "diagonal_blocks_gram": Code("_diagonal_blocks_gram({0}, {1}, {2})"),
    "symmetric_blocks_gram": Code("_blocks_gram({0}, {1})"),
    "blocks_gram": Code("_blocks_gram({0}, {1}, {2})"),
    "blocks_times": Code("_blocks_times({0}, {1})"),
    "times_blocks": Code("_blocks_times({0}.swapaxes(1, 2), {1}).T", Level.ATOM, (Level.ATOM,)),
    "spread_blocks": Code("_spread_blocks({0})"),
    "factors_swapped": _factors_swapped,
}
