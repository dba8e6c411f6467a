r"""Functions that matcalc prints in LaTeX by more than one command: `\lambda_{\max}(A)`, `\log\Gamma(x)`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from matcalc.expr import REGISTRY
from matcalc.notation import Call, Template

_PLAIN = re.compile(r"\\(operatorname\{\w+\}|[A-Za-z]+)")
FRECHET = "the derivative of "  # the name of such a function, before that of the function or its exponent
_BEFORE_BRACKET = r"(?=\s*(?:\\left\s*)?\()"
_FRECHET = re.compile(
    r"L_\{(?:\\operatorname\{(\w+)\}|\(\\cdot\)\^\{([A-Za-z](?:_\{\w+\})?|\d+)\})\}" + _BEFORE_BRACKET
)
_ONE_ARGUMENT = re.compile(r"(.*?)(?:\\left)?\(\{0\}(?:\\right)?\)")


def heads() -> Iterator[tuple[str, str]]:
    """What stands before the bracket of a function, and the function."""
    for entry in REGISTRY.values():
        form = entry.latex
        head = form.name if isinstance(form, Call) else ""
        if isinstance(form, Template):
            whole = _ONE_ARGUMENT.fullmatch(form.text)
            head = whole[1].replace("{{", "{").replace("}}", "}") if whole else ""
        if "\\" in head and not _PLAIN.fullmatch(head):
            yield head, entry.name


def printed_frechet(text: str, start: int) -> tuple[str, int] | None:
    r"""What `L_{\operatorname{expm}}(A, E)` or `L_{(\cdot)^{k}}(A, E)` is the derivative of, and where it ends."""
    found = _FRECHET.match(text, start)
    return None if found is None else (found[1] or re.sub(r"[_{}]", "", found[2]), found.end())


def with_direction(name: str) -> str | None:
    r"""The derivative that is printed as a form with a direction behind it: `\mathrm{D}\operatorname{adj}(A)[X]`."""
    form = REGISTRY[name].latex if name in REGISTRY else None
    text = form.text + r"\left[{1}\right]" if isinstance(form, Template) else ""
    found = (e.name for e in REGISTRY.values() if isinstance(e.latex, Template) and e.latex.text == text)
    return next(found, None)


def printed_call(text: str, start: int, taken: Container[str]) -> tuple[str, int] | None:
    """The function that a text calls at a place, and where its name ends; None where no printed form stands there.

    A name that is taken is not a part of it: `\\log\\Gamma(x)` with a variable Gamma is a product.
    """
    for head, name in heads():
        if not text.startswith(head, start) or not re.compile(_BEFORE_BRACKET).match(text, start + len(head)):
            continue
        words = [w for w in re.findall(r"[A-Za-z]+", head) if w not in ("mathrm", "mathcal", "operatorname", "tfrac")]
        if not any(word in taken for word in (*words, "_".join(words))):
            return name, start + len(head)
    return None
