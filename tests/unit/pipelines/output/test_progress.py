"""Progress of long work, told in the log now and then where there is no terminal."""

import io

import pytest
from structlog.testing import capture_logs

from pipelines.output.progress import Count


class Clock:
    """A clock that the test sets, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pipelines.output.progress.time.monotonic", clock)
    return clock


@pytest.mark.parametrize(("total", "told"), [(9, {"done": 5, "of": 9}), (None, {"done": 5}), (0, {"done": 5, "of": 0})])
def test_a_line_every_few_seconds_tells_what_is_done_and_of_what_where_that_is_known(
    clock: Clock, total: int | None, told: dict[str, int]
) -> None:
    with capture_logs() as logs, Count("letters read", total, io.StringIO()) as count:
        count.advance(2)
        clock.now += 5
        count.advance(3)
        count.advance(1)

    assert logs == [{"event": "letters read", "log_level": "info", **told}]
