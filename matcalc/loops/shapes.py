"""Shapes of what staged code computes: of calls in Python, since a program with loops is staged as its statements."""

from __future__ import annotations

import ast

from matcalc.targets.c.entries import Entries, Shape, product, size_text


class StagedEntries(Entries):
    """Entries of expressions whose shapes follow from those of their operands."""

    def shape_of_call(self, name: str, args: list[ast.expr]) -> Shape:
        """The shape of a call."""
        if name in ("np.zeros", "np.ones", "np.broadcast_to"):
            given = args[name == "np.broadcast_to"]
            assert isinstance(given, ast.Tuple)
            return size_text(given.elts[0]), size_text(given.elts[1])
        if name == "np.eye":
            return (size_text(args[0]),) * 2
        if name == "_comm":
            return (product(size_text(args[0]), size_text(args[1])),) * 2
        if name == "_reshape":
            return size_text(args[1]), size_text(args[2])
        if name in ("_eye_kron", "_kron_eye"):
            matrix, size = args[::-1] if name == "_eye_kron" else args
            rows, columns = self.shape(matrix)
            n = size_text(size)
            return (
                (product(n, rows), product(n, columns))
                if name == "_eye_kron"
                else (product(rows, n), product(columns, n))
            )
        return self._of_operands(name, args)

    def _of_operands(self, name: str, args: list[ast.expr]) -> Shape:
        if name in ("_kron", "np.kron"):
            (m, n), (p, q) = self.shape(args[0]), self.shape(args[1])
            return product(m, p), product(n, q)
        if name == "_vec":
            return product(*self.shape(args[0])), "1"
        if name == "_diag":
            return (product(*self.shape(args[0])),) * 2
        if name == "np.outer":
            return product(*self.shape(args[0])), product(*self.shape(args[1]))
        if name in ("_add_diagonal", "np.tril", "np.triu"):
            return self.shape(args[0])
        return super().shape_of_call(name, args)
