"""Sums over indices: expressions in entries, and the matrices that hold all their values."""
