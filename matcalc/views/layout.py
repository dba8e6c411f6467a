"""A lesson's steps as lines of text: equations below each other, remarks in a column, shapes in brackets."""

from __future__ import annotations

from textwrap import wrap

from matcalc.languages import Language
from matcalc.views.page import Equation, Line, StepBack

COLUMN = 40  # where remarks stand, if the formulas leave room
WIDEST = 72  # letters of a formula that has its remark beside it
LINE = 110
FIRST = 30  # letters at least before a formula is broken
TOGETHER = 84  # letters of adjoints that are read off in one line


class Layout:
    """Lays out steps.

    Args:
        words: the language.
    """

    def __init__(self, words: Language) -> None:
        self.words = words

    def heading(self, step: StepBack, mark: str = "") -> str:
        """Which values enter which; each name between marks."""
        values, into = ([f"{mark}{name}{mark}" for name in names] for names in (step.values, step.into))
        return entering(values, into, self.words)

    def remark(self, line: Line) -> str:
        """The remark and the shape of a line."""
        return "; ".join(filter(None, [line.remark, line.shape]))

    def remarks(self, e: Equation) -> str:
        """The remarks of all lines, and the shape."""
        return "; ".join(filter(None, map(self.remark, e.rows)))

    def laid_out(self, step: StepBack, number: int) -> list[str]:
        """The lines of a step."""
        head = f"{number}. {self.heading(step)}"
        rows: list[tuple[str, str]] = [(f"{head}: {step.inline}" if step.inline else head, "")]
        for line in step.lines:
            rows += _together(line) if len(line) > 1 else equation(line[0])
        rows += self.found(step.found)
        return columns(rows)

    def chain(self, e: Equation) -> list[str]:
        """A chain of equal expressions."""
        return beside(equation(e))

    def concluded(self, e: Equation) -> list[str]:
        """A result: its sides below each other, each with its remark below it where it has no room beside it."""
        lines = []
        for k, ((formula, _), row) in enumerate(zip(equation(e), e.rows)):
            line = f"  => {formula}" if not k else f"     {formula}"
            shape = f"[{row.shape}]" if row.shape else ""
            beside = "   ".join(filter(None, [row.remark, shape]))
            if len(line) + len(beside) + 3 <= LINE:
                lines.append(f"{line}   {beside}".rstrip())
                continue
            *before, line = broken(line)
            lines += [*before, f"{line}   {shape}" if shape and len(line) + len(shape) < LINE else line]
            below = [row.remark] if lines[-1] != line else [shape, row.remark]
            lines += [part for text in filter(None, below) for part in _below(text)]
        return lines

    def gradients(self, equations: list[Equation]) -> list[str]:
        """The results: each in one line, or below each other; behind the last side its shape."""
        lines = []
        for e in equations:
            lines += [f"  {part}" for part in wrap(e.before, LINE)] if e.before else []
            line = f"{e.left} = {'   '.join([' = '.join(r.formula for r in e.rows), _beside(e.rows[-1])])}".rstrip()
            if len(line) <= LINE and len(e.rows) <= 2:
                lines.append(f"  {line}")
            else:
                for row, remark in equation(e):
                    *before, last = broken(f"  {row}")
                    fits = not remark or len(last) + len(remark) + 3 <= LINE
                    lines += [*before, f"{last}   {remark}".rstrip() if fits else last]
                    lines += [] if fits else [f"{' ' * 8}{part}" for part in _noted(remark, LINE - 8)]
        return lines

    def stated(self, line: Line) -> list[str]:
        """A result with its remark behind it, or below it where it has no room."""
        one = f"  {line.formula}   [{line.remark}]"
        return [one] if len(one) <= LINE else beside([(line.formula, f"[{line.remark}]")])

    def aligned(self, lines: list[Line]) -> list[str]:
        """Formulas with shapes in a column, and what the source says of them."""
        return beside([(line.formula, f"[{line.shape}]{'   ' + line.remark if line.remark else ''}") for line in lines])

    def found(self, adjoints: list[Equation]) -> list[tuple[str, str]]:
        """What is read off: in one line where it is short."""
        plain = all(len(e.rows) == 1 and not e.rows[0].remark for e in adjoints)
        joined = ", ".join(f"{e.left} = {e.rows[0].formula}" for e in adjoints)
        if len(adjoints) > 1 and plain and len(joined) <= TOGETHER:
            return [(f"=> {joined}", f"[{', '.join(e.rows[0].shape.rpartition(' = ')[2] for e in adjoints)}]")]
        rows = []
        for e in adjoints:
            first, *rest = equation(e)
            rows += [(f"=> {first[0]}", first[1]), *((f"   {left}", remark) for left, remark in rest)]
        return rows


def _noted(remark: str, width: int) -> list[str]:
    """A remark in brackets, in lines; a shape as it is, below it."""
    said, gap, shape = remark.rpartition("   [")
    parts = [said, f"[{shape}"] if gap else [remark]
    lines = []
    for part in parts:
        first, *rest = wrap(part if part.startswith("[") else f"({part})", width)
        lines += [first, *(f" {more}" for more in rest)]
    return lines


