"""The vocabulary of the formulas on a page: commands of LaTeX and the characters that they stand for."""

from __future__ import annotations

from matcalc.printing.symbols import GREEK

SMALL_GREEK = "αβγδϵζηθικλμνξπρστυϕχψω"
CAPITAL_GREEK = "ΓΔΘΛΞΠΣΥΦΨΩ"
LETTERS = {
    **dict(zip(GREEK, SMALL_GREEK + CAPITAL_GREEK)),
    "varphi": "φ", "varepsilon": "ε", "vartheta": "ϑ", "varrho": "ϱ", "varsigma": "ς", "varpi": "ϖ", "ell": "ℓ",
    "hbar": "ℏ", "imath": "ı", "jmath": "ȷ",
}  # fmt: skip
BINARY = {
    "cdot": "⋅", "times": "×", "odot": "⊙", "oslash": "⊘", "otimes": "⊗", "oplus": "⊕", "ominus": "⊖", "circ": "∘",
    "ast": "∗", "star": "⋆", "bullet": "∙", "diamond": "⋄", "pm": "±", "mp": "∓", "cap": "∩", "cup": "∪", "wedge": "∧",
    "vee": "∨", "div": "÷", "boxdot": "⊡", "boxtimes": "⊠", "boxplus": "⊞", "circledast": "⊛", "circledcirc": "⊚",
    "setminus": "∖", "bigodot": "⊙", "bigotimes": "⊗", "bigcirc": "◯",
}  # fmt: skip
RELATIONS = {
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "to": "→", "rightarrow": "→",
    "leftarrow": "←", "mapsto": "↦", "Rightarrow": "⇒", "Leftrightarrow": "⇔", "iff": "⇔", "preceq": "⪯",
    "succeq": "⪰", "prec": "≺", "succ": "≻", "in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆", "approx": "≈",
    "equiv": "≡", "sim": "∼", "propto": "∝", "mid": "∣", "perp": "⟂", "ll": "≪", "gg": "≫", "gets": "←",
}  # fmt: skip
PLAIN = {
    "partial": "∂", "nabla": "∇", "infty": "∞", "top": "⊤", "intercal": "⊺", "dagger": "†", "ddagger": "‡",
    "prime": "′", "dots": "…", "ldots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "vert": "|", "Vert": "‖",
    "forall": "∀", "exists": "∃", "emptyset": "∅", "hslash": "ℏ", "Re": "ℜ", "Im": "ℑ", "square": "□",
}  # fmt: skip
LARGE = {"sum": "∑", "prod": "∏", "int": "∫"}
SIGNS = {
    f"\\{name}": (text, kind)
    for kind, table in (
        ("letter", LETTERS), ("binary", BINARY), ("relation", RELATIONS), ("plain", PLAIN), ("large", LARGE),
    )
    for name, text in table.items()
}  # fmt: skip
FUNCTIONS = {
    rf"\{name}"
    for name in (
        "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd",
        "hom", "inf", "ker", "lim", "ln", "log", "max", "min", "Pr", "sec", "sin", "sinh", "sup", "tan", "tanh",
    )
}  # fmt: skip
LIMITS = {"det", "gcd", "inf", "lim", "max", "min", "Pr", "sup"}  # indices stand below them in a display
BRACKETS = {  # with whether they close
    "(": ("(", False), ")": (")", True), "[": ("[", False), "]": ("]", True), r"\{": ("{", False), r"\}": ("}", True),
    r"\lvert": ("|", False), r"\rvert": ("|", True), r"\lVert": ("‖", False), r"\rVert": ("‖", True),
    r"\langle": ("⟨", False), r"\rangle": ("⟩", True), r"\lfloor": ("⌊", False), r"\rfloor": ("⌋", True),
    r"\lceil": ("⌈", False), r"\rceil": ("⌉", True), r"\lbrack": ("[", False), r"\rbrack": ("]", True),
}  # fmt: skip
SPACES = {
    r"\,": 1 / 6, r"\:": 2 / 9, r"\;": 5 / 18, r"\!": -1 / 6, r"\quad": 1.0, r"\qquad": 2.0, r"\ ": 0.33, "~": 0.33,
    r"\thinspace": 1 / 6, r"\enspace": 0.5,
}  # fmt: skip
ACCENTS = {
    rf"\{name}": mark
    for name, mark in (
        ("hat", "hat"), ("widehat", "hat"), ("bar", "bar"), ("overline", "overline"), ("tilde", "tilde"),
        ("widetilde", "tilde"), ("dot", "dot"), ("ddot", "ddot"), ("vec", "vec"), ("check", "check"),
        ("breve", "breve"), ("acute", "acute"), ("grave", "grave"), ("underline", "underline"),
    )
}  # fmt: skip
STYLES = {
    r"\operatorname": "function", r"\mathrm": "upright", r"\texttt": "mono", r"\mathtt": "mono", r"\mathbf": "bold",
    r"\boldsymbol": "bolditalic", r"\mathcal": "script", r"\mathscr": "script", r"\mathsf": "sans",
    r"\mathbb": "double", r"\mathfrak": "fraktur", r"\mathit": "italic",
}  # fmt: skip


def plain_sign(character: str) -> tuple[str, str]:
    """A character that is no command, and its kind."""
    if character[0].isdigit():
        return character, "number"
    if character.isalpha():
        return character, "letter"
    if character in "=<>:":
        return character, "relation"
    if character in "+-*/":
        return {"-": "−", "*": "∗"}.get(character, character), "binary"
    return character, "punctuation" if character in ",;" else "plain"
