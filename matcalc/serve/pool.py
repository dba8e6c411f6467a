"""A few warm worker processes; one that takes longer than its limit is killed, and another takes its place."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from matcalc.serve.handling import failure

STARTING = 120.0  # seconds until a worker must be ready
LIFETIME = 500  # calls after which a worker is replaced, so that its memory does not grow
ROOT = Path(__file__).resolve().parent.parent.parent
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
BUSY, LATE, DIED = "Busy", "TimeLimit", "Died"


class Pool:
    """Worker processes.

    Args:
        size: how many.
        limit: seconds that a call may take.
        memory: bytes that a process may have (0: no limit; on systems that know such limits).
        waiting: seconds that a call waits for a free worker.
    """

    def __init__(
        self, size: int = 2, limit: float = 20.0, memory: int = 4 * 2**30, waiting: float | None = None
    ) -> None:
        self.limit, self.memory = limit, memory
        self.waiting = limit if waiting is None else waiting
        self.free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self.all: set[_Worker] = set()
        self.closed = False
        self._lock = threading.Lock()
        for _ in range(size):
            self._start()

    def ask(self, tool: str, given: Any) -> dict[str, Any]:
        """The answer of a tool; an error where it takes too long, or where all workers are busy for too long."""
        try:
            worker = self.free.get(timeout=self.waiting)
        except queue.Empty:
            return failure("all workers are busy: try again in a moment", BUSY)
        try:
            return worker.ask(tool, given, self.limit)
        finally:
            if worker.usable and worker.calls < LIFETIME:
                self.free.put(worker)
            else:
                self._replace(worker)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            self.closed = True
            for worker in self.all:
                worker.end()
            self.all.clear()

    def _start(self) -> None:
        with self._lock:
            if not self.closed:
                worker = _Worker(self.memory)
                self.all.add(worker)
                self.free.put(worker)

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self.all.discard(worker)
        self._start()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Worker:
    """One process; it and all that it starts are a group of their own."""

    def __init__(self, memory: int) -> None:
        paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **dict.fromkeys(ONE_THREAD, "1")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "matcalc.serve.worker", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self.ready, self.usable, self.late, self.calls = False, True, False, 0

    def ask(self, tool: str, given: Any, limit: float) -> dict[str, Any]:
        """The answer; the process is killed at the limit."""
        if not self.ready:
            if self._exchange(b"", STARTING) is None:
                self.usable = False
                return failure("a worker process did not start: `python -m matcalc.serve.worker 0` says why", DIED)
            self.ready = True
        self.calls += 1
        request = json.dumps({"tool": tool, "given": given}).encode() + b"\n"
        line = self._exchange(request, limit)
        if line is None:
            self.usable = False
            if self.late:
                return failure(f"this took more than {limit:g} seconds and was stopped", LATE)
            return failure("this ended the process that worked on it: it may need too much memory", DIED)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _exchange(self, request: bytes, limit: float) -> bytes | None:
        """Write a line and read one; None where the process ended or was killed at the limit."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.late = False
        timer = threading.Timer(limit, self._late)
        timer.daemon = True
        timer.start()
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:  # the pipe is closed
            return None
        finally:
            timer.cancel()
        return None if self.late or not line.endswith(b"\n") else line

    def _late(self) -> None:
        self.late = True
        self.kill()

    def kill(self) -> None:
        """Kill the process and all that it started."""
        if self.process.returncode is not None:
            return
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """Kill it, and let go of what leads to it."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()
