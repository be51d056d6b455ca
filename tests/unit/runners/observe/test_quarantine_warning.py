"""The warning before held records are lost: in time, and at most once an hour."""

import pytest

from runners.observe.quarantine_warning import EVERY_S, QuarantineWatch, nearly_lost
from tests.support.failing_store import FailingStore
from transforms.io.graph_admin.quarantine import QuarantinedTenant
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.letters import LetterPlace

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


def test_it_looks_at_most_once_an_hour() -> None:
    now = [0.0]
    asked = []

    class Counting(FailingStore):
        def ask(self, statement: str, **parameters: object) -> list[dict[str, object]]:
            asked.append(now[0])
            return super().ask(statement, **parameters)

    watch = QuarantineWatch(Counting(), KafkaTarget("127.0.0.1:1", "g"), LetterPlace("dead"), lambda: now[0])
    for at in (0.0, 1.0, EVERY_S - 1, EVERY_S, EVERY_S + 1):
        now[0] = at
        watch.look()
    assert asked == [0.0, EVERY_S]
