"""Names for what a lesson has to speak of: unnamed arguments and values that are used more than once.

They are names of the page, and of local variables in code; results and claims have those of the source.
"""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from matcalc import core
from matcalc.calculus.names import LETTERS, is_local
from matcalc.calculus.problem import Problem
from matcalc.dims import is_one, symbols
from matcalc.expr import Expr, number_value, postorder, record
from matcalc.graph import Graph
from matcalc.ops.decompositions import chol, pinv, polar
from matcalc.ops.elementwise import exp
from matcalc.ops.equations import dlyapunov, lyapunov
from matcalc.ops.normalization import softmax, standardize
from matcalc.ops.reductions import norm2, std
from matcalc.ops.spectral import eigvecmax, eigvecmin, eigvecs
from matcalc.rewrite.terms import split
from matcalc.views.solutions import LETTER, solutions
from matcalc.walk import depends, transform

SUMS_AND_PRODUCTS = frozenset(("add", "matmul", "scale"))
FACTORS = (chol.name, polar.name, pinv.name, eigvecs.name)  # which a page speaks of wherever they occur
EQUATIONS = (lyapunov.name, dlyapunov.name)
LABELLED = 64  # adjoints: a larger problem has the names of its source in code
LINEAR = frozenset((*SUMS_AND_PRODUCTS, "named", "hadamard", "transpose", "broadcast", "sum", "mean", "tr", "vec"))


# The problems that were made for pages; None where a page has the problem itself.
_PAGES: WeakKeyDictionary[Problem, Problem | None] = WeakKeyDictionary()


def with_names(d: Problem) -> Problem:
    """The problem with names for such values; the problem itself where there are none, or where names would hide more.

    The names: `e` for a difference, `z` for another argument of a function, with the name of the value if there are
    several; capitals for matrices.
    """
    if d not in _PAGES:
        made = _with_names(d)
        _PAGES[d] = None if made is d else made
    return _PAGES[d] or d


def _with_names(d: Problem) -> Problem:
    chosen = _worth_a_name(d)
    if not chosen:
        return d
    names = _names(d, chosen)
    done = transform((d.output, *d.graph.definitions.values()), lambda new, old: _named(new, old, names))
    graph = Graph()
    for variable in d.graph.declared.values():
        graph.declare(variable)
    for e in d.graph.definitions.values():
        graph.collect(done[e])
    graph.set_output(done[d.output])
    made = Problem(
        graph,
        [done.get(e, e) for e in d.wrt],
        source=d.source,
        recognised=d.recognised,
        inferred=d.inferred,
        notice=d.notice,
        structure=d.structure,
        convention=d.convention,
    )
    made.title, made.glosses, made.liftings = d.title, d.glosses, d.liftings
    return made if not d.output.is_scalar or _length(made) <= _length(d) else d


def labels(d: Problem) -> dict[Expr, str]:
    """What a page calls values that the problem has no name for, those of adjoints too, by what they are."""
    if not d.output.is_scalar or len(d.reverse.adjoints) > LABELLED:
        return {}
    page = with_names(d)
    adjoints = [made.handle for made in page.reverse.adjoints.values()]
    short = [e for e in shorthands(page).values() if e.op == "named"]
    named = [e for e in (*page.graph.definitions.values(), *short, *adjoints) if e.op == "named"]
    mine = {*d.graph.definitions.values(), *(made.handle for made in d.reverse.adjoints.values())}
    known = {e.params for e in mine}
    own = transform(named, lambda new, _: new.args[0] if new.op == "named" and new.params not in known else new)
    return {own[e]: str(e.name) for e in named if own[e].op != "named"}


def _named(new: Expr, old: Expr, names: dict[Expr, str]) -> Expr:
    return core.named(names[old], new) if old in names else new


def _length(d: Problem) -> int:
    """The operations of all adjoints together, each definition of a name once."""
    return sum(d.rewriter.cost(made.value) for made in d.reverse.adjoints.values())


def _worth_a_name(d: Problem) -> dict[Expr, Expr]:
    """What gets a name, with the value that uses it (a named one if its definition does)."""
    needed = depends((d.output,), d.wrt)
    order = list(postorder((d.output,)))
    inside = {e.args[0]: e for e in order if e.op == "named"}
    shared = set(d.stops)
    chosen: dict[Expr, Expr] = {}
    for e in order:
        if e not in needed:
            continue
        for a in e.args:
            unnamed = a in needed and a.args and a.op != "named" and a not in inside and not a.is_scalar
            if unnamed and (a in shared or _is_argument(a, e, needed) or _is_residual(a, e)):
                chosen.setdefault(a, inside.get(e, e))
    return chosen


def _is_argument(a: Expr, e: Expr, needed: set[Expr]) -> bool:
    """Whether it is a sum or product that goes into a function, and several ways to the variables go through it."""
    if e.op in LINEAR or (e.op in ("power", "divide") and a.op != "add"):
        return False
    return a.op in SUMS_AND_PRODUCTS and _ways(a, needed) > 1


