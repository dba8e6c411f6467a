r"""Names as LaTeX: `W1` is `W_{1}`, `Wq` `W_{q}`, `yhat` is `\hat{y}`, the adjoint `g_theta` is `\delta_{\theta}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from matcalc.printing.style import STANDARD, Notation

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
MEMBER = re.compile(r"(\w+)\[(.+)\]")
WORD = re.compile(r"\w+")
LOWERED = re.compile(r"[A-Za-z]\d+|[A-Z][a-z]")  # an index that has an index: `q_z2`, `J_Zh`
VOWELS = set("aeiouy")
ADJOINT = "g_"  # the name of the adjoint of v begins with it: g_v
DELTA = r"\delta"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name taken apart: `W1_hat` is the letter W with a hat and the index 1."""

    letter: str
    accent: str
    indices: tuple[str, ...]


@lru_cache(maxsize=4096)
def symbol(name: str) -> Symbol:
    """The letter (or word), the accent and the indices of a name; those in brackets, `h[t - 1]`, stand last."""
    member = MEMBER.fullmatch(name)
    if member:
        s = symbol(member[1])
        return Symbol(s.letter, s.accent, (*s.indices, member[2]))
    head, *tail = [part for part in name.split("_") if part] or [name]
    while tail and tail[0] in ACCENTS:
        head += tail.pop(0)
    digits = TRAILING_DIGITS.fullmatch(head)
    if digits:
        head, tail = digits[1], [digits[2], *tail]
    letter, accent = _split_accent(head)
    if not accent and _has_index(letter):
        letter, tail = letter[0], [letter[1:], *tail]
    return Symbol(letter, accent, tuple(tail))


def _has_index(word: str) -> bool:
    """Whether a word is a letter with an index beside it, as `Wq`, `bo`, `dk`, `Whh`: no Greek letter, no word."""
    if len(word) < 2 or not word.isalpha() or word in GREEK or word in LATIN_CAPITALS:
        return False
    return len(word) == 2 or (word[0].isupper() and word[1:].islower() and not VOWELS & set(word[1:]))


def adjoint_of(name: str) -> str:
    """The name whose adjoint this is (`theta` for `g_theta`); empty for other names."""
    of = name.removeprefix(ADJOINT)
    return of if of != name and of.strip("_") else ""


@lru_cache(maxsize=4096)
def name_latex(name: str, notation: Notation = STANDARD, scalar: bool = True) -> str:
    """The LaTeX of a variable's, a definition's or a dimension's name; `scalar` names are never bold."""
    given = notation.written(name)
    if given is not None:
        return given
    bold = notation.bold and not scalar
    of = adjoint_of(name)
    if not of:
        s = symbol(name)
        return _indexed(_accented(s, bold), s)
    inner = name_latex(of, notation, scalar)
    if notation.adjoint == "delta":
        return rf"{_weight(DELTA, bold)}_{{{inner}}}"
    if notation.adjoint == "partial":
        above = name_latex(notation.output) if notation.output else ""
        return rf"\frac{{\partial {above}}}{{\partial {inner}}}" if above else rf"\partial_{{{inner}}}"
    given = notation.written(of)
    if given is not None or adjoint_of(of):
        return rf"\overline{{{inner}}}"
    s = symbol(of)
    return _indexed(rf"\bar{{{_accented(s, bold)}}}", s)


def _indexed(base: str, s: Symbol) -> str:
    indices = ", ".join(index_latex(part) for part in s.indices)
    return f"{base}_{{{indices}}}" if indices else base


def index_latex(part: str) -> str:
    """An index: a word, or what stands in brackets, `t - 1` or `i, :`."""
    if LOWERED.fullmatch(part):
        return name_latex(part)
    if WORD.fullmatch(part):
        return _accented(Symbol(*_split_accent(part), ()))
    return WORD.sub(lambda found: _letter(found[0]), part)


def _split_accent(word: str) -> tuple[str, str]:
    """An accent at a word's end goes above the letter before it."""
    for accent in ACCENTS:
        stem = word.removesuffix(accent)
        if stem != word and (len(stem) == 1 or stem in GREEK):
            return stem, accent
    return word, ""


def _accented(s: Symbol, bold: bool = False) -> str:
    letter = _weight(_letter(s.letter), bold)
    return rf"\{ACCENTS[s.accent]}{{{letter}}}" if s.accent else letter


def _weight(letter: str, bold: bool) -> str:
    if not bold:
        return letter
    if letter.startswith(r"\mathrm"):
        return letter.replace(r"\mathrm", r"\mathbf", 1)
    return rf"\boldsymbol{{{letter}}}" if letter.startswith("\\") else rf"\mathbf{{{letter}}}"


def _letter(word: str) -> str:
    if word in GREEK:
        return rf"\{word}"
    if word in LATIN_CAPITALS:
        return rf"\mathrm{{{LATIN_CAPITALS[word]}}}"
    if len(word) == 1 or word.isdigit():
        return word.replace("_", r"\_")
    return rf"\mathrm{{{word}}}".replace("_", r"\_")
