"""Programs as Python functions of two-dimensional arrays, in the spelling of NumPy or JAX: an independent writer."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special

from matcalc.expr import REGISTRY, Expr, postorder
from matcalc.ops.selection import rows_of
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
    "vec": "{x}.reshape({0}.T, ({rows}, 1))",
    "reshape": "{x}.reshape({0}.T, ({cols}, {rows})).T",
    "chol": "{x}.linalg.cholesky({0})",
    "cumsum": "{x}.cumsum({0}{axis})",
    "normspec": "{x}.linalg.norm({0}, 2)",
    "normnuc": "{x}.linalg.norm({0}, 'nuc')",
    "singvals": "{x}.linalg.svd({0}, compute_uv=False)[:, None]",
    "eigvals": "{x}.linalg.eigvalsh({0})[:, None]",
    "eigmax": "{x}.linalg.eigvalsh({0})[-1]",
    "eigmin": "{x}.linalg.eigvalsh({0})[0]",
    **{f: "{special}." + f + "({0})" for f in ("erf", "erfc", "gammaln", "digamma")},
    "normcdf": "{special}.ndtr({0})",
    "normlogcdf": "{special}.log_ndtr({0})",
    "polygamma": "{special}.polygamma({p0}, {0})",
    **{f: "{scipy}.linalg." + f + "({0})" for f in ("expm", "logm", "sqrtm")},
}
# The same of numbers, which no function of arrays takes.
OF_NUMBERS = {
    **dict.fromkeys(
        ("tr", "det", "tril", "triu", "diag", "diagvec", "vec", "sum", "mean", "max", "min", "prod"), "{0}"
    ),
    **dict.fromkeys(("kron", "outer"), "{0} * {1}"),
    "inv": "1 / {0}",
    "solve": "{1} / {0}",
    "logdet": "{x}.log({x}.abs({0}))",
    "matpow": "{0}**{1}",
}
WITHOUT = {"np": (), "jnp": ("logm",)}
LIBRARIES = {"np": ("scipy.special", "scipy"), "jnp": ("jax.scipy.special", "jax.scipy")}
INFIX = {"add": " + ", "hadamard": " * ", "scale": " * ", "matmul": " @ ", "divide": " / "}
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "cumsum")
LEAVES = ("variable", "number", "ones", "zeros", "eye", "broadcast", "named", "power", "matpow", "slice", "block")


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
    *("vec", "reshape", "chol", "cumsum", "normspec", "normnuc", "singvals", "eigvals", "eigmax", "eigmin"),
    *("expm", "logm", "sqrtm"),
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


def writable(e: Expr, library: str = "np") -> bool:
    """Whether all operations of a program have a spelling here."""
    return all(_is_written(sub) and sub.op not in WITHOUT[library] for sub in postorder((e,)))


def _is_written(e: Expr) -> bool:
    if _is_of_numbers(e):
        return True
    if e.op in OF_ARRAYS and any(a.is_scalar for a in e.args):
        return False
    if e.op == "cumsum" and e.axis is None:
        return False
    if e.op == "matpow":
        exponent = e.args[1]
        return exponent.number is not None and bool(exponent.number.is_integer)
    return e.op in CALLS or e.op in INFIX or e.op in LEAVES


def _is_of_numbers(e: Expr) -> bool:
    """Whether all arguments are 1 x 1, where a function of arrays would not take them."""
    reduces = e.op in REDUCTIONS and e.axis is not None
    return (reduces or e.op in OF_ARRAYS) and e.op in OF_NUMBERS and all(a.is_scalar for a in e.args)


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
    space: dict[str, Any] = {"np": np, "scipy": scipy, "__name__": "roundtrip"}
    if library == "jnp":
        import jax.numpy as jnp  # noqa: PLC0415
        import jax.scipy  # noqa: PLC0415

        space |= {"jnp": jnp, "jax": jax}
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
        """A size as Python.

        Raises:
            LookupError: no input has it.
        """
        return str(d) if isinstance(d, int) else self.in_number(d)

    def in_number(self, value: Any) -> str:
        """A number, the sizes in it read off the inputs."""
        if any(str(s) not in self.known for s in value.free_symbols):
            raise LookupError(value)
        names = {**{f: f"np.{f}" for f in ("sqrt", "pi", "exp", "log")}, "E": "np.e", **self.known}
        text = re.sub(r"[A-Za-z_]\w*", lambda found: names.get(found[0], found[0]), str(value))
        return f"({text})"


def _statement(e: Expr, args: list[str], library: str, sizes: _Sizes) -> str:
    if _is_of_numbers(e):
        return OF_NUMBERS[e.op].format(*args, x=library)
    if e.op == "slice":
        first, last, left, right = map(sizes.text, e.params)
        return f"{args[0]}[{first} - 1:{last}, {left} - 1:{right}]"
    if e.op == "block":
        rows, given = [], iter(args)
        for a in rows_of(e.args, e.params[0]):
            rows.append(f"[{', '.join(_as_block(b, next(given)) for b in a)}]")
        return f"{library}.block([{', '.join(rows)}])"
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
    keyword = "" if axis is None else f", axis={axis - 1}" + (", keepdims=True" if e.op != "cumsum" else "")
    relation = e.params[0] if e.op == "where" else ""
    special, scipy_name = LIBRARIES[library]
    rows, cols = (sizes.text(d) for d in e.shape)
    given = {f"p{k}": p for k, p in enumerate(e.params)}
    return CALLS[e.op].format(
        *args,
        x=library,
        axis=keyword,
        relation=relation,
        special=special,
        scipy=scipy_name,
        rows=rows,
        cols=cols,
        **given,
    )


def _as_block(e: Expr, text: str) -> str:
    """A block as an array of rank 2."""
    return f"np.reshape({text}, (1, 1))" if e.is_scalar else text


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
