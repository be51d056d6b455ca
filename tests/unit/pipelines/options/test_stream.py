"""What goes together on a runner, and what a stream is told."""

from pathlib import Path

import pytest
import typer

from pipelines.options.flink import FlinkOptions
from pipelines.options.run import FollowOptions, RunOptions
from pipelines.options.stream import StreamOptions
from runners.flink.settings import FlinkAddresses
from runners.local.endpoints import STACK_DIR_VARIABLE
from transforms.steps.arrival import ArrivalWindow


@pytest.mark.parametrize(
    ("runner", "reader", "bounded", "streams"),
    [
        ("DirectRunner", "auto", False, False),
        ("DirectRunner", "beam", True, False),
        ("FlinkRunner", "auto", False, True),
        ("FlinkRunner", "beam", False, True),
        ("PortableRunner", "auto", True, False),
        ("FlinkRunner", "bounded", True, False),
    ],
)
def test_a_job_streams_on_flink_unless_it_is_bounded(runner: str, reader: str, bounded: bool, streams: bool) -> None:
    assert RunOptions(runner=runner, kafka_reader=reader).streams(bounded=bounded) is streams


@pytest.mark.parametrize(
    ("runner", "reader", "bounded"),
    [("SparkRunner", "auto", False), ("FlinkRunner", "bounded", False), ("FlinkRunner", "beam", True)],
)
def test_runners_and_readers_that_do_not_go_together_are_errors_of_use(runner: str, reader: str, bounded: bool) -> None:
    with pytest.raises(typer.BadParameter):
        RunOptions(runner=runner, kafka_reader=reader).streams(bounded=bounded)


def test_a_slice_on_a_cluster_is_long_and_is_read_in_ranges() -> None:
    on_flink = RunOptions(runner="FlinkRunner")
    assert (on_flink.seconds_of_slice(), on_flink.reader(follow=False, java_side="h:1").reader) == (120, "bounded")
    assert RunOptions().seconds_of_slice() == 10


def test_follow_is_not_for_flink_and_metrics_are() -> None:
    with pytest.raises(typer.BadParameter, match="--follow is for --runner=DirectRunner"):
        FollowOptions(follow=True).check(streams=True)
    FollowOptions(metrics_port=9464).check(streams=True)
    with pytest.raises(typer.BadParameter, match="--metrics_port"):
        FollowOptions(metrics_port=9464).check()
    with pytest.raises(typer.BadParameter, match="--standby is for --follow"):
        FollowOptions(standby=True).check()
    FollowOptions(standby=True, follow=True).check()


def test_flinks_addresses_are_those_named_and_a_stream_has_the_windows_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(STACK_DIR_VARIABLE, str(tmp_path))
    flink = FlinkOptions(flink_master="flink:8081", flink_parallelism=7).settings("PortableRunner", "job")
    found = StreamOptions(window_s=5, checkpoint_s=2.5).on(flink)
    assert (found.addresses.master, found.addresses.worker_pool) == ("flink:8081", FlinkAddresses().worker_pool)
    assert (found.tell_master, found.parallelism, found.checkpoint_ms, found.job_name) == (False, 7, 2500, "job")
    assert StreamOptions(window_s=5).window() == ArrivalWindow(5)
