"""Doors out: a derivation as plain data."""
