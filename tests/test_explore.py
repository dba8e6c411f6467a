"""The widget: its data, its answers, and the page that it makes in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser
from note_support import EXAMPLES, derived

import matcalc as mc
from matcalc.errors import MatcalcError, MissingDependencyError
from matcalc.explore import widget
from matcalc.explore.loops import page_of_loops
from matcalc.explore.pages import page_of
from matcalc.explore.widget import notation_of, script, style, verdict_on

LOGISTIC = next(path for path in EXAMPLES if path.stem == "logistic_regression")


def formulas(page: Any) -> Iterator[str]:
    """All texts of a page."""
    if isinstance(page, str):
        yield page
    for part in page.values() if isinstance(page, dict) else page if isinstance(page, list) else ():
        yield from formulas(part)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_names_can_be_pointed_at(path: Path) -> None:
    page = page_of(derived(path))
    text = "\n".join(formulas(page))
    named = set(re.findall(r"\\htmlData\{name=(\w+)\}", text))
    assert named
    assert named <= set(page["shapes"])
    assert not re.search("[\ue000-\uf8ff]", text)
    assert sum(len(step["found"]) for step in page["steps"]) > 0
    assert all(len(step["names"]) == len(step["found"]) for step in page["steps"])


def test_what_is_read_off_is_judged_right() -> None:
    d = derived(LOGISTIC)
    for k, (name, right) in enumerate({"s": "(sigmoid(s) - y)/n", "w": "c*w + X'*g_s"}.items()):
        found = verdict_on(d, {"number": k, "name": name, "text": right})
        assert (found["number"], found["name"], found["status"]) == (k, name, "proved")
    wrong = verdict_on(d, {"number": 3, "name": "w", "text": "X'*g_s"})
    assert wrong["status"] == "disproved"
    assert "is forgotten" in wrong["text"]
    assert "right is" not in wrong["text"]
    assert "right is" in wrong["more"]
    spanish = verdict_on(d, {"number": 4, "name": "w", "text": "X'*g_s"}, "es")
    assert len(spanish["text"].splitlines()) == len(wrong["text"].splitlines())
    for asked, said in (
        ({"name": "w", "text": "X'*"}, "line 1, column 4"),
        ({"name": "nothing", "text": "w"}, "nothing"),
        ({"name": "w", "text": "w" * 6000}, "at most 5000 letters"),
    ):
        found = verdict_on(d, asked)
        assert found["status"] == "error"
        assert said in found["text"]


def test_the_notation_is_chosen() -> None:
    d = derived(LOGISTIC)
    page = page_of(d, notation_of({"transpose": "T", "adjoint": "bar", "bold": True}))
    text = "\n".join(formulas(page))
    assert r"^\top" not in text
    assert r"\htmlData{name=X}{\mathbf{X}}" in text
    assert r"\overline" in text
    with pytest.raises(MatcalcError, match=r"must be one of"):
        notation_of({"transpose": "x"})
    assert "Variables" not in page_of(d, code="es")["direction"]


def test_without_anywidget_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install matcalculus\[widget\]"):
        mc.derive("x'*x").explore()


def test_the_widget_answers() -> None:
    pytest.importorskip("anywidget")
    w = mc.derive("norm2(X*w - y)^2/2", wrt="w").explore()
    assert "render" in w._esm
    before = w.page
    w.notation = {**w.notation, "transpose": "T"}
    assert w.page != before
    w.asked = {"number": 1, "name": "w", "text": "X'*(X*w - y)"}
    assert (w.verdict["number"], w.verdict["status"]) == (1, "proved")


RECURRENT = """x[t=1..T]: n x 1; y[t=1..T]: m x 1; W: q x q; U: q x n; V: m x q
h[0] = zeros(q, 1)
h[t] = tanh(W*h[t-1] + U*x[t]) for t = 1..T
sum(t=1..T, norm2(V*h[t] - y[t])^2)/2"""


def test_a_program_with_loops_is_shown_and_judged() -> None:
    pytest.importorskip("anywidget")
    w = mc.derive(RECURRENT, wrt=["W", "V"]).explore()
    page = w.page
    text = "\n".join(formulas(page))
    named = set(re.findall(r"\\htmlData\{name=([^}]+)\}", text))
    assert {"h[t]", "h[t - 1]", "x[t]", "g_h[t + 1]", "W"} <= named <= set(page["shapes"])
    assert page["shapes"]["h[t - 1]"] == "q × 1"
    assert not re.search("[\ue000-\uf8ff]", text)
    assert [step["names"] for step in page["steps"] if step["names"]] == [["W"], ["V"]]
    w.notation = {**w.notation, "transpose": "T", "adjoint": "bar"}
    changed = "\n".join(formulas(w.page))
    assert r"^\top" not in changed
    assert r"\bar{h}_{t}" in changed
    w.asked = {"number": 1, "name": "V", "text": "sum(t=1..T, (V*h[t] - y[t])*h[t]')"}
    assert (w.verdict["number"], w.verdict["status"]) == (1, "proved")
    w.asked = {"number": 2, "name": "V", "text": "sum(t=1..T, (V*h[t] + y[t])*h[t]')"}
    assert (w.verdict["number"], w.verdict["status"]) == (2, "disproved")
    w.asked = {"number": 3, "name": "V", "text": "sum(t=1..T"}
    assert (w.verdict["number"], w.verdict["status"]) == (3, "error")


def test_gradients_by_members_have_their_lines() -> None:
    d: Any = mc.derive("u[k=1..K]: p x 1\nA: p x p\nsum(k=1..K, u[k]'*A*u[k])")
    page = page_of_loops(d)
    (of_members,) = [step for step in page["steps"] if step["lines"]]
    assert "u[k]" in of_members["lines"][0]["left"]
    assert page["shapes"]["u[k]"] == "p × 1"


HOST = """<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><style>STYLE</style>
<body><div id="out"></div>
<script type="module">
import explorer from "./widget.js";
const state = STATE, listeners = {};
window.model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; (listeners[`change:${name}`] ?? []).forEach((call) => call()); },
  save_changes: () => { window.saved = structuredClone(state); },
  on: (event, call) => (listeners[event] ??= []).push(call),
  off: () => {},
};
window.explorer = explorer;
window.done = explorer.render({ model, el: document.getElementById("out") });
document.documentElement.dataset.ready = "yes";
</script>"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The widget's module in a page of its own, with a model that the test answers for."""
    if CHROMIUM is None:
        pytest.skip("no Chromium")
    folder = tmp_path_factory.mktemp("explore")
    state = {
        "page": page_of(derived(LOGISTIC)),
        "notation": {"transpose": "⊤", "adjoint": "delta", "bold": False},
        "asked": {},
        "verdict": {},
    }
    (folder / "widget.js").write_text(script(), encoding="utf-8")
    page = HOST.replace("STYLE", style()).replace("STATE", json.dumps(state).replace("</", "<\\/"))
    (folder / "host.html").write_text(page, encoding="utf-8")
    with Browser(folder, options=("--allow-file-access-from-files",)) as browser:
        browser.open((folder / "host.html").as_uri())
        browser.wait("document.documentElement.dataset.ready === 'yes'")
        yield browser
        outside = [url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))]
        assert outside == []
        assert browser.console == []


