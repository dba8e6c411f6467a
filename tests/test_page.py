"""The page in a browser without a window: by keyboard and mouse, and with no request but to its own server."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser

from matcalc.serve.pool import Pool
from matcalc.serve.server import Server

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")

READY = "document.documentElement.dataset.ready === 'yes'"
DERIVED = "document.querySelector('#results .katex') !== null"
CTRL = 2


def value(selector: str) -> str:
    return f"document.querySelector({selector!r}).textContent"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = Server(Pool(1, limit=60))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.address
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def browser(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Browser]:
    browser.open("about:blank")
    browser.requests.clear()
    browser.console.clear()
    browser.open(address)
    browser.wait(READY, 60)
    yield browser
    asked = {url for url in browser.requests if not url.startswith(("data:", "blob:"))}
    assert asked
    assert [url for url in asked if not url.startswith(address)] == []
    assert browser.console == []


def write(page: Browser, source: str, wrt: str = "") -> None:
    """Type into the page and derive by the keyboard alone."""
    page.evaluate("document.getElementById('source').select()")
    page.evaluate("document.getElementById('source').focus()")
    page.type(source)
    page.evaluate(f"document.getElementById('wrt').value = {wrt!r}")
    page.key("Enter", modifiers=CTRL)


def tab(page: Browser, name: str) -> None:
    page.evaluate(f"document.getElementById('tab-{name}').click()")


def test_a_function_is_derived(page: Browser) -> None:
    write(page, "norm2(X*w - y)^2/2", "w")
    page.wait(DERIVED)
    assert page.evaluate("document.querySelectorAll('.failed').length") == 0
    assert "Gradient by w" in page.evaluate(value("#status"))
    # what a screen reader reads is MathML, and the rest is hidden from it
    assert page.evaluate("document.querySelector('#results math annotation').textContent").startswith(
        r"\frac{\partial f}"
    )
    assert page.evaluate("document.querySelector('#results .katex-html').getAttribute('aria-hidden')") == "true"
    rows = page.evaluate("[...document.querySelectorAll('#shapes tbody tr')].map((row) => row.textContent)")
    assert rows == ["Xn × massumed", "wm × 1assumed", "yn × 1assumed"]
    page.evaluate("document.getElementById('declare').click()")
    page.wait("document.getElementById('declare').hidden")
    assert page.evaluate("document.getElementById('source').value").startswith("X: n x m\nw: m x 1\ny: n x 1\nnorm2")


def test_every_example_is_set(page: Browser) -> None:
    count = page.evaluate("document.getElementById('examples').options.length - 1")
    assert count > 8
    for k in range(count):
        page.evaluate("document.getElementById('results').replaceChildren()")
        page.evaluate(f"document.getElementById('examples').value = '{k}'")
        page.evaluate("document.getElementById('examples').dispatchEvent(new Event('change'))")
        page.wait(DERIVED)
        page.wait("document.getElementById('derive').textContent === 'Derive'")
        assert page.evaluate("document.querySelectorAll('.failed').length") == 0, k


def test_an_error_is_announced_with_its_place(page: Browser) -> None:
    write(page, "x'*x'")
    page.wait("document.querySelector('#error pre') !== null")
    assert "line 1, column 3: cannot multiply" in page.evaluate(value("#error"))
    assert page.evaluate("document.getElementById('source').getAttribute('aria-invalid')") == "true"
    assert page.evaluate("document.getElementById('error').getAttribute('role')") == "alert"
    write(page, "x'*x")
    page.wait(DERIVED)
    assert page.evaluate(value("#error")) == ""
    assert page.evaluate("document.getElementById('source').hasAttribute('aria-invalid')") is False


def test_a_link_holds_the_input(page: Browser, address: str) -> None:
    write(page, "½‖Xβ − y‖² + λ‖β‖²", "beta")
    page.wait(DERIVED)
    link = page.evaluate("location.href")
    assert link.startswith(f"{address}#source=")
    page.open("about:blank")
    page.open(link)
    page.wait(DERIVED, 60)
    assert page.evaluate("document.getElementById('source').value") == "½‖Xβ − y‖² + λ‖β‖²"
    assert page.evaluate("document.getElementById('wrt').value") == "beta"


def test_the_tabs_by_keyboard(page: Browser) -> None:
    write(page, "norm2(X*w - y)^2/2", "w")
    page.wait(DERIVED)
    page.evaluate("document.getElementById('tab-derivation').focus()")
    page.key("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-code"
    page.wait("document.getElementById('code-text').textContent.includes('def value_and_grad')")
    page.evaluate(
        "document.getElementById('target').value = 'c'; "
        "document.getElementById('target').dispatchEvent(new Event('change'))"
    )
    page.wait("document.getElementById('code-text').textContent.includes('#include')")
    page.key("ArrowRight")
    page.wait("document.getElementById('check-answer').textContent.includes('agrees')")
    page.key("End")
    assert page.evaluate("document.activeElement.id") == "tab-export"
    page.key("Home")
    assert page.evaluate("document.getElementById('derivation').hidden") is False
    hidden = "[...document.querySelectorAll('[role=tabpanel]')].filter((panel) => !panel.hidden).length"
    assert page.evaluate(hidden) == 1


def test_a_line_of_ones_own_is_judged(page: Browser) -> None:
    write(page, "x'*A*x", "x")
    page.wait(DERIVED)
    tab(page, "claim")
    page.evaluate("document.getElementById('claim-text').value = '2*A*x'; document.getElementById('judge').click()")
    page.wait("document.querySelector('#claim-answer .badge') !== null")
    assert "disproved" in page.evaluate(value("#claim-answer"))
    assert "right only for symmetric A" in page.evaluate(value("#claim-answer"))
    page.evaluate(
        "document.getElementById('claim-text').value = 'A*x + A\\'*x'; document.getElementById('judge').click()"
    )
    page.wait("document.getElementById('claim-answer').textContent.includes('✓ proved')")


def test_curvature_optimum_and_a_document(page: Browser) -> None:
    write(page, "norm2(X*w - y)^2 + norm2(w)^2", "w")
    page.wait(DERIVED)
    tab(page, "curvature")
    page.wait("document.getElementById('curvature-answer').textContent.includes('strongly convex')")
    tab(page, "solve")
    page.evaluate("document.getElementById('find').click()")
    page.wait("document.querySelector('#solve-answer .katex') !== null")
    assert "closed-form" in page.evaluate(value("#solve-answer"))
    tab(page, "export")
    page.evaluate("document.getElementById('title').value = 'Ridge'")
    page.evaluate(
        "[...document.querySelectorAll('#documents button')].find((b) => b.textContent.startsWith('.html')).click()"
    )
    page.wait("document.querySelector('#export-answer .badge') !== null", 60)
    made = page.downloads / "ridge.html"
    end = time.monotonic() + 20
    while not (made.exists() and made.read_text(encoding="utf-8").rstrip().endswith("</html>")):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_has_changed_is_said_to_be_old(page: Browser) -> None:
    write(page, "x'*x")
    page.wait(DERIVED)
    assert page.evaluate("document.getElementById('stale').hidden") is True
    page.evaluate("document.getElementById('source').focus()")
    page.type(" + 1")
    assert page.evaluate("document.getElementById('stale').hidden") is False
    page.evaluate("document.getElementById('again').click()")
    page.wait("document.getElementById('stale').hidden")


def test_it_fits_a_phone_and_follows_dark(page: Browser, tmp_path: Path) -> None:
    page.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.evaluate("document.getElementById('examples').value = '2'")
    page.evaluate("document.getElementById('examples').dispatchEvent(new Event('change'))")
    page.wait(DERIVED)
    wide = (
        "[...document.querySelectorAll('main > * *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.evaluate(f"{wide}[0].outerHTML")[:300]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 25)"
    path = tmp_path / "phone.png"
    page.picture(path)
    assert path.read_bytes()[:8] == base64.b64decode("iVBORw0KGgo=")
    page.send("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
    page.send("Emulation.setEmulatedMedia", features=[])


def test_every_field_has_a_name(page: Browser) -> None:
    fields = "[...document.querySelectorAll('input, select, textarea')]"
    script = f"{fields}.filter((field) => field.labels.length === 0).map((field) => field.id)"
    assert page.evaluate(script) == []
    tree = page.send("Accessibility.getFullAXTree")["nodes"]
    buttons = [n for n in tree if n.get("role", {}).get("value") in ("button", "tab", "textbox", "combobox")]
    assert len(buttons) > 8
    assert [n for n in buttons if not n.get("name", {}).get("value")] == []


def test_text_of_the_input_is_never_markup(page: Browser) -> None:
    write(page, "# <img src=x onerror=alert(1)> <b>bold</b>\nx: n x 1\nx'*x")
    page.wait(DERIVED)
    assert page.evaluate("document.querySelector('#answer img, #derivation b, #shapes img, #shapes b')") is None
