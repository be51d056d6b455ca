"""The table of what clusters need follows from its constants."""

import json

import pytest
from typer.testing import CliRunner

from scripts.scaling import Constants, app, needs

CONSTANTS = Constants(cpu_s_per_million=50, rows_per_s=16_000, slot_per_s=6_000, partition_per_s=20_000, bytes_per_object=4_000)


def test_production_sends_169_messages_a_second_and_cluster() -> None:
    assert needs(1, 1010, CONSTANTS).messages_per_s == pytest.approx(169, abs=1)


def test_everything_grows_with_clusters() -> None:
    few, many = needs(10, 1010, CONSTANTS), needs(1000, 1010, CONSTANTS)

    assert many.messages_per_s == pytest.approx(100 * few.messages_per_s)
    assert many.cores == pytest.approx(100 * few.cores)
    assert (few.neo4j, few.partitions, few.breaks_first) == (1, 1, "nothing")
    assert many.neo4j > few.neo4j
    assert many.slots > few.slots


def test_what_breaks_first_is_what_is_nearest_to_its_limit() -> None:
    slow = Constants(500, 16_000, 6_000, 20_000, 4_000)
    narrow = Constants(5, 1_000, 6_000, 20_000, 4_000)

    assert needs(100, 1010, slow).breaks_first.startswith("a core of Python")
    assert needs(100, 1010, narrow).breaks_first.startswith("the writes of one Neo4j")


def test_the_command_prints_a_row_for_each_number_and_refuses_what_is_none() -> None:
    done = CliRunner().invoke(app, ["--clusters", "5,50", "--json"])
    assert [one["clusters"] for one in json.loads(done.stdout)["clusters"]] == [5, 50]
    assert CliRunner().invoke(app, ["--clusters", "5"]).exit_code == 0
    assert CliRunner().invoke(app, ["--clusters", "x"]).exit_code == 2
