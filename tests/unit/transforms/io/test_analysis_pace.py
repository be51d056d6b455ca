"""A tenant that changes all the time is analysed at once, then every ten seconds, and at the end; none is forgotten."""

from transforms.io.analysis_pace import AnalysisPace


def test_who_changed_is_analysed_at_once_and_then_at_most_so_often() -> None:
    now = [100.0]
    pace = AnalysisPace(10.0, clock=lambda: now[0])
    assert pace.due(["b", "a", "a"]) == ["a", "b"]
    now[0] = 105.0
    assert pace.due(["a", "c"]) == ["c"]
    now[0] = 110.0
    assert pace.due(()) == ["a"], "it waited"
    assert pace.due(["a"]) == []
    assert pace.rest() == ["a"]
    assert pace.rest() == []


def test_what_is_expected_waits_for_the_rest_unless_it_is_due_before() -> None:
    now = [0.0]
    pace = AnalysisPace(10.0, clock=lambda: now[0])
    pace.wait(["a", "b"])
    assert pace.due(["c"]) == ["a", "b", "c"]
    pace.wait(["a"])
    assert pace.rest() == ["a"]
