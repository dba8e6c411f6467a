r"""Which notation a text is in, and its syntax tree: the text syntax first, then LaTeX or other systems' spellings.

LaTeX is recognised by its commands. Whatever the grammar of the text accepts is read by that grammar alone; only what
it refuses is tried as pasted text, and if that fails too, the error is that of the notation that the text looks like.
Another system's spelling is read where the shapes are declared; on undeclared names it would be a guess upon guesses,
and the error says how it is written here.
"""

from __future__ import annotations

import re
from typing import Any

from lark import Token

from matcalc.dims import symbol
from matcalc.errors import ParseError, need_one_of
from matcalc.frontend.declarations import form_of, open_sizes, shape_of
from matcalc.frontend.hints import READINGS
from matcalc.frontend.loop_statements import family
from matcalc.frontend.pasted import latex_tokens, recurrences, text_tokens
from matcalc.frontend.pasted.calls import is_literal
from matcalc.frontend.pasted.latex_tokens import ACCENTS, BRACKETS, OPERATORS, REFUSED, SPECIAL, STYLES
from matcalc.frontend.pasted.reader import Reader
from matcalc.frontend.pasted.recurrence_reader import RecurrenceReader
from matcalc.frontend.pasted.tokens import Known, PastedError, is_called
from matcalc.frontend.syntax import MAX_CHARACTERS, Node, Source, read
from matcalc.frontend.syntax_tree import tree
from matcalc.printing.symbols import GREEK

SYNTAXES = ("text", "latex")
_COMMAND = re.compile(r"\\([A-Za-z]+|[\\|{},;!])")
_BRACES = re.compile(r"[\^_]\s*\{|\$")
_PYTHON = re.compile(rf"\b(?:{text_tokens.PREFIXES})\.|\*\*|@")
_FOREIGN = re.compile(
    r"\w'[A-Za-z(]|[\w)'\]]\s*\\\s*[\w(]|\.[+\-']|\w\.\(|\(\s*:\s*\)|\||'\w+'|[)\w]\.[a-z]\w*\(|"
    r"\b[A-Za-z]_[a-z]\b.*\s\w|\^T\b"
)
_DECLARATION = re.compile(
    r"(?:^|(?<=[;\n]))[ \t]*([A-Za-z_]\w*)\s*(?:\[\s*[A-Za-z]\w*\s*=[^\]\n;]*\]\s*)?:(?!=)[^;\n]*"
)
_COMMANDS = frozenset((*SPECIAL, *BRACKETS, *OPERATORS, *STYLES, *ACCENTS, *REFUSED, *GREEK, "left", "right", "quad"))
# Where a 0 is a value of its own, and the functions that compare entries with it.
_READS_ZERO = ("product", "sum", "signed", "postfix", "call", "shaped", "expression", "definition")
_COMPARES = ("max", "min", "maximum", "minimum", "where")
_ZERO = "0 has two readings here, the number and a matrix of zeros: leave it out, or write zeros(m, n) in text"
_TRANSPOSE = re.compile(r"\^T\b")
LONGEST = 20_000  # characters of a pasted formula


def is_latex(text: str) -> bool:
    """Whether the text has commands of LaTeX, or its braces: `A\\b` has neither."""
    if _BRACES.search(text) and not re.search(r"[^\x00-\x7f]", text):
        return True
    if re.search(r"(?:^|[^\w)'\]\s])\s*\\[A-Za-z]{2,}", text):
        return True
    return any(m[1] in _COMMANDS or is_called(m[1]) or not m[1].isalpha() for m in _COMMAND.finditer(text))


def is_foreign(text: str) -> bool:
    """Whether something in the text shows that it was written for another system, so that it may be read as such."""
    if not text.isascii() or _PYTHON.search(text) or _FOREIGN.search(text):
        return True
    return any(word in READINGS or word == "norm" for word in re.findall(r"\w+(?=\()", text))


