"""The public face: `derive`, `prove`, the derivation, the operations, Jupyter."""
