"""What mkdocs calls: adds the generated catalogue, and the KaTeX that matcalc ships; the site needs no network."""

from __future__ import annotations

import sys
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

START = """\
document$.subscribe(() => {
  for (const element of document.querySelectorAll(".arithmatex")) {
    const text = element.textContent.trim();
    const display = element.tagName === "DIV";
    katex.render(text.replace(/^\\\\[([]|\\\\[)\\]]$/g, ""), element, { displayMode: display, throwOnError: false });
  }
});
"""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages and the scripts."""
    from mkdocs.structure.files import File  # noqa: PLC0415  (only mkdocs calls this)

    sys.path.insert(0, str(Path(__file__).parent))
    from site_catalogue import PAGES  # noqa: PLC0415

    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    folder = resources("matcalc.export").joinpath("katex")
    for name in ("katex.min.js", "katex.min.css"):
        files.append(File.generated(config, f"katex/{name}", content=folder.joinpath(name).read_text(encoding="utf-8")))
    for font in folder.joinpath("fonts").iterdir():
        files.append(File.generated(config, f"katex/fonts/{font.name}", content=font.read_bytes()))
    files.append(File.generated(config, "katex/start.js", content=START))
    return files
