"""What generated code with checkpoints carries along; NumPy alone."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, type-arg"

from __future__ import annotations


class _Stretches:
    """The values of recurrences of which those before every stretch of steps are stored, and those of one stretch."""

    def __init__(self, step, starts, lows, first, after, lag, every):
        self.step, self.starts, self.lows, self.lag = step, starts, lows, lag
        self.first, self.after, self.every = first, after, every
        self.saved = {}
        parts = [dict(start) for start in starts]
        for t in range(first, after):
            if (t - first) % every == 0:
                self.saved[t] = [dict(part) for part in parts]
            step(t, *parts)
            for low, part in zip(lows, parts):
                part.pop(t - low - lag, None)
        self.parts = parts

    def value(self, k, index):
        """The value of one recurrence at an index; its stretch is computed again where it is not there."""
        if index in self.parts[k]:
            return self.parts[k][index]
        if index in self.starts[k]:
            return self.starts[k][index]
        t = index + self.lows[k]
        begin = self.first + (t - self.first) // self.every * self.every
        self.parts = [dict(part) for part in self.saved[begin]]
        for s in range(begin, min(begin + self.every, self.after)):
            self.step(s, *self.parts)
        return self.parts[k][index]


class _Values:
    """The values of one recurrence."""

    def __init__(self, stretches, k):
        self.stretches, self.k = stretches, k

    def __getitem__(self, index):
        return self.stretches.value(self.k, index)


class _Adjoints(dict):
    """The adjoints of the steps that something was added to: 0 before."""

    def __init__(self, zero):
        super().__init__()
        self.zero = zero

    def __missing__(self, index):
        return self.zero.copy()
