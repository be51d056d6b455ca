"""What comes in: the same records again and again in any order, poisons among the valid ones, a stop under load."""

import math
from collections import Counter
from hashlib import sha256
from random import Random
from threading import Thread

from scripts.faulting.job import FOLLOW, READERS, Job
from scripts.faulting.round import Commits, Round, Seen, must, must_be_the_graph_of
from scripts.faulting.topics import forget_offsets
from scripts.sampling.poison import Poison, poisoned, poisons
from scripts.sampling.record import SampleRecord
from scripts.world import GROUP, World
from transforms.model.limits import RECORD_BYTES

_POISON_SHARE = 0.01


def triple_and_shuffle(round_: Round) -> Seen:
    """Every record three times, in an order of chance, at coordinates of its own; by either reader, one after the other."""
    world, records = round_.world, round_.records(resyncs=8)
    delivered = records * 3
    round_.random.shuffle(delivered)
    world.produce(delivered)
    readers = READERS[:1] if round_.short else READERS
    for reader in readers:
        with Job(world, f"--kafka_reader={reader}") as job:
            read = job.end().must_be(0).must_count_every_record_once()
        must(read == len(delivered), f"{read} records were read of {len(delivered)}")
        must_be_the_graph_of(world, records)
        forget_offsets(world.brokers, GROUP)
    return Seen(f"{len(records):,} records as {len(delivered):,} in any order, readers {' and '.join(readers)}")


def stop_under_load(round_: Round) -> Seen:
    """SIGTERM in the middle of a backlog, while more comes in."""
    world, random = round_.world, round_.random
    records = round_.records(resyncs=12)
    half = len(records) // 2
    world.produce(records[:half])
    slices = f"--slice_bytes={random.choice((65_536, 200_000, 1_000_000))}"
    load = Thread(target=world.produce, args=(records[half:],))
    with Commits(world) as commits, Job(world, slices, *FOLLOW) as job:
        commits.await_past(1 + int(random.uniform(0, 0.5) * half))
        load.start()
        must(not job.ends_within(random.uniform(0, 0.5)), "the run ended by itself")
        ended = job.stop().must_be(0)
        load.join()
        at, read = commits.look(), ended.must_count_every_record_once()
        must(read == at, f"{read} records were read and counted, but {at} are committed")
        with Job(world, "--kafka_reader=bounded") as rerun:
            again = rerun.end().must_be(0).must_count_every_record_once()
        must(read + again == len(records), f"{read} and {again} records were read of {len(records)}")
        must_be_the_graph_of(world, records)
    return Seen(f"SIGTERM at {at:,} of {len(records):,}")


def poison(round_: Round) -> Seen:
    """A hundredth of the traffic is poison of every class; measured against the same traffic without it."""
    world = round_.world
    valid = round_.records(resyncs=8 if round_.short else 200, poison_classes=0)
    bad = _bad(valid, round_.random)
    # A few values beyond the limit of a record outweigh all of the valid records: told apart.
    mixes = [[], bad, [one for one in bad if len(one[1].value or b"") <= RECORD_BYTES]]
    best = [math.inf] * len(mixes)
    for _ in range(1 if round_.short else 3):
        for at, mix in enumerate(mixes):
            mixed = _mixed(valid, mix, Random(round_.number))  # noqa: S311 - an order, not a secret
            best[at] = min(best[at], _seconds(world, mixed, rejected=len(mix)))
            must_be_the_graph_of(world, valid)
            _must_all_be_letters(world, mix)
    classes = len({one.name for one, _ in bad})
    plain, *with_poisons = best
    costs = ", without those beyond the size limit ".join(f"{one:.1f} s ({100 * (one / plain - 1):+.0f} %)" for one in with_poisons)
    return Seen(f"{len(bad)} poisons of {classes} classes among {len(valid):,}: {plain:.1f} s without them, with them {costs}")


def _bad(valid: list[SampleRecord], random: Random) -> list[tuple[Poison, SampleRecord]]:
    """Every class in turn, a hundredth of the records in all, at least one of each."""
    classes = poisons("af-10")
    number = max(len(classes), int(len(valid) * _POISON_SHARE))
    chosen = [classes[at % len(classes)] for at in range(number)]
    return [(one, poisoned(one, random.choice(valid).timestamp_ms)) for one in chosen]


def _mixed(valid: list[SampleRecord], bad: list[tuple[Poison, SampleRecord]], random: Random) -> list[SampleRecord]:
    """The valid records in their order, the poisons anywhere among them."""
    places = [(at, record) for at, record in enumerate(valid)]
    places += [(random.randrange(len(valid)), record) for _, record in bad]
    return [record for _, record in sorted(places, key=lambda one: one[0])]


def _seconds(world: World, records: list[SampleRecord], *, rejected: int) -> float:
    """How long a run takes from its own start to its end; every record that is no poison is taken in."""
    world.clear()
    world.produce(records)
    with Job(world, "--kafka_reader=bounded") as job:
        ended = job.end().must_be(0)
    read = ended.must_count_every_record_once()
    must(read == len(records), f"{read} records were read of {len(records)}")
    must(ended.report["rejected"] == rejected, f"{ended.report['rejected']} records were rejected instead of {rejected}")
    return float(ended.report["seconds"])


def _must_all_be_letters(world: World, bad: list[tuple[Poison, SampleRecord]]) -> None:
    """Each poison is a dead letter with the reason of its class; nothing else is."""
    wanted = Counter((one.topic, one.key or None, _sha256(one.value), one.reason) for one, _ in bad)
    found = Counter((one["topic"], one["message_key"], one["value_sha256"], one["reason"]) for one in world.deadletters())
    missing, extra = wanted - found, found - wanted
    must(not missing and not extra, f"the dead letters lack {list(missing)[:3]} and hold {list(extra)[:3]} in excess")


def _sha256(value: bytes | None) -> str | None:
    return None if value is None else sha256(value).hexdigest()
