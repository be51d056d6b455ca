"""ResolveTenant: whose record is it; faults become rejects here, where the tenant is known as far as it can be."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.io.cluster_book import process_book
from transforms.io.neo4j_target import Neo4jTarget
from transforms.records.decode import Decoded
from transforms.records.directory import EMPTY
from transforms.records.envelopes import Command, Filtered, Tombstone
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.rejects import Fault, Reject, Step, reject
from transforms.records.routes import header_tenant
from transforms.records.signs import Signs
from transforms.records.tenant import Claims, TenantResolver, TenantRules, is_tenant_id
from transforms.steps.elements import DecodedChunk, Owned, OwnedChunk
from transforms.steps.metrics import count_command, count_outcomes

REJECTS: Final = "rejects"
SIGNS: Final = "signs"

Ended = tuple[str, Outcome]


class ResolveTenants(beam.PTransform):
    """Outputs `main`: records that concern the graph, each with its tenant; `signs`: of which tenants something was heard;
    `rejects`: the faulty records.

    Records of another tenant (single-tenant mode), control records and topics that are not decoded end here, counted.
    target: the graph, which knows all tenants; it is asked once a bundle. None: no tenant is known.
    """

    def __init__(self, rules: TenantRules, target: Neo4jTarget | None = None) -> None:
        super().__init__()
        self._fn = ResolveTenantsFn(rules, target)

    def expand(self, chunks: beam.PCollection[DecodedChunk]) -> Any:
        return chunks | beam.ParDo(self._fn).with_output_types(OwnedChunk).with_outputs(REJECTS, SIGNS, main="main")


class ResolveTenantsFn(beam.DoFn):
    def __init__(self, rules: TenantRules, target: Neo4jTarget | None) -> None:
        self._rules = rules
        self._target = target
        self._resolver = TenantResolver(rules)
        self._signs = Signs()

    def start_bundle(self) -> None:
        directory = process_book(self._target).directory() if self._target else EMPTY
        self._resolver = TenantResolver(self._rules, directory)
        self._signs = Signs()

    def process(self, chunk: DecodedChunk) -> Iterator[OwnedChunk | TaggedOutput]:
        owned = OwnedChunk()
        settled = Tally()
        signs = self._signs
        for decoded in chunk:
            if isinstance(decoded.body, Command):
                count_command(decoded.body.command)
            signs.pass_by(decoded.record)
            found = resolve(decoded, self._resolver)
            if isinstance(found, Owned):
                owned.append(found)
                signs.hear(found.client_id, decoded.record)
            elif isinstance(found, Reject):
                yield TaggedOutput(REJECTS, found)
            else:
                client_id, outcome = found
                if outcome in (Outcome.FILTERED, Outcome.CONTROL) and client_id != NO_TENANT:
                    signs.hear(client_id, decoded.record)
                    signs.greet(client_id, decoded)
                if not _is_registration(decoded, outcome):
                    settled[found] += 1
        count_outcomes(settled)
        if owned:
            yield owned

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        if self._signs.seconds:
            window = GlobalWindow()
            signs = self._signs.since(self._resolver.directory)
            yield TaggedOutput(SIGNS, WindowedValue(signs, window.max_timestamp(), [window]))


def resolve(decoded: Decoded, resolver: TenantResolver) -> Owned | Reject | Ended:
    """The record with its tenant, a reject, or the outcome of a record that ends here.

    Another tenant's record is skipped before its faults count: they are that tenant's run's to reject.
    """
    only = resolver.rules.client_id
    named = decoded.key.client_id if decoded.key.client_id is not None else decoded.route.client_id
    if only and named not in (None, only):
        return (_shown(named), Outcome.SKIPPED)
    known = named if named is not None and is_tenant_id(named) else only
    rules = resolver.rules
    if (named is not None or decoded.fault is not None) and rules.passes_over(known):
        return (_shown(named), Outcome.SKIPPED)
    if decoded.fault is not None:
        return reject(decoded.record, known, Step.DECODE, decoded.fault)
    if decoded.codec is None or decoded.codec.control:
        return (known or NO_TENANT, Outcome.UNDECODED if decoded.codec is None else Outcome.CONTROL)
    try:
        claims = _claims(decoded)
        client_id = resolver.resolve(claims)
    except Fault as fault:
        # A record of nobody's is none of those that were asked for.
        return (NO_TENANT, Outcome.SKIPPED) if rules.passes_over(known) else reject(decoded.record, known, Step.RESOLVE_TENANT, fault)
    return _ended(decoded, claims, client_id) or Owned(client_id or NO_TENANT, decoded)


def _ended(decoded: Decoded, claims: Claims, client_id: str | None) -> Ended | None:
    """What becomes of a record whose tenant is found and that ends here; None for one that concerns the graph."""
    if client_id is None:
        return (_shown(*claims.outside, claims.body), Outcome.SKIPPED)
    if decoded.codec is not None and decoded.codec.tenancy:
        return (client_id, Outcome.CONTROL)
    if isinstance(decoded.body, Filtered):
        return (client_id, Outcome.CONTROL if decoded.body.is_control else Outcome.FILTERED)
    return None


def _shown(*named: str | None) -> str:
    """The tenant under which another's record is counted."""
    return next((one for one in named if one is not None and is_tenant_id(one)), NO_TENANT)


def _is_registration(decoded: Decoded, outcome: Outcome) -> bool:
    """Whether the record has its outcome only once it is written (`WriteSigns`)."""
    return outcome is Outcome.CONTROL and decoded.codec is not None and decoded.codec.tenancy and decoded.codec.state


def _claims(decoded: Decoded) -> Claims:
    headers = decoded.record.headers
    told = (decoded.key.client_id, decoded.route.client_id, header_tenant(headers) if headers else None)
    body = decoded.body
    if body is None or isinstance(body, Tombstone):
        return Claims(*told)
    return Claims(*told, body.client_id, getattr(body, "cluster", None))
