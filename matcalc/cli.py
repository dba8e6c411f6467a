"""The command line: `matcalc derive | code | check | export | claim | curvature | solve | serve | site | ...`.

Everything heavy is imported when a command uses it, so that `matcalc --help` answers at once. Exit codes: 0; 1 where a
check fails or a claim is disproved; 2 for wrong input, with one message on stderr; 3 for an undecided claim; 70 for
a defect of matcalc itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.cli_options import parser
from matcalc.errors import MatcalcError, shorten
from matcalc.optional import Later
from matcalc.patience import patience

if TYPE_CHECKING:
    import webbrowser

    from matcalc import cli_completion
    from matcalc.api import loops, requests
    from matcalc.export import formats
    from matcalc.export import note as notes
    from matcalc.frontend.tracing import files
    from matcalc.printing import style
    from matcalc.serve import agents
    from matcalc.serve import pool as pools
    from matcalc.serve import server as servers
    from matcalc.serve import site as pages
    from matcalc.targets import registry
else:
    webbrowser, cli_completion = Later("webbrowser"), Later("matcalc.cli_completion")
    loops, requests = Later("matcalc.api.loops"), Later("matcalc.api.requests")
    formats, notes = Later("matcalc.export.formats"), Later("matcalc.export.note")
    style = Later("matcalc.printing.style")
    files, registry = Later("matcalc.frontend.tracing.files"), Later("matcalc.targets.registry")
    agents, pools, servers, pages = (Later(f"matcalc.serve.{name}") for name in ("agents", "pool", "server", "site"))

WRONG_INPUT, DEFECT, INTERRUPTED, CLOSED_PIPE = 2, 70, 130, 141
CODES = {"ok": 0, "failed": 1, "undecided": 3}
TEXTS = {"markdown", "latex", "json"}  # documents that commands print too


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


def _answered(command: str) -> Callable[[argparse.Namespace], int]:
    """What runs a command: its options as a request, its answer printed, its status as the exit code."""

    def run(options: argparse.Namespace) -> int:
        fields = {name: getattr(options, name, None) for name in requests.FIELDS[command]}
        given = {name: value for name, value in fields.items() if value is not None}
        for name in ("source", "of", "claim"):
            if name in given:
                given[name] = _source(given[name], run=getattr(options, "run", False))
        with patience(DOING.get(command, "deriving")):
            document = _document(options.output)
            if command == "solve" and document is not None and options.format is None:
                print(requests.optimum(given).export(options.output))
                return 0
            _need_text(command, options.output, document)
            found = requests.answer(command, given)
        text = _json(found["data"]) if getattr(options, "format", "text") == "json" else found["text"]
        _write(text, options.output)
        return CODES[found["status"]]

    return run


def _document(path: str | None) -> formats.Format | None:
    """The format of documents that a file's name ends as."""
    fitting = [f for f in formats.FORMATS.values() if path is not None and path.lower().endswith(f.suffix)]
    return max(fitting, key=lambda f: len(f.suffix), default=None)


def _need_text(command: str, path: str | None, document: formats.Format | None) -> None:
    """Raise MatcalcError where what a command prints is not what the file's name promises."""
    if document is not None and document.name not in TEXTS:
        other = "matcalc solve without --format" if command == "solve" else "matcalc export SOURCE"
        what = f"a file {document.suffix} is {document.what}"
        raise MatcalcError(f"{command} prints text here, and {what}: `{other} -o {path}` writes one")


def export(options: argparse.Namespace) -> int:
    """Write a note of one or several derivations."""
    if options.output is None:
        raise MatcalcError(f"export needs -o FILE, ending in one of {' '.join(formats.suffixes())}")
    if registry.target_of_file(options.output) is not None:
        if len(options.sources) > 1:
            raise MatcalcError("a file of code holds one derivation")
        print(
            requests.derivation({**vars(options), "source": _source(options.sources[0], run=options.run)}).export(
                options.output
            )
        )
        return 0
    notation = style.Notation(
        transpose=options.transpose, hadamard=options.hadamard, adjoint=options.adjoint, bold=options.bold
    )
    note = notes.Note(
        options.title,
        notation=notation,
        language=options.language,
        detail=options.detail,
        template=options.template,
        entries=options.entries,
        hessian=options.hessian,
        code=options.code,
    )
    fields = {name: getattr(options, name) for name in requests.SOURCE[1:] if getattr(options, name, None) is not None}
    for source in options.sources:
        d: Any = requests.derivation({**fields, "source": _source(source, run=options.run)})
        if isinstance(d, loops.LoopDerivation) and len(options.sources) == 1:
            title = options.title or _title(source) or "Derivatives"
            form = {"format": options.format, "engine": options.engine}
            print(d.export(options.output, title=title, notation=notation, **form))
            return 0
        note.add(d, getattr(d, "title", "") or _title(source))
    progress = _progress if sys.stderr.isatty() else None
    path = note.export(
        options.output, format=options.format, fragment=options.fragment, engine=options.engine, progress=progress
    )
    print(path)
    return 0


