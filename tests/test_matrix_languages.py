"""Functions in R (and other languages with matrices): what they give in a process of the language is what NumPy gives.

One process runs the functions of all operations, one those of the reference cases, since a start takes time.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import support
from case_support import VALID, derive, sample
from refusals import REFUSED, REFUSED_CASES
from support import OPERATIONS, derived, values_of
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc import core
from matcalc.cli import main
from matcalc.dims import symbol
from matcalc.errors import MatcalcError, NoRuleError
from matcalc.functions.request import requested, signature
from matcalc.kinds import KINDS
from matcalc.targets.r.expressions import number
from matcalc.targets.registry import target_names, target_of

PROGRAMS = {"r": "Rscript", "octave": "octave-cli"}
ROOT = Path(__file__).resolve().parent.parent
Function = Callable[..., Any]


@pytest.fixture(params=PROGRAMS)
def target(request: pytest.FixtureRequest) -> str:
    """A target whose program is installed."""
    name = str(request.param)
    if shutil.which(PROGRAMS[name]) is None:
        pytest.skip(f"needs {PROGRAMS[name]}")
    return name


def functions_of(target: str, wanted: list[tuple[mc.Derivation, str]]) -> list[Function]:
    """The functions of some derivations, in one process."""
    runner = target_of(target).runner
    assert runner is not None
    return runner([(d.code(kind, target), signature(d, requested(d, kind, target))) for d, kind in wanted])


@cache
def of_operations(target: str) -> dict[tuple[str, str], Function]:
    """The functions of all operations that the target has."""
    kinds = ("value", "gradient")
    keys = [(name, kind) for name in OPERATIONS for kind in kinds if name not in REFUSED[target][kind]]
    return dict(zip(keys, functions_of(target, [(derived(*key), key[1]) for key in keys])))


@cache
def of_cases(target: str) -> dict[str, Function]:
    """The functions of the reference cases that the target has."""
    cases = [case for case in CASES if case["id"] not in REFUSED_CASES[target]]
    found = functions_of(target, [(derive(case), case["kind"]) for case in cases])
    return {case["id"]: f for case, f in zip(cases, found)}


def agree(found: Any, wanted: Any, tolerance: float = 1e-9) -> None:
    """Whether a value, a dict or a pair of them are what NumPy gives."""
    if isinstance(wanted, tuple):
        assert len(found) == len(wanted)
        for part, right in zip(found, wanted):
            agree(part, right, tolerance)
    elif isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name, right in wanted.items():
            agree(found[name], right, tolerance)
    else:
        assert np.shape(found) == np.shape(wanted)
        assert np.allclose(found, wanted, rtol=0, atol=tolerance * max(1.0, float(np.abs(wanted).max())))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation(name: str, target: str) -> None:
    for kind in ("value", "gradient"):
        if name in REFUSED[target][kind]:
            continue
        arrays, dims = values_of(name, kind), dict(support.SIZES)
        wanted = derived(name, kind).function(kind)(**arrays, dims=dims)
        agree(of_operations(target)[name, kind](**arrays, dims=dims), wanted)


CASES = VALID[::3]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reference_cases(case: dict[str, Any], target: str) -> None:
    d, dims = derive(case), case["dims"][0]
    if case["id"] in REFUSED_CASES[target]:
        with pytest.raises(NoRuleError):
            d.code(case["kind"], target)
        return
    arrays = sample(case, dims)
    agree(of_cases(target)[case["id"]](**arrays, dims=dims), d.function(case["kind"])(**arrays, dims=dims))


# Cases whose Hessians multiply vec of a matrix with a matrix whose rows are counted the other way round: n k, k n.
COUNTED = ["tb-se-sumsqrtrows", "tb-fn-std2", "tb-fn-lse2", "ml-moe-G", "ml-rmsnorm-X"]


@cache
def of_hessians(target: str) -> list[tuple[dict[str, Any], mc.Derivation, Function]]:
    """The Hessians of some cases."""
    cases = [case for case in VALID if case["id"] in COUNTED]
    derivations = [derive(case) for case in cases]
    return list(zip(cases, derivations, functions_of(target, [(d, "hessian") for d in derivations])))


@pytest.mark.parametrize("number", range(len(COUNTED)))
def test_hessians_of_matrices(number: int, target: str) -> None:
    case, d, function = of_hessians(target)[number]
    dims = case["dims"][0]
    arrays = sample(case, dims)
    agree(function(**arrays, dims=dims), d.function("hessian")(**arrays, dims=dims))


KINDS_OF = [
    ("sum(log(1 + exp(-y.*(X*w))))/n + a*w'*w", {"X": ("n", "k"), "y": ("n", 1), "w": ("k", 1), "a": (1, 1)}),
    ("b*exp(A/3)*c", {"A": ("n", "n"), "b": (1, "n"), "c": ("n", 1)}),
]


@cache
def of_kinds(target: str) -> list[tuple[mc.Derivation, str, Function]]:
    """Functions of every kind, of scalar functions and of one that is none."""
    wanted = [(mc.derive(text, shapes=shapes), kind.name) for text, shapes in KINDS_OF for kind in KINDS]
    plain = mc.derive("tanh(X*w + 1)", shapes={"X": ("n", "k"), "w": ("k", 1)})
    wanted += [(plain, kind) for kind in ("value", "jacobian", "jvp", "vjp")]
    return [(d, kind, f) for (d, kind), f in zip(wanted, functions_of(target, wanted))]


@pytest.mark.parametrize("sizes", [{"n": 4, "k": 3}, {"n": 1, "k": 3}, {"n": 4, "k": 1}, {"n": 1, "k": 1}])
def test_every_kind_at_all_sizes(sizes: dict[str, int], target: str) -> None:
    """Matrices with one row or column, and of one entry, stay matrices; numbers stay numbers."""
    rng = np.random.default_rng(0)
    for d, kind, function in of_kinds(target):
        arrays = {}
        for name, v in d.graph.declared.items():
            arrays[name] = rng.normal(size=[s if isinstance(s, int) else sizes[str(s)] for s in v.shape])
        for form in (arrays, {k: float(a.item()) if a.size == 1 else np.squeeze(a) for k, a in arrays.items()}):
            if any(np.ndim(form[k]) < 2 and not any(s == 1 for s in d.graph.declared[k].shape) for k in form):
                continue
            more: dict[str, Any] = {}
            if kind in ("jvp", "hvp"):
                more["tangents"] = {k: np.cos(a) for k, a in list(form.items())[:2]}
            if kind == "vjp":
                shape = np.shape(d.function("value")(**arrays))
                more["cotangent"] = rng.normal(size=shape) if shape else 2.0
            agree(function(**form, **more), d.function(kind)(**form, **more))


@cache
def of_networks(target: str) -> dict[str, Function]:
    found = functions_of(target, [(mc.derive(text, wrt=wrt), "value_and_grad") for text, wrt in SOURCES.values()])
    return dict(zip(SOURCES, found))


@pytest.mark.parametrize("name", SOURCES)
def test_networks_and_likelihoods(name: str, target: str) -> None:
    source, wrt = SOURCES[name]
    d = mc.derive(source, wrt=wrt)
    arrays = arrays_of(d)
    agree(of_networks(target)[name](**arrays), d.function("value_and_grad")(**arrays))


LARGE = {
    "sum(softplus(x))": [-1e3, 0.0, 1e3],
    "sum(sigmoid(x))": [-1e3, 0.0, 1e3],
    "logsumexp(x)": [1e3, 1e3, -1e3],
    "sum(log_softmax(x, 1))": [1e3, -1e3, 0.0],
    "sum(log1mexp(x))": [1e-20, 1.0, 100.0],
    "sum(expm1(x)) + sum(log1p(x))": [1e-20, 1e-10, 1e-5],
    "sum(erf(x))": [1e-20, 1e-5, -1e-10],
    "sum(erfc(x))": [5.0, 10.0, 20.0],
    "sum(normlogcdf(x))": [-40.0, -5.0, 9.0],
    "sum(normratio(x))": [-1e6, -40.0, -5.0, 9.0],
    "sum(huber(x, 1/3)) + sum(elu(x))": [1e-20, 1e-3, -1e-9],
    "norm2(x)": [1e-200, 1e100, 1e99],
    "sum(x/3) + 0.7071067811865476*sum(x) + pi*sum(x)": [1.0, 1e-3, 7.0],
}


@cache
def of_large(target: str) -> dict[str, Function]:
    wanted = [(mc.derive(text, shapes={"x": ("n", 1)}), "value_and_grad") for text in LARGE]
    return dict(zip(LARGE, functions_of(target, wanted)))


@pytest.mark.parametrize("text", LARGE)
def test_large_and_small_values(text: str, target: str) -> None:
    """Nothing overflows, and what is small is not lost: relative errors, entry by entry."""
    d = mc.derive(text, shapes={"x": ("n", 1)})
    x = np.array(LARGE[text])[:, None]
    value, gradient = d.function("value_and_grad")(x=x)
    found, slope = of_large(target)[text](x=x)
    assert np.isfinite(value)
    assert found == pytest.approx(value, rel=1e-12)
    assert np.allclose(slope["x"], gradient["x"], rtol=1e-11, atol=1e-300)


def test_what_is_refused(target: str) -> None:
    d = mc.derive("sum(A*x) + log(n - 1)", shapes={"A": ("n", "k"), "x": ("k", 1)})
    f = d.function("value_and_grad", target)
    A, x = np.arange(6.0).reshape(2, 3), np.ones((3, 1))
    assert f(A=A, x=x)[0] == pytest.approx(15)
    for wrong in ({"A": A.T, "x": x}, {"A": A, "x": np.ones((3, 2))}, {"A": np.ones((0, 3)), "x": x}):
        with pytest.raises(ValueError, match=r"[Ax]"):
            f(**wrong)
    assert f(A=A, x=x)[0] == pytest.approx(15)  # the process is still there
    with pytest.raises(NoRuleError, match="abstract functions"):
        mc.derive("sum(phi(x))", shapes={"x": ("n", 1)}, functions=["phi"]).code("value", target)


def test_sizes_that_no_input_has(target: str) -> None:
    a = core.var("a", 1, 1)
    d = mc.derive(core.add(core.scale(a, core.total(core.ones("n", "k"))), core.divide(a, core.number(symbol("k")))))
    assert d.function("value_and_grad", target)(a=2.0, dims={"n": 3, "k": 4})[0] == pytest.approx(24.5)


def test_a_size_that_is_divided_by(target: str) -> None:
    f = mc.derive("var(x, 1, 1)", shapes={"x": ("n", 1)}).function("value", target)
    assert f(x=np.array([1.0, 2.0, 4.0])) == pytest.approx(7 / 3)
    with pytest.raises(ValueError, match="n - 1"):
        f(x=np.ones((1, 1)))


NAMES = ["c", "t", "list", "end", "double", "next", "gradient", "x", "p", "value", "length", "i", "T", "q", "static"]


def test_names_that_the_language_has(target: str) -> None:
    """Variables called as its functions and words: they keep their values, and the functions are found."""
    text = " + ".join(f"max(log(1 + exp({name}/{k + 1})))*sum({name})" for k, name in enumerate(NAMES))
    d = mc.derive(text, shapes=dict.fromkeys(NAMES, ("n", 1)))
    arrays = {name: np.arange(1.0, 4.0)[:, None] + k for k, name in enumerate(NAMES)}
    agree(d.function("gradient", target)(**arrays), d.function("gradient")(**arrays))


def test_check_by_the_language(target: str) -> None:
    d = mc.derive("sum(log(1 + exp(-y.*(X*w))))", wrt="w", shapes={"X": ("n", "k"), "y": ("n", 1), "w": ("k", 1)})
    assert d.check(target=target, trials=2)
    assert d.check(target=target, trials=1, kind="hessian")


@pytest.mark.parametrize("target", target_names())
def test_check_by_every_target(target: str) -> None:
    """Each runs, or says what it needs; a variable that the function does not depend on has the derivative 0."""
    shapes = {"X": ("n", "k"), "y": ("n", 1), "w": ("k", 1), "a": (1, 1), "v": ("n", 1)}
    d = mc.derive("sum(log(1 + exp(-y.*(X*w)))) + a*w'*w", wrt=["w", "a", "v"], shapes=shapes)
    try:
        assert d.check(target=target, trials=2)
        if target not in ("cpp", "armadillo", "rcpp", "stan"):  # another program, which takes as long to be compiled
            assert d.check(target=target, trials=1, kind="hessian")
    except MatcalcError as error:
        if "needs" not in str(error):
            raise
        pytest.skip(str(error).partition(":")[0])


def test_what_no_function_takes(target: str) -> None:
    """As in NumPy: no complex numbers, no vectors where a matrix is needed, no further axes."""
    d = mc.derive("sum(A*x)", shapes={"A": ("n", "k"), "x": ("k", 1)})
    A, x = np.ones((2, 2)), np.ones(2)
    for wrong, said in (
        ({"A": A * 1j, "x": x}, "A must be an array of real numbers"),
        ({"A": x, "x": x}, "A must be a 2-D array"),
        ({"A": A, "x": 2.0}, "x must be a 2-D array"),
        ({"A": A, "x": A[None]}, "x must be a 2-D array"),
    ):
        for by in ("numpy", target):
            with pytest.raises(ValueError, match=said):
                d.function("value", by)(**wrong)


# ------------------------------------------------------------------------------------------------ R


def r(text: str) -> str:
    """What an R program prints."""
    if shutil.which("Rscript") is None:
        pytest.skip("needs Rscript")
    command = ["Rscript", "--vanilla", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_forms_of_inputs_in_r(tmp_path: Any) -> None:
    """A plain vector with names gives one, a matrix with dimnames too; whole numbers and data frames are taken."""
    d = mc.derive("sum((X*w - y).^2)", wrt=["w", "X"], shapes={"X": ("n", "k"), "w": ("k", 1), "y": ("n", 1)})
    (tmp_path / "f.R").write_text(d.code("gradient", "r"))
    program = f"""
    source("{tmp_path / "f.R"}")
    X <- data.frame(a = 1:3, b = c(2L, 0L, 1L))
    g <- gradient(X, c(u = 1, v = 2), 1:3)
    stopifnot(identical(names(g$w), c("u", "v")), is.null(dim(g$w)), identical(colnames(g$X), c("a", "b")))
    stopifnot(identical(dim(gradient(X, matrix(1:2), 1:3)$w), c(2L, 1L)))
    said <- tryCatch(gradient(X, 1:3, 1:3), error = conditionMessage)
    stopifnot(said == "w is 3 x 1; needed 2 x 1")
    stopifnot(grepl("must be a matrix of numbers", tryCatch(gradient(X, "a", 1), error = conditionMessage)))
    cat(g$w)
    """
    assert r(program) == "20 20"


def test_numbers_in_r_are_exact() -> None:
    rng = np.random.default_rng(0)
    values = [*rng.normal(size=300), *(10.0 ** rng.uniform(-300, 300, size=300)), 0.1, 1 / 3, 5e-324, 2.0**53 + 2]
    found = r(f"writeLines(sprintf('%a', c({', '.join(number(float(v)) for v in values)})))").split()
    assert [float.fromhex(text) for text in found] == values


def test_factors_are_kept_as_r_gives_them() -> None:
    d = mc.derive(
        "logdet(S) + a'*inv(S)*a", wrt="a", shapes={"S": ("n", "n"), "a": ("n", 1)}, facts={"S": "positive-definite"}
    )
    text = d.code(target="r")
    assert "chol(S)" in text
    assert "backsolve(" in text
    assert " solve(" not in text
    text = mc.derive("norm2(X*w)^2", wrt="w", shapes={"X": ("n", "k"), "w": ("k", 1)}).code("gradient", target="r")
    assert "crossprod(X, " in text


@pytest.mark.parametrize(
    "said",
    [
        "d <- diag(5); length(diag(5)) == 25",  # diag of one number is an identity
        "is.null(dim(matrix(1:4, 2)[1, ]))",  # one row of a matrix is a vector
        'inherits(try(matrix(1, 2, 3) + matrix(1, 1, 3), silent = TRUE), "try-error")',  # no broadcasting of a row
        "identical(matrix(1, 2, 2) + 1:2, matrix(c(2, 3, 2, 3), 2))",  # a plain vector goes along the columns
        'inherits(try(solve(diag(c(1e-17, 1))), silent = TRUE), "try-error")',  # refused, though exact
        'inherits(try(matrix(2, 1, 1) * matrix(1:4, 2), silent = TRUE), "try-error")',  # 1 x 1 is not repeated
        "is.na(.Machine$integer.max + 1L)",  # whole numbers overflow
        "is.null(dim(pmax(0, matrix(1:4, 2))))",  # the form of the first argument
        "identical(dim(kronecker(1:2, 1:2)), NULL) || length(dim(kronecker(1:2, 1:2))) == 1",
        "identical(dim(apply(matrix(1:3, 1), 2, cumsum)), NULL)",  # one row: a vector
    ],
)
def test_traps_of_r(said: str) -> None:
    """What the printer works around is still so: docs/languages.md says it."""
    assert r(f"options(warn = -1); cat(isTRUE({{ {said} }}))") == "TRUE"


def test_the_r_code_of_the_documentation(tmp_path: Path) -> None:
    """Each block is run in a folder with the files that the commands before it write."""
    text = (ROOT / "docs" / "languages.md").read_text(encoding="utf-8")
    for command in re.findall(r"^\$ matcalc (code .*--target r -o .*)$", text, re.MULTILINE):
        parts = shlex.split(command.replace("examples/", f"{ROOT}/examples/"))
        assert main([*parts[:-1], str(tmp_path / parts[-1])]) == 0
    for block in re.findall(r"^```r\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        wanted = [line.removeprefix("#>").split() for line in block.splitlines() if line.startswith("#>")]
        found = r(f'setwd("{tmp_path}")\nset.seed(1)\n{block}').splitlines()
        assert [line.split() for line in found] == wanted


def test_files_of_code(tmp_path: Path) -> None:
    d = mc.derive("sum(X.^2)", shapes={"X": ("n", "k")})
    assert d.export(tmp_path / "f.R", kind="value").read_text() == d.code("value", "r")
    assert d.export(tmp_path / "f.py").read_text() == d.code()
    assert main(["export", "sum(X.^2)", "--shape", "X=n,k", "-o", str(tmp_path / "g.R")]) == 0
    assert "value_and_grad <- function(X)" in (tmp_path / "g.R").read_text()


# ------------------------------------------------------------------------------------------------ Octave and MATLAB


@pytest.mark.parametrize(
    "said",
    [
        "isequal([1 1; 0 1]^0.5, eye(2))",  # a defective matrix
        "isequal(2^[1 1; 0 1], [2 0; 0 2])",
        "~isreal(log(-1)) && ~isreal(gammaln(-0.5)) && ~isreal((-8)^(1/3)) && ~isreal(acosh(0))",
        "max([NaN 1]) == 1",
        "all(isfinite([1 1; 1 1] \\ [1; 2]))",  # least squares, with a warning
        "isequal(diag([0 1]) \\ [1; 1], [0; 1])",  # zeros are left out
        "isequal(sum([1 2 3]), 6) && isequal(size(diag([1 2])), [2 2])",
        "full(pinv(diag([1 1e-30])))(2, 2) > 1e29",
        "int32(7) / 2 == 4",
    ],
)
def test_traps_of_octave(said: str) -> None:
    if shutil.which("octave-cli") is None:
        pytest.skip("needs octave-cli")
    command = ["octave-cli", "--no-init-file", "--quiet", "--eval", f"warning('off', 'all'); disp({said})"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "1", done.stderr


@pytest.mark.parametrize(
    ("source", "matrix", "wanted"),
    [
        ("A^0.5", [[1.0, 1.0], [0.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]]),  # defective
        ("logm(A)", [[1.0, 1e6], [0.0, 1.0]], [[0.0, 1e6], [0.0, 0.0]]),
        ("sqrtm(A)", [[-1.0, 0.0], [0.0, 2.0]], None),  # not real
        ("logm(A)", [[-1.0, 0.0], [0.0, 2.0]], None),
        ("expm(A)", [[0.0, 1e3], [0.0, 0.0]], [[1.0, 1e3], [0.0, 1.0]]),
        ("eigvals(A)", [[0.0, 1.0], [-1.0, 0.0]], None),  # complex
        ("pinv(A)", [[1.0, 2.0], [2.0, 4.0]], [[0.04, 0.08], [0.08, 0.16]]),
        ("adj(A)", [[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        ("where(A > 0, log(A), 0)", [[-1.0, 1.0], [0.5, -3.0]], [[0.0, 0.0], [np.log(0.5), 0.0]]),
        ("relu(A)", [[np.nan, 1.0], [-1.0, 2.0]], [[np.nan, 1.0], [0.0, 2.0]]),
    ],
)
def test_special_matrices(source: str, matrix: list[list[float]], wanted: Any, target: str) -> None:
    """Defective and singular ones, and those for which there is no real value (nan)."""
    d = mc.derive(source, shapes={"A": ("n", "n")})
    found = d.function("value", target)(A=np.array(matrix))
    assert np.allclose(found, np.nan if wanted is None else wanted, rtol=1e-7, atol=1e-9, equal_nan=True)


def test_singular_systems_are_refused(target: str) -> None:
    f = mc.derive("inv(A)*b", shapes={"A": ("n", "n"), "b": ("n", 1)}).function("value", target)
    assert np.allclose(f(A=np.diag([1e-20, 1.0]), b=np.ones((2, 1))), [[1e20], [1.0]])
    with pytest.raises(ValueError, match="singular"):
        f(A=np.ones((2, 2)), b=np.ones((2, 1)))
    fit = mc.derive("solve(X'*X, X'*y)", shapes={"X": ("n", "k"), "y": ("n", 1)}).function("value", target)
    with pytest.raises(ValueError, match="singular"):
        fit(X=np.ones((3, 2)), y=np.ones((3, 1)))


FORBIDDEN = (
    r"[\"#]|\+=|-=|\*=|!=|\+\+|\*\*|\bend(?:if|for|while|function|switch)\b|\bprintf\b|\bunwind_protect\b|\buntil\b"
)


def test_matlab_reads_it_too() -> None:
    """Nothing that only Octave has: its words, operators, comments and quotes."""
    helpers = (ROOT / "templates" / "octave_helpers.m").read_text(encoding="utf-8")
    texts = [mc.derive(text, wrt=wrt).code("value_and_grad", "octave") for text, wrt in SOURCES.values()]
    for text in (helpers, *texts):
        code = "\n".join(line.partition("%")[0] for line in text.splitlines())
        assert re.search(FORBIDDEN, code) is None
        assert not re.search(r"\)\s*[({]", re.sub(r"\([^()]*\)\(", "", code)) or "@(" in code
        opened = len(re.findall(r"^\s*(?:function|if|for|while|switch|try)\b", code, re.MULTILINE))
        assert opened == len(re.findall(r"^\s*end$", code, re.MULTILINE))
