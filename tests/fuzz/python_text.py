"""Programs as Python functions of two-dimensional arrays, in the spelling of NumPy or JAX: an independent writer."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from matcalc import dims
from matcalc.expr import REGISTRY, Expr, postorder
from matcalc.walk import rebuild, variables

# {x} is the library; {0}, {1} are arguments; `{axis}` the keyword of an axis.
CALLS = {
    **{
        f: "{x}." + f + "({0})"
        for f in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "sign")
    },
    **{f: "{x}." + f + "({0})" for f in ("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh")},
    **{f: "{x}." + f + "({0}, {1})" for f in ("kron", "maximum", "minimum")},
    **{f: "{x}." + f + "({0}{axis})" for f in ("sum", "mean", "max", "min", "prod")},
    "transpose": "{0}.T",
    "inv": "{x}.linalg.inv({0})",
    "solve": "{x}.linalg.solve({0}, {1})",
    "det": "{x}.linalg.det({0})",
    "logdet": "{x}.linalg.slogdet({0})[1]",
    "tr": "{x}.trace({0})",
    "norm2": "{x}.linalg.norm({0})",
    "norm1": "{x}.sum({x}.abs({0}))",
    "tril": "{x}.tril({0})",
    "triu": "{x}.triu({0})",
    "outer": "{x}.outer({0}, {1})",
    "mse": "{x}.mean(({0} - {1})**2)",
    "sigmoid": "1/(1 + {x}.exp(-{0}))",
    "softplus": "{x}.logaddexp(0, {0})",
    "relu": "{x}.maximum({0}, 0)",
    "where": "{x}.where({0} {relation} {1}, {2}, {3})",
    "diag": "{x}.diag({0}[:, 0])",
    "diagvec": "{x}.diag({0})[:, None]",
    "pinv": "{x}.linalg.pinv({0})",
}
INFIX = {"add": " + ", "hadamard": " * ", "scale": " * ", "matmul": " @ ", "divide": " / "}
REDUCTIONS = ("sum", "mean", "max", "min", "prod")
LEAVES = ("variable", "number", "ones", "zeros", "eye", "broadcast", "named", "power", "matpow")


# Numbers stand for 1 x 1 values: what needs an array of rank 2 does not take them.
OF_ARRAYS = (
    "kron",
    "inv",
    "solve",
    "det",
    "logdet",
    "tr",
    "tril",
    "triu",
    "outer",
    "diag",
    "diagvec",
    "pinv",
    "matpow",
)


def opened(e: Expr) -> Expr:
    """The program with the definitions of the operations that have no spelling here."""
    done: dict[Expr, Expr] = {}
    for sub in postorder((e,)):
        new = rebuild(sub, [done[a] for a in sub.args]) if sub.args else sub
        entry = REGISTRY[new.op]
        if not _is_written(new) and entry.definition is not None:
            new = opened(entry.definition(*new.args, *new.params))
        done[sub] = new
    return done[e]


def writable(e: Expr) -> bool:
    """Whether all operations of a program have a spelling here."""
    return all(map(_is_written, postorder((e,))))


def _is_written(e: Expr) -> bool:
    if e.op in OF_ARRAYS and any(a.is_scalar for a in e.args):
        return False
    if e.op in REDUCTIONS and e.axis is not None and e.args[0].is_scalar:
        return False
    if e.op in ("power", "matpow"):
        exponent = e.args[1]
        whole = exponent.op == "number" and exponent.number.is_number
        return whole and (e.op == "power" or exponent.number.is_integer)
    return e.op in CALLS or e.op in INFIX or e.op in LEAVES


def python_function(e: Expr, library: str) -> Callable[..., Any]:
    """The function, with one statement for each operation; its text is its attribute `source`."""
    inputs = [v.name for v in variables((e,))]
    names: dict[Expr, str] = {v: v.name for v in variables((e,))}
    sizes = _Sizes(variables((e,)))
    lines = [f"def program({', '.join(inputs)}):"]
    for k, sub in enumerate(x for x in postorder((e,)) if x.op != "variable"):
        names[sub] = f"t{k}"
        lines.append(f"    t{k} = {_statement(sub, [names[a] for a in sub.args], library, sizes)}")
    lines.append(f"    return {names[e]}")
    source = "\n".join(lines) + "\n"
    file = f"<roundtrip {abs(hash(source)):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space: dict[str, Any] = {"np": np, "__name__": "roundtrip"}
    if library == "jnp":
        import jax.numpy as jnp  # noqa: PLC0415

        space["jnp"] = jnp
    exec(compile(source, file, "exec"), space)
    function: Any = space["program"]
    function.source = source
    return function  # type: ignore[no-any-return]


class _Sizes:
    """How a size is read off an input."""

    def __init__(self, inputs: list[Expr]) -> None:
        self.known = {
            str(d): f"{v.name}.shape[{axis}]"
            for v in inputs
            for axis, d in enumerate(v.shape)
            if not isinstance(d, int)
        }

    def text(self, d: Any) -> str:
        """A size as Python."""
        return dims.text(d) if str(d) not in self.known else self.known[str(d)]

    def in_number(self, value: Any) -> str:
        """A number, the sizes in it read off the inputs."""
        text = str(value).replace("sqrt", "np.sqrt")
        for symbol in sorted(map(str, value.free_symbols), key=len, reverse=True):
            text = text.replace(symbol, self.known.get(symbol, symbol))
        return f"({text})"


def _statement(e: Expr, args: list[str], library: str, sizes: _Sizes) -> str:
    if e.op == "number":
        return sizes.in_number(e.number)
    if e.is_scalar and e.op in ("ones", "zeros", "eye"):
        return "0.0" if e.op == "zeros" else "1.0"
    if e.op == "transpose" and e.is_scalar:
        return args[0]
    if e.op in ("ones", "zeros"):
        return f"{library}.{e.op}(({sizes.text(e.shape[0])}, {sizes.text(e.shape[1])}))"
    if e.op == "eye":
        return f"{library}.eye({sizes.text(e.shape[0])})"
    if e.op == "named":
        return args[0]
    if e.op == "broadcast":
        return f"{args[0]} + {library}.zeros(({sizes.text(e.shape[0])}, {sizes.text(e.shape[1])}))"
    if e.op == "power":
        return f"{args[0]}**{args[1]}"
    if e.op == "matpow":
        return f"{library}.linalg.matrix_power({args[0]}, {int(e.args[1].number)})"
    if e.op in INFIX:
        if e.op == "matmul":
            return _matrix_product(e, args)
        return INFIX[e.op].join(args)
    axis = e.axis if e.op in REDUCTIONS else None
    keyword = "" if axis is None else f", axis={axis - 1}, keepdims=True"
    relation = e.params[0] if e.op == "where" else ""
    return CALLS[e.op].format(*args, x=library, axis=keyword, relation=relation)


def _matrix_product(e: Expr, args: list[str]) -> str:
    """A product of matrices; factors that are numbers stand in front."""
    numbers = [text for a, text in zip(e.args, args) if a.is_scalar]
    arrays = [text for a, text in zip(e.args, args) if not a.is_scalar]
    product = " @ ".join(arrays)
    if arrays and e.is_scalar:
        product = f"({product})[0, 0]"
    elif numbers and len(arrays) > 1:
        product = f"({product})"
    return " * ".join([*numbers, product] if arrays else numbers)
