"""C++ functions, compiled by g++ and run in a program of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.targets.matrix_languages.runs import Job, functions
from matcalc.targets.registry import Signature
from matcalc.templating import template_folder

_HEAD = re.compile(r"^inline [\w:]+ (\w+)\(([^()]*)\)\n\{\n    using namespace", re.MULTILINE)
_LONGEST = 3000
Library = tuple[str, list[str], list[str]]  # the type of a matrix, and what the compiler needs before and after
EIGEN: Library = ("Eigen::MatrixXd", ["-I/usr/include/eigen3", "-I/usr/local/include/eigen3"], [])
ARMADILLO: Library = ("arma::mat", [], ["-larmadillo"])


def cpp_functions(library: Library, sources: Sequence[tuple[str, Signature]]) -> list[Callable[..., Any]]:
    """The functions of some headers, in one program.

    Raises:
        MatcalcError: there is no g++, or the library is not there.
    """
    return functions([_job(text, signature) for text, signature in sources], partial(_start, library))


def _job(text: str, signature: Signature) -> Job:
    found = _HEAD.search(text)
    assert found is not None
    names = [part.rpartition(" ")[2] for part in re.split(r",\s+", found[2]) if part.startswith("long ")]
    return Job(text, signature, [name.rstrip("_") for name in names], typed=True)


def _start(library: Library, folder: Path, jobs: Sequence[Job]) -> list[str]:
    compiler = shutil.which("g++")
    if compiler is None:
        raise MatcalcError("running a function in C++ needs g++, which is not installed here")
    matrix, flags, libraries = library
    includes, cases = [], []
    for number, job in enumerate(jobs):
        found = _HEAD.search(job.source)
        assert found is not None
        name = found[1]
        text = _renamed(job.source, name, f"f{number}")
        (folder / f"f{number}.hpp").write_text(text, encoding="utf-8")
        includes.append(f'#include "f{number}.hpp"')
        cases.append(f"    case {number}: {_call(f'f{number}', job)} break;")
    text = (template_folder() / "cpp_driver.cpp").read_text(encoding="utf-8")
    text = text.replace("MATRIX", matrix).replace("INCLUDES", "\n".join(includes)).replace("CASES", "\n".join(cases))
    (folder / "driver.cpp").write_text(text, encoding="utf-8")
    command = [compiler, "-std=c++11", "-O0", *flags, "driver.cpp", "-o", "driver", *libraries]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing = re.search(r"fatal error: (?:Eigen|armadillo).*No such file", done.stderr)
        said = "running a function in C++ needs Eigen or Armadillo" if missing else "g++ does not compile it"
        raise MatcalcError(f"{said}: {done.stderr[:_LONGEST]}")
    return [str(folder / "driver")]


def _renamed(text: str, old: str, new: str) -> str:
    """A header whose function has another name."""
    head, space, rest = text.rpartition("} // namespace")
    return head + space + re.sub(rf"\b{old}(_result)?\b(?=\(| \{{| {old}\()", rf"{new}\1", rest)


def _call(name: str, job: Job) -> str:
    """The call of a function with the matrices of a list, and its results put into another."""
    kind = job.signature.kind
    variables = [*job.signature.variables, *job.tangents, *([job.signature.output] if kind.cotangent else [])]
    given = [f"x[{k}](0, 0)" if v.is_scalar else f"x[{k}]" for k, v in enumerate(variables)]
    given += [f"long(x[{len(variables) + k}](0, 0))" for k in range(len(job.sizes))]
    call = f"{name}({', '.join(given)})"
    if not kind.derivatives or (kind.tangents and not kind.second):
        return f"keep(y, {call});"
    names = [f"{kind.argument}_{n}" for n in job.signature.names]
    fields = [*(["value"] if kind.value else []), *names]
    return f"{{ const auto r = {call}; {' '.join(f'keep(y, r.{field});' for field in fields)} }}"
