"""Dashboard and alerts ask for metrics that there are, are as declared, and fire when they should, by Prometheus' own tools."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.monitoring.__main__ import files
from scripts.monitoring.alerts import ALERTS
from scripts.monitoring.dashboard import dashboard
from scripts.monitoring.panels import FLINK, ROWS
from tests.support.places import CHECKOUT
from tests.support.prometheus import binary
from transforms.model.metrics import METRICS, Metric, MetricType

RULES = CHECKOUT / "deploy" / "monitoring" / "alerts.yaml"
EXPRESSIONS = [query.expr for row in (*ROWS, FLINK) for panel in row.panels for query in panel.queries]
NAMES = {metric.name + ("_total" if metric.type is MetricType.COUNTER else "") for metric in METRICS}
NAMES |= {f"{metric.name}_bucket" for metric in METRICS if metric.type is MetricType.HISTOGRAM}


def asked(expr: str) -> set[str]:
    """The job's own metrics in a query."""
    return set(re.findall(r"\bgraph_\w+", expr))


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_file_is_as_declared(path: Path) -> None:
    assert path.read_text() == files()[path], "run python -m scripts.monitoring"


def test_only_metrics_that_there_are_are_asked_for() -> None:
    for expr in (*EXPRESSIONS, *(one.expr for one in ALERTS)):
        assert asked(expr) <= NAMES, expr


def shown() -> set[str]:
    expressions = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return {name.removesuffix("_bucket").removesuffix("_count") for expr in expressions for name in asked(expr)}


def test_every_metric_is_on_the_dashboard() -> None:
    assert shown() == {name for name in NAMES if not name.endswith("_bucket")}


@pytest.mark.parametrize("kind", MetricType)
def test_a_new_metric_is_on_the_dashboard_at_once(kind: MetricType, monkeypatch: pytest.MonkeyPatch) -> None:
    new = Metric("graph_brand_new", kind, "New.", ("step",))
    monkeypatch.setattr("scripts.monitoring.dashboard.METRICS", (*METRICS, new))

    assert shown() >= {"graph_brand_new" + ("_total" if kind is MetricType.COUNTER else "")}


def test_panels_have_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({*cells}) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert all(target["refId"] for panel in panels for target in panel.get("targets", ()))


def test_each_alert_has_a_runbook_under_its_name() -> None:
    headings = {
        line[4:].strip().lower() for line in (CHECKOUT / "docs" / "operations.md").read_text().splitlines() if line.startswith("### ")
    }
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]

    assert len(rules) == len(ALERTS)
    for rule in rules:
        document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (CHECKOUT / document).exists()
        assert anchor in headings


