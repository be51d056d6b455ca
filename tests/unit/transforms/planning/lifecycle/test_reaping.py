"""Who is to be purged: those that are gone for certain, and nobody else."""

import pytest

from transforms.planning.lifecycle.reaping import SLACK_MS, TenantStatus, forget, judge, standing_of

NOW = 1_000_000_000
AFTER = 7 * 86_400_000


def one(**more: object) -> TenantStatus:
    return standing_of("af-10", {"state": "ACTIVE", "last_seen": NOW, **more})


@pytest.mark.parametrize("state", ["ACTIVE", "STALE", "DEAD", "PURGED"])
def test_a_state_alone_is_no_reason(state: str) -> None:
    assert judge(one(state=state), NOW, AFTER).why is None


@pytest.mark.parametrize(
    ("last_seen", "why", "still_sending"),
    [
        (None, "deregistered", False),
        (NOW - 1, "deregistered", False),
        (NOW + SLACK_MS, "deregistered", False),
        (NOW + SLACK_MS + 1, None, True),
    ],
)
def test_one_that_is_deregistered_must_have_been_silent_since(last_seen: int | None, why: str | None, still_sending: bool) -> None:
    verdict = judge(one(deregistered_at=NOW, last_seen=last_seen), None, AFTER)

    assert (verdict.why, verdict.still_sending) == (why, still_sending)


@pytest.mark.parametrize(
    ("clock", "dead_clock", "why"),
    [(AFTER, 0, "dead"), (AFTER - 1, 0, None), (None, 0, None), (AFTER, None, None), (2 * AFTER, AFTER, "dead")],
)
def test_one_that_is_dead_must_have_been_so_for_long_enough_while_others_were_heard(
    clock: int | None, dead_clock: int | None, why: str | None
) -> None:
    assert judge(one(state="DEAD", dead_clock_ms=dead_clock), clock, AFTER).why == why
    assert judge(one(state="STALE", dead_clock_ms=dead_clock), clock, AFTER).why is None


def test_one_that_was_sending_after_its_end_goes_once_it_is_dead() -> None:
    gone = one(state="DEAD", dead_clock_ms=0, deregistered_at=NOW, last_seen=NOW + SLACK_MS + 1)

    assert judge(gone, 0, AFTER).why == "deregistered"
    assert judge(one(state="STALE", deregistered_at=NOW, last_seen=NOW + SLACK_MS + 1), AFTER, AFTER).still_sending
    assert judge(one(state="DEAD", dead_clock_ms=0), AFTER, AFTER).said == "dead for 7.0 days"


def test_a_purge_that_was_begun_is_gone_on_with_whatever_came_since() -> None:
    begun = one(purging=True, purge_reason="dead", state="ACTIVE")

    assert judge(begun, None, AFTER).why == forget(begun).why == "dead"


def test_what_is_purged_is_not_purged_again_unless_it_is_asked_for() -> None:
    purged = one(state="PURGED", purged_generation=1, deregistered_at=NOW, last_seen=0)

    assert judge(purged, None, AFTER).why is None
    assert not judge(purged, None, AFTER).still_sending
    assert forget(purged).why == "forgotten"


def test_a_cluster_of_which_nothing_is_known_stays() -> None:
    assert judge(standing_of("af-10", {}), None, 0).why is None
