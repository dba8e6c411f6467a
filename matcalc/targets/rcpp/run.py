"""Functions for Rcpp, compiled by Rcpp::sourceCpp and run by Rscript."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.targets.matrix_languages.runs import Job, functions
from matcalc.targets.r.run import results_of
from matcalc.targets.registry import Signature
from matcalc.templating import template_folder

_HEAD = re.compile(r"^// \[\[Rcpp::export\]\]\n([\w:]+) (\w+)\(([^()]*)\)\n\{", re.MULTILINE)
_LONGEST = 3000
_MAKEVARS = "FLIBS =\nCXXFLAGS = -O0\n"  # no Fortran is needed
_COMPILED = """Sys.setenv(R_MAKEVARS_USER = normalizePath("makevars"))
compiled <- new.env()
Rcpp::sourceCpp("all.cpp", env = compiled, cacheDir = ".")
"""


def rcpp_functions(sources: Sequence[tuple[str, Signature]]) -> list[Callable[..., Any]]:
    """The functions of some files, compiled together, in one process of R.

    Raises:
        MatcalcError: there is no Rscript, or its packages or a compiler are missing.
    """
    return functions([_job(text, signature) for text, signature in sources], _start)


def _job(text: str, signature: Signature) -> Job:
    found = _HEAD.search(text)
    assert found is not None
    names = [part.rpartition(" ")[2] for part in re.split(r",\s+", found[3]) if part.startswith("int ")]
    return Job(text, signature, [name.rstrip("_") for name in names], typed=True)


def _start(folder: Path, jobs: Sequence[Job]) -> list[str]:
    program = shutil.which("Rscript")
    if program is None:
        raise MatcalcError("running a function by Rcpp needs Rscript, which is not installed here")
    renamed = [_HEAD.sub(_head(number), job.source) for number, job in enumerate(jobs)]
    (folder / "all.cpp").write_text("\n".join(renamed), encoding="utf-8")
    (folder / "makevars").write_text(_MAKEVARS, encoding="utf-8")
    (folder / "compiled.R").write_text(_COMPILED, encoding="utf-8")
    done = subprocess.run([program, "--vanilla", "compiled.R"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing = re.search(r"there is no package called|tools required to build", done.stderr)
        said = "running a function by Rcpp needs RcppArmadillo and g++" if missing else "R does not compile it"
        raise MatcalcError(f"{said}: {done.stderr[:_LONGEST]}")
    calls = [f'  list("", function(f, x) {_call(number, job)})' for number, job in enumerate(jobs)]
    text = (template_folder() / "r_driver.R").read_text(encoding="utf-8").replace("CALLS", ",\n".join(calls))
    (folder / "driver.R").write_text(f"{_COMPILED}{text}", encoding="utf-8")
    return [program, "--vanilla", "driver.R"]


def _head(number: int) -> str:
    return rf"// [[Rcpp::export]]\n\1 function_{number}(\3)\n{{"


def _call(number: int, job: Job) -> str:
    """The call of a function with the matrices of a list, and its results as a list."""
    given = job.arguments("x[[{0}]]", "{1}", "{0}")
    return results_of(f"compiled$function_{number}({given})", job.signature.kind)