def _title(source: str) -> str:
    """A file's name as words; nothing for a source that is given as text."""
    return Path(source).stem.replace("_", " ").capitalize() if source != "-" and os.path.isfile(source) else ""


def _progress(done: int, total: int, title: str) -> None:
    print(f"[{done + 1}/{total}] {title}", file=sys.stderr)


def serve(options: argparse.Namespace) -> int:
    """Serve the page and the JSON API until it is interrupted."""
    pool = pools.Pool(options.workers, options.limit, options.memory * 2**20)
    try:
        server = servers.Server(pool, options.host, options.port, options.name)
    except MatcalcError:
        pool.close()
        raise
    print(f"matcalc: the page is at {server.address} (stop with Ctrl+C)", flush=True)
    if not servers.is_local(options.host):
        print("matcalc: other machines can reach it: there are no accounts and no encryption", file=sys.stderr)
    if options.open:
        webbrowser.open(server.address)
    with server:
        server.serve_forever()
    return 0


def mcp(options: argparse.Namespace) -> int:
    """Serve the tools to agents on the standard streams until they end."""
    agents.run(options.limit, options.memory * 2**20, options.workers)
    return 0


def site(options: argparse.Namespace) -> int:
    """Write the page as a folder that needs no server of ours."""
    node = None if options.no_compile else shutil.which("node")
    with patience("packing Python and its libraries"):
        made = pages.write_site(Path(options.folder), Path(options.pyodide), node)
    print(f"{made.folder}: {made.size / 2**20:.0f} MiB; to see it: python3 -m http.server -d {made.folder}")
    if not made.numpy:
        print("matcalc: NumPy is not in it: numbers come from matcalc's own arrays (docs/serve.md)", file=sys.stderr)
    if not made.compiled and not options.no_compile:
        print(
            "matcalc: the libraries are not compiled, since Node could not do it: the first start takes longer",
            file=sys.stderr,
        )
    return 0


def completion(options: argparse.Namespace) -> int:
    """Print the script by which a shell completes commands and options."""
    _write(cli_completion.script(parser(COMMANDS), options.shell), options.output)
    return 0


# ------------------------------------------------------------------------------------------------ input and output


def _source(argument: str, *, run: bool = False) -> Any:
    """The text: the argument itself, what the file holds, or the standard input; with `run` a function in a file."""
    argument = argument[1:] if argument.startswith(" -") else argument
    found = re.fullmatch(r"(.+\.py):([A-Za-z_]\w*)", argument)
    if found is not None:
        return _function(found[1], found[2], run)
    if argument.endswith(".py") and os.path.isfile(argument):
        raise MatcalcError(f"{argument} is Python: name the function in it, as in {argument}:loss")
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


def _function(path: str, name: str, run: bool) -> Any:
    """The Python function in a file, which is run to get it: only where that is asked for."""
    if not os.path.isfile(path):
        raise MatcalcError(f"cannot read {path}: there is no such file")
    if not run:
        raise MatcalcError(
            f"{path}:{name} is a Python function: to read it the whole file {path} is run, with all that it does; "
            "add --run if you trust it"
        )
    print(f"matcalc: running {path}", file=sys.stderr)
    return files.function_in(path, name)


def _write(text: str, path: str | None) -> None:
    text = text.rstrip("\n") + "\n"
    if path is None:
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MatcalcError(f"cannot write {path}: {error.strerror}") from None


def _json(data: Any) -> str:
    return json.dumps(data, indent=2)


ANSWERED = ("derive", "code", "check", "claim", "curvature", "solve", "ops", "rules")
DOING = {"check": "comparing with differences", "claim": "looking for a proof", "code": "writing code"}
COMMANDS = {
    **{name: _answered(name) for name in ANSWERED},
    "export": export,
    "serve": serve,
    "site": site,
    "mcp": mcp,
    "completion": completion,
}


if __name__ == "__main__":
    sys.exit(main())
