"""A configuration file: TOML with the flags' names as keys; a flag or a variable goes before it.

Keys at the top are for every command that has such a flag. A table is for one command (`[tenants.list]`, `[run]`) and goes before them.
A list is given as an array, also where the flag takes commas. Secrets have no flags, and so no place here.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final

import typer

from pipelines.options.checks import usage_error
from pipelines.options.invocation import DECLARED
from pipelines.options.settings_file import read_settings

FLAG: Final = "--config"
VARIABLE: Final = "GRAPH_CONFIG"
_PREFIX: Final = "--"
_ALIKE: Final = 0.8


def load(context: typer.Context, file: str) -> str:
    """Have the command take what the file declares where neither flag nor variable says otherwise; the file's name.

    An error of use where the file cannot be read, or declares what the command cannot take.
    """
    DECLARED.set(frozenset())
    if file:
        flags = {flag: parameter for parameter in context.command.params for flag in _names(parameter)}
        defaults: dict[str, Any] = {}
        settings = read_settings(FLAG, file)
        DECLARED.set(frozenset(key for key, value in settings.items() if value and not isinstance(value, dict)))
        for where, declared, is_own in _levels(settings, _path(context)):
            for key, value in declared.items():
                if parameter := _taken(file, where, key, flags, is_own=is_own):
                    defaults[parameter.name] = _value(file, where + key, value, parameter)
        context.default_map = {**(context.default_map or {}), **defaults}
    return file


ConfigFile = Annotated[
    str,
    typer.Option(FLAG, envvar=VARIABLE, is_eager=True, callback=load, help="TOML file of flags; a flag or a variable goes before it."),
]


def _names(parameter: Any) -> list[str]:
    return [one.removeprefix(_PREFIX) for one in parameter.opts if one.startswith(_PREFIX) and one != FLAG]


def _path(context: typer.Context) -> list[str]:
    """The names by which the command was called: `tenants`, `list`."""
    found: list[str] = []
    at: Any = context
    while at is not None:
        found.insert(0, str(at.info_name or "").rpartition(".")[2].removesuffix("__main__.py"))
        at = at.parent
    return [_COMMANDS.get(name, name) for name in found]


# By module where a command is called as one.
_COMMANDS: Final = {"graph_build": "run"}


def _levels(declared: Mapping[str, Any], path: list[str]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """What is for all commands, then what is for this one; each with the name of its table and whether it is this command's own."""
    yield "", {key: value for key, value in declared.items() if not isinstance(value, dict)}, False
    for begin in range(len(path)):
        at: Any = declared
        names = path[begin:]
        for name in names:
            at = at.get(name) if isinstance(at, Mapping) else None
        if isinstance(at, Mapping):
            yield f"{'.'.join(names)}.", {key: value for key, value in at.items() if not isinstance(value, dict)}, True


def _taken(file: str, where: str, key: str, flags: Mapping[str, Any], *, is_own: bool) -> Any:
    """The parameter that the key sets; None for a key at the top that is another command's."""
    if key in flags:
        return flags[key]
    near = get_close_matches(key, flags, 1, _ALIKE)
    if near or is_own:
        hint = f"did you mean {near[0]}?" if near else "`--help` lists this command's."
        raise usage_error(f"{FLAG} {file} sets {where}{key}, which is no flag of this command; {hint}")
    return None


def _value(file: str, key: str, value: Any, parameter: Any) -> Any:
    """As a default of the parameter; an array is a list, or what a flag with commas takes."""
    if not isinstance(value, str | int | float | bool | list):
        raise usage_error(f"{FLAG} {file} sets {key} to {value!r}; give a text, a number, true or false, or an array of texts.")
    texts = [str(one) for one in value] if isinstance(value, list) else None
    if parameter.multiple:
        return texts if texts is not None else [str(value)]
    return ",".join(texts) if texts is not None else value
