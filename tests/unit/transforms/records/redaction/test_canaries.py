"""A secret of every kind through every sink: none of them holds any of it, and what is no secret stays."""

import json
import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from apache_beam.utils.timestamp import Timestamp
from prometheus_client import generate_latest

from pipelines.output.command import print_json, say
from pipelines.output.logs import configure_logs
from runners.observe.metrics import Monitor
from scripts.sampling.canaries import FIELDS, HARMLESS, MARK, TEXTS, canaries, leaks
from tests.unit.transforms.planning.archive.test_retained import digests, kept
from transforms.io.dead_letters.files import HeldLetters, LetterFileWriter
from transforms.io.dead_letters.writer import encode_deadletter, letter_of
from transforms.model.metrics import OUTCOMES, REJECT_REASONS
from transforms.planning.interpret.dispatch import interpret
from transforms.records.counts import Counts
from transforms.records.dead_letters.letters import decode_letter
from transforms.records.decode import decode_record
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved, ResolvedChunk
from transforms.steps.key_by_tenant import KeyByTenantFn
from transforms.steps.reject import Rejections
from transforms.steps.resolve_tenants import resolve

TENANT = "af-10"
FAULT = Fault(Reason.GRAPH_REFUSED, "why")


def kafka_records() -> list[KafkaRecord]:
    found = canaries(TENANT)
    return [KafkaRecord(one.topic, 0, at, one.timestamp_ms, one.key, one.value, one.headers) for at, one in enumerate(found)]


def played() -> tuple[list[Any], list[Resolved], list[Reject]]:
    """What the records come to: mutations, records that are taken in, rejects."""
    mutations, taken, rejects = list[Any](), list[Resolved](), list[Reject]()
    for record in kafka_records():
        owned = resolve(decode_record(record), TenantResolver(TenantRules()))
        if isinstance(owned, Reject):
            rejects.append(owned)
            continue
        assert isinstance(owned, Resolved)
        decoded = owned.decoded
        assert decoded.body is not None
        try:
            mutations += interpret(decoded.route.topic, decoded.body, TENANT, decoded.ver, raw_key=decoded.key.raw)
            taken.append(owned)
        except Fault as fault:
            rejects.append(reject(record, TENANT, Step.INTERPRET, fault))
    return mutations, taken, rejects


MUTATIONS, TAKEN, REJECTS = played()


def test_the_canaries_are_seen_where_they_lie() -> None:
    assert sum(leaks(msgspec.msgpack.encode(record)) for record in kafka_records()) == len(kafka_records())
    assert len(MUTATIONS) > 4 * len(TEXTS)
    assert len(REJECTS) > 4 * len(TEXTS)


def test_no_mutation_holds_a_canary_and_what_is_harmless_stays() -> None:
    texts = [repr(msgspec.to_builtins(one)) for one in MUTATIONS]
    assert [one for one in texts if MARK in one] == []
    assert sum(HARMLESS in one for one in texts) > 4 * len(TEXTS)


def test_no_dead_letter_holds_a_canary(tmp_path: Path) -> None:
    letters = [decode_letter(encode_deadletter(one)) for one in REJECTS]
    for one, letter in zip(REJECTS, letters, strict=True):
        assert not leaks(encode_deadletter(one)), letter
        assert not leaks(msgspec.msgpack.encode(letter)), letter
        assert letter.redacted
        assert not letter.is_whole
        assert letter.is_of(one.record)
    assert sum(letter.value is not None for letter in letters) > 2 * len(TEXTS)
    writer = LetterFileWriter(str(tmp_path))
    for one in REJECTS:
        writer.send(one)
    writer.flush()
    files = HeldLetters(str(tmp_path), Counter())
    held = [record for chunk in files.read(files.ranges(())) for record in chunk]
    assert len(held) == len(REJECTS)
    assert not [one for one in held if leaks(msgspec.msgpack.encode(decode_letter(one.value)))]


def test_the_archive_holds_no_canary_and_gives_the_same_graph() -> None:
    records = [one.decoded.record for one in TAKEN]
    found = kept(records)
    assert len(found) == len(records)
    assert [one for one in found if one.withheld] == []
    assert [one for one in found if leaks(msgspec.msgpack.encode(one))] == []
    assert digests(one.record for one in found) == digests(records)


def gathered(taken: list[Resolved]) -> bytes:
    """What a stream gathers of the records, as its state holds it."""
    step = KeyByTenantFn(1, keeps=True)
    step.start_bundle()
    assert list(step.process(ResolvedChunk(taken), Timestamp(0))) == []
    ((_, encoded),) = (one.value for one in step.finish_bundle())
    return bytes(encoded)


def test_what_a_stream_gathers_in_its_state_holds_no_canary() -> None:
    assert len(gathered(TAKEN)) > 10_000
    assert not leaks(gathered(TAKEN))


def test_a_record_without_its_value_gives_the_letter_of_one_that_is_withheld() -> None:
    ((_, fields, _),) = msgspec.msgpack.decode(gathered(TAKEN[:1]))
    original = TAKEN[0].decoded.record
    letter, plain = (letter_of(reject(one, TENANT, Step.WRITE, FAULT)) for one in (msgspec.convert(fields, KafkaRecord), original))
    assert (letter.value, letter.withheld, letter.redacted) == (None, True, True)
    assert (letter.value_bytes, letter.value_sha256) == (plain.value_bytes, plain.value_sha256)
    assert letter.value_bytes == len(original.value or b"")
    assert letter.is_of(original)


def tell() -> None:
    """All that a process says: log lines, sentences, an object on standard output, and at its end a defect that nobody caught."""
    configure_logs("INFO")
    rejections = Rejections("rejected")
    for one in REJECTS:
        rejections.add(one)
    for text in TEXTS:
        say(f"{HARMLESS} at h cannot be used ({text}).")
        logging.getLogger("others").critical("%s %s", HARMLESS, text)
        print_json({"tenants": {text: {"said": text, **FIELDS}}, "kept": HARMLESS})
    raise RuntimeError(f"{HARMLESS} {TEXTS[0]}")


def test_what_a_process_says_holds_no_canary() -> None:
    told = subprocess.run([sys.executable, "-c", f"from {__name__} import tell; tell()"], capture_output=True, text=True, check=False)
    assert "Traceback" in told.stderr
    assert not leaks(told.stderr.encode()), [line for line in told.stderr.splitlines() if leaks(line.encode())]
    assert not leaks(told.stdout.encode()), [line for line in told.stdout.splitlines() if leaks(line.encode())]
    assert told.stderr.count(HARMLESS) >= 2 * len(TEXTS)
    assert [json.loads(line)["kept"] for line in told.stdout.splitlines()] == [HARMLESS] * len(TEXTS)


def test_metrics_hold_no_canary() -> None:
    monitor = Monitor(60)
    token = f"glpat-{MARK}{MARK}"
    outcomes = {(token, Outcome.WRITTEN): 1, (HARMLESS, Outcome.WRITTEN): 1}
    monitor.counted(Counts({OUTCOMES: outcomes, REJECT_REASONS: {(token, "not_json"): 1}}))
    monitor.cycle_failed(f"Neo4j at bolt://u:{MARK}@h is away")
    page = generate_latest(monitor.registry)
    assert HARMLESS.encode() in page
    assert not leaks(page)
