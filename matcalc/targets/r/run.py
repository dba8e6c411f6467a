"""R functions run by Rscript."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.kinds import Kind
from matcalc.targets.matrix_languages.runs import Job, functions
from matcalc.targets.registry import Signature
from matcalc.templating import template_folder


def r_functions(sources: Sequence[tuple[str, Signature]]) -> list[Callable[..., Any]]:
    """The functions of some R files, in one process.

    Raises:
        MatcalcError: there is no Rscript.
    """
    return functions([_job(text, signature) for text, signature in sources], _start)


def _job(text: str, signature: Signature) -> Job:
    found = re.search(r"^\w+ <- function\((.*?)\) \{$", text, re.MULTILINE)
    assert found is not None
    names = [name for name in found[1].split(", ") if name]
    kind = signature.kind
    return Job(
        text, signature, [n.rstrip("_") for n in names[len(signature.variables) + kind.tangents + kind.cotangent :]]
    )


def _start(folder: Path, jobs: Sequence[Job]) -> list[str]:
    program = shutil.which("Rscript")
    if program is None:
        raise MatcalcError("running a function in R needs Rscript, which is not installed here")
    calls = []
    for number, job in enumerate(jobs):
        (folder / f"{number}.R").write_text(job.source, encoding="utf-8")
        calls.append(f'  list("{_name(job)}", function(f, x) {_call(job)})')
    text = (template_folder() / "r_driver.R").read_text(encoding="utf-8")
    (folder / "driver.R").write_text(text.replace("CALLS", ",\n".join(calls)), encoding="utf-8")
    return [program, "--vanilla", "driver.R"]


def _name(job: Job) -> str:
    found = re.search(r"^(\w+) <- function", job.source, re.MULTILINE)
    assert found is not None
    return found[1]


def _call(job: Job) -> str:
    """The call of a function with the matrices of a list, and its results as a list."""
    return results_of(f"f({job.arguments('x[[{0}]]', '`{0}` = {1}', 'list({0})')})", job.signature.kind)


def results_of(call: str, kind: Kind) -> str:
    """The results of a call as a list."""
    if kind.value and kind.derivatives:
        return f"with({call}, c(list(value), unname(gradient)))"
    return call if kind.derivatives and not (kind.tangents and not kind.second) else f"list({call})"
