"""ResolveTenant: whose record is it; faults become rejects here, where the tenant is known as far as it can be."""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from transforms.io.graph_sink import GraphSink
from transforms.records.decode import Decoded
from transforms.records.envelopes.types import Command, Filtered, Tombstone
from transforms.records.liveness_signals import LivenessSignals
from transforms.records.outcomes import NO_TENANT, Outcome, Tally
from transforms.records.record import moment_of
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.records.tenancy.directory import EMPTY
from transforms.records.tenancy.routes import header_tenant
from transforms.records.tenancy.tenant import Claims, TenantResolver, TenantRules, invalid_id, is_tenant_id, key_fault
from transforms.records.topics import Topic
from transforms.steps.bundle import BundleTimes
from transforms.steps.elements import AcceptedChunk, DecodedChunk, Resolved, ResolvedChunk
from transforms.steps.metrics import count_outcomes
from transforms.steps.net import caught

REJECTS: Final = "rejects"
SIGNS: Final = "signs"
COMMANDS: Final = "commands"
TAKEN: Final = "taken"

_UNTOLD: Final = (None, None, None)

Ended = tuple[str, Outcome]
# Of a tenant of which such a record came, something was heard.
HEARD: Final = frozenset({Outcome.FILTERED, Outcome.CONTROL})


class ResolveTenants(beam.PTransform):
    """Outputs `main`: records that concern the graph, each with its tenant; `signs`: of which tenants something was heard;
    `commands`: what the job is told to do, each a word of the closed set; `rejects`: the faulty records.

    And `taken`, where `keeps` asks for it: all records but the faulty ones and those of another tenant.

    Records of another tenant (single-tenant mode), control records and topics that are not decoded end here, counted.
    graph: the graph, which knows all tenants; it is asked once a bundle. None: no tenant is known.
    """

    def __init__(self, rules: TenantRules, graph: GraphSink | None = None, *, keeps: bool = False) -> None:
        super().__init__()
        self._fn = ResolveTenantsFn(rules, graph, keeps=keeps)

    def expand(self, chunks: beam.PCollection[DecodedChunk]) -> Any:
        return chunks | beam.ParDo(self._fn).with_output_types(ResolvedChunk).with_outputs(REJECTS, SIGNS, COMMANDS, TAKEN, main="main")


