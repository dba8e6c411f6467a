"""Numbers: evaluation of expressions, random values that satisfy the facts, and the public checkers."""
