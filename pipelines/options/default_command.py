"""A command that need not be named."""

from typing import Any

from typer.core import TyperGroup


class RunsByDefault(TyperGroup):
    """Takes arguments that begin with no command's name as those of `run`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if is_named else ["run", *args])
