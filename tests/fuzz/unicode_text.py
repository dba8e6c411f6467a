"""The text syntax in the letters of Unicode: an independent writer, token by token."""

from __future__ import annotations

import re

_TOKENS = re.compile(r"[A-Za-z_]\w*|[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|\.\*|\./|\.\^|.", re.DOTALL)
_SIGNS = {"'": "ᵀ", ".*": "⊙", "-": "−", "*": "·"}
_GREEK = {"alpha": "α", "beta": "β", "lambda": "λ", "mu": "μ", "sigma": "σ"}


def in_unicode(line: str) -> str:
    """A line of the text syntax with ᵀ, ⊙ and − for its signs, norms in bars, and ⁻¹ behind the name of an inverse."""
    line = re.sub(r"\bnorm2\(([A-Za-z]\w*)\)", r"‖\1‖", line)
    line = re.sub(r"\binv\(([A-Za-z]\w*)\)", r"\1⁻¹", line)
    line = re.sub(r"\bsqrt\(([A-Za-z]\w*)\)", r"√(\1)", line)
    tokens = _TOKENS.findall(line)
    return "".join(_SIGNS.get(token, _GREEK.get(token, token)) for token in tokens)
