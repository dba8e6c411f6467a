r"""Long formulas in several lines: an estimate of their width, and breaks before `=`, `+`, `-`, `\odot` and factors.

Widths are in em of Computer Modern, in display style; `\left` and `\right` become fixed sizes where a line breaks
between them, since they must stay in one line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LINE = 38.0  # an A4 page with usual margins, in 11 pt
INDENT = 2.0
DEEPEST = 60  # braces nested deeper than this are not looked into

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_&~]|\s+|.", re.DOTALL)
BINARY = {"+": 1.2, "-": 1.2, r"\odot": 1.25, r"\circ": 1.0, r"\oslash": 1.25, r"\otimes": 1.25, r"\cdot": 0.75}
RELATION = {"=": 1.35, r"\to": 1.6, r"\rightarrow": 1.6, r"\ge": 1.35, r"\le": 1.35, ">": 1.35, "<": 1.35}
SPACES = {r"\,": 0.17, r"\;": 0.28, r"\quad": 1.0, r"\qquad": 2.0, r"\ ": 0.33, r"\!": -0.17, "~": 0.33, r"\:": 0.22}
OPEN, CLOSE = {"(", "[", r"\lvert", r"\lVert"}, {")", "]", r"\rvert", r"\rVert"}
BARE = {r"\left", r"\right", r"\displaystyle", r"\limits", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr"}
UPRIGHT = {r"\operatorname", r"\mathrm", r"\text", r"\mathbf", r"\boldsymbol", r"\mathsf", r"\texttt"}
ACCENTED = {r"\bar", r"\hat", r"\overline", r"\sqrt", r"\tilde", r"\dot", r"\ddot", r"\vec", r"\boxed"}
FUNCTIONS = re.compile(r"\\(log|exp|sin|cos|tan|tanh|sinh|cosh|det|max|min|arctan|arcsin|arccos|sum|prod|Gamma|ln)$")
SCRIPTED = re.compile(r"(\w+?|\))([\^_])(-?\w+|\([^()]*\))")
SPECIAL = re.compile(r"[&%#]")
SAID = re.compile(r"\\text\{([^{}$]*)\}")
JOINT = re.compile(r"(?<=[^\\{}])\}\\text\{(?=\s)")  # between two words of one text
WORD = re.compile(r"(?:\$[^$]*\$|[^\s$])+")
PENALTY = {"relation": 0, "sum": 1, "product": 3, "factor": 6}


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of a formula that stays together: its LaTeX, its width, what may break before it, its bracket depth."""

    text: str
    width: float
    kind: str
    depth: int


def width(formula: str) -> float:
    """The width of a formula in display style, estimated, in em."""
    return sum(a.width for a in _atoms(formula))


def broken(formula: str, line: float = LINE) -> list[str]:
    """The formula in lines no wider than `line` em, as far as there are places to break."""
    atoms = _atoms(formula)
    lines: list[str] = []
    inside = False
    while sum(a.width for a in atoms) > (line if not lines else line - INDENT):
        cut = _best(atoms, line if not lines else line - INDENT)
        if cut == 0:
            break
        inside = inside or atoms[cut].depth > 0
        lines.append("".join(a.text for a in atoms[:cut]).strip())
        atoms = atoms[cut:]
        if atoms[0].kind in ("factor", "product") and atoms[0].text.strip() not in BINARY:
            atoms.insert(0, Atom(r"\cdot ", BINARY[r"\cdot"], "", atoms[0].depth))
    lines.append("".join(a.text for a in atoms).strip())
    return [_fixed_size(row, formula) for row in lines] if inside else lines


def displayed(formula: str, line: float = LINE) -> str:
    r"""The formula for a display: as it is, or `aligned` in several lines, indented after the first."""
    first, *rest = broken(formula, line)
    if not rest:
        return first
    rows = [rf"&{first} \\", *(rf"&\qquad {row} \\" for row in rest)]
    rows[-1] = rows[-1].removesuffix(r" \\")
    return "\n".join([r"\begin{aligned}", *rows, r"\end{aligned}"])


