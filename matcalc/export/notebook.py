"""A note as a Jupyter notebook (nbformat 4.5): the typeset derivation, and cells that derive, check, plot and print.

Where nbclient and ipykernel are installed the cells are run, so that a reader sees their outputs without running them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from importlib.util import find_spec
from subprocess import DEVNULL
from typing import Any

from matcalc.calculus.problem import Problem
from matcalc.errors import MatcalcError, MissingDependencyError, shorten
from matcalc.export.program import code_kind, function_names, source_program
from matcalc.languages import Language
from matcalc.loops.page import program_text
from matcalc.loops.problem import LoopProblem

PLOT = """\
reports = [d.check(trials=1, seed=seed) for seed in range(12)]
try:
    import matplotlib.pyplot as plt
except ImportError:
    print("worst relative error:", max(report.worst for report in reports))
else:
    figure, axes = plt.subplots(figsize=(6, 2.6))
    for name in d.names:
        axes.semilogy([max(report.errors[name], 1e-17) for report in reports], "o", label=name)
    axes.set_xlabel("random point")
    axes.set_ylabel("relative error")
    axes.axhline(1e-6, color="grey", linewidth=0.8)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    plt.show()"""


def notebook(
    title: str, parts: Sequence[tuple[Problem | LoopProblem, str, str]], texts: Sequence[str], words: Language
) -> dict[str, Any]:
    """The notebook of a note.

    Args:
        title: of the notebook.
        parts: the derivations with their titles and introductions.
        texts: the derivations in Markdown.
        words: the language.
    """
    cells = [_markdown(f"# {title}"), _code("import matcalc as mc")]
    for (d, heading, _), text in zip(parts, texts):
        if heading and heading != title:
            cells.append(_markdown(f"## {heading}"))
        if isinstance(d, LoopProblem):
            cells += [_code(_derive_program(d)), _markdown(text.strip()), *_computed(words, None)]
            continue
        cells.append(_code(_derive(d)))
        cells.append(_code("d.picture()"))
        cells.append(_markdown(text.strip()))
        cells += _computed(words, code_kind(d))
    return _book(cells)


def loop_notebook(
    d: LoopProblem, title: str, text: str, parts: Sequence[tuple[str, str]], words: Language
) -> dict[str, Any]:
    """The notebook of a program with loops.

    Args:
        d: the program.
        title: of the notebook.
        text: an introduction; empty for none.
        parts: headings, and formulas in LaTeX.
        words: the language.
    """
    cells = [_markdown(f"# {title}"), *([_markdown(text)] if text else []), _code("import matcalc as mc")]
    cells.append(_code(_derive_program(d)))
    cells += [_markdown(f"### {words(heading)}\n\n$$\n{body}\n$$") for heading, body in parts]
    return _book([*cells, *_computed(words, None)])


def _computed(words: Language, kind: str | None) -> list[dict[str, Any]]:
    """The cells that print the code, check it and plot the errors."""
    return [
        _markdown(f"### {words('Generated code')}"),
        _code("print(d.code())" if kind is None else f'print(d.code("{kind}"))'),
        _markdown(f"### {words('Numeric certificate')}"),
        _code("print(d.check())"),
        _code(PLOT),
    ]


def _derive_program(d: LoopProblem) -> str:
    """The call that makes the derivation of a program with loops again."""
    return _call(program_text(d), [f"wrt={d.names!r}"])


def _call(program: str, options: Sequence[str]) -> str:
    quoted = program.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'd = mc.derive(\n    """\n{quoted}\n""",\n    {", ".join(options)},\n)\nprint(d.text(style="result"))'


def _book(cells: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cells": _with_ids(cells),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


NOT_RUN = (
    "The cells of this notebook have not been run yet: choose Run All. Where nbclient and ipykernel are installed, "
    "matcalc runs them when it writes the notebook."
)
TIMEOUT = 300  # seconds for one cell


def executed(book: dict[str, Any], words: Language) -> dict[str, Any]:
    """The notebook with the outputs of its cells; with a notice instead where what runs them is not installed.

    Raises:
        MatcalcError: a cell failed.
    """
    try:
        import nbclient  # noqa: PLC0415  (optional)
        import nbformat  # noqa: PLC0415  (optional)

        if find_spec("ipykernel") is None:
            raise ImportError
    except ImportError:
        return _not_run(book, words(NOT_RUN))
    client = nbclient.NotebookClient(nbformat.from_dict(book), timeout=TIMEOUT, record_timing=False)
    try:
        done = client.execute(stdout=DEVNULL, stderr=DEVNULL)
    except nbclient.exceptions.CellExecutionError as error:
        if error.ename == MissingDependencyError.__name__:
            return _not_run(book, str(error.evalue))
        raise MatcalcError(f"a cell of the notebook failed: {shorten(str(error), 300)}") from None
    for cell in done["cells"]:
        cell["metadata"] = {}
    return dict(json.loads(nbformat.writes(done)))


def _not_run(book: dict[str, Any], why: str) -> dict[str, Any]:
    """The notebook without outputs, and why."""
    return {**book, "cells": [*_with_ids([_markdown(f"*{why}*")]), *book["cells"]]}


def _with_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for k, cell in enumerate(cells):
        digest = blake2b(f"{k}{cell['source']}".encode(), digest_size=4).hexdigest()
        cell["id"] = f"cell-{digest}"
    return cells


def _derive(d: Problem) -> str:
    """The call that makes the derivation again."""
    options = [f"wrt={d.names!r}"]
    if d.structure:
        options += [f"structure={d.structure!r}", f"convention={d.convention!r}"]
    functions = function_names(d)
    if functions:
        options.append(f"functions={functions!r}")
    return _call(source_program(d), options)


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": text}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "id": "", "metadata": {}, "outputs": [], "source": source}
