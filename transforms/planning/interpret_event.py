"""What an event means: an episode about its subject."""

from datetime import UTC

from transforms.model.graph import EPISODIC
from transforms.model.identity import make_rid
from transforms.planning.mutations import Mutation, UpsertReferrer
from transforms.planning.values import checked, digest_of, identity
from transforms.records.envelopes import Event
from transforms.records.record import moment_of
from transforms.records.severity import severity_of


def event_mutation(client_id: str, ver: str, body: Event) -> Mutation:
    about = body.subject
    subject = ""
    if about is not None:
        subject = identity("the subject", str(make_rid(about.kind, about.ns or "", about.name, about.api_version or "")))
    props = checked(
        {
            "etype": body.etype,
            "severity_raw": body.severity,
            "severity": severity_of(body.severity),
            "reason": body.reason,
            "message": body.message,
            "event_time": body.event_time.astimezone(UTC) if body.event_time else moment_of(ver),
            "count": body.count,
            **({"subject": subject} if subject else {}),
        }
    )
    return UpsertReferrer(client_id, ver, EPISODIC.label, identity("event_id", body.event_id), subject, props, digest_of(props))
