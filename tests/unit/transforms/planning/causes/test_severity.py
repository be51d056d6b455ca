"""How repeats raise a severity, whatever the order of the episodes."""

from itertools import permutations

import pytest

from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.severity import escalated, severities, worst
from transforms.planning.causes.world import Episode


def episode(eid: str, at: int, times: int = 1, severity: str = "WARNING", reason: str = "BackOff") -> Episode:
    return Episode(eid, "k8s.event", reason, "", "pod:shop:p", severity, times, at, at, "", {})


@pytest.mark.parametrize(("times", "severity"), [(1, "WARNING"), (2, "WARNING"), (3, "ERROR"), (5, "ERROR"), (6, "FATAL"), (1000, "FATAL")])
def test_kubernetes_own_count_raises_the_severity(times: int, severity: str) -> None:
    assert escalated(episode("a", 0, times), ()) == severity


def test_repeats_count_at_or_before_within_five_minutes_in_any_order() -> None:
    held = [episode("a", 0), episode("b", 4 * MINUTE), episode("c", 5 * MINUTE), episode("d", 20 * MINUTE)]
    for order in permutations(held):
        assert [escalated(one, order) for one in held] == ["WARNING", "WARNING", "ERROR", "WARNING"]
    assert escalated(held[2], [*held, *held]) == "ERROR"


def test_what_is_harmless_stays_so_and_another_reason_does_not_count() -> None:
    assert escalated(episode("a", 0, 9, "INFO"), ()) == "INFO"
    assert escalated(episode("a", 0), [episode("b", 0, reason="Other"), episode("c", 0, reason="Other")]) == "WARNING"
    assert worst(()) == "WARNING"
    assert worst(["WARNING", "UNKNOWN", "ERROR"]) == "ERROR"


def test_each_episode_of_an_incident_has_its_severity_raised_by_those_that_are_like_it_and_before() -> None:
    held = [episode("a", 0), episode("b", 1), episode("c", 2), episode("d", 2, reason="Other")]
    assert [(one.eid, raised) for one, raised in severities(held[1:], held)] == [("b", "WARNING"), ("c", "ERROR"), ("d", "WARNING")]
