"""Every reference case passes the numeric check: a right result is never called wrong, whatever the random numbers.

The suite takes one seed of each case. `python tests/test_certificates.py 20` takes 20, and gradient and Hessian of all.
"""

from __future__ import annotations

import sys
import zlib

import pytest
from case_support import VALID, Case, derive

import matcalc as mc


def kinds(d: mc.Derivation) -> tuple[str, ...]:
    """The derivatives that a function has."""
    return ("gradient", "hessian") if d.output.is_scalar else ("jacobian",)


@pytest.mark.parametrize("case", VALID, ids=[case["id"] for case in VALID])
def test_a_right_derivative_is_called_right(case):
    report = derive(case).check(trials=1, seed=zlib.crc32(case["id"].encode()) % 1000, kind=case["kind"])
    assert report, report


def failures(case: Case, seeds: int) -> list[str]:
    """What the check calls wrong."""
    d = derive(case)
    found = []
    for kind in kinds(d):
        for seed in range(seeds):
            report = d.check(trials=1, seed=seed, kind=kind)
            if not report:
                found.append(f"{case['id']}, {kind}, seed {seed}: {report}")
    return found


if __name__ == "__main__":
    count = int(sys.argv[1])
    bad = []
    for k, case in enumerate(VALID, 1):
        print(f"\r{k} of {len(VALID)} cases", end="", flush=True)
        bad += failures(case, count)
    print(*["", *bad, f"{len(bad)} right derivatives were called wrong"], sep="\n")
    sys.exit(bool(bad))
