"""The package of a Word document: the page with its styles, numbering and properties, in one zip file."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from html import escape

from matcalc.errors import MatcalcError
from matcalc.languages import Language
from matcalc.templating import template_folder

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same page is the same file, whenever it is written
PARTS = {
    "[Content_Types].xml": "content_types.xml",
    "_rels/.rels": "package_rels.xml",
    "word/_rels/document.xml.rels": "document_rels.xml",
    "word/styles.xml": "styles.xml",
    "word/numbering.xml": "numbering.xml",
    "docProps/core.xml": "core.xml",
}


def allowed(text: str) -> str:
    """The text without the control characters that no XML may hold."""
    return FORBIDDEN.sub("", text)


def need_xml(document: str) -> None:
    """Refuse what no reader of Word documents could open, as from a template of another format.

    Raises:
        MatcalcError: it is not well-formed.
    """
    try:
        ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise MatcalcError(f"the template makes no XML ({error}): it must extend note.docx.jinja") from None


def packed(document: str, title: str, language: Language) -> bytes:
    """The file of a document.

    Args:
        document: the main part, in XML.
        title: for the properties of the file.
        language: of the text.
    """
    folder = template_folder() / "word"
    parts = {
        name: folder.joinpath(file)
        .read_text(encoding="utf-8")
        .replace("@TITLE@", escape(allowed(title), quote=False))
        .replace("@LANGUAGE@", language.code)
        for name, file in PARTS.items()
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in {**parts, "word/document.xml": document}.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode("utf-8"))
    return made.getvalue()
