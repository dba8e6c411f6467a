"""Closed-form optima: stationarity equations, the rules that solve them, and the proof of what the answer is."""
