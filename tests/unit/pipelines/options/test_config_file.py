"""A configuration file sets any flag; a variable goes before it, a flag before both; what it misspells is told."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
import typer
from typer.testing import CliRunner

from pipelines.cli import COMMANDS
from pipelines.cli import app as graph_build
from pipelines.options.flatten import flatten_option_groups
from pipelines.tenants.commands import app as tenants
from runners import setting_names


@dataclass(frozen=True)
class Where:
    """A server."""

    CONNECTS: ClassVar[bool] = True

    brokers: Annotated[str, typer.Option("--brokers", envvar="TEST_BROKERS", help="Where.")] = ""


@dataclass(frozen=True)
class How:
    """Other options of each kind."""

    rows: Annotated[int, typer.Option("--rows", min=1, help="How many.")] = 7
    sizes: Annotated[bool, typer.Option("--sizes", help="Count.")] = False
    names: Annotated[list[str] | None, typer.Option("--name", help="Who.")] = None
    level: Annotated[str, typer.Option("--log_level", envvar="TEST_LEVEL", help="How much.")] = "INFO"
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False


SEEN: list[tuple[Where, How]] = []
app = typer.Typer(rich_markup_mode=None)


@app.callback()
def group() -> None:
    """A group, as that of tenants is."""


@app.command("list")
@flatten_option_groups
def list_command(where: Where, how: How) -> None:
    SEEN.append((where, how))


def call(tmp_path: Path, file: str, *flags: str, **environment: str) -> tuple[Where, How] | str:
    """What the command got, or what it said."""
    SEEN.clear()
    path = tmp_path / "c.toml"
    path.write_text(file)
    done = CliRunner().invoke(app, ["list", f"--config={path}", *flags], env={"COLUMNS": "400", **environment})
    return SEEN[0] if SEEN else done.stderr


FILE = """
brokers = ["a:1", "b:2"]
rows = 9
sizes = true
name = "one"
log_level = "DEBUG"
"""


def test_a_file_sets_flags_of_every_kind(tmp_path: Path) -> None:
    assert call(tmp_path, FILE) == (Where("a:1,b:2"), How(9, sizes=True, names=["one"], level="DEBUG"))


def test_a_variable_goes_before_the_file_and_a_flag_before_both(tmp_path: Path) -> None:
    found = call(tmp_path, FILE, "--rows=3", TEST_BROKERS="c:3", GRAPH_ROWS="5", TEST_LEVEL="ERROR")

    assert found == (Where("c:3"), How(3, sizes=True, names=["one"], level="ERROR"))


def test_the_table_of_a_command_goes_before_the_top(tmp_path: Path) -> None:
    assert call(tmp_path, "rows = 9\n[list]\nrows = 11\nname = ['x', 'y']\n") == (Where(), How(11, names=["x", "y"]))


def test_a_flag_of_another_command_at_the_top_and_another_table_are_passed_over(tmp_path: Path) -> None:
    assert call(tmp_path, "window_s = 3\n[deadletters.list]\nrows = 11\n") == (Where(), How())


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("row = 9", "sets row, which is no flag of any command; did you mean rows?"),
        ("kafka_broker = 9", "sets kafka_broker, which is no flag of any command; did you mean kafka_brokers?"),
        ("qqq = 9", "sets qqq, which is no flag of any command; `--help` lists the flags."),
        ("[runn]\nfollow = true", "has the table [runn], which is no command's; did you mean run?"),
        ("[zzz]\nfollow = true", "has the table [zzz], which is no command's; there are run, doctor, "),
        ("[tenants.lst]\nsizes = true", "has the table [tenants.lst], which is no command's; did you mean list?"),
        ("[tenants]\nsizes = true", "sets sizes in [tenants], which has commands; give it to one of them, as in [tenants.digest]."),
        ("[list]\nwindow_s = 3", "sets list.window_s, which is no flag of this command; `--help` lists the flags."),
        ("rows = 0", "c.toml sets rows to 0; "),
        ("rows = 'many'", "c.toml sets rows to 'many'; "),
        ("rows = 1979-05-27", "sets rows to"),
        ("rows = ", "is not TOML"),
    ],
)
def test_what_the_file_has_wrong_is_an_error_of_use(tmp_path: Path, file: str, said: str) -> None:
    found = call(tmp_path, file)

    assert isinstance(found, str)
    assert said in found


def test_a_file_that_is_not_there_is_an_error_of_use(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["list", f"--config={tmp_path / 'no.toml'}"], env={"COLUMNS": "400"})

    assert done.exit_code == 2
    assert "it cannot be read" in done.stderr


def test_the_file_may_be_named_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("rows = 4")
    SEEN.clear()

    CliRunner().invoke(app, ["list"], env={"GRAPH_CONFIG": str(tmp_path / "c.toml")})

    assert [(Where(), How(4))] == SEEN


def test_an_error_names_the_variable_by_which_the_file_was_named(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("row = 4")

    done = CliRunner().invoke(app, ["list"], env={"GRAPH_CONFIG": str(tmp_path / "c.toml"), "COLUMNS": "400"})

    assert f"GRAPH_CONFIG {tmp_path / 'c.toml'} sets row, " in done.stderr


def test_the_table_of_the_job_is_not_that_of_another_command_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[run]\nfollow = true\n[backfill.run]\nfrom = 'nonsense'\n")

    done = CliRunner().invoke(graph_build, ["backfill", f"--config={tmp_path / 'c.toml'}"], env={"COLUMNS": "400"})

    assert done.exit_code == 2
    assert "--from is 'nonsense'" in done.stderr


def test_the_names_of_commands_flags_and_variables_are_those_of_the_commands() -> None:
    flags: set[str] = set()
    variables: set[str] = set()

    def look(command: Any) -> tuple[str, ...]:
        for parameter in command.params:
            flags.update(one.removeprefix("--") for one in parameter.opts if one.startswith("--"))
            named = parameter.envvar or ()
            variables.update([named] if isinstance(named, str) else named)
        for one in getattr(command, "commands", {}).values():
            look(one)
        return tuple(getattr(command, "commands", ()))

    found = {name: look(typer.main.get_command(importlib.import_module(one.module).app)) for name, one in COMMANDS.items()}

    assert found == setting_names.COMMANDS
    assert flags - {"config", "help"} == setting_names.FLAGS
    assert {one for one in variables if one.startswith("GRAPH_")} | {"GRAPH_STACK_DIR"} == setting_names.GRAPH_VARIABLES


def test_every_flag_has_a_variable_but_the_one_that_answers_a_question() -> None:
    SEEN.clear()

    CliRunner().invoke(app, ["list"], env={"GRAPH_ROWS": "5", "GRAPH_SIZES": "1", "GRAPH_NAME": "a b", "GRAPH_YES": "1"})

    assert [(Where(), How(5, sizes=True, names=["a", "b"], yes=False))] == SEEN


def test_how_a_server_is_reached_comes_last_in_the_help() -> None:
    said = CliRunner().invoke(app, ["list", "--help"], env={"COLUMNS": "400"}).stdout

    assert said.index("--rows") < said.index("--brokers") < said.index("--config")


def test_a_server_that_the_file_names_needs_the_other_too(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("kafka_brokers = 'k:1'")

    done = CliRunner().invoke(tenants, ["list", f"--config={tmp_path / 'c.toml'}"], env={"COLUMNS": "400"})

    assert done.exit_code == 2
    assert "kafka_brokers in the configuration file is set, but NEO4J_URI is not" in done.stderr
