"""A derivation as a document in one answer: the file that the export would write, in base64."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matcalc.api.derivation import Derivation
from matcalc.api.requests import SOURCE, derivation
from matcalc.export.formats import FORMATS
from matcalc.export.note import Note
from matcalc.languages import ENGLISH

OPTIONS = {"title": "", "language": ENGLISH, "detail": "full", "hessian": False}  # and what they are by default
TYPES = {".md": "text/markdown", ".tex": "application/x-tex", ".ipynb": "application/x-ipynb+json"}


def document(given: Mapping[str, Any]) -> dict[str, Any]:
    """The note of a derivation, with its name and its media type; pictures beside it stand in `files`.

    Raises:
        MatcalcError: the source is wrong, or the document cannot be made here.
    """
    suffix = FORMATS[given["format"]].suffix
    d: Any = derivation({name: value for name, value in given.items() if name in SOURCE})
    options = {name: given[name] for name, usual in OPTIONS.items() if given.get(name, usual) != usual}
    title = str(given.get("title") or getattr(d, "title", ""))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{_stem(title)}{suffix}"
        if given["format"] != "notebook":
            d.export(path, format=given["format"], **options)
        elif isinstance(d, Derivation):
            path.write_text(_notebook(d, options), encoding="utf-8")
        else:
            d.export(path, format="notebook", execute=False, **options)
        files = {made.name: made.read_bytes() for made in sorted(Path(folder).iterdir())}
    content = files.pop(path.name)
    data = {
        "name": path.name,
        "type": TYPES.get(suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "content": base64.b64encode(content).decode("ascii"),
        "files": {name: base64.b64encode(drawing).decode("ascii") for name, drawing in files.items()},
    }
    return {"status": "ok", "text": path.name, "data": data}


def _notebook(d: Derivation, options: dict[str, Any]) -> str:
    """A notebook whose cells were not run: nothing is run for whoever asks."""
    note = Note(**options)
    note.add(d)
    return json.dumps(note.notebook(execute=False), indent=1, ensure_ascii=False) + "\n"


def _stem(title: str) -> str:
    """A name for a file: letters and digits of the title."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:60] or "derivation"
