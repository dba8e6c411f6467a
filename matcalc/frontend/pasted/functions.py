r"""Functions, bars and norms in pasted mathematics: `\log\det S`, `np.sum(X, axis=0)`, `|A|`, `\lVert x \rVert_1`."""

from __future__ import annotations

import re

from matcalc.frontend import syntax_tree as st
from matcalc.frontend.hints import REFUSED
from matcalc.frontend.pasted import calls
from matcalc.frontend.pasted.printed import FRECHET, with_direction
from matcalc.frontend.pasted.products import Factor, Products
from matcalc.frontend.pasted.suffixes import SuffixReader
from matcalc.frontend.pasted.tokens import Tok
from matcalc.frontend.syntax import Node

CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
PRODUCT = frozenset(("*", ".*", "/", "./", "@", "\\", "dot", "cross", "asterisk", "odot", "oslash", "kron"))
OVER_AN_INDEX = ("max", "min", "mean", "logsumexp")
_INDEX = re.compile(r"\s*(?:\d+\s*(?:\\leq?(?:slant)?\b|\\lt\b|<=?|≤)\s*)?\{?\s*([a-z]{1,3})(?![A-Za-z])")
WHOLE = frozenset(("tr", "det", "logdet", "trace", "Tr"))  # functions whose argument without brackets is a product


