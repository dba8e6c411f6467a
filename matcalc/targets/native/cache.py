"""Compiled libraries in a folder of the user's own: by what they are made of, and never believed without a check.

For a key (the text, the flags, the compiler, the processor) the file `KEY` names the library by the hash of its bytes,
`HASH.so`. Both are written under other names and then renamed, so that processes do not meet half a file. A library is
used only if its bytes have that hash and contain the key; whatever does not fit is built again.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from matcalc.errors import MatcalcError
from matcalc.targets.native import compiler

_MOST = 2000  # libraries; beyond, the older half is deleted
_PRIVATE = 0o700


def built(source: str, include: Sequence[str] = (), *, threads: bool = False) -> Path:
    """The shared library of a C text, compiled unless it was; with threads by OpenMP where the compiler has it.

    Raises:
        MissingDependencyError: there is no compiler.
        MatcalcError: it does not take the text.
    """
    cc = compiler.compiler()
    flags = (*compiler.TUNED, *([compiler.THREADS] if threads else []), *(f"-I{folder}" for folder in include))
    parts = (source, *flags, *compiler.own_flags(), *cc.command, cc.version, compiler.processor())
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    place = folder()
    return _known(place, key) or _made(place, key, source, flags)


def folder() -> Path:
    """The folder: $MATCALC_CACHE, or that of the user's caches; where none can be written, one for this process.

    Raises:
        MatcalcError: it belongs to somebody else.
    """
    given = os.environ.get("MATCALC_CACHE")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = Path(given) if given else caches / "matcalc" / "native"
    try:
        place.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = place.stat()
        if hasattr(os, "getuid") and found.st_uid != os.getuid():
            raise MatcalcError(f"the folder {place} for compiled code belongs to another user: set MATCALC_CACHE")
        if stat.S_IMODE(found.st_mode) & ~_PRIVATE:
            place.chmod(_PRIVATE)
        if os.access(place, os.W_OK | os.X_OK):
            return place
    except OSError as error:
        if given:
            raise MatcalcError(f"MATCALC_CACHE: {place} cannot be used: {error}") from None
    return _temporary()


@lru_cache(maxsize=1)
def _temporary() -> Path:
    place = Path(tempfile.mkdtemp(prefix="matcalc-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def _known(place: Path, key: str) -> Path | None:
    """The library of a key, if it is what was built."""
    try:
        digest = (place / key).read_text(encoding="ascii")
        if len(digest) != len(key) or not digest.isalnum():
            return None
        library = place / f"{digest}.so"
        contents = library.read_bytes()
    except (OSError, ValueError):
        return None
    fits = hashlib.sha256(contents).hexdigest() == digest and key.encode() in contents
    return library if fits else None


def _made(place: Path, key: str, source: str, flags: tuple[str, ...]) -> Path:
    """Compile: tuned for this processor and with threads, or more plainly where the compiler does not know how."""
    alone = tuple(f for f in flags if f != compiler.THREADS)
    plain = (*compiler.PLAIN, *(f for f in alone if f not in compiler.TUNED))
    with tempfile.TemporaryDirectory(dir=place, prefix="building-") as made:
        text, library = Path(made) / "function.c", Path(made) / "function.so"
        text.write_text(f'{source}\n\nconst char matcalc_key[] = "{key}";\n', encoding="utf-8")
        for some in dict.fromkeys((flags, alone, plain)):
            said = compiler.compiled(text, library, some)
            if not said:
                break
        else:
            raise MatcalcError(f"the C compiler does not take the text: {said}")
        digest = hashlib.sha256(library.read_bytes()).hexdigest()
        note = Path(made) / "key"
        note.write_text(digest, encoding="ascii")
        found = place / f"{digest}.so"
        library.replace(found)
        note.replace(place / key)
    _prune(place)
    return found


def _prune(place: Path) -> None:
    """Delete the older half of the files where there are too many; who has a library open keeps it."""
    files = [entry for entry in os.scandir(place) if entry.is_file(follow_symlinks=False)]
    if len(files) <= 2 * _MOST:
        return
    for _, path in sorted((entry.stat(follow_symlinks=False).st_mtime, entry.path) for entry in files)[:_MOST]:
        Path(path).unlink(missing_ok=True)
