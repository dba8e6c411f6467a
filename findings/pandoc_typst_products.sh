#!/usr/bin/env bash
# Expected: a formula with an entrywise or a Kronecker product that pandoc writes for Typst is compiled by Typst.
# So it is not: pandoc writes \odot as dot.circle and \otimes as times.circle, names that Typst has given up for dot.o and
#   times.o, and the whole document is refused ("unknown symbol modifier"); \oslash, written as slash.o, is compiled.
# Version: pandoc 3.9 in pypandoc_binary 1.17, typst 0.15.2, Python 3.11.
# Why it matters: these are the two products of matrix calculus, so that no page of it goes from LaTeX or Markdown to PDF by
#   this way, which needs no TeX; one formula is enough to lose the document.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet pypandoc_binary==1.17 typst==0.15.2
"$folder/env/bin/python" - <<'PYTHON'
import pypandoc
import typst

print("pandoc", pypandoc.get_pandoc_version(), "typst", typst.__version__)
found = {}
for formula in (r"A \odot B", r"A \otimes B", r"A \oslash B"):
    written = pypandoc.convert_text(f"${formula}$", "typst", format="markdown").strip()
    try:
        typst.compile(written.encode(), format="pdf")
        found[formula] = "compiled"
    except typst.TypstError as error:
        found[formula] = str(error)
    print(f"{formula:12s} {written:22s} {found[formula]}")
refused = "unknown symbol modifier"
assert list(found.values()) == [refused, refused, "compiled"], found
PYTHON
