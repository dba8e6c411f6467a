r"""Names as LaTeX: `W1` is `W_{1}`, `yhat` is `\hat{y}`, the adjoint `d_theta` is `\delta_{\theta}`."""

from __future__ import annotations

import re
from functools import lru_cache

GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
)  # fmt: skip
LATIN_CAPITALS = {  # Greek capitals that look like Latin letters have no command of their own
    "Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I", "Kappa": "K", "Mu": "M",
    "Nu": "N", "Omicron": "O", "Rho": "P", "Tau": "T", "Chi": "X", "omicron": "o",
}  # fmt: skip
ACCENTS = {"hat": "hat", "bar": "bar", "tilde": "tilde", "dot": "dot", "ddot": "ddot", "vec": "vec"}
TRAILING_DIGITS = re.compile(r"(.*[^\d_])_?(\d+)")
ADJOINT = "d_"


@lru_cache(maxsize=4096)
def name_latex(name: str) -> str:
    """The LaTeX of a variable's, a definition's or a dimension's name."""
    if name.startswith(ADJOINT) and name[len(ADJOINT) :].strip("_"):
        return rf"\delta_{{{name_latex(name[len(ADJOINT) :])}}}"
    head, *tail = [part for part in name.split("_") if part] or [name]
    while tail and tail[0] in ACCENTS:
        head += tail.pop(0)
    digits = TRAILING_DIGITS.fullmatch(head)
    if digits:
        head, tail = digits[1], [digits[2], *tail]
    base = _accented(head)
    indices = ", ".join(_accented(part) for part in tail)
    return f"{base}_{{{indices}}}" if indices else base


def _accented(word: str) -> str:
    """One part of a name, without underscores: an accent at its end goes above the letter before it."""
    for accent, command in ACCENTS.items():
        stem = word.removesuffix(accent)
        if stem != word and (len(stem) == 1 or stem in GREEK):
            return rf"\{command}{{{_letter(stem)}}}"
    return _letter(word)


def _letter(word: str) -> str:
    if word in GREEK:
        return rf"\{word}"
    if word in LATIN_CAPITALS:
        return rf"\mathrm{{{LATIN_CAPITALS[word]}}}"
    if len(word) == 1 or word.isdigit():
        return word.replace("_", r"\_")
    return rf"\mathrm{{{word}}}".replace("_", r"\_")
