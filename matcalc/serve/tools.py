"""The tools that other programs call: each a name, what it does, its fields as a JSON schema, and what runs it.

Most are the commands of `api/requests.py`; the schema of a field is an entry of `schemas.fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from matcalc.api.requests import FIELDS, SOURCE, Answer, Given, answer
from matcalc.errors import MatcalcError, closest, need_one_of, shorten
from matcalc.export.formats import FORMATS
from matcalc.kinds import CLAIMED, SHOWN, names
from matcalc.serve.document import document
from matcalc.serve.page import about, shown
from matcalc.serve.schemas import Schema, check, kind_of
from matcalc.serve.schemas import fields as schemas


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        name: what it is called by.
        summary: what it does, in a sentence or two.
        fields: what it reads.
        required: the fields that must be given.
        run: what answers.
        formats: what its text can be.
    """

    name: str
    summary: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    run: Callable[[Given], Answer]
    formats: tuple[str, ...] = ("text", "json")


def _command(name: str, summary: str, required: tuple[str, ...], *formats: str) -> Tool:
    return Tool(name, summary, FIELDS[name], required, partial(answer, name), formats or ("text", "json"))


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        _command(
            "derive",
            "Gradients, Jacobians or Hessians of a matrix expression, derived step by step.",
            ("source",),
            *("text", "latex", "markdown", "json"),
        ),
        _command("claim", "Judge an identity, a hand derivation, or a claimed derivative (with `of`).", ("claim",)),
        _command("check", "Compare the generated derivatives with finite differences at random points.", ("source",)),
        _command(
            "solve",
            "The minimum or maximum in closed form with its proof, or the equations that it satisfies.",
            ("source", "over"),
            *("text", "latex", "markdown", "code", "json"),
        ),
        _command(
            "curvature",
            "Prove that a function is convex or concave, or show where it is neither.",
            ("source",),
            *("text", "latex", "json"),
        ),
        _command("code", "The function and its derivatives as a standalone module in a target language.", ("source",)),
        Tool(
            "export",
            "A note on the derivation as a document; the file comes back in base64.",
            (*SOURCE, "title", "language", "detail", "hessian", "format"),
            ("source", "format"),
            document,
            tuple(FORMATS),
        ),
        Tool(
            "show",
            "What the web page shows of a derivation: shapes, results, and the lesson as HTML.",
            (*SOURCE, "style", "language", "hessian"),
            ("source",),
            shown,
        ),
        Tool("about", "The version, and what there is to choose from.", (), (), about),
        _command("ops", "Look up the operations of the language by name or by meaning.", ()),
        _command("rules", "Look up the rewrite rules: their identities and sources.", ()),
    )
}


def call(name: str, given: Any) -> Answer:
    """What a tool answers.

    Example:
        >>> found = call("claim", {"claim": "2*A*x", "of": "x'*A*x", "name": "x"})
        >>> found["status"], found["data"]["diagnosis"]["text"]
        ('failed', 'it is right only for symmetric A')

    Raises:
        MatcalcError: there is no such tool, a field is wrong, or something in the source is.
    """
    need_one_of("the tool", name, TOOLS)
    tool = TOOLS[name]
    return tool.run(validated(tool, given))


def schema_of(tool: Tool) -> Schema:
    """The JSON schema of a tool's fields.

    Example:
        >>> schema_of(TOOLS["claim"])["required"]
        ['claim']
    """
    properties = {name: schemas()[name] for name in tool.fields if name != "format"}
    if "format" in tool.fields:
        properties["format"] = {
            "type": "string",
            "enum": list(tool.formats),
            "description": "what the answer is written in",
        }
    if tool.name == "claim":
        properties["kind"] = {**properties["kind"], "enum": names(CLAIMED)}
    elif tool.name in ("derive", "check"):
        properties["kind"] = {**properties["kind"], "enum": names(SHOWN)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(tool.required),
        "additionalProperties": False,
    }


def validated(tool: Tool, given: Any) -> dict[str, Any]:
    """The fields as they were given, without those that are null.

    Raises:
        MatcalcError: one is unknown, missing, or of the wrong kind, too long or out of range.
    """
    if not isinstance(given, Mapping):
        raise MatcalcError(f"{tool.name} needs an object with fields, got {kind_of(given)}")
    schema = schema_of(tool)
    fields = {str(name): value for name, value in given.items() if value is not None}
    for name in fields:
        if name not in schema["properties"]:
            known = list(schema["properties"])
            said = f"{tool.name} has no field {shorten(repr(name))}{closest(name, known)}"
            raise MatcalcError(f"{said}; it has: {', '.join(known) or 'none'}")
    for name in tool.required:
        if name not in fields:
            raise MatcalcError(f"{tool.name} needs the field {name!r}: {schema['properties'][name]['description']}")
    for name, value in fields.items():
        check(f"{tool.name}: the field {name!r}", value, schema["properties"][name])
    return fields
