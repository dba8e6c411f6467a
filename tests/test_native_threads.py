"""Native functions by several threads: as many as are asked for, the same numbers, and none in a forked process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_native import same, tools  # noqa: F401

import matcalc as mc
from matcalc.targets.native import cache, compiler

HERE = Path(__file__).resolve().parent

MANY = """
import multiprocessing, os, sys, threading
from pathlib import Path
import numpy as np
import matcalc as mc
from support import SIZES, derived, values_of
from test_native import same
from test_targets import SOURCES, arrays_of

def team():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Threads")))

functions = {}
before = team()
for name, (source, wrt) in SOURCES.items():
    d = mc.derive(source, wrt=wrt)
    f, arrays = d.function(target="native"), arrays_of(d)
    functions[name] = f, arrays
    for given in (arrays, {k: np.float32(a) if np.size(a) > 1 else a for k, a in arrays.items()}):
        assert same(f(**given), d.function()(**given), rtol=1e-3 if given is not arrays else 1e-9, atol=1e-4)
for name in sys.argv[1:]:
    d, arrays = derived(name, "gradient"), values_of(name, "gradient")
    found, wanted = (d.function("gradient", t)(**arrays, dims=dict(SIZES)) for t in ("native", "numpy"))
    assert same(found, wanted), name
print("threads", team() - before)

def again():
    for f, arrays in functions.values():
        assert same(f(**arrays), f(**arrays), rtol=1e-12)

sharing = [threading.Thread(target=again) for _ in range(3)]
[t.start() for t in sharing]
[t.join() for t in sharing]

def child(queue):
    before = team()
    for f, arrays in functions.values():
        f(**arrays)
    f, x = mc.derive("sum(exp(x))", shapes={"x": ("n", 1)}).function("value", "native"), np.zeros(1000)
    queue.put((f(x=x), team() - before))

context = multiprocessing.get_context("fork")
queue = context.Queue()
process = context.Process(target=child, args=(queue,))
process.start()
print("child", *queue.get(timeout=60))
process.join()
again()
"""


def run(code, *words, **environment):
    """What a process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, HERE)))} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split("\n")


@pytest.fixture(scope="module")
def openmp(tmp_path_factory):
    """Skip where the compiler has no OpenMP, or processes are no files."""
    text = tmp_path_factory.mktemp("openmp") / "a.c"
    text.write_text("#include <omp.h>\nint f(void) { return omp_get_max_threads(); }\n")
    if said := compiler.compiled(text, text.with_suffix(".so"), (compiler.THREADS,)):
        pytest.skip(f"needs a compiler with OpenMP: {said[:80]}")
    if not Path("/proc/self/status").exists() or not hasattr(os, "fork"):
        pytest.skip("needs Linux")


SOME = ["softmax", "logsumexp", "standardize", "max", "sum", "kron", "cumsum"]
FLAGS = "-O1 -DFEWEST_ROWS=2 -DCACHE=1 -DFEW=2"


@pytest.mark.parametrize("number", [3, 1])
def test_as_many_threads_as_are_asked_for(number, openmp):
    """The same numbers as NumPy's; beside other threads of Python; and alone in a process that was forked."""
    count = {"OMP_NUM_THREADS": str(number), "OPENBLAS_NUM_THREADS": "1"}
    printed = run(MANY, *SOME, CFLAGS=FLAGS, **count)
    assert printed[:2] == [f"threads {number - 1}", "child 1000.0 0"]


WAITING = """
import os
import numpy as np
import matcalc as mc
f = mc.derive("sum(exp(x))", shapes={"x": ("n", 1)}).function("value", "native")
print(f(x=np.zeros(200_000)), os.environ.get("OMP_WAIT_POLICY"))
"""


def test_large_sums_and_the_settings_of_openmp(openmp):
    """With the numbers of entries of users: a large sum is spread; the environment is as it was."""
    assert run(WAITING, CFLAGS="", OMP_NUM_THREADS="2")[0] == "200000.0 None"
    assert run(WAITING, CFLAGS="", OMP_NUM_THREADS="2", OMP_WAIT_POLICY="active")[0] == "200000.0 active"


BESIDE = """
import ctypes, re
from pathlib import Path
import numpy as np
import matcalc as mc
ctypes.CDLL("libgomp.so.1")
team = lambda: int(re.search(r"Threads:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
f = mc.derive("sum(exp(x))", shapes={"x": ("n", 1)}).function("value", "native")
before = team()
print(f(x=np.zeros(200_000)), team() - before)
"""


@pytest.mark.parametrize(("settings", "more"), [({}, 0), ({"OMP_WAIT_POLICY": "passive"}, 1)])
def test_openmp_that_another_library_has_brought(settings, more, openmp):
    """Its threads would keep the processors between loops: one thread, unless the user says that they sleep."""
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        pytest.skip("the environment says how threads wait")
    assert run(BESIDE, CFLAGS="", OMP_NUM_THREADS="2", **settings)[0] == f"200000.0 {more}"


def test_a_compiler_without_openmp(tmp_path, monkeypatch):
    cc = compiler.compiler().command[0]
    script = tmp_path / "cc"
    script.write_text(
        f'#!/bin/sh\ncase " $* " in *" -fopenmp "*) echo "no OpenMP" >&2; exit 1;; esac\nexec {cc} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    monkeypatch.setenv("MATCALC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CFLAGS", FLAGS)
    d = mc.derive("sum(softmax(X, 2).^2) + sum(exp(X))", shapes={"X": ("n", "k")})
    X = np.linspace(-1, 1, 12).reshape(4, 3)
    assert same(d.function(target="native")(X=X), d.function()(X=X))
    assert b"GOMP" not in b"".join(path.read_bytes() for path in cache.folder().glob("*.so"))
