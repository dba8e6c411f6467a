"""Processor time of a cold start: whole processes in turn, the median, and the ratios round by round.

Every command runs once uncounted, so that compiled modules lie on the disk; with `--beside` the same command of another
checkout runs in turn, and `python -c "import sympy"` always does.

    python benchmarks/start.py [--rounds 15] [--beside /path/to/another/checkout] [examples/one_hidden_layer.txt ...]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SHARES = ("sympy", "numpy", "scipy", "jinja2", "lark", "matcalc")


def seconds(command: list[str], checkout: Path | None) -> float:
    """The processor time of one run of a command, the interpreter's own included; from no checkout's folder."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(commands: dict[str, tuple[list[str], Path | None]], rounds: int) -> dict[str, list[float]]:
    """The processor times of some commands, by name, run in turn."""
    for command, checkout in commands.values():
        seconds(command, checkout)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (command, checkout) in commands.items():
            times[name].append(seconds(command, checkout))
    return times


def table(times: dict[str, list[float]]) -> str:
    """The medians, and those of the ratios of the first command to the others, round by round."""
    first = next(iter(times.values()))
    lines = ["| command | processor time | the first of it |", "|---|---:|---:|"]
    for name, found in times.items():
        ratio = statistics.median(a / b for a, b in zip(first, found))
        lines.append(f"| {name} | {1000 * statistics.median(found):.0f} ms | {ratio:.2f} |")
    return "\n".join(lines)


def imported(source: str) -> dict[str, int]:
    """How many modules of each package a derivation imports."""
    code = f"import sys\nfrom matcalc.cli import main\nmain(['derive', {source!r}])\n"
    code += "print(*(name.partition('.')[0] for name in sys.modules), file=sys.stderr)"
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    names = run.stderr.split()
    return {package: names.count(package) for package in SHARES}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("sources", nargs="*", default=["examples/one_hidden_layer.txt"])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--beside", type=Path)
    given = options.parse_args()
    for source in given.sources:
        path = str((HERE / source).resolve())
        derive = [sys.executable, "-m", "matcalc", "derive", path]
        commands: dict[str, tuple[list[str], Path | None]] = {f"`matcalc derive {source}`": (derive, HERE)}
        if given.beside is not None:
            commands[f"the same of {given.beside.name}"] = derive, given.beside
        commands['`python -c "import sympy"`'] = [sys.executable, "-c", "import sympy"], None
        commands['`python -c "import matcalc"`'] = [sys.executable, "-c", "import matcalc"], HERE
        commands["`python -c pass`"] = [sys.executable, "-c", "pass"], None
        print(table(compared(commands, given.rounds)), "\n")
        print(", ".join(f"{n} modules of {package}" for package, n in imported(path).items()), "\n")


if __name__ == "__main__":
    main()
