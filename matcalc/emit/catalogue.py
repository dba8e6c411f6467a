"""Instructions for leaves, broadcasts, functions of users, and for whatever the catalogue writes as a call."""

from __future__ import annotations

from matcalc import core
from matcalc.core import number, power
from matcalc.dims import is_one, same_shape
from matcalc.emit import contractions, entrywise, moments, traces
from matcalc.emit.blocks import blocks_code
from matcalc.emit.entrywise import is_entrywise, small_operands, stripped
from matcalc.emit.instructions import Instruction, function_name
from matcalc.emit.selection import Choice, Rule, Selector
from matcalc.errors import NoRuleError
from matcalc.expr import Expr, node, operations, record
from matcalc.notation import Builtin
from matcalc.ops.elementwise import absolute, log
from matcalc.ops.normalization import logsumexp
from matcalc.ops.reductions import mean_, std, sum_, var_

# What is computed of all entries, whatever the axis, for rows and columns.
_REDUCTIONS = operations(sum_, mean_, var_, std, logsumexp)
# What may share the memory of its argument.
_VIEWS = frozenset(["vec", "reshape", "diagvec"])


def variable_code(select: Selector, e: Expr) -> Choice | None:
    """An input."""
    return Instruction("variable", options=(e.params[0],), view=True, cheap=True)


def number_code(select: Selector, e: Expr) -> Choice | None:
    """An exact number, of sizes too."""
    return Instruction("number", options=(e.params[0],), cheap=True)


def constant_code(select: Selector, e: Expr) -> Choice | None:
    """A constant matrix; of 1 x 1 a number."""
    if e.is_scalar:
        return number(0 if e.op == "zeros" else 1)
    return Instruction(e.op)


def commutation_code(select: Selector, e: Expr) -> Choice | None:
    """A commutation matrix; of vectors the identity."""
    if any(map(is_one, e.params)):
        return core.eye(e.shape[0])
    return Instruction("comm", options=e.params)


def broadcast_code(select: Selector, e: Expr) -> Choice | None:
    """A value repeated: in memory of its own, if it is a number."""
    a = select.decide(e.args[0])
    if a.op == "broadcast":
        return core.broadcast(a.args[0], e.shape)
    return Instruction("full", (a,)) if a.is_scalar else Instruction("broadcast", (a,), view=True)


def function_code(select: Selector, e: Expr) -> Choice | None:
    """A function of the user: what it is defined by, or a call."""
    if e.params[0].body is not None:
        body: Expr = e.params[0].expand(e.args[0])
        return body
    return Instruction("func", (e.args[0],), (function_name(e),))


def root_code(select: Selector, e: Expr) -> Choice | None:
    """The solution of an equation."""
    return Instruction("root", e.args, e.params)


def catalogue_code(select: Selector, e: Expr) -> Choice | None:
    """An operation as the catalogue has it."""
    if isinstance(record(e.op).numpy, Builtin):
        raise NoRuleError(f"no NumPy code for {e.op}")
    operands = tuple(stripped(select, a) for a in e.args) if is_entrywise(e) else e.args
    return Instruction(e.op, operands, e.params, view=e.op in _VIEWS)


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
    if e.op in _REDUCTIONS and e.is_scalar and e.params[0] is not None:  # along the only axis
        return node(e.op, e.args, (None, *e.params[1:]))
    return None


def _block_case(e: Expr) -> Expr | None:
    blocks, by = e.args if e.op == "blockinner" else e.args[::-1]
    if by.is_scalar:
        return core.scale(by, blocks)
    if same_shape(blocks.shape, by.shape):
        return core.total(core.hadamard(blocks, by))
    return None


RULES: dict[str, list[Rule]] = {
    **entrywise.RULES,
    **contractions.RULES,
    **moments.RULES,
    **traces.RULES,
    **{op: [constant_code] for op in ("ones", "zeros", "eye")},
    "variable": [variable_code],
    "number": [number_code],
    "comm": [commutation_code],
    "broadcast": [broadcast_code],
    "func": [function_code],
    "root": [root_code],
    "*": [small_operands, scalar_case, catalogue_code],
}
# Where there are arrays with three axes, too.
WITH_BLOCKS = RULES | {op: [blocks_code, *RULES[op]] for op in ("matmul", "add", "scale")}
