"""The page as a folder: Python and matcalc in the browser itself, with no server but one that hands out files.

Pyodide comes from a folder that holds it. The libraries are those that are installed here, in their pure form; where
Node can run Pyodide (`ahead.py`), they are compiled beforehand, and the page starts from an image of the memory.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from matcalc import __version__
from matcalc.errors import MatcalcError
from matcalc.serve.ahead import compile_ahead, image_ahead
from matcalc.serve.assets import assets
from matcalc.templating import template_folder

CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
LIBRARIES = {"sympy": "sympy", "mpmath": "mpmath", "jinja2": "Jinja2", "lark": "lark", "markupsafe": "MarkupSafe"}
LEFT_OUT = {"__pycache__", "tests", "benchmarks", "testing"}
COMPILED = {".so", ".pyd", ".pyc", ".c", ".pyi"}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src data:; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
NEED = (
    "the page needs Pyodide, Python for browsers: `npm install pyodide@314` in this folder, or unpack a release of it, "
    "and name its folder with --pyodide ({0} is missing in {1})"
)


@dataclass(frozen=True)
class Site:
    """What was written.

    Attributes:
        folder: where.
        size: in bytes.
        numpy: whether NumPy is in it.
        compiled: whether the libraries were compiled beforehand.
        image: whether the page starts from an image of the memory, in which all is imported.
    """

    folder: Path
    size: int
    numpy: bool
    compiled: bool
    image: bool


def write_site(folder: Path, pyodide: Path, node: str | None = None) -> Site:
    """Write the page into a folder.

    Args:
        folder: is made where it is missing; what is in it stays, but for files of the same names.
        pyodide: a folder with Pyodide; where NumPy for it lies beside, it is taken too.
        node: the command that runs Node, to compile the libraries; None for not at all.

    Raises:
        MatcalcError: Pyodide is not there, or the folder cannot be written.
    """
    missing = [name for name in CORE if not (pyodide / name).is_file()]
    if missing:
        raise MatcalcError(NEED.format(missing[0], pyodide))
    try:
        (folder / "pyodide").mkdir(parents=True, exist_ok=True)
        wheels = _numpy(pyodide)
        for name in (*CORE, *wheels):
            shutil.copyfile(pyodide / name, folder / "pyodide" / name)
        for name, asset in assets().items():
            (folder / name).write_bytes(_page(asset.content) if name == "index.html" else asset.content)
        _zip(folder / "libraries.zip", _library_files())
        _zip(folder / "matcalc.zip", _own_files())
        _licences(folder / "licenses")
        compiled = node is not None and compile_ahead(folder, node)
        _pack(folder / "matcalc.zip", folder / "matcalc.pack")
        image = compiled and not wheels and image_ahead(folder, str(node))
        settings = {"numpy": bool(wheels), "image": image, "version": __version__}
        (folder / "site.json").write_text(json.dumps(settings) + "\n")
    except OSError as error:
        raise MatcalcError(f"cannot write {error.filename or folder}: {error.strerror}") from None
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Site(folder, size, bool(wheels), compiled, image)


def _page(content: bytes) -> bytes:
    text = content.decode()
    text = text.replace('data-backend="server"', 'data-backend="browser"')
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return text.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}').encode()


def _numpy(pyodide: Path) -> list[str]:
    """The wheels of NumPy and of what it needs, as Pyodide names them; nothing where one is not there."""
    packages = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted, wheels = ["numpy"], []
    while wanted:
        package = packages.get(wanted.pop())
        if package is None or not (pyodide / package["file_name"]).is_file():
            return []
        wheels.append(package["file_name"])
        wanted += package["depends"]
    return wheels


# ------------------------------------------------------------------------------------------------ Python


def _library_files() -> Iterator[tuple[str, Path]]:
    for name in LIBRARIES:
        spec = find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise MatcalcError(f"{name} is not installed as a folder here: it cannot be packed")
        yield from _files(Path(next(iter(spec.submodule_search_locations))), name)


def _own_files() -> Iterator[tuple[str, Path]]:
    package = Path(__file__).resolve().parent.parent
    yield from (entry for entry in _files(package, "matcalc") if not entry[0].startswith("matcalc/templates/"))
    yield from _files(template_folder(), "matcalc/templates")


def _files(folder: Path, top: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if (
            path.is_file()
            and not LEFT_OUT & set(inside.parts)
            and (path.suffix not in COMPILED or top.endswith("templates"))
        ):
            yield str(PurePosixPath(top, *inside.parts)), path


def _zip(archive: Path, entries: Iterable[tuple[str, Path]]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, path in entries:
            packed.write(path, name)


def _pack(archive: Path, pack: Path) -> None:
    """The files of an archive one after the other, a table of their names and sizes before them, compressed as one.

    A browser is done with it at once, while the files of an archive take it half a second.
    """
    with zipfile.ZipFile(archive) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    table = json.dumps([[name, len(content)] for name, content in contents.items()]).encode()
    whole = len(table).to_bytes(4, "little") + table + b"".join(contents.values())
    pack.write_bytes(gzip.compress(whole, mtime=0))
    archive.unlink()


def _licences(folder: Path) -> None:
    """The licences of what is packed, as their distributions carry them."""
    folder.mkdir(exist_ok=True)
    for name in LIBRARIES.values():
        try:
            found = [f for f in distribution(name).files or () if re.search(r"LICEN[CS]E", f.name.upper())]
        except PackageNotFoundError:
            continue
        texts = [Path(str(f.locate())).read_text(encoding="utf-8", errors="replace") for f in found]
        (folder / f"{name}.txt").write_text("\n\n".join(texts), encoding="utf-8")
