"""Curvature: whether a scalar function is convex or concave in some variables, with a proof, constants or a witness."""
