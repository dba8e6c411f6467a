"""What users of other systems type: read where it means one thing, else refused with how it is written here."""

from __future__ import annotations

import re
import string

import pytest

import matcalc as mc
from matcalc.errors import MatcalcError, ParseError
from matcalc.expr import REGISTRY, postorder
from matcalc.frontend.hints import CALLS, CHARACTERS, CONSTRUCTIONS, REFUSED, about_call
from matcalc.frontend.names import is_function, operation
from matcalc.frontend.parser import parse

SHAPES = {"A": ("n", "n"), "B": ("n", "n"), "X": ("n", "p"), "Y": ("n", "p"), "x": ("n", 1), "y": ("n", 1), "s": (1, 1)}

SYNONYMS = [(name, entry.name) for entry in REGISTRY.values() for name in entry.also]


@pytest.mark.parametrize(("name", "op"), SYNONYMS, ids=[name for name, _ in SYNONYMS])
def test_a_name_that_means_one_operation_is_read_at_both_doors(name: str, op: str) -> None:
    entry = REGISTRY[op]
    assert name not in REGISTRY
    assert name not in CALLS
    assert entry.syntax == "call"
    assert sum(name in other.also for other in REGISTRY.values()) == 1
    count = len(entry.example[0].split(","))
    text = f"{{}}({', '.join('AB'[:count])}{', 1' if op == 'log_softmax' else ''})".format
    shapes = {"A": ("n", "n"), "B": ("n", "n")}
    built = parse(text(name), shapes=shapes).graph.output
    assert built is parse(text(op), shapes=shapes).graph.output
    assert name not in {e.op for e in postorder((built,))}
    function = getattr(mc, name, None)
    assert function is not None or entry.variadic
    # the name stays free for variables and functions of the user's
    assert parse(f"{name}'*{name}", shapes={name: ("n", 1)}).graph.output.is_scalar
    assert "func" in {e.op for e in [parse(f"{name}(A)", shapes={"A": ("n", "n")}, functions=[name]).graph.output]}


@pytest.mark.parametrize("name", [*CALLS, *REFUSED])
def test_every_hint_about_a_call_is_given(name: str) -> None:
    assert not is_function(name)
    assert not any(name in entry.also for entry in REGISTRY.values())
    for arguments in ("X", "X, Y"):
        with pytest.raises(MatcalcError) as caught:
            parse(f"sum({name}({arguments}))", shapes=SHAPES)
        assert f"there is no function {name}: " in str(caught.value)


WRITTEN = [name for name in CALLS if not re.search(r" |,.*,.*;|low|A >", CALLS[name])]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_hint_writes_is_in_the_syntax(name: str) -> None:
    words = ["x", "y"] if re.search(r"'\*|\*\{1\}'|^diag\(", CALLS[name]) else ["A", "B"]
    written = about_call(name, words).removeprefix(": write ")
    if "eye(" not in written and "^B" not in written:
        assert parse(written, shapes=SHAPES).graph.output.shape


