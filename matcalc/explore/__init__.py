"""The derivation as a page to play with: folded steps, shapes under the pointer, a line of one's own for each step."""
