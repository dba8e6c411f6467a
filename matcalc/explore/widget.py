"""The widget: an anywidget, so that it works in Jupyter, JupyterLab, VS Code, Colab and marimo."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from matcalc.calculus.problem import Problem
from matcalc.claims.claim import judged
from matcalc.claims.loops import judged_loop
from matcalc.claims.verdict import Verdict
from matcalc.errors import MatcalcError, missing_dependency, need_one_of, shorten
from matcalc.explore.loops import page_of_loops
from matcalc.explore.pages import page_of
from matcalc.export.html import katex
from matcalc.kinds import GRADIENT
from matcalc.languages import ENGLISH, language
from matcalc.loops.problem import LoopProblem
from matcalc.printing.style import ADJOINTS, Notation
from matcalc.views.named import with_names

TRANSPOSES = {"⊤": r"^\top", "′": "'", "T": "^T"}
LONGEST = 5000  # letters of a claimed line


def explorer(d: Problem | LoopProblem, code: str = ENGLISH) -> Any:
    """The widget of a derivation.

    Raises:
        MissingDependencyError: anywidget is not installed.
        MatcalcError: there is no such language.
    """
    language(code)
    if find_spec("anywidget") is None:
        raise missing_dependency("d.explore()", "anywidget")
    return _widget()(d, code)


def notation_of(chosen: dict[str, Any]) -> Notation:
    """The notation that the widget's menus choose.

    Raises:
        MatcalcError: there is no such choice.
    """
    transpose, adjoint = chosen.get("transpose", "⊤"), chosen.get("adjoint", ADJOINTS[0])
    need_one_of("the transpose", transpose, TRANSPOSES)
    return Notation(transpose=TRANSPOSES[transpose], adjoint=adjoint, bold=bool(chosen.get("bold")))


def verdict_on(d: Problem | LoopProblem, asked: dict[str, Any], code: str = ENGLISH) -> dict[str, Any]:
    """The verdict on a line of one's own, as plain data: the gradient by a value of the page.

    Example:
        >>> import matcalc as mc
        >>> found = verdict_on(mc.derive("x'*A*x", wrt="x"), {"number": 1, "name": "x", "text": "2*A*x"})
        >>> print(found["text"])
        disproved: the gradient with respect to x
          it is right only for symmetric A
    """
    text, about = str(asked.get("text", "")), {"number": asked.get("number"), "name": asked.get("name")}
    if len(text) > LONGEST:
        return {**about, "status": "error", "text": f"a line has at most {LONGEST} letters"}
    try:
        verdict = _judged(d, str(asked["name"]), text)
    except MatcalcError as error:
        return {**about, "status": "error", "text": shorten(str(error), 1000)}
    said = verdict.text(code).splitlines()
    hint = [line for line in said[2:] if line.strip() in _hints(verdict, code)]
    return {**about, "status": verdict.status, "text": "\n".join([said[0], *hint]), "more": "\n".join(said[1:])}


def _judged(d: Problem | LoopProblem, name: str, text: str) -> Verdict:
    if isinstance(d, LoopProblem):
        return judged_loop(d, name, text)
    return judged(with_names(d), name, text, GRADIENT.name, None)


def _shown(d: Problem | LoopProblem, chosen: dict[str, Any], code: str) -> dict[str, Any]:
    show: Any = page_of_loops if isinstance(d, LoopProblem) else page_of
    page: dict[str, Any] = show(d, notation_of(chosen), code)
    return page


def _hints(verdict: Verdict, code: str) -> set[str]:
    """What of a verdict does not give the answer away: what is wrong, and where it enters."""
    t = language(code).filled
    where = t("the error enters at {0}", verdict.diagnosis.node) if verdict.diagnosis.node else ""
    return {verdict.diagnosis.text(code), where} - {""}


@lru_cache(maxsize=1)
def _widget() -> Any:
    """The class, made when it is first needed: its package is optional."""
    import anywidget  # noqa: PLC0415
    import traitlets  # noqa: PLC0415

    class Explorer(anywidget.AnyWidget):
        """A derivation to play with."""

        _esm = script()
        _css = style()
        page = traitlets.Dict().tag(sync=True)
        notation = traitlets.Dict().tag(sync=True)
        asked = traitlets.Dict().tag(sync=True)
        verdict = traitlets.Dict().tag(sync=True)

        def __init__(self, d: Problem | LoopProblem, code: str) -> None:
            start = {"transpose": "⊤", "adjoint": "delta", "bold": False}
            super().__init__(page=_shown(d, start, code), notation=start)
            self.derivation, self.code = d, code
            self.observe(self._on_notation, "notation")
            self.observe(self._on_asked, "asked")

        def _on_notation(self, change: Any) -> None:
            self.page = _shown(self.derivation, change["new"], self.code)

        def _on_asked(self, change: Any) -> None:
            self.verdict = verdict_on(self.derivation, change["new"], self.code)

    return Explorer


def script() -> str:
    """The widget's module: KaTeX, and then its own."""
    own = files("matcalc.explore").joinpath("widget.js").read_text(encoding="utf-8")
    return (
        f"const katex = (() => {{ const module = {{ exports: {{}} }}, exports = module.exports;\n{katex().script}\n"
        + (f"return module.exports; }})();\n{own}")
    )


def style() -> str:
    """The widget's style sheet, with KaTeX's."""
    return katex().style + files("matcalc.explore").joinpath("widget.css").read_text(encoding="utf-8")
