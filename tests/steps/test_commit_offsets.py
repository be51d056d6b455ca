"""Offsets of a stream are committed, later where Kafka is away, and never backwards."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import Place
from transforms.io.kafka.target import KafkaTarget
from transforms.steps import commit_offsets as step
from transforms.steps.commit_offsets import CommitOffsetsFn
from transforms.steps.read_stream import encode_positions

A, B = ("events.normalized", 0), ("events.normalized", 1)


class Offsets:
    """Kafka as the step sees it: away as long as it is told to be."""

    def __init__(self, _target: KafkaTarget) -> None:
        self.is_away = False
        self.is_closed = False
        self.commits: list[dict[Place, int]] = []

    def commit(self, ends: dict[Place, int]) -> None:
        if self.is_away:
            raise InfrastructureFault("Kafka is away; start it.")
        self.commits.append(dict(ends))

    def commit_again(self) -> None:
        self.commit({})

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def offsets(monkeypatch: pytest.MonkeyPatch) -> Offsets:
    found = Offsets(KafkaTarget("unused", "unused"))
    monkeypatch.setattr(step, "KafkaOffsets", lambda _target: found)
    monkeypatch.setattr(step, "AGAIN_S", 0.05)
    return found


@pytest.fixture
def fn(offsets: Offsets) -> Iterator[CommitOffsetsFn]:
    found = CommitOffsetsFn(KafkaTarget("unused", "unused"))
    found.setup()
    yield found
    found.teardown()
    assert offsets.is_closed or not offsets.commits


def settle(fn: CommitOffsetsFn, *reached: dict[Place, int]) -> None:
    assert list(fn.process(("", [encode_positions(one)[1] for one in reached]))) == []


def await_that(holds: Any) -> None:
    limit = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_the_furthest_position_of_each_partition_is_committed(fn: CommitOffsetsFn, offsets: Offsets) -> None:
    settle(fn, {A: 5, B: 2}, {A: 3, B: 7})
    settle(fn, {A: 6})
    assert offsets.commits == [{A: 5, B: 7}, {A: 6}]


def test_what_could_not_be_committed_is_committed_later_though_nothing_more_comes(fn: CommitOffsetsFn, offsets: Offsets) -> None:
    offsets.is_away = True
    settle(fn, {A: 5})
    settle(fn, {B: 2})
    time.sleep(0.2)
    assert offsets.commits == []

    offsets.is_away = False

    await_that(lambda: offsets.commits)
    time.sleep(0.2)
    assert offsets.commits == [{A: 5, B: 2}], "once"


def test_after_the_end_nothing_is_committed_any_more(fn: CommitOffsetsFn, offsets: Offsets) -> None:
    offsets.is_away = True
    settle(fn, {A: 5})
    fn.teardown()
    offsets.is_away = False
    time.sleep(0.3)
    assert offsets.commits == []


def test_what_is_committed_is_committed_again_though_nothing_more_comes(
    fn: CommitOffsetsFn, offsets: Offsets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "REFRESH_S", 0.05)
    settle(fn, {A: 5})

    await_that(lambda: offsets.commits[1:] == [{}, {}])
    offsets.is_away = True
    settle(fn, {A: 6})
    offsets.is_away = False

    await_that(lambda: {A: 6} in offsets.commits)
    after = len(offsets.commits)
    await_that(lambda: len(offsets.commits) > after)
    assert offsets.commits[-1] == {}, "and then again"
