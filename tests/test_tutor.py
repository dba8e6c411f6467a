"""The page of a student: what is right, the first error with a step that helps, how to go on."""

from __future__ import annotations

import pytest

import matcalc as mc
from matcalc.cli import main

NETWORK = mc.derive(
    "x: 1 x D; W1: D x H; W2: H x K; y: 1 x K constant one-hot\n"
    "r = x*W1; h = sigmoid(r); theta = h*W2; yhat = softmax(theta, 2); J = -sum(y .* log(yhat))",
    wrt=["W1", "W2"],
)


def test_the_first_error_is_explained_by_its_step() -> None:
    page = NETWORK.tutor("g_theta = yhat - y\ng_h = g_theta*W2\ng_r = g_h .* h .* (1 - h)\ndJ/dW1 = x'*g_r")
    assert page.startswith("Right so far: g_theta (1).")
    assert "The first error is in line 2:\n  g_h = g_theta*W2\n" in page
    assert "The transpose of W2 is missing" in page
    assert "    dtheta = dh*W2 + h*dW2\n" in page
    assert "Which g_h of the shape of h, 1 x H, gives dJ = tr(g_h'*dh) (dW2 = 0)?" in page
    assert "Right again, given the right value before them: g_r (3) and dJ/dW1 (4)." in page


def test_the_right_line_is_not_given_away() -> None:
    page = NETWORK.tutor("g_theta = yhat - y\ng_h = g_theta*W2\ng_r = g_h .* h")
    assert "g_theta*W2'" not in page
    assert "1 - h" not in page.partition("How to go on")[0]
    assert "line 3 too" in page


def test_what_is_missing_is_said() -> None:
    page = NETWORK.tutor("g_theta = yhat - y\ng_h = g_theta*W2'")
    assert page.startswith("All is right")
    assert "Not claimed yet: dJ/dW1 and dJ/dW2." in page
    assert "The next value on the way back is r: r enters h." in page
    done = NETWORK.tutor("g_theta = yhat - y\ndJ/dW2 = h'*g_theta\ndJ/dW1 = x'*(g_h .* h .* (1 - h))")
    assert "Nothing is missing" in done


@pytest.mark.parametrize("language", ["es", "hi"])
def test_tutors_speak_other_languages(language: str) -> None:
    page = NETWORK.tutor("g_theta = y - yhat", language=language)
    for english in ("right", "error is", "tutor would", "Which", "Mend", "the "):
        assert english not in page


def test_a_wrong_line_without_a_diagnosis_has_numbers() -> None:
    page = mc.derive("s = X*w; f = sum(exp(s))", wrt="w").tutor("g_w = X'*cos(s) + 3*w")
    assert "happens to everybody" in page
    assert "the claim gives" in page


def test_jacobians_have_no_tutor() -> None:
    with pytest.raises(mc.MatcalcError, match="scalar"):
        mc.derive("F = A*X", wrt="X").tutor("dF/dX = A")


HAND = "X: n x p constant\nw: p x 1\ns = X*w\nf = sum(exp(s))\ng_s = exp(s)\ng_w = X*g_s\n"


def test_a_page_on_the_command_line(capsys, tmp_path):
    path = tmp_path / "page.txt"
    path.write_text(HAND)
    assert main(["claim", str(path)]) == 1
    assert "5  proved      g_s = exp(s)" in capsys.readouterr().out
    assert main(["claim", str(path), "--tutor"]) == 1
    page = capsys.readouterr().out
    assert page.startswith("Right so far: g_s (5).")
    assert "Which g_w of the shape of w, p x 1" in page
    (tmp_path / "f.txt").write_text(HAND.partition("g_s")[0])
    assert main(["claim", "g_w = X'*exp(s)", "--of", str(tmp_path / "f.txt"), "--tutor", "--language", "hi"]) == 0
    assert "g_w" in capsys.readouterr().out


def test_a_page_without_claims_is_refused(capsys):
    assert main(["claim", "A' = A", "--tutor"]) == 2
    assert "no line `g_NAME = ...`" in capsys.readouterr().err
