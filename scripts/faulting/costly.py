"""Records that are valid and cost as much as a record can: texts that patterns stumble over, and products of selectors and objects."""

from typing import Final

from scripts.faulting.hostile import AT, AT_MS, HOSTILE, following, must_be_letters, pod
from scripts.faulting.round import Round, Seen
from scripts.sampling.record import EVENTS, RESOURCES, RULES, SampleRecord, json_bytes

# Each made a pattern that goes back over its text take minutes for one record.
_SLOW: Final = ("?secret", "eyJ-", "%3A%2F%2F", "password", "://", "Authorization: ", "-----BEGIN PRIVATE KEY", "key=&", "a@", "-p ")
_TEXT_BYTES: Final = 900_000


def send_slow_texts(round_: Round) -> Seen:
    """Events whose messages repeat what the patterns of secrets, addresses and failures begin with."""
    times = 1 if round_.short else 10
    bad = [_event(f"{word}-{at}", word * (_TEXT_BYTES // len(word))) for at in range(times) for word in _SLOW]
    # As many bytes of a text in which no pattern begins.
    harmless = [_event(f"plain-{at}", "lorem ipsum " * (_TEXT_BYTES // 12)) for at in range(len(bad))]
    with following(round_, len(bad), harmless=harmless) as (neighbours, _):
        neighbours.meet(lambda: round_.world.produce(bad), bad)
        must_be_letters(round_.world, {})
    return Seen(f"{len(bad)} records of {_TEXT_BYTES:,} bytes; {neighbours.said}")


def send_products(round_: Round) -> Seen:
    """Policies that all select every Pod of a namespace, and rules that all raise every episode of one alert."""
    number = 80 if round_.short else 5_000
    pods = [pod(f"product-{at}", labels={"app": "web"}) for at in range(number)]
    policies = [_policy(at) for at in range(number)]
    rules = [_rule(at) for at in range(number)]
    alerts = [_event(f"alert-{at}", "down", alert="AllDown") for at in range(number)]
    bad = [one for several in zip(pods, policies, rules, alerts, strict=True) for one in several]
    # As many objects, none of which selects or raises another.
    harmless = [pod(f"sound-{at}") for at in range(len(bad))]
    with following(round_, len(bad), harmless=harmless) as (neighbours, _):
        neighbours.meet(lambda: round_.world.produce(bad), bad)
        must_be_letters(round_.world, {})
    return Seen(f"{number:,} of each; {neighbours.said}")


def _event(name: str, message: str, alert: str = "") -> SampleRecord:
    body = {
        "event_id": name,
        "event_time": AT,
        "etype": "prom.alert" if alert else "k8s.event",
        "severity": "WARNING",
        "reason": alert or "Slow",
        "message": message,
        "subject": {"kind": "Pod", "ns": "shop", "name": "p"},
    }
    return SampleRecord(EVENTS, f"{HOSTILE}::{name}".encode(), json_bytes(body), AT_MS)


def _policy(at: int) -> SampleRecord:
    body = {
        "op": "UPSERT",
        "at": AT,
        "kind": "NetworkPolicy",
        "apiVersion": "networking.k8s.io/v1",
        "namespace": "shop",
        "name": f"product-{at}",
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}},
    }
    return SampleRecord(RESOURCES, f"{HOSTILE}::networkpolicy:shop:product-{at}".encode(), json_bytes(body), AT_MS)


def _rule(at: int) -> SampleRecord:
    body = {"op": "UPSERT", "at": AT, "group": f"g{at}", "rule": "AllDown", "type": "alerting", "expr": "up == 0"}
    return SampleRecord(RULES, f"{HOSTILE}::g{at}|AllDown".encode(), json_bytes(body), AT_MS)
