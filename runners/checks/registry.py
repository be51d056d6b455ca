"""Whether the schema registry answers, where one is configured."""

from typing import Final

from runners.checks.verdict import Check, ok, skipped

REGISTRY: Final = "schema registry"


def not_configured() -> Check:
    return skipped(REGISTRY, "none is configured; records in the Confluent wire format would be rejected")


def answered(url: str) -> Check:
    return ok(REGISTRY, f"{url} answers")
