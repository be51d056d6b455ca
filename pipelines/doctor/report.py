"""What the doctor tells: a table on a terminal, plain lines elsewhere, or one JSON object."""

import sys
from collections import Counter
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.output.command import print_json
from pipelines.output.readable import spoken_number
from runners.doctor.topics import DOES_NOT_EXIST, DOES_NOT_EXIST_BUT_NAMED, MAKE_ALL
from runners.doctor.verdict import Check, Status, overall

_STYLES: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red", Status.SKIPPED: "dim"}
_TOPIC: Final = "topic "
_SETTINGS_ARE_WELL: Final = "as the job needs them"
_SHOWN: Final = 10
# What is found of a topic, said of several.
_OF_MANY: Final = {
    DOES_NOT_EXIST: "they do not exist: the job leaves them out until they do",
    DOES_NOT_EXIST_BUT_NAMED: "they were named and do not exist: a run that ends fails, and one with --follow waits for them",
}
_ENDINGS: Final = {
    Status.OK: "the job can run here",
    Status.WARNING: "the job can run here; see the warnings",
    Status.FAILED: "the job cannot run here",
}


def print_checks(checks: list[Check], *, as_json: bool, verbose: bool = False) -> None:
    """Print the checks on standard output; for people, what is alike is one line unless verbose."""
    if as_json:
        print_json(checks_summary(checks))
        return
    shown = checks if verbose else folded(checks)
    if sys.stdout.isatty():
        Console().print(_table(shown))
    else:
        typer.echo("\n".join(plain_lines(shown)))
    if len(shown) < len(checks):
        typer.echo(f"{len(checks)} checks in {len(shown)} lines; --verbose shows each.")
    typer.echo(ending(checks))


def folded(checks: list[Check]) -> list[Check]:
    """The checks, those with one status that found the same as one, in the place of the first of them.

    Remedies that differ in the topic alone are one that names them all. Of others, the first is told. Settings of a topic that are all
    well are one.
    """
    groups: dict[tuple[str, str, bool], list[Check]] = {}
    for check in checks:
        is_setting = check.status is Status.OK and check.name.startswith(_TOPIC) and check.name.count(" ") > 1
        said = _SETTINGS_ARE_WELL if is_setting else check.said
        groups.setdefault((check.status, said, check.name.startswith(_TOPIC)), []).append(check)
    return [_folded(said, group) for (_, said, _), group in groups.items()]


def _folded(said: str, group: list[Check]) -> Check:
    first = group[0]
    if len(group) == 1 and said == first.said:
        return first
    names = [check.name for check in group]
    remedy = first.remedy
    if all(name.startswith(_TOPIC) for name in names):
        topics = list(dict.fromkeys(map(_topic_of, group)))
        remedy = _remedy(group, topics)
        of = f"{len(names)} settings of " if any(" " in name.removeprefix(_TOPIC) for name in names) else ""
        named = f"{of}{spoken_number(len(topics), 'topic')}: {_listed(topics)}"
    else:
        named = _listed(names)
    return Check(named, first.status, _OF_MANY.get(said, said), remedy)


def _topic_of(check: Check) -> str:
    return check.name.removeprefix(_TOPIC).partition(" ")[0]


def _remedy(group: list[Check], topics: list[str]) -> str:
    """One remedy for several topics, whole, so that it may be pasted."""
    first = group[0]
    if len({check.remedy for check in group}) == 1:
        return first.remedy
    if first.said == DOES_NOT_EXIST:
        return MAKE_ALL
    commands = {check.remedy.replace(f"--entity-name {_topic_of(check)} ", "--entity-name $topic ") for check in group}
    sentences = {check.remedy.replace(f" on {_topic_of(check)}.", " on {}.") for check in group}
    if len(topics) <= _SHOWN and len(commands) == 1:
        return f"for topic in {' '.join(topics)}; do {commands.pop()}; done"
    if len(topics) <= _SHOWN and len(sentences) == 1:
        return sentences.pop().replace(" on {}.", f" on {', '.join(topics)}.")
    return f"{first.remedy} (This is for {topics[0]} alone; --verbose shows the others'.)"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def checks_summary(checks: list[Check]) -> dict[str, Any]:
    """The object of `--json`: status, then each check with name, status, said and remedy ("" for none)."""
    return {"status": overall(checks), "checks": [check._asdict() for check in checks]}


def plain_lines(checks: list[Check]) -> list[str]:
    """A line a check, and one below it for its remedy."""
    lines: list[str] = []
    for check in checks:
        lines.append(f"{check.status:<8} {check.name}: {check.said}")
        if check.remedy:
            lines.append(f"{'':<8} -> {check.remedy}")
    return lines


def ending(checks: list[Check]) -> str:
    """How many of each, and what that means, in one line."""
    counts = Counter(check.status for check in checks)
    told = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    return f"{told}: {_ENDINGS[overall(checks)]}."


def _table(checks: list[Check]) -> Table:
    table = Table("", "check", "found, and what to do")
    for check in checks:
        # Text, since what servers say may look like markup.
        found = Text(check.said)
        if check.remedy:
            found.append(f"\n-> {check.remedy}", "bold")
        table.add_row(Text(check.status, _STYLES[check.status]), Text(check.name), found)
    return table
