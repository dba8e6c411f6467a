"""HTML notes in a browser without a window: every formula is set, nothing is asked of the network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
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
