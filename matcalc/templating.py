"""The Jinja2 templates: in the wheel they lie in `matcalc/templates`, in a checkout beside the package."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.errors import MatcalcError
from matcalc.optional import Later

if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = Later("jinja2")


def template_folder() -> Path:
    """The folder with the templates.

    Raises:
        MatcalcError: the installation lacks them.
    """
    package = Path(str(files("matcalc")))
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise MatcalcError(f"the templates are missing beside {package}: install matcalculus again")


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The environment of our templates: undefined names are errors, nothing is escaped (text, TeX and code)."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def render(name: str, **values: Any) -> str:
    """The template `name` filled in."""
    return environment().get_template(name).render(**values)
