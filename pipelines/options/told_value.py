"""A command that names the value which it cannot take, and how it was given."""

from typing import Any, Final

import typer
from typer.core import TyperCommand

from pipelines.options.checks import usage_error

_OF_A_VARIABLE: Final = "ENVIRONMENT"
# How typer begins to say that a text is no number.
_NO_NUMBER: Final = "Input should be "


class TellsValues(TyperCommand):
    """Says which value is no number, and the flag or the variable that gave it; typer names both and no value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if error.param is None or not error.message.startswith(_NO_NUMBER):
                raise
            raise usage_error(self._sentence(ctx, given, error)) from None

    def _sentence(self, ctx: Any, args: list[str], error: typer.BadParameter) -> str:
        param: Any = error.param
        source = ctx.get_parameter_source(param.name)
        wanted = error.message.removeprefix(_NO_NUMBER).partition(",")[0]
        if source is not None and source.name == _OF_A_VARIABLE:
            named, value = _variable(ctx, param)
        else:
            named, value = param.opts[0], self.make_parser(ctx).parse_args(args=args)[0].get(param.name)
        return f"{named} is {value!r}; it must be {wanted}."


def _variable(ctx: Any, param: Any) -> tuple[str, Any]:
    """The variable that is set, of those that the option takes."""
    names = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
    value = param.resolve_envvar_value(ctx)
    return names[0] if len(names) == 1 else " or ".join(names), value
