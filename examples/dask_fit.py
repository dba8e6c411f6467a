"""Logistic regression fitted to more rows than a worker's memory holds: SciPy's optimiser here, the data on Dask.

    python examples/dask_fit.py                                   # a small run, compared with a fit by NumPy
    python examples/dask_fit.py --megabytes 500 --memory 250MB    # 500 MB on two workers of 250 MB each

`d.objective(X=X, y=y, c=c, on=client)` is all that is said of Dask. Newton's method asks for values with gradients and
for products with the Hessian; each is one pass over the blocks of rows. The program prints the largest memory that each
worker ever took. It needs `pip install matcalculus[distributed]` and SciPy.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from dask.distributed import Client, LocalCluster
from dask_gradient import MEGABYTE, SOURCE, peak_megabytes, written
from scipy.optimize import minimize

import matcalc as mc


def main() -> int:
    """Write the data, fit, report; 0 where the fit agrees with NumPy's or is not compared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=20, help="size of the data (default 20)")
    parser.add_argument("--columns", type=int, default=99, help="columns of X (default 99)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--memory", default="400MB", help="limit for each worker (default 400MB)")
    parser.add_argument("--chunk", type=int, default=8, help="megabytes in a block of rows (default 8)")
    parser.add_argument("--penalty", type=float, default=0.01, help="c in the source (default 0.01)")
    parser.add_argument("--folder", default=None, help="where the data are written, and removed (default: temporary)")
    parser.add_argument("--compare", type=int, default=200, help="compare with NumPy up to this size (default 200 MB)")
    options = parser.parse_args()
    row = 8 * (options.columns + 1)
    rows = max(options.megabytes * MEGABYTE // row, 1)
    chunk = max(min(options.chunk * MEGABYTE // row, rows), 1)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    cluster = {"n_workers": options.workers, "threads_per_worker": 1, "memory_limit": options.memory}
    d = mc.derive(SOURCE.read_text(encoding="utf-8"), wrt="w")
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        LocalCluster(**cluster, dashboard_address=None) as local,
        Client(local) as client,
    ):
        X, y = written(Path(folder), rows, options.columns, chunk)
        start = time.perf_counter()
        fit, w = fitted(d.objective(X=X, y=y, c=options.penalty, on=client))
        seconds = time.perf_counter() - start
        peaks = client.run(peak_megabytes)
        print(f"{rows} x {options.columns} in {X.numblocks[0]} blocks, {(X.nbytes + y.nbytes) / MEGABYTE:.0f} MB")
        print(f"{fit.nfev} values and gradients, {fit.nhev} products with the Hessian, {seconds:.1f} s")
        print(f"loss {fit.fun:.12f}, largest slope {np.abs(fit.jac).max():.1e}")
        print("peak memory of the workers: " + ", ".join(f"{peak:.0f} MB" for peak in peaks.values()))
        if options.megabytes > options.compare:
            return 0
        _, wanted = fitted(d.objective(X=np.asarray(X), y=np.asarray(y), c=options.penalty))
    error = np.abs(w - wanted).max()
    print(f"largest difference from NumPy's fit: {error:.1e}")
    return int(error > 1e-8)


def fitted(f):
    """The minimum by Newton's method, with products instead of Hessians."""
    start = f.pack(w=np.zeros(f.sizes["p"]))
    fit = minimize(f, start, jac=True, hessp=f.hessp, method="Newton-CG", options={"xtol": 1e-10})
    return fit, f.unpack(fit.x)["w"]


if __name__ == "__main__":
    sys.exit(main())
