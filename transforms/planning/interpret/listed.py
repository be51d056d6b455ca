"""The answers of Prometheus's API, cut into one record for each name, as an agent writes them.

A name is what the job calls a target or rule without a key. What shares a name stays in one record, since the job tells these apart by
each other; so each record means exactly what it meant in the whole answer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.rule import listed_rules
from transforms.planning.interpret.target import listed_targets
from transforms.records.envelopes.prometheus import parse_rule, parse_target
from transforms.records.redaction.tree import is_suspicious, redact_tree

# Of a target: when it was scraped last would make each answer a change.
_TARGET: Final = ("labels", "discoveredLabels", "scrapeUrl", "health", "lastError")
_RULE: Final = ("name", "type", "query", "labels", "annotations", "duration", "alerts")
_ALERT: Final = ("state", "labels", "annotations", "activeAt", "value")
_META: Final = "__meta_kubernetes_"


def target_records(answer: bytes) -> dict[str, bytes]:
    """The values by raw key. Fault or msgspec's errors where it is no answer of /api/v1/targets."""
    parse_target(answer)
    found: dict[str, list[dict[str, Any]]] = {}
    for one in msgspec.json.decode(answer)["data"].get("activeTargets") or ():
        target = _redacted(_kept(one, _TARGET))
        discovered = target.get("discoveredLabels") or {}
        target["discoveredLabels"] = {name: value for name, value in discovered.items() if name.startswith(_META)}
        name = _name(listed_targets, parse_target, {"activeTargets": [target]})
        if name:
            found.setdefault(name, []).append(target)
    return {name: _value({"activeTargets": sorted(held, key=_order)}) for name, held in found.items()}


def rule_records(answer: bytes) -> dict[str, bytes]:
    """The values by raw key. Fault or msgspec's errors where it is no answer of /api/v1/rules."""
    parse_rule(answer)
    found: dict[str, list[dict[str, Any]]] = {}
    for group in msgspec.json.decode(answer)["data"].get("groups") or ():
        for one in group.get("rules") or ():
            rule = _redacted(_kept(one, _RULE))
            rule["alerts"] = sorted((_kept(alert, _ALERT) for alert in rule.get("alerts") or ()), key=_order)
            part = {"name": group["name"], "file": group.get("file") or "", "rules": [rule]}
            name = _name(listed_rules, parse_rule, {"groups": [{**part, "rules": [{**rule, "alerts": []}]}]})
            if name:
                found.setdefault(name, []).append(part)
    return {name: _value({"groups": sorted(held, key=_order)}) for name, held in found.items()}


def _name(listed: Callable[[str, str, Any, str], tuple[Mutation, ...]], parse: Callable[[bytes], Any], data: Mapping[str, Any]) -> str:
    """What the job calls the only one that the data lists."""
    mutations = listed("", "", parse(_value(data)), "")
    return str(getattr(mutations[0], "key", "")) if mutations else ""


def _kept(one: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: one[name] for name in fields if one.get(name) is not None}


def _redacted(one: dict[str, Any]) -> dict[str, Any]:
    return dict(redact_tree(one)) if is_suspicious(msgspec.json.encode(one)) else one


def _order(one: Any) -> bytes:
    return msgspec.json.encode(one, order="sorted")


def _value(data: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"status": "success", "data": data}, order="sorted")
