"""Options in groups: a command takes frozen dataclasses, its command line the options that their fields declare.

So every entry point that reaches Kafka has the same Kafka flags, declared once.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final, get_type_hints

import typer

from pipelines.options.invocation import COMMAND

_CONTEXT: Final = "context"


def flatten_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every parameter whose type is a dataclass replaced by the fields of it.

    For use under typer's decorators. A field's annotation and default become those of the option; two groups must not
    declare the same name.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if name != "return" and is_dataclass(hint)}
    options: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        group = groups.get(name)
        options += _fields(group) if group else [parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)]

    # Typer hands it in, by its type; it is no option.
    options.append(inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        token = COMMAND.set(given.pop(_CONTEXT, None))
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
    return [_parameter(one, hints[one.name]) for one in fields(group)]


def _parameter(one: "Field[Any]", hint: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if one.default is MISSING else one.default
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
