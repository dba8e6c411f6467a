"""The forward graph: variables, named definitions in order, and the output.

A definition is a `named` node, so an expression over names carries its whole graph; the graph adds the order and the
declared variables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import singledispatch
from typing import Any

from matcalc.core import add, named
from matcalc.dims import NAME
from matcalc.errors import MatcalcError, closest, shorten
from matcalc.expr import HOOKS, REGISTRY, Expr, postorder
from matcalc.naming import Names, in_letters
from matcalc.optional import arrived
from matcalc.properties import known
from matcalc.walk import transform

# The modules that register how values of a package are read, here and in `matcalc.frontend.sources`.
DOORS = {"sympy": "matcalc.frontend.sympy_bridge"}


@singledispatch
def define(value: Any, graph: Graph, name: str) -> tuple[Expr, Any]:
    """A value as an expression, and what stands for it in later definitions (None: the named node itself).

    Doors register the types of values that they read.

    Raises:
        MatcalcError: no door reads the value, or a name in it stands for two things.
    """
    if arrived(value, DOORS):
        return define(value, graph, name)
    raise MatcalcError(
        f"{name} must be a matcalc or a SymPy expression, got {type(value).__name__} {shorten(repr(value))}"
    )


@define.register(Expr)
def _(value: Expr, graph: Graph, name: str) -> tuple[Expr, Any]:
    return value, None


class Graph:
    """Named definitions in order; the last one is the output unless another is chosen.

    Example:
        >>> import matcalc as mc
        >>> X, w, y = mc.var("X", "n", "p"), mc.var("w", "p", 1), mc.var("y", "n", 1)
        >>> g = mc.Graph()
        >>> r = g.define("r", X @ w - y)
        >>> J = g.define("J", r.T @ r)
        >>> print(mc.derive(g, wrt="w").gradient("w"))
        2*X'*r
    """

    def __init__(self) -> None:
        self.declared: dict[str, Expr] = {}
        self.definitions: dict[str, Expr] = {}
        self.handles: dict[str, Any] = {}
        self._output: Expr | None = None

    def declare(self, variable: Expr) -> Expr:
        """Add a variable, whether or not the output depends on it.

        Raises:
            MatcalcError: the name is taken.
        """
        name = variable.params[0]
        if self.declared.get(name, variable) is not variable or name in self.definitions:
            raise MatcalcError(f"{name} is declared twice, with different shapes or facts")
        self.declared[name] = variable
        return variable

    def define(self, name: str, value: Any) -> Any:
        """Name a value; what comes back stands for it in later definitions.

        `value` is a matcalc expression (a matcalc expression comes back) or a SymPy one (a SymPy symbol comes back).

        Raises:
            MatcalcError: the name is taken, or is not a name.
        """
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise MatcalcError(f"a name must be an identifier, got {shorten(repr(name))}")
        if name in REGISTRY:
            raise MatcalcError(f"{name} is the name of a function and cannot be defined")
        if name in self.definitions or name in self.declared:
            raise MatcalcError(f"{name} is defined twice")
        expr, handle = define(value, self, name)
        self.collect(expr)
        node = named(name, expr)
        self.definitions[name] = node
        self.handles[name] = node if handle is None else handle
        return self.handles[name]

    def collect(self, expr: Expr) -> None:
        """Take up the variables and the named values inside an expression.

        Raises:
            MatcalcError: a name stands for two different things.
        """
        for sub in postorder((expr,), stop=lambda s: s.op == "named" and self.definitions.get(s.params[0]) is s):
            if sub.op == "variable":
                if sub.params[0] in self.definitions:
                    raise MatcalcError(f"{sub.params[0]} is both a variable and a definition")
                self.declare(sub)
            elif sub.op == "named":
                if self.definitions.get(sub.params[0], sub) is not sub or sub.params[0] in self.declared:
                    raise MatcalcError(f"{sub.params[0]} is defined twice")
                self.definitions[sub.params[0]] = sub
                self.handles.setdefault(sub.params[0], sub)

    def set_output(self, expr: Expr) -> None:
        """Choose the output."""
        self.collect(expr)
        self._output = expr

    @property
    def scope(self) -> dict[str, Expr]:
        """The variables and named values by name."""
        return {**self.declared, **self.definitions}

    @property
    def output(self) -> Expr:
        """The expression that is derived: the one that was set, else the last definition.

        Raises:
            MatcalcError: the graph is empty.
        """
        if self._output is not None:
            return self._output
        if not self.definitions:
            raise MatcalcError("the graph is empty: define something first")
        return next(reversed(self.definitions.values()))

    @property
    def nodes(self) -> list[Expr]:
        """The named values and variables, in order: variables first."""
        return [*self.declared.values(), *self.definitions.values()]

    def _repr_svg_(self) -> str:
        return str(HOOKS["picture"](self))

    def find(self, name: str) -> Expr:
        """The variable or named value called `name`.

        Raises:
            MatcalcError: there is none.
        """
        read = in_letters(name)
        found = self.declared.get(read, self.definitions.get(read))
        if found is None:
            names = [*self.declared, *self.definitions]
            meant, have = closest(name, names), ", ".join(names) or "none"
            raise MatcalcError(f"no variable or definition is called {shorten(repr(name))}{meant}; there are: {have}")
        return found

    def free_variables(self) -> list[Expr]:
        """The declared variables that are not constant."""
        return [v for v in self.declared.values() if not known(v, "constant")]

    def with_intermediates(self) -> Graph:
        """The graph with names `t1, t2, ...` for unnamed values that are shared or are nonlinear in one argument.

        For large graphs without names: named values are opaque to rewriting, so that the cost stays linear.
        """
        output = with_nested_sums(self.output)
        order = list(postorder((output,)))
        uses = Counter(a for e in order for a in e.args)
        names = Names([*self.declared, *self.definitions])
        defined = {e.args[0] for e in order if e.op == "named"}

        def worth_a_name(e: Expr) -> bool:
            if not e.args or e.op in ("named", "broadcast") or e is output or e in defined:
                return False
            return uses[e] > 1 or REGISTRY[e.op].scalar_function is not None

        done = transform((output,), lambda new, old: named(names.numbered("t"), new) if worth_a_name(old) else new)
        return Graph.of(done[output], self.declared.values())

    @property
    def unnamed_size(self) -> int:
        """The number of operations that stand under no name of their own."""
        order = list(postorder((self.output,)))
        defined = {e.args[0] for e in order if e.op == "named"}
        return sum(1 for e in order if e.args and e.op != "named" and e not in defined)

    @classmethod
    def of(cls, expr: Expr, declared: Iterable[Expr] = ()) -> Graph:
        """The graph of one expression."""
        graph = cls()
        for variable in declared:
            graph.declare(variable)
        graph.set_output(expr)
        return graph


def with_nested_sums(output: Expr) -> Expr:
    """Rewrite each sum as an earlier sum plus one term where possible.

    SymPy flattens sums: h + f(h), h + f(h) + g(h + f(h)), ... repeat all earlier terms, which nesting shares again.
    """
    done: dict[Expr, Expr] = {}
    sums: dict[int, Expr] = {}  # by the sum of the digests of the terms

    def nested(new: Expr, e: Expr) -> Expr:
        if e.op != "add":
            return new
        keys = [int.from_bytes(a.digest, "big") for a in e.args]
        total = sum(keys)
        sums.setdefault(total, e)
        for a, key in zip(reversed(e.args), reversed(keys)) if len(keys) > 2 else ():
            earlier = sums.get(total - key)
            if earlier is not None and Counter((*earlier.args, a)) == Counter(e.args):
                return add(done[earlier], done[a])
        return new

    return transform((output,), nested, known=done)[output]
