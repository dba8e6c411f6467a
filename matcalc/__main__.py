"""`python -m matcalc` is the command `matcalc`."""

from __future__ import annotations

import sys

from matcalc.cli import main

sys.exit(main())
