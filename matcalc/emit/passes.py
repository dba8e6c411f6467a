"""The passes over a program before instructions are chosen: each is a function from program to program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from matcalc.emit.centring import centred_twice
from matcalc.emit.factored import forms_of_residuals
from matcalc.emit.factorisations import solved_powers, with_names
from matcalc.emit.masks import choices_last
from matcalc.emit.multiples import without_ones
from matcalc.emit.neighbours import from_mean
from matcalc.emit.recipe import Program
from matcalc.emit.shared_products import with_shared_products
from matcalc.emit.twins import without_twins


@dataclass(frozen=True)
class Around:
    """What passes know beside the program.

    Attributes:
        unused: a name that is still free, from a wish.
        sizes: what is known of the dimensions.
    """

    unused: Callable[[str], str]
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Pass:
    """One pass: its name, what it does, and the function."""

    name: str
    summary: str
    run: Callable[[Program, Around], Program]


def _choices(program: Program, _: Around) -> Program:
    return program.with_roots(choices_last(program.tracked))


def _multiples(program: Program, _: Around) -> Program:
    return program.with_roots(without_ones(program.tracked))


def _centring(program: Program, _: Around) -> Program:
    return program.with_roots(centred_twice(program.tracked, [] if program.value is None else [program.value]))


def _inverses(program: Program, around: Around) -> Program:
    program = program.with_roots(solved_powers(program.tracked))
    return program.with_roots(with_names(list(program.roots), around.unused, program.labels))


def _twins(program: Program, _: Around) -> Program:
    return program.with_roots(without_twins(program.tracked))


def _neighbours(program: Program, _: Around) -> Program:
    return program.with_roots(from_mean(program.tracked))


def _chains(program: Program, around: Around) -> Program:
    return program.with_roots(with_shared_products(program.tracked, around.unused))


def _residuals(program: Program, around: Around) -> Program:
    """Where the sizes decide at run time, there are two programs."""
    if not program.results:
        return program
    given = [v for v in program.variables if v.params[0] not in program.results]
    moving = set(program.variables) - set(given)
    alternative = None
    for form in forms_of_residuals(program.roots, moving, given, around.sizes):
        new = program.with_roots(form.table)
        if form.cheaper is None:
            program = new
        else:
            alternative = *form.cheaper, new
    return replace(program, alternative=alternative)


PASSES = (
    Pass("choices", "0-1 masks and choices are applied last, so that what they leave out cannot overflow", _choices),
    Pass(
        "multiples",
        "c + c tanh(X) is a sigmoid and c + c erf(X) a tail, also behind names; a density alone is an exponential",
        _multiples,
    ),
    Pass("centring", "derivatives of what is centred are centred twice, so that nothing cancels", _centring),
    Pass(
        "inverses",
        "powers of inverses are systems; an inverse that is needed as a matrix anyway is computed once, under a name",
        _inverses,
    ),
    Pass("twins", "what is equal in another order is computed once", _twins),
    Pass(
        "neighbours",
        "differences of rows are taken from a mean, with weights that are 0 where a row meets itself",
        _neighbours,
    ),
    Pass("chains", "products of long chains with factors in common grow from the ends, each computed once", _chains),
    Pass("residuals", "residuals of low rank are multiplied out where that is cheaper", _residuals),
)
