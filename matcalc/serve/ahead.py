"""What Node does for the page that runs in a browser: compile modules, and make an image of the memory of Python.

A browser that starts from the image has nothing to import: it takes a third of the time. Both need the Python that will
run the page, which is Pyodide's.
"""

from __future__ import annotations

import gzip
import subprocess
import tempfile
from pathlib import Path

PATIENCE = 900  # seconds that either may take
IMAGE = "memory.image"


def compile_ahead(folder: Path, node: str) -> bool:
    """Compile the modules in the two archives of a page; whether that worked."""
    return _run(node, COMPILE, folder)


def image_ahead(folder: Path, node: str) -> bool:
    """Write the image of the memory with everything imported, and used once; whether that worked."""
    plain = folder / "memory"
    worked = _run(node, REMEMBER, folder) and plain.is_file()
    if worked:
        (folder / IMAGE).write_bytes(gzip.compress(plain.read_bytes(), compresslevel=6, mtime=0))
    plain.unlink(missing_ok=True)
    return worked


def _run(node: str, script: str, folder: Path) -> bool:
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "script.mjs"
        file.write_text(START + script, encoding="utf-8")
        try:
            done = subprocess.run(
                [node, str(file), str(folder.resolve())], capture_output=True, timeout=PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.returncode == 0


START = r"""
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const pyodide = path.join(folder, "pyodide");
const { loadPyodide } = await import(pathToFileURL(path.join(pyodide, "pyodide.mjs")).href);
"""

# Libraries lose their sources, which nothing looks at; matcalc keeps its own, from which code is generated.
COMPILE = r"""
const python = await loadPyodide({ indexURL: pyodide + path.sep });
for (const [name, keep] of [["libraries.zip", "False"], ["matcalc.zip", "True"]]) {
  const file = path.join(folder, name);
  python.FS.writeFile("/tmp/given.zip", new Uint8Array(fs.readFileSync(file)));
  python.runPython(`
import importlib.util, os, py_compile, zipfile
given = zipfile.ZipFile("/tmp/given.zip")
with zipfile.ZipFile("/tmp/made.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
    for name in given.namelist():
        if not name.endswith(".py"):
            made.writestr(name, given.read(name))
            continue
        with open("/tmp/module.py", "wb") as module:
            module.write(given.read(name))
        py_compile.compile("/tmp/module.py", "/tmp/module.pyc", "/lib/" + name, True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        if ${keep}:
            made.writestr(name, given.read(name))
        made.write("/tmp/module.pyc", importlib.util.cache_from_source(name) if ${keep} else name + "c")
`);
  fs.writeFileSync(file, python.FS.readFile("/tmp/made.zip"));
}
process.exit(0);
"""

REMEMBER = r"""
const python = await loadPyodide({ indexURL: pyodide + path.sep, _makeSnapshot: true });
const { place, START } = await import(pathToFileURL(path.join(folder, "python.js")).href);
const { gunzipSync } = await import("node:zlib");
place(python.FS, new Uint8Array(fs.readFileSync(path.join(folder, "libraries.zip"))),
  new Uint8Array(gunzipSync(fs.readFileSync(path.join(folder, "matcalc.pack")))));
python.runPython(START);
python.runPython(`
from matcalc.serve.browser import remember
remember()`);
fs.writeFileSync(path.join(folder, "memory"), python.makeMemorySnapshot());
process.exit(0);
"""
