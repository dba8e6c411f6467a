"""What is imported before the first answer: nothing that the question does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest


def imported(program: str) -> set[str]:
    """The packages that are loaded after a program ran in a fresh interpreter."""
    text = f"import sys\n{program}\nprint(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import matcalc", {"numpy", "sympy", "scipy", "lark", "jinja2"}),
        ("import matcalc.cli", {"numpy", "sympy", "scipy", "lark", "jinja2"}),
        ('import matcalc; matcalc.derive("x\'*A*x").text()', {"scipy", "jax", "torch", "numba", "IPython"}),
        ('import matcalc; matcalc.derive("x\'*A*x").code()', {"scipy", "jax", "torch", "numba", "IPython"}),
    ],
)
def test_packages_that_a_question_does_not_need_are_not_imported(program, absent):
    assert not imported(program) & absent
