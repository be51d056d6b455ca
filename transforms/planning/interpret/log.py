"""What a line of a log means: an episode about its pod, which counts the lines of one minute that say the same."""

import re
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import msgspec

from transforms.model.graph import EPISODIC
from transforms.model.identity import make_rid
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.facts.occurrence_set import seen, union
from transforms.planning.facts.values import identity, sealed
from transforms.records.envelopes.types import Log, LogList
from transforms.records.record import moment_of, t_of

ETYPE: Final = "k8s.log"
_KEY_BYTES: Final = 16
# Python's own pattern: no repetition is without a bound, and RE2 takes 20 µs a line more. Of
# dates and times of day, which nearly every line begins with; without them, lines that say the same would never be the same.
_TIMES: Final = re.compile(r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}|[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?")


def log_mutations(client_id: str, ver: str, body: LogList, _raw_key: str) -> tuple[UpsertReferrer, ...]:
    """One for each episode of a batch, whatever the order of its lines: the newest gives message and time, all count."""
    found: dict[str, UpsertReferrer] = {}
    for one in body.logs:
        mutation = log_mutation(client_id, ver, one)
        held = found.get(mutation.key)
        if held is not None:
            newest = max(held, mutation, key=_newness)
            mutation = msgspec.structs.replace(newest, seen=union(held.seen, mutation.seen))
        found[mutation.key] = mutation
    return tuple(found.values())


def _newness(one: UpsertReferrer) -> tuple[datetime, bytes]:
    return one.props["event_time"], one.digest


def log_mutation(client_id: str, ver: str, body: Log) -> UpsertReferrer:
    """The episode; its newest line gives the message and the time, all its lines the count."""
    rid = identity("the pod", str(make_rid("Pod", body.namespace, body.pod)))
    happened = body.event_time.astimezone(UTC) if body.event_time else moment_of(ver)
    props, digest = sealed(
        {
            "etype": ETYPE,
            "severity_raw": body.severity_raw,
            "severity": body.severity,
            "reason": body.reason,
            "message": body.message,
            "event_time": happened,
            "subject": rid,
            **({"container": body.container} if body.container else {}),
        }
    )
    return UpsertReferrer(client_id, ver, EPISODIC.label, _key(rid, body, happened), rid, props, digest, seen(_line(rid, body, ver)))


def _key(rid: str, body: Log, happened: datetime) -> str:
    minute = happened.replace(second=0, microsecond=0).isoformat()
    parts = "\x1f".join((rid, body.container, body.reason, _TIMES.sub("", body.message), minute))
    return f"log:{blake2b(parts.encode(), digest_size=_KEY_BYTES).hexdigest()}"


def _line(rid: str, body: Log, ver: str) -> str:
    """What tells a line from another: its id, else its pod, its content and its time, the record's where it gives none."""
    return identity("event_id", body.event_id) or f"{rid} {body.content} {'' if body.event_time else t_of(ver)}"
