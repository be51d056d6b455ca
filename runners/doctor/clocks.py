"""Whether the clocks agree. No outcome depends on them but one: leases and record timestamps are other machines' times."""

from collections.abc import Mapping
from typing import Final

from runners.doctor.humanize import spoken_s
from runners.doctor.verdict import Check, ok, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.graph_admin.probe import ClockTold
from transforms.io.kafka.offsets import Place

NEO4J_CLOCK: Final = "Neo4j clock"
KAFKA_CLOCK: Final = "Kafka clock"
TOLERATED_S: Final = 5.0
_REMEDY: Final = "Set the clocks by NTP, on both machines."


def judge_neo4j_clock(told: ClockTold | ProbeError) -> Check:
    """Neo4j's clock against this machine's, both ways."""
    if isinstance(told, ProbeError):
        return skipped(NEO4J_CLOCK, f"Neo4j did not tell ({told.said})")
    off_s = abs(told.ahead_s)
    which = "ahead of" if told.ahead_s > 0 else "behind"
    if off_s - told.within_s > TOLERATED_S:
        return warning(NEO4J_CLOCK, f"{spoken_s(off_s)} {which} this machine's", _REMEDY)
    return ok(NEO4J_CLOCK, f"agrees with this machine's within {spoken_s(off_s + told.within_s)}")


def judge_kafka_clock(newest: Mapping[Place, int] | ProbeError, now_s: float) -> Check:
    """The newest record timestamp against this machine's clock: only one from the future tells of a clock that is off.

    newest: milliseconds since 1970. now_s: seconds since 1970.
    """
    if isinstance(newest, ProbeError):
        return skipped(KAFKA_CLOCK, f"Kafka did not tell the newest record timestamps ({newest.said})")
    if not newest:
        return skipped(KAFKA_CLOCK, "the topics hold no record whose timestamp could tell")
    (topic, partition), latest_ms = max(newest.items(), key=lambda one: one[1])
    age_s = now_s - latest_ms / 1000
    if age_s >= -TOLERATED_S:
        return ok(KAFKA_CLOCK, f"no record is from the future; the newest is {spoken_s(max(0.0, age_s))} old")
    said = f"the newest record of {topic}[{partition}] is {spoken_s(-age_s)} ahead of this machine's clock"
    return warning(KAFKA_CLOCK, said, "Set the clocks of this machine, of the brokers and of the producers by NTP.")
