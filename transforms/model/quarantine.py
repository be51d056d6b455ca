"""The statements that quarantine a tenant and release it, generated from the model as the others are."""

from typing import Final

from transforms.model.graph import CLUSTER, CLUSTER_EPISODE, LEASE, TENANT_KEY

# Neither takes a tenant's graph for anything else than it was, so no mirror needs to be told.
_TENANT: Final = f"MATCH (c:{CLUSTER.label} {{{TENANT_KEY}: ${TENANT_KEY}}})"


def _episode(what: str, message: str) -> str:
    """Keeps what happened to the cluster; `message` is an expression."""
    key = f"{{{TENANT_KEY}: ${TENANT_KEY}, {CLUSTER_EPISODE.key}: '{what} ' + toString(timestamp())}}"
    props = f"e.etype = 'cluster.{what}', e.reason = '{what}', e.message = {message}, e.at_ms = timestamp()"
    return f"MERGE (e:{CLUSTER_EPISODE.label} {key}) ON CREATE SET {props}"


# Since when: its oldest held record is as old; what sets it aside once more must not make it younger.
SET_ASIDE: Final = (
    f"{_TENANT}\nWITH c, CASE WHEN c.quarantined_at IS NULL THEN [true] ELSE [] END AS news\n"
    "SET c.quarantined_at = coalesce(c.quarantined_at, timestamp()), c.quarantine_reason = $reason\n"
    f"FOREACH (_ IN news | {_episode('quarantine', '$reason')})\n"
    "RETURN c.quarantined_at AS at"
)
RELEASE: Final = (
    f"{_TENANT}\nWHERE c.quarantined_at IS NOT NULL\nWITH c, c.quarantined_at AS at, c.quarantine_reason AS reason\n"
    f"REMOVE c.quarantined_at, c.quarantine_reason\n{_episode('release', 'reason')}\nRETURN at, reason"
)
# Asks all tenants, and takes no lock.
READ_QUARANTINED: Final = (
    f"MATCH (c:{CLUSTER.label})\nWHERE c.quarantined_at IS NOT NULL\n"
    f"RETURN c.{TENANT_KEY} AS {TENANT_KEY}, c.quarantined_at AS at, c.quarantine_reason AS reason, timestamp() AS now\n"
    f"ORDER BY {TENANT_KEY}"
)
# A write of no tenant's, committed: whether the server takes writes at all. On a full disk it still answers questions.
TRY_SERVER: Final = f"MERGE (l:{LEASE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {LEASE.key}: $name}})\nSET l.asked = timestamp()"
