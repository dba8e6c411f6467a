"""From expressions to NumPy: lowering, scheduling, and the text of a standalone module."""
