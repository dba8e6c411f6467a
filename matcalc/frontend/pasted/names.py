"""Names in pasted mathematics: letters side by side, accents, subscripts; entries and indices of sums."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcalc.errors import ParseError, shorten
from matcalc.frontend import syntax_tree as st
from matcalc.frontend.pasted import calls
from matcalc.frontend.pasted.tokens import GREEK_VARIANTS, Known, Tok, is_called, written
from matcalc.frontend.syntax import Node, Source
from matcalc.printing.symbols import GREEK, Symbol, symbol

FUNCTIONS_OF_LETTERS = {"sigma": "sigmoid", "Phi": "normcdf", "psi": "digamma", "Tr": "tr"}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*|\d+")


class NameReader:
    """The part of the reader that says what names stand for."""

    source: Source
    known: Known
    latex: bool
    python: bool
    tokens: list[Tok]
    at: int
    indices: list[str]

    def peek(self, ahead: int = 0) -> Tok:
        raise NotImplementedError

    def take(self) -> Tok:
        raise NotImplementedError

    def error(self, message: str, tok: Tok) -> ParseError:
        raise NotImplementedError

    def function(self) -> Node:
        raise NotImplementedError

    def index_sum(self) -> Node:
        raise NotImplementedError

    def identity(self, tok: Tok) -> Node:
        raise NotImplementedError

    def exponent(self) -> Node:
        raise NotImplementedError

    def starts_value(self) -> bool:
        raise NotImplementedError

    def norm_index(self) -> str:
        raise NotImplementedError

    def arguments(self) -> list[calls.Argument]:
        raise NotImplementedError

    def places(self, parts: Sequence[str], start: int, end: int) -> list[Node] | None:
        raise NotImplementedError

    def rows(self, tok: Tok) -> str:
        raise NotImplementedError

    def indexed(self, tok: Tok, base: list[str], places: list[Node], place: Tok, start: int, end: int) -> Node:
        raise NotImplementedError

    def superscript(self, base: Sequence[str]) -> str:
        raise NotImplementedError

    def member(self, name: str, parts: list[str], place: Tok, start: int, end: int) -> Node:
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------- indices

    def index_text(self, *, peek: bool = False) -> str:
        """The text of the subscript that follows, without its braces; empty if there is none."""
        start, tok = self.at, self.peek()
        if tok.kind == "sub":
            self.take()
            text = tok.value
        elif tok.kind == "_":
            self.take()
            text = self.raw_argument()
        else:
            return ""
        if peek:
            self.at = start
        return text

    def raw_argument(self) -> str:
        """The text of an index or exponent, without its braces."""
        first = self.peek()
        if first.kind == "group" or (first.kind == "open" and first.value == "{"):
            depth, at = 0, self.at
            while True:
                tok = self.tokens[at]
                depth += (tok.kind == "group" or (tok.kind, tok.value) == ("open", "{")) - (
                    tok.kind == "endgroup" or (tok.kind, tok.value) == ("close", "}")
                )
                if tok.kind == "eof":
                    raise self.error("the bracket '{' is never closed", first)
                at += 1
                if depth == 0:
                    break
            self.at = at
            return self.source.text[first.end : self.tokens[at - 1].start].strip()
        if first.kind == "num" and len(first.value) > 1 and self.latex:
            rest = Tok("num", first.value[1:], first.start + 1, first.end)
            self.tokens[self.at : self.at + 1] = [Tok("num", first.value[0], first.start, first.start + 1), rest]
        self.take()
        return self.source.text[self.tokens[self.at - 1].start : self.tokens[self.at - 1].end].strip()

    def size_index(self) -> list[Node] | None:
        r"""The sizes in the index of a constant, as in `I_n` or `\mathbf 1_{m \times n}`; None without an index."""
        tok = self.peek()
        text = self.index_text()
        if not text:
            return None
        sizes = []
        for part in re.split(r"\\times|×|,", text):
            bare = part.strip().strip("{}")
            if not _PLAIN.fullmatch(bare):
                raise self.error(f"the size {shorten(text)} is not read: a name or a number", tok)
            make = st.number if bare.isdigit() else st.name
            sizes.append(make(bare, tok.start, tok.end))
        return sizes

    def parts_of(self, text: str, tok: Tok, base: Sequence[str]) -> list[str]:
        """The indices in the text of a subscript: `ij` and `i,j` are two where these are indices of sums."""
        clean = re.sub(r"\\(?:mathrm|text|mathit|mathbf|operatorname)\s*\{([^{}]*)\}|\\[,;! ]", r"\1", text)
        parts = [p.strip().lstrip("\\").strip("{} ") for p in clean.split(",")]
        if len(parts) > 1:
            return parts
        whole = parts[0].replace(" ", "")
        apart = len(whole) > 1 and all(c in self.indices or c.isdigit() for c in whole) and not whole.isdigit()
        if apart and not (base and self.known.is_vector(base[0])):
            return list(whole)
        if len(whole) == 2 and whole.isdigit() and base and self.known.is_matrix(base[0]):
            return list(whole)
        return [whole]

    # -------------------------------------------------------------------------------------------- names

    def named(self) -> Node:
        """What a name, letter or word stands for."""
        tok = self.peek()
        if tok.kind == "letter":
            self._join_letters()
            tok = self.peek()
        if tok.kind == "func":
            return self.function()
        if tok.kind == "word":
            return self.word(self.take())
        self.take()
        letter = tok.value
        following = self.peek()
        if (
            letter in ("Sigma", "Pi")
            and letter not in self.known
            and following.kind == "sub"
            and self._is_index(following)
        ):
            kind = "sum" if letter == "Sigma" else "prod"
            self.at -= 1
            self.tokens[self.at] = Tok(kind, kind, tok.start, tok.end)
            return self.index_sum()
        return self.of_symbol(tok, None, tok)

    def _is_index(self, tok: Tok) -> bool:
        return bool(re.match(r"[a-z]", tok.value))

    def _join_letters(self) -> None:
        """Letters side by side that are a longer name that is known become one token."""
        run = []
        at = self.at
        while self.tokens[at].kind == "letter" and (at == self.at or not self.tokens[at].spaced):
            run.append(self.tokens[at])
            at += 1
        word = "".join(t.value for t in run)
        if self._join_function(word, run, at):
            return
        longer = [name for name in self.known.names() if len(name) > 1 and name in word]
        if len(word) < 2 or not longer:
            return
        ways = self.splits(word)
        if len(ways) > 1:
            first, second = ("*".join(way) for way in ways[:2])
            raise self.error(f"{word} has two readings, {first} and {second}: write a space or \\mathrm{{...}}", run[0])
        if ways and len(ways[0][0]) > 1:
            length = len(ways[0][0])
            self.tokens[self.at : self.at + length] = [
                Tok("word", ways[0][0], run[0].start, run[length - 1].end, run[0].spaced)
            ]

    def _join_function(self, word: str, run: list[Tok], at: int) -> bool:
        """Letters right before a bracket that are the name of a function become one token: `tr(A^{-1})` in LaTeX."""
        after = self.tokens[at]
        if after.kind == "num" and not after.spaced and is_called(word + after.value):  # norm2(x)
            word, run, after = word + after.value, [*run, after], self.tokens[at + 1]
        if len(word) < 2 or (after.kind, after.value) != ("open", "(") or after.spaced or not is_called(word):
            return False
        if all(letter in self.known for letter in word):
            product = "*".join(word)
            raise self.error(f"{word}(...) has two readings, the function and {product}*(...)", run[0])
        self.tokens[self.at : self.at + len(run)] = [Tok("func", word, run[0].start, run[-1].end, run[0].spaced)]
        return True

    def splits(self, word: str) -> list[list[str]]:
        """The ways in which a word is made of known names."""
        ways: list[list[list[str]]] = [[[]]]
        for end in range(1, len(word) + 1):
            here = [
                [*before, word[start:end]]
                for start in range(end)
                if word[start:end] in self.known or (word[start:end] == "I" and end == len(word) and start)
                for before in ways[start]
            ]
            ways.append(here[:3])
        return ways[-1]

    def word(self, tok: Tok) -> Node:
        """A word of a text: a name, a function, or names side by side."""
        word = tok.value
        if word in self.known and word not in self.known.functions:
            return self.of_symbol(tok, None, tok)
        if (is_called(word) or word in ("norm", "Norm", "slogdet") or word in self.known.functions) and (
            self.peek().kind == "open" or (self.starts_value() and word not in self.known)
        ):
            self.at -= 1
            self.tokens[self.at] = Tok("func", word, tok.start, tok.end, tok.spaced)
            return self.function()
        if word in ("eye", "I"):
            return self.identity(tok)
        if not is_called(word) and word not in FUNCTIONS_OF_LETTERS:
            ways = [way for way in self.splits(word) if len(way) > 1]
            if len(ways) > 1:
                first, second = ("*".join(way) for way in ways[:2])
                raise self.error(f"{word} has two readings, {first} and {second}: write the *", tok)
            if ways:
                pieces: list[Tok] = []
                at = tok.start
                for part in ways[0]:
                    pieces.append(Tok("word", part, at, at + len(part), tok.spaced and not pieces))
                    at += len(part)
                self.tokens[self.at - 1 : self.at] = pieces
                return self.word(pieces[0])
            if self.may_be_letters(word):
                raise self.error(
                    f"{word} has two readings, a name and {'*'.join(word)}: write the *, or declare {word}", tok
                )
        head, _, tail = word.partition("_")
        if tail and head and not self.known.called(symbol(word)):
            return self.of_symbol(Tok("word", head, tok.start, tok.start + len(head)), tail, tok)
        return self.of_symbol(tok, None, tok)

    def may_be_letters(self, word: str) -> bool:
        """Whether a word that nothing declares may be a product of letters: in mathematics, of two or three."""
        open_word = not (self.python or self.latex or self.known.strict or word in GREEK or word in self.known)
        return open_word and word.isalpha() and len(word) in (2, 3)

    def order_of(self, tok: Tok) -> str:
        """The k of a derivative \\psi^{(k)}(x), stepped over; empty where it is something else."""
        start = self.at
        if self.peek().kind != "^":
            return ""
        self.take()
        found = re.fullmatch(r"\(([1-9])\)", self.raw_argument())
        if found and self.peek().kind == "open":
            return found[1]
        self.at = start
        return ""

    def defined_name(self) -> str | None:
        """The name that a definition begins with."""
        tok = self.take()
        letter = GREEK_VARIANTS.get(tok.value, tok.value)
        text = self.index_text()
        parts = tuple(re.sub(r"\W", "", part) for part in text.split(",")) if text else ()
        return written(Symbol(letter, tok.accent, parts))

    def of_symbol(self, tok: Tok, index: str | tuple[()] | None, place: Tok) -> Node:
        """The value of a letter or word with its accent and indices."""
        base = self.lookup(tok, ())
        order = self.order_of(tok) if tok.value == "psi" and not base and index is None else ""
        if order:
            given = self.arguments()
            if len(given) != 1 or given[0].node is None:
                raise self.error("a polygamma function has one argument", tok)
            operands = [st.number(order, tok.start, tok.end), given[0].node]
            return st.call("polygamma", operands, tok.start, self.tokens[self.at - 1].end)
        if tok.value == "I" and not tok.accent and not base and index is None:
            return self.identity(tok)
        raised = ""
        text = index if isinstance(index, str) else "" if index == () else self.norm_index()
        if not text and index is None:
            text = raised = self.superscript(base)
        start, end = place.start, self.tokens[self.at - 1].end
        if not text:
            return self.plain(tok, base, start, max(end, place.end))
        parts = self.parts_of(text, place, base)
        found = self.lookup(tok, tuple(parts))
        if len(found) > 1:
            raise self.error(f"{' and '.join(found)} are both written like this: use the text syntax", place)
        if found:
            return st.name(found[0], start, end)
        if base and self.known.is_scalar(base[0]) and self.known.strict:
            raise self.error(f"{base[0]} is 1 x 1 and has no index {text}: declare the variable that is meant", place)
        if base and self.known.has_members(base[0]):
            return self.member(base[0], parts, place, start, end)
        running = self.places(parts, start, end)
        if running is not None:
            return self.indexed(tok, base, running, place, start, end)
        if raised and self.known.strict:
            raise self.error(f"the superscript ({raised}) names another variable, which is not declared", place)
        if base and all(part.isdigit() or part in (":", *self.known.dims) for part in parts) and set(parts) != {":"}:
            make = [st.number if part.isdigit() else st.name for part in parts]
            whole = st.tree("whole", [], start, end)
            entries = [whole if part == ":" else m(part, start, end) for m, part in zip(make, parts)]
            return st.entry(st.name(base[0], start, end), entries, start, end)
        letters = re.findall(r"[A-Za-z]", text)
        if base and letters and all(c in self.indices for c in letters):
            raise self.error(
                f"the index {text} of {base[0]} is not read: one index for each side, i or i plus or minus a whole "
                "number", place)  # fmt: skip
        if base and self.known.strict:
            raise self.error(
                f"the index {text} of {base[0]} is free: the sum over it, as in \\sum_{{{text}}} or sum(...), is "
                f"missing (or declare {written(Symbol(tok.value, tok.accent, tuple(parts)))})", place)  # fmt: skip
        if self.known.strict and len(parts) == 1 and parts[0].isalpha() and len(parts[0]) == 1 and self.rows(tok):
            raise self.error(
                f"the index {text} is free: the sum over it, as in \\sum_{{{text}}} or sum(...), is missing", place
            )
        if tok.value == "K" and not tok.accent and len(parts) == 2 and all(self._is_size(part) for part in parts):
            return st.call("comm", [(st.number if p.isdigit() else st.name)(p, start, end) for p in parts], start, end)
        letter = GREEK_VARIANTS.get(tok.value, tok.value)
        return st.name(written(Symbol(letter, tok.accent, tuple(parts))), start, end)

    def _is_size(self, text: str) -> bool:
        return text.isdigit() or text in self.known.dims

    def lookup(self, tok: Tok, parts: tuple[str, ...]) -> list[str]:
        """The known names that are written as a letter with these indices."""
        letters = dict.fromkeys((tok.value, GREEK_VARIANTS.get(tok.value, tok.value)))
        for letter in letters:
            if not parts and not tok.accent and letter in self.known:
                return [letter]
            apart = symbol(letter) if tok.kind == "word" else Symbol(letter, "", ())
            accent = tok.accent or apart.accent
            found = self.known.called(Symbol(apart.letter, accent, (*apart.indices, *parts)))
            if found:
                return found
        return []

    def plain(self, tok: Tok, base: list[str], start: int, end: int) -> Node:
        """A name without indices; letters with a meaning of their own where they are no names."""
        following = self.peek()
        if len(base) > 1:
            raise self.error(f"{' and '.join(base)} are both written like this: use the text syntax", tok)
        if base and self.known.has_members(base[0]):
            raise self.error(f"{base[0]} has one member for each index: write {base[0]}_k", tok)
        if base:
            name = base[0]
            if name in self.known.functions and following.kind == "open":
                self.at -= 1
                self.tokens[self.at] = Tok("func", name, tok.start, tok.end, tok.spaced)
                return self.function()
            return st.name(name, start, end)
        if tok.value == "e" and not tok.accent and following.kind in ("^", "super", "**"):
            exponent = self.exponent()
            return st.shaped("euler", [exponent], start, st.span(exponent)[1])
        if tok.value in FUNCTIONS_OF_LETTERS and not tok.accent and following.kind == "open":
            self.at -= 1
            self.tokens[self.at] = Tok("func", FUNCTIONS_OF_LETTERS[tok.value], tok.start, tok.end, tok.spaced)
            return self.function()
        if following.kind == "open" and following.value == "(" and self.known.strict and not following.spaced:
            raise self.error(f"there is no function {written(Symbol(tok.value, tok.accent, ()))}", tok)
        if tok.kind == "word":
            return st.name(tok.value, start, end)
        shown = self.source.text[tok.start : tok.start + 1]
        if self.known.strict and not shown.isascii() and tok.value != "pi":
            raise self.error(f"unexpected character {shown!r}: write {tok.value}{tok.accent}, and declare it", tok)
        return st.name(written(Symbol(GREEK_VARIANTS.get(tok.value, tok.value), tok.accent, ())), start, end)
