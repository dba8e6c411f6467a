"""HTML notes in a browser without a window: every formula is set, nothing is asked of the network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from browser import Browser
from note_support import EXAMPLES, ROOT, derived

import matcalc as mc

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


def opened(page: Path, folder: Path) -> tuple[str, list[str]]:
    """The document after its scripts ran, and the addresses that the page (not the browser) asked the network for."""
    log = folder / "net.json"
    command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"]
    done = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-800:]
    text = log.read_text(encoding="utf-8").rstrip().rstrip(",")
    events = json.loads(text if text.endswith("}") and text.count("]") else text + "]}")["events"]
    asked = [event["params"] for event in events if "initiator" in event.get("params", {})]
    asked = [p for p in asked if p["initiator"] != "not an origin" and p["url"].startswith(("http", "ws", "ftp"))]
    return done.stdout, [p["url"] for p in asked]


@needs_chromium
def test_pages_are_set_without_the_network(tmp_path: Path) -> None:
    note = mc.Note("All", entries=3, notation=mc.Notation(adjoint="partial"))
    for path in EXAMPLES:
        note.add(derived(path), path.stem)
    document, asked = opened(note.export(tmp_path / "n.html"), tmp_path)
    assert asked == []
    assert 'data-failed="0"' in document
    assert document.count('class="katex"') > 400
    assert 'class="katex-error"' not in document


@needs_chromium
@pytest.mark.parametrize(("code", "name"), [("es", "one_hidden_layer"), ("hi", "batch_normalization")])
def test_pages_in_other_languages(tmp_path: Path, code: str, name: str) -> None:
    d = derived(ROOT / "examples" / f"{name}.txt")
    document, asked = opened(d.export(tmp_path / "n.html", language=code, title="T"), tmp_path)
    assert asked == []
    assert 'data-failed="0"' in document
    assert f'<html lang="{code}"' in document


@needs_chromium
def test_requests_and_wrong_formulas_would_be_seen(tmp_path: Path) -> None:
    page = mc.derive("x'*x").export(tmp_path / "n.html")
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"<body>", '<body><img src="http://example.invalid/x.png"><span class="m">\\\\frac{</span>', text)
    page.write_text(text, encoding="utf-8")
    document, asked = opened(page, tmp_path)
    assert asked == ["http://example.invalid/x.png"]
    assert 'data-failed="1"' in document


TOO_WIDE = """(() => {
  const room = document.documentElement.clientWidth, found = [];
  for (const e of document.querySelectorAll(".d, pre, p, li, td, figure")) {
    const right = e.getBoundingClientRect().right;
    if (e.scrollWidth > e.clientWidth + 3 || right > room + 1) found.push(`${e.tagName} ${e.textContent.slice(0, 80)}`);
  }
  for (const t of document.querySelectorAll("figure text.s")) {
    const size = parseFloat(getComputedStyle(t).fontSize) * (t.getScreenCTM()?.a ?? 1);
    if (t.checkVisibility() && size < 10) found.push(`${t.textContent} has ${size} px`);
  }
  if (document.documentElement.scrollWidth > room) found.push("the page");
  return JSON.stringify(found);
})()"""


@needs_chromium
def test_nothing_is_cut_on_a_phone(tmp_path: Path) -> None:
    note = mc.Note("On a phone", detail="lesson", hessian=True)
    for name in ("batch_normalization", "attention", "gaussian_likelihood", "one_hidden_layer"):
        note.add(derived(ROOT / "examples" / f"{name}.txt"), name)
    page = note.export(tmp_path / "n.html")
    browser = Browser(tmp_path, width=390, height=844)
    try:
        browser.open(page.as_uri())
        assert browser.evaluate(f"document.fonts.ready.then(() => {TOO_WIDE})") == "[]"
        assert browser.evaluate("document.querySelectorAll('[data-set=narrow]').length") > 20
        assert browser.evaluate("document.documentElement.dataset.failed") == "0"
        browser.send(
            "Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False
        )  # the phone is turned, or the window made wider
        browser.evaluate("new Promise((done) => setTimeout(done, 300))")
        assert browser.evaluate(TOO_WIDE) == "[]"
        assert browser.evaluate("document.querySelectorAll('[data-set=narrow]').length") == 0
    finally:
        browser.close()
