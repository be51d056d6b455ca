"""Options declared in dataclasses are options of the command: defaults, flags, variables, help."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from pipelines.options.flatten import flatten_option_groups


@dataclass(frozen=True)
class Where:
    """One group."""

    brokers: Annotated[str, typer.Option("--brokers", envvar="BROKERS", help="Where it is.")] = "local:1"
    retry_s: Annotated[float, typer.Option("--retry_s", min=0, help="How long.")] = 30.0


@dataclass(frozen=True)
class How:
    """Another."""

    group: Annotated[str, typer.Option("--group", help="Needed.")]
    fast: Annotated[bool, typer.Option("--fast", help="Hurry.")] = False


Seen = tuple[Where, How, bool]


@pytest.fixture
def call() -> Callable[..., tuple[int, str, list[Seen]]]:
    seen: list[Seen] = []
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command(help="Does it.")
    @flatten_option_groups
    def main(where: Where, how: How, json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
        seen.append((where, how, json))

    def run(*flags: str, **environment: str) -> tuple[int, str, list[Seen]]:
        done = CliRunner().invoke(app, [*flags], env=environment)
        return done.exit_code, done.output, seen

    return run


Call = Callable[..., tuple[int, str, list[Seen]]]


def test_what_is_not_given_is_the_default_of_its_field(call: Call) -> None:
    assert call("--group=g") == (0, "", [(Where(), How("g"), False)])


def test_flags_reach_the_field_of_their_group(call: Call) -> None:
    _, _, seen = call("--fast", "--retry_s=2", "--group=g", "--json", "--brokers=k:1")

    assert seen == [(Where("k:1", 2.0), How("g", fast=True), True)]


def test_a_variable_stands_in_for_a_flag_and_the_flag_wins(call: Call) -> None:
    call("--group=g", BROKERS="env:1")
    _, _, seen = call("--group=g", "--brokers=flag:1", BROKERS="env:1")

    assert [where.brokers for where, _, _ in seen] == ["env:1", "flag:1"]


def test_help_lists_the_options_of_every_group(call: Call) -> None:
    code, said, seen = call("--help")

    assert (code, seen) == (0, [])
    for part in ("Does it.", "--brokers", "[env var: BROKERS", "Where it is.", "--retry_s", "--group", "--fast", "--json"):
        assert part in said


@pytest.mark.parametrize(("flags", "named"), [(["--group=g", "--retry_s=-1"], "--retry_s"), ([], "--group"), (["--no_such"], "--no_such")])
def test_a_wrong_or_missing_option_is_an_error_of_use_that_names_it(call: Call, flags: list[str], named: str) -> None:
    code, said, seen = call(*flags)

    assert (code, seen) == (2, [])
    assert named in said


def test_two_groups_that_declare_the_same_option_are_refused() -> None:
    def main(one: Where, other: Where) -> None: ...

    with pytest.raises(ValueError, match="duplicate parameter name: 'brokers'"):
        flatten_option_groups(main)
