"""A call as plain data and its result as plain data: what the command line, and whatever else will ask, goes through.

A request is a command and a dict of strings, lists of strings and numbers; an answer is a dict with `status` (ok,
failed or undecided), `text` in the format that was asked for, and `data` as JSON has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from matcalc.api.derivation import Derivation
from matcalc.api.derive import derive
from matcalc.errors import MatcalcError, closest, need_one_of, shorten
from matcalc.kinds import GRADIENT, SHOWN, kind_of
from matcalc.optional import later

if TYPE_CHECKING:
    from matcalc.api.prove import hand_derivation, judged_text
    from matcalc.api.reference import found as entries_about
    from matcalc.api.reference import lines, operations, rules
    from matcalc.export.data import derivation_data, hessian_data, report_data
    from matcalc.export.verdicts import verdict_data
    from matcalc.functions.request import program_after
    from matcalc.optimum.result import Optimum
else:
    hand_derivation, judged_text = later("matcalc.api.prove", "hand_derivation", "judged_text")
    entries_about, lines, operations, rules = later("matcalc.api.reference", "found", "lines", "operations", "rules")
    derivation_data, hessian_data, report_data = later(
        "matcalc.export.data", "derivation_data", "hessian_data", "report_data"
    )
    (verdict_data,) = later("matcalc.export.verdicts", "verdict_data")
    (program_after,) = later("matcalc.functions.request", "program_after")

Given = Mapping[str, Any]
Answer = dict[str, Any]
# The fields that say what is derived, in every request.
SOURCE = ("source", "wrt", "shape", "fact", "structure", "convention", "function")
FIELDS: dict[str, tuple[str, ...]] = {}
_ANSWERS: dict[str, Callable[[Given], Answer]] = {}
_STATUS = {"proved": "ok", "disproved": "failed"}


def _command(name: str, *fields: str) -> Callable[[Callable[[Given], Answer]], Callable[[Given], Answer]]:
    """Register what answers a command, with the fields that it reads."""

    def registered(function: Callable[[Given], Answer]) -> Callable[[Given], Answer]:
        FIELDS[name], _ANSWERS[name] = fields, function
        return function

    return registered


def answer(command: str, given: Given) -> Answer:
    """What comes of a request.

    Example:
        >>> given = {"source": "x'*A*x", "wrt": "x", "shape": {"x": "n", "A": "n x n"}, "fact": {"A": "symmetric"}}
        >>> found = answer("derive", {**given, "format": "json"})
        >>> found["status"], found["data"]["results"][0]["gradient"]
        ('ok', '2*A*x')
        >>> answer("claim", {"claim": "A' = A"})["status"]
        'failed'

    Raises:
        MatcalcError: the command or a field is unknown, or something in the request is wrong.
    """
    need_one_of("the command", command, _ANSWERS)
    for name in given:
        if name not in FIELDS[command]:
            known = FIELDS[command]
            said = f"{command} has no field {shorten(repr(name))}{closest(name, known)}"
            raise MatcalcError(f"{said}; it has: {', '.join(known)}")
    return _ANSWERS[command](given)


def derivation(given: Given) -> Derivation:
    """The derivation that the fields of a request describe."""
    return derive(
        given["source"],
        names(given.get("wrt", ())) or None,
        shapes=table(given.get("shape", ()), "shape", "X=n,p", sizes) or None,
        facts=table(given.get("fact", ()), "fact", "A=symmetric", str) or None,
        structure=table(given.get("structure", ()), "structure", "S=symmetric", str) or None,
        convention=given.get("convention", "entries"),
        functions=names(given.get("function", ())),
    )


def optimum(given: Given) -> Optimum:
    """The optimum that the fields of a request describe."""
    senses = {"min": "minimum", "max": "maximum", "stationary": "stationary"}
    sense = given.get("sense", "min")
    need_one_of("sense", sense, senses)
    d = derivation({**given, "wrt": given.get("over", given.get("wrt", ()))})
    return d.optimum(subject_to=_listed(given.get("subject_to", ())), sense=senses[sense])


# ------------------------------------------------------------------------------------------------ the commands


@_command("derive", *SOURCE, "kind", "format", "style", "layout", "language")
def _derive(given: Given) -> Answer:
    d, kind = derivation(given), kind_of(given.get("kind", GRADIENT.name), SHOWN)
    style, layout = given.get("style", "steps"), given.get("layout", "denominator")
    form = _format(given, "text", "latex", "markdown", "json")
    if kind.scalar:
        d.need_scalar(kind.title)
    elif d.output.is_scalar:
        raise MatcalcError("the function is 1 x 1: it has a gradient (--kind gradient)")
    if form == "json":
        data = derivation_data(d, style, layout)
        return _answer("", {**data, "hessians": hessian_data(d)} if kind.second else data)
    view = getattr(d, form)
    return _answer(view(style=style, layout=layout, language=given.get("language", "en"), hessian=kind.second))


@_command("code", *SOURCE, "kind", "target", "after")
def _code(given: Given) -> Answer:
    d = derivation(given)
    if given.get("after") is not None:
        return _answer(program_after(d, given["after"], given.get("kind")))
    return _answer(d.code(kind=given.get("kind"), target=given.get("target", "numpy")))


@_command("check", *SOURCE, "kind", "by", "trials", "seed", "target", "format")
def _check(given: Given) -> Answer:
    trials, seed = given.get("trials", 5), given.get("seed", 0)
    options = {name: given[name] for name in ("kind", "by", "target") if given.get(name) is not None}
    report = derivation(given).check(trials=trials, seed=seed, **options)
    return _answer(str(report), report_data(report), "ok" if report.ok else "failed")


@_command("claim", "claim", "of", "name", *SOURCE[1:], "kind", "by", "tutor", "language", "format")
def _claim(given: Given) -> Answer:
    if given.get("tutor"):
        return _tutored(given)
    if given.get("of") is not None:
        if given.get("name") is None:
            raise MatcalcError("--of needs --name: the variable or named value whose derivative is claimed")
        kind = given.get("kind", GRADIENT.name)
        d = derivation({**given, "source": given["of"]})
        verdict: Any = d.claim(given["name"], given["claim"], kind=kind, by=given.get("by"))
    else:
        verdict = judged_text(
            given["claim"],
            shapes=table(given.get("shape", ()), "shape", "X=n,p", sizes) or None,
            facts=table(given.get("fact", ()), "fact", "A=symmetric", str) or None,
            functions=names(given.get("function", ())),
        )
    return _answer(
        verdict.text(given.get("language", "en")), verdict_data(verdict), _STATUS.get(verdict.status, "undecided")
    )


def _tutored(given: Given) -> Answer:
    """The page for the author of a hand derivation, whose function stands before it or is given apart."""
    lines = given["claim"]
    if given.get("of") is not None:
        d = derivation({**given, "source": given["of"]})
    else:
        function, lines = hand_derivation(given["claim"])
        d = derivation({**given, "source": function})
    verdict = d.claim_lines(lines)
    status = _STATUS.get(verdict.status, "undecided")
    return _answer(d.tutor(lines, language=given.get("language", "en")), verdict_data(verdict), status)


@_command("curvature", *SOURCE, "format")
def _curvature(given: Given) -> Answer:
    c = derivation(given).curvature()
    made: dict[str, Callable[[], str]] = {"text": c.text, "latex": c.latex, "json": str}
    status = "undecided" if c.status == "undecided" else "ok"
    return _answer(made[_format(given, *made)](), c.data(), status)


@_command("solve", *SOURCE, "over", "subject_to", "sense", "format")
def _solve(given: Given) -> Answer:
    o = optimum(given)
    made: dict[str, Callable[[], str]] = {"text": o.text, "latex": o.latex, "markdown": o.markdown, "json": str}
    made["code"] = o.code
    return _answer(made[_format(given, *made)](), o.data(), "undecided" if o.status == "none" else "ok")


@_command("ops", "words", "format")
def _ops(given: Given) -> Answer:
    return _list(operations(), "operation", given)


@_command("rules", "words", "format")
def _rules(given: Given) -> Answer:
    return _list(rules(), "rule", given)


def _list(entries: list[dict[str, Any]], what: str, given: Given) -> Answer:
    found = entries_about(entries, _listed(given.get("words", ())), what)
    return _answer("\n".join(map(lines, found)), found)


def _answer(text: str, data: Any = None, status: str = "ok") -> Answer:
    return {"status": status, "text": text, "data": data}


def _format(given: Given, *known: str) -> str:
    form = str(given.get("format", known[0]))
    need_one_of("the format", form, known)
    return form


# ------------------------------------------------------------------------------------------------ reading fields


def _listed(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def names(given: Any) -> list[str]:
    """The names in a text such as `x, y`, or in several."""
    return [name.strip() for entry in _listed(given) for name in entry.split(",") if name.strip()]


def table(given: Any, field: str, example: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """A field that maps names to words: a dict, or entries `name=value`."""
    if isinstance(given, Mapping):
        return {name: read(value) if isinstance(value, str) else value for name, value in given.items()}
    found: dict[str, Any] = {}
    for entry in _listed(given):
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not (name and equals and value):
            raise MatcalcError(f"--{field} needs an entry such as {example}, got {shorten(repr(entry))}")
        if name in found:
            raise MatcalcError(f"--{field} is given twice for {shorten(name)}")
        found[name] = read(value)
    return found


def sizes(value: str) -> Any:
    """`n,3` or `n x 3` as rows and columns; `n` alone is a column, `scalar` a number."""
    if value.strip() in ("scalar", "()"):
        return ()
    parts: Iterable[str] = value.split(",") if "," in value else re.split(r"\s+x\s+", value)
    return tuple(int(part) if re.fullmatch(r"\s*[0-9]{1,18}\s*", part) else part.strip() for part in parts)
