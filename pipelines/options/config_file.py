"""A configuration file: TOML with the flags' names as keys; a flag or a variable goes before it.

Keys at the top are for every command that has such a flag. A table is for one command (`[tenants.list]`, `[run]`) and goes before them.
What names no command and no flag is an error of use, so that nothing misspelt is passed over. A list is given as an array,
also where the flag takes commas. Secrets have no flags, and so no place here.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final

import typer

from pipelines.options.checks import usage_error
from pipelines.options.invocation import DECLARED
from pipelines.options.settings_file import read_settings
from runners.setting_names import COMMANDS, FLAGS

FLAG: Final = "--config"
VARIABLE: Final = "GRAPH_CONFIG"
_PREFIX: Final = "--"
_ALIKE: Final = 0.8


def load(context: typer.Context, file: str) -> str:
    """Have the command take what the file declares where neither flag nor variable says otherwise; the file's name.

    An error of use where the file cannot be read, declares what no command can take, or has a table that is no command's.
    """
    DECLARED.set(frozenset())
    if file:
        named = f"{_source(context, file)} {file}"
        flags = {flag: parameter for parameter in context.command.params for flag in _names(parameter)}
        defaults: dict[str, Any] = {}
        settings = read_settings(_source(context, file), file)
        path = _path(context)
        check_tables(named, settings, path)
        DECLARED.set(frozenset(key for key, value in settings.items() if value and not isinstance(value, dict)))
        for where, declared, is_own in _levels(settings, path):
            for key, value in declared.items():
                if parameter := _taken(named, where, key, flags, is_own=is_own):
                    defaults[parameter.name] = _value(context, f"{named} sets {where}{key}", value, parameter)
        context.default_map = {**(context.default_map or {}), **defaults}
    return file


def _source(context: typer.Context, file: str) -> str:
    """The flag that names the file, before the command or after it, or the variable."""
    source = context.get_parameter_source("config")
    before = context.parent is not None and context.find_root().params.get("config") == file
    return VARIABLE if source is not None and source.name == "ENVIRONMENT" and not before else FLAG


ConfigFile = Annotated[
    str,
    typer.Option(FLAG, envvar=VARIABLE, is_eager=True, callback=load, help="TOML file of flags; a flag or a variable goes before it."),
]


def _names(parameter: Any) -> list[str]:
    return [one.removeprefix(_PREFIX) for one in parameter.opts if one.startswith(_PREFIX) and one != FLAG]


def _path(context: typer.Context) -> list[str]:
    """The names of the command's table: `tenants`, `list`; however the command was called."""
    found: list[str] = []
    at: Any = context
    while at is not None:
        found.insert(0, str(at.info_name or "").rpartition(".")[2].removesuffix("__main__.py"))
        at = at.parent
    names = [_COMMANDS.get(name, name) for name in found]
    return next((names[begin:] for begin, name in enumerate(names) if name in COMMANDS), names[-1:])


# By module where a command is called as one.
_COMMANDS: Final = {"graph_build": "run"}


def check_tables(named: str, declared: Mapping[str, Any], path: list[str]) -> None:
    """An error of use where a table is no command's, or where one of a group of commands sets a flag itself.

    named: the file as messages name it. path: of the command that runs, whose table may be there whatever it is called.
    """
    for name, table in declared.items():
        if not isinstance(table, dict) or path == [name]:
            continue
        if name not in COMMANDS:
            raise usage_error(f"{named} has the table [{name}], which is no command's; {_meant(name, COMMANDS)}")
        for key, value in table.items() if COMMANDS[name] else ():
            if not isinstance(value, dict):
                raise usage_error(
                    f"{named} sets {key} in [{name}], which has commands; give it to one of them, as in [{name}.{COMMANDS[name][0]}]."
                )
            if key not in COMMANDS[name]:
                raise usage_error(f"{named} has the table [{name}.{key}], which is no command's; {_meant(key, COMMANDS[name])}")


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."


def _levels(declared: Mapping[str, Any], path: list[str]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """What is for all commands, then what is for this one; each with the name of its table and whether it is this command's own."""
    yield "", {key: value for key, value in declared.items() if not isinstance(value, dict)}, False
    at: Any = declared
    for name in path:
        at = at.get(name) if isinstance(at, Mapping) else None
    if isinstance(at, Mapping):
        yield f"{'.'.join(path)}.", {key: value for key, value in at.items() if not isinstance(value, dict)}, True


def _taken(named: str, where: str, key: str, flags: Mapping[str, Any], *, is_own: bool) -> Any:
    """The parameter that the key sets; None for a key at the top that is another command's."""
    if key in flags:
        return flags[key]
    if key in FLAGS and not is_own:
        return None
    near = get_close_matches(key, flags, 1, _ALIKE) or get_close_matches(key, () if is_own else FLAGS, 1, _ALIKE)
    hint = f"did you mean {near[0]}?" if near else "`--help` lists the flags."
    raise usage_error(f"{named} sets {where}{key}, which is no flag of {'this' if is_own else 'any'} command; {hint}")


def _value(context: typer.Context, sets: str, value: Any, parameter: Any) -> Any:
    """As a default of the parameter; an array is a list, or what a flag with commas takes. sets: what sets it, for messages."""
    if not isinstance(value, str | int | float | bool | list):
        raise usage_error(f"{sets} to {value!r}; give a text, a number, true or false, or an array of texts.")
    texts = [str(one) for one in value] if isinstance(value, list) else None
    if parameter.multiple:
        return texts if texts is not None else [str(value)]
    found = ",".join(texts) if texts is not None else value
    try:
        parameter.process_value(context, found)
    except typer.BadParameter as error:
        raise usage_error(f"{sets} to {value!r}; {error.message}") from None
    return found
