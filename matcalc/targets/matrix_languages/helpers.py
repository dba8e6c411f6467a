"""The runtime functions of a language, from its files among the templates: those that a text needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from matcalc.templating import template_folder


@dataclass(frozen=True)
class Helpers:
    """The functions of some files: blocks with an empty line between them.

    Attributes:
        files: the names of the files among the templates.
        name: the pattern of a function's head, with its name as the first group.
        comment: the pattern of a comment.
    """

    files: str
    name: str
    comment: str

    @cached_property
    def sources(self) -> dict[str, str]:
        """The functions by their names, in the order of the files."""
        text = "\n\n".join(
            (template_folder() / file).read_text(encoding="utf-8").strip() for file in self.files.split()
        )
        found: dict[str, str] = {}
        for block in re.split(r"\n\n(?=\S)", text.strip()):
            head = re.search(self.name, block, re.MULTILINE)
            if head is not None:
                found[head[1]] = f"{found[head[1]]}\n\n{block}" if head[1] in found else block
        return found

    def needed(self, text: str) -> dict[str, str]:
        """The sources, by name, of the functions that a text names, and of those that these name."""
        used: set[str] = set()
        waiting = [text]
        while waiting:
            words = set(re.findall(r"\w+", re.sub(self.comment, "", waiting.pop())))
            new = (words & self.sources.keys()) - used
            used |= new
            waiting += map(self.sources.__getitem__, new)
        return {name: source for name, source in self.sources.items() if name in used}
