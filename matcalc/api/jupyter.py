"""Jupyter: the cell magic `%%matcalc` for the text syntax, and completion of names in `d.gradient("` and `wrt="`.

`%load_ext matcalc` sets both up; IPython itself is needed for neither of the other parts of matcalc.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping
from typing import Any

from matcalc.api.derivation import Derivation
from matcalc.api.derive import derive
from matcalc.errors import MatcalcError
from matcalc.frontend.parser import parse
from matcalc.graph import Graph

METHODS = "gradient|jacobian|hessian|adjoint|claim"
CALL = re.compile(rf"(\w+)\.(?:{METHODS})\(\s*[\"'](\w*)$")
WRT = re.compile(r"derive\(\s*(\w+)\s*,.*?wrt\s*=\s*\[?(?:\s*[\"']\w+[\"']\s*,)*\s*[\"'](\w*)$")


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """A wrong option is a wrong input like any other."""
        raise MatcalcError(f"%%matcalc: {message}")


def magic(line: str, cell: str) -> tuple[str, Derivation]:
    """What `%%matcalc` does: derive the cell; the name to assign it to comes back with it.

    Example:
        >>> name, d = magic("-w x -o square", "x'*x")
        >>> name, str(d.gradient("x"))
        ('square', '2*x')

    Raises:
        MatcalcError: the line or the cell is wrong, with the place.
    """
    parser = _Options(prog="%%matcalc", add_help=False, allow_abbrev=False)
    parser.add_argument("-w", "--wrt", default="")
    parser.add_argument("-o", "--output", default="d")
    parser.add_argument("-f", "--functions", default="")
    try:
        options = parser.parse_args(shlex.split(line))
    except ValueError as error:
        raise MatcalcError(f"%%matcalc: {error}") from None
    if not options.output.isidentifier():
        raise MatcalcError(f"%%matcalc: -o needs a Python name, got {options.output!r}")
    wrt, functions = ([w.strip() for w in text.split(",") if w.strip()] for text in (options.wrt, options.functions))
    return options.output, derive(cell, wrt or None, functions=functions)


def completions(text: str, namespace: Mapping[str, Any]) -> list[str]:
    """The names that can follow: those of a derivation in `d.gradient("`, those of a source in `wrt="`."""
    call, wrt = CALL.search(text), WRT.search(text)
    if call is not None:
        value = namespace.get(call[1])
        names = list(dict.fromkeys([*value.names, *value.graph.declared])) if isinstance(value, Derivation) else []
        return [name for name in names if name.startswith(call[2])]
    if wrt is not None:
        return [name for name in _names(namespace.get(wrt[1])) if name.startswith(wrt[2])]
    return []


def _names(source: Any) -> list[str]:
    """The names of a graph or of a text; none of a text that is not finished yet."""
    if isinstance(source, Graph):
        return [*source.declared, *source.definitions]
    if not isinstance(source, str):
        return []
    try:
        graph = parse(source).graph
    except MatcalcError:
        return []
    return [*graph.declared, *graph.definitions]


def load(shell: Any) -> None:
    """Register the magic and the completer in an IPython shell."""

    def run(line: str, cell: str) -> Derivation | None:
        try:
            name, d = magic(line, cell)
        except MatcalcError as error:
            print(error)
            return None
        shell.user_ns[name] = d
        return d

    def complete(context: Any) -> Any:
        from IPython.core.completer import SimpleCompletion  # noqa: PLC0415  (optional)

        found = completions(context.text_until_cursor, shell.user_ns)
        return {"completions": [SimpleCompletion(text=name, type="name") for name in found], "suppress": bool(found)}

    shell.register_magic_function(run, magic_kind="cell", magic_name="matcalc")
    complete.matcher_api_version = 2  # type: ignore[attr-defined]
    complete.matcher_identifier = "matcalc"  # type: ignore[attr-defined]
    complete.matcher_priority = 100  # type: ignore[attr-defined]
    shell.Completer.custom_matchers.append(complete)
