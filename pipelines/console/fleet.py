"""The fleet: every tenant that the reader may see, in one table."""

from collections import Counter
from typing import Any, Final

from pipelines.console.params import Params
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from transforms.planning.views.source import Tenant

MOST_TENANTS: Final = 5_000
LIVE_S: Final = 5
SORTS: Final = ("trouble", "tenant", "state", "freshness", "age", "objects", "rejects", "incidents")
STATES: Final = ("any", "ACTIVE", "STALE", "DEAD", "PURGED")
PARAMETERS: Final = ("sort", "q", "state")
# The worst first.
_RANK: Final = {"DEAD": 0, "STALE": 1, "PURGED": 2, "ACTIVE": 3}


def fleet_page(site: Site, principal: Principal, params: Params) -> Page:
    """The tenants by what is asked; the empty fleet says how a cluster is added."""
    sort, state = params.one_of("sort", SORTS), params.one_of("state", STATES)
    q = params.text("q", 100).strip().lower()
    tenants = site.source.fleet(principal.client_ids, MOST_TENANTS + 1)
    letters = site.letters.now if site.letters else None
    rejects: dict[str, Counter[str]] = {}
    for group in letters.groups_of(principal.client_ids) if letters else ():
        rejects.setdefault(group.client_id, Counter())[group.reason] += group.letters
    rows = [tenant_row(one, rejects.get(one.client_id, Counter())) for one in tenants[:MOST_TENANTS]]
    shown = [row for row in rows if (state in ("any", row["state"])) and _is_found(row, q)]
    known = {row["client_id"] for row in rows}
    content = {
        "tenants": sorted(shown, key=lambda row: (_key(row, sort), row["client_id"])),
        "counts": {"all": len(rows), "shown": len(shown), "truncated": len(tenants) > MOST_TENANTS},
        "states": dict(sorted(Counter(row["state"] for row in rows).items())),
        "incidents": sum(row["incidents"] for row in rows),
        "rejects_of_no_tenant": {name: dict(of) for name, of in sorted(rejects.items()) if name not in known},
        "dead_letters": letters_state(site),
        "sort": sort,
        "state": state,
        "q": q,
    }
    return Page("fleet.html", "Fleet", content | {"_sorts": SORTS, "_states": STATES}, LIVE_S)


def letters_state(site: Site) -> str:
    """Whether dead letters are known: configured or not, still being read, read, or out of reach."""
    if site.letters is None:
        return "not configured"
    now = site.letters.now
    return now.problem or ("read" if now.at is not None else "being read")


def tenant_row(one: Tenant, rejects: "Counter[str]") -> dict[str, Any]:
    """A tenant with its ages in milliseconds by the server's clock; None where nothing is known.

    lag_ms: how long what was heard last has waited to be written; 0 where the last write is younger than the last record.
    """
    props = one.props
    heard, written = props.get("last_seen"), props.get("written_at")
    return {
        "client_id": one.client_id,
        "cluster": props.get("cluster") or "",
        "state": props.get("state") or "ACTIVE",
        "state_since_ms": _age(one, "state_since"),
        "age_ms": _age(one, "first_seen"),
        "freshness_ms": _age(one, "last_seen"),
        "written_ms": _age(one, "written_at"),
        "lag_ms": None if heard is None or written is None else max(0, heard - written),
        "generation": props.get("generation") or 1,
        "objects": one.objects,
        "incidents": one.incidents,
        "rejects": dict(sorted(rejects.items())),
        "rejected": rejects.total(),
        "resync_needed": bool(props.get("resync_needed")),
        "purging": bool(props.get("purging")),
        "deregistered": props.get("deregistered_at") is not None,
        "quarantined_ms": _age(one, "quarantined_at"),
        "quarantine_reason": props.get("quarantine_reason") or "",
        "labels": list(props.get("labels") or ()),
    }


def _age(one: Tenant, name: str) -> int | None:
    at = one.props.get(name)
    return None if at is None else max(0, one.now_ms - at)


def _is_found(row: dict[str, Any], q: str) -> bool:
    return not q or any(q in text.lower() for text in (row["client_id"], row["cluster"], *row["labels"]))


def _key(row: dict[str, Any], sort: str) -> Any:
    """What a row is sorted by: the worst, oldest or most first."""
    keys = {
        "trouble": (
            row["quarantined_ms"] is None,
            _RANK.get(row["state"], 9),
            -row["incidents"],
            not row["resync_needed"],
            -row["rejected"],
        ),
        "tenant": row["client_id"],
        "state": _RANK.get(row["state"], 9),
        "freshness": -(row["freshness_ms"] or 0),
        "age": -(row["age_ms"] or 0),
        "objects": -row["objects"],
        "rejects": -row["rejected"],
        "incidents": -row["incidents"],
    }
    return keys[sort]
