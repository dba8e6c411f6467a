"""Identities without a derivative, and hand derivations in one text with their function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from matcalc.api.derive import derive
from matcalc.claims.claim import about_shapes, identity_judged
from matcalc.claims.constants import with_constants
from matcalc.claims.lines import LineVerdicts, claimed_in, judged_lines, statements
from matcalc.claims.question import IDENTITY
from matcalc.claims.verdict import DISPROVED, Diagnosis, Verdict
from matcalc.dims import same_shape
from matcalc.errors import MatcalcError, ParseError
from matcalc.frontend.parser import parse
from matcalc.languages import said
from matcalc.ops.user_functions import Function
from matcalc.printing.symbols import ADJOINT

LEFT, RIGHT = "left_side", "right_side"


def prove(
    text: str,
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    functions: Iterable[str | Function] = (),
) -> Verdict | LineVerdicts:
    """The verdict on an identity `left = right` in the text syntax; declarations and definitions may come before it.

    A text with a function and what is claimed of its derivatives, `f = x'*A*x; df/dx = 2*A*x`, is judged too: one
    claim has a verdict, several have one each.

    Args:
        text: the last statement is the identity; or the function, then lines `g_NAME = ...` or `dF/dNAME = ...`.
        shapes: the variables as name -> (rows, columns); inferred where they are left out.
        facts: what is known of the variables.
        functions: abstract entrywise functions that the text calls.

    Raises:
        MatcalcError: the text is not in the syntax, or there is no identity.

    Example:
        >>> import matcalc as mc
        >>> mc.prove("(A*B)' = B'*A'").status, mc.prove("(A*B)' = A'*B'").status
        ('proved', 'disproved')
        >>> print(mc.prove("f = x'*A*x; df/dx = 2*A*x").diagnosis)
        it is right only for symmetric A
    """
    given: dict[str, Any] = {"shapes": shapes, "facts": facts, "functions": list(functions)}
    judged = judged_text(text, **given)
    only = judged.verdicts if isinstance(judged, LineVerdicts) else []
    return replace(only[0], notice=judged.notice) if len(only) == 1 else judged


def _identity(text: str, given: Mapping[str, Any]) -> Verdict:
    before, left, right = _sides(with_constants(text))
    names = [_free(name, text) for name in (LEFT, RIGHT)]
    source = f"{before}\n{names[0]} = {left}\n{names[1]} = {right}\n{names[0]} - {names[1]}"
    try:
        parsed = parse(source, **given)
    except MatcalcError as error:
        first, second = (parse(f"{before}\n{side}".strip(), **given).graph.output for side in (left, right))
        if same_shape(first.shape, second.shape) and not about_shapes(error):
            raise
        message = str(getattr(error, "message", error))
        for name, side in zip(names, ("the left side", "the right side")):
            message = message.replace(name, side)
        return Verdict(DISPROVED, IDENTITY, text, diagnosis=Diagnosis(said("wrong shape: {0}", message), ("shape",)))
    first, second = (parsed.graph.definitions[name].args[0] for name in names)
    judged = identity_judged(first, second, parsed.graph.declared.values(), text)
    return replace(judged, notice=parsed.notice)


def _free(name: str, text: str) -> str:
    while name in text:
        name += "_"
    return name


def _sides(text: str) -> tuple[str, str, str]:
    """What comes before the identity, and its sides."""
    depth, last, equals = 0, 0, -1
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and c in ";\n" and text[k + 1 :].strip():
            last, equals = k + 1, -1
        elif depth == 0 and c == "=" and equals < 0:
            equals = k
    if equals < 0:
        raise ParseError("an identity is `left = right`: there is no = in the last statement")
    left, right = text[last:equals].strip(), text[equals + 1 :].lstrip("=").strip().rstrip(";")
    if not left or not right:
        raise ParseError("an identity is `left = right`: one side is empty")
    return text[:last], left, right


def judged_text(
    text: str,
    *,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    functions: Iterable[str | Function] = (),
) -> Verdict | LineVerdicts:
    """The verdict on an identity, or those on the lines of a hand derivation that follow its function.

    The lines `g_NAME = ...` or `dF/dNAME = ...` about names that stand before them are claims; what stands before the
    first is the function.
    """
    given: dict[str, Any] = {"shapes": shapes, "facts": facts, "functions": list(functions)}
    split = _hand_derivation(text)
    if split is None:
        return _identity(text, given)
    function, lines = split
    d = derive(function, **given)
    return replace(judged_lines(d, lines), notice=d.notice)


def hand_derivation(text: str) -> tuple[str, str]:
    """The function and the claims about it in one text.

    Raises:
        MatcalcError: no statement claims a derivative.
    """
    split = _hand_derivation(text)
    if split is None:
        raise MatcalcError("no line `g_NAME = ...` or `df/dNAME = ...` about a name that stands before it")
    return split


def _hand_derivation(text: str) -> tuple[str, str] | None:
    """The function and the claims; None where no statement claims a derivative."""
    parts = list(statements(text))
    claims = [claimed_in(statement.text) for statement in parts]
    for k, (statement, claimed) in enumerate(zip(parts, claims)):
        known = text[: statement.start]
        if statement.text.lstrip().startswith(ADJOINT) and None in claims[k:]:  # a value of the function's own
            continue
        if claimed is not None and _mentions(known, claimed.name) and not _mentions(known, f"{ADJOINT}{claimed.name}"):
            return known, "\n" * (statement.line - 1) + text[statement.start :]
    return None


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
