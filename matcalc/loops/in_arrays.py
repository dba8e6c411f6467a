"""Values of C functions with loops: matrices, numbers, arrays of the values of a recurrence, and pointers into them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from matcalc.emit import trees
from matcalc.errors import NoRuleError
from matcalc.loops.c_places import BLOCK, COUNTING, ITEM, ROWS
from matcalc.loops.shapes import StagedEntries
from matcalc.targets.c.entries import SCALAR, At, Shape, product, refused, size_text
from matcalc.targets.c.parts import Step, group
from matcalc.targets.c.statements import Statements

NOT_INSIDE = -4  # what a function returns where a part lies outside of a matrix
_AS_ARRAY = {":, 0": SCALAR, ":, :, None": ("", "1"), ":, None, :": ("1", "")}
_MODULES = r"(np|math|special|sla|lapack|dtype)(\.\w+)+"


@dataclass(frozen=True)
class Array:
    """The values of a family or a recurrence, one after the other: their memory, their number, the shape of one."""

    name: str
    count: str
    shape: Shape


Value: TypeAlias = "ast.expr | Array"
Scope: TypeAlias = "dict[str, Value]"


@dataclass
class InArrays(Statements):
    """Statements whose values may be parts of arrays.

    Attributes:
        bases: of pointers into a matrix or an array, that.
        items: those of them to one value.
    """

    kind_of_entries = StagedEntries

    bases: dict[str, str] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)

    # ------------------------------------------------------------------------------------------------ values

    def size(self, tree: ast.expr, scope: Scope) -> str:
        """A size or a position."""
        found = self.value(tree, scope)
        assert isinstance(found, ast.expr)
        if isinstance(found, ast.UnaryOp):
            return f"-{group(size_text(found.operand))}"
        return size_text(found)

    def value(self, tree: ast.expr, scope: Scope) -> Value:
        """An expression in the names of C; an array, where it is one."""
        if isinstance(tree, ast.Name) and isinstance(scope.get(tree.id), Array):
            return scope[tree.id]
        if isinstance(tree, ast.Subscript) and trees.text(tree.slice).strip("()") in _AS_ARRAY:
            matrix = scope.get(trees.text(tree.value))
            if isinstance(matrix, ast.Name) and self.shapes.get(matrix.id, SCALAR) != SCALAR:
                rows, columns = self.shapes[matrix.id]
                shape = [s or columns for s in _AS_ARRAY[trees.text(tree.slice).strip("()")]]
                return Array(matrix.id, rows, (shape[0], shape[1]))
        found = _Reader(self, scope).visit(trees.copied(tree))
        assert isinstance(found, ast.expr)
        return found

    def kept(self, value: Value, wish: str = "t") -> Value:
        """A value under a name: that of its memory, where it has some, unless a copy is asked for."""
        return value if isinstance(value, Array) else self.named(value, wish)

    def named(self, value: ast.expr, wish: str = "t") -> ast.Name:
        """The same for what is no array."""
        copied = isinstance(value, ast.Call) and trees.text(value.func) == "np.array"
        prepared = self.prepared(value)
        shape = self.entries.shape(prepared)
        if isinstance(prepared, ast.Name) and shape != SCALAR and not copied:
            return prepared
        name = self.fresh(wish)
        if shape == SCALAR:
            self._scalar(name, prepared)
        else:
            self.shapes[name] = shape
            self._loop(name, prepared, shape)
        return ast.Name(name)

    def filled(self, name: str, shape: Shape, value: str) -> list[str]:
        """The loop that writes a number to all entries."""
        i = self.indices[0]
        return [self._for_all(i, shape), f"    {name}[{i}] = {value};"]

    # ------------------------------------------------------------------------------------------------ parts of arrays

    def part(self, tree: ast.Subscript, scope: Scope, *, write: bool) -> tuple[str, Shape] | str:
        """A pointer to a part of an array and the shape there; for a number its place."""
        assert isinstance(tree.slice, ast.Tuple)
        tag, *places = tree.slice.elts
        whole = self.value(tree.value, scope)
        first, *more = (self.size(p, scope) for p in places)
        if isinstance(whole, Array):
            inside = product(*whole.shape)
            shape: Shape = whole.shape if trees.text(tag) == ITEM else (more[0], more[1])
            name, place = whole.name, product(f"(size_t)({first})", inside) if first != "0" else "0"
        else:
            assert isinstance(whole, ast.Name)
            name, shape = whole.id, (more[1], more[2])
            columns = self.shapes[name][1]
            row = product(f"(size_t)({first})", columns) if first != "0" else "0"
            place = row if more[0] == "0" else f"{row} + {group(more[0])}"
        if shape == SCALAR:
            return f"{name}[{place}]" if isinstance(whole, Array) or self.shapes[name] != SCALAR else name
        if place == "0" and self.shapes[name] == shape:
            return name, shape
        made = self.fresh(f"{name}_at")
        self.bases[made], self.shapes[made] = name, shape
        self.items |= {made} if trees.text(tag) == ITEM else set()
        const = "" if write else "const "
        self.steps.append(Step([f"{const}double *const {made} = {name} + {place};"], None, {name}))
        return made, shape

    def is_whole_rows(self, tree: ast.Subscript, scope: Scope) -> bool:
        """Whether a part lies in one piece of memory."""
        assert isinstance(tree.slice, ast.Tuple)
        tag, *places = tree.slice.elts
        if trees.text(tag) != BLOCK:
            return True
        whole = self.value(tree.value, scope)
        assert isinstance(whole, ast.Name)
        rows, columns = (self.size(p, scope) for p in places[2:])
        return rows == "1" or columns == self.shapes.get(whole.id, SCALAR)[1]

    def read(self, tree: ast.Subscript, scope: Scope) -> ast.expr:
        """A part of an array as a value."""
        if not self.is_whole_rows(tree, scope):
            return self.gathered(tree, scope)
        found = self.part(tree, scope, write=False)
        if not isinstance(found, str):
            return ast.Name(found[0])
        name = self._number()
        self._add([f"{name} = {found};"], None, found.split("[")[0])
        return ast.Name(name)

    def strided(self, tree: ast.Subscript, scope: Scope) -> tuple[str, str, Shape, list[str]]:
        """The matrix of a block of some of its columns, an entry of the block, its shape and the heads of its loops."""
        assert isinstance(tree.slice, ast.Tuple)
        whole = self.value(tree.value, scope)
        assert isinstance(whole, ast.Name)
        row, column, rows, columns = (self.size(p, scope) for p in tree.slice.elts[1:])
        i, j = self.indices
        width = group(self.shapes[whole.id][1])
        j_text = "0" if columns == "1" else j
        entry = f"{whole.id}[({group(row)} + {i}) * {width} + {group(column)} + {j_text}]"
        heads = [self._for(i, rows), *([] if columns == "1" else [f"    {self._for(j, columns)}"])]
        return whole.id, entry, (rows, columns), heads

    def gathered(self, tree: ast.Subscript, scope: Scope) -> ast.expr:
        """Some columns of a matrix, copied."""
        matrix, entry, shape, lines = self.strided(tree, scope)
        name = self.fresh("t")
        self.shapes[name] = shape
        at = At(self.indices[0], "0" if shape[1] == "1" else self.indices[1])
        body = f"{self.entries.text(ast.Name(name), at)} = {entry};"
        self._add([*lines, "    " * len(lines) + body], name, matrix)
        return ast.Name(name)

    def sliced(self, tree: ast.expr, i: str, j: str, k: str, l: str) -> ast.expr:
        """Rows i to j and columns k to l, counted from 1."""
        matrix = self._plain(tree)
        ends = zip((i, k), (j, l), matrix.shape)
        inside = " && ".join(f"1 <= {a} && {a} <= {b} + 1 && {b} <= {size}" for a, b, size in ends)
        self._add([f"if (!({inside})) {{", f"    status = {NOT_INSIDE};", "    goto done;", "}"], None, matrix.name)
        block = [_before(i), _before(k), _length(i, j), _length(k, l)]
        places = [ast.Name(BLOCK), *(trees.parsed(text) for text in block)]
        return self.read(ast.Subscript(ast.Name(matrix.name), ast.Tuple(places)), {})

    def in_zeros(self, tree: ast.expr, m: str, n: str, i: str, k: str) -> ast.expr:
        """An m x n matrix of zeros with a block that starts at row i and column k."""
        prepared = self.prepared(tree)
        rows, columns = self.entries.shape(prepared)
        name = self.fresh("t")
        self.shapes[name] = (m, n)
        self._add(self.filled(name, (m, n), "0"), name)
        places = [ast.Name(BLOCK), *(trees.parsed(text) for text in (_before(i), _before(k), rows, columns))]
        self.put(ast.Subscript(ast.Name(name), ast.Tuple(places)), prepared, {}, more=False)
        return ast.Name(name)

    def distances(self, x: ast.expr, z: ast.expr) -> ast.expr:
        """The squared distances of the rows."""
        a, b = self._plain(x), self._plain(z)
        (i, j), k, name = self.indices, self.fresh("k"), self.fresh("t")
        (m, p), n = a.shape, b.shape[0]
        self.shapes[name] = (m, n)
        entry, width = f"{name}[{i} * {group(n)} + {j}]", group(p)
        difference = f"{a.name}[{i} * {width} + {k}] - {b.name}[{j} * {width} + {k}]"
        inner = [f"{entry} = 0;", self._for(k, p), f"    {entry} += ({difference}) * ({difference});"]
        heads = [self._for(i, m), f"    {self._for(j, n)} {{"]
        self._add([*heads, *(f"        {line}" for line in inner), "    }"], name, a.name, b.name)
        return ast.Name(name)

    def counting(self, first: str, number: str) -> ast.expr:
        """The numbers from a first one, as a column."""
        name, i = self.fresh("t"), self.indices[0]
        self.shapes[name] = (number, "1")
        self._add([self._for(i, number), f"    {name}[{i}] = (double)({group(first)} + (long long){i});"], name)
        return ast.Name(name)

    # ------------------------------------------------------------------------------------------------ storing

    def put(self, target: ast.expr, value: Value, scope: Scope, *, more: bool) -> None:
        """A value that is stored in a matrix or a part of an array, or added to what is there."""
        assert isinstance(value, ast.expr)
        prepared = self.prepared(value)
        sign = "+=" if more else "="
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant):
            if not self.is_whole_rows(target, scope):
                self.scattered(target, prepared, scope, sign)
                return
            found = self.part(target, scope, write=True)
            if isinstance(found, str):
                base = found.split("[")[0]
                self._add([f"{found} {sign} {self.entries.text(prepared)};"], None, prepared, base)
                return
            name, shape = found
        else:
            whole = self.value(target.value if isinstance(target, ast.Subscript) else target, scope)
            assert isinstance(whole, ast.Name)
            name, shape = whole.id, self.shapes[whole.id]
            if shape == SCALAR:
                self._add([f"{name} {sign} {self.entries.text(prepared)};"], None, prepared, name)
                return
        self.written.add(name)
        if self.meets(name, shape, prepared):
            prepared = self.named(ast.Call(trees.parsed("np.array"), [prepared], []))
        self._loop(name, ast.BinOp(ast.Name(name), ast.Add(), prepared) if more else prepared, shape)

    def scattered(self, target: ast.Subscript, prepared: ast.expr, scope: Scope, sign: str) -> None:
        """The same for some columns of a matrix."""
        matrix, entry, shape, lines = self.strided(target, scope)
        at = At(self.indices[0], "0" if shape[1] == "1" else self.indices[1])
        body = f"{entry} {sign} {self.entries.text(prepared, at)};"
        self._add([*lines, "    " * len(lines) + body], None, prepared, matrix)

    def base(self, name: str) -> str:
        """The matrix or array in whose memory a name stands."""
        while name in self.bases:
            name = self.bases[name]
        return name

    def meets(self, target: str, shape: Shape, tree: ast.expr) -> bool:
        """Whether other entries of what is written to may be read: two values of an array are one or apart."""
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        read = {n for n in names if n in self.shapes and self.base(n) == self.base(target)}
        flat = self.entries.is_flat(tree) and self.entries.shape(tree) == shape
        return bool(read) and not (flat and (read <= {target} or {target, *read} <= self.items))


def _before(place: str) -> str:
    """place - 1."""
    return str(int(place) - 1) if place.isdigit() else f"{place} - 1"


def _length(first: str, last: str) -> str:
    """last - first + 1."""
    if not first.isdigit():
        return f"{group(last)} - {group(_before(first))}"
    return str(int(last) - int(first) + 1) if last.isdigit() else last if first == "1" else f"{last} - {_before(first)}"


class _Reader(ast.NodeTransformer):
    """Names in C for names in Python, parts of arrays as pointers."""

    def __init__(self, statements: InArrays, scope: Scope) -> None:
        self.statements, self.scope = statements, scope

    def read(self, tree: ast.expr) -> ast.expr:
        """A part of the expression."""
        found = self.visit(tree)
        assert isinstance(found, ast.expr)
        return found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The value of a name."""
        found = self.scope.get(node.id)
        if isinstance(found, Array):
            raise NoRuleError(f"{node.id} is no matrix")
        return node if found is None else trees.copied(found)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A transpose, or a name of NumPy."""
        if trees.text(node) == "np.inf":
            return ast.Name("INFINITY")
        if node.attr == "T":
            self.generic_visit(node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """A part of an array."""
        places = node.slice
        if isinstance(places, ast.Tuple) and not places.elts:  # a 1 x 1 value
            return self.read(node.value)
        if isinstance(places, ast.Tuple) and trees.text(places.elts[0]) in (ITEM, ROWS, BLOCK):
            return self.statements.read(node, self.scope)
        node.value = self.visit(node.value)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """One of two numbers."""
        return ast.Call(trees.parsed("np.where"), [self.visit(p) for p in (node.test, node.body, node.orelse)], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A function of NumPy, or a helper."""
        name = trees.text(node.func)
        if name == "np.float64":
            return self.read(node.args[0])
        if name == COUNTING:
            return self.statements.counting(*(self.statements.size(a, self.scope) for a in node.args))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "copy":
            return ast.Call(trees.parsed("np.array"), [self.visit(node.func.value)], [])
        if isinstance(node.func, ast.Attribute) and not re.fullmatch(_MODULES, name):
            if node.func.attr != "astype":
                raise refused(name)
            node.func.value = self.visit(node.func.value)
        if name in ("_slice", "_place"):
            matrix = self.visit(node.args[0])
            places = [self.statements.size(a, self.scope) for a in node.args[1:]]
            return (self.statements.sliced if name == "_slice" else self.statements.in_zeros)(matrix, *places)
        node.args = [self.visit(a) for a in node.args]
        if name == "_pdist2":
            return self.statements.distances(*node.args)
        node.keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        if name == "max":
            node.func = trees.parsed("np.maximum")
        return node
