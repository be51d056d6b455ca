"""Whether the consumer group may be used, how far it is, and whether a run is at work on it."""

from collections.abc import Callable
from typing import Final

from runners.doctor.humanize import spoken_s
from runners.doctor.topics import REFUSED
from runners.doctor.verdict import Check, failed, ok, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.graph_admin.lease_holder import readable_holder
from transforms.io.graph_admin.probe import LeaseTold
from transforms.io.kafka.offsets import ReadPlan
from transforms.io.kafka.probe import GroupTold
from transforms.io.kafka.ranges import EXPIRES_S
from transforms.steps.readers import BEAM, BOUNDED, FASTER, MUCH

GROUP: Final = "group"
LAG: Final = "lag"
HELD_BACK: Final = "held back"
KEPT: Final = "offsets kept"
LEASE: Final = "lease"
_STARTED: Final = " started "


def judge_group(group: str, told: GroupTold | ProbeError) -> Check:
    """Whether the job may read and commit the group's offsets. A group with members takes no commit of anybody else's."""
    if isinstance(told, ProbeError):
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


def judge_lag(plan: ReadPlan | ProbeError, reader: str = BOUNDED) -> Check:
    """How much is to be read, and whether another reader does it faster; a warning where something was deleted before it was read."""
    if isinstance(plan, ProbeError):
        return failed(LAG, plan.said, "See the broker's log, then ask again.")
    if plan.gaps:
        more = f" (and {len(plan.gaps) - 1} more)" if len(plan.gaps) > 1 else ""
        return warning(LAG, plan.gaps[0].sentence + more, "Run the job more often or with --follow, or lengthen the topics' retention.")
    if plan.aside:
        more = f" (and {len(plan.aside) - 1} more)" if len(plan.aside) > 1 else ""
        return warning(LAG, plan.aside[0].sentence + more, "The job reads the others, tells what it leaves out, and ends with 3.")
    if plan.expired:
        first = f"{plan.expired[0].topic}[{plan.expired[0].partition}]"
        said = f"Kafka has forgotten what the group had committed in {len(plan.expired)} partitions, {first} first"
        return warning(
            LAG, f"{said}; the job reads on where it stood", "Run it more often, or raise the brokers' offsets.retention.minutes."
        )
    left = sum(one.lag for one in plan.ranges)
    faster = f"; {FASTER}" if reader == BEAM and left >= MUCH else ""
    return ok(LAG, f"{left:,} offsets to take in" + (f", of {len(plan.ranges)} partitions" if left else "") + faster)


def judge_held_back(plan: ReadPlan | ProbeError) -> Check:
    """Whether producers' open transactions hide records from every reader; the lag does not tell of these."""
    if isinstance(plan, ProbeError):
        return skipped(HELD_BACK, "the lag was not told")
    if not plan.held_back:
        return ok(HELD_BACK, "no open transaction hides anything")
    more = f" (and {len(plan.held_back) - 1} more)" if len(plan.held_back) > 1 else ""
    return warning(
        HELD_BACK,
        plan.held_back[0].sentence + more,
        "Wait, where the producer is at work on it: Kafka ends a transaction by itself after the producer's transaction.timeout.ms.",
    )


def judge_kept(retention_s: float | None) -> Check:
    """For how long Kafka keeps what a group has committed in a partition where it commits nothing; None where it does not say."""
    if retention_s is None:
        return skipped(KEPT, "Kafka does not tell this user of the brokers' settings; the job commits again every 10 minutes while it runs")
    found = f"committed offsets are kept for {spoken_s(retention_s)}"
    if retention_s >= EXPIRES_S:
        return ok(KEPT, found)
    why = "a job that is down for longer finds its group gone, and reads on from where the graph says that it stood, or all anew"
    return warning(KEPT, f"{found}: {why}", "Raise offsets.retention.minutes of the brokers, to 10080 for a week.")


def judge_lease(group: str, told: LeaseTold | ProbeError | None, now_s: float, is_dead: Callable[[str], bool]) -> Check:
    """Whether a run of the group is at work; now_s: seconds since 1970. is_dead: knows holders that are no more."""
    if isinstance(told, ProbeError):
        return skipped(LEASE, f"Neo4j did not tell ({told.said})")
    if told is None:
        return ok(LEASE, f"no run of the consumer group {group} is at work")
    holder = f"{readable_holder(told.holder)}{_age(told.holder, now_s)}"
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
