"""One command for all: it lists its sub-commands without their imports, and each is the module's own."""

import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import COMMANDS, app


def test_help_lists_every_sub_command_and_imports_none() -> None:
    asked = (
        "import sys; from typer.testing import CliRunner; from pipelines.cli import COMMANDS, app\n"
        "said = CliRunner().invoke(app, ['--help']).stdout\n"
        "print(all(name in said for name in COMMANDS), sorted({one.module for one in COMMANDS.values()} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.split(" ", 1) == ["True", "[]\n"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_sub_command_is_there(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"])

    assert done.exit_code == 0
    assert f"graph-build {name}" in done.stdout


@pytest.mark.parametrize("arguments", [["mend"], ["tenants", "list", "--nope"], ["run", "--runner=x"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_misspelt_command_is_told_with_the_one_that_was_meant() -> None:
    done = CliRunner().invoke(app, ["runn", "--follow"])

    assert done.exit_code == 2
    assert "No such command 'runn'. Did you mean run?" in done.stderr


def test_a_misspelt_command_of_a_group_that_runs_by_default_is_told_too() -> None:
    done = CliRunner().invoke(app, ["backfill", "statsu"])

    assert done.exit_code == 2
    assert "No such command 'statsu'. Did you mean 'status'?" in done.stderr


@pytest.mark.parametrize("given", [["--config", "f"], ["--config=f"]])
def test_a_configuration_file_between_group_and_command_is_told_where_to_stand(given: list[str]) -> None:
    done = CliRunner().invoke(app, ["tenants", *given, "list"])

    assert done.exit_code == 2
    assert "--config stands after the command; put it after list." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["run", "--every_s", "abc"], {}, "--every_s is 'abc'; it must be a valid number."),
        (["run"], {"GRAPH_EVERY_S": "abc"}, "GRAPH_EVERY_S is 'abc'; it must be a valid number."),
        (["incidents", "notify", "--every_s=abc"], {}, "--every_s is 'abc'; it must be a valid number."),
        (["console", "--port=99999"], {}, "--port is '99999'; it must be less than or equal to 65535."),
    ],
)
def test_a_value_that_is_no_number_is_named_with_what_gave_it(arguments: list[str], variables: dict[str, str], said: str) -> None:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "400", **variables})

    assert (done.exit_code, said in done.stderr) == (2, True)


def test_the_package_is_the_command_for_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["pipelines"])

    with pytest.raises(SystemExit):
        runpy.run_module("pipelines", run_name="__main__")

    assert "Usage: python -m pipelines [OPTIONS] COMMAND" in "".join(capsys.readouterr())


def test_a_configuration_file_may_be_named_before_the_command_and_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_CONFIG", "")
    file, other = tmp_path / "a.toml", tmp_path / "b.toml"
    file.write_text("neo4j_usr = 'me'\n")
    other.write_text("neo4j_uir = 'bolt://n:1'\n")

    before = CliRunner().invoke(app, ["--config", str(file), "tenants", "list"], env={"COLUMNS": "400"})
    after = CliRunner().invoke(app, ["--config", str(file), "tenants", "list", "--config", str(other)], env={"COLUMNS": "400"})

    assert (before.exit_code, after.exit_code) == (2, 2)
    assert f"--config {file} sets neo4j_usr" in before.output
    assert f"--config {other} sets neo4j_uir" in after.output


def test_the_version_is_that_of_the_package() -> None:
    declared = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]["version"]

    assert CliRunner().invoke(app, ["--version"]).stdout == f"graph-build {declared}\n"


def test_a_shell_is_given_completions() -> None:
    done = CliRunner().invoke(app, [], env={"_GRAPH_BUILD_COMPLETE": "complete_bash", "COMP_WORDS": "graph-build te", "COMP_CWORD": "1"})

    assert "tenants" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("graph-build run --kafka_reader b", "beam\nbounded"),
        ("graph-build run --runner F", "FlinkRunner"),
        ("graph-build run --incidents o", "on\noff"),
        ("graph-build incidents list --state r", "resolved"),
    ],
)
def test_a_shell_is_given_the_values_that_a_flag_takes(typed: str, offered: str) -> None:
    at = str(len(typed.split()) - 1)

    done = CliRunner().invoke(app, [], env={"_GRAPH_BUILD_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": at})

    assert done.stdout.strip() == offered


def test_the_help_of_the_job_has_a_heading_for_each_group_the_servers_first() -> None:
    said = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).stdout

    places = [
        said.index(f"\n{one}:\n")
        for one in ("Servers: A Kafka cluster and the consumer group", "How a run reads, and in which slices", "Options")
    ]
    assert places == sorted(places)
    assert places[0] < said.index("--kafka_brokers") < places[1] < said.index("--runner <") < places[2] < said.index("--config")
