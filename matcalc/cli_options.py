"""The options of the command line: what every command takes."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from typing import Any

from matcalc import __version__
from matcalc.errors import shorten
from matcalc.export.formats import ENGINES, FORMATS, suffixes
from matcalc.kinds import CLAIMED, GRADIENT, SHOWN, default, names
from matcalc.targets.registry import target_names

SOURCE = "text, a file that holds it, - for the standard input, or file.py:function"
Command = Callable[[argparse.Namespace], int]

EPILOG = """\
A source is text in matcalc's syntax, a file that holds it, or - for the standard input:

  matcalc derive "norm2(X*w - y)^2/2" --wrt w
  matcalc derive examples/one_hidden_layer.txt --style result
  matcalc derive "logdet(S)" --structure S=symmetric --format latex
  matcalc code   examples/logistic_regression.txt -o gradient.py
  matcalc check  examples/batch_normalization.txt --trials 10
  matcalc export examples/one_hidden_layer.txt -o notes.html --language es
  matcalc claim  "(A*B)' = B'*A'"
  matcalc claim  "2*A*x" --of "x'*A*x" --name x --fact A=symmetric
  matcalc ops softmax
  matcalc derive model.py:loss --wrt w --shape X=n,p --shape w=p --run
"""


def parser(run: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser of all commands; `command` of what it returns is the function of `run` that was asked for."""
    whole = argparse.ArgumentParser(
        prog="matcalc",
        description="Symbolic matrix calculus: derives gradients of matrix expressions step by step.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"matcalc {__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    one = _command(commands, "derive", run, "print the derivation: forward graph, steps, gradients")
    _add_source(one)
    _add_format(one, ("text", "latex", "markdown", "json"))
    one.add_argument(
        "--kind",
        choices=names(SHOWN),
        default=GRADIENT.name,
        help="of a scalar function (default), the Jacobian of a matrix-valued one, or gradients and Hessians",
    )
    one.add_argument(
        "--style",
        choices=("steps", "jacobians", "differential", "result", "components"),
        default="steps",
        help="the steps (default), every local Jacobian and the chain rule, differentials, or the answers only",
    )
    one.add_argument(
        "--layout",
        choices=("denominator", "numerator"),
        default="denominator",
        help="gradients in the variable's shape, or transposed",
    )
    one.add_argument("--language", default="en", metavar="CODE", help="of the fixed words: en (default), es, hi")

    one = _command(commands, "code", run, "print the generated code, a standalone module or file of a target")
    _add_source(one)
    one.add_argument(
        "--kind",
        metavar="KIND",
        help=f"one of {', '.join(names())} (default: {default(scalar=True)} of scalar functions, "
        f"{default(scalar=False)} of others)",
    )
    targets = f"one of {', '.join(target_names())} (default: numpy)"
    one.add_argument("--target", default="numpy", metavar="TARGET", help=targets)
    one.add_argument(
        "--after", metavar="PASS", help="print the program after this pass of code generation (a wrong name lists them)"
    )

    one = _command(commands, "check", run, "compare the generated derivatives with finite differences")
    _add_source(one)
    _add_format(one, ("text", "json"))
    one.add_argument(
        "--kind",
        choices=names(SHOWN),
        help="which derivatives (default: gradient of a scalar function, Jacobian of a matrix-valued one)",
    )
    one.add_argument("--by", metavar="NAME", help="with --kind hessian: the second variable of mixed Hessians")
    one.add_argument("--target", default="numpy", metavar="TARGET", help="whose functions are checked (default: numpy)")
    one.add_argument("--trials", type=_at_least(1), default=5, metavar="N", help="how many random points (default: 5)")
    one.add_argument("--seed", type=_at_least(0), default=0, metavar="N", help="of the random numbers (default: 0)")

    forms = f"the note; its suffix says what is written: {' '.join(suffixes())}"
    one = _command(commands, "export", run, "write a note, of one or several derivations", forms)
    one.add_argument("sources", nargs="+", metavar="SOURCE", help="text, files that hold it, or - for standard input")
    _add_options_of_sources(one)
    one.add_argument("--title", default="", help="of the document")
    one.add_argument("--template", metavar="FILE", help="a Jinja2 template of your own; it may extend note.tex.jinja")
    one.add_argument("--language", default="en", metavar="CODE", help="of the fixed words: en (default), es, hi")
    one.add_argument(
        "--detail",
        choices=("full", "lesson", "sheet", "brief"),
        default="full",
        help="everything; the lesson without appendices; the sheet: adjoints and results (also called brief)",
    )
    one.add_argument("--no-code", dest="code", action="store_false", help="without the generated code")
    one.add_argument("--format", choices=list(FORMATS), default="", help="what is written, whatever the suffix is")
    one.add_argument("--engine", choices=ENGINES, default="", help="for .pdf (default: TeX where it is installed)")
    one.add_argument("--fragment", action="store_true", help="for .tex: without preamble, to be read by \\input")
    one.add_argument("--hessian", action="store_true", help="with the Hessians of scalar functions, and their steps")
    one.add_argument(
        "--entries",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="write diagonal Jacobians out for N entries (at most 8)",
    )
    one.add_argument("--transpose", default=r"^\top", metavar="TEX", help="the mark of a transpose: ^\\top, ', ^T")
    one.add_argument("--hadamard", default=r"\odot", metavar="TEX", help="the entrywise product: \\odot, \\circ")
    one.add_argument("--adjoint", choices=("delta", "bar", "partial"), default="delta", help="how adjoints are written")
    one.add_argument("--bold", action="store_true", help="matrices and vectors in bold type")

    one = _command(commands, "claim", run, "judge an identity, a hand derivation line by line, or a result (--of)")
    one.add_argument(
        "claim",
        metavar="CLAIM",
        help="`left = right`, `f = ...; df/dx = ...`, or a file of lines `g_NAME = ...` after their function",
    )
    one.add_argument("--of", metavar="SOURCE", help="the function whose derivative CLAIM is said to be")
    one.add_argument("--name", metavar="NAME", help="with --of: what it is differentiated by")
    one.add_argument("--kind", choices=names(CLAIMED), default=GRADIENT.name)
    one.add_argument("--by", metavar="NAME", help="with --kind hessian: the second variable of a mixed Hessian")
    one.add_argument(
        "--tutor",
        action="store_true",
        help="for a hand derivation: what is right, the first error, the step that helps, how to go on",
    )
    one.add_argument("--language", default="en", metavar="CODE", help="of the fixed words: en (default), es, hi")
    _add_options_of_sources(one)
    _add_format(one, ("text", "json"))

    one = _command(commands, "curvature", run, "prove or disprove that a function is convex or concave")
    _add_source(one)
    _add_format(one, ("text", "latex", "json"))

    one = _command(commands, "solve", run, "the minimum or maximum in closed form, with its proof")
    one.add_argument(
        "source", metavar="SOURCE", help="text, a file that holds it, - for the standard input, or file.py:function"
    )
    one.add_argument(
        "--over", action="append", default=[], metavar="W", required=True, help="an unknown; may be repeated"
    )
    one.add_argument(
        "--subject-to", action="append", default=[], metavar="EQUATION", help="an equation that holds; may be repeated"
    )
    one.add_argument("--sense", choices=("min", "max", "stationary"), default="min", help="default: min")
    _add_options_of_declarations(one)
    one.add_argument(
        "--format",
        choices=("text", "latex", "markdown", "code", "json"),
        help="default: text, or the document that FILE ends as, such as .docx",
    )

    _add_serve(commands, run)

    one = _command(commands, "completion", run, "print the script by which bash, zsh or fish completes commands")
    one.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")

    for name, what in (("ops", "operations"), ("rules", "rewrite rules")):
        one = _command(commands, name, run, f"the {what}, as a reference: signature, definition, identity, source")
        one.add_argument(
            "words", nargs="*", metavar="WORD", help="only those that mention every word, or what it means here"
        )
        _add_format(one, ("text", "json"))
    return whole


def _add_serve(commands: Any, run: Mapping[str, Command]) -> None:
    summary = "serve a web page and a JSON API, on this machine only"
    one = commands.add_parser("serve", help=summary, description=summary, allow_abbrev=False)
    one.set_defaults(command=run["serve"])
    one.add_argument("--port", type=_at_least(0), default=8640, metavar="N", help="default: 8640; 0 takes a free one")
    one.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1, this machine only")
    one.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="with --host: a name that leads here; may be repeated",
    )
    _add_limits(one, workers=2)
    one.add_argument("--open", action="store_true", help="open the page in the browser")

    summary = "serve the same tools to agents (Model Context Protocol, on the standard streams)"
    one = commands.add_parser("mcp", help=summary, description=summary, allow_abbrev=False)
    one.set_defaults(command=run["mcp"])
    _add_limits(one, workers=1)

    summary = "write the same page as a folder, in which Python runs in the browser itself"
    one = commands.add_parser("site", help=summary, description=summary, allow_abbrev=False)
    one.set_defaults(command=run["site"])
    one.add_argument("folder", metavar="DIR", help="is made where it is missing")
    one.add_argument(
        "--pyodide",
        default="node_modules/pyodide",
        metavar="FOLDER",
        help="with Pyodide: the npm package or an unpacked release (default: node_modules/pyodide)",
    )
    one.add_argument(
        "--no-compile", action="store_true", help="leave compiling to the browser: smaller, but slow to start"
    )


def _add_limits(one: argparse.ArgumentParser, workers: int) -> None:
    positive, amount = _at_least(1), _at_least(0)
    for option, kind, value, metavar, what in (
        ("--workers", positive, workers, "N", "processes that derive"),
        ("--limit", positive, 20, "SECONDS", "after which a call is stopped"),
        ("--memory", amount, 4096, "MIB", "that a process may have; 0 for all"),
    ):
        one.add_argument(option, type=kind, default=value, metavar=metavar, help=f"{what} (default: {value})")


def _command(
    commands: Any,
    name: str,
    run: Mapping[str, Command],
    summary: str,
    output: str = "write there, not to the standard output",
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
    one.set_defaults(command=run[name])
    one.add_argument("-o", "--output", metavar="FILE", help=output)
    return one


def _add_source(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "source", metavar="SOURCE", help="text, a file that holds it, - for the standard input, or file.py:function"
    )
    _add_options_of_sources(one)


def _add_options_of_sources(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--wrt",
        action="append",
        default=[],
        metavar="a,b",
        help="the variables or named values to differentiate by (default: all that are not constant); may be repeated",
    )
    one.add_argument(
        "--run", action="store_true", help="for SOURCE file.py:function: run the file to read the function"
    )
    _add_options_of_declarations(one)


def _add_options_of_declarations(one: argparse.ArgumentParser) -> None:
    for option, example, what in (
        ("--shape", "X=n,p", "a variable's rows and columns; given once, every variable must be declared"),
        ("--fact", "A=symmetric", "what is known of a variable"),
        ("--structure", "S=symmetric", "the set along which a variable is differentiated"),
        ("--function", "phi", "an abstract entrywise function that the text calls"),
    ):
        one.add_argument(option, action="append", default=[], metavar=example, help=f"{what}; may be repeated")
    one.add_argument(
        "--convention",
        choices=("entries", "projection"),
        default="entries",
        help="for --structure: derivatives by the independent entries, or the projected gradient",
    )


def _add_format(one: argparse.ArgumentParser, formats: tuple[str, ...]) -> None:
    one.add_argument("--format", choices=formats, default="text", help="default: text")


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not re.fullmatch(r"\s*[0-9]{1,18}\s*", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number, at least {least}, got {shorten(repr(text))}")
        return int(text)

    return number
