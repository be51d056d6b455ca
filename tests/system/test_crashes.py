"""What cannot be reached or used is told in one sentence; what is killed while it runs is in test_faults.py."""

from scripts.sampling.stream import sample_stream
from tests.system.world import World, named


def test_kafka_out_of_reach_is_told_in_one_sentence(world: World) -> None:
    said = world.run_job(
        "--kafka_reader=beam",
        f"--expansion_service={world.stack.connector.address}",
        "--kafka_retry_s=1",
        "--log_level=ERROR",
        expect=1,
        **(named(world) | {"KAFKA_BROKERS": "127.0.0.1:1"}),
    )["stderr"]

    assert said.startswith("Kafka at 127.0.0.1:1 cannot be used (")
    assert len(said.strip().splitlines()) == 1


def test_a_wrong_password_is_told_in_one_sentence_that_does_not_hold_it(world: World) -> None:
    wrong = {"NEO4J_USER": "neo4j", "NEO4J_PASSWORD_FILE": "", "NEO4J_PASSWORD": "not-the-password"}
    said = world.run_job("--log_level=ERROR", expect=1, **(named(world) | wrong))["stderr"]

    assert said.startswith(f"Neo4j at {world.stack.neo4j.uri} refused the user neo4j")
    assert "not-the-password" not in said
    assert len(said.strip().splitlines()) == 1


def test_the_java_side_out_of_reach_is_told_in_one_sentence(world: World) -> None:
    world.produce(sample_stream(clusters=1, resyncs=1, seed=1, poison_classes=0).records)

    said = world.run_job("--kafka_reader=beam", "--expansion_service=127.0.0.1:1", "--log_level=ERROR", expect=1)["stderr"]

    assert said.startswith("The Java side of Beam's Kafka connector does not answer at 127.0.0.1:1; start it with `scripts/stack up`")
    assert world.committed() == {}
