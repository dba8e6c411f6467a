"""The statements of a native function: those of the C target, for a compiler that is told what is independent."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from matcalc.emit import trees
from matcalc.errors import NoRuleError
from matcalc.targets.c.entries import SCALAR, At, Shape, product, size_text
from matcalc.targets.c.parts import Step, Stored, bare, copied, count, group, multiplied, sizes_of
from matcalc.targets.c.statements import Statements
from matcalc.targets.native.blocks import blocks_gram
from matcalc.targets.native.decompositions import by_lapack
from matcalc.targets.native.fusion import Lines, Rows
from matcalc.targets.native.helpers import native_helpers
from matcalc.targets.native.invariants import by_reciprocals, is_matrix, moves, terms_of_rows
from matcalc.targets.native.merging import Loop


@dataclass
class NativeStatements(Statements):
    """The program so far.

    Attributes:
        outside: what is computed in Python, each with the names that it reads.
        numbered_from: the number of the first of these.
        outputs: the names of the results.
        forms: how steps go over rows, by their identities.
        noted: these steps.
        zeroed: those of them that come as zeros.
    """

    outside: list[tuple[ast.expr, list[str]]] = field(default_factory=list)
    numbered_from: int = 0
    outputs: set[str] = field(default_factory=set)
    forms: dict[int, Rows] = field(default_factory=dict)
    noted: list[Step] = field(default_factory=list)
    zeroed: set[str] = field(default_factory=set)

    def assign(self, target: str, tree: ast.expr, shape: Shape, comment: str = "") -> None:
        """Steps that compute a tree under a name; what has no counterpart in C is computed in Python."""
        if not self.tried(partial(super().assign, target, copied(self.entries.known, tree), shape, comment)):
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
        """The call of a helper that can fail, with the number of what is said then."""
        self.used.add(function)
        if not native_helpers()[function].rpartition("*/\n")[2].startswith("static int"):
            return [f"{call};"]
        number = FAILURES.get(function, 0)
        said = [f"    status = status > 0 ? {number} : status;"] if number else []
        return [f"status = {call};", "if (status != 0) {", *said, "    goto done;", "}"]

    # ------------------------------------------------------------------------------------------------ loops

    def _loop(self, target: str, prepared: ast.expr, shape: Shape) -> None:
        """target = the entries of a tree, which do not depend on each other; of mostly zeros only the others."""
        sparse = self._sparse(target, prepared)
        if sparse is not None:
            if target in self.outputs:
                self.zeroed.add(target)
            else:
                sparse.insert(0, f"memset({target}, 0, {count(shape)} * sizeof(real));")
            self._add(sparse, target, prepared)
            return
        prepared = self._lighter(prepared, shape)
        self._add(self._entries(target, prepared, shape), target, prepared)
        loop = self._pass(target, prepared, shape)
        self._over_rows(
            lambda rows: self._entries(target, prepared, (rows, shape[1])), prepared, shape, {target}, loop=loop
        )

    def _pass(self, target: str, prepared: ast.expr, shape: Shape, adds: bool = False) -> Loop:
        """A loop over the entries of a tree as one pass over rows, which others may join."""
        i, j = self.indices
        places = At(i, j if shape[1] != "1" else "0"), At(i, i, i)
        flat = not adds and self.entries.is_flat(prepared) and self.entries.shape(prepared) == shape

        def place(flat: bool) -> str:
            return self.entries.text(ast.Name(target), places[flat])

        def entry(flat: bool) -> str:
            return self.entries.text(prepared, places[flat])

        return Loop(shape[1], (i, j), target, place, entry, flat, adds, work(entry(False)))

    def _lighter(self, prepared: ast.expr, shape: Shape) -> ast.expr:
        """A tree that is read at every entry of a matrix, with what is the same in all rows computed before."""
        if not is_matrix(shape) or moves(prepared):
            return prepared
        rows: dict[str, ast.expr] = {}
        found: dict[ast.expr, ast.expr] = {}
        for term in terms_of_rows(prepared, self.entries):
            if trees.text(term) not in rows:
                row = self.entries.shape(term)
                name = self._new(row, None)
                self._loop(name, term, row)
                rows[trees.text(term)] = ast.Name(name)
            found[term] = rows[trees.text(term)]
        return by_reciprocals(trees.Replaced(found).visit(prepared), self.entries)

    def _entries(self, target: str, prepared: ast.expr, shape: Shape) -> list[str]:
        """The loops of target = the entries of a tree."""
        i, j = self.indices
        if self.entries.is_flat(prepared) and self.entries.shape(prepared) == self.shapes[target]:
            entry = self.entries.text(prepared, At(i, i, i))
            return [f"ENTRIES({i}, {count(shape)}, {work(entry)},", f"    {target}[{i}] = {entry};)"]
        place = At(i if self.shapes[target][0] != "1" else "0", j if shape[1] != "1" else "0")
        entry = self.entries.text(prepared, place)
        body = f"{self.entries.text(ast.Name(target), place)} = {entry};"
        loops = [f"{index}, {size_of(size)}" for index, size in ((i, shape[0]), (j, shape[1])) if size != "1"]
        if not loops:
            return [body]
        return [f"{'ROWS' if len(loops) > 1 else 'ENTRIES'}({', '.join(loops)}, {work(entry)},", f"    {body})"]

    def _over_rows(
        self,
        lines: Callable[[str], list[str]],
        prepared: ast.expr,
        shape: Shape,
        parts: set[str],
        first: Sequence[str] = (),
        total: str | None = None,
        loop: Loop | None = None,
    ) -> None:
        """Note that the last step, on the entries of a tree, goes over rows."""
        if moves(prepared):
            return
        names = {n.id for n in ast.walk(prepared) if isinstance(n, ast.Name)}
        parts = parts | {name for name in names if self.shapes.get(name, SCALAR)[0] == shape[0]}
        self._note(shape[0], lambda rows, _, part: _renamed(lines(rows), parts, part), parts, first, total, loop)

    def _note(
        self,
        size: str,
        lines: Lines,
        parts: set[str],
        first: Sequence[str] = (),
        total: str | None = None,
        loop: Loop | None = None,
    ) -> None:
        if size.isidentifier():
            self.forms[id(self.steps[-1])] = Rows(size, lines, frozenset(parts), tuple(first), total, loop)
            self.noted.append(self.steps[-1])  # alive, as its identity is its name

    def _sum_noted(self, prepared: ast.expr, shape: Shape, axis: int | None) -> None:
        """Note of a sum that it goes over rows."""
        step = self.steps[-1]
        name = self.scalars[-1] if step.writes is None else step.writes
        if axis == 1:
            self._over_rows(lambda some: self._sums(name, prepared, (some, shape[1]), 1), prepared, shape, {name})
            return
        zero = 1 if axis is None else 2  # lines that come before the rows

        def lines(some: str) -> list[str]:
            part = some, shape[1]
            return (self._total(name, prepared, part) if axis is None else self._sums(name, prepared, part, 0))[zero:]

        loop = self._pass(name, prepared, shape, adds=True) if axis == 0 and shape[1] != "1" else None
        self._over_rows(lines, prepared, shape, set(), step.lines[:zero], name, loop)

    def _sum(self, tree: ast.expr, axis: int | None = None, mean: bool = False, target: str | None = None) -> ast.expr:
        prepared = self.prepared(tree)
        prepared = self._lighter(prepared, self.entries.shape(prepared))
        before = len(self.steps)
        found = super()._sum(prepared, axis, mean, target)
        if len(self.steps) > before and not isinstance(prepared, ast.Constant):
            self._sum_noted(prepared, self.entries.shape(prepared), axis)
        return found

    def _dot(self, a: ast.expr, b: ast.expr) -> ast.expr:
        found = super()._dot(a, b)
        call = re.fullmatch(r"(\w+) = dot\(.*, (\w+), (\w+)\);", self.steps[-1].lines[-1])
        if call is not None and self.shapes[call[2]] == self.shapes[call[3]]:
            name, x, y = call.groups()
            rows, columns = self.shapes[x]

            def lines(some: str, _: str, part: Callable[[str], str]) -> list[str]:
                return [f"{name} += dot({count((some, columns))}, {part(x)}, {part(y)});"]

            self._note(rows, lines, {x, y}, [f"{name} = 0;"], name)
        return found

    def _multiplied(self, a: Stored, b: Stored, name: str) -> None:
        super()._multiplied(a, b, name)
        m, k, _ = sizes_of(a, b)
        if not a.turned and m != "1":

            def lines(some: str, _: str, part: Callable[[str], str]) -> list[str]:
                return [multiplied(Stored(part(a.name), (some, a.shape[1]), False), b, part(name))]

            self._note(m, lines, {a.name, name})
        elif a.turned and not b.turned and k != "1":

            def added(some: str, beta: str, part: Callable[[str], str]) -> list[str]:
                left = Stored(part(a.name), (some, a.shape[1]), True)
                return [multiplied(left, Stored(part(b.name), (some, b.shape[1]), False), name, beta)]

            self._note(k, added, {a.name, b.name}, (), name)

    def _sparse(self, target: str, tree: ast.expr) -> list[str] | None:
        """The lines that write what is not zero of a Kronecker product with an identity or a diagonal, else None."""
        if not isinstance(tree, ast.Call) or trees.text(tree.func) not in ("_kron_eye", "_eye_kron", "_diag"):
            return None
        name, (first, *more) = trees.text(tree.func), tree.args
        i, j = self.indices
        if name == "_diag":
            n = product(*self.entries.shape(first))
            entry = self.entries.text(first, At(i, i))
            return [self._for(i, n), f"    {target}[{i} * {group(n)} + {i}] = {entry};"]
        a, size = (first, more[0]) if name == "_kron_eye" else (more[0], first)
        n, (p, q), k = group(size_text(size)), self.entries.shape(a), self.fresh("k")
        p, q = group(p), group(q)
        row, column = (
            (f"{i} * {n} + {k}", f"{j} * {n} + {k}")
            if name == "_kron_eye"
            else (f"{k} * {p} + {i}", f"{k} * {q} + {j}")
        )
        rows = [self._for(k, n), self._for(i, p)]
        if name == "_kron_eye":  # the rows of the result in their order, as memory is touched for the first time
            rows.reverse()
        return [
            rows[0],
            f"    {rows[1]}",
            f"        {self._for(j, q)}",
            f"            {target}[({row}) * ((size_t){n} * {q}) + {column}] = {self.entries.text(a, At(i, j))};",
        ]

    def _total(self, name: str, prepared: ast.expr, shape: Shape) -> list[str]:
        """The sum of all entries: of rows, or of parts of a long row, so that rounding errors do not grow."""
        i, j = self.indices
        if self.entries.is_flat(prepared) or "1" in shape:
            flat = self.entries.is_flat(prepared)
            entry = self.entries.text(prepared, At(i, i, i) if flat else _along(shape, i))
            return [f"{name} = 0;", f"TOTAL({name}, {i}, {count(shape)}, {work(entry)},", f"    {entry})"]
        entry = self.entries.text(prepared, At(i, j))
        return [f"{name} = 0;", f"TOTAL_OF_ROWS({name}, {self._sizes(shape)}, {work(entry)},", f"    {entry})"]

    def _sizes(self, shape: Shape) -> str:
        """Both indices, each with its number."""
        return ", ".join(f"{index}, {size_of(size)}" for index, size in zip(self.indices, shape))

    def _sums(self, name: str, prepared: ast.expr, shape: Shape, axis: int) -> list[str]:
        """The sums of columns (axis 0) or rows."""
        i, j = self.indices
        entry = self.entries.text(prepared, At(i, j))
        if axis == 0:
            lines = [self._for(j, shape[1]), f"    {name}[{j}] = 0;", self._for(i, shape[0]), "    INDEPENDENT"]
            return [*lines, f"    {self._for(j, shape[1])}", f"        {name}[{j}] += {entry};"]
        return [f"SUMS_OF_ROWS({name}, {self._sizes(shape)}, {work(entry)},", f"    {entry})"]

    def _computed(self, tree: ast.expr, target: str | None) -> ast.expr:
        if isinstance(tree, ast.Call) and trees.text(tree.func) == "_blocks_gram":
            return blocks_gram(self, tree.args, target)
        found = by_lapack(self, tree, target)
        return super()._computed(tree, target) if found is None else found

    def _product(self, tree: ast.BinOp, target: str | None) -> ast.expr:
        """A matrix product; of a matrix and its own transpose one half."""
        left, right = bare(tree.left), bare(tree.right)
        turned = isinstance(right, ast.Attribute)
        inner, outer = (left, right) if turned else (right, left)
        if not (
            isinstance(outer, ast.Attribute) and outer.attr == "T" and trees.text(outer.value) == trees.text(inner)
        ):
            return super()._product(tree, target)
        if not isinstance(inner, ast.Name) or "1" in self.shapes[inner.id]:
            return super()._product(tree, target)
        x = self._stored(inner)
        n, k = x.shape if turned else x.shape[::-1]
        name = self._new((n, n), target)
        self._add([f"gram({int(turned)}, {n}, {k}, {x.name}, {name});"], name, x.name)
        return ast.Name(name)

    # ------------------------------------------------------------------------------------------------ lines

    def _along_lines(self, function: str, tree: ast.expr, axis: int | None, target: str | None) -> ast.expr:
        """A number for each row or column, or one."""
        x = self._plain(tree)
        rows, columns = x.shape
        if f"{function}_of_columns" not in native_helpers():
            return super()._along_lines(function, tree, axis, target)
        if axis is None or x.shape[1 - axis] == "1":
            self.used.add(function)
            name = self._number()
            self._add([f"{name} = {function}({count(x.shape)}, {x.name});"], None, x.name)
            return ast.Name(name)
        name = self._new(("1", columns) if axis == 0 else (rows, "1"), target)
        if axis == 0:
            function = f"{function}_of_columns"
            lines = self._checked(function, f"{function}({rows}, {columns}, {x.name}, {name})")
        else:
            self.used.add(function)
            i = self.indices[0]

            def some(number: str, _: str, part: Callable[[str], str]) -> list[str]:
                call = f"    {part(name)}[{i}] = {function}({columns}, {part(x.name)} + {i} * {group(columns)});)"
                return [f"EACH_ROW({i}, {size_of(number)}, {columns}, {FUNCTION},", call]

            lines = some(rows, "", str)
        self._add(lines, name, x.name)
        if axis == 1:
            self._note(rows, some, {name, x.name})
        return ast.Name(name)

    def _linewise(self, function: str, tree: ast.expr, axis: int | None, target: str | None) -> ast.expr:
        """Each row or column by a function of it."""
        if f"{function}_of_rows" not in native_helpers():
            return super()._linewise(function, tree, axis, target)
        x = self._plain(tree)
        whole = axis is None or (axis == 0 and x.shape[1] == "1")
        rows, columns = ("1", product(*x.shape)) if whole else x.shape
        name = self._new(x.shape, target)
        function = f"{function}_of_{'columns' if axis == 0 and not whole else 'rows'}"
        self._add(self._checked(function, f"{function}({rows}, {columns}, {x.name}, {name})"), name, x.name)
        if axis == 1:
            self._note(
                rows,
                lambda some, _, part: [f"{function}({some}, {columns}, {part(x.name)}, {part(name)});"],
                {x.name, name},
            )
        return ast.Name(name)


NOT_POSITIVE, SINGULAR, RAISED, NO_SPECTRUM, NO_SINGULAR_VALUES = range(1, 6)
FAILURES = {
    **dict.fromkeys(("solve", "inverse", "log_determinant", "exponential", "exponential_along"), SINGULAR),
    **dict.fromkeys(("eigenvalues", "eigenvectors", "largest_eigenvalue", "smallest_eigenvalue"), NO_SPECTRUM),
    **dict.fromkeys(("largest_eigenvector", "smallest_eigenvector"), NO_SPECTRUM),
    **dict.fromkeys(("singular_values", "nuclear_norm", "spectral_norm", "pseudoinverse", "polar"), NO_SINGULAR_VALUES),
    "adjugate": NO_SINGULAR_VALUES,
    "cholesky": NOT_POSITIVE,
}


def _renamed(lines: list[str], names: set[str], part: Callable[[str], str]) -> list[str]:
    """Lines on parts of matrices."""
    return [re.sub(r"\w+", lambda word: part(word[0]) if word[0] in names else word[0], line) for line in lines]


def size_of(size: str) -> str:
    """A size as a size_t."""
    return f"(size_t){group(size)}"


def work(entry: str) -> int:
    """About how many additions take as long as an entry: what decides whether a loop is worth several threads."""
    return 1 + FUNCTION * sum(name not in QUICK for name in re.findall(r"\b(\w+)\(", entry))


FUNCTION = 8  # additions take about as long as an exponential
QUICK = {"square", "fabs", "sqrt", "fmax", "fmin", "copysign", "maximum", "minimum", "choose"}


def _along(shape: Shape, index: str) -> At:
    """The place in a row or column."""
    return At("0", index) if shape[0] == "1" else At(index, "0")
