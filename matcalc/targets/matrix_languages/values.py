"""Values of a program in a language with matrices, instruction by instruction.

What NumPy broadcasts by itself is written out as the language has it; where an operation of matrices gets or gives a
1 x 1 value, it is converted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from matcalc.emit.instructions import Instruction, Value
from matcalc.expr import REGISTRY
from matcalc.targets.matrix_languages.expressions import Expressions
from matcalc.targets.matrix_languages.pieces import COMPARE, PRODUCT, SCALAR, SUM, Piece, joint
from matcalc.targets.numpy.spelling import GIVES_SCALAR, SPELLINGS, TAKES_SCALAR

# Operations whose functions give a number; the 1 x 1 value of others is the entry of a matrix.
_NUMBERS = frozenset(["max", "min", "prod", "eigmax", "eigmin", "normnuc", "normspec"])


def written(language: Expressions, value: Value) -> Piece:
    """A value in the language.

    Raises:
        NoRuleError: it lacks an operation.
    """
    instruction = value.instruction
    if instruction is None:
        return language.named(language.value_names[value.name], language.shape(value.shape))
    if instruction.name in _FORMS:
        return _FORMS[instruction.name](language, value, instruction)
    operands = _arguments(language, value, instruction)
    if instruction.name in _COMPOUNDS:
        return _COMPOUNDS[instruction.name](language, operands)
    return _called(language, value, instruction, operands)


def _operands(language: Expressions, value: Value) -> list[Piece]:
    return [written(language, a) for a in value.operands]


def _arguments(language: Expressions, value: Value, i: Instruction) -> list[Piece]:
    """The operands, numbers as matrices for what takes matrices."""
    operands = _operands(language, value)
    if not _of_matrices(i) or i.name in TAKES_SCALAR or i.name in language.numbered:
        return operands
    size = language.exact_size(1)
    return [language.filled(p, SCALAR, [size, size]) if p.shape == SCALAR else p for p in operands]


def _of_matrices(i: Instruction) -> bool:
    """Whether it is an operation of the catalogue on matrices."""
    return i.name not in SPELLINGS and not REGISTRY[i.name].entrywise


def _called(language: Expressions, value: Value, i: Instruction, operands: list[Piece]) -> Piece:
    """What the language writes as a call, by its table."""
    entry = REGISTRY.get(i.name)
    kinds = [p.kind for p in entry.params] if entry is not None else [""] * len(i.options)
    axis = next((option for kind, option in zip(kinds, i.options) if kind == "axis"), None)
    options = [option for kind, option in zip(kinds, i.options) if kind != "axis"]
    choices = [axis, *(option for option in options if isinstance(option, str))]
    key = ":".join([i.name, *(str(choice) for choice in choices if choice is not None)])
    exact = [option for option in options if not isinstance(option, str)]
    if key not in language.calls:
        raise language.refused(i.name)
    numbers = [_number_of(a) for a in value.operands] + exact
    sizes = {f"s{k}": language.exact_size(d) for k, d in enumerate(numbers) if f"{{s{k}}}" in language.calls[key]}
    found = language.call(key, [*operands, *(_option(language, p) for p in exact)], language.shape(value.shape), sizes)
    alone = found.shape == SCALAR and _of_matrices(i) and i.name not in GIVES_SCALAR
    return language.entry(found) if alone and not (axis is None and i.name in _NUMBERS) else found


def _option(language: Expressions, option: Any) -> Piece:
    return language.whole_number(option) if isinstance(option, int) else language.exact(option)


def _number_of(value: Value) -> Any:
    """The exact number that an operand is."""
    return value.instruction.options[0] if value.instruction is not None and value.instruction.options else None


# ------------------------------------------------------------------------------------------------ entries


def _number(language: Expressions, value: Value, i: Instruction) -> Piece:
    return language.exact(i.options[0])


def _sum_of_terms(language: Expressions, value: Value, i: Instruction) -> Piece:
    (signs,) = i.options
    first, *rest = value.operands
    total = _negated(language, first) if signs[0] < 0 else written(language, first)
    for sign, term in zip(signs[1:], rest):
        total = language.entrywise("-" if sign < 0 else "+", total, written(language, term), SUM)
    return total


def _negated(language: Expressions, value: Value) -> Piece:
    """The negative of a value, with the sign at the first factor of a product."""
    i = value.instruction
    if i is not None and i.name == "number":
        return language.exact(i.options[0], minus=True)
    if i is not None and i.name == "product" and not i.options[0]:
        return _factors(language, value, i.options[1], minus=True)
    return language.negative(written(language, value))


def _product(language: Expressions, value: Value, i: Instruction) -> Piece:
    minus, roles = i.options
    return _factors(language, value, roles, minus=minus)


def _factors(language: Expressions, value: Value, roles: tuple[str, ...], *, minus: bool) -> Piece:
    """Factors above and below the line; a mask is 1 where a factor is positive, else 0."""
    above: list[Piece] = []
    below: list[Piece] = []
    for role, operand in zip(roles, value.operands):
        first = minus and not above and role != "below"
        if role == "mask":
            mask = _positive(language, written(language, operand))
            above.append(language.negative(mask) if first else mask)
        elif first and operand.instruction is not None and operand.instruction.name == "number":
            above.append(_negated(language, operand))
        else:
            piece = written(language, operand)
            (below if role == "below" else above).append(language.negative(piece) if first else piece)
    found = _multiplied(language, above)
    return language.entrywise("/", found, _multiplied(language, below), PRODUCT) if below else found


def _multiplied(language: Expressions, factors: list[Piece]) -> Piece:
    found = factors[0]
    for factor in factors[1:]:
        found = language.entrywise("*", found, factor, PRODUCT)
    return found


def _positive(language: Expressions, a: Piece) -> Piece:
    """1 where an entry is positive, else 0."""
    return language.truth(language.entrywise(">", a, language.whole_number(0), COMPARE))


def _step(language: Expressions, value: Value, i: Instruction) -> Piece:
    return _positive(language, *_operands(language, value))


def _power(language: Expressions, value: Value, i: Instruction) -> Piece:
    return language.power(*_operands(language, value))


def _one_over(language: Expressions, value: Value, i: Instruction) -> Piece:
    (a,) = _operands(language, value)
    return language.entrywise("/", language.whole_number(1), a, PRODUCT)


def _reciprocal_power(language: Expressions, value: Value, i: Instruction) -> Piece:
    base, exponent = _operands(language, value)
    return language.power(language.call("reciprocal", [base], base.shape), exponent)


def _square_root(language: Expressions, value: Value, i: Instruction) -> Piece:
    return language.call("sqrt", _operands(language, value), language.shape(value.shape))


def _where(language: Expressions, value: Value, i: Instruction) -> Piece:
    left, right, yes, no = _operands(language, value)
    shape = language.shape(value.shape)
    if joint(left.shape, right.shape) != shape:
        left = language.along(left, shape)
    test = language.entrywise(i.options[0], left, right, COMPARE)
    parts = [p if p.shape in (SCALAR, shape) else language.along(p, shape) for p in (yes, no)]
    return language.chosen(test, *parts)


# ------------------------------------------------------------------------------------------------ matrices


def _filled(language: Expressions, value: Value, i: Instruction) -> Piece:
    """Zeros, ones, or a number everywhere."""
    assert value.shape is not None
    (number,) = _operands(language, value) or [language.whole_number(0 if i.name == "zeros" else 1)]
    return language.filled(number, language.shape(value.shape), [language.exact_size(d) for d in value.shape])


def _broadcast(language: Expressions, value: Value, i: Instruction) -> Piece:
    (a,) = _operands(language, value)
    return language.along(a, language.shape(value.shape))


def _identity(language: Expressions, value: Value, i: Instruction) -> Piece:
    assert value.shape is not None
    return language.identity(language.exact_size(value.shape[0]), language.shape(value.shape))


def _transpose(language: Expressions, value: Value, i: Instruction) -> Piece:
    return language.transposed(*_operands(language, value))


def _matmul(language: Expressions, value: Value, i: Instruction) -> Piece:
    return _multiplied_out(language, *_operands(language, value))


def _gram(language: Expressions, value: Value, i: Instruction) -> Piece:
    (a,) = _operands(language, value)
    return _multiplied_out(language, language.transposed(a), a)


def _multiplied_out(language: Expressions, a: Piece, b: Piece) -> Piece:
    """The matrix product, which of a row and a column is a number."""
    if (a.shape[0], b.shape[1]) == SCALAR:
        return language.dot(a, language.transposed(b))
    return language.product(a, b)


def _dot(language: Expressions, value: Value, i: Instruction) -> Piece:
    return language.dot(*_operands(language, value))


def _sum_of_products(language: Expressions, value: Value, i: Instruction) -> Piece:
    """The sums of the entrywise product of two matrices, of which the second may be turned."""
    turned, axis = i.options
    a, b = _operands(language, value)
    if turned:
        b = language.transposed(b)
    if axis is None:
        return language.dot(a, b)
    return language.call(f"sum:{axis}", [language.entrywise("*", a, b, PRODUCT)], language.shape(value.shape))


def _outer(language: Expressions, value: Value, i: Instruction) -> Piece:
    """x y' of the entries of two vectors, whatever way they lie."""
    a, b = _operands(language, value)
    left = a if a.flags[1] else language.transposed(a)
    right = b if b.flags[0] else language.transposed(b)
    return language.entrywise("*", left, right, PRODUCT)


