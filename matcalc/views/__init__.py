"""The views of a derivation: from a problem to plain strings, in text, LaTeX and Markdown."""
