"""The markups of a note (here Markdown and LaTeX) behind one set of words: headings, formulas, tables, lists.

Plain text is escaped here and nowhere else; what these methods return is markup.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from string import Formatter
from urllib.parse import quote

from matcalc.export.picture import WIDEST
from matcalc.languages import Language
from matcalc.printing.breaking import LINE, aligned, displayed, in_rows, width

TEX_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip
SCRIPT = r"[\u0370-\u1fff\u2c00-\ud7ff\uf900-\uffff]+"
FOREIGN = re.compile(rf"{SCRIPT}(?:\s+{SCRIPT})*")  # runs of letters that are not Latin
CODE_WIDTH = 92
CELL = 25.0  # em of a formula in a table
ITEM = 33.0  # em of a formula in a list
REFERENCE = 19.0  # em of a formula in the list of references
OPERATION, DIFFERENTIAL = 10.0, 16.0  # em of an operation and of its differential, side by side


class Markup:
    """What the formats share.

    Args:
        language: for the fixed words.
    """

    listings = True  # whether it has room for code
    line = LINE  # em of a formula on lines of its own
    pictures = "alone"  # of the graph: svg with the page's colours, screens (two of these, one for a phone), alone (svg
    # with its own colours), file (beside it), tex, word
    columns = WIDEST  # of a picture

    def __init__(self, language: Language) -> None:
        self.language = language

    def t(self, message: str, *values: str) -> str:
        """A fixed message in the note's language; `{0}`, `{1}` are replaced by markup."""
        parts = []
        for literal, slot, _, _ in Formatter().parse(self.language(message)):
            parts.append(self.text(literal))
            if slot is not None:
                parts.append(values[int(slot)])
        return "".join(parts)

    def text(self, plain: str) -> str:
        """Plain text."""
        raise NotImplementedError

    def math(self, formula: str) -> str:
        """A formula in a line of text."""
        raise NotImplementedError

    def tall(self, formula: str, line: float = CELL) -> str:
        """A formula in a list or table: in display style, broken where it is long."""
        return self.math(rf"\displaystyle {displayed(formula, line)}")

    def reason(self, message: str, *formulas: str) -> str:
        """A fixed message inside a formula; `{0}`, `{1}` are replaced by formulas."""
        parts = []
        for literal, slot, _, _ in Formatter().parse(self.language(message)):
            if literal:
                parts.append(rf"\text{{{self.plain(literal)}}}")
            if slot is not None:
                parts.append(formulas[int(slot)])
        return " ".join(parts)

    def plain(self, words: str) -> str:
        """Words inside the `text` of a formula."""
        return "".join(TEX_SPECIAL.get(c, c) for c in words)

    def display(self, formula: str) -> str:
        """A formula on lines of its own, broken where it is long."""
        return self.fitted(lambda line: displayed(formula, line))

    def standing(self, formula: str) -> str:
        """A formula on lines of its own, behind which a page may end."""
        return self.result(lambda line: displayed(formula, line))

    def equations(self, left: str, rows: Sequence[tuple[str, str]]) -> str:
        """A chain of equal expressions on lines of their own, each with its reason."""
        return self.fitted(lambda line: aligned(left, rows, line))

    def boxed(self, formula: str, reason: str = "") -> str:
        """A result in a frame, and its reason beside or below it."""
        return self.result(lambda line: _framed(formula, reason, line))

    def boxes(self, formulas: Sequence[str]) -> str:
        """Short results, each in a frame, side by side where they have room."""
        return self.result(lambda line: _side_by_side(formulas, line))

    def fitted(self, made: Callable[[float], str]) -> str:
        """A formula on lines of its own that is made for a width of the line."""
        return self.block(made(self.line))

    def result(self, made: Callable[[float], str]) -> str:
        """A formula in a frame: it stays with the chain before it."""
        return self.fitted(made)

    def block(self, formula: str) -> str:
        """A formula on lines of its own, as it is."""
        raise NotImplementedError

    def paragraph(self, content: str) -> str:
        """A paragraph of markup."""
        raise NotImplementedError

    def lead(self, content: str) -> str:
        """A line of words that stays with what follows."""
        return self.paragraph(content)

    def strong(self, content: str) -> str:
        """Emphasised strongly."""
        raise NotImplementedError

    def small(self, content: str) -> str:
        """A remark in smaller type."""
        raise NotImplementedError

    def lines(self, *parts: str) -> str:
        """Lines one below the other, in a list."""
        raise NotImplementedError

    def verbatim(self, code: str) -> str:
        """Code in a line of text."""
        raise NotImplementedError


