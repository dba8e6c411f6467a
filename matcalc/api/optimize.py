"""`minimize` and `maximize`: the optimum of a source in closed form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from matcalc.api.derive import derive
from matcalc.optimum.result import Optimum


def minimize(
    source: Any,
    over: Any = None,
    subject_to: Iterable[str] = (),
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[Any, Any] | None = None,
) -> Optimum:
    """The minimum of a function in closed form, with its proof; where there is none, the stationarity equations.

    Args:
        source: as for `derive`.
        over: the unknowns, a name or several; their facts are their domain.
        subject_to: equations that they satisfy.
        shapes: as for `derive`.
        facts: as for `derive`.

    Example:
        >>> import matcalc as mc
        >>> o = mc.minimize("norm2(A*Q - B)^2", over="Q", subject_to=["Q'*Q = eye(n)"],
        ...                 shapes={"A": ("m", "n"), "B": ("m", "n"), "Q": ("n", "n")})
        >>> o["Q"], o.kind
        (polar(A'*B), 'minimum')
    """
    return derive(source, over, shapes=shapes, facts=facts).optimum(subject_to=subject_to, sense="minimum")


def maximize(
    source: Any,
    over: Any = None,
    subject_to: Iterable[str] = (),
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[Any, Any] | None = None,
) -> Optimum:
    """The maximum of a function in closed form, as `minimize`.

    Example:
        >>> import matcalc as mc
        >>> o = mc.maximize("w'*S*w", over="w", subject_to=["w'*w = 1"], shapes={"S": ("p", "p"), "w": ("p", 1)},
        ...                 facts={"S": "symmetric"})
        >>> o["w"], o.value, o.unique
        (eigvecmax(S), eigmax(S), False)
    """
    return derive(source, over, shapes=shapes, facts=facts).optimum(subject_to=subject_to, sense="maximum")
