"""A Kafka that is away ends a run after the seconds that it was told to wait, and no later."""

import time

from tests.system.world import World, named


def seconds_until_the_run_gives_up(world: World, retry_s: int) -> float:
    servers = named(world) | {"KAFKA_BROKERS": "127.0.0.1:1"}
    began = time.monotonic()
    said = world.run_job(f"--kafka_retry_s={retry_s}", expect=1, **servers)["stderr"]
    assert "Kafka at 127.0.0.1:1 cannot be used" in said
    return time.monotonic() - began


def test_a_run_waits_for_kafka_as_long_as_it_was_told(world: World) -> None:
    at_once = seconds_until_the_run_gives_up(world, 0)

    waited = seconds_until_the_run_gives_up(world, 3) - at_once

    # The rest of a run takes as long either way. It waited 24 s where it was told 3.
    assert 1 < waited < 12
