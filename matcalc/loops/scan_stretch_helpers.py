"""The same for JAX: stretches of one length are steps of `lax.scan`, so that what is traced does not grow with them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, no-redef"

from __future__ import annotations

from typing import Any

from matcalc.optional import Later

jnp: Any = Later("jax.numpy")
lax: Any = Later("jax.lax")


def _place(array, axis, start, size):
    """A part of an array from a place on that may be traced."""
    return lax.dynamic_slice_in_dim(array, start, size, axis)


def _stretch(kept, stretch, given, before, steps, states, weights, dims):
    """What one stretch computes, forwards (0) or backwards (1)."""
    whole, cuts, moved, size = stretch[4:]
    here = {**{n: given[n] for n in whole}, **states, **weights}
    here.update({name: _place(given[of], axis, before + begin, steps + more) for name, of, axis, begin, more in cuts})
    here.update({moved: 1.0 * before} if moved else {})
    function = stretch[kept]
    return function(**{n: here[n] for n in function.takes}, dims={**dims, size: steps})


def _runs(first, last, every):
    """The stretches of one length and the last, shorter one: the step before, how many, their length."""
    count = max(last - first + 1, 0)
    whole = [(first - 1, count // every, every)] if count >= every else []
    return [*whole, *([(last - count % every, 1, count % every)] if count % every else [])]


def _forth(stretches, given, states, sums, zeros, dims, every):
    """The states before each stretch, those after the last, and the sums."""
    saved = []
    for stretch in stretches:
        for begin, count, steps in _runs(stretch[2], stretch[3], every):

            def step(carry, k, stretch=stretch, begin=begin, steps=steps):
                states, sums = carry
                made = _stretch(0, stretch, given, begin + k * steps, steps, states, zeros, dims)
                after = {new: made[old] for new, old in stretch[0].turned.items()}
                return (after, {n: sums[n] + made[n] if n in made else sums[n] for n in sums}), states

            (states, sums), before = lax.scan(step, (states, sums), jnp.arange(count))
            saved.append(before)
    return saved, states, sums


def _back(stretches, given, saved, weights, found, dims, every):
    """The gradients of all stretches, added to those that are there, and the weights of what enters the first."""
    for stretch in reversed(stretches):
        for begin, count, steps in reversed(_runs(stretch[2], stretch[3], every)):

            def step(carry, at, stretch=stretch, begin=begin, steps=steps):
                weights, found = carry
                k, states = at
                place = begin + k * steps
                made = _stretch(1, stretch, given, place, steps, states, weights, dims)
                found = {n: g + made[n] if n in stretch[4] and n in made else g for n, g in found.items()}
                for name, of, axis, first, more in stretch[5]:
                    if name in made:
                        old = _place(found[of], axis, place + first, steps + more)
                        found[of] = lax.dynamic_update_slice_in_dim(found[of], old + made[name], place + first, axis)
                return ({**weights, **{old: made[new] for new, old in stretch[0].turned.items()}}, found), None

            (weights, found), _ = lax.scan(step, (weights, found), (jnp.arange(count), saved.pop()), reverse=True)
    return weights, found


def _take(module, takes, turned):
    """The function of a module, with what it takes, and which of its weights become which of its states."""
    module.takes, module.turned = takes, turned
    return module
