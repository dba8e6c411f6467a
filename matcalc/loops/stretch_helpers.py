"""What generated code with stretches of steps carries along; the steps themselves are functions of their own."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations


def _part(cuts, given, before, steps):
    """The parts of inputs that a stretch reads: `steps` steps after the step `before`."""
    found = {}
    for name, of, axis, begin, more in cuts:
        place = slice(before + begin, before + begin + steps + more)
        found[name] = given[of][place] if axis == 0 else given[of][:, place]
    return found


def _forth(stretches, given, states, sums, zeros, dims, every):
    """The states before each stretch, those after the last, and the sums."""
    saved = []
    for forward, _, first, last, whole, cuts, moved, size in stretches:
        for before in range(first - 1, last, every):
            steps = min(every, last - before)
            saved.append(states)
            here = {**{n: given[n] for n in whole}, **_part(cuts, given, before, steps), **states, **zeros}
            here.update({moved: float(before)} if moved else {})
            made = forward(**{n: here[n] for n in forward.takes}, dims={**dims, size: steps})
            sums = {n: sums[n] + made[n] if n in made else sums[n] for n in sums}
            states = {new: made[old] for new, old in forward.turned.items()}
    return saved, states, sums


def _back(stretches, given, saved, weights, found, dims, every):
    """The gradients of all stretches, added to those that are there, and the weights of what enters the first."""
    for forward, backward, first, last, whole, cuts, moved, size in reversed(stretches):
        for before in reversed(range(first - 1, last, every)):
            steps = min(every, last - before)
            here = {**{n: given[n] for n in whole}, **_part(cuts, given, before, steps), **saved.pop(), **weights}
            here.update({moved: float(before)} if moved else {})
            made = backward(**{n: here[n] for n in backward.takes}, dims={**dims, size: steps})
            for name, of, axis, begin, more in cuts:
                if name in made:
                    place = slice(before + begin, before + begin + steps + more)
                    found[of][place if axis == 0 else (slice(None), place)] += made[name]
            for name in whole:
                if name in made:
                    found[name] = found[name] + made[name]
            weights = {**weights, **{old: made[new] for new, old in forward.turned.items()}}
    return weights, found


def _take(module, takes, turned):
    """The function of a module, with what it takes, and which of its weights become which of its states."""
    module.takes, module.turned = takes, turned
    return module