def test_steps_fold_and_shapes_are_shown(opened: Browser) -> None:
    assert opened.evaluate("document.querySelectorAll('.failed, .katex-error').length") == 0
    assert opened.evaluate("document.querySelectorAll('details').length") > 5
    opened.evaluate("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Fold all').click()")
    assert opened.evaluate("document.querySelectorAll('details[open]').length") == 0
    opened.evaluate("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Unfold all').click()")
    opened.evaluate("document.querySelector('[data-name=X]').scrollIntoView({block: 'center'})")
    place = opened.evaluate(
        "(({x, y, width, height}) => [x + width/2, y + height/2])"
        "(document.querySelector('[data-name=X]').getBoundingClientRect())"
    )
    opened.send("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    opened.wait("document.querySelector('.tip').hidden === false")
    assert opened.evaluate("document.querySelector('.tip').textContent") == "X: n × p"
    assert opened.evaluate("document.querySelectorAll('.lit[data-name=X]').length") > 2


def test_a_line_is_asked_for_and_judged(opened: Browser) -> None:
    tick = "[...document.querySelectorAll('label')].find((l) => l.textContent.includes('practise')).firstChild"
    opened.evaluate(f"{tick}.click()")
    fields = "[...document.querySelectorAll('input[type=text]')]"
    assert opened.evaluate(f"{fields}.map((field) => field.getAttribute('aria-label'))") == [
        "Your gradient by s",
        "Your gradient by w",
    ]
    assert "Results" not in opened.evaluate("document.body.innerText")
    lines = opened.evaluate("document.querySelectorAll('.line').length")
    assert opened.evaluate("document.querySelectorAll('.more').length") == 0
    opened.evaluate(f"{fields}[1].focus()")
    opened.type("X'*g_s")
    opened.key("Enter")
    asked = opened.evaluate("window.saved.asked")
    assert asked == {"number": 1, "name": "w", "text": "X'*g_s"}
    opened.evaluate(f"model.set('verdict', {json.dumps(verdict_on(derived(LOGISTIC), asked))})")
    assert "is forgotten" in opened.evaluate("document.querySelector('.disproved').textContent")
    assert opened.evaluate("document.activeElement.getAttribute('aria-label')") == "Your gradient by w"
    opened.evaluate(f"{fields}[1].select()")
    opened.type("c*w + X'*g_s")
    opened.key("Enter")
    asked = opened.evaluate("window.saved.asked")
    opened.evaluate(f"model.set('verdict', {json.dumps(verdict_on(derived(LOGISTIC), asked))})")
    assert opened.evaluate("document.querySelectorAll('.line').length") > lines
    assert opened.evaluate("document.querySelectorAll('.proved').length") == 1
    assert opened.evaluate("document.querySelectorAll('.disproved').length") == 0


def test_it_is_dark_where_the_page_is(opened: Browser) -> None:
    for colour, dark in (("oklch(0.98 0.01 90)", False), ("oklch(0.2 0.02 250)", True), ("rgba(0, 0, 0, 0)", False)):
        opened.evaluate(f"document.body.style.background = '{colour}'")
        opened.evaluate(
            "(() => { const place = document.createElement('div'); document.body.append(place); "
            "window.other = place; explorer.render({ model, el: place }); })()"
        )
        assert opened.evaluate("other.firstChild.classList.contains('dark')") is dark, colour
        opened.evaluate("other.remove()")
    opened.evaluate("document.body.style.background = ''")


def test_the_menu_asks_for_another_notation(opened: Browser) -> None:
    opened.evaluate(
        "(() => { const menu = document.querySelector('select'); menu.value = 'T'; "
        "menu.dispatchEvent(new Event('change')); })()"
    )
    chosen = opened.evaluate("window.saved.notation")
    assert chosen == {"transpose": "T", "adjoint": "delta", "bold": False}
    page = page_of(derived(LOGISTIC), notation_of(chosen))
    opened.evaluate(f"model.set('page', {json.dumps(page)})")
    assert opened.evaluate("document.querySelectorAll('.failed, .katex-error').length") == 0
