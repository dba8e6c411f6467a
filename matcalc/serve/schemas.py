"""The fields of the tools as JSON schemas, and the check that a value is as its schema says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from matcalc.errors import MatcalcError, need_one_of, shorten
from matcalc.kinds import names
from matcalc.languages import available
from matcalc.targets.registry import target_names
from matcalc.views.view import STYLES

Schema = dict[str, Any]
LONGEST = 20_000  # letters of a text
MOST = 100  # entries of a list or a table


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "maxLength": LONGEST, "description": description, **more}


def _several(description: str) -> Schema:
    items = {"type": "string", "maxLength": LONGEST}
    return {"type": ["string", "array"], "items": items, "maxItems": MOST, "description": description}


def _table(description: str) -> Schema:
    """Names and words."""
    values = {"type": "string", "maxLength": LONGEST}
    return {
        "type": "object",
        "additionalProperties": values,
        "maxProperties": MOST,
        "description": description,
    }


@lru_cache(maxsize=1)
def fields() -> dict[str, Schema]:
    """The schema of every field, by name."""
    return {
        "source": _text(
            "the function: text in matcalc's syntax (statements on lines of their own, the last one is the function; "
            "`S: n x n symmetric` declares), or LaTeX, Unicode mathematics, NumPy, MATLAB or Julia as pasted"
        ),
        "wrt": _several("what to differentiate by: `w`, or `X, w`; default: all variables that are not constant"),
        "shape": _table('rows and columns: {"X": "n x p", "y": "n"}; given once, every variable must be declared'),
        "fact": _table('what is known of variables: {"A": "symmetric"}'),
        "structure": _table('the set along which a variable is differentiated: {"S": "symmetric"}'),
        "convention": _text("for structure: by the independent entries, or the projected gradient")
        | {"enum": ["entries", "projection"]},
        "function": _several("abstract entrywise functions that the text calls: `phi`"),
        "kind": _text("which derivative, or which function to generate", enum=names()),
        "style": _text("the steps, local Jacobians, differentials, entries, or the answers only", enum=list(STYLES)),
        "layout": _text("gradients in the variable's shape, or transposed", enum=["denominator", "numerator"]),
        "language": _text("of the fixed words", enum=list(available())),
        "target": _text("the language or library of the code", enum=target_names()),
        "after": _text("print the program after this pass of code generation instead of the code"),
        "by": _text("with kind hessian: the second variable of mixed Hessians"),
        "trials": {"type": "integer", "minimum": 1, "maximum": 50, "description": "how many random points"},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": "of the random numbers"},
        "claim": _text("`left = right`, `f = ...; df/dx = ...`, or with `of` the claimed derivative"),
        "of": _text("the function whose derivative is claimed"),
        "name": _text("with `of`: the variable or named value whose derivative is claimed"),
        "tutor": {"type": "boolean", "description": "whether a hand derivation is answered as a tutor would"},
        "over": _several("the unknowns: `w`, or `W, b`"),
        "subject_to": _several("equations that hold: `W'*W = eye(k)`"),
        "sense": _text("what is sought", enum=["min", "max", "stationary"]),
        "words": _several("only what mentions every word"),
        "title": _text("of the document"),
        "detail": _text("how much of it", enum=["full", "lesson", "sheet", "brief"]),
        "hessian": {"type": "boolean", "description": "whether the Hessians follow, with their steps"},
    }


def check(what: str, value: Any, schema: Schema) -> None:
    """Raise MatcalcError unless a value is as its schema says: the part of JSON schema that is used above."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(value, kind) for kind in kinds):
        raise MatcalcError(f"{what} must be {' or '.join(_TYPES[k][1] for k in kinds)}, got {kind_of(value)}")
    if "enum" in schema:
        need_one_of(what, value, schema["enum"])
    for bound, unit in (("maxLength", "letters"), ("maxItems", "entries"), ("maxProperties", "entries")):
        kind = {"maxLength": "string", "maxItems": "array", "maxProperties": "object"}[bound]
        if bound in schema and _is(value, kind) and len(value) > schema[bound]:
            raise MatcalcError(f"{what} has {len(value)} {unit}; at most {schema[bound]} are read")
    if "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        raise MatcalcError(f"{what} must be from {schema['minimum']} to {schema['maximum']}, got {shorten(str(value))}")
    for name, part in _parts(value):
        check(f"{what}, {name},", part, schema.get("items") or schema["additionalProperties"])


def kind_of(value: Any) -> str:
    """What a value of JSON is, in words."""
    return next((words for kind, (_, words) in _TYPES.items() if _is(value, kind)), "nothing")


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "number": ((float,), "a number"),
    "array": ((list, tuple), "a list"),
    "object": ((dict,), "an object of names and texts"),
}


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind][0]) and (kind == "boolean" or not isinstance(value, bool))


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """The entries of a list or an object, each with what it is called."""
    if isinstance(value, dict):
        return [(shorten(repr(name)), part) for name, part in value.items()]
    return [(f"entry {k}", part) for k, part in enumerate(value, 1)] if isinstance(value, (list, tuple)) else []