def _logdet_of_factor(language: Expressions, value: Value, i: Instruction) -> Piece:
    """2 sum(log(diagvec(L)))"""
    (L,) = _operands(language, value)
    column = language.call("diagvec", [L], (L.shape[0], "1"))
    logarithms = language.call("sum", [language.call("log", [column], column.shape)], SCALAR)
    return language.entrywise("*", language.whole_number(2), logarithms, PRODUCT)


def _kronecker_applied(language: Expressions, value: Value, i: Instruction) -> Piece:
    """A product with a Kronecker product, of which a factor may be an identity."""
    there = "".join("x" if given else "-" for given in i.options[0])
    return language.call(f"{i.name}:{there}", _operands(language, value), language.shape(value.shape))


def _blocks(language: Expressions, value: Value, i: Instruction) -> Piece:
    parts = iter(_arguments(language, value, i))
    rows = [[next(parts) for _ in range(int(count))] for count in i.options[0].split()]
    return language.blocks(rows, language.shape(value.shape))


_FORMS: Mapping[str, Callable[[Expressions, Value, Instruction], Piece]] = {
    **{"number": _number, "add": _sum_of_terms, "product": _product, "step": _step, "where": _where},
    **{"power": _power, "number_power": _power, "one_over": _one_over, "reciprocal_power": _reciprocal_power},
    "square_root": _square_root,
    **{"zeros": _filled, "ones": _filled, "full": _filled, "broadcast": _broadcast, "eye": _identity},
    **{"transpose": _transpose, "matmul": _matmul, "gram": _gram, "dot": _dot, "sum_of_products": _sum_of_products},
    **{"outer": _outer, "cholesky_logdet": _logdet_of_factor, "block": _blocks},
    **{"kron_times": _kronecker_applied, "times_kron": _kronecker_applied},
}