def read_any(text: Any, known: Known, syntax: str | None) -> tuple[Source, Node]:
    """The text with its syntax tree.

    Args:
        text: in any notation.
        known: the names that are declared.
        syntax: `text` or `latex`; None to find out.

    Raises:
        MatcalcError: it is not a string, or the syntax is not known.
        ParseError: it is in no notation that is read, or has several readings.
    """
    if syntax is not None:
        need_one_of("syntax", syntax, SYNTAXES)
    if not isinstance(text, str) or syntax == "text" or len(text) > LONGEST:
        return read(text)
    if syntax == "latex" or is_latex(text):
        return pasted(text, known, latex=True)
    try:
        found = read(text)
        certain = _TRANSPOSE.search(text) and "T" not in known and not re.search(r"\bT\s*[:=]", text)
        if not certain or not (known.shapes or _DECLARATION.search(text)):
            return found
        return pasted(text, known, latex=False)  # x^T*A*x: there is no T
    except ParseError as error:
        first = error
    if not is_foreign(text):
        raise first
    declared = known.shapes or _DECLARATION.search(text) or not text.isascii()
    try:
        found = pasted(text, known, latex=False)
    except ParseError as error:
        meant = isinstance(error, PastedError) or not text.isascii() or _PYTHON.search(text) is not None
        raise (error if meant else first) from None
    except RecursionError:
        raise first from None
    if not declared:
        raise first
    return found


def pasted(text: str, known: Known, *, latex: bool) -> tuple[Source, Node]:
    """The tree of LaTeX or of other systems' text; lines `name: rows x columns facts` are declarations here too.

    Raises:
        ParseError: it is not read.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"the text has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    source = Source(text.replace("\r\n", "\n").replace("\r", "\n"), pasted=True)
    declarations, rest = [], source.text
    for found in _DECLARATION.finditer(source.text):
        if latex and "\\" in found[0]:
            continue
        declarations.append(_declaration(source, found.start(), found.end(), known))
        rest = rest[: found.start()] + " " * len(found[0]) + rest[found.end() :]
    if latex:
        tokens = latex_tokens.tokens(Source(rest), known)
    else:
        tokens = text_tokens.tokens(Source(rest), 0, len(rest), separators=True)
    if all(tok.kind in ("line", ";", ",", ".", "gap") for tok in tokens):
        raise ParseError("the formula is empty: there is nothing to derive")
    python = not latex and _PYTHON.search(rest) is not None
    lines = recurrences.split(source, tokens, known) if latex else None
    if lines is not None:
        statements = RecurrenceReader(source, [], known, latex=True, python=False).all_of(lines)
    else:
        tokens = [tok for tok in tokens if tok.kind != "gap"]
        statements = Reader(source, tokens, known, latex=latex, python=python).statements()
    if latex:
        for statement in statements:
            _check_zeros(source, statement)
    return source, tree("start", [*declarations, *statements], 0, len(source.text))


def _check_zeros(source: Source, statement: Node) -> None:
    """Raise ParseError where a 0 may be a number or a matrix of zeros, which the shape of the result depends on."""
    for node in statement.iter_subtrees():
        compares = node.data == "call" and str(node.children[0]) in _COMPARES
        if compares or node.data not in _READS_ZERO:
            continue
        for child in node.children[:1] if node.data == "postfix" else node.children:
            if not isinstance(child, Token) and is_literal(child, "0"):
                found = source.error(_ZERO, child)
                raise PastedError(found.message, found.source, found.line, found.column)


def _declaration(source: Source, start: int, end: int, known: Known) -> Node:
    """A declaration, by the grammar of the text; its names are known from then on."""
    blank = "".join(c if start <= k < end or c == "\n" else " " for k, c in enumerate(source.text))
    try:
        _, found = read(blank[:end])
    except ParseError as error:
        raise ParseError(error.message, source.text, error.line, error.column) from None
    declaration: Any = found.children[0]
    if declaration.data not in ("declaration", "family"):
        raise source.error_at("a declaration is `name: rows x columns`", start)
    ends: list[Any] = []
    if declaration.data == "family":
        name, _, _, ends = family(source, declaration)  # type: ignore[assignment]
    else:
        name = str(declaration.children[0])
    form = form_of(source, declaration)
    sizes = (int(source.words(c)) if c.data == "number" else symbol(source.words(c)) for c in form.sizes)
    shape = shape_of(source, name, form, sizes, declaration)
    if shape is None:
        raise source.error_at(open_sizes(name, form.kind), start)
    (known.families if declaration.data == "family" else known.shapes)[name] = shape
    for size in (*form.sizes, *ends):
        known.dims |= {str(t.children[0]) for t in size.iter_subtrees() if t.data == "name"}
    return declaration  # type: ignore[no-any-return]
