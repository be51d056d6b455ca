"""Options in groups: a command takes frozen dataclasses, its command line the options that their fields declare.

So every entry point that reaches Kafka has the same Kafka flags, declared once.
"""

import copy
import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

import typer
from typer.models import OptionInfo

from pipelines.options.config_file import ConfigFile
from pipelines.options.grouped_help import SERVERS
from pipelines.options.invocation import COMMAND
from pipelines.output.logs import configure_logs

_CONTEXT: Final = "invocation_context"
_CONFIG: Final = "config"
_PREFIX: Final = "GRAPH_"
_FLAG: Final = "--"
# What is asked for at one call and must not come of an environment.
_OF_ONE_CALL: Final = frozenset({"yes"})


class _LogsAt(NamedTuple):
    level: str


def begin_logs_later(context: typer.Context, level: str) -> None:
    """For a group of commands: its command configures logs at this level once its own flags are right."""
    context.obj = _LogsAt(level)


def flatten_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every parameter whose type is a dataclass replaced by the fields of it.

    For use under typer's decorators. A field's annotation and default become those of the option; two groups must not
    declare the same name. An option without a variable gets `GRAPH_<FLAG>`; a configuration file may set any of them. Groups that
    say how a server is reached (`CONNECTS`) come last in `--help`.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if name != "return" and is_dataclass(hint)}
    own: list[inspect.Parameter] = []
    connecting: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        group = groups.get(name)
        if group is None:
            own.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            (connecting if getattr(group, "CONNECTS", False) else own).extend(_fields(group))
    options = [_with_variable(one) for one in (*own, *connecting)]
    options.append(inspect.Parameter(_CONFIG, inspect.Parameter.KEYWORD_ONLY, default="", annotation=ConfigFile))

    # Typer hands it in, by its type; it is no option.
    options.append(inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        given.pop(_CONFIG, None)
        context: typer.Context | None = given.pop(_CONTEXT, None)
        if context and isinstance(context.obj, _LogsAt):
            configure_logs(context.obj.level)
        token = COMMAND.set(context)
        try:
            built = {name: group(**{one.name: given.pop(one.name) for one in fields(group)}) for name, group in groups.items()}
            command(**built, **given)
        finally:
            COMMAND.reset(token)

    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in options}
    del run.__wrapped__
    return run


def _fields(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    heading = (SERVERS if getattr(group, "CONNECTS", False) else "") + (group.__doc__ or "").partition("\n")[0].removesuffix(".")
    return [_under(heading, _parameter(one, hints[one.name])) for one in fields(group)]


def _under(heading: str, parameter: inspect.Parameter) -> inspect.Parameter:
    """The option with the heading of its group, for `GroupedHelp`."""
    return _changed(parameter, lambda option: setattr(option, "rich_help_panel", heading))


def _parameter(one: "Field[Any]", hint: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if one.default is MISSING else one.default
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _with_variable(parameter: inspect.Parameter) -> inspect.Parameter:
    """The option with a variable of its own, where it names none."""
    if get_origin(parameter.annotation) is not Annotated:
        return parameter
    _, *more = get_args(parameter.annotation)
    option = next((one for one in more if isinstance(one, OptionInfo)), None)
    if option is None or option.envvar:
        return parameter
    # Within Annotated, what typer takes for the default is the first of the flags.
    flag = next((str(one).removeprefix(_FLAG) for one in (option.default, *(option.param_decls or ())) if str(one).startswith(_FLAG)), "")
    if not flag or flag in _OF_ONE_CALL:
        return parameter
    return _changed(parameter, lambda option: setattr(option, "envvar", _PREFIX + flag.upper()))


def _changed(parameter: inspect.Parameter, change: Callable[[OptionInfo], None]) -> inspect.Parameter:
    """The parameter with a changed copy of its option; as it is where it has none."""
    if get_origin(parameter.annotation) is not Annotated:
        return parameter
    kind, *more = get_args(parameter.annotation)
    changed = [copy.copy(one) if isinstance(one, OptionInfo) else one for one in more]
    for one in changed:
        if isinstance(one, OptionInfo):
            change(one)
    return parameter.replace(annotation=Annotated[kind, *changed])
