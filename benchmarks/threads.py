"""The number of threads of every library: one, or what `--threads` says (a number or `all`); imported before NumPy.

One thread is one processor: XLA starts threads whatever it is told.
"""

import os
import sys


def _asked() -> str:
    for k, word in enumerate(sys.argv):
        if word.startswith("--threads"):
            return word.partition("=")[2] or "".join(sys.argv[k + 1 : k + 2])
    return "1"


def _processors() -> list[int]:
    """Those of the first process: one that it starts does not inherit its single one."""
    own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return [int(k) for k in os.environ.setdefault("BENCHMARK_PROCESSORS", ",".join(map(str, sorted(own)))).split(",")]


COUNT = len(_processors()) if _asked() == "all" else int(_asked()) if _asked().isdigit() else 1
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(COUNT)
if hasattr(os, "sched_setaffinity"):  # not on every system
    os.sched_setaffinity(0, _processors()[:COUNT])
if COUNT == 1:
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
