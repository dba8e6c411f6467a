"""Extensions from outside of the package, by `matcalc.extend` alone, as the files in examples/extending are."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import matcalc as mc
from matcalc import extend
from matcalc.errors import MatcalcError
from matcalc.expr import REGISTRY
from matcalc.extend import check_op, check_rule, forget
from matcalc.rewrite.rule import RULES

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "extending"
INSTALLED = [t for t in ("jax", "torch", "numba", "dask") if importlib.util.find_spec(t) is not None]


def loaded(name: str) -> ModuleType:
    """A file of examples/extending as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def snake() -> Iterator[extend.Op]:
    yield loaded("snake").snake
    forget(REGISTRY["snake"])


@pytest.fixture
def cosh_of_asinh() -> Iterator[extend.Rule]:
    yield loaded("cosh_of_asinh").cosh_of_asinh
    forget(RULES["cosh_of_asinh"])


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda p: p.stem)
def test_an_extension_imports_the_public_modules_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.module == "matcalc.extend"
        if isinstance(node, ast.Import):
            assert [alias.name for alias in node.names] == ["matcalc"]


def test_a_rule_has_at_most_eight_lines() -> None:
    assert len((FOLDER / "cosh_of_asinh.py").read_text(encoding="utf-8").splitlines()) <= 8


def test_the_pages_show_the_files() -> None:
    for page, name in (("adding_an_operation", "snake"), ("adding_a_rule", "cosh_of_asinh")):
        shown = (FOLDER.parent.parent / "docs" / f"{page}.md").read_text(encoding="utf-8")
        assert (FOLDER / f"{name}.py").read_text(encoding="utf-8").strip() in shown


# ------------------------------------------------------------------------------------------------ an operation


def test_an_operation_holds_and_has_code_for_every_target(snake: extend.Op) -> None:
    held = check_op(snake, targets=("numpy", "numba", "jax", "torch", "dask", "array-api", "c"))
    assert any("differences" in line for line in held)
    assert sum("there is code for" in line for line in held) == 7
    assert "snake(A0, 3/2) is read back" in held


@pytest.mark.parametrize("target", INSTALLED)
def test_an_operation_runs_in_every_target(snake: extend.Op, target: str) -> None:
    d = mc.derive("sum(snake(X*w, 2).^2)", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1)})
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 1))
    wanted = np.sum((X @ w + np.sin(2 * X @ w) ** 2 / 2) ** 2)
    slope = X.T @ (2 * (X @ w + np.sin(2 * X @ w) ** 2 / 2) * (1 + np.sin(4 * X @ w)))
    put = importlib.import_module(
        {"jax": "jax.numpy", "torch": "torch", "dask": "dask.array"}.get(target, "numpy")
    ).asarray
    if target == "jax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    value, gradients = d.function(target=target)(X=put(X), w=put(w))
    assert float(value) == pytest.approx(wanted)
    assert np.allclose(np.asarray(gradients["w"]), slope)


def test_an_operation_is_everywhere(snake: extend.Op) -> None:
    x = mc.var("x", "n", 1)
    assert mc.snake(x, 2) is mc.snake(x, a=2) is mc.derive("sum(snake(x, 2))").graph.output.args[0]
    d = mc.derive("sum(snake(x))", wrt="x")
    assert d.check().ok
    assert d.check(kind="hessian").ok
    assert r"\operatorname{snake}" in d.latex()
    assert "snake" in dir(mc)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"differential": lambda Y, X, a: (extend.maps.mask(1 + mc.sin(X)),)},
            "the matrix of the differential is wrong",
        ),
        ({"definition": lambda X, a: X}, "the NumPy form and the definition have other values"),
        ({"definition": lambda X, a: mc.total(X)}, "the definition is 1 x 1, the operation m x n"),
        ({"example": ("m n",)}, "the example gives 0 of 1 parameters"),
        ({"latex": extend.Template("")}, "the LaTeX form is empty"),
        ({"domain": lambda X, a: (("positive", -mc.power(X, 2)),)}, "no point with finite values, inside the domain"),
    ],
)
def test_a_wrong_operation_is_found_out(snake: extend.Op, change: dict[str, object], said: str) -> None:
    wrong = dataclasses.replace(snake, **change)
    REGISTRY["snake"] = wrong
    with pytest.raises(MatcalcError, match=said):
        check_op(wrong)


