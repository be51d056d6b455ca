"""Groups of commands: one that need not be named, and where options stand."""

from typing import Any, Final

from typer.core import TyperGroup

_CONFIG: Final = "--config"
_FLAG: Final = "-"


class OptionsComeLast(TyperGroup):
    """Says where an option stands that was given before the command and is the command's own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = next((one for one in args if one in self.commands), "")
        before = args[: args.index(named)] if named else args
        if any(one.partition("=")[0] == _CONFIG for one in before):
            ctx.fail(f"{_CONFIG} stands after the command{f'; put it after {named}' if named else ''}.")
        return super().parse_args(ctx, args)


class RunsByDefault(TyperGroup):
    """Takes options that no command's name stands before as those of `run`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = not args or not args[0].startswith(_FLAG) or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if is_named else ["run", *args])
