"""PDF by the package typst, which needs nothing else to be installed."""

from __future__ import annotations

from typing import Any

from matcalc.errors import MatcalcError, MissingDependencyError, missing_dependency, shorten
from matcalc.languages import Language


def typst_package() -> Any:
    """The package.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import typst  # noqa: PLC0415  (optional)
    except ImportError:
        raise missing_dependency("a PDF without TeX", "typst") from None
    return typst


def fonts_for(language: Language) -> list[str]:
    """The fonts of a language's script that are installed; none where any font will do.

    Raises:
        MissingDependencyError: the package typst is not installed, or no font that has the script.
    """
    if not language.fonts:
        return []
    installed = set(typst_package().Fonts().families())
    found = [name for name in language.fonts if name in installed]
    if not found:
        script = language.messages["@script"]
        raise MissingDependencyError(
            f"no font for {script} is installed: install one of {', '.join(language.fonts)}, or export .html"
        )
    return found


def compiled_typst(source: str) -> bytes:
    """The PDF of a document in Typst.

    Raises:
        MissingDependencyError: the package is not installed.
        MatcalcError: the document does not compile.
    """
    typst = typst_package()
    try:
        return bytes(typst.compile(source.encode("utf-8"), format="pdf"))
    except typst.TypstError as error:
        raise MatcalcError(f"typst could not compile the note: {shorten(str(error), 300)}") from None
