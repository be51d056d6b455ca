"""Help of a command with many options: a section for each of their groups, those of the servers first."""

from typing import Any, Final

from pipelines.options.told_value import TellsValues

SERVERS: Final = "Servers: "
_REST: Final = "Options"
_ARGUMENTS: Final = "Arguments"


class GroupedHelp(TellsValues):
    """Lists options under the headings that `flatten_option_groups` gives them; all others come last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if (told := param.get_help_record(ctx)) is not None:
                is_argument = param.param_type_name == "argument"
                heading = _ARGUMENTS if is_argument else getattr(param, "rich_help_panel", None) or _REST
                sections.setdefault(heading, []).append(told)
        for heading in sorted(sections, key=_place):
            with formatter.section(heading):
                formatter.write_dl(sections[heading])


def _place(heading: str) -> int:
    """Arguments, servers, other groups in their order, the rest."""
    return 0 if heading == _ARGUMENTS else 1 if heading.startswith(SERVERS) else 3 if heading == _REST else 2
