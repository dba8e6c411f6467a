"""The notebooks with their outputs: run and compared with what is stored, or written anew.

    .venv/bin/python tests/notebooks.py [NAME ...]     # runs and stores, after a change that is meant

Numbers may differ in their last digits from machine to machine, small errors by their size; pictures and generated code
have to be there.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?(?!\w)")
TIMES = re.compile(r"\d+\.\d+ (ms|s)\b")
SMALL = 1e-6  # errors below are rounding
CLOSE = 2e-3
TIMEOUT = 300
COMPARED = ("text/plain", "text/markdown", "text/latex", "image/svg+xml")


def executed(path: Path) -> dict[str, Any]:
    """A notebook with the outputs of its cells, as plain data; nothing in it says when or where it ran."""
    import nbclient  # noqa: PLC0415  (optional)
    import nbformat  # noqa: PLC0415

    book = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        book, timeout=TIMEOUT, record_timing=False, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    made: dict[str, Any] = json.loads(nbformat.writes(book))
    made["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in made["cells"]:
        cell["metadata"] = {}
        if "outputs" in cell:
            cell["outputs"] = _merged(cell["outputs"])
    return made


def _merged(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs with what was printed in one piece: the kernel cuts it anywhere."""
    made: list[dict[str, Any]] = []
    for part in parts:
        text = part.get("text")
        if text is not None and made and made[-1].get("name") == part.get("name") is not None:
            made[-1]["text"] = "".join([*made[-1]["text"], *text]).splitlines(keepends=True)
        else:
            made.append(part)
    return made


def outputs(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a cell shows: the kind and the text; of a bitmap that it is there."""
    streams = ""
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            streams += "".join(output["text"])
            continue
        for kind, content in sorted(output.get("data", {}).items()):
            yield kind, "".join(content) if kind in COMPARED else ""
    if streams:
        yield "stream", streams


def differences(stored: dict[str, Any], made: dict[str, Any]) -> list[str]:
    """Where two runs of a notebook differ."""
    found = []
    for k, (old, new) in enumerate(zip(stored["cells"], made["cells"])):
        before, after = list(outputs(old)), list(outputs(new))
        if [kind for kind, _ in before] != [kind for kind, _ in after]:
            found.append(f"cell {k} shows {[kind for kind, _ in after]}, stored is {[kind for kind, _ in before]}")
            continue
        is_code = ".code(" in "".join(new["source"])  # what is generated has tests of its own
        for (kind, text), (_, other) in zip(before, after):
            if not is_code and not alike(text, other):
                found.append(f"cell {k}, {kind}: {shown(text, other)}")
    return found


def alike(text: str, other: str) -> bool:
    """Whether two texts are the same but for the last digits of numbers."""
    text, other = (TIMES.sub(r"... \1", t) for t in (text, other))
    if NUMBER.sub("#", text) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(text), NUMBER.findall(other))
    return all(a == b or _near(float(a), float(b)) for a, b in pairs)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(abs(a), abs(b)) or max(abs(a), abs(b)) < SMALL


def shown(text: str, other: str) -> str:
    """The first lines that differ."""
    for old, new in zip(text.splitlines(), other.splitlines()):
        if not alike(old, new):
            return f"stored {old[:120]!r}, now {new[:120]!r}"
    return "the number of lines"


def write(path: Path) -> None:
    """Run a notebook and store it with its outputs."""
    made = executed(path)
    path.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(names: list[str]) -> int:
    """Run and store all notebooks, or those whose names begin with one of these."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not names or any(path.name.startswith(name) for name in names):
            write(path)
            print(path.name, f"{path.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
