"""What a record about rules means: rules that scope an object, the end of one, and the alerts that they raise."""

from math import isfinite
from typing import Any, Final

from transforms.model.graph import RULE
from transforms.model.limits import BODY_AHEAD, EARLIEST, LATEST
from transforms.planning.facts.mutations import DeleteReferrer, Mutation, UpsertReferrer
from transforms.planning.facts.values import clean_pairs_of, identity, pairs_of, sealed
from transforms.planning.interpret.event import ALERT_ETYPE, episode
from transforms.planning.interpret.prometheus_keys import Listed, hash_of, keys_of
from transforms.planning.interpret.subjects import concerned_object
from transforms.records.envelopes.types import Event, ListedAlert, ListedRule, Rule, RuleList
from transforms.records.record import is_unset, microseconds, moment_of
from transforms.records.redaction.text import redact_tokens, shown
from transforms.records.rejects import Fault, Reason
from transforms.records.severity import severity_of

# Prometheus's and Thanos's words, then Grafana's, which may name a cause too: `Alerting (NoData)`.
_ACTIVE: Final = {"pending": "pending", "firing": "firing", "alerting": "firing", "recovering": "firing"}
# What tells replicas apart that evaluate the same rules: an alert of theirs is one.
_REPLICAS: Final = frozenset(
    ("prometheus_replica", "replica", "__replica__", "thanos_ruler_replica", "rule_replica", "ruler_replica", "receive_replica")
)
# Replicas need not see an alert begin in the same evaluation.
_SAME_US: Final = 5 * 60 * 1_000_000
# An alert's annotations are the author's; these are the usual ones, the most telling first.
_MESSAGES: Final = ("message", "description", "summary")


def rule_mutations(client_id: str, ver: str, body: Rule, raw_key: str) -> tuple[Mutation, ...]:
    """An envelope's rule is called by the record's key, else by its group and name."""
    named = raw_key or (f"{body.group}|{body.rule}" if body.group and body.rule else "")
    if not named:
        raise Fault(Reason.MISSING_FIELD, "a rule with neither a key nor `group` and `rule` has no identity")
    key = identity("the rule's key", named)
    if body.op == "DELETE":
        return (DeleteReferrer(client_id, ver, RULE.label, key),)
    if not (body.group and body.rule and body.type):
        missing = next(name for name in ("group", "rule", "type") if not getattr(body, name))
        raise Fault(Reason.MISSING_FIELD, f"Object missing required field `{missing}`")
    rule = ListedRule(body.rule, body.type, body.expr, body.labels, body.annotations, body.duration)
    return (_upsert(client_id, ver, key, body.group, rule),)


def listed_rules(client_id: str, ver: str, body: RuleList, _raw_key: str) -> tuple[Mutation, ...]:
    """Every rule of a response, in its order, then the alerts that are pending or fire; nothing where it lists none."""
    rules = [(group, rule) for group in body.groups for rule in group.rules or ()]
    named = [Listed(f"{group.name}|{rule.name}", _told_by(group.file, rule)) for group, rule in rules]
    found: dict[str, Mutation] = {}
    for key, (group, rule) in zip(keys_of(named), rules, strict=True):
        found[key] = _upsert(client_id, ver, identity("a rule's key", key), group.name, rule)
    alerts = (_alert(client_id, ver, rule, one) for _, rule in rules for one in rule.alerts or () if _state(one))
    return (*found.values(), *{one.key: one for one in alerts}.values())


def rule_tombstone(client_id: str, ver: str, raw_key: str) -> tuple[Mutation, ...]:
    return (DeleteReferrer(client_id, ver, RULE.label, identity("the key", raw_key)),)


def _told_by(file: str, rule: ListedRule) -> tuple[str, ...]:
    return (file, redact_tokens(rule.query or ""), *clean_pairs_of(_own(rule.labels or {})))


def _own(labels: dict[str, str]) -> dict[str, str]:
    """The labels, less those that tell one replica from another."""
    return labels if _REPLICAS.isdisjoint(labels) else {name: value for name, value in labels.items() if name not in _REPLICAS}


def _state(alert: ListedAlert) -> str:
    """`pending` or `firing`; "" for an alert that is neither."""
    return _ACTIVE.get(alert.state.partition(" ")[0].lower(), "")


def _upsert(client_id: str, ver: str, key: str, group: str, rule: ListedRule) -> UpsertReferrer:
    """What the rule is; how it went when it was evaluated last is left out: each resync would be a change."""
    labels = _own(rule.labels or {})
    subject = identity("the subject", concerned_object(labels))
    alerting = rule.type == "alerting"
    severity = labels.get("severity", "")
    props: dict[str, Any] = {
        "group": group,
        "name": rule.name,
        "type": rule.type,
        "alert": identity("the alert's name", rule.name) if alerting else None,
        "expr": rule.query,
        "severity_raw": severity or None,
        "severity": severity_of(severity) if severity else None,
        "labels": pairs_of(labels) if rule.labels is not None else None,
        "annotations": pairs_of(rule.annotations),
        "duration_s": rule.duration if alerting else None,
        "subject": subject or None,
    }
    kept, digest = sealed({name: value for name, value in props.items() if value is not None})
    return UpsertReferrer(client_id, ver, RULE.label, key, subject, kept, digest)


def _alert(client_id: str, ver: str, rule: ListedRule, alert: ListedAlert) -> UpsertReferrer:
    """An episode of the rule's alert; the same one from when it is pending until it no longer fires."""
    labels, annotations = alert.labels or {}, alert.annotations or {}
    since = None if alert.active_at is None or is_unset(alert.active_at) else alert.active_at
    if since is not None and not (EARLIEST <= since < LATEST and since - moment_of(ver) <= BODY_AHEAD):
        raise Fault(Reason.BAD_TIME, f"`activeAt` of the alert {shown(rule.name)} is {since.isoformat()}; set Prometheus's clock")
    began = "" if since is None else str(microseconds(since) // _SAME_US)
    event = Event(
        event_id=f"{ALERT_ETYPE}:{hash_of((rule.name, began, *clean_pairs_of(_own(labels))))}",
        event_time=since,
        subject=None,
        etype=ALERT_ETYPE,
        severity=labels.get("severity", ""),
        reason=rule.name,
        message=next((annotations[name] for name in _MESSAGES if annotations.get(name)), ""),
    )
    value = _value(alert.value)
    more = {} if value is None else {"value": value}
    subject = identity("the subject", concerned_object(labels))
    return episode(client_id, ver, event, subject, "", state=_state(alert), **more)


def _value(said: Any) -> float | None:
    """The value that the expression had, which Prometheus writes as text; None for none that is finite."""
    try:
        value = float(said)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if isfinite(value) else None
