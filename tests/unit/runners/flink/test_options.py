"""What a submission tells Beam, what a stack trace comes down to, what preflight judges, and how the local cluster is set up."""

from pathlib import Path

import pytest

from runners.flink.answers import Overview
from runners.flink.beam_options import beam_options
from runners.flink.causes import root_cause
from runners.flink.options import pipeline_flags
from runners.flink.preflight import judge_cluster, judge_read
from runners.flink.settings import HEAP, ROCKSDB, FlinkAddresses, FlinkSettings
from runners.local.flink_conf import FlinkPorts, FlinkShape, cluster_settings, conf_text
from tests.unit.runners.flink.test_rest import TRACE
from transforms.io.faults import InfrastructureFault

PLAIN = FlinkSettings("graph")


def test_every_streaming_job_ends_its_bundles_before_a_checkpoint_and_reads_with_flinks_source() -> None:
    flags = pipeline_flags(PLAIN)

    assert "--finish_bundle_before_checkpointing" in flags
    assert "--experiments=use_deprecated_read" in flags
    assert "--streaming" in flags
    assert "--checkpointing_interval=10000" in flags


def test_addresses_go_where_each_is_used_and_the_master_only_when_it_is_to_be_told() -> None:
    at = FlinkAddresses("flink:8081", "jobs:8099", "expansion:8097", "localhost:50000")

    told = pipeline_flags(FlinkSettings("graph", at))
    untold = pipeline_flags(FlinkSettings("graph", at, tell_master=False))

    assert {"--job_endpoint=jobs:8099", "--environment_config=localhost:50000", "--flink_master=flink:8081"} <= set(told)
    assert set(told) - set(untold) == {"--flink_master=flink:8081"}


@pytest.mark.parametrize(("backend", "flag"), [("", None), (HEAP, "--state_backend=filesystem"), (ROCKSDB, "--state_backend=rocksdb")])
def test_the_state_backend_goes_by_beams_name_or_not_at_all(backend: str, flag: str | None) -> None:
    found = [one for one in pipeline_flags(FlinkSettings("graph", state_backend=backend)) if one.startswith("--state_backend=")]

    assert found == ([flag] if flag else [])


def test_a_resumed_job_names_its_savepoint_and_a_bounded_one_has_no_checkpoints() -> None:
    resumed = pipeline_flags(FlinkSettings("graph", savepoint="file:/s", skip_lost_state=True, checkpoint_dir="s3://c"))
    bounded = pipeline_flags(FlinkSettings("graph", streaming=False, savepoint="file:/s"))

    assert {"--savepoint_path=file:/s", "--allow_non_restored_state", "--state_backend_storage_path=s3://c"} <= set(resumed)
    assert not [flag for flag in bounded if "checkpoint" in flag or "savepoint" in flag or flag == "--streaming"]


def test_beam_takes_every_flag_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    settings = FlinkSettings("graph", savepoint="file:/s", skip_lost_state=True, checkpoint_dir="s3://c", state_backend=ROCKSDB)

    told = beam_options(settings).get_all_options()

    assert not caplog.records
    assert told["max_bundle_size"] == 5000
    assert told["finish_bundle_before_checkpointing"] is True
    assert told["savepoint_path"] == "file:/s"
    assert told["flink_master"] == "127.0.0.1:8081"


@pytest.mark.parametrize(
    ("trace", "cause"),
    [
        ("", ""),
        (TRACE, "ValueError: too many values to unpack (expected 2)"),
        (f"java.lang.Exception: x\nCaused by: {InfrastructureFault('Neo4j is away; start it.')}\n\tat y\n", "Neo4j is away; start it."),
        ("a.B: x\n\tat c\nCaused by: d.EException: f.GException: No slots.\n\tat h\n", "No slots."),
        ("a.B: only line\n\tat c\n", "a.B: only line"),
        ("Caused by: d.EException: \n", "d.EException:"),
        ("z" * 9999, "z" * 300),
    ],
)
def test_a_stack_trace_comes_down_to_one_line(trace: str, cause: str) -> None:
    assert root_cause(trace) == cause


@pytest.mark.parametrize(
    ("version", "task_managers", "free", "said"),
    [
        ("1.19.3", 1, 2, []),
        ("1.19", 1, 4, []),
        ("1.190.0", 1, 4, ["is version 1.190.0"]),
        ("1.20.0", 1, 4, ["is version 1.20.0"]),
        ("1.19.3", 0, 0, ["has no TaskManager"]),
        ("1.19.3", 1, 1, ["has 1 of 4 slots free and the job takes 2"]),
        ("2.0.0", 0, 0, ["is version 2.0.0", "has no TaskManager"]),
    ],
)
def test_a_cluster_is_judged_by_version_taskmanagers_and_slots(version: str, task_managers: int, free: int, said: list[str]) -> None:
    found = list(judge_cluster("f:1", Overview(version, task_managers, 4, free), 2))

    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("transforms", "environments", "well"),
    [
        ({"beam:transform:read:v1"}, {"EMBEDDED", "beam:env:default:v1"}, True),
        ({"beam:transform:pardo:v1"}, {"EMBEDDED"}, False),
        ({"beam:transform:read:v1"}, {"beam:env:external:v1"}, False),
    ],
)
def test_an_expansion_service_is_for_flink_only_with_its_native_read_within_the_taskmanager(
    transforms: set[str], environments: set[str], well: bool
) -> None:
    assert [*judge_read("e:1", transforms, environments)] == [] if well else "e:1" in next(judge_read("e:1", transforms, environments))


def test_the_local_cluster_binds_every_port_to_loopback(tmp_path: Path) -> None:
    settings = cluster_settings(tmp_path, FlinkPorts(), FlinkShape(slots=3, state_backend=ROCKSDB))

    assert {value for name, value in settings.items() if name.endswith((".host", "-host", "address"))} == {"127.0.0.1"}
    for name in ("rest.bind-address", "jobmanager.bind-host", "taskmanager.bind-host"):
        assert settings[name] == "127.0.0.1"
    assert (settings["taskmanager.numberOfTaskSlots"], settings["state.backend.type"]) == ("3", "rocksdb")
    assert f"state.checkpoints.dir: file://{tmp_path}/checkpoints\n" in conf_text(settings)
