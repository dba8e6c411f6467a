"""Second derivatives of functions that treat rows alike: sums over rows of kron(block of the row, x' z), in parts.

The blocks (`matcalc.emit.blocks`) are not stored: an entry of one is an expression of the row and two indices.
"""

from __future__ import annotations

import ast
import re

from matcalc.emit import trees
from matcalc.targets.c.entries import SCALAR, At, Shape, product, refused, size_text
from matcalc.targets.c.parts import group
from matcalc.targets.c.statements import Statements

_ROWS, _COLUMNS = "(:, None, :)", "(:, :, None)"
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


def block_entry(s: Statements, tree: ast.expr, row: str, i: str, j: str) -> str:
    """Entry i, j of the block of a row.

    Raises:
        NoRuleError: the blocks are products of blocks.
    """
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return f"(-{block_entry(s, tree.operand, row, i, j)})"
    if isinstance(tree, ast.BinOp) and type(tree.op) in _SIGNS:
        left, right = (block_entry(s, side, row, i, j) for side in (tree.left, tree.right))
        return f"({left} {_SIGNS[type(tree.op)]} {right})"
    if isinstance(tree, ast.Subscript):
        place = {_ROWS: At(row, j), _COLUMNS: At(row, i)}.get(trees.text(tree.slice))
        if place is not None:
            return s.entries.text(s.prepared(tree.value), place)
    if isinstance(tree, ast.Call):
        name = trees.text(tree.func)
        if name == "np.broadcast_to" and isinstance(tree.args[0], ast.Subscript):
            return block_entry(s, tree.args[0], row, i, j)
        if name == "_add_to_diagonals":
            added = s.entries.text(s.prepared(tree.args[1]), At(row, i))
            return f"({block_entry(s, tree.args[0], row, i, j)} + ({i} == {j} ? {added} : 0))"
        if isinstance(tree.func, ast.Attribute) and tree.func.attr == "swapaxes":
            return block_entry(s, tree.func.value, row, j, i)
    if _is_blocks(tree):
        raise refused(trees.text(tree))
    return s.entries.text(s.prepared(tree), At(i, j))


def _is_blocks(tree: ast.expr) -> bool:
    """Whether a tree has three axes: it adds one somewhere."""
    return any(isinstance(n, ast.Subscript) and "None" in trees.text(n.slice) for n in ast.walk(tree))


def _block_shape(s: Statements, tree: ast.expr) -> Shape:
    """The shape of a block; 1 where it is repeated."""
    if isinstance(tree, ast.UnaryOp):
        return _block_shape(s, tree.operand)
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
    t, i, j, k, start, end, work, step = (
        s.fresh(name) for name in ("t", "i", "j", "k", "start", "end", "work", "step")
    )
    entry = block_entry(s, args[1], t, i, j)
    a, b = _block_shape(s, args[1])
    shape = product(a, p), product(b, q)
    if shape == SCALAR:
        raise refused("blocks of one entry")
    name = s._new(shape, target)
    first = i if len(args) == 2 else "0"
    width = f"({b} - {first}) * {group(q)}"
    lines = [
        f"memset({name}, 0, (size_t){group(shape[0])} * {group(shape[1])} * sizeof(real));",
        f"const size_t {step} = 16 + PARTS_AT_ONCE / ((size_t){group(b)} * {group(q)});",
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
        f"                const real weight = {entry};",
        f"                real *const row = {work} + ({t} - {start}) * {width} + ({j} - {first}) * {group(q)};",
        "                INDEPENDENT",
        f"                for (ptrdiff_t {k} = 0; {k} < {q}; {k}++)",
        f"                    row[{k}] = weight * {z.name}[{t} * {group(q)} + {k}];",
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
    s._add(block, name, x.name, z.name, *re.findall(r"\w+", entry))
    return ast.Name(name)
