"""Expressions in C++ by Armadillo."""

from __future__ import annotations

from matcalc.targets.cpp.expressions import CppExpressions
from matcalc.targets.matrix_languages.pieces import ATOM, COMPARE, PRODUCT, SCALAR, Piece, Shape, joint, squared


class ArmadilloExpressions(CppExpressions):
    """By Armadillo: `%` is the entrywise product."""

    def native(self, function: str, a: Piece) -> Piece | None:
        return None if function in ("erfc", "lgamma", "tgamma") else Piece(f"arma::{function}({a.text})", a.shape)

    def entrywise(self, operator: str, a: Piece, b: Piece, level: int) -> Piece:
        shape = joint(a.shape, b.shape)
        if level == COMPARE:
            return self.compared(operator, a, b)
        if shape == SCALAR:
            return self.plain_numbers(operator, a, b, level)
        a, b = (p if p.shape in (SCALAR, shape) else self.along(p, shape) for p in (a, b))
        sign = "%" if operator == "*" and SCALAR not in (a.shape, b.shape) else operator
        return Piece(f"{a.at(level)} {sign} {b.at(level + 1)}", shape, level)

    def along(self, a: Piece, shape: Shape) -> Piece:
        if a.shape == shape and a.shape != SCALAR:
            return a
        rows, columns = self.sizes(shape)
        if a.shape == SCALAR:
            return self.filled(a, shape, [rows, columns])
        return Piece(f"arma::repmat({a.text}, {rows if a.flags[0] else '1'}, {columns if a.flags[1] else '1'})", shape)

    def power(self, a: Piece, b: Piece) -> Piece:
        shape = joint(a.shape, b.shape)
        if shape == SCALAR:
            return Piece(f"square({a.text})" if squared(b) else f"std::pow({a.text}, {b.text})")
        if squared(b):
            return Piece(f"arma::square({a.text})", shape)
        return self.binary("power", [a, b])

    def turned(self, a: Piece) -> Piece:
        return Piece(f"{a.at(ATOM)}.t()", a.shape[::-1], ATOM, turned=a)

    def inner(self, a: Piece, b: Piece) -> Piece:
        return Piece(f"arma::accu({self.entrywise('*', a, b, PRODUCT).text})")

    def total(self, pieces: list[Piece]) -> Piece:
        return Piece(f"arma::accu({pieces[0].text})") if pieces[0].shape != SCALAR else pieces[0]

    def sums(self, axis: int, pieces: list[Piece]) -> Piece:
        a = pieces[0]
        return Piece(f"arma::sum({a.text}, {axis})", ("1", a.shape[1]) if axis == 0 else (a.shape[0], "1"))
