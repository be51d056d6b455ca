"""ResolveTenant: whose record is it; faults become rejects here, where the tenant is known as far as it can be."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.records.decode import Decoded
from transforms.records.envelopes import Command, Filtered, Tombstone
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.rejects import Fault, Reject, Step, reject
from transforms.records.tenant import Claims, TenantRules, resolve_tenant
from transforms.steps.elements import DecodedChunk, Owned, OwnedChunk
from transforms.steps.metrics import count_command, count_outcomes

REJECTS: Final = "rejects"


class ResolveTenants(beam.PTransform):
    """Outputs `main`: records that concern the graph, each with its tenant; `rejects`: the faulty ones.

    Records of another tenant (single-tenant mode), control records and topics that are not decoded end here, counted.
    """

    def __init__(self, rules: TenantRules) -> None:
        super().__init__()
        self._fn = ResolveTenantsFn(rules)

    def expand(self, chunks: beam.PCollection[DecodedChunk]) -> Any:
        return chunks | beam.ParDo(self._fn).with_output_types(OwnedChunk).with_outputs(REJECTS, main="main")


class ResolveTenantsFn(beam.DoFn):
    def __init__(self, rules: TenantRules) -> None:
        self._rules = rules

    def process(self, chunk: DecodedChunk) -> Iterator[OwnedChunk | TaggedOutput]:
        owned = OwnedChunk()
        settled = Tally()
        for decoded in chunk:
            if isinstance(decoded.body, Command):
                count_command(decoded.body.command)
            found = resolve(decoded, self._rules)
            if isinstance(found, Owned):
                owned.append(found)
            elif isinstance(found, Reject):
                yield TaggedOutput(REJECTS, found)
            else:
                settled[found] += 1
        count_outcomes(settled)
        if owned:
            yield owned


def resolve(decoded: Decoded, rules: TenantRules) -> Owned | Reject | tuple[str, Outcome]:
    """The record with its tenant, a reject, or the outcome of a record that ends here.

    Another tenant's record is skipped before its faults count: they are that tenant's run's to reject.
    """
    named = decoded.key.client_id
    known = named or rules.client_id
    if rules.client_id and named not in (None, rules.client_id):
        return (named or NO_TENANT, Outcome.SKIPPED)
    if decoded.fault is not None:
        return reject(decoded.record, known, Step.DECODE, decoded.fault)
    if decoded.codec is None or decoded.codec.control:
        return (known or NO_TENANT, Outcome.UNDECODED if decoded.codec is None else Outcome.CONTROL)
    said = None if decoded.body is None or isinstance(decoded.body, Tombstone) else decoded.body.client_id
    try:
        client_id = resolve_tenant(Claims(named, said), rules)
    except Fault as fault:
        return reject(decoded.record, known, Step.RESOLVE_TENANT, fault)
    if isinstance(decoded.body, Filtered) and client_id is not None:
        return (client_id, Outcome.CONTROL if decoded.body.is_control else Outcome.FILTERED)
    return Owned(client_id, decoded) if client_id is not None else (said or NO_TENANT, Outcome.SKIPPED)
