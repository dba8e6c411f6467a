"""The registries are filled before any test, whichever inner module a test file imports first."""

import matcalc.api.derive  # noqa: F401
