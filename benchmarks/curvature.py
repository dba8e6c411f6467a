"""How many functions are certified convex, concave or affine, beside CVXPY on the same spelling.

Every function of the curvature cases that has a curvature is handed to CVXPY operation by operation, its data as
constants with the declared facts, and with x'P x as its quad_form; CVXPY certifies what its rules of disciplined convex
programming accept.

    python benchmarks/curvature.py [--all]     needs cvxpy
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cvxpy as cp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from case_support import load

import matcalc as mc
from matcalc.expr import postorder
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.sample import sample
from matcalc.properties import known
from matcalc.walk import opened

SIZES = {"n": 4, "m": 3, "p": 3, "k": 2}


def _axis(f: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction over all entries, or over one axis with its dimension kept: 1 over the rows, as in matcalc."""
    return lambda x, axis: f(x) if axis is None else f(x, axis=axis - 1, keepdims=True)


def _power(x: Any, p: Any) -> Any:
    return cp.power(x, float(p.value.item() if hasattr(p, "value") else p))


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda *a: sum(a[1:], a[0]),
    "scale": lambda *a: _product(a),
    "hadamard": lambda *a: _folded(cp.multiply, a),
    "matmul": lambda *a: _folded(lambda x, y: x @ y, a),
    "divide": lambda a, b: cp.multiply(a, cp.power(b, -1)),
    "power": _power,
    "transpose": lambda a: a.T,
    "sum": _axis(cp.sum),
    "mean": _axis(cp.mean),
    "max": _axis(cp.max),
    "min": _axis(cp.min),
    "logsumexp": _axis(cp.log_sum_exp),
    "tr": cp.trace,
    "diag": lambda a: cp.diag(cp.vec(a, order="F")),
    "diagvec": lambda a: cp.reshape(cp.diag(a), (a.shape[0], 1), order="F"),
    "maximum": cp.maximum,
    "minimum": cp.minimum,
    "norm1": lambda a: cp.sum(cp.abs(a)),
    "norm2": lambda a: cp.norm(a, "fro"),
    "normspec": lambda a: cp.norm(a, 2),
    "normnuc": cp.normNuc,
    "eigmax": cp.lambda_max,
    "eigmin": cp.lambda_min,
    "logdet": cp.log_det,
    "det": lambda a: cp.exp(cp.log_det(a)),
    "prod": lambda a, axis: cp.prod(a),
    "var": lambda a, *rest: cp.var(a),
    "exp": cp.exp,
    "log": cp.log,
    "log1p": cp.log1p,
    "sqrt": cp.sqrt,
    "abs": cp.abs,
    "relu": cp.pos,
    "softplus": cp.logistic,
    "huber": lambda a, delta: cp.huber(a, float(delta)) / 2,
    "gammaln": cp.loggamma,
}


def _folded(f: Callable[[Any, Any], Any], parts: tuple[Any, ...]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = f(total, part)
    return total


def _product(parts: tuple[Any, ...]) -> Any:
    """Scalars (1 x 1 here) times a matrix; CVXPY multiplies with scalars of no dimension."""
    *scalars, matrix = parts
    return _folded(lambda a, b: cp.reshape(b, (), order="F") * a, (matrix, *scalars))


def variable(v: mc.Expr, shape: tuple[int, int]) -> cp.Variable:
    """A variable with the facts that CVXPY knows."""
    facts = {"PSD": "positive-semidefinite", "symmetric": "symmetric", "diag": "diagonal", "pos": "positive"}
    known_of = [name for name, fact in facts.items() if known(v, fact) and (shape != (1, 1) or name == "pos")]
    return cp.Variable(shape, **{known_of[0]: True} if known_of else {})


def in_cvxpy(d: mc.Derivation) -> Any:
    """The function in CVXPY's operations.

    Raises:
        KeyError: CVXPY has no such operation.
    """
    arrays, sizes = sample(d.graph.declared.values(), 1, SIZES)
    function = opened(d.output)
    made: dict[mc.Expr, Any] = {}
    for e in postorder((function,)):
        if e in d.wrt:
            made[e] = variable(e, arrays[e.name].shape)
        elif not any(v in d.wrt for v in postorder((e,)) if v.op == "variable"):
            made[e] = cp.Constant(evaluate(e, arrays, sizes))
            if known(e, "positive-semidefinite") and not e.is_scalar:
                made[e] = cp.psd_wrap(made[e])
        elif _is_quadratic(e):
            P = made[e.args[1]] if len(e.args) == 3 else cp.Constant(np.eye(made[e.args[-1]].shape[0]))
            made[e] = cp.reshape(cp.quad_form(cp.vec(made[e.args[-1]], order="F"), P), (1, 1), order="F")
        elif e.op == "broadcast":
            shape = evaluate(e, arrays, sizes).shape
            made[e] = cp.broadcast_to(made[e.args[0]], shape)
        else:
            args = [made[a] for a in e.args]
            made[e] = OPERATIONS[e.op](*args, *(e.params if e.op in _WITH_PARAMETERS else ()))
    return made[function]


_WITH_PARAMETERS = frozenset(("sum", "mean", "max", "min", "logsumexp", "prod", "huber"))


def _is_quadratic(e: mc.Expr) -> bool:
    """Whether a product is x'x or x'P x of a column x: CVXPY has one function for it."""
    if e.op != "matmul" or not e.is_scalar or len(e.args) not in (2, 3):
        return False
    first, last = e.args[0], e.args[-1]
    return first.op == "transpose" and first.args[0] is last


def certified_by_cvxpy(d: mc.Derivation) -> str:
    """CVXPY's word for the curvature, or why it has none."""
    try:
        found = in_cvxpy(d)
    except KeyError as error:
        return f"no operation {error.args[0]}"
    except (ValueError, TypeError, NotImplementedError) as error:
        return f"refused: {str(error).splitlines()[0][:60]}"
    return str(found.curvature).lower()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="also where both certify")
    options = parser.parse_args()
    ours = theirs = 0
    times: list[float] = []
    cases = [case for case in load("curvature") if case["verdict"]["best"] != "neither"]
    print("| function | matcalc | CVXPY |\n|---|---|---|")
    for case in cases:
        structure = {"structure": case["structure"]} if case.get("structure") else {}
        d = mc.derive(case["program"], wrt=case["wrt"], **structure)
        started = time.perf_counter()
        status = d.curvature(*case["wrt"]).status
        times.append(time.perf_counter() - started)
        other = certified_by_cvxpy(d)
        word = case["verdict"]["best"].split()[-1]
        mine, other_is_right = word in status or status == "affine", other in (word, "affine")
        ours += mine
        theirs += other_is_right
        if options.all or not (mine and other_is_right):
            print(f"| `{case['program'].splitlines()[-1]}` | {status} | {other} |")
    print(f"\nof {len(cases)} functions matcalc certifies {ours}, CVXPY {cp.__version__} {theirs}")
    print(f"matcalc: median {median(times):.2f} s, longest {max(times):.2f} s")


if __name__ == "__main__":
    main()
