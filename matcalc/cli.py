"""The command line: `matcalc derive | code | check | export | claim | ops | rules`.

Everything heavy is imported inside the commands, so that `matcalc --help` answers at once. Exit codes: 0; 1 where a
check fails or a claim is disproved; 2 for wrong input, with one message on stderr; 3 for an undecided claim; 70 for
a defect of matcalc itself.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc import __version__
from matcalc.errors import MatcalcError, shorten

if TYPE_CHECKING:
    from matcalc.calculus.derivation import Derivation

FAILED, WRONG_INPUT, UNDECIDED, DEFECT, INTERRUPTED, CLOSED_PIPE = 1, 2, 3, 70, 130, 141

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
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; what the program exits with comes back."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parser().parse_args([_shielded(a) for a in arguments])
        code: int = options.command(options)
        sys.stdout.flush()
    except SystemExit as stop:  # argparse: help, version, or a wrong option
        return int(stop.code or 0)
    except MatcalcError as error:
        return _complain(f"matcalc: error: {error}", WRONG_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush at exit
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return _complain("matcalc: interrupted", INTERRUPTED)
    except Exception as error:
        if os.environ.get("MATCALC_TRACEBACK"):
            raise
        message = f"matcalc: defect in matcalc: {type(error).__name__}: {shorten(str(error), 300)}"
        return _complain(f"{message}\nSet MATCALC_TRACEBACK=1 to see where, and please report it.", DEFECT)
    return code


def _complain(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _shielded(argument: str) -> str:
    """`-x'*x` is an expression and no option: a blank in front tells argparse so."""
    return f" {argument}" if re.match(r"-[^-]", argument) and argument not in ("-h", "-o") else argument


# ------------------------------------------------------------------------------------------------ commands


def derive(options: argparse.Namespace) -> int:
    """Print the derivation."""
    d = _derivation(options)
    if options.kind == "gradient":
        d.need_scalar("gradient")
    elif d.output.is_scalar:
        raise MatcalcError("the function is 1 x 1: it has a gradient (--kind gradient)")
    if options.format == "json":
        from matcalc.export.data import derivation_data

        _write_json(derivation_data(d, options.style, options.layout), options.output)
    else:
        view = {"text": d.text, "latex": d.latex, "markdown": d.markdown}[options.format]
        _write(view(style=options.style, layout=options.layout), options.output)
    return 0


def code(options: argparse.Namespace) -> int:
    """Print the source of a module."""
    _write(_derivation(options).code(kind=options.kind, target=options.target), options.output)
    return 0


def check(options: argparse.Namespace) -> int:
    """Print the report of the numeric check."""
    report = _derivation(options).check(trials=options.trials, seed=options.seed)
    if options.format == "json":
        from matcalc.export.data import report_data

        _write_json(report_data(report), options.output)
    else:
        _write(str(report), options.output)
    return 0 if report.ok else FAILED


def export(options: argparse.Namespace) -> int:
    """Write a note of one or several derivations."""
    from matcalc.export.note import Note
    from matcalc.printing.style import Notation

    if options.output is None:
        raise MatcalcError("export needs -o FILE, ending in .md .tex .html .ipynb .pdf or .json")
    notation = Notation(
        transpose=options.transpose, hadamard=options.hadamard, adjoint=options.adjoint, bold=options.bold
    )
    note = Note(
        options.title,
        notation=notation,
        language=options.language,
        detail=options.detail,
        template=options.template,
        entries=options.entries,
    )
    for source in options.sources:
        options.source = source
        note.add(_derivation(options), _title(source))
    path = note.export(options.output, fragment=options.fragment, progress=_progress if sys.stderr.isatty() else None)
    print(path)
    return 0


def _title(source: str) -> str:
    """A file's name as words; nothing for a source that is given as text."""
    return Path(source).stem.replace("_", " ").capitalize() if source != "-" and os.path.isfile(source) else ""


def _progress(done: int, total: int, title: str) -> None:
    print(f"[{done + 1}/{total}] {title}", file=sys.stderr)


