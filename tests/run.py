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
    ("pytest", "-n", "auto", "-q"),  # the last: its closing line ends the output
)


def main(arguments: list[str]) -> int:
    """Run all checks, also after one that failed; 0 where all passed. The last line is pytest's."""
    passed = True
    for module, *options in CHECKS:
        command = [module, *options, *(arguments if module == "pytest" else [])]
        print(f"== {' '.join(command)}", flush=True)
        if subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode:
            passed = False
            if module != "pytest":
                print(f"FAILED: {' '.join(command)}", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
