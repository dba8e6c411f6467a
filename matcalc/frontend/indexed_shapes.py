r"""What shapes decide, `|a|`, `\|x\|`, `x \cdot y`, of values that depend on indices: the same as of those that do not.

The meaning is found for variables of the same shapes, and what they become is done to the values themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matcalc import core
from matcalc.expr import Expr, record
from matcalc.frontend.by_shape import value_of
from matcalc.frontend.chains import Operand
from matcalc.frontend.indexed_calls import applied
from matcalc.frontend.indexed_values import Indexed, added, as_indexed, multiplied
from matcalc.indices.conditions import Condition

_JOINED = {"matmul": "*", "scale": "*", "hadamard": ".*"}


def by_shape(meaning: str, operands: Sequence[Operand], conditions: Sequence[Condition]) -> Indexed:
    """What is meant by a sign whose meaning depends on the shapes.

    Raises:
        MatcalcError: nothing is, or one of several things.
        NotIndexedError: that has no matrix form under an index.
    """
    names = [f"_{k}" for k in range(len(operands))]
    stand_ins = [core.var(name, *o.value.shape) for name, o in zip(names, operands)]
    meant = value_of(meaning, [Operand(o.sign, v, o.words, o.signed) for o, v in zip(operands, stand_ins)])
    values = {v: o.value for v, o in zip(stand_ins, operands)}
    return as_indexed(_done(meant, values, {v: o.words for v, o in zip(stand_ins, operands)}, conditions))


def _done(e: Expr, values: Mapping[Expr, Any], words: Mapping[Expr, str], conditions: Sequence[Condition]) -> Any:
    """The expression, with these values for its variables."""
    if e in values:
        return values[e]
    if not e.args:
        return e
    given = [_done(a, values, words, conditions) for a in e.args]
    shown = [words.get(a, str(a)) for a in e.args]
    if e.op == "transpose":
        value = as_indexed(given[0])
        return Indexed(value.term, value.column, value.row)
    if e.op == "add":
        return added([Operand("+", v, w) for v, w in zip(given, shown)], conditions)
    if e.op in _JOINED:
        return multiplied([Operand(_JOINED[e.op], v, w) for v, w in zip(given, shown)], conditions)
    return applied(record(e.op), [Operand("", v, w) for v, w in zip(given, shown)], e.params, conditions)
