"""Python functions as sources: they are run once on tracers (NumPy, PyTorch), or read from their jaxpr (JAX)."""
