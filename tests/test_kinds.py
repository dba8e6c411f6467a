"""The kinds of functions: a record each, and nobody compares their names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import matcalc as mc
from matcalc.api.derivation import Derivation
from matcalc.errors import MatcalcError
from matcalc.functions.parts import MAKERS, parts_of
from matcalc.kinds import CLAIMED, KINDS, SHOWN, VALUE_AND_VJP, default, kind_of, names

PACKAGE = Path(__file__).resolve().parent.parent / "matcalc"
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "wrong.py")  # there a kind is one of mistake


def test_every_kind_has_its_expressions_and_its_name_once() -> None:
    assert set(MAKERS) == {*KINDS, VALUE_AND_VJP}
    assert len(set(names())) == len(KINDS)
    other = [word for kind in KINDS for word in kind.also]
    assert len(set(other)) == len(other)
    assert not set(other) & set(names())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_function_returns_and_needs_what_its_record_says(kind) -> None:
    d = mc.derive("x'*A*x", "x", shapes={"x": (3, 1), "A": (3, 3)})
    made = parts_of(d, kind)
    assert (bool(made.derivatives) or made.tangent is not None) == kind.derivatives
    assert ("cotangent" in made.extra) == kind.cotangent
    assert ("x" in made.extra) == kind.tangents
    more = {"tangents": {"x": [[1.0], [0.0], [0.0]]}} if kind.tangents else {"cotangent": 1.0} if kind.cotangent else {}
    got = d.function(kind.name)(x=[[1.0], [2.0], [3.0]], A=[[2.0, 1, 0], [0, 3, 0], [0, 0, 1]], **more)
    value = got[0] if kind.value and kind.derivatives else got
    if kind.value:
        assert value == pytest.approx(2 + 2 + 12 + 9)
    if kind.matrix and kind.second:
        assert got["x"].shape == (3, 3)
    elif kind.matrix:
        assert got["x"].shape == (1, 3)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.scalar], ids=str)
def test_what_needs_a_scalar_function_says_so(kind) -> None:
    d = mc.derive("A*x", "x", shapes={"x": (3, 1), "A": (3, 3)})
    with pytest.raises(MatcalcError, match=f"an? {kind.title} needs a scalar function, but "):
        d.code(kind.name)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_names_of_other_libraries_are_understood_in_messages(kind) -> None:
    for word in (*kind.also, kind.name.upper()):
        with pytest.raises(MatcalcError, match=rf"got '{word}' \(did you mean {kind.name}\?\)"):
            kind_of(word)
    assert kind_of(kind) is kind_of(kind.name) is kind


def test_defaults_and_documents_name_the_kinds() -> None:
    assert default(scalar=True).name in Derivation.code.__doc__
    for among in (KINDS, SHOWN, CLAIMED):
        assert {default(scalar=True, among=among), default(scalar=False, among=among)} <= set(among)
    for text, kinds in ((Derivation.code, KINDS), (Derivation.check, SHOWN), (Derivation.claim, CLAIMED)):
        assert all(f"`{kind}`" in text.__doc__ for kind in kinds)


def compared(tree: ast.AST) -> list[int]:
    """The lines on which something called `kind` is compared with the name of a kind."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [inner for side in (node.left, *node.comparators) for inner in ast.walk(side)]
        asks = any("kind" in (getattr(n, "id", ""), getattr(n, "attr", "")) for n in sides)
        if asks and any(isinstance(n, ast.Constant) and n.value in names((*CLAIMED, *KINDS)) for n in sides):
            found.append(node.lineno)
    return found


def test_the_search_for_comparisons_finds_them() -> None:
    assert compared(ast.parse("x = options.kind == 'jacobian' or kind in ('value', 'hvp')")) == [1, 1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_compares_names_of_kinds(path) -> None:
    assert compared(ast.parse(path.read_text(encoding="utf-8"))) == []
