"""The documentation site builds without a warning, and its catalogue holds every operation and rule."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from note_support import ROOT

from matcalc.rewrite.rule import GROUPS, RULES


def test_the_site_builds(tmp_path: Path) -> None:
    for package in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    page = (tmp_path / "catalogue" / "rules" / "index.html").read_text(encoding="utf-8")
    missing = [rule.name for rule in RULES.values() if rule.group in GROUPS and f">{rule.name}<" not in page]
    assert missing == []
    assert "fonts.googleapis" not in page
