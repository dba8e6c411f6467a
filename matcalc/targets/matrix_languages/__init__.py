"""What the targets for languages with matrices (R, Octave, C++) have in common: shapes, expressions, names, runs."""
