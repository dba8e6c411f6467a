"""The statements of a schedule in C: loops over entries, calls of CBLAS and LAPACK, and what each reads and writes.

Every entrywise expression becomes one loop; a sum over it accumulates without storing it. Products of
matrices, factorisations and what works along lines get memory of their own, or that of the statement's target.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from matcalc.emit import trees
from matcalc.targets.c.entries import SCALAR, UNARY, At, Entries, Shape, product, refused
from matcalc.targets.c.parts import (
    Step,
    Stored,
    bare,
    count,
    group,
    is_number,
    know,
    line_of,
    multiplied,
    sizes_of,
)
from matcalc.targets.libraries.translation import EINSUM

_PAIR = 2
_LARGEST_POWER = 8
_LINES = {"np.max": "largest", "np.min": "smallest", "np.prod": "product", "_logsumexp": "log_sum_exp"}
_LINEWISE = {
    **{"_softmax": "softmax", "_log_softmax": "log_softmax"},
    **{"_prodothers": "product_of_others", "np.cumsum": "running_sum"},
}
_LINEAR = {"_cholesky_solve": "cholesky_solve", "np.linalg.solve": "solve"}
_SQUARE = {"np.linalg.cholesky": "cholesky", "_cholesky_inverse": "cholesky_inverse", "np.linalg.inv": "inverse"}
_RETURNS_STATUS = ("cholesky", "gram_factor", "solve", "inverse", "log_determinant")


@dataclass
class Statements:
    """The program so far.

    Attributes:
        shapes: of all values by their names in C.
        indices: the names of two loop variables.
        fresh: makes a new name from a wish.
        used: the helper functions that are called.
        steps: in order.
        scalars: the names of 1 x 1 values that the program computes.
    """

    kind_of_entries: ClassVar[type[Entries]] = Entries

    shapes: dict[str, Shape]
    indices: tuple[str, str]
    fresh: Callable[[str], str]
    used: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    scalars: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = self.kind_of_entries(self.shapes, self.used)
        self.written: set[str] = set()

    # ------------------------------------------------------------------------------------------------ values

    def assign(self, target: str, tree: ast.expr, shape: Shape, comment: str = "") -> None:
        """Steps that compute a tree under a name; the first of them carries the comment."""
        start = len(self.steps)
        know(self.entries.known, tree, shape)
        if shape == SCALAR:
            self._scalar(target, self.prepared(tree))
        else:
            self._matrix(target, tree, shape)
        if comment and len(self.steps) > start:
            self.steps[start].lines.insert(0, f"/* {comment} */")

    def _scalar(self, target: str, prepared: ast.expr) -> None:
        self.shapes[target] = SCALAR
        self.scalars.append(target)
        self._add([f"{target} = {self.entries.text(prepared)};"], None, prepared)

    def _matrix(self, target: str, tree: ast.expr, shape: Shape) -> None:
        self.shapes[target] = shape
        tree = bare(tree)
        prepared = self.prepared(tree, target)
        if not (isinstance(prepared, ast.Name) and prepared.id == target):
            self._loop(target, prepared, shape)

    def prepared(self, tree: ast.expr, target: str | None = None) -> ast.expr:
        """The tree with all that is not entrywise computed first, under names; once over `target`, where it fits."""
        tree = bare(tree)
        if not self.entries.is_entrywise(tree):
            return self._computed(tree, target)
        if isinstance(tree, (ast.Name, ast.Constant)) or is_number(tree):
            return tree
        inside = target if self._keeps_places(tree) else None
        parts: dict[ast.expr, ast.expr] = {}
        for child in trees.children(tree):
            if not isinstance(child, ast.Tuple) and child is not getattr(tree, "func", None):
                parts[child] = self.prepared(child, inside)
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute) and tree.func.attr == "astype":
            parts[tree.func.value] = self.prepared(tree.func.value)
        replaced = trees.Replaced(parts).generic_visit(tree)
        assert isinstance(replaced, ast.expr)
        return replaced

    @staticmethod
    def _keeps_places(tree: ast.expr) -> bool:
        """Whether entry i, j of a node is made of entries i, j of its parts."""
        return isinstance(tree, (ast.BinOp, ast.UnaryOp)) or (
            isinstance(tree, ast.Call) and trees.text(tree.func) in UNARY
        )

    def _new(self, shape: Shape, target: str | None) -> str:
        """The target, if it has this shape and nothing is in it yet; else a new name."""
        if target is not None and self.shapes[target] == shape and target not in self.written:
            return target
        name = self.fresh("t")
        self.shapes[name] = shape
        return name

    def _stored(self, tree: ast.expr) -> Stored:
        """A matrix in memory."""
        turned = False
        prepared = self.prepared(tree)
        if self.entries.shape(prepared) == SCALAR:
            raise refused("a 1 x 1 value as a matrix")
        while isinstance(prepared, ast.Attribute) and prepared.attr == "T":
            prepared, turned = prepared.value, not turned
        if not isinstance(prepared, ast.Name) or self.shapes.get(prepared.id, SCALAR) == SCALAR:
            shape = self.entries.shape(prepared)
            name = self._new(shape, None)
            self._loop(name, prepared, shape)
            prepared = ast.Name(name)
        return Stored(prepared.id, self.shapes[prepared.id], turned)

    def _plain(self, tree: ast.expr) -> Stored:
        """A matrix in memory that is not turned."""
        found = self._stored(tree)
        if not found.turned or "1" in found.shape:
            shape = found.shape[::-1] if found.turned else found.shape
            return Stored(found.name, shape, False)
        name = self._new(found.shape[::-1], None)
        self._loop(name, ast.Attribute(ast.Name(found.name), "T"), self.shapes[name])
        return Stored(name, self.shapes[name], False)

    # ------------------------------------------------------------------------------------------------ steps

    def _add(self, lines: list[str], writes: str | None, *reads: ast.expr | str) -> None:
        names = {r for r in reads if isinstance(r, str)}
        names |= {n.id for r in reads if isinstance(r, ast.expr) for n in ast.walk(r) if isinstance(n, ast.Name)}
        if writes is not None:
            self.written.add(writes)
        self.steps.append(Step(lines, writes, names & set(self.shapes)))

    def _for(self, index: str, number: str) -> str:
        return f"for (size_t {index} = 0; {index} < (size_t){group(number)}; {index}++)"

    def _loop(self, target: str, prepared: ast.expr, shape: Shape) -> None:
        """target = the entries of a tree."""
        i, j = self.indices
        if self.entries.is_flat(prepared) and self.entries.shape(prepared) == shape:
            body = f"{target}[{i}] = {self.entries.text(prepared, At(i, i, i))};"
            self._add([self._for_all(i, shape), f"    {body}"], target, prepared)
            return
        loops: list[str] = []
        place = At(i if shape[0] != "1" else "0", j if shape[1] != "1" else "0")
        for index, number in zip((i, j), shape):
            if number != "1":
                loops.append("    " * len(loops) + self._for(index, number))
        left = self.entries.text(ast.Name(target), place)
        body = f"{left} = {self.entries.text(prepared, place)};"
        self._add([*loops, "    " * len(loops) + body], target, prepared)

    def _for_all(self, index: str, shape: Shape) -> str:
        return f"for (size_t {index} = 0; {index} < {count(shape)}; {index}++)"

    # ------------------------------------------------------------------------------------------------ operations

    def _computed(self, tree: ast.expr, target: str | None) -> ast.expr:
        """Steps that compute what is not entrywise; the name of the value."""
        if isinstance(tree, ast.BinOp):
            return self._product(tree, target)
        if isinstance(tree, ast.Subscript):
            return self._part(tree)
        if not isinstance(tree, ast.Call):
            raise refused(trees.text(tree))
        name, args = trees.text(tree.func), tree.args
        if name in ("np.sum", "np.mean"):
            return self._sum(args[0], self._axis(tree), name == "np.mean", target)
        if name == "np.vdot":
            return self._dot(args[0], args[1])
        if name == "np.einsum":
            return self._einsum(tree, target)
        if name == "np.trace":
            return self._sum(ast.Call(ast.Name("_diagvec"), args, []))
        if name == "np.linalg.norm" and len(args) == 1:
            square = self._sum(ast.BinOp(args[0], ast.Pow(), ast.Constant(_PAIR)))
            return ast.Call(trees.parsed("np.sqrt"), [square], [])
        if name in _LINES:
            return self._along_lines(_LINES[name], args[0], self._axis(tree), target)
        if name in _LINEWISE:
            return self._linewise(_LINEWISE[name], args[0], self._axis(tree), target)
        if name in _SQUARE or name in _LINEAR:
            return self._system(name, args, target)
        if name == "_gram_factor":
            return self._gram_factor(args[0], target)
        if name in ("np.linalg.det", "_log_det"):
            return self._determinant(args[0], name)
        if name == "_weighted_gram":
            weighted = ast.BinOp(args[0], ast.Mult(), args[1])
            return self._product(ast.BinOp(ast.Attribute(weighted, "T"), ast.MatMult(), args[0]), target)
        if name == "np.linalg.matrix_power":
            return self._power(args[0], ast.literal_eval(args[1]))
        raise refused(name)

    @staticmethod
    def _axis(tree: ast.Call) -> int | None:
        given = [k.value for k in tree.keywords if k.arg == "axis"] or tree.args[1:2]
        if not given:
            return None
        assert isinstance(given[0], ast.Constant)
        return given[0].value if isinstance(given[0].value, int) else None

    def _sum(self, tree: ast.expr, axis: int | None = None, mean: bool = False, target: str | None = None) -> ast.expr:
        """The sum of entries: in a loop over the entries, which are not stored."""
        prepared = self.prepared(tree)
        rows, columns = shape = self.entries.shape(prepared)
        if axis is None:
            name = self._number()
            self._add(self._total(name, prepared, shape), None, prepared)
        else:
            name = self._new(("1", columns) if axis == 0 else (rows, "1"), target)
            self._add(self._sums(name, prepared, shape, axis), name, prepared)
        if not mean:
            return ast.Name(name)
        divisor = product(*shape) if axis is None else shape[axis]
        return ast.BinOp(ast.Name(name), ast.Div(), trees.parsed(divisor))

    def _number(self) -> str:
        """The name of a new 1 x 1 value."""
        name = self.fresh("t")
        self.shapes[name] = SCALAR
        self.scalars.append(name)
        return name

    def _total(self, name: str, prepared: ast.expr, shape: Shape) -> list[str]:
        """The lines that sum all entries."""
        i, j = self.indices
        if self.entries.is_flat(prepared):
            loop = [self._for_all(i, shape), f"    {name} += {self.entries.text(prepared, At(i, i, i))};"]
        else:
            entry = self.entries.text(prepared, At(i, j))
            loop = [self._for(i, shape[0]), f"    {self._for(j, shape[1])}", f"        {name} += {entry};"]
        return [f"{name} = 0;", *loop]

    def _sums(self, name: str, prepared: ast.expr, shape: Shape, axis: int) -> list[str]:
        """The lines that sum columns (axis 0) or rows."""
        i, j = self.indices
        kept, number = (j, shape[1]) if axis == 0 else (i, shape[0])
        lines = [self._for(kept, number), f"    {name}[{kept}] = 0;"]
        entry = self.entries.text(prepared, At(i, j))
        return [
            *lines,
            *(self._for(i, shape[0]), f"    {self._for(j, shape[1])}", f"        {name}[{kept}] += {entry};"),
        ]

    def _dot(self, a: ast.expr, b: ast.expr) -> ast.expr:
        """The sum of the products of the entries of two matrices of one shape, or of two vectors."""
        left, right = self.prepared(a), self.prepared(b)
        shapes = self.entries.shape(left), self.entries.shape(right)
        if not (isinstance(left, ast.Name) and isinstance(right, ast.Name)) and shapes[0] == shapes[1]:
            return self._sum(ast.BinOp(left, ast.Mult(), right))
        x, y = self._plain(left), self._plain(right)
        name = self._number()
        self.used.add("dot")
        self._add([f"{name} = dot({count(x.shape)}, {x.name}, {y.name});"], None, x.name, y.name)
        return ast.Name(name)

    def _einsum(self, tree: ast.Call, target: str | None) -> ast.expr:
        pattern = trees.text(tree.args[0]).strip('"')
        if pattern not in EINSUM:
            raise refused(f"the sum {pattern}")
        turned, axis = EINSUM[pattern]
        a, b = tree.args[1:]
        return self._sum(ast.BinOp(a, ast.Mult(), ast.Attribute(b, "T") if turned else b), axis, target=target)

    def _part(self, tree: ast.Subscript) -> ast.expr:
        """[1] of a slogdet."""
        call = tree.value
        if (
            isinstance(call, ast.Call)
            and trees.text(call.func) == "np.linalg.slogdet"
            and trees.text(tree.slice) == "1"
        ):
            return self._determinant(call.args[0], "np.linalg.slogdet")
        raise refused(trees.text(tree))

    # ------------------------------------------------------------------------------------------------ lines

    def _along_lines(self, function: str, tree: ast.expr, axis: int | None, target: str | None) -> ast.expr:
        """A number for each row or column, or one."""
        x = self._plain(tree)
        self.used.add(function)
        lines, length, step, start = line_of(x.shape, axis)
        if axis is None:
            name = self._number()
            self._add([f"{name} = {function}({count(x.shape)}, 1, {x.name});"], None, x.name)
            return ast.Name(name)
        name = self._new(("1", lines) if axis == 0 else (lines, "1"), target)
        i = self.indices[0]
        call = f"{function}({length}, {step}, {x.name} + {i} * {group(start)})"
        self._add([self._for(i, lines), f"    {name}[{i}] = {call};"], name, x.name)
        return ast.Name(name)

    def _linewise(self, function: str, tree: ast.expr, axis: int | None, target: str | None) -> ast.expr:
        """Each row or column by a function of it."""
        x = self._plain(tree)
        self.used.add(function)
        lines, length, step, start = line_of(x.shape, axis)
        name = self._new(x.shape, target)
        i = self.indices[0]
        place = f"{i} * {group(start)}"
        call = f"{function}({length}, {step}, {x.name} + {place}, {name} + {place})"
        self._add([self._for(i, lines), f"    {call};"], name, x.name)
        return ast.Name(name)

    # ------------------------------------------------------------------------------------------------ linear algebra

    def _product(self, tree: ast.BinOp, target: str | None) -> ast.expr:
        """A matrix product."""
        a, b = self._stored(tree.left), self._stored(tree.right)
        m, _, n = sizes_of(a, b)
        if (m, n) == SCALAR:
            return self._dot(ast.Name(a.name), ast.Name(b.name))
        name = self._new((m, n), target)
        self._multiplied(a, b, name)
        return ast.Name(name)

    def _multiplied(self, a: Stored, b: Stored, name: str) -> None:
        """The step of a product under a name."""
        self._add([multiplied(a, b, name)], name, a.name, b.name)

    def _power(self, tree: ast.expr, exponent: object) -> ast.expr:
        """A small power of a square matrix, or of its inverse."""
        if not isinstance(exponent, int) or not 1 <= abs(exponent) <= _LARGEST_POWER:
            raise refused(f"the matrix power {exponent}")
        if exponent < 0:
            tree = self._system("np.linalg.inv", [tree], None)
        base = self._plain(tree)
        result: ast.expr = ast.Name(base.name)
        for _ in range(abs(exponent) - 1):
            result = self._product(ast.BinOp(result, ast.MatMult(), ast.Name(base.name)), None)
        return result

    def _system(self, name: str, args: list[ast.expr], target: str | None) -> ast.expr:
        """A factor, an inverse or the solution of a system."""
        function = (_SQUARE | _LINEAR)[name]
        matrices = [self._plain(a) for a in args]
        n = matrices[0].shape[0]
        sizes = f"{n}, {matrices[1].shape[1]}" if name in _LINEAR else n
        result = self._new(matrices[-1].shape, target)
        call = f"{function}({sizes}, {', '.join(m.name for m in matrices)}, {result})"
        self._add(self._checked(function, call), result, *(m.name for m in matrices))
        return ast.Name(result)

    def _gram_factor(self, tree: ast.expr, target: str | None) -> ast.expr:
        """The Cholesky factor of x' x without the product."""
        x = self._plain(tree)
        rows, columns = x.shape
        result = self._new((columns, columns), target)
        call = f"gram_factor({rows}, {columns}, {x.name}, {result})"
        self._add(self._checked("gram_factor", call), result, x.name)
        return ast.Name(result)

    def _determinant(self, tree: ast.expr, name: str) -> ast.expr:
        """The determinant or its logarithm."""
        x = self._plain(tree)
        sign, logarithm = self.fresh("sign_det"), self.fresh("log_det")
        for s in (sign, logarithm):
            self.shapes[s] = SCALAR
            self.scalars.append(s)
        call = f"log_determinant({x.shape[0]}, {x.name}, &{sign}, &{logarithm})"
        self._add(self._checked("log_determinant", call), None, x.name)
        if name == "np.linalg.slogdet":
            return ast.Name(logarithm)
        return trees.parsed(
            f"{sign} * np.exp({logarithm})" if name == "np.linalg.det" else f"{logarithm} + np.log({sign})"
        )

    def _checked(self, function: str, call: str) -> list[str]:
        self.used.add(function)
        if function not in _RETURNS_STATUS:
            return [f"{call};"]
        return [f"status = {call};", "if (status != 0)", "    goto done;"]
