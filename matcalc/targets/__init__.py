"""The targets of generated code, a folder each."""