def test_functions_in_hints_exist() -> None:
    for text in (*CALLS.values(), *CHARACTERS.values()):
        for name in re.findall(r"\b([a-z]\w*)\(", text):
            assert operation(name) is not None, name
    for letters in CALLS.values():
        assert {f for _, f, _, _ in string.Formatter().parse(letters) if f is not None} <= {"0", "1"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("crossprod(X)", "X'*X"),
        ("tcrossprod(X)", "X*X'"),
        ("divide(x, y)", "x ./ y"),
        ("vstack(X, Y)", "[X; Y]"),
        ("sigma(x)", "sigmoid(x)"),
        ("sum(max(x, y))", "maximum(A, B)"),
        ("sum(min(x, 0))", "minimum(A, B)"),
        ("ravel(X)", "vec(X)"),
        ("size(X, 1)", "declare `X: n x p`"),
        ("conj(x)", "every value is real"),
        # prefixes and methods
        ("A.T.dot(A)", "product of matrices in NumPy"),
        ("X.shape[0]", "sizes are names"),
        ("A.inv", "inv(X)"),
        # operators
        ("sum(|x|)", "abs(x)"),
        ("x %*% y", "write * for the matrix product"),
        ("A %o% B", "x*y' for the outer one"),
        ("x == y", "where(A > B, C, D)"),
        ("(x > 0) && (y > 0)", "where(A > B"),
        ("y := x", "name = expression"),
        ("y <- x", "name = expression"),
        ("s += 1", "defined once"),
        ("x*T", "the transpose is X'"),
        ("[1 2; 3 4]*A", "[1, 2; 3, 4]"),
        ("sum(1:3)", "x[1:3]"),
        ("2x", "an operator may be missing"),
        ("% remark\nx", "a comment begins with #"),
        ("x // remark", "a comment begins with #"),
        ("for i = 1:n", "there is no for"),
        ("f = lambda x: x'*x", "write the expression"),
        ("def f(x):", "there is no def"),
        # LaTeX and Unicode
        ("A × B", "write *"),
        ("x²", "square matrix"),
        ("∑(x)", "sum(x)"),
        ("∇x", "asked for beside it"),
        ("s ≤ 1", "a relation is no value"),
        ("transpos(X)", "did you mean transpose?): write X'"),
        ("crossprd(X)", "did you mean crossprod?): write X'*X"),
        ("“x”", "quotation marks"),
        # declarations
        ("A: nxn; tr(A)", "write `A: n x n`"),
        ("x: vector symmetrical\nx'*x", "did you mean symmetric"),
        ("A: R^(n*p)\nsum(A)", "`A: n x p`"),
        ("A: R^{n x p}\nsum(A)", "a matrix `A: m x n`"),
        ("x: row(n)\nx*x'", "`x: 1 x n`"),
        ("x: scalar vector\nx'*x", "cannot be both scalar and vector"),
        ("x: n x p vector\nx'*x", "which is not a vector"),
        ("let x: n\nx'*x", "leave the first word out: `x: n`"),
        ("A is symmetric\ntr(A*A)", "`A: n x n symmetric`"),
        ("f(x) = x'*x", "`f = x'*x`"),
        ("x in R^n\nx'*x", "`x: n x 1`"),
        ("x ∈ R\nx'*x", "`x: n x 1`"),
    ],
)
def test_hints(text: str, written: str) -> None:
    for shapes in (SHAPES, None):
        if shapes is not None and re.match(r"\w+: ", text):
            continue
        with pytest.raises(MatcalcError) as caught:
            parse(text, shapes=shapes)
        message = caught.value.message if isinstance(caught.value, ParseError) else str(caught.value)
        assert written in message


@pytest.mark.parametrize("text", ["Log[x]", "Tr[A]", "Transpose[A]", "Inverse[A]*x", "Exp[x]"])
def test_functions_take_round_brackets(text: str) -> None:
    with pytest.raises(MatcalcError, match=r"functions take round brackets|would be an entry|an index must be"):
        parse(text)


def test_hints_are_found_quickly_in_long_lines() -> None:
    for text in ("[" * 20_000 + " 1", "a" * 50_000 + ".b(" * 1000, "x" + " |" * 20_000, "\\" * 20_000):
        with pytest.raises(MatcalcError):
            parse(text)
    assert len(CONSTRUCTIONS) > 15


@pytest.mark.parametrize(
    ("source", "said", "unsaid"),
    [
        ("x'*x*0,5", "a number has a point: 0.5", ""),
        ("0,25*x'*x", "a number has a point: 0.25", ""),
        ("<x, y>", "an inner product is x'*y", ""),
        ("x.transpose() @ x", "write transpose(X)", "write ranspose"),
    ],
)
def test_hints_at_what_is_written_by_hand(source: str, said: str, unsaid: str) -> None:
    with pytest.raises(mc.MatcalcError) as error:
        mc.derive(source)
    assert said in str(error.value)
    assert not unsaid or unsaid not in str(error.value)
