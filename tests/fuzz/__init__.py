"""Random programs over every operation of the registry, compared with an oracle of its own (see `jets.py`).

`python -m tests.fuzz --count 100000 --jobs 2 --seed 1` runs them; `tests/test_fuzz.py` runs a few hundred.
"""
