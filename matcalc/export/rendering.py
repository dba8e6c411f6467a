"""Notes through Jinja2: our templates, and users' own, which may extend ours; theirs run in a sandbox."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from matcalc.errors import MatcalcError
from matcalc.templating import template_folder

JOINED = re.compile(r"\n\n(?=\\\[\n)")  # a display of LaTeX belongs to the paragraph before it


def tidied(text: str) -> str:
    """Not more than one blank line in a row, none at the ends; one newline at the end."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip() if line.strip() else "")
    return JOINED.sub("\n", "\n".join(lines).strip()) + "\n"


@lru_cache(maxsize=8)
def _environment(folder: str) -> SandboxedEnvironment:
    folders = [folder] if folder else []
    return SandboxedEnvironment(
        loader=jinja2.FileSystemLoader([*folders, str(template_folder())]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(form: str, template: str | Path | None, **values: Any) -> str:
    """A note by the template of a form (`md`, `tex`, `html`), or by a user's own.

    Raises:
        MatcalcError: there is no such file, or the template has a mistake.
    """
    name, folder = f"note.{form}.jinja", ""
    if template is not None:
        path = Path(template).resolve()
        if not path.is_file():
            raise MatcalcError(f"the template {template} is not a file")
        name, folder = path.name, str(path.parent)
    try:
        return _environment(folder).get_template(name).render(**values)
    except jinja2.TemplateSyntaxError as error:
        raise MatcalcError(f"the template {error.name}, line {error.lineno}: {error.message}") from None
    except jinja2.TemplateError as error:
        raise MatcalcError(f"the template {name}: {error.message}") from None
