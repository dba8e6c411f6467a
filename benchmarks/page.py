"""Processor time of the tab in which the static page runs: its start, and each example and further inputs after it.

    python benchmarks/page.py FOLDER [--rounds 2]

FOLDER is what `matcalc site FOLDER` wrote. The time is that of all threads of the browser's process for the page
(Python in its worker, formulas and layout, the compiler of WebAssembly), from the click until the derivation is on the
screen.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser import Browser

ROOT = Path(__file__).parent.parent
FURTHER = {
    "ridge regression": ("norm2(X*w - y)^2 + c*norm2(w)^2", "w"),
    "inverse covariance": ("S: n x n positive-definite\nlogdet(S) - tr(S*A)", "S"),
    "principal components": ("norm2(X - X*W*W')^2", "W"),
    "softmax regression": ("Y: n x k one-hot constant\nb: 1 x k\n-sum(Y .* log(softmax(X*W + b, 2)))", "W, b"),
    "Gaussian process": ("K: n x n positive-definite\ny'*inv(K)*y/2 + logdet(K)/2", "K"),
    "Rayleigh's quotient": ("x'*A*x/(x'*x)", "x"),
    "batch normalisation": ("y: n x 1\nz = standardize(X*w, 1)\nnorm2(z - y)^2", "w"),
    "Kronecker product": ("A: m x m\nB: n x n\nsum(kron(A, B))", "A, B"),
    "LaTeX": (r"\mathrm{tr}(A X^\top X) + \log\det(X^\top X)", "X"),
    "two hidden layers": (
        "X: n x p\ny: n x 1\nb: 1 x h\nc: 1 x k\nv: k x 1\n"
        "H = tanh(X*W1 + b)\nG = relu(H*W2 + c)\nnorm2(G*v - y)^2/(2*n)",
        "W1, b, W2, c, v",
    ),
    "factorisation machine": ("X: n x k\nV: k x d\nsum(i=1..n, log(1 + exp(X[i,:]*V*V'*X[i,:]')))", "V"),
    "exponential": ("A: n x n\ntr(expm(A)*B)", "A"),
}
DONE = """new Promise((done) => {
  const look = () => document.querySelector('#results .katex, #error p')
      && document.getElementById('derive').textContent === 'Derive'
    ? requestAnimationFrame(() => setTimeout(done, 0)) : setTimeout(look, 50);
  look();
})"""
CLEAR = "for (const id of ['results', 'error']) document.getElementById(id).replaceChildren();"


class Files(SimpleHTTPRequestHandler):
    def guess_type(self, path: Any) -> str:
        known = {".mjs": "text/javascript", ".wasm": "application/wasm"}
        return known.get(Path(path).suffix) or super().guess_type(path)

    def log_message(self, *what: Any) -> None:
        """Nothing is logged."""


def threads(browser: int) -> dict[tuple[int, int], tuple[str, float]]:
    """The seconds that each thread of the processes for pages has had, with its name."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            commands[int(folder.name)] = (folder / "cmdline").read_text()
        except OSError:
            continue
    family, before = {browser}, 0
    while before != len(family):
        before = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    found = {}
    for process in family:
        if "type=renderer" not in commands.get(process, ""):
            continue
        for task in Path(f"/proc/{process}/task").iterdir():
            try:
                name, spent = (task / "comm").read_text().strip(), int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
            found[process, int(task.name)] = name, spent / 1e9
    return found


def spent(page: Browser, script: str) -> tuple[float, dict[str, float]]:
    """The seconds that a tab needs for what a script starts, in all and by the names of its threads."""
    before = threads(page.process.pid)
    page.evaluate(f"{CLEAR} {script}")
    page.evaluate(DONE)
    parts: dict[str, float] = {}
    for key, (name, seconds) in threads(page.process.pid).items():
        parts[name] = parts.get(name, 0.0) + seconds - before.get(key, ("", 0.0))[1]
    return sum(parts.values()), {name: round(seconds, 3) for name, seconds in parts.items() if seconds > 0.002}


def starts(page: Browser, address: str) -> None:
    """The first derivation, with an empty cache and with a warm one."""
    for state in ("cold", "warm"):
        page.open("about:blank")
        before, start = sum(t for _, t in threads(page.process.pid).values()), time.perf_counter()
        page.open(f"{address}#source=norm2(X*w+-+y)^2&wrt=w")
        page.wait("document.querySelector('#results .katex') !== null", 400)
        wall = time.perf_counter() - start
        after = sum(t for _, t in threads(page.process.pid).values())
        print(f"first derivation, {state}: {after - before:.2f} s of a processor, {wall:.1f} s by the clock")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    if not (options.folder / "index.html").exists():
        parser.error(f"{options.folder} holds no page: `matcalc site {options.folder}` writes it")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(options.folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    examples = json.loads((ROOT / "matcalc" / "serve" / "static" / "examples.json").read_text(encoding="utf-8"))
    choose = (
        "const menu = document.getElementById('examples'); menu.value = {}; menu.dispatchEvent(new Event('change'));"
    )
    write = "const field = (id, text) => {{ document.getElementById(id).value = text; }}; field('source', {}); "
    write += "field('wrt', {}); document.getElementById('derive').click();"
    asked = {example["title"]: choose.format(k) for k, example in enumerate(examples)}
    asked |= {title: write.format(*map(json.dumps, given)) for title, given in FURTHER.items()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Browser(Path(folder)) as page:
        starts(page, f"http://127.0.0.1:{server.server_address[1]}/")
        for number in range(options.rounds):
            print(f"round {number + 1}")
            for title, script in asked.items():
                time.sleep(1)
                whole, parts = spent(page, f"{{ {script} }}")
                said = page.evaluate("document.getElementById('status').textContent")
                print(f"{whole:6.3f} s  {title}: {said} {parts}", flush=True)
        print("console:", page.console or "empty")


if __name__ == "__main__":
    main()
