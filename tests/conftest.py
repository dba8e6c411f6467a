"""The registries are filled before any test, whichever inner module a test file imports first.

Native functions are compiled quickly, into one folder for all workers of a run.
"""

import os
import tempfile
from pathlib import Path

import matcalc.api.derive  # noqa: F401

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
os.environ.setdefault("CFLAGS", "-O1")
os.environ.setdefault("MATCALC_CACHE", str(Path(tempfile.gettempdir()) / f"matcalc-tests-{RUN}"))
