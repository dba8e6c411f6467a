"""A worker process: reads calls as lines of JSON, answers in lines of JSON, until its input ends.

Nothing that runs here can write to the line of answers by accident: the standard output is put aside first.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO

from matcalc.serve.handling import handled

try:
    import resource
except ImportError:  # Windows has no limits of this kind
    resource = None  # type: ignore[assignment]

READY = "ready"
WARM_UP = {"source": "norm2(X*w - y)^2/2", "wrt": "w"}


def main(memory: int) -> None:
    """Work.

    Args:
        memory: bytes that the process may have; 0 for no limit.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if resource is not None and memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for name in ("show", "code", "check"):
        handled(name, WARM_UP)
    _say(answers, READY)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _say(answers, handled(request["tool"], request["given"]))


def _say(answers: IO[str], what: object) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
