"""The machine's C compiler: which it is, what it is told, and what its output depends on."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from matcalc.errors import MatcalcError, MissingDependencyError

# No flag that lets the compiler forget infinities, nan or the order of sums: only errno and traps, which nobody reads.
TUNED = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd")
PLAIN = ("-O2", "-fno-math-errno")
THREADS = "-fopenmp"
_SHARED = ("-std=gnu11", "-shared", "-fPIC", "-w")
_LONGEST = 2000


@dataclass(frozen=True)
class Compiler:
    """A compiler.

    Attributes:
        command: the program and its first arguments.
        version: what it says of itself.
    """

    command: tuple[str, ...]
    version: str


def compiler() -> Compiler:
    """The compiler: $CC, what Python was built with, or cc, gcc, clang on the path.

    Raises:
        MissingDependencyError: there is none.
    """
    return _compiler(os.environ.get("CC", ""), os.environ.get("PATH", ""))


def own_flags() -> tuple[str, ...]:
    """The user's flags, $CFLAGS: they come last."""
    return tuple(shlex.split(os.environ.get("CFLAGS", "")))


@lru_cache(maxsize=8)
def _compiler(given: str, _path: str) -> Compiler:
    wanted = [given] if given else [sysconfig.get_config_var("CC") or "", "cc", "gcc", "clang"]
    for words in filter(None, map(shlex.split, wanted)):
        found = shutil.which(words[0])
        if found is not None:
            command = (found, *words[1:])
            return Compiler(command, _version(command))
    looked = f"$CC is {given}, which is no program" if given else "there is no cc, gcc or clang on the path"
    raise MissingDependencyError(
        f"target='native' needs a C compiler, and {looked}: install one (Debian, Ubuntu: apt-get install gcc; "
        "Fedora: dnf install gcc; macOS: xcode-select --install)"
    )


def _version(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run([*command, "--version"], check=False, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise MatcalcError(f"the C compiler {command[0]} cannot be run: {error}") from None
    return done.stdout


@lru_cache(maxsize=1)
def processor() -> str:
    """What `-march=native` depends on: the processor's name and what it can do."""
    parts = [platform.system(), platform.machine(), platform.processor()]
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        lines = cpu.read_text(errors="replace").splitlines()
        parts += sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def compiled(source: Path, library: Path, flags: tuple[str, ...]) -> str:
    """Compile a file to a shared library; what the compiler says where it fails, else an empty text."""
    command = [*compiler().command, *flags, *_SHARED, *own_flags(), str(source), "-o", str(library), "-lm"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr or "it failed without a word")[:_LONGEST]
