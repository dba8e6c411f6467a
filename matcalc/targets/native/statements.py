"""The statements of a native function: those of the C target, for a compiler that is told what is independent."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from matcalc.emit import trees
from matcalc.errors import NoRuleError
from matcalc.targets.c.entries import SCALAR, Shape
from matcalc.targets.c.statements import Statements


@dataclass
class NativeStatements(Statements):
    """The program so far.

    Attributes:
        outside: what is computed in Python, each with the names that it reads.
        numbered_from: the number of the first of these.
    """

    outside: list[tuple[ast.expr, list[str]]] = field(default_factory=list)
    numbered_from: int = 0

    def assign(self, target: str, tree: ast.expr, shape: Shape, comment: str = "") -> None:
        """Steps that compute a tree under a name; what has no counterpart in C is computed in Python."""
        if not self.tried(partial(super().assign, target, trees.copied(tree), shape, comment)):
            self._asked(target, tree, shape)

    def tried(self, action: Callable[[], None]) -> bool:
        """Whether C has a counterpart; where it has none, nothing is left of the steps."""
        kept = dict(self.shapes), set(self.used), list(self.steps), list(self.scalars), set(self.written)
        try:
            action()
        except NoRuleError:
            shapes, used, self.steps, self.scalars, self.written = kept
            self.shapes.clear()
            self.shapes.update(shapes)
            self.used.intersection_update(used)
            return False
        return True

    def _asked(self, target: str, tree: ast.expr, shape: Shape) -> None:
        """The call of Python for the value of a tree."""
        names = dict.fromkeys(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
        read = [name for name in names if name in self.shapes]
        self.outside.append((tree, read))
        self.shapes[target] = shape
        where = target
        written: str | None = target
        if shape == SCALAR:
            self.scalars.append(target)
            where, written = f"&{target}", None
        sizes = [s for name in read for s in (("-1", "-1") if self.shapes[name] == SCALAR else self.shapes[name])]
        pointers = [f"&{name}" if self.shapes[name] == SCALAR else name for name in read]
        number = self.numbered_from + len(self.outside) - 1
        shapes = f"(const long long[]){{{', '.join([*sizes, *shape])}}}"
        given = f"(const void *[]){{{', '.join([*pointers, 'NULL'])}}}"
        call = f"outside({number}, sizes, {shapes}, {given}, {where})"
        lines = [f"/* {trees.text(tree)} */", f"status = {call};", "if (status != 0)", "    goto done;"]
        self._add(lines, written, *read)

    def _checked(self, function: str, call: str) -> list[str]:
        """The call of a function that can fail, with the number of what is said then."""
        self.used.add(function)
        if function not in FAILURES:
            return [f"{call};"]
        number = f"    status = status > 0 ? {FAILURES[function]} : status;"
        return [f"status = {call};", "if (status != 0) {", number, "    goto done;", "}"]


NOT_POSITIVE, SINGULAR, RAISED = 1, 2, 3
FAILURES = {"cholesky": NOT_POSITIVE, "solve": SINGULAR, "inverse": SINGULAR, "log_determinant": SINGULAR}
