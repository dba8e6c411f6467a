"""Functions in C++ (Eigen, Armadillo, by Rcpp) and Stan: what they give in a program of their own is what NumPy gives.

A compiler takes up to a second for each function, so that there is one program for each target, and where that is slow
it has operations by which every function that the target calls is called.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import support
from case_support import derive, sample
from refusals import REFUSED, REFUSED_CASES
from support import OPERATIONS, derived, values_of
from test_matrix_languages import CASES, KINDS_OF, NAMES, agree, functions_of, r
from test_targets import SOURCES, arrays_of

import matcalc as mc
from matcalc.errors import NoRuleError
from matcalc.functions.request import requested, signature
from matcalc.kinds import KINDS
from matcalc.targets.stan.run import stan_folder, stan_functions
from matcalc.templating import template_folder

Task = tuple[mc.Derivation, str, dict[str, Any]]
HEADERS = {"cpp": "-I/usr/include/eigen3 -include Eigen/Core", "armadillo": "-include armadillo"}
TINY = {"n": 1, "k": 1}
STRANGE = [
    ("sqrtm(A)", [[1.0, 1.0], [0.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]]),
    ("logm(A)", [[-1.0, 0.0], [0.0, 2.0]], np.nan),
    ("where(A > 0, log(A), 0)", [[-1.0, 1.0], [0.5, -3.0]], [[0.0, 0.0], [np.log(0.5), 0.0]]),
    ("exp(A)", [[-1000.0, 710.0], [0.0, 1.0]], [[0.0, np.inf], [1.0, np.e]]),
]


@cache
def has_library(target: str) -> bool:
    """Whether there is a compiler with the headers of a library."""
    if shutil.which("g++") is None:
        return False
    command = ["g++", *HEADERS[target].split(), "-x", "c++", "-fsyntax-only", "/dev/null"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# ------------------------------------------------------------------------------------------------ what is run


def of_operations(target: str) -> list[Task]:
    """The values of all operations that a target has, with their gradients where it has these."""
    tasks: list[Task] = []
    for name in OPERATIONS:
        has = [kind for kind in ("value", "gradient") if name not in REFUSED[target][kind]]
        if has:
            kind = has[0] if len(has) == 1 else "value_and_grad"
            tasks.append((derived(name, kind), kind, values_of(name, kind)))
    return tasks


def covering(target: str, tasks: list[Task], ignored: set[str]) -> list[Task]:
    """Those tasks that call something which no task before calls."""
    seen, kept = set(ignored), []
    for d, kind, arrays in tasks:
        code = re.sub(r"//.*", "", d.code(kind, target))
        called = set(re.findall(r"\b(?:\w+::)?\w+(?=\()", code))
        if called - seen:
            kept.append((d, kind, arrays))
        seen |= called
    return kept


def of_kinds() -> list[Task]:
    """A function of every kind, at two sizes, and networks and likelihoods."""
    text, shapes = KINDS_OF[0]
    d, tasks = mc.derive(text, shapes=shapes), []
    for sizes in ({"n": 4, "k": 3}, TINY):
        rng = np.random.default_rng(0)
        arrays = {k: rng.normal(size=[sizes.get(str(s), 1) for s in shape]) for k, shape in shapes.items()}
        for made in KINDS:
            more: dict[str, Any] = {"tangents": {"w": np.cos(arrays["w"])}} if made.tangents else {}
            tasks.append((d, made.name, {**arrays, **more, **({"cotangent": 2.0} if made.cotangent else {})}))
    return tasks


def of_cases(target: str, step: int) -> list[Task]:
    """Some of the reference cases that a target has."""
    cases = [case for case in CASES[::step] if case["id"] not in REFUSED_CASES[target]]
    return [(derive(case), case["kind"], sample(case, case["dims"][0])) for case in cases]


def of_names() -> list[Task]:
    """A function of variables that are called as words and functions of the languages."""
    names = [*NAMES, "real", "target", "lower", "auto", "class", "data", "x__", "_x", "template"]
    text = " + ".join(f"max(log(1 + exp({name}/{k + 1})))*sum({name})" for k, name in enumerate(names))
    d = mc.derive(text, shapes=dict.fromkeys(names, ("n", 1)))
    return [(d, "gradient", {name: np.arange(1.0, 4.0)[:, None] + k for k, name in enumerate(names)})]


def of_even_sizes() -> list[Task]:
    """Bases of sets of matrices of an even size, and a logarithm of a determinant among numbers."""
    rng = np.random.default_rng(3)
    A, B = rng.normal(size=(2, 4, 4))
    shapes: dict[str, Any] = {"A": ("n", "n"), "B": ("n", "n")}
    given = {"symmetric": A + A.T, "skew": A - A.T}
    tasks: list[Task] = [
        (mc.derive("A*A*B", wrt="A", shapes=shapes, structure={"A": kind}), "jacobian", {"A": value, "B": B})
        for kind, value in given.items()
    ]
    tasks.append(
        (mc.derive("unvech(vech(A) + vech(B), 4)", shapes={"A": (4, 4), "B": (4, 4)}), "value", {"A": A, "B": B})
    )
    normal = mc.derive("logdet(S)/2 + a'*inv(S)*a/2", wrt="a", shapes={"S": ("n", "n"), "a": ("n", 1)})
    return [*tasks, (normal, "value_and_grad", {"S": A @ A.T, "a": B[:, :1]})]


def of_networks(count: int) -> list[Task]:
    """Values and gradients of networks and likelihoods."""
    made = [mc.derive(text, wrt=wrt) for text, wrt in list(SOURCES.values())[:count]]
    return [(d, "value_and_grad", arrays_of(d)) for d in made]


def compared(target: str, tasks: list[Task], *further: tuple[mc.Derivation, str]) -> list[Any]:
    """Compile all, compare with NumPy; the functions of what else is given."""
    wanted = list(dict.fromkeys((d, kind) for d, kind, _ in tasks))
    found = functions_of(target, [*wanted, *further])
    functions, dims = dict(zip(wanted, found)), dict(support.SIZES)
    for d, kind, arrays in tasks:
        agree(functions[d, kind](**arrays, dims=dims), d.function(kind)(**arrays))
    return found[len(wanted) :]


# ------------------------------------------------------------------------------------------------ the targets


@pytest.mark.parametrize("target", ["cpp", "armadillo", "rcpp", "stan"])
def test_the_cases_that_a_target_refuses(target: str) -> None:
    refused = set()
    for case in CASES:
        try:
            derive(case).code(case["kind"], target)
        except NoRuleError:
            refused.add(case["id"])
    assert refused == REFUSED_CASES[target]


@pytest.mark.parametrize("target", HEADERS)
def test_cpp(target: str) -> None:
    """One program with functions of operations, cases, networks, of every kind, at 1 x 1 sizes, and refusals."""
    if not has_library(target):
        pytest.skip(f"needs g++ with the headers of {'Eigen' if target == 'cpp' else 'Armadillo'}")
    tasks = of_operations(target)
    if target == "cpp":  # what is no function of Eigen is Armadillo's too
        helpers = (template_folder() / "cpp_helpers.hpp").read_text(encoding="utf-8")
        tasks = covering(target, tasks, set(re.findall(r"\b(?:\w+::)?\w+(?=\()", helpers)))
    tasks += [*of_cases(target, 12 if target == "cpp" else 1), *of_networks(5)[2:], *of_kinds()]
    tasks += of_even_sizes()
    strange = [(mc.derive(text, shapes={"A": ("n", "n")}), "value") for text, _, _ in STRANGE]
    inverse = mc.derive("inv(A)*b", shapes={"A": ("n", "n"), "b": ("n", 1)}), "value"
    *found, solution = compared(target, tasks, *strange, inverse)
    for f, (_, matrix, wanted) in zip(found, STRANGE):
        assert np.allclose(f(A=np.array(matrix)), wanted, rtol=1e-9, atol=1e-12, equal_nan=True)
    for A, b, said in ((np.ones((2, 2)), np.ones((2, 1)), "singular"), (np.eye(2), np.ones((3, 1)), "b is 3 x 1")):
        with pytest.raises(ValueError, match=said):
            solution(A=A, b=b)
    with pytest.raises(ValueError, match="b is 2 x 2; needed n x 1"):
        solution(A=np.eye(2), b=np.eye(2))


TRAPS = {
    "cpp": """#include <Eigen/Dense>
