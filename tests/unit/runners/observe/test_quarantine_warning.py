"""The warning before held records are lost: in time, and at most once an hour."""

import pytest
from structlog.testing import capture_logs

from runners.observe.quarantine_warning import COUNT_EVERY_S, EVERY_S, QuarantineWatch, nearly_lost
from tests.support.failing_store import FailingStore
from transforms.io.graph_admin.quarantine import QuarantinedTenant
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.selection import LetterPlace

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("age_ms", "retention_ms", "left_ms"),
    [
        (0, DAY_MS, None),
        (DAY_MS * 8 // 10 - 1, DAY_MS, None),
        (DAY_MS * 8 // 10, DAY_MS, DAY_MS * 2 // 10),
        (2 * DAY_MS, DAY_MS, 0),
        (DAY_MS, None, None),
    ],
)
def test_a_tenant_is_warned_of_when_a_fifth_of_the_retention_is_left(age_ms: int, retention_ms: int | None, left_ms: int | None) -> None:
    one = QuarantinedTenant("af-10", "why", 5, 5 + age_ms)
    assert nearly_lost([one], retention_ms) == ([] if left_ms is None else [(one, left_ms)])


class Held(FailingStore):
    """One tenant is in quarantine, since long ago; notes when it was asked."""

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self.now = now
        self.asked: list[float] = []

    def ask(self, statement: str, **parameters: object) -> list[dict[str, object]]:
        self.asked.append(self.now[0])
        return [{"client_id": "af-10", "reason": "why", "at": 5, "now": 5 + DAY_MS}]


def test_it_counts_at_most_once_a_minute_and_warns_at_most_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    told: list[int] = []
    store = Held(now)
    watch = QuarantineWatch(store, KafkaTarget("127.0.0.1:1", "g"), LetterPlace("dead"), told.append, lambda: now[0])
    monkeypatch.setattr(watch, "_retention_ms", lambda: DAY_MS)

    with capture_logs() as logs:
        for at in (0.0, 1.0, COUNT_EVERY_S, EVERY_S - 1, EVERY_S, EVERY_S + COUNT_EVERY_S - 1):
            now[0] = at
            watch.look()

    assert store.asked == [0.0, COUNT_EVERY_S, EVERY_S - 1, EVERY_S + COUNT_EVERY_S - 1]
    assert told == [1] * 4
    assert [one["event"] for one in logs] == ["held records are about to be lost"] * 2
