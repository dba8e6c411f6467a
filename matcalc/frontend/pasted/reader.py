r"""The grammar of pasted mathematics: tokens of LaTeX or of Unicode and other systems' text become a syntax tree.

Sums of products of factors; a factor is a signed number, name, bracket, norm, fraction or call, with superscripts,
subscripts and transposes behind it. Statements are definitions and, last, the function.
"""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token

from matcalc.errors import ParseError, shorten
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted.functions import CLOSING, PRODUCT, FunctionReader
from matcalc.frontend.pasted.latex_tokens import BELOW_A_SUM, FOR_ALONE, MATRICES, NO_RELATION, REFUSED
from matcalc.frontend.pasted.products import Factor, Products
from matcalc.frontend.pasted.tokens import Known, PastedError, Tok
from matcalc.frontend.syntax import Node, Source, strange

SIZED = frozenset(("frac", "sqrt"))
OPENING = frozenset(
    ("num", "letter", "word", "symbol", "func", "open", "group", "norm", "bar", "frac", "sqrt", "sum", "prod", "ones",
     "vulgar", "begin")
)  # fmt: skip


class Reader(FunctionReader):
    """Reads the tokens of one text.

    Args:
        source: the text.
        tokens: its tokens.
        known: the names that stand for something.
        latex: whether it is LaTeX, where letters side by side are a product.
        python: whether it is Python, where `*` goes entry by entry and indices count from 0.
    """

    def __init__(self, source: Source, tokens: Sequence[Tok], known: Known, *, latex: bool, python: bool) -> None:
        self.source, self.known, self.latex, self.python = source, known, latex, python
        end = len(source.text)
        self.tokens = [*tokens, Tok("eof", "", end, end)]
        self.at = 0
        self.closing: list[str] = []  # what closes the bars that are open
        self.indices: list[str] = []  # of the sums around
        self.limits: dict[str, Node | None] = {}  # the upper limits of these
        self.products = Products(source, known)

    # -------------------------------------------------------------------------------------------- statements

    def statements(self) -> list[Node]:
        """The definitions and the function of the text."""
        found: list[Node] = []
        while True:
            while self.peek().kind in ("line", ";", ",", ".") or self._is_display(self.peek()):
                self.take()
            if self.peek().kind == "eof":
                return found
            found.append(self.statement())
            self.end_of_statement()

    def _is_display(self, tok: Tok) -> bool:
        return tok.kind in ("begin", "end") and tok.value not in MATRICES

    def end_of_statement(self) -> None:
        """What may follow a statement: an end, a new line, punctuation."""
        tok = self.peek()
        if tok.kind in ("line", ";", "eof", ",", ".") or self._is_display(tok):
            return
        if tok.kind == "=":
            raise self.error(
                "an equation is not a function: give the one that is minimized or differentiated (`name = expression` "
                "names a value, and `x: n x 1 solves ...` a value given by an equation)", tok)  # fmt: skip
        raise self.unexpected(tok)

    def statement(self) -> Node:
        """A definition or an expression."""
        start = self.at
        head = self.head()
        if head is None:
            self.at = start
            value = self.sum()
            return st.tree("expression", [value], *st.span(value))
        value = self.sum()
        name, a, b = head
        self.known.shapes.setdefault(name, None)
        return st.tree("definition", [st.token("NAME", name, a, b), value], a, st.span(value)[1])

    def head(self) -> tuple[str, int, int] | None:
        """The name before a `=`, if the statement begins with one; `f(x) =` names f."""
        depth, at = 0, self.at
        while self.tokens[at].kind not in ("line", ";", "eof"):
            kind = self.tokens[at].kind
            depth += (kind in ("open", "group")) - (kind in ("close", "endgroup"))
            if kind == "=" and depth == 0:
                break
            at += 1
        if self.tokens[at].kind != "=" or self.peek().kind not in ("letter", "word", "symbol"):
            return None
        first = self.peek()
        name = self.defined_name()
        if self.peek().kind == "open":
            while self.at < at and self.peek().kind != "close":
                self.take()
            self.take()
        if self.at != at or name is None:
            return None
        end = self.tokens[at - 1].end
        self.take()
        return name, first.start, end

    # -------------------------------------------------------------------------------------------- tokens

    def peek(self, ahead: int = 0) -> Tok:
        """The next token."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Tok:
        """The next token, stepped over."""
        tok = self.peek()
        self.at += 1
        return tok

    def error(self, message: str, tok: Tok) -> ParseError:
        """The error at a token."""
        found = self.source.error_at(message, min(tok.start, max(0, len(self.source.text.rstrip()))))
        return PastedError(found.message, found.source, found.line, found.column)

    def unexpected(self, tok: Tok) -> ParseError:
        """The error about a token that does not fit."""
        if not self.latex and tok.kind in ("!=", *BELOW_A_SUM.values()):
            return self.source.error_at(strange(self.source.text, tok.start), tok.start)
        if tok.kind in ("<", ">", "!="):
            return self.error(NO_RELATION, tok)
        if tok.kind == "for":
            return self.error(FOR_ALONE, tok)
        if tok.kind in BELOW_A_SUM.values():
            return self.error(REFUSED["in" if tok.kind == "in" else "dots"], tok)
        if tok.kind == "infty":
            return self.error(r"infinity is not a value here; the largest entry is \max", tok)
        if tok.kind in ("eof", "line"):
            return self.source.error_at("the text ends where a value is needed", len(self.source.text.rstrip()))
        return self.source.error_at(f"unexpected {shorten(self.source.text[tok.start : tok.end])!r}", tok.start)

    def expect(self, kind: str, value: str, opener: Tok, said: str) -> Tok:
        """The token that closes something."""
        tok = self.peek()
        if (kind, tok.kind) == ("bar", "norm") and self.source.text[tok.start : tok.end] == "||":  # |A||B|
            halves = [Tok("bar", "", k, k + 1) for k in (tok.start, tok.start + 1)]
            self.tokens[self.at : self.at + 1] = halves
            tok = halves[0]
        if tok.kind != kind or (value and tok.value != value):
            if tok.kind in ("eof", "line", ";"):
                raise self.error(f"{said} is never closed", opener)
            raise self.unexpected(tok)
        return self.take()

    # -------------------------------------------------------------------------------------------- sums and products

    def sum(self) -> Node:
        """a + b - c."""
        operands, signs = [self.term()], []
        while self.peek().kind == "op" and self.peek().value in "+-":
            tok = self.take()
            signs.append(st.sign(tok.value, tok.start, tok.end))
            operands.append(self.term())
        return st.chain("sum", operands, signs)

    def signs(self) -> list[Token]:
        """The signs before a value."""
        found = []
        while self.peek().kind == "op" and self.peek().value in "+-":
            tok = self.take()
            found.append(st.sign(tok.value, tok.start, tok.end))
        return found

    def term(self) -> Node:
        """A product; a sign before it belongs to its first factor."""
        signs = self.signs()
        factors = [self.factor("")]
        while True:
            tok = self.peek()
            if tok.kind == "op" and tok.value in PRODUCT:
                self.take()
                if tok.value == ".\\":
                    raise self.error("write B ./ A for A .\\ B", tok)
                operator = self.python_sign(tok)
                before = self.signs()
                factor = self.factor(operator, (tok.start, tok.end))
                factors.append(self.with_signs(factor, before))
            elif self.starts_value():
                factors.append(self.factor("implicit"))
            else:
                break
        first = self.with_signs(factors[0], signs)
        if len(factors) == 1:
            return first.node
        if signs:
            return self.signed(self.products.join(factors), signs)
        return self.products.join(factors)

    def python_sign(self, tok: Tok) -> str:
        """The operator; in Python the product and the quotient go entry by entry."""
        return {"*": "star", "/": "./", "@": "at"}.get(tok.value, tok.value) if self.python else tok.value

    def signed(self, node: Node, signs: Sequence[Token]) -> Node:
        """The node behind its signs."""
        for operator in reversed(signs):
            node = st.signed(operator, node)
        return node

    def with_signs(self, factor: Factor, signs: Sequence[Token]) -> Factor:
        """The factor behind its signs."""
        return Factor(factor.operator, self.signed(factor.node, signs), factor.spaced, factor.bracketed, factor.place)

    def starts_value(self) -> bool:
        """Whether a factor begins here, written side by side with what stands before."""
        tok = self.peek()
        if tok.kind in ("norm", "bar"):
            if tok.kind == "norm" and self.closing and self.closing[-1] == "bar" and tok.end == tok.start + 2:
                return self.source.text[tok.start : tok.end] != "||"
            if tok.value == "(":
                return True
            return tok.value != ")" and not (self.closing and self.closing[-1] == tok.kind)
        if tok.kind == "begin":
            return tok.value in MATRICES
        return tok.kind in OPENING

    def factor(self, operator: str, place: tuple[int, int] = (0, 0)) -> Factor:
        """One factor with what stands behind it."""
        tok = self.peek()
        node = self.suffixed(self.primary())
        return Factor(operator, node, tok.spaced, tok.kind in ("open", "group", "frac", "vulgar"), place)

    # -------------------------------------------------------------------------------------------- factors

    def primary(self) -> Node:
        """A value without its suffixes."""
        tok = self.peek()
        match tok.kind:
            case "num":
                self.take()
                size = self.size_index() if tok.value == "0" and self.latex else None  # 0_d, 0_{m \times n}
                if size:
                    ones = [st.number("1", tok.start, tok.end)] if len(size) == 1 else []
                    return st.call("zeros", [*size, *ones], tok.start, tok.end)
                return st.number(tok.value, tok.start, tok.end)
            case "vulgar":
                return self.vulgar()
            case "letter" | "word" | "symbol":
                return self.named()
            case "func":
                return self.function()
            case "ones":
                return self.ones()
            case "open":
                return self.bracket()
            case "group":
                return self.group()
            case "norm" | "bar":
                return self.bars()
            case "frac":
                return self.fraction()
            case "sqrt":
                return self.root()
            case "sum" | "prod":
                return self.index_sum()
            case "begin" if tok.value in MATRICES:
                return self.matrix()
        if tok.kind in ("^", "_") and self.latex:
            raise self.error("there is nothing before this index or exponent", tok)
        raise self.unexpected(tok)

    def vulgar(self) -> Node:
        """½."""
        tok = self.take()
        above, _, below = tok.value.partition("/")
        half = [st.number(part, tok.start, tok.end) for part in (above, below)]
        return st.chain("product", half, [st.sign("/", tok.start, tok.end)])

    def ones(self) -> Node:
        r"""\mathbf 1, or 𝟏: a column of ones, of the size in its index; before a comparison, where it holds."""
        tok = self.take()
        if self.compares():
            return self.condition()
        size = self.size_index()
        if size is not None:
            return st.call(
                "ones", [*size, *([st.number("1", tok.start, tok.end)] if len(size) == 1 else [])], tok.start, tok.end
            )
        return st.call("vector", [st.number("1", tok.start, tok.end)], tok.start, tok.end)

    def identity(self, tok: Tok) -> Node:
        """I or I_n, where I is not a variable; before a comparison, where it holds."""
        if self.compares():
            return self.condition()
        size = self.size_index()
        if size is not None:
            return st.call("eye", size[:1], tok.start, tok.end)
        return st.shaped("identity", [], tok.start, tok.end)

    def bracket(self) -> Node:
        """(a), [a], {a}, <a, b>; matrices of entries in other systems' brackets."""
        opener = self.take()
        self.closing.append("")
        items: list[list[Node]] = [[self.compared(self.sum())]]
        while self.peek().kind in (",", ";", "bar") and opener.value in "[<":
            tok = self.take()
            if tok.kind == ";":
                items.append([])
            items[-1].append(self.sum())
        self.closing.pop()
        closer = self.expect("close", CLOSING[opener.value], opener, f"the bracket {opener.value!r}")
        if items[0][0].data == "comparison":
            if opener.value not in "([" or len(items) > 1 or len(items[0]) > 1:
                raise self.error("a comparison is a value in brackets of its own, as in (A > B)", opener)
            return st.indicator(items[0][0], opener.start, closer.end)
        if opener.value == "<":
            if len(items) != 1 or len(items[0]) != 2:
                raise self.error("an inner product has two arguments", opener)
            self.skip_frobenius()
            return st.shaped("inner", items[0], opener.start, closer.end)
        if opener.value == "[" and not self.latex:
            return st.block(items, opener.start, closer.end)
        if len(items) > 1 or len(items[0]) > 1:
            raise self.error("a matrix of entries is written with \\begin{bmatrix}", opener)
        return items[0][0]

    def skip_frobenius(self) -> None:
        """Step over the F of an inner product of matrices."""
        if self.peek().kind == "_" and self.index_text(peek=True) in ("F", "2", r"\mathrm{F}"):
            self.index_text()

    def group(self) -> Node:
        """{a} in LaTeX."""
        opener = self.take()
        self.closing.append("")
        inside = self.sum()
        self.closing.pop()
        self.expect("endgroup", "", opener, "the bracket '{'")
        return inside

    def matrix(self) -> Node:
        """A matrix of entries in LaTeX."""
        opener = self.take()
        rows: list[list[Node]] = [[]]
        self.closing.append("")
        while self.peek().kind != "end":
            if self.peek().kind == "eof":
                raise self.error(f"the matrix \\begin{{{opener.value}}} is never closed", opener)
            rows[-1].append(self.sum())
            tok = self.peek()
            if tok.kind == "line":
                rows.append([])
            elif tok.kind != "&":
                break
            self.take()
        self.closing.pop()
        closer = self.expect("end", opener.value, opener, f"the matrix \\begin{{{opener.value}}}")
        return st.block([row for row in rows if row], opener.start, closer.end)

    def argument(self) -> Node:
        r"""The argument of a command: a group, or one character: `\frac12`."""
        tok = self.peek()
        if tok.kind == "group":
            return self.group()
        if tok.kind == "num" and len(tok.value) > 1:
            rest = Tok("num", tok.value[1:], tok.start + 1, tok.end)
            self.tokens[self.at : self.at + 1] = [Tok("num", tok.value[0], tok.start, tok.start + 1), rest]
        if tok.kind == "letter":
            self.take()
            return self.of_symbol(tok, (), tok)
        return self.primary()

    def fraction(self) -> Node:
        r"""\frac{a}{b}."""
        tok = self.take()
        above, below = self.argument(), self.argument()
        end = self.tokens[self.at - 1].end
        node = st.chain("product", [above, below], [st.sign("/", tok.start, tok.end)])
        node.meta.start_pos, node.meta.end_pos = tok.start, end
        return node

    def root(self) -> Node:
        r"""\sqrt{a}, √a, √(a)."""
        tok = self.take()
        if self.peek().kind == "open" and self.peek().value == "[":
            raise self.error(r"write a root as a power, x^{1/3}", tok)
        inside = self.argument() if self.latex else self.primary()
        end = self.tokens[self.at - 1].end
        return st.shaped("sqrt", [inside], tok.start, end)
