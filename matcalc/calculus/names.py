"""Local names (adjoints, Jacobians of named values): made for shared parts, opened where the result gets shorter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from matcalc.core import named
from matcalc.dims import is_one
from matcalc.expr import Expr, postorder
from matcalc.naming import Names
from matcalc.ops.decompositions import chol, pinv, polar
from matcalc.ops.elementwise import exp
from matcalc.ops.normalization import softmax, standardize
from matcalc.ops.products import diag
from matcalc.ops.reductions import std
from matcalc.ops.spectral import eigvecmax, eigvecmin, eigvecs
from matcalc.rewrite.engine import Rewriter, undoes
from matcalc.walk import rebuild, substitute, transform

OPEN_LIMIT = 24  # operations of a definition up to which it is worth trying to open its name


def is_local(e: Expr) -> bool:
    """Whether it is a name that a result defines for itself."""
    return e.op == "named" and e.params[1] == "local"


def opened(value: Expr, rewriter: Rewriter, raw: Expr | None = None) -> Expr:
    """`value` with its local names opened, if that makes it shorter; else `value` itself.

    They are opened in `raw` where it is given: what `value` was before it was simplified, with no factors taken out.
    """
    if rewriter.cost(value) == 0:
        return value
    source = value if raw is None else raw
    table = _small_definitions(source, rewriter)
    if not table:
        return value
    other = rewriter.simplify(substitute(source, table, through_names=False))
    nested = {name: _small_definitions(definition, rewriter) for name, definition in table.items()}
    if rewriter.cost(other) >= rewriter.cost(value) and any(nested.values()):  # those inside of them too
        deeper = {name: substitute(e, nested[name], through_names=False) for name, e in table.items()}
        whole = substitute(source, deeper, through_names=False)
        if rewriter.cost(whole) <= OPEN_LIMIT and undoes(whole):
            other = rewriter.simplify(whole)
    if rewriter.cost(other) >= rewriter.cost(value):
        return value
    rewriter.context.begin()
    rewriter.context.log("expand_name", "a name stands for its definition", "definition", value, other)
    return other


def _small_definitions(e: Expr, rewriter: Rewriter) -> dict[Expr, Expr]:
    """The local names in `e` by what they stand for, where that is short."""
    return {
        sub: sub.args[0]
        for sub in postorder((e,), through_names=False)
        if is_local(sub) and rewriter.cost(sub.args[0]) <= OPEN_LIMIT
    }


MOST_OPENED = 32  # local names: a result that needs more of them is a program, line by line


def is_long(value: Expr) -> bool:
    """Whether a result needs so many local names that it is left as it is; no more is looked at than that takes."""
    seen: set[Expr] = set()
    found = 0
    stack = [value]
    while stack and found <= MOST_OPENED:
        e = stack.pop()
        if e not in seen and not _is_defined(e):
            seen.add(e)
            found += is_local(e)
            stack.extend(e.args)
    return found > MOST_OPENED


def inlined(value: Expr, rewriter: Rewriter) -> Expr:
    """`value` with the local names that it uses once replaced by what they stand for; the others stay."""
    while True:
        if is_local(value):
            value = value.args[0]
        uses: dict[Expr, int] = {}
        for e in postorder((value,), stop=_is_defined):
            for a in e.args:
                if is_local(a):
                    uses[a] = uses.get(a, 0) + 1
        once = {e: e.args[0] for e, n in uses.items() if n == 1}
        if not once:
            return value
        value = rewriter.simplify(_replaced(value, once))


def _replaced(value: Expr, table: dict[Expr, Expr]) -> Expr:
    """`value` with these local names replaced, also inside the definitions of other local names."""
    done = transform((value,), lambda new, old: new.args[0] if old in table else new, stop=_is_defined)
    return done.get(value, value)


def _is_defined(e: Expr) -> bool:
    """Whether it is a named value of the graph: these stay as they are."""
    return e.op == "named" and not is_local(e)


def refreshed(value: Expr, rewriter: Rewriter) -> Expr:
    """`value` with the definitions of its local names simplified again, under the rewriter's facts."""

    def simpler(new: Expr, old: Expr) -> Expr:
        if not is_local(old):
            return new
        definition = rewriter.simplify(new.args[0])
        return definition if rewriter.cost(definition) == 0 else rebuild(old, (definition,))

    return transform((value,), simpler, stop=_is_defined).get(value, value)


# What differentiating brings in, by the letter that it is usually called.
LETTERS = {
    softmax.name: "P", std.name: "s", standardize.name: "Z", chol.name: "L", polar.name: "Q", pinv.name: "P",
    exp.name: "E", eigvecs.name: "V", eigvecmax.name: "v", eigvecmin.name: "v",
}  # fmt: skip
OTHERS = "t"  # with a number: what no letter is customary for
_PLACE = "_"  # before it is known how many there are of a letter
_MATRICES = {**LETTERS, diag.name: "D"}
_COLUMNS = {softmax.name: "p", standardize.name: "z"}  # the same of a column or a row


def letter_of(e: Expr) -> str:
    """The letter that a value is usually called by."""
    vector = is_one(e.shape[0]) or is_one(e.shape[1])
    return (vector and _COLUMNS.get(e.op)) or _MATRICES.get(e.op, OTHERS)


SHARED_COST = 4  # operations from which a repeated part of a result gets a name


def with_shared_named(value: Expr, rewriter: Rewriter, names: Names) -> Expr:
    """Name repeated subexpressions where that saves at least `SHARED_COST` operations.

    A diagonal matrix is D, a softmax P, an exponential E (`LETTERS`), numbered where there are several; what has no
    customary letter is `t1, t2, ...`.
    """
    order = list(postorder((value,), stop=_is_defined))
    locals_ = {e.args[0]: e for e in order if is_local(e)}  # by what they stand for
    names.taken.update(e.name for e in locals_.values())
    uses: dict[Expr, int] = {}
    for e in order:
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1

    def run(name_of: Callable[[Expr], str]) -> Expr:
        def shared(new: Expr, old: Expr) -> Expr:
            if is_local(old):  # what it stands for has its name already
                return new.args[0]
            if old in locals_:
                return rebuild(locals_[old], (new,))
            known = old.op in ("named", "broadcast")
            if uses.get(old, 0) > 1 and not known and rewriter.cost(new) >= SHARED_COST:
                return named(name_of(old), new, "local")
            return new

        return transform((value,), shared, stop=_is_defined).get(value, value)

    chosen: dict[Expr, str] = {}
    made = run(lambda e: chosen.setdefault(e, f"{_PLACE}{len(chosen)}"))
    if not chosen:
        return made
    letters = Counter(letter_of(e) for e in chosen)
    for e in chosen:
        letter = letter_of(e)
        alone = letter != OTHERS and letters[letter] == 1 and letter not in names.taken
        chosen[e] = names.fresh(letter) if alone else names.numbered(letter)
    return run(chosen.__getitem__)