def claim(options: argparse.Namespace) -> int:
    """Print the verdict on an identity, on the lines of a hand derivation, or on one result."""
    from matcalc.export.verdicts import verdict_data
    from matcalc.frontend.identities import judged_text

    if options.of is not None:
        if options.name is None:
            raise MatcalcError("--of needs --name: the variable or named value whose derivative is claimed")
        options.source, text = options.of, _source(options.claim)
        verdict: Any = _derivation(options).claim(options.name, text, kind=options.kind)
    else:
        verdict = judged_text(
            _source(options.claim),
            shapes=_table(options.shape, "--shape", "X=n,p", _pair) or None,
            facts=_table(options.fact, "--fact", "A=symmetric", str) or None,
            functions=_names(options.function),
        )
    if options.format == "json":
        _write_json(verdict_data(verdict), options.output)
    else:
        _write(str(verdict), options.output)
    return {"proved": 0, "disproved": FAILED}.get(verdict.status, UNDECIDED)


def ops(options: argparse.Namespace) -> int:
    """List the operations."""
    import matcalc.frontend.entry  # noqa: F401  (fills the registries)
    from matcalc.expr import REGISTRY

    entries = [{"name": op.name, "identity": op.identity, "source": op.source} for op in REGISTRY.values()]
    return _list(entries, "operation", options)


def rules(options: argparse.Namespace) -> int:
    """List the rewrite rules."""
    import matcalc.frontend.entry  # noqa: F401  (fills the registries)
    from matcalc.rewrite.rule import RULES

    entries = [
        {"name": rule.name, "identity": rule.identity, "source": rule.source, "group": rule.group}
        for rule in RULES.values()
    ]
    return _list(entries, "rule", options)


def _list(entries: list[dict[str, str]], what: str, options: argparse.Namespace) -> int:
    words = [word.lower() for word in options.words]
    found = [e for e in entries if all(word in " ".join(e.values()).lower() for word in words)]
    if not found:
        raise MatcalcError(f"no {what} mentions {' and '.join(options.words)}")
    if options.format == "json":
        _write_json(found, options.output)
    else:
        _write("\n".join(f"{e['name']}\n    {e['identity']}\n    [{e['source']}]" for e in found), options.output)
    return 0


# ------------------------------------------------------------------------------------------------ input and output


def _derivation(options: argparse.Namespace) -> Derivation:
    from matcalc.frontend.entry import derive

    return derive(
        _source(options.source),
        _names(options.wrt) or None,
        shapes=_table(options.shape, "--shape", "X=n,p", _pair) or None,
        facts=_table(options.fact, "--fact", "A=symmetric", str) or None,
        structure=_table(options.structure, "--structure", "S=symmetric", str) or None,
        convention=options.convention,
        functions=_names(options.function),
    )