def aligned(left: str, rows: Sequence[tuple[str, str]], line: float = LINE) -> str:
    r"""A chain `left = first = second = ...` as `aligned`, each expression with a reason, which may be empty.

    The reasons form a column where they have room beside the expressions; else each stands below its expression.
    """
    start = width(left) + RELATION["="]
    broken_rows = [broken(value, line - start) for value, _ in rows]
    widest = max(max(map(width, lines)) for lines in broken_rows)
    beside = start + widest + 2.0 + max(width(reason) for _, reason in rows) <= line
    written: list[str] = []
    for lines, (_, reason) in zip(broken_rows, rows):
        shown = [rf"{left if not written else ''}&= {lines[0]}", *(rf"&\qquad {part}" for part in lines[1:])]
        if reason and beside:
            shown[-1] += rf" && \quad {reason}"
        elif reason and start + width(lines[-1]) + 2.0 + width(reason) <= line:
            shown[-1] += rf" \qquad {reason}"
        elif reason:
            shown += [rf"&\qquad {part}" for part in in_rows(reason, line - start - INDENT)]
        written += shown
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(written), r"\end{aligned}"])


def in_rows(reason: str, line: float) -> list[str]:
    r"""A reason, words in `text` and formulas, in rows no wider than the line; no word is broken."""
    rows, room = [""], line
    for piece in _words(reason):
        if piece.width > room and rows[-1] and not piece.text.startswith((r"\text{,", r"\text{:", r"\text{;")):
            rows.append("")
            room = line
        rows[-1] += piece.text
        room -= piece.width
    return [JOINT.sub("", row).strip().replace(r"\text{ ", r"\text{", row.startswith(r"\text{ ")) for row in rows]


def _words(reason: str) -> list[Atom]:
    """A reason in its words, each a `text`, and the parts of its formulas."""
    pieces: list[Atom] = []
    for atom in _atoms(reason):
        words = SAID.fullmatch(atom.text.strip())
        if words is not None:
            found = re.findall(r"\s*\S+|\s+", words[1])
            pieces += [Atom(rf"\text{{{word}}}", 0.5 * len(word), "", 0) for word in found]
        elif pieces and not pieces[-1].text.startswith(r"\text") and atom.kind not in PENALTY:
            last = pieces.pop()
            pieces.append(Atom(last.text + atom.text, last.width + atom.width, last.kind, 0))
        else:
            pieces.append(atom)
    return pieces


def _best(atoms: list[Atom], line: float) -> int:
    """Where to break: the weakest place in the second part of the line, as far right as possible; 0 for nowhere."""
    total = 0.0
    best, cost = 0, float("inf")
    for k, atom in enumerate(atoms):
        if k and total > line:
            break
        if atom.kind in PENALTY and total > 0.25 * line:
            badness = PENALTY[atom.kind] + 4 * atom.depth + 6 * (1 - total / line)
            if badness <= cost:
                best, cost = k, badness
        total += atom.width
    return best


def _fixed_size(row: str, formula: str) -> str:
    big = "Big" if r"\frac" in formula else "big"
    return row.replace(r"\left", rf"\{big}l").replace(r"\right", rf"\{big}r")


def _atoms(formula: str) -> list[Atom]:
    tokens = TOKEN.findall(formula)
    if r"\begin" in tokens:
        return [Atom(formula, 0.0, "", 0)]
    atoms: list[Atom] = []
    depth, k = 0, 0
    while k < len(tokens):
        start = k
        token = tokens[k]
        k += 1
        if token.isspace():
            if atoms:
                atoms[-1] = Atom(atoms[-1].text + " ", atoms[-1].width, atoms[-1].kind, atoms[-1].depth)
            continue
        if token in ("^", "_"):
            k, size = _argument(tokens, k, 1)
            last = atoms.pop() if atoms else Atom("", 0.0, "", depth)
            atoms.append(Atom(last.text + "".join(tokens[start:k]), last.width + 0.72 * size, last.kind, last.depth))
            continue
        closing = token in CLOSE or (token == r"\right")
        opening = token in OPEN or (token == r"\left")
        if closing:
            depth -= 1
        kind = _kind(token, atoms)
        if token in (r"\left", r"\right"):
            k += 1  # the bracket belongs to it
            size = 0.55
        elif token == "{" or token in UPRIGHT or token in ACCENTED or token == r"\frac":
            k, size = _argument(tokens, start, 1)
        else:
            size = _width(token)
        atoms.append(Atom("".join(tokens[start:k]), size, kind, max(depth, 0)))
        if opening:
            depth += 1
    return atoms


def _kind(token: str, before: list[Atom]) -> str:
    """What may break before the token; a sign at the beginning is not an operator."""
    if token in RELATION:
        return "relation"
    if before and before[-1].text.strip() in SPACES:
        return "" if token in SPACES else "product"
    unary = not before or before[-1].kind in ("relation", "sum", "product") or before[-1].text.strip()[-1:] in "([,{"
    if token in ("+", "-"):
        return "" if unary else "sum"
    if token in BINARY:
        return "product"
    if unary or token in CLOSE or token in (r"\right", ",", ";") or not before[-1].text.endswith(" "):
        return ""
    return "" if token in SPACES else "factor"


