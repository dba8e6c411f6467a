"""The list of workloads of the runtime benchmark."""

from __future__ import annotations

import networks as net
import regressions as reg
from workload import Problem, Workload

# Problem, sizes, label; the group follows from the kind, those of the first list are small.
SMALL: list[tuple[Problem, tuple[int, ...], str]] = [
    (reg.LOGISTIC_GRADIENT, (64, 32), "64x32"),
    (reg.LOGISTIC_HESSIAN, (64, 32), "64x32"),
    (reg.SOFTMAX_HESSIAN, (64, 8, 4), "64x8, 4 classes"),
    (reg.FACTORISATION_GRADIENT, (32, 32, 4), "32x32, k = 4"),
    (reg.FACTORISATION_FACTORED, (300, 300, 5), "300x300, k = 5"),
    (reg.GAUSSIAN_GRADIENT, (64, 32), "64x32"),
    (net.HIDDEN_LAYER_GRADIENT, (32, 32, 32, 10), "32x32"),
    (net.TEN_LAYERS_GRADIENT, (32, 32), "32x32"),
    (net.BATCH_NORM_GRADIENT, (32, 32, 32, 4), "32x32"),
    (net.ATTENTION_GRADIENT, (32, 32), "32x32"),
]
MEDIUM: list[tuple[Problem, tuple[int, ...], str]] = [
    (reg.LOGISTIC_GRADIENT, (5000, 200), "5000x200"),
    (reg.LOGISTIC_HESSIAN, (5000, 200), "5000x200"),
    (reg.SOFTMAX_HESSIAN, (5000, 50, 10), "5000x50, 10 classes"),
    (reg.FACTORISATION_GRADIENT, (100, 80, 5), "100x80, k = 5"),
    (reg.FACTORISATION_GRADIENT, (500, 400, 10), "500x400, k = 10"),
    (reg.FACTORISATION_HESSIAN, (100, 100, 5), "100x100, k = 5"),
    (reg.GAUSSIAN_GRADIENT, (1000, 100), "1000x100"),
    (net.HIDDEN_LAYER_GRADIENT, (32, 784, 256, 10), "batch 32, 784-256-10"),
    (net.HIDDEN_LAYER_GRADIENT, (256, 784, 256, 10), "batch 256, 784-256-10"),
    (net.TEN_LAYERS_GRADIENT, (256, 256), "256x256"),
    (net.TEN_LAYERS_HESSIAN, (32, 32), "32x32"),
    (net.BATCH_NORM_GRADIENT, (2048, 256, 256, 10), "2048x256"),
    (net.ATTENTION_GRADIENT, (512, 64), "512x64"),
]
LARGE: list[tuple[Problem, tuple[int, ...], str]] = [
    (reg.LOGISTIC_GRADIENT, (4000, 2000), "4000x2000"),
    (reg.LOGISTIC_HESSIAN, (2000, 1000), "2000x1000"),
    (reg.FACTORISATION_GRADIENT, (2000, 1500, 50), "2000x1500, k = 50"),
    (reg.FACTORISATION_HESSIAN, (300, 300, 5), "300x300, k = 5"),
    (reg.GAUSSIAN_GRADIENT, (2000, 500), "2000x500"),
    (net.HIDDEN_LAYER_GRADIENT, (1024, 784, 256, 10), "batch 1024, 784-256-10"),
    (net.HIDDEN_LAYER_GRADIENT, (4096, 784, 256, 10), "batch 4096, 784-256-10"),
    (net.ATTENTION_GRADIENT, (2048, 64), "2048x64"),
]


def workloads(quick: bool = False) -> list[Workload]:
    """All workloads; `quick` leaves out the large sizes."""
    found = [Workload(problem, "small", sizes, label) for problem, sizes, label in SMALL]
    for problem, sizes, label in MEDIUM if quick else [*MEDIUM, *LARGE]:
        found.append(Workload(problem, problem.kind, sizes, label))
    return found
