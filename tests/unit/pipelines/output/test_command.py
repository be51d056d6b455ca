"""How a fault ends a command: one sentence, and the exit code of its kind."""

import pytest

from pipelines.output.command import exit_on_fault
from transforms.io.faults import InfrastructureFault, WrongSetting
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret

AWAY = Neo4jTarget("bolt://n:7687", "neo4j", Secret()).fault(OSError("no route"))


@pytest.mark.parametrize(
    ("fault", "code"), [(InfrastructureFault("It is away; start it."), 1), (WrongSetting("It is not set; set it."), 2)]
)
def test_a_fault_ends_the_command_with_its_sentence(fault: InfrastructureFault, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised, exit_on_fault():
        raise fault

    assert raised.value.code == code
    assert capsys.readouterr().err == f"{fault.sentence}\n"


@pytest.mark.parametrize(
    ("commits", "said"),
    [
        (True, "(no route); nothing after the last committed offsets counts as done: start it or fix NEO4J_URI"),
        (False, "(no route); start it or fix NEO4J_URI"),
    ],
)
def test_what_was_committed_is_told_of_by_commands_that_commit(commits: bool, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), exit_on_fault(commits=commits):
        raise AWAY

    assert said in capsys.readouterr().err
