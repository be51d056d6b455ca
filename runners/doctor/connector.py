"""Whether the Java side of Beam's Kafka connector answers, and is of the same version as Beam here."""

from typing import Final

from runners.doctor.verdict import Check, failed, ok, skipped, warning
from transforms.io.answers import ProbeError

JAVA_SIDE: Final = "Java side"
BEAM: Final = "Beam versions"
_START: Final = "Start it with `scripts/stack up`, name another with --expansion_service, or use --kafka_reader=bounded, which needs none."


def judge_java_side(address: str, told: str | ProbeError, here: str | None) -> list[Check]:
    """told: the version of Beam at the address, "" where it does not say. here: that of this side."""
    if isinstance(told, ProbeError):
        return [failed(JAVA_SIDE, f"{address}: {told.said}", _START), skipped(BEAM, "the Java side did not answer")]
    return [ok(JAVA_SIDE, f"{address} answered, with the Kafka connector"), judge_beam(told, here or "")]


def judge_beam(java: str, here: str) -> Check:
    """Whether both sides are of one version: what they send each other has no promise between two."""
    if not java:
        return skipped(BEAM, f"the Java side does not tell its version; here it is {here}")
    if java == here:
        return ok(BEAM, f"{here} on both sides")
    return warning(BEAM, f"{here} here, {java} on the Java side", f"Run the Java side in {here}: runners/java/beam-kafka/pom.xml.")


def not_needed(reader: str) -> list[Check]:
    """What is said where the reader does without a Java side."""
    return [skipped(name, f"--kafka_reader={reader} needs no Java side") for name in (JAVA_SIDE, BEAM)]
