"""Everything that must pass before a change is done: format, lint, types, tests with notebooks and documents.

Run it with the Python that has the test extra: `.venv/bin/python tests/run.py`. Further arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("pytest", "--nbmake", "-q"),
)


def main(arguments: list[str]) -> int:
    """Run all checks, also after one that failed; 0 where all passed."""
    failed = []
    for module, *options in CHECKS:
        extra = arguments if module == "pytest" else []
        print(f"== {' '.join([module, *options, *extra])}", flush=True)
        if subprocess.run([sys.executable, "-m", module, *options, *extra], cwd=ROOT, check=False).returncode:
            failed.append(" ".join([module, *options]))
    for command in failed:
        print(f"FAILED: {command}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
