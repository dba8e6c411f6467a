"""The parser of the text syntax, from a table: to make it from the grammar takes longer than most derivations.

`python -m matcalc.frontend.grammar` writes the table, `grammar.json`, after a change of `grammar.lark`. A table of
another grammar, or of another version of Lark, is not used: the parser is then made from the grammar.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lark import PostLex
from lark.lexer import TerminalDef

OPTIONS = {"parser": "lalr", "lexer": "basic", "propagate_positions": True}


def parser(postlex: PostLex) -> Lark:
    """The parser, with what stands between its lexer and its grammar."""
    text, table = _text("grammar.lark"), json.loads(_text("grammar.json"), object_hook=_numbered)
    if table["grammar"] == text and table["lark"] == lark.__version__:
        return Lark._load_from_dict(table["data"], table["memo"], postlex=postlex)  # type: ignore[no-any-return, no-untyped-call]
    return Lark(text, postlex=postlex, **OPTIONS)


def table() -> str:
    """What `grammar.json` holds, made from the grammar."""
    text = _text("grammar.lark")
    data, memo = Lark(text, **OPTIONS).memo_serialize([TerminalDef, Rule])
    data["options"] = {**OPTIONS, "start": data["options"]["start"]}
    return json.dumps({"lark": lark.__version__, "grammar": text, "data": data, "memo": memo}, separators=(",", ":"))


def _text(name: str) -> str:
    return files("matcalc.frontend").joinpath(name).read_text(encoding="utf-8")


def _numbered(found: dict[str, Any]) -> dict[Any, Any]:
    """Keys that are numbers, which JSON has as strings."""
    return {int(key) if key.isdigit() else key: value for key, value in found.items()}


if __name__ == "__main__":
    Path(str(files("matcalc.frontend").joinpath("grammar.json"))).write_text(table() + "\n", encoding="utf-8")
