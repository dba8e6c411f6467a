"""The shell sessions of the README are real: each command is run and its output compared.

`python tests/test_readme.py` writes what the commands print now into the README. (Its Python runs as a doctest.)
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

from matcalc.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
SESSION = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)


def session(commands: list[str]) -> str:
    """The commands with what they print; blank lines between two of them."""
    parts = []
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "matcalc"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.chdir(ROOT):
            assert main(arguments) == 0
        parts.append(f"$ {command}\n{printed.getvalue()}")
    return "\n".join(parts)


def settled(text: str) -> str:
    """The text without rounding errors, which differ between machines."""
    return re.sub(r"[0-9.]+e-[0-9]+", "TINY", text)


def rewritten(text: str) -> str:
    """The README with the output of now."""
    return SESSION.sub(lambda found: session(re.findall(r"^\$ (.*)$", found[1], re.MULTILINE)), text)


def test_the_sessions_print_what_the_readme_shows() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(SESSION.findall(text)) >= 3
    assert settled(rewritten(text)) == settled(text), "run tests/test_readme.py and look at the difference"


TABLE = re.findall(r"`(matcalc [^`]+)`", README.read_text(encoding="utf-8").split("| you type |")[1].split("\n## ")[0])
ELSEWHERE = ("serve", "mcp")  # they wait for requests; their tests start them


@pytest.mark.parametrize("command", [c for c in TABLE if c.split()[1] not in ELSEWHERE])
def test_the_commands_of_the_table_work(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "--engine typst" in command:
        pytest.importorskip("typst")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command)[1:]
    assert main(arguments) == 0
    for option, file in zip(arguments, arguments[1:]):
        if option == "-o":
            assert (tmp_path / file).stat().st_size > 500


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
