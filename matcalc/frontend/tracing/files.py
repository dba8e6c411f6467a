"""A Python function in a file of the user's: the file is run to get it."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matcalc.errors import MatcalcError, closest, shorten


def function_in(path: str, name: str) -> Callable[..., Any]:
    """The function of this name; the file sees the modules beside it.

    Raises:
        MatcalcError: the file fails, or has no such function.
    """
    file = Path(path).resolve()
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise MatcalcError(f"{path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {shorten(str(error), 200)}"
        raise MatcalcError(f"{path} fails when it is run{_place(error, str(file))}: {said}") from None
    finally:
        sys.path.remove(str(file.parent))
    found = getattr(module, name, None)
    if not callable(found):
        have = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise MatcalcError(f"{path} has no function {name}{closest(name, have)}")
    function: Callable[..., Any] = found
    return function


def _place(error: BaseException, file: str) -> str:
    """The line of the file at which an error came up."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.filename == file else ""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {lines[-1].lineno}, `{lines[-1].line}`" if lines else ""
