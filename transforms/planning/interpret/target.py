"""What a record about scrape targets means: targets that scrape an object, or the end of one."""

from typing import Any

from transforms.model.graph import PROM_TARGET
from transforms.planning.facts.mutations import DeleteReferrer, Mutation, UpsertReferrer
from transforms.planning.facts.values import CANONICAL, identity, pairs_of, sealed
from transforms.planning.interpret.prometheus_keys import Listed, keys_of
from transforms.planning.interpret.subjects import scraped_object
from transforms.records.envelopes.types import Scraped, Target, TargetList
from transforms.records.redaction.text import redact_text
from transforms.records.redaction.tree import is_suspicious, redact_label
from transforms.records.rejects import Fault, Reason

# Prometheus's own: they are read for the object that is scraped, and not kept.
_HIDDEN = "__"


def target_mutations(client_id: str, ver: str, body: Target, raw_key: str) -> tuple[Mutation, ...]:
    """An envelope's target is called by the record's key, else by its job and instance."""
    labels = body.labels or {}
    key = identity("the target's key", raw_key or _name(labels))
    if body.op == "DELETE":
        return (DeleteReferrer(client_id, ver, PROM_TARGET.label, key),)
    if body.labels is None:
        raise Fault(Reason.MISSING_FIELD, "Object missing required field `labels`")
    scraped = Scraped(labels, body.discovered_labels, body.scrape_url, body.health, body.last_error)
    return (_upsert(client_id, ver, key, scraped),)


def listed_targets(client_id: str, ver: str, body: TargetList, _raw_key: str) -> tuple[Mutation, ...]:
    """Every target of a response, in its order; nothing where it lists none."""
    scraped = [_cleaned(one) for one in body.targets]
    keys = keys_of([Listed(_name(one.labels), (one.scrape_url or "", *(pairs_of(one.labels) or ()))) for one in scraped])
    found = {key: _upsert(client_id, ver, identity("a target's key", key), one) for key, one in zip(keys, scraped, strict=True)}
    return tuple(found.values())


def target_tombstone(client_id: str, ver: str, raw_key: str) -> tuple[Mutation, ...]:
    return (DeleteReferrer(client_id, ver, PROM_TARGET.label, identity("the key", raw_key)),)


def _name(labels: dict[str, str]) -> str:
    job, instance = labels.get("job", ""), labels.get("instance", "")
    if not (job or instance):
        raise Fault(Reason.MISSING_FIELD, "a target with neither a key nor the labels `job` and `instance` has no identity")
    return f"{job}|{instance}"


def _cleaned(one: Scraped) -> Scraped:
    """Without secrets, since targets of one name are told apart by a hash of what they are."""
    if not is_suspicious(CANONICAL.encode([one.labels, one.scrape_url])):
        return one
    labels = {name: redact_label(name, value) for name, value in one.labels.items()}
    return Scraped(labels, one.discovered_labels, redact_text(one.scrape_url or ""), one.health, one.last_error)


def _of_kubernetes(discovered: dict[str, str] | None) -> dict[str, str]:
    """Of what Prometheus knew before relabelling, what Kubernetes said; the rest may have been overruled."""
    return {name: value for name, value in (discovered or {}).items() if name.startswith("__meta_kubernetes_")}


def _upsert(client_id: str, ver: str, key: str, scraped: Scraped) -> UpsertReferrer:
    """When it was scraped last is left out: each resync would be a change."""
    labels = scraped.labels
    subject = identity("the subject", scraped_object({**_of_kubernetes(scraped.discovered_labels), **labels}))
    props: dict[str, Any] = {
        "job": labels.get("job"),
        "instance": labels.get("instance"),
        "ns": labels.get("namespace") or labels.get("kubernetes_namespace"),
        "health": scraped.health,
        "scrape_url": scraped.scrape_url,
        "last_error": scraped.last_error,
        "labels": pairs_of({name: value for name, value in labels.items() if not name.startswith(_HIDDEN)}),
        "subject": subject,
    }
    kept, digest = sealed({name: value for name, value in props.items() if value})
    return UpsertReferrer(client_id, ver, PROM_TARGET.label, key, subject, kept, digest)
