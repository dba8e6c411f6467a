"""The fixed C texts of native functions: what stands before them, and the helpers that they call."""

from __future__ import annotations

import re
from functools import lru_cache

from matcalc.targets.c.module import helper_texts
from matcalc.templating import template_folder

_DOUBLE = re.compile(r"\bdouble\b")


def as_real(text: str) -> str:
    """A text of the C target for real numbers of either type."""
    return _DOUBLE.sub("real", text)


@lru_cache(maxsize=1)
def prelude() -> str:
    """What stands before every function."""
    return "\n".join(
        (template_folder() / f"native_{part}.c").read_text(encoding="utf-8") for part in ("prelude", "math")
    )


@lru_cache(maxsize=1)
def routines() -> tuple[str, ...]:
    """The routines of BLAS and LAPACK that the prelude calls, without the letter of their type, in its order."""
    return tuple(re.findall(r"^    void \(\*(\w+)\)\(", prelude(), re.MULTILINE))


@lru_cache(maxsize=1)
def native_helpers() -> dict[str, str]:
    """The helpers of C for real numbers, some of them replaced by those for whole matrices."""
    texts = {name: as_real(text) for name, text in helper_texts().items()}
    own = helper_texts("native_helpers.c")
    return {name: text for name, text in texts.items() if f"{name}_of_rows" not in own} | own


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """What the prelude defines or calls, and the frame of a function uses."""
    text = re.sub(r"/\*.*?\*/", "", prelude(), flags=re.DOTALL)
    called = set(re.findall(r"\b([A-Za-z_]\w*)\(", text)) | set(re.findall(r"#define (\w+)", text))
    called |= set(re.findall(r"\bmatcalc_\w+", text))
    return frozenset(
        called
        | set(native_helpers())
        | {"real", "routine", "outside", "Outside", "Workspace", "sizes", "given", "taken", "first", "second", "shapes"}
    )
