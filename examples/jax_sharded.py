"""The gradient of a network with its rows sharded over devices, in JAX; here over 8 that are simulated on the CPU.

    python examples/jax_sharded.py                    # a small run, compared with NumPy
    python examples/jax_sharded.py --megabytes 2000   # 2 GB of data, 250 MB on each of 8 devices

The function is generated from examples/one_hidden_layer_rows.txt. It knows nothing of devices: the rows of X and Y are
spread over them, the weights are on all, and the compiler finds in the products X' g_R and H' g_Theta the sums over all
devices. The program says how the results lie on the devices, how many sums go over all of them, and how much memory
each device needs. It needs `pip install jax`; `--devices 0` takes the machine's own devices.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

import matcalc as mc

SOURCE = Path(__file__).with_name("one_hidden_layer_rows.txt")
INPUTS, HIDDEN, CLASSES = 100, 16, 5
WEIGHTS = {"W1": (INPUTS, HIDDEN), "b1": (1, HIDDEN), "W2": (HIDDEN, CLASSES), "b2": (1, CLASSES)}
MEGABYTE = 10**6


def main() -> int:
    """Differentiate on all devices, report; 0 where the results agree with NumPy or are not compared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=20, help="size of the data (default 20)")
    parser.add_argument("--devices", type=int, default=8, help="simulate so many on the CPU (default 8; 0: none)")
    parser.add_argument("--compare", type=int, default=200, help="compare with NumPy up to this size (default 200 MB)")
    options = parser.parse_args()
    if options.devices:  # before JAX looks for devices
        os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={options.devices}"
        jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    devices = jax.devices()
    per_device = max(options.megabytes * MEGABYTE // (8 * (INPUTS + CLASSES) * len(devices)), 1)
    given = placed(per_device * len(devices), devices)

    d = mc.derive(SOURCE.read_text(encoding="utf-8"), wrt=list(WEIGHTS))
    compiled = jax.jit(d.function("value_and_grad", target="jax")).lower(**given).compile()
    value, gradients = compiled(**given)

    sums = compiled.as_text().count(" all-reduce(")
    print(f"{len(devices)} devices, each with {per_device} of {per_device * len(devices)} rows")
    print(f"value {float(value):.12g}; sums over all devices in the compiled program: {sums}")
    for name, gradient in gradients.items():
        where = "on every device" if gradient.sharding.is_fully_replicated else f"sharded {gradient.sharding.spec}"
        print(f"d{name} {gradient.shape} {where}")
    memory = compiled.memory_analysis()
    held = memory.argument_size_in_bytes + memory.temp_size_in_bytes + memory.output_size_in_bytes
    print(f"memory of each device: {held / MEGABYTE:.0f} MB")
    if options.megabytes > options.compare:
        return 0
    wanted, slopes = d.function("value_and_grad")(**{name: np.asarray(a) for name, a in given.items()})
    errors = [float(np.abs(np.asarray(g) - slopes[n]).max() / np.abs(slopes[n]).max()) for n, g in gradients.items()]
    worst = max(abs(float(value) - wanted) / abs(wanted), *errors)
    print(f"largest relative difference from NumPy: {worst:.1e}")
    return 0 if worst < 1e-10 else 1


def placed(rows: int, devices: list[jax.Device]) -> dict[str, jax.Array]:
    """Random data with their rows over the devices, each made where it lies, and weights on every device."""
    mesh = jax.sharding.Mesh(devices, ("rows",))  # its axis is automatic: the compiler places what follows
    by_rows, everywhere = NamedSharding(mesh, PartitionSpec("rows")), NamedSharding(mesh, PartitionSpec())

    def on_devices(columns: int, block: Callable[[np.random.Generator, int], np.ndarray]) -> jax.Array:
        def part(index: tuple[slice, ...]) -> np.ndarray:
            start, stop, _ = index[0].indices(rows)
            return block(np.random.default_rng([start, columns]), stop - start)

        return jax.make_array_from_callback((rows, columns), by_rows, part)

    random = np.random.default_rng(0)
    weights = {name: jax.device_put(random.normal(size=s) / 4, everywhere) for name, s in WEIGHTS.items()}
    X = on_devices(INPUTS, lambda generator, m: generator.normal(size=(m, INPUTS)))
    Y = on_devices(CLASSES, lambda generator, m: np.eye(CLASSES)[generator.integers(CLASSES, size=m)])
    return {"X": X, "Y": Y, **weights}


if __name__ == "__main__":
    sys.exit(main())
