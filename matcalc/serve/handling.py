"""A call that never raises: what goes wrong is an answer too, in the words of the error."""

from __future__ import annotations

import os
from typing import Any

from matcalc.errors import MatcalcError, shorten
from matcalc.serve.tools import call

ERROR, DEFECT = "error", "defect"


def handled(name: str, given: Any) -> dict[str, Any]:
    """The answer of a tool; `status` is `error` where the input is wrong, and `defect` where matcalc is.

    Example:
        >>> found = handled("derive", {"source": "x'*x'"})
        >>> found["status"], found["data"]["line"], found["data"]["column"]
        ('error', 1, 3)
    """
    try:
        return call(name, given)
    except MatcalcError as error:
        place = {name: getattr(error, name, 0) for name in ("line", "column")}
        return {"status": ERROR, "text": str(error), "data": {"type": type(error).__name__, **place}}
    except MemoryError:
        return failure("this needs more memory than a request may have")
    except Exception as error:
        if os.environ.get("MATCALC_TRACEBACK"):
            raise
        said = f"defect in matcalc: {type(error).__name__}: {shorten(str(error), 300)}"
        return {"status": DEFECT, "text": f"{said}; please report it", "data": {"type": type(error).__name__}}


def failure(message: str, kind: str = "MatcalcError") -> dict[str, Any]:
    """An answer that says what is wrong."""
    return {"status": ERROR, "text": message, "data": {"type": kind, "line": 0, "column": 0}}