class ResolveTenantsFn(beam.DoFn):
    def __init__(self, rules: TenantRules, graph: GraphSink | None, *, keeps: bool = False) -> None:
        self._rules = rules
        self._keeps = keeps
        self._graph = graph
        self._resolver = TenantResolver(rules)
        self._signs = LivenessSignals()
        self._times = BundleTimes()

    def start_bundle(self) -> None:
        directory = self._graph.tenants().directory() if self._graph else EMPTY
        self._resolver = TenantResolver(self._rules, directory)
        self._signs = LivenessSignals()
        self._times = BundleTimes()

    def process(self, chunk: DecodedChunk, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[ResolvedChunk | TaggedOutput]:
        self._times.note(timestamp)
        owned = ResolvedChunk()
        others = AcceptedChunk()
        settled = Tally()
        signs, ended = self._signs, []
        faulty: list[Reject] = []
        for decoded in chunk:
            if isinstance(decoded.body, Command):
                yield TaggedOutput(COMMANDS, decoded.body.command)
            found = self._resolve(decoded)
            if isinstance(found, Resolved):
                owned.append(found)
            elif isinstance(found, Reject):
                faulty.append(found)
            else:
                client_id, outcome = found
                if self._keeps and outcome is not Outcome.SKIPPED:
                    others.append(Resolved(client_id, decoded))
                if outcome in HEARD and client_id != NO_TENANT:
                    ended.append((client_id, decoded.record))
                if not _is_registration(decoded, outcome):
                    settled[found] += 1
        signs.pass_by(decoded.record.timestamp_ms for decoded in chunk)
        signs.hear([(one.client_id, one.decoded.record) for one in owned])
        signs.hear(ended)
        # Only now: a tenant may be let in by a record that comes after its faulty one.
        yield from map(self._rejected, faulty)
        count_outcomes(self._of_known(settled))
        if self._keeps and (owned or others):
            yield TaggedOutput(TAKEN, AcceptedChunk((*owned, *others)))
        if owned:
            yield owned

    def _resolve(self, decoded: Decoded) -> Resolved | Reject | Ended:
        try:
            found = resolve(decoded, self._resolver)
            if type(found) is tuple and found[1] is Outcome.CONTROL and found[0] != NO_TENANT:
                self._signs.greet(found[0], decoded)
        except Exception as error:  # noqa: BLE001 - the net
            return _defect(error, decoded)
        return found

    def _rejected(self, found: Reject) -> TaggedOutput:
        is_known = self._resolver.knows(found.client_id)
        return TaggedOutput(REJECTS, found if is_known else msgspec.structs.replace(found, is_known=False))

    def _of_known(self, settled: Tally) -> Tally:
        """The outcomes, those of tenants that anybody can invent under no name."""
        found = Tally()
        for (client_id, outcome), number in settled.items():
            found[client_id if self._resolver.knows(client_id) else NO_TENANT, outcome] += number
        return found

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        if self._signs.seconds:
            yield TaggedOutput(SIGNS, self._times.at_earliest(self._signs.since(self._resolver.directory)))


def resolve(decoded: Decoded, resolver: TenantResolver) -> Resolved | Reject | Ended:
    """The record with its tenant, a reject, or the outcome of a record that ends here.

    Another tenant's record is skipped before its faults count: they are that tenant's run's to reject.
    """
    rules, topic = resolver.rules, decoded.topic
    only = rules.client_id
    named = decoded.key.client_id
    if named is None:
        named = decoded.route.client_id
    if (only or rules.only) and _is_unasked(decoded, named, rules):
        return (_shown(named), Outcome.SKIPPED)
    if topic is None or topic.control or decoded.fault is not None:
        return _unresolved(decoded, topic, _first_valid(named) or only)
    try:
        claims = _claims(decoded)
    except Fault as fault:
        return _refused(decoded, rules, _first_valid(named) or only, fault)
    try:
        client_id = resolver.resolve(claims)
    except Fault as fault:
        return _refused(decoded, rules, _first_valid(named) or only or _first_valid(*claims.outside), _with_key(fault, decoded))
    if client_id is None or topic.tenancy or isinstance(decoded.body, Filtered) or decoded.ver > resolver.latest:
        return _ended(decoded, claims, client_id, resolver.latest)
    return Resolved(client_id, decoded)


def _defect(error: Exception, decoded: Decoded) -> Reject:
    named = _first_valid(decoded.key.client_id)
    return reject(decoded.record, named, Step.RESOLVE_TENANT, caught(error, Step.RESOLVE_TENANT, decoded.record, named))


def _with_key(fault: Fault, decoded: Decoded) -> Fault:
    """The fault, with what is wrong with the key where nothing else names the tenant."""
    if fault.reason is not Reason.TENANT_MISSING or decoded.key.client_id is not None:
        return fault
    if invalid := invalid_id(decoded.key.raw):
        return Fault(Reason.TENANT_INVALID, invalid, parsed=fault.parsed)
    said = key_fault(decoded.key.raw)
    return Fault(fault.reason, f"{said}; {fault.detail}", parsed=fault.parsed) if said else fault


def _too_late(ver: str) -> Fault:
    """A record of the future would hold against everything that comes until then."""
    said = f"the record's time {moment_of(ver).isoformat()} is more than a day ahead of the graph server's clock"
    return Fault(Reason.BAD_TIME, f"{said}; set the producer's clock, or the topic's message.timestamp.type to LogAppendTime")


def _is_unasked(decoded: Decoded, named: str | None, rules: TenantRules) -> bool:
    """Whether the record is seen already to be of none whose records are asked for; a faulty one of nobody's is, too."""
    only = rules.client_id
    if only and named not in (None, only):
        return True
    return (named is not None or decoded.fault is not None) and rules.passes_over(_first_valid(named) or only)


def _refused(decoded: Decoded, rules: TenantRules, known: str, fault: Fault) -> Reject | Ended:
    """What becomes of a record whose tenant cannot be found: one of nobody's is none of those that were asked for."""
    if rules.passes_over(known):
        return (known or NO_TENANT, Outcome.SKIPPED)
    return reject(decoded.record, known, Step.RESOLVE_TENANT, fault)


def _unresolved(decoded: Decoded, topic: Topic | None, known: str) -> Reject | Ended:
    """What becomes of a record whose tenant need not be found. known: the tenant, as far as it is; "" where it is not."""
    if decoded.fault is not None:
        return reject(decoded.record, known, Step.DECODE, decoded.fault)
    return (known or NO_TENANT, Outcome.UNDECODED if topic is None else Outcome.CONTROL)


def _ended(decoded: Decoded, claims: Claims, client_id: str | None, latest: str) -> Reject | Ended:
    """What becomes of a record whose tenant is found, and that does not concern the graph, or comes from the future."""
    if client_id is None:
        return (_shown(*claims.outside, claims.body), Outcome.SKIPPED)
    if decoded.ver > latest:
        return reject(decoded.record, client_id, Step.RESOLVE_TENANT, _too_late(decoded.ver))
    is_filtered = isinstance(decoded.body, Filtered) and not decoded.body.is_control
    return (client_id, Outcome.FILTERED if is_filtered else Outcome.CONTROL)


def _shown(*named: str | None) -> str:
    """The tenant under which another's record is counted."""
    return _first_valid(*named) or NO_TENANT


def _first_valid(*named: str | None) -> str:
    return next((one for one in named if one is not None and is_tenant_id(one)), "")


def _is_registration(decoded: Decoded, outcome: Outcome) -> bool:
    """Whether the record has its outcome only once it is written (`WriteLiveness`)."""
    return outcome is Outcome.CONTROL and decoded.topic is not None and decoded.topic.tenancy and decoded.topic.state


def _claims(decoded: Decoded) -> Claims:
    headers = decoded.record.headers
    told = (decoded.key.client_id, decoded.route.client_id, header_tenant(headers) if headers else None)
    body = decoded.body
    if body is None or isinstance(body, Tombstone):
        return Claims(*told)
    named = (body.client_id, getattr(body, "cluster", None))
    # Applications' own words differ from line to line: where they cannot count, they make no claims of their own.
    hint = getattr(body, "hint", None) if told == _UNTOLD else None
    return Claims(*told, *named, hint)
