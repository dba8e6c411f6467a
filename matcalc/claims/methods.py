"""The methods of a derivation that judge claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from matcalc.claims.claim import judged, judged_values
from matcalc.claims.lines import LineVerdicts, judged_lines
from matcalc.claims.verdict import Verdict

if TYPE_CHECKING:
    from matcalc.calculus.derivation import Derivation


class Claims:
    """What `Derivation` can say about a hand derivation."""

    def claim(self, name: Any, claim: Any, kind: str = "gradient", by: Any = None) -> Verdict:
        """Whether a claim about a result is right: proved, disproved (with the reason) or undecided.

        Args:
            name: the variable or named value that the result is for.
            claim: text in the scope of the derivation, or an expression; its own definitions may shadow names.
            kind: `gradient`, `adjoint` (the same, of a named value), `jacobian` or `hessian`.
            by: for a mixed Hessian, the second variable: the claim is about `hessian(name, by)`.

        Returns:
            A `Verdict`: `.status`, `.steps`, `.counterexample`, `.diagnosis`.

        Raises:
            MatcalcError: the text is not in the syntax, or names what does not exist.

        Example:
            >>> import matcalc as mc
            >>> d = mc.derive("norm2(X*w - y)^2", wrt="w", shapes={"X": ("n", "p"), "w": ("p", 1), "y": ("n", 1)})
            >>> d.claim("w", "2*X'*X*w - 2*X'*y").status
            'proved'
            >>> print(d.claim("w", "X'*(X*w - y)").diagnosis)
            missing factor 2
        """
        return judged(cast("Derivation", self), name, claim, kind, by)

    def claim_values(
        self, name: Any, array: Any, at: Mapping[str, Any], *, dims: Mapping[str, int] | None = None
    ) -> Verdict:
        """Whether an array holds the gradient with respect to `name` at some data, and if not, which mistake gives it.

        Args:
            name: a variable or named value.
            array: the claimed values.
            at: the data: an array for each variable.
            dims: sizes that no array determines.
        """
        return judged_values(cast("Derivation", self), name, array, at, dims=dims)

    def claim_lines(self, text: str) -> LineVerdicts:
        """A hand derivation judged line by line: each line `d_name = ...` claims the gradient with respect to `name`.

        Lines after a wrong one are judged as if it were right, so that one error is one error.
        """
        return judged_lines(cast("Derivation", self), text)
