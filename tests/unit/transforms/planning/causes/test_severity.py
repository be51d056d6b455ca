"""How repeats raise a severity, whatever the order of the episodes."""

from itertools import permutations

import pytest

from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.severity import severities, worst
from transforms.planning.causes.world import Episode


def episode(eid: str, at: int, times: int = 1, severity: str = "WARNING", reason: str = "BackOff") -> Episode:
    return Episode(eid, "k8s.event", reason, "", "pod:shop:p", severity, times, at, at, "", {})


@pytest.mark.parametrize(("times", "severity"), [(1, "WARNING"), (2, "WARNING"), (3, "ERROR"), (5, "ERROR"), (6, "FATAL"), (1000, "FATAL")])
def test_kubernetes_own_count_raises_the_severity(times: int, severity: str) -> None:
    assert severities([episode("a", 0, times)]) == {"a": severity}


def test_repeats_count_at_or_before_within_five_minutes_in_any_order() -> None:
    held = [episode("a", 0), episode("b", 4 * MINUTE), episode("c", 5 * MINUTE), episode("d", 20 * MINUTE)]
    for order in permutations(held):
        found = severities(order)
        assert [found[one.eid] for one in held] == ["WARNING", "WARNING", "ERROR", "WARNING"]
    assert severities([*held, *held]) == severities(held)


def test_repeats_of_one_moment_count_for_each_other() -> None:
    assert severities([episode("a", 7), episode("b", 7), episode("c", 7)]) == dict.fromkeys("abc", "ERROR")


def test_what_is_harmless_stays_so_and_another_reason_does_not_count() -> None:
    assert severities([episode("a", 0, 9, "INFO")]) == {"a": "INFO"}
    assert severities([episode("a", 0), episode("b", 0, reason="Other"), episode("c", 0, reason="Other")])["a"] == "WARNING"
    assert worst(()) == "WARNING"
    assert worst(["WARNING", "UNKNOWN", "ERROR"]) == "ERROR"
