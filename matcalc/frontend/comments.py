"""What the comments of a text say: the first one is its title, one beside a definition is a gloss on it."""

from __future__ import annotations

import re

DEFINITION = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)[^#]*#\s*(\S.*?)\s*$")
TITLE = re.compile(r"\s*#+\s*(\S.*?)\s*$")


def title_of(text: str) -> str:
    """The comment in the first line, without the dot at its end; empty where there is none.

    Example:
        >>> title_of("# Least squares.\\nf = norm2(X*w - y)^2")
        'Least squares'
    """
    first = next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    found = TITLE.match(first)
    return found[1].removesuffix(".") if found else ""


def glosses_of(text: str) -> dict[str, str]:
    """The comments beside definitions, by name.

    Example:
        >>> glosses_of("r = X*w - y  # the residuals\\nf = r'*r")
        {'r': 'the residuals'}
    """
    found = filter(None, map(DEFINITION.match, text.splitlines()))
    return {match[1]: match[2] for match in found}
