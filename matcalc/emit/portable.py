"""The same schedule for other array libraries: the array API standard (`xp=`), Dask, JAX and PyTorch.

The statements of the NumPy program, without `out=`, translated name by name. What has no counterpart is refused.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from matcalc.emit import portable_helpers, trees
from matcalc.errors import NoRuleError

HELPERS = {name: f for name, f in vars(portable_helpers).items() if inspect.isfunction(f)}


@dataclass(frozen=True)
class Dialect:
    """One library.

    Attributes:
        title: how messages call it.
        imports: lines at the top of the module.
        prefix: of its functions.
        names: functions that it calls differently.
        missing: functions that it lacks.
        options: keyword arguments without which a function would mean something else.
        taken: the function through which it takes arrays of other libraries, if it must.
        scalar: the function that makes an array of a number.
        default: its floating type where there are only numbers.
        special: where its error and gamma functions are, if it has them.
    """

    title: str
    imports: str
    prefix: str
    names: dict[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    options: dict[str, dict[str, bool]] = field(default_factory=dict)
    taken: str | None = None
    scalar: str = "asarray"
    default: str = "float64"
    special: str | None = None


_NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"} | {
    **{"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"},
    **{"linalg.diagonal": "diagonal", "linalg.trace": "trace", "linalg.vector_norm": "linalg.norm"},
}
DIALECTS = {
    # Dask's Cholesky factor is the upper one: the standard's keyword makes it refuse rather than differ.
    "array-api": Dialect("the array API", "", "xp", options={"linalg.cholesky": {"upper": False}}),
    "dask": Dialect(
        *("Dask", "import dask.array as da", "da", _NUMPY_NAMES),
        missing=frozenset(["linalg.det", "linalg.slogdet", "linalg.matrix_power", "linalg.matrix_norm"]),
        options={"linalg.cholesky": {"lower": True}},
        taken="da.asarray",
    ),
    "jax": Dialect(
        "JAX",
        "import jax.numpy as jnp",
        "jnp",
        {"linalg.trace": "trace"},
        default="result_type(float)",
        special="jax.scipy.special",
    ),
    "torch": Dialect(
        *("PyTorch", "import torch", "torch", {"max": "amax", "min": "amin", "linalg.trace": "trace"}),
        scalar="as_tensor",
        special="torch.special",
    ),
}

_SAME = frozenset(
    [
        *("exp", "expm1", "log", "log1p", "sqrt", "square", "abs", "sign", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("sum", "mean", "max", "min", "prod", "where", "broadcast_to", "reshape", "ones", "zeros", "eye", "full"),
        *("linalg.solve", "linalg.inv", "linalg.det", "linalg.slogdet", "linalg.cholesky"),
        "linalg.matrix_power",
    ]
)
_CREATING = ("ones", "zeros", "eye", "full")  # whose arguments are sizes and numbers
_FACTORING = ("linalg.solve", "linalg.inv", "linalg.cholesky")
_SPECIAL = ("erf", "erfc", "erfcx", "gammaln", "digamma", "polygamma", "ndtr", "log_ndtr")
_RENAMED = {
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh"},
    **{"arctanh": "atanh", "trace": "linalg.trace", "linalg.norm": "linalg.vector_norm", "diagonal": "linalg.diagonal"},
}
# einsum's patterns as products: the second factor turned or not, and the axis of the sum.
EINSUM: dict[str, tuple[bool, int | None]] = {
    "ij,ij->j": (False, 0),
    "ij,ij->i": (False, 1),
    "ij,ji->": (True, None),
    "ij,ji->i": (True, 1),
}


def python_numbers(sizes: Iterable[str], statements: Iterable[tuple[str, str]]) -> set[str]:
    """The names that stand for numbers of Python, not for arrays: sizes, and what is computed from them alone."""
    numbers = {*sizes, "math"}
    for target, text in statements:
        if _is_number(trees.parsed(text), numbers):
            numbers.add(target)
    return numbers


def _is_number(tree: ast.expr, numbers: set[str]) -> bool:
    return all(n.id in numbers for n in ast.walk(tree) if isinstance(n, ast.Name))


def translated(text: str, dialect: Dialect, numbers: set[str]) -> str:
    """A statement's NumPy text in another library; `numbers` are the names of Python's numbers.

    Raises:
        NoRuleError: it uses what the library does not have.
    """
    return trees.hugged(trees.text(_Translator(dialect, numbers).visit(trees.parsed(text))))


class _Translator(ast.NodeTransformer):
    def __init__(self, dialect: Dialect, numbers: set[str]) -> None:
        self.dialect, self.numbers = dialect, numbers

    def _is_number(self, tree: ast.expr) -> bool:
        """Whether a value is a number of Python's, which not every library takes beside an array."""
        return _is_number(tree, self.numbers)

    def _function(self, name: str) -> ast.expr:
        return trees.parsed(f"{self.dialect.prefix}.{self.dialect.names.get(name, name)}")

    def _call(self, name: str, args: list[ast.expr], **keywords: ast.expr | int) -> ast.Call:
        extra = [ast.keyword(k, v if isinstance(v, ast.expr) else ast.Constant(v)) for k, v in keywords.items()]
        return ast.Call(self._function(name), args, extra)

    def _refused(self, what: str) -> NoRuleError:
        return NoRuleError(f"no code for {self.dialect.title}: {what} has no counterpart there")

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
        return self._call("asarray", [number], dtype=ast.Name("dtype")) if self._is_number(number) else number

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
        if name in HELPERS:
            if name == "_cholesky_solve":
                node.args[1] = self._whole(node.args[1], "{0: -1}")
            if node.args and _first_parameter(HELPERS[name]) not in ("m", "n"):
                node.args[0] = self._array(node.args[0])
            return ast.Call(node.func, [trees.parsed(self.dialect.prefix), *node.args], node.keywords)
        if name.startswith("special.") and name.removeprefix("special.") in _SPECIAL and self.dialect.special:
            inner = trees.parsed(name.replace("special", self.dialect.special, 1))
            node.args[-1] = self._array(node.args[-1])
            return ast.Call(inner, node.args, node.keywords)
        if name.startswith("_") or name.startswith(("special.", "sla.")):
            raise self._refused(name)
        return node

    def _library_call(self, name: str, node: ast.Call) -> ast.expr:
        if name == "vdot":
            return ast.Call(ast.Name("_dot"), [trees.parsed(self.dialect.prefix), *node.args], [])
        if name == "block":
            return ast.Call(ast.Name("_block"), [trees.parsed(self.dialect.prefix), *node.args], [])
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
        if (name not in _SAME and name not in _RENAMED) or name in self.dialect.missing:
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


