"""The statements of the ledger of backfills, generated from the model as the others are: no tenant's, and in no digest."""

from typing import Final

from transforms.model.graph import BACKFILL, BACKFILL_SLICE, TENANT_KEY

_ALL: Final = f"(b:{BACKFILL.label} {{{TENANT_KEY}: ${TENANT_KEY}}})"
_RUN: Final = f"(b:{BACKFILL.label} {{{TENANT_KEY}: ${TENANT_KEY}, {BACKFILL.key}: $name}})"
_SLICES: Final = f"(s:{BACKFILL_SLICE.label} {{{TENANT_KEY}: ${TENANT_KEY}}})"
_SLICE: Final = f"(s:{BACKFILL_SLICE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {BACKFILL_SLICE.key}: $key}})"
# A condition that always holds; without one on every part of the key its index is not used.
_EVERY_RUN: Final = f"MATCH {_ALL}\nWHERE b.{BACKFILL.key} >= ''"
_EVERY_SLICE: Final = f"MATCH {_SLICES}\nWHERE s.{BACKFILL_SLICE.key} >= ''"
_OF_RUN: Final = f"MATCH {_SLICES}\nWHERE s.{BACKFILL_SLICE.key} STARTS WITH $name + ' '"

# The slices of an older plan go with one transaction, those of the new one come with the next: until all are there, nothing is planned.
DROP_SLICES: Final = f"{_OF_RUN}\nDELETE s"
PUT_BACKFILL: Final = f"MERGE {_RUN}\nSET b += $props, b.planned_ms = timestamp()"
PUT_SLICES: Final = (
    f"UNWIND $rows AS row\nMERGE (s:{BACKFILL_SLICE.label} {{{TENANT_KEY}: ${TENANT_KEY}, {BACKFILL_SLICE.key}: row.key}})\n"
    "SET s += row.props"
)

SET_BACKFILL: Final = f"MATCH {_RUN}\nSET b += $props, b.changed_ms = timestamp()"
SET_SLICE: Final = f"MATCH {_SLICE}\nSET s += $props, s.changed_ms = timestamp()"

READ_BACKFILL: Final = f"MATCH {_RUN}\nRETURN properties(b) AS props"
READ_BACKFILLS: Final = f"{_EVERY_RUN}\nRETURN properties(b) AS props, timestamp() AS now_ms\nORDER BY b.planned_ms, b.{BACKFILL.key}"
READ_SLICES: Final = f"{_OF_RUN}\nRETURN s.number AS number, s.state AS state, s.units AS units\nORDER BY s.{BACKFILL_SLICE.key}"
READ_SLICE: Final = f"MATCH {_SLICE}\nRETURN s.plan AS plan"
COUNT_SLICES: Final = (
    f"{_EVERY_SLICE}\nRETURN s.name AS name, s.state AS state, count(*) AS slices, sum(s.units) AS units,\n"
    "  sum(coalesce(s.read, 0)) AS read, sum(coalesce(s.rejected, 0)) AS rejected, sum(coalesce(s.lost, 0)) AS lost"
)

# What has long been done is not needed to know what is left.
OLD_BACKFILLS: Final = f"{_EVERY_RUN} AND b.state = 'done' AND b.changed_ms < timestamp() - $age_ms\nRETURN b.{BACKFILL.key} AS name"
DROP_BACKFILL: Final = f"MATCH {_RUN}\nDELETE b"
