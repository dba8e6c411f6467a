"""The distributed examples as they are run by hand, small: rows in blocks on Dask workers, rows sharded in JAX."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def ran(name, *options):
    """What an example prints; it compares with NumPy itself and fails where the two differ."""
    command = [sys.executable, str(EXAMPLES / name), *options]
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "difference from NumPy" in done.stdout
    return done.stdout


def test_logistic_regression_on_dask_workers():
    pytest.importorskip("distributed")
    pytest.importorskip("dask.array")
    text = ran("dask_gradient.py", "--megabytes", "20", "--chunk", "3")
    assert "in 7 blocks" in text
    peaks = re.search(r"peak memory of the workers: (.*)", text)[1].split(", ")
    assert len(peaks) == 2
    assert all(float(peak.removesuffix(" MB")) < 500 for peak in peaks)


def test_a_network_with_rows_sharded_over_eight_devices():
    pytest.importorskip("jax")
    text = ran("jax_sharded.py", "--megabytes", "2")
    assert "8 devices" in text
    assert int(re.search(r"sums over all devices in the compiled program: (\d+)", text)[1]) > 0
    assert text.count("on every device") == 4


def test_a_fit_over_dask_workers_is_one_call():
    pytest.importorskip("distributed")
    pytest.importorskip("dask.array")
    pytest.importorskip("scipy")
    text = ran("dask_fit.py", "--megabytes", "10", "--chunk", "2", "--columns", "24")
    assert "in 5 blocks" in text
    assert len(re.search(r"peak memory of the workers: (.*)", text)[1].split(", ")) == 2