def _argument(tokens: list[str], k: int, depth: int) -> tuple[int, float]:
    """The end and the width of the argument that starts at a token."""
    while k < len(tokens) and tokens[k].isspace():
        k += 1
    if k >= len(tokens):
        return k, 0.0
    token = tokens[k]
    if token == "{":
        end = _closing(tokens, k)
        inner = tokens[k + 1 : end - 1]
        return end, _sequence(inner, depth + 1)
    if token == r"\frac":
        k, above = _argument(tokens, k + 1, depth + 1)
        k, below = _argument(tokens, k, depth + 1)
        return k, max(above, below) + 0.25
    if token in UPRIGHT:
        end, _ = _argument(tokens, k + 1, depth + 1)
        content = "".join(tokens[k + 2 : end - 1])
        return end, 0.5 * len(content) + (0.17 if token == r"\operatorname" else 0.0)
    if token in ACCENTED:
        return _argument(tokens, k + 1, depth + 1)
    return k + 1, _width(token)


def _sequence(tokens: list[str], depth: int) -> float:
    """The width of tokens side by side."""
    if depth > DEEPEST:
        return 0.4 * len(tokens)
    total, k = 0.0, 0
    while k < len(tokens):
        if tokens[k].isspace():
            k += 1
        elif tokens[k] in ("^", "_"):
            k, size = _argument(tokens, k + 1, depth)
            total += 0.72 * size
        else:
            k, size = _argument(tokens, k, depth)
            total += size
    return total


def _closing(tokens: list[str], k: int) -> int:
    depth = 0
    for end in range(k, len(tokens)):
        depth += (tokens[end] == "{") - (tokens[end] == "}")
        if depth == 0:
            return end + 1
    return len(tokens)


def _width(token: str) -> float:
    for table in (RELATION, BINARY, SPACES):
        if token in table:
            return table[token]
    if token in BARE:
        return 0.1
    if token in OPEN or token in CLOSE or token in r"()[]|":
        return 0.39
    if FUNCTIONS.match(token):
        return 0.5 * (len(token) - 1) + 0.17
    if token in (",", ";"):
        return 0.45
    return 0.75 if token.isupper() or token in (r"\top", r"\partial") else 0.56


REMARK = 13.0  # em; a longer remark stands on a line of its own


def row(formula: str, remark: str = "", indent: int = 0, gap: str = "") -> str:
    r"""The formula as rows of `aligned`, its remark behind it where there is room, else below.

    Args:
        formula: a formula; broken where it is long. Without one, the remark stands alone.
        remark: text that may hold formulas between dollars.
        indent: by how many `\qquad` the rows are indented.
        gap: additional space below, such as `8pt`.
    """
    remark = _typeset(remark)
    space = r"\qquad " * indent
    lines = [rf"&{space}{line}" for line in broken(formula, LINE - 2 * indent - (REMARK if remark else 0.0))]
    if len(lines) > 1:
        lines = [lines[0], *(line.replace("&", r"&\qquad ", 1) for line in lines[1:])]
    if remark:
        if not formula:
            lines = []
        if len(lines) == 1 and text_width(remark) <= REMARK:
            lines[0] += rf" \quad \text{{({remark})}}"
        else:
            lines += [rf"&{space}\quad \text{{{part}}}" for part in _wrapped(f"({remark})", LINE - 2 * indent - 1)]
    return " \\\\\n".join(lines) + (rf" \\[{gap}]" if gap else r" \\")


def text_width(remark: str) -> float:
    """The width of text in em, estimated; formulas between dollars are measured as such."""
    parts = remark.split("$")
    return sum(width(part) if k % 2 else 0.46 * len(part) for k, part in enumerate(parts))


def _typeset(remark: str) -> str:
    """Text with its powers and indices (`X^-1`, `K_mn`) as formulas, so that `text` can hold it."""
    parts = remark.split("$")
    for k in range(0, len(parts), 2):
        parts[k] = SCRIPTED.sub(r"$\1\2{\3}$", SPECIAL.sub(r"\\\g<0>", parts[k]))
    return "$".join(parts)


def _wrapped(remark: str, line: float) -> list[str]:
    """Text in lines of some em; formulas between dollars stay whole."""
    lines: list[str] = []
    for word in WORD.findall(remark):
        if lines and text_width(f"{lines[-1]} {word}") <= line:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
