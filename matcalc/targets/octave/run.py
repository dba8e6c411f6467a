"""Functions for Octave, run by it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError
from matcalc.targets.matrix_languages.runs import Job, functions
from matcalc.targets.registry import Signature
from matcalc.templating import template_folder

_HEAD = re.compile(r"^function (.*?) = (\w+)\((.*?)\)$", re.MULTILINE)


def octave_functions(sources: Sequence[tuple[str, Signature]]) -> list[Callable[..., Any]]:
    """The functions of some function files, in one process.

    Raises:
        MatcalcError: there is no octave-cli.
    """
    return functions([_job(text, signature) for text, signature in sources], _start)


def _job(text: str, signature: Signature) -> Job:
    found = _HEAD.search(text)
    assert found is not None
    names = [name for name in found[3].split(", ") if name]
    kind = signature.kind
    after = len(signature.variables) + kind.tangents + kind.cotangent
    return Job(text, signature, [name.rstrip("_") for name in names[after:]])


def _start(folder: Path, jobs: Sequence[Job]) -> list[str]:
    program = shutil.which("octave-cli")
    if program is None:
        raise MatcalcError("running a function in Octave needs octave-cli, which is not installed here")
    calls = []
    for number, job in enumerate(jobs):
        text = _HEAD.sub(rf"function \1 = f{number}(\3)", job.source, count=1)
        (folder / f"f{number}.m").write_text(text, encoding="utf-8")
        calls.append(f"'{_call(f'f{number}', job)}'")
    text = (template_folder() / "octave_driver.m").read_text(encoding="utf-8")
    (folder / "driver.m").write_text(text.replace("CALLS", ", ...\n    ".join(calls)), encoding="utf-8")
    return [program, "--no-init-file", "--quiet", "driver.m"]


def _call(name: str, job: Job) -> str:
    """The call of a function with the matrices of a list, and its results as a list."""
    kind = job.signature.kind
    given = job.arguments("x{{{0}}}", "''{0}'', {1}", "struct({0})")
    call = f"{name}({given})"
    if kind.value and kind.derivatives:
        return f"[v, s] = {call}; y = [{{v}}; struct2cell(s)];"
    listed = kind.derivatives and not (kind.tangents and not kind.second)
    return f"y = struct2cell({call});" if listed else f"y = {{{call}}};"
