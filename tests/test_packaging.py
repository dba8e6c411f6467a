"""The package as a whole: its layers, its imports, its documents, and what its builds contain."""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import matcalc
import matcalc.ops
from matcalc.expr import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "matcalc"
FILES = sorted(PACKAGE.rglob("*.py"))

# A file imports from its own layer and from lower ones only.
LAYERS = (
    ("errors", "naming", "exact", "dims", "kinds", "optional", "patience", "notation", "templating", "languages"),
    ("traits", "expr", "walk", "core", "properties", "steps"),
    ("map_kinds", "maps", "linop", "vecform", "linearize"),
    ("ops",),
    ("rewrite", "rules", "printing", "emit", "targets", "indices"),
    ("numeric",),
    ("graph",),
    ("frontend",),
    ("calculus",),
    ("views", "functions"),
    ("loops",),
    ("curvature",),
    ("claims",),
    ("optimum",),
    ("export",),
    ("explore",),
    ("api",),
    ("extend",),
    ("serve", "__version__"),
    ("cli", "cli_options", "cli_completion", "__main__", "__init__"),
)
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}
LONGEST = 400
OPTIONAL = ("scipy", "IPython", "nbclient", "nbformat", "mcp", "anyio", "anywidget", "traitlets", "typst")


def room(path: Path) -> str:
    """The part of the package in which a file lies: `ops` for matcalc/ops/products.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """The full names of the modules and of the names in them that some code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_from_its_own_or_lower_layers(path: Path) -> None:
    level = LAYER[room(path)]
    for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top, _, rest = name.partition(".")
        if top != "matcalc":
            continue
        used = rest.split(".")[0]
        assert LAYER[used] <= level, f"{path.name} imports {name}"


def module_of(path: Path) -> str:
    """The full name of a file's module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_files(path: Path) -> set[Path]:
    """The files of the package that a file imports at its top or for type checking; not those inside of functions."""
    files = {module_of(other): other for other in FILES}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for inner in ast.walk(tree):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner.body = []
    found = {files.get(name, files.get(name.rpartition(".")[0])) for name in imports(tree)}
    return {other for other in found if other is not None and other.name != "__init__.py"} - {path}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {path: imported_files(path) for path in FILES if path.name != "__init__.py"}
    assert sum(map(len, graph.values())) > len(graph), "the imports are not found"
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail("a circle: " + " imports ".join(module_of(path) for path in reversed(error.args[1])))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_in_functions_are_of_optional_packages_only(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))]
    for name in (name for function in functions for name in imports(function)):
        assert name.split(".")[0] in OPTIONAL, f"{path.name} imports {name} inside a function"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert len(text.splitlines()) <= LONGEST, "split it: one subject each"


# These two define the constructors; the maps lie below the catalogue and take what they are made of from the registry.
BY_NAME = {"node": ("expr", "core"), "record": ("ops", "linop", "vecform")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_operations_are_imported_and_not_named_by_strings(path: Path) -> None:
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in BY_NAME and call.args:
            named = [
                n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            ]
            assert not named or room(path) in BY_NAME[call.func.id], f"{call.func.id}({named[0]!r}): import the record"


# Doors and targets have vocabularies of their own, evaluators their implementations; rules and lessons are about
# operations one by one.
VOCABULARIES = ("ops", "rules", "emit", "targets", "frontend", "numeric", "views")
ELSEWHERE = [path for path in FILES if room(path) not in VOCABULARIES]


@pytest.mark.parametrize(
    "path", [p for p in FILES if room(p) not in VOCABULARIES], ids=lambda p: str(p.relative_to(ROOT))
)
def test_what_is_so_of_some_operations_is_a_trait_of_their_records(path: Path) -> None:
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            words = [n.value for n in ast.walk(statement.value) if isinstance(n, ast.Constant)]
            names = [word for word in words if word in REGISTRY]
            assert len(names) < 2 or 2 * len(names) < len(words), f"{statement.targets[0].id} lists operations"


def test_every_room_has_its_layer_and_its_line_in_the_architecture() -> None:
    rooms = {room(path) for path in FILES}
    assert rooms <= set(LAYER)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name in sorted(rooms - {"__init__", "__main__"}):
        assert f"`{name}.py`" in page or f"`{name}/`" in page, f"docs/architecture.md does not name {name}"


def test_the_public_names_exist_and_the_versions_agree() -> None:
    for name in matcalc.__all__:
        assert getattr(matcalc, name) is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == matcalc.__version__


def test_import_is_lazy() -> None:
    code = "import sys, matcalc, matcalc.cli; sys.exit(any(m in sys.modules for m in ('sympy', 'numpy', 'jinja2')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_the_readme_and_ci_run_the_same_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines() if "&&" in line]
    runs = [line for line in commands if line.startswith("python3 -m venv")]
    assert len(runs) == 2
    for line in runs:
        assert line.replace("--quiet ", "") in readme


def build(kind: str, folder: Path) -> set[str]:
    """The names of the files in a built distribution."""
    pytest.importorskip("hatchling")
    code = f"import sys; from hatchling.build import build_{kind}; print(build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    path = folder / done.stdout.split()[-1]
    if kind == "wheel":
        return set(zipfile.ZipFile(path).namelist())
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_wheel_ships_the_package_the_grammar_and_the_templates(tmp_path: Path) -> None:
    names = build("wheel", tmp_path)
    files = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    templates = {f"matcalc/{path.relative_to(ROOT)}" for path in files}
    assert templates
    assert templates <= names
    assert {"matcalc/frontend/grammar.lark", "matcalc/py.typed", "matcalc/cli.py"} <= names
    assert {str(path.relative_to(ROOT)) for path in FILES} <= names
    assert not [name for name in names if not name.startswith(("matcalc/", "matcalculus-"))]
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_source_distribution_can_build_the_wheel(tmp_path: Path) -> None:
    names = build("sdist", tmp_path)
    assert {"pyproject.toml", "README.md", "LICENSE", "matcalc/frontend/grammar.lark"} <= names
    files = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    assert {str(path.relative_to(ROOT)) for path in files} <= names
