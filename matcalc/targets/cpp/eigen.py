"""Expressions in C++ by Eigen."""

from __future__ import annotations

from matcalc.targets.cpp.expressions import CppExpressions
from matcalc.targets.matrix_languages.pieces import (
    ATOM,
    COMPARE,
    POWER,
    PRODUCT,
    SCALAR,
    SUM,
    UNARY,
    Piece,
    Shape,
    joint,
    squared,
)

# What Eigen's arrays have as methods. (Its exp of -1000 is not 0: the standard library's is called.)
_METHODS = {"sqrt", "abs", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"}


class EigenExpressions(CppExpressions):
    """By Eigen: entrywise operations are those of arrays."""

    def whole(self, a: Piece) -> str:
        if not a.array:
            return a.text
        return f"{a.at(ATOM)}.matrix()"

    def _array(self, a: Piece) -> Piece:
        """A matrix as an array."""
        if a.array or a.shape == SCALAR:
            return a
        return Piece(f"{a.at(ATOM)}.array()", a.shape, ATOM, array=True)

    def native(self, function: str, a: Piece) -> Piece | None:
        if function not in _METHODS:
            return None
        return Piece(f"{self._array(a).at(ATOM)}.{function}()", a.shape, ATOM, array=True)

    def entrywise(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        shape = joint(a.shape, b.shape)
        if level == COMPARE:
            return self.compared(operator, a, b)
        if shape == SCALAR:
            return self.plain_numbers(operator, a, b, level)
        a, b = (p if p.shape in (SCALAR, shape) else self.along(p, shape) for p in (a, b))
        as_matrices = (operator in "+-" and a.shape == b.shape) or (
            (operator == "*" and SCALAR in (a.shape, b.shape)) or (operator == "/" and b.shape == SCALAR)
        )
        if as_matrices and not a.array and not b.array:
            return Piece(f"{a.at(level)} {operator} {b.at(level + 1)}", shape, level)
        left, right = self._array(a), self._array(b)
        return Piece(f"{left.at(level)} {operator} {right.at(level + 1)}", shape, level, array=True)

    def _negative(self, a: Piece) -> Piece:
        level = UNARY if a.level >= POWER else SUM
        return Piece(f"-{a.at(PRODUCT)}", a.shape, level, array=a.array)

    def along(self, a: Piece, shape: Shape) -> Piece:
        if a.shape == shape and a.shape != SCALAR:
            return a
        rows, columns = self.sizes(shape)
        if a.shape == SCALAR:
            return self.filled(a, shape, [rows, columns])
        counts = f"{rows if a.flags[0] else '1'}, {columns if a.flags[1] else '1'}"
        return Piece(f"{a.at(ATOM)}.replicate({counts})", shape, ATOM, array=a.array)

    def power(self, a: Piece, b: Piece) -> Piece:
        shape = joint(a.shape, b.shape)
        if shape == SCALAR:
            return Piece(f"square({a.text})" if squared(b) else f"std::pow({a.text}, {b.text})")
        if squared(b):
            return Piece(f"{self._array(a).at(ATOM)}.square()", shape, ATOM, array=True)
        return self.binary("power", [a, b])

    def turned(self, a: Piece) -> Piece:
        return Piece(f"{a.at(ATOM)}.transpose()", a.shape[::-1], ATOM, turned=a, array=a.array)

    def _matrix(self, a: Piece) -> Piece:
        return Piece(self.whole(a), a.shape, ATOM) if a.array else a

    def product(self, a: Piece, b: Piece) -> Piece:
        return super().product(self._matrix(a), self._matrix(b))

    def inner(self, a: Piece, b: Piece) -> Piece:
        if a.text == b.text:
            return Piece(f"{self._matrix(a).at(ATOM)}.squaredNorm()")
        return Piece(f"{self._matrix(a).at(ATOM)}.cwiseProduct({self._matrix(b).text}).sum()")

    def total(self, pieces: list[Piece]) -> Piece:
        return Piece(f"{pieces[0].at(ATOM)}.sum()") if pieces[0].shape != SCALAR else pieces[0]

    def sums(self, axis: int, pieces: list[Piece]) -> Piece:
        a = pieces[0]
        way = "colwise" if axis == 0 else "rowwise"
        shape = ("1", a.shape[1]) if axis == 0 else (a.shape[0], "1")
        return Piece(f"{a.at(ATOM)}.{way}().sum()", shape, ATOM, array=a.array)