class FunctionReader(SuffixReader):
    """The part of the reader that takes functions with their arguments, bars and norms."""

    products: Products

    def factor(self, operator: str, place: tuple[int, int] = (0, 0)) -> Factor:
        raise NotImplementedError

    def group(self) -> Node:
        raise NotImplementedError

    def expect(self, kind: str, value: str, opener: Tok, said: str) -> Tok:
        raise NotImplementedError

    def bars(self) -> Node:
        """|a| and ‖a‖ with the index of a norm."""
        opener = self.take()
        said = "the norm (\\| or ‖)" if opener.kind == "norm" else "the bar |"
        if opener.value == ")":
            raise self.error(f"{said} is closed without being opened", opener)
        self.closing.append(opener.kind)
        inside = self.sum()
        self.closing.pop()
        closer = self.expect(opener.kind, "", opener, said)
        if opener.kind == "bar":
            return st.shaped("bars", [inside], opener.start, closer.end)
        return self.norm(inside, opener, closer)

    def norm(self, inside: Node, opener: Tok, closer: Tok) -> Node:
        """The norm that its index names; the index may stand behind the exponent."""
        kinds: dict[str, str] = {
            "": "norm", "F": "norm", "2": "norm_2", "1": "norm_1", "inf": "norm_inf", r"\infty": "norm_inf",
            "∞": "norm_inf",
            "*": "nuclear", r"\ast": "nuclear", r"\mathrm{F}": "norm", r"\text{F}": "norm", r"\mathsf{F}": "norm",
            r"\mathcal{F}": "norm", r"\mathrm{Fro}": "norm", r"\text{op}": "normspec", r"\mathrm{op}": "normspec",
            r"\operatorname{F}": "norm", r"\mathrm F": "norm",
        }  # fmt: skip
        at = self.at
        text = self.norm_index()
        if text not in kinds:
            self.at = at
            return self.norm_by(inside, opener, closer, text)
        if kinds[text] == "normspec":
            return st.call("normspec", [inside], opener.start, closer.end)
        return st.shaped(kinds[text], [inside], opener.start, closer.end)

    def norm_by(self, inside: Node, opener: Tok, closer: Tok, text: str) -> Node:
        r"""\lVert x \rVert_M, the root of x'M x, and its square."""
        unknown = self.error(f"the norm with the index {text} is not known here", closer)
        if self.peek().kind != "_" or self.peek(1).kind not in ("group", "symbol", "word", "letter"):
            raise unknown
        self.take()
        letter = self.peek()
        matrix = self.group() if letter.kind == "group" else st.name(self.take().value, letter.start, letter.end)
        if self.products.is_scalar(matrix) or (letter.kind != "group" and not letter.value[0].isupper()):
            raise unknown
        squared = self.peek().kind in ("^", "super") and self.peek(0 if self.peek().kind == "super" else 1).value == "2"
        if squared:
            self.exponent()
        end = self.tokens[self.at - 1].end
        return st.shaped("form_by" if squared else "norm_by", [inside, matrix], opener.start, end)

    # -------------------------------------------------------------------------------------------- functions

    def function(self) -> Node:
        r"""\log x, \log^2(x), \operatorname{softmax}_2(X), np.sum(X, axis=0)."""
        tok = self.take()
        name = tok.value
        if name == "einsum":
            raise self.error(f"einsum is read in Python functions, not here: {REFUSED[name]}", tok)
        if name in ("argmin", "argmax") or (name in ("min", "max") and self._is_over_a_variable()):
            raise self.error("a minimizer is not a value here: give the function alone, and ask for its optimum with "
                             "mc.minimize(...) or `matcalc solve`", tok)  # fmt: skip
        if name in ("min", "minimize", "maximize") and self.peek().kind not in ("open", "op", "_"):
            raise self.error("give the function alone, and ask for its optimum with mc.minimize(..., "
                             "subject_to=...)", tok)  # fmt: skip
        if name in OVER_AN_INDEX and self._begins_with_an_index():
            self.at -= 1
            self.tokens[self.at] = Tok(name, name, tok.start, tok.end)
            return self.index_sum()
        index = self.index_text() if self.peek().kind == "_" else ""
        if index == r"\odot" and calls.own_name(name) in calls.MATHEMATICAL:
            return self.entrywise(name, tok)
        if index and not index.isdigit():
            raise self.error(f"the index {index} of {name} is not read: write brackets, or a sum", tok)
        power = self.function_power(tok)
        if name in ("log", "ln") and self._is_gamma_function():
            self.take()
            name = "gammaln"
        node = self.applied(name, index, tok)
        if name in ("tr", "trace", "Tr") and power is None and self.peek().kind == "^":
            at = self.at
            self.take()
            exponent = self.raw_argument()
            self.at = at
            if not exponent.isdigit():
                raise self.error("the exponent has two readings, of the trace or of the matrix: write brackets", tok)
        if power is not None:
            node = st.powered(node, ".^" if not self.products.is_scalar(node) else "^", power, st.span(power)[0])
        return node

    def entrywise(self, name: str, tok: Tok) -> Node:
        r"""\exp_{\odot}(A): the function of every entry, also of a square matrix."""
        if self.peek().kind != "open" or self.peek().value != "(":
            raise self.error(f"{name} entry by entry needs its argument in brackets", tok)
        given = self.arguments()
        return calls.called(self.source, name, given, tok.start, self.tokens[self.at - 1].end, self.python)

    def _is_gamma_function(self) -> bool:
        r"""Whether the Gamma function follows: \ln\Gamma(x) is gammaln(x)."""
        follows, opener = self.peek(), self.peek(1)
        return follows.value == "Gamma" and "Gamma" not in self.known and (opener.kind, opener.value) == ("open", "(")

    def _is_over_a_variable(self) -> bool:
        r"""Whether the index of \min or \max is the name of a variable."""
        text = self.index_text(peek=True) if self.peek().kind == "_" else ""
        return bool(text) and not text.isdigit() and not self._begins_with_an_index()

    def _begins_with_an_index(self) -> bool:
        r"""Whether the subscript that follows runs over an index: `\max_i`, `\max_{1 \le i \le n}`."""
        text = self.index_text(peek=True) if self.peek().kind in ("_", "sub") else ""
        found = _INDEX.match(text)
        return found is not None and not any(word in self.known for word in (found[1], *found[1]))

    def function_power(self, tok: Tok) -> Node | None:
        r"""The exponent between a function and its argument: \log^2 x."""
        if self.peek().kind not in ("^", "super"):
            return None
        caret = self.peek()
        exponent = self.exponent()
        if exponent.data != "number":
            raise self.error(
                f"an exponent behind the name {tok.value} has two readings, its inverse function or a power of its "
                "value: write the name of the inverse, or brackets", caret)  # fmt: skip
        return exponent

    def applied(self, name: str, index: str, tok: Tok) -> Node:
        """The call of a function, its argument in brackets or behind it."""
        given: list[calls.Argument]
        if self.peek().kind == "open" and self.peek().value in "([{":
            given = self.arguments()
        elif self.peek().kind == "group":
            given = [calls.Argument(self.group())]
        elif self.starts_value():
            given = [calls.Argument(self.bare_argument(name, tok))]
        else:
            raise self.error(f"{name} is a function and needs an argument", tok)
        directed = with_direction(name) if (self.peek().kind, self.peek().value) == ("open", "[") else None
        if directed is not None:
            name, given = directed, [*given, *self.arguments()]
        end = self.tokens[self.at - 1].end
        if name == "slogdet":
            return self.slogdet(given, tok, end)
        if name.startswith(FRECHET):
            return self.frechet(name.removeprefix(FRECHET), [a.node for a in given if a.node is not None], tok, end)
        if index:
            given.append(calls.Argument(st.number(index, tok.start, tok.end)))
        mathematical = calls.own_name(name)
        if self.latex and mathematical in calls.MATHEMATICAL and len(given) == 1 and given[0].node is not None:
            return st.shaped(mathematical, [given[0].node], tok.start, end)
        return calls.called(self.source, name, given, tok.start, end, self.python)

    def frechet(self, of: str, given: list[Node], tok: Tok, end: int) -> Node:
        r"""L_{\operatorname{expm}}(A, E), and L_{(\cdot)^{k}}(A, E) of a power."""
        if of.isdigit() or of in self.known:
            exponent = (st.number if of.isdigit() else st.name)(of, tok.start, tok.end)
            return st.call("frechetpow", [*given, exponent], tok.start, end)
        return st.call("frechet", [st.name(of, tok.start, tok.end), *given], tok.start, end)

    def slogdet(self, given: list[calls.Argument], tok: Tok, end: int) -> Node:
        """np.linalg.slogdet(S)[1]."""
        after = [self.peek(k).value for k in range(3)]
        if after != ["[", "1", "]"] or len(given) != 1 or given[0].node is None:
            raise self.error("slogdet(S) is a pair: write slogdet(S)[1], the logarithm of |det S|, or logdet(S)", tok)
        self.at += 3
        return st.call("logdet", [given[0].node], tok.start, end)

    def arguments(self) -> list[calls.Argument]:
        """(a, b, axis=0)."""
        opener = self.take()
        given: list[calls.Argument] = []
        self.closing.append("")
        while self.peek().kind != "close" or self.peek().value != CLOSING[opener.value]:
            if given:
                self.expect(",", "", opener, f"the bracket {opener.value!r}")
            keyword = ""
            if self.peek().kind in ("word", "symbol") and self.peek(1).kind == "=":
                keyword = self.take().value
                self.take()
            tok = self.peek()
            if tok.kind == "string" or (tok.kind == "word" and tok.value in ("True", "False", "None")):
                given.append(calls.Argument(None, self.take().value, keyword))
            else:
                given.append(calls.Argument(self.compared(self.sum()), "", keyword))
        self.closing.pop()
        self.take()
        return given

    def compared(self, left: Node) -> Node:
        """The value, or its comparison with what follows."""
        tok = self.peek()
        if tok.kind not in ("<", ">"):
            return left
        self.take()
        relation = tok.value
        if self.peek().kind == "=":
            relation += self.take().value
        right = self.sum()
        sign = st.token("COMPARISON", relation, tok.start, tok.end)
        return st.tree("comparison", [left, sign, right], st.span(left)[0], st.span(right)[1])

    def compares(self) -> bool:
        """Whether a bracket or an index follows that holds a comparison."""
        at = self.at + (self.peek().kind == "_")
        depth = 0
        while at < len(self.tokens):
            kind = self.tokens[at].kind
            if kind in ("<", ">") and depth:
                return True
            depth += (kind in ("open", "group")) - (kind in ("close", "endgroup"))
            if depth <= 0:
                return False
            at += 1
        return False

    def condition(self) -> Node:
        r"""The comparison after the 1 of an indicator, `\mathbb 1(A > B)`, or in its index, `\mathbb 1_{A > B}`."""
        openers = []
        while self.peek().kind in ("_", "open", "group"):
            tok = self.take()
            if tok.kind != "_":
                openers.append(tok)
        self.closing.append("")
        comparison = self.compared(self.sum())
        self.closing.pop()
        for opener in reversed(openers):
            if opener.kind == "group":
                closer = self.expect("endgroup", "", opener, "the bracket '{'")
            else:
                closer = self.expect("close", CLOSING[opener.value], opener, f"the bracket {opener.value!r}")
        return st.indicator(comparison, openers[0].start, closer.end)

    def bare_argument(self, name: str, tok: Tok) -> Node:
        r"""The argument without brackets: `\log\det S`, `\operatorname{tr} A B`, `\log 2\pi`."""
        if self.peek().kind == "func":
            inner = self.function()
            if self.peek().kind in ("^", "super"):
                raise self.error(f"the exponent has two readings, of {name} or of its argument: write brackets", tok)
            return inner
        factors = [self.factor("")]
        while self.starts_value() and self.peek().kind not in ("func", "sum", "prod"):
            if self.peek().kind == "open" and self.peek().value == "(" and name not in WHOLE:
                raise self.error(f"the argument of {name} is not clear: write it in brackets", tok)
            factors.append(self.factor("implicit"))
        scalars = all(self.products.is_scalar(f.node) for f in factors)
        beside = self.peek().kind == "op" and self.peek().value in PRODUCT and self.peek().value != "/"
        if (len(factors) > 1 and not scalars and name not in WHOLE) or beside:
            raise self.error(f"the argument of {name} has two readings, what stands next to it or all that "
                             "follows: write it in brackets", tok)  # fmt: skip
        return self.products.join(factors) if len(factors) > 1 else factors[0].node
