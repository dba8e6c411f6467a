"""The memory of large results of native functions: kept when an array dies, never while one lives."""

import gc
import pickle
import threading

import numpy as np
import pytest
from test_native import tools  # noqa: F401

import matcalc as mc
from matcalc.targets.native import loading

LARGE = 300  # squared, in eights of a byte: more than what is left to NumPy


@pytest.fixture(scope="module")
def doubled(tools):  # noqa: F811
    return mc.derive("sum(X.*X)", wrt="X", shapes={"X": ("n", "m")}).function("gradient", "native")


def test_results_that_live_keep_their_memory(doubled):
    arrays = [np.full((LARGE, LARGE + k % 3), float(k)) for k in range(40)]
    kept = []
    for k, X in enumerate(arrays):
        kept.append(doubled(X=X)["X"])
        if k % 4 == 1:
            kept[k - 1] = None
    for k, found in enumerate(kept):
        assert found is None or (found == 2 * k).all()
    alive = [found for found in kept if found is not None]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(alive) for b in alive[:k])


def test_a_view_keeps_the_memory_of_its_array(doubled):
    X = np.arange(LARGE * LARGE * 1.0).reshape(LARGE, LARGE)
    row = doubled(X=X)["X"][7]
    for _ in range(5):
        doubled(X=-X)
    assert (row == 2 * X[7]).all()


def test_results_are_arrays_as_others(doubled):
    found = doubled(X=np.ones((LARGE, LARGE)))["X"]
    assert found.flags.owndata
    assert found.base is None
    assert found.flags.writeable
    assert found.ctypes.data % 64 == 0
    assert (pickle.loads(pickle.dumps(found)) == 2).all()
    found.resize((2 * LARGE, LARGE), refcheck=False)
    assert (found[:LARGE] == 2).all()
    assert (found[LARGE:] == 0).all()
    found.resize((1, 2), refcheck=False)
    assert found.tolist() == [[2.0, 2.0]]
    del found
    assert (doubled(X=np.ones((LARGE, LARGE)))["X"] == 2).all()


def test_memory_is_used_again_and_given_back(doubled):
    if loading._calling() is None:
        pytest.skip("the extension cannot be compiled here")
    loading.release()
    X = np.ones((LARGE, LARGE))
    place = doubled(X=X)["X"].ctypes.data
    assert doubled(X=X)["X"].ctypes.data == place
    first = doubled(X=X)["X"]
    assert doubled(X=X)["X"].ctypes.data != first.ctypes.data
    loading.release()
    assert (first == 2).all()


def test_threads_do_not_get_the_memory_of_others(doubled):
    wrong = []

    def work(k):
        for step in range(50):
            X = np.full((LARGE, LARGE), float(100 * k + step))
            found = doubled(X=X)["X"]
            wrong.extend([(k, step)] * (not (found == 2 * X).all()))

    team = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert not wrong


def test_more_than_is_kept_is_freed(doubled):
    arrays = [doubled(X=np.ones((1024, 1100 + k)))["X"] for k in range(12)]  # about 100 MB
    assert all((a == 2).all() for a in arrays)
    del arrays
    gc.collect()
    for k in range(12):
        assert (doubled(X=np.full((1024, 1100 + k), 3.0))["X"] == 6).all()