def _first_parameter(helper: Any) -> str:
    """What a helper takes after the library: `m` and `n` are sizes."""
    return [*inspect.signature(helper).parameters, "", ""][1]


def helpers_of(lines: Iterable[str]) -> list[str]:
    """The source texts of the helpers that some lines call."""
    used: set[str] = set()
    waiting = ["\n".join(lines)]
    while waiting:
        text = waiting.pop()
        for name in HELPERS.keys() - used:
            if re.search(rf"\b{name}\(", text):
                used.add(name)
                waiting.append(inspect.getsource(HELPERS[name]))
    return [inspect.getsource(f).rstrip() for name, f in HELPERS.items() if name in used]


def size_lines(
    variables: list[tuple[str, tuple[Any, Any]]], names: Mapping[str, str], body: Iterable[str]
) -> list[str]:
    """Lines that take the sizes that `body` reads from the shapes of arrays, and check all shapes.

    Raises:
        NoRuleError: a size is not the number of rows or columns of any array.
    """
    lines: list[str] = []
    known: set[str] = set()
    for name, shape in variables:
        fresh = [str(d) for d in shape if not isinstance(d, int) and d.is_Symbol and str(d) not in known]
        if len(fresh) == len(shape) and fresh[0] != fresh[1]:
            lines.append(f"{names[fresh[0]]}, {names[fresh[1]]} = {name}.shape")
            known.update(fresh)
            continue
        for axis, d in enumerate(shape):
            if str(d) in fresh and str(d) not in known:
                lines.append(f"{names[str(d)]} = {name}.shape[{axis}]")
                known.add(str(d))
        if not all(isinstance(d, int) or str(d) in known for d in shape):
            raise NoRuleError(f"the shape of {name} is not of plain sizes; only target='numpy' solves for them")
        sizes = ", ".join(str(d) if isinstance(d, int) else names[str(d)] for d in shape)
        lines.append(f'_fitting("{name}", {name}, ({sizes}))')
    missing = [d for d in names if d not in known]
    if missing:
        raise NoRuleError(f"no array has the size {missing[0]}; only target='numpy' takes dims=")
    return _without_unread(lines, "\n".join(body))


def _without_unread(lines: list[str], text: str) -> list[str]:
    """The lines without sizes that neither `text` nor a later line reads."""
    kept: list[str] = []
    for line in reversed(lines):
        targets, _, source = line.partition(" = ")
        if source:
            read = [re.search(rf"\b{target}\b", text) is not None for target in targets.split(", ")]
            if sum(read) < len(read):
                axis = source if len(read) == 1 else f"{source}[{read.index(True)}]" if any(read) else ""
                line = f"{targets.split(', ')[read.index(True)]} = {axis}" if any(read) else ""
        if line:
            kept.append(line)
            text += f"\n{line}"
    return kept[::-1]
