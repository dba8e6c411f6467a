"""A line on the terminal while something takes more than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AFTER = 2.0  # seconds
_TELLING = threading.Lock()


@contextmanager
def patience(doing: str, after: float = AFTER) -> Iterator[None]:
    """Say on stderr what is done, and for how long, from `after` seconds on; only where stderr is a terminal."""
    stream = sys.stderr
    if not stream.isatty() or not _TELLING.acquire(blocking=False):  # what is around tells already
        yield
        return
    done = threading.Event()
    shown = threading.Event()

    def tell() -> None:
        started = time.monotonic()
        wait = after
        while not done.wait(wait):
            shown.set()
            print(f"\rmatcalc: {doing} ({time.monotonic() - started:.0f} s)", end="", file=stream, flush=True)
            wait = 1.0

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
        _TELLING.release()
        if shown.is_set():
            print("\r\033[K", end="", file=stream, flush=True)
