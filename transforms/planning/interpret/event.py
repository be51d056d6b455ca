"""What an event means: an episode about its subject; an alert's is joined to the rules that raise it."""

from datetime import UTC
from typing import Final

from transforms.model.graph import EPISODIC, SUBJECT_UID
from transforms.model.identity import make_rid
from transforms.model.kinds import SCOPE_OF_TOKEN
from transforms.model.limits import BODY_AHEAD, EARLIEST
from transforms.planning.facts.mutations import Mutation, UpsertReferrer
from transforms.planning.facts.values import identity, sealed
from transforms.records.envelopes.types import Event, EventList
from transforms.records.record import moment_of
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason
from transforms.records.severity import severity_of

# An event of this type tells of the alert that its reason names.
ALERT_ETYPE: Final = "prom.alert"


def event_mutation(client_id: str, ver: str, body: Event) -> Mutation:
    about = body.subject
    if about is None:
        return episode(client_id, ver, body, "")
    rid = make_rid(about.kind, about.ns or "", about.name, about.api_version or "")
    # Kubernetes keeps an Event on a cluster-scoped object in some namespace, and a component may name that as the object's.
    uid = about.uid if about.uid and rid.namespace and rid.kind not in SCOPE_OF_TOKEN else ""
    return episode(client_id, ver, body, identity("the subject", str(rid)), identity("the subject's uid", uid))


def event_mutations(client_id: str, ver: str, body: EventList, _raw_key: str) -> tuple[Mutation, ...]:
    """One for each event, at the record's time; of an Event that is told of more than once, the last."""
    latest = moment_of(ver) + BODY_AHEAD
    for one in body.events:
        if one.event_time is not None and not (EARLIEST <= one.event_time <= latest):
            said = f"the time of the event {shown(one.event_id)} is {one.event_time.isoformat()}; set the clock of its source"
            raise Fault(Reason.BAD_TIME, said)
    return tuple({one.event_id: event_mutation(client_id, ver, one) for one in body.events}.values())


def episode(client_id: str, ver: str, body: Event, subject: str, subject_uid: str = "", **more: str | float) -> UpsertReferrer:
    """The episode of an event about the object at `subject`, "" for none; subject_uid: as in `UpsertReferrer`; more: further properties."""
    if body.etype == ALERT_ETYPE and body.reason:
        more["alert"] = identity("the alert's name", body.reason)
    props, digest = sealed(
        {
            "etype": body.etype,
            "severity_raw": body.severity,
            "severity": severity_of(body.severity),
            "reason": body.reason,
            "message": body.message,
            "event_time": body.event_time.astimezone(UTC) if body.event_time else moment_of(ver),
            "count": body.count,
            **({"first_time": body.first_time.astimezone(UTC)} if body.first_time and body.first_time >= EARLIEST else {}),
            **({"subject": subject} if subject else {}),
            **({SUBJECT_UID: subject_uid} if subject_uid else {}),
            **more,
        }
    )
    eid = identity("event_id", body.event_id)
    return UpsertReferrer(client_id, ver, EPISODIC.label, eid, subject, props, digest, subject_uid=subject_uid)
