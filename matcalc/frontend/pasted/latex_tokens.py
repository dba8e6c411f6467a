r"""LaTeX as tokens: commands, groups, accents, letters. What has no meaning in a formula (`\left`, `\,`) is dropped."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from matcalc.errors import ParseError
from matcalc.frontend.pasted.printed import FRECHET, printed_call, printed_frechet
from matcalc.frontend.pasted.tokens import GREEK_VARIANTS, Tok, is_called
from matcalc.frontend.syntax import Source
from matcalc.printing.symbols import GREEK

SKIPPED = frozenset(
    [
        "left",
        "right",
        "big",
        "Big",
        "bigg",
        "Bigg",
        "bigl",
        "bigr",
        "Bigl",
        "Bigr",
        "biggl",
        "biggr",
        "Biggl",
        "Biggr",
        "bigm",
        "Bigm",
        "middle",
        "displaystyle",
        "textstyle",
        "scriptstyle",
        "limits",
        "nolimits",
        "nonumber",
        "notag",
        "thinspace",
        "medspace",
        "thickspace",
        "enspace",
        "space",
        "strut",
        "hfill",
        "allowbreak",
        "mathop",
        "mathbin",
        "mathrel",
        "mathord",
        "mathopen",
        "mathclose",
        "displaylimits",
        "substack",
    ]
)
DROPPED_WITH_ARGUMENT = ("tag", "label", "phantom", "vphantom", "hphantom", "hspace", "vspace", "color")
OPERATORS = {
    "cdot": "dot", "times": "cross", "odot": "odot", "circ": "odot", "otimes": "kron", "oslash": "oslash",
    "div": "/", "ast": "asterisk", "star": "asterisk",
}  # fmt: skip
BRACKETS = {
    "langle": ("open", "<"), "rangle": ("close", ">"), "lVert": ("norm", "("), "rVert": ("norm", ")"),
    "Vert": ("norm", ""), "|": ("norm", ""), "lvert": ("bar", "("), "rvert": ("bar", ")"), "vert": ("bar", ""),
    "mid": ("bar", ""), "{": ("open", "{"), "}": ("close", "}"), "lbrace": ("open", "{"), "rbrace": ("close", "}"),
    "lbrack": ("open", "["), "rbrack": ("close", "]"), "lparen": ("open", "("), "rparen": ("close", ")"),
}  # fmt: skip
SPECIAL = {
    "frac": "frac", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "sqrt": "sqrt", "sum": "sum", "prod": "prod",
    "infty": "infty", "top": "top", "intercal": "top", "prime": "prime", "begin": "begin", "end": "end",
}  # fmt: skip
ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "ddot": "ddot", "vec": "vec",
}  # fmt: skip
STYLES = frozenset(
    [
        "mathbf",
        "boldsymbol",
        "bm",
        "mathit",
        "mathsf",
        "mathrm",
        "text",
        "operatorname",
        "textbf",
        "textrm",
        "textit",
        "textsf",
        "mathcal",
        "mathscr",
        "mathbb",
        "mathds",
        "mathbbm",
        "pmb",
        "mathtt",
        "texttt",
        "mathnormal",
        "textnormal",
        "bold",
        "mathfrak",
    ]
)
_NO_VALUE = "there is no {0} here: "
NO_RELATION = ("a relation is no value: constraints are given to mc.minimize(..., subject_to=...), a value by cases is "
               "where(A > B, C, D), and (A > B) in brackets is 1 where it holds")  # fmt: skip
RELATIONS = {"lt": "<", "gt": ">", **dict.fromkeys(("le", "leq", "leqslant"), "<="),
             **dict.fromkeys(("ge", "geq", "geqslant"), ">="), "ne": "!=", "neq": "!="}  # fmt: skip
BELOW_A_SUM = {"in": "in", **dict.fromkeys(("ldots", "cdots", "dots", "dotsc"), "dots")}  # values nowhere else
REFUSED = {
    **dict.fromkeys(("int", "iint", "oint"), r"an integral (\int) is not read here: the text is a closed formula"),
    **dict.fromkeys(("arg", "argmin", "argmax"), "a minimizer is not a value here: give the function, and ask for "
                    "its optimum with mc.minimize(...) or `matcalc solve`"),
    **dict.fromkeys(("nabla", "partial"), "a derivative is asked for beside the text, which is the function (wrt)"),
    **dict.fromkeys(("lim", "limsup", "liminf", "sup", "inf"), "limits are no operation here"),
    **dict.fromkeys(("ldots", "cdots", "dots", "dotsc", "vdots", "ddots"),
                    r"dots are not read: write the sum as \sum_{i=1}^n"),
    **dict.fromkeys(("pm", "mp"), "write + or -"),
    **dict.fromkeys(("in", "forall", "exists", "subset", "to", "mapsto", "colon"),
                    "shapes are declared beside the formula (shapes=...), which is an expression"),
    **dict.fromkeys(("approx", "sim", "propto"), NO_RELATION),
    **dict.fromkeys(("oplus", "wedge", "vee", "cap", "cup", "setminus"), "there is no such operation here"),
    **dict.fromkeys(("dagger",), r"\dagger is the pseudoinverse, A^{+}, or the transpose, A^\top: write the one meant"),
}  # fmt: skip
NAMES = {"E": "an expectation (expected value) is not an operation here: write the mean over the data",
         "R": "shapes are declared beside the formula (shapes=...)",
         "P": "a probability is not an operation here: write its density",
         "N": "a distribution is not an operation here: write its density"}  # fmt: skip
EQUALS = frozenset(("coloneqq", "triangleq", "equiv", "doteq", "coloneq"))
FOR = re.compile(r",?\s*for(?: all| each| every)?")  # before a range
FOR_ALONE = r"a range stands behind a line with its index, as in h_t = \tanh(W h_{t-1}), \quad t = 1, \dots, T"
FUNCTION_WORDS = frozenset(("max", "min", "det", "log", "ln", "exp"))

_COMMAND = re.compile(r"\\(operatorname\*|[A-Za-z]+|.)", re.S)
_BRACKET = re.compile(r"\s*(?:\\left\s*)?\(")
MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "smallmatrix", "array"))
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


def environment_refused(name: str) -> str:
    """Why an environment is not read; empty if it is."""
    if name == "cases":
        return "cases are written where(A > B, C, D) in the text syntax"
    known = ("aligned", "align", "alignat", "alignedat", "equation", "gather", "gathered", "split", "multline",
             "eqnarray", "matrix", "pmatrix", "bmatrix", "smallmatrix", "array", "displaymath", "math")  # fmt: skip
    return "" if name.rstrip("*") in known else f"the environment {name} is not read"


def tokens(source: Source, taken: Container[str] = ()) -> list[Tok]:
    """The tokens of a LaTeX text; names that are `taken` are no parts of functions.

    Raises:
        ParseError: a command has no meaning here, or a group is not closed.
    """
    return [*_Tokenizer(source, taken).run()]


class _Tokenizer:
    def __init__(self, source: Source, taken: Container[str]) -> None:
        self.source, self.text, self.at, self.taken = source, source.text, 0, taken
        self.matrices = 0  # how many are open

    def error(self, message: str, at: int) -> ParseError:
        return self.source.error_at(message, at)

    def run(self) -> Iterator[Tok]:
        text, spaced = self.text, False
        while self.at < len(text):
            c, start = text[self.at], self.at
            if c == "&" and self.matrices:
                self.at += 1
                yield Tok("&", c, start, self.at)
                continue
            if c.isspace() or c in "~$&":
                self.at, spaced = self.at + 1, True
                continue
            if c == "%":
                self.at = (text + "\n").index("\n", start)
                continue
            for tok in self.next(c, start):
                yield Tok(tok.kind, tok.value, tok.start, tok.end, spaced, tok.accent)
                spaced = False

    def next(self, c: str, start: int) -> Iterator[Tok]:
        """The tokens at a place, and the step over them."""
        number = _NUMBER.match(self.text, start)
        if c == "\\":
            printed = printed_call(self.text, start, self.taken)
            if printed is not None:
                self.at = printed[1]
                yield Tok("func", printed[0], start, self.at)
                return
            yield from self.command(start)
            return
        derivative = printed_frechet(self.text, start) if c == "L" else None
        if derivative is not None:
            self.at = derivative[1]
            yield Tok("func", f"{FRECHET}{derivative[0]}", start, self.at)
            return
        self.at = number.end() if number else start + 1
        if number:
            yield Tok("num", number[0], start, self.at)
        elif c.isascii() and c.isalpha():
            yield Tok("letter", c, start, self.at)
        elif c in "{}":
            yield Tok("group" if c == "{" else "endgroup", c, start, self.at)
        elif c in "([":
            yield Tok("open", c, start, self.at)
        elif c in ")]":
            yield Tok("close", c, start, self.at)
        elif c in "+-/":
            yield Tok("op", c, start, self.at)
        elif c == "*":
            yield Tok("op", "asterisk", start, self.at)
        elif self.text.startswith("||", start):
            self.at = start + 2
            yield Tok("norm", "", start, self.at)
        elif c == "|":
            yield Tok("bar", "", start, self.at)
        elif c in "^_,;=:'<>!.":
            yield Tok(c, c, start, self.at)
        else:
            raise self.error(f"unexpected character {c!r} in LaTeX", start)

    def argument(self, name: str) -> tuple[str, int]:
        """The text of the argument of a command, and where it starts."""
        found = re.compile(r"\s*").match(self.text, self.at)
        start = found.end() if found else self.at
        if start >= len(self.text):
            raise self.error(f"\\{name} needs an argument", self.at)
        if self.text[start] == "{":
            depth = 0
            for k in range(start, len(self.text)):
                depth += (self.text[k] == "{") - (self.text[k] == "}")
                if depth == 0:
                    self.at = k + 1
                    return self.text[start + 1 : k], start + 1
            raise self.error("the bracket '{' is never closed", start)
        command = _COMMAND.match(self.text, start)
        self.at = command.end() if command else start + 1
        return self.text[start : self.at], start

    def command(self, start: int) -> Iterator[Tok]:
        found = _COMMAND.match(self.text, start)
        if found is None:
            raise self.error("the text ends after a backslash", start)
        self.at, name = found.end(), found[1].rstrip("*")
        if name in SKIPPED or name in (*",;:! >\n/", *"[]()"):  # spaces, and the brackets of displays
            if name in ("left", "right") and self.text.startswith(".", self.at):
                self.at += 1
        elif name in ("quad", "qquad"):
            yield Tok("gap", "", start, self.at)
        elif name == "forall":
            yield Tok("for", name, start, self.at)
        elif name in DROPPED_WITH_ARGUMENT:
            self.argument(name)
        elif name == "\\":
            self.optional()
            yield Tok("line", "", start, self.at)
        elif name in BRACKETS:
            yield Tok(*BRACKETS[name], start, self.at)
        elif name in OPERATORS:
            yield Tok("op", OPERATORS[name], start, self.at)
        elif name in ("begin", "end"):
            environment, _ = self.argument(name)
            if name == "begin" and environment.startswith(("array", "alignat", "alignedat")):
                self.argument(name)
            refused = environment_refused(environment)
            if refused:
                raise self.error(refused, start)
            self.matrices += (name == "begin") - (name == "end") if environment.rstrip("*") in MATRICES else 0
            yield Tok(name, environment.rstrip("*"), start, self.at)
        elif name in SPECIAL:
            yield Tok(SPECIAL[name], name, start, self.at)
        elif name in RELATIONS:
            kind = RELATIONS[name] if name in ("ne", "neq") else RELATIONS[name][0]
            yield Tok(kind, RELATIONS[name], start, self.at)
        elif name in BELOW_A_SUM:
            yield Tok(BELOW_A_SUM[name], name, start, self.at)
        elif name in REFUSED:
            raise self.error(REFUSED[name], start)
        elif name in EQUALS:
            yield Tok("=", "=", start, self.at)
        elif name in ACCENTS:
            yield from self.accent(name, start)
        elif name in STYLES:
            yield from self.styled(name, start)
        elif name in GREEK or name in GREEK_VARIANTS:
            yield Tok("symbol", name, start, self.at)
        elif is_called(name) or name in ("lg",):
            yield Tok("func", name, start, self.at)
        elif name in ("_", "%", "&", "#", "$"):
            raise self.error(f"unexpected \\{name} in a formula", start)
        else:
            raise self.error(f"the command \\{name} is not known here", start)

    def optional(self) -> None:
        """Step over the [2pt] after a line break."""
        found = re.compile(r"\[\s*-?[\d.]+\s*(pt|em|ex|mm|cm)\s*\]").match(self.text, self.at)
        if found:
            self.at = found.end()

    def accent(self, name: str, start: int) -> Iterator[Tok]:
        raw, _ = self.argument(name)
        letter = _letter(raw)
        if not letter:
            raise self.error(f"\\{name} is read above one letter only, as in \\{name} x", start)
        yield Tok("symbol", letter, start, self.at, accent=ACCENTS[name])

    def styled(self, name: str, start: int) -> Iterator[Tok]:
        raw, inside = self.argument(name)
        word = raw.strip().replace(r"\_", "_")
        if word in ("1", r"\mathbf{1}") and name not in ("mathrm", "text", "operatorname"):
            yield Tok("ones", "1", start, self.at)
        elif word == "0":
            yield Tok("num", "0", start, self.at)
        elif name in ("mathbb", "mathcal", "mathds") and word in NAMES:
            raise self.error(NAMES[word] + rf" (\{name}{{{word}}})", start)
        elif word in ("argmin", "argmax", "arg min", "arg max", "arg\\,min"):
            raise self.error(REFUSED["argmin"], start)
        elif word == "where" and name == "operatorname" and _BRACKET.match(self.text, self.at):
            yield Tok("func", word, start, self.at)
        elif FOR.fullmatch(word) and name in ("text", "mbox", "textrm", "mathrm"):
            yield Tok("for", word, start, self.at)
        elif word in ("s.t.", "subject to", "subjectto", "such that", "where", "if", "otherwise", "for", "and"):
            raise self.error(
                "the words of a text are not read: give the function alone (its constraints to mc.minimize(..., "
                "subject_to=...), cases as where(A > B, C, D))", start)  # fmt: skip
        elif _letter(word):
            letter = _letter(word)
            upright = name in ("mathsf", "mathrm", "text", "textsf") and letter in ("T", "H")
            yield Tok("top" if upright and self.is_superscript(start) else "symbol", letter, start, self.at)
        elif re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", word):
            function = is_called(word) or is_called(word.lower())
            called = word if is_called(word) else word.lower()
            yield Tok("func" if function else "symbol", called if function else word, start, self.at)
        elif name in ("mathbf", "boldsymbol", "bm", "mathit", "mathrm", "mathnormal", "mathsf"):
            yield Tok("group", "{", start, inside)
            inner = _Tokenizer(Source(self.text[: inside + len(raw)]), self.taken)
            inner.at = inside
            yield from inner.run()
            yield Tok("endgroup", "}", self.at - 1, self.at)
        else:
            raise self.error(f"the words {word!r} are not read in a formula", start)

    def is_superscript(self, start: int) -> bool:
        return self.text[:start].rstrip(" {").endswith(("^", "^{-", "^-"))


def _letter(raw: str) -> str:
    """The letter that an argument consists of; empty if it is something else."""
    bare = raw.strip().strip("{}").strip()
    inner = re.fullmatch(r"\\(?:mathbf|boldsymbol|bm|mathrm|mathit|mathsf)\s*\{?\s*(\\?[A-Za-z]+)\s*\}?", bare)
    bare = inner[1] if inner else bare
    if re.fullmatch(r"[A-Za-z]", bare):
        return bare
    name = bare.removeprefix("\\")
    return name if bare.startswith("\\") and (name in GREEK or name in GREEK_VARIANTS) else ""