class Markdown(Markup):
    """Markdown as JupyterLab, VS Code and GitHub read it; formulas between dollars.

    Args:
        language: for the fixed words.
        stem: of the files beside the note in which its pictures stand; where it is empty, they stand in the text.
    """

    pictures = "file"

    def __init__(self, language: Language, stem: str = "") -> None:
        super().__init__(language)
        self.stem = stem
        self.files: dict[str, str] = {}

    def stored(self, svg: str) -> str:
        """Where a picture stands: the name of a file, noted in `files`, or the picture itself as a data address."""
        if not self.stem:
            return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
        name = f"{self.stem}-{len(self.files) + 1}.svg"
        self.files[name] = svg
        return quote(name)

    def text(self, plain: str) -> str:
        return re.sub(r"([\\`*_{}\[\]<>$#|])", r"\\\1", plain)

    def math(self, formula: str) -> str:
        line = " ".join(formula.split()).replace("|", r"\vert ")  # a bar would end the cell of a table
        return f"${line}$"

    def strong(self, content: str) -> str:
        return f"**{content}**"

    def small(self, content: str) -> str:
        return f"*{content}*"

    def heading(self, level: int, content: str) -> str:
        """A heading; 1 is the title."""
        return f"\n\n{'#' * level} {content}\n\n"

    def paragraph(self, content: str) -> str:
        """A paragraph."""
        return f"\n\n{content}\n\n"

    def block(self, formula: str) -> str:
        return f"\n\n$$\n{formula}\n$$\n\n"

    def items(self, rows: Sequence[str]) -> str:
        """A list."""
        return "\n\n" + "\n".join(f"- {row}" for row in rows) + "\n\n"

    def verbatim(self, code: str) -> str:
        return f"`{code}`"

    def lines(self, *parts: str) -> str:
        return "  \n  ".join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        """A table with a head; `prose` is the share of the line that a last column of words may take."""
        lines = [head, ["---"] * len(head), *rows]
        return "\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n\n"

    def code(self, source: str, name: str) -> str:
        """A listing."""
        return f"\n\n```{name}\n{source.rstrip()}\n```\n\n"

    def picture(self, drawing: str, legend: str) -> str:
        """A picture of the graph, in a file of its own or inside the text."""
        return f"\n\n![{self.t('Forward graph')}]({drawing})\n\n" + (f"{self.small(legend)}\n\n" if legend else "")


