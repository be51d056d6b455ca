"""Scrape targets and rules: our envelopes, or the responses of Prometheus's own API as they are.

A record with `op` is an envelope of one target or rule; one without, but with `status`, is a whole response of
`/api/v1/targets` or `/api/v1/rules`. A response gives itself no time: the record's counts.
"""

from typing import Final

import msgspec

from transforms.records.envelopes.types import Rule, RuleGroup, RuleList, Scraped, Target, TargetList
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason, check_items


class _Shape(msgspec.Struct, frozen=True):
    """What tells the shapes apart."""

    op: msgspec.Raw = msgspec.Raw()
    status: msgspec.Raw = msgspec.Raw()


class _Response(msgspec.Struct, frozen=True):
    status: str
    client_id: str | None = None


# Prometheus writes null where a list of its has no entries.
class _Targets(msgspec.Struct, frozen=True, rename="camel"):
    active_targets: list[Scraped] | None


class _TargetResponse(msgspec.Struct, frozen=True):
    data: _Targets


class _Rules(msgspec.Struct, frozen=True):
    groups: list[RuleGroup] | None


class _RuleResponse(msgspec.Struct, frozen=True):
    data: _Rules


_SHAPE: Final = msgspec.json.Decoder(_Shape).decode
_RESPONSE: Final = msgspec.json.Decoder(_Response).decode
_TARGET: Final = msgspec.json.Decoder(Target).decode
_TARGETS: Final = msgspec.json.Decoder(_TargetResponse).decode
_RULE: Final = msgspec.json.Decoder(Rule).decode
_RULES: Final = msgspec.json.Decoder(_RuleResponse).decode


def parse_target(text: bytes) -> Target | TargetList:
    """A target, or a response that lists targets; msgspec's errors for what is mistyped, Fault for a failed response."""
    try:
        return _TARGET(text)
    except msgspec.ValidationError as error:
        response = _response(text, error)
        targets = _TARGETS(text).data.active_targets or []
        check_items("targets", len(targets))
        return TargetList(targets, response.client_id)


def parse_rule(text: bytes) -> Rule | RuleList:
    """A rule, or a response that lists rules; msgspec's errors for what is mistyped, Fault for a failed response."""
    try:
        return _RULE(text)
    except msgspec.ValidationError as error:
        response = _response(text, error)
        groups = _RULES(text).data.groups or []
        rules = [rule for group in groups for rule in group.rules or ()]
        check_items("rules and alerts", len(rules) + sum(len(rule.alerts or ()) for rule in rules))
        return RuleList(groups, response.client_id)


def _response(text: bytes, error: msgspec.ValidationError) -> _Response:
    """What all responses have; the error again where the text is none."""
    shape = _SHAPE(text)
    if bytes(shape.op) or not bytes(shape.status):
        raise error
    response = _RESPONSE(text)
    if response.status != "success":
        detail = f"a response of Prometheus with the status {shown(response.status)}; write those that succeeded"
        raise Fault(Reason.BAD_VALUE, detail) from None
    return response
