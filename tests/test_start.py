"""The start: the parser's table is that of the grammar, and a question imports what it needs and no more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import lark
import pytest
from lark import Lark, UnexpectedToken

from matcalc.frontend import grammar, syntax

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.txt")) + sorted((ROOT / "examples" / "sums").glob("*.txt"))
WRONG = ("x +", "x y", "A[1", "f(x))", "x = y = z", "[a, b; c", "x: n x", "a ** b", "sum(i=1.., x[i])", "x,")


def texts() -> Iterator[str]:
    """Texts of many kinds, right and wrong."""
    for path in EXAMPLES:
        yield path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests" / "cases").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            yield from (case[key] for key in ("expr", "expected", "program") if isinstance(case.get(key), str))
    yield from WRONG


def read(parser: Lark, text: str) -> object:
    """The tree with the places of its tokens; for a text that is refused what is expected at which place."""
    try:
        tree = parser.parse(text)
    except UnexpectedToken as error:
        return error.token, error.token.start_pos, sorted(error.expected)
    except Exception as error:
        return type(error), str(error)
    return tree, [(t, t.type, t.start_pos, t.end_pos) for t in tree.scan_values(lambda v: isinstance(v, lark.Token))]


def test_the_table_is_that_of_the_grammar() -> None:
    table = json.loads(files("matcalc.frontend").joinpath("grammar.json").read_text(encoding="utf-8"))
    text = files("matcalc.frontend").joinpath("grammar.lark").read_text(encoding="utf-8")
    assert table["grammar"] == text, "run python -m matcalc.frontend.grammar"


def test_the_parser_from_the_table_reads_what_the_one_from_the_grammar_reads() -> None:
    made = Lark(
        files("matcalc.frontend").joinpath("grammar.lark").read_text("utf-8"),
        postlex=syntax._Lines(),
        **grammar.OPTIONS,
    )
    loaded = grammar.parser(syntax._Lines())
    found = list(dict.fromkeys(texts()))
    assert len(found) > 400
    for text in found:
        assert read(loaded, text) == read(made, text), text


def test_a_table_of_another_grammar_or_another_lark_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lark, "__version__", "0.0")
    monkeypatch.setattr(Lark, "_load_from_dict", None)
    assert read(grammar.parser(syntax._Lines()), "x'*A*x") == read(syntax._grammar(), "x'*A*x")


def imported(code: str) -> set[str]:
    """The modules that are imported after some code has run in a fresh interpreter."""
    code += "\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(run.stderr.split())


def test_importing_the_package_imports_nothing_else() -> None:
    assert {m for m in imported("import matcalc") if m.startswith("matcalc")} == {"matcalc"}


NEEDLESS = (
    *("sympy", "mpmath", "numpy", "scipy", "jinja2"),
    *(f"matcalc.{room}" for room in ("emit", "loops", "optimum", "curvature", "claims", "functions", "numeric")),
    *("matcalc.export.note", "matcalc.explore", "matcalc.frontend.tracing", "matcalc.frontend.from_sympy"),
)


@pytest.mark.parametrize("example", ["one_hidden_layer.txt", "logistic_regression.txt"])
def test_a_derivation_as_text_imports_what_it_needs(example: str) -> None:
    found = imported(f"from matcalc.cli import main\nassert main(['derive', 'examples/{example}']) == 0")
    assert "matcalc.views.text_page" in found, "nothing was derived"
    assert not found & set(NEEDLESS)


LIBRARIES = {"scipy", "jax", "torch", "numba", "IPython"}


@pytest.mark.parametrize("shown", ["latex()", "code()", "jacobian('A')"])
def test_no_library_is_imported_that_an_answer_does_not_need(shown: str) -> None:
    assert not imported(f"import matcalc\nmatcalc.derive(\"x'*A*x\", wrt='A').{shown}") & LIBRARIES


def test_rules_are_declared_without_sympy() -> None:
    assert not imported("import matcalc.rules") & {"sympy", *LIBRARIES}


def test_the_command_line_imports_no_library() -> None:
    assert not imported("import matcalc.cli") & {"numpy", "sympy", "lark", "jinja2", *LIBRARIES}


HOOKED = """
import matcalc as mc
X = mc.var("X", "n", "n")
assert str(X @ X) == "X*X"
assert X.latex() == "X"
assert "X" in X._repr_latex_()
g = mc.Graph()
g.define("f", mc.tr(X @ X))
assert "<svg" in g._repr_svg_()
assert "<svg" in str(mc.derive(g).picture())
import sympy, numpy
assert str(sympy.sympify(mc.tr(X))) == "Trace(X)"
assert str(numpy.exp(X)) == "exp(X)"
assert mc.derive(sympy.Symbol("t") ** 2).gradient("t") is not None
"""


def test_what_expressions_can_do_is_there_before_its_room_is_imported() -> None:
    imported(HOOKED)