def test_promtool_accepts_the_rules() -> None:
    done = subprocess.run([binary("promtool"), "check", "rules", RULES], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


# By alert: series that make it fire at the minute, with the labels that it then has; and series that must not.
Series = dict[str, str]
JOB = 'job="g"'
FIRES: dict[str, tuple[Series, int, dict[str, str]]] = {
    "GraphBuildNotActive": ({f'graph_active{{{JOB}, pod="a"}}': "1x5 0x30", f'graph_active{{{JOB}, pod="b"}}': "0x60"}, 12, {}),
    "GraphBuildTwiceActive": ({f'graph_active{{{JOB}, pod="a"}}': "1x60", f'graph_active{{{JOB}, pod="b"}}': "1x60"}, 10, {}),
    "GraphBuildStalled": (
        {f"graph_last_commit_timestamp_seconds{{{JOB}}}": "60x60", f'graph_lag_offsets{{{JOB}, topic="t", partition="0"}}': "5x60"},
        20,
        {},
    ),
    "GraphBuildNotFresh": (
        {
            f'graph_freshness_seconds_total{{{JOB}, client_id="af-10"}}': "0+700x60",
            f'graph_freshness_batches_total{{{JOB}, client_id="af-10"}}': "0+10x60",
            f'graph_freshness_seconds_total{{{JOB}, client_id="af-11"}}': "0+500x60",
            f'graph_freshness_batches_total{{{JOB}, client_id="af-11"}}': "0+10x60",
        },
        25,
        {"client_id": "af-10"},
    ),
    "GraphBuildLagGrows": ({f'graph_lag_offsets{{{JOB}, topic="t", partition="0"}}': "100000+6000x120"}, 90, {}),
    "GraphBuildFaults": ({f"graph_faults_total{{{JOB}}}": "0+1x60"}, 20, {}),
    # Born with its first event.
    "GraphBuildOffsetsLost": ({f'graph_gaps_total{{{JOB}, topic="t", partition="0"}}': "_x20 1x60"}, 22, {"topic": "t"}),
    "GraphBuildPartitionLeftOut": (
        {f'graph_partitions_set_aside{{{JOB}, topic="t", partition="0", cause="no_leader"}}': "1x60"},
        10,
        {"topic": "t", "partition": "0", "cause": "no_leader"},
    ),
    "GraphBuildHeldBack": (
        {f'graph_held_back_offsets{{{JOB}, topic="t", partition="0"}}': "7x60"},
        20,
        {"topic": "t", "partition": "0"},
    ),
    "GraphBuildTenantQuarantined": ({f"graph_quarantined_tenants{{{JOB}}}": "1x60"}, 5, {}),
    # The second of a kind, beside a tenant in which nothing is new.
    "GraphBuildIncidentOpened": (
        {
            f'graph_open_incidents{{{JOB}, client_id="af-10", kind="OOM_KILLED"}}': "1x20 2x40",
            f'graph_open_incidents{{{JOB}, client_id="af-11", kind="OOM_KILLED"}}': "1x60",
        },
        22,
        {"client_id": "af-10", "kind": "OOM_KILLED"},
    ),
    "GraphBuildAnalysesFail": (
        {
            f'graph_incident_analyses_total{{{JOB}, client_id="af-10", result="failed"}}': "_x20 1x60",
            f'graph_incident_analyses_total{{{JOB}, client_id="af-10", result="ok"}}': "0+1x60",
            f'graph_incident_analyses_total{{{JOB}, client_id="af-11", result="ok"}}': "0+1x60",
        },
        25,
        {"client_id": "af-10"},
    ),
    "GraphBuildRejects": (
        {
            f'graph_rejects_total{{{JOB}, client_id="af-10", reason="bad_key"}}': "0+6x60",
            f'graph_records_total{{{JOB}, client_id="af-10", outcome="written"}}': "0+94x60",
            f'graph_records_total{{{JOB}, client_id="af-10", outcome="rejected"}}': "0+6x60",
            f'graph_rejects_total{{{JOB}, client_id="af-11", reason="bad_key"}}': "0+4x60",
            f'graph_records_total{{{JOB}, client_id="af-11", outcome="written"}}': "0+100x60",
        },
        40,
        {"client_id": "af-10"},
    ),
    "GraphBuildDefect": ({f'graph_internal_faults_total{{{JOB}, step="decode"}}': "0x30 1x60"}, 33, {"step": "decode"}),
    "GraphBuildJobRestarts": ({f"graph_job_restarts{{{JOB}}}": "0x20 0+1x60"}, 25, {}),
    "GraphBuildCheckpointOld": ({f"graph_last_checkpoint_timestamp_seconds{{{JOB}}}": "60x60"}, 30, {}),
}
# All is well: nothing fires, a standby replica and a job without Flink included.
WELL: Series = {
    f'graph_active{{{JOB}, pod="a"}}': "1x120",
    f'graph_active{{{JOB}, pod="b"}}': "0x120",
    f'graph_last_commit_timestamp_seconds{{{JOB}, pod="a"}}': "0+60x120",
    f'graph_last_commit_timestamp_seconds{{{JOB}, pod="b"}}': "0x120",
    f'graph_lag_offsets{{{JOB}, topic="t", partition="0"}}': "10x120",
    f'graph_freshness_seconds_total{{{JOB}, client_id="af-10"}}': "0+50x120",
    f'graph_freshness_batches_total{{{JOB}, client_id="af-10"}}': "0+10x120",
    f"graph_faults_total{{{JOB}}}": "0x120",
    f'graph_gaps_total{{{JOB}, topic="t", partition="0"}}': "3x120",
    f'graph_partitions_set_aside{{{JOB}, topic="t", partition="0", cause="no_leader"}}': "0x120",
    f'graph_held_back_offsets{{{JOB}, topic="t", partition="0"}}': "0x120",
    f"graph_quarantined_tenants{{{JOB}}}": "0x120",
    f'graph_records_total{{{JOB}, client_id="af-10", outcome="written"}}': "0+100x120",
    f'graph_rejects_total{{{JOB}, client_id="af-10", reason="bad_key"}}': "0+1x120",
    f'graph_internal_faults_total{{{JOB}, step="decode"}}': "1x120",
    f"graph_job_restarts{{{JOB}}}": "0x120",
    # Long open, and over.
    f'graph_open_incidents{{{JOB}, client_id="af-10", kind="CRASH_LOOP"}}': "1x120",
    f'graph_open_incidents{{{JOB}, client_id="af-11", kind="CRASH_LOOP"}}': "1x5 0x115",
    f'graph_incident_analyses_total{{{JOB}, client_id="af-10", result="ok"}}': "0+1x120",
    f"graph_last_checkpoint_timestamp_seconds{{{JOB}}}": "0x120",
}


def case(series: Series, alert: str, minute: int, labels: dict[str, str] | None) -> dict[str, Any]:
    """A unit test of a rule. labels: of what fires, besides those of the rule; None for nothing."""
    wanted: dict[str, Any] = {"alertname": alert, "eval_time": f"{minute}m", "exp_alerts": []}
    if labels is not None:
        (rule,) = (one.rule for one in ALERTS if one.name == alert)
        wanted["exp_alerts"] = [{"exp_labels": {"job": "g", **rule["labels"], **labels}}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [wanted],
    }


def promtool_tests(tmp_path: Path, *cases: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    # Annotations hold values that depend on the interval; which series fires is what is asked here.
    rules = yaml.safe_load(RULES.read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["annotations"] = {}
    (tmp_path / "rules.yaml").write_text(json.dumps(rules))
    file = tmp_path / "test.yaml"
    file.write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": cases}))
    return subprocess.run([binary("promtool"), "test", "rules", file], capture_output=True, text=True, check=False)


def test_every_alert_is_tried() -> None:
    assert FIRES.keys() == {one.name for one in ALERTS}


@pytest.mark.parametrize("alert", FIRES)
def test_an_alert_fires_for_what_it_is_made_for(alert: str, tmp_path: Path) -> None:
    series, minute, labels = FIRES[alert]

    done = promtool_tests(tmp_path, case(series, alert, minute, labels))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("looked", "labels"), [("1x60", {"client_id": "af-10", "kind": "CRASH_LOOP"}), ("_x20 1x60", None)])
def test_the_first_incident_of_a_kind_is_new_where_the_job_had_looked_before(
    looked: str, labels: dict[str, str] | None, tmp_path: Path
) -> None:
    series = {
        f'graph_open_incidents{{{JOB}, client_id="af-10", kind="CRASH_LOOP"}}': "_x20 1x60",
        f'graph_tenants{{{JOB}, state="ACTIVE"}}': looked,
    }
    done = promtool_tests(tmp_path, case(series, "GraphBuildIncidentOpened", 22, labels))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_alert_fires_while_all_is_well(tmp_path: Path) -> None:
    done = promtool_tests(tmp_path, *(case(WELL, one.name, minute, None) for one in ALERTS for minute in (20, 60, 110)))

    assert done.returncode == 0, done.stdout + done.stderr