# ------------------------------------------------------------------------------------------------ by other functions


def _of(function: str) -> Callable[[Expressions, Piece], Piece]:
    """A function of entries."""
    return lambda language, a: language.call(function, [a], a.shape)


_ABS, _EXP, _LOG, _SIGMOID, _SOFTPLUS, _ERFCX = map(_of, ("abs", "exp", "log", "sigmoid", "softplus", "erfcx"))


def _total(language: Expressions, a: Piece, b: Piece | None = None) -> Piece:
    """The sum of the entries, or of their products with those of another matrix."""
    return language.call("sum", [a if b is None else language.entrywise("*", a, b, PRODUCT)], SCALAR)


def _less(language: Expressions, a: Piece, b: Piece) -> Piece:
    return language.entrywise("-", a, b, SUM)


def _over(language: Expressions, a: Piece, b: Piece) -> Piece:
    return language.entrywise("/", a, b, PRODUCT)


def _relu(language: Expressions, operands: list[Piece]) -> Piece:
    (a,) = operands
    return language.call("maximum", [a, language.whole_number(0)], a.shape)


def _hardtanh(language: Expressions, operands: list[Piece]) -> Piece:
    (a,), one = operands, language.whole_number(1)
    return language.call("clip", [a, language.negative(one), one], a.shape)


def _logit(language: Expressions, operands: list[Piece]) -> Piece:
    (a,) = operands
    return _LOG(language, _over(language, a, _less(language, language.whole_number(1), a)))


def _logsigmoid(language: Expressions, operands: list[Piece]) -> Piece:
    return language.negative(_SOFTPLUS(language, language.negative(*operands)))


def _silu(language: Expressions, operands: list[Piece]) -> Piece:
    (a,) = operands
    return language.entrywise("*", a, _SIGMOID(language, a), PRODUCT)


def _softsign(language: Expressions, operands: list[Piece]) -> Piece:
    (a,) = operands
    return _over(language, a, language.entrywise("+", language.whole_number(1), _ABS(language, a), SUM))


def _normpdf(language: Expressions, operands: list[Piece]) -> Piece:
    (a,), two = operands, language.whole_number(2)
    half = _over(language, language.negative(language.power(a, two)), two)
    return language.entrywise("*", Piece(language.number(0.3989422804014327)), _EXP(language, half), PRODUCT)


def _normratio(language: Expressions, operands: list[Piece]) -> Piece:
    """phi/Phi by the scaled complementary error function."""
    (a,), factor = operands, language.negative(Piece(language.number(0.7071067811865476)))
    scaled = _ERFCX(language, language.entrywise("*", a, factor, PRODUCT))
    return _over(language, Piece(language.number(0.7978845608028654)), scaled)


def _norm1(language: Expressions, operands: list[Piece]) -> Piece:
    return _total(language, _ABS(language, *operands))


def _mse(language: Expressions, operands: list[Piece]) -> Piece:
    squares = language.power(_less(language, *operands), language.whole_number(2))
    return language.call("mean", [squares], SCALAR)


def _cross_entropy(language: Expressions, operands: list[Piece]) -> Piece:
    labels, p = operands
    return language.negative(_total(language, labels, _LOG(language, p)))


def _cossim(language: Expressions, operands: list[Piece]) -> Piece:
    a, b = operands
    norms = [language.call("norm2", [p], SCALAR) for p in (a, b)]
    return _over(language, _total(language, a, b), _multiplied(language, norms))


def _quadform(language: Expressions, operands: list[Piece]) -> Piece:
    x, A = operands
    return _total(language, x, language.product(A, x))


_COMPOUNDS: Mapping[str, Callable[[Expressions, list[Piece]], Piece]] = {
    **{"relu": _relu, "hardtanh": _hardtanh, "logit": _logit, "logsigmoid": _logsigmoid, "silu": _silu},
    **{"softsign": _softsign, "normpdf": _normpdf, "normratio": _normratio, "norm1": _norm1, "mse": _mse},
    **{"cross_entropy": _cross_entropy, "cossim": _cossim, "quadform": _quadform},
}
