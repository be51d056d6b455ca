"""Whether the schema registry answers, where one is configured."""

from typing import Final

from runners.doctor.verdict import Check, ok

REGISTRY: Final = "schema registry"


def answered(url: str) -> Check:
    return ok(REGISTRY, f"{url} answers")
