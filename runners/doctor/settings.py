"""Where the settings come from, and what looks like one of them and is none."""

from collections.abc import Mapping
from typing import Final

from runners.doctor.verdict import Check, ok, warning
from runners.variables import near_misses, remedy

SERVERS: Final = "servers"


def judge_settings(origin: str, environment: Mapping[str, str]) -> list[Check]:
    """origin: where the servers' addresses come from, in words; "" leaves that out."""
    servers = [ok(SERVERS, origin)] if origin else []
    found = near_misses(environment)
    return [
        *servers,
        *(
            warning(f"variable {name}", "it is set, and nothing reads it", remedy(name, meant, environment))
            for name, meant in found.items()
        ),
    ]