class Tex(Markup):
    r"""LaTeX for pdflatex (and lualatex, xelatex).

    Args:
        language: for the fixed words.
        fragment: for a text that is read by `\input`, in a beamer frame too: no long tables, no listings.
    """

    pictures = "tex"
    HEADINGS = ("section", "section", "subsection", "subsubsection", "paragraph")

    def __init__(self, language: Language, fragment: bool = False) -> None:
        super().__init__(language)
        self.fragment = fragment
        self.listings = not fragment

    def text(self, plain: str) -> str:
        escaped = "".join(TEX_SPECIAL.get(c, c) for c in plain)
        return FOREIGN.sub(r"{\\nativefont \g<0>}", escaped) if self.language.fonts else escaped

    def math(self, formula: str) -> str:
        return f"${' '.join(formula.split())}$"

    def tall(self, formula: str, line: float = CELL) -> str:
        """The first line stands beside the bullet or in the row of the table; fractions keep clear of other rows."""
        strut = r"\rule[-2ex]{0pt}{5.2ex}" if r"\frac" in formula else ""
        return strut + super().tall(formula, line).replace(r"\begin{aligned}", r"\begin{aligned}[t]")

    def strong(self, content: str) -> str:
        return rf"\textbf{{{content}}}"

    def small(self, content: str) -> str:
        return rf"{{\small\itshape {content}}}"

    def heading(self, level: int, content: str) -> str:
        if level == 4:
            return f"\n\n\\par\\penalty-300\\medskip\\noindent\\textbf{{{content}}}\\nopagebreak\n\n"
        lines = 14 if level < 3 else 7  # a chapter begins with another heading
        room = f"\\ifdefined\\needroom\\needroom{{{lines}}}\\fi\n"
        return f"\n\n{room}\\{self.HEADINGS[level - 1]}*{{{content}}}\n\n"

    def paragraph(self, content: str) -> str:
        return f"\n\n{content}\n\n"

    def plain(self, words: str) -> str:
        return self.text(words)

    def block(self, formula: str) -> str:
        return f"\n\\[\n{formula}\n\\]\n"

    def items(self, rows: Sequence[str]) -> str:
        return (
            "\n\\begin{itemize}\\setlength\\itemsep{1pt}\\setlength\\parsep{0pt}\\setlength\\topsep{2pt}\n"
            + "\n".join(rf"\item {row}" for row in rows)
            + "\n\\end{itemize}\n"
        )

    def verbatim(self, code: str) -> str:
        escaped = "".join(TEX_SPECIAL.get(c, c) for c in code)
        return rf"\texttt{{{escaped.replace('--', '-{}-')}}}"

    def lines(self, *parts: str) -> str:
        return r" \newline ".join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        kind = "tabular" if self.fragment else "longtable"
        last = rf">{{\raggedright\arraybackslash}}p{{{prose}\linewidth}}" if prose else "l"
        columns = "l" * (len(head) - 1) + last
        top = " & ".join(self.strong(cell) for cell in head)
        body = "\n".join(
            " & ".join(f"{{{cell}}}" for cell in row) + r" \\[2pt]" for row in rows
        )  # a ( is not an option
        top += " \\\\\n\\midrule" + ("" if self.fragment else "\n\\endhead")
        table = f"\\begin{{{kind}}}{{@{{}}{columns}@{{}}}}\n\\toprule\n{top}\n{body}\n\\bottomrule\n"
        return f"\n\n{table}\\end{{{kind}}}\n\n"

    def code(self, source: str, name: str) -> str:
        lines = [piece for line in source.rstrip().splitlines() for piece in _wrapped(line)]
        return "\n\n{\\footnotesize\n\\begin{verbatim}\n" + "\n".join(lines) + "\n\\end{verbatim}\n}\n\n"

    def picture(self, drawing: str, legend: str) -> str:
        """A picture of the graph, in LaTeX's own picture environment."""
        caption = f"\\par\\smallskip {self.small(legend)}\n" if legend else ""
        return f"\n\\begin{{center}}\n{drawing}\n{caption}\\end{{center}}\n"


def _framed(formula: str, reason: str, line: float) -> str:
    """A formula in a frame, its reason beside it where there is room, else below."""
    frame = rf"\boxed{{{displayed(formula, line - 1)}}}"
    if not reason:
        return frame
    if width(formula) + width(reason) < line - 4:
        return rf"{frame} \qquad {reason}"
    rows = r" \\ ".join([frame, *in_rows(reason, line)])
    return rf"\begin{{gathered}} {rows} \end{{gathered}}"


def _side_by_side(formulas: Sequence[str], line: float) -> str:
    """Formulas in frames, as many in a row as have room."""
    rows: list[list[str]] = []
    room = 0.0
    for formula in formulas:
        size = width(formula) + 3.0
        if rows and size <= room:
            rows[-1].append(formula)
            room -= size
        else:
            rows.append([formula])
            room = line + 2.0 - size
    frames = [[rf"\boxed{{{displayed(formula, line - 1)}}}" for formula in row] for row in rows]
    if len(rows) == 1:
        return r" \qquad ".join(frames[0])
    written = r" \\[4pt] ".join(r" \qquad ".join(row) for row in frames)
    return rf"\begin{{gathered}} {written} \end{{gathered}}"


def _wrapped(line: str) -> list[str]:
    """A line of code in lines that fit on the page, continued after a blank."""
    indent = " " * (len(line) - len(line.lstrip()) + 8)
    pieces = []
    while len(line) > CODE_WIDTH:
        cut = line.rfind(" ", len(indent) + 1, CODE_WIDTH)
        if cut < 0:
            cut = CODE_WIDTH
        pieces.append(line[:cut])
        line = indent + line[cut:].lstrip()
    return [*pieces, line]
