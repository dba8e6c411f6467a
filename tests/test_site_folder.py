"""The page as a folder: Python in the browser itself, with no request outside of the folder; and without NumPy."""

from __future__ import annotations

import functools
import gzip
import json
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, Browser

import matcalc as mc
from matcalc.cli import main
from matcalc.serve import absent
from matcalc.serve.site import CORE, write_site

PYODIDE = "pyodide@314.0.7"
NODE, NPM = shutil.which("node"), shutil.which("npm")

WITHOUT = """
import json, sys
from matcalc.serve import absent
sys.meta_path.insert(0, absent._FINDER)  # in front of the real one
from matcalc.serve.handling import handled
absent.done()
print(json.dumps([handled(tool, given) for tool, given in json.load(sys.stdin)]))
"""
RECURRENCE = """W: m x m; x[t=1..T]: m x 1; h[0] = zeros(m, 1)
h[t] = tanh(W*h[t-1] + x[t]) for t = 1..T
sum(h[T])"""
CALLS: list[tuple[str, dict[str, Any], str, str]] = [
    ("show", {"source": "norm2(X*w - y)^2/2", "wrt": "w"}, "ok", "df/dw = X'*(X*w - y)"),
    ("derive", {"source": "A*X*B", "wrt": "X", "kind": "jacobian"}, "ok", "kron(B', A)"),
    ("derive", {"source": "x'*A*x", "wrt": "x", "kind": "hessian"}, "ok", "A + A'"),
    ("code", {"source": "norm2(x)^2", "target": "c"}, "ok", "#include"),
    ("code", {"source": "logdet(S)"}, "ok", "def value_and_grad"),
    ("claim", {"claim": "(A*B)' = B'*A'"}, "ok", "proved"),
    ("claim", {"claim": "A*x + A'*x", "of": "x'*A*x", "name": "x"}, "ok", "proved"),
    ("claim", {"claim": "2*A*x", "of": "x'*A*x", "name": "x"}, "failed", "it is right only for symmetric A"),
    ("claim", {"claim": "-X'*(X*w - y)", "of": "norm2(X*w - y)^2/2", "name": "w"}, "failed", "the sign is wrong"),
    ("claim", {"claim": "det(A + B) = det(A) + det(B)"}, "failed", "for example"),
    ("claim", {"claim": "x", "of": "x'*A*x", "name": "A"}, "failed", "wrong shape"),
    ("curvature", {"source": "norm2(X*w - y)^2", "wrt": "w"}, "ok", "convex in w"),
    ("export", {"source": "x'*x", "format": "html"}, "ok", "derivation.html"),
    ("curvature", {"source": "x'*A*x", "wrt": "x"}, "ok", "the second derivative along x"),
    ("check", {"source": "sum(softmax(X*W, 2) .* Y)"}, "ok", "agrees with finite differences"),
    ("check", {"source": "logdet(S) + tr(inv(S)*C)", "structure": {"S": "symmetric"}}, "ok", "agrees"),
    ("check", {"source": "tr(logm(S)*A) + sum(gelu(x)) + sum(eigvals(A*A'))", "trials": 2}, "ok", "agrees"),
    (
        "check",
        {
            "source": RECURRENCE,
            "wrt": "W",
        },
        "ok",
        "agrees",
    ),
    ("solve", {"source": "norm2(X*w - y)^2 + c*norm2(w)^2", "over": "w", "fact": {"c": "positive"}}, "ok", "inv(c*eye"),
    (
        "solve",
        {"source": "A: n x n; Q: n x n\ntr(A'*Q)", "over": "Q", "sense": "max", "subject_to": ["Q'*Q = eye(n)"]},
        "ok",
        "polar(A)",
    ),
    ("show", {"source": "x'*x'"}, "error", "line 1, column 3"),
    ("about", {}, "ok", "matcalc"),
]


