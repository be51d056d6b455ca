"""Which tenants are to be purged: decided from what stands on their `:Cluster` and the bus's clock, told with the reason.

Times are milliseconds since 1970 by the graph server's clock, those of the bus by the bus's own.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

DEAD: Final = "DEAD"
# What was on its way when the cluster was deregistered arrives within so long.
SLACK_MS: Final = 120_000
_DAY_MS: Final = 86_400_000


class Why(StrEnum):
    """Why a tenant is purged."""

    DEREGISTERED = "deregistered"
    DEAD = "dead"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class TenantStatus:
    """What is known of a tenant that decides about its purge; None where a time is not known.

    is_purged: its graph was taken away and no new life has come since.
    """

    client_id: str
    state: str = ""
    last_seen: int | None = None
    deregistered_at: int | None = None
    dead_clock_ms: int | None = None
    purging: bool = False
    purge_reason: str = ""
    is_purged: bool = False


def standing_of(client_id: str, props: dict[str, Any]) -> TenantStatus:
    """The standing that the properties of a `:Cluster` tell."""
    return TenantStatus(
        client_id=client_id,
        state=props.get("state") or "",
        last_seen=props.get("last_seen"),
        deregistered_at=props.get("deregistered_at"),
        dead_clock_ms=props.get("dead_clock_ms"),
        purging=bool(props.get("purging")),
        purge_reason=props.get("purge_reason") or "",
        is_purged=props.get("purged_generation") is not None,
    )


class Verdict(NamedTuple):
    """Whether a tenant is to be purged; `why` None: no. said: in words, what it rests on."""

    why: str | None
    said: str

    @property
    def still_sending(self) -> bool:
        return self is _STILL_SENDING


_STILL_SENDING: Final = Verdict(None, "deregistered, but still sending")
_NO: Final = Verdict(None, "alive, or not dead for long enough")
_DONE: Final = Verdict(None, "purged already")


def judge(one: TenantStatus, bus_ms: int | None, purge_after_ms: int) -> Verdict:
    """Whether the tenant is to be purged now: deregistered and silent since, dead for so long, or begun already.

    bus_ms: the bus's clock, which stands still while nobody is heard, so that a silent bus makes nobody old; None: not known.
    """
    if one.purging:
        return Verdict(one.purge_reason, "begun already")
    if one.is_purged:
        return _DONE
    if one.deregistered_at is not None and (one.state == DEAD or (one.last_seen or 0) <= one.deregistered_at + SLACK_MS):
        return Verdict(Why.DEREGISTERED, "deregistered, and silent since")
    if one.state == DEAD and bus_ms is not None and one.dead_clock_ms is not None:
        dead_ms = bus_ms - one.dead_clock_ms
        if dead_ms >= purge_after_ms:
            return Verdict(Why.DEAD, f"dead for {dead_ms / _DAY_MS:.1f} days")
    return _NO if one.deregistered_at is None else _STILL_SENDING


def forget(one: TenantStatus) -> Verdict:
    """A purge that is asked for, whatever the tenant's state."""
    return Verdict(one.purge_reason, "begun already") if one.purging else Verdict(Why.FORGOTTEN, "asked for")