def _source(argument: str) -> str:
    """The text: the argument itself, what the file holds, or the standard input."""
    argument = argument[1:] if argument.startswith(" -") else argument
    try:
        if argument == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        if os.path.isfile(argument) or argument.endswith(".txt"):
            return Path(argument).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MatcalcError(f"cannot read {argument}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise MatcalcError(f"{argument} is not a text in UTF-8: byte {error.start} cannot be read") from None
    return argument


def _names(given: Iterable[str]) -> list[str]:
    return [name.strip() for entry in given for name in entry.split(",") if name.strip()]


def _table(given: Iterable[str], option: str, example: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """The entries `name=value` of an option that may be repeated."""
    table: dict[str, Any] = {}
    for entry in given:
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not (name and equals and value):
            raise MatcalcError(f"{option} needs an entry such as {example}, got {shorten(repr(entry))}")
        if name in table:
            raise MatcalcError(f"{option} is given twice for {shorten(name)}")
        table[name] = read(value)
    return table


def _pair(value: str) -> tuple[Any, ...]:
    """`n,3` or `n x 3` as rows and columns."""
    parts = value.split(",") if "," in value else re.split(r"\s+x\s+", value)
    return tuple(int(part) if re.fullmatch(r"\s*[0-9]{1,18}\s*", part) else part.strip() for part in parts)


def _write(text: str, path: str | None) -> None:
    text = text.rstrip("\n") + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MatcalcError(f"cannot write {path}: {error.strerror}") from None


def _write_json(data: Any, path: str | None) -> None:
    import json

    _write(json.dumps(data, indent=2), path)


# ------------------------------------------------------------------------------------------------ options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="matcalc",
        description="Symbolic matrix calculus: derives gradients of matrix expressions step by step.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"matcalc {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    one = _command(commands, "derive", derive, "print the derivation: forward graph, steps, gradients")
    _add_source(one)
    _add_format(one, ("text", "latex", "markdown", "json"))
    one.add_argument(
        "--kind",
        choices=("gradient", "jacobian"),
        default="gradient",
        help="of a scalar function (default), or the Jacobian of a matrix-valued one",
    )
    one.add_argument(
        "--style",
        choices=("steps", "differential", "result", "components"),
        default="steps",
        help="each local Jacobian and the chain rule (default), differentials, or the answers only",
    )
    one.add_argument(
        "--layout",
        choices=("denominator", "numerator"),
        default="denominator",
        help="gradients in the variable's shape, or transposed",
    )

    one = _command(commands, "code", code, "print a standalone NumPy module")
    _add_source(one)
    one.add_argument(
        "--kind",
        default="value_and_grad",
        metavar="KIND",
        help="value, gradient, value_and_grad (default), jacobian, hessian, jvp, vjp or hvp",
    )
    one.add_argument("--target", default="numpy", metavar="TARGET", help="numpy (default)")

    one = _command(commands, "check", check, "compare the generated gradients with finite differences")
    _add_source(one)
    _add_format(one, ("text", "json"))
    one.add_argument("--trials", type=_at_least(1), default=5, metavar="N", help="how many random points (default: 5)")
    one.add_argument("--seed", type=_at_least(0), default=0, metavar="N", help="of the random numbers (default: 0)")

    one = _command(commands, "export", export, "write a note: .md .tex .html .ipynb .pdf or .json, by the suffix of -o")
    one.add_argument("sources", nargs="+", metavar="SOURCE", help="text, files that hold it, or - for standard input")
    _add_options_of_sources(one)
    one.add_argument("--title", default="", help="of the document")
    one.add_argument("--template", metavar="FILE", help="a Jinja2 template of your own; it may extend note.html.jinja")
    one.add_argument("--language", default="en", metavar="CODE", help="of the fixed words: en (default), es, hi")
    one.add_argument("--detail", choices=("full", "brief"), default="full", help="all steps, or the adjoints only")
    one.add_argument("--fragment", action="store_true", help="for .tex: without preamble, to be read by \\input")
    one.add_argument(
        "--entries", type=_at_least(0), default=0, metavar="N", help="write diagonal Jacobians out for N entries"
    )
    one.add_argument("--transpose", default=r"^\top", metavar="TEX", help="the mark of a transpose: ^\\top, ', ^T")
    one.add_argument("--hadamard", default=r"\odot", metavar="TEX", help="the entrywise product: \\odot, \\circ")
    one.add_argument("--adjoint", choices=("delta", "bar", "partial"), default="delta", help="how adjoints are written")
    one.add_argument("--bold", action="store_true", help="matrices and vectors in bold type")

    one = _command(commands, "claim", claim, "judge an identity, a hand derivation line by line, or a result (--of)")
    one.add_argument(
        "claim", metavar="CLAIM", help="`left = right`, a file of lines `d_NAME = ...` after their function"
    )
    one.add_argument("--of", metavar="SOURCE", help="the function whose derivative CLAIM is said to be")
    one.add_argument("--name", metavar="NAME", help="with --of: what it is differentiated by")
    one.add_argument("--kind", choices=("gradient", "adjoint", "jacobian", "hessian"), default="gradient")
    _add_options_of_sources(one)
    _add_format(one, ("text", "json"))

    for name, command, what in (("ops", ops, "operations"), ("rules", rules, "rewrite rules")):
        one = _command(commands, name, command, f"list the {what}: name, identity, source")
        one.add_argument("words", nargs="*", metavar="WORD", help="only those that mention every word")
        _add_format(one, ("text", "json"))
    return parser


def _command(commands: Any, name: str, run: Callable[..., int], summary: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
    one.set_defaults(command=run)
    one.add_argument("-o", "--output", metavar="FILE", help="write there, not to the standard output")
    return one


def _add_source(one: argparse.ArgumentParser) -> None:
    one.add_argument("source", metavar="SOURCE", help="text, a file that holds it, or - for the standard input")
    _add_options_of_sources(one)


def _add_options_of_sources(one: argparse.ArgumentParser) -> None:
    for option, example, what in (
        ("--wrt", "a,b", "the variables or named values to differentiate by (default: all that are not constant)"),
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


if __name__ == "__main__":
    sys.exit(main())
