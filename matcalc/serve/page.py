"""What the web page shows of a derivation, in one answer: shapes, results, the lesson as HTML, what can be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from matcalc import __version__
from matcalc.api.derivation import Derivation
from matcalc.api.loops import LoopDerivation
from matcalc.api.requests import SOURCE, derivation
from matcalc.calculus.jacobian import jacobian_by
from matcalc.dims import shape_text
from matcalc.errors import need_one_of
from matcalc.export.formats import FORMATS
from matcalc.export.markup_html import Html
from matcalc.export.note import Note
from matcalc.export.picture_svg import graph_svg
from matcalc.kinds import JACOBIAN, VALUE_AND_GRAD
from matcalc.kinds import names as kind_names
from matcalc.languages import ENGLISH, available, language
from matcalc.loops.page import checked_style, gradient_latex, gradient_text, gradients, parts_latex, variables
from matcalc.printing.display import display
from matcalc.printing.style import STANDARD
from matcalc.printing.symbols import name_latex
from matcalc.properties import names_of
from matcalc.serve.absent import has_numpy
from matcalc.targets.registry import target_names
from matcalc.views.page import TEXT, Line
from matcalc.views.view import STYLES, make_view

LARGEST_PICTURE = 60  # values of a graph that is drawn


def shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to `show`.

    Example:
        >>> found = shown({"source": "x'*A*x", "wrt": "x", "fact": {"A": "symmetric"}})
        >>> found["text"], found["data"]["results"][0]["text"]
        ('df/dx = 2*A*x', '2*A*x')

    Raises:
        MatcalcError: the source, the style or the language is wrong.
    """
    d: Any = derivation({name: value for name, value in given.items() if name in SOURCE})
    style, code = given.get("style", STYLES[0]), given.get("language", ENGLISH)
    need_one_of("style", style, STYLES)
    made = _of_loops(d, style, code) if isinstance(d, LoopDerivation) else _of_matrices(d, style, code, given)
    text = "\n".join(f"{row['left']} = {row['text']}" for row in made["results"])
    return {"status": "ok", "text": text, "data": made}


def about(given: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to `about`: the version, and what there is to choose from."""
    examples = json.loads(files("matcalc.serve").joinpath("static", "examples.json").read_text(encoding="utf-8"))
    data = {
        "version": __version__,
        "styles": list(STYLES),
        "languages": list(available()),
        "kinds": kind_names(),
        "targets": target_names(),
        "documents": [{"format": f.name, "suffix": f.suffix, "what": f.what} for f in FORMATS.values()],
        "examples": examples,
        "numpy": has_numpy(),
    }
    return {"status": "ok", "text": f"matcalc {__version__}", "data": data}


def _of_matrices(d: Derivation, style: str, code: str, given: Mapping[str, Any]) -> dict[str, Any]:
    hessian = bool(given.get("hessian")) and d.output.is_scalar
    note = Note(language=code, hessian=hessian)
    note.add(d)
    if style == STYLES[0]:
        lesson = note.lessons(markup=Html(language(code)))[0]
    else:
        lesson = Html(language(code)).block(d.latex(style, language=code, hessian=hessian))
    view = make_view(d, "result", "denominator", TEXT, language(code))
    assumed = {line.partition(":")[0] for line in d.inferred}
    return {
        "title": d.title,
        "lesson": lesson,
        "picture": str(graph_svg(d)) if len(d.paths) <= LARGEST_PICTURE else "",
        "results": [_result(d, name, line) for name, line in zip(d.names, view.results)],
        "variables": [
            {
                "name": v.name,
                "shape": shape_text(v.shape),
                "latex": name_latex(v.name, STANDARD, scalar=v.is_scalar),
                "facts": names_of(v.params[3]),
                "assumed": v.name in assumed,
            }
            for v in d.graph.declared.values()
        ],
        "values": list(d.graph.definitions),
        "declarations": d.inferred,
        "notice": d.notice.text(code) if d.notice is not None else "",
        "names": d.names,
        "scalar": d.output.is_scalar,
        "kind": VALUE_AND_GRAD.name if d.output.is_scalar else JACOBIAN.name,
    }


def _result(d: Derivation, name: str, line: Line) -> dict[str, str]:
    """A gradient of a scalar function, else a Jacobian."""
    f, x = d.output.name or "f", d.find(name)
    above, below = name_latex(f, STANDARD, d.output.is_scalar), name_latex(name, STANDARD, x.is_scalar)
    if d.output.is_scalar:
        value, text, left = d.gradient(name), "", f"d{f}/d{name}"
    else:
        jacobian = jacobian_by(d, name)
        value, text, left = jacobian.value, str(jacobian), f"d vec({f})/d vec({name})'"
        above, below = rf"\operatorname{{vec}}({above})", rf"\operatorname{{vec}}({below})^\top"
    quotient = rf"\frac{{\partial {above}}}{{\partial {below}}}"
    return {
        "name": name,
        "left": left,
        "text": text or str(value),
        "latex": display(value),
        "equation": rf"{quotient} = {display(value)}",
        "remark": line.remark,
    }


def _of_loops(d: LoopDerivation, style: str, code: str) -> dict[str, Any]:
    f = Html(language(ENGLISH))
    parts = parts_latex(d, checked_style(style, "denominator", code), STANDARD)
    rows = []
    for g in gradients(d):
        lines = [line.partition(" = ") for line in gradient_text(d, g)]
        rows += [
            {
                "name": g.name,
                "left": left,
                "text": value,
                "latex": formula.partition("&= ")[2],
                "equation": rf"\begin{{aligned}} {formula} \end{{aligned}}",
                "remark": "",
            }
            for (left, _, value), formula in zip(lines, gradient_latex(d, g, STANDARD))
        ]
    return {
        "title": "",
        "lesson": "".join(f.heading(3, f.text(title)) + f.block(formula) for title, formula in parts),
        "picture": "",
        "results": rows,
        "variables": [
            {"name": name, "shape": words, "latex": "", "facts": [], "assumed": False} for name, words in variables(d)
        ],
        "values": [],
        "declarations": [],
        "notice": "",
        "names": d.names,
        "scalar": True,
        "kind": VALUE_AND_GRAD.name,
    }