def _is_residual(a: Expr, e: Expr) -> bool:
    """Whether it is a difference of matrices whose norm is taken: its transpose would stand in the way."""
    return e.op == norm2.name and a.op == "add" and not (is_one(a.shape[0]) or is_one(a.shape[1]))


def _ways(a: Expr, needed: set[Expr]) -> int:
    """In how many places variables and named values occur in an expression."""
    count: dict[Expr, int] = {}
    for e in postorder((a,), stop=lambda s: s.op == "named"):
        count[e] = sum(count.get(b, int(b in needed)) for b in e.args) if e.args else int(e in needed)
    return count[a]


def _names(d: Problem, chosen: dict[Expr, Expr]) -> dict[Expr, str]:
    sizes = symbols(size for v in d.graph.declared.values() for size in v.shape)
    taken = {*d.graph.declared, *d.graph.definitions, *sizes}
    letters = {e: _letter(e) for e in chosen}
    names: dict[Expr, str] = {}
    for e, user in chosen.items():
        letter = letters[e]
        several = list(letters.values()).count(letter) > 1
        wanted = f"{letter}_{user.params[0]}" if several and user.op == "named" else letter
        names[e] = _free(wanted, taken, several and user.op != "named")
        taken.add(names[e])
    return names


def _letter(e: Expr) -> str:
    """A difference is an error, anything else an argument; capitals for matrices."""
    differs = e.op == "add" and any(_is_negative(t) for t in e.args)
    vector = is_one(e.shape[0]) or is_one(e.shape[1])
    letter = "e" if differs else "z"
    return letter if vector else letter.upper()


def _is_negative(t: Expr) -> bool:
    coefficient = split(t)[0]
    return bool(coefficient.is_negative) if t.op != "number" else bool(number_value(t).is_negative)


def _free(wanted: str, taken: Iterable[str], numbered: bool) -> str:
    if wanted not in taken and not numbered:
        return wanted
    k = 1
    while f"{wanted}{k}" in taken:
        k += 1
    return f"{wanted}{k}"


def shorthands(d: Problem) -> dict[Expr, Expr]:
    """Names for what differentiating brings in and has none: P for softmax(S, 2), p for a column, s for a deviation.

    Standardized values are called after what they are made of, `Zh` for Z; the matrix of a linear equation, where it
    is a longer expression, is F.
    """
    if not d.output.is_scalar:
        return {}
    inside = {e.args[0] for e in postorder((d.output,)) if e.op == "named"}
    moving = depends((d.output,), d.wrt)
    found: dict[Expr, None] = {
        e: None for e in postorder((d.output,)) if e.op in FACTORS and e in moving and e not in inside
    }
    for made in d.reverse.adjoints.values():
        for e in postorder((made.value,), through_names=False):
            alone = e.is_scalar and e.op != std.name
            short = e.op == exp.name and e.args[0].op in ("named", "variable", "transpose")
            if e.op in LETTERS and e not in inside and e is not made.value and not (alone or short):
                found[pinv(e.args[0].args[0]) if _is_turned_inverse(e) else e] = None
            if e.op in EQUATIONS and e.args[0].op == "add" and not any(map(is_local, postorder(e.args[:1]))):
                found[e.args[0]] = None
    sizes = symbols(size for v in d.graph.declared.values() for size in v.shape)
    taken = {*d.graph.declared, *d.graph.definitions, *sizes}
    names: dict[Expr, Expr] = {}
    letters = [_initial(e) for e in found]
    for e, letter in zip(found, letters):
        name = _free(letter, taken, letters.count(letter) > 1)
        taken.add(name)
        names[e] = core.named(name, e)
        if e.op == "add":
            names[d.rewriter.simplify(core.transpose(e))] = core.transpose(names[e])
        if e.op == pinv.name:
            names[pinv(core.transpose(e.args[0]))] = core.transpose(names[e])
    for e in dict.fromkeys(solutions(d.output, moving)):
        if e not in inside:
            names[e] = core.named(_free(LETTER, taken, numbered=False), e)
            taken.add(names[e].name)
    return names


def _is_turned_inverse(e: Expr) -> bool:
    return e.op == pinv.name and e.args[0].op == "transpose"


def _initial(e: Expr) -> str:
    """The letter for what differentiating brings in."""
    vector = is_one(e.shape[0]) or is_one(e.shape[1])
    if e.op == standardize.name:
        return f"{e.args[0].name}h" if e.args[0].name else "z" if vector else "Z"
    if e.op == softmax.name:
        return "p" if vector else "P"
    if e.op in (eigvecmax.name, eigvecmin.name) and e.args[0].op == "transpose":
        return "u"
    return LETTERS.get(e.op, "F")


def is_entrywise(e: Expr) -> bool:
    """Whether it is an entrywise function of one argument."""
    return record(e.op).scalar_function is not None
