"""Code for second derivatives of functions that treat every row (or every column) of a matrix alike.

On vec, the Jacobians of such functions are matrices of size na x nb that couple the entries of one row only: sums and
products of kron(B, I_n) and diag(vec(D)). They are kept as n blocks of size a x b, an array with three axes: the cost
is linear in n, and nothing of size na x nb is formed. Contracted with kron(I, X') and kron(I, Z) at the ends, they
give the Hessian by weights of one layer. For columns the factors of the Kronecker products change places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

from matcalc import core
from matcalc.dims import Dim, is_one, same, simplified
from matcalc.emit.entrywise import is_entrywise
from matcalc.emit.instructions import Instruction
from matcalc.emit.selection import Choice, Selector
from matcalc.expr import Expr, node, postorder
from matcalc.properties import known

ROLE = "blocks"  # of names that stand for the blocks of a matrix; the side and the count of the blocks follow
_MONOMIALS = 64
_LEAVES = frozenset(["kron", "diag", "eye"])
_INNER = frozenset(["matmul", "add", "scale", "transpose", "named"])


@dataclass(frozen=True)
class Part:
    """A matrix of blocks, between what it is contracted with.

    Attributes:
        kind: "constant" (the same block B for every row), "diagonal" (the rows of D on the diagonals) or "stack".
        body: B, D (n x a), or the name that stands for the blocks.
        left: X (n x p) where kron(I, X') stands in front.
        right: Z (n x q) where kron(I, Z) stands behind.
    """

    kind: str
    body: Expr
    left: Expr | None = None
    right: Expr | None = None


Found: TypeAlias = "Part | None"


def is_blocks(e: Expr) -> bool:
    """Whether `e` stands for the blocks of a matrix."""
    return e.op == "named" and e.params[1].startswith(f"{ROLE} ")


def blocks_code(select: Selector, e: Expr) -> Choice | None:
    """A product or sum with the structure of blocks, written out only at the end."""
    if e.is_scalar or not _has_kron(select, e):
        return None
    for side, n in _candidates(e):
        lowering = Lowering(select, side, n)
        part = lowering.part(e)
        if part is not None and part.kind != "constant":
            return _written(lowering, part, e)
    return None


def _has_kron(select: Selector, e: Expr) -> bool:
    """Whether a Kronecker product is below; the answers for all nodes are found in one walk each."""
    known = select.with_kron
    for sub in postorder((e,), stop=known.__contains__):
        known[sub] = sub.op == "kron" or any(known[a] for a in sub.args)
    return known[e]


def _candidates(e: Expr) -> Iterator[tuple[str, Dim]]:
    """What the blocks may be counted by: the rows, then the columns, of the first matrix on a diagonal."""
    for sub in postorder((e,), stop=lambda s: s.op not in _LEAVES and s.op not in _INNER):
        D = _on_diagonal(sub.args[0]) if sub.op == "diag" else None
        if D is not None:
            yield from ((side, n) for side, n in zip(("rows", "columns"), D.shape) if not is_one(n))
            return


def _on_diagonal(v: Expr) -> Expr | None:
    """A matrix whose vec is computed in v."""
    for sub in postorder((v,), stop=lambda s: is_one(s.shape[0]) and is_one(s.shape[1])):
        if sub.op == "vec":
            return sub.args[0]
    return None


class Lowering:
    """Expressions as matrices of n blocks, by rows or by columns."""

    def __init__(self, select: Selector, side: str, n: Dim) -> None:
        self.select, self.side, self.n = select, side, n
        self.found: dict[Expr, Found] = select.parts.setdefault((side, n), {})

    def part(self, e: Expr) -> Found:
        """`e` as blocks, or None where it has not that structure."""
        for sub in postorder((e,), stop=lambda s: s in self.found or s.op not in _LEAVES | _INNER):
            if sub not in self.found and sub.op in _INNER:
                self.found[sub] = self._combined(sub)
        return self._of(e)

    def _of(self, e: Expr) -> Found:
        if e.op in _LEAVES and e not in self.found:
            self.found[e] = self._leaf(e)
        return self.found.get(e)

    def _combined(self, e: Expr) -> Found:
        scalars = e.args[:-1] if e.op == "scale" else ()
        parts = [self._of(a) for a in e.args[len(scalars) :]]
        good = [p for p in parts if p is not None]
        if len(good) < len(parts):
            return None
        if e.op == "named":
            return good[0]
        if e.op == "scale":
            return self._scaled(scalars, good[0], e)
        if e.op == "transpose":
            return self._transposed(good[0], e)
        if e.op == "add":
            return self._sum(e.args, good, e)
        result: Found = good[0]
        for k, p in enumerate(good[1:], 2):
            result = None if result is None else self._product(result, p, core.matmul(*e.args[:k]))
        return result

    # ------------------------------------------------------------------------------------------------ leaves

    def _leaf(self, e: Expr) -> Found:
        if e.op == "diag":
            D = self._unvec(e.args[0])
            return None if D is None else Part("diagonal", D)
        if e.op == "eye":
            a = self._quotient(e.shape[0])
            return None if a is None else Part("constant", core.eye(a))
        B, X = e.args if self.side == "rows" else e.args[::-1]
        if X.op == "eye" and same(X.shape[0], self.n):
            return Part("constant", B)
        if X.op == "diag" and same(X.shape[0], self.n) and same(*B.shape):
            d = _column(X.args[0])
            weights = Part("diagonal", core.broadcast(d, (self.n, B.shape[0])))
            return self._product(weights, Part("constant", B), e)
        if same(X.shape[0], self.n):
            return Part("constant", B, right=X)
        return Part("constant", B, left=_turned(X)) if same(X.shape[1], self.n) else None

    def _quotient(self, d: Dim) -> Dim | None:
        a = simplified(core.exact(d) / core.exact(self.n))
        return a if isinstance(a, int) or (a.is_integer and a.is_polynomial()) else None

    def _unvec(self, v: Expr) -> Expr | None:
        """D (n x a) with v = vec(D), or vec(D') for columns."""
        v = v.args[0] if v.op == "transpose" and is_one(v.shape[0]) else v
        if same(v.shape[0], self.n) and is_one(v.shape[1]):
            return v
        done: dict[Expr, Expr | None] = {}
        for sub in postorder((v,), stop=lambda s: s.op == "vec" or s.is_scalar or not _splits(s)):
            inner = [self._unvec_leaf(a) if a not in done else done[a] for a in sub.args]
            good = [D for D in inner if D is not None]
            done[sub] = self._rebuilt(sub, good) if len(good) == len(inner) else None
        return done[v] if v in done else self._unvec_leaf(v)

    def _unvec_leaf(self, v: Expr) -> Expr | None:
        if v.is_scalar:
            return v
        if v.op == "vec":
            D = v.args[0] if self.side == "rows" else _turned(v.args[0])
            return D if same(D.shape[0], self.n) else None
        return None

    def _rebuilt(self, v: Expr, args: list[Expr]) -> Expr | None:
        if v.op == "named":
            return args[0]
        shape = next((a.shape for a in args if not a.is_scalar), None)
        if shape is None:
            return None
        if v.op in ("scale", "power"):
            return node(v.op, args, v.params)
        return node(v.op, [core.broadcast(a, shape) for a in args], v.params)

    # ------------------------------------------------------------------------------------------------ arithmetic

    def _stack(self, e: Expr, how: Instruction, *ends: Part) -> Part:
        """Blocks and their instruction, named after the matrix `e` that they make: rows and columns differ."""
        body = core.named("t", e, f"{ROLE} {self.side} {self.n}")
        self.select.blocks.setdefault(body, how)
        return Part("stack", body, ends[0].left, ends[-1].right)

    def _product(self, p: Part, q: Part, e: Expr) -> Found:
        if p.right is not None or q.left is not None:
            return None
        if q.kind == "constant" and q.body.op == "eye":
            return replace(p, right=q.right)
        if p.kind == "constant" and p.body.op == "eye":
            return replace(q, left=p.left)
        if p.kind == q.kind == "constant":
            return Part("constant", core.matmul(p.body, q.body), p.left, q.right)
        if p.kind == q.kind == "diagonal":
            return Part("diagonal", core.hadamard(p.body, q.body), p.left, q.right)
        if p.kind == "constant" and p.body.op == "ones" and q.kind == "diagonal":
            sizes = [core.number(core.exact_dim(d)) for d in (self.n, *p.body.shape)]
            return self._stack(e, Instruction("repeated_rows", (q.body, *sizes), view=True), p, q)
        if p.kind == "diagonal" or q.kind == "diagonal":
            name = "rows_times_blocks" if p.kind == "diagonal" else "blocks_times_columns"
            return self._stack(e, Instruction(name, (p.body, q.body)), p, q)
        return self._stack(e, Instruction("product_of_blocks", (p.body, q.body)), p, q)

    def _scaled(self, scalars: tuple[Expr, ...], p: Part, e: Expr) -> Part:
        if p.kind != "stack":
            return replace(p, body=core.scale(*scalars, p.body))
        c = core.scale(*scalars)
        if c.number == -1:
            return self._stack(e, Instruction("minus_blocks", (p.body,)), p)
        return self._stack(e, Instruction("scaled_blocks", (c, p.body)), p)

    def _transposed(self, p: Part, e: Expr) -> Part:
        if p.kind == "stack":
            turn = Instruction("turned_blocks", (p.body,), view=True, cheap=True)
            turned = self._stack(e, turn)
        else:
            turned = Part(p.kind, p.body if p.kind == "diagonal" or p.body.op == "eye" else _turned(p.body))
        return replace(turned, left=p.right, right=p.left)

    def _sum(self, terms: tuple[Expr, ...], parts: list[Part], e: Expr) -> Found:
        first = parts[0]
        if any(p.left is not first.left or p.right is not first.right for p in parts):
            return None
        diagonals = [p.body for p in parts if p.kind == "diagonal"]
        constants = [p.body for p in parts if p.kind == "constant" and _identity_factor(p.body) is None]
        factors = [c for p in parts if p.kind == "constant" and (c := _identity_factor(p.body)) is not None]
        stacks = [(t, p) for t, p in zip(terms, parts) if p.kind == "stack"]
        if not diagonals and not stacks:
            return Part("constant", core.add(*(p.body for p in parts)), first.left, first.right)
        if diagonals:
            diagonals += [core.broadcast(c, diagonals[0].shape) for c in factors]
            if len(diagonals) == len(parts):
                return Part("diagonal", core.add(*diagonals), first.left, first.right)
        signed = [self._signed(t, p) for t, p in stacks] + ([(1, core.add(*constants))] if constants else [])
        signed.sort(key=lambda s: -s[0])
        added = Instruction("sum_of_blocks", tuple(body for _, body in signed), (tuple(sign for sign, _ in signed),))
        if diagonals or factors:
            on_diagonal = core.add(*(diagonals or factors))
            added = Instruction("on_diagonals", (*added.operands, on_diagonal), (added,))
        return self._stack(e, added, first)

    def _signed(self, term: Expr, p: Part) -> tuple[int, Expr]:
        """A term's sign and its blocks without it."""
        if term.op == "scale" and len(term.args) == 2 and term.args[0] is core.number(-1):
            inner = self._of(term.args[1])
            if inner is not None:
                return -1, inner.body
        return 1, p.body


def _splits(v: Expr) -> bool:
    """Whether a vector is an operation on the same entries of others."""
    return is_entrywise(v) or v.op in ("scale", "named")


def _turned(e: Expr) -> Expr:
    if e.op == "ones":
        return core.ones(*e.shape[::-1])
    return core.turned(e)


def _column(v: Expr) -> Expr:
    return v if is_one(v.shape[1]) else core.transpose(v)


def _identity_factor(B: Expr) -> Expr | None:
    """The scalar c where B is c I."""
    body = B.args[-1] if B.op == "scale" else B
    if body.op != "eye" and not body.is_scalar:
        return None
    return core.scale(*B.args[:-1], core.number(1)) if B.op == "scale" else core.number(1) if B.op == "eye" else None


# ------------------------------------------------------------------------------------------------ results


def _written(lowering: Lowering, part: Part, e: Expr) -> Choice | None:
    """The matrix that the blocks make with what they are contracted with."""
    X, Z = part.left, part.right
    if part.kind == "diagonal":
        if X is None or Z is None:
            return None
        made = Instruction("diagonal_blocks_gram", (X, part.body, Z))
    elif X is not None and Z is not None:
        symmetric = X is Z and is_symmetric(lowering, e)
        ends = () if symmetric else (Z,)
        made = Instruction("symmetric_blocks_gram" if symmetric else "blocks_gram", (X, part.body, *ends))
    elif Z is not None:
        made = Instruction("blocks_times", (part.body, Z))
    elif X is not None:
        made = Instruction("times_blocks", (part.body, X))
    else:
        made = Instruction("spread_blocks", (part.body,))
    if lowering.side == "columns":
        sizes = [core.number(core.exact_dim(lowering.n if end is None else end.shape[1])) for end in (X, Z)]
        return Instruction("factors_swapped", (*made.operands, *sizes), (made,))
    return made


Atom: TypeAlias = tuple[str, Any]
Monomial: TypeAlias = tuple[tuple[Expr, ...], tuple[Atom, ...]]


def is_symmetric(lowering: Lowering, e: Expr) -> bool:
    """Whether the expanded terms of `e` are the same in reverse."""
    found: dict[Expr, list[Monomial]] = {}
    for sub in postorder((e,), stop=lambda s: s.op in _LEAVES or s.is_scalar):
        terms = [found[a] if a in found else _leaf_terms(lowering, a) for a in sub.args]
        found[sub] = _expanded(sub, terms)
        if len(found[sub]) > _MONOMIALS:
            return False
    return Counter(map(_ordered, found[e])) == Counter(map(_ordered, map(_reversed, found[e])))


def _leaf_terms(lowering: Lowering, e: Expr) -> list[Monomial]:
    part = None if e.is_scalar else lowering.part(e)
    if part is None:
        return [((e,), ())]
    atoms: list[Atom] = [] if part.left is None else [("left", part.left)]
    if part.body.op != "eye":
        atoms.append((part.kind, part.body))
    return [((), (*atoms, *([] if part.right is None else [("right", part.right)])))]


def _expanded(e: Expr, terms: list[list[Monomial]]) -> list[Monomial]:
    if e.op == "add":
        return [t for part in terms for t in part]
    if e.op == "transpose":
        return list(map(_reversed, terms[0]))
    result: list[Monomial] = [((), ())]
    for part in terms:
        result = [(c + d, p + q) for c, p in result for d, q in part]
        if len(result) > _MONOMIALS:
            break
    return result


def _reversed(term: Monomial) -> Monomial:
    turned = {"left": "right", "right": "left"}
    atoms = ((turned.get(kind, kind), _mirrored(kind, body)) for kind, body in reversed(term[1]))
    return term[0], tuple(atoms)


def _mirrored(kind: str, body: Expr) -> Expr:
    if kind != "constant" or known(body, "symmetric"):
        return body
    return _turned(body)


def _ordered(term: Monomial) -> Monomial:
    """The term with scalars, and diagonals that stand side by side, in a fixed order."""
    atoms: list[Atom] = []
    for is_diagonal, group in groupby(term[1], key=lambda atom: atom[0] == "diagonal"):
        run = list(group)
        atoms += sorted(run, key=lambda atom: atom[1].digest) if is_diagonal else run
    return tuple(sorted(term[0], key=lambda c: c.digest)), tuple(atoms)