def test_an_operation_without_code_for_a_target_is_found_out(snake: extend.Op) -> None:
    REGISTRY["snake"] = dataclasses.replace(snake, numpy=lambda a: extend.Template("_nowhere({0})"))
    with pytest.raises((MatcalcError, NameError)):
        check_op("snake", targets=("jax",))


# ------------------------------------------------------------------------------------------------ a linear map


@dataclasses.dataclass(frozen=True)
class Rotated(extend.LinearMap):
    """dX -> the rows of dX turned upside down."""


def flip(n: object) -> extend.Expr:
    return mc.var("F", n, n)


def test_a_linear_map_is_declared_by_its_views() -> None:
    declare = extend.linear_map(
        apply=lambda L, dX: 2 * dX, adjoint=lambda L: L, matrix=lambda L: 2 * mc.eye(L.domain[0] * L.domain[1])
    )
    assert declare(Rotated) is Rotated
    X = mc.var("X", 2, 3)
    L = Rotated((2, 3), (2, 3))
    assert extend.apply(L, X) is 2 * X
    assert extend.adjoint(L) is L
    assert str(extend.matrix(L)) == "2*eye(6)"


# ------------------------------------------------------------------------------------------------ a rule


def test_a_rule_fires_everywhere(cosh_of_asinh: extend.Rule) -> None:
    assert check_rule(cosh_of_asinh) == ["both sides have the same values", "cosh(arcsinh(A)) becomes sqrt(1 + A.^2)"]
    shapes = {"x": ("n", 1), "y": ("n", 1)}
    for kind, source in (
        ("gradient", "sum(cosh(asinh(x)) .* y)"),
        ("jacobian", "cosh(asinh(x)) .* y"),
        ("hessian", "sum(cosh(asinh(x)) .* y.^3)"),
    ):
        d = mc.derive(source, wrt="y", shapes=shapes)
        assert "asinh" not in str(getattr(d, kind)("y"))
        assert d.check(kind=kind).ok
    assert mc.prove("x: n x 1\ncosh(asinh(x)) + x = x + sqrt(1 + x.^2)").status == "proved"


def test_a_wrong_rule_is_found_out() -> None:
    @extend.rule(A="m m", source="nowhere")
    def transposed_is_the_same(A: extend.Expr) -> tuple[extend.Expr, extend.Expr]:
        """sin(A') = sin(A)"""
        return mc.sin(A.T), mc.sin(A)

    with pytest.raises(MatcalcError, match=r"sin\(A'\) and sin\(A\) have other values"):
        check_rule("transposed_is_the_same")
    forget(transposed_is_the_same)


def test_a_rule_that_shortens_nothing_is_found_out() -> None:
    @extend.rule(A="m m", source="nowhere", group="present")
    def longer(A: extend.Expr) -> tuple[extend.Expr, extend.Expr]:
        """sin(A) = sin(A) + A - A"""
        return mc.sin(A), 2 * mc.sin(A) + mc.sin(-A)

    with pytest.raises(MatcalcError, match="is not shorter"):
        check_rule(longer)
    forget(longer)


def test_what_is_not_there_cannot_be_forgotten_or_checked(snake: extend.Op) -> None:
    with pytest.raises(MatcalcError, match="is not registered"):
        forget(dataclasses.replace(snake, name="cobra"))
    with pytest.raises(MatcalcError, match="no rule is called cobra"):
        check_rule("cobra")


# ------------------------------------------------------------------------------------------------ a source


def test_a_source_is_read_by_its_type() -> None:
    class Model:
        formula = "norm2(X*w - y)^2"

    extend.source(Model)(lambda model: model.formula)
    d = mc.derive(Model(), wrt="w", shapes={"X": ("n", "p"), "w": "p", "y": "n"})
    assert str(d.gradient("w")) == "2*X'*(X*w - y)"

    class Broken:
        pass

    extend.source(Broken)(lambda model: 3)
    with pytest.raises(MatcalcError, match="the reader of Broken must return text"):
        mc.derive(Broken())