#include <cmath>
#include <iostream>
int main()
{
    const Eigen::MatrixXd x = Eigen::MatrixXd::Constant(4, 4, -1000.0), y = x.array().exp().matrix();
    const Eigen::MatrixXd l = Eigen::LLT<Eigen::MatrixXd>(-Eigen::MatrixXd::Identity(2, 2)).matrixL();
    std::cout << (y(0, 0) != 0 && std::exp(-1000.0) == 0) << l.allFinite();
}""",
    "armadillo": """#include <armadillo>
#include <iostream>
int main()
{
    const arma::mat x(2, 2, arma::fill::ones), eye(2, 2, arma::fill::eye);
    const arma::cx_mat l = arma::logmat(eye), r = arma::sqrtmat(eye);
    arma::vec column(2, arma::fill::ones);
    column(0) = 2;
    arma::mat y;
    std::cout << (arma::solve(y, x, column) && y.is_finite()) << (l.n_rows == r.n_rows);
}""",
}


@pytest.mark.parametrize("target", HEADERS)
def test_traps_of_cpp(target: str, tmp_path: Path) -> None:
    """What the printer works around is still so: docs/languages.md says it."""
    if not has_library(target):
        pytest.skip(f"needs g++ with the headers of {'Eigen' if target == 'cpp' else 'Armadillo'}")
    (tmp_path / "trap.cpp").write_text(TRAPS[target])
    flags = ["-I/usr/include/eigen3"] if target == "cpp" else ["-larmadillo"]
    subprocess.run(["g++", "-std=c++11", "trap.cpp", "-o", "trap", *flags], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "trap"], capture_output=True, text=True, check=True)
    assert done.stdout == "11"


def test_rcpp(tmp_path: Path) -> None:
    """Compiled by R, called with plain vectors and matrices."""
    probe = "cat(requireNamespace('RcppArmadillo', quietly = TRUE) && nzchar(Sys.which('g++')))"
    if r(probe) != "TRUE":
        pytest.skip("needs RcppArmadillo")
    d = mc.derive(
        "sum((X*w - y).^2) + a*w'*w",
        wrt=["w", "a"],
        shapes={"X": ("n", "k"), "w": ("k", 1), "y": ("n", 1), "a": (1, 1)},
    )
    (tmp_path / "f.cpp").write_text(d.code("value_and_grad", "rcpp"))
    (tmp_path / "makevars").write_text("FLIBS =\nCXXFLAGS = -O0\n")  # no Fortran is needed
    program = f"""
    Sys.setenv(R_MAKEVARS_USER = "{tmp_path / "makevars"}")
    invisible(capture.output(Rcpp::sourceCpp("{tmp_path / "f.cpp"}")))
    g <- value_and_grad(cbind(1:3, c(2, 0, 1)), c(1, 2), 1:3, 2)
    said <- tryCatch(value_and_grad(cbind(1:3, 1:3), 1:3, 1:3, 2), error = conditionMessage)
    cat(g$value, g$gradient$w, g$gradient$a, said)
    """
    assert r(program) == "30 24 28 5 w is 3 x 1; needed 2 x 1"


def test_many_results_for_rcpp() -> None:
    """Rcpp::List::create takes 20 at most."""
    names = [f"x{k}" for k in range(21)]
    for count, made in ((20, "Rcpp::List::create(Rcpp::Named("), (21, 'Rcpp::List y; y["x0"] = arma::mat(g_x0);')):
        text = " + ".join(f"sum(exp({name}))" for name in names[:count])
        d = mc.derive(text, shapes=dict.fromkeys(names[:count], ("n", 1)))
        assert made in d.code("gradient", "rcpp")


# What Stan itself does: an infinite solution of a singular system, without a word.
PLAIN = """functions {
  /**
   * No check.
   */
  matrix value(matrix A, matrix B) {
    return A \\ B;
  }
}"""
# Integer division binds more tightly than multiplication.
DIVIDED = PLAIN.replace("A \\ B", "rep_matrix(rows(A) * 3 %/% 2, 1, 1)")


def test_stan() -> None:
    """Operations, networks and likelihoods, cases, every kind, what is refused, and what Stan would do."""
    folder = stan_folder()
    if folder is None or shutil.which("g++") is None:
        pytest.skip("needs the package httpstan, and g++")
    tasks = [*covering("stan", of_operations("stan"), set()), *of_networks(3), *of_kinds(), *of_names()]
    tasks += [*of_cases("stan", 24), *of_even_sizes()]
    d = mc.derive("sum((X*w - y).^2)", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})
    solution = mc.derive("inv(A)*B", shapes={"A": ("n", "n"), "B": ("n", "p")})
    wanted = [*dict.fromkeys((d, kind) for d, kind, _ in tasks), (d, "value"), (solution, "value")]
    made = [(d.code(kind, "stan"), signature(d, requested(d, kind, "stan"))) for d, kind in wanted]
    *found, f, checked, plain, divided = stan_functions([*made, (PLAIN, made[-1][1]), (DIVIDED, made[-1][1])])
    functions, dims = dict(zip(wanted, found)), dict(support.SIZES)
    for d, kind, arrays in tasks:
        agree(functions[d, kind](**arrays, dims=dims), d.function(kind)(**arrays))
    with pytest.raises(ValueError, match="y is 2 x 1; needed 1 x 1"):
        f(X=np.ones((1, 2)), w=np.ones(2), y=np.ones((2, 1)))
    with pytest.raises(ValueError, match="w is 2 x 2; needed p x 1"):
        f(X=np.ones((1, 2)), w=np.ones((2, 2)), y=np.ones(1))
    singular = {"A": np.ones((2, 2)), "B": np.array([[1.0, 0.0], [0.0, 1.0]])}
    assert not np.isfinite(plain(**singular)).any()
    assert divided(**singular)[0, 0] == 2
    for name, kind in (("rows", "int"), ("cols", "Eigen::Index")):  # so that min(rows(x), cols(x)) does not compile
        header = (folder / "include" / "stan" / "math" / "prim" / "fun" / f"{name}.hpp").read_text(encoding="utf-8")
        assert f"inline {kind} {name}(" in header
    with pytest.raises(ValueError, match="singular"):
        checked(**singular)
