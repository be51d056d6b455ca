"""The stream of several clusters: stories played out, interleaved, doubled and disordered, with a few poisons."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from scripts.sampling.cluster import BEGIN, RESYNC, SampleCluster
from scripts.sampling.monitoring import Monitoring
from scripts.sampling.poison import Poison, poisoned, poisons
from scripts.sampling.record import COMMANDS, SampleRecord, json_bytes


@dataclass(frozen=True, slots=True)
class SampleStream:
    """The records in the order of their production, and which poisons are among them."""

    records: list[SampleRecord]
    poisons: list[Poison]


def play(cluster: SampleCluster, random: Random, resyncs: int) -> None:
    """A short life of a cluster, with a lost target, a rollout, a crash loop, a lost node and a finished job in it."""
    nodes = random.randint(3, 5)
    cluster.start(nodes)
    monitoring = Monitoring(cluster, Random(random.getrandbits(64)))  # noqa: S311
    monitoring.resync()
    monitoring.lose_target()
    acts: list[Callable[[], None]] = [
        lambda: cluster.replace("payments", "v2", 2),
        lambda: cluster.crash(random.choice(cluster.pods_on(1)), "BackOff", "Back-off restarting failed container"),
        lambda: cluster.lose_node(nodes),
        cluster.finish_job,
        lambda: cluster.crash(random.choice(cluster.pods_on(2)), "OOMKilling", "Memory cgroup out of memory: Killed process"),
    ]
    for number in range(resyncs):
        if number < len(acts):
            cluster.tick(random.uniform(1, 8))
            acts[number]()
        cluster.now = max(cluster.now, BEGIN) if number == 0 else cluster.now
        cluster.tick(RESYNC.total_seconds() / 2)
        cluster.resync()
        monitoring.resync()


def sample_stream(clusters: int, resyncs: int, seed: int, poison_classes: int) -> SampleStream:
    """A stream that the arguments decide: the same seed gives the same bytes.

    clusters: how many, called af-10, af-11 and so on, with the same namespaces and workload names.
    resyncs: how often each object is reported again. poison_classes: how many classes of bad records, spread
    over the clusters.
    """
    random = Random(seed)  # noqa: S311 - a seeded sample, not a secret
    records: list[SampleRecord] = [SampleRecord(COMMANDS, b"schema", json_bytes({"command": "ENSURE_SCHEMA"}), _ms(BEGIN.timestamp()))]
    chosen: list[Poison] = []
    for number in range(clusters):
        client_id = f"af-{10 + number}"
        cluster = SampleCluster(client_id, Random(random.getrandbits(64)))  # noqa: S311
        play(cluster, random, resyncs)
        records += cluster.records
        chosen += [poison for at, poison in enumerate(poisons(client_id)[:poison_classes]) if at % clusters == number]
    bad = [poisoned(poison, _ms(BEGIN.timestamp()) + random.randint(0, 60_000)) for poison in chosen]
    return SampleStream(_disorder(records, bad, random), chosen)


def _disorder(records: list[SampleRecord], bad: list[SampleRecord], random: Random) -> list[SampleRecord]:
    """In order of arrival: one record in fifty comes twice, one in twenty up to ten seconds late."""
    arriving = [(record.timestamp_ms, -1, record) for record in bad]
    for number, record in enumerate(records):
        late = random.randint(0, 10_000) if random.random() < 0.05 else 0  # noqa: PLR2004
        arriving.append((record.timestamp_ms + late, number, record))
        if random.random() < 0.02:  # noqa: PLR2004
            arriving.append((record.timestamp_ms + late + random.randint(0, 2_000), number, record))
    return [record for _, _, record in sorted(arriving, key=lambda one: one[:2])]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
