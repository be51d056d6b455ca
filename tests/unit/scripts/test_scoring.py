"""The score of findings on labelled incidents, on cases that the test makes; test_labelled.py has the others."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.scoring.__main__ import main
from scripts.scoring.cases import cases, rows_of
from scripts.scoring.measure import measure
from tests.support.broken_cluster import TENANT, Bus, killed, node, pod, workload


def put(folder: Path, name: str, bus: Bus, cause: str, truth: list[dict[str, str]]) -> None:
    made = folder / name
    made.mkdir(parents=True)
    label = {"case": name, "tenant": TENANT, "truth": truth, "related": [], "cause": cause, "category": "made"}
    (made / "case.json").write_text(json.dumps(label))
    with gzip.open(made / "records.jsonl.gz", "wt") as lines:
        for record in bus.records:
            assert record.key is not None
            assert record.value is not None
            held = {
                "topic": record.topic,
                "key": record.key.decode(),
                "value": json.loads(record.value),
                "timestamp_ms": record.timestamp_ms,
            }
            lines.write(json.dumps(held) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cart = [{"kind": "Deployment", "ns": "shop", "name": "cart"}]
    healthy = Bus().say(0, node("n1"), *workload("cart"), pod("cart"))
    broken = Bus().say(0, node("n1")).say(11, *workload("cart", ready=0), pod("cart", ready=False, since=10, state=killed(10)))
    put(tmp_path / "dev", "right", broken, "oom_killed", cart)
    put(tmp_path / "dev", "wrong-type", broken, "incorrect_image_reference", cart)
    put(tmp_path / "healthy", "works", healthy, "", [])
    return tmp_path


def run(*args: str) -> tuple[int, dict[str, Any]]:
    import typer  # noqa: PLC0415

    app = typer.Typer()
    app.command()(main)
    answer = CliRunner().invoke(app, [*args, "--json"])
    return answer.exit_code, json.loads(answer.stdout) if answer.stdout.startswith("{") else {}


def test_objects_and_types_are_scored_and_misses_say_why(folder: Path) -> None:
    code, found = run(str(folder / "dev"), "--own_rule_out")
    assert code == 0
    assert (found["figures"]["all"]["A@1"], found["figures"]["all"]["type"]) == (1.0, 0.5)
    assert found["figures"]["own_rule_out"]["cases"] == 2
    assert [one["case"] for one in found["misses"]] == ["wrong-type"]
    assert "OOM_KILLED in place of IMAGE_NOT_FOUND" in found["misses"][0]["why"]


def test_a_finding_that_is_left_out_names_no_cause(folder: Path) -> None:
    (case, *_) = cases(folder / "dev")
    client_id, rows = rows_of(case)
    assert measure(case, client_id, rows).leading == "OOM_KILLED"
    assert measure(case, client_id, rows, ("OOM_KILLED",)).leading != "OOM_KILLED"


def test_an_incident_in_a_cluster_that_works_is_a_failure(folder: Path) -> None:
    assert run(str(folder / "healthy"), "--healthy") == (0, {"clusters": {"works": {"incidents": 0, "why": "nothing was found"}}})
    assert run(str(folder / "dev"), "--healthy")[0] == 1


def test_wrong_use_is_told(folder: Path, tmp_path: Path) -> None:
    assert run(str(folder / "dev"), "--without", "NO_SUCH")[0] == 2
    assert run(str(tmp_path / "nowhere"))[0] == 2
