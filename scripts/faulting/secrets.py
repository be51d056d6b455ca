"""Canaries on the real stack: records with made-up secrets, and all that the job writes of them looked through."""

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Final
from urllib.request import urlopen

import msgspec

from runners.local.service import free_ports
from scripts.faulting.archives import archived
from scripts.faulting.job import FOLLOW, Job
from scripts.faulting.round import Commits, Round, Seen, must, must_be_the_graph_of
from scripts.faulting.topics import held_records
from scripts.sampling.canaries import HARMLESS, canaries, leaks
from scripts.world import DEADLETTERS, World
from transforms.records.dead_letters.letters import decode_letter

_TENANT: Final = "af-10"
_NODES: Final = "MATCH (n) RETURN labels(n) AS is, properties(n) AS has"
_RELATIONSHIPS: Final = "MATCH ()-[r]->() RETURN type(r) AS is, properties(r) AS has"
_PAGE_S: Final = 10.0


def let_canaries_through(round_: Round) -> Seen:
    """Secrets of every kind, in valid records and in such as are rejected, among a stream of others; a run that follows takes all in."""
    world, others = round_.world, round_.records(clusters=2, resyncs=3)
    sent = canaries(_TENANT)
    world.produce([*others, *sent])
    (port,) = free_ports(1)
    with TemporaryDirectory(prefix="graph-archive-") as root, Commits(world) as commits:
        flags = ("--kafka_reader=bounded", f"--archive={root}", f"--metrics_port={port}", *FOLLOW)
        with Job(world, *flags) as job:
            commits.await_past(len(others) + len(sent))
            page = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_PAGE_S).read()
            ended = job.stop().must_be(0)
        archive = [msgspec.msgpack.encode(one) for one in archived(root)]
    sinks = {
        "the graph": list(_graph(world)),
        "the dead letters": list(_letters(world)),
        "the archive": archive,
        "the log": ended.said.encode().splitlines(),
        "the summary": [msgspec.json.encode(ended.report)],
        "the metrics": page.splitlines(),
    }
    for name, found in sinks.items():
        bad = [one for one in found if leaks(one)]
        must(not bad, f"{len(bad)} of {len(found)} parts of {name} hold a canary: {bad[:1]}")
    for name in ("the graph", "the dead letters", "the archive"):
        must(any(HARMLESS.encode() in one for one in sinks[name]), f"{name} lost what is no secret")
    must_be_the_graph_of(world, [*others, *sent])
    looked = ", ".join(f"{len(found):,} of {name.removeprefix('the ')}" for name, found in sinks.items())
    return Seen(f"{len(sent)} records with canaries; looked through: {looked}")


def _graph(world: World) -> Iterator[bytes]:
    for statement in (_NODES, _RELATIONSHIPS):
        for row in world.cypher(statement):
            yield repr(row).encode()


def _letters(world: World) -> Iterator[bytes]:
    """Each message as it lies on its topic, and the letter in it with its value in clear."""
    for message in held_records(world.kafka_target, [DEADLETTERS]):
        yield msgspec.msgpack.encode(message)
        yield msgspec.msgpack.encode(decode_letter(message.value))
