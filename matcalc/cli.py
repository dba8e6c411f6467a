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

from matcalc.cli_options import parser
from matcalc.errors import MatcalcError, shorten
from matcalc.kinds import SHOWN, kind_of

if TYPE_CHECKING:
    from matcalc.api.derivation import Derivation

FAILED, WRONG_INPUT, UNDECIDED, DEFECT, INTERRUPTED, CLOSED_PIPE = 1, 2, 3, 70, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; what the program exits with comes back."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = parser(COMMANDS).parse_args([_shielded(a) for a in arguments])
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
    """Print the derivation; with Hessians at its end where they are asked for."""
    from matcalc.export.data import derivation_data, hessian_data

    d = _derivation(options)
    kind = kind_of(options.kind, SHOWN)
    if kind.scalar:
        d.need_scalar(kind.title)
    elif d.output.is_scalar:
        raise MatcalcError("the function is 1 x 1: it has a gradient (--kind gradient)")
    if options.format == "json":
        data = derivation_data(d, options.style, options.layout)
        _write_json({**data, "hessians": hessian_data(d)} if kind.second else data, options.output)
    else:
        view = getattr(d, options.format)
        text = view(style=options.style, layout=options.layout, language=options.language, hessian=kind.second)
        _write(text, options.output)
    return 0


def code(options: argparse.Namespace) -> int:
    """Print the source of a module."""
    from matcalc.functions.request import program_after

    d = _derivation(options)
    if options.after is None:
        text = d.code(kind=options.kind, target=options.target)
    else:
        text = f"{program_after(d, options.after, options.kind)}\n"
    _write(text, options.output)
    return 0


def check(options: argparse.Namespace) -> int:
    """Print the report of the numeric check."""
    report = _derivation(options).check(trials=options.trials, seed=options.seed, kind=options.kind, by=options.by)
    if options.format == "json":
        from matcalc.export.data import report_data

        _write_json(report_data(report), options.output)
    else:
        _write(str(report), options.output)
    return 0 if report.ok else FAILED


def export(options: argparse.Namespace) -> int:
    """Write a note of one or several derivations."""
    from matcalc.api.loops import LoopDerivation
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
        d: Any = _derivation(options)
        if isinstance(d, LoopDerivation) and len(options.sources) == 1:
            print(d.export(options.output, title=options.title or _title(source) or "Derivatives", notation=notation))
            return 0
        note.add(d, _title(source))
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
    from matcalc.api.prove import judged_text
    from matcalc.export.verdicts import verdict_data

    if options.of is not None:
        if options.name is None:
            raise MatcalcError("--of needs --name: the variable or named value whose derivative is claimed")
        options.source, text = options.of, _source(options.claim)
        verdict: Any = _derivation(options).claim(options.name, text, kind=options.kind, by=options.by)
    else:
        verdict = judged_text(
            _source(options.claim),
            shapes=_table(options.shape, "--shape", "X=n,p", _sizes) or None,
            facts=_table(options.fact, "--fact", "A=symmetric", str) or None,
            functions=_names(options.function),
        )
    if options.format == "json":
        _write_json(verdict_data(verdict), options.output)
    else:
        _write(verdict.text(options.language), options.output)
    return {"proved": 0, "disproved": FAILED}.get(verdict.status, UNDECIDED)


def curvature(options: argparse.Namespace) -> int:
    """Print whether a function is convex or concave, with the proof or a witness."""
    c = _derivation(options).curvature()
    if options.format == "json":
        _write_json(c.data(), options.output)
    else:
        _write({"text": c.text, "latex": c.latex}[options.format](), options.output)
    return UNDECIDED if c.status == "undecided" else 0


def solve(options: argparse.Namespace) -> int:
    """Print the optimum of a function in closed form, with its proof, or the equations that it satisfies."""
    options.wrt = options.over
    senses = {"min": "minimum", "max": "maximum", "stationary": "stationary"}
    o = _derivation(options).optimum(subject_to=options.subject_to, sense=senses[options.sense])
    if options.format == "json":
        _write_json(o.data(), options.output)
    else:
        made = {"text": o.text, "latex": o.latex, "markdown": o.markdown, "code": o.code}
        _write(made[options.format](), options.output)
    return UNDECIDED if o.status == "none" else 0


def ops(options: argparse.Namespace) -> int:
    """List the operations."""
    import matcalc.api.derive  # noqa: F401  (fills the registries)
    from matcalc.expr import REGISTRY

    entries = [{"name": op.name, "identity": op.identity, "source": op.source} for op in REGISTRY.values()]
    return _list(entries, "operation", options)


def rules(options: argparse.Namespace) -> int:
    """List the rewrite rules."""
    import matcalc.api.derive  # noqa: F401  (fills the registries)
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
    from matcalc.api.derive import derive

    return derive(
        _source(options.source),
        _names(options.wrt) or None,
        shapes=_table(options.shape, "--shape", "X=n,p", _sizes) or None,
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


def _sizes(value: str) -> tuple[Any, ...]:
    """`n,3` or `n x 3` as rows and columns; `n` alone is a column."""
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


COMMANDS = {f.__name__: f for f in (derive, code, check, export, claim, curvature, solve, ops, rules)}


if __name__ == "__main__":
    sys.exit(main())
