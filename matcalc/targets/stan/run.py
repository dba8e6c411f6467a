"""Stan functions, made C++ by the compiler that the package httpstan brings, and run in a program of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.expr import Expr
from matcalc.targets.matrix_languages.runs import Job, functions
from matcalc.targets.registry import Signature
from matcalc.targets.stan.module import HELPERS
from matcalc.templating import template_folder

_HEAD = re.compile(r"^  (?:real|matrix|vector|row_vector|tuple\(.*?\)) (\w+)\(([^()]*)\) \{$", re.MULTILINE)
_FUNCTION, _NAME = "  /**\n", "function_of_number_"
_LONGEST = 3000
# What the compiler's text names of Stan's sampler, beside the math library that it uses.
_PREAMBLE = """#include <stan/math/prim.hpp>
#include <stan/model/indexing.hpp>
#include <stan/lang/rethrow_located.hpp>
namespace stan { namespace model { template <class M> class model_base_crtp; } }"""


def stan_folder() -> Path | None:
    """Where Stan's compiler and its headers are."""
    found = find_spec("httpstan")
    return None if found is None or not found.submodule_search_locations else Path(found.submodule_search_locations[0])


def stan_functions(sources: Sequence[tuple[str, Signature]]) -> list[Callable[..., Any]]:
    """The functions of some blocks, in one program.

    Raises:
        MatcalcError: Stan's compiler or a C++ compiler is missing.
    """
    return functions([_job(text, signature) for text, signature in sources], _start)


def _heading(text: str) -> tuple[str, str]:
    """The name and the parameters of the last function."""
    found = _HEAD.findall(text)
    name, parameters = found[-1]
    return name, parameters


def _job(text: str, signature: Signature) -> Job:
    names = [p.removeprefix("int ") for p in _heading(text)[1].split(", ") if p.startswith("int ")]
    return Job(text, signature, names, typed=True)


def _start(folder: Path, jobs: Sequence[Job]) -> list[str]:
    stan, compiler = stan_folder(), shutil.which("g++")
    if stan is None or compiler is None:
        raise MatcalcError("running a function in Stan needs the package httpstan and g++")
    (folder / "all.stan").write_text(_together(jobs), encoding="utf-8")
    _run([str(stan / "stanc"), "--standalone-functions", "--o=all.hpp", "all.stan"], folder)
    text = (folder / "all.hpp").read_text(encoding="utf-8").partition("// [[stan::function]]")[0]
    (folder / "all.hpp").write_text(text.replace("#include <stan/model/model_header.hpp>", ""), encoding="utf-8")
    cases = [f"    case {k}: {_call(f'all_model_namespace::{_NAME}{k}', job)} break;" for k, job in enumerate(jobs)]
    text = (template_folder() / "cpp_driver.cpp").read_text(encoding="utf-8")
    text = text.replace("MATRIX", "Eigen::MatrixXd").replace("INCLUDES", f'{_PREAMBLE}\n#include "all.hpp"')
    (folder / "driver.cpp").write_text(text.replace("CASES", "\n".join(cases)), encoding="utf-8")
    flags = ["-std=c++17", "-O0", "-w", f"-I{stan / 'include'}", "-D_REENTRANT", "-DSTAN_THREADS"]
    library = stan / "lib"
    _run([compiler, *flags, "driver.cpp", "-o", "driver", f"-L{library}", f"-Wl,-rpath,{library}", "-ltbb"], folder)
    return [str(folder / "driver")]


def _together(jobs: Sequence[Job]) -> str:
    """One functions block with the functions under names with their numbers; what they call is there once."""
    parts = []
    for number, job in enumerate(jobs):
        body = job.source[job.source.index(_FUNCTION) :].rstrip().removesuffix("}")
        parts.append(body.replace(f" {_heading(job.source)[0]}(", f" {_NAME}{number}(", 1))
    helpers = HELPERS.needed("\n".join(job.source for job in jobs)).values()
    return "\n".join(["functions {", *helpers, *parts, "}", ""])


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MatcalcError(f"{Path(command[0]).name} does not take it: {(done.stderr or done.stdout)[:_LONGEST]}")


def _call(name: str, job: Job) -> str:
    """The call of a function with the matrices of a list, and its results put into another."""
    kind = job.signature.kind
    variables = [*job.signature.variables, *job.tangents, *([job.signature.output] if kind.cotangent else [])]
    given = [_given(f"x[{k}]", v) for k, v in enumerate(variables)]
    given += [f"int(x[{len(variables) + k}](0, 0))" for k in range(len(job.sizes))]
    call = f"{name}({', '.join([*given, 'nullptr'])})"
    count = int(kind.value or not kind.derivatives) + len(job.signature.names) * int(kind.derivatives)
    if count == 1 or (kind.tangents and not kind.second):
        return f"keep(y, {call});"
    return f"{{ const auto r = {call}; {' '.join(f'keep(y, std::get<{k}>(r));' for k in range(count))} }}"


def _given(text: str, v: Expr) -> str:
    if v.is_scalar:
        return f"{text}(0, 0)"
    if v.shape[1] == 1:
        return f"Eigen::VectorXd({text}.col(0))"
    return f"Eigen::RowVectorXd({text}.row(0))" if v.shape[0] == 1 else text
