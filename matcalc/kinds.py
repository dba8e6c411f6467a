"""The kinds of derivatives and of generated functions: one record each, all else follows.

What a kind returns is made in `functions/parts.py`, registered by the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matcalc.errors import MatcalcError, closest, shorten


@dataclass(frozen=True)
class Kind:
    """What a function of this kind needs and returns.

    Attributes:
        name: what it is asked for by, and the name of the generated function.
        summary: what the function returns, for its docstring.
        also: what other libraries call it, for suggestions.
        value: it returns the value.
        derivatives: it returns derivatives: by the variables' names, or along the tangents.
        matrix: they are matrices on vec, so that they do not take the form of the variables.
        second: they are second derivatives, which a second variable may be named for.
        tangents: it needs a direction for each variable.
        cotangent: it needs a weight for each entry of the output.
        title: what it returns, in words.
        scalar: whether the function must be scalar.
        prefix: of the names of derivatives in generated Python.
        argument: the prefix of the arguments that take derivatives in C.
        formula: a derivative in the docstring, of {0} by {1}; empty where it is not shown.
    """

    name: str
    summary: str
    also: tuple[str, ...] = ()
    value: bool = False
    derivatives: bool = True
    matrix: bool = False
    second: bool = False
    tangents: bool = False
    cotangent: bool = False
    title: str = "gradient"
    scalar: bool = False
    prefix: str = "g"
    argument: str = "grad"
    formula: str = ""

    @property
    def plain(self) -> bool:
        """It needs the variables only, and derivatives come in their form."""
        return not (self.matrix or self.tangents or self.cotangent)

    def __str__(self) -> str:
        return self.name


VALUE = Kind("value", "The value.", ("f", "fun", "forward", "function"), value=True, derivatives=False)
GRADIENT = Kind(
    "gradient",
    "The gradients, by the variables' names.",
    ("grad", "derivative", "nabla", "reverse"),
    scalar=True,
    formula="d{0}/d{1}",
)
VALUE_AND_GRAD = Kind(
    "value_and_grad",
    "The value, and the gradients by the variables' names.",
    ("value_and_gradient", "value_grad", "fun_and_grad", "both"),
    value=True,
    scalar=True,
    formula="d{0}/d{1}",
)
JACOBIAN = Kind(
    "jacobian",
    "The Jacobians d vec(value) / d vec(variable), by the variables' names.",
    ("jac", "jacfwd", "jacrev"),
    matrix=True,
    title="Jacobian",
    prefix="J",
    argument="jacobian",
)
HESSIAN = Kind(
    "hessian",
    "The Hessians, by the variables' names.",
    ("hess", "second", "curvature"),
    matrix=True,
    second=True,
    scalar=True,
    title="Hessian",
    prefix="H",
    argument="hessian",
    formula="d vec(d{0}/d{1}) / d vec({1})'",
)
JVP = Kind(
    "jvp",
    "The directional derivative along `tangents`, a dict by the variables' names.",
    ("pushforward", "directional", "directional_derivative", "tangent", "forward_mode"),
    tangents=True,
    prefix="d",
)
VJP = Kind(
    "vjp",
    "The derivatives of the inner product with `cotangent`, by the variables' names.",
    ("pullback", "backward", "vector_jacobian_product", "reverse_mode"),
    cotangent=True,
)
HVP = Kind(
    "hvp",
    "The products of the Hessian with `tangents`, a dict by the variables' names.",
    ("hessp", "vhp", "hessian_vector_product"),
    second=True,
    tangents=True,
    scalar=True,
    title="Hessian-vector product",
    prefix="Hv",
    argument="product",
)
KINDS = (VALUE, GRADIENT, VALUE_AND_GRAD, JACOBIAN, HESSIAN, JVP, VJP, HVP)

# What other libraries differentiate by our derivative; not asked for by its name.
VALUE_AND_VJP = Kind(
    "value_and_vjp",
    "The value, as a function that a library differentiates by our derivative.",
    value=True,
    cotangent=True,
)

# The gradient by a named value, in claims about it.
ADJOINT = Kind("adjoint", "The gradients by named values.", ("delta", "cotangent"), scalar=True)

SHOWN = (GRADIENT, JACOBIAN, HESSIAN)
CLAIMED = (GRADIENT, ADJOINT, JACOBIAN, HESSIAN)


def names(kinds: Iterable[Kind] = KINDS) -> list[str]:
    """The names of some kinds."""
    return [kind.name for kind in kinds]


def default(*, scalar: bool, among: Iterable[Kind] = KINDS) -> Kind:
    """What is meant where no kind is given: with the value if that is possible, the gradient or the Jacobian."""
    among = list(among)
    return next(k for k in (VALUE_AND_GRAD, GRADIENT) if k in among) if scalar else JACOBIAN


def kind_of(given: object, among: Iterable[Kind] = KINDS) -> Kind:
    """The record of a kind's name; a record is itself.

    Raises:
        MatcalcError: it is none of them; the message has the one that was probably meant.
    """
    among = list(among)
    found = next((kind for kind in among if given in (kind, kind.name)), None)
    if found is not None:
        return found
    meant = [kind.name for kind in among if str(given).lower() in (kind.name, *kind.also)]
    remark = f" (did you mean {meant[0]}?)" if meant else closest(str(given), names(among))
    raise MatcalcError(f"kind must be one of {', '.join(names(among))}, got {shorten(repr(given))}{remark}")
