"""Completion of commands, options and their values in bash, zsh and fish: a script made from the parser itself."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field


@dataclass
class Command:
    """What can follow a command.

    Attributes:
        options: with what each is for.
        values: the words that an option takes.
    """

    name: str
    summary: str
    options: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def commands_of(parser: argparse.ArgumentParser) -> list[Command]:
    """The commands of a parser."""
    (group,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    summaries = {action.dest: action.help or "" for action in group._choices_actions}
    found = []
    for name, one in group.choices.items():
        command = Command(name, summaries.get(name, ""))
        for action in one._actions:
            words = [str(c) for c in action.choices or ()]
            for option in action.option_strings:
                command.options[option] = (action.help or "").partition(";")[0]
                if words:
                    command.values[option] = words
            if not action.option_strings:
                command.words += words
        found.append(command)
    return found


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for `bash`, `zsh` or `fish`; zsh runs that of bash."""
    commands = commands_of(parser)
    if shell == "fish":
        return _fish(commands)
    body = _bash(commands)
    return f"autoload -Uz bashcompinit && bashcompinit\n{body}" if shell == "zsh" else body


def _bash(commands: list[Command]) -> str:
    cases = []
    for c in commands:
        values = [f'        {c.name}:{option}) words="{" ".join(words)}" ;;' for option, words in c.values.items()]
        cases += [*values, f'        {c.name}:*) words="{" ".join([*c.options, *c.words])}" ;;']
    lines = [
        '# matcalc: completion of commands and options; put `eval "$(matcalc completion bash)"` into ~/.bashrc',
        "_matcalc() {",
        '    local here="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""',
        '    if [ "$COMP_CWORD" -eq 1 ]; then',
        f'        words="{" ".join(c.name for c in commands)} --help --version"',
        "    else",
        '        case "${COMP_WORDS[1]}:$before" in',
        *cases,
        "        esac",
        "    fi",
        '    COMPREPLY=($(compgen -W "$words" -- "$here"))',
        "}",
        "complete -o default -F _matcalc matcalc",
    ]
    return "\n".join(lines)


def _fish(commands: list[Command]) -> str:
    lines = ["# matcalc: completion; write it to ~/.config/fish/completions/matcalc.fish", "complete -c matcalc -f"]
    for c in commands:
        lines.append(f"complete -c matcalc -n __fish_use_subcommand -a {c.name} -d {_quoted(c.summary)}")
        inside = f"complete -c matcalc -n '__fish_seen_subcommand_from {c.name}'"
        for option, said in c.options.items():
            kind = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            takes = f" -x -a {_quoted(' '.join(c.values[option]))}" if option in c.values else ""
            lines.append(f"{inside} {kind}{takes} -d {_quoted(said)}")
        if c.words:
            lines.append(f"{inside} -a {_quoted(' '.join(c.words))}")
        else:
            lines.append(f"{inside} -F")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
