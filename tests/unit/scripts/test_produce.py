"""The sample is produced to topics that take all of it, or not at all."""

from typing import Any

import pytest

from scripts.sampling import produce
from scripts.sampling.produce import TopicTooSmall, check_sizes
from scripts.sampling.record import SampleRecord

RECORDS = [SampleRecord("a", b"k", b"x" * 2000, 0), SampleRecord("a", b"k", None, 0), SampleRecord("b", None, b"x" * 5000, 0)]


def _broker(sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def __init__(self, value: int) -> None:
            self.value = str(value)

    class Answer:
        def __init__(self, value: int) -> None:
            self._value = value

        def result(self) -> dict[str, Entry]:
            return {"max.message.bytes": Entry(self._value)}

    class Admin:
        def __init__(self, _settings: Any) -> None: ...

        def describe_configs(self, asked: Any) -> Any:
            return {one: Answer(sizes[one.name]) for one in asked}

    monkeypatch.setattr(produce, "AdminClient", Admin)


def test_topics_that_take_the_largest_record_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    _broker({"a": 3000, "b": 6000}, monkeypatch)

    check_sizes("k:1", RECORDS)


def test_each_topic_that_is_too_small_is_named_with_its_size_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    _broker({"a": 3000, "b": 5000}, monkeypatch)

    with pytest.raises(TopicTooSmall) as raised:
        check_sizes("k:1", RECORDS)

    said = str(raised.value)
    assert "max.message.bytes): b (5000)." in said
    assert "a (3000)" not in said
    assert "--add-config max.message.bytes=2097152" in said
    with pytest.raises(TopicTooSmall, match=r"--add-config max\.message\.bytes=4194304"):
        check_sizes("k:1", [*RECORDS, SampleRecord("b", None, b"x" * 3_000_000, 0)])
