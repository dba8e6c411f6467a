"""A program with loops for Numba: the same stages and loops, compiled as one function; inputs are checked by NumPy."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from matcalc.dims import Shape, is_one
from matcalc.emit.program import Lowered
from matcalc.errors import NoRuleError
from matcalc.indices.program import Member, Run
from matcalc.loops import compiled_helpers
from matcalc.loops.functions import Made
from matcalc.loops.library import NUMPY, Library
from matcalc.loops.places import Places
from matcalc.loops.stage import Function
from matcalc.loops.staged_back import BackwardWriter

DECORATOR = '@numba.njit(error_model="numpy")'
_QUICK = '@numba.njit(error_model="numpy", fastmath={"reassoc", "contract"})'  # sums in any order
NUMBA = Library("numba", "import numba\nimport numpy as np", NUMPY.zeros, NUMPY.zero, NUMPY.number, NUMPY.helpers)
HELPERS: dict[str, Callable[..., Any]] = {
    name: f for name, f in vars(compiled_helpers).items() if inspect.isfunction(f)
}
# Functions of NumPy that Numba compiles as they stand.
_ENTRYWISE = frozenset(
    (
        *("np.exp", "np.log", "np.log1p", "np.expm1", "np.sqrt", "np.square"),
        *("np.sin", "np.cos", "np.tan", "np.sinh", "np.cosh", "np.tanh"),
        *("np.arctan", "np.arcsin", "np.arcsinh", "np.abs", "np.absolute", "np.sign"),
        *("np.maximum", "np.minimum", "np.where", "np.power", "np.float64", "np.arange"),
        *("np.log2", "np.reciprocal", "np.isfinite", "np.divide", "np.add", "np.subtract"),
        *("np.multiply", "np.negative", "np.cbrt", "np.hypot"),
    )
)
_MADE = frozenset(("np.zeros", "np.ones", "np.empty", "np.eye", "np.full", "np.broadcast_to"))
_SOLVED = frozenset(("np.linalg.inv", "np.linalg.solve", "np.linalg.slogdet", "np.linalg.det"))
_ALONG: dict[tuple[str, Any], str] = {
    ("np.sum", 0): "_col_sums",
    ("np.sum", 1): "_row_sums",
    ("np.max", 1): "_row_max",
}
_EINSUMS = {"'ij,ij->i'": "_row_dots", "'ij,ij->j'": "_col_dots", "'ij,ji->'": "_trace_of_product"}
_METHODS = {"np.sum": "sum", "np.max": "max", "np.min": "min", "np.array": "copy"}
_OTHERS = {
    "np.vdot": "_vdot",
    "np.linalg.norm": "_norm",
    "np.diagonal": "np.diag",
    "np.trace": "np.trace",
    "np.linalg.cholesky": "_cholesky",
    "dtype.type": "np.float64",
}


class Compiled:
    """Statements as Numba reads them: nothing in place."""

    def statements(self, lowered: Lowered) -> list[str]:
        """The statements of a program."""
        return [f"{s.target} = {rewritten(s.text)}" for s in lowered.schedule.statements]

    def results(self, texts: list[str]) -> list[str]:
        """The texts of its results."""
        return list(map(rewritten, texts))


def rewritten(text: str) -> str:
    """An expression of NumPy as one that Numba compiles.

    Raises:
        NoRuleError: it has none.
    """
    tree = _Rewriter().visit(ast.parse(text, mode="eval").body)
    return ast.unparse(tree)


class _Rewriter(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A product of matrices."""
        if not isinstance(node.op, ast.MatMult):
            self.generic_visit(node)
            return node
        left, right = _untransposed(node.left), _untransposed(node.right)
        if left is not None and right is None:
            return _call("_product_tn", self.visit(left), self.visit(node.right))
        if right is not None and left is None:
            return _call("_product_nt", self.visit(node.left), self.visit(right))
        return _call("_product", self.visit(node.left), self.visit(node.right))

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        """Functions inside of expressions are not compiled."""
        raise NoRuleError("a function inside of an expression is not compiled by Numba here")

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A function of NumPy, or a helper."""
        name = ast.unparse(node.func)
        options = {k.arg: k.value for k in node.keywords if ast.unparse(k.value) != "None"}
        args = [self.visit(a) for a in node.args]
        axis = options.get("axis")
        along = (name, axis.value if isinstance(axis, ast.Constant) else None)
        plain = not options
        if along in _ALONG:
            return _call(_ALONG[along], args[0])
        if plain and name == "np.einsum" and ast.unparse(node.args[0]) in _EINSUMS:
            return _call(_EINSUMS[ast.unparse(node.args[0])], *args[1:])
        if plain and name in _METHODS:
            return ast.Call(ast.Attribute(args[0], _METHODS[name]), [], [])
        if plain and name in _OTHERS:
            return _call(_OTHERS[name], *args)
        if plain and name in _SOLVED:
            return ast.Call(node.func, [_call("np.ascontiguousarray", a) for a in args], [])
        if name in _MADE or (name in _ENTRYWISE and not set(options) - {"dtype"}):
            return ast.Call(node.func, args, [])
        if name == "_logsumexp":
            return _call("_logsumexp_along" if len(args) > 1 or axis else "_logsumexp_of_all", *args, *options.values())
        if name in HELPERS and not set(options) - {"axis"}:
            return _call(name, *args, *options.values())
        if plain and isinstance(node.func, ast.Attribute) and node.func.attr in ("copy", "reshape", "sum"):
            return ast.Call(ast.Attribute(self.visit(node.func.value), node.func.attr), args, [])
        raise NoRuleError(f"{name} is not compiled by Numba in loops")


def _untransposed(tree: ast.expr) -> ast.expr | None:
    """X of X.T."""
    return tree.value if isinstance(tree, ast.Attribute) and tree.attr == "T" else None


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.parse(name, mode="eval").body, list(args), [])


class CompiledPlaces(Places):
    """Stacks of which Numba knows that they lie in one piece of memory."""

    def stack(self, what: Member, shape: Shape, run: Run, array: str) -> str | None:
        """The values over a run as the rows of a matrix."""
        text = super().stack(what, shape, run, array)
        if text is None or not what.of:
            return f"np.ascontiguousarray({text})" if text is not None and text.endswith(".T") else text
        part = text[len(array) + 1 : -1].split(",")[0]
        width = "1" if shape == (1, 1) else self.size(shape[0] if is_one(shape[1]) else shape[1])
        return f"{array}[{part}].reshape(({self.size(run.count)}, {width}))"

    def stack_target(self, what: Member, shape: Shape, run: Run, array: str) -> str:
        """The same, to be assigned to."""
        if what.of:
            return f"{self.stack(what, shape, run, array)}[:]"
        return super().stack_target(what, shape, run, array)


class CompiledWriter(BackwardWriter):
    """Writes the function of a module whose computation is compiled as a whole."""

    places_type = CompiledPlaces

    dialect = Compiled()

    def keep(self, function: Function) -> None:
        """Take a function up in the module, compiled."""
        function.decorators = [DECORATOR]
        function.quiet = False
        function.helpers = helper_sources("\n".join(function.lines))
        self.functions[function.name] = function

    def constants(self, found: Sequence[Made | Function]) -> list[str]:
        """None: all numbers are of one type."""
        return []

    def checked(self, name: str, shape: str) -> str:
        """An input as a matrix in one piece of memory, so that the function is compiled once."""
        text = super().checked(name, shape)
        return text if shape == "(1, 1)" else _contiguous(text)

    def checked_members(self, name: str, shape: str, first: str, last: str) -> str:
        """An input as the members of a family."""
        return _contiguous(super().checked_members(name, shape, first, last))

    def computation(self) -> Iterable[str]:
        """The call of what is compiled."""
        names = [self.adjoint(n) for n in self.pieces.wrt if self.differentiates and self.adjoint(n) in self.begun]
        results = [*(["value"] if self.kind.value or not self.differentiates else []), *names]
        lines = [*self.lines, f"return {', '.join(results)}"]
        words = set(re.findall(r"[^\W\d]\w*", "\n".join(lines)))
        inputs = [n for n in (*self.inputs_names, *self.directions.values()) if n in words]
        parameters = [*inputs, *(n for n in self.size_names.values() if n in words)]
        self.keep(Function("_computed", parameters, lines))
        yield f"{', '.join(results)} = _computed({', '.join(parameters)})"


def _contiguous(text: str) -> str:
    """The assignment of an array, in one piece of memory."""
    target, value = text.split(" = ", 1)
    return f"{target} = np.ascontiguousarray({value})"


def helper_sources(text: str) -> dict[str, str]:
    """The helpers that a text calls, and those that these call."""
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in set(re.findall(r"\b_[a-z]\w*", waiting.pop())) & set(HELPERS) - set(found):
            decorator = _QUICK if name.startswith(("_product", "_vdot")) else DECORATOR
            found[name] = f"{decorator}\n{inspect.getsource(HELPERS[name]).rstrip()}"
            waiting.append(found[name])
    return {name: found[name] for name in HELPERS if name in found}
