"""Second derivatives of functions that treat rows alike: sums over rows of kron(block of the row, x' z), in parts.

The blocks (`matcalc.emit.blocks`) are not stored: an entry of one is an expression of the row and two indices.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from matcalc.emit import trees
from matcalc.targets.c.entries import SCALAR, At, Shape, product, refused, size_text
from matcalc.targets.c.parts import group
from matcalc.targets.c.statements import Statements

_ROWS, _COLUMNS = "(:, None, :)", "(:, :, None)"
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


@dataclass
class Blocks:
    """Entries of blocks.

    Attributes:
        statements: the program.
        row: the name of the row whose block is read.
        inside: lines that compute products of blocks of that row.
        words: the names that entries and lines read.
    """

    statements: Statements
    row: str
    inside: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def entry(self, tree: ast.expr, i: str, j: str) -> str:
        """Entry i, j of the block of the row."""
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            return f"(-{self.entry(tree.operand, i, j)})"
        if isinstance(tree, ast.BinOp) and _is_blocks(tree):
            if isinstance(tree.op, ast.MatMult):
                name, columns = self._product(tree)
                return f"{name}[{i} * {group(columns)} + {j}]"
            if type(tree.op) in _SIGNS:
                left, right = (self.entry(side, i, j) for side in (tree.left, tree.right))
                return f"({left} {_SIGNS[type(tree.op)]} {right})"
        if isinstance(tree, ast.Subscript):
            place = {_ROWS: At(self.row, j), _COLUMNS: At(self.row, i)}.get(trees.text(tree.slice))
            if place is not None:
                return self._read(tree.value, place)
        if isinstance(tree, ast.Call):
            name = trees.text(tree.func)
            if name == "np.broadcast_to" and isinstance(tree.args[0], ast.Subscript):
                return self.entry(tree.args[0], i, j)
            if name == "_add_to_diagonals":
                added = self._read(tree.args[1], At(self.row, i))
                return f"({self.entry(tree.args[0], i, j)} + ({i} == {j} ? {added} : 0))"
            if isinstance(tree.func, ast.Attribute) and tree.func.attr == "swapaxes":
                return self.entry(tree.func.value, j, i)
        if _is_blocks(tree):
            raise refused(trees.text(tree))
        return self._read(tree, At(i, j))

    def _read(self, tree: ast.expr, place: At) -> str:
        prepared = self.statements.prepared(tree)
        text = self.statements.entries.text(prepared, place)
        self.words |= set(re.findall(r"\w+", text))
        return f"({text})" if isinstance(prepared, (ast.BinOp, ast.UnaryOp, ast.Compare)) else text

    def _product(self, tree: ast.BinOp) -> tuple[str, str]:
        """The name of the product of two blocks, and its columns."""
        s = self.statements
        left, (m, k) = self._stored(tree.left)
        right, (_, n) = self._stored(tree.right)
        name = s.fresh("block")
        s.shapes[name] = (m, n)
        self.words |= {left, right, name}
        self.inside.append(
            f"cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, {m}, {n}, {k}, 1.0, "
            f"{left}, {k}, {right}, {n}, 0.0, {name}, {n});"
        )
        s._add([], name)
        return name, n

    def _stored(self, tree: ast.expr) -> tuple[str, Shape]:
        """A block, or a matrix, in memory."""
        s = self.statements
        if not _is_blocks(tree):
            found = s._plain(tree)
            return found.name, found.shape
        shape = _block_shape(s, tree)
        i, j, name = s.fresh("i"), s.fresh("j"), s.fresh("block")
        entry = self.entry(tree, i, j)
        s.shapes[name] = shape
        self.words.add(name)
        self.inside += [
            f"for (ptrdiff_t {i} = 0; {i} < {shape[0]}; {i}++)",
            "    INDEPENDENT",
            f"    for (ptrdiff_t {j} = 0; {j} < {shape[1]}; {j}++)",
            f"        {name}[{i} * {group(shape[1])} + {j}] = {entry};",
        ]
        s._add([], name)
        return name, shape


def _is_blocks(tree: ast.expr) -> bool:
    """Whether a tree has three axes: it adds one somewhere."""
    return any(isinstance(n, ast.Subscript) and "None" in trees.text(n.slice) for n in ast.walk(tree))


def _block_shape(s: Statements, tree: ast.expr) -> Shape:
    """The shape of a block; 1 where it is repeated."""
    if isinstance(tree, ast.UnaryOp):
        return _block_shape(s, tree.operand)
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
        return _block_shape(s, tree.left)[0], _block_shape(s, tree.right)[1]
    if isinstance(tree, ast.BinOp):
        return _joint(_block_shape(s, tree.left), _block_shape(s, tree.right))
    if isinstance(tree, ast.Subscript):
        columns = s.entries.shape(tree.value)[1]
        return ("1", columns) if trees.text(tree.slice) == _ROWS else (columns, "1")
    if isinstance(tree, ast.Call):
        name = trees.text(tree.func)
        if name == "np.broadcast_to" and isinstance(tree.args[1], ast.Tuple):
            rows, columns = map(size_text, tree.args[1].elts[-2:])
            return rows, columns
        if name == "_add_to_diagonals":
            columns = s.entries.shape(tree.args[1])[1]
            return _joint(_block_shape(s, tree.args[0]), (columns, columns))
        if isinstance(tree.func, ast.Attribute) and tree.func.attr == "swapaxes":
            return _block_shape(s, tree.func.value)[::-1]
    return s.entries.shape(tree)


def _joint(a: Shape, b: Shape) -> Shape:
    return (a[0] if b[0] == "1" else b[0]), (a[1] if b[1] == "1" else b[1])


def blocks_gram(s: Statements, args: list[ast.expr], target: str | None) -> ast.expr:
    """The sum over rows t of kron(blocks[t], x[t]' z[t]); without z it is x and the blocks are symmetric."""
    x = s._plain(args[0])
    z = s._plain(args[2]) if len(args) > 2 else x
    (n, p), q = x.shape, z.shape[1]
    names = ("t", "i", "j", "k", "start", "end", "part", "step", "weight", "line")
    t, i, j, k, start, end, work, step, weight, line = map(s.fresh, names)
    reader = Blocks(s, t)
    entry = reader.entry(args[1], i, j)
    a, b = _block_shape(s, args[1])
    if reader.inside:
        entry = _stack(reader, entry, (n, a, b), (i, j))
    shape = product(a, p), product(b, q)
    if shape == SCALAR:
        raise refused("blocks of one entry")
    name = s._new(shape, target)
    first = i if len(args) == 2 else "0"
    width = f"({b} - {first}) * {group(q)}"
    lines = [
        f"memset({name}, 0, (size_t){group(shape[0])} * {group(shape[1])} * sizeof(real));",
        f"const size_t {step} = at_most({n}, 16 + PARTS_AT_ONCE / ((size_t){group(b)} * {group(q)}));",
        f"real *const {work} = memory({step} * {group(b)} * {group(q)});",
        f"if ({work} == NULL) {{",
        "    status = -2;",
        "    goto done;",
        "}",
        f"for (size_t {start} = 0; {start} < (size_t){group(n)}; {start} += {step}) {{",
        f"    const size_t {end} = {start} + {step} < (size_t){group(n)} ? {start} + {step} : (size_t){group(n)};",
        f"    for (ptrdiff_t {i} = 0; {i} < {a}; {i}++) {{",
        f"        for (size_t {t} = {start}; {t} < {end}; {t}++)",
        f"            for (ptrdiff_t {j} = {first}; {j} < {b}; {j}++) {{",
        f"                const real {weight} = {entry};",
        f"                real *const {line} = {work} + ({t} - {start}) * {width} + ({j} - {first}) * {group(q)};",
        "                INDEPENDENT",
        f"                for (ptrdiff_t {k} = 0; {k} < {q}; {k}++)",
        f"                    {line}[{k}] = {weight} * {z.name}[{t} * {group(q)} + {k}];",
        "            }",
        f"        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, {p}, {width}, {end} - {start}, 1.0, "
        f"{x.name} + {start} * {group(p)}, {p}, {work}, {width}, 1.0, "
        f"{name} + ({i} * {group(p)}) * {group(shape[1])} + {first} * {group(q)}, {shape[1]});",
        "    }",
        "}",
        f"free({work});",
    ]
    if len(args) == 2:
        rows = group(shape[0])
        lines += [
            f"for (ptrdiff_t {i} = 0; {i} < {rows}; {i}++)",
            f"    for (ptrdiff_t {j} = 0; {j} < {i} / {group(p)} * {group(p)}; {j}++)",
            f"        {name}[{i} * {rows} + {j}] = {name}[{j} * {rows} + {i}];",
        ]
    block = ["{", *(f"    {line}" for line in lines), "}"]
    s._add(block, name, x.name, z.name, *(reader.words & set(s.shapes)))
    return ast.Name(name)


def _stack(reader: Blocks, entry: str, shape: tuple[str, str, str], indices: tuple[str, str]) -> str:
    """The steps that store the blocks of all rows, for products of them; an entry there."""
    s, t = reader.statements, reader.row
    (n, a, b), (i, j) = shape, indices
    name = s.fresh("blocks")
    s.shapes[name] = product(n, a), b
    there = f"{name}[({t} * {group(a)} + {i}) * {group(b)} + {j}]"
    lines = [
        f"for (ptrdiff_t {t} = 0; {t} < {n}; {t}++) {{",
        *(f"    {line}" for line in reader.inside),
        f"    for (ptrdiff_t {i} = 0; {i} < {a}; {i}++)",
        "        INDEPENDENT",
        f"        for (ptrdiff_t {j} = 0; {j} < {b}; {j}++)",
        f"            {there} = {entry};",
        "}",
    ]
    s._add(lines, name, *(reader.words & set(s.shapes)))
    reader.words = {name}
    return there
