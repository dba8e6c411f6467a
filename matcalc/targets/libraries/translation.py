"""The statements of the NumPy program, without `out=`, in another library: name by name. What it lacks is refused."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from matcalc.emit import trees
from matcalc.emit.schedule import Statement
from matcalc.errors import NoRuleError, no_counterpart
from matcalc.targets.libraries.dialect import Dialect

_SAME = frozenset(
    [
        *("exp", "expm1", "log", "log1p", "sqrt", "square", "abs", "sign", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("sum", "mean", "max", "min", "prod", "where", "broadcast_to", "reshape", "ones", "zeros", "eye", "full"),
        *("linalg.solve", "linalg.inv", "linalg.det", "linalg.slogdet", "linalg.cholesky"),
        *("linalg.matrix_power", "tril", "triu", "clip"),
    ]
)
_CREATING = ("ones", "zeros", "eye", "full")  # whose arguments are sizes and numbers
_FACTORING = ("linalg.solve", "linalg.inv", "linalg.cholesky")
_SPECIAL = ("erf", "erfc", "erfcx", "gammaln", "digamma", "polygamma", "ndtr", "log_ndtr")
_RENAMED = {
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh"},
    **{"arctanh": "atanh", "trace": "linalg.trace", "linalg.norm": "linalg.vector_norm", "diagonal": "linalg.diagonal"},
    "cumsum": "cumulative_sum",
}
# What runtime functions stand for.
_AS_HELPERS = {"vdot": "_dot", "block": "_block", "outer": "_outer", "convolve": "_convolve", "kron": "_kron"}
# einsum's patterns as products: the second factor turned or not, and the axis of the sum.
EINSUM: dict[str, tuple[bool, int | None]] = {
    "ij,ij->j": (False, 0),
    "ij,ij->i": (False, 1),
    "ij,ji->": (True, None),
    "ij,ji->i": (True, 1),
}


def python_numbers(sizes: Iterable[str], statements: Iterable[Statement]) -> set[str]:
    """The names that stand for numbers of Python, not for arrays: sizes, and what is computed from them alone."""
    return {*sizes, "math", *(s.target for s in statements if s.computed.is_number)}


def _is_number(tree: ast.expr, numbers: set[str]) -> bool:
    return all(n.id in numbers for n in ast.walk(tree) if isinstance(n, ast.Name))


def translated(tree: ast.expr, dialect: Dialect, numbers: set[str], own: Iterable[str] = ()) -> str:
    """A value in another library; `numbers` are the names of Python's numbers, `own` functions of the module.

    Raises:
        NoRuleError: it uses what the library does not have.
    """
    return trees.hugged(trees.text(_Translator(dialect, numbers, set(own)).visit(trees.copied(tree))))


class _Translator(ast.NodeTransformer):
    def __init__(self, dialect: Dialect, numbers: set[str], own: set[str]) -> None:
        self.dialect, self.numbers, self.own = dialect, numbers, own

    def _is_number(self, tree: ast.expr) -> bool:
        """Whether a value is a number of Python's, which not every library takes beside an array."""
        return _is_number(tree, self.numbers)

    def _function(self, name: str) -> ast.expr:
        return trees.parsed(f"{self.dialect.prefix}.{self.dialect.names.get(name, name)}")

    def _call(self, name: str, args: list[ast.expr], **keywords: ast.expr | int) -> ast.Call:
        extra = [ast.keyword(k, v if isinstance(v, ast.expr) else ast.Constant(v)) for k, v in keywords.items()]
        return ast.Call(self._function(name), args, extra)

    def _refused(self, what: str) -> NoRuleError:
        return no_counterpart(self.dialect.title, what)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.dialect.lacking:  # one that is handed to another
            raise self._refused(node.id)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        call = node.value
        if isinstance(call, ast.Call) and trees.text(call.func) == "np.einsum":  # [None, :] and [:, None]
            return self._einsum(call)
        self.generic_visit(node)
        if trees.text(node.slice) == "()":
            return node.value
        return node

    def _array(self, number: ast.expr) -> ast.expr:
        """A number as an array, where a function takes arrays only; anything else as it is."""
        if not self._is_number(number) or (isinstance(number, ast.Constant) and number.value is None):
            return number
        return self._call("asarray", [number], dtype=ast.Name("dtype"))

    def _compared(self, node: ast.Compare) -> ast.Compare:
        """A comparison whose value is an array, of two numbers too."""
        self.generic_visit(node)
        if all(map(self._is_number, node.comparators)):
            node.left = self._array(node.left)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self._as_number(self._compared(node))

    def _as_number(self, mask: ast.expr) -> ast.expr:
        if self.dialect.prefix == "xp":
            return self._call("astype", [mask, ast.Name("dtype")])
        method = "to" if self.dialect.prefix == "torch" else "astype"
        return ast.Call(ast.Attribute(mask, method), [ast.Name("dtype")], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = trees.text(node.func)
        if name == "np.einsum":
            return self._einsum(node)
        if name == "np.where" and isinstance(node.args[0], ast.Compare):
            rest = [self.visit(a) for a in node.args[1:]]
            if all(map(self._is_number, rest)):  # the standard wants an array among the two
                rest = [self._array(a) for a in rest]
            return self._call("where", [self._compared(node.args[0]), *rest])
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            inner = self.visit(node.func.value)
            return inner if isinstance(node.func.value, ast.Compare) else self._as_number(inner)
        self.generic_visit(node)
        if name.startswith("np."):
            return self._library_call(name.removeprefix("np."), node)
        if name == "dtype.type":
            return self._call("asarray", node.args, dtype=ast.Name("dtype"))
        if name in self.own:
            return node
        if name in self.dialect.helpers:
            if name == "_cholesky_solve":
                node.args[1] = self._whole(node.args[1], "{0: -1}")
            if node.args and _first_parameter(self.dialect.helpers[name]) not in ("m", "n"):
                node.args[0] = self._array(node.args[0])
            return self._helper(name, node)
        if name.startswith("special.") and name.replace("special.", "_") in self.dialect.helpers:
            node.args[-1] = self._array(node.args[-1])
            return self._helper(name.replace("special.", "_"), node)
        if name.startswith("special.") and name.removeprefix("special.") in _SPECIAL and self.dialect.special:
            inner = trees.parsed(name.replace("special", self.dialect.special, 1))
            node.args[-1] = self._array(node.args[-1])
            return ast.Call(inner, node.args, node.keywords)
        if name.startswith("_") or name.startswith(("special.", "sla.")):
            raise self._refused(name)
        return node

    def _helper(self, name: str, node: ast.Call) -> ast.Call:
        """The call of a runtime function, whose first argument is the library."""
        if name in self.dialect.lacking:
            raise self._refused(name)
        return ast.Call(ast.Name(name), [trees.parsed(self.dialect.prefix), *node.args], node.keywords)

    def _library_call(self, name: str, node: ast.Call) -> ast.expr:
        if name in _AS_HELPERS:
            return self._helper(_AS_HELPERS[name], node)
        if name == "linalg.svd" and node.keywords:  # compute_uv=False
            name, node.keywords = "linalg.svdvals", []
        if name == "array":
            if self.dialect.prefix == "torch":
                return ast.Call(ast.Attribute(node.args[0], "clone"), [], [])
            return self._call("asarray", node.args, copy=True)
        if name == "full" and not isinstance(node.args[1], ast.Constant):
            ones = self._call("ones", [node.args[0]], dtype=ast.Name("dtype"))
            return ast.BinOp(node.args[1], ast.Mult(), ones)
        if name == "linalg.norm" and len(node.args) > 1:  # the spectral or the nuclear norm
            if "linalg.matrix_norm" in self.dialect.missing:
                raise self._refused("np.linalg.norm of a matrix")
            return self._call("linalg.matrix_norm", node.args[:1], ord=node.args[1])
        if name in ("maximum", "minimum"):
            first, second = node.args
            if all(map(self._is_number, node.args)):
                first = self._array(first)
            if self._is_number(second):
                second = self._call("full_like", [first, second])
            elif self._is_number(first):
                first = self._call("full_like", [second, first])
            return self._call(name, [first, second])
        if name not in _CREATING and not isinstance(node.args[0], (ast.Tuple, ast.List)):
            node.args[0] = self._array(node.args[0])
        known = name in _SAME or name in _RENAMED or name == "linalg.svdvals"
        if not known or name in self.dialect.missing:
            raise self._refused(f"np.{name}")
        if name in _FACTORING:
            node.args = [self._whole(a, "{0: -1}" if k else "-1") for k, a in enumerate(node.args)]
        options = [ast.keyword(k, ast.Constant(v)) for k, v in self.dialect.options.get(name, {}).items()]
        call = ast.Call(self._function(_RENAMED.get(name, name)), node.args, [*node.keywords, *options])
        if name == "linalg.inv" and self.dialect.prefix == "da":  # which takes it for double precision
            return self._as_number(call)
        return call

    def _whole(self, matrix: ast.expr, chunks: str) -> ast.expr:
        """A matrix that is factored, or what is solved for: Dask wants its rows in one block."""
        if self.dialect.prefix != "da":
            return matrix
        return ast.Call(ast.Attribute(matrix, "rechunk"), [trees.parsed(chunks)], [])

    def _einsum(self, node: ast.Call) -> ast.expr:
        pattern = trees.text(node.args[0]).strip('"')
        if pattern not in EINSUM:
            raise self._refused(f"the sum {pattern}")
        turned, axis = EINSUM[pattern]
        a, b = (self.visit(x) for x in node.args[1:])
        if turned:
            b = ast.Attribute(b, "T")
        product = ast.BinOp(a, ast.Mult(), b)
        return self._call("sum", [product]) if axis is None else self._call("sum", [product], axis=axis, keepdims=True)


def _first_parameter(helper: Callable[..., Any]) -> str:
    """What a runtime function takes after the library: `m` and `n` are sizes."""
    return [*inspect.signature(helper).parameters, "", ""][1]
