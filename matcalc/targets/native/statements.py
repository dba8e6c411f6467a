"""The statements of a native function: those of the C target, for a compiler that is told what is independent."""

from __future__ import annotations

from matcalc.targets.c.statements import Statements


class NativeStatements(Statements):
    """The program so far."""

    def _checked(self, function: str, call: str) -> list[str]:
        """The call of a function that can fail, with the number of what is said then."""
        self.used.add(function)
        if function not in FAILURES:
            return [f"{call};"]
        number = f"    status = status > 0 ? {FAILURES[function]} : status;"
        return [f"status = {call};", "if (status != 0) {", number, "    goto done;", "}"]


NOT_POSITIVE, SINGULAR = 1, 2
FAILURES = {"cholesky": NOT_POSITIVE, "solve": SINGULAR, "inverse": SINGULAR, "log_determinant": SINGULAR}
