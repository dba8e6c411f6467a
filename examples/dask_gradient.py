"""Logistic regression on more rows than a worker's memory holds: the value and the gradient on `dask.distributed`.

    python examples/dask_gradient.py                                  # a small run, compared with NumPy
    python examples/dask_gradient.py --megabytes 2000 --memory 500MB  # 2 GB on workers of 500 MB each

The function is generated from examples/logistic_regression.txt. That the gradient is a sum over blocks of rows is not
said anywhere here: it is the product X' g_s of the formula, which Dask computes block by block. The program prints the
largest memory that each worker ever took. It needs `pip install matcalculus[distributed]`.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

import matcalc as mc

SOURCE = Path(__file__).with_name("logistic_regression.txt")
MEGABYTE = 10**6


def main() -> int:
    """Write the data, differentiate, report; 0 where the results agree with NumPy or are not compared."""
    options = parsed_options()
    row = 8 * (options.columns + 1)
    rows = max(options.megabytes * MEGABYTE // row, 1)
    chunk = max(min(options.chunk * MEGABYTE // row, rows), 1)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    cluster = {"n_workers": options.workers, "threads_per_worker": 1, "memory_limit": options.memory}
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        LocalCluster(**cluster, dashboard_address=None) as local,
        Client(local) as client,
    ):
        X, y = written(Path(folder), rows, options.columns, chunk)
        given = {"X": X, "y": y, "w": np.full((options.columns, 1), 0.1), "c": 0.5}
        f = mc.derive(SOURCE.read_text(encoding="utf-8"), wrt="w").function("value_and_grad", target="dask")
        start = time.perf_counter()
        value, gradient = dask.compute(*f(**given))
        seconds = time.perf_counter() - start
        peaks = client.run(peak_megabytes)
        print(f"{rows} x {options.columns} in {X.numblocks[0]} blocks, {(X.nbytes + y.nbytes) / MEGABYTE:.0f} MB")
        print(f"value {float(value):.12g}, gradient of norm {np.linalg.norm(gradient['w']):.12g}, {seconds:.1f} s")
        print("peak memory of the workers: " + ", ".join(f"{peak:.0f} MB" for peak in peaks.values()))
        return 0 if options.megabytes > options.compare else compared(given, value, gradient["w"])


def parsed_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=40, help="size of the data (default 40)")
    parser.add_argument("--columns", type=int, default=249, help="columns of X (default 249)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--memory", default="500MB", help="limit for each worker (default 500MB)")
    parser.add_argument("--chunk", type=int, default=16, help="megabytes in a block of rows (default 16)")
    parser.add_argument("--folder", default=None, help="where the data are written, and removed (default: temporary)")
    parser.add_argument("--compare", type=int, default=200, help="compare with NumPy up to this size (default 200 MB)")
    return parser.parse_args()


def written(folder: Path, rows: int, columns: int, chunk: int) -> tuple[da.Array, da.Array]:
    """Random data of this size on disk, one file for each block of rows, and as arrays that read them when asked."""
    random = da.random.default_rng(0)
    X = random.normal(size=(rows, columns), chunks=(chunk, columns))
    y = (random.random(size=(rows, 1), chunks=(chunk, 1)) < 0.5).astype(float)
    for name, array in (("X", X), ("y", y)):
        da.to_npy_stack(folder / name, array)
    return da.from_npy_stack(folder / "X", mmap_mode=None), da.from_npy_stack(folder / "y", mmap_mode=None)


def peak_megabytes() -> float:
    """The largest resident memory that this process ever had."""
    status = Path("/proc/self/status")  # getrusage counts the process that it was forked from
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MEGABYTE if sys.platform == "darwin" else 1000)


def compared(given: dict, value: float, gradient: np.ndarray) -> int:
    """Compare with the NumPy function on all the data at once."""
    arrays = {name: np.asarray(a) if isinstance(a, da.Array) else a for name, a in given.items()}
    wanted, slopes = mc.derive(SOURCE.read_text(encoding="utf-8"), wrt="w").function("value_and_grad")(**arrays)
    error = np.abs(gradient - slopes["w"]).max() / np.abs(slopes["w"]).max()
    print(f"largest relative difference from NumPy: {error:.1e}")
    return 0 if error < 1e-10 and abs(float(value) - wanted) < 1e-10 * abs(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
