"""The three markups of a note (Markdown, LaTeX, HTML) behind one set of words: headings, formulas, tables, lists.

Plain text is escaped here and nowhere else; what these methods return is markup.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Sequence
from string import Formatter
from urllib.parse import quote

from matcalc.languages import Language
from matcalc.printing.breaking import LINE, aligned, displayed, width

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
    pictures = (
        "alone"  # of the graph: svg with the page's colours, alone (svg with its own), file (beside it), tex, word
    )

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
        return self.block(displayed(formula, self.line))

    def equations(self, left: str, rows: Sequence[tuple[str, str]]) -> str:
        """A chain of equal expressions on lines of their own, each with its reason."""
        return self.block(aligned(left, rows, self.line))

    def boxed(self, formula: str, reason: str = "") -> str:
        """A result in a frame, and its reason beside or below it."""
        frame = rf"\boxed{{{displayed(formula, self.line)}}}"
        if not reason:
            return self.block(frame)
        if width(formula) + width(reason) < self.line - 4:
            return self.block(rf"{frame} \qquad {reason}")
        return self.block(rf"\begin{{gathered}} {frame} \\ {reason} \end{{gathered}}")

    def block(self, formula: str) -> str:
        """A formula on lines of its own, as it is."""
        raise NotImplementedError

    def paragraph(self, content: str) -> str:
        """A paragraph of markup."""
        raise NotImplementedError

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


class Html(Markup):
    """HTML; formulas as LaTeX in elements of the class `m` (in text) or `d` (displayed), set when the page opens."""

    pictures = "svg"

    def text(self, plain: str) -> str:
        return html.escape(plain, quote=False)

    def math(self, formula: str) -> str:
        return f'<span class="m">{html.escape(formula, quote=False)}</span>'

    def strong(self, content: str) -> str:
        return f"<strong>{content}</strong>"

    def small(self, content: str) -> str:
        return f'<span class="remark">{content}</span>'

    def heading(self, level: int, content: str) -> str:
        return f"\n<h{level}>{content}</h{level}>\n"

    def paragraph(self, content: str) -> str:
        return f"\n<p>{content}</p>\n"

    def block(self, formula: str) -> str:
        return f'\n<div class="d">{html.escape(formula, quote=False)}</div>\n'

    def items(self, rows: Sequence[str]) -> str:
        return "\n<ul>\n" + "\n".join(f"<li>{row}</li>" for row in rows) + "\n</ul>\n"

    def verbatim(self, code: str) -> str:
        return f"<code>{html.escape(code, quote=False)}</code>"

    def lines(self, *parts: str) -> str:
        return "<br>".join(p for p in parts if p)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], prose: float = 0.0) -> str:
        top = "".join(f"<th>{cell}</th>" for cell in head)
        body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        return f"\n<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"

    def code(self, source: str, name: str) -> str:
        return f'\n<pre><code class="{html.escape(name)}">{html.escape(source.rstrip(), quote=False)}</code></pre>\n'

    def picture(self, drawing: str, legend: str) -> str:
        """A picture of the graph."""
        caption = f"<figcaption>{legend}</figcaption>" if legend else ""
        return f'\n<figure class="graph">{drawing}{caption}</figure>\n'


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