def test_without_numpy_everything_works() -> None:
    calls = json.dumps([[tool, given] for tool, given, _, _ in CALLS])
    done = subprocess.run([sys.executable, "-c", WITHOUT], input=calls, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for (tool, given, status, said), found in zip(CALLS, json.loads(done.stdout), strict=True):
        assert found["status"] == status, (tool, given, found["text"])
        assert said in found["text"], (tool, given)
    assert found["data"]["numpy"] is False
    assert absent.has_numpy()


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", str(tmp_path / "site"), "--pyodide", str(tmp_path)]) == 2
    assert "npm install pyodide@314` in this folder" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


@pytest.fixture
def pretended(tmp_path: Path) -> Path:
    """A folder with the names of Pyodide's files, and with NumPy."""
    folder = tmp_path / "pyodide"
    folder.mkdir()
    for name in CORE:
        (folder / name).write_text(name)
    packages = {
        "numpy": {"file_name": "numpy-9.whl", "depends": ["libopenblas"]},
        "libopenblas": {"file_name": "openblas-9.zip", "depends": []},
    }
    (folder / "pyodide-lock.json").write_text(json.dumps({"packages": packages}))
    (folder / "numpy-9.whl").write_text("wheel")
    return folder


def test_the_folder_holds_what_the_page_needs(pretended: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "site"
    assert not write_site(folder, pretended).numpy  # one of two wheels is missing
    (pretended / "openblas-9.zip").write_text("library")
    site = write_site(folder, pretended)
    assert (site.numpy, site.compiled) == (True, False)
    assert (folder / "pyodide" / "numpy-9.whl").read_text() == "wheel"
    assert json.loads((folder / "site.json").read_text()) == {"numpy": True, "image": False, "version": mc.__version__}
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert 'data-backend="browser"' in page
    assert "default-src 'none'" in page
    pack = gzip.decompress((folder / "matcalc.pack").read_bytes())
    table = json.loads(pack[4 : 4 + int.from_bytes(pack[:4], "little")])
    assert sum(size for _, size in table) + 4 + int.from_bytes(pack[:4], "little") == len(pack)
    names = {name for name, _ in table}
    assert not (folder / "matcalc.zip").exists()
    assert {"matcalc/templates/c_helpers.c", "matcalc/frontend/grammar.lark", "matcalc/languages/es.json"} <= names
    libraries = zipfile.ZipFile(folder / "libraries.zip").namelist()
    assert {name.partition("/")[0] for name in libraries} == {"sympy", "mpmath", "jinja2", "lark", "markupsafe"}
    assert not [name for name in libraries if name.endswith((".so", ".pyc")) or "/tests/" in name]
    assert all("Copyright" in path.read_text() for path in (folder / "licenses").iterdir())


# ------------------------------------------------------------------------------------------------ in the browser


@pytest.fixture(scope="module")
def pyodide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pyodide's core, from the npm registry."""
    if NPM is None or NODE is None:
        pytest.skip("no Node")
    folder = tmp_path_factory.mktemp("npm")
    try:
        command = [NPM, "pack", "--silent", PYODIDE]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("no npm registry")
    if done.returncode != 0:
        pytest.skip("no npm registry")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


class Files(SimpleHTTPRequestHandler):
    def guess_type(self, path: Any) -> str:
        """As a server should say it, whatever this machine's tables have."""
        known = {".mjs": "text/javascript", ".wasm": "application/wasm"}
        return known.get(Path(path).suffix) or super().guess_type(path)

    def log_message(self, *what: Any) -> None:
        """Nothing is logged."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server that hands out the files of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def folder(pyodide: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, as Node has prepared it."""
    made = write_site(tmp_path_factory.mktemp("site"), pyodide, NODE)
    assert (made.compiled, made.image) == (True, True)
    return made.folder


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_python_runs_in_the_browser_alone(folder: Path, tmp_path: Path) -> None:
    with served(folder) as address, Browser(tmp_path) as page:
        page.open(f"{address}#source=norm2(X*w+-+y)^2&wrt=w")
        page.wait("document.querySelector('#results .katex') !== null", 240)
        assert page.evaluate("document.querySelectorAll('.failed').length") == 0
        page.evaluate("document.getElementById('tab-check').click()")
        page.wait("document.getElementById('check-answer').textContent.includes('✓ agrees')", 60)
        page.evaluate("document.getElementById('tab-claim').click()")
        page.evaluate("document.getElementById('claim-text').value = '-X\\'*(X*w - y)'")
        page.evaluate("document.getElementById('judge').click()")
        page.wait("document.getElementById('claim-answer').textContent.includes('for example')", 60)
        page.evaluate("document.getElementById('claim-text').value = '2*X\\'*(X*w - y)'")
        page.evaluate("document.getElementById('judge').click()")
        page.wait("document.getElementById('claim-answer').textContent.includes('✓ proved')")
        page.evaluate("document.getElementById('tab-code').click()")
        page.wait("document.getElementById('code-text').textContent.includes('def value_and_grad')")
        page.evaluate("document.getElementById('source').value = 'x\\'*'; document.getElementById('derive').click()")
        page.wait("document.querySelector('#error pre') !== null")
        page.evaluate("document.getElementById('source').value = 'w\\'*w'; document.getElementById('derive').click()")
        page.wait("document.querySelector('#error pre') === null && document.title === 'matcalc'")
        asked = {url for url in page.requests if not url.startswith(("data:", "blob:"))}
        assert f"{address}pyodide/pyodide.asm.wasm" in asked
        assert {f"{address}matcalc.pack", f"{address}memory.image"} <= asked
        assert [url for url in asked if not url.startswith(address)] == []
        assert page.console == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_an_image_of_another_python_is_not_used(folder: Path, tmp_path: Path) -> None:
    image = folder / "memory.image"
    image.write_bytes(gzip.compress(b"\0" * 1_000_000))
    with served(folder) as address, Browser(tmp_path) as page:
        page.open(f"{address}#source=x'*A*x&wrt=x")
        page.wait("document.querySelector('#results .katex') !== null", 240)
        assert page.console == []
