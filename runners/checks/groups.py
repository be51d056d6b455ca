"""Whether the consumer group may be used, how far it is, and whether a run is at work on it."""

from collections.abc import Callable
from typing import Final

from runners.checks.spoken import spoken_s
from runners.checks.topics import REFUSED
from runners.checks.verdict import Check, failed, ok, skipped, warning
from transforms.io.answers import Untold
from transforms.io.kafka_inquiry import GroupTold
from transforms.io.kafka_offsets import ReadPlan
from transforms.io.neo4j_inquiry import LeaseTold

GROUP: Final = "group"
LAG: Final = "lag"
LEASE: Final = "lease"
_STARTED: Final = " started "


def judge_group(group: str, told: GroupTold | Untold) -> Check:
    """Whether the job may read and commit the group's offsets. A group with members takes no commit of anybody else's."""
    if isinstance(told, Untold):
        if told.code in REFUSED:
            return failed(GROUP, f"this user may not use the consumer group {group}", f"Grant READ and DESCRIBE on the group {group}.")
        return failed(GROUP, f"Kafka did not describe the consumer group {group} ({told.said})", "See the broker's log, then ask again.")
    if told.operations is not None and "READ" not in told.operations:
        return failed(GROUP, f"this user may not commit for the consumer group {group}", f"Grant READ on the group {group}.")
    if told.members:
        return failed(
            GROUP,
            f"others have joined the consumer group {group} ({', '.join(told.members)}); Kafka takes no commit of the job's beside them",
            "Stop them, or give the job a group of its own with --kafka_group.",
        )
    rights = "" if told.operations is None else ", may be committed for"
    return ok(GROUP, f"{group}: no other members{rights}")


def judge_lag(plan: ReadPlan | Untold) -> Check:
    """How much is to be read; a warning where something was deleted before it was."""
    if isinstance(plan, Untold):
        return failed(LAG, plan.said, "See the broker's log, then ask again.")
    if plan.gaps:
        more = f" (and {len(plan.gaps) - 1} more)" if len(plan.gaps) > 1 else ""
        return warning(LAG, plan.gaps[0].sentence + more, "Run the job more often or with --follow, or lengthen the topics' retention.")
    left = sum(one.lag for one in plan.ranges)
    return ok(LAG, f"{left:,} offsets to take in" + (f", of {len(plan.ranges)} partitions" if left else ""))


def judge_lease(group: str, told: LeaseTold | Untold | None, now_s: float, is_dead: Callable[[str], bool]) -> Check:
    """Whether a run of the group is at work; now_s: seconds since 1970. is_dead: knows holders that are no more."""
    if isinstance(told, Untold):
        return skipped(LEASE, f"Neo4j did not tell ({told.said})")
    if told is None:
        return ok(LEASE, f"no run of the consumer group {group} is at work")
    holder = f"{told.holder}{_age(told.holder, now_s)}"
    if told.left_s <= 0:
        return ok(LEASE, f"the run that held it ended without giving it back ({holder}, ran out {spoken_s(-told.left_s)} ago)")
    if is_dead(told.holder):
        return ok(LEASE, f"the run that held it is dead ({holder}); the next one takes it over")
    return warning(
        LEASE,
        f"a run of the consumer group {group} is at work ({holder}, holds it for another {spoken_s(told.left_s)})",
        "Well if that is your job; a second run of this group would be refused.",
    )


def _age(holder: str, now_s: float) -> str:
    started = holder.rpartition(_STARTED)[2]
    return f", {spoken_s(max(0.0, now_s - int(started)))} old" if _STARTED in holder and started.isdecimal() else ""
