"""Single-tenant mode has one flag; the job's older names for it change nothing that looks back at records."""

from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.deadletters.commands import app as deadletters
from pipelines.options.flow import single_tenant_id
from pipelines.options.letters import ReplayOptions


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[ReplayOptions]:
    found: list[ReplayOptions] = []
    monkeypatch.setattr("pipelines.deadletters.replay.replay_command", lambda *given: found.append(given[4]))
    return found


@pytest.mark.parametrize(
    ("flags", "environment", "tenant"),
    [
        ([], {"CLIENT_ID": "af-10"}, ""),
        ([], {"SINGLE_TENANT": "af-11", "CLIENT_ID": "af-10"}, "af-11"),
        (["--single_tenant=af-12"], {"SINGLE_TENANT": "af-11"}, "af-12"),
        (["--client_id=af-10"], {}, ""),
    ],
)
def test_a_replay_takes_its_own_flag_and_variable(
    flags: list[str], environment: dict[str, str], tenant: str, replayed: list[ReplayOptions]
) -> None:
    CliRunner().invoke(deadletters, ["replay", *flags], env={"SINGLE_TENANT": "", "CLIENT_ID": "", **environment})

    assert [how.single_tenant for how in replayed] == [tenant]


def test_an_exported_client_id_is_warned_of_where_it_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr("pipelines.options.flow.warn", lambda event, **_more: told.append(event))
    monkeypatch.setenv("CLIENT_ID", "af-10")

    assert (single_tenant_id(""), len(told)) == ("", 1)
    assert (single_tenant_id("af-11"), len(told)) == ("af-11", 1)
