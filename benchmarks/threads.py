"""One thread for every library, unless the environment says otherwise; imported before NumPy."""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
COUNT = int(os.environ["OMP_NUM_THREADS"])
if COUNT == 1:
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
