"""The notebooks run, show what is stored in them, ask one question each, and have exercises that a verdict grades."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notebooks import FOLDER, alike, differences, executed, outputs

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"), key=lambda path: int(path.name.split("_")[0]))


def stored(path: Path) -> dict[str, Any]:
    book: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return book


def sources(book: dict[str, Any], kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_stored(path: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    assert differences(stored(path), executed(path)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_lesson(path: Path) -> None:
    book = stored(path)
    text, code = sources(book, "markdown"), "\n".join(sources(book, "code"))
    assert text[0].startswith("# ")
    assert "?" in text[0]
    assert any(part.startswith("## Exercises") for part in text)
    assert code.count(".claim(") >= 1
    assert "assert " in code
    graded = [shown for cell in book["cells"] for _, shown in outputs(cell) if shown.startswith("disproved")]
    assert len(graded) >= (1 if path.stem.startswith("9_") else 2)
    assert all(
        cell["outputs"] or "import" in "".join(cell["source"]) for cell in book["cells"][-2:] if "outputs" in cell
    )


def test_only_last_digits_may_differ() -> None:
    assert alike("error 2.4e-12, x = 1.23456", "error 3.1e-13, x = 1.23461")
    assert alike("12.5 ms for all", "17.1 ms for all")
    assert not alike("x = 1.23", "x = 1.25")
    assert not alike("W1'*x", "W2'*x")
    assert not alike("proved", "disproved")