def _below(remark: str) -> list[str]:
    """A remark or a shape in lines of its own."""
    if remark.startswith("["):
        return [f"{' ' * 8}{remark}"]
    return [f"{' ' * (8 if not k else 9)}{part}" for k, part in enumerate(wrap(f"({remark})", LINE - 9))]


def entering(values: list[str], into: list[str], words: Language) -> str:
    """Which values enter which, in words."""
    enters = "{0} enters {1}" if len(values) == 1 else "{0} enter {1}"
    return words(enters).format(listed(values, words), listed(into, words))


def listed(names: list[str], words: Language) -> str:
    """a, b and c."""
    *first, last = names
    return f"{', '.join(first)} {words('and')} {last}" if first else last


def equation(e: Equation) -> list[tuple[str, str]]:
    """A chain: the left side once, then the right sides below each other."""
    first, *rest = e.rows
    space = " " * len(e.left)
    return [
        (f"{e.left} = {first.formula}", _beside(first)),
        *((f"{space} = {r.formula}", _beside(r)) for r in rest),
    ]


def _beside(line: Line) -> str:
    """What stands beside a formula."""
    return "   ".join(filter(None, [line.remark, f"[{line.shape}]" if line.shape else ""]))


def _together(line: list[Equation]) -> list[tuple[str, str]]:
    return [(", ".join(f"{e.left} = {e.rows[0].formula}" for e in line), "")]


def columns(rows: list[tuple[str, str]], indent: str = "   ") -> list[str]:
    """The rows with their remarks in a column, as far as it goes; the first one is a heading."""
    head, *rest = rows
    return [head[0], *beside(rest, indent)]


def beside(rows: list[tuple[str, str]], indent: str = "  ") -> list[str]:
    """Formulas with remarks in a column; behind a very long formula its remark stands in a line of its own."""
    fitting = [len(left) + 3 for left, remark in rows if remark and len(left) + 3 <= WIDEST]
    start = max([COLUMN, *fitting]) if rows else COLUMN
    lines = []
    for left, remark in rows:
        line = f"{indent}{left.ljust(start) if len(left) + 3 <= start else left + '   '}{remark}".rstrip()
        if len(line) <= LINE:
            lines.append(line)
            continue
        *before, last = broken(indent + left)
        lines += before
        if len(last) + len(remark) + 3 <= LINE:
            lines.append(f"{last}   {remark}".rstrip())
        else:
            lines += [last, *(f"{indent}{' ' * 6}{part}" for part in _noted(remark, LINE - len(indent) - 6))]
    return lines


def broken(line: str, width: int = LINE) -> list[str]:
    """A long formula in lines that end with an operator, broken where the fewest brackets are open.

    What goes on stands to the right of the sign of equality.
    """
    indent = len(line) - len(line.lstrip())
    sign = line.find(" = ") + 3
    if not 3 <= sign <= width // 2:
        sign = indent + 2
    lines = []
    while len(line) > width:
        cut = _place_to_break(line, sign, width)
        if not cut:
            break
        lines.append(line[:cut].rstrip())
        line = " " * (sign + 2) + line[cut:].lstrip()
    return [*lines, line]


def apart(line: str) -> list[str]:
    """A chain of equal sides in one line, or where that is long with the sides below each other."""
    left, *sides = line.split(" = ")
    if len(line) <= LINE or len(sides) == 1:
        return broken(line)
    space = " " * len(left)
    return [part for k, side in enumerate(sides) for part in broken(f"{space if k else left} = {side}")]


def _place_to_break(line: str, start: int, width: int) -> int:
    """Behind which operator a line is broken; 0 if there is none."""
    found: dict[int, int] = {}
    depth = 0
    for k, letter in enumerate(line[:width]):
        depth += (letter in "([") - (letter in ")]")
        for operator in (" + ", " - ", " .* ", " ./ ", " * "):
            if k > start + FIRST and line.startswith(operator, k) and k + len(operator) <= width:
                found[2 * depth + (operator not in (" + ", " - "))] = k + len(operator)
    return found[min(found)] if found else 0


def wrapped(sentence: str) -> list[str]:
    """A sentence in lines of the page's width."""
    return wrap(sentence, LINE - 2)


def reasoned(remark: str) -> list[str]:
    """A remark in brackets below what it explains, in lines of the page's width."""
    return [f"{' ' * (6 if not k else 7)}{part}" for k, part in enumerate(wrap(f"({remark})", LINE - 7))]


def joined(first: str, rest: list[str]) -> list[str]:
    """Clauses of a sentence in one line, or below each other where that is long."""
    line = first + "".join(rest)
    if len(line) <= LINE:
        return [line]
    clauses = [f"  {clause.removeprefix(', ')}" for clause in rest]
    return [part for clause in (first, *clauses) for part in broken(clause, LINE - 2)]
