"""Rejects: bad input as data, with the reason, never as a crash and never dropped."""

from enum import StrEnum
from typing import Any

import msgspec

from transforms.model.limits import ITEMS
from transforms.records.outcomes import NO_TENANT
from transforms.records.record import KafkaRecord
from transforms.records.redaction.text import redact_text


class Reason(StrEnum):
    """Why a record was rejected. The names are part of the dead-letter contract; do not rename."""

    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_VALUE = "bad_value"
    BAD_KEY = "bad_key"
    BAD_TIME = "bad_time"
    EMPTY_VALUE = "empty_value"
    LIMIT_EXCEEDED = "limit_exceeded"
    UNKNOWN_COMMAND = "unknown_command"
    TENANT_MISSING = "tenant_missing"
    TENANT_INVALID = "tenant_invalid"
    TENANT_MISMATCH = "tenant_mismatch"
    TENANT_DENIED = "tenant_denied"
    TENANT_QUOTA = "tenant_quota"
    TENANT_QUARANTINED = "tenant_quarantined"
    LEGACY_SHAPE = "legacy_shape"
    BAD_WRAPPER = "bad_wrapper"
    SCHEMA_UNKNOWN = "schema_unknown"
    GRAPH_REFUSED = "graph_refused"
    BAD_HEADER = "bad_header"
    INTERNAL = "internal"


class Step(StrEnum):
    """The step of the flow that rejected a record, or failed at it."""

    DECODE = "decode"
    RESOLVE_TENANT = "resolve_tenant"
    INTERPRET = "interpret"
    FOLD = "fold"
    PLAN = "plan"
    WRITE = "write"
    ARCHIVE = "archive"
    DEAD_LETTER = "dead_letter"


class Fault(Exception):
    """Raised where a record's content is at fault; the steps turn it into a `Reject` and go on.

    `detail` names the thing, the value where it is not secret, and the remedy, in one sentence.
    `parsed` says whether the value was read as JSON: what was not cannot be searched for secrets and is
    withheld from the dead letters.
    """

    def __init__(self, reason: Reason, detail: str, *, parsed: bool = True) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.parsed = parsed

    def alone(self) -> "Fault":
        """The same, without what it was raised from: a traceback keeps every value of its frames, such as all that a record lists."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Runners may pickle what passes between steps."""
        return (_fault, (self.reason, self.detail, self.parsed))


def check_items(what: str, number: int) -> None:
    """Return for as many items as one record may list; Fault for more. what: they are, in the plural."""
    if number > ITEMS:
        said = f"the record lists {number} {what}, at most {ITEMS} are taken; split it at the producer"
        raise Fault(Reason.LIMIT_EXCEEDED, said)


def _fault(reason: Reason, detail: str, parsed: bool) -> Fault:
    return Fault(reason, detail, parsed=parsed)


class Reject(msgspec.Struct, frozen=True, array_like=True):
    """A rejected record: the original, where it failed and why.

    client_id: the tenant that the record names, "" otherwise. is_known: it is one that the graph has, or that was let in; what
    anybody can invent is counted under no name of its own.
    """

    record: KafkaRecord
    client_id: str
    step: Step
    reason: Reason
    detail: str
    parsed: bool = True
    is_known: bool = True

    @property
    def counted_as(self) -> str:
        """The tenant under which the reject is counted, `-` where it names none that is known."""
        return self.client_id if self.client_id and self.is_known else NO_TENANT


def reject(record: KafkaRecord, client_id: str, step: Step, fault: Fault) -> Reject:
    """The reject that a fault makes of a record; its detail holds no secret, whatever the fault says."""
    return Reject(record, client_id, step, fault.reason, redact_text(fault.detail), fault.parsed)
