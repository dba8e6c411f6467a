"""A value that another library differentiates by our derivative: `jax.custom_vjp`, `torch.autograd.Function`.

One schedule of the value and of its derivatives along a cotangent, cut in two: what the value needs is the forward
pass, all else the backward pass. What the second reads of the first is kept; what is made of sizes only is made again.
Both can be differentiated again, JAX by tracing, PyTorch by a forward pass that is repeated then; where a fact holds
only at the point (a symmetric S), they refuse to be.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from matcalc.dims import is_one
from matcalc.emit import trees
from matcalc.emit.needed_sizes import statements
from matcalc.emit.program import Lowered, plain
from matcalc.errors import NoRuleError
from matcalc.properties import CLOSED_MASK, names_of
from matcalc.targets.libraries.dialect import Dialect
from matcalc.targets.libraries.module import WIDTH, type_line
from matcalc.targets.libraries.sizes import size_lines
from matcalc.targets.libraries.translation import python_numbers, translated
from matcalc.targets.registry import Page
from matcalc.templating import render


@dataclass(frozen=True)
class _Cut:
    """The two passes: lines and results, what the second repeats of the first, and the names that it is given."""

    forward: list[str]
    value: str
    repeated: list[str]
    backward: list[str]
    gradients: dict[str, str]
    kept: list[str]


def autodiff_text(target: str, dialect: Dialect, lowered: Lowered, page: Page) -> str:
    """The module of a program of the kind `VALUE_AND_VJP` for JAX or PyTorch.

    Raises:
        NoRuleError: something has no counterpart there.
    """
    program = lowered.program
    if lowered.renamed() or lowered.functions:
        raise NoRuleError(f"no code for {dialect.title} with abstract functions or with names that Python reserves")
    if lowered.solvers:
        raise NoRuleError(f"autodiff does not solve the equation of {next(iter(lowered.solvers)).name}")
    assert program.cotangent is not None
    names = [lowered.inputs[v.params[0]] for v in program.variables]
    arrays = [(lowered.inputs[v.params[0]], v.shape) for v in program.variables if not v.is_scalar]
    held = [v.params[0] for v in program.variables if v.params[0] in program.results and v.params[3] & CLOSED_MASK]
    cut = _cut(lowered, dialect, target == "torch" and not held)
    needed = statements(lowered.needed, lowered.dimensions)
    checks, by_hand = size_lines(arrays, lowered.dimensions, [*cut.forward, cut.value, *needed])
    if by_hand:
        raise NoRuleError("autodiff needs every size to be the number of rows or columns of an array")
    checks += needed
    second = [*cut.backward, *cut.gradients.values(), *cut.repeated]
    sizes = _sizes_again(lowered, second)
    kept = list(dict.fromkeys([*cut.kept, *(name for name, _ in sizes.values())]))
    again = [f"{d} = {name}.shape[{axis}]" for d, (name, axis) in sizes.items()]
    cotangent = lowered.inputs[program.cotangent.params[0]]
    if _uses(second, "dtype"):
        again.append(f"dtype = {cotangent}.dtype")
    typed = _uses([*cut.forward, cut.value], "dtype")
    if arrays:
        checks.append(type_line([name for name, _ in arrays], dialect, read=typed))
    elif typed:
        checks.append(f"dtype = {names[0]}.dtype")
    body = [*checks, *cut.forward, cut.value, *cut.backward, *cut.gradients.values()]
    called = dialect.needed("\n".join(body))
    helpers = [source for name, source in dialect.sources.items() if name in called]
    everything = "\n".join([*body, *helpers])
    derivatives = [cut.gradients.get(name, "None") for name in names]
    return render(
        f"{target}_autodiff.py.jinja",
        title=plain(page.title),
        documentation=lowered.documentation(page.formulas),
        uses_math="math." in everything,
        function=lowered.name,
        names=names,
        scalars=[lowered.inputs[v.params[0]] for v in program.variables if v.is_scalar],
        like=arrays[0][0] if arrays else None,
        fixed=[name for name in names if name not in cut.gradients],
        moving=list(cut.gradients),
        checks=checks,
        cut=cut,
        kept=kept,
        again=again,
        cotangent=cotangent,
        returned=[f"_once({text})" if held and target == "jax" and text != "None" else text for text in derivatives],
        once=_stated(lowered, held) if held else "",
        helpers=helpers,
    )


def _stated(lowered: Lowered, held: list[str]) -> str:
    """The facts of some variables."""
    facts = {v.params[0]: names_of(v.params[3]) for v in lowered.program.variables}
    return "; ".join(f"{name} is {', '.join(facts[name])}" for name in held)


def _cut(lowered: Lowered, dialect: Dialect, repeats: bool) -> _Cut:
    """The schedule as two passes; `repeats`: the second can do the first again."""
    program = lowered.program
    assert program.value is not None
    assert program.cotangent is not None
    statements = [(s.target, s.tree) for s in lowered.schedule.statements]
    numbers = python_numbers(lowered.dimensions.values(), lowered.schedule.statements)
    value, returned = lowered.own_tree(program.value, set())
    results: dict[str, ast.expr] = {}
    for name, e in program.results.items():
        results[lowered.inputs[name]], returned = lowered.own_tree(e, returned)
    inputs = [lowered.inputs[v.params[0]] for v in program.variables]
    arrays = set(inputs)
    for name, tree in statements:
        if trees.names(tree) & arrays:
            arrays.add(name)
    forward = _needed(statements, [value])
    backward = _needed([s for s in statements if s not in forward or s[0] not in arrays], results.values())
    second = [*(tree for _, tree in backward), *results.values()]
    repeated = _needed(forward, second) if repeats else []
    inside = {name for name, _ in backward}
    read = {name for tree in second for name in trees.names(tree)} - inside
    read |= {name for _, tree in repeated for name in trees.names(tree) if name in inputs}

    zero = f"{dialect.prefix}.zeros_like({lowered.inputs[program.cotangent.params[0]]}).sum()"

    def lines(chosen: list[tuple[str, ast.expr]]) -> list[str]:
        return trees.wrapped([f"{name} = {translated(tree, dialect, numbers)}" for name, tree in chosen], WIDTH)

    return _Cut(
        *(lines(forward), translated(value, dialect, numbers), lines(repeated), lines(backward)),
        {name: translated(tree, dialect, numbers) if trees.names(tree) else zero for name, tree in results.items()},
        [name for name in (*inputs, *(name for name, _ in forward)) if name in read],
    )


def _needed(statements: list[tuple[str, ast.expr]], results: Iterable[ast.expr]) -> list[tuple[str, ast.expr]]:
    """The statements that the results need."""
    read = {name for tree in results for name in trees.names(tree)}
    found: list[tuple[str, ast.expr]] = []
    for name, tree in reversed(statements):
        if name in read:
            read |= trees.names(tree)
            found.append((name, tree))
    return found[::-1]


def _uses(lines: list[str], name: str) -> bool:
    return any(re.search(rf"\b{name}\b", line) for line in lines)


def _sizes_again(lowered: Lowered, lines: list[str]) -> dict[str, tuple[str, int]]:
    """For each size that some lines read the array and the axis that have it."""
    found: dict[str, tuple[str, int]] = {}
    for v in lowered.program.variables:
        for axis, d in enumerate(v.shape):
            name = lowered.dimensions.get(str(d))
            if name is not None and not is_one(d) and name not in found and _uses(lines, name):
                found[name] = (lowered.inputs[v.params[0]], axis)
    return found
