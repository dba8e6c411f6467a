"""The registries are filled before any test, whichever inner module a test file imports first.

Native functions are compiled quickly, into one folder for all workers of a run; they go over few rows at a time.
"""

import os
import tempfile
from pathlib import Path

import matcalc.api.derive  # noqa: F401

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
os.environ.setdefault("CFLAGS", "-O1 -DFEWEST_ROWS=2 -DCACHE=1")
os.environ.setdefault("MATCALC_CACHE", str(Path(tempfile.gettempdir()) / f"matcalc-tests-{RUN}"))
