r"""Results as displays that stay on the page: broken where they are long, local names defined in rows of their own."""

from __future__ import annotations

from matcalc.expr import HOOKS, Expr
from matcalc.printing.breaking import LINE, broken, width
from matcalc.printing.latex import latex
from matcalc.printing.pieces import locals_of
from matcalc.printing.style import STANDARD, Notation


def display(e: Expr, notation: Notation = STANDARD) -> str:
    r"""The expression in LaTeX, the local names in it defined first; `aligned` where that takes several lines.

    Example:
        >>> import matcalc as mc
        >>> d = mc.derive("h = exp(X*w); f = sum(h .* h)", wrt="w")
        >>> print(display(d.gradient("w")))
        2 X^\top h^{\odot 2}
    """
    body = latex(e, notation)
    names = locals_of(e)
    if not names and (r"\begin" in body or width(body) <= LINE):
        return body
    rows = [f"{latex(n, notation)} = {latex(n.args[0], notation)}" for n in names]
    lines = [line for row in rows for line in _rows(row, "[2pt]")]
    return "\n".join([r"\begin{aligned}", *lines, *_rows(body, ""), r"\end{aligned}"])


def _rows(formula: str, gap: str) -> list[str]:
    first, *rest = broken(formula)
    lines = [f"&{first}", *(rf"&\qquad {line}" for line in rest)]
    return [rf"{line} \\" for line in lines[:-1]] + [rf"{lines[-1]} \\{gap}" if gap else lines[-1]]


HOOKS["display"] = display
