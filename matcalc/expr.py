"""The language: interned immutable nodes and the registry of operations.

Equal means identical: `node` returns the one object for an operation, its arguments and its parameters. A node's
`digest` depends on its structure alone (commutative arguments in any order), never on addresses or hash seeds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from matcalc.dims import Dim, Shape, dim, is_scalar
from matcalc.errors import MatcalcError, NoRuleError, ShapeError
from matcalc.exact import exactly, is_exact, is_sympy, structure
from matcalc.traits import REQUIRED, Param, Traits


@dataclass(frozen=True, slots=True, eq=False)
class Op(Traits):
    """An operation: what is declared of it, and the function that makes its nodes."""

    def __call__(self, *operands: Any, **params: Any) -> Expr:
        """The operation on arguments, which come first, and parameters, in order or by name: `softmax(X, axis=2)`.

        Raises:
            ShapeError: the arguments do not fit.
            MatcalcError: a parameter is missing, or unknown.
        """
        count = sum(1 for _ in takewhile(lambda operand: isinstance(operand, Expr), operands))
        given = operands[count:]
        if params:
            rest = self.params[len(given) :]
            unknown = params.keys() - {p.name for p in rest}
            if unknown:
                raise MatcalcError(f"{self.name} has no parameter {', '.join(sorted(unknown))} to be named here")
            missing = [p.name for p in rest if p.default is REQUIRED and p.name not in params]
            if missing:
                raise MatcalcError(f"{self.name} needs {' and '.join(missing)}")
            given += tuple(params.get(p.name, p.default) for p in rest)
        return node(self.name, operands[:count], given)


REGISTRY: dict[str, Op] = {}


def record(name: str) -> Op:
    """The record of an operation.

    Raises:
        NoRuleError: there is no such operation.
    """
    try:
        return REGISTRY[name]
    except KeyError:
        raise NoRuleError(f"no operation is called {name!r}") from None


def synonym(name: str) -> Op | None:
    """The operation that has this name elsewhere, if there is one."""
    return next((entry for entry in REGISTRY.values() if name in entry.also), None)


def operations(*entries: Op) -> frozenset[str]:
    """The names of some operations, to look up `e.op` in."""
    return frozenset(entry.name for entry in entries)


def register(entry: Op) -> Op:
    """Add an operation to the catalogue; a name can be taken once."""
    if entry.name in REGISTRY:
        raise MatcalcError(f"an operation called {entry.name!r} exists already")
    REGISTRY[entry.name] = entry
    return entry


class Expr:
    """A real matrix, symbolically: an operation on arguments, with a shape.

    Built by `node` and the constructors in `matcalc.core`; never changed afterwards.
    """

    __slots__ = ("__weakref__", "_cost", "_facts", "args", "digest", "op", "params", "shape")

    op: str
    args: tuple[Expr, ...]
    params: tuple[Any, ...]
    shape: Shape
    digest: bytes
    _facts: tuple[int, int] | None
    _cost: int | None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("expressions are immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (_flatten(self),)

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: Any) -> Expr:
        return self

    def __bool__(self) -> bool:
        raise MatcalcError("a matrix expression has no truth value; compare two with `is`")

    @property
    def is_scalar(self) -> bool:
        """Whether it is 1 x 1."""
        return is_scalar(self.shape)

    @property
    def name(self) -> str:
        """The name of a variable or a named value; empty for anything else."""
        return str(self.params[0]) if self.op in ("variable", "named") else ""

    @property
    def number(self) -> Any:
        """The exact value of a number; None for anything else."""
        return self.params[0] if self.op == "number" else None

    @property
    def definition(self) -> Expr:
        """What a named value stands for; anything else is itself."""
        return self.args[0] if self.op == "named" else self

    @property
    def axis(self) -> int | None:
        """The axis of a reduction: 1 over rows, 2 over columns; None over all entries, and for anything else."""
        found = [p for p, param in zip(self.params, record(self.op).params) if param.kind == "axis"]
        return found[0] if found else None

    # The printer and the operators are put in by the layers above (printing/text.py, core.py).
    def __str__(self) -> str:
        return HOOKS["text"](self)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return HOOKS["text"](self)  # type: ignore[no-any-return]

    def latex(self, *notation: Any) -> str:
        """The expression in LaTeX, with the symbols of a `Notation` where one is given."""
        return HOOKS["latex"](self, *notation)  # type: ignore[no-any-return]

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {HOOKS['display'](self)}$"

    def _sympy_(self) -> Any:
        return HOOKS["sympy"](self)

    @property
    def T(self) -> Expr:
        """The transpose."""
        return HOOKS["transpose"](self)  # type: ignore[no-any-return]

    # A row, a column or an entry inside of a sum over an index (api/sums.py); an expression is not a sequence.
    __iter__ = None

    def __getitem__(self, key: Any) -> Expr:
        return HOOKS["entry"](self, key)  # type: ignore[no-any-return]

    # NumPy's functions give operations or errors (frontend/numpy_functions.py), never arrays of objects.
    __array_priority__ = 1000.0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HOOKS["ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return HOOKS["numpy"](function, args, options)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise MatcalcError("an expression has no numbers: derive it, and call the function with arrays")

    def __neg__(self) -> Expr:
        return HOOKS["negative"](self)  # type: ignore[no-any-return]

    def __pos__(self) -> Expr:
        return self

    def __add__(self, other: Any) -> Expr:
        return HOOKS["plus"](self, other)  # type: ignore[no-any-return]

    def __radd__(self, other: Any) -> Expr:
        return HOOKS["plus"](other, self)  # type: ignore[no-any-return]

    def __sub__(self, other: Any) -> Expr:
        return HOOKS["minus"](self, other)  # type: ignore[no-any-return]

    def __rsub__(self, other: Any) -> Expr:
        return HOOKS["minus"](other, self)  # type: ignore[no-any-return]

    def __mul__(self, other: Any) -> Expr:
        return HOOKS["product"](self, other)  # type: ignore[no-any-return]

    def __rmul__(self, other: Any) -> Expr:
        return HOOKS["product"](other, self)  # type: ignore[no-any-return]

    def __matmul__(self, other: Any) -> Expr:
        return HOOKS["product"](self, other)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Expr:
        return HOOKS["product"](other, self)  # type: ignore[no-any-return]

    def __truediv__(self, other: Any) -> Expr:
        return HOOKS["quotient"](self, other)  # type: ignore[no-any-return]

    def __rtruediv__(self, other: Any) -> Expr:
        return HOOKS["quotient"](other, self)  # type: ignore[no-any-return]

    def __pow__(self, exponent: Any) -> Expr:
        return HOOKS["power"](self, exponent)  # type: ignore[no-any-return]

    def __rpow__(self, base: Any) -> Expr:
        return HOOKS["power"](base, self)  # type: ignore[no-any-return]

    def __abs__(self) -> Expr:
        return HOOKS["absolute"](self)  # type: ignore[no-any-return]

    def __lt__(self, other: Any) -> NoReturn:
        _compared("<", other)

    def __le__(self, other: Any) -> NoReturn:
        _compared("<=", other)

    def __gt__(self, other: Any) -> NoReturn:
        _compared(">", other)

    def __ge__(self, other: Any) -> NoReturn:
        _compared(">=", other)


def _compared(relation: str, other: Any) -> NoReturn:
    shown = other if isinstance(other, (int, float)) else "B"
    raise MatcalcError(
        f"expressions do not compare: mc.where(A, {relation!r}, {shown}, C, D) is C where A {relation} {shown}, else D"
    )


def _no_hook(*_: Any) -> Any:
    raise NoRuleError("import matcalc (not one of its inner modules alone) to print and combine expressions")


# What expressions can do but layers above must supply: printing, conversion, operators.
HOOKS: dict[str, Callable[..., Any]] = dict.fromkeys(
    (
        *("text", "latex", "sympy", "transpose", "negative", "plus", "minus", "product", "quotient", "power"),
        *("ufunc", "numpy", "picture", "display", "absolute"),
    ),
    _no_hook,
)

_NODES: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()
_LOCK = threading.RLock()


def node(op: str, args: Sequence[Expr] = (), params: tuple[Any, ...] = ()) -> Expr:
    """The one expression for this operation, these arguments and these parameters.

    Raises:
        ShapeError: the arguments do not fit.
        MatcalcError: a parameter is missing.
        NoRuleError: there is no such operation.
    """
    args = tuple(args)
    entry = record(op)
    if len(params) != len(entry.params):
        params = _with_defaults(entry, params)
    if entry.complete is not None:
        params = entry.complete(*args, *params)
    key = (op, args, params, tuple(map(type, params)))
    found = _NODES.get(key)
    if found is not None:
        return found
    exact = tuple(exactly(p) if is_sympy(p) else p for p in params)  # one expression, whoever made its sizes
    if any(p is not q for p, q in zip(exact, params)):
        return node(op, args, exact)
    shape = entry.shape(*args, *params)
    digests = [a.digest for a in args]
    if entry.commutative:
        digests.sort()
    new: Expr = object.__new__(Expr)
    put = object.__setattr__
    put(new, "op", op)
    put(new, "args", args)
    put(new, "params", params)
    put(new, "shape", shape)
    put(new, "digest", blake2b(f"{op}|{params_text(params)}|".encode() + b"".join(digests), digest_size=16).digest())
    put(new, "_facts", None)
    put(new, "_cost", None)
    with _LOCK:
        return _NODES.setdefault(key, new)


def _with_defaults(entry: Op, params: tuple[Any, ...]) -> tuple[Any, ...]:
    rest = entry.params[len(params) :]
    missing = [p.name for p in rest if p.default is REQUIRED]
    if missing:
        raise MatcalcError(f"{entry.name} needs {' and '.join(missing)}")
    if len(params) > len(entry.params):
        raise MatcalcError(f"{entry.name} takes {len(entry.params)} parameters, got {len(params)}")
    return params + tuple(p.default for p in rest)


def params_text(params: tuple[Any, ...]) -> str:
    """Parameters as a text that determines them; exact scalars by their structure."""
    return ",".join(p if type(p) is str else structure(p) if is_exact(p) else repr(p) for p in params)


def postorder(
    roots: Iterable[Expr], *, through_names: bool = True, stop: Callable[[Expr], bool] | None = None
) -> Iterator[Expr]:
    """Every subexpression once, arguments before what uses them; iterative.

    `through_names=False` does not look into named values; `stop` says where not to go (the node itself is left out).
    """
    entered: set[Expr] = set()
    waiting: list[Expr] = []  # for their arguments
    stack: list[Expr | None] = [*reversed(list(roots))]
    while stack:
        e = stack.pop()
        if e is None:  # all arguments of the last that waits have been yielded
            yield waiting.pop()
            continue
        if e in entered or (stop is not None and stop(e)):
            continue
        entered.add(e)
        if not e.args or (e.op == "named" and not through_names):
            yield e
            continue
        waiting.append(e)
        stack.append(None)
        stack.extend(reversed(e.args))


def _flatten(e: Expr) -> list[tuple[str, tuple[int, ...], tuple[Any, ...]]]:
    order = list(postorder((e,)))
    index = {sub: k for k, sub in enumerate(order)}
    return [(sub.op, tuple(index[a] for a in sub.args), sub.params) for sub in order]


def _unpickle(rows: list[tuple[str, tuple[int, ...], tuple[Any, ...]]]) -> Expr:
    built: list[Expr] = []
    for op, args, params in rows:
        built.append(node(op, [built[k] for k in args], params))
    return built[-1]


def number_value(e: Expr) -> Any:
    """The exact scalar of a number node.

    Raises:
        MatcalcError: `e` is not a number.
    """
    if e.op != "number":
        raise MatcalcError(f"{e} is not a number")
    return e.params[0]


__all__ = [
    "HOOKS",
    "REGISTRY",
    "REQUIRED",
    "Dim",
    "Expr",
    "Op",
    "Param",
    "Shape",
    "ShapeError",
    "dim",
    "node",
    "number_value",
    "operations",
    "postorder",
    "record",
    "register",
]
