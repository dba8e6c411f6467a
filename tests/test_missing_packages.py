"""Without an optional package: what does not need it works, the rest names it and the command that installs it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import matcalc as mc
from matcalc.targets.registry import target_names, target_of

BLOCKED = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Gone())
"""


def without(packages: tuple[str, ...], program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter that has not these packages."""
    text = BLOCKED.format(blocked=set(packages)) + textwrap.dedent(program)
    command = [sys.executable, "-W", "ignore", "-c", text, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


SCIPY = "pip install matcalculus[scipy]"
COMMAND = "from matcalc.cli import main\nsys.exit(main(sys.argv[1:]))"
SOURCES = ("sum(log(normcdf(x)))", "x'*sqrtm(A)*x", "sum(gammaln(x))", "x'*logm(A)*x", "sum(gelu(x))", "tr(A^0.5)")


def test_every_view_but_numbers_works_without_scipy():
    program = f"""
    import matcalc as mc, pathlib, tempfile
    for source in {SOURCES!r}:
        used = {{k: v for k, v in {{"x": ("n", 1), "A": ("n", "n")}}.items() if k in source.replace("max", "")}}
        d = mc.derive(source, [*used][0], shapes=used)
        for view in (d.text, d.latex, d.markdown, d.code, lambda: d.code("hessian"), lambda: d.code(target="jax")):
            try:
                assert view()
            except mc.NoRuleError:
                pass
        folder = pathlib.Path(tempfile.mkdtemp())
        for suffix in ("md", "html", "tex", "json"):
            d.export(folder / f"a.{{suffix}}")
            assert "SciPy: pip install" in (folder / f"a.{{suffix}}").read_text()
        for number in (d.check, d.function, lambda: d.check(kind="hessian")):
            try:
                number()
            except mc.MissingDependencyError as error:
                assert "SciPy: {SCIPY}" in str(error)
            else:
                raise AssertionError(source)
        right = str(d.gradient())
        assert d.claim(d.names[0], right).status == "proved"
        verdict = d.claim(d.names[0], f"2*({{right}})")
        assert verdict.status == "undecided" and "{SCIPY}" in str(verdict), verdict
    """
    done = without(("scipy",), program)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("source", ["norm2(X*w - y)^2", "logdet(S) + y'*inv(S)*y", "sum(log(1 + exp(-y .* (X*w))))"])
def test_what_needs_no_scipy_is_whole_without_it(source):
    program = f"""
    import matcalc as mc
    shapes = {{"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1), "S": ("n", "n")}}
    d = mc.derive({source!r}, shapes={{k: v for k, v in shapes.items() if k in {source!r}}})
    assert d.check(trials=1) and d.check(trials=1, kind="hessian")
    """
    done = without(("scipy",), program)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("command", ["derive", "code", "check", "export", "claim"])
def test_every_command_without_scipy(command, tmp_path):
    more = {"export": ["-o", str(tmp_path / "a.md")], "claim": ["--name", "x", "x"]}.get(command, [])
    of = ["--of", "sum(normcdf(x))"] if command == "claim" else ["sum(normcdf(x))"]
    done = without(("scipy",), COMMAND, command, *of, *more, "--shape", "x=n,1")
    assert "defect" not in done.stderr, done.stderr
    assert done.returncode == {"check": 2, "claim": 3}.get(command, 0), done.stderr
    said = {"check": done.stderr, "claim": done.stdout}
    assert command not in said or SCIPY in said[command]


def test_a_package_that_a_target_needs_is_named():
    done = without(
        tuple(filter(None, (target_of(name).library for name in target_names()))),
        """
        import matcalc as mc
        d = mc.derive("x'*x", shapes={"x": ("n", 1)})
        for target in ("jax", "torch", "numba"):
            assert d.code(target=target)
            try:
                d.function(target=target)
            except mc.MissingDependencyError as error:
                assert f"pip install {target}" in str(error), error
            else:
                raise AssertionError(target)
        """,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_linear_operators_name_scipy():
    program = """
    import matcalc as mc, numpy as np
    d = mc.derive("x'*A*x", "x", shapes={"x": ("n", 1), "A": ("n", "n")})
    try:
        d.function("hessian", form="operator")(x=np.ones(2), A=np.eye(2))
    except mc.MissingDependencyError as error:
        assert "a linear operator needs SciPy: pip install" in str(error)
    else:
        raise AssertionError
    """
    done = without(("scipy",), program)
    assert done.returncode == 0, done.stderr[-2000:]


def test_sizes_that_no_variable_has_are_drawn():
    assert mc.derive("x: n x 1; Y: m x n; sum(ones(m, n)*x)", "x").check()


def test_every_module_can_be_imported_without_optional_packages():
    program = """
    import importlib, pkgutil
    import matcalc
    for module in pkgutil.walk_packages(matcalc.__path__, "matcalc."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                print(module.name, error)
    """
    optional = (
        "jax",
        "torch",
        "numba",
        "scipy",
        "dask",
        "mcp",
        "anywidget",
        "typst",
        "IPython",
        "nbclient",
        "ipykernel",
    )
    done = without(optional, program)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
