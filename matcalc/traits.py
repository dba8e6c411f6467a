"""What is declared of an operation: its parameters and its traits. No other place lists operations by such a fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from matcalc.dims import Shape
from matcalc.notation import Notation

REQUIRED: Final = object()
FactRule: TypeAlias = Callable[..., tuple[int, int]]
Kinks: TypeAlias = Literal["", "zero", "ties", "bends", "crossings", "origin"]
Syntax: TypeAlias = Literal["call", "form", "inner"]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an operation: its name, its kind and its default.

    Kinds: `axis` (None, 1 or 2), `int`, `dim`, `number` (an exact scalar), `name`, `any`.
    """

    name: str
    kind: str
    default: Any = REQUIRED


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """Everything that is a fact about one operation; `expr.Op` makes it callable.

    Attributes:
        name: its name in the text syntax and in `op` of its nodes.
        identity: one line, the identity of its differential (printed by the steps).
        shape: `(*args, *params) -> shape`; raises ShapeError naming the operands.
        differential: `(Y, *args, *params) -> (map or None, ...)`, one linear map for each argument.
        latex: how it is written in LaTeX; a function of the parameters where they change it.
        numpy: how it is written in NumPy; `{0}` an argument, `{p0}` a parameter.
        domain: `(*args, *params) -> ((fact, expr), ...)`, what must hold wherever it has a value and a derivative;
            rewriting may conclude these facts from its use.
        source: where the differential is published.
        example: the shapes of arguments for the tests, such as `"m n, n p"`, and example parameters.
        facts: `(e, *masks of the arguments) -> (true mask, false mask)`.
        definition: the same operation by primitives, for composite ones.
        params: its parameters, in order.
        commutative: whether the order of the arguments does not matter.
        variadic: whether it takes any number of arguments.
        broadcasts: whether rows, columns and 1 x 1 arguments stretch to a common shape, however it is called.
        also: names that it has elsewhere (in MATLAB, NumPy, Julia, R) and that mean nothing else: read, never printed.
        numpy_names: the functions of NumPy that do just this with matrices, besides the `numpy` of entrywise ones.
        guarded: whether it is a norm whose reciprocal, in its derivative, is 0 where it is 0: a subgradient.
        over: `(*args, *params) -> size`, how many entries each value is taken from, where none give no value.
        entrywise: whether each entry depends on the same entry of the arguments only, which have its shape or 1 x 1.
        scalar_function: for entrywise functions of one matrix, the SymPy function of one symbol.
        complete: fills in parameters that depend on the arguments (an axis left out).
        sampling: like `domain`, where random values should be narrower than what is necessary.
        monotone: for entrywise functions: 1 increasing, -1 decreasing on the whole domain, 0 neither.
        branch: for entrywise functions with poles: an interval (low, high) without any.
            Of other operations: in every entry of every argument.
        convexity: for entrywise functions: 1 convex, -1 concave, 0 where f'' tells; what is not monotone turns at 0.
            Of other operations: whether they are convex or concave in all their arguments jointly.
        image: for entrywise functions `(*params) -> (low, high, low is open, high is open)`, an interval of all values.
        real_only: whether it has no complex derivative, being defined by order, moduli or real factors.
        kinks: where its slope jumps: at a `zero` of its argument, at `ties` between entries or with a threshold, at
            `crossings` of eigenvalues, at the `origin`, where its value is 0; at `bends` only that of the slope jumps.
            Empty where there is no kink.
        linear: whether each entry is a sum of entries of the arguments with fixed weights that are not negative.
        norm: whether it is a norm of the entries or of the singular values of a matrix.
        cost: how many operations it counts for when the shortest form is sought.
        syntax: in the text a `call` by name, or a `form` of its own (a sign, brackets); `inner` ones are made by
            constructors alone.
        exact: for entrywise functions that simplification evaluates: the value at an exact number, used if rational.
        parameters_first: whether its parameters are written before its arguments, as in `polygamma(k, X)`.
    """

    name: str
    identity: str
    shape: Callable[..., Shape]
    differential: Callable[..., tuple[Any, ...]]
    latex: Notation | Callable[..., Notation]
    numpy: Notation | Callable[..., Notation]
    domain: Callable[..., tuple[tuple[str, Any], ...]]
    source: str
    example: tuple[Any, ...]
    facts: FactRule
    definition: Callable[..., Any] | None = None
    params: tuple[Param, ...] = ()
    commutative: bool = False
    variadic: bool = False
    broadcasts: bool = False
    also: tuple[str, ...] = ()
    numpy_names: tuple[str, ...] = ()
    guarded: bool = False
    over: Callable[..., Any] | None = None
    entrywise: bool = False
    scalar_function: Callable[[Any], Any] | None = None
    complete: Callable[..., tuple[Any, ...]] | None = None
    sampling: Callable[..., tuple[tuple[str, Any], ...]] | None = None
    monotone: int = 0
    convexity: int = 0
    branch: tuple[Any, Any] | None = None
    image: Callable[..., tuple[Any, Any, bool, bool]] | None = None
    real_only: bool = False
    kinks: Kinks = ""
    linear: bool = False
    norm: bool = False
    cost: int = 1
    syntax: Syntax = "call"
    exact: Callable[[Any], Any] | None = None
    parameters_first: bool = False

    @property
    def sampled(self) -> Callable[..., tuple[tuple[str, Any], ...]]:
        """The conditions for random values: `sampling`, or the domain."""
        return self.domain if self.sampling is None else self.sampling
